"""The commands that give advice: explain, diff, recommend, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esximage_builder.cli.app import main
from esximage_builder.findings import Finding, Severity
from esximage_builder.rules.classify import Change, ChangeKind
from esximage_builder.rules.diff import ImageDiff
from esximage_builder.rules.recommend import PassedOver, Recommendation
from esximage_builder.views.change import change_as_dict, diff_as_dict, render_diff, render_recommendation

if TYPE_CHECKING:
    import pytest

ADD_ON = "ACME-AddOn:703.20328353.A08"


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def found(depots: Path, *parts: str) -> list[Path]:
    return sorted(path for path in depots.iterdir() if any(part in path.name for part in parts))


def answer(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    code, out, err = run(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


# explain


def test_explain_says_rules_causes_and_level(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "explain", "--depot", *found(depots, "7.0U3g", "A08", "flux"), "--base", "7.0U3g",
        "--add-on", ADD_ON, "--component", "Acme-flux",
    )  # fmt: skip

    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "rules: base image, add-on and components, as since ESXi 7.0"
    assert lines[1] == (
        "[error] ACM_bootbank_acme-flux_1.0.0-1OEM.900.1.0.24000000 requires vmkapi_9_9_0_0, which the image does "
        "not have"
    )
    assert lines[2].startswith("    why: built for the driver interface of ESXi after 9.0, vmkapi 9.9; ")
    assert "[info] the image is PartnerSupported: " in out


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

    assert document == {"rules": "components", "acceptance": None, "explanations": [], "names": {}}


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


# diff


def spec_file(folder: Path, name: str, base: str, add_on: str = "") -> Path:
    path = folder / name
    document: dict[str, Any] = {"base_image": {"version": base}}
    if add_on:
        document["add_on"] = dict(zip(("name", "version"), add_on.split(":"), strict=True))
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_diff_of_two_bundles(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "diff", *found(depots, "7.0U3f", "7.0U3g"))

    assert code == 0
    assert out.startswith(
        "change: patch\n"
        "impact on a host: REBOOT_REQUIRED\n"
        "\n"
        "base image:\n"
        "  ESXi: 7.0.3-0.50.20036589 -> 7.0.3-0.55.20328353  raised: another base image\n"
        "\n"
        "components:\n"
        "  ESXi: 7.0.3-0.50.20036589 -> 7.0.3-0.55.20328353  raised: by the base image\n"
    )
    assert "\nadd-on:" not in out
    assert "\nVIBs:\n" in out


def test_diff_of_a_bundle_with_itself(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle,) = found(depots, "7.0U3g")
    _, out, _ = run(capsys, "diff", bundle, bundle)

    assert out == "change: none\nimpact on a host: NO_IMPACT\nthe images are equal\n"


def test_diff_backwards(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "diff", *found(depots, "7.0U3f", "7.0U3g")[::-1])

    assert out.startswith("change: patch (downwards)\n")


def test_diff_of_a_6_7_bundle_is_an_upgrade(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "diff", *found(depots, "6.7.0", "7.0U2a"))

    assert out.startswith("change: upgrade\n")
    assert "  esx-base: 6.7.0-0.0.8169922 -> 7.0.2-0.0.17867351  raised: with component ESXi\n" in out


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

    assert "\n[warning] add-on-dropped: the add-on ACME-AddOn:702.17867351.A03 is not in the new image\n" in out
    assert "    why: " in out


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

    assert render_diff(ImageDiff(change=change)).startswith("change: patch (downwards, security-only sibling)\n")
    assert change_as_dict(change)["findings"] == [finding.as_dict()]


# recommend


def test_recommend_as_text(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "recommend", "--depot", *sorted(depots.iterdir()), "--base", "7.0U3f", "--add-on", ADD_ON
    )

    assert code == 0
    assert out == (
        "latest of the current series: ESXi 7.0.3-0.55.20328353 with ACME-AddOn:703.20328353.A09 (patch)\n"
        "latest of all: ESXi 8.0.3-0.0.24022510 with ACME-AddOn:803.24022510.A02 (upgrade)\n"
        "    lower than now, which hosts refuse that were given them by hand: MRVL-E4-CNA-Driver-Bundle\n"
        "\n"
        "passed over:\n"
        "  ESXi 7.0.3-0.55.20328353 with ACME-AddOn:703.20328353.A08: a newer candidate is suggested\n"
        "  ESXi 7.0.3-0.50.20036589 with ACME-AddOn:703.20328353.A09: a newer candidate is suggested\n"
    )


def test_recommend_as_json_gives_specs_that_can_be_built(
    depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = sorted(depots.iterdir())
    document = answer(capsys, "recommend", "--depot", *opened, "--base", "7.0U3f", "--add-on", ADD_ON)

    assert set(document) == {"current_series", "latest", "passed_over"}
    for key in ("current_series", "latest"):
        suggestion = document[key]
        assert set(suggestion) == {"spec", "change", "lowered_components", "warnings"}
        path = tmp_path / f"{key}.json"
        path.write_text(json.dumps(suggestion["spec"]), encoding="utf-8")
        assert run(capsys, "build", "--depot", *opened, "--spec", path)[0] == 0
    assert document["passed_over"][0] == {
        "base_image": "7.0.3-0.55.20328353",
        "add_on": "ACME-AddOn:703.20328353.A08",
        "reasons": ["a newer candidate is suggested"],
    }


def test_recommend_with_nothing_newer(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "recommend", "--depot", *found(depots, "8.0U3"), "--base", "8.0U3")

    assert (code, out) == (0, "latest of the current series: nothing newer fits\nlatest of all: nothing newer fits\n")
    document = answer(capsys, "recommend", "--depot", *found(depots, "8.0U3"), "--base", "8.0U3")
    assert document == {"current_series": None, "latest": None, "passed_over": []}


def test_recommend_from_a_spec(depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = spec_file(tmp_path, "image.json", "7.0U3f")
    _, out, _ = run(capsys, "recommend", "--depot", *found(depots, "7.0U3f", "7.0U3g"), "--spec", path)

    assert out.startswith("latest of the current series: ESXi 7.0.3-0.55.20328353 (patch)\n")


def test_recommend_of_what_is_not_loaded(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "recommend", "--depot", *found(depots, "7.0U3f"), "--base", "7.0U3g")

    assert code == 2
    assert "no loaded base image is called 7.0U3g" in err


def test_a_candidate_without_an_add_on_is_shown_without() -> None:
    passed = PassedOver(base_image="8.0.3-0.0.24022510", add_on="", reasons=["one", "two"])

    assert render_recommendation(Recommendation(passed_over=[passed])).endswith(
        "passed over:\n  ESXi 8.0.3-0.0.24022510: one; two\n"
    )
