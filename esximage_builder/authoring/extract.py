"""Taking a VIB apart into a folder, without trusting it.

Rules (docs/vibauthor.md#taking-a-vib-apart):

- every payload is compared with its size and checksum before anything of it is used;
- names are relative and stay below the folder, each once, and nothing lies below a link;
- a link that leads out of the folder, and a set-user-id or set-group-id bit, is refused unless the
  caller trusts the VIB; devices and the like are refused always;
- all is written into a folder of our own beside the target, links last, and modes and dates when all
  is there; then it takes the target's place in one step;
- a folder with files is refused, unless the caller lets files be replaced: then nothing is followed
  that is a link there, other files stay, and all is looked at before the first is replaced.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast, final

import attrs

from esximage_builder.containers.file_tree import StoredEntry, leads_outside, read_tree
from esximage_builder.containers.gzip import gunzip_blocks
from esximage_builder.containers.member_name import SAFE_NAME, name_problem
from esximage_builder.containers.vmtar import EntryKind
from esximage_builder.containers.zstd import unzstd_blocks
from esximage_builder.documents.vib_archive import DESCRIPTOR_NAME, SIGNATURE_NAME, iter_payloads, read_vib_head
from esximage_builder.documents.vib_description import render_vib_description
from esximage_builder.errors import ExportError, SourceUnreadableError, UnsafeArchiveError
from esximage_builder.limits import ReadLimits
from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown
from esximage_builder.streams.blocks import block_stream
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES, hashing_copy
from esximage_builder.streams.identity import input_files, real_path
from esximage_builder.streams.partial import partial_folder
from esximage_builder.streams.room import require_room, writing
from esximage_builder.streams.shared_file import SharedFile
from esximage_builder.streams.target import Target, prepare_folder
from esximage_builder.streams.whole_file import whole_targets
from esximage_builder.verify.checklist import require_kind
from esximage_builder.vocabulary import TARDISK_TYPES, PayloadType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from esximage_builder.documents.vib_archive import VibHead
    from esximage_builder.models.vib import Payload, Vib

__all__ = ["ExtractedVib", "extract_vib"]

_SET_ID = stat.S_ISUID | stat.S_ISGID
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_GZIP_MAGIC = b"\x1f\x8b"
_TRUST_HINT = "if you trust whoever made this VIB, pass --trusted (is_trusted=True)"


@final
@attrs.frozen(kw_only=True, repr=False)
class ExtractedVib(Shown):
    """What was taken out of a VIB.

    Attributes:
        vib: What its descriptor says.
        entries: Paths below the target, in the order of the VIB; folders end in a slash.
        left_out: Names of payloads that hold no tree of files.
    """

    vib: Vib
    entries: tuple[str, ...] = attrs.field(converter=as_tuple)
    left_out: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)


def extract_vib(
    path: str | Path,
    target: str | Path,
    *,
    as_stage: bool = False,
    is_trusted: bool = False,
    overwrite: bool = False,
    limits: ReadLimits | None = None,
) -> ExtractedVib:
    """Write the files of a VIB into a folder, with their modes, dates and links.

    Args:
        path: The ``.vib`` file.
        target: A new or empty folder.
        as_stage: Write what the VIB can be made of again instead: ``descriptor.xml``, the signature if there
            is one, ``vib.toml``, and each payload below ``payloads``, with those that hold no tree.
        is_trusted: Take links that lead out of the folder, and set-user-id and set-group-id bits.
        overwrite: Let the target be a folder with files, and replace those of the same name.
        limits: Upper bounds; None takes the defaults. ``payload_bytes`` bounds all payloads together.

    Returns:
        What was written, and what was left out.

    Raises:
        NotADepotError: The file is no VIB.
        UnsafeArchiveError: Something in it would be a danger; see above.
        ChecksumMismatchError: A payload is not what the descriptor says.
        DepotError: It is damaged, or cannot be read.
        ExportError: Something is in the way at the target, or it cannot be written.
        MissingExtraError: A payload in zstandard form needs the optional extra ``zstd``.
    """
    require_kind(path, FileKind.VIB)
    place = _prepared(Path(target), Path(path), overwrite=overwrite)
    with contextlib.ExitStack() as stack:
        parts = _read(Path(path), limits or ReadLimits(), stack, as_stage=as_stage)
        _require_safe(parts, is_trusted=is_trusted)
        needed = sum(piece.entry.size_bytes for piece in parts.pieces)
        require_room(place, needed)
        with writing(place, needed):
            if place.overwrite:
                _replace_in(place, parts)
            else:
                with whole_targets() as targets:
                    _write_tree(targets.folder(place, size_bytes=needed), parts.pieces)
    entries = [f"{piece.entry.name}/" if _is_folder(piece.entry) else piece.entry.name for piece in parts.pieces]
    return ExtractedVib(vib=parts.vib, entries=entries, left_out=parts.left_out)


def _prepared(target: Path, source: Path, *, overwrite: bool) -> Target:
    """Return the target; it is to be merged into, if it says ``overwrite``."""
    inputs = input_files([source], most=1)
    if not (overwrite and _holds_files(target)):
        return prepare_folder(target, inputs=inputs)
    path = real_path(target)
    return Target(named=target, path=path, inputs=inputs, overwrite=True, is_folder=True)


def _holds_files(target: Path) -> bool:
    """Tell whether it is a folder with files; what cannot be looked into is left to whoever says why."""
    try:
        return target.is_dir() and not target.is_symlink() and any(target.iterdir())
    except (OSError, ValueError):
        return False


# Reading


@final
@attrs.frozen(kw_only=True)
class _Piece:
    """An entry to write, the open file that its data is in, and what its name has before that in the payload."""

    entry: StoredEntry
    file: BinaryIO
    where: str
    prefix: str = ""


@final
@attrs.frozen(kw_only=True)
class _Parts:
    vib: Vib
    pieces: list[_Piece]
    left_out: list[str]


def _read(path: Path, limits: ReadLimits, stack: contextlib.ExitStack, *, as_stage: bool) -> _Parts:
    """Unpack all payloads into temporary files, which the stack closes, and list what is in them."""
    where = str(path)
    file = stack.enter_context(contextlib.closing(SharedFile(path, where=where, noun="VIB")))
    head = read_vib_head(_stream(file), where=where, limits=limits)
    vib = head.parse(where=where, limits=limits)
    reader = _Reader(where=where, limits=limits, stack=stack)
    parts = _Parts(vib=vib, pieces=[], left_out=[])
    if as_stage:
        parts.pieces.extend(_stage_documents(head, vib, stack, where))
    for payload, stream, size_bytes in iter_payloads(_stream(file), vib, where=where, limits=limits):
        checked = reader.checked(payload, stream, size_bytes)
        if payload.type in TARDISK_TYPES:
            parts.pieces.extend(reader.tree_of(payload, checked, f"payloads/{payload.name}" if as_stage else ""))
        elif as_stage:
            parts.pieces.append(reader.single(payload, checked))
        else:
            parts.left_out.append(payload.name)
    return parts


def _stream(file: SharedFile) -> BinaryIO:
    steps = range(0, file.size_bytes, COPY_BLOCK_BYTES)
    return block_stream(file.read_at(at, min(COPY_BLOCK_BYTES, file.size_bytes - at)) for at in steps)


@final
class _Reader:
    """Unpacks payloads; all together may be as large as one."""

    def __init__(self, *, where: str, limits: ReadLimits, stack: contextlib.ExitStack) -> None:
        self._where = where
        self._limits = limits
        self._stack = stack
        self._left_bytes = limits.payload_bytes

    def checked(self, payload: Payload, stream: BinaryIO, size_bytes: int) -> BinaryIO:
        """Return a copy of a payload that is what the descriptor says."""
        place = self._place(payload)
        if problem := name_problem(payload.name):
            raise UnsafeArchiveError(f"the name of a payload {problem}", where=place, expected=SAFE_NAME)
        copy = self._temporary()
        with _temporary_writing(place):
            stated = payload.size_bytes if payload.size_bytes is not None else size_bytes
            hashing_copy(stream, copy, checksums=payload.checksums, size_bytes=stated, where=place)
            copy.seek(0)
        return copy

    def tree_of(self, payload: Payload, checked: BinaryIO, folder: str) -> list[_Piece]:
        """Return the entries of a payload, below a folder; the folder itself comes first."""
        place = self._place(payload)
        expanded = self._expanded(payload, checked, place)
        limits = attrs.evolve(self._limits, payload_bytes=max(self._left_bytes, expanded.seek(0, os.SEEK_END)))
        expanded.seek(0)
        entries = read_tree(expanded, where=place, limits=limits)
        if folder:
            entries = (_folder(folder), *(attrs.evolve(entry, name=f"{folder}/{entry.name}") for entry in entries))
        prefix = f"{folder}/" if folder else ""
        return [_Piece(entry=entry, file=expanded, where=place, prefix=prefix) for entry in entries]

    def single(self, payload: Payload, checked: BinaryIO) -> _Piece:
        """Return a payload as a file; a boot module as it was before it was packed."""
        place = self._place(payload)
        is_packed = payload.type == PayloadType.BOOT and checked.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        checked.seek(0)
        file = self._expanded(payload, checked, place) if is_packed else checked
        return _file(f"payloads/{payload.name}", file, place)

    def _expanded(self, payload: Payload, checked: BinaryIO, place: str) -> BinaryIO:
        blocks = gunzip_blocks(checked, where=place, max_bytes=self._left_bytes)
        if payload.type == PayloadType.VZSTD:
            blocks = unzstd_blocks(blocks, where=place, max_bytes=self._left_bytes)
        expanded = self._temporary()
        for block in blocks:
            with _temporary_writing(place):
                expanded.write(block)
            self._left_bytes -= len(block)
        expanded.seek(0)
        return expanded

    def _temporary(self) -> BinaryIO:
        with _temporary_writing(self._where):
            return cast("BinaryIO", self._stack.enter_context(tempfile.TemporaryFile()))

    def _place(self, payload: Payload) -> str:
        return f"{self._where}!{payload.name}"


@contextlib.contextmanager
def _temporary_writing(where: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceUnreadableError(
            f"the payload cannot be unpacked to a temporary file: {error.strerror or error}",
            where=where,
            hint=f"make room in {tempfile.gettempdir()}, or set TMPDIR to another folder",
        ) from error


def _stage_documents(head: VibHead, vib: Vib, stack: contextlib.ExitStack, where: str) -> Iterator[_Piece]:
    documents = {DESCRIPTOR_NAME: head.descriptor, "vib.toml": render_vib_description(vib)}
    if head.is_signed:
        documents[SIGNATURE_NAME] = head.signature
    for name, data in documents.items():
        file = cast("BinaryIO", stack.enter_context(tempfile.TemporaryFile()))  # noqa: SIM115
        file.write(data)
        yield _file(name, file, where)
    yield _Piece(entry=_folder("payloads"), file=file, where=where)


def _folder(name: str) -> StoredEntry:
    return StoredEntry(name=name, kind=EntryKind.FOLDER, mode=0o755, mtime=0, target="", offset=0, size_bytes=0)


def _file(name: str, file: BinaryIO, where: str) -> _Piece:
    size_bytes = file.seek(0, os.SEEK_END)
    entry = StoredEntry(name=name, kind=EntryKind.FILE, mode=0o644, mtime=0, target="", offset=0, size_bytes=size_bytes)
    return _Piece(entry=entry, file=file, where=where)


# Judging


def _require_safe(parts: _Parts, *, is_trusted: bool) -> None:
    kinds: dict[str, EntryKind] = {}
    for piece in parts.pieces:
        entry = piece.entry
        if entry.name in kinds and not (kinds[entry.name] is entry.kind is EntryKind.FOLDER):
            raise UnsafeArchiveError(
                "two payloads have something of one name",
                where=f"{piece.where}!{entry.name}",
                found=repr(entry.name),
                expected="each name once",
                hint="take the VIB apart with --stage (as_stage=True), each payload in a folder of its own",
            )
        kinds[entry.name] = entry.kind
        if not is_trusted:
            _require_harmless(piece)
    for piece in parts.pieces:
        _require_folders_above(piece, kinds)


def _require_folders_above(piece: _Piece, kinds: Mapping[str, EntryKind]) -> None:
    for above in list(PurePosixPath(piece.entry.name).parents)[:-1]:
        if kinds.get(str(above), EntryKind.FOLDER) is not EntryKind.FOLDER:
            raise UnsafeArchiveError(
                "an entry lies below what is no folder",
                where=f"{piece.where}!{piece.entry.name}",
                found=f"a {kinds[str(above)].value} {str(above)!r}, of another payload",
                expected="folders alone with something below them",
            )


def _require_harmless(piece: _Piece) -> None:
    entry = piece.entry
    if entry.kind is EntryKind.LINK and leads_outside(entry.name.removeprefix(piece.prefix), entry.target):
        raise _unsafe(piece, "a link leads out of the folder", entry.target)
    if entry.kind is not EntryKind.LINK and entry.mode & _SET_ID:
        raise _unsafe(piece, "a file would run as another user", f"mode {entry.mode:#o}")


def _unsafe(piece: _Piece, message: str, found: str) -> UnsafeArchiveError:
    return UnsafeArchiveError(message, where=f"{piece.where}!{piece.entry.name}", found=repr(found), hint=_TRUST_HINT)


def _is_folder(entry: StoredEntry) -> bool:
    return entry.kind is EntryKind.FOLDER


# Writing


def _write_tree(root: Path, pieces: Iterable[_Piece]) -> None:
    """Write into a folder of our own: folders and files, then links, then modes and dates from below."""
    listed = list(pieces)
    for piece in listed:
        path = root / piece.entry.name
        if _is_folder(piece.entry):
            path.mkdir(parents=True, exist_ok=True)
        elif piece.entry.kind is EntryKind.FILE:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_file(path, piece)
    for piece in listed:
        if piece.entry.kind is EntryKind.LINK:
            path = root / piece.entry.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(piece.entry.target)
    for piece in sorted(listed, key=lambda piece: piece.entry.name.count("/"), reverse=True):
        _set_mode(root / piece.entry.name, piece.entry)


def _write_file(path: Path, piece: _Piece) -> None:
    piece.file.seek(piece.entry.offset)
    left = piece.entry.size_bytes
    with os.fdopen(os.open(path, _NEW_FILE, 0o600), "wb") as file:
        while left and (block := piece.file.read(min(left, COPY_BLOCK_BYTES))):
            file.write(block)
            left -= len(block)


def _set_mode(path: Path, entry: StoredEntry) -> None:
    follows = entry.kind is not EntryKind.LINK
    if follows:
        path.chmod(entry.mode)
    if follows or os.utime in os.supports_follow_symlinks:
        os.utime(path, (entry.mtime, entry.mtime), follow_symlinks=follows)


def _replace_in(place: Target, parts: _Parts) -> None:
    """Write beside the target, look at all that is in the way, then move file by file."""
    entries = [piece.entry for piece in parts.pieces]
    _require_way(place, entries)
    with partial_folder(place.path) as partial:
        tree = partial / "tree"
        tree.mkdir()
        _write_tree(tree, [piece for piece in parts.pieces if not _is_folder(piece.entry)])
        _require_way(place, entries)
        for entry in entries:
            path = place.path / entry.name
            if _is_folder(entry):
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                (tree / entry.name).replace(path)
        for entry in sorted(filter(_is_folder, entries), key=lambda entry: entry.name.count("/"), reverse=True):
            _set_mode(place.path / entry.name, entry)
        shutil.rmtree(tree)


def _require_way(place: Target, entries: Iterable[StoredEntry]) -> None:
    for entry in entries:
        path = place.path
        *folders, last = entry.name.split("/")
        for name in folders:
            path /= name
            _require_at(place, path, is_folder=True)
        _require_at(place, path / last, is_folder=_is_folder(entry))


def _require_at(place: Target, path: Path, *, is_folder: bool) -> None:
    """Refuse what is not a folder where one is needed, or is where a file shall stand; or is read."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    is_read = any(os.path.samestat(found, opened) for opened in place.inputs.values())
    is_in_the_way = is_read or stat.S_ISDIR(found.st_mode) != is_folder
    if is_in_the_way or not (is_folder or stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        raise ExportError(
            "something is in the way",
            where=str(path),
            found="the file that is read" if is_read else stat.filemode(found.st_mode),
            expected="a folder" if is_folder else "nothing, a file or a link",
            hint="name another folder, or take it away first",
        )
