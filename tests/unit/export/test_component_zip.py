"""Components written alone: what the index says, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest
from support.changed_depots import DEPOTS, xml, zip_members

import esximage_builder as eib

if TYPE_CHECKING:
    from pathlib import Path

LOOSE = DEPOTS / "homelab-tweaks-1.0.0-1.vib"


def written(tmp_path: Path, **platforms: str) -> dict[str, bytes]:
    stated = [eib.SoftwarePlatform(version=version, product_line=line) for line, version in platforms.items()]
    with eib.open_depot(LOOSE) as depot:
        component = eib.component_from_vibs(depot.catalog.vibs, platforms=stated)
        path = eib.export_components([component], depot.catalog.vibs, depot, tmp_path / "c.zip", overwrite=True)
    return zip_members(path)


@pytest.mark.parametrize(
    ("platforms", "entries"),
    [
        ({}, [("embeddedEsx", "*")]),
        ({"embeddedEsx": "8.0"}, [("embeddedEsx", "8.0")]),
        ({"esxio": "9.0", "embeddedEsx": ""}, [("embeddedEsx", "*"), ("esxio", "9.0")]),
    ],
)
def test_the_index_names_what_the_component_is_for(
    tmp_path: Path, platforms: dict[str, str], entries: list[tuple[str, str]]
) -> None:
    index = xml(written(tmp_path, **platforms)["vendor-index.xml"])
    assert [(item.findtext("productId"), item.findtext("version")) for item in index] == entries


def test_the_date_is_the_release_date_or_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with eib.open_depot(LOOSE) as depot:
        (vib,) = depot.catalog.vibs
    assert vib.released_at is not None
    assert vib.released_at.strftime("%Y-%m-%dT") in _metadata_text(written(tmp_path))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert "2001-09-09T01:46:40" in _metadata_text(written(tmp_path))


def _metadata_text(members: dict[str, bytes]) -> str:
    return zip_members(members["metadata.zip"])["vmware.xml"].decode()


def test_vibs_that_are_not_of_a_component_stay_out(tmp_path: Path) -> None:
    with eib.open_depot(LOOSE, DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip") as depot:
        component = eib.component_from_vibs(depot.catalog.loose_vibs)
        eib.export_components([component], depot.catalog.vibs, depot, tmp_path / "c.zip", overwrite=True)
    assert [name for name in zip_members(tmp_path / "c.zip") if name.endswith(".vib")] == [
        f"vib20/homelab-tweaks/{component.vib_ids[0]}.vib"
    ]


def test_what_is_not_there_just_once_is_refused(tmp_path: Path) -> None:
    with eib.open_depot(LOOSE) as depot:
        (vib,) = depot.catalog.vibs
        component = eib.component_from_vibs([vib])
        other = attrs.evolve(vib, summary="another")
        for vibs in ([], [vib, other]):
            with pytest.raises(eib.ModelError, match="not there just once"):
                eib.export_components([component], vibs, depot, tmp_path / "c.zip", overwrite=True)
        with pytest.raises(eib.ModelError, match="no component was given"):
            eib.export_components([], [vib], depot, tmp_path / "c.zip", overwrite=True)
    assert list(tmp_path.iterdir()) == []
