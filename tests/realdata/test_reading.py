"""Real files: each opens with the id, acceptance level and signature that its manifest line names."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import attrs
import pytest

from esximage_builder.containers.zip import open_zip
from esximage_builder.depot.opening import open_depot
from esximage_builder.documents.bulletin import parse_bulletin, render_bulletin
from esximage_builder.documents.depot_index import (
    parse_index,
    parse_vendor_index,
    render_index,
    render_vendor_index,
)
from esximage_builder.documents.metadata_response import parse_metadata_response
from esximage_builder.documents.vib_archive import iter_payloads, read_vib_head
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor, render_vib_descriptor
from esximage_builder.errors import EsxImageError, MalformedDocumentError, NotADepotError
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from esximage_builder.depot.opening import Depot
    from esximage_builder.models.vib import Vib

LIMITS = ReadLimits()
_KIND = re.compile(r"(?:VIB: |offline bundle(?: \(component\))?; |loose XML; )")
_FACTS = re.compile(
    r"(?P<vendor>\S+) (?P<name>\S+) (?P<version>\S+); vib@version (?P<schema>[0-9.]+); (?P<level>\w+);"
    r"(?: sig\.pkcs7 (?P<signature>empty|[0-9]+ bytes);)? payloads (?P<payloads>[^;]+)"
)


@attrs.frozen
class Expected:
    """One line of the manifest."""

    path: Path
    vendor: str
    name: str
    version: str
    schema: str
    level: str
    signature: str
    payloads: tuple[str, ...]


@pytest.fixture(scope="session")
def manifest(realdata: Path) -> dict[str, str]:
    """Path to what the manifest says of the file."""
    with (realdata / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        return {row["path"]: row["what"] for row in csv.DictReader(file, delimiter="\t")}


def expected_of(realdata: Path, manifest: dict[str, str], folder: str) -> Iterator[Expected]:
    for path, what in manifest.items():
        if path.startswith(f"{folder}/") and "BROKEN" not in what:
            facts = _FACTS.match(_KIND.sub("", what, count=1))
            assert facts is not None, what
            found = facts.groupdict()
            payloads = tuple(item.strip() for item in found.pop("payloads").split(","))
            yield Expected(realdata / path, payloads=payloads, **found)


def assert_as_expected(vib: Vib, expected: Expected) -> None:
    assert vib.id == f"{expected.vendor}_bootbank_{expected.name}_{expected.version}"
    assert vib.version.text == expected.version
    assert vib.acceptance_level.value == expected.level
    assert vib.schema_version == expected.schema
    assert tuple(f"{payload.name}:{payload.type}" for payload in vib.payloads) == expected.payloads
    written = render_vib_descriptor(vib, with_file=True)
    again = parse_vib_descriptor(written, where="x", max_bytes=LIMITS.document_bytes)
    assert (again, again.file) == (vib, vib.file)


def assert_bytes_as_expected(depot: Depot, vib: Vib, expected: Expected) -> None:
    head = depot.read_vib_head(vib)
    assert head.is_signed is (expected.signature != "empty")
    if head.is_signed:
        assert len(head.signature) == int(expected.signature.removesuffix(" bytes"))
    described = head.parse(where="x", limits=LIMITS)
    assert described == vib
    with depot.open_vib(vib) as stream:
        for payload, data, size in iter_payloads(stream, vib, where=str(expected.path), limits=LIMITS):
            assert len(data.read()) == size == payload.size_bytes


@pytest.mark.parametrize("folder", ["vibs", "bundles"])
def test_every_readable_file_is_what_its_manifest_line_says(
    realdata: Path, manifest: dict[str, str], folder: str
) -> None:
    lines = list(expected_of(realdata, manifest, folder))
    assert len(lines) >= 5
    for expected in lines:
        with open_depot(expected.path) as depot:
            (vib,) = depot.catalog.vibs
            assert_as_expected(vib, expected)
            assert_bytes_as_expected(depot, vib, expected)
            assert depot.catalog.findings == ()


def test_every_loose_descriptor_is_what_its_manifest_line_says(realdata: Path, manifest: dict[str, str]) -> None:
    lines = list(expected_of(realdata, manifest, "descriptors"))
    assert lines
    for expected in lines:
        data = expected.path.read_bytes()
        vib = parse_vib_descriptor(data, where=str(expected.path), max_bytes=LIMITS.document_bytes)
        assert_as_expected(vib, expected)


def test_every_broken_file_is_refused_with_advice(realdata: Path, manifest: dict[str, str]) -> None:
    broken = {path: what for path, what in manifest.items() if "BROKEN" in what}
    assert broken
    for path, what in broken.items():
        with pytest.raises(EsxImageError) as caught:
            open_depot(realdata / path)
        assert isinstance(caught.value, NotADepotError if "no ar magic" in what else MalformedDocumentError)
        assert caught.value.hint
        with (realdata / path).open("rb") as file, pytest.raises(MalformedDocumentError, match="no ar archive"):
            read_vib_head(file, where=path, limits=LIMITS)


def test_every_listed_bundle_and_vib_is_tried(realdata: Path, manifest: dict[str, str]) -> None:
    there = {
        path.relative_to(realdata).as_posix()
        for folder in ("vibs", "bundles")
        for path in realdata.glob(f"{folder}/*/*")
    }
    assert there == {path for path in manifest if path.startswith(("vibs/", "bundles/"))}


def test_real_components_and_bulletins_are_told_apart(realdata: Path, manifest: dict[str, str]) -> None:
    for path, what in manifest.items():
        if path.startswith("bundles/"):
            with open_depot(realdata / path) as depot:
                assert bool(depot.catalog.components) is what.startswith("offline bundle (component)"), path
                listed = [component.vib_ids for component in depot.catalog.components]
                listed += [bulletin.vib_ids for bulletin in depot.catalog.bulletins]
                assert all(ids == (depot.catalog.vibs[0].id,) for ids in listed)


def test_every_document_of_every_bundle_is_written_as_it_was_read(realdata: Path) -> None:
    bound = LIMITS.document_bytes
    seen = set()
    for path in sorted(realdata.glob("bundles/*/*.zip")):
        with open_zip(path, where=path.name, limits=LIMITS) as bundle:
            vendors = parse_index(bundle.read("index.xml", max_bytes=bound), where="x", max_bytes=bound)
            assert parse_index(render_index(vendors), where="x", max_bytes=bound) == vendors
            entries = parse_vendor_index(bundle.read("vendor-index.xml", max_bytes=bound), where="x", max_bytes=bound)
            assert parse_vendor_index(render_vendor_index(entries), where="x", max_bytes=bound) == entries
            url = entries[0].url
            inner = io.BytesIO(bundle.read(url, max_bytes=LIMITS.metadata_bytes))
        with open_zip(inner, where=url, limits=LIMITS) as metadata:
            for name in metadata.members:
                data = metadata.read(name, max_bytes=bound)
                if name.startswith("bulletins/") and data:
                    bulletin = parse_bulletin(data, where=name, max_bytes=bound)
                    assert parse_bulletin(render_bulletin(bulletin), where=name, max_bytes=bound) == bulletin
                    seen.add("bulletin")
                elif name == "vmware.xml":
                    parse_metadata_response(data, where=name, max_bytes=bound)
                    seen.add("response")
    assert seen == {"bulletin", "response"}
