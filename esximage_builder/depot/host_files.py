"""Reading what an administrator takes from a host: lists of its devices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.depot.tree import read_file
from esximage_builder.documents.pci_list import parse_devices
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from esximage_builder.models.device import PciDevice

__all__ = ["read_devices"]


def read_devices(path: str | Path, *, limits: ReadLimits | None = None) -> tuple[PciDevice, ...]:
    """Read a list of PCI devices from a file; its form is found out.

    Takes ``lspci -n``, ``-nn``, ``-vmmn``, ``-mmn``, with ``-v`` and ``-k`` too, ESXi's ``lspci -n`` and
    ``-p``, ``esxcli hardware pci list`` with any formatter, and JSON of the API.

    Args:
        path: The file.
        limits: Upper bounds; None takes the defaults.

    Returns:
        The devices in the order of the list.

    Raises:
        SourceUnreadableError: The file is missing or cannot be read.
        LimitExceededError: It is longer than ``limits.document_bytes``.
        MalformedDocumentError: It is no such list, or none with numbers.
        InvalidFieldError: A number is none of PCI.
    """
    bound = (limits or ReadLimits()).document_bytes
    return parse_devices(read_file(Path(path), max_bytes=bound), where=str(path), max_bytes=bound)
