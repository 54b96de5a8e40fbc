"""VIBs are held against their metadata before anything is written, in Python as on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.counting import PlainStore, files_of
from support.damaged_depots import SMALL_VERSION, certified_depot, damaged

import esximage_builder as eib
from esximage_builder.cli.app import main

if TYPE_CHECKING:
    from pathlib import Path

VIB = "odd-driver"
CERTIFIED = eib.AcceptanceLevel.CERTIFIED


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certified_depot(tmp_path_factory.mktemp("certified"), VIB)


@pytest.fixture
def raised(source: Path, tmp_path: Path) -> Path:
    """A depot that claims more than its VIB."""
    return damaged(source, tmp_path / "raised.zip", VIB, "level raised over community")


def codes(report: eib.ValidationReport) -> set[str]:
    return {finding.code for finding in report.errors}


def test_a_level_that_only_the_metadata_claims_does_not_reach_the_minimum(raised: Path) -> None:
    with eib.open_depot(raised) as depot:
        image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
        report = eib.validate(image, depot, minimum_acceptance=CERTIFIED)
    low = [f for f in report.errors if f.code == "acceptance-too-low" and VIB in f.items[0]]
    assert [finding.fact("level") for finding in low] == ["community"]
    assert codes(report) == {"acceptance-level-differs", "signature-missing", "acceptance-too-low"}


@pytest.mark.parametrize("code", ["acceptance-level-differs", "descriptor-differs"])
def test_a_contradiction_cannot_be_waived(source: Path, tmp_path: Path, code: str) -> None:
    with eib.open_depot(source) as depot:
        image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
        with pytest.raises(eib.ModelError, match="cannot be waived"):
            eib.export_bundle(image, depot, tmp_path / "a.zip", allow=[code])


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("signature emptied", "signature-missing"),
        ("signature of another VIB", "signature-broken"),
        ("signature that is none", "signature-unreadable"),
    ],
)
@pytest.mark.parametrize("export", [eib.export_bundle, eib.export_iso, eib.export_pxe])
def test_what_is_not_rightly_signed_is_written_only_if_it_is_allowed(
    source: Path, tmp_path: Path, export: type[eib.ExportResult], damage: str, code: str
) -> None:
    job = getattr(eib, export.__name__)
    path = damaged(source, tmp_path / "changed.zip", VIB, damage)
    with eib.open_depot(path) as depot:
        image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
        with pytest.raises(eib.IncompatibleImageError) as caught:
            job(image, depot, tmp_path / "out")
        assert [finding.code for finding in caught.value.findings] == [code]
        reports = [None, eib.validate(image, depot.catalog), eib.validate(image, depot)]
        for number, report in enumerate(reports):
            result = job(image, depot, tmp_path / f"out{number}", report=report, allow=[code])
            assert [finding.code for finding in result.waived] == [code]
            assert result.waived[0].fact("level") == "certified"


def test_a_store_of_ones_own_is_looked_at_too(raised: Path, tmp_path: Path) -> None:
    with eib.open_depot(raised) as depot:
        image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
        store = PlainStore(files_of(image, depot))
    with pytest.raises(eib.IncompatibleImageError) as caught:
        eib.export_bundle(image, store, tmp_path / "a.zip")
    assert "acceptance-level-differs" in {finding.code for finding in caught.value.findings}


def test_a_way_to_check_that_there_is_not_is_refused(source: Path, tmp_path: Path) -> None:
    with eib.open_depot(source) as depot:
        image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
        with pytest.raises(eib.ModelError, match="cannot be checked so"):
            eib.export_bundle(image, depot, tmp_path / "a.zip", check="deep")  # type: ignore[arg-type]


def test_a_vib_that_is_none_is_a_finding_and_a_closed_depot_knows_nothing(source: Path) -> None:
    with eib.open_depot(source) as depot:
        image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
        facts = depot.facts_of(image.all_vibs)
    assert {item.vib_id for item in facts} == set(image.vibs_by_id)
    assert depot.facts_of(image.all_vibs) == ()
    assert eib.validate(image, depot).is_valid


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("level raised over community", "acceptance-level-differs"),
        ("overlay", "descriptor-differs"),
        ("another VIB", "descriptor-differs"),
        ("signature emptied", "signature-missing"),
        ("signature flipped", "signature-"),
        ("signature of another VIB", "signature-broken"),
        ("signature that is none", "signature-unreadable"),
    ],
)
@pytest.mark.parametrize("option", ["--iso", "--bundle", "--pxe", ""])
def test_the_command_line_reports_it_and_writes_nothing(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, option: str, damage: str, code: str
) -> None:
    path = damaged(source, tmp_path / "damaged.zip", VIB, damage)
    names = {"--iso": "a.iso", "--bundle": "a.zip", "--pxe": "a"}
    outputs = [option, str(tmp_path / names[option])] if option else []
    status = main(["build", "--json", "--depot", str(path), "--base", SMALL_VERSION, *outputs])
    said = json.loads(capsys.readouterr().out)

    assert status == 1
    assert any(finding["code"].startswith(code) for finding in said["findings"])
    assert {entry.name for entry in tmp_path.iterdir()} == {"damaged.zip"}

    main(["explain", "--json", "--depot", str(path), "--base", SMALL_VERSION])
    assert code in capsys.readouterr().out


def test_the_command_line_unpacks_on_request(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = damaged(source, tmp_path / "damaged.zip", VIB, "sums over unpacked bytes")
    arguments = ["build", "--depot", str(path), "--base", SMALL_VERSION, "--bundle", str(tmp_path / "a.zip")]

    assert main([*arguments, "--check", "unpacked"]) == 1
    assert "payload-checksum-differs" in capsys.readouterr().out
    assert not (tmp_path / "a.zip").exists()
    assert main(arguments) == 0
