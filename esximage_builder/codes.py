"""Every code that a finding of this library can have: one table, and the one door to make such findings.

A finding of ours is made by ``make_finding``, which takes the severity from the table and refuses a code
or a fact that the table lacks. Users may construct a ``Finding`` themselves, with any code.

docs/findings.md is written from this table by docs/make_findings.py.
"""

from __future__ import annotations

import difflib
import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CODES", "SECTIONS", "Code", "Layer", "as_error", "code_of", "has_code", "layer_of", "make_finding"]


class Layer(enum.StrEnum):
    """What compatibility asks, in this order; a code belongs to the layer that it speaks for."""

    DECLARED = "declared"
    TRAIN = "train"
    CONTENTS = "contents"
    PLATFORM = "platform"
    RELATIONS = "relations"
    CORE = "core"
    OVERRIDES = "overrides"
    HOST = "host"


@final
@attrs.frozen(kw_only=True)
class Code:
    """What a code stands for.

    Attributes:
        name: Stable kebab-case slug; never reused for another meaning.
        severities: Those that its findings can have.
        when: Which severity when, for the documentation; empty where there is nothing to say.
        layer: The layer of compatibility that it speaks for; None if it comes up elsewhere only.
        never: Why an error of this code cannot be waived; empty if it can.
        only_bundles: Whether what boots is refused even where it is waived.
        facts: Names of the facts that its findings can carry.
        meaning: What is the matter, as sentences.
        cause: What it most often comes from, as sentences.
        remedy: What to do, as sentences.
    """

    name: str
    severities: tuple[Severity, ...]
    when: str = ""
    layer: Layer | None = None
    never: str = ""
    only_bundles: bool = False
    facts: tuple[str, ...] = ()
    meaning: str
    cause: str
    remedy: str

    @property
    def is_waivable(self) -> bool:
        """True if an export runs in spite of it once the caller allows it."""
        return not self.why_not_waivable

    @property
    def why_not_waivable(self) -> str:
        """Why it cannot be waived, as a clause; empty if it can."""
        if Severity.ERROR not in self.severities:
            return "it is never an error, and only errors keep an export from running"
        return self.never


def code_of(name: str) -> Code:
    """Return what a code stands for.

    Raises:
        ModelError: The table does not have it; ``hint`` names the nearest one.
    """
    known = CODES.get(name)
    if known is None:
        near = difflib.get_close_matches(name, CODES, n=1)
        hint = f"did you mean {near[0]}?" if near else "docs/findings.md lists all codes"
        raise ModelError("no finding has this code", found=repr(name)[:80], expected="a code of a finding", hint=hint)
    return known


def layer_of(name: str) -> Layer:
    """Return the layer of compatibility that a code speaks for.

    Raises:
        ModelError: It speaks for none; counting it somewhere would be a guess, and dropping it a lie.
    """
    layer = code_of(name).layer
    if layer is None:
        raise ModelError("this code speaks for no layer of compatibility", found=repr(name))
    return layer


def make_finding(
    code: str,
    message: str,
    *,
    severity: Severity | None = None,
    items: tuple[str, ...] = (),
    facts: Mapping[str, str] | None = None,
    cause: str = "",
    remedy: str = "",
    where: str = "",
) -> Finding:
    """Return a finding of this library.

    Args:
        code: One of the table.
        message: What is the matter, in one line.
        severity: None takes the only one that the code can have.
        items: The things it names.
        facts: What it is about, by name, for programs; those with empty values are left out.
        cause: Why it is so.
        remedy: What to do.
        where: Source and place.

    Raises:
        ModelError: The table does not have the code, not with that severity or not with those facts.
    """
    known = code_of(code)
    given = {name: text for name, text in (facts or {}).items() if text}
    weight = known.severities[0] if severity is None else severity
    if weight not in known.severities or (severity is None and len(known.severities) > 1):
        expected = " or ".join(known.severities)
        raise ModelError(f"a finding {code} needs its severity", found=repr(severity), expected=expected)
    if not given.keys() <= set(known.facts):
        raise ModelError(f"a finding {code} has no such facts", found=", ".join(given), expected=", ".join(known.facts))
    return Finding(
        code=code,
        severity=weight,
        message=message,
        items=items,
        facts=given,
        cause=cause,
        remedy=remedy,
        where=where,
    )


def as_error(known: Finding) -> Finding:
    """Return the finding as an error: what only a catalog could shrug off matters where it is needed.

    Raises:
        ModelError: The table does not have the code, or not as an error.
    """
    if Severity.ERROR not in code_of(known.code).severities:
        raise ModelError(f"a finding {known.code} is never an error", found=known.severity.value)
    return attrs.evolve(known, severity=Severity.ERROR)


def has_code(known: Finding, *codes: str) -> bool:
    """Tell whether a finding has one of these codes.

    Raises:
        ModelError: The table lacks one of the codes asked for.
    """
    return known.code in [code_of(code).name for code in codes]


_ERROR, _WARNING, _INFO = (Severity.ERROR,), (Severity.WARNING,), (Severity.INFO,)
_BOTH = (*_ERROR, *_WARNING)

_CATALOG = "it is about reading a depot, which stops no export by itself"
_VERIFICATION = "it is about a file that is verified, not about an image that is written"
_CHANGE = "it is about a change from one image to another, and an export writes one and knows of no other"
_COMPARISON = "it is about a host, and an export knows of none"
_LOCK = "an image that differs from its lock is another one; `compose_locked` raises a `ComposeError` that carries all"
_CORE = "ESXi does not boot or cannot be updated without it; `compose` raises a `ComposeError` that carries it"


def _code(  # noqa: PLR0917 - a row of the table, in the order of its columns
    name: str,
    severities: tuple[Severity, ...],
    layer: Layer | None,
    meaning: str,
    cause: str,
    remedy: str,
    *,
    when: str = "",
    never: str = "",
    only_bundles: bool = False,
    facts: tuple[str, ...] = (),
) -> Code:
    return Code(
        name=name,
        severities=severities,
        when=when,
        layer=layer,
        never=never,
        only_bundles=only_bundles,
        facts=facts,
        meaning=meaning,
        cause=cause,
        remedy=remedy,
    )


# By the sections of the page: meaning, cause and remedy in this order.
# fmt: off
SECTIONS: dict[str, tuple[Code, ...]] = {
    "What the image lacks": (
        _code("component-missing", _ERROR, Layer.CONTENTS,
              "a base image, add-on or package lists a component that no opened depot has.",
              "a depot was not opened, or is incomplete. An add-on depot alone does not hold the base image's "
              "components.",
              "open the depot that holds the component beside the others.",
              facts=("component", "source")),
        _code("vib-missing", _ERROR, Layer.CONTENTS,
              "a component or profile lists a VIB that no opened depot has.",
              "the depot is incomplete, or holds metadata only.",
              "download the depot again, or open the one that holds the VIB. "
              "Waived, the image is written without the VIB.",
              facts=("vib", "owner")),
        _code("vib-content-differs", _BOTH, Layer.CONTENTS,
              "opened depots hold different bytes under one VIB id.",
              "somebody built the VIB again without raising its version, or a file was changed.",
              "name the source to take it from with `prefer`, or open only one of the depots.",
              when="warning in a catalog; error in an image that needs the VIB, and in a verification",
              facts=("kind", "id", "differs")),
        _code("no-bootable-base", _ERROR, Layer.CONTENTS,
              "no host VIB of the image has a payload of type `boot`, so there is no kernel. An ISO or network boot "
              "tree is refused even where the code is waived: a driver would stand in the kernel's place.",
              "the profile or base image is none of ESXi's.",
              "start from a base image, or from a profile that has `esx-base`.",
              only_bundles=True, facts=("image",)),
        _code("boot-loader-missing", _WARNING, Layer.CONTENTS,
              "the image has no boot loader for BIOS or for UEFI; its ISO has no boot entry of that kind.",
              "no VIB has a payload of the type that the finding names.",
              "none is needed if no host boots that way.",
              facts=("firmware", "payload_type")),
    ),
    "VIBs that do not go together": (
        _code("missing-dependency", _ERROR, Layer.RELATIONS,
              "a VIB depends on something that nothing in the image provides.",
              "most often a driver built for another ESXi release, seen by a name that begins with `vmkapi_`; else a "
              "companion VIB is not in the image. The finding says which.",
              "take a version made for this base image, or add what the finding names as able to provide it.",
              facts=("vib", "requires", "interface", "interface_version")),
        _code("conflict", _ERROR, Layer.RELATIONS,
              "a VIB declares that it cannot be installed together with another one of the image.",
              "the descriptor's `conflicts`.",
              "leave one of the two out.",
              facts=("vib", "other", "declared")),
        _code("duplicate-vib-name", _ERROR, Layer.RELATIONS,
              "the image has two VIBs of one name. Composed images never have; those opened from a profile may.",
              "the profile was put together by hand.",
              "leave the older one out.",
              facts=("name",)),
        _code("replaced-vib-present", _ERROR, Layer.RELATIONS,
              "a VIB stands beside one that states to replace it.",
              "the profile was put together by hand, or two VIBs replace each other.",
              "leave the replaced one out.",
              facts=("vib", "replaced")),
        _code("file-conflict", _ERROR, Layer.RELATIONS,
              "two VIBs install the same path, and they are not one overlay over one other VIB.",
              "two packages for one purpose, or a copy of a VIB under another name.",
              "leave one of them out."),
    ),
    "Rules of ESXi releases": (
        _code("missing-gunzip-checksum", _ERROR, Layer.PLATFORM,
              "the image is ESXi 8.0 or later, and a VIB has no SHA-256 checksum of its unpacked payloads.",
              "the VIB was built with a tool for older releases.",
              "get a build made for ESXi 8.0, or have it built anew. Hosts of 8.0 and later refuse the VIB.",
              facts=("vib",)),
        _code("platform-mismatch", _WARNING, Layer.PLATFORM,
              "a component's bulletin is published for other ESXi releases only.",
              "a driver of an older release, which often works all the same.",
              "take the build for this release if there is one.",
              facts=("component", "made_for")),
        _code("hardware-vendors-mixed", _WARNING, Layer.PLATFORM,
              "VIBs of the image name the machines that they are made for, and no vendor's machine suits all of them.",
              "components for two vendors' servers were put into one image.",
              "make an image for each vendor's machines, with its own add-on.",
              facts=("vendors",)),
        _code("vendors-mixed", _WARNING, Layer.PLATFORM,
              "a component that one server vendor built is in the image beside the add-on of another.",
              "a driver or agent was taken from another vendor's add-on or download page. What a vendor builds is made "
              "for its own add-on and firmware.",
              "take the component from the add-on's vendor, or from whoever makes the device.",
              facts=("component", "vendor", "add_on")),
        _code("acceptance-too-low", _ERROR, Layer.CONTENTS,
              "a VIB is below the level that was asked for with `minimum_acceptance`.",
              "community VIBs, mostly.",
              "leave the VIB out, take a signed build, or ask for a lower level.",
              facts=("vib", "level", "minimum")),
        _code("descriptor-differs", _ERROR, None,
              "the descriptor in a VIB says something else than the depot's metadata. What the metadata lacks "
              "altogether is no difference.",
              "the metadata was edited, or belongs to another build.",
              "get the bundle again from its publisher.",
              never="what was judged is not what a host would read", facts=("vib", "elements")),
        _code("acceptance-level-differs", _ERROR, None,
              "the metadata claims a higher acceptance level for a VIB than the VIB itself.",
              "the level in the metadata was raised.",
              "take a build that is signed at that level, or a depot that states the true one.",
              never="a host goes by the VIB", facts=("vib", "level", "found")),
        _code("signature-missing", _ERROR, None,
              "a VIB claims an acceptance level from partner up and is not signed.",
              "the level was edited, or the signature was lost.",
              "get the VIB again from its publisher; if it is waived, hosts with secure boot will refuse it.",
              facts=("vib", "level")),
        _code("signature-broken", _BOTH, None,
              "a signature of a VIB covers other bytes than its descriptor, or is not of the key in its certificate.",
              "the descriptor or the signature was changed, or the signature is that of another VIB.",
              "get the VIB again from its publisher; if it is waived, hosts with secure boot will refuse it.",
              when="error from partner level up; warning for community level", facts=("vib", "level")),
        _code("signature-unreadable", _BOTH, None,
              "a VIB has a signature that is none, or is of a kind that cannot be checked.",
              "the signature was damaged, or somebody put anything in its place.",
              "get the VIB again from its publisher; if it is waived, hosts with secure boot will refuse it.",
              when="error from partner level up; warning for community level", facts=("vib", "level")),
        _code("signature-untrusted", (*_BOTH, *_INFO), None,
              "certificates to trust were given, and no signature of the VIB leads to one of them. "
              "Without such certificates trust is not asked for.",
              "somebody else signed the VIB, or the certificates given are not those of its publisher.",
              "get the VIB from its publisher, or give the certificate of whoever signed it.",
              when="error from partner level up; warning for community level; info where another is trusted",
              facts=("vib", "level")),
        _code("signatures-not-checked", _INFO, None,
              "VIBs have signatures and nobody looked what they are worth.",
              "the extra `signatures` is not installed.",
              "`pip install esximage-builder[signatures]`."),
        _code("certificate-expired", _INFO, None,
              "the certificate of a signature has expired. Hosts take such VIBs, and no signature is refused for it.",
              "the VIB was signed years ago.",
              "nothing need be done."),
        _code("acceptance-level", (*_WARNING, *_INFO), None,
              "the image is below the highest acceptance level; an explanation has this code, no finding.",
              "a VIB of a lower level is installed.",
              "leave the VIB out, or get a build that a partner has signed.",
              when="warning for community level; info for the levels between"),
    ),
    "Base image, add-on and components": (
        _code("add-on-base-unsupported", _ERROR, Layer.DECLARED,
              "the add-on is for another release train than the base image.",
              "it declares other base images, or its version names another release.",
              "take the add-on made for this release; the finding lists those that are loaded. Change base image and "
              "add-on together, never one alone across a train.",
              facts=("add_on", "base_image")),
        _code("add-on-base-unknown", _WARNING, Layer.TRAIN,
              "nothing says which base images the add-on is for.",
              "it declares none, and its version names no ESXi release.",
              "check its release notes.",
              facts=("add_on", "base_image")),
        _code("base-newer-than-add-on", _WARNING, Layer.TRAIN,
              "the base image is a later patch than the one whose build the add-on's version names.",
              "the vendor's add-on usually comes some weeks after the patch.",
              "see whether there is a newer add-on; inside a release train the pair is supported.",
              facts=("add_on", "base_image", "published")),
        _code("package-base-unsupported", _ERROR, Layer.DECLARED,
              "a hardware support package declares other base images than the one of the image.",
              "the package is for another release.",
              "take a version of the package for this release, or a base image of its own.",
              facts=("package", "base_image")),
        _code("unit-version-taken", _INFO, Layer.CONTENTS,
              "an add-on, hardware support package or solution was asked for without version, and one was taken.",
              "the spec leaves the version empty, or an add-on was named without version. The highest loaded version "
              "that fits is taken.",
              "name the version, so that other depots do not change the image.",
              facts=("source", "name", "version")),
        _code("unit-version-open", _ERROR, Layer.CONTENTS,
              "a hardware support package or solution was asked for without version, and none is loaded.",
              "the spec leaves the version empty.",
              "open the depot that holds one. Waived, the image is written without the package or solution.",
              facts=("source", "name")),
        _code("solution-component-unlisted", _ERROR, Layer.CONTENTS,
              "the spec wants a component of a solution that has no such component.",
              "a spelling mistake, or another version of the solution than the spec was made for.",
              "check the name, or take it out of the solution's components. Waived, the image is written without it.",
              facts=("component", "solution")),
        _code("spec-key-unknown", _WARNING, Layer.CONTENTS,
              "the spec has a key that no release of vLCM is known to have. It is kept, and nothing follows from it.",
              "a spelling mistake, a key of another program, or of a release of vLCM that came later.",
              "write the key as vLCM spells it; the finding names the nearest one.",
              facts=("key", "place", "near")),
        _code("alternative-images-not-composed", _WARNING, Layer.CONTENTS,
              "the spec has alternative images for some hosts, and the image is the main one.",
              "`compose` and the command line compose the main image only.",
              "`compose_all` composes each of them."),
        _code("core-component-overridden", _ERROR, Layer.CORE,
              "a component of another source takes the place of one of ESXi's own, such as `ESXi` or `esx-update`; or "
              "a VIB that comes with another component takes the place of one of theirs, such as `esx-base`, by its "
              "version or by replacing it; or such a component is removed that no loaded depot has.",
              "ESXi's own components are released together; one of another release breaks the set.",
              "move the base image instead.",
              facts=("component", "source")),
        _code("loader-from-elsewhere", _ERROR, Layer.CORE,
              "a VIB that is not of the base image brings a boot loader, a boot menu or an upgrade program.",
              "what a host starts or runs before it checks signatures comes with the base image alone.",
              "leave the VIB out, unless you know its maker and why it brings them.",
              facts=("vib", "component")),
        _code("reserved-vib-name", _ERROR, Layer.CORE,
              "a VIB of another vendor has the name of one of ESXi's core VIBs, such as `esx-base`.",
              "names of the core are its maker's; a VIB of such a name takes the place of the core.",
              "leave the VIB out.",
              facts=("vib", "component")),
        _code("component-lowered", _WARNING, Layer.OVERRIDES,
              "a component in the image is lower than the one it overrides.",
              "a higher source overrides by name, whatever the version.",
              "take a newer version, unless the lower one is wanted.",
              facts=("component", "source", "lowered")),
        _code("vib-lowered", _WARNING, Layer.OVERRIDES,
              "a VIB is lower than the one it took the place of, although no component is: it was added to an image "
              "profile, or its component has the higher version and the lower VIB.",
              "an added VIB takes the place of the one of its name, and a component that of the one of its name, "
              "whatever the versions of the VIBs.",
              "take a newer version, unless the lower one is wanted.",
              facts=("vib", "lowered")),
        _code("pinned-vib-reserved", _WARNING, Layer.OVERRIDES,
              "a VIB of a component that the user chose is not installed.",
              "another component brings a higher version of the VIB, or a VIB that replaces it.",
              "remove the other component, if the chosen version must be installed.",
              facts=("vib", "winner", "reason")),
        _code("removals-need-newer-vcenter", _WARNING, Layer.CONTENTS,
              "the spec removes components from a base image older than 8.0 U3.",
              "vCenter knows the key `removed_components` since 8.0 U3.",
              "import the spec into vCenter 8.0 U3 or later, or leave the removals to the add-on."),
        _code("component-asked-and-removed", _WARNING, Layer.CONTENTS,
              "the spec asks for a component and removes it.",
              "removals come last, so the component is not in the image.",
              "drop the name from one of the two lists.",
              facts=("component",)),
        _code("loaded-version-not-taken", _INFO, Layer.CONTENTS,
              "a component was asked for without a version, and a loaded version of it is not in the image.",
              "a version left open takes the highest loaded one that fits, which may be the base image's own.",
              "ask for the version that is wanted.",
              facts=("component", "taken")),
        _code("no-version-fits", _ERROR, Layer.RELATIONS,
              "wishes exclude each other: of what was asked for without version no loaded version fits the others. "
              "Where of a single wish a single version is loaded, there is nothing to choose, and its own errors say "
              "all.",
              "a version that is named or a release unit needs another version of something than the rest does, or "
              "what is loaded was built for another release. The open names take their highest version, so that the "
              "image has errors of its own besides.",
              "take back one of the wishes that the finding names, name another version in it, or open a depot with "
              "more versions. Whoever wants a version in spite of all names it.",
              facts=("names", "wishes")),
        _code("open-versions-unsettled", _ERROR, Layer.CONTENTS,
              "the search for versions that fit took more steps than its limits allow, and stopped.",
              "many names without version, with many versions that do not go together. The image holds the best that "
              "was found, or the highest of each.",
              "name some of the versions, or give `compose` larger `SearchLimits`."),
        _code("removed-component-absent", _INFO, Layer.CONTENTS,
              "a removal names a component that the image does not have.",
              "a spelling mistake, or the base image no longer brings it.",
              "check the name, or drop the removal.",
              facts=("component",)),
        _code("loose-vib-not-used", _INFO, Layer.CONTENTS,
              "a VIB is loaded that stands in no component and no image profile, and the image does not have it.",
              "it is a loose `.vib` file, or comes with a bulletin of the time before components. Images since 7.0 "
              "are made of components, so nothing brings it unasked.",
              "name it with `--vib`, or [make a component of it](howto-loose-vibs.md); if it is not wanted, there is "
              "nothing to do.",
              facts=("vib", "bulletin")),
        _code("lock-differs", _ERROR, None,
              "the opened depots do not give the image of the lock: something is missing, has another version or "
              "another SHA-256, or is there besides.",
              "another depot than the one that was locked, or a file that was changed.",
              "open the depots that the finding names; to take the other image on purpose, compose it from its spec "
              "and lock it anew.",
              never=_LOCK),
        _code("core-component-removed", _ERROR, Layer.CORE,
              "a removal names a component that ESXi cannot do without.",
              "a mistake in the spec or in the add-on.",
              "take the name out of the removals.",
              never=_CORE, facts=("component",)),
    ),
    "Moving to another release": (
        _code("upgrade-back-in-time", _WARNING, None,
              "the new base image has a higher version and an older release date.",
              "the older train had patches after the new one came out; their fixes may be missing.",
              "move to a later patch of the new train.",
              facts=("before", "after")),
        _code("no-direct-upgrade", _ERROR, None,
              "no host goes from the one release to the other directly.",
              "the new release takes hosts of some releases before it only; the finding names the public page that "
              "says so, or that it is inferred from.",
              "upgrade to a release in between first, as the finding says.",
              never=_CHANGE, facts=("before", "after", "evidence", "source")),
        _code("add-on-dropped", _WARNING, None,
              "the base image moves to another train, and the new image has no add-on any more.",
              "forgotten, mostly. The vendor's drivers and agents go with it.",
              "take the add-on's version for the new release.",
              facts=("add_on",)),
        _code("add-on-not-moved", _WARNING, None,
              "the base image moves to another train, and the add-on stays at its version.",
              "an add-on that does not say otherwise is made for one release train.",
              "take the add-on's version for the new release.",
              facts=("add_on", "base_image")),
    ),
    "Hosts": (
        _code("host-newer-than-image", _ERROR, Layer.HOST,
              "the host runs a later base image than the image would put on it.",
              "the host was updated otherwise, or the image was restored from an older backup.",
              "raise the image; a host is never lowered.",
              never=_COMPARISON, facts=("host", "has", "wanted")),
        _code("host-add-on-newer", _ERROR, Layer.HOST,
              "the host has a later version of the add-on.",
              "the host was updated otherwise, or the image was restored from an older backup.",
              "raise the image's add-on.",
              never=_COMPARISON, facts=("host", "add_on", "has", "wanted")),
        _code("host-component-newer", _ERROR, Layer.HOST,
              "the host has a later version of a component.",
              "most often a driver that was installed by hand; the finding says so if it is known.",
              "take a newer add-on, add the host's version to the image, or remove the component from the host. Do "
              "not remove the driver of a network card or disk controller that the host needs.",
              never=_COMPARISON, facts=("host", "component", "has", "wanted")),
        _code("host-solution-newer", _ERROR, Layer.HOST,
              "the host has a later version of a solution or hardware support package.",
              "the host was updated otherwise, or the image was restored from an older backup.",
              "raise it in the image's spec.",
              never=_COMPARISON, facts=("host", "solution", "has", "wanted")),
        _code("host-vib-newer", _ERROR, Layer.HOST,
              "the host has a later version of a VIB: the image has no components, or one of another name brings it.",
              "most often a driver that was installed by hand.",
              "take an image with the host's version or a later one, or remove the VIB from the host. Do not remove "
              "the driver of a network card or disk controller that the host needs.",
              never=_COMPARISON, facts=("host", "vib", "has", "wanted")),
        _code("standalone-vib-removed", _WARNING, Layer.HOST,
              "the host has a VIB that no component brings, and the image would remove it.",
              "it was installed by itself; an image consists of components.",
              "make a component of it and add that to the image, or let it go.",
              facts=("host", "vib")),
        _code("host-part-unknown", _WARNING, Layer.HOST,
              "the inventory of a host leaves out what it takes to judge it.",
              "what is not told is not guessed.",
              "take what the finding names from the host as well.",
              facts=("host",)),
        _code("no-network-driver", _BOTH, Layer.HOST,
              "the image drives no network adapter of the host.",
              "no driver of the image names one of them; the installer stops there, and an installed host is cut off.",
              "add a component with a driver, or take a release that has one. With a list of devices that leaves "
              "classes out, take the whole one.",
              when="error; warning where a driver may drive one and the list or the driver does not tell",
              never=_COMPARISON, facts=("image",)),
        _code("device-not-driven", _WARNING, Layer.HOST,
              "the image has no driver for a network or storage adapter of the host.",
              "the driver was dropped from this release, or never was in it.",
              "add the component that the finding names, or keep the release that still has the driver.",
              facts=("image", "device", "ids")),
        _code("device-unclear", _WARNING, Layer.HOST,
              "whether the image drives a network or storage adapter of the host cannot be told.",
              "the driver says nothing of what it drives, or asks for numbers that the list of devices leaves out.",
              "take the list with `esxcli hardware pci list`, which has all numbers; read the drivers' maps too.",
              facts=("image", "device", "ids")),
        _code("device-driver-lost", _WARNING, Layer.HOST,
              "a network or storage adapter of the host loses its driver on the way to the image, or may lose it.",
              "the driver was dropped from this release, or no longer says what it drives.",
              "add a component with a driver for it, or keep the host on a release that has one.",
              facts=("host", "device", "ids")),
        _code("boot-bank-too-small", _WARNING, Layer.HOST,
              "the image's modules are larger than a boot bank of the host.",
              "the host was installed with the disk layout of an older release, or the image has much that it does "
              "not need.",
              "take components off the image, or install the host anew on a disk with larger boot banks.",
              facts=("host", "needed_bytes", "available_bytes")),
        _code("image-base-only", _INFO, Layer.HOST,
              "hosts are planned to get an image without vendor add-on.",
              "the image is VMware's alone; drivers and agents of the server's vendor are not in it.",
              "add the vendor's add-on, if the hosts are of a vendor that has one.",
              facts=("base_image",)),
        _code("pair-not-published", _INFO, Layer.HOST,
              "base image and add-on of the image are not known to be published as a pair by the add-on's vendor.",
              "the add-on names another build, or none; builds count to the digit, and near ones do not.",
              "see the add-on's release notes. Inside a release train other patches are supported all the same.",
              facts=("add_on", "base_image")),
        _code("back-up-configuration", _INFO, Layer.HOST,
              "hosts are about to be changed, and their configuration is worth a copy.",
              "boot banks keep one step back only.",
              "back it up with `vim-cmd hostsvc/firmware/backup_config`, on each host."),
    ),
    "Depots": (
        _code("unreadable-document", _ERROR, None,
              "one metadata document is damaged; the rest was read.",
              "stands in the finding, with the place.",
              "get the depot again. What the document described is missing from the catalog.",
              when="error; only with `open_depot(..., strict=False)`, which otherwise raises, and in a verification",
              never=_CATALOG),
        _code("unreadable-source", _ERROR, None,
              "a whole source could not be read.",
              "stands in the finding.",
              "as the finding says.",
              when="error; only with `open_depot(..., strict=False)`, which otherwise raises, and in a verification",
              never=_CATALOG),
        _code("metadata-missing", _ERROR, None,
              "the index names a metadata zip that is not there.",
              "the bundle is incomplete, or was packed anew by hand.",
              "download the depot again.",
              never=_CATALOG),
        _code("metadata-not-read", _INFO, None,
              "the metadata holds files of a kind that the library does not read.",
              "their format is not publicly known.",
              "none is needed; they are not carried into exports."),
        _code("vib-not-indexed", _INFO, None,
              "`.vib` files stand in the depot that its metadata does not describe.",
              "somebody put them there by hand; no vCenter and no host would see them.",
              "open such a file by itself if it is wanted."),
        _code("link-not-followed", _WARNING, None,
              "links in an opened folder lead out of it or nowhere; what they lead to was not read.",
              "somebody put links into the folder in place of files, or means to have others' files read.",
              "put the files themselves into the folder, or open what the links lead to beside it."),
        _code("vib-file-missing", _BOTH, None,
              "metadata describes a VIB whose file is in none of the opened depots.",
              "a metadata-only download, or an incomplete bundle.",
              "open a depot that holds the VIB beside this one.",
              when="warning in a catalog; error in a verification",
              never=_VERIFICATION, facts=("vib",)),
        _code("element-taken-from-vib", _INFO, None,
              "the metadata of a depot lacks an element that the VIB's own descriptor states; it was taken from the "
              "VIB.",
              "depot tools of 2022 dropped `softwarePlatform` from the depot's copy of descriptors.",
              "none is needed; the VIB is signed, its depot's copy is not.",
              facts=("kind", "id", "elements")),
        _code("disc-carries-less", _INFO, None,
              "a disc lists VIBs that discs of its generation cannot carry: reserved ones have an archive from 7.0.2 "
              "on, those for data processing units from 8.0 on.",
              "the image had them before it was written to a disc of an older release.",
              "open the offline bundle of the release beside the disc."),
        _code("vib-size-differs", _BOTH, Layer.CONTENTS,
              "a `.vib` file is longer or shorter than its metadata says.",
              "a damaged or changed file.",
              "download the depot again. Even when waived, writing fails at this VIB.",
              when="warning in a catalog; error in an image that has the VIB, and in a verification",
              facts=("kind", "id", "differs")),
        _code("component-content-differs", _BOTH, Layer.CONTENTS,
              "depots list different VIBs under one component name and version.",
              "the publisher changed it without raising the version.",
              "open only the depot that you mean to use.",
              when="warning in a catalog; error in an image that has the component",
              facts=("kind", "id", "differs")),
        _code("base-image-content-differs", _BOTH, Layer.CONTENTS,
              "depots list different components under one base image version.",
              "one of the depots is changed or incomplete.",
              "open only the depot that you mean to use.",
              when="warning in a catalog; error in an image made from it",
              facts=("kind", "id", "differs")),
        _code("add-on-content-differs", _BOTH, Layer.CONTENTS,
              "depots give one add-on version different components, removals or base images.",
              "the vendor published it again, or a file was changed.",
              "open only the depot that you mean to use.",
              when="warning in a catalog; error in an image made from it",
              facts=("kind", "id", "differs")),
        _code("profile-content-differs", _BOTH, Layer.CONTENTS,
              "depots list different VIBs under one profile name.",
              "profiles made by hand often keep the name of the stock one.",
              "open only the depot that you mean to use.",
              when="warning in a catalog; error in an image opened from it",
              facts=("kind", "id", "differs")),
        _code("bulletin-content-differs", _WARNING, None,
              "depots list different VIBs under one bulletin id.",
              "the publisher changed it without another id.",
              "none is needed for images, which do not use bulletins of this kind.",
              facts=("kind", "id", "differs")),
        _code("solution-content-differs", _WARNING, None,
              "depots give one solution version different components.",
              "one of the depots is changed or incomplete.",
              "open only the depot that you mean to use.",
              facts=("kind", "id", "differs")),
        _code("hardware-support-content-differs", _WARNING, None,
              "depots give one version of a hardware support package different components.",
              "one of the depots is changed or incomplete.",
              "open only the depot that you mean to use.",
              facts=("kind", "id", "differs")),
    ),
    "Making VIBs": (
        _code("path-above-level", _WARNING, None,
              "a VIB installs files where hosts take them only from VIBs of a higher acceptance level.",
              "the host has a list of folders for each of the levels community and partner; the VIB is of one of them "
              "and goes beyond it. `esxcli software vib install` then says that the VIB violates extensibility rules. "
              "The lists were published for ESXi 5; that later releases have the same is inferred.",
              "move the files below `opt/`, or install the VIB with `--force`, if the host is a test host.",
              facts=("vib", "acceptance_level")),
    ),
    "Exports": (
        _code("local-name-mapped", _INFO, None,
              "a module stands on the disc under another name than the local-name rule gives.",
              "the rule's name is no legal 8.3 file name, or is taken by another file.",
              "none is needed: `boot.cfg` and the image database use the name on disc.",
              facts=("vib", "payload", "name_on_disc")),
        _code("dpu-vibs-left-out", _INFO, None,
              "VIBs for data processing units are in the image but not on the disc.",
              "discs before 8.0 have no archive for them.",
              "take the offline bundle where they are needed."),
        _code("boots-as-stick", _INFO, None,
              "which firmware boots what was written from a USB stick.",
              "UEFI boots a stick by its partition table, which says where the UEFI loader is; a BIOS needs boot code "
              "in the first sector, which no VIB carries.",
              "none is needed; for hosts with a BIOS take a CD drive, virtual media or the network.",
              facts=("uefi", "bios")),
        _code("network-loaders", _INFO, None,
              "which of TFTP, iPXE and UEFI HTTP Boot can load a network boot tree with its prefix.",
              "the boot loader speaks HTTP only where UEFI HTTP Boot or iPXE started it, and takes names that are no "
              "whole address from where it came.",
              "if yours is not among them: no prefix suits all; a kickstart file may have an address of its own.",
              facts=("prefix", "tftp", "ipxe", "http_boot")),
        _code("kickstart-needs", _INFO, None,
              "what must be there so that the installer finds the kickstart file.",
              "each form of `ks=` needs something of its own, which no image has in it.",
              "see to it, or name another place with `kickstart_address`.",
              facts=("address", "source")),
        _code("reserved-vibs-left-out", _WARNING, None,
              "the bundle was exported without the reserved VIBs and components.",
              "the caller asked for it; the base image or add-on still lists those components, so the bundle is "
              "partial.",
              "keep the depots of base image and add-on, or export with reserved VIBs."),
        _code("kernel-options-added", _INFO, None,
              "`boot.cfg` has kernel options that no stock disc has; the finding names each.",
              "the caller asked for them; the library adds none by itself.",
              "none is needed."),
        _code("kickstart-no-install", _BOTH, None,
              "the kickstart file has no `install`, `upgrade` or `installorupgrade` line. Lines in scripts such as "
              "`%post` do not count.",
              "a fragment, or another file than meant.",
              "add one, for example `install --firstdisk --overwritevmfs`.",
              when="error; warning if the file includes another one"),
        _code("kickstart-line-ends", _WARNING, None,
              "the kickstart file has Windows line ends.",
              "it was saved by an editor on Windows.",
              "save it with Unix line ends; shell scripts in it break otherwise."),
        _code("kickstart-named-twice", _ERROR, None,
              "the kernel options name more than one kickstart file.",
              "a kickstart file was given, which has its own `ks=`, and another `ks=` with it.",
              "give either the file or the option."),
        _code("kickstart-path-case", _BOTH, None,
              "a `ks=cdrom:/...` option names a file of the disc in another case.",
              "names on the disc are in upper case, and the installer looks for the exact name.",
              "write the option as the finding says.",
              when="error; warning in a verification of a disc with Rock Ridge"),
        _code("kickstart-not-on-disc", _ERROR, None,
              "a `ks=cdrom:/...` option names a file that is not on the disc, or stands in a network boot tree.",
              "the file was not given, or the option was copied from another disc.",
              "give the kickstart file itself, or name one on a server."),
    ),
    "Verification": (
        _code("archive-damaged", _ERROR, None,
              "the bundle is no sound zip archive, or an archive on a disc cannot be read to its end.",
              "the file is cut short or was changed.",
              "get it again.",
              never=_VERIFICATION),
        _code("disc-damaged", _ERROR, None,
              "the directories of the disc cannot be read.",
              "the file is cut short, or is no disc that firmware could read.",
              "get it again.",
              never=_VERIFICATION),
        _code("disc-unreadable", _ERROR, None,
              "something on a disc was not looked at, since it could not be read or unpacked; it may be sound.",
              "the medium or its connection fails, there is no room in the folder for temporary files, or the file is "
              "larger than the limit.",
              "verify again from another medium; make room, or set `TMPDIR` to another folder.",
              never=_VERIFICATION),
        _code("index-missing", _ERROR, None,
              "the bundle has no `index.xml`, or one that cannot be read.",
              "the zip was packed by hand, or is a zip of bundles.",
              "take the bundle inside, or export it anew.",
              never=_VERIFICATION),
        _code("vendor-missing", _ERROR, None,
              "`index.xml` has no vendor block.",
              "the bundle was written by a tool that leaves it out.",
              "write the bundle anew with a vendor name and code.",
              never=_VERIFICATION),
        _code("vendor-code-wrong", _ERROR, None,
              "the vendor code is not three letters or digits.",
              "tools for older releases write `Unknown` or the whole name.",
              "write the bundle anew with a code of three letters.",
              when="error; not asked for `esxcli`",
              never=_VERIFICATION),
        _code("content-type-wrong", _WARNING, None,
              "the content type in `index.xml` is not that of ESXi depots.",
              "the bundle is for another product, or was written by an unusual tool.",
              "look at what the bundle holds."),
        _code("vendor-index-missing", _ERROR, None,
              "the vendor index is not there, cannot be read or names no metadata.",
              "the bundle is incomplete.",
              "get it again, or export it anew.",
              never=_VERIFICATION),
        _code("product-missing", _ERROR, None,
              "an entry of the vendor index names no product or no version.",
              "the bundle was written by hand.",
              "export it anew.",
              never=_VERIFICATION),
        _code("metadata-damaged", _ERROR, None,
              "a metadata zip cannot be read.",
              "it is cut short or was changed.",
              "get the bundle again.",
              never=_VERIFICATION),
        _code("metadata-part-missing", _ERROR, None,
              "a metadata zip has no `vendor-index.xml` or no `vmware.xml`; every public bundle has both.",
              "the bundle was packed by hand.",
              "export it anew.",
              never=_VERIFICATION),
        _code("payload-checksum-unknown", _WARNING, None,
              "a checksum of a payload was not compared, since its kind is not known.",
              "the VIB was built with a newer tool, or by hand.",
              "look for a newer version of this library."),
        _code("archive-missing", _BOTH, None,
              "a disc lacks an archive that `boot.cfg` names or that stock discs of its release have.",
              "the disc was packed anew without it.",
              "get the disc again, or write it anew.",
              when="error if `boot.cfg` names it, else warning",
              never=_VERIFICATION),
        _code("image-profile-empty", _ERROR, None,
              "the image profile of a disc lists no VIB, so nothing would be installed.",
              "the profile was edited, or the disc was written by a tool that fills it elsewhere.",
              "get the disc again, or write it anew.",
              never=_VERIFICATION),
        _code("metadata-empty", _ERROR, None,
              "the metadata of a bundle describes no VIB.",
              "the bundle was packed by hand, or emptied.",
              "export it anew.",
              never=_VERIFICATION),
        _code("component-metadata-missing", _ERROR, None,
              "the bundle has no component, so vLCM sees nothing in it.",
              "it is of the esxcli kind, as `Export-EsxImageProfile` writes it, or from before 7.0.",
              "export it anew as an offline bundle for vLCM.",
              when="error; not asked for `esxcli`",
              never=_VERIFICATION),
        _code("vib-without-component", _WARNING, None,
              "VIBs of the bundle are in no component; vLCM will not see them.",
              "loose VIBs were added.",
              "make a component of them, if vLCM shall install them."),
        _code("unit-component-missing", _ERROR, None,
              "a profile, base image or add-on lists a component that the bundle does not hold.",
              "the bundle is incomplete.",
              "export it anew with all depots opened.",
              never=_VERIFICATION),
        _code("vib-path-wrong", _ERROR, None,
              "a VIB is not where the metadata says.",
              "files were moved when the bundle was packed anew.",
              "keep the folders as they were.",
              never=_VERIFICATION),
        _code("vib-checksum-missing", _ERROR, None,
              "the metadata gives no SHA-256 for a VIB.",
              "the bundle was written by a tool for older releases.",
              "export it anew.",
              never=_VERIFICATION),
        _code("vib-checksum-differs", _ERROR, None,
              "the SHA-256 of a `.vib` file is not what the metadata says.",
              "the file is damaged or was changed.",
              "get it again from its publisher.",
              never=_VERIFICATION),
        _code("vib-damaged", _ERROR, None,
              "a `.vib` file cannot be read to its end.",
              "it is cut short, was changed, or is no VIB.",
              "get it again from its publisher.",
              never=_VERIFICATION),
        _code("member-damaged", _ERROR, None,
              "a member of the bundle that is no VIB does not have the CRC that the zip gives.",
              "the file was changed on the way.",
              "get the bundle again.",
              never=_VERIFICATION),
        _code("vcf-version-unknown", _WARNING, None,
              "the bundle holds a base image of 9.x; vLCM 9.1 is said to want an attribute `vcfVersion`, whose form "
              "is not publicly known.",
              "see the [open questions](formats.md#open-questions).",
              "none is known."),
        _code("payload-size-differs", _ERROR, None,
              "a payload, stored or unpacked, has another size than its descriptor says.",
              "the file is damaged or was changed.",
              "get it again from its publisher.",
              never=_VERIFICATION),
        _code("payload-checksum-differs", _ERROR, None,
              "one of a payload's checksums, over stored or unpacked bytes, is not what its descriptor says.",
              "the file is damaged or was changed; or the VIB was never right, where only the one over unpacked bytes"
              " differs.",
              "get it again from its publisher.",
              never=_VERIFICATION),
        _code("payload-damaged", _ERROR, None,
              "a payload does not unpack.",
              "the file is damaged or was changed.",
              "get it again from its publisher.",
              never=_VERIFICATION),
        _code("payload-too-large", _ERROR, None,
              "a payload, or all that was unpacked so far, is more than the limit; the rest is not checked.",
              "an unusual payload, or a hostile one.",
              "if the file is trusted, pass `ReadLimits` with higher `payload_bytes` or `unpacked_ratio`, as it says.",
              never=_VERIFICATION),
        _code("payload-not-unpacked", _WARNING, None,
              "a zstandard payload was not unpacked; its checksums over unpacked bytes are unchecked.",
              "no reader for zstandard is installed.",
              "install the extra [`zstd`](dependencies.md#the-extra-zstd)."),
        _code("payload-without-checksum", _WARNING, None,
              "no checksum covers a payload's bytes as they are stored.",
              "the VIB was built with a tool that writes none.",
              "have it built anew, if it is yours."),
        _code("payload-missing", _BOTH, None,
              "a disc does not hold a payload of one of its VIBs.",
              "the disc is incomplete, or was written without tools or installer.",
              "get it again; to read the VIB, open the offline bundle of the release beside the disc.",
              when="error; warning where the disc works without it, as without VMware Tools, or where it is not known"
                   " where discs keep it",
              never=_VERIFICATION, facts=("vib", "payload")),
        _code("boot-entry-missing", _BOTH, None,
              "firmware of that kind will not start the disc.",
              "the disc was packed anew with one boot image only.",
              "build the disc anew, or do without that firmware.",
              when="warning for one of BIOS and UEFI; error if the disc has neither",
              never=_VERIFICATION),
        _code("boot-entry-emulated", _ERROR, None,
              "a boot entry emulates a floppy or hard disk.",
              "the disc was packed without `-no-emul-boot`.",
              "pack it with that option, or build it anew.",
              never=_VERIFICATION),
        _code("boot-file-missing", _ERROR, None,
              "a file is not there that a boot loader loads before it reads `boot.cfg`.",
              "the disc is incomplete.",
              "build the disc anew.",
              never=_VERIFICATION),
        _code("boot-info-table-wrong", _ERROR, None,
              "the table in the BIOS loader does not say where the loader is on the disc, or its checksum is wrong; "
              "the loader will stop.",
              "the disc was packed without `-boot-info-table`, or the loader is damaged.",
              "build the disc anew.",
              never=_VERIFICATION),
        _code("bios-loader-not-compared", _WARNING, None,
              "the BIOS loader cannot be compared with its checksum: what the table was written over is not known, "
              "and the disc has no other copy.",
              "the disc was written by somebody else.",
              "none is needed; the table is right, and so is its own checksum over the rest of the loader."),
        _code("name-not-upper-case", _WARNING, None,
              "names on the disc are in lower case; some boot loaders will not find them.",
              "the disc was packed with an option that allows it.",
              "pack it without that option."),
        _code("boot-cfg-missing", _BOTH, None,
              "one of the two `boot.cfg` is not there.",
              "the disc was packed anew without it.",
              "put it back.",
              when="error; warning for the one of UEFI on a disc that does not boot with UEFI",
              never=_VERIFICATION),
        _code("boot-cfg-damaged", _ERROR, None,
              "a `boot.cfg` cannot be read.",
              "a line was wrapped, or the file is damaged.",
              "correct the line that the finding names.",
              never=_VERIFICATION),
        _code("boot-cfg-differs", _ERROR, None,
              "the two `boot.cfg` say different things, so BIOS and UEFI hosts boot differently.",
              "one of them was edited.",
              "change both when you change one.",
              never=_VERIFICATION),
        _code("boot-module-missing", _ERROR, None,
              "`boot.cfg` names a file that is not there, or no kernel.",
              "files were left out, or the names in `boot.cfg` are for a network server.",
              "put the file back, or build the disc anew.",
              never=_VERIFICATION),
        _code("boot-module-left-out", _WARNING, None,
              "a module of the image, or an archive that every stock disc has, is not in `boot.cfg`.",
              "the disc was written without tools or installer, or the list was edited.",
              "build the disc anew, if it was not meant."),
        _code("boot-module-order", _WARNING, None,
              "`boot.cfg` loads its modules in another order than stock discs.",
              "the list was edited.",
              "build the disc anew."),
        _code("boot-cfg-build-differs", _WARNING, None,
              "`build` in `boot.cfg` is not the version of the image.",
              "the file comes from another release.",
              "build the disc anew."),
        _code("image-database-missing", _ERROR, None,
              "the disc has no `IMGDB.TGZ`, so it installs nothing.",
              "it is another kind of disc.",
              "take the installer disc of the release.",
              never=_VERIFICATION),
        _code("image-database-damaged", _ERROR, None,
              "the image database cannot be read.",
              "the disc is damaged or was changed.",
              "get it again.",
              never=_VERIFICATION),
        _code("image-profile-missing", _ERROR, None,
              "the image database has no image profile.",
              "the disc is damaged or was changed.",
              "get it again.",
              never=_VERIFICATION),
        _code("several-image-profiles", _WARNING, None,
              "the image database has more than one image profile; the one that `UPGRADE/PROFILE.XML` names is judged, "
              "and where that names none of them, all are.",
              "the disc was put together by hand.",
              "build the disc anew with one profile."),
        _code("disc-contradicts-itself", _BOTH, None,
              "the disc says one thing in two ways: the two forms of a number, directories and path tables, its stated "
              "length and its end. One reader of it sees another disc than the next.",
              "the disc is damaged, or somebody changed it and did not change both.",
              "get it again, or build it anew.",
              when="error; warning for what only systems with long names see, and for what no loader knows",
              never=_VERIFICATION),
        _code("disc-unusual", _INFO, None,
              "something stands in a descriptor, directory, boot catalog or loader that discs of ESXi do not have, and "
              "that decides nothing.",
              "another program wrote it, or a byte was changed.",
              "none is needed, if you know who wrote the disc."),
        _code("disc-holds-more", _INFO, None,
              "bytes stand in the system area before the volume, or behind its end. Firmware may start a boot sector "
              "there when the disc is copied to a stick.",
              "the disc was made to boot from a stick too, or a partition was appended.",
              "none is needed, if you know who wrote the disc."),
        _code("boot-catalog-wrong", _BOTH, None,
              "the boot catalog has another load segment, count of sectors or section than discs of ESXi, starts "
              "another file, or holds an entry that only some firmware finds.",
              "the disc is damaged or was changed.",
              "get it again, or build it anew.",
              when="error; warning where a platform has several entries",
              never=_VERIFICATION),
        _code("boot-menu-starts-otherwise", _BOTH, None,
              "`ISOLINUX.CFG` starts another program than `mboot.c32`, or hands it another file than `boot.cfg`.",
              "the menu was edited.",
              "build the disc anew, or correct the entry that the finding names.",
              when="error for what is started if nobody presses a key; warning for other entries, and for lines that "
                   "are not known",
              never=_VERIFICATION),
        _code("boot-menu-differs", _INFO, None,
              "the boot menu is nearly the one of the image's disc, or hands more options to the loader.",
              "it was edited.",
              "none is needed, if you know who did."),
        _code("boot-kernel-differs", _ERROR, None,
              "`boot.cfg` starts something as the kernel that is none of the image.",
              "the file was edited.",
              "build the disc anew.",
              never=_VERIFICATION),
        _code("boot-module-added", _INFO, None,
              "`boot.cfg` loads a file that no VIB of the image brings, so no checksum covers it.",
              "somebody added it.",
              "none is needed, if you know who did."),
        _code("volume-label-differs", _INFO, None,
              "the label of the disc is nearly the name of the image, and not quite.",
              "the disc is of another image, or a byte was changed.",
              "none is needed; nothing goes by the label."),
        _code("upgrade-file-missing", _WARNING, None,
              "the upgrade folder lacks its profile or its metadata, so hosts cannot be upgraded from the disc.",
              "the disc was put together by hand.",
              "build the disc anew."),
        _code("upgrade-file-damaged", _ERROR, None,
              "the profile or the metadata of the upgrade folder cannot be read.",
              "the disc is damaged or was changed.",
              "get it again, or build it anew.",
              never=_VERIFICATION),
        _code("upgrade-differs", (*_BOTH, *_INFO), None,
              "the upgrade folder speaks of another image than the image database: an upgrade gives another host than "
              "an installation.",
              "one of the two was edited.",
              "build the disc anew.",
              when="error for VIBs; warning for name, acceptance level and components; info for the rest",
              never=_VERIFICATION),
        _code("file-of-no-vib", (*_WARNING, *_INFO), None,
              "the disc has a file that no VIB of the image brings and no document names.",
              "somebody added it, or a name was changed.",
              "none is needed, if you know who did.",
              when="warning for what loaders or upgrades may run; info for the rest"),
        _code("payload-archive-incomplete", _ERROR, None,
              "`IMGPAYLD.TGZ` is not there, or lacks a boot module that the installer writes to the disk.",
              "the disc was changed.",
              "build the disc anew.",
              never=_VERIFICATION),
    ),
}
# fmt: on

CODES: dict[str, Code] = {code.name: code for codes in SECTIONS.values() for code in codes}
