"""Compatibility in layers: each gives a verdict of its own and says why.

An add-on or component is judged against a base image. "No downgrade" is no layer of these: composing
an image may lower a component on purpose, and only hosts refuse it.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import Layer, layer_of
from esximage_builder.errors import ComposeError
from esximage_builder.findings import Severity
from esximage_builder.models.fields import as_tuple
from esximage_builder.rules.compose import compose
from esximage_builder.rules.release_fit import declared_trains, is_declared, is_in_train, train_text
from esximage_builder.rules.validate import validate
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.findings import Finding
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component

__all__ = ["Compatibility", "LayerVerdict", "Verdict", "judge_add_on", "judge_component", "verdict_of"]


class Verdict(enum.StrEnum):
    """What a layer says, best first."""

    FITS = "fits"
    UNKNOWN = "unknown"
    WARNING = "warning"
    FAILS = "fails"

    @property
    def rank(self) -> int:
        """0 for ``FITS`` up to 3 for ``FAILS``."""
        return tuple(Verdict).index(self)


_RELEASE_LAYERS = frozenset({Layer.DECLARED, Layer.TRAIN})


@final
@attrs.frozen(kw_only=True, repr=False)
class LayerVerdict(Shown):
    """What one layer says.

    Attributes:
        layer: Which.
        verdict: What it says.
        reason: Why, in one line.
        findings: What it found.
    """

    layer: Layer
    verdict: Verdict
    reason: str
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True, repr=False)
class Compatibility(Shown):
    """All layers' verdicts on one pair.

    Attributes:
        subject: Id of what is judged.
        target: Id of what it is judged against.
        layers: In the order of ``Layer``.
    """

    subject: str
    target: str
    layers: tuple[LayerVerdict, ...] = attrs.field(converter=as_tuple)

    @property
    def verdict(self) -> Verdict:
        """The worst of all layers; of declared and train, one that cannot tell leaves it to the other."""
        said = [(layer.layer in _RELEASE_LAYERS, layer.verdict) for layer in self.layers]
        is_told = any(is_release and verdict is not Verdict.UNKNOWN for is_release, verdict in said)
        counting = (v for is_release, v in said if not (is_release and is_told and v is Verdict.UNKNOWN))
        return max(counting, key=lambda verdict: verdict.rank, default=Verdict.FITS)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all layers, in their order."""
        return tuple(finding for layer in self.layers for finding in layer.findings)

    def layer(self, layer: Layer) -> LayerVerdict | None:
        """Return what one layer says; None if it was not asked."""
        return next((verdict for verdict in self.layers if verdict.layer is layer), None)


_GOOD_NEWS = {
    Layer.CONTENTS: "everything it lists is loaded",
    Layer.PLATFORM: "published for this release",
    Layer.RELATIONS: "all dependencies are met, nothing conflicts",
    Layer.CORE: "no core component is touched",
    Layer.OVERRIDES: "nothing of the base image is lowered",
}


def judge_add_on(add_on: AddOn, base_image: BaseImage, catalog: Catalog) -> Compatibility:
    """Judge an add-on against a base image, both of the catalog.

    Raises:
        ModelError: ``catalog`` is no catalog.
    """
    findings = _findings_with(catalog, base_image, add_on=(add_on.name, add_on.version.text))
    new = _less(findings, _findings_with(catalog, base_image))
    layers = [_declared(add_on, base_image, findings), _train(add_on, base_image, findings)]
    return Compatibility(subject=add_on.id, target=base_image.id, layers=[*layers, *_common_layers(new)])


def judge_component(component: Component, base_image: BaseImage, catalog: Catalog) -> Compatibility:
    """Judge a component against a base image, both of the catalog.

    Raises:
        ModelError: ``catalog`` is no catalog.
    """
    findings = _findings_with(catalog, base_image, components={component.name: component.version.text})
    new = _less(findings, _findings_with(catalog, base_image))
    return Compatibility(subject=component.id, target=base_image.id, layers=_common_layers(new))


def _findings_with(
    catalog: Catalog,
    base_image: BaseImage,
    *,
    add_on: tuple[str, str] | None = None,
    components: dict[str, str | None] | dict[str, str] | None = None,
) -> tuple[Finding, ...]:
    """Return what validation says of the base image with one thing put on it."""
    try:
        image = compose(catalog, base_image=base_image.version.text, add_on=add_on, components=dict(components or {}))
    except ComposeError as error:
        return error.findings
    return validate(image, catalog).findings


def _less(findings: Iterable[Finding], known: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that the bare base image does not have: those are not the subject's fault."""
    before = set(known)
    return tuple(finding for finding in findings if finding not in before)


def _of_layer(findings: Iterable[Finding], layer: Layer) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if layer_of(finding.code) is layer)


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Return what findings come to for the layer that has them."""
    severities = {finding.severity for finding in findings}
    if Severity.ERROR in severities:
        return Verdict.FAILS
    return Verdict.WARNING if Severity.WARNING in severities else Verdict.FITS


def _common_layers(findings: tuple[Finding, ...]) -> list[LayerVerdict]:
    layers = []
    for layer, good_news in _GOOD_NEWS.items():
        own = _of_layer(findings, layer)
        bad = [finding.message for finding in own if finding.severity is not Severity.INFO]
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        reason = bad[0] + more if bad else good_news
        layers.append(LayerVerdict(layer=layer, verdict=verdict_of(own), reason=reason, findings=own))
    return layers


def _declared(add_on: AddOn, base_image: BaseImage, findings: tuple[Finding, ...]) -> LayerVerdict:
    answer = is_declared(add_on, base_image.version)
    declared = ", ".join(add_on.supported_base_images)
    if answer is None:
        return LayerVerdict(layer=Layer.DECLARED, verdict=Verdict.UNKNOWN, reason="the add-on declares no base images")
    if answer:
        return LayerVerdict(layer=Layer.DECLARED, verdict=Verdict.FITS, reason=f"declared: {declared}")
    return LayerVerdict(
        layer=Layer.DECLARED,
        verdict=Verdict.FAILS,
        reason=f"declared are only {declared}",
        findings=_of_layer(findings, Layer.DECLARED),
    )


def _train(add_on: AddOn, base_image: BaseImage, findings: tuple[Finding, ...]) -> LayerVerdict:
    """Judge the train; what the add-on declares decides over it, so that it fails only where nothing is declared."""
    target = train_text(base_image.version.train)
    own = _of_layer(findings, Layer.TRAIN)
    answer = is_in_train(add_on, base_image.version)
    if answer is None:
        trains = ", ".join(train_text(train) for train in declared_trains(add_on))
        said = f"the add-on says {trains} without an update release"
        reason = said if trains else "the add-on's version names no release"
        return LayerVerdict(layer=Layer.TRAIN, verdict=Verdict.UNKNOWN, reason=reason, findings=own)
    if answer:
        reason = own[0].message if own else f"both are of the {target} train"
        return LayerVerdict(layer=Layer.TRAIN, verdict=verdict_of(own), reason=reason, findings=own)
    trains = ", ".join(train_text(train) for train in declared_trains(add_on))
    reason = f"the add-on is of the {trains} train, the base image of {target}"
    is_declared_here = is_declared(add_on, base_image.version)
    if is_declared_here:
        return LayerVerdict(
            layer=Layer.TRAIN, verdict=Verdict.FITS, reason=f"{reason}; it declares this one all the same"
        )
    if is_declared_here is None:
        own = _of_layer(findings, Layer.DECLARED)
    return LayerVerdict(layer=Layer.TRAIN, verdict=Verdict.FAILS, reason=reason, findings=own)
