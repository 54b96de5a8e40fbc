"""Reading what an administrator takes from a host: answers of commands, inventories, image databases, devices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.depot.image_database import read_database_files
from esximage_builder.depot.sniff import FileKind, sniff
from esximage_builder.depot.tree import read_file
from esximage_builder.documents.bulletin import parse_bulletin
from esximage_builder.documents.host_inventory import parse_host, render_host
from esximage_builder.documents.pci_list import parse_devices
from esximage_builder.documents.release_unit import parse_release_unit, unit_folder_kind
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor
from esximage_builder.errors import NotADepotError
from esximage_builder.hosts.inventory import host_of_database, put_together
from esximage_builder.limits import ReadBudget, ReadLimits
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.component import Component
from esximage_builder.streams.target import prepare_target
from esximage_builder.streams.whole_file import write_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.models.device import PciDevice
    from esximage_builder.models.host import Host

__all__ = ["read_devices", "read_host", "write_host"]


def read_host(*paths: str | Path, name: str = "", limits: ReadLimits | None = None) -> Host:
    """Read a host from all that was taken from it.

    Each file is an answer of ``esxcli`` with any formatter (``software component list``, ``vib list``,
    ``vib get``, ``baseimage get``, ``addon get``, ``profile get``, ``system version get``, ``system
    hostname get``, ``hardware platform get``, ``hardware pci list``), JSON of the vSphere API, an
    inventory as ``write_host`` writes it, facts in JSON, or an image database: ``imgdb.tgz`` or a
    folder. Of any other folder all files are read.

    Args:
        paths: The files of one host.
        name: Of the host; empty takes what the files say, else the name of the first file or folder.
        limits: Upper bounds for each file; None takes the defaults.

    Returns:
        The host; ``told`` says which parts are known.

    Raises:
        SourceUnreadableError: A file is missing or cannot be read.
        DepotError: A file tells nothing of a host, is damaged or too large.
        ModelError: No file is named, or two contradict each other.
    """
    bounds = limits or ReadLimits()
    named = [Path(path) for path in paths]
    parts = [part for path in named for part in _parts(path, bounds)]
    host = put_together(parts, name=name)
    return host if host.name else put_together([host], name=_plain_name(named[0]))


def _plain_name(path: Path) -> str:
    return path.name if path.is_dir() else path.name.partition(".")[0]


_NOTHING_OF_A_HOST = frozenset({FileKind.ISO, FileKind.VIB, FileKind.ZIP, FileKind.GZIP})


def _parts(path: Path, limits: ReadLimits) -> Iterator[Host]:
    kind = sniff(path).kind
    if kind is FileKind.IMAGE_DATABASE:
        yield _of_database(path, limits)
    elif kind is FileKind.FOLDER:
        files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
        if not files:
            raise NotADepotError("the folder holds nothing of a host", where=str(path), expected="answers of esxcli")
        for file in files:
            yield from _parts(file, limits)
    elif kind in _NOTHING_OF_A_HOST:
        raise NotADepotError(
            "this is nothing that a host tells of itself",
            where=str(path),
            found=kind.value,
            expected="answers of esxcli, an inventory in JSON, an image database",
            hint="save what the host prints, such as esxcli --formatter=json software component list",
        )
    else:
        data = read_file(path, max_bytes=limits.document_bytes)
        yield parse_host(data, where=str(path), max_bytes=limits.document_bytes)


def _of_database(path: Path, limits: ReadLimits) -> Host:
    files = read_database_files(path, limits=limits, budget=ReadBudget(limits))
    components, vibs, units = [], [], []
    for name, data in sorted(files.data.items()):
        where = f"{files.where}{name}"
        folder = name.partition("/")[0].lower()
        if folder == "bulletins" and name.endswith(".xml"):
            components.append(parse_bulletin(data, where=where, max_bytes=limits.document_bytes))
        elif folder == "vibs" and name.endswith(".xml"):
            vibs.append(parse_vib_descriptor(data, where=where, max_bytes=limits.document_bytes))
        elif (kind := unit_folder_kind(folder)) is not None and name.lower().endswith(".json"):
            units.append(parse_release_unit(data, where=where, kind=kind, max_bytes=limits.document_bytes))
    return host_of_database(
        [entry for entry in components if isinstance(entry, Component)],
        vibs,
        base_images=[unit for unit in units if isinstance(unit, BaseImage)],
        add_ons=[unit for unit in units if isinstance(unit, AddOn)],
    )


def write_host(host: Host, path: str | Path, *, overwrite: bool = False) -> None:
    """Write an inventory in JSON, which ``read_host`` reads; the file appears whole or not at all.

    Args:
        host: What is known of the host; parts that were not told are left out.
        path: The file.
        overwrite: Replace a file that is there.

    Raises:
        ModelError: The file's suffix is that of another kind of file.
        ExportError: The file is there already or cannot be written.
    """
    write_file(prepare_target(path, kind=FileKind.JSON, overwrite=overwrite), render_host(host))


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
