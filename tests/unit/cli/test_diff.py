"""``esximage diff``: two images from bundles and specs, as text and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from support.command_line import answer, found, run, spec_file

from esximage_builder.findings import Finding, Severity
from esximage_builder.rules.classify import Change, ChangeKind
from esximage_builder.rules.diff import ImageDiff
from esximage_builder.views.change import change_as_dict
from esximage_builder.views.diff import diff_as_dict, render_diff
from esximage_builder.views.findings import finding_as_dict

if TYPE_CHECKING:
    import pytest


def test_diff_of_two_bundles(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "diff", *found(depots, "7.0U3f", "7.0U3g"))

    assert code == 0
    assert out.startswith(
        "Change            patch\n"
        "Impact on a host  REBOOT_REQUIRED\n"
        "\n"
        "Base image\n"
        "  Name  Before               After                What    Why\n"
        "  ESXi  7.0.3-0.50.20036589  7.0.3-0.55.20328353  raised  another base image\n"
        "\n"
        "Components\n"
    )
    assert "\nAdd-on\n" not in out
    assert "\nVIBs\n" in out


def test_diff_of_a_bundle_with_itself(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle,) = found(depots, "7.0U3g")
    _, out, _ = run(capsys, "diff", bundle, bundle)

    assert out == "Change            none\nImpact on a host  NO_IMPACT\nThe images are equal.\n"


def test_diff_backwards(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "diff", *found(depots, "7.0U3f", "7.0U3g")[::-1])

    assert out.startswith("Change            patch (downwards)\n")


def test_diff_of_a_6_7_bundle_is_an_upgrade(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "diff", *found(depots, "6.7.0", "7.0U2a"))

    assert out.startswith("Change            upgrade\n")
    row = "esx-base 6.7.0-0.0.8169922 7.0.2-0.0.17867351 raised with component ESXi"
    assert row in [" ".join(line.split()) for line in out.splitlines()]


def test_diff_of_two_specs(depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = spec_file(tmp_path, "before.json", "7.0U2a", "ACME-AddOn:702.17867351.A03")
    after = spec_file(tmp_path, "after.json", "8.0U3")
    document = answer(capsys, "diff", before, after, "--depot", *found(depots, "7.0U2a", "A03", "8.0U3"))

    assert document["change"]["kind"] == "upgrade"
    assert [entry["code"] for entry in document["change"]["findings"]] == ["add-on-dropped"]
    assert document["impact"] == "REBOOT_REQUIRED"
    assert document["add_on"] == {
        "name": "ACME-AddOn",
        "before": "702.17867351.A03",
        "after": "",
        "direction": "removed",
        "cause": "another add-on",
    }
    causes = {entry["name"]: entry["cause"] for entry in document["components"]}
    assert causes["Acme-Agent"] == "no longer in the add-on"
    assert causes["Broadcom-bnxt-Net-RoCE"] == "by the base image, no longer overridden by the add-on"
    assert set(document["vibs"][0]) == {"name", "before", "after", "direction", "cause"}


def test_diff_shows_findings(depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = spec_file(tmp_path, "before.json", "7.0U2a", "ACME-AddOn:702.17867351.A03")
    after = spec_file(tmp_path, "after.json", "8.0U3")
    _, out, _ = run(capsys, "diff", before, after, "--depot", *found(depots, "7.0U2a", "A03", "8.0U3"))

    assert "\n  [warning] add-on-dropped: the add-on ACME-AddOn:702.17867351.A03 is not in the new image\n" in out
    assert "      why: " in out


def test_a_spec_needs_depots(depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "diff", spec_file(tmp_path, "a.json", "7.0U3g"), *found(depots, "7.0U3g"))

    assert (code, out) == (2, "")
    assert "a spec needs depots to be composed from" in err
    assert "--depot" in err


def test_a_bundle_without_an_image_is_refused(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "diff", *found(depots, "A08", "A09"))

    assert code == 2
    assert "the depots do not hold exactly one image" in err


def test_an_empty_difference_as_json() -> None:
    assert diff_as_dict(ImageDiff(change=Change(kind=ChangeKind.NONE))) == {
        "change": {"kind": "none", "is_downgrade": False, "is_security_sibling": False, "findings": []},
        "impact": "NO_IMPACT",
        "base_image": None,
        "add_on": None,
        "components": [],
        "vibs": [],
    }


def test_marks_of_a_change_are_shown() -> None:
    finding = Finding(code="x", severity=Severity.WARNING, message="m")
    change = Change(kind=ChangeKind.PATCH, is_downgrade=True, is_security_sibling=True, findings=[finding])

    first, *_ = render_diff(ImageDiff(change=change)).splitlines()
    assert first == "Change            patch (downwards, security-only sibling)"
    assert change_as_dict(change)["findings"] == [finding_as_dict(finding)]
