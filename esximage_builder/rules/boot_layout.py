"""What an image looks like when it boots: local names, module order, archives of its generation.

Pure functions of VIBs and images, one of them the variant without VMware Tools. One
generation's layout is one row of ``GENERATIONS``.

Source: docs/formats.md#boot-layout (reproduced from stock installer discs).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.disc_files import DPU_DEPOT, IMAGE_DATABASE, MISCELLANEOUS, PAYLOAD_ARCHIVE, RESERVED_VIBS
from esximage_builder.shown import Shown
from esximage_builder.vocabulary import DISC_OPTION, INSTALLER_OPTION, MODULE_TYPES, PayloadType, VibType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Payload, Vib
    from esximage_builder.versions import BaseImageVersion

__all__ = [
    "BootModule",
    "Generation",
    "boot_bank_bytes",
    "boot_modules",
    "disc_names",
    "generation_of",
    "local_names",
    "volume_label",
    "without_tools",
]

_NO_ORDER = 1 << 30
_LOCAL_BASE_LENGTH = 8
_ILLEGAL_LABEL_LETTER = re.compile(r"[^A-Z0-9_.-]")
_LABEL_LENGTH = 32
_LEGAL_LOCAL_NAME = re.compile(r"[a-z0-9_]{1,8}(?:\.[a-z0-9_]{1,3})?")


@final
@attrs.frozen(kw_only=True)
class Generation:
    """The disc layout of one span of ESXi releases.

    Attributes:
        first: The first product release of the span, as numbers.
        archives: Generated archives at the end of ``modules=``, in order.
        kernelopt: Kernel options of the stock disc.
        has_build: Whether ``build=`` is filled.
    """

    first: tuple[int, int, int]
    archives: tuple[str, ...]
    kernelopt: str
    has_build: bool = True


def _archives(*names: str) -> tuple[str, ...]:
    """Return the names as ``boot.cfg`` has them."""
    return tuple(name.lower() for name in names)


GENERATIONS = (
    Generation(
        first=(9, 0, 0),
        archives=_archives(IMAGE_DATABASE, MISCELLANEOUS, RESERVED_VIBS, DPU_DEPOT, PAYLOAD_ARCHIVE),
        kernelopt=f"{INSTALLER_OPTION} {DISC_OPTION}",
    ),
    Generation(
        first=(8, 0, 0),
        archives=_archives(IMAGE_DATABASE, MISCELLANEOUS, RESERVED_VIBS, DPU_DEPOT, PAYLOAD_ARCHIVE),
        kernelopt=f"{INSTALLER_OPTION} {DISC_OPTION}",
    ),
    Generation(
        first=(7, 0, 2),
        archives=_archives(IMAGE_DATABASE, MISCELLANEOUS, RESERVED_VIBS, PAYLOAD_ARCHIVE),
        kernelopt=f"{DISC_OPTION} {INSTALLER_OPTION}",
    ),
    Generation(
        first=(7, 0, 0),
        archives=_archives(IMAGE_DATABASE, PAYLOAD_ARCHIVE),
        kernelopt=f"{DISC_OPTION} {INSTALLER_OPTION}",
    ),
    Generation(
        first=(6, 7, 0),
        archives=_archives(IMAGE_DATABASE, PAYLOAD_ARCHIVE),
        kernelopt=f"{DISC_OPTION} {INSTALLER_OPTION}",
        has_build=False,
    ),
    Generation(
        first=(0, 0, 0),
        archives=_archives(IMAGE_DATABASE, PAYLOAD_ARCHIVE),
        kernelopt=INSTALLER_OPTION,
        has_build=False,
    ),
)


def generation_of(version: BaseImageVersion | None) -> Generation:
    """Return the layout for an ESXi version; an unknown one gets the newest."""
    if version is None:
        return GENERATIONS[0]
    return next(generation for generation in GENERATIONS if version.fields[:3] >= generation.first)


@final
@attrs.frozen(kw_only=True, repr=False)
class BootModule(Shown):
    """A payload that the boot loader loads.

    Attributes:
        local_name: Its file name, lower case: ``vmx.v00``.
        vib: The VIB that carries it.
        payload: The payload.
    """

    local_name: str
    vib: Vib
    payload: Payload


def local_names(vibs: Iterable[Vib]) -> dict[tuple[str, str], str]:
    """Return the local (VFAT) file name of every payload, by VIB id and payload name.

    VIBs go in ascending order of id, their payloads by name. A fixed ``vfat-name`` is taken as
    it is; else the first eight characters of the name in lower case, all but letters, digits
    and dots turned to ``_``, a dot, the first letter of the payload type and a two-digit
    counter. Past 99 the counter takes three digits and the name loses one (inferred).

    Args:
        vibs: All of an image that stand on its disc: names are counted over them together.
    """
    names: dict[tuple[str, str], str] = {}
    used: set[str] = set()
    counters: dict[str, int] = {}
    for vib in sorted(vibs, key=lambda vib: vib.id):
        for payload in sorted(vib.payloads, key=lambda payload: payload.name):
            name = payload.vfat_name or _counted_name(payload, used, counters)
            used.add(name)
            names[vib.id, payload.name] = name
    return names


def _counted_name(payload: Payload, used: set[str], counters: dict[str, int]) -> str:
    """Return the first unused name; ``counters`` remembers where to go on for each base and letter."""
    base = re.sub(r"[^a-z0-9.]", "_", payload.name.lower())
    letter = payload.type[0].lower()
    family = f"{base[:_LOCAL_BASE_LENGTH]}.{letter}"
    counter = counters.get(family, 0)
    while True:
        digits = f"{counter:02d}"
        room = _LOCAL_BASE_LENGTH if len(digits) == len("00") else _LOCAL_BASE_LENGTH - 1
        name = f"{base[:room]}.{letter}{digits}"
        counter += 1
        if name not in used:
            counters[family] = counter
            return name


def boot_modules(image: Image, *, with_tools: bool = True) -> tuple[BootModule, ...]:
    """Return what the boot loader loads, in order, the kernel first.

    Payloads of type ``boot`` come first, by boot order; then those that have a boot order
    otherwise (esx-base's, in descending order of name); then the rest by VIB id and payload
    name. Overlay VIBs come last. VIBs for data processing units are no modules.

    Args:
        image: The image.
        with_tools: Take the locker VIBs (VMware Tools) too.
    """
    names = local_names(image.host_vibs)
    entries = [
        (vib, payload)
        for vib in image.host_vibs
        for payload in vib.payloads
        if payload.type in MODULE_TYPES and (with_tools or vib.type != VibType.LOCKER)
    ]
    entries.sort(key=lambda entry: entry[1].name)
    descending = [entry for entry in entries if _is_descending(entry[1])]
    entries = [*reversed(descending), *(entry for entry in entries if not _is_descending(entry[1]))]
    entries.sort(key=lambda entry: _module_rank(*entry))
    return tuple(
        BootModule(local_name=names[vib.id, payload.name], vib=vib, payload=payload) for vib, payload in entries
    )


def boot_bank_bytes(image: Image) -> int:
    """Return how many bytes of modules a host keeps in its boot bank, as stored; unstated sizes count nothing."""
    return sum(module.payload.size_bytes or 0 for module in boot_modules(image, with_tools=False))


def _is_descending(payload: Payload) -> bool:
    """Tell whether it is one of the payloads that every stock disc has in descending order."""
    return payload.type != PayloadType.BOOT and payload.boot_order is not None


def _module_rank(vib: Vib, payload: Payload) -> tuple[bool, bool, int, str]:
    """Return the rank; sorting is stable, so that the order of names decides the rest."""
    order = _NO_ORDER if payload.boot_order is None else payload.boot_order
    return (vib.overlay, payload.type != PayloadType.BOOT, order, vib.id)


def disc_names(names: Sequence[str], *, taken: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the name on disc for each local name, in the same order, all different.

    A legal 8.3 name stays as it is. Others, and those that are taken, get one of their own: what
    is not a letter, digit or ``_`` becomes ``_``, the base is cut and ends in a counter
    while the name is taken.

    Args:
        names: Local names, lower case.
        taken: Names of other files in the same folder, lower case.
    """
    used = {*taken, *(name for name in names if _LEGAL_LOCAL_NAME.fullmatch(name))}
    unclaimed = used - set(taken)
    counters: dict[tuple[str, str, int], int] = {}
    found = []
    for name in names:
        if name in unclaimed:
            unclaimed.remove(name)
            found.append(name)
        else:
            found.append(_legal_name(name, used, counters))
            used.add(found[-1])
    return tuple(found)


def _legal_name(name: str, used: set[str], counters: dict[tuple[str, str, int], int]) -> str:
    """Return the first name with the lowest counter that is free; ``counters`` keeps where to look on."""
    base, _, extension = name.lower().rpartition(".")
    base, extension = (base, extension) if base else (extension, "")
    base = re.sub(r"[^a-z0-9_]", "_", base) or "_"
    extension = re.sub(r"[^a-z0-9_]", "_", extension)[:3]
    tail = f".{extension}" if extension else ""
    candidate = f"{base[:8]}{tail}"
    for length in range(1, 9):
        if candidate not in used:
            break
        key = (base[: 8 - length], tail, length)
        counter = counters.get(key, 0 if length == 1 else 10 ** (length - 1))
        while counter < 10**length and (candidate := f"{key[0]}{counter}{tail}") in used:
            counter += 1
        counters[key] = counter
    return candidate


def without_tools(image: Image) -> Image:
    """Return the image without its locker VIBs and the components that bring nothing else.

    That is what the ``-no-tools`` profile of a release is to its ``-standard`` one. The name
    stays, since names of images are the user's.
    """
    left_out = {entry.vib.id for entry in image.vibs if entry.vib.type == VibType.LOCKER}
    return attrs.evolve(
        image,
        vibs=[entry for entry in image.vibs if entry.vib.id not in left_out],
        components=[
            entry
            for entry in image.components
            if not entry.component.vib_ids or not left_out.issuperset(entry.component.vib_ids)
        ],
    )


def volume_label(name: str) -> str:
    """Return the label of a disc: the image's name in upper case, as much of it as has room.

    Args:
        name: Of the image.
    """
    return _ILLEGAL_LABEL_LETTER.sub("_", name.upper())[:_LABEL_LENGTH] or "ESXI"
