"""Bundles and add-ons of what one has: every VIB as it is, all that is named there, the same bytes twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS, zip_members
from support.vib_sources import AGENT, AGENT_TOML, DRIVER, DRIVER_TOML, lay_out

import esximage_builder as eib
from esximage_builder.authoring.bundle import add_on_of, components_of, write_bundle
from esximage_builder.authoring.vib_of_files import write_vib
from esximage_builder.errors import ExportError, ModelError
from esximage_builder.versions import AddOnVersion
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from pathlib import Path

I40EN = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
A08 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
LOOSE = DEPOTS / "homelab-tweaks-1.0.0-1.vib"
U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
V67 = DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip"


@pytest.fixture
def vibs(tmp_path: Path) -> tuple[Path, Path]:
    """Two VIBs of one's own."""
    for name, laid, text in (("agent", AGENT, AGENT_TOML), ("flux", DRIVER, DRIVER_TOML)):
        (tmp_path / f"{name}.toml").write_text(text)
        write_vib(lay_out(tmp_path / name, laid), tmp_path / f"{name}.toml", tmp_path / f"{name}.vib")
    return tmp_path / "agent.vib", tmp_path / "flux.vib"


def test_loose_vibs_become_a_component_each(tmp_path: Path, vibs: tuple[Path, Path]) -> None:
    with eib.open_depot(*vibs) as depot:
        components = write_bundle(depot, tmp_path / "b.zip", vendor="Acme, Inc.")

    assert [component.id for component in components] == ["acme-agent:1.2.3-4", "flux:2.4-1OEM.800.1.0.20613240"]
    members = zip_members(tmp_path / "b.zip")
    for path, name in zip(
        vibs,
        ("acme-agent/ACM_bootbank_acme-agent_1.2.3-4", "flux/FLX_bootbank_flux_2.4-1OEM.800.1.0.20613240"),
        strict=True,
    ):
        assert members[f"vib20/{name}.vib"] == path.read_bytes()
    assert b"<code>ACM</code>" in members["index.xml"]
    assert eib.verify_bundle(tmp_path / "b.zip").is_passed


def test_components_and_add_ons_are_carried_with_what_they_name(tmp_path: Path, vibs: tuple[Path, Path]) -> None:
    with eib.open_depot(A08, LOOSE, vibs[0]) as depot:
        before = depot.catalog
        write_bundle(depot, tmp_path / "b.zip")
    with eib.open_depot(tmp_path / "b.zip") as depot:
        assert depot.catalog.add_ons == before.add_ons
        assert {item.id for item in depot.catalog.components} == {
            *(item.id for item in before.components), "homelab-tweaks:1.0.0-1", "acme-agent:1.2.3-4",
        }  # fmt: skip
        assert set(depot.catalog.vibs) == set(before.vibs)
        assert depot.catalog.loose_vibs == ()


def test_two_runs_and_any_order_give_the_same_bytes(tmp_path: Path, vibs: tuple[Path, Path]) -> None:
    for name, paths in (("one.zip", [*vibs, I40EN]), ("two.zip", [I40EN, *reversed(vibs)])):
        with eib.open_depot(*paths) as depot:
            write_bundle(depot, tmp_path / name, vendor="A")

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_an_add_on_is_made_of_all_that_is_loaded(tmp_path: Path, vibs: tuple[Path, Path]) -> None:
    with eib.open_depot(*vibs, I40EN) as depot:
        add_on = add_on_of(
            depot,
            "ACME-AddOn",
            AddOnVersion("703-1"),
            supported_base_images=["7.0.3"],
            vendor="Acme",
            removed_components=["lsu-hp"],
            summary="For our hosts",
        )
        write_bundle(depot, tmp_path / "a.zip", add_on=add_on)

    assert add_on.acceptance_level is AcceptanceLevel.COMMUNITY
    assert [item.name for item in add_on.components] == ["Intel-i40en", "acme-agent", "flux"]
    assert add_on.released_at is not None
    with eib.open_depot(tmp_path / "a.zip", U3G) as depot:
        assert depot.catalog.add_ons == (add_on,)
        image = eib.compose(depot.catalog, base_image="7.0U3g", add_on="ACME-AddOn:703-1")
        assert {"acme-agent", "flux"} <= {entry.vib.name for entry in image.vibs}
        report = eib.validate(image, depot.catalog)
        assert "add-on-base-unsupported" not in {finding.code for finding in report.findings}


def test_an_add_on_of_one_vendor_needs_none_named(vibs: tuple[Path, Path]) -> None:
    with eib.open_depot(vibs[0]) as depot:
        assert add_on_of(depot, "A", AddOnVersion("1"), supported_base_images=["8.0"]).vendor == "ACM"
    with eib.open_depot(*vibs) as depot, pytest.raises(ModelError, match="several vendors"):
        add_on_of(depot, "A", AddOnVersion("1"), supported_base_images=["8.0"])


@pytest.mark.parametrize("supported", [[], [""]])
def test_an_add_on_supports_something(vibs: tuple[Path, Path], supported: list[str]) -> None:
    with eib.open_depot(vibs[0]) as depot, pytest.raises(ModelError, match="supports no base image"):
        add_on_of(depot, "A", AddOnVersion("1"), supported_base_images=supported)


@pytest.mark.parametrize("name", ["", "a:b", "a b", "Ä"])
def test_an_add_on_has_a_name_that_files_can_have(vibs: tuple[Path, Path], name: str) -> None:
    with eib.open_depot(vibs[0]) as depot, pytest.raises(ModelError, match="cannot have this name"):
        add_on_of(depot, name, AddOnVersion("1"), supported_base_images=["8.0"])


def test_an_add_on_cannot_be_there_twice(tmp_path: Path) -> None:
    with eib.open_depot(A08) as depot:
        known = depot.catalog.add_ons[0]
        with pytest.raises(ModelError, match="hold this add-on already"):
            write_bundle(depot, tmp_path / "b.zip", add_on=known)
    assert not (tmp_path / "b.zip").exists()


@pytest.mark.parametrize(
    ("source", "found"), [(U3G, "base image 7.0.3-0.55.20328353"), (V67, "image profile ESXi-6.7.0-8169922")]
)
def test_whole_images_are_refused(tmp_path: Path, source: Path, found: str) -> None:
    with eib.open_depot(source) as depot, pytest.raises(ModelError, match="hold whole images") as caught:
        write_bundle(depot, tmp_path / "b.zip")
    assert found in caught.value.found
    assert "esximage build --bundle" in caught.value.hint


def test_a_unit_without_its_components_is_refused(tmp_path: Path, vibs: tuple[Path, Path]) -> None:
    with eib.open_depot(*vibs) as depot:
        whole = add_on_of(depot, "A", AddOnVersion("1"), supported_base_images=["8.0"], vendor="A")
    with eib.open_depot(vibs[0]) as depot, pytest.raises(ModelError, match="every component") as caught:
        write_bundle(depot, tmp_path / "b.zip", add_on=whole)
    assert "flux" in caught.value.found


def test_a_catalog_without_vibs_gives_nothing() -> None:
    with pytest.raises(ModelError, match="hold no VIB"):
        components_of(eib.Catalog())


def test_no_input_is_eaten(tmp_path: Path, vibs: tuple[Path, Path]) -> None:
    before = vibs[0].read_bytes()
    (tmp_path / "link.zip").symlink_to(vibs[0])
    with eib.open_depot(*vibs) as depot, pytest.raises(ExportError, match="a file that is read"):
        write_bundle(depot, tmp_path / "link.zip", overwrite=True)
    assert vibs[0].read_bytes() == before
