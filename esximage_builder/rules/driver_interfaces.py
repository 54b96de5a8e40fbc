"""Names that tell which ESXi releases a driver was built for: what it asks of the kernel.

Source: docs/formats.md#relationships.
"""

from __future__ import annotations

import re

__all__ = ["ESX_VERSION", "VMKAPI", "VMKLINUX", "interface_numbers", "interface_of"]

VMKLINUX = "vmklinux"
VMKAPI = "vmkapi"
ESX_VERSION = "esx-version"

_VMKLINUX_NAME = re.compile(r"com\.vmware\.driverAPI|vmklinux")
_VMKAPI_NAME = re.compile(r"vmkapi_(?:incompat_)?([0-9]+)_([0-9]+)_")
_ESX_VERSION_NAME = re.compile(r"esx-version\b")
_NUMBERS = re.compile(r"([0-9]+)\.([0-9]+)")


def interface_of(name: str) -> tuple[str, str]:
    """Return which interface a provided or wanted name is of, and its version where the name has it.

    Args:
        name: Of a constraint or of something provided, such as ``vmkapi_2_9_0_0``.

    Returns:
        Interface and version such as ``("vmkapi", "2.9")``; both empty for other names.
    """
    found = _VMKAPI_NAME.match(name)
    if found is not None:
        return VMKAPI, f"{found[1]}.{found[2]}"
    if _VMKLINUX_NAME.match(name):
        return VMKLINUX, ""
    return (ESX_VERSION if _ESX_VERSION_NAME.match(name) else ""), ""


def interface_numbers(version: str) -> tuple[int, int] | None:
    """Return the numbers of an interface's version, for comparing; None if it has not two."""
    found = _NUMBERS.fullmatch(version)
    return None if found is None else (int(found[1]), int(found[2]))
