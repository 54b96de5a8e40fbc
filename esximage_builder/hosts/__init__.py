"""What a host has, and judging an image against it.

The same names are at the root of the package. They are loaded when they are first used.
"""

from __future__ import annotations

from esximage_builder.lazy_names import lazy_names

# Where each name lives; __init__.pyi says the same to type checkers.
_HOMES = {
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
    "models.compliance": ("ClusterCompliance", "ComplianceStatus", "HostCompliance", "ItemCompliance", "ItemReason"),
    "models.device": ("DeviceKind", "PciDevice"),
    "models.host": ("Host", "HostComponent", "HostFacts", "HostPart", "HostSolution", "HostVib"),
    "models.remediation": (
        "Adoption",
        "BootBankEstimate",
        "DeviceLoss",
        "Eligibility",
        "HostPlan",
        "LostDevice",
        "ManualMove",
        "Obstacle",
        "PlanAction",
        "PlannedItem",
        "RemediationPlan",
        "Rollback",
        "Ternary",
        "Wave",
    ),
    "rules.device_drivers": ("DeviceDriver", "DriverIndex", "Match", "PciPattern"),
    "rules.lost_devices": ("DroppedIds", "lost_devices"),
}

__all__, __getattr__, __dir__ = lazy_names(__name__, _HOMES)
