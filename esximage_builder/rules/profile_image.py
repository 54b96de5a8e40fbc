"""Opening an image straight from an image profile, which lists VIBs and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.models.catalog import catalog_of
from esximage_builder.models.image import EffectiveComponent, Image, InstalledVib, MissingVib, Rule
from esximage_builder.rules.vib_selection import VibChoice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esximage_builder.models.catalog import Catalog, HasCatalog
    from esximage_builder.models.image_profile import ImageProfile

__all__ = ["image_from_profile"]


def image_from_profile(
    catalog: Catalog | HasCatalog, profile: str | ImageProfile, *, prefer: Sequence[str] = ()
) -> Image:
    """Open an image straight from an image profile; 6.x depots have nothing else.

    The profile's VIBs are taken as they are: two versions of one name, or a VIB beside the
    one that replaces it, are for validation to find. Its components are known where it
    lists them (7.0 and later), who brought them is not.

    Args:
        catalog: What is loaded: an opened depot, or its catalog.
        profile: Name of a loaded profile, or a profile.
        prefer: As with ``compose``.

    Raises:
        NotInDepotError: No profile of that name is loaded.
    """
    catalog = catalog_of(catalog)
    found = catalog.profile(profile) if isinstance(profile, str) else profile
    vibs = VibChoice(catalog, tuple(prefer))
    components = [
        components[0]
        for bulletin_id in found.bulletin_ids
        if (components := catalog.components_by_bulletin_id.get(bulletin_id))
    ]
    component_of = {vib_id: component.id for component in components for vib_id in component.vib_ids}
    installed, missing = [], []
    for vib_id in sorted(set(found.vib_ids)):
        vib = vibs.choose(vib_id)
        if vib is None:
            missing.append(MissingVib(vib_id=vib_id, component=component_of.get(vib_id, "")))
        else:
            installed.append(InstalledVib(vib=vib, component=component_of.get(vib_id, "")))
    return Image(
        name=found.name,
        vendor=found.creator,
        profile=found,
        components=[
            EffectiveComponent(component=component, source=None, rule=Rule.PROFILE)
            for component in sorted(components, key=lambda component: component.id)
        ],
        vibs=installed,
        missing_vibs=missing,
        unchosen_vibs=tuple(sorted(vibs.unchosen)),
    )
