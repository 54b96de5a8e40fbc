"""Kinds of files by their first bytes; test_sniff has the table of what comes in."""

from __future__ import annotations

import pytest

from esximage_builder.streams.file_kind import HEAD_BYTES, FileKind, kind_of


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", FileKind.EMPTY),
        (b"PK\x05\x06" + bytes(18), FileKind.ZIP),
        (b"!<arch>\n", FileKind.VIB),
        (bytes(32769) + b"CD001", FileKind.ISO),
        (b'\xef\xbb\xbf {"a": 1}', FileKind.JSON),
        (b"<!DOCTYPE HTML>", FileKind.HTML),
        (b"hello", FileKind.UNKNOWN),
        (bytes(450) + b"\x0c" + bytes(59) + b"\x55\xaa", FileKind.STICK),
        (bytes(450) + b"\xef" + bytes(59) + b"\x55\xaa", FileKind.UNKNOWN),
        (bytes(446) + b"\x01\0\0\0\x0c" + bytes(59) + b"\x55\xaa", FileKind.UNKNOWN),
        (bytes(450) + b"\x0c" + bytes(60), FileKind.UNKNOWN),
    ],
)
def test_the_first_bytes_decide(head: bytes, kind: FileKind) -> None:
    assert kind_of(head) is kind
    assert len(head) <= HEAD_BYTES
