"""Where VIBs of the lower acceptance levels may install files.

Hosts have a list of paths for community VIBs and a longer one for partner VIBs; VIBs of the levels
above may install anywhere. A host refuses a VIB that goes beyond its list, unless it is forced.

Source: docs/vibauthor.md#where-files-may-go (lists published for ESXi 5; for later releases inferred).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from esximage_builder.findings import Finding
    from esximage_builder.models.vib import Vib

__all__ = ["check_paths", "is_path_for"]

# Folders; what lies in them at any depth is meant.
_COMMUNITY = (
    "etc/cim/",
    "etc/config/",
    "etc/vmware/driver.map.d/",
    "etc/vmware/firewall/",
    "etc/vmware/pciid/",
    "etc/vmware/service/",
    "etc/vmware/shutdown/shutdown.d/",
    "etc/vmware/vm-support/",
    "opt/",
    "usr/lib/cim/",
    "usr/lib/hostprofiles/locale/",
    "usr/lib/hostprofiles/plugins/",
    "usr/lib/pycim/",
    "usr/lib/vmware-debug/",
    "usr/lib/vmware/",
    "usr/libexec/jumpstart/plugins/",
    "usr/share/hwdata/driver.pciids.d/",
    "var/lib/sfcb/registration/",
)
# Folders end in a slash; the others are single files.
_PARTNER = (
    *_COMMUNITY,
    "etc/init.d/",
    "etc/vmware/backup.conf",
    "etc/vmware/oem.xml",
    "etc/vmware/support",
    "etc/vmware/vmware.lic",
    "usr/lib/vmware/hostd/docroot/client/customLinks.xml",
)
_PATHS = {AcceptanceLevel.COMMUNITY: _COMMUNITY, AcceptanceLevel.PARTNER: _PARTNER}


def is_path_for(path: str, level: AcceptanceLevel) -> bool:
    """Tell whether hosts let a VIB of that level install the path.

    Args:
        path: Without leading slash.
        level: Of the VIB.
    """
    allowed = _PATHS.get(level)
    return allowed is None or any(path.startswith(place) if place.endswith("/") else path == place for place in allowed)


def check_paths(vib: Vib) -> tuple[Finding, ...]:
    """Return a warning about the paths of the VIB's file list that go beyond its level; none if none does."""
    beyond = tuple(path for path in vib.files or () if not is_path_for(path, vib.acceptance_level))
    if not beyond:
        return ()
    level = vib.acceptance_level.display
    return (
        make_finding(
            "path-above-level",
            f"{vib.id} installs {len(beyond)} of {len(vib.files or ())} files where {level} VIBs may not",
            items=beyond,
            facts={"vib": vib.id, "acceptance_level": vib.acceptance_level.value},
            cause=f"hosts have a list of folders for VIBs of level {level}",
            remedy="move the files below opt/, or install with --force on hosts where that is all right",
        ),
    )
