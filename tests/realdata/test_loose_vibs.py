"""Real VIBs and bundles of the time before components: each becomes one, and goes on a base image of its train."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from realdata.test_end_to_end import STAND_ALONE, U3G, VERSION, read_vib, require_same_on_disc, vib_bytes

import esximage_builder as eib

if TYPE_CHECKING:
    from pathlib import Path


def made_of(catalog: eib.Catalog, vib_id: str) -> eib.Component:
    """A component of the bulletin that lists the VIB, else of the VIB alone."""
    for bulletin in catalog.bulletins:
        if bulletin.vib_ids == (vib_id,):
            return eib.component_from_bulletin(bulletin, catalog.vibs)
    return eib.component_from_vibs(catalog.vibs_by_id[vib_id])


@pytest.mark.parametrize(("file", "vib_id"), STAND_ALONE.items(), ids=list(STAND_ALONE.values()))
def test_what_no_component_brings_becomes_one(realdata: Path, tmp_path: Path, file: str, vib_id: str) -> None:
    real = vib_bytes(realdata / file)
    with eib.open_depot(U3G, realdata / file) as depot:
        component = made_of(depot.catalog, vib_id)
        catalog = depot.catalog.with_component(component)
        image = eib.compose(catalog, base_image=VERSION, components=[component.name])
        report = eib.validate(image, catalog)
        eib.export_bundle(image, depot, tmp_path / "custom.zip", report=report)
        eib.export_iso(image, depot, tmp_path / "custom.iso", report=report)
        lock = eib.make_lock(image, depot)
        assert eib.compose_locked(depot, lock).components == image.components
    assert report.is_valid
    assert {finding.code for finding in report.findings} <= {"platform-mismatch"}
    with eib.open_depot(tmp_path / "custom.zip") as again:
        (found,) = again.catalog.components_by_name[component.name]
        assert found == component
        assert read_vib(again, vib_id) == real
    assert eib.verify_bundle(tmp_path / "custom.zip").is_passed
    require_same_on_disc(tmp_path / "custom.iso", image, vib_id, real)


def test_every_real_bundle_and_loose_vib_makes_components(realdata: Path, tmp_path: Path) -> None:
    """Whatever has no component; the zip that holds it reads back as it was made."""
    files = [*sorted(realdata.glob("bundles/*/*.zip")), *sorted(realdata.glob("vibs/*/*.vib"))]
    made = 0
    for number, file in enumerate(files):
        with eib.open_depot(file) as depot:
            if depot.catalog.components:
                continue
            component = made_of(depot.catalog, depot.catalog.loose_vibs[0].id)
            path = eib.export_components([component], depot.catalog.vibs, depot, tmp_path / f"{number}.zip")
        with eib.open_depot(path) as again:
            assert again.catalog.components == (component,)
            assert again.catalog.loose_vibs == ()
        made += 1
    assert made
