"""Would vLCM or esxcli take this zip, and if not, which element is missing?

Every check names how sure its rule is. No vCenter has read what this library writes: a
bundle that passes holds all that is publicly known to be required.

Source: docs/formats.md#bundle-layout.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import as_error, has_code, make_finding
from esximage_builder.containers.zip import ZipReader, open_zip
from esximage_builder.depot.opening import Depot, open_depot
from esximage_builder.depot.sniff import FileKind
from esximage_builder.depot.tree import join
from esximage_builder.documents.depot_index import MetadataEntry, VendorEntry, parse_index, parse_vendor_index
from esximage_builder.errors import EsxImageError, ModelError
from esximage_builder.limits import ReadBudget, ReadLimits
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES
from esximage_builder.verify.checklist import Certainty, Checklist, require_kind
from esximage_builder.verify.vib import check_head, check_vib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.vib import Vib
    from esximage_builder.verify.checklist import Verification

__all__ = ["verify_bundle"]

_KINDS = ("vlcm", "esxcli")
_CODE_LENGTH = 3
_CONTENT_TYPE = "http://www.vmware.com/depotmanagement/esx"
_METADATA_PARTS = ("vendor-index.xml", "vmware.xml")
_FIRST_VCF_MAJOR = 9


def verify_bundle(
    path: str | Path, *, kind: str = "vlcm", deep: bool = True, limits: ReadLimits | None = None
) -> Verification:
    """Verify an offline bundle.

    Args:
        path: The zip.
        kind: Who shall take it: ``vlcm`` (wants components and a vendor code), ``esxcli``.
        deep: Unpack payloads and check those checksums too; False checks stored bytes only.
        limits: Upper bounds; None takes the defaults.

    Returns:
        Checks with findings; damage is a finding, not an exception.

    Raises:
        NotADepotError: The file is no zip at all.
        SourceUnreadableError: It is missing or cannot be read.
        ModelError: An unknown kind.
    """
    if kind not in _KINDS:
        raise ModelError("this is no kind of bundle", found=repr(kind), expected=" or ".join(_KINDS))
    bounds = limits or ReadLimits()
    require_kind(path, FileKind.ZIP)
    checks = Checklist(str(path))
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(open_zip(Path(path), where=str(path), limits=bounds))
        except EsxImageError as error:
            problem = make_finding("archive-damaged", error.message, cause=error.found, remedy=error.hint)
            checks.ask("archive", "is it a sound zip archive?", Certainty.CONFIRMED, [problem])
            return checks.result(kind)
        checks.ask("archive", "is it a sound zip archive?", Certainty.CONFIRMED)
        bundle = _check_index(archive, checks, kind, bounds)
        depot = stack.enter_context(open_depot(path, limits=bounds, strict=False))
        _check_contents(bundle, depot, checks, kind, deep=deep)
    return checks.result(kind)


@final
@attrs.frozen
class _Bundle:
    """The archive and what its two indexes say."""

    archive: ZipReader
    vendors: tuple[VendorEntry, ...]
    entries: tuple[tuple[str, MetadataEntry], ...]

    @property
    def folders(self) -> tuple[str, ...]:
        """Where vendor indexes stand: the folders that paths in metadata begin in."""
        return tuple(dict.fromkeys(join(vendor.relative_path, "") for vendor in self.vendors))

    @property
    def metadata_paths(self) -> tuple[str, ...]:
        """Path of each metadata zip, each once."""
        return tuple(dict.fromkeys(join(folder, entry.url) for folder, entry in self.entries))


def _check_index(archive: ZipReader, checks: Checklist, kind: str, limits: ReadLimits) -> _Bundle:
    """Check the index documents and what they lead to."""
    name = "index.xml"
    vendors: tuple[VendorEntry, ...] = ()
    problems = []
    try:
        vendors = parse_index(_read(archive, name, limits), where=name, max_bytes=limits.document_bytes)
    except EsxImageError as error:
        problems.append(make_finding("index-missing", _unreadable(name, error), items=(name,), cause=error.found))
    if not vendors and not problems:
        problems.append(_no_vendor())
    checks.ask("index", "is there an index.xml with a vendor?", Certainty.CONFIRMED, problems)
    if kind == "vlcm":
        _check_vendor_block(vendors, checks)
    bundle = _Bundle(archive, vendors, _check_vendor_index(archive, checks, vendors, limits))
    missing = [path for path in bundle.metadata_paths if path not in archive.members]
    checks.ask(
        "metadata",
        "is every named metadata zip there?",
        Certainty.CONFIRMED,
        [make_finding("metadata-missing", f"{path} is not in the archive", items=(path,)) for path in missing],
    )
    question = f"does the metadata hold {' and '.join(_METADATA_PARTS)}?"
    present = [path for path in bundle.metadata_paths if path in archive.members]
    parts = [problem for path in present for problem in _missing_parts(archive, path, limits)]
    checks.ask("metadata-parts", question, Certainty.CONFIRMED, parts)
    return bundle


def _read(archive: ZipReader, name: str, limits: ReadLimits) -> bytes:
    return archive.read(name, max_bytes=limits.document_bytes, budget=ReadBudget(limits))


def _unreadable(path: str, error: EsxImageError) -> str:
    return f"{path} cannot be read: {error.message}"


def _no_vendor() -> Finding:
    return make_finding(
        "vendor-missing",
        "index.xml has no vendor block",
        items=("index.xml",),
        remedy="write the bundle anew with a vendor name and code",
    )


def _check_vendor_block(vendors: tuple[VendorEntry, ...], checks: Checklist) -> None:
    codes = [
        make_finding(
            "vendor-code-wrong",
            f"the vendor code is {vendor.code!r}, not three letters or digits",
            items=(vendor.name,),
            remedy="write the bundle anew with a vendor code",
        )
        for vendor in vendors
        if not (len(vendor.code) == _CODE_LENGTH and vendor.code.isascii() and vendor.code.isalnum())
    ]
    question = "has every vendor a code of three letters or digits?"
    checks.ask("vendor-code", question, Certainty.CONFIRMED, codes if vendors else [_no_vendor()])
    types = [
        make_finding("content-type-wrong", f"the content type is {vendor.content_type!r}", items=(vendor.name,))
        for vendor in vendors
        if vendor.content_type != _CONTENT_TYPE
    ]
    checks.ask("content-type", "is the content type that of ESXi depots?", Certainty.INFERRED, types)


def _check_vendor_index(
    archive: ZipReader, checks: Checklist, vendors: tuple[VendorEntry, ...], limits: ReadLimits
) -> tuple[tuple[str, MetadataEntry], ...]:
    """Check each vendor's index; return its entries with the folder that it stands in."""
    entries: list[tuple[str, MetadataEntry]] = []
    problems = []
    for vendor in vendors:
        path = join(vendor.relative_path, vendor.index_file)
        try:
            found = parse_vendor_index(_read(archive, path, limits), where=path, max_bytes=limits.document_bytes)
        except EsxImageError as error:
            problems.append(
                make_finding("vendor-index-missing", _unreadable(path, error), items=(path,), cause=error.found)
            )
            continue
        if not found:
            problems.append(make_finding("vendor-index-missing", f"{path} names no metadata", items=(path,)))
        entries += [(join(vendor.relative_path, ""), entry) for entry in found]
    problems += [
        make_finding("product-missing", f"an entry for {entry.url} names no product or version", items=(entry.url,))
        for _, entry in entries
        if not (entry.product_id and entry.version)
    ]
    if not vendors:
        problems.append(make_finding("vendor-index-missing", "no vendor index is named", items=("index.xml",)))
    question = "does the vendor index name metadata, product and version?"
    checks.ask("vendor-index", question, Certainty.CONFIRMED, problems)
    return tuple(entries)


def _missing_parts(archive: ZipReader, path: str, limits: ReadLimits) -> list[Finding]:
    try:
        data = archive.read(path, max_bytes=limits.metadata_bytes, budget=ReadBudget(limits))
        with open_zip(io.BytesIO(data), where=path, limits=limits, depth=2) as metadata:
            names = {PurePosixPath(name).name for name in metadata.members}
    except EsxImageError as error:
        return [make_finding("metadata-damaged", _unreadable(path, error), items=(path,), cause=error.found)]
    return [
        make_finding("metadata-part-missing", f"{path} has no {part}", items=(f"{path}!{part}",))
        for part in _METADATA_PARTS
        if part not in names
    ]


def _check_contents(bundle: _Bundle, depot: Depot, checks: Checklist, kind: str, *, deep: bool) -> None:
    catalog = depot.catalog
    unread = [f for f in catalog.findings if has_code(f, "unreadable-document", "unreadable-source")]
    checks.ask("documents", "can every metadata document be read?", Certainty.CONFIRMED, unread)
    differing = [
        as_error(f) if has_code(f, "vib-content-differs") else f
        for f in catalog.findings
        if f.fact("differs") == "content"
    ]
    checks.ask("contents", "has everything one content only?", Certainty.INFERRED, differing)
    if kind == "vlcm":
        _check_components(depot, checks)
    _check_references(depot, checks)
    _check_vib_facts(bundle, depot, checks)
    heads = [finding for vib in catalog.vibs for finding in _head_findings(depot, vib)]
    question = "is every descriptor that of the metadata, and signed from partner level up?"
    checks.ask("descriptors", question, Certainty.CONFIRMED, heads)
    damage = [finding for vib in catalog.vibs for finding in _byte_findings(depot, vib, deep=deep)]
    damage += _damaged_members(bundle, depot)
    depth = "stored and unpacked" if deep else "stored"
    checks.ask("bytes", f"are all bytes what their checksums say ({depth})?", Certainty.CONFIRMED, damage)
    if kind == "vlcm":
        _check_vcf(depot, checks)


def _check_components(depot: Depot, checks: Checklist) -> None:
    catalog = depot.catalog
    problems = []
    if not catalog.components:
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
    checks.ask("components", "is every VIB part of a component?", Certainty.CONFIRMED, problems)
    question = "are the components there that profiles, base images and add-ons list?"
    checks.ask("release-units", question, Certainty.INFERRED, _missing_components(depot))


def _missing_components(depot: Depot) -> list[Finding]:
    """Return what is not there; a base image whose overridden components were left out is only partial."""
    catalog = depot.catalog
    bulletins = {*catalog.components_by_bulletin_id, *(bulletin.id for bulletin in catalog.bulletins)}
    needed = [
        make_finding(
            "unit-component-missing",
            f"profile {profile.name} lists {bulletin_id}, which is not there",
            items=(bulletin_id, profile.name),
        )
        for profile in catalog.profiles
        for bulletin_id in profile.bulletin_ids
        if bulletin_id not in bulletins
    ]
    listing: list[BaseImage | AddOn] = [*catalog.base_images, *(catalog.add_ons if catalog.base_images else ())]
    there = {component.id for component in catalog.components}
    absent = [(unit, ref) for unit in listing for ref in unit.components if str(ref) not in there]
    has_image = any(profile.bulletin_ids for profile in catalog.profiles) and not needed
    if absent and has_image:
        items = tuple(str(reference) for _, reference in absent)
        message = f"{len(items)} overridden or removed components were left out: the bundle is partial"
        return [make_finding("reserved-vibs-left-out", message, items=items)]
    return needed + [
        make_finding("unit-component-missing", f"{unit.id} lists {ref}, which is not there", items=(str(ref), unit.id))
        for unit, ref in absent
    ]


def _check_references(depot: Depot, checks: Checklist) -> None:
    catalog = depot.catalog
    owners = [
        *((component.id, component.vib_ids) for component in catalog.components),
        *((bulletin.id, bulletin.vib_ids) for bulletin in catalog.bulletins),
        *((profile.name, profile.vib_ids) for profile in catalog.profiles),
    ]
    missing = [
        make_finding(
            "vib-missing",
            f"{owner} lists {vib_id}, which is not there",
            items=(vib_id, owner),
            facts={"vib": vib_id, "owner": owner},
        )
        for owner, vib_ids in owners
        for vib_id in vib_ids
        if vib_id not in catalog.vibs_by_id
    ]
    missing += [as_error(f) for f in catalog.findings if has_code(f, "vib-file-missing")]
    missing += [f for f in catalog.findings if has_code(f, "vib-not-indexed")]
    question = "is every VIB there that a component, bulletin or profile lists?"
    checks.ask("vibs", question, Certainty.CONFIRMED, missing)


def _check_vib_facts(bundle: _Bundle, depot: Depot, checks: Checklist) -> None:
    """Check what metadata adds to descriptors: where the file is, and its digest."""
    misplaced = [
        make_finding(
            "vib-path-wrong",
            f"{vib.id} is not where the metadata says",
            items=(vib.id,),
            cause=f"it stands at {depot.where_is(vib)}, the metadata says {_stated_path(vib) or 'nothing'}",
        )
        for vib in depot.catalog.vibs
        if not any(
            depot.where_is(vib) == f"{bundle.archive.where}!{join(folder, _stated_path(vib))}"
            for folder in bundle.folders or ("",)
        )
    ]
    question = "is every VIB where the metadata says?"
    checks.ask("vib-paths", question, Certainty.CONFIRMED, misplaced)
    sums = [
        make_finding("vib-checksum-missing", f"{vib.id} has no sha-256 in the metadata", items=(vib.id,))
        for vib in depot.catalog.vibs
        if vib.file is None or not vib.file.sha256
    ]
    checks.ask("vib-checksums", "has every VIB a sha-256 in the metadata?", Certainty.CONFIRMED, sums)


def _stated_path(vib: Vib) -> str:
    return "" if vib.file is None else vib.file.relative_path


def _head_findings(depot: Depot, vib: Vib) -> tuple[Finding, ...]:
    try:
        with depot.open_vib(vib) as source:
            return check_head(vib, source, where=depot.where_is(vib), limits=depot.limits)
    except EsxImageError as error:
        return (
            make_finding("vib-damaged", error.message, items=(vib.id,), cause=error.found, where=depot.where_is(vib)),
        )


def _byte_findings(depot: Depot, vib: Vib, *, deep: bool) -> tuple[Finding, ...]:
    with depot.open_vib(vib) as source:
        return check_vib(vib, source, where=depot.where_is(vib), limits=depot.limits, deep=deep)


def _damaged_members(bundle: _Bundle, depot: Depot) -> Iterator[Finding]:
    """Read every member that is no VIB of the catalog to its end, where its CRC is."""
    archive = bundle.archive
    read = {depot.where_is(vib) for vib in depot.catalog.vibs}
    for name in archive.members:
        if f"{archive.where}!{name}" not in read:
            try:
                with archive.open(name) as stream:
                    while stream.read(COPY_BLOCK_BYTES):
                        pass
            except EsxImageError as error:
                yield make_finding("member-damaged", f"{name}: {error.message}", items=(name,), cause=error.found)


def _check_vcf(depot: Depot, checks: Checklist) -> None:
    """Say for 9.x that a further attribute is rumoured which this library does not write."""
    nines = [unit for unit in depot.catalog.base_images if unit.version.major >= _FIRST_VCF_MAJOR]
    if nines:
        note = make_finding(
            "vcf-version-unknown",
            "vLCM 9.1 is said to want a vcfVersion attribute, whose form is not publicly known",
            items=tuple(unit.id for unit in nines),
        )
        checks.ask("vcf-version", "is the vcfVersion attribute of 9.x there?", Certainty.INFERRED, [note])
