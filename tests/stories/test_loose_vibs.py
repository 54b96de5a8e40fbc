"""Story S23: a community VIB beside a base image: told of where it is not used, a component where it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import attrs
import pytest
from support.changed_depots import DEPOTS, ar_members, xml, zip_members
from support.command_line import Runner
from support.document_builders import BulletinBuilder, DepotBuilder, VibBuilder

import esximage_builder as eib

if TYPE_CHECKING:
    from pathlib import Path

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
ESXI_8 = DEPOTS / "VMware-ESXi-8.0U3-24022510-depot.zip"
HOMELAB = DEPOTS / "homelab-tweaks-1.0.0-1.vib"

GHETTO = VibBuilder(
    name="ghettoVCB",
    version="v1.3",
    vendor="virtuallyGhetto",
    acceptance_level="community",
    signature=b"",
    payload=ar_members(HOMELAB.read_bytes())["homelab"],
)
LEGACY = DepotBuilder().with_vibs(GHETTO)
LEGACY = LEGACY.with_bulletins(BulletinBuilder(id="ghettoVCB", component=None, vib_ids=(GHETTO.id,)))


@final
@attrs.frozen(kw_only=True)
class Story:
    """A base image, the file beside it, and what comes of it."""

    base: Path
    release: str
    file_name: str
    data: bytes = attrs.field(repr=False)
    vib_id: str
    component: str

    @property
    def vib_bytes(self) -> bytes:
        if self.file_name.endswith(".vib"):
            return self.data
        (data,) = [data for name, data in zip_members(self.data).items() if name.endswith(".vib")]
        return data


_TWEAKS: dict[str, Any] = {
    "file_name": "tweaks.vib",
    "data": HOMELAB.read_bytes(),
    "vib_id": "HomeLab_bootbank_homelab-tweaks_1.0.0-1",
    "component": "homelab-tweaks:1.0.0-1",
}
STORIES = {
    "7.0 U3g and a .vib": Story(base=U3G, release="7.0U3g", **_TWEAKS),
    "8.0 U3 and a .vib": Story(base=ESXI_8, release="8.0U3", **_TWEAKS),
    "7.0 U3g and a .vib whose version has no release": Story(
        base=U3G,
        release="7.0U3g",
        file_name="ghetto.vib",
        data=GHETTO.vib(),
        vib_id=GHETTO.id,
        component="ghettoVCB:1.3-0",
    ),
    "7.0 U3g and a bundle with a legacy bulletin": Story(
        base=U3G,
        release="7.0U3g",
        file_name="ghetto.zip",
        data=LEGACY.zip(),
        vib_id=GHETTO.id,
        component="ghettoVCB:1.3-0",
    ),
}


@pytest.fixture(params=STORIES)
def story(request: pytest.FixtureRequest) -> Story:
    return STORIES[request.param]


@pytest.fixture
def file(story: Story, tmp_path: Path) -> Path:
    path = tmp_path / story.file_name
    path.write_bytes(story.data)
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


def test_beside_a_base_image_nothing_is_silent(story: Story, file: Path, run: Runner) -> None:
    report = run("build", "--depot", story.base, file, "--base", story.release, "--json").json

    assert story.vib_id not in report["image"]["vibs"]
    assert report["image"]["acceptance_level"] == "certified"
    assert [(item["code"], item["items"]) for item in report["findings"]] == [("loose-vib-not-used", [story.vib_id])]


def test_asked_for_by_name_the_error_says_how(story: Story, file: Path, run: Runner) -> None:
    name = story.component.partition(":")[0]
    outcome = run("build", "--depot", story.base, file, "--base", story.release, "--component", name, "--json")

    assert outcome.code == 2
    assert outcome.error["message"] == f"{name} is a VIB without component"
    assert "--vib" in outcome.error["hint"]


def test_with_vib_the_image_has_it_and_every_output_too(story: Story, file: Path, run: Runner, tmp_path: Path) -> None:
    outputs = {option: tmp_path / f"out{option}" for option in ("--iso", "--bundle", "--pxe")}
    written = [text for pair in outputs.items() for text in pair]
    outcome = run("build", "--depot", story.base, "--base", story.release, "--vib", file, *written)

    assert outcome.code == 0, outcome.out
    assert "Acceptance level  CommunitySupported" in outcome.out
    for output in ("--iso", "--bundle"):
        with eib.open_depot(outputs[output]) as depot:
            (component,) = depot.catalog.components_by_name[story.component.partition(":")[0]]
            image = eib.recognise(depot.catalog)
            (vib,) = depot.catalog.vibs_by_id[story.vib_id]
            with depot.open_vib(vib) as source:
                data = source.read()
        assert (component.id, component.vib_ids) == (story.component, (story.vib_id,))
        assert story.vib_id in image.vibs_by_id
        assert image.acceptance_level is eib.AcceptanceLevel.COMMUNITY
        assert ar_members(data) == ar_members(story.vib_bytes)
    assert eib.verify_bundle(outputs["--bundle"], kind="vlcm").is_passed
    assert eib.verify_iso(outputs["--iso"]).is_passed
    assert story.component.partition(":")[0] in _profile_of(outputs["--bundle"])
    payloads = ar_members(story.vib_bytes).values()
    assert any(path.is_file() and path.read_bytes() in payloads for path in outputs["--pxe"].iterdir())


def _profile_of(bundle: Path) -> str:
    """The bulletins that the written profile lists."""
    metadata = zip_members(zip_members(bundle)["metadata.zip"])
    (document,) = [data for name, data in metadata.items() if name.startswith("profiles/")]
    return " ".join(item.text or "" for item in xml(document).iter("bulletin-id"))


def test_the_bundle_has_the_vib_byte_for_byte_and_composes_again(
    story: Story, file: Path, run: Runner, tmp_path: Path
) -> None:
    bundle = tmp_path / "out.zip"
    run("build", "--depot", story.base, "--base", story.release, "--vib", file, "--bundle", bundle)
    again = tmp_path / "again.zip"
    outcome = run(
        "build", "--depot", bundle, "--base", story.release, "--component", story.component, "--bundle", again
    )

    assert outcome.code == 0
    assert zip_members(bundle)[f"vib20/{story.vib_id.split('_')[2]}/{story.vib_id}.vib"] == story.vib_bytes
    assert again.read_bytes() == bundle.read_bytes()


def test_a_component_written_alone_does_the_same(story: Story, file: Path, run: Runner, tmp_path: Path) -> None:
    component, one, other = (tmp_path / name for name in ("component.zip", "one.iso", "other.iso"))
    assert run("component", "create", file, "--out", component).code == 0
    run("build", "--depot", story.base, "--base", story.release, "--vib", file, "--iso", one)
    outcome = run(
        "build", "--depot", story.base, component, "--base", story.release, "--component", story.component,
        "--iso", other,
    )  # fmt: skip

    assert outcome.code == 0
    assert one.read_bytes() == other.read_bytes()
