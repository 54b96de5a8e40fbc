"""What users met on the command line, in their words: each line is told with two sets of values."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS
from support.command_line import Runner
from support.small_images import base_vibs, small_vib, write_base_depot

import esximage_builder as eib
from esximage_builder.authoring.vib import vgz_payload
from esximage_builder.codes import CODES

if TYPE_CHECKING:
    from pathlib import Path

    from esximage_builder.authoring.vib import AuthoredVib

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
U2A = DEPOTS / "VMware-ESXi-7.0U2a-17867351-depot.zip"
U3 = DEPOTS / "VMware-ESXi-8.0U3-24022510-depot.zip"
ESXI_67 = DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip"
A08 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
A02 = DEPOTS / "ACME-ESXi-Addon-803.24022510.A02-depot.zip"
I40EN_NEW = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
I40EN_OLD = DEPOTS / "Intel-i40en_1.8.1.16-1vmw.700.1.0.15843807.zip"
DPU_TOOLS = DEPOTS / "Acme-dpu-tools_1.2.0-1OEM.803.0.0.24022510.zip"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


# Names that are nearly right


@pytest.mark.parametrize(
    ("depots", "base", "typed", "hint"),
    [
        pytest.param(
            (U3G, I40EN_OLD), "7.0U3g", "intel-i40en",
            "did you mean Intel-i40en (1.8.1.16-1vmw.700.1.0.15843807, 1.11.1.31-1vmw.703.0.20.19193900)?", id="case",
        ),
        pytest.param((U3, DPU_TOOLS), "8.0U3", "Acme-dpu-tool", "did you mean Acme-dpu-tools (1.2.0-", id="a letter"),
        pytest.param((U3, DPU_TOOLS), "8.0U3", "acme_dpu_tools:1.0", "did you mean Acme-dpu-tools (1.2.0-", id="signs"),
    ],
)  # fmt: skip
def test_a_component_that_is_nearly_right(
    run: Runner, depots: tuple[Path, ...], base: str, typed: str, hint: str
) -> None:
    outcome = run("build", "--depot", *depots, "--base", base, "--component", typed, "--json")

    assert outcome.code == 2
    assert outcome.error["found"] == repr(typed)
    assert outcome.error["hint"].startswith(hint)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("acme-addon:703.20328353.A08", "did you mean ACME-AddOn (703.20328353.A08)?"),
        ("ACME-AddOn:703.1", "loaded: ACME-AddOn:703.20328353.A08"),
    ],
)
def test_an_add_on_that_is_nearly_right(run: Runner, typed: str, hint: str) -> None:
    outcome = run("build", "--depot", U3G, A08, "--base", "7.0U3g", "--add-on", typed, "--json")

    assert (outcome.code, outcome.error["found"], outcome.error["hint"]) == (2, repr(typed), hint)


@pytest.mark.parametrize("typed", ["esxi-6.7.0-8169922-STANDARD", "ESXi-6.7.0-8169922"])
def test_a_profile_that_is_nearly_right(run: Runner, typed: str) -> None:
    outcome = run("build", "--depot", ESXI_67, "--profile", typed, "--json")

    assert outcome.code == 2
    assert "did you mean ESXi-6.7.0-8169922-standard" in outcome.error["hint"]


@pytest.mark.parametrize("typed", ["vmware-oem-dell-plugin", "VMware-oem-del-plugin"])
def test_a_removal_that_is_nearly_right(run: Runner, typed: str) -> None:
    outcome = run("build", "--depot", U3G, "--base", "7.0U3g", "--remove", typed, "--json")

    (finding,) = (f for f in outcome.json["findings"] if f["code"] == "removed-component-absent")
    assert finding["remedy"].startswith("did you mean VMware-oem-dell-plugin (")


@pytest.mark.parametrize("typed", ["7.0U3gg", "7.0.3-0.55.20328352"])
def test_a_base_image_that_is_nearly_right(run: Runner, typed: str) -> None:
    outcome = run("build", "--depot", U3G, "--base", typed, "--json")

    assert (outcome.code, outcome.error["found"]) == (2, repr(typed))
    assert "7.0.3-0.55.20328353" in outcome.error["hint"]


@pytest.mark.parametrize(("typed", "near"), [("intel-I40EN", "Intel-i40en"), ("esx_base", "esx-base")])
def test_a_name_to_explain_that_is_nearly_right(run: Runner, typed: str, near: str) -> None:
    outcome = run("explain", "--depot", U3G, "--base", "7.0U3g", typed)
    as_json = run("explain", "--depot", U3G, "--base", "7.0U3g", "--json", "--", typed)

    assert outcome.out.startswith(f"The image knows nothing named {typed}: did you mean {near}?")
    assert as_json.json["names"] == {typed: []}


# Where images start


@pytest.mark.parametrize("typed", ["6.7.0", "6.7.0-0.0.8169922", "ESXi-6.7.0-8169922-standard"])
def test_a_depot_with_profiles_is_asked_for_a_base_image(run: Runner, typed: str) -> None:
    outcome = run("build", "--depot", ESXI_67, "--base", typed, "--json")

    assert (outcome.code, outcome.error["message"]) == (2, "no base image is loaded")
    assert "--profile" in outcome.error["hint"]
    assert "ESXi-6.7.0-8169922-standard" in outcome.error["hint"]


@pytest.mark.parametrize(
    ("add_on", "name"), [(A08, "ACME-AddOn:703.20328353.A08"), (A02, "ACME-AddOn:803.24022510.A02")]
)
def test_only_an_add_on_is_loaded(run: Runner, add_on: Path, name: str) -> None:
    outcome = run("build", "--depot", add_on, "--base", "7.0U3g", "--add-on", name, "--json")

    assert (outcome.code, outcome.error["message"]) == (2, "no base image is loaded")
    assert name in outcome.error["hint"]


@pytest.mark.parametrize(
    ("loaded", "taken", "left"),
    [
        pytest.param(
            [I40EN_OLD], "1.11.1.31-1vmw.703.0.20.19193900", "1.8.1.16-1vmw.700.1.0.15843807", id="the base image's own"
        ),
        pytest.param(
            [I40EN_OLD, I40EN_NEW], "2.8.4.0-1OEM.700.1.0.15843807", "1.8.1.16-1vmw.700.1.0.15843807", id="another one"
        ),
    ],
)
def test_a_loaded_version_that_was_not_taken_is_told(run: Runner, loaded: list[Path], taken: str, left: str) -> None:
    command = ("build", "--depot", U3G, *loaded, "--base", "7.0U3g")
    outcome = run(*command, "--component", "Intel-i40en", "--json")

    (finding,) = (f for f in outcome.json["findings"] if f["code"] == "loaded-version-not-taken")
    assert finding["message"] == f"loaded Intel-i40en {left} was not taken"
    assert finding["facts"] == {"component": "Intel-i40en", "taken": taken}
    assert finding["cause"] == f"no version was asked for, and {taken} is higher"
    asked = run(*command, "--component", f"Intel-i40en:{left}", "--json")
    assert "loaded-version-not-taken" not in {f["code"] for f in asked.json["findings"]}


def test_a_version_that_was_taken_over_the_base_images_is_told_nothing_more(run: Runner) -> None:
    outcome = run("build", "--depot", U3G, I40EN_NEW, "--base", "7.0U3g", "--component", "Intel-i40en", "--json")

    assert outcome.json["findings"] == []


@pytest.mark.parametrize("second", ["Intel-i40en", "Intel-i40en:2.8.4.0-1OEM.700.1.0.15843807"])
def test_one_component_in_two_versions_is_refused(run: Runner, second: str) -> None:
    first = "Intel-i40en:1.8.1.16-1vmw.700.1.0.15843807"
    outcome = run("build", "--depot", U3G, "--base", "7.0U3g", "--component", first, "--component", second, "--json")

    assert (outcome.code, outcome.error["message"]) == (2, "one component is asked for in two versions")
    assert outcome.error["found"] == f"--component {first} and --component {second}"


# Arguments


@pytest.mark.parametrize("names", [["Intel-i40en"], ["esx-base", "Intel-i40en"]])
def test_names_behind_depots(run: Runner, names: list[str]) -> None:
    """They would be opened; ``--`` or another option ends the list of depots."""
    swallowed = run("explain", "--base", "7.0U3g", "--depot", U3G, *names)
    ended = run("explain", "--base", "7.0U3g", "--depot", U3G, "--", *names)
    between = run("explain", "--depot", U3G, "--base", "7.0U3g", *names)

    assert swallowed.code == 2
    assert f"  where: {names[0]}\n" in swallowed.err
    assert "--depot PATH -- NAME" in swallowed.err
    assert (ended.code, between.code) == (0, 0)
    assert ended.out == between.out
    assert "Component Intel-i40en 1.11.1.31-1vmw.703.0.20.19193900 comes from the base image" in ended.out


@pytest.mark.parametrize("depots", [[U3G], [U3G, A08]])
def test_specs_behind_depots(run: Runner, tmp_path: Path, depots: list[Path]) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text('{"base_image": {"version": "7.0.3-0.55.20328353"}}', encoding="utf-8")
    swallowed = run("diff", "--depot", *depots, spec, spec)
    ended = run("diff", "--depot", *depots, "--", spec, spec)

    assert swallowed.code == 2
    assert "what follows --depot are depots, up to the next option or --" in swallowed.err
    assert ended.code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build", "--depot", "a.zip"], "--spec --base --profile --locked is required"),
        (["verify", "x", "--kind", "nobody"], "invalid choice"),
        (["explain"], "--depot"),
        (["explain", "--depot", "a.zip", "--add-on", "x:1"], "--spec --base --profile --locked is required"),
        (["nonsense"], "invalid choice"),
    ],
)
def test_wrong_usage_is_json_where_json_was_asked_for(run: Runner, arguments: list[str], words: str) -> None:
    as_json, as_text = run(*arguments, "--json"), run(*arguments)

    assert (as_json.code, as_json.out) == (as_text.code, as_text.out) == (2, "")
    assert words in as_json.error["message"]
    assert words in as_text.err


def test_a_name_after_the_end_of_options_asks_for_no_json(run: Runner) -> None:
    outcome = run("verify", "--kind", "nobody", "--", "--json")

    assert outcome.code == 2
    assert outcome.err.startswith("usage: ")


@pytest.mark.parametrize("pattern", ["drivers/*.zip", "**/Intel*.zip", "drivers/Intel-i40en_[12]*"])
def test_a_pattern_that_the_shell_left_as_it_is(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    (tmp_path / "drivers").mkdir()
    for path in (I40EN_NEW, I40EN_OLD):
        shutil.copy(path, tmp_path / "drivers")
    monkeypatch.chdir(tmp_path)
    wanted = [f"drivers/{path.name}" for path in (I40EN_OLD, I40EN_NEW)]

    assert run("inspect", pattern, "--json").json["sources"] == wanted
    built = run("build", "--depot", U3G, pattern, "--base", "7.0U3g", "--component", "Intel-i40en", "--json")
    assert built.json["image"]["components"]


@pytest.mark.parametrize("pattern", ["nowhere/*.zip", "*.no-such-suffix"])
def test_a_pattern_that_fits_nothing_is_named(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = run("build", "--depot", pattern, "--base", "7.0U3g", "--json")

    assert (outcome.code, outcome.error["code"], outcome.error["where"]) == (2, "source-unreadable", pattern)


@pytest.mark.parametrize("name", ["driver[1].zip", "driver*.zip"])
def test_a_path_that_exists_is_no_pattern(run: Runner, tmp_path: Path, name: str) -> None:
    shutil.copy(I40EN_NEW, tmp_path / name)
    shutil.copy(I40EN_OLD, tmp_path / "driver1.zip")

    assert run("inspect", tmp_path / name, "--json").json["sources"] == [str(tmp_path / name)]


@pytest.mark.parametrize("name", ["a.zip", "depots/b.zip"])
def test_the_home_folder(run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    shutil.copy(I40EN_NEW, tmp_path / name)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert run("inspect", f"~/{name}", "--json").json["sources"] == [str(tmp_path / name)]
    assert run("verify", f"~/{name}", "--json").json["path"] == str(tmp_path / name)
    assert run("inspect", "~nobody-of-this-name/a.zip").code == 2


# Codes


@pytest.mark.parametrize("name", ["missing-dependency", "vib-damaged", "host-add-on-newer"])
def test_a_code_is_explained_without_an_image(run: Runner, name: str) -> None:
    code = CODES[name]
    as_text, as_json = run("explain", name), run("explain", name, "--json")
    (entry,) = as_json.json["codes"]

    assert (as_text.code, as_json.code) == (0, 0)
    assert as_text.out.splitlines()[0] == name
    assert all(f"  {label} " in as_text.out for label in ("Severity", "Waivable", "Meaning", "Cause", "Remedy"))
    assert "](" not in as_text.out, "links are for pages"
    assert (entry["code"], entry["waivable"], entry["meaning"]) == (name, code.is_waivable, code.meaning)
    assert as_json.json["rules"] is None


def test_every_code_can_be_explained(run: Runner) -> None:
    outcome = run("explain", *CODES, "--json")

    assert [entry["code"] for entry in outcome.json["codes"]] == list(CODES)
    assert "as above" not in json.dumps(outcome.json)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("mising-dependency", "did you mean missing-dependency?"),
        ("Component-Lowered", "did you mean component-lowered?"),
        ("esx-base-of-an-image", "name the image that it is in with --depot"),
    ],
)
def test_a_code_that_is_nearly_right(run: Runner, typed: str, hint: str) -> None:
    outcome = run("explain", typed, "--json")

    assert (outcome.code, outcome.error["found"]) == (2, repr(typed))
    assert outcome.error["hint"].startswith(hint)


@pytest.mark.parametrize("name", ["missing-dependency", "component-lowered"])
def test_a_code_beside_names_of_an_image(run: Runner, name: str) -> None:
    outcome = run("explain", "--depot", U3G, "--base", "7.0U3g", "--", "Intel-i40en", name)
    as_json = run("explain", "--depot", U3G, "--base", "7.0U3g", "--json", "--", "Intel-i40en", name).json

    assert outcome.out.startswith("Component Intel-i40en ")
    assert f"\n{name}\n  Severity " in outcome.out
    assert (list(as_json["names"]), [entry["code"] for entry in as_json["codes"]]) == (["Intel-i40en"], [name])


# What discs of a generation cannot carry


def test_an_image_from_a_disc_of_7_0_2_names_vibs_for_processing_units(tmp_path: Path) -> None:
    with eib.open_depot(U2A, DPU_TOOLS) as depot:
        image = eib.compose(depot.catalog, base_image="7.0U2a", components={"Acme-dpu-tools": None})
        eib.export_iso(image, depot, tmp_path / "disc.iso", allow=["missing-dependency"])

    vib_id = "ACM_bootbank_acme-dpu-tools-esxio_1.2.0-1OEM.803.0.0.24022510"
    with eib.open_depot(tmp_path / "disc.iso") as depot:
        (told,) = depot.catalog.findings
        (missing,) = eib.validate(eib.recognise(depot.catalog), depot.catalog).errors
    assert (told.code, told.items) == ("disc-carries-less", (vib_id,))
    assert told.cause == "discs of ESXi 7.0.2 have no archive for VIBs for data processing units"
    assert (missing.code, missing.fact("vib")) == ("vib-missing", vib_id)
    assert missing.cause.endswith(told.cause)
    assert missing.remedy == told.remedy == "open the offline bundle of the release beside the disc"


@pytest.mark.parametrize("version", ["7.0.1-0.0.16850804", "7.0.0-1.0.15843807"])
def test_an_image_from_a_disc_before_7_0_2_names_reserved_vibs(tmp_path: Path, version: str) -> None:
    for name, of, drivers in (("base", version, "1.0-1"), ("other", f"{version[:5]}-9.9.1", "2.0-1")):
        vibs = base_vibs(of, kernel=b"kernel", bios_loader=bytes(2048), efi_image=b"efi" * 700)
        write_base_depot(tmp_path / f"{name}.zip", of, [*vibs, driver(drivers)])
    with eib.open_depot(tmp_path / "base.zip", tmp_path / "other.zip") as depot:
        image = eib.compose(depot.catalog, base_image=version, components={"Acme-net": "2.0-1"})
        eib.export_iso(image, depot, tmp_path / "disc.iso")

    with eib.open_depot(tmp_path / "disc.iso") as depot:
        (told,) = depot.catalog.findings
        stock = eib.compose(depot.catalog, base_image=version)
        (missing,) = (f for f in eib.validate(stock, depot.catalog).errors if f.code == "vib-missing")
    assert told.items == ("ACM_bootbank_net_1.0-1",)
    assert f"discs of ESXi {version[:5]} have no archive for reserved VIBs" in told.cause
    assert missing.cause.endswith(told.cause)


def driver(version: str) -> AuthoredVib:
    return small_vib("net", version, (vgz_payload("net", {"x": version.encode()}),))


@pytest.mark.parametrize("depot_path", [U3G, U3])
def test_a_disc_that_carries_all_is_told_nothing(tmp_path: Path, depot_path: Path) -> None:
    with eib.open_depot(depot_path) as depot:
        image = eib.compose(depot.catalog, base_image=depot.catalog.base_images[0].version.text)
        eib.export_iso(image, depot, tmp_path / "disc.iso")

    with eib.open_depot(tmp_path / "disc.iso") as depot:
        assert depot.catalog.findings == ()
