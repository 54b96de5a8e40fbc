"""Which security bulletins an image has, and which it lacks, component by component.

Rules (docs/concepts.md#security):

* A bulletin is of security if its category says so; severity and urgency are the publisher's words.
* Components replace each other: a version holds what the lower versions of its name fixed (inferred;
  patches are said to be cumulative).
* A bulletin without component name is held by an image that installs a VIB of each name that the bulletin
  updates, in that version or a higher one; names that the image does not install do not count.
* Only what is loaded is known: no bulletin is made up from a version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.rules.release_fit import check_platform, platforms_of
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Bulletin, Component
    from esximage_builder.models.image import Image
    from esximage_builder.versions import VibVersion

__all__ = ["SecurityBulletin", "SecurityChange", "SecurityStanding", "security_between", "security_of"]


@final
@attrs.frozen(kw_only=True, repr=False)
class SecurityBulletin(Shown):
    """A bulletin of category security.

    Attributes:
        id: Its id.
        component: Name of the component that it is; empty for one without.
        version: Version of that component; empty for one without.
        severity: The publisher's word.
        urgency: The publisher's word.
        category: As it is spelled.
        summary: One line.
        kb_urls: Where to read on.
    """

    id: str
    component: str = ""
    version: str = ""
    severity: str = ""
    urgency: str = ""
    category: str = ""
    summary: str = ""
    kb_urls: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True, repr=False)
class SecurityChange(Shown):
    """What a change of images means for security.

    Attributes:
        brought: The image after has these, the one before lacks them; sorted by component, version and id.
        lost: The image before has these, the one after lacks them; likewise.
    """

    brought: tuple[SecurityBulletin, ...] = attrs.field(default=(), converter=as_tuple)
    lost: tuple[SecurityBulletin, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True, repr=False)
class SecurityStanding(Shown):
    """How an image stands.

    Attributes:
        has: The security bulletins that it is made of; sorted by component, version and id.
        lacks: Loaded ones for its release that it does not hold; likewise.
    """

    has: tuple[SecurityBulletin, ...] = attrs.field(default=(), converter=as_tuple)
    lacks: tuple[SecurityBulletin, ...] = attrs.field(default=(), converter=as_tuple)


def security_between(before: Image, after: Image, catalog: Catalog | None = None) -> SecurityChange:
    """Return the security bulletins that one image has and another lacks.

    Args:
        before: The one.
        after: The other.
        catalog: What is loaded, for bulletins between the two versions and for those without component name;
            None goes by the images alone.
    """
    return SecurityChange(brought=_more(before, after, catalog), lost=_more(after, before, catalog))


def security_of(image: Image, catalog: Catalog | None = None) -> SecurityStanding:
    """Return the security bulletins that an image is made of, and loaded ones that it lacks.

    Args:
        image: The image.
        catalog: What is loaded; None knows of nothing that the image lacks.
    """
    own = [entry.component for entry in image.components if entry.component.bulletin.is_security]
    if catalog is None:
        return SecurityStanding(has=_told(own))
    bulletins = _bulletins_for(image, catalog)
    held = [bulletin for bulletin in bulletins if _holds(image, bulletin, catalog)]
    open_ones = [bulletin for bulletin in bulletins if bulletin not in held]
    return SecurityStanding(has=_told(own, held), lacks=_told(_newer_components(image, catalog), open_ones))


def _told(components: Iterable[Component], bulletins: Iterable[Bulletin] = ()) -> tuple[SecurityBulletin, ...]:
    """Return them as values, sorted, each once."""
    ordered = sorted(components, key=lambda component: (component.name, component.version, component.bulletin.id))
    values = [_as_value(bulletin) for bulletin in sorted(bulletins, key=lambda bulletin: bulletin.id)]
    values += [
        attrs.evolve(_as_value(component.bulletin), component=component.name, version=component.version.text)
        for component in ordered
    ]
    return tuple(dict.fromkeys(values))


def _as_value(bulletin: Bulletin) -> SecurityBulletin:
    return SecurityBulletin(
        id=bulletin.id,
        severity=bulletin.severity,
        urgency=bulletin.urgency,
        category=bulletin.category,
        summary=bulletin.summary,
        kb_urls=bulletin.kb_urls,
    )


def _more(less: Image, more: Image, loaded: Catalog | None) -> tuple[SecurityBulletin, ...]:
    """Return what ``more`` has and ``less`` lacks."""
    bulletins = () if loaded is None else _bulletins_for(more, loaded)
    return _told(
        _components_between(less, more, loaded),
        (
            bulletin
            for bulletin in bulletins
            if loaded is not None and _holds(more, bulletin, loaded) and not _holds(less, bulletin, loaded)
        ),
    )


def _components_between(less: Image, more: Image, loaded: Catalog | None) -> Iterator[Component]:
    """Yield the security components above what ``less`` has, up to what ``more`` has; of a new name its own."""
    versions = {entry.component.name: entry.component.version for entry in less.components}
    for target in (entry.component for entry in more.components):
        known = () if loaded is None else loaded.components_by_name.get(target.name, ())
        start = versions.get(target.name)
        for component in (target, *known):
            is_own = component.id == target.id
            is_above = start is None or start < component.version
            is_held = is_own or (start is not None and component.version < target.version)
            if component.bulletin.is_security and is_above and is_held:
                yield component


def _newer_components(image: Image, loaded: Catalog) -> Iterator[Component]:
    """Yield loaded security components above what the image has, published for its release."""
    version = image.esxi_version
    own = [entry.component for entry in image.components]
    known = () if image.base_image is None else platforms_of(image.base_image, [*own, *image.reserved_components])
    for component in own:
        for other in loaded.components_by_name.get(component.name, ()):
            is_newer = other.bulletin.is_security and component.version < other.version
            if is_newer and (version is None or not check_platform(other, version, known)):
                yield other


def _bulletins_for(image: Image, loaded: Catalog) -> list[Bulletin]:
    """Return the loaded security bulletins without component name that update something of the image."""
    names = {entry.vib.name for entry in image.vibs}
    return [
        bulletin
        for bulletin in loaded.bulletins
        if bulletin.is_security and any(name in names for name, _ in _updates(bulletin, loaded))
    ]


def _holds(image: Image, bulletin: Bulletin, loaded: Catalog) -> bool:
    """Tell whether an image installs what a bulletin updates, in its versions or higher ones."""
    installed: dict[str, VibVersion] = {}
    for entry in image.vibs:
        installed[entry.vib.name] = max(entry.vib.version, installed.get(entry.vib.name, entry.vib.version))
    concerned = [(name, version) for name, version in _updates(bulletin, loaded) if name in installed]
    return bool(concerned) and all(installed[name] >= version for name, version in concerned)


def _updates(bulletin: Bulletin, loaded: Catalog) -> Iterator[tuple[str, VibVersion]]:
    """Yield name and version of the loaded VIBs of a bulletin."""
    for vib_id in bulletin.vib_ids:
        yield from ((vib.name, vib.version) for vib in loaded.vibs_by_id.get(vib_id, ()))
