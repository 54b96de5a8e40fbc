"""Depot metadata that lacks what the VIB states: it is taken from the VIB, and said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS, ar_members, edit_zip, in_metadata, render_vib

import esximage_builder as eib
from esximage_builder.cli.app import main

if TYPE_CHECKING:
    from pathlib import Path

U3 = DEPOTS / "VMware-ESXi-8.0U3-24022510-depot.zip"
U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
BASE = "8.0.3-0.0.24022510"


def without(pattern: bytes, name: str = "", *, source: Path = U3, target: Path) -> Path:
    """A copy whose metadata lacks what matches, in the descriptors of one name or of all."""

    def edit(path: str, data: bytes) -> bytes:
        if not path.startswith(f"vibs/{name}"):
            return data
        return re.sub(pattern, b"", data, flags=re.DOTALL)

    return edit_zip(source, target, in_metadata(edit))


def taken(catalog: eib.Catalog) -> dict[str, str]:
    return {f.items[0]: f.fact("elements") for f in catalog.findings if f.code == "element-taken-from-vib"}


def test_a_platform_that_the_depot_tool_dropped_is_taken_from_the_vib(tmp_path: Path) -> None:
    path = without(rb"<softwarePlatform [^>]*/>", target=tmp_path / "dropped.zip")
    with eib.open_depot(U3) as whole, eib.open_depot(path) as depot:
        stated = {vib.id for vib in whole.catalog.vibs if vib.software_platforms}
        assert set(depot.catalog.vibs) == set(whole.catalog.vibs)
        assert taken(depot.catalog) == dict.fromkeys(stated, "softwarePlatform")
        assert {f.severity for f in depot.catalog.findings} == {eib.Severity.INFO}
        assert eib.compose(depot.catalog, base_image=BASE).digest == eib.compose(whole.catalog, base_image=BASE).digest


def test_what_metadata_states_is_not_looked_for() -> None:
    with eib.open_depot(U3) as depot:
        assert depot.catalog.findings == ()


@pytest.mark.parametrize(
    "element",
    [
        "description", "release-date", "urls", "software-tags", "file-list", "acceptance-level", "live-install-allowed",
        "stateless-ready", "overlay", "payloads", "depends", "provides", "maintenance-mode",
    ],
)  # fmt: skip
def test_any_element_that_is_lacking_is_taken(tmp_path: Path, element: str) -> None:
    pattern = rb"<%b(?: [^>]*)?/>|<%b(?: [^>]*)?>.*?</%b>" % ((element.encode(),) * 3)
    path = without(pattern, target=tmp_path / "dropped.zip")
    with eib.open_depot(U3) as whole, eib.open_depot(path) as depot:
        assert set(depot.catalog.vibs) == set(whole.catalog.vibs)
        assert set(taken(depot.catalog).values()) <= {element}


def test_checksums_that_are_lacking_are_taken(tmp_path: Path) -> None:
    pattern = rb'(?<=>)<checksum checksum-type="sha-256">[0-9a-f]*</checksum>'
    path = without(pattern, "esx-base-", target=tmp_path / "dropped.zip")
    with eib.open_depot(U3) as whole, eib.open_depot(path) as depot:
        (vib,), (expected,) = (opened.catalog.vibs_by_id[_id_of(whole, "esx-base")] for opened in (depot, whole))
        assert taken(depot.catalog) == {vib.id: "checksum"}
        assert [set(payload.checksums) for payload in vib.payloads] == [set(p.checksums) for p in expected.payloads]


def _id_of(depot: eib.Depot, name: str) -> str:
    return next(vib.id for vib in depot.catalog.vibs if vib.name == name)


def test_an_empty_element_is_stated(tmp_path: Path) -> None:
    """A relation that somebody took away is a contradiction, and nothing to be completed."""

    def edit(path: str, data: bytes) -> bytes:
        return re.sub(rb"<depends>.*</depends>", b"<depends/>", data) if path.startswith("vibs/") else data

    with eib.open_depot(edit_zip(U3, tmp_path / "edited.zip", in_metadata(edit))) as depot:
        assert taken(depot.catalog) == {}
        assert all(vib.depends == () for vib in depot.catalog.vibs)


@pytest.mark.parametrize("spoil", ["another VIB", "no VIB"])
def test_a_head_that_is_another_s_or_damaged_gives_nothing(tmp_path: Path, spoil: str) -> None:
    path = without(rb"<softwarePlatform [^>]*/>", "ne1000-", target=tmp_path / "dropped.zip")

    def edit(name: str, data: bytes) -> bytes:
        if not name.startswith("vib20/ne1000/"):
            return data
        members = ar_members(data)
        members["descriptor.xml"] = members["descriptor.xml"].replace(b"<name>ne1000<", b"<name>ne2000<")
        return render_vib(members) if spoil == "another VIB" else b"no archive"

    with eib.open_depot(edit_zip(path, tmp_path / "spoilt.zip", edit)) as depot:
        (vib,) = (vib for vib in depot.catalog.vibs if vib.name == "ne1000")
        assert vib.software_platforms == ()
        assert taken(depot.catalog) == {}


def test_it_is_told_with_the_image_and_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = without(rb"<softwarePlatform [^>]*/>", "esx-base-", target=tmp_path / "dropped.zip")
    with eib.open_depot(path) as depot:
        report = eib.validate(eib.compose(depot.catalog, base_image=BASE), depot.catalog)
    assert [finding.code for finding in report.findings] == ["element-taken-from-vib"]

    assert main(["build", "--depot", str(path), "--base", BASE]) == 0
    assert "element-taken-from-vib" in capsys.readouterr().out
    assert main(["inspect", str(path)]) == 0
    assert "element-taken-from-vib" in capsys.readouterr().out


@pytest.mark.parametrize("pattern", [rb"<softwarePlatform [^>]*/>", rb"<hwplatform [^>]*/>", rb"<urls\s*/>"])
def test_what_is_lacking_contradicts_nothing(tmp_path: Path, pattern: bytes) -> None:
    path = without(pattern, target=tmp_path / "dropped.zip")
    with eib.open_depot(path) as depot:
        image = eib.compose(depot.catalog, base_image=BASE)
        for job in (eib.export_bundle, eib.export_iso, eib.export_pxe):
            job(image, depot, tmp_path / f"{job.__name__}{'.zip' if job is eib.export_bundle else ''}")
    assert eib.verify_bundle(path).is_passed
    assert eib.verify_bundle(tmp_path / "export_bundle.zip").findings == ()
