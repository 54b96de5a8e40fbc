"""What a file is, by its first bytes and never by its name."""

from __future__ import annotations

import enum

__all__ = ["HEAD_BYTES", "FileKind", "kind_of"]

HEAD_BYTES = 40 * 1024
_ISO_MARK_OFFSET = 32769
# A master boot record, its first entry, and the types of a partition with FAT32.
_MARK_OFFSET, _MARK = 510, b"\x55\xaa"
_ENTRY_OFFSET, _KIND_OFFSET = 446, 450
_FLAGS, _FAT32_KINDS = (0x00, 0x80), (0x0B, 0x0C)


class FileKind(enum.StrEnum):
    """What a file is."""

    FOLDER = "folder"
    ZIP = "zip archive"
    VIB = "VIB"
    ISO = "ISO image"
    STICK = "stick image"
    IMAGE_DATABASE = "image database"
    LFS_POINTER = "Git LFS pointer"
    MANGLED_VIB = "VIB with converted line ends"
    HTML = "HTML page"
    EMPTY = "empty file"
    GZIP = "gzip file"
    SEVEN_ZIP = "7-Zip archive"
    RAR = "RAR archive"
    WINDOWS_PROGRAM = "Windows program"
    JSON = "JSON document"
    XML = "XML document"
    CUT_SHORT_ZIP = "zip archive without its beginning"
    UNKNOWN = "unknown file"


_MAGICS: tuple[tuple[bytes, FileKind], ...] = (
    (b"version https://git-lfs", FileKind.LFS_POINTER),
    (b"!<arch>\r\n", FileKind.MANGLED_VIB),
    (b"!<arch>\n", FileKind.VIB),
    (b"PK\x03\x04", FileKind.ZIP),
    (b"PK\x05\x06", FileKind.ZIP),
    (b"PK\x01\x02", FileKind.CUT_SHORT_ZIP),
    (b"\x1f\x8b", FileKind.GZIP),
    (b"7z\xbc\xaf\x27\x1c", FileKind.SEVEN_ZIP),
    (b"Rar!", FileKind.RAR),
    (b"MZ", FileKind.WINDOWS_PROGRAM),
)


def kind_of(head: bytes) -> FileKind:
    """Return what a file is that begins so; ``HEAD_BYTES`` are enough."""
    if not head:
        return FileKind.EMPTY
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    if head[_ISO_MARK_OFFSET : _ISO_MARK_OFFSET + 5] == b"CD001":
        return FileKind.ISO
    return FileKind.STICK if _is_stick(head) else _kind_of_text(head)


def _kind_of_text(head: bytes) -> FileKind:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:512].lower()
    if text.startswith((b"<!doctype html", b"<html")) or b"<head" in text:
        return FileKind.HTML
    if text.startswith(b"<"):
        return FileKind.XML
    return FileKind.JSON if text.startswith((b"{", b"[")) else FileKind.UNKNOWN


def _is_stick(head: bytes) -> bool:
    has_mark = head[_MARK_OFFSET : _MARK_OFFSET + len(_MARK)] == _MARK
    return has_mark and head[_ENTRY_OFFSET] in _FLAGS and head[_KIND_OFFSET] in _FAT32_KINDS
