"""Would vLCM or esxcli take this zip, and if not, which element is missing?

Every check names how sure its rule is. No vCenter has read what this library writes: a
bundle that passes holds all that is publicly known to be required.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from esximage_builder.depot.opening import Depot, open_depot
from esximage_builder.depot.payload_checks import check_head, check_vib
from esximage_builder.depot.sniff import FileKind, not_a_depot, sniff
from esximage_builder.depot.verification import Certainty, Checklist
from esximage_builder.errors import DepotError, EsxImageError, ModelError
from esximage_builder.formats.depot_index import MetadataEntry, VendorEntry, parse_index, parse_vendor_index
from esximage_builder.formats.zip import ZipReader, open_zip
from esximage_builder.limits import ReadBudget, ReadLimits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.depot.verification import Verification
    from esximage_builder.findings import Finding
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage

__all__ = ["verify_bundle"]

_KINDS = ("vlcm", "esxcli")
_CODE_LENGTH = 3
_CONTENT_TYPE = "http://www.vmware.com/depotmanagement/esx"


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
    sniffed = sniff(path)
    if sniffed.kind is not FileKind.ZIP:
        raise not_a_depot(sniffed, str(path))
    checks = Checklist(str(path))
    if _check_archive(Path(path), checks, kind, bounds):
        _check_contents(Path(path), checks, kind, deep=deep, limits=bounds)
    return checks.result(kind)


def _check_archive(path: Path, checks: Checklist, kind: str, limits: ReadLimits) -> bool:
    """Check the zip and its index documents; say whether the contents can be looked at."""
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(open_zip(path, where=str(path), limits=limits))
        except DepotError as error:
            problem = checks.problem("archive-damaged", error.message, remedy=error.hint)
            return checks.ask("archive", "is it a sound zip archive?", Certainty.CONFIRMED, [problem])
        checks.ask("archive", "is it a sound zip archive?", Certainty.CONFIRMED)
        vendors = _check_index(archive, checks, kind, limits)
        entries = _check_vendor_index(archive, checks, vendors, limits)
        return _check_metadata_archives(archive, checks, entries)


def _read(archive: ZipReader, name: str, limits: ReadLimits) -> bytes:
    return archive.read(name, max_bytes=limits.document_bytes, budget=ReadBudget(limits))


def _check_index(archive: ZipReader, checks: Checklist, kind: str, limits: ReadLimits) -> tuple[VendorEntry, ...]:
    name = "index.xml"
    vendors: tuple[VendorEntry, ...] = ()
    problems = []
    try:
        vendors = parse_index(_read(archive, name, limits), where=name, max_bytes=limits.document_bytes)
    except EsxImageError as error:
        problems.append(checks.problem("index-missing", f"index.xml cannot be read: {error.message}", items=(name,)))
    if not vendors and not problems:
        problems.append(checks.problem("vendor-missing", "index.xml has no vendor block", items=(name,)))
    checks.ask("index", "is there an index.xml with a vendor?", Certainty.CONFIRMED, problems)
    if kind == "vlcm":
        _check_vendor_block(vendors, checks)
    return vendors


def _check_vendor_block(vendors: tuple[VendorEntry, ...], checks: Checklist) -> None:
    codes = [
        checks.problem(
            "vendor-code-wrong",
            f"the vendor code is {vendor.code!r}, not three letters or digits",
            items=(vendor.name,),
            remedy="write the bundle anew with a vendor code",
        )
        for vendor in vendors
        if not (len(vendor.code) == _CODE_LENGTH and vendor.code.isascii() and vendor.code.isalnum())
    ]
    if not vendors:
        codes = [checks.problem("vendor-missing", "the bundle has no vendor block")]
    checks.ask("vendor-code", "has every vendor a code of three letters or digits?", Certainty.CONFIRMED, codes)
    types = [
        checks.problem("content-type-wrong", f"the content type is {vendor.content_type!r}", is_error=False)
        for vendor in vendors
        if vendor.content_type != _CONTENT_TYPE
    ]
    checks.ask("content-type", "is the content type that of ESXi depots?", Certainty.INFERRED, types)


def _check_vendor_index(
    archive: ZipReader, checks: Checklist, vendors: tuple[VendorEntry, ...], limits: ReadLimits
) -> tuple[MetadataEntry, ...]:
    entries: list[MetadataEntry] = []
    problems = []
    for vendor in vendors:
        path = str(PurePosixPath(vendor.relative_path, vendor.index_file))
        try:
            entries += parse_vendor_index(_read(archive, path, limits), where=path, max_bytes=limits.document_bytes)
        except EsxImageError as error:
            problems.append(checks.problem("vendor-index-missing", f"{path}: {error.message}", items=(path,)))
    problems += [
        checks.problem("product-missing", "a metadata entry names no product or version", items=(entry.url,))
        for entry in entries
        if not (entry.product_id and entry.version)
    ]
    if not entries and not problems:
        problems.append(checks.problem("vendor-index-missing", "no metadata entry is named"))
    question = "does the vendor index name metadata, product and version?"
    checks.ask("vendor-index", question, Certainty.CONFIRMED, problems)
    return tuple(entries)


def _check_metadata_archives(archive: ZipReader, checks: Checklist, entries: tuple[MetadataEntry, ...]) -> bool:
    missing = sorted({entry.url for entry in entries if entry.url not in archive.members})
    problems = [checks.problem("metadata-missing", f"{url} is not in the archive", items=(url,)) for url in missing]
    has_metadata = checks.ask("metadata", "is every named metadata zip there?", Certainty.CONFIRMED, problems)
    return has_metadata and bool(entries)


def _check_contents(path: Path, checks: Checklist, kind: str, *, deep: bool, limits: ReadLimits) -> None:
    with open_depot(path, limits=limits, strict=False) as depot:
        unread = [f for f in depot.catalog.findings if f.code in ("unreadable-document", "unreadable-source")]
        checks.ask("documents", "can every metadata document be read?", Certainty.CONFIRMED, unread)
        if kind == "vlcm":
            _check_components(depot, checks)
        _check_references(depot, checks)
        sums = [
            checks.problem("vib-checksum-missing", f"{vib.id} has no sha-256 in the metadata", items=(vib.id,))
            for vib in depot.catalog.vibs
            if vib.file is None or not vib.file.sha256
        ]
        checks.ask("vib-checksums", "has every VIB a sha-256 in the metadata?", Certainty.CONFIRMED, sums)
        heads = [finding for vib_findings in _each_head(depot) for finding in vib_findings]
        question = "is every descriptor that of the metadata, and signed from partner level up?"
        checks.ask("descriptors", question, Certainty.CONFIRMED, heads)
        damage = [finding for vib_findings in _each_vib(depot, deep=deep) for finding in vib_findings]
        depth = "stored and unpacked" if deep else "stored"
        checks.ask("bytes", f"are all bytes what their checksums say ({depth})?", Certainty.CONFIRMED, damage)
        if kind == "vlcm":
            _check_vcf(depot, checks)


def _check_components(depot: Depot, checks: Checklist) -> None:
    catalog = depot.catalog
    problems = []
    if not catalog.components:
        problems.append(
            checks.problem(
                "component-metadata-missing",
                "the bundle has no component: it is of the esxcli kind",
                remedy="export it anew as an offline bundle for vLCM",
            )
        )
    in_components = {vib_id for component in catalog.components for vib_id in component.vib_ids}
    loose = tuple(vib.id for vib in catalog.vibs if vib.id not in in_components)
    if loose and catalog.components:
        message = f"{len(loose)} VIBs are in no component, vLCM will not see them"
        problems.append(checks.problem("vib-without-component", message, items=loose, is_error=False))
    checks.ask("components", "is every VIB part of a component?", Certainty.CONFIRMED, problems)
    names = Counter(component.name for component in catalog.components)
    units: list[BaseImage | AddOn] = [*catalog.base_images, *catalog.add_ons]
    wrong = [
        checks.problem(
            "unit-component-missing", f"{unit.id} lists {reference}, which is not there", items=(str(reference),)
        )
        for unit in units
        for reference in unit.components
        if reference.name not in names
    ]
    question = "are all components of base images and add-ons there?"
    checks.ask("release-units", question, Certainty.INFERRED, wrong if catalog.base_images else [])


def _check_references(depot: Depot, checks: Checklist) -> None:
    catalog = depot.catalog
    listed = {vib_id: component.id for component in catalog.components for vib_id in component.vib_ids} | {
        vib_id: bulletin.id for bulletin in catalog.bulletins for vib_id in bulletin.vib_ids
    }
    listed |= {vib_id: profile.name for profile in catalog.profiles for vib_id in profile.vib_ids}
    missing = [
        checks.problem("vib-missing", f"{owner} lists {vib_id}, which is not there", items=(vib_id, owner))
        for vib_id, owner in sorted(listed.items())
        if vib_id not in catalog.vibs_by_id
    ]
    missing += [f for f in catalog.findings if f.code == "vib-file-missing"]
    question = "is every VIB there that a component, bulletin or profile lists?"
    checks.ask("vibs", question, Certainty.CONFIRMED, missing)


def _each_head(depot: Depot) -> Iterator[tuple[Finding, ...]]:
    for vib in depot.catalog.vibs:
        try:
            with depot.open_vib(vib) as source:
                yield check_head(vib, source, where=depot.where_is(vib), limits=depot.limits)
        except DepotError:
            continue  # the check of all bytes words it


def _each_vib(depot: Depot, *, deep: bool) -> Iterator[tuple[Finding, ...]]:
    for vib in depot.catalog.vibs:
        with depot.open_vib(vib) as source:
            yield check_vib(vib, source, where=depot.where_is(vib), limits=depot.limits, deep=deep)


def _check_vcf(depot: Depot, checks: Checklist) -> None:
    """Say for 9.x that a further attribute is rumoured which this library does not write."""
    nines = [unit for unit in depot.catalog.base_images if unit.version.major >= _FIRST_VCF_MAJOR]
    if nines:
        note = checks.problem(
            "vcf-version-unknown",
            "vLCM 9.1 is said to want a vcfVersion attribute, whose form is not publicly known",
            items=tuple(unit.id for unit in nines),
            is_error=False,
        )
        checks.ask("vcf-version", "is the vcfVersion attribute of 9.x there?", Certainty.INFERRED, [note])


_FIRST_VCF_MAJOR = 9
