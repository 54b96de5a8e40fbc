"""Whatever happened to a file on the way, reading it gives a result or one of our errors."""

from __future__ import annotations

import contextlib
import io
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support import schema_strategies as strategies
from support.document_builders import BulletinBuilder, DepotBuilder, VibBuilder, element, profile_document, wrapped

from esximage_builder.depot.opening import open_depot
from esximage_builder.documents.bulletin import parse_bulletin, render_bulletin
from esximage_builder.documents.depot_index import (
    parse_index,
    parse_vendor_index,
    render_index,
    render_vendor_index,
)
from esximage_builder.documents.image_profile import parse_image_profile, render_image_profile
from esximage_builder.documents.metadata_response import parse_metadata_response
from esximage_builder.documents.vib_archive import iter_payloads, read_vib_head
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor, render_vib_descriptor
from esximage_builder.errors import EsxImageError
from esximage_builder.limits import ReadLimits
from esximage_builder.views.catalog import catalog_as_dict, render_text_listing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import hypothesis

MAX = 1_000_000
LIMITS = ReadLimits()
RICH_VIB = VibBuilder(
    is_pretty=True,
    relationships={
        "depends": element("constraint", name="esx-version", relation=">=", version="8.0.0"),
        "provides": element("provide", name="acme", version="1.0"),
    },
    payload_attributes={"boot-order": "10"},
).with_appended("<!-- c --><acme-x><in/></acme-x>")
BULLETIN = BulletinBuilder.of(RICH_VIB)
DEPOT = (
    DepotBuilder(response_bulletins=(BULLETIN.with_(id="legacy", component=None),))
    .with_vibs(RICH_VIB, VibBuilder(name="other"))
    .with_metadata_file("profiles/p.xml", profile_document(vib_ids=[RICH_VIB.id]))
    .with_metadata_file("addons/a.json", b'{"releaseID":"ACME:1.0","components":{"Acme-net-acme":"1.0"}}')
)


DOCUMENTS: list[Any] = [
    pytest.param(
        RICH_VIB.metadata(),
        lambda data: render_vib_descriptor(parse_vib_descriptor(data, where="x", max_bytes=MAX)),
        id="vib",
    ),
    pytest.param(
        BULLETIN.document(), lambda data: render_bulletin(parse_bulletin(data, where="x", max_bytes=MAX)), id="bulletin"
    ),
    pytest.param(
        profile_document(vib_ids=["a"], inside=wrapped("bulletinlist", [element("bulletin-id", "x")])),
        lambda data: render_image_profile(parse_image_profile(data, where="x", max_bytes=MAX)),
        id="profile",
    ),
    pytest.param(DEPOT.index(), lambda data: render_index(parse_index(data, where="x", max_bytes=MAX)), id="index"),
    pytest.param(
        DEPOT.vendor_index(),
        lambda data: render_vendor_index(parse_vendor_index(data, where="x", max_bytes=MAX)),
        id="vendor-index",
    ),
    pytest.param(DEPOT.response(), lambda data: parse_metadata_response(data, where="x", max_bytes=MAX), id="response"),
]


@pytest.mark.parametrize(("valid", "go_round"), DOCUMENTS)
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(draw=st.data())
def test_a_mangled_document_raises_only_our_errors(
    valid: bytes, go_round: Callable[[bytes], Any], draw: hypothesis.strategies.DataObject
) -> None:
    data = draw.draw(strategies.mangled(valid))
    with contextlib.suppress(EsxImageError):
        written = go_round(data)
        if isinstance(written, bytes):
            assert go_round(written) == written, "what was read can be written and read again"


@pytest.mark.parametrize(("valid", "go_round"), DOCUMENTS)
@settings(max_examples=50)
@given(data=st.binary(max_size=100))
def test_arbitrary_bytes_raise_only_our_errors(valid: bytes, go_round: Callable[[bytes], Any], data: bytes) -> None:
    assert go_round(valid)
    with contextlib.suppress(EsxImageError):
        go_round(data)


def read_whole_vib(data: bytes) -> None:
    head = read_vib_head(io.BytesIO(data), where="x.vib", limits=LIMITS)
    assert isinstance(head.is_signed, bool)
    vib = head.parse(where="x.vib", limits=LIMITS)
    for _, stream, _ in iter_payloads(io.BytesIO(data), vib, where="x.vib", limits=LIMITS):
        stream.read()


@settings(max_examples=200)
@given(strategies.mangled(RICH_VIB.vib()) | st.binary(max_size=100).map(lambda data: b"!<arch>\n" + data))
def test_a_mangled_vib_raises_only_our_errors(data: bytes) -> None:
    read_whole_vib(RICH_VIB.vib())
    with contextlib.suppress(EsxImageError):
        read_whole_vib(data)


def look_at_all(*paths: Path, strict: bool) -> None:
    with contextlib.suppress(EsxImageError), open_depot(*paths, strict=strict) as depot:
        for finding in depot.catalog.findings:
            assert finding.code
            assert finding.message
        with contextlib.suppress(EsxImageError):
            render_text_listing(catalog_as_dict(depot))
        for vib in depot.catalog.vibs:
            with contextlib.suppress(EsxImageError), depot.open_vib(vib) as stream:
                while stream.read(65536):
                    pass


VALID_FILES = {
    "deflated.zip": DEPOT.zip(),
    "stored.zip": DEPOT.zip(method=0),
    "loose.vib": RICH_VIB.vib(),
}


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(sorted(VALID_FILES)), draw=st.data(), strict=st.booleans())
def test_a_mangled_source_raises_only_our_errors(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    draw: hypothesis.strategies.DataObject,
    strict: bool,  # noqa: FBT001
) -> None:
    path = tmp_path_factory.getbasetemp() / f"mangled-{name}"
    path.write_bytes(draw.draw(strategies.mangled(VALID_FILES[name])))
    look_at_all(path, strict=strict)


@pytest.mark.parametrize("seed", range(60))
def test_a_bundle_with_mangled_members_raises_only_our_errors(tmp_path: Path, seed: int) -> None:
    """The zips are sound here, so that the damage reaches the documents inside."""
    chance = random.Random(seed)
    depot = DEPOT
    for _ in range(chance.randint(1, 3)):
        name = chance.choice(sorted(depot.metadata_members()))
        data = bytearray(depot.metadata_members()[name])
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data))
            data[at : at + chance.choice((0, 1, 1, 8))] = chance.choice(
                (b"", b"<", b">", b"&", b'"', b"\x00", b"0", b"/")
            )
        depot = depot.with_metadata_file(name, bytes(data))
    for name in ("index.xml", "vendor-index.xml"):
        if chance.random() < 0.2:
            depot = depot.with_file(name, depot.members()[name][: chance.randrange(200)])
    path = depot.write(tmp_path / "depot.zip")
    for strict in (True, False):
        look_at_all(path, strict=strict)


@pytest.mark.parametrize("seed", range(40))
def test_a_mangled_folder_raises_only_our_errors(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    folder = DEPOT.unpack(tmp_path / "depot")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in chance.sample(files, 2):
        data = path.read_bytes()
        path.write_bytes(data[: chance.randrange(len(data))] + bytes(chance.randrange(3)))
    for strict in (True, False):
        look_at_all(folder, strict=strict)
