"""What ``verify`` refuses in an output, validation or the export refuses first; and nothing half-written stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.damaged_depots import DAMAGES, SMALL_VERSION, certified_depot, damaged

import esximage_builder as eib
from esximage_builder import authoring

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Literal

    Check = Literal["stored", "unpacked"]

VIB = "odd-driver"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certified_depot(tmp_path_factory.mktemp("certified"), VIB)


def refused(job: Callable[[], object], folder: Path) -> str:
    """Return the class of the error that a job ended with, or nothing; what was refused has left nothing."""
    before = sorted(folder.rglob("*"))
    try:
        job()
    except eib.EsxImageError as error:
        assert sorted(folder.rglob("*")) == before
        return type(error).__name__
    return ""


def outcomes(image: eib.Image, depot: eib.Depot, folder: Path, check: Check) -> dict[str, str]:
    folder.mkdir()
    jobs: dict[str, Callable[[], object]] = {
        "bundle": lambda: eib.export_bundle(image, depot, folder / "a.zip", check=check),
        "iso": lambda: eib.export_iso(image, depot, folder / "a.iso", check=check),
        "pxe": lambda: eib.export_pxe(image, depot, folder / "pxe", check=check),
        "together": lambda: eib.export_image(
            image, depot, bundle=folder / "b.zip", iso=folder / "b.iso", pxe=folder / "pxe-b", check=check
        ),
        "components": lambda: eib.export_components(
            depot.catalog.components, depot.catalog.vibs, depot, folder / "c.zip", check=check
        ),
    }
    return {name: refused(job, folder) for name, job in jobs.items()}


def require_verified(folder: Path, *, deep: bool) -> None:
    """Hold verification against what was written."""
    for path in (folder / "a.zip", folder / "b.zip", folder / "c.zip"):
        assert eib.verify_bundle(path, deep=deep).is_passed, path
    for path in (folder / "a.iso", folder / "b.iso"):
        assert eib.verify_iso(path, deep=deep).is_passed, path


@pytest.mark.parametrize("check", ["stored", "unpacked"])
@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_what_verify_would_refuse_is_refused_first_and_by_all(
    source: Path, tmp_path: Path, name: str, check: Check
) -> None:
    path = damaged(source, tmp_path / "damaged.zip", VIB, name)
    with eib.open_depot(path) as depot:
        image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
        report = eib.validate(image, depot.catalog, vib_facts=depot.facts_of(image.all_vibs))
        found = outcomes(image, depot, tmp_path / "out", check)

    assert len(set(map(bool, found.values()))) == 1, found
    assert (not report.is_valid) is DAMAGES[name].is_in_head
    assert all(found.values()) is (DAMAGES[name].is_seen_stored or check == "unpacked")
    if not any(found.values()):
        require_verified(tmp_path / "out", deep=check == "unpacked")
    else:
        assert not eib.verify_bundle(path).is_passed


@pytest.mark.parametrize("check", ["stored", "unpacked"])
def test_a_sound_depot_is_written_and_passes(source: Path, tmp_path: Path, check: Check) -> None:
    with eib.open_depot(source) as depot:
        image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
        assert eib.validate(image, depot).findings == ()
        assert not any(outcomes(image, depot, tmp_path / "out", check).values())
    require_verified(tmp_path / "out", deep=True)


@pytest.mark.parametrize("name", sorted(name for name, damage in DAMAGES.items() if damage.is_in_head))
def test_bundles_of_what_one_has_refuse_it_too(source: Path, tmp_path: Path, name: str) -> None:
    """``write_bundle`` composes no image, and asks the same questions of each VIB."""
    with eib.open_depot(source) as depot:
        whole = eib.export_components(depot.catalog.components, depot.catalog.vibs, depot, tmp_path / "whole.zip")
    path = damaged(whole, tmp_path / "damaged.zip", VIB, name)
    with eib.open_depot(path) as depot:
        assert refused(lambda: authoring.write_bundle(depot, tmp_path / "bundle.zip"), tmp_path / "none")
    assert not (tmp_path / "bundle.zip").exists()
