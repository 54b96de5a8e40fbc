"""Validating: each finding with its exact words, and none of them on a clean image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest
from support.finding_calls import codes_in
from support.memory_catalogs import (
    ADD_ON,
    BASE_VERSION,
    Stock,
    component,
    cut_down,
    esx_base,
    payload,
    platforms,
    spec,
    vib,
)

from esximage_builder.findings import Finding, Severity
from esximage_builder.models.component import Bulletin
from esximage_builder.models.image import Image, InstalledVib
from esximage_builder.models.profile_change import ProfileChange, ReplacedVib, ReplaceReason
from esximage_builder.models.vib import HardwarePlatform, Payload, SoftwarePlatform, VibFile
from esximage_builder.rules import lowered, validate, vendor_mix
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.validate import ValidationReport
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.vib import Vib

_ESXI = f"ESXi:{BASE_VERSION}"
_BASE = f"VMware_bootbank_esx-base_{BASE_VERSION}"
_LATER = "8.0.3-0.70.24674464"


@attrs.frozen(kw_only=True)
class Case:
    """An image, what to look at it with, and all that has to be found."""

    image: Image
    catalog: Catalog | None = None
    minimum: AcceptanceLevel | None = None
    findings: tuple[dict[str, Any], ...] = ()


def _of_vibs(*vibs: Vib, base: Vib | None = None, **fields: Any) -> Image:
    """An image of these VIBs and one that boots."""
    every = sorted((*vibs, base or esx_base()), key=lambda made: made.id)
    return Image(name="image", vibs=[InstalledVib(vib=made) for made in every], **fields)


def _composed(stock: Stock, components: dict[str, str | None] | None = None, **wanted: Any) -> Image:
    wanted.setdefault("add_on", ADD_ON if stock.add_ons else None)
    return compose(stock.catalog(), spec(components, **wanted))


def _found(report: ValidationReport) -> list[dict[str, Any]]:
    keys = ("code", "severity", "message", "items", "cause", "remedy")
    return [{key: getattr(finding, key) for key in keys} for finding in report.findings]


def _error(code: str, message: str, items: Iterable[str], cause: str, remedy: str) -> dict[str, Any]:
    return {
        "code": code,
        "severity": Severity.ERROR,
        "message": message,
        "items": tuple(items),
        "cause": cause,
        "remedy": remedy,
    }


def _warning(code: str, message: str, items: Iterable[str], cause: str, remedy: str) -> dict[str, Any]:
    return _error(code, message, items, cause, remedy) | {"severity": Severity.WARNING}


def _info(code: str, message: str, items: Iterable[str], remedy: str) -> dict[str, Any]:
    return _error(code, message, items, "", remedy) | {"severity": Severity.INFO}


def _removals_need_newer_vcenter(*names: str) -> dict[str, Any]:
    return _warning(
        "removals-need-newer-vcenter",
        "the spec removes components, which needs vCenter 8.0 U3 or later",
        names,
        "older ones do not know the key removed_components, and the base image, ESXi 7.0.3, can belong to an older one",
        "import the spec into vCenter 8.0 U3 or later, or leave the removals to the add-on",
    )


# What the image lacks.


def _component_missing() -> Case:
    stock = Stock()
    stock.base_image(("net-acme", "1.0-1"))
    return Case(
        image=_composed(stock),
        findings=(
            _error(
                "component-missing",
                "no loaded depot has the component net-acme:1.0-1",
                ["net-acme:1.0-1"],
                "the base image lists it",
                "open the depot that holds it beside the others",
            ),
        ),
    )


def _vib_missing() -> Case:
    stock = Stock()
    for name in ("Zulu", "Acme"):
        stock.components.append(component(name, "1.0-1", ["ACM_bootbank_gone_1.0-1"]))
    stock.base_image(("Zulu", "1.0-1"), ("Acme", "1.0-1"))
    return Case(
        image=_composed(stock),
        findings=(
            _error(
                "vib-missing",
                "no loaded depot has the VIB ACM_bootbank_gone_1.0-1",
                ["ACM_bootbank_gone_1.0-1", "Acme:1.0-1", "Zulu:1.0-1"],
                "it belongs to Acme:1.0-1, Zulu:1.0-1",
                "the depot is incomplete: download it again, or open the one that holds the VIB",
            ),
        ),
    )


def _vib_missing_of_profile() -> Case:
    stock = Stock(vibs=[esx_base()])
    stock.profile("P", [_BASE, "ACM_bootbank_gone_1.0-1"])
    return Case(
        image=image_from_profile(stock.catalog(), "P"),
        findings=(
            _error(
                "vib-missing",
                "no loaded depot has the VIB ACM_bootbank_gone_1.0-1",
                ["ACM_bootbank_gone_1.0-1"],
                "the image profile lists it",
                "the depot is incomplete: download it again, or open the one that holds the VIB",
            ),
        ),
    )


def _vib_content_differs() -> Case:
    stock = Stock()
    part = stock.driver("net-acme")
    stock.vibs.append(vib("net-acme").with_file(VibFile(sha256="a" * 64)))
    stock.base_image(part)
    seen = Finding(
        code="vib-content-differs",
        severity=Severity.WARNING,
        message="seen while reading",
        items=("ACM_bootbank_net-acme_1.0-1",),
    )
    stock.findings.append(seen)
    return Case(
        image=_composed(stock),
        catalog=stock.catalog(),
        findings=(
            _error(
                "vib-content-differs",
                "the image needs ACM_bootbank_net-acme_1.0-1, which the loaded depots have with different contents",
                ["ACM_bootbank_net-acme_1.0-1"],
                "one id, different bytes, and no source was chosen",
                "name the source to prefer, or open only one of them",
            ),
        ),
    )


def _no_bootable_base() -> Case:
    return Case(
        image=Image(name="image", vibs=[InstalledVib(vib=vib("net-acme"))]),
        findings=(
            _error(
                "no-bootable-base",
                "no VIB of the image carries a kernel",
                ["image"],
                "none of its host VIBs has a payload of type boot",
                "start from a base image, or from a profile that has esx-base",
            ),
        ),
    )


def _kernel_for_dpus_only() -> Case:
    base = esx_base(software_platforms=[SoftwarePlatform("8.0", "esxio")])
    return attrs.evolve(_no_bootable_base(), image=_of_vibs(base=base))


def _boot_loaders_missing() -> Case:
    return Case(
        image=_of_vibs(base=esx_base(payloads=[payload("b", "boot")])),
        findings=tuple(
            _warning(
                "boot-loader-missing",
                f"the image has no {firmware} boot loader: its ISO will not boot with {firmware}",
                [_BASE, kind],
                f"no VIB has a payload of type {kind}",
                "nothing to do if no host boots that way",
            )
            for firmware, kind in (("BIOS", "boot_iso_bios"), ("UEFI", "eltorito_image_efi"))
        ),
    )


# What reading noticed about things in the image.


def _seen(code: str, item: str) -> Finding:
    """A finding as reading makes it: what it is about stands in its facts."""
    kind, _, differs = code.removesuffix("-differs").rpartition("-")
    return Finding(
        code=code,
        severity=Severity.WARNING,
        message="seen",
        items=(item,),
        facts={"vib": item} if code == "vib-file-missing" else {"kind": kind, "id": item, "differs": differs},
        cause="bytes",
        remedy="look",
        where="a.zip",
    )


def _depot_findings() -> Case:
    stock = Stock()
    stock.base_image(stock.driver("net-acme"))
    stock.add_on(stock.driver("agent"))
    stock.driver("unused")
    used = [
        ("component-content-differs", "net-acme:1.0-1"),
        ("base-image-content-differs", _ESXI),
        ("add-on-content-differs", ":".join(ADD_ON)),
        ("vib-size-differs", "ACM_bootbank_agent_1.0-1"),
    ]
    unused = [
        ("component-content-differs", "unused:1.0-1"),
        ("vib-size-differs", "ACM_bootbank_unused_1.0-1"),
        ("vib-file-missing", "ACM_bootbank_agent_1.0-1"),
        ("profile-content-differs", "some profile"),
        ("profile-content-differs", "net-acme:1.0-1"),
        ("solution-content-differs", "net-acme:1.0-1"),
        ("hardware-support-content-differs", ":".join(ADD_ON)),
    ]
    stock.findings += [_seen(code, item) for code, item in (*used, *unused)]
    return Case(
        image=_composed(stock),
        catalog=stock.catalog(),
        findings=tuple(_error(code, "seen", [item], "bytes", "look") for code, item in sorted(used)),
    )


def _depot_findings_of_profile() -> Case:
    stock = Stock(vibs=[esx_base()])
    stock.profile("P", [_BASE])
    stock.findings.append(_seen("profile-content-differs", "P"))
    return Case(
        image=image_from_profile(stock.catalog(), "P"),
        catalog=stock.catalog(),
        findings=(_error("profile-content-differs", "seen", ["P"], "bytes", "look"),),
    )


# VIBs that do not go together.


def _missing_dependency() -> Case:
    return Case(
        image=_of_vibs(vib("net-acme", depends=("acme-api >= 1.2", "acme-api >= 1.2", "esx-base"))),
        findings=(
            _error(
                "missing-dependency",
                "ACM_bootbank_net-acme_1.0-1 requires acme-api >= 1.2, which the image does not have",
                ["ACM_bootbank_net-acme_1.0-1", "acme-api >= 1.2"],
                "nothing in the image provides acme-api",
                "take a version of net-acme made for this base image, or leave it out",
            ),
        ),
    )


def _missing_dependency_in_another_version() -> Case:
    stock = Stock()
    for version in ("1.5-1", "2.0-1"):
        stock.driver("api", version, provides=(f"acme-api = {version}",))
    return Case(
        image=_of_vibs(
            vib("net-acme", depends=("acme-api >= 1.2",)),
            vib("old-api", provides=("acme-api = 1.1", "acme-api = 1.0", "acme-api")),
        ),
        catalog=stock.catalog(),
        findings=(
            _error(
                "missing-dependency",
                "ACM_bootbank_net-acme_1.0-1 requires acme-api >= 1.2, which the image does not have",
                ["ACM_bootbank_net-acme_1.0-1", "acme-api >= 1.2"],
                "the image provides acme-api in another version: (no version), 1.0, 1.1",
                "loaded and able to provide it: ACM_bootbank_api_1.5-1, ACM_bootbank_api_2.0-1",
            ),
        ),
    )


def _built_for_another_esxi() -> Case:
    return Case(
        image=_of_vibs(vib("net-acme", depends=("vmkapi_2_13_0_0",))),
        catalog=Stock().catalog(),
        findings=(
            _error(
                "missing-dependency",
                "ACM_bootbank_net-acme_1.0-1 requires vmkapi_2_13_0_0, which the image does not have",
                ["ACM_bootbank_net-acme_1.0-1", "vmkapi_2_13_0_0"],
                "the driver was built for other ESXi releases; this base image provides vmkapi_2_9_0_0",
                "take a version of net-acme made for this base image, or leave it out",
            ),
        ),
    )


def _dependency_on_a_removed_component() -> Case:
    """A component is taken off that another VIB needs: the dependant is named, and who could help."""
    stock = Stock()
    stock.base_image(stock.driver("elx-api"), stock.driver("lpfc", depends=("elx-api",)))
    return Case(
        image=_composed(stock, removed=["elx-api"]),
        catalog=stock.catalog(),
        findings=(
            _error(
                "missing-dependency",
                "ACM_bootbank_lpfc_1.0-1 requires elx-api, which the image does not have",
                ["ACM_bootbank_lpfc_1.0-1", "elx-api"],
                "nothing in the image provides elx-api",
                "loaded and able to provide it: ACM_bootbank_elx-api_1.0-1",
            ),
            _removals_need_newer_vcenter("elx-api"),
        ),
    )


def _conflict() -> Case:
    return Case(
        image=_of_vibs(
            vib("a", conflicts=("b << 2.0", "FirstConflict", "a")),
            vib("b", "1.9-1", conflicts=("tool",)),
            vib("c", provides=("tool = 1.0",)),
        ),
        findings=tuple(
            _error(
                "conflict",
                f"{one} cannot be installed together with {other}",
                [one, other],
                f"it declares a conflict with {wanted}",
                "leave one of the two out",
            )
            for one, other, wanted in (
                ("ACM_bootbank_a_1.0-1", "ACM_bootbank_b_1.9-1", "b << 2.0"),
                ("ACM_bootbank_b_1.9-1", "ACM_bootbank_c_1.0-1", "tool"),
            )
        ),
    )


def _conflict_twice() -> Case:
    """Two reasons for one pair are two findings, always in the same order."""
    (finding, *_) = _conflict().findings
    causes = ("it declares a conflict with b", "it declares a conflict with b << 2.0", "it declares a conflict with y")
    return Case(
        image=_of_vibs(vib("a", conflicts=("y", "b << 2.0", "b")), vib("b", "1.9-1", provides=("y",))),
        findings=tuple(finding | {"cause": cause} for cause in causes),
    )


def _duplicate_vib_name() -> Case:
    return Case(
        image=_of_vibs(vib("a", "1.0-1"), vib("a", "2.0-1"), vib("a", "1.5-1", vendor="OEM")),
        findings=(
            _error(
                "duplicate-vib-name",
                "the image has 3 VIBs named a",
                ["ACM_bootbank_a_1.0-1", "ACM_bootbank_a_2.0-1", "OEM_bootbank_a_1.5-1"],
                "a host keeps one version of a VIB name",
                "leave the older one out",
            ),
            _error(
                "file-conflict",
                "1 files belong to more than one VIB: usr/lib/a",
                ["ACM_bootbank_a_1.0-1", "ACM_bootbank_a_2.0-1", "OEM_bootbank_a_1.5-1"],
                "only a VIB marked as overlay may cover the files of another, and only one of each path",
                "leave one of the VIBs out",
            ),
        ),
    )


def _replaced_present(winner: str, loser: str) -> dict[str, Any]:
    return _error(
        "replaced-vib-present",
        f"{loser} is still there beside {winner}, which replaces it",
        [winner, loser],
        "a host would remove the replaced VIB",
        f"leave {loser} out",
    )


def _replaced_vib_present() -> Case:
    return Case(
        image=_of_vibs(vib("new", replaces=("old << 2.0", "other >> 5.0")), vib("old"), vib("other")),
        findings=(_replaced_present("ACM_bootbank_new_1.0-1", "ACM_bootbank_old_1.0-1"),),
    )


def _replace_each_other() -> Case:
    stock = Stock()
    stock.base_image(stock.driver("a", replaces=("b",)), stock.driver("b", replaces=("a",)))
    return Case(
        image=_composed(stock),
        findings=(
            _replaced_present("ACM_bootbank_a_1.0-1", "ACM_bootbank_b_1.0-1"),
            _replaced_present("ACM_bootbank_b_1.0-1", "ACM_bootbank_a_1.0-1"),
        ),
    )


def _file_conflict() -> Case:
    shared = tuple(f"etc/{number}" for number in range(4))
    conflict = _duplicate_vib_name().findings[1]
    return Case(
        image=_of_vibs(
            vib("a", files=("etc/one", *shared)),
            vib("b", files=(*shared, "etc/one")),
            vib("c", files=("etc/one",)),
        ),
        findings=(
            conflict
            | {
                "message": "4 files belong to more than one VIB: etc/0, etc/1, etc/2 ...",
                "items": ("ACM_bootbank_a_1.0-1", "ACM_bootbank_b_1.0-1"),
            },
            conflict
            | {
                "message": "1 files belong to more than one VIB: etc/one",
                "items": ("ACM_bootbank_a_1.0-1", "ACM_bootbank_b_1.0-1", "ACM_bootbank_c_1.0-1"),
            },
        ),
    )


def _overlays_conflict() -> Case:
    """One overlay may cover one VIB; two overlays of a path, or an overlay of two VIBs, may not."""
    conflict = _duplicate_vib_name().findings[1]
    names = ("a", "o", "p")
    return Case(
        image=_of_vibs(*(vib(name, files=("etc/one",), overlay=name != "a") for name in names)),
        findings=(
            conflict
            | {
                "message": "1 files belong to more than one VIB: etc/one",
                "items": tuple(f"ACM_bootbank_{name}_1.0-1" for name in names),
            },
        ),
    )


# Rules of ESXi releases.


def _missing_gunzip_checksum() -> Case:
    bare = [Payload(name="two", type="tgz"), payload("good"), Payload(name="one", type="vgz")]
    return Case(
        image=_of_vibs(vib("net-acme", payloads=bare), base=esx_base(_LATER)),
        findings=(
            _error(
                "missing-gunzip-checksum",
                "ACM_bootbank_net-acme_1.0-1 lacks the sha-256 checksum that ESXi 8 demands",
                ["ACM_bootbank_net-acme_1.0-1", "two", "one"],
                "ESXi 8.0 and later refuse payloads without a sha-256 checksum of their unpacked bytes",
                "get a build of the VIB made for ESXi 8.0, or have it built anew",
            ),
        ),
    )


def _platform_mismatch() -> Case:
    """The base image's own components say what it is; a component published for 6.x is none of it."""
    stock = Stock()
    stock.base_image(stock.component("own", "1.0-1", vib("own"), platforms=platforms("embeddedEsx 7.*")))
    stock.component("old", "1.0-1", vib("old"), platforms=platforms("embeddedEsx 6.7", "esxio 6.5"))
    return Case(
        image=_composed(stock, {"old": "1.0-1"}),
        findings=(
            _warning(
                "platform-mismatch",
                f"old:1.0-1 is published for embeddedEsx 6.7, esxio 6.5, the image is ESXi {BASE_VERSION}",
                ["old:1.0-1"],
                "its bulletin names no platform of this release",
                "take the component's build for this release if there is one",
            ),
        ),
    )


def _acceptance_too_low() -> Case:
    levels = {"a": AcceptanceLevel.PARTNER, "b": AcceptanceLevel.COMMUNITY, "c": AcceptanceLevel.ACCEPTED}
    return Case(
        image=_of_vibs(*(vib(name, acceptance_level=level) for name, level in levels.items())),
        minimum=AcceptanceLevel.ACCEPTED,
        findings=tuple(
            _error(
                "acceptance-too-low",
                f"ACM_bootbank_{name}_1.0-1 is {word}, below VMwareAccepted",
                [f"ACM_bootbank_{name}_1.0-1"],
                "the image's level is the lowest of its VIBs",
                "leave the VIB out, take a signed build, or accept the lower level",
            )
            for name, word in (("a", "PartnerSupported"), ("b", "CommunitySupported"))
        ),
    )


# Base image, add-on and components.


def _component_lowered() -> Case:
    stock = Stock()
    stock.base_image(stock.driver("net-acme", "3.0-1"))
    stock.add_on(stock.driver("net-acme", "2.0-1"))
    stock.driver("net-acme", "1.0-1")
    return Case(
        image=_composed(stock, {"net-acme": "1.0-1"}),
        findings=tuple(
            _warning(
                "component-lowered",
                f"net-acme:1.0-1 from the user is lower than {lost} from the {source}",
                ["net-acme:1.0-1", lost],
                "a higher source overrides by name, whatever the version",
                "take a newer version, unless the lower one is wanted",
            )
            for lost, source in (("net-acme:2.0-1", "add-on"), ("net-acme:3.0-1", "base image"))
        ),
    )


def _core_component_overridden() -> Case:
    stock = Stock()
    stock.base_image(stock.component("esx-update", BASE_VERSION, vib("loadesx", BASE_VERSION)))
    stock.add_on(stock.component("esx-update", "8.0.3-1", vib("loadesx", "8.0.3-1")))
    return Case(
        image=_composed(stock),
        findings=(
            _error(
                "core-component-overridden",
                "esx-update:8.0.3-1 from the add-on takes the place of a core component",
                ["esx-update:8.0.3-1", f"esx-update:{BASE_VERSION}"],
                "ESXi's own components are released together; one of another release breaks the set",
                "move the base image instead",
            ),
        ),
    )


def _pinned_vib_lower() -> Case:
    stock = Stock()
    stock.base_image(stock.component("Bundle", "1.0-1", vib("net-acme", "2.0-1")))
    stock.driver("net-acme", "1.0-1")
    return Case(
        image=_composed(stock, {"net-acme": "1.0-1"}),
        findings=(
            _warning(
                "pinned-vib-reserved",
                "ACM_bootbank_net-acme_1.0-1 of net-acme:1.0-1 is not installed, ACM_bootbank_net-acme_2.0-1 is",
                ["ACM_bootbank_net-acme_1.0-1", "ACM_bootbank_net-acme_2.0-1"],
                "two components bring the VIB name, the highest version is installed",
                "remove the other component if the chosen version must be installed",
            ),
        ),
    )


def _pinned_vib_replaced() -> Case:
    stock = Stock()
    stock.base_image(stock.driver("new", replaces=("net-acme",)))
    stock.driver("net-acme", "1.0-1")
    return Case(
        image=_composed(stock, {"net-acme": "1.0-1"}),
        findings=(
            _warning(
                "pinned-vib-reserved",
                "ACM_bootbank_net-acme_1.0-1 of net-acme:1.0-1 is not installed, ACM_bootbank_new_1.0-1 is",
                ["ACM_bootbank_net-acme_1.0-1", "ACM_bootbank_new_1.0-1"],
                "the installed VIB replaces it",
                "remove the other component if the chosen version must be installed",
            ),
        ),
    )


def _removed_component_absent() -> Case:
    stock = Stock()
    stock.base_image(stock.driver("net-acme"))
    stock.add_on(removed_components=["lpfc"])
    return Case(
        image=_composed(stock, removed=["net-acmee", "net-acme"]),
        findings=(
            _removals_need_newer_vcenter("net-acme", "net-acmee"),
            *(
                _info(
                    "removed-component-absent",
                    f"{who} removes {name}, which the image does not have",
                    [name],
                    "check the spelling of the name, or drop the removal",
                )
                for who, name in (("the add-on", "lpfc"), ("the spec", "net-acmee"))
            ),
        ),
    )


def _asked_and_removed() -> Case:
    stock = Stock()
    stock.base_image()
    stock.driver("net-acme")
    return Case(
        image=_composed(stock, {"net-acme": "1.0-1"}, removed=["net-acme"]),
        findings=(
            _warning(
                "component-asked-and-removed",
                "the spec asks for net-acme and removes it",
                ["net-acme"],
                "removals come last, so the component is not in the image",
                "drop the name from one of the two lists",
            ),
            _removals_need_newer_vcenter("net-acme"),
        ),
    )


def _add_on_unsupported() -> Case:
    stock = Stock()
    stock.base_image()
    stock.add_on(release=("ACME-AddOn", "702.17867351.A05"))
    stock.add_on(release=("ACME-AddOn", "703.20036589.A08"))
    return Case(
        image=_composed(stock, add_on=("ACME-AddOn", "702.17867351.A05")),
        catalog=stock.catalog(),
        findings=(
            _error(
                "add-on-base-unsupported",
                f"the add-on ACME-AddOn:702.17867351.A05 is not made for the base image {BASE_VERSION}",
                ["ACME-AddOn:702.17867351.A05", _ESXI],
                "it is for ESXi 7.0.2 (by its version), the base image is ESXi 7.0.3",
                "take a 703 version of the add-on; loaded: 703.20036589.A08",
            ),
        ),
    )


def _add_on_unknown() -> Case:
    stock = Stock()
    stock.base_image()
    stock.add_on(release=("ACME-AddOn", "A08"))
    return Case(
        image=_composed(stock, add_on=("ACME-AddOn", "A08")),
        findings=(
            _warning(
                "add-on-base-unknown",
                "the add-on ACME-AddOn:A08 does not say which base images it is made for",
                ["ACME-AddOn:A08", _ESXI],
                "it declares none, and its version names no ESXi release",
                "check its release notes",
            ),
        ),
    )


def _base_newer() -> Case:
    stock = Stock()
    stock.base_image(version="7.0.3-0.65.20842708")
    stock.add_on(release=("DEL-ESXi", "703.20328353.A09"))
    return Case(
        image=_composed(stock, base_image="7.0.3-0.65.20842708", add_on=("DEL-ESXi", "703.20328353.A09")),
        findings=(
            _warning(
                "base-newer-than-add-on",
                "ESXi:7.0.3-0.65.20842708 is newer than the base image that DEL-ESXi:703.20328353.A09 "
                "was published with",
                ["DEL-ESXi:703.20328353.A09", "ESXi:7.0.3-0.65.20842708"],
                "the add-on names build 20328353, 7.0U3g; inside a release train a newer patch is supported",
                "see whether the vendor has a newer add-on",
            ),
        ),
    )


def _loose_vib_not_used() -> Case:
    """Two loaded VIBs that no component brings, one of them with a legacy bulletin; a third is used."""
    stock = Stock(vibs=[vib("tweaks"), vib("ghetto"), vib("used"), vib("of-profile")])
    stock.profile("other", ["ACM_bootbank_of-profile_1.0-1"])
    bulletin = Bulletin(id="ghetto-bulletin", vib_ids=["ACM_bootbank_ghetto_1.0-1"])
    remedy = "to have it in the image, add it with --vib on the command line, or make a component of it with "
    return Case(
        image=_of_vibs(vib("used")),
        catalog=attrs.evolve(stock.catalog(), bulletins=[bulletin]),
        findings=(
            _info(
                "loose-vib-not-used",
                "ACM_bootbank_ghetto_1.0-1 is loaded and not in the image",
                ["ACM_bootbank_ghetto_1.0-1"],
                f"{remedy}component_from_bulletin",
            )
            | {"cause": "it comes with a bulletin that is no component"},
            _info(
                "loose-vib-not-used",
                "ACM_bootbank_tweaks_1.0-1 is loaded and not in the image",
                ["ACM_bootbank_tweaks_1.0-1"],
                f"{remedy}component_from_vibs",
            )
            | {"cause": "it stands in no component"},
        ),
    )


def _vib_lowered() -> Case:
    higher = vib("net", "2.0-1")
    change = ProfileChange(
        profile="stock",
        replaced=[
            ReplacedVib(vib=higher, winner="ACM_bootbank_net_1.0-1", reason=ReplaceReason.SAME_NAME),
            ReplacedVib(vib=vib("old", "9-1"), winner="ACM_bootbank_net_1.0-1", reason=ReplaceReason.REPLACES),
            ReplacedVib(vib=vib("net", "0.5-1"), winner="ACM_bootbank_net_1.0-1", reason=ReplaceReason.SAME_NAME),
        ],
    )
    return Case(
        image=_of_vibs(vib("net", "1.0-1"), profile_change=change),
        findings=(
            _warning(
                "vib-lowered",
                "ACM_bootbank_net_1.0-1 is lower than ACM_bootbank_net_2.0-1, whose place it took",
                ["ACM_bootbank_net_1.0-1", higher.id],
                "an added VIB takes the place of the one of its name, whatever the version",
                "add a newer version, unless the lower one is wanted",
            ),
        ),
    )


def _vib_lowered_in_a_component() -> Case:
    stock = Stock()
    stock.base_image(stock.component("Net", "1.0-1", vib("net", "2.0-1")))
    stock.add_on(stock.component("Net", "2.0-1", vib("net", "1.0-1", vendor="OEM")))
    return Case(
        image=_composed(stock),
        findings=(
            _warning(
                "vib-lowered",
                "OEM_bootbank_net_1.0-1 is lower than ACM_bootbank_net_2.0-1, whose place it took",
                ["OEM_bootbank_net_1.0-1", "ACM_bootbank_net_2.0-1"],
                "Net:2.0-1 brings it, and Net:1.0-1 is overridden: "
                "a component's version tells nothing of the VIBs in it",
                "take a component with a newer VIB, unless the lower one is wanted",
            ),
        ),
    )


def _pinned_vib_same() -> Case:
    stock = Stock()
    stock.base_image()
    stock.component("One", "1.0-1", vib("net", vendor="ONE"))
    stock.component("Two", "1.0-1", vib("net", vendor="TWO"))
    return Case(
        image=_composed(stock, {"One": "1.0-1", "Two": "1.0-1"}),
        findings=(
            _warning(
                "pinned-vib-reserved",
                "ONE_bootbank_net_1.0-1 of One:1.0-1 is not installed, TWO_bootbank_net_1.0-1 is",
                ["ONE_bootbank_net_1.0-1", "TWO_bootbank_net_1.0-1"],
                "two components bring the VIB name in one version, that of the higher source is installed",
                "remove the other component if the chosen version must be installed",
            ),
        ),
    )


def _hardware_vendors_mixed() -> Case:
    one, two = (vib(name, hardware_platforms=[HardwarePlatform(name)]) for name in ("Dell Inc.", "HPE"))
    made = [attrs.evolve(one, name="idrac"), attrs.evolve(two, name="ilo")]
    ids = [f"ACM_bootbank_{name}_1.0-1" for name in ("idrac", "ilo")]
    return Case(
        image=_of_vibs(*(attrs.evolve(each, files=()) for each in made)),
        findings=(
            _warning(
                "hardware-vendors-mixed",
                "the image has VIBs for machines of Dell Inc. and of HPE: no machine is of all",
                ids,
                f"{ids[0]} is for Dell Inc.; {ids[1]} is for HPE",
                "make an image for each vendor's machines, with its own add-on",
            ),
        ),
    )


def _vendors_mixed() -> Case:
    stock = Stock()
    stock.base_image()
    stock.add_on(vendor="Dell")
    stock.component("ilo", "1.0-1", vib("ilo"), vendor="Hewlett Packard Enterprise")
    return Case(
        image=_composed(stock, {"ilo": "1.0-1"}),
        findings=(
            _warning(
                "vendors-mixed",
                f"ilo:1.0-1 is a build of HPE beside the add-on {':'.join(ADD_ON)} of Dell",
                ["ilo:1.0-1", ":".join(ADD_ON)],
                "a server vendor builds and tests its components with its own add-on and firmware",
                "take the component from Dell, or from whoever makes the device",
            ),
        ),
    )


_CASES: dict[str, Callable[[], Case]] = {
    "vib-lowered": _vib_lowered,
    "vib-lowered: in a component": _vib_lowered_in_a_component,
    "pinned-vib-reserved: same version": _pinned_vib_same,
    "hardware-vendors-mixed": _hardware_vendors_mixed,
    "vendors-mixed": _vendors_mixed,
    "loose-vib-not-used": _loose_vib_not_used,
    "component-missing": _component_missing,
    "vib-missing": _vib_missing,
    "vib-missing: of a profile": _vib_missing_of_profile,
    "vib-content-differs": _vib_content_differs,
    "no-bootable-base": _no_bootable_base,
    "no-bootable-base: a DPU's kernel does not count": _kernel_for_dpus_only,
    "boot-loader-missing": _boot_loaders_missing,
    "of the depots": _depot_findings,
    "of the depots: profile": _depot_findings_of_profile,
    "missing-dependency": _missing_dependency,
    "missing-dependency: another version is there": _missing_dependency_in_another_version,
    "missing-dependency: built for another ESXi": _built_for_another_esxi,
    "missing-dependency: its component was removed": _dependency_on_a_removed_component,
    "conflict": _conflict,
    "conflict: two reasons": _conflict_twice,
    "duplicate-vib-name": _duplicate_vib_name,
    "replaced-vib-present": _replaced_vib_present,
    "replaced-vib-present: each other": _replace_each_other,
    "file-conflict": _file_conflict,
    "file-conflict: overlays": _overlays_conflict,
    "missing-gunzip-checksum": _missing_gunzip_checksum,
    "platform-mismatch": _platform_mismatch,
    "acceptance-too-low": _acceptance_too_low,
    "component-lowered": _component_lowered,
    "core-component-overridden": _core_component_overridden,
    "pinned-vib-reserved: lower": _pinned_vib_lower,
    "pinned-vib-reserved: replaced": _pinned_vib_replaced,
    "removed-component-absent": _removed_component_absent,
    "component-asked-and-removed": _asked_and_removed,
    "add-on-base-unsupported": _add_on_unsupported,
    "add-on-base-unknown": _add_on_unknown,
    "base-newer-than-add-on": _base_newer,
}


@pytest.mark.parametrize("case", [pytest.param(build(), id=name) for name, build in _CASES.items()])
def test_findings(case: Case) -> None:
    """Exactly these findings, word for word, and nothing else."""
    report = validate.validate(case.image, case.catalog, minimum_acceptance=case.minimum)
    assert _found(report) == list(case.findings)
    assert report.image_digest == case.image.digest
    assert report.is_valid is not any(finding["severity"] is Severity.ERROR for finding in case.findings)


@pytest.mark.parametrize("case", [pytest.param(build(), id=name) for name, build in _CASES.items()])
def test_findings_hold_of_what_they_name(case: Case) -> None:
    """With all that it does not name taken out, each finding is still there."""
    for finding in validate.validate(case.image, case.catalog, minimum_acceptance=case.minimum).findings:
        small = cut_down(case.image, finding)
        left = validate.validate(small, case.catalog, minimum_acceptance=case.minimum).findings
        assert (finding.code, finding.items) in {(other.code, other.items) for other in left}


def test_every_code_is_in_the_table() -> None:
    tested = {finding["code"] for build in _CASES.values() for finding in build().findings}
    assert set().union(*(codes_in(module) for module in (validate, lowered, vendor_mix))) <= tested


def _clean(version: str, **bulletin: Any) -> Stock:
    """A depot in which everything that could be wrong is right, by a hair."""
    stock = Stock()
    minor = ".".join(version.split(".")[:2])
    driver = stock.component(
        "Acme",
        "1.0-1",
        vib(
            "net-acme",
            depends=("esx-version", "esx-version >= 7.0.0", "vmkapi_2_9_0_0", "acme-api = 1.0", "net-acme"),
            conflicts=("net-acme", "tool << 1.0", "FirstConflict"),
            replaces=("net-acme << 1.0-1", "tool << 1.0", "old-acme"),
            provides=("acme-api = 1.0-7",),
            files=("usr/lib/acme", "usr/lib/acme"),
        ),
        vib("acme-cover", files=("usr/lib/acme",), overlay=True),
        vib("dpu-acme", files=("usr/lib/acme",), software_platforms=[SoftwarePlatform("8.0", "esxio")]),
        platforms=platforms(f"embeddedEsx {minor}.*", "esxio 6.5"),
    )
    tool = stock.component("Tool", "1.0-1", vib("tool", files=None), **bulletin)
    stock.base_image(driver, tool, version=version)
    stock.add_on(
        stock.driver("agent", acceptance_level=AcceptanceLevel.PARTNER, conflicts=("Tool",)),
        stock.component("Tool", "1.0-1"),
        release=("ACME-AddOn", version.replace(".", "")[:3] + ".1-A00"),
        removed_components=[],
    )
    return stock


@pytest.mark.parametrize("version", ["7.0.0-1.0.15843807", BASE_VERSION, _LATER, "9.0.2.0.25148076"])
def test_a_clean_image_has_no_findings(version: str) -> None:
    stock = _clean(version)
    image = _composed(stock, base_image=version, add_on=("ACME-AddOn", stock.add_ons[0].version.text))
    report = validate.validate(image, stock.catalog(), minimum_acceptance=AcceptanceLevel.PARTNER)
    assert _found(report) == []
    assert report.is_valid
    assert report.errors == ()


class TestCoreComponents:
    """They come from the base image as a whole."""

    def image(self, name: str, base: Vib, other: Vib, *, pinned: str = "") -> Image:
        stock = Stock()
        stock.base_image(stock.component(name, "1.0-1", base))
        stock.add_on(stock.component(name, "2.0-1", other))
        return _composed(stock, {name: pinned} if pinned else {})

    @pytest.mark.parametrize(
        ("name", "base", "other", "is_found"),
        [
            pytest.param("esx-update", vib("x"), vib("x", "2.0-1"), True, id="by name"),
            pytest.param("Loader", vib("loadesx"), vib("loadesx", "2.0-1"), True, id="by VIB"),
            pytest.param("Loader", vib("loadesx"), vib("other"), True, id="the base image's is core, the other is not"),
            pytest.param("Loader", vib("other"), vib("loadesx"), True, id="the other way round"),
            pytest.param("Driver", vib("x"), vib("x", "2.0-1"), False, id="none is core"),
        ],
    )
    def test_overridden(self, name: str, base: Vib, other: Vib, *, is_found: bool) -> None:
        codes = {finding.code for finding in validate.validate(self.image(name, base, other)).findings}
        assert ("core-component-overridden" in codes) is is_found

    def test_the_same_version_is_no_other(self) -> None:
        """The add-on's esx-update is overridden by a pin on the base image's own."""
        image = self.image("esx-update", vib("x"), vib("x", "2.0-1"), pinned="1.0-1")
        assert [finding.code for finding in validate.validate(image).findings] == ["component-lowered"]


class TestGunzipChecksums:
    """Who has to have them: every VIB of ESXi 8.0 and later."""

    @pytest.mark.parametrize(
        ("version", "is_found"),
        [
            pytest.param("7.0.3-0.120.23794019", False, id="7.0.3"),
            pytest.param("8.0.0-1.0.20513097", True, id="8.0.0"),
            pytest.param("9.1.1-0.25714478", True, id="9.1.1"),
            pytest.param("odd", False, id="no release known"),
        ],
    )
    def test_release(self, version: str, *, is_found: bool) -> None:
        image = _of_vibs(vib("a", payloads=[Payload(name="a", type="vgz")]), base=esx_base(version))
        codes = [finding.code for finding in validate.validate(image).findings]
        assert codes == (["missing-gunzip-checksum"] if is_found else [])

    @pytest.mark.parametrize("kind", ["boot", "vgz", "tgz", "vzstd"])
    def test_packed_types(self, kind: str) -> None:
        image = _of_vibs(vib("a", payloads=[Payload(name="a", type=kind)]), base=esx_base(_LATER))
        assert [finding.code for finding in validate.validate(image).findings] == ["missing-gunzip-checksum"]

    @pytest.mark.parametrize("kind", ["text", "upgrade", "boot_loader_efi", "something-new"])
    def test_other_types(self, kind: str) -> None:
        image = _of_vibs(vib("a", vendor="VMware", payloads=[Payload(name="a", type=kind)]), base=esx_base(_LATER))
        assert validate.validate(image).findings == ()


class TestFiles:
    """One overlay over one VIB is the only way to share a path."""

    @pytest.mark.parametrize(
        ("overlays", "is_found"),
        [
            pytest.param((False,), False, id="alone"),
            pytest.param((False, True), False, id="one covered by one"),
            pytest.param((False, False), True, id="two plain ones"),
            pytest.param((True, True), True, id="two overlays"),
            pytest.param((False, True, True), True, id="one covered by two"),
            pytest.param((False, False, True), True, id="two covered by one"),
        ],
    )
    def test_overlay(self, overlays: tuple[bool, ...], *, is_found: bool) -> None:
        vibs = [vib(f"v{number}", files=("etc/x",), overlay=flag) for number, flag in enumerate(overlays)]
        codes = [finding.code for finding in validate.validate(_of_vibs(*vibs)).findings]
        assert codes == (["file-conflict"] if is_found else [])


def test_a_vib_with_two_contents_does_not_clash_with_itself() -> None:
    """An image may hold one id twice only by hand; that is said elsewhere."""
    other = vib("a").with_file(VibFile(sha256="a" * 64))
    codes = {finding.code for finding in validate.validate(_of_vibs(vib("a"), other)).findings}
    assert "file-conflict" not in codes


class TestReport:
    """What callers do with it."""

    def report(self) -> ValidationReport:
        case = _removed_component_absent()
        broken = attrs.evolve(
            case.image, vibs=(*case.image.vibs, InstalledVib(vib=vib("a", depends=("x", "w"), conflicts=("esx-base",))))
        )
        return validate.validate(broken)

    def test_errors_first_then_by_code_and_items(self) -> None:
        findings = self.report().findings
        assert [(finding.severity.value, finding.code, finding.items[-1]) for finding in findings] == [
            ("error", "conflict", _BASE),
            ("error", "missing-dependency", "w"),
            ("error", "missing-dependency", "x"),
            ("warning", "removals-need-newer-vcenter", "net-acmee"),
            ("info", "removed-component-absent", "lpfc"),
            ("info", "removed-component-absent", "net-acmee"),
        ]

    def test_waived_by_code(self) -> None:
        report = self.report()
        assert not report.is_valid
        assert len(report.errors) == 3
        assert [finding.code for finding in report.errors_except(["missing-dependency"])] == ["conflict"]
        assert report.errors_except(["missing-dependency", "conflict", "vib-missing"]) == ()
        assert report.errors_except([]) == report.errors
