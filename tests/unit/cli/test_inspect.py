"""``esximage inspect``: the listing as text, and the JSON that tools rely on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS, edit_zip

if TYPE_CHECKING:
    from support.command_line import Runner

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
ESXI_67 = DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip"
A08 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
I40EN_NEW = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
LOOSE = DEPOTS / "homelab-tweaks-1.0.0-1.vib"
VERSION = "7.0.3-0.55.20328353"
ADD_ON = "ACME-AddOn:703.20328353.A08"


# The contract. Keys may be added, never renamed or dropped (docs/command-line.md).
TOP_KEYS = {"sources", "base_images", "add_ons", "components", "bulletins", "profiles", "vibs", "findings"}
VIB_KEYS = {"id", "name", "version", "vendor", "type", "acceptance_level", "signed", "payloads"}


def test_inspect_json_has_the_shape_that_tools_rely_on(run: Runner) -> None:
    outcome = run("inspect", "--json", U3G, A08, LOOSE)
    listing = outcome.json

    assert (outcome.code, outcome.err) == (0, "")
    assert listing.keys() >= TOP_KEYS
    assert all(isinstance(listing[key], list) for key in TOP_KEYS)
    assert listing["sources"] == [str(U3G), str(A08), str(LOOSE)]
    for vib in listing["vibs"]:
        assert vib.keys() >= VIB_KEYS
        assert vib["id"] == f"{vib['vendor']}_{vib['type']}_{vib['name']}_{vib['version']}"
        assert isinstance(vib["signed"], bool)
        assert vib["acceptance_level"] in ("certified", "accepted", "partner", "community")
        assert vib["payloads"]
        for payload in vib["payloads"]:
            assert payload.keys() >= {"name", "type", "size"}
            assert isinstance(payload["size"], int)


def test_inspect_json_says_what_is_there(run: Runner) -> None:
    listing = run("inspect", U3G, A08, LOOSE, "--json").json
    vibs = {vib["name"]: vib for vib in listing["vibs"]}

    assert [unit["version"] for unit in listing["base_images"]] == [VERSION]
    assert [(unit["name"], unit["version"]) for unit in listing["add_ons"]] == [tuple(ADD_ON.split(":"))]
    assert {"name": "ESXi-7.0U3g-20328353-standard"}.items() <= listing["profiles"][1].items()
    assert {unit["name"] for unit in listing["components"]} >= {"ESXi", "esx-update", "Acme-Agent"}
    assert listing["findings"] == []
    assert not vibs["homelab-tweaks"]["signed"]
    assert vibs["homelab-tweaks"]["acceptance_level"] == "community"
    assert vibs["esx-base"]["signed"]
    assert vibs["esx-base"]["acceptance_level"] == "certified"
    assert {"name": "b", "type": "boot"}.items() <= vibs["esx-base"]["payloads"][0].items()
    assert [payload["type"] for payload in vibs["tools-light"]["payloads"]] == ["tgz"]
    assert vibs["tools-light"]["type"] == "locker"


def test_inspect_of_a_legacy_depot_shows_bulletins(run: Runner) -> None:
    listing = run("inspect", ESXI_67, "--json").json
    assert [bulletin["id"] for bulletin in listing["bulletins"]] == ["ESXi670-GA-8169922"]
    assert listing["components"] == listing["base_images"] == []


def test_inspect_text_counts_and_names(run: Runner) -> None:
    outcome = run("inspect", U3G, A08, "--name", "*")
    lines = outcome.out.splitlines()
    counts = dict(re.findall(r"^(\S.*) \((\d+)\)$", outcome.out, re.MULTILINE))

    assert (outcome.code, outcome.err) == (0, "")
    assert lines[:3] == ["Sources", f"  {U3G}", f"  {A08}"]
    assert (counts["Base images"], counts["Add-ons"], counts["Image profiles"]) == ("1", "1", "2")
    assert "Bulletins" not in counts, "empty sections are left out"
    assert f"  {VERSION}  7.0 U3g - 20328353" in lines
    assert sum(line.endswith("  intact, trust not asked") for line in lines) == int(counts["VIBs"])
    assert not any(line != line.rstrip() for line in lines)


def test_inspect_text_shows_findings(run: Runner, tmp_path: Path) -> None:
    path = edit_zip(I40EN_NEW, tmp_path / "cut.zip", lambda name, data: data[:-9] if name.endswith(".vib") else data)
    outcome = run("inspect", path)
    assert outcome.code == 0
    assert re.search(r"^  \[warning\] vib-size-differs: vib20/i40en/", outcome.out, re.MULTILINE)


BASE = str(DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip")


def test_long_lists_are_counted_and_named_by_their_option(run: Runner) -> None:
    shown = run("inspect", BASE).out
    assert "Components (42)\n  --components lists them\n" in shown
    assert "VIBs (64)\n  --vibs lists them\n" in shown
    assert "Base images (1)\n  Version" in shown


@pytest.mark.parametrize(
    ("options", "titles"),
    [
        (["--components"], {"Components (42)"}),
        (["--vibs", "--base-images"], {"VIBs (64)", "Base images (1)", "Signers (1)"}),
        (["--name", "INTEL-I*"], {"Components (4)"}),
        (["--components", "--name", "esx*"], {"Components (2)"}),
        (["--name", "esx-base", "--name", "7.0.3-0.55.20328353"], {"Base images (1)", "Components (2)", "VIBs (14)"}),
        (["--name", "no-such-name"], set()),
    ],
)
def test_what_is_asked_for_is_listed_and_nothing_else(run: Runner, options: list[str], titles: set[str]) -> None:
    shown = run("inspect", BASE, *options)
    assert shown.code == 0
    found = {line for line in shown.out.splitlines() if line and line[0] != " "} - {"Sources", "Findings"}
    assert {title for title in found if not title.startswith("Signers")} == {
        title for title in titles if not title.startswith("Signers")
    }
    listing = json.loads(run("inspect", BASE, *options, "--json").out)
    assert len(listing["components"]) == next((int(t[12:-1]) for t in titles if t.startswith("Components")), 0)
