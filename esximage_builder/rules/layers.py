"""Compatibility in layers: each gives a verdict of its own and says why.

An add-on or component is judged against a base image, an image against a host. "No
downgrade" belongs to hosts alone: composing an image may lower a component on purpose.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ComposeError
from esximage_builder.findings import Finding, Severity
from esximage_builder.models.fields import as_tuple
from esximage_builder.rules.compatibility import declared_trains, is_declared, is_in_train, train_text
from esximage_builder.rules.compose import compose
from esximage_builder.rules.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.host import Host
    from esximage_builder.models.image import Image

__all__ = ["Compatibility", "Layer", "LayerVerdict", "Verdict", "judge_add_on", "judge_component", "judge_host"]


class Layer(enum.StrEnum):
    """What is asked, in this order."""

    DECLARED = "declared"
    TRAIN = "train"
    CONTENTS = "contents"
    PLATFORM = "platform"
    RELATIONS = "relations"
    CORE = "core"
    OVERRIDES = "overrides"
    HOST = "host"


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


@final
@attrs.frozen(kw_only=True)
class LayerVerdict:
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
@attrs.frozen(kw_only=True)
class Compatibility:
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
        """The worst of all layers."""
        return max((layer.verdict for layer in self.layers), key=lambda verdict: verdict.rank, default=Verdict.FITS)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all layers, in their order."""
        return tuple(finding for layer in self.layers for finding in layer.findings)

    def layer(self, layer: Layer) -> LayerVerdict | None:
        """Return what one layer says; None if it was not asked."""
        return next((verdict for verdict in self.layers if verdict.layer is layer), None)


_LAYER_OF_CODE = {
    "component-missing": Layer.CONTENTS,
    "vib-missing": Layer.CONTENTS,
    "vib-content-differs": Layer.CONTENTS,
    "component-content-differs": Layer.CONTENTS,
    "platform-mismatch": Layer.PLATFORM,
    "missing-gunzip-checksum": Layer.PLATFORM,
    "missing-dependency": Layer.RELATIONS,
    "conflict": Layer.RELATIONS,
    "duplicate-vib-name": Layer.RELATIONS,
    "replaced-vib-present": Layer.RELATIONS,
    "file-conflict": Layer.RELATIONS,
    "core-component-removed": Layer.CORE,
    "core-component-overridden": Layer.CORE,
    "component-lowered": Layer.OVERRIDES,
    "pinned-vib-reserved": Layer.OVERRIDES,
    "base-newer-than-add-on": Layer.TRAIN,
}

_GOOD_NEWS = {
    Layer.CONTENTS: "everything it lists is loaded",
    Layer.PLATFORM: "published for this release",
    Layer.RELATIONS: "all dependencies are met, nothing conflicts",
    Layer.CORE: "no core component is touched",
    Layer.OVERRIDES: "nothing of the base image is lowered",
}


def judge_add_on(add_on: AddOn, base_image: BaseImage, catalog: Catalog) -> Compatibility:
    """Judge an add-on against a base image, both of the catalog."""
    findings = _findings_with(catalog, base_image, add_on=(add_on.name, add_on.version.text))
    new = _less(findings, _findings_with(catalog, base_image))
    layers = [_declared(add_on, base_image, findings), _train(add_on, base_image, findings)]
    return Compatibility(subject=add_on.id, target=base_image.id, layers=[*layers, *_common_layers(new)])


def judge_component(component: Component, base_image: BaseImage, catalog: Catalog) -> Compatibility:
    """Judge a component against a base image, both of the catalog."""
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
    return tuple(finding for finding in findings if _LAYER_OF_CODE.get(finding.code) is layer)


def _verdict_of(findings: tuple[Finding, ...]) -> Verdict:
    severities = {finding.severity for finding in findings}
    if Severity.ERROR in severities:
        return Verdict.FAILS
    return Verdict.WARNING if Severity.WARNING in severities else Verdict.FITS


def _common_layers(findings: tuple[Finding, ...]) -> list[LayerVerdict]:
    layers = []
    for layer, good_news in _GOOD_NEWS.items():
        own = _of_layer(findings, layer)
        reason = own[0].message + (f" (and {len(own) - 1} more)" if len(own) > 1 else "") if own else good_news
        layers.append(LayerVerdict(layer=layer, verdict=_verdict_of(own), reason=reason, findings=own))
    return layers


def _declared(add_on: AddOn, base_image: BaseImage, findings: tuple[Finding, ...]) -> LayerVerdict:
    answer = is_declared(add_on, base_image.version)
    declared = ", ".join(add_on.supported_base_images)
    if answer is None:
        return LayerVerdict(layer=Layer.DECLARED, verdict=Verdict.UNKNOWN, reason="the add-on declares no base images")
    if answer:
        return LayerVerdict(layer=Layer.DECLARED, verdict=Verdict.FITS, reason=f"declared: {declared}")
    own = tuple(finding for finding in findings if finding.code == "add-on-base-unsupported")
    return LayerVerdict(
        layer=Layer.DECLARED, verdict=Verdict.FAILS, reason=f"declared are only {declared}", findings=own
    )


def _train(add_on: AddOn, base_image: BaseImage, findings: tuple[Finding, ...]) -> LayerVerdict:
    answer = is_in_train(add_on, base_image.version)
    target = train_text(base_image.version.train)
    if answer is None:
        own = tuple(finding for finding in findings if finding.code == "add-on-base-unknown")
        return LayerVerdict(
            layer=Layer.TRAIN, verdict=Verdict.UNKNOWN, reason="the add-on's version names no release", findings=own
        )
    trains = ", ".join(train_text(train) for train in declared_trains(add_on))
    if answer:
        newer = _of_layer(findings, Layer.TRAIN)
        reason = newer[0].message if newer else f"both are of the {target} train"
        return LayerVerdict(layer=Layer.TRAIN, verdict=_verdict_of(newer), reason=reason, findings=newer)
    own = tuple(finding for finding in findings if finding.code == "add-on-base-unsupported")
    is_first = is_declared(add_on, base_image.version) is None
    return LayerVerdict(
        layer=Layer.TRAIN,
        verdict=Verdict.FAILS,
        reason=f"the add-on is of the {trains} train, the base image of {target}",
        findings=own if is_first else (),
    )


def judge_host(image: Image, host: Host) -> Compatibility:
    """Judge an image against a host: nothing on a host may go down.

    Only what image and host have in common is compared: the base image, an add-on of the same
    name, components of the same name.
    """
    findings = [*_lower_base(image, host), *_lower_add_on(image, host), *_lower_components(image, host)]
    reason = findings[0].message if findings else "nothing on the host is newer than the image"
    verdict = LayerVerdict(layer=Layer.HOST, verdict=_verdict_of(tuple(findings)), reason=reason, findings=findings)
    return Compatibility(subject=image.name, target=host.name, layers=[verdict])


def _lower_base(image: Image, host: Host) -> list[Finding]:
    version = image.esxi_version
    if version is None or version >= host.base_image:
        return []
    return [
        Finding(
            code="host-newer-than-image",
            severity=Severity.ERROR,
            message=f"{host.name} runs ESXi {host.base_image}, the image would put {version} on it",
            items=(host.name, f"ESXi:{version}"),
            cause="a host's base image is never lowered",
            remedy=f"raise the image to {host.base_image} or later",
        )
    ]


def _lower_add_on(image: Image, host: Host) -> list[Finding]:
    if image.add_on is None or host.add_on is None or image.add_on.name != host.add_on.name:
        return []
    if image.add_on.version >= host.add_on.version:
        return []
    return [
        Finding(
            code="host-add-on-newer",
            severity=Severity.ERROR,
            message=f"{host.name} has {host.add_on}, the image would put {image.add_on.version} on it",
            items=(host.name, image.add_on.id),
            cause="an add-on on a host is never lowered",
            remedy=f"raise the image's add-on to {host.add_on.version} or later",
        )
    ]


def _lower_components(image: Image, host: Host) -> list[Finding]:
    wanted = {entry.component.name: entry.component for entry in image.components}
    findings = []
    for installed in host.components:
        target = wanted.get(installed.name)
        if target is None or target.version >= installed.version:
            continue
        how = {True: "was added by hand", False: "came with an image", None: "is on the host"}[installed.is_manual]
        findings.append(
            Finding(
                code="host-component-newer",
                severity=Severity.ERROR,
                message=f"{host.name} has {installed.name} {installed.version}, "
                f"the image would lower it to {target.version}",
                items=(host.name, target.id),
                cause=f"the component {how}; downgrades of components on a host are not supported",
                remedy=f"take a newer add-on, add {installed.name} {installed.version} to the image, "
                "or remove it from the host",
            )
        )
    return findings
