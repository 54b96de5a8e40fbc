# Types of the names; __init__.py says where they live.
from esximage_builder.hosts.compliance import judge_host as judge_host
from esximage_builder.hosts.hardware import (
    DeviceStatus as DeviceStatus,
    DeviceVerdict as DeviceVerdict,
    HardwareReport as HardwareReport,
    judge_hardware as judge_hardware,
)
from esximage_builder.hosts.inventory import filled_from as filled_from, put_together as put_together
from esximage_builder.models.device import DeviceKind as DeviceKind, PciDevice as PciDevice
from esximage_builder.models.host import (
    Host as Host,
    HostComponent as HostComponent,
    HostFacts as HostFacts,
    HostPart as HostPart,
    HostSolution as HostSolution,
    HostVib as HostVib,
)
from esximage_builder.rules.device_drivers import (
    DeviceDriver as DeviceDriver,
    DriverIndex as DriverIndex,
    Match as Match,
    PciPattern as PciPattern,
)
