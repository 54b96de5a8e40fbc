"""Every real bundle on every base image: written both ways and read back, or refused by a named finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from realdata.test_end_to_end import read_vib, require_same_on_disc
from support.changed_depots import DEPOTS
from support.effort import SHARE

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASES = sorted(DEPOTS.glob("VMware-ESXi-*-depot.zip"))


def readable(realdata: Path) -> Iterator[Path]:
    """The real bundles that open; any other one is refused in an error of ours that names it."""
    for path in sorted(realdata.glob("bundles/*/*.zip")):
        said = refusal_of(path)
        if not said:
            yield path
        assert not said or path.name in said


def refusal_of(path: Path) -> str:
    try:
        eib.open_depot(path).close()
    except eib.EsxImageError as error:
        return str(error)
    return ""


def components_of(catalog: eib.Catalog) -> list[eib.Component]:
    """What a bundle brings, as components; of bulletins and loose VIBs they are made."""
    components = list(catalog.components)
    listed = {vib_id for component in components for vib_id in component.vib_ids}
    for bulletin in catalog.bulletins:
        components.append(eib.component_from_bulletin(bulletin, catalog.vibs))
        listed.update(bulletin.vib_ids)
    return [*components, *(eib.component_from_vibs([vib]) for vib in catalog.vibs if vib.id not in listed)]


def images_with(catalog: eib.Catalog, component: eib.Component) -> list[tuple[eib.Image, eib.Catalog]]:
    """Put a component on each base image; where there are profiles only, its VIBs on each profile."""
    more = catalog if component in catalog.components else catalog.with_component(component)
    bases = [
        (eib.compose(more, base_image=str(base.version), components={component.name: str(component.version)}), more)
        for base in catalog.base_images
    ]
    if bases:
        return bases
    return [(eib.change_profile(catalog, profile, add=component.vib_ids), catalog) for profile in catalog.profiles]


@pytest.mark.parametrize("base", BASES, ids=[path.name.split("-")[2] for path in BASES])
def test_each_component_is_written_and_read_back_or_refused_by_name(realdata: Path, tmp_path: Path, base: Path) -> None:
    """No component is lost, changed, or left out of what is written without a finding that says so.

    In an ordinary run the bundles are spread over the base images; `make test-long` puts each on all of them.
    """
    tried = 0
    turns = min(SHARE, len(BASES) // 2)
    for bundle in list(readable(realdata))[BASES.index(base) % turns :: turns]:
        with eib.open_depot(base, bundle) as depot, eib.open_depot(bundle) as alone:
            for component in components_of(alone.catalog):
                for image, catalog in images_with(depot.catalog, component):
                    tried += 1
                    require_written_or_refused(image, catalog, depot, component, tmp_path / str(tried))
    assert tried


def require_written_or_refused(
    image: eib.Image, catalog: eib.Catalog, depot: eib.Depot, component: eib.Component, target: Path
) -> None:
    bundle, disc = target.with_suffix(".zip"), target.with_suffix(".iso")
    report = eib.validate(image, catalog)
    if not report.is_valid:
        with pytest.raises(eib.IncompatibleImageError) as refused:
            eib.export_image(image, depot, iso=disc, bundle=bundle, report=report)
        assert all(finding.code in str(refused.value) for finding in report.errors)
        assert not list(target.parent.glob(f"{target.name}*"))
        return
    eib.export_image(image, depot, iso=disc, bundle=bundle, report=report)
    assert eib.verify_bundle(bundle, kind="vlcm" if image.base_image else "esxcli").is_passed
    assert eib.verify_iso(disc).is_passed
    brought = image.vibs_by_id.keys() & set(component.vib_ids)
    assert brought
    with eib.open_depot(bundle) as again:
        for vib_id in brought:
            original = read_vib(depot, vib_id)
            assert read_vib(again, vib_id) == original
            require_same_on_disc(disc, image, vib_id, original)
