"""Splitting a custom image into a base image and an add-on, as vLCM does when it imports one.

Rules (docs/howto-split.md):

* The base image is the loaded release unit of the image's ESXi version, whole: all its components and
  VIBs have to be loaded, also those that the image overrides, removes or carries in reserve.
* An add-on that makes the image together with the base image alone is taken as it is.
* Otherwise one is made: it brings every component that the base image does not have in that version,
  whoever brought it to the image, and takes off what the image lacks of the base image.
* A made add-on has a version of its own, with a checksum of its contents, so that two add-ons never
  share name and version. It declares what the image's add-on declares, else the base image's train.
* An add-on brings something: one that would only take components off is refused, since a depot without
  a component is none that vLCM takes.
* Base image and add-on together compose to the image, or nothing is returned.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ModelError, NotInDepotError
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.catalog import HasCatalog, catalog_of
from esximage_builder.models.near_names import listed
from esximage_builder.models.spec import AddOnReference, SoftwareSpec
from esximage_builder.rules.compose import compose
from esximage_builder.rules.decompose import decompose
from esximage_builder.rules.release_fit import train_text, vendor_train_text
from esximage_builder.shown import Shown
from esximage_builder.versions import AddOnVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.image import Image

__all__ = ["ImageSplit", "split_image"]

_UNKNOWN_VENDOR = "Custom"
_NOT_OEM = ("vmware", "broadcom")
_CHECKSUM_DIGITS = 8
_OPEN_BASE = "open the depot of VMware's base image beside it, with --depot on the command line"


@final
@attrs.frozen(kw_only=True, repr=False)
class ImageSplit(Shown):
    """A custom image in two parts.

    Attributes:
        base: The base image alone, composed.
        image: Base image and add-on together, composed: what the custom image installs.
        add_on: What the vendor made of the base image.
        is_made: Whether the add-on was made here; otherwise it is the image's own.
    """

    base: Image
    image: Image
    add_on: AddOn
    is_made: bool

    @property
    def add_on_components(self) -> tuple[Component, ...]:
        """The add-on's components, sorted by name."""
        own = {str(reference) for reference in self.add_on.components}
        return tuple(entry.component for entry in self.image.components if entry.component.id in own)


def split_image(
    image: Image, catalog: Catalog | HasCatalog, *, name: str = "", version: str = "", vendor: str = ""
) -> ImageSplit:
    """Split a custom image into base image and add-on.

    Args:
        image: Recognised from a bundle or disc, or composed.
        catalog: Holds all components and VIBs of its base image and of itself.
        name: Of the add-on; empty keeps that of the image's add-on, else makes one of the vendor.
        version: Of the add-on; empty keeps that of an add-on that stays as it is, else makes one.
        vendor: Of the add-on; empty keeps that of the image's add-on, else the image's.

    Raises:
        NotInDepotError: The base image, or some components or VIBs of it or of the image, are not loaded.
        ModelError: The image brings nothing beside its base image, holds VIBs beside all components, or has none; or
            another add-on of that name and version is loaded.
    """
    loaded = catalog_of(catalog)
    whole, base = _composed(image, loaded), _base_alone(image, loaded)
    _require_whole(whole, what=f"the image {image.name}", hint="open the depots that hold them beside it")
    add_on = _own_add_on(whole, loaded)
    is_made = add_on is None
    if add_on is not None and not add_on.components:
        raise _brings_nothing(image, base, add_on.removed_components)
    if add_on is None:
        add_on = _made_add_on(whole, base, image, vendor)
    renamed = _renamed(add_on, name=name, version=version, vendor=vendor)
    _require_unused(renamed, loaded)
    together = _together(renamed, whole.base_image, loaded)
    _require_same(together, whole)
    return ImageSplit(base=base, image=together, add_on=renamed, is_made=is_made)


def _composed(image: Image, catalog: Catalog) -> Image:
    """Return the image with the sources of its components, composed anew where a profile was opened."""
    if image.spec is not None:
        return image
    parts = decompose(image, catalog)
    if parts.spec is None:
        raise _without_base(image)
    if parts.unassigned_vibs:
        raise ModelError(
            f"the image {image.name} holds VIBs that stand in no component",
            found=listed(parts.unassigned_vibs),
            expected="components alone, as base images and add-ons have them",
            hint="make components of them first: esximage component create",
        )
    composed = compose(catalog, parts.spec, name=image.name)
    _require_same(composed, image)
    return composed


def _without_base(image: Image) -> NotInDepotError | ModelError:
    if not image.components:
        return ModelError(
            f"the image {image.name} has no components",
            found="a profile that lists VIBs alone",
            expected="an image of ESXi 7.0 or later",
            hint="base images and add-ons came with 7.0; esximage build --profile changes an older image",
        )
    return NotInDepotError(
        f"the base image of {image.name} is not loaded",
        found=f"no base image {image.esxi_version}",
        expected="the base image that the vendor started from",
        hint=_OPEN_BASE,
    )


def _base_alone(image: Image, catalog: Catalog) -> Image:
    """Return the base image alone; all of it has to be loaded."""
    version = image.esxi_version
    base = compose(catalog, base_image="" if version is None else version.text)
    _require_whole(base, what=f"the base image {version}", hint=_OPEN_BASE)
    return base


def _require_whole(image: Image, *, what: str, hint: str) -> None:
    missing = [str(entry.component) for entry in image.missing_components]
    missing += [entry.vib_id for entry in image.missing_vibs]
    if missing:
        raise NotInDepotError(
            f"{what} is not loaded as a whole",
            found=f"without {listed(missing)}",
            expected="all its components and VIBs, also those that lose against others",
            hint=hint,
        )


def _own_add_on(whole: Image, catalog: Catalog) -> AddOn | None:
    """Return the image's add-on if it makes the image together with the base image alone."""
    if whole.add_on is None:
        return None
    same = _together(whole.add_on, whole.base_image, catalog)
    return whole.add_on if same.digest == whole.digest else None


def _together(add_on: AddOn, base_image: BaseImage | None, catalog: Catalog) -> Image:
    spec = SoftwareSpec(
        base_image="" if base_image is None else base_image.version.text,
        add_on=AddOnReference(add_on.name, add_on.version),
    )
    return compose(attrs.evolve(catalog, add_ons=[add_on]), spec)


def _made_add_on(whole: Image, base: Image, image: Image, vendor: str) -> AddOn:
    """Return an add-on of all that the image has beside its base image, and lacks of it."""
    stock = {entry.component.id for entry in base.components}
    added = [entry.component for entry in whole.components if entry.component.id not in stock]
    held = {entry.component.name for entry in whole.components}
    removed = sorted({entry.component.name for entry in base.components} - held)
    if not added:
        raise _brings_nothing(image, base, removed)
    own = whole.add_on
    publisher = vendor or ("" if own is None else own.vendor) or _vendor_of(image, added)
    ids = {part.id for part in added}
    levels = [entry.vib.acceptance_level for entry in whole.vibs if entry.component in ids]
    moments = [part.bulletin.released_at for part in added if part.bulletin.released_at is not None]
    version = _version(whole, added, removed)
    name = own.name if own is not None else _name_of(publisher)
    return AddOn(
        name=name,
        version=version,
        display_name=name if own is None else own.display_name,
        display_version=version.text,
        vendor=publisher,
        summary=f"What {image.name} has beside its base image",
        category="enhancement",
        released_at=max(moments, default=None if own is None else own.released_at),
        acceptance_level=min(levels, default=None),
        supported_base_images=_supported(whole) if own is None else own.supported_base_images,
        components=[part.reference for part in added],
        removed_components=removed,
    )


def _brings_nothing(image: Image, base: Image, removed: Sequence[str]) -> ModelError:
    less = f" takes {listed(removed)} off its base image and" if removed else ""
    return ModelError(
        f"the image {image.name}{less} brings nothing beside it" if less else f"{image.name} is its base image alone",
        found=f"nothing beside {base.name}",
        expected="components that a vendor added or exchanged",
        hint="name what it takes off in a spec: removed_components"
        if removed
        else "it is a base image's depot already",
    )


def _supported(whole: Image) -> tuple[str, ...]:
    return () if whole.esxi_version is None else (train_text(whole.esxi_version.train),)


def _version(whole: Image, added: Iterable[Component], removed: Iterable[str]) -> AddOnVersion:
    """Return ``703.20328353.1f0c9a4e``, or with the image's add-on ``703.20328353.A09.1f0c9a4e``."""
    lines = [*(f"+{part.id}" for part in added), *(f"-{name}" for name in removed)]
    checksum = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_CHECKSUM_DIGITS]
    if whole.add_on is not None:
        return AddOnVersion(f"{whole.add_on.version}.{checksum}")
    base = whole.esxi_version
    return AddOnVersion(checksum if base is None else f"{vendor_train_text(base.train)}.{base.build}.{checksum}")


def _vendor_of(image: Image, added: Iterable[Component]) -> str:
    """Return who made the image: its profile's creator, else whoever made most of what was added."""
    makers = Counter(part.vendor for part in added).most_common()
    creators = [image.profile.creator] if image.profile is not None else []
    for name in (*creators, *(maker for maker, _ in makers)):
        if name and not name.lower().startswith(_NOT_OEM):
            return name
    return _UNKNOWN_VENDOR


def _name_of(vendor: str) -> str:
    return f"{re.sub('[^0-9A-Za-z]+', '-', vendor).strip('-') or _UNKNOWN_VENDOR}-AddOn"


def _renamed(add_on: AddOn, *, name: str, version: str, vendor: str) -> AddOn:
    changed = add_on
    if name:
        changed = attrs.evolve(changed, name=name, display_name=name)
    if version:
        changed = attrs.evolve(changed, version=AddOnVersion(version), display_version=version)
    return attrs.evolve(changed, vendor=vendor) if vendor else changed


def _require_unused(add_on: AddOn, catalog: Catalog) -> None:
    """Refuse name and version of a loaded add-on with other contents."""
    for other in catalog.add_ons:
        same = (other.components, other.removed_components) == (add_on.components, add_on.removed_components)
        if other.id == add_on.id and not same:
            raise ModelError(
                f"another add-on {add_on.id} is loaded",
                found=add_on.id,
                expected="a name and version of its own",
                hint="give it another version, or leave the version out",
            )


def _require_same(made: Image, wanted: Image) -> None:
    """Make sure that two images install the same VIBs of the same components."""
    differing = {entry.component.id for entry in made.components} ^ {entry.component.id for entry in wanted.components}
    differing |= {vib.id for vib in made.host_vibs} ^ {vib.id for vib in wanted.host_vibs}
    if differing:
        raise ModelError(
            f"base image and add-on do not make the image {wanted.name} again",
            found=f"differing: {listed(sorted(differing))}",
            expected="the same components and VIBs",
            hint="decompose says what the image is made of; open the depots that it was made from beside it",
        )
