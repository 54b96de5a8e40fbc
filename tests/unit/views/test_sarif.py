"""SARIF: each code a rule, each finding a result, the place a file on disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.changed_depots import DEPOTS

import esximage_builder as eib
from esximage_builder.codes import make_finding
from esximage_builder.findings import Severity

if TYPE_CHECKING:
    from pathlib import Path

FOUND = (
    make_finding("vib-missing", "x lists y", items=("y", "x"), facts={"vib": "y"}, cause="c", remedy="r"),
    make_finding("vib-damaged", "bad", where="a b.zip!vib20/x.vib"),
    make_finding("vib-missing", "x lists z", severity=Severity.ERROR),
    make_finding("boots-as-stick", "UEFI yes"),
)


def run_of(document: dict[str, object]) -> dict[str, Any]:
    runs: Any = document["runs"]
    assert len(runs) == 1
    found: dict[str, Any] = runs[0]
    return found


def test_each_code_is_a_rule_once_and_each_finding_a_result() -> None:
    document = eib.findings_as_sarif(FOUND, about="spec.json")
    assert document["version"] == "2.1.0"
    run = run_of(document)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["vib-missing", "vib-damaged", "boots-as-stick"]
    assert [(result["ruleId"], rules[result["ruleIndex"]]) for result in run["results"]] == [
        (finding.code, finding.code) for finding in FOUND
    ]
    assert [result["level"] for result in run["results"]] == ["error", "error", "error", "note"]
    assert run["results"][0]["message"]["text"] == "x lists y\nwhy: c\ntry: r"
    assert run["results"][0]["properties"] == {"items": ["y", "x"], "facts": {"vib": "y"}}
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"])
    json.dumps(document)


def test_a_place_is_a_file_on_disk() -> None:
    places = [result["locations"][0] for result in run_of(eib.findings_as_sarif(FOUND, about="spec.json"))["results"]]
    assert places[0] == {"physicalLocation": {"artifactLocation": {"uri": "spec.json"}}}
    assert places[1]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.zip"
    assert places[1]["logicalLocations"] == [{"fullyQualifiedName": "a b.zip!vib20/x.vib"}]


def test_what_was_waived_is_suppressed_and_stays_visible() -> None:
    results = run_of(eib.findings_as_sarif(FOUND, about="x", allow=("vib-missing", "boots-as-stick")))["results"]
    assert ["suppressions" in result for result in results] == [True, False, True, False]


def test_no_finding_is_an_empty_run() -> None:
    run = run_of(eib.findings_as_sarif((), about="x"))
    assert run["results"] == run["tool"]["driver"]["rules"] == []


def test_a_report_of_an_image_can_be_sarif_and_others_cannot(tmp_path: Path) -> None:
    with eib.open_depot(DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip") as depot:
        image = eib.compose(depot.catalog, base_image="7.0U3g")
        report = eib.validate(image, depot.catalog).with_findings(FOUND)
        eib.write_report(image, report, tmp_path / "x.sarif", allow=("vib-missing",))
        run = run_of(json.loads((tmp_path / "x.sarif").read_text(encoding="utf-8")))
        assert {result["ruleId"] for result in run["results"]} == {finding.code for finding in report.findings}
        cluster = eib.check_compliance(image, [], catalog=depot.catalog)
        with pytest.raises(eib.ModelError, match="must say its form"):
            eib.write_compliance(cluster, tmp_path / "y.sarif")
