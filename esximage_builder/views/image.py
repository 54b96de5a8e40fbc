"""What an image is: as JSON has it, and section by section.

The sections come in groups, so that a page puts them in its own order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.models.image import ReserveReason
from esximage_builder.models.profile_change import ReplaceReason
from esximage_builder.rules.boot_layout import boot_bank_bytes, boot_modules
from esximage_builder.rules.explain import explain_acceptance
from esximage_builder.rules.wishes import why_passed_over
from esximage_builder.views.blocks import Facts, Paragraph, Section, Table, filled_sections
from esximage_builder.views.findings import cause_of_explanation
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.models.image import EffectiveComponent, Image, RemovedComponent
    from esximage_builder.models.open_choice import HigherVersion
    from esximage_builder.views.blocks import Block

__all__ = [
    "acceptance_section",
    "bytes_text",
    "change_sections",
    "content_sections",
    "count_text",
    "drivers",
    "image_as_dict",
    "image_facts",
    "sections_of_image",
    "unit_section",
]

_RESERVE_REASONS = {
    ReserveReason.COMPONENT_OVERRIDDEN: "its component is overridden by",
    ReserveReason.COMPONENT_REMOVED: "its component is removed",
    ReserveReason.LOWER_VERSION: "a higher version is installed:",
    ReserveReason.SAME_VERSION: "another VIB of its version is installed:",
    ReserveReason.REPLACED: "it is replaced by",
}
_REPLACE_REASONS = {
    ReplaceReason.SAME_NAME: "its place is taken by",
    ReplaceReason.REPLACES: "it is replaced by",
}

_RESERVED = (
    "Reserved VIBs are carried in bundles and never installed. "
    "Their components were overridden or removed, or a higher VIB took their place, "
    "but the base image or add-on still lists them. That is why a bundle still holds what was removed: "
    "with it the image of a host can be taken apart and composed again; without it the bundle is partial."
)
_BOOT_BANK = (
    "Hosts keep these files in a boot bank, beside a few that are written at installation. "
    "How large a boot bank is depends on the ESXi release that laid out the host's disk and on the disk."
)


def image_as_dict(image: Image) -> dict[str, object]:
    """Return what an image consists of, as JSON has it."""
    base_image, add_on = image.base_image, image.add_on
    return {
        "name": image.name,
        "digest": image.digest,
        "acceptance_level": image.acceptance_level.value,
        "base_image": None if base_image is None else {"version": base_image.version.text},
        "add_on": None if add_on is None else {"name": add_on.name, "version": add_on.version.text},
        "components": [
            {
                "name": entry.component.name,
                "version": entry.component.version.text,
                "source": None if entry.source is None else entry.source.value,
                "rule": entry.rule.value,
                "overridden": [
                    {"version": lost.component.version.text, "source": lost.source.value} for lost in entry.overridden
                ],
            }
            for entry in image.components
        ],
        "passed_over": [
            {
                "source": source.value,
                "name": name,
                "taken": taken,
                "version": passed.version,
                "codes": sorted({finding.code for finding in passed.findings}),
                "beside": list(passed.beside),
            }
            for source, name, taken, passed in _passed_over(image)
        ],
        "removed_components": [{"name": entry.name, "source": entry.source.value} for entry in image.removed],
        "vibs": [entry.vib.id for entry in image.vibs],
        "reserved_vibs": [
            {"id": entry.vib.id, "reason": entry.reason.value, "winner": entry.winner} for entry in image.reserved_vibs
        ],
        "profile_change": _profile_change_as_dict(image),
        "boot_bank_bytes": boot_bank_bytes(image),
        "drivers": [
            {"name": name, "version": version, "vendor": vendor, "pci_ids": list(pci_ids)}
            for name, version, vendor, pci_ids in drivers(image)
        ],
    }


def _profile_change_as_dict(image: Image) -> dict[str, object] | None:
    change = image.profile_change
    if change is None:
        return None
    level = change.acceptance_level
    return {
        "profile": change.profile,
        "added": list(change.added),
        "already_there": list(change.already_there),
        "replaced": [
            {"id": entry.vib.id, "winner": entry.winner, "reason": entry.reason.value} for entry in change.replaced
        ],
        "removed": list(change.removed),
        "vendor": image.vendor,
        "description": change.description,
        "acceptance_level": None if level is None else level.value,
    }


def drivers(image: Image) -> tuple[tuple[str, str, str, tuple[str, ...]], ...]:
    """Return name, version, vendor and PCI ids of the installed drivers: rows for a compatibility guide."""
    vibs = [entry.vib for entry in image.vibs]
    return tuple(
        (
            vib.name,
            vib.version.text,
            vib.vendor,
            tuple(tag.split(maxsplit=1)[1] for tag in vib.tags if tag.startswith("PCIID ") and tag[6:].strip()),
        )
        for vib in vibs
        if "driver" in vib.tags or any(tag.startswith("PCIID ") for tag in vib.tags)
    )


def sections_of_image(image: Image) -> tuple[Section, ...]:
    """Return everything there is to say of an image alone, those with nothing to say left out."""
    return filled_sections(
        (
            Section("Summary", [image_facts(image)]),
            unit_section(image),
            *change_sections(image),
            acceptance_section(image),
            *content_sections(image),
        )
    )


def unit_section(image: Image) -> Section:
    """Return what the image was made from: base image, add-on, solutions."""
    return Section("Base image and add-on", _units(image))


def change_sections(image: Image) -> tuple[Section, ...]:
    """Return how the image differs from its base image."""
    return (
        Section("Changes to the base image", _changes(image)),
        Section("Changes to the image profile", _profile_changes(image)),
        Section("Versions passed over", _not_taken(image)),
        Section("Removed components", _removed(image)),
        Section("Reserved VIBs", _reserved(image)),
    )


def acceptance_section(image: Image) -> Section:
    """Return which VIBs pull the acceptance level down, and what follows."""
    return Section("Acceptance level", _acceptance(image))


def content_sections(image: Image) -> tuple[Section, ...]:
    """Return what is in the image, in full."""
    return (
        Section("Size", _size(image)),
        Section("Drivers", _drivers(image)),
        Section("Contents", _contents(image)),
    )


def image_facts(image: Image) -> Facts:
    """Return what identifies an image, and how large it is."""
    version = image.esxi_version
    return Facts(
        [
            ("ESXi", "unknown" if version is None else version.text),
            ("Acceptance level", image.acceptance_level.display),
            ("Components", str(len(image.components))),
            ("VIBs", f"{len(image.vibs)} installed, {len(image.reserved_vibs)} reserved"),
            ("Boot bank", bytes_text(boot_bank_bytes(image))),
            ("Digest", image.digest),
        ]
    )


def count_text(number: int, noun: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def bytes_text(count: int) -> str:
    """Return ``1,306,624 bytes (1.2 MiB)``."""
    return f"{count:,} bytes ({count / (1024 * 1024):,.1f} MiB)"


def _units(image: Image) -> Iterator[Block]:
    base, add_on = image.base_image, image.add_on
    if image.profile_change is not None:
        yield Paragraph(f"Changed from the image profile {image.profile_change.profile}.")
    elif base is None:
        yield Paragraph(f"Opened from the image profile {image.name}, which does not say who brought what.")
    rows = [] if base is None else [("base image", base.display_name, base.version.text, base.display_version)]
    if add_on is not None:
        rows.append(("add-on", add_on.name, add_on.version.text, add_on.display_version))
    rows += [("hardware support", unit.name, unit.version.text, unit.display_name) for unit in image.hardware_support]
    rows += [("solution", unit.name, unit.version.text, unit.display_version) for unit in image.solutions]
    if rows:
        yield Table(columns=("What", "Name", "Version", "Shown as"), rows=rows)


def _changes(image: Image) -> Iterator[Block]:
    changed = [entry for entry in image.components if entry.source not in (None, ComponentSource.BASE_IMAGE)]
    if changed:
        yield Table(columns=("Component", "Version", "From", "Instead of"), rows=map(_change, changed))
    elif image.base_image is not None:
        yield Paragraph("None: every component is the base image's own.")


def _profile_changes(image: Image) -> Iterator[Block]:
    change = image.profile_change
    if change is None:
        return
    replaced = [(entry.vib.id, f"{_REPLACE_REASONS[entry.reason]} {entry.winner}") for entry in change.replaced]
    rows = [
        *((vib_id, "added") for vib_id in change.added),
        *((vib_id, "was there already") for vib_id in change.already_there),
        *replaced,
        *((vib_id, "removed") for vib_id in change.removed),
    ]
    if rows:
        yield Table(columns=("VIB", "What"), rows=rows)
    if change.acceptance_level is not None:
        yield Paragraph(f"The profile states {change.acceptance_level.display}.")


def _change(entry: EffectiveComponent) -> tuple[str, ...]:
    lost = ", ".join(f"{lost.component.version} ({lost.source.display})" for lost in entry.overridden)
    source = "" if entry.source is None else entry.source.display
    return (entry.component.name, entry.component.version.text, source, lost or "nothing, it is new")


def _passed_over(image: Image) -> Iterator[tuple[ComponentSource, str, str, HigherVersion]]:
    """Yield what higher versions were passed over: who brings the name, the name, the version taken."""
    for choice in image.unit_choices:
        yield from ((choice.source, choice.name, choice.version, passed) for passed in choice.passed_over)
    for entry in image.components:
        if entry.source is not None:
            taken = entry.component.version.text
            yield from ((entry.source, entry.component.name, taken, passed) for passed in entry.passed_over)


def _not_taken(image: Image) -> Iterator[Block]:
    rows = [(name, taken, passed.version, why_passed_over(passed)) for _, name, taken, passed in _passed_over(image)]
    if rows:
        yield Table(columns=("Name", "Taken", "Passed over", "Why"), rows=rows)


def _removed(image: Image) -> Iterator[Block]:
    if image.removed:
        yield Table(columns=("Component", "Removed by", "Was"), rows=map(_removal, image.removed))


def _removal(entry: RemovedComponent) -> tuple[str, ...]:
    was = ", ".join(f"{lost.component.version} ({lost.source.display})" for lost in entry.removed)
    return (entry.name, _remover_of(entry.source), was or "not in the image")


def _reserved(image: Image) -> Iterator[Block]:
    if image.reserved_vibs:
        yield Paragraph(_RESERVED, is_aside=True)
        yield Table(
            columns=("VIB", "Why it is not installed"),
            rows=[(e.vib.id, f"{_RESERVE_REASONS[e.reason]} {e.winner}".rstrip()) for e in image.reserved_vibs],
        )


def _remover_of(source: ComponentSource) -> str:
    """Return who took a component off: ``the user``, ``the add-on``."""
    return "the user" if source is ComponentSource.USER_REMOVED else f"the {source.display}"


def _acceptance(image: Image) -> Iterator[Block]:
    explained = explain_acceptance(image)
    if explained is None:
        yield Paragraph(f"{image.acceptance_level.display}: no VIB is below the highest level.")
    else:
        yield cause_of_explanation(explained, with_single_item=True)


def _size(image: Image) -> Iterator[Block]:
    modules = boot_modules(image, with_tools=False)
    unknown = sum(module.payload.size_bytes is None for module in modules)
    missing = f" The size of {count_text(unknown, 'file')} is not stated." if unknown else ""
    size = f"{count_text(len(modules), 'file')}, {bytes_text(boot_bank_bytes(image))}"
    yield Paragraph(f"Payloads for the boot bank: {size}.{missing}")
    yield Paragraph(_BOOT_BANK, is_aside=True)


def _drivers(image: Image) -> Iterator[Block]:
    found = drivers(image)
    width = 4 if any(ids for *_, ids in found) else 3
    rows = [(name, version, vendor, ", ".join(ids))[:width] for name, version, vendor, ids in found]
    if rows:
        yield Table(columns=("Driver", "Version", "Vendor", "PCI ids")[:width], rows=rows, is_long=True)


def _contents(image: Image) -> Iterator[Block]:
    if image.components:
        yield Table(
            columns=("Component", "Version", "From"),
            rows=[
                (e.component.name, e.component.version.text, "profile" if e.source is None else e.source.display)
                for e in image.components
            ],
            is_long=True,
        )
    yield Table(
        columns=("VIB", "Acceptance level", "Component"),
        rows=[(e.vib.id, e.vib.acceptance_level.display, e.component or "stand-alone") for e in image.vibs],
        is_long=True,
    )
