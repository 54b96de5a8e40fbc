"""Suffixes that lie are refused; those that say nothing of the kind are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from esximage_builder.errors import ModelError
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.target_name import require_honest_suffix


def is_refused(name: str, kind: FileKind) -> bool:
    try:
        require_honest_suffix(Path(name), kind)
    except ModelError:
        return True
    return False


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("x.zip", FileKind.ISO, "a zip archive"),
        ("X.ZIP", FileKind.ISO, "a zip archive"),
        ("x.iso", FileKind.ZIP, "an ISO image"),
        ("x.vib", FileKind.ZIP, "a VIB"),
        ("x.iso", FileKind.JSON, "an ISO image"),
        ("x.zip", FileKind.JSON, "a zip archive"),
        ("x.xml", FileKind.JSON, "an XML document"),
        ("x.html", FileKind.JSON, "an HTML page"),
        ("x.json", FileKind.ISO, "a JSON document"),
        ("x.txt", FileKind.ISO, "a text"),
        ("x.tar.gz", FileKind.ZIP, "a gzip file"),
        ("tree.iso", FileKind.FOLDER, "an ISO image"),
    ],
)
def test_a_suffix_of_another_kind_is_refused(name: str, kind: FileKind, says: str) -> None:
    assert is_refused(name, kind)
    with pytest.raises(ModelError) as caught:
        require_honest_suffix(Path(name), kind)
    assert caught.value.found == f"{Path(name).suffix.lower()}, as {says} has"
    assert f"a {kind.value} is written" in caught.value.expected


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("x.iso", FileKind.ISO),
        ("x.ISO", FileKind.ISO),
        ("x.img", FileKind.ISO),
        ("x", FileKind.ISO),
        ("ESXi-7.0.3-20328353", FileKind.ISO),
        ("x.zip", FileKind.ZIP),
        ("x.zip.new", FileKind.ZIP),
        ("image.lock.json", FileKind.JSON),
        ("image.lock", FileKind.JSON),
        ("image.cdx", FileKind.JSON),
        ("image.txt", FileKind.JSON),
        ("esxi-8.0u3", FileKind.FOLDER),
        (".zip", FileKind.ISO),  # a hidden file without suffix
    ],
)
def test_other_suffixes_are_anybodys_own_business(name: str, kind: FileKind) -> None:
    assert not is_refused(name, kind)
