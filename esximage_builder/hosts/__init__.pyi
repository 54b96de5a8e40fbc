# Types of the names; __init__.py says where they live.
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
from esximage_builder.models.compliance import (
    ClusterCompliance as ClusterCompliance,
    ComplianceStatus as ComplianceStatus,
    HostCompliance as HostCompliance,
    ItemCompliance as ItemCompliance,
    ItemReason as ItemReason,
)
from esximage_builder.models.device import DeviceKind as DeviceKind, PciDevice as PciDevice
from esximage_builder.models.host import (
    Host as Host,
    HostComponent as HostComponent,
    HostFacts as HostFacts,
    HostPart as HostPart,
    HostSolution as HostSolution,
    HostVib as HostVib,
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
from esximage_builder.rules.device_drivers import (
    DeviceDriver as DeviceDriver,
    DriverIndex as DriverIndex,
    Match as Match,
    PciPattern as PciPattern,
)
from esximage_builder.rules.lost_devices import (
    DroppedIds as DroppedIds,
    lost_devices as lost_devices,
)
