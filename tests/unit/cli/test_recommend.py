"""``esximage recommend``: suggestions and what was passed over, as text and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.command_line import answer, found, run, spec_file

from esximage_builder.rules.recommend import PassedOver, Recommendation
from esximage_builder.views.recommendation import render_recommendation

if TYPE_CHECKING:
    from pathlib import Path

ADD_ON = "ACME-AddOn:703.20328353.A08"


def test_recommend_as_text(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "recommend", "--depot", *sorted(depots.iterdir()), "--base", "7.0U3f", "--add-on", ADD_ON
    )

    assert code == 0
    assert out == (
        "Latest of the current series\n"
        "  ESXi 7.0.3-0.55.20328353 with ACME-AddOn:703.20328353.A09: patch\n"
        "\n"
        "Latest of all\n"
        "  ESXi 7.0.3-0.55.20328353 with ACME-AddOn:703.20328353.A09: patch\n"
        "\n"
        "Passed over\n"
        "  Base image           Add-on                       Why\n"
        "  8.0.3-0.0.24022510   ACME-AddOn:803.24022510.A02  MRVL-E4-CNA-Driver-Bundle would go down from "
        "5.0.305.0-1OEM.700.1.0.15843807 to 1.0.0.0-1vmw.803.0.0.24022510, which hosts refuse\n"
        "  7.0.3-0.55.20328353  ACME-AddOn:703.20328353.A08  a newer candidate is suggested\n"
        "  7.0.3-0.50.20036589  ACME-AddOn:703.20328353.A09  a newer candidate is suggested\n"
    )


def test_recommend_as_json_gives_specs_that_can_be_built(
    depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = sorted(depots.iterdir())
    document = answer(capsys, "recommend", "--depot", *opened, "--base", "7.0U3f", "--add-on", ADD_ON)

    assert set(document) == {"current_series", "latest", "passed_over"}
    for key in ("current_series", "latest"):
        suggestion = document[key]
        assert set(suggestion) == {"spec", "change", "lowered_components", "warnings", "waived", "cautions", "security"}
        path = tmp_path / f"{key}.json"
        path.write_text(json.dumps(suggestion["spec"]), encoding="utf-8")
        assert run(capsys, "build", "--depot", *opened, "--spec", path)[0] == 0
    assert document["passed_over"][1] == {
        "base_image": "7.0.3-0.55.20328353",
        "add_on": "ACME-AddOn:703.20328353.A08",
        "reasons": ["a newer candidate is suggested"],
    }


def test_recommend_with_nothing_newer(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "recommend", "--depot", *found(depots, "8.0U3"), "--base", "8.0U3")

    nothing = "Latest of the current series\n  Nothing newer fits.\n\nLatest of all\n  Nothing newer fits.\n"
    assert (code, out) == (0, nothing)
    document = answer(capsys, "recommend", "--depot", *found(depots, "8.0U3"), "--base", "8.0U3")
    assert document == {"current_series": None, "latest": None, "passed_over": []}


def test_recommend_from_a_spec(depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = spec_file(tmp_path, "image.json", "7.0U3f")
    _, out, _ = run(capsys, "recommend", "--depot", *found(depots, "7.0U3f", "7.0U3g"), "--spec", path)

    assert out.startswith("Latest of the current series\n  ESXi 7.0.3-0.55.20328353: patch\n")


def test_recommend_of_what_is_not_loaded(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "recommend", "--depot", *found(depots, "7.0U3f"), "--base", "7.0U3g")

    assert code == 2
    assert "no loaded base image is called 7.0U3g" in err


def test_a_candidate_without_an_add_on_is_shown_without() -> None:
    passed = PassedOver(base_image="8.0.3-0.0.24022510", add_on="", reasons=["one", "two"])

    assert render_recommendation(Recommendation(passed_over=[passed])).endswith(
        "Passed over\n  Base image          Add-on  Why\n  8.0.3-0.0.24022510  (none)  one; two\n"
    )


@pytest.mark.parametrize("code", ["no-such-code", "no-direct-upgrade"])
def test_what_cannot_be_waived_is_refused(depots: Path, capsys: pytest.CaptureFixture[str], code: str) -> None:
    exit_code, out, err = run(
        capsys, "recommend", "--depot", *found(depots, "7.0U3f"), "--base", "7.0U3f", "--allow", code
    )

    assert (exit_code, out) == (2, "")
    assert code in err
