"""Would vLCM or esxcli take this bundle, and if not, which element is missing?

Every check names how sure its rule is. No vCenter has read what this library writes: a
bundle that passes holds all that is publicly known to be required. A bundle may be unpacked in
a folder; all is asked then but whether its archive is sound.

Source: docs/formats.md#bundle-layout.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.containers.cms import require_anchors
from esximage_builder.containers.zip import open_zip
from esximage_builder.depot.opening import open_within
from esximage_builder.depot.sniff import FileKind, sniff
from esximage_builder.depot.tree import FolderTree, ZipTree, join
from esximage_builder.documents.depot_index import MetadataEntry, VendorEntry, parse_index, parse_vendor_index
from esximage_builder.errors import EsxImageError, ModelError, NotADepotError, NotInDepotError
from esximage_builder.limits import ReadBudget, ReadLimits
from esximage_builder.progress import Progress, no_progress
from esximage_builder.streams.side_by_side import number_of_workers
from esximage_builder.verify.bundle_contents import CONTENTS_QUESTIONS, NamedFiles, check_contents
from esximage_builder.verify.checklist import Certainty, Checklist, Question, require_kind
from esximage_builder.verify.signed import signer_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from esximage_builder.depot.tree import DepotTree
    from esximage_builder.findings import Finding
    from esximage_builder.verify.checklist import Verification

__all__ = ["verify_bundle"]

_KINDS = ("vlcm", "esxcli")
_CODE_LENGTH = 3
_CONTENT_TYPE = "http://www.vmware.com/depotmanagement/esx"
_METADATA_PARTS = ("vendor-index.xml", "vmware.xml")
_FOR_VLCM = frozenset({"vendor-code", "content-type", "components", "release-units", "vcf-version"})
_QUESTIONS = (
    Question("archive", "is it a sound zip archive?"),
    Question("index", "is there an index.xml with a vendor?"),
    Question("vendor-code", "has every vendor a code of three letters or digits?"),
    Question("content-type", "is the content type that of ESXi depots?", Certainty.INFERRED),
    Question("vendor-index", "does the vendor index name metadata, product and version?"),
    Question("metadata", "is every named metadata zip there?"),
    Question("metadata-parts", f"does the metadata hold {' and '.join(_METADATA_PARTS)}?"),
    *CONTENTS_QUESTIONS,
)


def verify_bundle(
    path: str | Path,
    *,
    kind: str = "vlcm",
    deep: bool = True,
    limits: ReadLimits | None = None,
    anchors: bytes | None = None,
    workers: int | None = None,
    progress: Progress = no_progress,
) -> Verification:
    """Verify an offline bundle.

    Args:
        path: The zip, or the folder that it was unpacked into.
        kind: Who shall take it: ``vlcm`` (wants components and a vendor code), ``esxcli``.
        deep: Unpack payloads and check those checksums too; False checks stored bytes only.
        limits: Upper bounds; None takes the defaults.
        anchors: Certificates to trust, in PEM; None asks of signatures only what they cover.
        workers: How many VIBs are read at a time, 1 to 64, on which no finding depends; None takes two where
            there are two cores.
        progress: Told how many bytes of the VIBs are read.

    Returns:
        Checks with findings; damage is a finding, not an exception.

    Raises:
        NotADepotError: The file is no zip at all, or a folder of something else.
        SourceUnreadableError: It is missing or cannot be read.
        ModelError: An unknown kind, ``anchors`` that are no certificates, or no such number of workers.
        MissingExtraError: ``anchors`` need the extra ``signatures``, which is not installed.
    """
    if kind not in _KINDS:
        raise ModelError("this is no kind of bundle", found=repr(kind), expected=" or ".join(_KINDS))
    require_anchors(anchors)
    number = number_of_workers(workers)
    bounds = limits or ReadLimits()
    is_folder = sniff(path).kind is FileKind.FOLDER
    if not is_folder:
        require_kind(path, FileKind.ZIP)
    checks = Checklist(str(path), _questions(kind, deep=deep, anchors=anchors))
    with contextlib.ExitStack() as stack:
        try:
            tree = _open_tree(Path(path), bounds, stack, is_folder=is_folder)
        except NotADepotError:
            raise
        except EsxImageError as error:
            problem = make_finding("archive-damaged", error.message, cause=error.found, remedy=error.hint)
            checks.answer("archive", [problem])
            checks.leave_unasked("the archive cannot be read")
            return checks.result(kind)
        checks.answer("archive", why_not="it is a folder" if is_folder else "")
        files = _check_index(tree, checks, kind, bounds)
        budget = ReadBudget(bounds)
        depot = stack.enter_context(open_within(budget, path, strict=False))
        check_contents(
            files, depot, checks, budget, kind=kind, deep=deep, anchors=anchors, workers=number, progress=progress
        )
    return checks.result(kind)


def _questions(kind: str, *, deep: bool, anchors: bytes | None) -> Iterator[Question]:
    words = {"depth": "stored and unpacked" if deep else "stored", "signer": signer_words(anchors)}
    for question in _QUESTIONS:
        if kind == "vlcm" or question.name not in _FOR_VLCM:
            yield attrs.evolve(question, text=question.text.format(**words))


def _open_tree(path: Path, limits: ReadLimits, stack: contextlib.ExitStack, *, is_folder: bool) -> DepotTree:
    if is_folder:
        tree = FolderTree.of_folder(path, limits=limits)
        _require_unpacked_bundle(tree)
        return tree
    return ZipTree(stack.enter_context(open_zip(path, where=str(path), limits=limits)))


def _require_unpacked_bundle(tree: FolderTree) -> None:
    """Refuse a folder of anything; one that lacks some of a bundle's files is verified."""
    if not any(name in tree.sizes for name in ("index.xml", "vendor-index.xml", "metadata.zip")):
        raise NotADepotError(
            "this folder is no unpacked bundle",
            where=tree.where,
            found=FileKind.FOLDER.value,
            expected="a folder with index.xml",
            hint="name the folder that the bundle was unpacked into, or a single file",
        )


@final
@attrs.frozen
class _Bundle:
    """The files and what the two indexes say."""

    tree: DepotTree
    vendors: tuple[VendorEntry, ...]
    entries: tuple[tuple[str, MetadataEntry], ...]

    @property
    def files(self) -> NamedFiles:
        """What is needed of it to check what the metadata describes."""
        return NamedFiles(
            tree=self.tree,
            folders=tuple(dict.fromkeys(join(vendor.relative_path, "") for vendor in self.vendors)),
            has_metadata=any(path in self.tree.sizes for path in self.metadata_paths),
        )

    @property
    def metadata_paths(self) -> tuple[str, ...]:
        """Path of each metadata zip, each once."""
        return tuple(dict.fromkeys(join(folder, entry.url) for folder, entry in self.entries))


def _check_index(tree: DepotTree, checks: Checklist, kind: str, limits: ReadLimits) -> NamedFiles:
    """Check the index documents and what they lead to."""
    name = "index.xml"
    vendors: tuple[VendorEntry, ...] = ()
    problems = []
    try:
        vendors = parse_index(_read(tree, name, limits), where=name, max_bytes=limits.document_bytes)
    except EsxImageError as error:
        problems.append(make_finding("index-missing", _unreadable(name, error), items=(name,), cause=error.found))
    if not vendors and not problems:
        problems.append(_no_vendor())
    checks.answer("index", problems)
    if kind == "vlcm":
        _check_vendor_block(vendors, checks)
    bundle = _Bundle(tree, vendors, _check_vendor_index(tree, checks, vendors, limits))
    _check_metadata(bundle, checks, limits)
    return bundle.files


def _read(tree: DepotTree, name: str, limits: ReadLimits) -> bytes:
    if name not in tree.sizes:
        raise NotInDepotError("it is not in the bundle")
    return tree.read(name, max_bytes=limits.document_bytes, budget=ReadBudget(limits))


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
    checks.answer("vendor-code", codes if vendors else [_no_vendor()])
    types = [
        make_finding("content-type-wrong", f"the content type is {vendor.content_type!r}", items=(vendor.name,))
        for vendor in vendors
        if vendor.content_type != _CONTENT_TYPE
    ]
    checks.answer("content-type", types, why_not="" if vendors else "no vendor is named")


def _check_vendor_index(
    tree: DepotTree, checks: Checklist, vendors: tuple[VendorEntry, ...], limits: ReadLimits
) -> tuple[tuple[str, MetadataEntry], ...]:
    """Check each vendor's index; return its entries with the folder that it stands in."""
    entries: list[tuple[str, MetadataEntry]] = []
    problems = []
    for vendor in vendors:
        path = join(vendor.relative_path, vendor.index_file)
        try:
            found = parse_vendor_index(_read(tree, path, limits), where=path, max_bytes=limits.document_bytes)
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
    checks.answer("vendor-index", problems)
    return tuple(entries)


def _check_metadata(bundle: _Bundle, checks: Checklist, limits: ReadLimits) -> None:
    """Check the metadata zips that vendor indexes name, and look into those that are there."""
    named = bundle.metadata_paths
    present = [path for path in named if path in bundle.tree.sizes]
    missing = [path for path in named if path not in present]
    checks.answer(
        "metadata",
        [make_finding("metadata-missing", f"{path} is not in the bundle", items=(path,)) for path in missing],
        why_not="" if named else "no vendor index names a metadata zip",
    )
    parts = [problem for path in present for problem in _missing_parts(bundle.tree, path, limits)]
    checks.answer("metadata-parts", parts, why_not=_why_no_parts(named, missing))


def _why_no_parts(named: Sequence[str], missing: Sequence[str]) -> str:
    if not named:
        return "no vendor index names a metadata zip"
    return f"not there: {', '.join(missing)}" if missing else ""


def _missing_parts(tree: DepotTree, path: str, limits: ReadLimits) -> list[Finding]:
    try:
        data = tree.read(path, max_bytes=limits.metadata_bytes, budget=ReadBudget(limits))
        with open_zip(io.BytesIO(data), where=path, limits=limits, depth=2) as metadata:
            names = {PurePosixPath(name).name for name in metadata.members}
    except EsxImageError as error:
        return [make_finding("metadata-damaged", _unreadable(path, error), items=(path,), cause=error.found)]
    return [
        make_finding("metadata-part-missing", f"{path} has no {part}", items=(f"{path}!{part}",))
        for part in _METADATA_PARTS
        if part not in names
    ]
