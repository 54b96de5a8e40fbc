"""``esximage explain``: causes, names and levels, as text and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from support.command_line import answer, found, run

if TYPE_CHECKING:
    import pytest

ADD_ON = "ACME-AddOn:703.20328353.A08"


def test_explain_says_rules_causes_and_level(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "explain", "--depot", *found(depots, "7.0U3g", "A08", "flux"), "--base", "7.0U3g",
        "--add-on", ADD_ON, "--component", "Acme-flux",
    )  # fmt: skip

    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "rules: base image, add-on and components, as since ESXi 7.0"
    assert lines[1] == (
        "[error] missing-dependency: ACM_bootbank_acme-flux_1.0.0-1OEM.900.1.0.24000000 requires vmkapi_9_9_0_0, "
        "which the image does not have"
    )
    assert lines[2].startswith("    why: built for the driver interface of ESXi after 9.0, vmkapi 9.9; ")
    assert "[info] acceptance-level: the image is PartnerSupported: " in out


def test_explain_with_nothing_to_explain(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "explain", "--depot", *found(depots, "6.7.0"), "--profile", "ESXi-6.7.0-8169922-standard"
    )

    assert (code, out) == (
        0,
        (
            "rules: a list of VIBs, as up to ESXi 6.7; base image, add-on and components are not asked for\n"
            "nothing to explain: no findings\n"
        ),
    )


def test_explain_as_json(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = answer(
        capsys, "explain", "--depot", *found(depots, "7.0U3g", "A08", "flux"), "--base", "7.0U3g",
        "--add-on", ADD_ON, "--component", "Acme-flux", "Acme-flux", "nobody",
    )  # fmt: skip

    assert document["rules"] == "components"
    assert [entry["code"] for entry in document["explanations"]] == ["missing-dependency"]
    assert set(document["explanations"][0]) == {"code", "severity", "headline", "cause", "remedies", "items"}
    assert document["acceptance"]["severity"] == "info"
    assert len(document["acceptance"]["items"]) == 6
    assert document["names"] == {
        "Acme-flux": [("Component Acme-flux 1.0.0-1OEM.900.1.0.24000000 comes from the user, as the highest loaded "
                      "version that fits, since the version was left open.")],
        "nobody": [],
    }  # fmt: skip


def test_explain_without_a_lowered_level(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = answer(capsys, "explain", "--depot", *found(depots, "7.0U3g"), "--base", "7.0U3g")

    assert document == {"rules": "components", "acceptance": None, "explanations": [], "names": {}, "codes": []}


def test_explain_names(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "explain", "--depot", *found(depots, "7.0U3g", "A08"), "--base", "7.0U3g", "--add-on", ADD_ON,
        "bnxtnet", "HPE-hpv2-hpsa-plugin", "nobody",
    )  # fmt: skip

    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("VIB BCM_bootbank_bnxtnet_222.0.118.0-1OEM.700.1.0.15843807 is installed with ")
    assert lines[1].startswith("VIB VMW_bootbank_bnxtnet_216.0.50.0-44vmw.703.0.50.20036589 is reserved ")
    assert lines[2].startswith("Component HPE-hpv2-hpsa-plugin is not in the image: the add-on removes it ")
    assert lines[-1] == "The image knows nothing named nobody."


def test_explain_takes_a_minimum_level(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Six VIBs below the level are one explanation."""
    _, out, _ = run(
        capsys, "explain", "--depot", *found(depots, "7.0U3g", "A08"), "--base", "7.0U3g", "--add-on", ADD_ON,
        "--minimum-acceptance", "certified",
    )  # fmt: skip

    assert out.count("acceptance too low of ") == 1
