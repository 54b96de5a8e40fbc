"""A VIB, one that was made and one that was taken apart: in words and as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from esximage_builder.views.blocks import Facts, Paragraph, Section, Table, filled_sections
from esximage_builder.views.findings import cause_of_finding, finding_as_dict
from esximage_builder.views.image import bytes_text
from esximage_builder.views.signatures import signature_words, signatures_as_list
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from esximage_builder.authoring.extract import ExtractedVib
    from esximage_builder.findings import Finding
    from esximage_builder.models.vib import Payload, Vib
    from esximage_builder.models.vib_facts import VibFacts
    from esximage_builder.views.blocks import Block

__all__ = [
    "extracted_vib_as_dict",
    "made_vib_as_dict",
    "render_extracted_vib",
    "render_made_vib",
    "render_vib",
    "vib_as_dict",
]


def vib_as_dict(vib: Vib, *, is_signed: bool, facts: VibFacts | None = None) -> dict[str, object]:
    """Return what a VIB says of itself as JSON has it.

    Args:
        vib: As its descriptor tells it.
        is_signed: Whether a signature is there.
        facts: What its signatures are worth; None if nobody looked.
    """
    return {
        "id": vib.id,
        "name": vib.name,
        "version": vib.version.text,
        "vendor": vib.vendor,
        "type": vib.type,
        "summary": vib.summary,
        "description": vib.description,
        "released_at": None if vib.released_at is None else vib.released_at.isoformat(),
        "acceptance_level": vib.acceptance_level.value,
        "signed": is_signed,
        "signatures": ([] if not is_signed else None) if facts is None else signatures_as_list(facts),
        "urls": [{"key": key, "url": url} for key, url in vib.urls],
        **{key: list(map(str, group)) for key, _, group in _relations(vib)},
        "tags": list(vib.tags),
        "maintenance_mode": {
            "required": vib.maintenance_mode.required,
            "on_install": vib.maintenance_mode.on_install,
            "on_remove": vib.maintenance_mode.on_remove,
        },
        "hardware_platforms": [{"vendor": item.vendor, "model": item.model} for item in vib.hardware_platforms],
        "software_platforms": [
            {"product_line": item.product_line, "version": item.version} for item in vib.software_platforms
        ],
        **{key: is_set for key, _, is_set in _flags(vib)},
        "payloads": list(map(_payload_as_dict, vib.payloads)),
        "files": None if vib.files is None else list(vib.files),
    }


def _payload_as_dict(payload: Payload) -> dict[str, object]:
    return {
        "name": payload.name,
        "type": payload.type,
        "size": payload.size_bytes,
        "uncompressed_size": payload.uncompressed_size_bytes,
        "boot_order": payload.boot_order,
        "vfat_name": payload.vfat_name,
        "checksums": [
            {"algorithm": item.algorithm, "verify_process": item.verify_process, "digest": item.digest}
            for item in payload.checksums
        ],
    }


def _relations(vib: Vib) -> Iterator[tuple[str, str, Sequence[object]]]:
    yield "depends", "Depends on", vib.depends
    yield "conflicts", "Conflicts with", vib.conflicts
    yield "replaces", "Replaces", vib.replaces
    yield "provides", "Provides", vib.provides
    yield "compatible_with", "Compatible with", vib.compatible_with


def _flags(vib: Vib) -> Iterator[tuple[str, str, bool]]:
    yield "live_install_allowed", "Live install", vib.live_install_allowed
    yield "live_remove_allowed", "Live remove", vib.live_remove_allowed
    yield "cimom_restart", "Restarts the CIM broker", vib.cimom_restart
    yield "stateless_ready", "Stateless ready", vib.stateless_ready
    yield "overlay", "Overlay", vib.overlay


def render_vib(vib: Vib, *, facts: VibFacts) -> str:
    """Return what a VIB says of itself as text; arguments as for ``vib_as_dict``."""
    return render_text(_sections(vib, facts))


def _sections(vib: Vib, facts: VibFacts) -> tuple[Section, ...]:
    payloads = [
        (item.name, item.type, "" if item.size_bytes is None else f"{item.size_bytes:,}", _kinds(item))
        for item in vib.payloads
    ]
    files = [] if vib.files is None else list(map(Paragraph, vib.files))
    return filled_sections(
        (
            Section(vib.id, [Facts(_facts(vib, facts))]),
            Section("Relations", _relation_blocks(vib)),
            Section(
                f"Payloads ({len(payloads)})",
                [Table(columns=("Name", "Type", "Bytes", "Checksums"), rows=payloads)] if payloads else (),
            ),
            Section(f"Files ({len(files)})", files),
        )
    )


def _facts(vib: Vib, found: VibFacts) -> list[tuple[str, str]]:
    facts = [
        ("Summary", vib.summary),
        ("Description", "" if vib.description == vib.summary else vib.description),
        ("Released", "" if vib.released_at is None else vib.released_at.isoformat()),
        ("Acceptance level", vib.acceptance_level.display),
        ("Signature", signature_words(found)),
        ("For", ", ".join(f"{item.product_line} {item.version}".strip() for item in vib.software_platforms)),
        ("Machines", ", ".join(f"{item.vendor} {item.model}".strip() for item in vib.hardware_platforms)),
        ("Maintenance mode", _maintenance(vib)),
        *((words, "yes" if is_set else "no") for _, words, is_set in _flags(vib)),
        ("Tags", ", ".join(vib.tags)),
        *((f"Address {key}".strip(), url) for key, url in vib.urls),
    ]
    return [(label, text) for label, text in facts if text]


def _maintenance(vib: Vib) -> str:
    mode = vib.maintenance_mode
    refined = {"to install": mode.on_install, "to remove": mode.on_remove}
    parts = [f"{'needed' if flag else 'not needed'} {words}" for words, flag in refined.items() if flag is not None]
    return ", ".join(["needed" if mode.required else "not needed", *parts])


def _relation_blocks(vib: Vib) -> list[Block]:
    pairs = [(words, ", ".join(map(str, group))) for _, words, group in _relations(vib) if group]
    return [Facts(pairs)] if pairs else []


def _kinds(payload: Payload) -> str:
    return ", ".join(f"{item.algorithm} {item.verify_process}".strip() for item in payload.checksums) or "none"


def made_vib_as_dict(vib: Vib, findings: Iterable[Finding], path: Path, *, is_signed: bool) -> dict[str, object]:
    """Return a VIB that was made and written as JSON has it.

    Args:
        vib: What was made.
        findings: What there is to say of it.
        path: The file.
        is_signed: Whether it was signed.
    """
    return {
        "vib": vib_as_dict(vib, is_signed=is_signed),
        "path": str(path),
        "size_bytes": path.stat().st_size,
        "sha256": "" if vib.file is None else vib.file.sha256,
        "findings": [finding_as_dict(finding) for finding in findings],
    }


def render_made_vib(vib: Vib, findings: Iterable[Finding], path: Path, *, is_signed: bool) -> str:
    """Return it as text; arguments as for ``made_vib_as_dict``."""
    facts = [
        ("Acceptance level", vib.acceptance_level.display),
        ("Released", "" if vib.released_at is None else vib.released_at.isoformat()),
        ("Signature", "made with your key" if is_signed else "none"),
        *((f"Payload {item.name}", f"{item.type}, {bytes_text(item.size_bytes or 0)}") for item in vib.payloads),
        ("Files", str(len(vib.files or ()))),
        ("File", str(path)),
        ("Size", bytes_text(path.stat().st_size)),
        ("SHA-256", "" if vib.file is None else vib.file.sha256),
    ]
    causes = [attrs.evolve(cause_of_finding(finding), items=finding.items) for finding in findings]
    return render_text((Section(vib.id, [Facts(facts), *causes]),))


def extracted_vib_as_dict(extracted: ExtractedVib, target: Path) -> dict[str, object]:
    """Return what was taken out of a VIB as JSON has it.

    Args:
        extracted: What it was.
        target: The folder.
    """
    return {
        "id": extracted.vib.id,
        "path": str(target),
        "entries": list(extracted.entries),
        "left_out": list(extracted.left_out),
    }


def render_extracted_vib(extracted: ExtractedVib, target: Path) -> str:
    """Return it as text; arguments as for ``extracted_vib_as_dict``."""
    facts = [("Folder", str(target)), ("Entries", str(len(extracted.entries)))]
    if extracted.left_out:
        facts.append(("Left out", f"{', '.join(extracted.left_out)}: no tree of files; --stage has them"))
    return render_text((Section(extracted.vib.id, [Facts(facts), *map(Paragraph, extracted.entries)]),))
