"""A host with a real component on it is planned for, left alone once it is there, and given back as an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from realdata.test_every_bundle import BASES, components_of, readable
from support.small_hosts import host_of

import esximage_builder as eib
from esximage_builder.hosts import apply_plan

if TYPE_CHECKING:
    from pathlib import Path

BASE = next(path for path in BASES if "7.0U3g" in path.name)


def test_a_plan_brings_each_real_component_to_a_host_and_the_host_gives_its_image_back(realdata: Path) -> None:
    tried = 0
    for bundle in readable(realdata):
        with eib.open_depot(BASE, bundle) as depot, eib.open_depot(bundle) as alone:
            base = depot.catalog.base_images[0]
            for component in components_of(alone.catalog):
                catalog = depot.catalog
                if component not in alone.catalog.components:
                    catalog = catalog.with_component(component)
                wished = {component.name: component.version}
                image = eib.compose(catalog, base_image=base.version, components=wished)
                if eib.validate(image, catalog).is_valid:
                    tried += 1
                    require_planned(eib.compose(catalog, base_image=base.version), image, catalog)
    assert tried > 10


def require_planned(before: eib.Image, image: eib.Image, catalog: eib.Catalog) -> None:
    host = host_of(before)
    plan = eib.plan_remediation(image, [host], catalog=catalog).hosts[0]
    planned = {(item.name, item.after) for item in plan.vibs if item.action is eib.PlanAction.INSTALL}
    brought = [image.vibs_by_id[vib_id] for vib_id in image.vibs_by_id.keys() - before.vibs_by_id.keys()]
    assert planned == {(vib.name, str(vib.version)) for vib in brought}
    there = apply_plan(plan, host)
    again = eib.plan_remediation(image, [there], catalog=catalog).hosts[0]
    assert again.status is eib.ComplianceStatus.COMPLIANT
    assert not again.has_actions
    given_back = eib.image_of_host(host_of(image), catalog).image
    assert given_back is not None
    assert given_back.digest == image.digest
