"""Validating: everything that is wrong with an image, at once.

Nothing is raised; every finding has a code, a severity, the items it names, a cause in the
user's words and a remedy. Exports refuse an image with errors that are not waived by code.

All codes are listed in docs/findings.md.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, ClassVar, final

import attrs

from esximage_builder.codes import CODES, as_error, has_code, make_finding
from esximage_builder.errors import ModelError
from esximage_builder.findings import Severity
from esximage_builder.models.catalog import catalog_of
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.vib_facts import KnowsVibFacts
from esximage_builder.rules.change_profile import check_lowered_vibs
from esximage_builder.rules.core_set import check_core_set
from esximage_builder.rules.loaders import check_loaders
from esximage_builder.rules.loose_vibs import check_loose_vibs
from esximage_builder.rules.lowered import check_lowered, check_pinned
from esximage_builder.rules.release_fit import (
    check_add_on,
    check_hardware_support,
    check_platform,
    check_removals,
    platforms_of,
)
from esximage_builder.rules.spec_checks import check_spec
from esximage_builder.rules.vendor_mix import check_vendor_mix
from esximage_builder.rules.vib_facts import check_vib_facts, true_level
from esximage_builder.rules.vib_relations import (
    check_conflicts,
    check_dependencies,
    check_duplicates,
    check_files,
)
from esximage_builder.rules.wishes import check_left_open, near_component
from esximage_builder.shown import ShownAsPage
from esximage_builder.vocabulary import MODULE_TYPES, ComponentSource, PayloadType
from esximage_builder.waivers import require_waivable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog, HasCatalog
    from esximage_builder.models.image import Image, RemovedComponent
    from esximage_builder.models.vib_facts import VibFacts
    from esximage_builder.vocabulary import AcceptanceLevel

__all__ = ["ValidationReport", "findings_of", "validate"]

_GUNZIP_RULE_MAJOR = 8
_OPEN_ITS_DEPOT = "the depot is incomplete: download it again, or open the one that holds the VIB"
_BIOS_LOADER = PayloadType.BOOT_ISO_BIOS
_EFI_LOADER = PayloadType.ELTORITO_IMAGE_EFI


@final
@attrs.frozen(kw_only=True, repr=False)
class ValidationReport(ShownAsPage):
    """What validation found.

    Attributes:
        image_digest: Digest of the image that was looked at.
        findings: Errors first, then by code and items.
    """

    _line: ClassVar = ("is_valid", "findings", "image_digest")

    image_digest: str
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Those that keep an export from running unless they are waived."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def is_valid(self) -> bool:
        """True without errors; warnings may be there."""
        return not self.errors

    def errors_except(self, allow: Iterable[str]) -> tuple[Finding, ...]:
        """Return the errors whose code is not in ``allow``.

        Raises:
            ModelError: ``allow`` has what is no code, or one that cannot be waived.
        """
        waived = require_waivable(allow, known=(finding.code for finding in self.errors if finding.code not in CODES))
        return tuple(finding for finding in self.errors if finding.code not in waived)

    def with_findings(self, findings: Iterable[Finding]) -> ValidationReport:
        """Return the report with those findings too that it has none like: of the same code about the same items."""
        known = {(finding.severity, finding.code, finding.items) for finding in self.findings}
        more = {f for f in findings if (f.severity, f.code, f.items) not in known}
        ordered = sorted({*self.findings, *more}, key=lambda finding: finding.sort_key)
        return ValidationReport(image_digest=self.image_digest, findings=ordered)


def validate(
    image: Image,
    catalog: Catalog | HasCatalog | None = None,
    *,
    minimum_acceptance: AcceptanceLevel | None = None,
    vib_facts: Iterable[VibFacts] | None = None,
    signatures: Iterable[VibFacts] | None = None,
    anchors: bytes | None = None,
) -> ValidationReport:
    """Look at an image from every side.

    Args:
        image: Composed or opened.
        catalog: What is loaded, an opened depot or its catalog, for remedies and for findings of
            the depots that concern the image; None goes without.
        minimum_acceptance: VIBs below it are errors ``acceptance-too-low``; None admits all.
        vib_facts: What the VIBs themselves say, from ``Depot.facts_of``, to be held against the metadata;
            None asks ``catalog``, if that is an opened depot. Exports ask in any case.
        signatures: What signatures are worth, also from ``Depot.facts_of``, for those who ask that apart; they
            count in place of what ``vib_facts`` or the depot says of the same VIBs, and nothing else of them does.
        anchors: Certificates to trust, in PEM, with which an opened depot in the place of ``catalog`` is asked
            whose signatures are; facts that are given were asked with their own.

    Returns:
        All findings; nothing about the image is ever an exception.

    Raises:
        ModelError: ``catalog`` is no catalog and has none, or there are ``anchors`` and nobody to ask with them.
        MissingExtraError: ``anchors`` need the extra ``signatures``, which is not installed.
    """
    loaded = None if catalog is None else catalog_of(catalog)
    known = _told_facts(image, catalog, vib_facts, anchors)
    facts = {item.vib_id: item for item in known}
    findings = findings_of(image, loaded)
    findings.update(check_vib_facts(image.all_vibs, facts.values(), signatures=signatures))
    findings.update(_check_acceptance(image, minimum_acceptance, facts))
    ordered = sorted(findings, key=lambda finding: finding.sort_key)
    return ValidationReport(image_digest=image.digest, findings=ordered)


def _told_facts(
    image: Image, source: object, given: Iterable[VibFacts] | None, anchors: bytes | None
) -> tuple[VibFacts, ...]:
    """Return the facts that were given, else those that an opened depot tells."""
    is_asked = given is None and isinstance(source, KnowsVibFacts)
    if anchors is not None and not is_asked:
        raise ModelError(
            "nobody can be asked whose signatures are",
            found="facts that were asked for before" if given is not None else "a catalog without bytes",
            expected="an opened depot beside anchors",
            hint="pass the depot itself, or vib_facts=depot.facts_of(image.all_vibs, anchors=...)",
        )
    if given is None and isinstance(source, KnowsVibFacts):
        return source.facts_of(image.all_vibs) if anchors is None else source.facts_of(image.all_vibs, anchors=anchors)
    return tuple(given or ())


def findings_of(image: Image, catalog: Catalog | None) -> set[Finding]:
    """Return what all checks find, in no order; they need no digest and no level, so a search can afford them."""
    return set(itertools.chain.from_iterable(check(image, catalog) for check in _CHECKS))


def _check_missing(image: Image, catalog: Catalog | None) -> Iterator[Finding]:
    on_no_disc = _not_on_discs(catalog)
    for entry in image.missing_components:
        yield make_finding(
            "component-missing",
            f"no loaded depot has the component {entry.component}",
            items=(str(entry.component),),
            facts={"component": str(entry.component), "source": entry.source.value},
            cause=f"the {entry.source.display} lists it",
            remedy="open the depot that holds it beside the others",
        )
    for vib_id, group in itertools.groupby(image.missing_vibs, key=lambda entry: entry.vib_id):
        components = tuple(sorted({entry.component for entry in group if entry.component}))
        lister = f"it belongs to {', '.join(components)}" if components else "the image profile lists it"
        yield make_finding(
            "vib-missing",
            f"no loaded depot has the VIB {vib_id}",
            items=(vib_id, *components),
            facts={"vib": vib_id},
            cause=f"{lister}; {on_no_disc[vib_id].cause}" if vib_id in on_no_disc else lister,
            remedy=on_no_disc[vib_id].remedy if vib_id in on_no_disc else _OPEN_ITS_DEPOT,
        )
    for vib_id in image.unchosen_vibs:
        yield make_finding(
            "vib-content-differs",
            f"the image needs {vib_id}, which the loaded depots have with different contents",
            severity=Severity.ERROR,
            items=(vib_id,),
            facts={"kind": "vib", "id": vib_id, "differs": "content"},
            cause="one id, different bytes, and no source was chosen",
            remedy="name the source to prefer, or open only one of them",
        )


def _check_depot_findings(image: Image, catalog: Catalog | None) -> Iterator[Finding]:
    """Pass on what reading noticed about things that are in the image."""
    if catalog is None or not catalog.findings:
        return
    used = set(_parts(image))
    for finding in catalog.findings:
        is_used = (finding.fact("kind"), finding.fact("id")) in used
        if finding.fact("differs") and is_used and not has_code(finding, "vib-content-differs"):
            yield as_error(finding)
        elif is_used and has_code(finding, "element-taken-from-vib"):
            yield finding


def _not_on_discs(catalog: Catalog | None) -> dict[str, Finding]:
    """Return by VIB id what reading a disc noticed that it cannot carry."""
    findings = () if catalog is None else catalog.findings
    return {
        vib_id: finding for finding in findings if has_code(finding, "disc-carries-less") for vib_id in finding.items
    }


def _parts(image: Image) -> Iterator[tuple[str, str]]:
    """Yield kind and id of what is in the image, as findings of the depots have them in their facts."""
    yield from (("component", entry.component.id) for entry in image.components)
    yield from (("vib", vib_id) for vib_id in image.vibs_by_id)
    if image.base_image is not None:
        yield "base-image", image.base_image.id
    if image.add_on is not None:
        yield "add-on", image.add_on.id
    if image.profile is not None:
        yield "profile", image.profile.name


def _check_base(image: Image, _: Catalog | None) -> Iterator[Finding]:
    base = image.base_vib
    if base is None:
        yield make_finding(
            "no-bootable-base",
            "no VIB of the image carries a kernel",
            items=(image.name,),
            facts={"image": image.name},
            cause="none of its host VIBs has a payload of type boot",
            remedy="start from a base image, or from a profile that has esx-base",
        )
        return
    types = {payload.type for vib in image.host_vibs for payload in vib.payloads}
    for loader, firmware in ((_BIOS_LOADER, "BIOS"), (_EFI_LOADER, "UEFI")):
        if loader not in types:
            yield make_finding(
                "boot-loader-missing",
                f"the image has no {firmware} boot loader: its ISO will not boot with {firmware}",
                items=(base.id, str(loader)),
                facts={"firmware": firmware, "payload_type": loader.value},
                cause=f"no VIB has a payload of type {loader}",
                remedy="nothing to do if no host boots that way",
            )


def _check_gunzip_checksums(image: Image, _: Catalog | None) -> Iterator[Finding]:
    version = image.esxi_version
    if version is None or version.major < _GUNZIP_RULE_MAJOR:
        return
    for vib in (entry.vib for entry in image.vibs):
        lacking = [
            payload.name
            for payload in vib.payloads
            if payload.type in MODULE_TYPES and payload.checksum("sha-256", "gunzip") is None
        ]
        if lacking:
            yield make_finding(
                "missing-gunzip-checksum",
                f"{vib.id} lacks the sha-256 checksum that ESXi {version.major} demands",
                items=(vib.id, *lacking),
                facts={"vib": vib.id},
                cause="ESXi 8.0 and later refuse payloads without a sha-256 checksum of their unpacked bytes",
                remedy="get a build of the VIB made for ESXi 8.0, or have it built anew",
            )


def _check_platform(image: Image, _: Catalog | None) -> Iterator[Finding]:
    version = image.esxi_version
    if version is None:
        return
    components = [entry.component for entry in image.components]
    known = (
        () if image.base_image is None else platforms_of(image.base_image, [*components, *image.reserved_components])
    )
    for component in components:
        yield from check_platform(component, version, known)


def _check_add_on_fits(image: Image, catalog: Catalog | None) -> Iterator[Finding]:
    if image.add_on is not None and image.base_image is not None:
        others = () if catalog is None else catalog.add_ons
        yield from check_add_on(image.add_on, image.base_image, others=others)


def _check_packages_fit(image: Image, _: Catalog | None) -> Iterator[Finding]:
    if image.base_image is not None:
        for package in image.hardware_support:
            yield from check_hardware_support(package, image.base_image)


def _check_spec(image: Image, _: Catalog | None) -> Iterator[Finding]:
    yield from check_spec(image)


def _is_asked_for(entry: RemovedComponent) -> bool:
    return any(lost.source is ComponentSource.USER for lost in entry.removed)


def _check_removals(image: Image, _: Catalog | None) -> Iterator[Finding]:
    if image.spec is not None and image.esxi_version is not None:
        yield from check_removals(image.spec.removed_components, image.esxi_version)
    for entry in image.removed:
        if not entry.removed:
            who = "the spec" if entry.source is ComponentSource.USER_REMOVED else f"the {entry.source.display}"
            yield make_finding(
                "removed-component-absent",
                f"{who} removes {entry.name}, which the image does not have",
                items=(entry.name,),
                facts={"component": entry.name},
                remedy=near_component(image, entry.name) or "check the spelling of the name, or drop the removal",
            )
        elif entry.source is ComponentSource.USER_REMOVED and _is_asked_for(entry):
            yield make_finding(
                "component-asked-and-removed",
                f"the spec asks for {entry.name} and removes it",
                items=(entry.name,),
                facts={"component": entry.name},
                cause="removals come last, so the component is not in the image",
                remedy="drop the name from one of the two lists",
            )


_CHECKS: tuple[Callable[[Image, Catalog | None], Iterator[Finding]], ...] = (
    _check_missing,
    _check_depot_findings,
    _check_base,
    check_dependencies,
    check_conflicts,
    check_duplicates,
    check_files,
    _check_gunzip_checksums,
    _check_platform,
    _check_add_on_fits,
    _check_packages_fit,
    _check_spec,
    check_core_set,
    check_loaders,
    check_lowered,
    check_lowered_vibs,
    check_pinned,
    check_left_open,
    _check_removals,
    check_loose_vibs,
    check_vendor_mix,
)


def _check_acceptance(
    image: Image, minimum: AcceptanceLevel | None, facts: Mapping[str, VibFacts]
) -> Iterator[Finding]:
    if minimum is None:
        return
    for vib in (entry.vib for entry in image.vibs):
        level = true_level(vib, facts.get(vib.id))
        if level < minimum:
            yield make_finding(
                "acceptance-too-low",
                f"{vib.id} is {level.display}, below {minimum.display}",
                items=(vib.id,),
                facts={"vib": vib.id, "level": level.value, "minimum": minimum.value},
                cause="the image's level is the lowest of its VIBs",
                remedy="leave the VIB out, take a signed build, or accept the lower level",
            )
