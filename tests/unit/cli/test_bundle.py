"""``esximage bundle create`` and ``esximage add-on create``: what is written, what they say, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS, left_in

import esximage_builder as eib

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import Runner

LOOSE = DEPOTS / "homelab-tweaks-1.0.0-1.vib"
I40EN = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"


def test_a_bundle_says_what_it_holds(run: Runner, out: Path) -> None:
    outcome = run("bundle", "create", LOOSE, I40EN, "--out", out / "b.zip")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[0] == "b.zip"
    assert [line.split() for line in outcome.out.splitlines()[4:]] == [
        ["Components", "(2)"],
        ["Name", "Version", "Vendor", "VIBs"],
        ["Intel-i40en", "2.8.4.0-1OEM.700.1.0.15843807", "Intel", "1"],
        ["homelab-tweaks", "1.0.0-1", "HomeLab", "1"],
    ]
    assert eib.verify_bundle(out / "b.zip").is_passed


def test_a_bundle_as_json(run: Runner, out: Path) -> None:
    answer = run(
        "bundle", "create", LOOSE, I40EN, "--out", out / "b.zip", "--vendor", "Me", "--vendor-code", "M3E", "--json"
    ).json

    assert [(item["name"], item["vibs"]) for item in answer["components"]][1] == (
        "homelab-tweaks", ["HomeLab_bootbank_homelab-tweaks_1.0.0-1"],
    )  # fmt: skip
    assert answer["size_bytes"] == (out / "b.zip").stat().st_size
    assert "add_on" not in answer


def test_an_add_on_says_what_it_is(run: Runner, out: Path) -> None:
    outcome = run(
        "add-on", "create", LOOSE, "--out", out / "a.zip", "--name", "Lab-AddOn", "--version", "703-1",
        "--supports", "7.0.3", "--supports", "8.0", "--remove", "lsu-hp",
    )  # fmt: skip

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[:4] == [
        "Lab-AddOn:703-1",
        "  Vendor     HomeLab",
        "  For        7.0.3, 8.0",
        "  Takes off  lsu-hp",
    ]
    with eib.open_depot(out / "a.zip") as depot:
        assert [unit.id for unit in depot.catalog.add_ons] == ["Lab-AddOn:703-1"]


def test_an_add_on_as_json_and_into_an_image(run: Runner, out: Path) -> None:
    answer = run(
        "add-on", "--json", "create", LOOSE, I40EN, "--out", out / "a.zip", "--name", "Lab-AddOn", "--version", "703-1",
        "--supports", "7.0.3", "--vendor", "Lab", "--summary", "Our hosts",
    ).json  # fmt: skip

    assert answer["add_on"] == {
        "name": "Lab-AddOn",
        "version": "703-1",
        "vendor": "Lab",
        "acceptance_level": "community",
        "supported_base_images": ["7.0.3"],
        "removed_components": [],
    }
    assert run("build", "--depot", U3G, out / "a.zip", "--base", "7.0U3g", "--add-on", "Lab-AddOn").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["bundle", "create", U3G], "invalid-model", "whole images"),
        (["bundle", "create", "/nonexistent.vib"], "source-unreadable", "No such file"),
        (["bundle", "create", LOOSE, "--vendor-code", "long"], "invalid-model", "three letters"),
        (["add-on", "create", LOOSE, "--name", "A", "--version", "1"], "invalid-model", "--supports"),
        (["add-on", "create", LOOSE, "--name", "A", "--version", "", "--supports", "8.0"], "version-syntax", "version"),
        (["add-on", "create", LOOSE, "--name", "A", "--version", "1", "--supports", "8", "--remove", "homelab-tweaks"],
         "invalid-model", "brings and removes"),
    ],
)  # fmt: skip
def test_bad_input_exits_with_2_and_leaves_nothing(
    run: Runner, out: Path, arguments: list[object], code: str, message: str
) -> None:
    outcome = run(*arguments, "--out", out / "x.zip", "--json")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.error["code"] == code
    assert message in outcome.error["message"]
    assert left_in(out) == {}


@pytest.mark.parametrize("verb", [["bundle"], ["add-on"]])
def test_no_input_and_no_file_that_is_there_is_eaten(run: Runner, out: Path, verb: list[str]) -> None:
    more = ["--name", "A", "--version", "1", "--supports", "8.0"] if verb == ["add-on"] else []
    copy = out / "copy.vib"
    copy.write_bytes(LOOSE.read_bytes())
    (out / "link.zip").symlink_to(copy)
    (out / "there.zip").write_bytes(b"mine")

    assert (
        "is read" in run(*verb, "create", copy, "--out", out / "link.zip", "--force", *more, "--json").error["message"]
    )
    assert "there already" in run(*verb, "create", copy, "--out", out / "there.zip", *more, "--json").error["message"]
    assert (out / "there.zip").read_bytes() == b"mine"
    assert copy.read_bytes() == LOOSE.read_bytes()
    assert run(*verb, "create", copy, "--out", out / "there.zip", "--force", *more).code == 0
