"""``esximage component create``: what is written, what it says, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS, left_in, zip_members

import esximage_builder as eib

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import Runner

LOOSE = DEPOTS / "homelab-tweaks-1.0.0-1.vib"
VIB_ID = "HomeLab_bootbank_homelab-tweaks_1.0.0-1"


def test_the_zip_holds_the_component_and_the_vib_verbatim(run: Runner, out: Path) -> None:
    outcome = run("component", "create", LOOSE, "--out", out / "component.zip")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[:5] == [
        "homelab-tweaks:1.0.0-1",
        "  Vendor            HomeLab",
        "  For               every release, since it names none",
        "  Acceptance level  CommunitySupported",
        f"  VIB               {VIB_ID}",
    ]
    assert zip_members(out / "component.zip")[f"vib20/homelab-tweaks/{VIB_ID}.vib"] == LOOSE.read_bytes()
    with eib.open_depot(out / "component.zip") as depot:
        (component,) = depot.catalog.components
        assert (component.id, component.vib_ids) == ("homelab-tweaks:1.0.0-1", (VIB_ID,))
        assert depot.catalog.loose_vibs == ()
    assert eib.verify_bundle(out / "component.zip").is_passed


def test_two_runs_write_the_same_bytes(run: Runner, out: Path) -> None:
    for name in ("one.zip", "two.zip"):
        assert run("component", "create", LOOSE, "--out", out / name).code == 0

    assert (out / "one.zip").read_bytes() == (out / "two.zip").read_bytes()


@pytest.mark.parametrize("before", [["component", "--json"], ["component"]])
def test_json_is_one_object_wherever_the_option_stands(run: Runner, out: Path, before: list[str]) -> None:
    outcome = run(
        *before, "create", LOOSE, "--out", out / "c.zip", "--name", "Tweaks", "--version", "2-1", "--vendor", "Me",
        "--platform", "8.0", "--platform", "9.*", *([] if "--json" in before else ["--json"]),
    )  # fmt: skip

    assert outcome.code == 0
    assert outcome.json == {
        "component": {
            "name": "Tweaks",
            "version": "2-1",
            "vendor": "Me",
            "platforms": [
                {"product_line": "embeddedEsx", "version": "8.0"},
                {"product_line": "embeddedEsx", "version": "9.*"},
            ],
            "vibs": [VIB_ID],
        },
        "acceptance_level": "community",
        "path": str(out / "c.zip"),
        "size_bytes": (out / "c.zip").stat().st_size,
    }
    index = zip_members(out / "c.zip")["vendor-index.xml"].decode()
    assert index.count("<metadata>") == 2
    assert "<version>8.0</version>" in index
    assert "<version>9.*</version>" in index


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        pytest.param(
            ["Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"], [], "hold components already", id="a component"
        ),
        pytest.param(["VMware-ESXi-6.7.0-8169922-depot.zip"], [], "belongs to ESXi itself", id="ESXi itself"),
        pytest.param(["homelab-tweaks-1.0.0-1.vib"], ["--name", "a b"], "cannot have this name", id="a bad name"),
        pytest.param(["homelab-tweaks-1.0.0-1.vib"], ["--version", "a b"], "is no component version", id="no version"),
    ],
)
def test_what_makes_no_component_is_refused(
    run: Runner, out: Path, files: list[str], options: list[str], message: str
) -> None:
    outcome = run("component", "create", *(DEPOTS / file for file in files), "--out", out / "c.zip", *options, "--json")

    assert outcome.code == 2
    assert message in outcome.error["message"]
    assert left_in(out) == {}


def test_a_file_that_is_read_is_never_written(run: Runner, out: Path) -> None:
    """By no spelling of its name, and through no link."""
    vib = out / "a.vib"
    vib.write_bytes(LOOSE.read_bytes())
    (out / "link.vib").symlink_to(vib)

    for target in (vib, out / "link.vib", out / ".." / "out" / "a.vib"):
        outcome = run("component", "create", vib, "--out", target)
        assert outcome.code == 2
        assert "names a file that is read" in outcome.err
    assert vib.read_bytes() == LOOSE.read_bytes()
