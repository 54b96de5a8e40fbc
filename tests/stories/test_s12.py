"""Story S12: a vendor's disc or bundle is taken apart into base image, add-on and the rest, and composed again."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, final

import attrs
import pytest
from support.changed_depots import DEPOTS
from support.written_images import GENERATIONS, put, written

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Sequence

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
A09 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A09-depot.zip"
ESXI_8 = DEPOTS / "VMware-ESXi-8.0U3-24022510-depot.zip"
A02 = DEPOTS / "ACME-ESXi-Addon-803.24022510.A02-depot.zip"
I40EN = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
DPU_TOOLS = DEPOTS / "Acme-dpu-tools_1.2.0-1OEM.803.0.0.24022510.zip"


@final
@attrs.frozen(kw_only=True)
class Story:
    """What a vendor composed, and the depots that say of what."""

    depots: tuple[Path, ...]
    base_image: str
    add_on: tuple[str, str] | None = None
    components: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def compose(self, catalog: eib.Catalog) -> eib.Image:
        return eib.compose(
            catalog,
            base_image=self.base_image,
            add_on=self.add_on,
            components=dict.fromkeys(self.components),
            removed_components=self.removed,
        )


ACME_A09 = ("ACME-AddOn", "703.20328353.A09")
ACME_A02 = ("ACME-AddOn", "803.24022510.A02")
STORIES = {
    "7.0 U3g": Story(depots=(U3G,), base_image="7.0.3-0.55.20328353"),
    "7.0 U3g with A09": Story(depots=(U3G, A09), base_image="7.0.3-0.55.20328353", add_on=ACME_A09),
    "7.0 U3g with A09 and a driver": Story(
        depots=(U3G, A09, I40EN), base_image="7.0.3-0.55.20328353", add_on=ACME_A09, components=("Intel-i40en",)
    ),
    "8.0 U3": Story(depots=(ESXI_8,), base_image="8.0.3-0.0.24022510"),
    "8.0 U3 with A02": Story(depots=(ESXI_8, A02), base_image="8.0.3-0.0.24022510", add_on=ACME_A02),
    "8.0 U3 with A02, tools for DPUs, and less": Story(
        depots=(ESXI_8, A02, DPU_TOOLS),
        base_image="8.0.3-0.0.24022510",
        add_on=ACME_A02,
        components=("Acme-dpu-tools",),
        removed=("Acme-Agent", "Broadcom-bcm-mpi3"),
    ),
}


@final
@attrs.frozen(kw_only=True)
class Published:
    """The vendor's image, its bundle and its disc."""

    story: Story
    image: eib.Image
    bundle: bytes = attrs.field(repr=False)
    iso: bytes = attrs.field(repr=False)


@functools.cache
def published(name: str) -> Published:
    story = STORIES[name]
    with tempfile.TemporaryDirectory() as folder, eib.open_depot(*story.depots) as depot:
        image = story.compose(depot.catalog)
        eib.export_bundle(image, depot, Path(folder, "custom.zip"))
        eib.export_iso(image, depot, Path(folder, "custom.iso"))
        return Published(
            story=story,
            image=image,
            bundle=Path(folder, "custom.zip").read_bytes(),
            iso=Path(folder, "custom.iso").read_bytes(),
        )


def opened(folder: Path, name: str, kind: str, beside: Sequence[Path] = ()) -> eib.Depot:
    data = published(name).iso if kind == "iso" else published(name).bundle
    return eib.open_depot(put(folder / f"published.{kind}", data), *beside)


FORMS = [pytest.param("zip", id="bundle"), pytest.param("iso", id="disc")]


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("name", STORIES)
def test_it_is_taken_apart_into_what_it_was_composed_of(tmp_path: Path, name: str, kind: str) -> None:
    made = published(name)
    with opened(tmp_path, name, kind) as depot:
        taken = eib.decompose(eib.image_from_profile(depot.catalog, made.image.name), depot.catalog)

    assert taken.base_image == made.image.base_image
    assert taken.add_on == made.image.add_on
    assert [reference.name for reference in taken.components] == list(made.story.components)
    assert taken.removed_components == tuple(sorted(made.story.removed))
    assert taken.unassigned_vibs == ()


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("name", STORIES)
def test_composed_again_it_is_the_same_image(tmp_path: Path, name: str, kind: str) -> None:
    """A disc before 8.0 lacks VIBs for data processing units; with the depot beside it nothing is missing."""
    made = published(name)
    needs_depot = kind == "iso" and name.startswith("7")
    with opened(tmp_path, name, kind, made.story.depots[:1] if needs_depot else ()) as depot:
        image = eib.recognise(depot.catalog, made.image.name)
        spec = eib.decompose(image, depot.catalog).spec
        assert spec is not None
        again = eib.compose(depot.catalog, spec)

    assert image.digest == again.digest == made.image.digest
    assert [(entry.component.id, entry.source) for entry in image.components] == [
        (entry.component.id, entry.source) for entry in made.image.components
    ]


@pytest.mark.parametrize("kind", FORMS)
def test_both_units_enter_the_depot_by_themselves(tmp_path: Path, kind: str) -> None:
    """The vendor's disc gives its add-on to another patch of the same train."""
    older = DEPOTS / "VMware-ESXi-7.0U3f-20036589-depot.zip"
    with opened(tmp_path, "7.0 U3g with A09", kind, (older,)) as depot:
        image = eib.compose(depot.catalog, base_image="7.0U3f", add_on=ACME_A09)
        assert eib.validate(image, depot.catalog).is_valid
        eib.export_bundle(image, depot, tmp_path / "moved.zip")

    assert eib.verify_bundle(tmp_path / "moved.zip").is_passed


@pytest.mark.parametrize("name", [name for name in STORIES if name.startswith("8")])
def test_from_a_disc_the_same_bundle_is_written_and_from_a_bundle_the_same_disc(tmp_path: Path, name: str) -> None:
    made = published(name)
    with opened(tmp_path, name, "iso") as depot:
        eib.export_bundle(eib.recognise(depot.catalog), depot, tmp_path / "again.zip")
    with opened(tmp_path, name, "zip") as depot:
        eib.export_iso(eib.recognise(depot.catalog), depot, tmp_path / "again.iso")

    assert (tmp_path / "again.zip").read_bytes() == made.bundle
    assert (tmp_path / "again.iso").read_bytes() == made.iso


@pytest.mark.parametrize("name", STORIES)
def test_a_bundle_opened_and_exported_again_is_the_same_bytes(tmp_path: Path, name: str) -> None:
    with opened(tmp_path, name, "zip") as depot:
        eib.export_bundle(eib.recognise(depot.catalog), depot, tmp_path / "again.zip")

    assert (tmp_path / "again.zip").read_bytes() == published(name).bundle


@pytest.mark.parametrize("kind", FORMS)
def test_a_6_7_image_without_its_stock_profile_is_not_guessed(tmp_path: Path, kind: str) -> None:
    made = written("6.7")
    data = made.iso if kind == "iso" else made.bundle
    with eib.open_depot(put(tmp_path / f"published.{kind}", data)) as depot:
        image = eib.recognise(depot.catalog)
        (profile,) = depot.catalog.profiles
        taken = eib.decompose(image, depot.catalog)
        renamed = attrs.evolve(depot.catalog, profiles=[attrs.evolve(profile, name="custom", creator="Acme")])
        unknown = eib.decompose(eib.image_from_profile(renamed, "custom"), renamed)

    assert image.digest == made.image.digest
    assert (taken.base_image, taken.spec, taken.base_profile) == (None, None, profile)
    assert unknown.base_profile is None
    assert unknown.unassigned_vibs == tuple(sorted(image.vibs_by_id))
    assert GENERATIONS["6.7"].profile == profile.name
