"""Maps of drivers: files of a VIB's payload that tell the host which module drives which device.

One line a pattern, ``regtype=native,bus=pci,id=15b3101d15b30016......,driver=nmlx5_core``; the old
form, up to 6.7, writes ``id=10ec:8168 0000:0000``. Lines of other buses are left aside.

Source: docs/formats.md#which-hardware-a-vib-drives.
"""

from __future__ import annotations

import re

__all__ = ["is_driver_map", "parse_driver_map"]

_PLACE = re.compile(r"(?:\./)?etc/vmware/(?:default|driver)\.map\.d/[^/]+\.map")


def is_driver_map(path: str) -> bool:
    """Tell whether a file of a payload, by its path, is a driver's map."""
    return _PLACE.fullmatch(path.lstrip("/")) is not None


def parse_driver_map(data: bytes) -> tuple[str, ...]:
    """Return the PCI patterns of a map, as they are written; lines that say something else are passed over.

    Args:
        data: The whole file; it may hold comments and lines of other buses.
    """
    found = []
    for line in data.decode("utf-8", errors="replace").splitlines():
        fields = dict(part.split("=", 1) for part in line.strip().split(",") if "=" in part)
        if not line.lstrip().startswith("#") and fields.get("bus", "").strip().lower() == "pci" and fields.get("id"):
            found.append(fields["id"].strip())
    return tuple(found)
