"""What a bundle's metadata describes: is all of it there, and are the bytes what it says?

A question about things of which the bundle has none is not asked: "every VIB" is no answer
where no VIB was found.

Source: docs/formats.md#bundle-layout.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, final

import attrs

from esximage_builder.codes import as_error, has_code, make_finding
from esximage_builder.depot.store import open_source
from esximage_builder.depot.tree import join
from esximage_builder.depot.vib_check import check_head, check_vib
from esximage_builder.documents.vib_archive import read_vib_head
from esximage_builder.errors import EsxImageError, VersionSyntaxError
from esximage_builder.streams.blocks import counted_stream
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES
from esximage_builder.verify.checklist import Certainty, Question
from esximage_builder.verify.signed import SignedVibs
from esximage_builder.verify.vib_pass import VibCheck, check_side_by_side
from esximage_builder.versions import BaseImageVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Set as AbstractSet

    from esximage_builder.depot.opening import Depot
    from esximage_builder.depot.tree import DepotTree
    from esximage_builder.findings import Finding
    from esximage_builder.limits import ReadBudget
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.hardware_support import HardwareSupport
    from esximage_builder.models.solution import SolutionComponent
    from esximage_builder.models.vib import Vib
    from esximage_builder.progress import Progress
    from esximage_builder.verify.checklist import Checklist

__all__ = ["CONTENTS_QUESTIONS", "NamedFiles", "check_contents"]

_FIRST_VCF_MAJOR = 9
_BASE_VIB = "esx-base"
_NO_VIB = "no VIB was found that the metadata describes"

CONTENTS_QUESTIONS = (
    Question("documents", "can every metadata document be read?"),
    Question("contents", "has everything one content only?", Certainty.INFERRED),
    Question("components", "is every VIB part of a component?"),
    Question("release-units", "are the components there that profiles and release units list?", Certainty.INFERRED),
    Question("vibs", "is every VIB there that a component, bulletin or profile lists?"),
    Question("vib-paths", "is every VIB where the metadata says?"),
    Question("vib-checksums", "has every VIB a sha-256 in the metadata?"),
    Question("descriptors", "is every descriptor that of the metadata?"),
    Question("signatures", "are VIBs from partner level up signed, and does each signature cover its VIB ({signer})?"),
    Question("bytes", "are all bytes what their checksums say ({depth})?"),
    Question("vcf-version", "is the vcfVersion attribute of 9.x there?", Certainty.INFERRED),
)
"""Asked in this order; ``{depth}`` stands for how far bytes are read, ``{signer}`` for whether trust is asked for."""


@final
@attrs.frozen(kw_only=True)
class NamedFiles:
    """The files of a bundle, and what its indexes say of them.

    Attributes:
        tree: All files.
        folders: Where its vendor indexes stand: paths in metadata begin there.
        has_metadata: Whether a metadata zip is there that a vendor index names.
    """

    tree: DepotTree
    folders: tuple[str, ...]
    has_metadata: bool


def check_contents(
    bundle: NamedFiles,
    depot: Depot,
    checks: Checklist,
    budget: ReadBudget,
    *,
    kind: str,
    deep: bool,
    anchors: bytes | None,
    workers: int,
    progress: Progress,
) -> None:
    """Answer the questions about what the metadata describes.

    Args:
        bundle: Its files and what its indexes say of them.
        depot: The same bundle, opened.
        checks: Takes the answers.
        budget: Charged with all that is read and unpacked.
        kind: Who shall take it; some questions are for ``vlcm`` only.
        deep: Unpack payloads too.
        anchors: Certificates to trust; None asks for no trust.
        workers: How many VIBs are read at a time.
        progress: Told how many bytes of the VIBs are read.
    """
    is_described = _is_described(depot.catalog)
    _check_documents(bundle, depot.catalog, checks, is_described=is_described)
    if kind == "vlcm":
        _check_components(depot.catalog, checks, is_described=is_described)
        _check_release_units(depot.catalog, checks)
    _check_references(depot.catalog, checks)
    _check_vib_facts(bundle, depot, checks)
    _check_heads(depot, checks, budget, anchors)
    damage = [
        *_damaged_vibs(depot, budget, deep=deep, workers=workers, progress=progress),
        *_damaged_members(bundle.tree, depot, budget),
    ]
    why_not = "" if depot.catalog.vibs else f"{_NO_VIB}; other files were only read to their ends"
    checks.answer("bytes", damage, why_not=why_not)
    if kind == "vlcm":
        _check_vcf(depot.catalog, checks)


def _is_described(catalog: Catalog) -> bool:
    """Tell whether any metadata was found: something it describes, or a finding about one of its documents."""
    is_filled = any(
        (
            catalog.vibs,
            catalog.components,
            catalog.bulletins,
            catalog.profiles,
            catalog.base_images,
            catalog.add_ons,
            catalog.solutions,
            catalog.hardware_support,
        )
    )
    return is_filled or _lacks_vib_file(catalog)


def _lacks_vib_file(catalog: Catalog) -> bool:
    return any(has_code(finding, "vib-file-missing") for finding in catalog.findings)


def _check_documents(bundle: NamedFiles, catalog: Catalog, checks: Checklist, *, is_described: bool) -> None:
    unread = [f for f in catalog.findings if has_code(f, "unreadable-document", "unreadable-source")]
    why_not = "" if is_described else "no metadata document was found"
    if bundle.has_metadata and not (unread or catalog.vibs or _lacks_vib_file(catalog)):
        unread = [make_finding("metadata-empty", "the metadata describes no VIB")]
    checks.answer("documents", unread, why_not=why_not)
    differing = [
        as_error(f) if has_code(f, "vib-content-differs") else f
        for f in catalog.findings
        if f.fact("differs") == "content"
    ]
    checks.answer("contents", differing, why_not=why_not)


# What lists what


def _check_components(catalog: Catalog, checks: Checklist, *, is_described: bool) -> None:
    problems = []
    if not catalog.components and is_described:
        problems.append(
            make_finding(
                "component-metadata-missing",
                "the bundle has no component: it is of the esxcli kind",
                remedy="export it anew as an offline bundle for vLCM",
            )
        )
    in_components = {vib_id for component in catalog.components for vib_id in component.vib_ids}
    loose = tuple(vib.id for vib in catalog.vibs if vib.id not in in_components)
    if loose and catalog.components:
        message = f"{len(loose)} VIBs are in no component, vLCM will not see them"
        problems.append(make_finding("vib-without-component", message, items=loose))
    checks.answer("components", problems, why_not="" if catalog.vibs or problems else _NO_VIB)


class _Listed(NamedTuple):
    """A component that a release unit lists; ``name`` is empty where no other version can take its place."""

    unit: str
    name: str
    reference: str
    is_there: bool


def _check_release_units(catalog: Catalog, checks: Checklist) -> None:
    is_listed = any(profile.bulletin_ids for profile in catalog.profiles) or any(_listed_components(catalog))
    why_not = "" if is_listed else "no profile, base image, add-on or other release unit lists a component"
    checks.answer("release-units", _missing_components(catalog), why_not=why_not)


def _listed_components(catalog: Catalog) -> Iterator[_Listed]:
    there = {component.id for component in catalog.components}
    units: list[BaseImage | AddOn | HardwareSupport] = [
        *catalog.base_images,
        *catalog.add_ons,
        *catalog.hardware_support,
    ]
    for unit in units:
        for reference in unit.components:
            yield _Listed(unit.id, reference.name, str(reference), str(reference) in there)
    for solution in catalog.solutions:
        for wanted in solution.components:
            accepted = " or ".join(version.text for version in wanted.versions)
            reference_text = f"{wanted.name}:{accepted}" if accepted else wanted.name
            yield _Listed(solution.id, "", reference_text, _is_wanted_there(wanted, catalog))


def _is_wanted_there(wanted: SolutionComponent, catalog: Catalog) -> bool:
    accepted = {version.text for version in wanted.versions}
    loaded = {component.version.text for component in catalog.components_by_name.get(wanted.name, ())}
    return bool(accepted & loaded if accepted else loaded)


def _missing_components(catalog: Catalog) -> Iterator[Finding]:
    """Yield what is not there; an image whose overridden or removed components were left out is only partial."""
    bulletins = {*catalog.components_by_bulletin_id, *(bulletin.id for bulletin in catalog.bulletins)}
    has_image = any(profile.bulletin_ids for profile in catalog.profiles)
    for profile in catalog.profiles:
        for bulletin_id in profile.bulletin_ids:
            if bulletin_id not in bulletins:
                has_image = False
                yield make_finding(
                    "unit-component-missing",
                    f"profile {profile.name} lists {bulletin_id}, which is not there",
                    items=(bulletin_id, profile.name),
                )
    replaced = _replaced_names(catalog) if has_image else frozenset()
    left_out = tuple(
        entry.reference for entry in _listed_components(catalog) if not entry.is_there and entry.name in replaced
    )
    if left_out:
        message = f"{len(left_out)} overridden or removed components were left out: the bundle is partial"
        yield make_finding("reserved-vibs-left-out", message, items=left_out)
    for entry in _listed_components(catalog):
        if not entry.is_there and entry.name not in replaced:
            yield make_finding(
                "unit-component-missing",
                f"{entry.unit} lists {entry.reference}, which is not there",
                items=(entry.reference, entry.unit),
            )


def _replaced_names(catalog: Catalog) -> frozenset[str]:
    """Return the names that another version has taken, or that an add-on or package takes off."""
    units: list[AddOn | HardwareSupport] = [*catalog.add_ons, *catalog.hardware_support]
    removed = {name for unit in units for name in unit.removed_components}
    return frozenset(removed | catalog.components_by_name.keys())


def _check_references(catalog: Catalog, checks: Checklist) -> None:
    is_listed = any(vib_ids for _, vib_ids in _owners(catalog))
    why_not = "" if is_listed else "no component, bulletin or profile lists a VIB"
    checks.answer("vibs", _missing_vibs(catalog), why_not=why_not)


def _owners(catalog: Catalog) -> list[tuple[str, tuple[str, ...]]]:
    return [
        *((component.id, component.vib_ids) for component in catalog.components),
        *((bulletin.id, bulletin.vib_ids) for bulletin in catalog.bulletins),
        *((profile.name, profile.vib_ids) for profile in catalog.profiles),
    ]


def _missing_vibs(catalog: Catalog) -> Iterator[Finding]:
    for owner, vib_ids in _owners(catalog):
        for vib_id in vib_ids:
            if vib_id not in catalog.vibs_by_id:
                yield make_finding(
                    "vib-missing",
                    f"{owner} lists {vib_id}, which is not there",
                    items=(vib_id, owner),
                    facts={"vib": vib_id, "owner": owner},
                )
    yield from (as_error(f) for f in catalog.findings if has_code(f, "vib-file-missing"))
    yield from (f for f in catalog.findings if has_code(f, "vib-not-indexed", "link-not-followed"))


# VIBs


def _check_vib_facts(bundle: NamedFiles, depot: Depot, checks: Checklist) -> None:
    """Check what metadata adds to descriptors: where the file is, and its digest."""
    folders = {bundle.tree.place(join(folder, "x")).removesuffix("x") for folder in bundle.folders or ("",)}
    misplaced = [
        make_finding(
            "vib-path-wrong",
            f"{vib.id} is not where the metadata says",
            items=(vib.id,),
            cause=f"it stands at {depot.where_is(vib)}, the metadata says {_stated_path(vib) or 'nothing'}",
        )
        for vib in depot.catalog.vibs
        if not _is_at(depot.where_is(vib), join("", _stated_path(vib)), folders)
    ]
    why_not = "" if depot.catalog.vibs else _NO_VIB
    checks.answer("vib-paths", misplaced, why_not=why_not)
    sums = [
        make_finding("vib-checksum-missing", f"{vib.id} has no sha-256 in the metadata", items=(vib.id,))
        for vib in depot.catalog.vibs
        if vib.file is None or not vib.file.sha256
    ]
    checks.answer("vib-checksums", sums, why_not=why_not)


def _is_at(where: str, stated: str, folders: AbstractSet[str]) -> bool:
    return bool(stated) and where.endswith(stated) and where.removesuffix(stated) in folders


def _stated_path(vib: Vib) -> str:
    return "" if vib.file is None else vib.file.relative_path


def _check_heads(depot: Depot, checks: Checklist, budget: ReadBudget, anchors: bytes | None) -> None:
    vibs = depot.catalog.vibs
    heads = [finding for vib in vibs for finding in _head_findings(depot, vib, budget)]
    checks.answer("descriptors", heads, why_not="" if vibs else _NO_VIB)
    _check_signatures(depot, checks, budget, anchors)


def _check_signatures(depot: Depot, checks: Checklist, budget: ReadBudget, anchors: bytes | None) -> None:
    """Look at the signature of every VIB that can be read; the others were told of already."""
    signed = SignedVibs(anchors)
    looked_at = 0
    for vib in depot.catalog.vibs:
        with contextlib.suppress(EsxImageError), open_source(depot, vib) as source:
            where = depot.where_is(vib)
            head = read_vib_head(counted_stream(source, budget, where=where), where=where, limits=depot.limits)
            budget.spend_document(head.descriptor, where=where)
            inside = head.parse(where=where, limits=depot.limits)
            highest = max(vib, inside, key=lambda described: described.acceptance_level)
            signed.add(highest, head, where=where)
            looked_at += 1
    damaged = len(depot.catalog.vibs) - looked_at
    why_not = f"not of {damaged} VIBs, which are damaged" if damaged else ""
    signed.answer(checks, "signatures", why_not=why_not if depot.catalog.vibs else _NO_VIB)


def _head_findings(depot: Depot, vib: Vib, budget: ReadBudget) -> tuple[Finding, ...]:
    try:
        with open_source(depot, vib) as source:
            return check_head(vib, source, where=depot.where_is(vib), limits=depot.limits, budget=budget)
    except EsxImageError as error:
        return (_damaged(depot, vib, error),)


def _damaged_vibs(
    depot: Depot, budget: ReadBudget, *, deep: bool, workers: int, progress: Progress
) -> Iterator[Finding]:
    """Read all VIBs to their ends."""
    vibs = [
        VibCheck(
            size_bytes=(vib.file and vib.file.size_bytes) or 0,
            check=functools.partial(_byte_findings, depot, vib, deep=deep),
        )
        for vib in depot.catalog.vibs
    ]
    for findings in check_side_by_side(vibs, budget, workers=workers, progress=progress):
        yield from findings


def _byte_findings(
    depot: Depot, vib: Vib, budget: ReadBudget, watched: Callable[[BinaryIO], BinaryIO], *, deep: bool
) -> tuple[Finding, ...]:
    try:
        with open_source(depot, vib) as source:
            stream, where = watched(source), depot.where_is(vib)
            return check_vib(vib, stream, where=where, limits=depot.limits, deep=deep, budget=budget)
    except EsxImageError as error:
        return (_damaged(depot, vib, error),)


def _damaged(depot: Depot, vib: Vib, error: EsxImageError) -> Finding:
    return make_finding("vib-damaged", error.message, items=(vib.id,), cause=error.found, where=depot.where_is(vib))


def _damaged_members(tree: DepotTree, depot: Depot, budget: ReadBudget) -> Iterator[Finding]:
    """Read every file that is no VIB of the catalog to its end, where a zip has its CRC."""
    read = {depot.where_is(vib) for vib in depot.catalog.vibs}
    for name in tree.sizes:
        if tree.place(name) not in read:
            try:
                with tree.open(name) as source:
                    stream = counted_stream(source, budget, where=tree.place(name))
                    while stream.read(COPY_BLOCK_BYTES):
                        pass
            except (EsxImageError, OSError) as error:
                words = error.message if isinstance(error, EsxImageError) else error.strerror or str(error)
                cause = error.found if isinstance(error, EsxImageError) else ""
                yield make_finding("member-damaged", f"{name}: {words}", items=(name,), cause=cause)


# ESXi 9


def _check_vcf(catalog: Catalog, checks: Checklist) -> None:
    """Say for 9.x that a further attribute is rumoured which this library does not write."""
    versions = dict(_esxi_versions(catalog))
    nines = tuple(name for name, version in versions.items() if version.major >= _FIRST_VCF_MAJOR)
    note = make_finding(
        "vcf-version-unknown",
        "vLCM 9.1 is said to want a vcfVersion attribute, whose form is not publicly known",
        items=nines,
    )
    why_not = "nothing in the bundle is of ESXi 9" if versions else "nothing in the bundle names its ESXi version"
    checks.answer("vcf-version", [note] if nines else [], why_not="" if nines else why_not)


def _esxi_versions(catalog: Catalog) -> Iterator[tuple[str, BaseImageVersion]]:
    """Yield what says which ESXi it is: base images, and base VIBs where there is none."""
    yield from ((unit.id, unit.version) for unit in catalog.base_images)
    if not catalog.base_images:
        for vib in catalog.vibs:
            try:
                if vib.name == _BASE_VIB:
                    yield vib.id, BaseImageVersion(vib.version.text)
            except VersionSyntaxError:
                continue
