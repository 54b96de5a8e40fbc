"""Story S24: a 6.7 profile with a newer signed driver and one VIB less, written every way and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import attrs
import pytest
from support.changed_depots import DEPOTS, ar_members, left_in, xml, zip_members
from support.command_line import Runner
from support.document_builders import VibBuilder

import esximage_builder as eib

if TYPE_CHECKING:
    from pathlib import Path

ESXI_67 = DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip"
PROFILE = "ESXi-6.7.0-8169922-standard"
ON_67 = ("--depot", ESXI_67, "--profile", PROFILE)

_PAYLOAD = ar_members((DEPOTS / "homelab-tweaks-1.0.0-1.vib").read_bytes())["homelab"]
_DRIVER = VibBuilder(vendor="INT", payload=_PAYLOAD, relationships={"depends": '<constraint name="vmkapi_2_5_0_0"/>'})


@final
@attrs.frozen(kw_only=True)
class Story:
    """What is added and removed, how the profile is called, and what has to be told."""

    driver: VibBuilder
    removed: str
    replaced: str
    why: str
    options: tuple[str, ...] = ()
    name: str = f"{PROFILE}-custom"
    vendor: str = "VMware, Inc."
    description: str = f"Changed from {PROFILE}."
    level: str = "partner"


STORIES = {
    "a newer driver, without tools": Story(
        driver=_DRIVER.with_(name="i40en", version="1.9.5-1OEM.670.0.0.8169922", payload_name="i40en"),
        removed="tools-light",
        replaced="VMW_bootbank_i40en_1.3.1-19vmw.670.0.0.8169922",
        why="its place is taken by",
    ),
    "a driver that replaces another, without vsanhealth, all named": Story(
        driver=_DRIVER.with_(
            name="lsi-suite",
            version="2.0-1OEM.670.0.0.8169922",
            payload_name="lsisuite",
            acceptance_level="accepted",
            relationships={"replaces": '<constraint name="lsi-mr3" relation="&lt;&lt;" version="8.0"/>'},
        ),
        removed="vsanhealth",
        replaced="VMW_bootbank_lsi-mr3_7.702.13.00-4vmw.670.0.0.8169922",
        why="it is replaced by",
        options=(
            "--name", "Lab-6.7", "--profile-vendor", "Lab", "--profile-description", "For the lab",
            "--acceptance", "community",
        ),
        name="Lab-6.7",
        vendor="Lab",
        description="For the lab",
        level="community",
    ),
}  # fmt: skip


@pytest.fixture(params=STORIES)
def story(request: pytest.FixtureRequest) -> Story:
    return STORIES[request.param]


@pytest.fixture
def wanted(story: Story, tmp_path: Path) -> tuple[object, ...]:
    """The arguments that name the changed image."""
    driver = tmp_path / "driver.vib"
    driver.write_bytes(story.driver.vib())
    return (*ON_67, "--vib", driver, "--remove-vib", story.removed, *story.options)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


def expected_vibs(story: Story) -> set[str]:
    with eib.open_depot(ESXI_67) as depot:
        stock = set(depot.catalog.profile(PROFILE).vib_ids)
    gone = {vib_id for vib_id in stock if f"_{story.removed}_" in vib_id} | {story.replaced}
    return (stock - gone) | {story.driver.id}


def test_everything_that_was_decided_is_told(story: Story, wanted: tuple[object, ...], run: Runner) -> None:
    report = run("build", *wanted, "--json").json
    text = run("build", *wanted).out
    change = report["image"]["profile_change"]

    assert report["image"]["name"] == story.name
    assert report["findings"] == []
    assert set(report["image"]["vibs"]) == expected_vibs(story)
    assert change["added"] == [story.driver.id]
    assert [(entry["id"], entry["winner"]) for entry in change["replaced"]] == [(story.replaced, story.driver.id)]
    assert [story.removed in vib_id for vib_id in change["removed"]] == [True]
    assert f"Changed from the image profile {PROFILE}." in text
    assert f"{story.why} {story.driver.id}" in text
    assert run("explain", *wanted, "--json").json["rules"] == "profile"


def test_every_output_reads_back_as_the_same_image(
    story: Story, wanted: tuple[object, ...], run: Runner, tmp_path: Path
) -> None:
    iso, bundle, tree = (tmp_path / name for name in ("out.iso", "out.zip", "tree"))
    outcome = run("build", *wanted, "--iso", iso, "--bundle", bundle, "--pxe", tree)

    assert outcome.code == 0, outcome.out
    for output in (iso, bundle):
        with eib.open_depot(output) as depot:
            image = eib.image_from_profile(depot.catalog, story.name)
            (written,) = depot.catalog.profiles
            (driver,) = depot.catalog.vibs_by_id[story.driver.id]
            with depot.open_vib(driver) as source:
                assert ar_members(source.read()) == ar_members(story.driver.vib())
        assert set(image.vibs_by_id) == expected_vibs(story)
        assert eib.validate(image).findings == ()
        assert (written.name, written.creator, written.description) == (story.name, story.vendor, story.description)
        assert written.acceptance_level is eib.AcceptanceLevel.from_text(story.level)
    assert eib.verify_bundle(bundle, kind="esxcli").is_passed
    assert eib.verify_iso(iso).is_passed
    assert story.driver.payload in left_in(tree).values()
    assert zip_members(bundle)[f"vib20/{story.driver.name}/{story.driver.id}.vib"] == story.driver.vib()
    assert _stated_level(bundle) == story.level


def _stated_level(bundle: Path) -> str | None:
    metadata = zip_members(zip_members(bundle)["metadata.zip"])
    (document,) = [data for name, data in metadata.items() if name.startswith("profiles/")]
    return xml(document).findtext("acceptancelevel")


def test_two_builds_are_the_same_bytes(wanted: tuple[object, ...], run: Runner, tmp_path: Path) -> None:
    for number in range(2):
        run("build", *wanted, "--iso", tmp_path / f"{number}.iso", "--bundle", tmp_path / f"{number}.zip")

    for suffix in ("iso", "zip"):
        assert (tmp_path / f"0.{suffix}").read_bytes() == (tmp_path / f"1.{suffix}").read_bytes()


def test_a_lock_is_refused_before_anything_is_written_and_works_over_the_bundle(
    story: Story, wanted: tuple[object, ...], run: Runner, tmp_path: Path
) -> None:
    bundle, lock, again = (tmp_path / name for name in ("out.zip", "lock.json", "again.zip"))
    refused = run("build", *wanted, "--bundle", bundle, "--lock", lock, "--json")

    assert refused.code == 2
    assert refused.error["message"] == "an image of a changed profile cannot be locked"
    assert not bundle.exists()
    assert not lock.exists()
    run("build", *wanted, "--bundle", bundle)
    assert run("build", "--depot", bundle, "--profile", story.name, "--lock", lock).code == 0
    assert run("build", "--depot", bundle, "--locked", lock, "--bundle", again).code == 0
    with eib.open_depot(again) as depot:
        assert set(depot.catalog.profile(story.name).vib_ids) == expected_vibs(story)


def test_a_bill_of_materials_holds_what_is_in_it(
    story: Story, wanted: tuple[object, ...], run: Runner, tmp_path: Path
) -> None:
    pytest.importorskip("cyclonedx")
    sbom = tmp_path / "image.cdx.json"

    assert run("build", *wanted, "--sbom", sbom, "--report", tmp_path / "r.html").code == 0
    text = sbom.read_text(encoding="utf-8")
    assert story.driver.version in text
    assert story.replaced.rpartition("_")[2] not in text
    assert "Changes to the image profile" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_without_tools_is_written_too(wanted: tuple[object, ...], run: Runner, tmp_path: Path) -> None:
    assert run("build", *wanted, "--iso", tmp_path / "x.iso", "--without-tools").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--remove-vib", "tool-light"), f"the image profile {PROFILE} has no VIB tool-light"),
        (("--vib", "i40em"), "no loaded depot has the VIB i40em"),
        (("--vib", "i40en", "--remove-vib", "i40en"), "i40en shall be added and removed"),
        (("--component", "i40en"), "--add-on, --component and --remove go with --base only"),
        (
            ("--vib", DEPOTS / "homelab-tweaks-1.0.0-1.vib", "--acceptance", "certified"),
            "an image profile of level VMwareCertified admits no VIB below it",
        ),
        (("--remove-vib", "vsan", "--name", PROFILE), "the changed profile has the name of another one"),
    ],
)
def test_what_nobody_can_mean_is_refused(
    run: Runner, tmp_path: Path, arguments: tuple[object, ...], message: str
) -> None:
    outcome = run("build", *ON_67, *arguments, "--bundle", tmp_path / "x.zip", "--json")

    assert outcome.code == 2
    assert outcome.error["message"] == message
    assert left_in(tmp_path) == {}


def test_a_broken_dependency_is_the_usual_finding(run: Runner, tmp_path: Path) -> None:
    loose = DEPOTS / "homelab-tweaks-1.0.0-1.vib"
    outcome = run("build", *ON_67, "--vib", loose, "--bundle", tmp_path / "x.zip", "--json")

    assert outcome.code == 1
    assert [item["code"] for item in outcome.json["findings"]] == ["missing-dependency"]
    assert left_in(tmp_path) == {}


@pytest.mark.parametrize(
    ("depot", "profile"),
    [
        ("VMware-ESXi-7.0U3g-20328353-depot.zip", "ESXi-7.0U3g-20328353-standard"),
        ("VMware-ESXi-8.0U3-24022510-depot.zip", "ESXi-8.0U3-24022510-standard"),
    ],
)
@pytest.mark.parametrize("wish", [("--remove-vib", "tools-light"), ("--vib", DEPOTS / "homelab-tweaks-1.0.0-1.vib")])
def test_profiles_of_components_are_refused(run: Runner, depot: str, profile: str, wish: Any) -> None:
    outcome = run("build", "--depot", DEPOTS / depot, "--profile", profile, *wish, "--json")

    assert outcome.code == 2
    assert "is one of components" in outcome.error["message"]
    assert "--base" in outcome.error["hint"]


def test_a_profile_of_components_can_be_called_otherwise(run: Runner, tmp_path: Path) -> None:
    bundle = tmp_path / "x.zip"
    run(
        "build", "--depot", DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip",
        "--profile", "ESXi-7.0U3g-20328353-standard", "--name", "Mine", "--bundle", bundle,
    )  # fmt: skip

    with eib.open_depot(bundle) as depot:
        (profile,) = depot.catalog.profiles
        assert profile.name == "Mine"
        assert len(profile.bulletin_ids) == len(depot.catalog.components)


@pytest.mark.parametrize(
    "wish",
    [("--remove-vib", "x"), ("--profile-vendor", "x"), ("--profile-description", "x"), ("--acceptance", "partner")],
)
def test_wishes_for_profiles_go_with_a_profile_only(run: Runner, wish: tuple[str, str]) -> None:
    outcome = run(
        "build", "--depot", DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip", "--base", "7.0U3g", *wish, "--json"
    )

    assert outcome.code == 2
    assert "go with --profile only" in outcome.error["message"]
