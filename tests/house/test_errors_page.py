"""The page of errors: every class with cause and remedy, none else, and examples that are what the library says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from support import memory_catalogs as catalogs
from support.changed_depots import DEPOTS, ROOT
from support.lying_zips import Part, build

import esximage_builder as eib
from esximage_builder import authoring, errors

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"(?ms)^### `(\w+)`\n(.*?)(?=^### |\Z)", TEXT))
# Never raised as themselves; and what needs a machine without an optional library.
WITHOUT_EXAMPLE = {"EsxImageError", "DepotError", "MissingExtraError"}


def source_unreadable(_: Path) -> None:
    eib.open_depot("missing.zip")


def not_a_depot(folder: Path) -> None:
    (folder / "page.zip").write_text("<!doctype html><html>", encoding="utf-8")
    eib.open_depot(folder / "page.zip")


def unsafe(folder: Path) -> None:
    (folder / "a.zip").write_bytes(build(Part(flags=1)))
    eib.open_depot(folder / "a.zip")


def too_large(folder: Path) -> None:
    (folder / "spec.json").write_bytes(b"{}" + b" " * 100)
    eib.read_software_spec(folder / "spec.json", limits=eib.ReadLimits(document_bytes=10))


def malformed(_: Path) -> None:
    eib.parse_vib_descriptor(b"x")


def invalid(_: Path) -> None:
    authoring.parse_vib_description(b'name = "a"\n')


def damaged(folder: Path) -> None:
    (folder / "a.zip").write_bytes(build(Part(name=b"index.xml", crc32=1)))
    eib.open_depot(folder / "a.zip")


def impossible(_: Path) -> None:
    eib.compose(catalogs.Stock().catalog())


def no_version(_: Path) -> None:
    eib.VibVersion("1 0")


def wrong_type(_: Path) -> None:
    anything: Any = 5
    eib.compose(anything)


def not_loaded(_: Path) -> None:
    eib.Catalog().component("net-acme", "1.0-1")


def contradiction(_: Path) -> None:
    with eib.open_depot(DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip") as depot:
        eib.compose(depot, base_image="7.0.3-0.55.20328353", removed_components=["ESXi"])


def incompatible(folder: Path) -> None:
    eib.export_iso(eib.Image(name="i"), authoring.AuthoredVibStore([]), folder / "a.iso")


def there_already(folder: Path) -> None:
    (folder / "host.json").write_bytes(b"")
    eib.write_host(eib.Host(name="h"), folder / "host.json")


def several(folder: Path) -> None:
    (folder / "depot").mkdir()
    for name in ("a.vib", "b.vib"):
        (folder / "depot" / name).write_bytes(b"!<arch>\n")
    eib.open_depot(folder / "depot")


EXAMPLES = {
    "SourceUnreadableError": source_unreadable,
    "NotADepotError": not_a_depot,
    "UnsafeArchiveError": unsafe,
    "LimitExceededError": too_large,
    "MalformedDocumentError": malformed,
    "InvalidFieldError": invalid,
    "ChecksumMismatchError": damaged,
    "ModelError": impossible,
    "VersionSyntaxError": no_version,
    "WrongTypeError": wrong_type,
    "NotInDepotError": not_loaded,
    "ComposeError": contradiction,
    "IncompatibleImageError": incompatible,
    "ExportError": there_already,
    "DepotErrors": several,
}


def test_the_page_has_every_class_and_none_else() -> None:
    assert list(SECTIONS) == sorted(SECTIONS, key=list(SECTIONS).index)
    assert set(SECTIONS) == set(errors.__all__)
    assert len(re.findall(r"(?m)^### ", TEXT)) == len(errors.__all__)


@pytest.mark.parametrize("name", errors.__all__)
def test_every_class_says_its_code_its_cause_and_what_to_do(name: str) -> None:
    assert SECTIONS[name].startswith(f"\nCode `{getattr(errors, name).code}`.\n")
    for label in ("Cause", "Remedy"):
        assert len(re.findall(rf"(?m)^- \*\*{label}\*\*: .*\w{{3,}}.*\.$", SECTIONS[name])) == 1


def test_every_class_that_is_raised_has_an_example() -> None:
    assert set(EXAMPLES) == set(errors.__all__) - WITHOUT_EXAMPLE


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_what_the_library_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(eib.EsxImageError) as caught:
        EXAMPLES[name](tmp_path)
    raised: BaseException = caught.value
    if isinstance(raised, eib.DepotErrors) and name != "DepotErrors":
        raised = raised.exceptions[0]
    assert type(raised).__name__ == name
    assert f"- **Example**: `{str(raised).splitlines()[0]}`" in SECTIONS[name]
