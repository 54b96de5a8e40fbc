"""What to move to next, from the loaded depots alone.

Two answers: the latest of the current series (same major.minor) and the latest of all.
Each is a whole spec that composes and validates without errors that are not waived; every candidate
that was passed over says why. An image that uses an add-on is only moved to bases that have one.
Nothing ever goes down that hosts refuse to lower: base image, add-on, components (``downgrades``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ComposeError, EsxImageError
from esximage_builder.findings import Finding, Severity
from esximage_builder.models.catalog import catalog_of
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.spec import AddOnReference
from esximage_builder.rules.classify import Change, classify_images, classify_releases
from esximage_builder.rules.compose import compose
from esximage_builder.rules.diff import cautions_of
from esximage_builder.rules.downgrades import is_lower_add_on
from esximage_builder.rules.refusals import Refusals
from esximage_builder.rules.release_fit import is_in_train, is_made_for, vendor_train_text
from esximage_builder.rules.releases import release_name, resolve_base_image
from esximage_builder.rules.security import SecurityChange, security_between
from esximage_builder.rules.validate import validate
from esximage_builder.shown import Shown, ShownAsPage
from esximage_builder.waivers import require_waivable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog, HasCatalog
    from esximage_builder.models.image import Image
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.rules.upgrade_paths import PathCaution

__all__ = ["PassedOver", "Recommendation", "Suggestion", "recommend"]


@final
@attrs.frozen(kw_only=True, repr=False)
class Suggestion(Shown):
    """An image to move to.

    Attributes:
        spec: The whole spec; composes and validates without errors.
        change: What kind of move it is.
        lowered_components: Names of components that bring a VIB lower than now, though they are not
            lower themselves; hosts go by the components.
        warnings: What validation says of the image besides errors.
        waived: Errors of the image that were waived.
        cautions: What is publicly known to be in the way of hosts.
        security: Which security bulletins it brings, and which it loses.
    """

    spec: SoftwareSpec
    change: Change
    lowered_components: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    warnings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)
    waived: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)
    cautions: tuple[PathCaution, ...] = attrs.field(default=(), converter=as_tuple)
    security: SecurityChange = attrs.field(factory=SecurityChange)


@final
@attrs.frozen(kw_only=True, repr=False)
class PassedOver(Shown):
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
@attrs.frozen(kw_only=True, repr=False)
class Recommendation(ShownAsPage):
    """What to move to.

    Attributes:
        current_series: Latest of the current major.minor; None if nothing newer fits.
        latest: Latest of all; None if nothing newer fits.
        passed_over: Candidates that are not suggested, highest first, with the reason.
    """

    current_series: Suggestion | None = None
    latest: Suggestion | None = None
    passed_over: tuple[PassedOver, ...] = attrs.field(default=(), converter=as_tuple)


def recommend(catalog: Catalog | HasCatalog, spec: SoftwareSpec, *, allow: Iterable[str] = ()) -> Recommendation:
    """Recommend what to move to from a spec.

    Components that the spec names stay as they are; their versions may turn out too low for a
    new base image, which then is a reason against it only if validation calls it an error.

    Args:
        catalog: What is loaded, an opened depot or its catalog; must hold what the spec asks for.
        spec: The current image.
        allow: Codes of errors that do not matter, as exports take them; suggestions name those they have.

    Raises:
        NotInDepotError: The current base image or add-on is not loaded.
        ComposeError: The current spec contradicts itself.
        ModelError: ``allow`` has what is no code, or one that cannot be waived.
    """
    return _Search(catalog_of(catalog), spec, require_waivable(allow)).recommendation()


class _Search:
    """One recommendation under way."""

    def __init__(self, catalog: Catalog, spec: SoftwareSpec, allow: frozenset[str]) -> None:
        self.catalog = catalog
        self.spec = spec
        self.allow = allow
        self.base_image = resolve_base_image(catalog, spec.base_image)
        self.current = compose(catalog, spec)
        self.refusals = Refusals(catalog, spec, self.current)
        name = self.current.add_on.name if self.current.add_on is not None else None
        self.add_ons = sorted((unit for unit in catalog.add_ons if unit.name == name), key=lambda unit: unit.version)

    def recommendation(self) -> Recommendation:
        series = self.base_image.version.fields[:2]
        in_series: Suggestion | None = None
        latest: Suggestion | None = None
        passed_over: list[PassedOver] = []
        for candidate in self._base_images():
            is_in_series = candidate.version.fields[:2] == series
            at_once, in_the_way = list(self._base_reasons(candidate)), self._path_reasons(candidate)
            for add_on in self._add_ons_for(candidate):
                suggestion = None
                reasons = [*at_once, *self._add_on_reasons(candidate, add_on)]
                if not reasons and (in_series if is_in_series else latest) is not None:
                    reasons = ["a newer candidate is suggested"]
                reasons = reasons or in_the_way
                if not reasons:
                    suggestion, reasons = self._judge(candidate, add_on)
                if suggestion is None:
                    passed_over.append(_passed_over(candidate, add_on, reasons))
                    continue
                in_series = suggestion if is_in_series else in_series
                latest = latest or suggestion
        return Recommendation(current_series=in_series, latest=latest, passed_over=passed_over)

    def _base_images(self) -> Iterator[BaseImage]:
        """Yield base images that are not older, highest first."""
        for base_image in sorted(self.catalog.base_images, key=lambda unit: unit.version, reverse=True):
            if base_image.version < self.base_image.version:
                return
            yield base_image

    def _base_reasons(self, base_image: BaseImage) -> Iterator[str]:
        name, own_name = release_name(base_image), release_name(self.base_image)
        if name is not None and name.is_security_only and not (own_name is not None and own_name.is_security_only):
            yield "it is a security-only release; the full one of the same patch has more fixes"

    def _path_reasons(self, base_image: BaseImage) -> list[str]:
        """Return what is in the way from release to release, whatever stands on the base image."""
        findings = classify_releases(self.base_image, base_image).findings
        return [f"{finding.message}: {finding.cause}" for finding in findings]

    def _add_ons_for(self, base_image: BaseImage) -> Iterator[AddOn | None]:
        """Yield what makes a candidate with the base image: the add-ons for it, highest first, else none."""
        is_newer = base_image.version > self.base_image.version
        fitting = [unit for unit in reversed(self.add_ons) if is_made_for(unit, base_image) is not False]
        if is_newer and not fitting:
            yield None
        current = self.current.add_on
        yield from (unit for unit in fitting if is_newer or (current is not None and unit.version > current.version))

    def _add_on_reasons(self, base_image: BaseImage, add_on: AddOn | None) -> Iterator[str]:
        current = self.current.add_on
        if current is None:
            return
        if add_on is None:
            yield from self._why_no_add_on(base_image, current.name)
        elif is_lower_add_on((current.name, current.version), (add_on.name, add_on.version)):
            yield f"the add-on would go down from {current.version}, which hosts refuse"

    def _why_no_add_on(self, base_image: BaseImage, name: str) -> Iterator[str]:
        """Say of each add-on of the train what it declares instead; else that there is none."""
        near = [unit for unit in self.add_ons if unit.supported_base_images and _is_near(unit, base_image)]
        for unit in near:
            yield f"{unit.id} is not for this base image: it declares only {', '.join(unit.supported_base_images)}"
        if not near:
            yield f"no loaded version of the add-on {name} is for {vendor_train_text(base_image.version.train)}"

    def _judge(self, base_image: BaseImage, add_on: AddOn | None) -> tuple[Suggestion | None, list[str]]:
        """Return a suggestion, or why there is none."""
        reasons = self.refusals.reasons(base_image, add_on)
        if reasons:
            return None, reasons
        reference = None if add_on is None else AddOnReference(add_on.name, add_on.version)
        wanted = attrs.evolve(self.spec, base_image=base_image.version.text, add_on=reference)
        try:
            image = compose(self.catalog, wanted)
        except EsxImageError as error:
            findings = error.findings if isinstance(error, ComposeError) else ()
            self.refusals.learn(base_image, add_on, None, findings)
            return None, [error.message]
        return self._judge_image(image, wanted)

    def _judge_image(self, image: Image, wanted: SoftwareSpec) -> tuple[Suggestion | None, list[str]]:
        report, change = validate(image, self.catalog), classify_images(self.current, image)
        errors = report.errors_except(self.allow)
        if image.base_image is not None:
            self.refusals.learn(image.base_image, image.add_on, image, errors)
        reasons = [finding.message for finding in errors]
        reasons += [f"{finding.message}: {finding.cause}" for finding in change.findings]
        reasons += [
            f"{item.name} would go down from {item.before} to {item.after}, which hosts refuse"
            for item in change.lowered
            if item.kind.is_refused_by_hosts
        ]
        if reasons:
            return None, reasons
        suggestion = Suggestion(
            spec=wanted,
            change=change,
            lowered_components=sorted({item.component for item in change.lowered if item.component}),
            warnings=[finding for finding in report.findings if finding.severity is Severity.WARNING],
            waived=[finding for finding in report.errors if finding not in errors],
            cautions=cautions_of(self.current, image),
            security=security_between(self.current, image, self.catalog),
        )
        return suggestion, []


def _is_near(add_on: AddOn, base_image: BaseImage) -> bool:
    """Tell whether an add-on that does not declare the base image is of its train all the same, or of none."""
    train = vendor_train_text(base_image.version.train)
    return is_in_train(add_on, base_image.version) is not False or train in re.split(r"[^0-9]", add_on.version.text)


def _passed_over(base_image: BaseImage, add_on: AddOn | None, reasons: list[str]) -> PassedOver:
    return PassedOver(base_image=base_image.version.text, add_on="" if add_on is None else add_on.id, reasons=reasons)
