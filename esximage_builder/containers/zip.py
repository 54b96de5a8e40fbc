"""Zip archives in: reading ones of unknown origin; ``containers.zip_writer`` writes them.

The directory is parsed here, not by the standard library's ``zipfile``, so that every
CPython version accepts the same files and nothing is built before it was bounded.
Rules:

- one truth only: the end record must close the file, the directory must end where the
  record says, and a member's own header must agree with the directory;
- names are relative paths that mean the same on every system, unique when case-folded;
- members lie apart; links, devices, encryption and other methods than stored and
  deflated are refused;
- no more bytes come out of a member than the directory announces, and the last of them
  only after length and CRC-32 were right.

Not done here: extracting to a file system, appending, split archives.

Source:
    PKWARE APPNOTE 6.3.10 (record layouts, zip64); depot zips: docs/formats.md.
"""

from __future__ import annotations

import io
import stat
import struct
import zlib
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Self, final

import attrs

from esximage_builder.containers.member_name import SAFE_NAME, name_problem
from esximage_builder.containers.zip_records import (
    CENTRAL_MAGIC,
    DIRECTORY_RECORD,
    DOWNLOAD_AGAIN,
    END64_MAGIC,
    END64_RECORD,
    END_MAGIC,
    END_RECORD,
    FLAG_UTF8,
    LOCAL_HEADER,
    LOCAL_MAGIC,
    LOCATOR64_MAGIC,
    LOCATOR64_RECORD,
    MAX16,
    MAX32,
    METHOD_DEFLATED,
    METHOD_STORED,
    ZIP64_EXTRA,
    EndRecord,
    ZipMember,
    require_crc,
    wrong_size,
)
from esximage_builder.errors import (
    LimitExceededError,
    MalformedDocumentError,
    NotInDepotError,
    UnsafeArchiveError,
)
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES
from esximage_builder.streams.inflating import INFLATE_ERRORS, crc32_of, new_inflater
from esximage_builder.streams.shared_file import SharedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from _typeshed import WriteableBuffer

    from esximage_builder.limits import ReadBudget, ReadLimits
    from esximage_builder.streams.plain_file import FileBelow

__all__ = ["ZIP_HEAD_BYTES", "ZipReader", "open_zip", "require_zip_signature"]

ZIP_HEAD_BYTES = 24
"""What tells an archive from something else, and is shown of the latter."""

_FLAG_DESCRIPTOR = 0x0008
_FLAG_PATCH = 0x0020
_DESCRIPTOR_MAGIC = b"PK\x07\x08"
_UNICODE_PATH_EXTRA = 0x7075
_MOST_BEHIND_BYTES = 28
"""A descriptor in its longest form, and the mark of a header."""
_FLAGS_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
# A longer directory is a bomb of names, extra fields and comments.
_DIRECTORY_BYTES_PER_MEMBER = 1024
_DIRECTORY_BYTES_FREE = 256 * 1024
# Plain bytes handed out at once, however well a block was compressed.
_PLAIN_PIECE_BYTES = 1024 * 1024
# And at first: very many may want the beginning of a member only.
_FIRST_PIECE_BYTES = 64 * 1024
_STREAM_BUFFER_BYTES = 64 * 1024


@final
@attrs.define
class _Entry:
    """A member with what is needed to check its own header; ``end`` is where the next thing starts."""

    member: ZipMember
    raw_name: bytes
    flags: int
    end: int = 0


def _cut_short(where: str, *, found: str, is_certain: bool = True) -> MalformedDocumentError:
    message = "the zip archive is cut short"
    return MalformedDocumentError(
        message if is_certain else f"{message}, or something was put before or behind it",
        where=where,
        found=found,
        expected="an archive that is closed by its end record",
        hint="the download was probably interrupted: download the file again",
    )


def _malformed(message: str, *, where: str, found: str = "", expected: str = "") -> MalformedDocumentError:
    return MalformedDocumentError(message, where=where, found=found, expected=expected, hint=DOWNLOAD_AGAIN)


def _unsafe(message: str, *, where: str, found: str = "", expected: str = "") -> UnsafeArchiveError:
    hint = "do not use this file; get it again from where it is published"
    return UnsafeArchiveError(message, where=where, found=found, expected=expected, hint=hint)


def require_zip_signature(head: bytes, *, size_bytes: int, where: str) -> None:
    """Refuse what does not begin as an archive does, before more of it is read.

    Raises:
        MalformedDocumentError: No zip archive.
    """
    if not head.startswith((LOCAL_MAGIC, END_MAGIC)):
        raise _no_zip(head, size_bytes=size_bytes, where=where)


def _no_end_record(source: SharedFile) -> MalformedDocumentError:
    head = source.read_at(0, min(source.size_bytes, ZIP_HEAD_BYTES))
    if head.startswith(b"PK"):
        return _cut_short(source.where, found=f"{source.size_bytes} bytes without an end record")
    return _no_zip(head, size_bytes=source.size_bytes, where=source.where)


def _no_zip(head: bytes, *, size_bytes: int, where: str) -> MalformedDocumentError:
    hint = "check that the right file was given and that it was downloaded completely"
    if head.startswith(b"version https://git-lfs"):
        hint = "this is a Git LFS pointer, not the file: fetch the file itself with 'git lfs pull'"
    return MalformedDocumentError(
        "this is no zip archive",
        where=where,
        found=f"{size_bytes} bytes beginning with {head!r}" if head else "an empty file",
        expected="a zip archive",
        hint=hint,
    )


def _read_end(source: SharedFile) -> EndRecord:
    """Find the end record, which must be the last thing in the file but for its comment."""
    tail_offset = max(0, source.size_bytes - END_RECORD.size - MAX16)
    tail = source.read_at(tail_offset, source.size_bytes - tail_offset)
    at = len(tail) - END_RECORD.size
    if tail[at : at + 4] != END_MAGIC or tail[-2:] != b"\0\0":
        at = tail.rfind(END_MAGIC)
    if at < 0:
        raise _no_end_record(source)
    if at + END_RECORD.size > len(tail):
        raise _cut_short(source.where, found="a part of the end record")
    _, disk, directory_disk, count_here, count, size_bytes, offset, comment_bytes = END_RECORD.unpack_from(tail, at)
    if at + END_RECORD.size + comment_bytes != len(tail):
        found = f"an end record {len(tail) - at} bytes before the end, with a comment of {comment_bytes} bytes"
        raise _cut_short(source.where, found=found, is_certain=False)
    end, directory_end = EndRecord(count, size_bytes, offset), tail_offset + at
    locator = b""
    if directory_end >= LOCATOR64_RECORD.size:
        locator = source.read_at(directory_end - LOCATOR64_RECORD.size, LOCATOR64_RECORD.size)
    if locator.startswith(LOCATOR64_MAGIC):
        end, directory_end = _read_end64(source, locator, end=end, locator_at=directory_end - LOCATOR64_RECORD.size)
    elif (disk, directory_disk) != (0, 0) or count_here != count:
        raise _malformed("split zip archives are not supported", where=source.where, found=f"part {disk + 1}")
    if end.offset + end.size_bytes != directory_end:
        found = f"a directory that ends at {end.offset + end.size_bytes}, but stands before {directory_end}"
        raise _cut_short(source.where, found=found, is_certain=False)
    return end


def _read_end64(source: SharedFile, locator: bytes, *, end: EndRecord, locator_at: int) -> tuple[EndRecord, int]:
    """Return what the zip64 end record says, and where that record starts."""
    _, _, at, disks = LOCATOR64_RECORD.unpack(locator)
    if at + END64_RECORD.size > locator_at or disks > 1:
        raise _malformed("the zip64 locator points nowhere", where=source.where, found=f"offset {at}")
    fields = END64_RECORD.unpack(source.read_at(at, END64_RECORD.size))
    magic, record_bytes, _, _, disk, directory_disk, count_here, count, size_bytes, offset = fields
    if magic != END64_MAGIC or at + 12 + record_bytes != locator_at:
        raise _malformed("the zip64 end record is damaged", where=source.where, found=f"offset {at}")
    wide = EndRecord(count, size_bytes, offset)
    ceilings = (MAX16, MAX32, MAX32)
    agrees = all(short in (long, ceiling) for short, long, ceiling in zip(end, wide, ceilings, strict=True))
    if not agrees or (disk, directory_disk) != (0, 0) or count_here != count:
        raise _malformed("the two end records contradict each other", where=source.where)
    return wide, at


def _read_directory(source: SharedFile, *, limits: ReadLimits, budget: ReadBudget | None) -> dict[str, _Entry]:
    """Parse and check the whole directory; folders take part in the checks and are then dropped."""
    where = source.where
    end = _read_end(source)
    if end.member_count > limits.member_count:
        raise LimitExceededError(
            "the archive has more members than the limit",
            where=where,
            found=f"{end.member_count} members",
            expected=f"at most {limits.member_count} members",
            hint="if the file is trusted, pass ReadLimits(member_count=...) with a larger value",
        )
    if end.size_bytes > _DIRECTORY_BYTES_FREE + end.member_count * _DIRECTORY_BYTES_PER_MEMBER:
        raise LimitExceededError(
            "the directory of the archive is larger than its members explain",
            where=where,
            found=f"{end.size_bytes} bytes for {end.member_count} members",
            expected=f"at most {_DIRECTORY_BYTES_PER_MEMBER} bytes for each",
        )
    if budget is not None:
        budget.spend_members(end.member_count, where=where)
    directory = source.read_at(end.offset, end.size_bytes)
    entries: list[_Entry] = []
    at = 0
    for _ in range(end.member_count):
        entry, at = _entry_at(directory, at, where=where)
        entries.append(entry)
    if at != len(directory):
        found = f"{len(directory) - at} bytes more"
        raise _malformed(
            "the directory has more than its members", where=where, found=found, expected=f"{end.member_count} members"
        )
    _require_unique(entries, where=where)
    _set_ends(entries, directory_offset=end.offset, where=where)
    return {entry.member.name: entry for entry in entries if not entry.member.name.endswith("/")}


def _entry_at(directory: bytes, at: int, *, where: str) -> tuple[_Entry, int]:
    """Parse one entry of the directory; return it with the position behind it."""
    if at + DIRECTORY_RECORD.size > len(directory):
        raise _malformed("the directory has fewer members than it says", where=where)
    (
        magic, _, _, flags, method, _, _, crc32, compressed_bytes, size_bytes,
        name_bytes, extra_bytes, comment_bytes, disk, _, attributes, header_offset,
    ) = DIRECTORY_RECORD.unpack_from(directory, at)  # fmt: skip
    name_at = at + DIRECTORY_RECORD.size
    extra_at = name_at + name_bytes
    comment_at = extra_at + extra_bytes
    if magic != CENTRAL_MAGIC or comment_at + comment_bytes > len(directory):
        raise _malformed("the directory is damaged", where=where, found=f"byte {at} of the directory")
    raw_name = directory[name_at:extra_at]
    try:  # ASCII is the same in both, and UTF-8 decodes it much faster
        name = raw_name.decode("utf-8" if flags & FLAG_UTF8 or raw_name.isascii() else "cp437")
    except UnicodeDecodeError as error:
        raise _malformed("a member's name is not UTF-8", where=where, found=repr(raw_name)) from error
    if MAX32 in (size_bytes, compressed_bytes, header_offset):
        size_bytes, compressed_bytes, header_offset = _wide_values(
            (size_bytes, compressed_bytes, header_offset),
            extra=directory[extra_at:comment_at],
            where=where,
        )
    member = ZipMember(
        name=name,
        size_bytes=size_bytes,
        compressed_bytes=compressed_bytes,
        crc32=crc32,
        method=method,
        header_offset=header_offset,
    )
    if disk:
        raise _malformed("split zip archives are not supported", where=where, found=f"part {disk + 1}")
    _require_plain(member, flags=flags, mode=attributes >> 16, where=where)
    return _Entry(member, raw_name, flags), comment_at + comment_bytes


def _wide_values(values: tuple[int, int, int], *, extra: bytes, where: str) -> list[int]:
    """Replace the values that are at their ceiling by those of the zip64 extra field."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == ZIP64_EXTRA:
            field = extra[at + 4 : at + 4 + length]
            wide = iter(struct.unpack_from(f"<{len(field) // 8}Q", field))
            found = [next(wide, None) if value == MAX32 else value for value in values]
            if None not in found:
                return [value for value in found if value is not None]
            break
        at += 4 + length
    raise _malformed("the zip64 sizes of a member are missing", where=where)


def _require_plain(member: ZipMember, *, flags: int, mode: int, where: str) -> None:
    """Refuse what is no ordinary file or folder with an ordinary name."""
    name = member.name
    is_folder = name.endswith("/")
    if problem := name_problem(name[:-1] if is_folder else name, is_printable=False):
        message = f"a member's name is not allowed: it {problem}"
        raise _unsafe(message, where=where, found=repr(name), expected=SAFE_NAME)
    where = f"{where}!{name}"
    if flags & _FLAGS_ENCRYPTED:
        raise UnsafeArchiveError(
            "a member is encrypted", where=where, hint="unpack it with its password and pack it again without"
        )
    kind = stat.S_IFMT(mode)
    if kind not in ((0, stat.S_IFREG, stat.S_IFDIR) if is_folder else (0, stat.S_IFREG)):
        raise _unsafe("a member is no regular file", where=where, found=f"mode {mode:#o}")
    if is_folder and member.size_bytes:
        raise _unsafe("a folder has contents of its own", where=where, found=f"{member.size_bytes} bytes")
    if member.method not in (METHOD_STORED, METHOD_DEFLATED) or flags & _FLAG_PATCH:
        raise MalformedDocumentError(
            "a member is packed by a method that is not supported",
            where=where,
            found=f"method {member.method}, flags {flags:#06x}",
            expected="method 0 (stored) or 8 (deflated)",
            hint="unpack the archive and pack it again with deflate",
        )
    if member.method == METHOD_STORED and member.size_bytes != member.compressed_bytes:
        found = f"{member.compressed_bytes} bytes stored for {member.size_bytes}"
        raise _malformed("the two sizes of a stored member differ", where=where, found=found)


def _require_unique(entries: list[_Entry], *, where: str) -> None:
    seen: set[str] = set()
    for entry in entries:
        name = entry.member.name
        key = name.removesuffix("/").casefold()
        if key in seen:
            message = "two members have the same name, upper and lower case aside"
            raise _unsafe(message, where=f"{where}!{name}", found=repr(name))
        seen.add(key)


def _set_ends(entries: list[_Entry], *, directory_offset: int, where: str) -> None:
    """Tell each entry where the next thing starts, and refuse those that reach beyond.

    A header's extra field has its length only in the header itself, so it is counted when
    the member is read; a look into every header here would cost a seek for each.
    """
    end = directory_offset
    for entry in sorted(entries, key=lambda entry: entry.member.header_offset, reverse=True):
        start = entry.member.header_offset
        entry.end = end
        if start + LOCAL_HEADER.size + len(entry.raw_name) + entry.member.compressed_bytes > end:
            raise _overlap(entry, where=f"{where}!{entry.member.name}")
        end = start


def _overlap(entry: _Entry, *, where: str) -> UnsafeArchiveError:
    start, size_bytes = entry.member.header_offset, entry.member.compressed_bytes
    found = f"{size_bytes} packed bytes behind a header at {start}, but something else starts at {entry.end}"
    return _unsafe("a member overlaps what follows it", where=where, found=found)


def _own_header(head: bytes, entry: _Entry, *, where: str) -> tuple[int, bool]:
    """Check a member's own header against the directory.

    Returns:
        How long it is, in bytes; and whether checksum and sizes follow the member once more, as its own
        header says, which is all that who reads from front to end goes by.
    """
    member = entry.member
    (
        magic, _, flags, method, _, _, crc32, compressed_bytes, size_bytes, name_bytes, extra_bytes,
    ) = LOCAL_HEADER.unpack_from(head)  # fmt: skip
    if magic != LOCAL_MAGIC:
        raise _malformed("a member has no header", where=where, found=repr(magic), expected=repr(LOCAL_MAGIC))
    length: int = LOCAL_HEADER.size + name_bytes + extra_bytes
    own_name = head[LOCAL_HEADER.size : LOCAL_HEADER.size + name_bytes]
    extra = head[LOCAL_HEADER.size + name_bytes : length]
    meaning = _FLAGS_ENCRYPTED if own_name.isascii() else _FLAGS_ENCRYPTED | FLAG_UTF8
    _require_same(own_name, entry.raw_name, where=where)
    _require_same(method, member.method, where=where)
    _require_same(flags & meaning, entry.flags & meaning, where=where)
    if MAX32 in (size_bytes, compressed_bytes) and ZIP64_EXTRA in _extra_kinds(extra):
        size_bytes, compressed_bytes, _ = _wide_values((size_bytes, compressed_bytes, 0), extra=extra, where=where)
    has_descriptor = bool(flags & _FLAG_DESCRIPTOR)
    values = (crc32, compressed_bytes, size_bytes)
    for own, listed in zip(values, (member.crc32, member.compressed_bytes, member.size_bytes), strict=True):
        if own or not has_descriptor:  # those that follow may be left at zero here
            _require_same(own, listed, where=where)
    if _UNICODE_PATH_EXTRA in _extra_kinds(extra):
        raise _unsafe("a member's own header has a second name", where=where, found="a Unicode path extra field")
    if member.header_offset + length + member.compressed_bytes > entry.end:
        raise _overlap(entry, where=where)
    return length, has_descriptor


def _require_same(own: object, listed: object, *, where: str) -> None:
    if own != listed:
        message = "a member's own header contradicts the directory"
        raise _unsafe(message, where=where, found=repr(own), expected=repr(listed))


def _extra_kinds(extra: bytes) -> list[int]:
    kinds, at = [], 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        kinds.append(kind)
        at += 4 + length
    return kinds


def _check_what_follows(rest: bytes, entry: _Entry, *, has_descriptor: bool, where: str) -> None:
    """Check what stands between a member and the next thing, as who reads from front to end takes it.

    Args:
        rest: The first bytes of it.
        entry: The member.
        has_descriptor: Whether its checksum and sizes follow it, with or without a mark, in short or in long form.
        where: How to name it.
    """
    member = entry.member
    if has_descriptor:
        values = (member.crc32, member.compressed_bytes, member.size_bytes)
        forms = [
            mark + struct.pack(form, *values)
            for mark in (_DESCRIPTOR_MAGIC, b"")
            for form in ("<L2Q", "<3L")
            if form == "<L2Q" or max(values) <= MAX32
        ]
        descriptor = next((form for form in forms if rest.startswith(form)), None)
        if descriptor is None:
            message = "what follows a member contradicts the directory"
            raise _unsafe(message, where=where, found=rest[:16].hex(" "), expected=forms[-1].hex(" "))
        rest = rest[len(descriptor) :]
    if rest.startswith(LOCAL_MAGIC):
        raise _unsafe("behind a member stands another that the directory does not list", where=where)


def _raw_blocks(source: SharedFile, entry: _Entry, *, where: str) -> Iterator[bytes]:
    """Yield the bytes of a member as stored; its header and first block come with one read."""
    member = entry.member
    at = member.header_offset
    head = source.read_at(at, min(entry.end - at, COPY_BLOCK_BYTES))
    at += len(head)
    start, has_descriptor = _own_header(head, entry, where=where)
    left = member.compressed_bytes
    behind = member.header_offset + start + left
    block = head[start : start + left]
    while block:
        yield block
        left -= len(block)
        block = source.read_at(at, min(left, COPY_BLOCK_BYTES)) if left else b""
        at += len(block)
    if has_descriptor or behind < entry.end:
        rest = source.read_at(behind, min(entry.end - behind, _MOST_BEHIND_BYTES))
        _check_what_follows(rest, entry, has_descriptor=has_descriptor, where=where)


def _inflated(raw_blocks: Iterable[bytes], *, size_bytes: int, where: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield raw blocks with what they inflate to; a block that swells is followed by more with no raw bytes."""
    inflater = new_inflater(-zlib.MAX_WBITS)
    left, piece_bytes = size_bytes, _FIRST_PIECE_BYTES
    for block in raw_blocks:
        raw, pending, is_swelling = block, block, True
        while is_swelling:
            most = min(piece_bytes, left + 1)
            piece_bytes = min(piece_bytes * 4, _PLAIN_PIECE_BYTES)
            try:
                plain = inflater.decompress(pending, most)
            except INFLATE_ERRORS as error:
                raise _malformed("a member's deflate stream is damaged", where=where, found=str(error)) from error
            left -= len(plain)
            if left < 0:
                raise wrong_size(where, found=f"more than {size_bytes} bytes", expected=f"{size_bytes} bytes")
            if inflater.unused_data:
                raise _malformed("a member has bytes behind its deflate stream", where=where)
            yield raw, plain
            raw, pending = b"", inflater.unconsumed_tail
            is_swelling = bool(pending) or len(plain) == most
    if not inflater.eof:
        raise _malformed("a member's deflate stream has no end", where=where)
    if left:
        raise wrong_size(where, found=f"{size_bytes - left} bytes", expected=f"{size_bytes} bytes")


def _checked_pairs(source: SharedFile, entry: _Entry, *, where: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield pairs of raw and plain bytes; fails instead of ending if length or CRC-32 are wrong."""
    member = entry.member
    blocks = _raw_blocks(source, entry, where=where)
    pairs: Iterable[tuple[bytes, bytes]] = ((block, block) for block in blocks)
    if member.method == METHOD_DEFLATED:
        pairs = _inflated(blocks, size_bytes=member.size_bytes, where=where)
    crc32 = 0
    for raw, plain in pairs:
        crc32 = crc32_of(plain, crc32)
        yield raw, plain
    require_crc(crc32, member.crc32, where=where)


@final
class _PlainStream(io.RawIOBase):
    """The plain bytes of a member; the last of them are handed out only after the checks."""

    def __init__(self, pairs: Iterator[tuple[bytes, bytes]], *, size_bytes: int, where: str) -> None:
        super().__init__()
        self._pairs = pairs
        self._left = size_bytes
        self._where = where
        self._block = memoryview(b"")
        self._has_failed = False

    def readable(self) -> bool:
        """Return True, as ``io`` wants it."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer with what is at hand, at least one byte unless at the end."""
        target = memoryview(buffer).cast("B")
        while not self._block:
            block = self._next_block()
            if block is None:
                return 0
            self._block = memoryview(block)
        count = min(len(target), len(self._block))
        target[:count] = self._block[:count]
        self._block = self._block[count:]
        return count

    def _next_block(self) -> bytes | None:
        """Return more plain bytes, or None at the end; a stream that failed once keeps failing."""
        if self._has_failed:
            raise _malformed("an earlier read of this member failed", where=self._where)
        self._has_failed = True
        _, plain = next(self._pairs, (b"", None))
        self._left -= len(plain or b"")
        if not self._left:
            for _ in self._pairs:  # the checks stand at the end
                pass
        self._has_failed = False
        return plain


@final
class ZipReader:
    """An open archive, made by ``open_zip``; a context manager.

    Streams and block iterators of one reader may be used interleaved and from several
    threads: each has its own position. The file need not stay open meanwhile: see ``shared_file``.

    Attributes:
        where: How errors name the archive.
        members: The regular files by name, in the order of the directory; folders are left out.
    """

    def __init__(self, source: SharedFile, entries: dict[str, _Entry]) -> None:
        self.where = source.where
        self.members: Mapping[str, ZipMember] = MappingProxyType(
            {name: entry.member for name, entry in entries.items()}
        )
        self._source = source
        self._entries = entries

    def open(self, name: str) -> BinaryIO:
        """Open a member for reading; the stream cannot seek and need not be closed.

        The read that would hand out the last byte fails if length or CRC-32 are wrong, so
        that wrong bytes never count as whole. No more than ``size_bytes`` come out.

        Raises:
            NotInDepotError: No such member.

        Its reads raise:
            ChecksumMismatchError: Length or CRC-32 differ.
            MalformedDocumentError: The member's header or deflate stream is damaged.
            UnsafeArchiveError: The member's header contradicts the directory, or it overlaps another.
            SourceUnreadableError: The operating system would not give the bytes.
        """
        pairs = self.copy_blocks(name)
        plain = _PlainStream(pairs, size_bytes=self.members[name].size_bytes, where=f"{self.where}!{name}")
        return io.BufferedReader(plain, buffer_size=_STREAM_BUFFER_BYTES)

    def read(self, name: str, *, max_bytes: int, budget: ReadBudget | None = None) -> bytes:
        """Return a whole member, checked.

        Args:
            name: The member.
            max_bytes: The largest unpacked size accepted, in bytes.
            budget: Charged with the unpacked size before anything is unpacked.

        Raises:
            LimitExceededError: The member is larger than ``max_bytes``, or the budget is spent.
            DepotError: As the streams of ``open``.
            NotInDepotError: No such member.
        """
        entry = self._entry(name)
        where = f"{self.where}!{name}"
        if entry.member.size_bytes > max_bytes:
            raise LimitExceededError(
                "a member is larger than the limit",
                where=where,
                found=f"{entry.member.size_bytes} bytes",
                expected=f"at most {max_bytes} bytes",
                hint="if the file is trusted, pass ReadLimits(...) with larger values",
            )
        if budget is not None:
            budget.spend(entry.member.size_bytes, where=where)
        whole = io.BytesIO()  # it hands out what it holds; joining a list would hold everything twice
        for _, plain in _checked_pairs(self._source, entry, where=where):
            whole.write(plain)
        return whole.getvalue()

    def copy_blocks(self, name: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield a member as pairs of raw and plain bytes, to carry it over raw and hash it in one pass.

        All raw parts joined are the member as stored, all plain parts joined are its contents.
        Raw parts have at most 256 KiB, plain parts of deflated members at most 1 MiB; a block
        that inflates to more is followed by pairs whose raw part is empty. For stored members
        both parts are the same object.

        Raises:
            DepotError: As the streams of ``open``; in place of the iterator's end if length or CRC-32 are wrong.
            NotInDepotError: No such member.
        """
        return _checked_pairs(self._source, self._entry(name), where=f"{self.where}!{name}")

    def close(self) -> None:
        """Close the file if ``open_zip`` was given its path; streams are of no use afterwards."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _entry(self, name: str) -> _Entry:
        entry = self._entries.get(name)
        if entry is None:
            key = name.casefold()
            similar = next((other for other in self._entries if other.casefold() == key), "")
            raise NotInDepotError(
                "the archive has no such member",
                where=self.where,
                found=f"{len(self._entries)} other members",
                expected=repr(name),
                hint=f"did you mean {similar!r}?" if similar else "",
            )
        return entry


def open_zip(
    source: Path | FileBelow | BinaryIO | SharedFile,
    *,
    where: str,
    limits: ReadLimits,
    depth: int = 1,
    budget: ReadBudget | None = None,
) -> ZipReader:
    """Open an archive and check its whole directory; the members' own headers are checked on reading.

    Args:
        source: A path, a place in a folder, or a file that begins with the archive and ends with it. A given stream
            is not closed, and nobody else may move its position meanwhile.
        where: How to name the archive in errors.
        limits: ``member_count`` and ``archive_depth`` are applied here.
        depth: How many archives this one is in, itself included.
        budget: Charged with the members, before the directory is read.

    Raises:
        MalformedDocumentError: No zip archive; cut short; damaged; a method other than stored or deflated.
        UnsafeArchiveError: Bad or doubled names, overlapping members, links, devices, encryption.
        LimitExceededError: Too deep, or too many members.
        SourceUnreadableError: The operating system would not give the file.
    """
    limits.require_depth(depth, where=where)
    if not isinstance(source, SharedFile):
        source = SharedFile(source, where=where, noun="zip archive")
    try:
        return ZipReader(source, _read_directory(source, limits=limits, budget=budget))
    except BaseException:
        source.close()
        raise
