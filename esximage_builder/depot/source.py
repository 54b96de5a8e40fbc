"""Reading one source: a bundle, a folder, a ``.vib``, a zip of zips, an installer disc, an image database.

Only metadata is read; of a loose ``.vib`` only its first two members, of a disc what
``depot.disc`` names. One bad document does not hide the next: errors are gathered and the
caller decides.
"""

from __future__ import annotations

import contextlib
import io
import itertools
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, final
from weakref import WeakKeyDictionary

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.containers.iso9660_reader import IsoReader, open_iso
from esximage_builder.containers.zip import ZIP_HEAD_BYTES, ZipReader, open_zip, require_zip_signature
from esximage_builder.depot.disc import DiscTree, is_installer_disc, local_names_by_vib, not_carried, read_database
from esximage_builder.depot.gathered import GatheredErrors
from esximage_builder.depot.image_database import DatabaseTree, read_archive, read_database_files, required
from esximage_builder.depot.sniff import FileKind, Sniffed, not_a_depot, sniff, sniff_bytes
from esximage_builder.depot.spool import Spool
from esximage_builder.depot.tree import DepotTree, FileTree, FolderTree, ZipTree, join
from esximage_builder.documents.bulletin import parse_bulletin
from esximage_builder.documents.depot_index import parse_index, parse_vendor_index
from esximage_builder.documents.image_database import database_kind
from esximage_builder.documents.image_profile import parse_image_profile
from esximage_builder.documents.metadata_response import parse_metadata_response
from esximage_builder.documents.release_unit import ReleaseUnit, parse_release_unit, unit_folder_kind
from esximage_builder.documents.stated_elements import may_state, with_elements_of
from esximage_builder.documents.vib_archive import VibHead, read_vib_head
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor, parse_vib_metadata
from esximage_builder.errors import DepotError, EsxImageError
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadLimits
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.component import Bulletin, Component
from esximage_builder.models.vib import VibFile
from esximage_builder.streams.blocks import counted_stream
from esximage_builder.streams.file_kind import HEAD_BYTES
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from esximage_builder.depot.image_database import DatabaseFiles
    from esximage_builder.depot.origins import Origin
    from esximage_builder.findings import Finding
    from esximage_builder.limits import ReadBudget
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.vib import Vib
    from esximage_builder.streams.shared_file import SharedFile

__all__ = ["SourceContents", "VibLocation", "read_disc", "read_source", "unreadable_source"]

_VIB_SUFFIX = ".vib"
_RESPONSE = "vmware.xml"
_COPY = "vendor-index.xml"  # a copy of the outer one


@final
@attrs.frozen
class VibLocation:
    """Where the bytes of a VIB lie: a path inside a tree."""

    tree: DepotTree
    path: str

    @property
    def where(self) -> str:
        """How to name the file in errors."""
        return self.tree.place(self.path)


def unreadable_source(error: EsxImageError) -> Finding:
    """Return a source that could not be read as something to be judged with the rest."""
    return _as_finding("unreadable-source", error)


def _as_finding(code: str, error: EsxImageError) -> Finding:
    cause = f"found {error.found}, expected {error.expected}" if error.expected else error.found
    return make_finding(
        code,
        error.message,
        severity=Severity.ERROR,
        cause=cause,
        remedy=error.hint,
        where=error.where,
    )


@final
@attrs.define
class SourceContents:
    """What one source holds, as read and not yet merged with others.

    Attributes:
        name: The source as the caller named it.
        errors: Documents that could not be read.
        vibs: VIBs with the place of their bytes.
        bulletins: Legacy bulletins and components.
        profiles: Image profiles.
        units: Release units.
        findings: What reading noticed.
    """

    name: str
    vibs: list[tuple[Vib, VibLocation]] = attrs.Factory(list)
    bulletins: list[Bulletin | Component] = attrs.Factory(list)
    profiles: list[ImageProfile] = attrs.Factory(list)
    units: list[ReleaseUnit] = attrs.Factory(list)
    findings: list[Finding] = attrs.Factory(list)
    errors: GatheredErrors = attrs.Factory(lambda: GatheredErrors(ReadLimits().gathered_errors))

    @property
    def unread(self) -> tuple[Finding, ...]:
        """The errors as findings, with one for all that were only counted."""
        found = tuple(_as_finding("unreadable-document", error) for error in self.errors)
        if not self.errors.left_out:
            return found
        rest = make_finding(
            "unreadable-document",
            f"{self.errors.left_out} more documents could not be read",
            severity=Severity.ERROR,
            cause="so many damaged documents are no accident of a download",
            remedy="do not trust the file; get it again from its publisher",
        )
        return (*found, rest)


def read_source(
    origin: Origin, *, stack: contextlib.ExitStack, spool: Spool, limits: ReadLimits, budget: ReadBudget
) -> SourceContents:
    """Read one source.

    Args:
        origin: A zip, a folder, a ``.vib``, an installer disc or an image database.
        stack: Takes what must stay open while bytes may be asked for.
        spool: Takes copies of zips inside zips; shared by all sources of one reading.
        limits: Upper bounds.
        budget: Shared by all sources of one reading.

    Raises:
        NotADepotError: It is something else; the error says what.
        SourceUnreadableError: The operating system refuses.
        DepotError: The archive itself is broken. Errors of single documents are gathered
            in the result instead.
    """
    contents = SourceContents(origin.name, errors=GatheredErrors(limits.gathered_errors))
    reading = _Reading(contents, stack, spool, limits, budget)
    if origin.shared is not None:
        reading.read_file(origin.shared)
    elif origin.path is not None:
        reading.read_path(origin.path)
    return contents


def _links_not_followed(folder: FolderTree) -> Iterator[Finding]:
    if folder.outward_links:
        yield make_finding(
            "link-not-followed",
            f"{len(folder.outward_links)} links of the folder lead out of it or nowhere",
            items=tuple(sorted(folder.outward_links)),
            cause="what lies elsewhere is no part of a depot, and is not read",
            remedy="put the files themselves into the folder, or open what the links lead to beside it",
            where=folder.where,
        )


def _length_of(source: Path) -> int:
    """Return the length of a file; whoever reads it tells what keeps it from being read."""
    try:
        return source.stat().st_size
    except OSError:
        return 0


def read_disc(
    disc: IsoReader, *, stack: contextlib.ExitStack, limits: ReadLimits, budget: ReadBudget
) -> SourceContents:
    """Read an installer disc that is open already; see ``read_source``.

    Args:
        disc: With an image database; it must stay open while bytes may be asked for.
        stack: Takes what must stay open besides.
        limits: Upper bounds.
        budget: Shared by all sources of one reading.

    Raises:
        DepotError: The image database itself is broken, or the operating system refuses.
    """
    contents = SourceContents(disc.where, errors=GatheredErrors(limits.gathered_errors))
    _Reading(contents, stack, Spool(stack, budget), limits, budget).read_disc(disc)
    return contents


@final
@attrs.frozen
class _Reading:
    """One reading under way: contents to fill, and what bounds it."""

    contents: SourceContents
    stack: contextlib.ExitStack
    spool: Spool
    limits: ReadLimits
    budget: ReadBudget
    # By the tree itself, which some readings drop at once: its id() would go to the next one.
    paths_by_name: WeakKeyDictionary[DepotTree, dict[str, str]] = attrs.Factory(WeakKeyDictionary)

    def read_path(self, path: Path) -> None:
        """Read what stands at a path."""
        sniffed = sniff(path)
        if sniffed.kind is FileKind.FOLDER:
            folder = FolderTree.of_folder(path, limits=self.limits)
            self.budget.bring(sum(folder.sizes.values()))
            self.contents.findings.extend(_links_not_followed(folder))
            self.read_tree(folder, sniffed, depth=1)
        elif sniffed.kind is FileKind.IMAGE_DATABASE:
            self.read_database(read_database_files(path, limits=self.limits, budget=self.budget), name=str(path))
        elif sniffed.kind is FileKind.VIB:
            self.budget.bring(_length_of(path))
            self.read_vib(FolderTree.of_file(path), path.name)
        else:
            self.budget.bring(_length_of(path))
            self._read_archive(path, sniffed, where=str(path))

    def read_file(self, file: SharedFile) -> None:
        """Read a file that the caller opened.

        The end of a zip is read before the beginning, where depots have index and metadata: who fetches
        far ahead then fetches the beginning once.
        """
        self.budget.bring(file.size_bytes)
        archive = self._archive_if_any(file)
        sniffed = sniff_bytes(file.read_at(0, min(HEAD_BYTES, file.size_bytes)))
        tree = FileTree(file)
        if sniffed.kind is FileKind.ZIP and archive is not None:
            self.read_tree(ZipTree(archive), sniffed, depth=1)
        elif sniffed.kind is FileKind.IMAGE_DATABASE:
            with tree.open(tree.name) as stream:
                files = read_archive(stream, where=file.where, limits=self.limits, budget=self.budget)
            self.read_database(required(files, where=file.where), name=file.where)
        elif sniffed.kind is FileKind.VIB:
            self.read_vib(tree, tree.name)
        else:
            self._read_archive(file, sniffed, where=file.where)

    def _archive_if_any(self, file: SharedFile) -> ZipReader | None:
        """Return the file as a zip; None where it is none or a bad one, which is told when it is wanted as one."""
        try:
            return open_zip(file, where=file.where, limits=self.limits, budget=self.budget)
        except EsxImageError:
            return None

    def _read_archive(self, file: Path | SharedFile, sniffed: Sniffed, *, where: str) -> None:
        """Read a zip or a disc, which stays open while bytes may be asked for."""
        if sniffed.kind is FileKind.ZIP:
            reader = self.stack.enter_context(open_zip(file, where=where, limits=self.limits, budget=self.budget))
            self.read_tree(ZipTree(reader), sniffed, depth=1)
        elif sniffed.kind is FileKind.ISO:
            disc = self.stack.enter_context(open_iso(file, where=where, limits=self.limits))
            if not is_installer_disc(disc):
                raise not_a_depot(sniffed, where, found="a disc without image database (IMGDB.TGZ)")
            self.read_disc(disc)
        else:
            raise not_a_depot(sniffed, where)

    def read_tree(self, tree: DepotTree, sniffed: Sniffed, *, depth: int) -> None:
        """Read a depot by its index, else what looks like VIBs and depots one level down."""
        roots = _depot_roots(tree)
        if roots:
            self._read_roots(tree, roots, depth=depth)
            return
        vibs = [path for path in tree.sizes if path.lower().endswith(_VIB_SUFFIX)]
        zips = [path for path in tree.sizes if path.lower().endswith(".zip")]
        for path in vibs:
            with self._gathering():
                self.read_vib(tree, path)
        read_zips = [path for path in zips if self._read_nested(tree, path, depth=depth)]
        if not vibs and not read_zips:
            raise not_a_depot(sniffed, tree.where, found=_listing(tree))

    def _read_roots(self, tree: DepotTree, roots: list[str], *, depth: int) -> None:
        """Read every depot of a tree, and say what stands beside them that no index names."""
        if len(roots) == 1:
            self._read_indexed(tree, roots[0], depth=depth)
        else:
            for root in roots:
                with self._gathering():
                    self._read_indexed(tree, root, depth=depth)
        located = {location.path for _, location in self.contents.vibs if location.tree is tree}
        loose = [path for path in tree.sizes if path.lower().endswith(_VIB_SUFFIX) and path not in located]
        if loose:
            self.contents.findings.append(
                make_finding(
                    "vib-not-indexed",
                    f"{len(loose)} .vib files stand in the depot that its metadata does not describe",
                    items=tuple(sorted(loose)),
                    cause="no vCenter and no host would see them",
                    remedy="open such a file by itself if it is wanted",
                    where=tree.where,
                )
            )

    def _read_nested(self, tree: DepotTree, path: str, *, depth: int) -> bool:
        """Read a zip inside a zip or folder if it is a depot; say whether it was."""
        where = tree.place(path)
        with contextlib.ExitStack() as attempt:
            attempt.callback(self.spool.cut_back, self.spool.size_bytes)
            try:
                self.limits.require_depth(depth + 1, where=where)
                archive = tree.path_of(path) or self._spooled(tree, path)
                reader = attempt.enter_context(
                    open_zip(archive, where=where, limits=self.limits, depth=depth + 1, budget=self.budget)
                )
            except EsxImageError as error:
                self.contents.errors.add(error)
                return True
            nested = ZipTree(reader)
            if not _holds_depot(nested):
                return False
            self.stack.callback(reader.close)
            attempt.pop_all()
        with self._gathering():
            self.read_tree(nested, Sniffed(kind=FileKind.ZIP, advice=""), depth=depth + 1)
        return True

    def _spooled(self, tree: DepotTree, path: str) -> SharedFile:
        """Return a copy of an archive that lies in another; what does not begin as one is not copied."""
        where, size = tree.place(path), tree.sizes[path]
        with tree.open(path) as stream:
            head = stream.read(ZIP_HEAD_BYTES)
            require_zip_signature(head, size_bytes=size, where=where)
            blocks = itertools.chain((head,), iter(lambda: stream.read(COPY_BLOCK_BYTES), b""))
            return self.spool.copy_of(blocks, size_bytes=size, where=where)

    def read_vib(self, tree: DepotTree, path: str) -> None:
        """Describe a ``.vib`` that no metadata describes, by its own descriptor."""
        with tree.open(path) as stream:
            vib = self._described(stream, where=tree.place(path))
        self._locate(vib, tree, path)

    def _described(self, stream: BinaryIO, *, where: str) -> Vib:
        """Return a VIB as its own descriptor describes it; that is metadata like any other."""
        counted = counted_stream(stream, self.budget, where=where)
        head = read_vib_head(counted, where=where, limits=self.limits)
        self.budget.spend(len(head.descriptor) + len(head.signature), where=where)
        self.budget.spend_document(head.descriptor, where=where)
        return head.parse(where=where, limits=self.limits)

    @contextlib.contextmanager
    def _gathering(self) -> Iterator[None]:
        """Keep an error for later, so that one bad document does not hide the next."""
        try:
            yield
        except DepotError as error:
            self.contents.errors.add(error)

    def _read_indexed(self, tree: DepotTree, root: str, *, depth: int) -> None:
        for folder, url in self._metadata_archives(tree, root):
            path = join(folder, url)
            where = tree.place(path)
            if path not in tree.sizes:
                self.contents.findings.append(
                    make_finding(
                        "metadata-missing",
                        f"the depot's index names {url}, which is not there",
                        items=(url,),
                        cause="the archive is incomplete or was packed anew without it",
                        remedy="download the depot again",
                        where=tree.where,
                    )
                )
                continue
            with self._gathering():
                self._read_metadata(tree, path, where=where, folder=folder, depth=depth)

    def _metadata_archives(self, tree: DepotTree, root: str) -> list[tuple[str, str]]:
        """Return folder and address of each metadata zip, each once."""
        found: dict[tuple[str, str], None] = {}
        index = join(root, "index.xml")
        folders_and_indexes = [(root, "vendor-index.xml")]
        if index in tree.sizes:
            vendors = parse_index(
                self._read(tree, index), where=tree.place(index), max_bytes=self.limits.document_bytes
            )
            folders_and_indexes = [(join(root, vendor.relative_path), vendor.index_file) for vendor in vendors]
        for folder, index_file in folders_and_indexes:
            path = join(folder, index_file)
            if path not in tree.sizes:
                found[folder, "metadata.zip"] = None
                continue
            entries = parse_vendor_index(
                self._read(tree, path), where=tree.place(path), max_bytes=self.limits.document_bytes
            )
            found |= dict.fromkeys((folder, entry.url) for entry in entries)
        return list(found)

    def _read(self, tree: DepotTree, path: str) -> bytes:
        data = tree.read(path, budget=self.budget, max_bytes=self.limits.document_bytes)
        self.budget.spend_document(data, where=tree.place(path))
        return data

    def _read_member(self, metadata: ZipReader, name: str, *, where: str) -> bytes:
        data = metadata.read(name, max_bytes=self.limits.document_bytes, budget=self.budget)
        self.budget.spend_document(data, where=where)
        return data

    def _read_metadata(self, tree: DepotTree, path: str, *, where: str, folder: str, depth: int) -> None:
        data = tree.read(path, budget=self.budget, max_bytes=self.limits.metadata_bytes)
        with open_zip(
            io.BytesIO(data), where=where, limits=self.limits, depth=depth + 1, budget=self.budget
        ) as metadata:
            kinds = {name: _document_kind(name) for name in metadata.members}
            for name, kind in kinds.items():
                if kind not in (None, _RESPONSE, _COPY):
                    with self._gathering():
                        self._read_document(metadata, name, str(kind), tree=tree, folder=folder)
            for name in (name for name, kind in kinds.items() if kind == _RESPONSE):
                with self._gathering():
                    self._read_response(metadata, name)
            unread = [name for name, kind in kinds.items() if kind is None]
        if unread:
            self.contents.findings.append(
                make_finding(
                    "metadata-not-read",
                    f"{len(unread)} metadata files are of a kind this library does not read",
                    items=tuple(sorted(unread)),
                    cause="their format is not publicly known, nothing else depends on them",
                    where=where,
                )
            )

    def _read_document(self, metadata: ZipReader, name: str, kind: str, *, tree: DepotTree, folder: str) -> None:
        where = f"{metadata.where}!{name}"
        data = self._read_member(metadata, name, where=where)
        if kind == "vibs":
            vib, lacking = parse_vib_metadata(data, where=where, max_bytes=self.limits.document_bytes)
            self._place_vib(vib, tree, folder, where, lacking)
        else:
            self._take_document(data, kind, where=where)

    def _take_document(self, data: bytes, kind: str, *, where: str) -> None:
        """Parse a bulletin, profile or release unit."""
        bound = self.limits.document_bytes
        if kind == "bulletins":
            self.contents.bulletins.append(parse_bulletin(data, where=where, max_bytes=bound))
        elif kind == "profiles":
            self.contents.profiles.append(parse_image_profile(data, where=where, max_bytes=bound))
        else:
            unit = parse_release_unit(data, where=where, kind=unit_folder_kind(kind), max_bytes=bound)
            self.contents.units.append(unit)

    def _read_response(self, metadata: ZipReader, name: str) -> None:
        """Take the bulletins of ``vmware.xml`` that stand nowhere else."""
        known_ids = {_bulletin_id(bulletin) for bulletin in self.contents.bulletins}
        where = f"{metadata.where}!{name}"
        data = self._read_member(metadata, name, where=where)
        self.contents.bulletins += parse_metadata_response(
            data, where=where, max_bytes=self.limits.document_bytes, known_ids=known_ids
        )

    def read_disc(self, disc: IsoReader) -> None:
        """Read an installer disc by its image database, and by the VIBs that lie whole in its archives."""
        files = read_database(disc, limits=self.limits, budget=self.budget)
        self._take_database(files)
        tree = DiscTree(disc, stack=self.stack, limits=self.limits, budget=self.budget)
        whole = self._read_whole_vibs(tree)
        local_names = local_names_by_vib(self.contents.profiles)
        for vib, head in self._database_vibs(files):
            if whole.get(vib.id) != vib:
                self._locate(vib, tree, tree.add(vib, head, local_names.get(vib.id, {})))
        if not self.contents.errors:
            self._note_not_carried(disc)

    def read_database(self, files: DatabaseFiles, *, name: str) -> None:
        """Read an image database that lies by itself, without the bytes of its VIBs."""
        self._take_database(files)
        tree = DatabaseTree(name)
        for vib, head in self._database_vibs(files):
            self._locate(vib, tree, tree.add(vib, head))

    def _take_database(self, files: DatabaseFiles) -> None:
        """Parse all that an image database holds but its VIBs."""
        for name, data in files.data.items():
            kind = database_kind(name)
            if kind not in ("", "vibs"):
                with self._gathering():
                    self.budget.spend_document(data, where=f"{files.where}{name}")
                    self._take_document(data, kind, where=f"{files.where}{name}")

    def _database_vibs(self, files: DatabaseFiles) -> list[tuple[Vib, VibHead]]:
        """Return each VIB of an image database, by the descriptor that it was signed with."""
        found = []
        for name in (name for name in files.data if database_kind(name) == "vibs"):
            source = f"{name}.orig" if f"{name}.orig" in files.data else name
            head = VibHead(descriptor=files.data[source], signature=files.data.get(f"{name}.sig", b""))
            with self._gathering():
                where = f"{files.where}{source}"
                self.budget.spend_document(head.descriptor, where=where)
                vib = parse_vib_descriptor(head.descriptor, where=where, max_bytes=self.limits.document_bytes)
                found.append((vib, head))
        return found

    def _note_not_carried(self, disc: IsoReader) -> None:
        """Name what components of the disc list and discs of its release cannot carry."""
        held = {vib.id for vib, _ in self.contents.vibs}
        components = (bulletin for bulletin in self.contents.bulletins if isinstance(bulletin, Component))
        absent = {vib_id for component in components for vib_id in component.vib_ids} - held
        for unit in self.contents.units:
            if isinstance(unit, BaseImage):
                self.contents.findings += not_carried(disc, unit.version, absent)

    def _read_whole_vibs(self, tree: DiscTree) -> dict[str, Vib]:
        """Describe the reserved VIBs and those for DPUs by their own descriptors; return them by id."""
        whole: dict[str, Vib] = {}
        for archive in tree.vib_archives:
            with self._gathering():
                for path, stream in tree.walk(archive):
                    with self._gathering():
                        where = tree.place(path)
                        vib = self._described(stream, where=where)
                        self._locate(vib, tree, path)
                        whole[vib.id] = vib
        return whole

    def _locate(self, vib: Vib, tree: DepotTree, path: str) -> None:
        """Take a VIB in of which only the descriptor is known so far."""
        described = vib.with_file(VibFile(size_bytes=tree.sizes[path]))
        self.contents.vibs.append((described, VibLocation(tree, path)))

    def _vib_path(self, vib: Vib, tree: DepotTree, folder: str) -> str | None:
        """Return where the tree holds the VIB: by relative path, else by file name or id."""
        stated = "" if vib.file is None else vib.file.relative_path
        if stated and (path := join(folder, stated)) in tree.sizes:
            return path
        paths = self.paths_by_name.get(tree)
        if paths is None:
            paths = self.paths_by_name[tree] = _paths_by_name(tree)
        found = (paths.get(name) for name in (stated.rpartition("/")[2], f"{vib.id}{_VIB_SUFFIX}") if name)
        return next((path for path in found if path is not None), None)

    def _place_vib(
        self, vib: Vib, tree: DepotTree, folder: str, where: str, lacking: frozenset[str] = frozenset()
    ) -> None:
        path = self._vib_path(vib, tree, folder)
        if path is None:
            self.contents.findings.append(
                make_finding(
                    "vib-file-missing",
                    f"the depot describes {vib.id}, but does not hold it",
                    severity=Severity.WARNING,
                    items=(vib.id,),
                    facts={"vib": vib.id},
                    cause="the archive is incomplete, or a metadata-only download",
                    remedy="open a depot that holds the VIB beside this one",
                    where=where,
                )
            )
            return
        size = None if vib.file is None else vib.file.size_bytes
        if size is not None and tree.sizes[path] != size:
            self.contents.findings.append(
                make_finding(
                    "vib-size-differs",
                    f"{path} has {tree.sizes[path]} bytes, its metadata says {size}",
                    severity=Severity.WARNING,
                    items=(vib.id,),
                    facts={"kind": "vib", "id": vib.id, "differs": "size"},
                    cause="the VIB is cut short or was changed; exporting it will fail",
                    remedy="download the depot again",
                    where=tree.where,
                )
            )
        location = VibLocation(tree, path)
        if lacking:
            vib = self._completed(vib, location, lacking, where)
        self.contents.vibs.append((vib, location))

    def _completed(self, vib: Vib, location: VibLocation, lacking: frozenset[str], where: str) -> Vib:
        """Take what the metadata lacks from the VIB's head; a head that is another's or damaged gives nothing."""
        head = self._head_if_any(location)
        if head is None or not may_state(head.descriptor, lacking):
            return vib
        self.budget.spend(len(head.descriptor) + len(head.signature), where=location.where)
        self.budget.spend_document(head.descriptor, where=location.where)
        try:
            inside = head.parse(where=location.where, limits=self.limits)
        except DepotError:
            return vib  # whoever wants its bytes is told why
        if (inside.vendor, inside.name, inside.version.text) != (vib.vendor, vib.name, vib.version.text):
            return vib
        completed, taken = with_elements_of(vib, inside, lacking)
        if taken:
            self.contents.findings.append(_taken_from_vib(completed, taken, where))
        return completed

    def _head_if_any(self, location: VibLocation) -> VibHead | None:
        """Return the head of a VIB, or None where it cannot be read: whoever wants its bytes is told why."""
        try:
            with location.tree.open(location.path) as stream:
                counted = counted_stream(stream, self.budget, where=location.where)
                return read_vib_head(counted, where=location.where, limits=self.limits)
        except (EsxImageError, OSError):
            return None


def _taken_from_vib(vib: Vib, taken: tuple[str, ...], where: str) -> Finding:
    return make_finding(
        "element-taken-from-vib",
        f"the depot's metadata of {vib.id} lacks {', '.join(taken)}, which the VIB states",
        items=(vib.id,),
        facts={"kind": "vib", "id": vib.id, "elements": ", ".join(taken)},
        cause="the tool that wrote the depot dropped it; what the VIB says counts",
        where=where,
    )


def _bulletin_id(bulletin: Bulletin | Component) -> str:
    return bulletin.bulletin.id if isinstance(bulletin, Component) else bulletin.id


def _depot_roots(tree: DepotTree) -> list[str]:
    """Return the folders that an index stands in, the shallowest first; empty without one."""
    for wanted in ("index.xml", "vendor-index.xml", "metadata.zip"):
        found = [path for path in tree.sizes if PurePosixPath(path).name == wanted]
        if found:
            folders = (path.rpartition("/")[0] for path in found)
            return sorted(folders, key=lambda folder: (folder.count("/") + bool(folder), folder))
    return []


def _holds_depot(tree: DepotTree) -> bool:
    """Tell whether a zip inside another is worth reading: it has an index or VIBs."""
    return bool(_depot_roots(tree)) or any(name.lower().endswith(_VIB_SUFFIX) for name in tree.sizes)


def _document_kind(name: str) -> str | None:
    """Return the folder that says what a document is, or one of the two fixed names; None for others."""
    folder, _, base = name.rpartition("/")
    if base in (_RESPONSE, _COPY):
        return base
    folder = PurePosixPath(folder).name.lower()
    if folder in ("vibs", "bulletins", "profiles") and base.endswith(".xml"):
        return folder
    return folder if unit_folder_kind(folder) is not None and base.lower().endswith(".json") else None


def _paths_by_name(tree: DepotTree) -> dict[str, str]:
    """Return the first path of each file name in the tree."""
    paths: dict[str, str] = {}
    for path in sorted(tree.sizes):
        paths.setdefault(path.rpartition("/")[2], path)
    return paths


def _listing(tree: DepotTree) -> str:
    names = sorted(tree.sizes)[:5]
    return f"{len(tree.sizes)} files: {', '.join(names)}" if names else "no files"
