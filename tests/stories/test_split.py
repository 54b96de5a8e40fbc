"""Story S26: a vendor's custom image becomes a base image and an add-on, each a depot of its own."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import attrs
import pytest
from support.changed_depots import DEPOTS, edit_zip, in_metadata, left_in, zip_members
from support.command_line import Runner

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Callable

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
U3F = DEPOTS / "VMware-ESXi-7.0U3f-20036589-depot.zip"
A08 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
A09 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A09-depot.zip"
ESXI_8 = DEPOTS / "VMware-ESXi-8.0U3-24022510-depot.zip"
A02 = DEPOTS / "ACME-ESXi-Addon-803.24022510.A02-depot.zip"
I40EN = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
DPU_TOOLS = DEPOTS / "Acme-dpu-tools_1.2.0-1OEM.803.0.0.24022510.zip"
VERSION_7, VERSION_8 = "7.0.3-0.55.20328353", "8.0.3-0.0.24022510"


@final
@attrs.frozen(kw_only=True)
class Custom:
    """What a vendor composed, and of which depots."""

    depots: tuple[Path, ...]
    base_image: str
    add_on: str = ""
    components: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


CUSTOMS = {
    "7.0 U3g with A09": Custom(depots=(U3G, A09), base_image=VERSION_7, add_on="ACME-AddOn"),
    "7.0 U3g with A08": Custom(depots=(U3G, A08), base_image=VERSION_7, add_on="ACME-AddOn"),
    "8.0 U3 with A02": Custom(depots=(ESXI_8, A02), base_image=VERSION_8, add_on="ACME-AddOn"),
    "7.0 U3g with A09 and a driver": Custom(
        depots=(U3G, A09, I40EN), base_image=VERSION_7, add_on="ACME-AddOn", components=("Intel-i40en",)
    ),
    "7.0 U3g with a driver": Custom(depots=(U3G, I40EN), base_image=VERSION_7, components=("Intel-i40en",)),
    "8.0 U3 with A02, tools for DPUs, and less": Custom(
        depots=(ESXI_8, A02, DPU_TOOLS),
        base_image=VERSION_8,
        add_on="ACME-AddOn",
        components=("Acme-dpu-tools",),
        removed=("Acme-Agent", "Broadcom-bcm-mpi3"),
    ),
    "8.0 U3 with tools for DPUs alone": Custom(
        depots=(ESXI_8, DPU_TOOLS), base_image=VERSION_8, components=("Acme-dpu-tools",)
    ),
}
AS_THEY_ARE = [name for name in CUSTOMS if name.count("with") == 1 and name.split()[-1].startswith("A0")]
MADE = [name for name in CUSTOMS if name not in AS_THEY_ARE]


@functools.cache
def published(name: str) -> tuple[eib.Image, bytes, bytes]:
    """The vendor's image, its bundle and its disc."""
    custom = CUSTOMS[name]
    with tempfile.TemporaryDirectory() as folder, eib.open_depot(*custom.depots) as depot:
        image = eib.compose(
            depot.catalog,
            base_image=custom.base_image,
            add_on=custom.add_on or None,
            components=custom.components,
            removed_components=custom.removed,
        )
        eib.export_image(image, depot, bundle=Path(folder, "c.zip"), iso=Path(folder, "c.iso"))
        return image, Path(folder, "c.zip").read_bytes(), Path(folder, "c.iso").read_bytes()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


def put(folder: Path, name: str, kind: str = "zip") -> Path:
    path = folder / f"custom.{kind}"
    _, bundle, iso = published(name)
    path.write_bytes(bundle if kind == "zip" else iso)
    return path


def split(run: Runner, folder: Path, custom: Path, *arguments: object) -> dict[str, Any]:
    outcome = run(
        "split", custom, "--base-out", folder / "B.zip", "--add-on-out", folder / "A.zip", *arguments, "--json"
    )
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.json


def together(folder: Path) -> eib.Image:
    """What both depots compose to, and nothing else is loaded."""
    with eib.open_depot(folder / "B.zip", folder / "A.zip") as depot:
        (base,), (add_on,) = depot.catalog.base_images, depot.catalog.add_ons
        image = eib.compose(depot.catalog, base_image=base.version.text, add_on=(add_on.name, add_on.version.text))
        assert eib.validate(image, depot.catalog).is_valid
        return image


@pytest.mark.parametrize("kind", ["zip", "iso"])
@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_s26_an_add_on_in_the_image_comes_out_as_it_went_in(run: Runner, tmp_path: Path, name: str, kind: str) -> None:
    """The two depots together compose to the same digest, and the add-on is the vendor's own."""
    image = published(name)[0]
    beside = ("--depot", U3G) if kind == "iso" and name.startswith("7") else ()

    said = split(run, tmp_path, put(tmp_path, name, kind), *beside)

    assert together(tmp_path).digest == said["digest"] == said["image"]["digest"] == image.digest
    with eib.open_depot(tmp_path / "A.zip") as depot:
        assert depot.catalog.add_ons == (image.add_on,)
        assert (depot.catalog.base_images, depot.catalog.profiles) == ((), ())
    assert said["add_on"]["is_made"] is False


@pytest.mark.parametrize("name", MADE)
def test_s26_what_else_the_vendor_did_becomes_one_add_on(run: Runner, tmp_path: Path, name: str) -> None:
    """It brings and takes off whatever the image has otherwise than its base image; the same VIBs are installed."""
    image = published(name)[0]

    said = split(run, tmp_path, put(tmp_path, name))

    made = together(tmp_path)
    assert made.digest == said["digest"]
    assert [entry.component.id for entry in made.components] == [entry.component.id for entry in image.components]
    assert [entry.vib.content_line for entry in made.vibs] == [entry.vib.content_line for entry in image.vibs]
    assert said["add_on"]["is_made"] is True
    assert set(said["add_on"]["components"]) >= {
        entry.component.id for entry in image.components if entry.component.name in CUSTOMS[name].components
    }
    stock = {reference.name for reference in (image.base_image.components if image.base_image else ())}
    assert set(said["add_on"]["removed_components"]) >= stock & set(CUSTOMS[name].removed)


@pytest.mark.parametrize("name", CUSTOMS)
def test_s26_the_base_depot_alone_is_the_base_image(run: Runner, tmp_path: Path, name: str) -> None:
    """As VMware published it, whatever the vendor overrode or took off; VIBs verbatim in both depots."""
    custom = CUSTOMS[name]
    split(run, tmp_path, put(tmp_path, name))

    with eib.open_depot(tmp_path / "B.zip") as depot, eib.open_depot(custom.depots[0]) as stock:
        assert eib.recognise(depot.catalog).digest == eib.compose(stock, base_image=custom.base_image).digest
    originals = {path: data for depot in custom.depots for path, data in zip_members(depot).items()}
    for part in ("A.zip", "B.zip"):
        vibs = {path: data for path, data in zip_members(tmp_path / part).items() if path.endswith(".vib")}
        assert vibs
        assert {path: originals[path] for path in vibs} == vibs
        assert eib.verify_bundle(tmp_path / part).is_passed


def without_units(*folders: str) -> Callable[[str, bytes], bytes | None]:
    return in_metadata(lambda name, data: None if name.startswith(folders) else data)


@pytest.mark.parametrize(
    ("name", "creator", "expected"),
    [
        pytest.param("7.0 U3g with A09", b"Acme", "Acme-AddOn", id="7.0"),
        pytest.param("8.0 U3 with A02", b"Acme", "Acme-AddOn", id="8.0"),
        pytest.param("8.0 U3 with A02", b"Dell Technologies, Inc.", "Dell-Technologies-Inc-AddOn", id="by its creator"),
    ],
)
def test_s26_an_image_that_names_no_units_is_split_with_the_base_depot_beside_it(
    run: Runner, tmp_path: Path, name: str, creator: bytes, expected: str
) -> None:
    """All that it has is a profile; without the base image's depot it is refused."""

    def bare(member: str, data: bytes) -> bytes | None:
        if member.startswith(("baseimages/", "addons/")):
            return None
        return data.replace(b"<creator>Acme<", b"<creator>" + creator + b"<") if "profiles/" in member else data

    image = published(name)[0]
    custom = edit_zip(put(tmp_path, name), tmp_path / "bare.zip", in_metadata(bare))
    refused = run("split", custom, "--base-out", tmp_path / "B.zip", "--add-on-out", tmp_path / "A.zip", "--json")
    assert (refused.code, refused.error["code"]) == (2, "not-in-depot")
    assert "--depot" in refused.error["hint"]
    assert not any((tmp_path / part).exists() for part in ("A.zip", "B.zip"))

    said = split(run, tmp_path, custom, "--depot", CUSTOMS[name].depots[0])

    assert said["add_on"]["name"] == expected
    assert said["add_on"]["version"].startswith("703.20328353." if name.startswith("7") else "803.24022510.")
    made = together(tmp_path)
    assert [entry.vib.content_line for entry in made.vibs] == [entry.vib.content_line for entry in image.vibs]
    assert {vib.vib.id for vib in made.reserved_vibs} == {vib.vib.id for vib in image.reserved_vibs}


@pytest.mark.parametrize("name", ["7.0 U3g with A09", "8.0 U3 with A02"])
def test_s26_a_bundle_without_reserved_vibs_needs_the_base_depot(run: Runner, tmp_path: Path, name: str) -> None:
    """What the vendor overrode is not in it; nothing is written until it is there."""
    image, bundle, _ = published(name)
    (tmp_path / "full.zip").write_bytes(bundle)
    with eib.open_depot(tmp_path / "full.zip") as depot:
        eib.export_bundle(image, depot, tmp_path / "lean.zip", with_reserved=False)
    outputs = ("--base-out", tmp_path / "B.zip", "--add-on-out", tmp_path / "A.zip")
    refused = run("split", tmp_path / "lean.zip", *outputs, "--json")
    assert (refused.code, refused.error["code"]) == (2, "not-in-depot")
    assert refused.error["found"].startswith("without ")

    split(run, tmp_path, tmp_path / "lean.zip", "--depot", CUSTOMS[name].depots[0])

    assert together(tmp_path).digest == image.digest


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "DEL-AddOn", "version": "703.1-A00", "vendor": "Dell"},
        {"name": "Site", "version": "803.9", "vendor": ""},
        {"name": "", "version": "", "vendor": "Our Lab"},
    ],
)
@pytest.mark.parametrize("name", ["7.0 U3g with A09", "7.0 U3g with a driver"])
def test_s26_the_add_on_is_called_as_asked(run: Runner, tmp_path: Path, name: str, asked: dict[str, str]) -> None:
    options = [word for key, text in asked.items() if text for word in (f"--add-on-{key}", text)]
    said = split(run, tmp_path, put(tmp_path, name), *options)

    with eib.open_depot(tmp_path / "A.zip") as depot:
        (add_on,) = depot.catalog.add_ons
    stated = {"name": add_on.name, "version": add_on.version.text, "vendor": add_on.vendor}
    assert {key: stated[key] for key, text in asked.items() if text} == {k: v for k, v in asked.items() if v}
    assert {key: said["add_on"][key] for key in stated} == stated


def test_s26_contents_tell_made_add_ons_apart(run: Runner, tmp_path: Path) -> None:
    """Two images over one add-on give two versions; the same image gives the same bytes again."""
    versions = set()
    for name in ("7.0 U3g with A09 and a driver", "7.0 U3g with a driver"):
        first = split(run, tmp_path, put(tmp_path, name), "--force")
        before = left_in(tmp_path)
        assert split(run, tmp_path, tmp_path / "custom.zip", "--force") == first
        assert left_in(tmp_path) == before
        versions.add(first["add_on"]["version"])
    assert len(versions) == 2


def test_s26_name_and_version_of_another_loaded_add_on_are_refused(run: Runner, tmp_path: Path) -> None:
    outcome = run(
        "split", put(tmp_path, "7.0 U3g with A09 and a driver"), "--base-out", tmp_path / "B.zip",
        "--add-on-out", tmp_path / "A.zip", "--add-on-version", "703.20328353.A09", "--json",
    )  # fmt: skip

    assert (outcome.code, outcome.error["code"]) == (2, "invalid-model")
    assert list(left_in(tmp_path)) == ["custom.zip"]


@pytest.mark.parametrize(
    ("source", "code", "found"),
    [
        pytest.param(U3G, "invalid-model", "nothing beside ESXi-7.0U3g-20328353-standard", id="a base image, 7.0"),
        pytest.param(ESXI_8, "invalid-model", "nothing beside ESXi-8.0U3-24022510-standard", id="a base image, 8.0"),
        pytest.param(A09, "not-in-depot", "no image profile", id="an add-on"),
        pytest.param(
            DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip",
            "invalid-model",
            "a profile that lists VIBs alone",
            id="an image of the time before components",
        ),
    ],
)
def test_s26_what_cannot_be_split_is_refused(run: Runner, tmp_path: Path, source: Path, code: str, found: str) -> None:
    outputs = ("--base-out", tmp_path / "B.zip", "--add-on-out", tmp_path / "A.zip")
    outcome = run("split", source, *outputs, "--json")

    assert (outcome.code, outcome.error["code"], outcome.error["found"]) == (2, code, found)
    assert left_in(tmp_path) == {}


@pytest.mark.parametrize(
    ("depot", "base_image", "removed"),
    [(ESXI_8, VERSION_8, "Broadcom-bcm-mpi3"), (U3G, VERSION_7, "Broadcom-bnxt-Net-RoCE")],
)
def test_s26_an_image_that_only_lacks_something_gives_no_add_on(
    run: Runner, tmp_path: Path, depot: Path, base_image: str, removed: str
) -> None:
    """A depot without component is none that vLCM takes."""
    custom = tmp_path / "custom.zip"
    built = run("build", "--depot", depot, "--base", base_image, "--remove", removed, "--bundle", custom)
    assert built.code == 0

    outcome = run("split", custom, "--base-out", tmp_path / "B.zip", "--add-on-out", tmp_path / "A.zip", "--json")

    assert (outcome.code, outcome.error["code"]) == (2, "invalid-model")
    assert removed in outcome.error["message"]
    assert list(left_in(tmp_path)) == ["custom.zip"]


@pytest.mark.parametrize("option", ["--base-out", "--add-on-out"])
def test_s26_the_outputs_eat_nothing(run: Runner, tmp_path: Path, option: str) -> None:
    """Both files or none: what is in the way of one keeps the other away too."""
    custom = put(tmp_path, "7.0 U3g with A09")
    outputs = {"--base-out": tmp_path / "B.zip", "--add-on-out": tmp_path / "A.zip"}

    def refused(target: Path, *more: object) -> dict[str, str]:
        paths = outputs | {option: target}
        before = left_in(tmp_path)
        outcome = run("split", custom, *(word for pair in paths.items() for word in pair), *more, "--json")
        assert outcome.code == 2
        assert left_in(tmp_path) == before
        return outcome.error

    (tmp_path / "mine.zip").write_bytes(b"mine")
    assert refused(tmp_path / "mine.zip")["message"] == "the output is there already"
    (tmp_path / "link.zip").symlink_to(custom)
    (tmp_path / "hard.zip").hardlink_to(custom)
    for same in ("custom.zip", "link.zip", "hard.zip"):
        assert refused(tmp_path / same, "--force")["message"] == "the output is a file that is read"
    assert refused(tmp_path / "base.zip", "--depot", tmp_path / "absent.zip")["code"] == "source-unreadable"
    other = next(path for key, path in outputs.items() if key != option)
    assert "name one file" in refused(other)["message"]
    assert refused(tmp_path / "base.iso")["code"] == "invalid-model"


@pytest.mark.parametrize("name", ["7.0 U3g with A09", "8.0 U3 with tools for DPUs alone"])
def test_s26_in_python_as_on_the_command_line(run: Runner, tmp_path: Path, name: str) -> None:
    split(run, tmp_path, put(tmp_path, name))
    with eib.open_depot(tmp_path / "custom.zip") as depot:
        parts = eib.split_image(eib.recognise(depot.catalog), depot)
        results = eib.export_split(parts, depot, tmp_path / "base.zip", tmp_path / "add-on.zip")

    assert [result.path.name for result in results] == ["base.zip", "add-on.zip"]
    assert [result.image_digest for result in results] == [parts.base.digest, parts.image.digest]
    assert (tmp_path / "base.zip").read_bytes() == (tmp_path / "B.zip").read_bytes()
    assert (tmp_path / "add-on.zip").read_bytes() == (tmp_path / "A.zip").read_bytes()


def test_s26_the_add_on_goes_on_to_another_patch(run: Runner, tmp_path: Path) -> None:
    """What the split is good for: the vendor's part over a newer or older base image of the train."""
    split(run, tmp_path, put(tmp_path, "7.0 U3g with a driver"))
    spec = tmp_path / "spec.json"
    with eib.open_depot(U3F, tmp_path / "A.zip") as depot:
        (add_on,) = depot.catalog.add_ons
        document = {
            "base_image": {"version": depot.catalog.base_images[0].version.text},
            "add_on": {"name": add_on.name, "version": add_on.version.text},
        }
    spec.write_text(json.dumps(document), encoding="utf-8")

    outcome = run("build", "--depot", U3F, tmp_path / "A.zip", "--spec", spec)

    assert outcome.code == 0
    assert "0 errors" in outcome.out
