# Types of the public names; __init__.py says where they live.
from esximage_builder import authoring as authoring, hosts as hosts, verify as verify
from esximage_builder.checksums import Checksum as Checksum
from esximage_builder.codes import Layer as Layer
from esximage_builder.containers.iso9660_reader import BootEntry as BootEntry
from esximage_builder.depot.documents import (
    read_lock as read_lock,
    read_software_spec as read_software_spec,
    write_software_spec as write_software_spec,
)
from esximage_builder.depot.driver_maps import read_driver_maps as read_driver_maps
from esximage_builder.depot.host_files import (
    read_devices as read_devices,
    read_host as read_host,
    write_host as write_host,
)
from esximage_builder.depot.input_file import InputFile as InputFile, measured_inputs as measured_inputs
from esximage_builder.depot.open_disc import Disc as Disc, open_disc as open_disc
from esximage_builder.depot.opening import (
    Depot as Depot,
    open_depot as open_depot,
    read_image_database as read_image_database,
)
from esximage_builder.depot.sniff import FileKind as FileKind, Sniffed as Sniffed, sniff as sniff
from esximage_builder.depot.store import MeasuredVibStore as MeasuredVibStore, measured as measured
from esximage_builder.depot.verifying import VerifiedVib as VerifiedVib
from esximage_builder.documents.boot_cfg import (
    BootCfg as BootCfg,
    BootModuleLine as BootModuleLine,
    parse_boot_cfg as parse_boot_cfg,
    render_boot_cfg as render_boot_cfg,
)
from esximage_builder.documents.bulletin import parse_bulletin as parse_bulletin
from esximage_builder.documents.image_profile import parse_image_profile as parse_image_profile
from esximage_builder.documents.kickstart_address import (
    KickstartAddress as KickstartAddress,
    KickstartSource as KickstartSource,
)
from esximage_builder.documents.signatures import verify_detached as verify_detached
from esximage_builder.documents.vib_archive import VibHead as VibHead
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor as parse_vib_descriptor
from esximage_builder.errors import (
    ChecksumMismatchError as ChecksumMismatchError,
    ComposeError as ComposeError,
    DepotError as DepotError,
    DepotErrors as DepotErrors,
    EsxImageError as EsxImageError,
    ExportError as ExportError,
    IncompatibleImageError as IncompatibleImageError,
    InvalidFieldError as InvalidFieldError,
    LimitExceededError as LimitExceededError,
    MalformedDocumentError as MalformedDocumentError,
    MissingExtraError as MissingExtraError,
    ModelError as ModelError,
    NotADepotError as NotADepotError,
    NotInDepotError as NotInDepotError,
    SourceUnreadableError as SourceUnreadableError,
    UnsafeArchiveError as UnsafeArchiveError,
    VersionSyntaxError as VersionSyntaxError,
    WrongTypeError as WrongTypeError,
)
from esximage_builder.export.bundle import export_bundle as export_bundle
from esximage_builder.export.component_zip import export_components as export_components
from esximage_builder.export.iso import export_iso as export_iso
from esximage_builder.export.lock import make_lock as make_lock, write_lock as write_lock
from esximage_builder.export.outputs import export_image as export_image
from esximage_builder.export.pxe import export_pxe as export_pxe
from esximage_builder.export.result import ExportResult as ExportResult
from esximage_builder.export.sbom import export_sbom as export_sbom
from esximage_builder.export.split import export_split as export_split
from esximage_builder.export.stick import export_usb as export_usb
from esximage_builder.findings import Finding as Finding, Severity as Severity
from esximage_builder.hosts.applied import apply_plan as apply_plan
from esximage_builder.hosts.check import (
    ComplianceTarget as ComplianceTarget,
    check_compliance as check_compliance,
    roll_up as roll_up,
)
from esximage_builder.hosts.compliance import judge_host as judge_host
from esximage_builder.hosts.drift import Drift as Drift, explain_drift as explain_drift
from esximage_builder.hosts.extract import (
    HostImage as HostImage,
    image_of_host as image_of_host,
)
from esximage_builder.hosts.fleet import check_fleet as check_fleet
from esximage_builder.hosts.hardware import (
    DeviceStatus as DeviceStatus,
    DeviceVerdict as DeviceVerdict,
    HardwareReport as HardwareReport,
    judge_hardware as judge_hardware,
)
from esximage_builder.hosts.inventory import filled_from as filled_from, put_together as put_together
from esximage_builder.hosts.remediation import plan_remediation as plan_remediation
from esximage_builder.hosts.restore import image_to_adopt as image_to_adopt
from esximage_builder.hosts.waves import RolloutConstraints as RolloutConstraints
from esximage_builder.limits import ReadLimits as ReadLimits, SearchLimits as SearchLimits
from esximage_builder.models.add_on import AddOn as AddOn
from esximage_builder.models.base_image import BaseImage as BaseImage
from esximage_builder.models.catalog import Catalog as Catalog
from esximage_builder.models.compliance import (
    ClusterCompliance as ClusterCompliance,
    ComplianceStatus as ComplianceStatus,
    HostCompliance as HostCompliance,
    ItemCompliance as ItemCompliance,
    ItemReason as ItemReason,
)
from esximage_builder.models.component import (
    Bulletin as Bulletin,
    Component as Component,
    ComponentReference as ComponentReference,
)
from esximage_builder.models.constraint import Constraint as Constraint, Provide as Provide
from esximage_builder.models.device import DeviceKind as DeviceKind, PciDevice as PciDevice
from esximage_builder.models.hardware_support import HardwareSupport as HardwareSupport
from esximage_builder.models.host import (
    Host as Host,
    HostComponent as HostComponent,
    HostFacts as HostFacts,
    HostPart as HostPart,
    HostSolution as HostSolution,
    HostVib as HostVib,
)
from esximage_builder.models.image import (
    EffectiveComponent as EffectiveComponent,
    Image as Image,
    InstalledVib as InstalledVib,
    MissingComponent as MissingComponent,
    MissingVib as MissingVib,
    OverriddenComponent as OverriddenComponent,
    RemovedComponent as RemovedComponent,
    ReservedVib as ReservedVib,
    ReserveReason as ReserveReason,
    Rule as Rule,
    UnitChoice as UnitChoice,
)
from esximage_builder.models.image_profile import ImageProfile as ImageProfile, ProfileVib as ProfileVib
from esximage_builder.models.lock import Lock as Lock, LockedComponent as LockedComponent, LockedVib as LockedVib
from esximage_builder.models.open_choice import Exclusion as Exclusion, HigherVersion as HigherVersion, Wish as Wish
from esximage_builder.models.profile_change import (
    ProfileChange as ProfileChange,
    ReplacedVib as ReplacedVib,
    ReplaceReason as ReplaceReason,
)
from esximage_builder.models.remediation import (
    Adoption as Adoption,
    BootBankEstimate as BootBankEstimate,
    DeviceLoss as DeviceLoss,
    Eligibility as Eligibility,
    HostPlan as HostPlan,
    LostDevice as LostDevice,
    ManualMove as ManualMove,
    Obstacle as Obstacle,
    PlanAction as PlanAction,
    PlannedItem as PlannedItem,
    RemediationPlan as RemediationPlan,
    Rollback as Rollback,
    Ternary as Ternary,
    Wave as Wave,
)
from esximage_builder.models.solution import Solution as Solution, SolutionComponent as SolutionComponent
from esximage_builder.models.spec import (
    AddOnReference as AddOnReference,
    AlternativeImage as AlternativeImage,
    HardwareSupportReference as HardwareSupportReference,
    SoftwareSpec as SoftwareSpec,
    SolutionReference as SolutionReference,
)
from esximage_builder.models.vib import (
    HardwarePlatform as HardwarePlatform,
    MaintenanceMode as MaintenanceMode,
    Payload as Payload,
    SoftwarePlatform as SoftwarePlatform,
    Vib as Vib,
    VibFile as VibFile,
)
from esximage_builder.models.vib_facts import (
    SignatureStatus as SignatureStatus,
    Trust as Trust,
    VibFacts as VibFacts,
    VibSignature as VibSignature,
)
from esximage_builder.models.vib_store import (
    PackedVib as PackedVib,
    PackedVibStore as PackedVibStore,
    VibStore as VibStore,
)
from esximage_builder.progress import Progress as Progress
from esximage_builder.rules.boot_layout import (
    BootModule as BootModule,
    boot_modules as boot_modules,
    local_names as local_names,
    without_tools as without_tools,
)
from esximage_builder.rules.change_profile import change_profile as change_profile
from esximage_builder.rules.classify import (
    Change as Change,
    ChangeKind as ChangeKind,
    classify_images as classify_images,
    classify_known as classify_known,
    classify_releases as classify_releases,
    classify_versions as classify_versions,
)
from esximage_builder.rules.compatibility import (
    Compatibility as Compatibility,
    LayerVerdict as LayerVerdict,
    Verdict as Verdict,
    judge_add_on as judge_add_on,
    judge_component as judge_component,
)
from esximage_builder.rules.compose import compose as compose
from esximage_builder.rules.compose_all import ComposedImage as ComposedImage, compose_all as compose_all
from esximage_builder.rules.decompose import (
    Decomposition as Decomposition,
    decompose as decompose,
    recognise as recognise,
)
from esximage_builder.rules.device_drivers import (
    DeviceDriver as DeviceDriver,
    DriverIndex as DriverIndex,
    Match as Match,
    PciPattern as PciPattern,
)
from esximage_builder.rules.diff import (
    ChangeDirection as ChangeDirection,
    ImageDiff as ImageDiff,
    Impact as Impact,
    ItemChange as ItemChange,
    diff as diff,
)
from esximage_builder.rules.downgrades import LoweredItem as LoweredItem, LoweredKind as LoweredKind
from esximage_builder.rules.explain import (
    Explanation as Explanation,
    RuleSet as RuleSet,
    explain_acceptance as explain_acceptance,
    explain_findings as explain_findings,
    explain_name as explain_name,
    rule_set_of as rule_set_of,
)
from esximage_builder.rules.lock import compose_locked as compose_locked
from esximage_builder.rules.loose_vibs import (
    component_from_bulletin as component_from_bulletin,
    component_from_vibs as component_from_vibs,
    component_version_of as component_version_of,
)
from esximage_builder.rules.lost_devices import (
    DroppedIds as DroppedIds,
    lost_devices as lost_devices,
)
from esximage_builder.rules.plain_spec import make_spec as make_spec
from esximage_builder.rules.profile_image import image_from_profile as image_from_profile
from esximage_builder.rules.recommend import (
    PassedOver as PassedOver,
    Recommendation as Recommendation,
    Suggestion as Suggestion,
    recommend as recommend,
)
from esximage_builder.rules.releases import (
    KnownRelease as KnownRelease,
    release_name as release_name,
    resolve_base_image as resolve_base_image,
    select_base_images as select_base_images,
)
from esximage_builder.rules.security import (
    SecurityBulletin as SecurityBulletin,
    SecurityChange as SecurityChange,
    SecurityStanding as SecurityStanding,
    security_between as security_between,
    security_of as security_of,
)
from esximage_builder.rules.split import ImageSplit as ImageSplit, split_image as split_image
from esximage_builder.rules.upgrade_paths import Evidence as Evidence, PathCaution as PathCaution
from esximage_builder.rules.validate import ValidationReport as ValidationReport, validate as validate
from esximage_builder.verify.bundle import verify_bundle as verify_bundle
from esximage_builder.verify.checklist import Certainty as Certainty, Check as Check, Verification as Verification
from esximage_builder.verify.disc import verify_iso as verify_iso
from esximage_builder.verify.vib_file import verify_vib as verify_vib
from esximage_builder.versions import (
    AddOnVersion as AddOnVersion,
    BaseImageVersion as BaseImageVersion,
    ComponentVersion as ComponentVersion,
    ProductRange as ProductRange,
    ProductVersion as ProductVersion,
    ReleaseName as ReleaseName,
    VibVersion as VibVersion,
)
from esximage_builder.views.compliance import (
    render_compliance as render_compliance,
    render_html_compliance as render_html_compliance,
    render_markdown_compliance as render_markdown_compliance,
)
from esximage_builder.views.compliance_json import (
    cluster_compliance_as_dict as cluster_compliance_as_dict,
    host_compliance_as_dict as host_compliance_as_dict,
)
from esximage_builder.views.findings import (
    finding_as_dict as finding_as_dict,
    render_explanations as render_explanations,
)
from esximage_builder.views.image import image_as_dict as image_as_dict
from esximage_builder.views.report import (
    render_html_report as render_html_report,
    render_markdown_report as render_markdown_report,
    render_text_report as render_text_report,
    report_as_dict as report_as_dict,
)
from esximage_builder.views.report_file import write_compliance as write_compliance, write_report as write_report
from esximage_builder.views.sarif import findings_as_sarif as findings_as_sarif
from esximage_builder.views.verification import (
    render_verification as render_verification,
    verification_as_dict as verification_as_dict,
)
from esximage_builder.vocabulary import (
    AcceptanceLevel as AcceptanceLevel,
    ComponentSource as ComponentSource,
    PayloadType as PayloadType,
    Platform as Platform,
    Relation as Relation,
    VibType as VibType,
)

__version__: str
