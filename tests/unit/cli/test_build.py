"""``esximage build``: what is composed, what is written, and what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS, SPECS, left_in, zip_members
from support.small_images import base_vibs, write_base_depot

import esximage_builder as eib
from esximage_builder.containers.iso9660_reader import open_iso

if TYPE_CHECKING:
    from support.command_line import Outcome, Runner

U3F = DEPOTS / "VMware-ESXi-7.0U3f-20036589-depot.zip"
U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
ESXI_67 = DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip"
A08 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
A03 = DEPOTS / "ACME-ESXi-Addon-702.17867351.A03-depot.zip"
I40EN_NEW = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
I40EN_OLD = DEPOTS / "Intel-i40en_1.8.1.16-1vmw.700.1.0.15843807.zip"
VERSION = "7.0.3-0.55.20328353"
ADD_ON = "ACME-AddOn:703.20328353.A08"


def test_build_writes_what_was_asked_for_and_reports_it(run: Runner, out: Path) -> None:
    outcome = run(
        "build", "--depot", U3G, A08, "--base", VERSION, "--add-on", ADD_ON,
        "--bundle", out / "custom.zip", "--iso", out / "custom.iso", "--name", "My image",
    )  # fmt: skip
    lines = outcome.out.splitlines()

    assert (outcome.code, outcome.err) == (0, "")
    assert set(left_in(out)) == {"custom.zip", "custom.iso"}
    assert lines[:3] == ["My image", f"  ESXi              {VERSION}", "  Acceptance level  PartnerSupported"]
    assert f"  base image  ESXi        {VERSION}  7.0 U3g - 20328353" in lines
    assert "  add-on      ACME-AddOn  703.20328353.A08     703.20328353.A08" in lines
    assert "  No findings." in lines
    for name in ("custom.zip", "custom.iso"):
        assert f"  File     {out / name}\n  Size     {(out / name).stat().st_size:,} bytes (" in outcome.out
    with eib.open_depot(out / "custom.zip") as depot:
        assert [profile.name for profile in depot.catalog.profiles] == ["My image"]


def test_build_json_is_one_report(run: Runner, out: Path) -> None:
    outcome = run(
        "build", "--depot", U3G, A08, "--base", VERSION, "--add-on", ADD_ON,
        "--bundle", out / "custom.zip", "--iso", out / "custom.iso", "--json",
    )  # fmt: skip
    report = outcome.json
    network = next(unit for unit in report["image"]["components"] if unit["name"] == "Broadcom-bnxt-Net-RoCE")

    assert (outcome.code, outcome.err) == (0, "")
    assert report.keys() >= {"image", "findings", "inputs", "outputs"}
    for listed, paths in (("inputs", (U3G, A08)), ("outputs", (out / "custom.iso", out / "custom.zip"))):
        assert [(entry["path"], entry["size_bytes"], entry["sha256"]) for entry in report[listed]] == [
            (str(path), path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths
        ]
    assert {entry["image_digest"] for entry in report["outputs"]} == {report["image"]["digest"]}
    assert report["image"]["base_image"] == {"version": VERSION}
    assert report["image"]["add_on"] == {"name": "ACME-AddOn", "version": "703.20328353.A08"}
    assert (network["source"], network["rule"]) == ("ADD_ON", "overrides-by-name")
    assert [lost["source"] for lost in network["overridden"]] == ["BASE_IMAGE"]
    assert report["findings"] == []
    assert {output["path"]: output["size_bytes"] for output in report["outputs"]} == {
        str(out / name): (out / name).stat().st_size for name in ("custom.zip", "custom.iso")
    }
    with eib.open_depot(out / "custom.zip") as depot:
        image = eib.compose(depot.catalog, base_image=VERSION, add_on=("ACME-AddOn", "703.20328353.A08"))
    assert report["image"]["digest"] == image.digest
    assert report["image"]["vibs"] == [entry.vib.id for entry in image.vibs]


def test_build_without_outputs_only_checks(run: Runner, out: Path) -> None:
    outcome = run("build", "--depot", U3G, "--base", VERSION)
    assert outcome.code == 0
    assert "written" not in outcome.out
    assert left_in(out) == {}


def component_versions(outcome: Outcome) -> dict[str, tuple[str, str]]:
    return {unit["name"]: (unit["version"], unit["source"]) for unit in outcome.json["image"]["components"]}


@pytest.mark.parametrize(
    ("wish", "version", "source"),
    [
        pytest.param([], "1.11.1.31-1vmw.703.0.20.19193900", "BASE_IMAGE", id="none"),
        pytest.param(["--component", "Intel-i40en"], "2.8.4.0-1OEM.700.1.0.15843807", "USER", id="the highest"),
        pytest.param(["--component", "Intel-i40en:"], "2.8.4.0-1OEM.700.1.0.15843807", "USER", id="empty version"),
        pytest.param(
            ["--component", "Intel-i40en:1.8.1.16-1vmw.700.1.0.15843807"],
            "1.8.1.16-1vmw.700.1.0.15843807",
            "USER",
            id="a lower one",
        ),
    ],
)
def test_components_with_and_without_version(run: Runner, wish: list[str], version: str, source: str) -> None:
    outcome = run("build", "--depot", U3G, I40EN_NEW, "--depot", I40EN_OLD, "--base", VERSION, *wish, "--json")
    assert outcome.code == 0
    assert component_versions(outcome)["Intel-i40en"] == (version, source)


def test_a_lowered_component_is_a_warning_in_the_report(run: Runner) -> None:
    wish = "Intel-i40en:1.8.1.16-1vmw.700.1.0.15843807"
    outcome = run("build", "--depot", U3G, I40EN_OLD, "--base", VERSION, "--component", wish)
    assert outcome.code == 0
    assert "  [warning] component-lowered: Intel-i40en:1.8.1.16-1vmw.700.1.0.15843807" in outcome.out
    assert "\n      why: " in outcome.out
    assert "\n      try: " in outcome.out


def test_components_can_be_removed(run: Runner) -> None:
    outcome = run(
        "build", "--depot", U3G, "--base", VERSION, "--remove", "VMware-oem-dell-plugin", "--remove", "Nobody", "--json"
    )
    image = outcome.json["image"]
    assert outcome.code == 0
    assert "VMware-oem-dell-plugin" not in component_versions(outcome)
    assert [entry["name"] for entry in image["removed_components"]] == ["Nobody", "VMware-oem-dell-plugin"]
    assert [entry["reason"] for entry in image["reserved_vibs"]] == ["component-removed"]
    assert "removed-component-absent" in [finding["code"] for finding in outcome.json["findings"]]


def test_a_spec_and_its_words_give_the_same_image(run: Runner) -> None:
    by_spec = run("build", "--depot", U3G, A08, "--spec", SPECS / "image_u3g_a08.json", "--json")
    by_words = run("build", "--depot", A08, U3G, "--base", VERSION, "--add-on", ADD_ON, "--json")
    assert by_spec.json["image"]["digest"] == by_words.json["image"]["digest"]


@pytest.mark.parametrize("base", ["7.0U3g", "7.0 U3g"])
def test_a_base_image_goes_by_its_release_name_too(run: Runner, base: str) -> None:
    outcome = run("build", "--depot", U3F, U3G, "--base", base, "--json")
    assert outcome.code == 0
    assert outcome.json["image"]["base_image"] == {"version": VERSION}


def test_a_spec_with_byte_order_mark_is_read(run: Runner) -> None:
    spec = SPECS / "image_u3f_a08_i40en_bom.json"
    outcome = run("build", "--depot", U3F, A08, I40EN_NEW, "--spec", spec, "--json")
    assert outcome.code == 0
    assert component_versions(outcome)["Intel-i40en"] == ("2.8.4.0-1OEM.700.1.0.15843807", "USER")


def test_a_profile_is_built_as_it_is(run: Runner, out: Path) -> None:
    outcome = run(
        "build", "--depot", ESXI_67, "--profile", "ESXi-6.7.0-8169922-standard", "--iso", out / "67.iso", "--json"
    )
    assert outcome.code == 0
    assert outcome.json["image"]["base_image"] is None
    with open_iso(out / "67.iso", where="disc", limits=eib.ReadLimits()) as disc:
        assert "CHARDEVS.B00" in disc.files


# The image has errors


def test_an_image_with_errors_exits_with_1_and_writes_nothing(run: Runner, out: Path) -> None:
    arguments = (
        "build", "--depot", U3G, A03, "--base", VERSION, "--add-on", "ACME-AddOn:702.17867351.A03",
        "--bundle", out / "custom.zip", "--iso", out / "custom.iso",
    )  # fmt: skip
    as_text, as_json = run(*arguments), run(*arguments, "--json")

    assert (as_text.code, as_json.code) == (1, 1)
    assert "  [error] add-on-base-unsupported: " in as_text.out
    assert as_text.err == "nothing written: the image has errors\n"
    assert [(finding["code"], finding["severity"], finding["waived"]) for finding in as_json.json["findings"]] == [
        ("add-on-base-unsupported", "error", False)
    ]
    assert as_json.json["outputs"] == []
    assert as_json.err == ""
    assert left_in(out) == {}


def test_errors_are_waived_one_code_at_a_time(run: Runner, out: Path) -> None:
    flux = DEPOTS / "Acme-flux_1.0.0-1OEM.900.1.0.24000000.zip"
    arguments = (
        "build", "--depot", U3G, A03, flux, "--base", VERSION, "--add-on", "ACME-AddOn:702.17867351.A03",
        "--component", "Acme-flux", "--bundle", out / "custom.zip",
    )  # fmt: skip
    first = run(*arguments, "--allow", "add-on-base-unsupported")
    assert first.code == 1
    assert left_in(out) == {}

    both = run(*arguments, "--allow", "add-on-base-unsupported", "--allow", "missing-dependency")
    assert both.code == 0
    assert "[waived] add-on-base-unsupported" in both.out
    assert "[waived] missing-dependency" in both.out
    assert set(left_in(out)) == {"custom.zip"}


@pytest.mark.parametrize(
    ("level", "code", "too_low"),
    [
        pytest.param("community", 0, 0, id="community"),
        pytest.param("partner", 0, 0, id="partner"),
        pytest.param("accepted", 1, 5, id="accepted"),
        pytest.param("VMwareAccepted", 1, 5, id="as esxcli spells it"),
        pytest.param("CERTIFIED", 1, 10, id="certified"),
    ],
)
def test_a_minimum_acceptance_level_is_enforced(run: Runner, out: Path, level: str, code: int, too_low: int) -> None:
    outcome = run(
        "build", "--depot", U3G, A08, "--base", VERSION, "--add-on", ADD_ON, "--minimum-acceptance", level,
        "--bundle", out / "custom.zip", "--json",
    )  # fmt: skip
    assert outcome.code == code
    assert [finding["code"] for finding in outcome.json["findings"]] == ["acceptance-too-low"] * too_low
    assert len(left_in(out)) == 1 - code


# Kickstart


def test_a_kickstart_file_goes_onto_the_iso(run: Runner, out: Path) -> None:
    (out / "ks.cfg").write_bytes(b"install --firstdisk\n")
    outcome = run(
        "build", "--depot", U3G, "--base", VERSION, "--iso", out / "custom.iso", "--kickstart", out / "ks.cfg"
    )
    assert outcome.code == 0
    with open_iso(out / "custom.iso", where="disc", limits=eib.ReadLimits()) as disc:
        assert disc.read("KS_CUST.CFG", max_bytes=99) == b"install --firstdisk\n"
        assert b"ks=cdrom:/KS_CUST.CFG" in disc.read("EFI/BOOT/BOOT.CFG", max_bytes=1 << 20)


def test_a_bad_kickstart_file_exits_with_1_and_writes_nothing_at_all(run: Runner, out: Path) -> None:
    """Not even the bundle, which needs none."""
    (out / "ks.cfg").write_bytes(b"reboot\n")
    arguments = (
        "build", "--depot", U3G, "--base", VERSION, "--bundle", out / "custom.zip", "--iso", out / "custom.iso",
        "--kickstart", out / "ks.cfg",
    )  # fmt: skip
    refused = run(*arguments, "--json")
    assert (refused.code, refused.out) == (1, "")
    assert refused.error["code"] == "incompatible-image"
    assert refused.error["where"] == str(out / "ks.cfg")
    assert set(left_in(out)) == {"ks.cfg"}

    allowed = run(*arguments, "--allow", "kickstart-no-install")
    assert allowed.code == 0
    assert set(left_in(out)) == {"ks.cfg", "custom.zip", "custom.iso"}


@pytest.mark.parametrize("other", ["custom", "./custom", "../out/custom"])
def test_two_outputs_cannot_be_one_file(run: Runner, out: Path, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second would silently take the place of the first."""
    monkeypatch.chdir(out)
    outcome = run("build", "--depot", U3G, "--base", VERSION, "--bundle", "custom", "--iso", other, "--json")
    assert outcome.code == 2
    assert "one file" in outcome.error["message"]
    assert left_in(out) == {}


# Two contents of one VIB


@pytest.fixture
def twins(tmp_path: Path) -> tuple[Path, Path]:
    """Two depots of one base image, in which esx-base has the same id and other bytes."""
    paths = (tmp_path / "first.zip", tmp_path / "second.zip")
    for path, kernel in zip(paths, (b"one kernel", b"another"), strict=True):
        write_base_depot(path, VERSION, base_vibs(VERSION, kernel=kernel, bios_loader=None, efi_image=None))
    return paths


def test_prefer_says_which_depot_a_vib_comes_from(run: Runner, twins: tuple[Path, Path], out: Path) -> None:
    arguments = ("build", "--depot", *twins, "--base", VERSION, "--bundle", out / "custom.zip")
    refused = run(*arguments, "--json")
    assert refused.code == 1
    assert [f["code"] for f in refused.json["findings"] if f["severity"] == "error"] == ["vib-content-differs"]
    assert left_in(out) == {}
    for path in twins:
        assert run(*arguments, "--prefer", path, "--force").code == 0
        name = f"vib20/esx-base/VMware_bootbank_esx-base_{VERSION}.vib"
        assert zip_members(out / "custom.zip")[name] == zip_members(path)[name]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("missing-dependancy", "try: did you mean missing-dependency?"),
        ("component-lowered", "component-lowered cannot be waived"),
    ],
)
def test_a_waiver_that_does_nothing_is_refused_before_anything_is_opened(
    run: Runner, out: Path, code: str, said: str
) -> None:
    outcome = run("build", "--depot", "not-there.zip", "--base", VERSION, "--bundle", out / "x.zip", "--allow", code)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert left_in(out) == {}
