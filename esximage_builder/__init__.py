"""Read, compose, check and write VMware ESXi images.

The names below are the public interface; each is loaded when it is first used, so that
``import esximage_builder`` costs little.

    with esximage_builder.open_depot("base-depot.zip", "add-on-depot.zip") as depot:
        image = esximage_builder.compose(depot.catalog, base_image="7.0.3-0.55.20328353")
        report = esximage_builder.validate(image, depot.catalog)
        esximage_builder.export_iso(image, depot, "custom.iso", report=report)

Names that belong together have modules of their own: ``esximage_builder.authoring``,
``esximage_builder.hosts`` and ``esximage_builder.verify``.
"""

from __future__ import annotations

import importlib

from esximage_builder.lazy_names import lazy_names

# Where each public name lives; __init__.pyi says the same to type checkers.
_HOMES = {
    "checksums": ("Checksum",),
    "codes": ("Layer",),
    "containers.iso9660_reader": ("BootEntry",),
    "depot.documents": ("read_lock", "read_software_spec", "write_software_spec"),
    "depot.input_file": ("InputFile", "measured_inputs"),
    "depot.open_disc": ("Disc", "open_disc"),
    "depot.driver_maps": ("read_driver_maps",),
    "depot.host_files": ("read_devices", "read_host", "write_host"),
    "depot.opening": ("Depot", "open_depot", "read_image_database"),
    "depot.sniff": ("FileKind", "Sniffed", "sniff"),
    "depot.store": ("MeasuredVibStore", "measured"),
    "depot.verifying": ("VerifiedVib",),
    "verify.checklist": ("Certainty", "Check", "Verification"),
    "verify.bundle": ("verify_bundle",),
    "verify.disc": ("verify_iso",),
    "verify.vib_file": ("verify_vib",),
    "errors": (
        "ChecksumMismatchError", "ComposeError", "DepotError", "DepotErrors", "EsxImageError", "ExportError",
        "IncompatibleImageError", "InvalidFieldError", "LimitExceededError", "MalformedDocumentError",
        "MissingExtraError", "ModelError", "NotADepotError", "NotInDepotError", "SourceUnreadableError",
        "UnsafeArchiveError", "VersionSyntaxError", "WrongTypeError",
    ),
    "export.bundle": ("export_bundle",),
    "export.component_zip": ("export_components",),
    "export.iso": ("export_iso",),
    "export.lock": ("make_lock", "write_lock"),
    "export.outputs": ("export_image",),
    "export.pxe": ("export_pxe",),
    "export.stick": ("export_usb",),
    "views.compliance": ("render_compliance", "render_html_compliance", "render_markdown_compliance"),
    "views.compliance_json": ("cluster_compliance_as_dict", "host_compliance_as_dict"),
    "views.findings": ("finding_as_dict", "render_explanations"),
    "views.image": ("image_as_dict",),
    "views.report": ("render_html_report", "render_markdown_report", "render_text_report", "report_as_dict"),
    "views.report_file": ("write_compliance", "write_report"),
    "export.result": ("ExportResult",),
    "views.sarif": ("findings_as_sarif",),
    "views.verification": ("render_verification", "verification_as_dict"),
    "export.sbom": ("export_sbom",),
    "export.split": ("export_split",),
    "findings": ("Finding", "Severity"),
    "documents.boot_cfg": ("BootCfg", "BootModuleLine", "parse_boot_cfg", "render_boot_cfg"),
    "documents.bulletin": ("parse_bulletin",),
    "documents.kickstart_address": ("KickstartAddress", "KickstartSource"),
    "documents.image_profile": ("parse_image_profile",),
    "documents.signatures": ("verify_detached",),
    "documents.vib_archive": ("VibHead",),
    "documents.vib_descriptor": ("parse_vib_descriptor",),
    "hosts.check": ("ComplianceTarget", "check_compliance", "roll_up"),
    "hosts.compliance": ("judge_host",),
    "hosts.drift": ("Drift", "explain_drift"),
    "hosts.fleet": ("check_fleet",),
    "hosts.inventory": ("filled_from", "put_together"),
    "hosts.hardware": ("DeviceStatus", "DeviceVerdict", "HardwareReport", "judge_hardware"),
    "hosts.applied": ("apply_plan",),
    "hosts.extract": ("HostImage", "image_of_host"),
    "hosts.remediation": ("plan_remediation",),
    "hosts.restore": ("image_to_adopt",),
    "hosts.waves": ("RolloutConstraints",),
    "limits": ("ReadLimits", "SearchLimits"),
    "models.add_on": ("AddOn",),
    "models.base_image": ("BaseImage",),
    "models.catalog": ("Catalog",),
    "models.compliance": ("ClusterCompliance", "ComplianceStatus", "HostCompliance", "ItemCompliance", "ItemReason"),
    "models.component": ("Bulletin", "Component", "ComponentReference"),
    "models.constraint": ("Constraint", "Provide"),
    "models.hardware_support": ("HardwareSupport",),
    "models.device": ("DeviceKind", "PciDevice"),
    "models.host": ("Host", "HostComponent", "HostFacts", "HostPart", "HostSolution", "HostVib"),
    "models.image": (
        "EffectiveComponent", "Image", "InstalledVib", "MissingComponent", "MissingVib", "OverriddenComponent",
        "RemovedComponent", "ReservedVib", "ReserveReason", "Rule", "UnitChoice",
    ),
    "models.image_profile": ("ImageProfile", "ProfileVib"),
    "models.lock": ("Lock", "LockedComponent", "LockedVib"),
    "models.open_choice": ("Exclusion", "HigherVersion", "Wish"),
    "models.profile_change": ("ProfileChange", "ReplaceReason", "ReplacedVib"),
    "models.remediation": (
        "Adoption", "BootBankEstimate", "DeviceLoss", "Eligibility", "HostPlan", "LostDevice", "ManualMove", "Obstacle",
        "PlanAction", "PlannedItem", "RemediationPlan", "Rollback", "Ternary", "Wave",
    ),
    "models.solution": ("Solution", "SolutionComponent"),
    "models.spec": (
        "AddOnReference", "AlternativeImage", "HardwareSupportReference", "SoftwareSpec", "SolutionReference",
    ),
    "models.vib_facts": ("SignatureStatus", "Trust", "VibFacts", "VibSignature"),
    "models.vib": ("HardwarePlatform", "MaintenanceMode", "Payload", "SoftwarePlatform", "Vib", "VibFile"),
    "models.vib_store": ("PackedVib", "PackedVibStore", "VibStore"),
    "progress": ("Progress",),
    "rules.boot_layout": ("BootModule", "boot_modules", "local_names", "without_tools"),
    "rules.change_profile": ("change_profile",),
    "rules.classify": (
        "Change", "ChangeKind", "classify_images", "classify_known", "classify_releases", "classify_versions",
    ),
    "rules.compose": ("compose",),
    "rules.compose_all": ("ComposedImage", "compose_all"),
    "rules.lost_devices": ("DroppedIds", "lost_devices"),
    "rules.plain_spec": ("make_spec",),
    "rules.decompose": ("Decomposition", "decompose", "recognise"),
    "rules.device_drivers": ("DeviceDriver", "DriverIndex", "Match", "PciPattern"),
    "rules.diff": ("ChangeDirection", "ImageDiff", "Impact", "ItemChange", "diff"),
    "rules.downgrades": ("LoweredItem", "LoweredKind"),
    "rules.explain": (
        "Explanation", "RuleSet", "explain_acceptance", "explain_findings", "explain_name", "rule_set_of",
    ),
    "rules.compatibility": (
        "Compatibility", "LayerVerdict", "Verdict", "judge_add_on", "judge_component",
    ),
    "rules.lock": ("compose_locked",),
    "rules.loose_vibs": ("component_from_bulletin", "component_from_vibs", "component_version_of"),
    "rules.profile_image": ("image_from_profile",),
    "rules.recommend": ("PassedOver", "Recommendation", "Suggestion", "recommend"),
    "rules.releases": ("KnownRelease", "release_name", "resolve_base_image", "select_base_images"),
    "rules.split": ("ImageSplit", "split_image"),
    "rules.security": (
        "SecurityBulletin", "SecurityChange", "SecurityStanding", "security_between", "security_of",
    ),
    "rules.upgrade_paths": ("Evidence", "PathCaution"),
    "rules.validate": ("ValidationReport", "validate"),
    "versions": (
        "AddOnVersion", "BaseImageVersion", "ComponentVersion", "ProductRange", "ProductVersion", "ReleaseName",
        "VibVersion",
    ),
    "vocabulary": ("AcceptanceLevel", "ComponentSource", "PayloadType", "Platform", "Relation", "VibType"),
}  # fmt: skip

# Folders that outsiders import from; each has such a table of its own.
_FRONTS = ("authoring", "hosts", "verify")

__all__, _load, _names = lazy_names(__name__, _HOMES)


def __getattr__(name: str) -> object:
    if name == "__version__":
        return _version()
    return importlib.import_module(f"{__name__}.{name}") if name in _FRONTS else _load(name)


def _version() -> str:
    version: str = importlib.import_module(f"{__name__}.distribution").installed_version()
    globals()["__version__"] = version
    return version


def __dir__() -> list[str]:
    return sorted({*_names(), *_FRONTS, "__version__"})
