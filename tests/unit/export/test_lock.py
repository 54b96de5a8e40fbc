"""Locks of images whose components no depot holds: made again, or refused where a lock cannot tell how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest
from support.changed_depots import DEPOTS

import esximage_builder as eib
from esximage_builder.documents.lock_file import parse_lock, render_lock

if TYPE_CHECKING:
    from pathlib import Path

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
LOOSE = DEPOTS / "homelab-tweaks-1.0.0-1.vib"
VIB_ID = "HomeLab_bootbank_homelab-tweaks_1.0.0-1"


def image_with(depot: eib.Depot, component: eib.Component) -> eib.Image:
    catalog = depot.catalog.with_component(component)
    return eib.compose(catalog, base_image="7.0U3g", components=[component.name])


@pytest.mark.parametrize("named", [{}, {"name": "Tweaks"}, {"name": "Tweaks", "version": "7-1"}])
def test_a_made_component_is_made_again(named: dict[str, str]) -> None:
    """The image is the same in all that it holds, not only in its digest."""
    with eib.open_depot(U3G, LOOSE) as depot:
        image = image_with(depot, eib.component_from_vibs(depot.catalog.loose_vibs, **named))  # type: ignore[arg-type]
        lock = eib.make_lock(image, depot)
    (made,) = [component for component in lock.components if component.made_of]
    assert (made.made_of, made.bulletin) == ((VIB_ID,), "")
    with eib.open_depot(LOOSE, U3G) as depot:
        again = eib.compose_locked(depot, parse_lock(render_lock(lock), where="x.json"))
    assert again.digest == image.digest
    assert again.components == image.components


def test_a_component_made_of_a_bulletin_is_made_of_it_again() -> None:
    with eib.open_depot(U3G, LOOSE) as depot:
        bulletin = eib.Bulletin(id="tweaks-2023", vendor="Club", summary="tweaks", vib_ids=[VIB_ID])
        depot.catalog = attrs.evolve(depot.catalog, bulletins=[bulletin])
        image = image_with(depot, eib.component_from_bulletin(bulletin, depot.catalog.vibs))
        lock = eib.make_lock(image, depot)
        again = eib.compose_locked(depot, lock)
        assert [component.bulletin for component in lock.components if component.made_of] == ["tweaks-2023"]
        assert again.components == image.components
        depot.catalog = attrs.evolve(depot.catalog, bulletins=())
        with pytest.raises(eib.ComposeError, match="do not give the image"):
            eib.compose_locked(depot, lock)


@pytest.mark.parametrize(
    "said",
    [{"vendor": "Me"}, {"summary": "mine"}, {"platforms": [eib.SoftwarePlatform(version="8.0")]}],
    ids=lambda said: next(iter(said)),
)
def test_what_a_lock_cannot_tell_is_refused(said: dict[str, object], tmp_path: Path) -> None:
    """Its bundle would come out with other words, though the digest is the same."""
    with eib.open_depot(U3G, LOOSE) as depot:
        image = image_with(depot, eib.component_from_vibs(depot.catalog.loose_vibs, **said))  # type: ignore[arg-type]
        with pytest.raises(eib.ModelError, match="a lock cannot tell how"):
            eib.write_lock(image, depot, tmp_path / "x.json")
    assert list(tmp_path.iterdir()) == []


def test_written_as_a_bundle_it_is_locked_as_any_other(tmp_path: Path) -> None:
    with eib.open_depot(LOOSE) as depot:
        component = eib.component_from_vibs(depot.catalog.vibs, vendor="Me")
        eib.export_components([component], depot.catalog.vibs, depot, tmp_path / "c.zip")
    with eib.open_depot(U3G, tmp_path / "c.zip") as depot:
        image = eib.compose(depot.catalog, base_image="7.0U3g", components=["homelab-tweaks"])
        lock = eib.make_lock(image, depot)
        assert [component for component in lock.components if component.made_of] == []
        assert eib.compose_locked(depot, lock) == image


def test_a_component_that_a_depot_holds_by_now_is_taken(tmp_path: Path) -> None:
    with eib.open_depot(U3G, LOOSE) as depot:
        image = image_with(depot, eib.component_from_vibs(depot.catalog.loose_vibs))
        lock = eib.make_lock(image, depot)
        eib.export_bundle(image, depot, tmp_path / "all.zip")
    with eib.open_depot(tmp_path / "all.zip") as depot:
        assert eib.compose_locked(depot, lock).digest == image.digest
