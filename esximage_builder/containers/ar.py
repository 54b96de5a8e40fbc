"""The ``ar`` container of a ``.vib`` file: reading it in one pass, pulled or pushed, indexing it, writing it.

This module knows nothing of descriptors, signatures and payloads; it hands out members in
archive order. Its rules (see docs/formats.md, "The .vib container"):

- magic ``!<arch>`` and a line feed, then 60-byte headers that end in a grave accent and a line feed;
- sizes are decimal digits and blanks, nothing else; date, owner and mode are not looked at,
  since real files hold ``0``, ``0o0`` and ``100644`` there;
- one trailing ``/`` of a name (GNU ar) is dropped; long-name tables (GNU ``//``, BSD ``#1/``)
  and symbol tables do not occur in VIBs and are refused, and so are two members of one name;
- data of odd length is followed by one line feed; only after the last member may it be missing;
- nothing follows the last member.

Errors of the operating system while reading belong to whoever opened the source.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self, cast, final

import attrs

from esximage_builder.errors import (
    LimitExceededError,
    MalformedDocumentError,
    ModelError,
    UnsafeArchiveError,
)
from esximage_builder.streams.blocks import BoundedStream, ends_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import ReadableBuffer

    from esximage_builder.limits import ReadLimits

__all__ = [
    "AR_MAGIC",
    "ArMember",
    "ArReceiver",
    "ArSplitter",
    "ArStream",
    "read_ar_index",
    "render_ar",
    "render_ar_header",
]

AR_MAGIC = b"!<arch>\n"
"""The first eight bytes of every archive."""

_HEADER_BYTES = 60
_HEADER_END = b"`\n"
_NAME_BYTES = 16
_SIZE_FIELD = slice(48, 58)
_LARGEST_SIZE = 10**10 - 1
_FIRST_PRINTABLE, _LAST_PRINTABLE = 0x20, 0x7E

_DAMAGED_HINT = "the file is cut short or was changed: download it again"


@final
@attrs.frozen(kw_only=True)
class ArMember:
    """One member of an archive.

    Attributes:
        name: As in the header, without padding blanks and without one trailing ``/``.
        offset: Where the data begins, in bytes from the start of the archive.
        size_bytes: Length of the data, without the pad byte.
    """

    name: str
    offset: int
    size_bytes: int


@final
class _Headers:
    """The members of one archive as their headers announce them, one after the other.

    Attributes:
        position: Where the next header begins, in bytes from the start of the archive.
    """

    def __init__(self, *, where: str, limits: ReadLimits, size_bytes: int | None) -> None:
        self._where = where
        self._limits = limits
        self._size_bytes = size_bytes
        self._names: set[str] = set()
        self.position = len(AR_MAGIC)

    def require_magic(self, magic: bytes) -> None:
        """Refuse what is no archive by its first bytes."""
        if magic != AR_MAGIC:
            found, hint = _describe_other(magic)
            raise MalformedDocumentError(
                "this is no ar archive, as a .vib file must be",
                where=self._where,
                found=found,
                expected=repr(AR_MAGIC),
                hint=hint,
            )

    def leave(self, member: ArMember) -> None:
        """Go behind the data of a member; the pad byte is still to come."""
        self.position = member.offset + member.size_bytes

    def take_pad(self, pad: bytes) -> None:
        """Go behind a pad byte; after the last member it may be missing."""
        if pad not in (b"\n", b""):
            raise self._malformed("a member of odd length is not followed by a line feed", found=repr(pad))
        self.position += 1

    def place(self, member: ArMember) -> str:
        """Return how to name a member in errors."""
        return f"{self._where}!{member.name}"

    def _malformed(self, message: str, *, found: str, expected: str = "") -> MalformedDocumentError:
        return MalformedDocumentError(
            message,
            where=f"{self._where}, byte {self.position}",
            found=found,
            expected=expected,
            hint=_DAMAGED_HINT,
        )

    def parse(self, header: bytes) -> ArMember:
        """Return the member that a header announces; remembered, since its name may not come again."""
        if len(header) < _HEADER_BYTES or not header.endswith(_HEADER_END):
            raise self._malformed(
                "there is no member header",
                found=repr(header),
                expected=f"{_HEADER_BYTES} bytes that end in {_HEADER_END!r}",
            )
        if len(self._names) >= self._limits.member_count:
            raise LimitExceededError(
                "the archive has more members than the limit",
                where=self._where,
                expected=f"at most {self._limits.member_count} members",
                hint="if the file is trusted, pass ReadLimits(member_count=...) with a larger value",
            )
        name = self._parse_name(header[:_NAME_BYTES])
        digits = header[_SIZE_FIELD].strip(b" ")
        if not digits.isdigit():
            raise self._malformed(
                f"the size of member {name!r} is no number",
                found=repr(header[_SIZE_FIELD]),
                expected="decimal digits",
            )
        member = ArMember(name=name, offset=self.position + _HEADER_BYTES, size_bytes=int(digits))
        self._require_room(member)
        self._names.add(name)
        return member

    def _parse_name(self, field: bytes) -> str:
        raw = field.rstrip(b" ")
        if raw in (b"/", b"//", b"/SYM64/") or raw.startswith((b"#1/", b"__.SYMDEF")) or _is_table_reference(raw):
            raise self._malformed(
                "the archive uses a long-name or symbol table, which VIBs never do",
                found=repr(field),
                expected="a name of at most 16 characters in the header itself",
            )
        name = raw.removesuffix(b"/").decode("latin-1")
        if problem := _name_problem(name):
            raise UnsafeArchiveError(
                f"the name of a member {problem}",
                where=f"{self._where}, byte {self.position}",
                found=repr(field),
                expected="a plain file name in printable ASCII",
                hint="do not use this file; VIBs name their members descriptor.xml, sig.pkcs7 and after payloads",
            )
        if name in self._names:
            raise UnsafeArchiveError(
                f"two members are named {name!r}",
                where=f"{self._where}, byte {self.position}",
                found=repr(name),
                expected="each name once",
                hint="do not use this file: different readers would see different contents",
            )
        return name

    def _require_room(self, member: ArMember) -> None:
        end = member.offset + member.size_bytes
        if self._size_bytes is not None and end > self._size_bytes:
            raise self._malformed(
                f"member {member.name!r} is larger than what is left of the archive",
                found=f"{member.size_bytes} bytes",
                expected=f"at most {max(0, self._size_bytes - member.offset)} bytes",
            )
        if end > self._limits.vib_bytes:
            raise LimitExceededError(
                "the archive is larger than the limit",
                where=f"{self._where}!{member.name}",
                found=f"at least {end} bytes",
                expected=f"at most {self._limits.vib_bytes} bytes",
                hint="if the file is trusted, pass ReadLimits(vib_bytes=...) with a larger value",
            )


@final
class ArStream:
    """Sequential reader of an archive: an iterator of ``(member, data)``.

    It needs nothing but ``source.read``, so an inflating zip member serves. The data stream
    of a member is valid until the next member is asked for; what was not read of it is
    skipped then. Nothing is closed but those streams.

    Args:
        source: Stands where the archive begins; read to its end.
        where: How to name the archive in errors.
        limits: ``vib_bytes`` bounds the whole archive, ``member_count`` its members.
        size_bytes: Length of the archive in bytes, where the caller knows it: a member that
            is too large is then refused before it is read.

    Raises:
        MalformedDocumentError: Here, no ``ar`` magic; on iterating, a broken header, a member
            that is cut short, a wrong pad byte, something after the last member.
        UnsafeArchiveError: Two members of one name, or a name that is a path.
        LimitExceededError: Too large or too many members.
    """

    def __init__(self, source: BinaryIO, *, where: str, limits: ReadLimits, size_bytes: int | None = None) -> None:
        self._source = source
        self._headers = _Headers(where=where, limits=limits, size_bytes=size_bytes)
        self._current: tuple[ArMember, BoundedStream] | None = None
        self._is_finished = False
        self._headers.require_magic(self._read_up_to(len(AR_MAGIC)))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[ArMember, BinaryIO]:
        if self._is_finished:
            raise StopIteration
        self._is_finished = True  # unless a member is found below: nothing is sure after an error
        self._leave_member()
        header = self._read_up_to(_HEADER_BYTES)
        if not header:
            raise StopIteration
        member = self._headers.parse(header)
        stream = BoundedStream(self._source, member.size_bytes, where=self._headers.place(member))
        self._current = (member, stream)
        self._is_finished = False
        return member, cast("BinaryIO", stream)

    def _read_up_to(self, count: int) -> bytes:
        """Read ``count`` bytes, fewer only at the end of the source."""
        data = b""
        while len(data) < count and (block := self._source.read(count - len(data))):
            data += block
        return data

    def _leave_member(self) -> None:
        if self._current is None:
            return
        member, stream = self._current
        self._current = None
        stream.close()
        stream.skip_rest()
        self._headers.leave(member)
        if member.size_bytes % 2:
            self._headers.take_pad(self._read_up_to(1))


class ArReceiver(Protocol):
    """Takes the members of an archive that is pushed, in archive order."""

    def begin_member(self, member: ArMember) -> None:
        """Take note that the data of a member follow."""

    def take(self, data: memoryview) -> None:
        """Take the next bytes of the member, at least one; they are the caller's again afterwards."""

    def end_member(self) -> None:
        """Take note that all of the member was given."""


@final
class ArSplitter:
    """The counterpart of ``ArStream`` for an archive that is pushed, in blocks of any size.

    It refuses what ``ArStream`` refuses, with the same errors, and holds no more than a header.

    Args:
        receiver: Is told of each member.
        where: How to name the archive in errors.
        limits: As for ``ArStream``.
        size_bytes: As for ``ArStream``.
    """

    def __init__(self, receiver: ArReceiver, *, where: str, limits: ReadLimits, size_bytes: int | None = None) -> None:
        self._receiver = receiver
        self._headers = _Headers(where=where, limits=limits, size_bytes=size_bytes)
        self._take_held: Callable[[bytes], None] = self._take_magic
        self._wanted = len(AR_MAGIC)
        self._held = b""
        self._member: ArMember | None = None
        self._left = 0

    def write(self, data: ReadableBuffer, /) -> None:
        """Take the next bytes of the archive.

        Raises:
            DepotError: As ``ArStream`` raises it; nothing may be written afterwards.
        """
        rest = memoryview(data).cast("B")
        while rest:
            if self._left:
                piece = rest[: self._left]
                self._left -= len(piece)
                self._receiver.take(piece)
                if not self._left:
                    self._end_member()
            else:
                piece = rest[: self._wanted - len(self._held)]
                self._held += piece
                if len(self._held) == self._wanted:
                    held, self._held = self._held, b""
                    self._take_held(held)
            rest = rest[len(piece) :]

    def close(self) -> None:
        """Say that this was the whole archive.

        Raises:
            DepotError: As ``ArStream`` raises it: the archive is cut short.
        """
        if self._left and self._member is not None:
            raise ends_inside(self._headers.place(self._member), size_bytes=self._member.size_bytes)
        if self._held or self._take_held == self._take_magic:
            self._take_held(self._held)

    def _take_magic(self, magic: bytes) -> None:
        self._headers.require_magic(magic)
        self._expect(_HEADER_BYTES, self._take_header)

    def _expect(self, count: int, take: Callable[[bytes], None]) -> None:
        self._wanted = count
        self._take_held = take

    def _take_header(self, header: bytes) -> None:
        member = self._member = self._headers.parse(header)
        self._receiver.begin_member(member)
        self._left = member.size_bytes
        if not self._left:
            self._end_member()

    def _end_member(self) -> None:
        member = self._member
        assert member is not None  # noqa: S101 - only a member that began ends
        self._receiver.end_member()
        self._headers.leave(member)
        if member.size_bytes % 2:
            self._expect(1, self._take_pad)
        else:
            self._expect(_HEADER_BYTES, self._take_header)

    def _take_pad(self, pad: bytes) -> None:
        self._headers.take_pad(pad)
        self._expect(_HEADER_BYTES, self._take_header)


def _is_table_reference(raw: bytes) -> bool:
    return raw.startswith(b"/") and raw[1:].isdigit()


def _name_problem(name: str) -> str:
    """Return what is wrong with a member name, as the end of a sentence; empty if nothing is."""
    if not name:
        return "is empty"
    if not all(_FIRST_PRINTABLE <= ord(character) <= _LAST_PRINTABLE for character in name):
        return "has characters that are no printable ASCII"
    if "/" in name or "\\" in name or name in (".", ".."):
        return "is a path"
    return ""


def _describe_other(magic: bytes) -> tuple[str, str]:
    """Return what a file without the magic is, and what to try."""
    if magic == AR_MAGIC[:-1] + b"\r":
        return (
            "an ar archive whose line ends were converted",
            "line ends were converted on the way: transfer the file in binary mode",
        )
    if magic.startswith(b"version "):
        return (
            "a text that looks like a Git LFS pointer",
            "fetch the real file with `git lfs pull` or download it from its release page",
        )
    if magic.startswith(b"PK"):
        return "a zip archive", "open it as a depot, or unpack the .vib file from it"
    if not magic:
        return "an empty file", "download the file again"
    return repr(magic), "check that this is a .vib file; download it again if it should be"


def read_ar_index(source: BinaryIO, *, where: str, limits: ReadLimits) -> tuple[ArMember, ...]:
    """List the members of an archive without reading their data.

    Args:
        source: Seekable; the archive is all of it. Its position afterwards is undefined.
        where: How to name the archive in errors.
        limits: As for ``ArStream``.

    Returns:
        The members in archive order; offsets count from the start of ``source``.

    Raises:
        MalformedDocumentError: As ``ArStream`` raises it.
        UnsafeArchiveError: As ``ArStream`` raises it.
        LimitExceededError: As ``ArStream`` raises it.
    """
    size_bytes = source.seek(0, os.SEEK_END)
    source.seek(0)
    stream = ArStream(source, where=where, limits=limits, size_bytes=size_bytes)
    return tuple(member for member, _ in stream)


def render_ar_header(name: str, size_bytes: int, *, mode: str = "0") -> bytes:
    """Return the 60-byte header of a member, with date, owner and mode ``0`` as VMware writes them.

    Args:
        name: 1 to 16 printable ASCII characters, no slash; written without a trailing ``/``.
        size_bytes: Length of the data, without the pad byte.
        mode: How the mode is spelled.

    Raises:
        ModelError: The name or the size does not fit into a header.
    """
    has_blank_ends = name != name.strip(" ")
    is_special = name.startswith(("#1/", "__.SYMDEF"))
    if _name_problem(name) or len(name) > _NAME_BYTES or has_blank_ends or is_special:
        raise ModelError(
            "this name cannot stand in an ar archive",
            found=repr(name),
            expected=f"1 to {_NAME_BYTES} printable ASCII characters without slashes and outer blanks",
            hint="give the payload a shorter, plain name",
        )
    if not 0 <= size_bytes <= _LARGEST_SIZE:
        raise ModelError(
            f"the size of {name!r} cannot stand in an ar archive",
            found=f"{size_bytes} bytes",
            expected=f"0 to {_LARGEST_SIZE} bytes",
        )
    return f"{name:<16}{0:<12}{0:<6}{0:<6}{mode:<8}{size_bytes:<10}".encode("ascii") + _HEADER_END


def render_ar(members: Iterable[tuple[str, bytes]], *, mode: str = "0") -> bytes:
    """Return a whole archive; for small ones, since it is made in memory.

    Args:
        members: Names and data, in the order to write; data of odd length gets its pad byte.
        mode: How the mode of each is spelled.

    Raises:
        ModelError: A name does not fit, or two are equal.
    """
    parts = [AR_MAGIC]
    names: set[str] = set()
    for name, data in members:
        if name in names:
            raise ModelError("two members of an ar archive have one name", found=repr(name), expected="each once")
        names.add(name)
        parts += [render_ar_header(name, len(data), mode=mode), data, b"\n" if len(data) % 2 else b""]
    return b"".join(parts)
