"""The command line: exit codes, what goes to which stream, the JSON that tools rely on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, final

import attrs
import pytest
from support.changed_depots import DEPOTS, ROOT, SPECS, clean_environment, edit_zip, left_in, zip_members
from support.small_images import base_vibs, write_base_depot

import esximage_builder as eib
from esximage_builder.cli.app import main
from esximage_builder.containers.iso9660_reader import open_iso

U3F = DEPOTS / "VMware-ESXi-7.0U3f-20036589-depot.zip"
U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
ESXI_8 = DEPOTS / "VMware-ESXi-8.0U3-24022510-depot.zip"
ESXI_67 = DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip"
A08 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
A03 = DEPOTS / "ACME-ESXi-Addon-702.17867351.A03-depot.zip"
I40EN_NEW = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
I40EN_OLD = DEPOTS / "Intel-i40en_1.8.1.16-1vmw.700.1.0.15843807.zip"
LOOSE = DEPOTS / "homelab-tweaks-1.0.0-1.vib"
VERSION = "7.0.3-0.55.20328353"
ADD_ON = "ACME-AddOn:703.20328353.A08"


@final
@attrs.frozen
class Outcome:
    """What a run left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def error(self) -> dict[str, str]:
        """The JSON error on the error stream, which is all that stands there."""
        found = json.loads(self.err)
        assert next(iter(found)) == "error"
        error = found["error"]
        assert isinstance(error, dict)
        contract = ["code", "message", "where", "found", "expected", "hint"]
        assert list(error)[: len(contract)] == contract
        assert all(isinstance(error[key], str) for key in contract)
        return error


@final
@attrs.frozen
class Runner:
    """Runs the command line in this process."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: object) -> Outcome:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # how argparse leaves
            code = stop.code if isinstance(stop.code, int) else -1
        said = self.capsys.readouterr()
        return Outcome(code, said.out, said.err)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder for what is written."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


# inspect

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
    outcome = run("inspect", U3G, A08)
    lines = outcome.out.splitlines()
    counts = dict(re.findall(r"^(\S.*) \((\d+)\)$", outcome.out, re.MULTILINE))

    assert (outcome.code, outcome.err) == (0, "")
    assert lines[:3] == ["sources", f"  {U3G}", f"  {A08}"]
    assert (counts["base images"], counts["add-ons"], counts["image profiles"]) == ("1", "1", "2")
    assert "bulletins" not in counts, "empty sections are left out"
    assert f"  {VERSION}  7.0 U3g - 20328353" in lines
    assert sum(line.endswith(", signed") for line in lines) == int(counts["VIBs"])
    assert not any(line != line.rstrip() for line in lines)


def test_inspect_text_shows_findings(run: Runner, tmp_path: Path) -> None:
    path = edit_zip(I40EN_NEW, tmp_path / "cut.zip", lambda name, data: data[:-9] if name.endswith(".vib") else data)
    outcome = run("inspect", path)
    assert outcome.code == 0
    assert re.search(r"^\[warning\] vib-size-differs: vib20/i40en/", outcome.out, re.MULTILINE)


# Errors


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["inspect", "/nonexistent.zip"], "source-unreadable", "No such file", id="no such depot"),
        pytest.param(["inspect", SPECS / "image_u3g.json"], "not-a-depot", "JSON document", id="a spec as depot"),
        pytest.param(
            ["build", "--depot", U3G, "--base", "7.0.3-0.99.1"], "not-in-depot", "has the base image", id="no such base"
        ),
        pytest.param(
            ["build", "--depot", U3G, "--base", VERSION, "--add-on", ADD_ON], "not-in-depot", "add-on", id="no add-on"
        ),
        pytest.param(
            ["build", "--depot", U3G, A08, "--base", VERSION, "--add-on", "ACME-AddOn"],
            "invalid-model",
            "add-on has no version",
            id="add-on without version",
        ),
        pytest.param(
            ["build", "--depot", U3G, "--base", VERSION, "--component", "Intel-i41en"],
            "not-in-depot",
            "component",
            id="no such component",
        ),
        pytest.param(
            ["build", "--depot", U3G, "--base", VERSION, "--component", "Intel-i40en:not a version"],
            "version-syntax",
            "no component version",
            id="no version",
        ),
        pytest.param(["build", "--depot", U3G, "--profile", "x"], "not-in-depot", "image profile", id="no profile"),
        pytest.param(
            ["build", "--depot", U3G, "--base", VERSION, "--remove", "ESXi"],
            "compose-error",
            "removes the core component ESXi",
            id="core component removed",
        ),
        pytest.param(
            ["build", "--depot", U3G, "--spec", "/nonexistent.json"], "source-unreadable", "No such file", id="no spec"
        ),
        pytest.param(["build", "--depot", U3G, "--spec", U3G], "malformed-document", "", id="a depot as spec"),
        pytest.param(
            ["build", "--depot", U3G, "--spec", SPECS / "image_u3g.json", "--remove", "x"],
            "invalid-model",
            "go with --base only",
            id="wishes beside a spec",
        ),
        pytest.param(
            ["build", "--depot", U3G, "--profile", "ESXi-7.0U3g-20328353-standard", "--component", "x"],
            "invalid-model",
            "go with --base only",
            id="wishes beside a profile",
        ),
        pytest.param(
            ["build", "--depot", U3G, "--base", VERSION, "--bundle", "/nonexistent/out.zip"],
            "export-error",
            "cannot be written",
            id="no such folder",
        ),
        pytest.param(
            ["build", "--depot", U3G, "--base", VERSION, "--iso", "/dev/null/x.iso", "--kickstart", "/nonexistent"],
            "source-unreadable",
            "the file cannot be read",
            id="no kickstart file",
        ),
    ],
)
def test_bad_input_exits_with_2_and_says_why(run: Runner, arguments: list[object], code: str, message: str) -> None:
    """As JSON for tools, as text for people; nothing on the output stream either way."""
    as_json, as_text = run(*arguments, "--json"), run(*arguments)

    assert (as_json.code, as_json.out) == (2, "")
    assert as_json.error["code"] == code
    assert message in as_json.error["message"]
    assert (as_text.code, as_text.out) == (2, "")
    assert as_text.err.startswith(f"esximage: {as_json.error['message']}\n")
    if as_json.error["hint"]:
        assert f"  try: {as_json.error['hint']}" in as_text.err


def test_several_errors_come_together(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 cut short")
    (tmp_path / "b.zip").write_bytes(b"")
    error = run("inspect", tmp_path / "a.zip", tmp_path / "b.zip", "--json").error
    assert error["code"] == "depot-errors"
    assert str(tmp_path / "a.zip") in error["where"]
    assert str(tmp_path / "b.zip") in error["where"]
    assert "empty file" in error["found"]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="nothing"),
        pytest.param(["frobnicate"], id="no such command"),
        pytest.param(["inspect"], id="no path"),
        pytest.param(["inspect", "--jsn", "x"], id="misspelt"),
        pytest.param(["build", "--base", VERSION], id="no depot"),
        pytest.param(["build", "--depot", U3G], id="nothing to build"),
        pytest.param(["build", "--depot", U3G, "--base", VERSION, "--spec", "x"], id="two starts"),
        pytest.param(["build", "--depot", U3G, "--bas", VERSION], id="abbreviated"),
        pytest.param(["build", "--depot", U3G, "--base", VERSION, "--minimum-acceptance", "high"], id="no level"),
    ],
)
def test_wrong_usage_exits_with_2(run: Runner, arguments: list[object]) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("usage: esximage")


@pytest.mark.parametrize("command", [[], ["inspect"], ["build"]], ids=["", "inspect", "build"])
def test_help_exits_with_0(run: Runner, command: list[str]) -> None:
    outcome = run(*command, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("usage: esximage")


# build


def test_build_writes_what_was_asked_for_and_reports_it(run: Runner, out: Path) -> None:
    outcome = run(
        "build", "--depot", U3G, A08, "--base", VERSION, "--add-on", ADD_ON,
        "--bundle", out / "custom.zip", "--iso", out / "custom.iso", "--name", "My image",
    )  # fmt: skip
    lines = outcome.out.splitlines()

    assert (outcome.code, outcome.err) == (0, "")
    assert set(left_in(out)) == {"custom.zip", "custom.iso"}
    assert lines[0] == "image      My image"
    assert lines[1] == f"base image {VERSION} (7.0 U3g - 20328353)"
    assert lines[2] == "add-on     ACME-AddOn 703.20328353.A08"
    assert lines[3] == "acceptance PartnerSupported"
    assert "no findings" in lines
    for name in ("custom.zip", "custom.iso"):
        assert f"written    {out / name} ({(out / name).stat().st_size} bytes)" in lines
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
    assert report.keys() >= {"image", "findings", "outputs"}
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
    assert "[error, waived] add-on-base-unsupported" in both.out
    assert "[error, waived] missing-dependency" in both.out
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
        assert run(*arguments, "--prefer", path).code == 0
        name = f"vib20/esx-base/VMware_bootbank_esx-base_{VERSION}.vib"
        assert zip_members(out / "custom.zip")[name] == zip_members(path)[name]


# The process


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(["-m", "esximage_builder"], id="package"),
        pytest.param(["-c", "import sys; from esximage_builder.cli.app import main; sys.exit(main())"], id="program"),
    ],
)
def test_python_runs_the_package(form: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *form, "inspect", str(I40EN_NEW), "--json"],
        env=clean_environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["components"][0]["name"] == "Intel-i40en"


@pytest.mark.parametrize(("arguments", "code"), [(["inspect", "/nonexistent"], 2), (["inspect"], 2), (["--help"], 0)])
def test_the_process_ends_with_the_exit_code(arguments: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "esximage_builder", *arguments],
        env=clean_environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["text", "JSON"])
@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "cp1252"])
def test_any_name_prints_on_any_terminal(tmp_path: Path, encoding: str, as_json: list[str]) -> None:
    """Names come from files and are anything; terminals of the C locale and of Windows are not UTF-8."""
    path = tmp_path / "Übung 試験.zip"
    path.write_bytes(I40EN_NEW.read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "esximage_builder", "inspect", str(path), *as_json],
        env=clean_environment(PYTHONIOENCODING=encoding),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode(encoding)
    if as_json:
        assert json.loads(shown)["sources"] == [str(path)]
    else:
        assert shown.startswith("sources\n")


def test_an_interrupt_exits_with_130(run: Runner, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("esximage_builder.cli.app._show_progress", interrupt)
    outcome = run("build", "--depot", U3G, "--base", VERSION, "--bundle", out / "custom.zip")
    assert outcome.code == 130
    assert outcome.err == "interrupted; nothing half-written was left behind\n"
    assert left_in(out) == {}


def test_the_installed_program_is_this_one() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'esximage = "esximage_builder.cli.app:main"' in text


def test_progress_is_shown_on_terminals_only(run: Runner, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = run("build", "--depot", U3G, "--base", VERSION, "--bundle", out / "custom.zip")
    assert quiet.err == ""
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _: True)
    shown = run("build", "--depot", U3G, "--base", VERSION, "--bundle", out / "custom.zip")
    assert shown.err.endswith("bundle 100 %\n")
    assert shown.out == quiet.out


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`esximage inspect ... | head` ends without a traceback."""
    depot = Path(__file__).parents[3] / "fixtures" / "depots" / "VMware-ESXi-8.0U3-24022510-depot.zip"
    command = f"{sys.executable} -m esximage_builder inspect {depot} --json | head -c 10"

    outcome = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False)

    assert (outcome.returncode, outcome.stderr) == (0, b"")
