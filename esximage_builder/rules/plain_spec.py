"""Specs from plain texts, for those who write no JSON.

An add-on is asked for as a pair, as ``NAME:VERSION``, or, where something is loaded to choose
from, by its name alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from esximage_builder.errors import ModelError
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.spec import AddOnReference, SoftwareSpec
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion

__all__ = ["AddOnWish", "ComponentWishes", "make_spec", "open_add_on"]

AddOnWish = str | tuple[str, str | AddOnVersion] | AddOnReference
ComponentWishes = Mapping[str, str | ComponentVersion | None] | Iterable[str]


def make_spec(
    *,
    base_image: str | BaseImageVersion,
    add_on: AddOnWish | None = None,
    components: ComponentWishes = (),
    removed_components: Iterable[str] = (),
) -> SoftwareSpec:
    """Return a spec from plain texts.

    Args:
        base_image: Its version, as a text or as a value.
        add_on: Name and version, as a pair or as ``NAME:VERSION``.
        components: Name to version, as a text or as a value, None for the highest that fits; or names alone.
        removed_components: Names.

    Raises:
        VersionSyntaxError: A text is no version.
        ModelError: The add-on has no name or no version.
    """
    wanted = dict(components) if isinstance(components, Mapping) else dict.fromkeys(as_tuple(components))
    return SoftwareSpec(
        base_image=str(base_image),
        add_on=None if add_on is None else _add_on_reference(add_on),
        components=tuple((name, _component_version(wish)) for name, wish in wanted.items()),
        removed_components=as_tuple(removed_components),
    )


def _component_version(wish: str | ComponentVersion | None) -> ComponentVersion | None:
    if isinstance(wish, ComponentVersion):
        return wish
    return ComponentVersion(wish) if wish else None


def _add_on_reference(add_on: AddOnWish) -> AddOnReference:
    if isinstance(add_on, AddOnReference):
        return add_on
    name, version = _name_and_version(add_on)
    if not name or not version:
        raise ModelError(
            f"the add-on has no {'version' if name else 'name'}",
            found=repr(add_on)[:80],
            expected="NAME:VERSION",
            hint="compose takes a name alone too, and the version that goes with the base image",
        )
    return AddOnReference(name, AddOnVersion(version))


def _name_and_version(add_on: object) -> tuple[str, str]:
    if isinstance(add_on, str):
        name, _, version = add_on.partition(":")
        return name.strip(), version.strip()
    match add_on:
        case (str(name), str() | AddOnVersion() as stated):
            return name, str(stated)
    raise ModelError("this names no add-on", found=repr(add_on)[:80], expected="NAME:VERSION or (name, version)")


def open_add_on(add_on: AddOnWish | None) -> str:
    """Return the name of an add-on that is asked for without version; empty if it has one, or none is asked for.

    Raises:
        ModelError: The wish names no add-on.
    """
    if not isinstance(add_on, str) or not add_on:
        return ""
    name, version = _name_and_version(add_on)
    return "" if version else name
