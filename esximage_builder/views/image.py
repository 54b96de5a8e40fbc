"""What a long report says, section by section, before it becomes Markdown or HTML."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import has_code
from esximage_builder.findings import Severity
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.image import ReserveReason
from esximage_builder.rules.boot_layout import boot_modules
from esximage_builder.rules.explain import explain_acceptance, explain_findings
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.export.result import ExportResult
    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import EffectiveComponent, Image, RemovedComponent
    from esximage_builder.rules.explain import Explanation
    from esximage_builder.rules.validate import ValidationReport

__all__ = [
    "RESERVE_REASONS",
    "Block",
    "Cause",
    "Facts",
    "Paragraph",
    "Section",
    "Table",
    "boot_bank_bytes",
    "drivers",
    "is_waived",
    "output_findings",
    "remover_of",
    "report_sections",
    "waived_findings",
]

RESERVE_REASONS = {
    ReserveReason.COMPONENT_OVERRIDDEN: "its component is overridden by",
    ReserveReason.COMPONENT_REMOVED: "its component is removed",
    ReserveReason.LOWER_VERSION: "a higher version is installed:",
    ReserveReason.REPLACED: "it is replaced by",
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
_WAIVED = "These errors were found and allowed by code, so they keep nothing from being written."


@final
@attrs.frozen
class Paragraph:
    """Running text."""

    text: str


@final
@attrs.frozen
class Facts:
    """Pairs of label and text."""

    pairs: tuple[tuple[str, str], ...] = attrs.field(converter=as_tuple)


@final
@attrs.frozen(kw_only=True)
class Table:
    """Rows of texts.

    Attributes:
        columns: Their heads.
        rows: Each as long as ``columns``.
        is_long: True for what few will read; may be folded.
    """

    columns: tuple[str, ...] = attrs.field(converter=as_tuple)
    rows: tuple[tuple[str, ...], ...] = attrs.field(converter=as_tuple)
    is_long: bool = False


@final
@attrs.frozen(kw_only=True)
class Cause:
    """Findings of one cause.

    Attributes:
        label: ``error``, ``warning``, ``info`` or ``waived``.
        code: Of the findings.
        headline: What is the matter.
        why: Empty if the headline says it all.
        items: What is concerned; empty for a single thing that the headline names.
        remedies: What to do.
    """

    label: str
    code: str
    headline: str
    why: str = ""
    items: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    remedies: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)


Block = Paragraph | Facts | Table | Cause


@final
@attrs.frozen
class Section:
    """A headline and what stands under it."""

    title: str
    blocks: tuple[Block, ...] = attrs.field(converter=as_tuple)


def is_waived(finding: Finding, waived: Iterable[str]) -> bool:
    """Tell whether it is an error that one of the codes allows."""
    return finding.severity is Severity.ERROR and finding.code in waived


def waived_findings(
    report: ValidationReport, *, allow: Iterable[str], results: Iterable[ExportResult]
) -> tuple[Finding, ...]:
    """Return every error that was waived, of the image and of the exports, each once."""
    codes = set(allow)
    own = [finding for finding in report.findings if is_waived(finding, codes)]
    return tuple(dict.fromkeys((*own, *(finding for result in results for finding in result.waived))))


def output_findings(result: ExportResult, report: ValidationReport) -> tuple[Finding, ...]:
    """Return what one export had to say itself, its own waived errors first."""
    own_waived = [finding for finding in result.waived if finding not in report.findings]
    return (*own_waived, *result.findings)


def remover_of(source: ComponentSource) -> str:
    """Return who took a component off: ``the user``, ``the add-on``."""
    return "the user" if source is ComponentSource.USER_REMOVED else f"the {source.display}"


def boot_bank_bytes(image: Image) -> int:
    """Return how many bytes of modules a host keeps in its boot bank, as stored; unstated sizes count nothing."""
    return sum(module.payload.size_bytes or 0 for module in boot_modules(image, with_tools=False))


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


def report_sections(
    image: Image,
    report: ValidationReport,
    *,
    allow: Iterable[str],
    results: Iterable[ExportResult],
    catalog: Catalog | None,
) -> tuple[Section, ...]:
    """Return the sections of a report, those with nothing to say left out."""
    codes, written = frozenset(allow), tuple(results)
    waived = waived_findings(report, allow=codes, results=written)
    sections = (
        Section("Summary", _summary(image, report, waived)),
        Section("Base image and add-on", _units(image)),
        Section("Changes to the base image", _changes(image)),
        Section("Removed components", _removed(image)),
        Section("Reserved VIBs", _reserved(image)),
        Section("Acceptance level", _acceptance(image)),
        Section("Findings", _findings(image, report, codes, catalog)),
        Section("Waivers", _waivers(waived)),
        Section("Outputs", itertools.chain.from_iterable(_output(result, report) for result in written)),
        Section("Size", _size(image)),
        Section("Drivers", _drivers(image)),
        Section("Contents", _contents(image)),
    )
    return tuple(section for section in sections if section.blocks)


def _summary(image: Image, report: ValidationReport, waived: Sequence[Finding]) -> Iterator[Block]:
    version = image.esxi_version
    yield Facts(
        [
            ("ESXi", "unknown" if version is None else version.text),
            ("Acceptance level", image.acceptance_level.display),
            ("Components", str(len(image.components))),
            ("VIBs", f"{len(image.vibs)} installed, {len(image.reserved_vibs)} reserved"),
            ("Boot bank", _shown_bytes(boot_bank_bytes(image))),
            ("Digest", image.digest),
        ]
    )
    counts = {severity: sum(f.severity is severity for f in report.findings) for severity in Severity}
    open_errors = counts[Severity.ERROR] - sum(finding in waived for finding in report.errors)
    parts = [
        _count(open_errors, "error"),
        *([f"{_count(len(waived), 'error')} waived"] if waived else []),
        _count(counts[Severity.WARNING], "warning"),
        _count(counts[Severity.INFO], "note"),
    ]
    verdict = "The image has errors and is not to be written." if open_errors else "The image has no open errors."
    yield Paragraph(f"{verdict} Found: {', '.join(parts)}.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _shown_bytes(count: int) -> str:
    """Return ``1,306,624 bytes (1.2 MiB)``."""
    return f"{count:,} bytes ({count / (1024 * 1024):,.1f} MiB)"


def _units(image: Image) -> Iterator[Block]:
    base, add_on = image.base_image, image.add_on
    if base is None:
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


def _change(entry: EffectiveComponent) -> tuple[str, ...]:
    lost = ", ".join(f"{lost.component.version} ({lost.source.display})" for lost in entry.overridden)
    source = "" if entry.source is None else entry.source.display
    return (entry.component.name, entry.component.version.text, source, lost or "nothing, it is new")


def _removed(image: Image) -> Iterator[Block]:
    if image.removed:
        yield Table(columns=("Component", "Removed by", "Was"), rows=map(_removal, image.removed))


def _removal(entry: RemovedComponent) -> tuple[str, ...]:
    was = ", ".join(f"{lost.component.version} ({lost.source.display})" for lost in entry.removed)
    return (entry.name, remover_of(entry.source), was or "not in the image")


def _reserved(image: Image) -> Iterator[Block]:
    if image.reserved_vibs:
        yield Paragraph(_RESERVED)
        yield Table(
            columns=("VIB", "Why it is not installed"),
            rows=[(e.vib.id, f"{RESERVE_REASONS[e.reason]} {e.winner}".rstrip()) for e in image.reserved_vibs],
        )


def _acceptance(image: Image) -> Iterator[Block]:
    explained = explain_acceptance(image)
    if explained is None:
        yield Paragraph(f"{image.acceptance_level.display}: no VIB is below the highest level.")
    else:
        yield _cause(explained, frozenset(), show_all=True)


def _findings(
    image: Image, report: ValidationReport, codes: frozenset[str], catalog: Catalog | None
) -> Iterator[Block]:
    if not report.findings:
        yield Paragraph("No findings.")
    for explained in explain_findings(report.findings, catalog=catalog, image=image):
        yield _cause(explained, codes)


def _cause(explained: Explanation, codes: frozenset[str], *, show_all: bool = False) -> Cause:
    is_allowed = explained.severity is Severity.ERROR and explained.code in codes
    return Cause(
        label="waived" if is_allowed else explained.severity.value,
        code=explained.code,
        headline=explained.headline,
        why=explained.cause,
        items=explained.items if show_all or len(explained.items) > 1 else (),
        remedies=explained.remedies,
    )


def _waivers(waived: Sequence[Finding]) -> Iterator[Block]:
    if waived:
        yield Paragraph(_WAIVED)
        yield Table(columns=("Code", "What was allowed"), rows=[(f.code, f.message) for f in waived])


def _output(result: ExportResult, report: ValidationReport) -> Iterator[Block]:
    yield Facts([("File", str(result.path)), ("Size", _shown_bytes(result.size_bytes))])
    own = output_findings(result, report)
    mapped = [finding for finding in own if has_code(finding, "local-name-mapped")]
    if mapped:
        yield Paragraph("These files have another name on the disc than the local-name rule gives:")
        yield Table(columns=("VIB", "Payload", "Name on disc"), rows=map(_mapped, mapped))
    codes = frozenset(finding.code for finding in result.waived)
    for explained in explain_findings(finding for finding in own if finding not in mapped):
        yield _cause(explained, codes)


def _mapped(finding: Finding) -> tuple[str, ...]:
    return (finding.fact("vib"), finding.fact("payload"), finding.fact("name_on_disc"))


def _size(image: Image) -> Iterator[Block]:
    modules = boot_modules(image, with_tools=False)
    unknown = sum(module.payload.size_bytes is None for module in modules)
    missing = f" The size of {_count(unknown, 'file')} is not stated." if unknown else ""
    yield Paragraph(
        f"Payloads for the boot bank: {_count(len(modules), 'file')}, {_shown_bytes(boot_bank_bytes(image))}.{missing}"
    )
    yield Paragraph(_BOOT_BANK)


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
