"""Specs in which nothing is left open, as others can take them.

vLCM knows no release names, and what it makes of an open version depends on its own depots. So a
spec that is handed on says versions: those of the image that was composed from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.models.image import Image
from esximage_builder.models.spec_keys import pointer_of
from esximage_builder.rules.compose import compose
from esximage_builder.rules.releases import is_base_image_version, resolve_base_image
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.spec import AlternativeImage, SoftwareSpec
    from esximage_builder.versions import ComponentVersion

__all__ = ["closed_spec", "with_unit_versions", "with_versions"]


def closed_spec(
    wanted: SoftwareSpec | Image, catalog: Catalog | None = None, *, keep_open: bool = False
) -> SoftwareSpec:
    """Return a spec with a version wherever one can be told, and with no release name.

    Args:
        wanted: A spec, or an image that was composed from one.
        catalog: What is loaded; needed for a spec, or for alternative images, that leave something open.
        keep_open: Leave open versions as they are, and put versions for release names only.

    Raises:
        ModelError: Something stays open that should not, or the image was not composed from a spec.
        NotInDepotError: Something that the spec names is not loaded.
        ComposeError: The spec contradicts itself.
    """
    image = wanted if isinstance(wanted, Image) else None
    spec = wanted.spec if isinstance(wanted, Image) else wanted
    if spec is None:
        raise ModelError(
            "the image was not composed from a spec",
            found="an image opened from a profile",
            expected="a spec, or an image composed from one",
            hint="decompose(image, catalog).spec is its spec, if the loaded base images and add-ons explain it",
        )
    main = _closed(spec, image, catalog, (), keep_open=keep_open)
    alternatives = [_closed_alternative(item, catalog, keep_open=keep_open) for item in spec.alternative_images]
    return attrs.evolve(main, alternative_images=alternatives)


def _closed_alternative(alternative: AlternativeImage, catalog: Catalog | None, *, keep_open: bool) -> AlternativeImage:
    path = ("alternative_images", alternative.id)
    return attrs.evolve(alternative, spec=_closed(alternative.spec, None, catalog, path, keep_open=keep_open))


def _closed(
    spec: SoftwareSpec, image: Image | None, catalog: Catalog | None, path: tuple[str, ...], *, keep_open: bool
) -> SoftwareSpec:
    """Return one image's part of a spec, closed by the image, or by one composed for it where that is needed."""
    left = _open_places(spec, keep_open=keep_open)
    if left and image is None and catalog is None:
        raise _left_open(left, path, hint=_how(path))
    if left and keep_open:
        return _with_base_image(spec, image, catalog)
    if left:
        composed = image if image is not None else compose(catalog, spec) if catalog is not None else None
        spec = spec if composed is None else with_versions(spec, composed)
        left = _open_places(spec, keep_open=False)
        if left:
            raise _left_open(left, path, hint="validate(image) says which versions are loaded; name one in the spec")
    return spec


def _open_places(spec: SoftwareSpec, *, keep_open: bool) -> dict[tuple[str, ...], str]:
    """Return what the spec leaves open, by its place; with ``keep_open`` a release name alone."""
    places: dict[tuple[str, ...], str] = {}
    if not is_base_image_version(spec.base_image):
        places["base_image", "version"] = repr(spec.base_image)
    return places if keep_open else places | dict(_without_version(spec))


def _without_version(spec: SoftwareSpec) -> Iterator[tuple[tuple[str, ...], str]]:
    yield from ((("components", name), "null") for name, version in spec.components if version is None)
    for package in spec.hardware_support:
        if not package.version:
            yield ("hardware_support", "packages", package.manager, "version"), '""'
    for solution in spec.solutions:
        if not solution.version:
            yield ("solutions", solution.name, "version"), '""'


def _left_open(places: Mapping[tuple[str, ...], str], path: tuple[str, ...], *, hint: str) -> ModelError:
    shown = ", ".join(f"{pointer_of((*path, *place))}: {found}" for place, found in places.items())
    return ModelError("the spec leaves versions open", found=shown, expected="versions, as vLCM takes them", hint=hint)


def _how(path: tuple[str, ...]) -> str:
    give = "give the catalog" if path else "give the image composed from it, or the catalog"
    return f"{give}; keep_open=True leaves null and empty versions to vLCM, but no release name"


def _with_base_image(spec: SoftwareSpec, image: Image | None, catalog: Catalog | None) -> SoftwareSpec:
    """Return the spec with a version in place of a release name; a version keeps its spelling."""
    if is_base_image_version(spec.base_image):
        return spec
    if image is not None and image.base_image is not None:
        return _with_base_image_of(image, spec)
    unit = None if catalog is None else resolve_base_image(catalog, spec.base_image)
    return spec if unit is None else attrs.evolve(spec, base_image=unit.version.text)


def _with_base_image_of(image: Image, spec: SoftwareSpec) -> SoftwareSpec:
    if is_base_image_version(spec.base_image) or image.base_image is None:
        return spec
    return attrs.evolve(spec, base_image=image.base_image.version.text)


def with_versions(spec: SoftwareSpec, image: Image) -> SoftwareSpec:
    """Return the spec with versions for all that it left open, as the image took them."""
    chosen = dict(_chosen_components(image))
    return attrs.evolve(
        with_unit_versions(_with_base_image_of(image, spec), image),
        components=[(name, version or chosen.get(name)) for name, version in spec.components],
    )


def _chosen_components(image: Image) -> Iterator[tuple[str, ComponentVersion]]:
    """Yield the versions that the user's components have in the image, or had before they were removed."""
    for gone in image.removed:
        yield from ((gone.name, lost.component.version) for lost in gone.removed if lost.source is ComponentSource.USER)
    for entry in image.components:
        if entry.source is ComponentSource.USER:
            yield entry.component.name, entry.component.version


def with_unit_versions(spec: SoftwareSpec, image: Image) -> SoftwareSpec:
    """Return the spec with the versions of packages and solutions that the image took where they were left open."""
    packages = {unit.name: unit.version.text for unit in image.hardware_support}
    solutions = {unit.name: unit.version.text for unit in image.solutions}
    return attrs.evolve(
        spec,
        hardware_support=[
            attrs.evolve(item, version=item.version or packages.get(item.package, "")) for item in spec.hardware_support
        ],
        solutions=[attrs.evolve(item, version=item.version or solutions.get(item.name, "")) for item in spec.solutions],
    )
