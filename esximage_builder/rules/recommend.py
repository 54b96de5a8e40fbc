"""What to move to next, from the loaded depots alone.

Two answers: the latest of the current series (same major.minor) and the latest of all.
Each is a whole spec that composes and validates without errors; every candidate that was
passed over says why. An image that uses an add-on is only moved to bases that have one.
Neither base image nor add-on ever goes down: hosts would refuse that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import EsxImageError
from esximage_builder.findings import Finding, Severity
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.spec import AddOnReference
from esximage_builder.rules.classify import Change
from esximage_builder.rules.compose import compose
from esximage_builder.rules.diff import ChangeDirection, diff
from esximage_builder.rules.release_fit import check_add_on, vendor_train_text
from esximage_builder.rules.releases import release_name, resolve_base_image
from esximage_builder.rules.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import Image
    from esximage_builder.models.spec import SoftwareSpec

__all__ = ["PassedOver", "Recommendation", "Suggestion", "recommend"]


@final
@attrs.frozen(kw_only=True)
class Suggestion:
    """An image to move to.

    Attributes:
        spec: The whole spec; composes and validates without errors.
        change: What kind of move it is.
        lowered_components: Names of components that are lower than now. A host that was given
            such a component by hand refuses the image.
        warnings: What validation says of the image besides errors.
    """

    spec: SoftwareSpec
    change: Change
    lowered_components: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    warnings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True)
class PassedOver:
    """A candidate that was not suggested.

    Attributes:
        base_image: Version of its base image.
        add_on: Id of its add-on; empty without one.
        reasons: Why not; at least one.
    """

    base_image: str
    add_on: str
    reasons: tuple[str, ...] = attrs.field(converter=as_tuple)


@final
@attrs.frozen(kw_only=True)
class Recommendation:
    """What to move to.

    Attributes:
        current_series: Latest of the current major.minor; None if nothing newer fits.
        latest: Latest of all; None if nothing newer fits.
        passed_over: Candidates that are not suggested, highest first, with the reason.
    """

    current_series: Suggestion | None = None
    latest: Suggestion | None = None
    passed_over: tuple[PassedOver, ...] = attrs.field(default=(), converter=as_tuple)


def recommend(catalog: Catalog, spec: SoftwareSpec) -> Recommendation:
    """Recommend what to move to from a spec.

    Components that the spec names stay as they are; their versions may turn out too low for a
    new base image, which then is a reason against it only if validation calls it an error.

    Args:
        catalog: What is loaded; must hold what the spec asks for.
        spec: The current image.

    Raises:
        NotInDepotError: The current base image or add-on is not loaded.
        ComposeError: The current spec contradicts itself.
    """
    current = compose(catalog, spec)
    base_image = resolve_base_image(catalog, spec.base_image)
    series = base_image.version.fields[:2]
    in_series: Suggestion | None = None
    latest: Suggestion | None = None
    passed_over: list[PassedOver] = []
    for candidate, add_on in _candidates(catalog, base_image, current.add_on):
        is_in_series = candidate.version.fields[:2] == series
        suggestion, reasons = None, _reasons_at_once(current, candidate, add_on)
        if not reasons and (in_series if is_in_series else latest) is not None:
            reasons = ["a newer candidate is suggested"]
        if not reasons:
            suggestion, reasons = _judge(catalog, spec, current, candidate, add_on)
        if suggestion is None:
            passed_over.append(_passed_over(candidate, add_on, reasons))
            continue
        in_series = suggestion if is_in_series else in_series
        latest = latest or suggestion
    return Recommendation(current_series=in_series, latest=latest, passed_over=passed_over)


def _passed_over(base_image: BaseImage, add_on: AddOn | None, reasons: list[str]) -> PassedOver:
    return PassedOver(base_image=base_image.version.text, add_on="" if add_on is None else add_on.id, reasons=reasons)


def _candidates(catalog: Catalog, current: BaseImage, add_on: AddOn | None) -> Iterator[tuple[BaseImage, AddOn | None]]:
    """Yield newer pairs of base image and add-on, highest first; an add-on only under its own name."""
    for base_image in sorted(catalog.base_images, key=lambda unit: unit.version, reverse=True):
        if base_image.version < current.version:
            return
        is_newer = base_image.version > current.version
        fitting = [] if add_on is None else _fitting_add_ons(catalog, add_on.name, base_image)
        if is_newer and not fitting:
            yield base_image, None
        for unit in fitting:
            if is_newer or (add_on is not None and unit.version > add_on.version):
                yield base_image, unit


def _fitting_add_ons(catalog: Catalog, name: str, base_image: BaseImage) -> list[AddOn]:
    """Return the loaded add-ons of that name that may go on the base image, highest first."""
    return sorted(
        (
            unit
            for unit in catalog.add_ons
            if unit.name == name
            and all(finding.severity is not Severity.ERROR for finding in check_add_on(unit, base_image))
        ),
        key=lambda unit: unit.version,
        reverse=True,
    )


def _reasons_at_once(current: Image, base_image: BaseImage, add_on: AddOn | None) -> list[str]:
    """Return what rules a candidate out before anything is composed."""
    name = release_name(base_image)
    own_name = None if current.base_image is None else release_name(current.base_image)
    reasons = []
    if name is not None and name.is_security_only and not (own_name is not None and own_name.is_security_only):
        reasons.append("it is a security-only release; the full one of the same patch has more fixes")
    if current.add_on is not None and add_on is None:
        train = vendor_train_text(base_image.version.train)
        reasons.append(f"no loaded version of the add-on {current.add_on.name} is for {train}")
    if current.add_on is not None and add_on is not None and add_on.version < current.add_on.version:
        reasons.append(f"the add-on would go down from {current.add_on.version}, which hosts refuse")
    return reasons


def _judge(
    catalog: Catalog, spec: SoftwareSpec, current: Image, base_image: BaseImage, add_on: AddOn | None
) -> tuple[Suggestion | None, list[str]]:
    """Return a suggestion, or why there is none."""
    reference = None if add_on is None else AddOnReference(add_on.name, add_on.version)
    wanted = attrs.evolve(spec, base_image=base_image.version.text, add_on=reference)
    try:
        image = compose(catalog, wanted)
    except EsxImageError as error:
        return None, [error.message]
    report, difference = validate(image, catalog), diff(current, image)
    reasons = [finding.message for finding in report.errors]
    reasons += [f"{finding.message}: {finding.cause}" for finding in difference.change.findings]
    if reasons:
        return None, reasons
    lowered = [item.name for item in difference.components if item.direction is ChangeDirection.LOWERED]
    warnings = [finding for finding in report.findings if finding.severity is Severity.WARNING]
    suggestion = Suggestion(spec=wanted, change=difference.change, lowered_components=lowered, warnings=warnings)
    return suggestion, []
