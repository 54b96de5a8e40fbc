"""Explaining: causes instead of names, decisions in sentences, levels with what follows."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from support.memory_catalogs import Stock, esx_base, vib
from support.release_catalogs import AGENT, BNXT, DELL, LPFC, base_image, dell, part, shop, version_of

from esximage_builder.findings import Finding, Severity
from esximage_builder.models.catalog import Catalog
from esximage_builder.models.image import Image
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.explain import (
    Explanation,
    RuleSet,
    explain_acceptance,
    explain_findings,
    explain_name,
    rule_set_of,
)
from esximage_builder.rules.validate import validate
from esximage_builder.vocabulary import AcceptanceLevel

A08 = "703.20328353-A08"
VMKLINUX = "built for the vmklinux drivers of ESXi 6.x and older; no base image since 7.0 has them"


def stock_with_api(*names: str) -> Stock:
    """7.0 U3f whose base VIB provides these names."""
    stock = Stock()
    version = version_of("7.0U3f")
    stock.base_image(stock.component("ESXi", version, esx_base(version, provides=names)), version=version)
    return stock


def explained(stock: Stock, *components: str, with_image: bool = True) -> tuple[Explanation, ...]:
    """What is said of 7.0 U3f with these components."""
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3f"), components=components)
    findings = validate(image, catalog).findings
    return explain_findings(findings, catalog=catalog, image=image if with_image else None)


def driver(stock: Stock, name: str, *depends: str, version: str = "1.0-1", **fields: Any) -> str:
    stock.component(name, version, vib(name.lower(), version, depends=depends, **fields))
    return name


# Drivers of another release


def test_sixty_old_drivers_are_one_cause() -> None:
    """Each asks for three things that ESXi 7.0 lacks: 180 findings, one explanation."""
    stock = stock_with_api("vmkapi_2_3_0_0", "vmkapi_2_9_0_0")
    names = [
        driver(stock, f"net-{number:02}", "com.vmware.driverAPI-9.2.3.0", "vmkapi_2_2_0_0", "vmklinux_9")
        for number in range(60)
    ]

    (entry,) = explained(stock, *names)

    assert (entry.code, entry.severity) == ("missing-dependency", Severity.ERROR)
    assert entry.cause == VMKLINUX
    assert entry.headline == (
        "60 VIBs ask for what the image does not have: ACM_bootbank_net-00_1.0-1, ACM_bootbank_net-01_1.0-1, "
        "ACM_bootbank_net-02_1.0-1 and 57 more"
    )
    assert len(entry.items) == 60
    assert entry.remedies == (
        (
            "nothing loaded replaces ACM_bootbank_net-00_1.0-1, ACM_bootbank_net-01_1.0-1, ACM_bootbank_net-02_1.0-1 "
            "and 57 more: take builds made for this base image, or leave them out"
        ),
    )


@pytest.mark.parametrize(
    ("wanted", "cause"),
    [
        pytest.param("com.vmware.driverAPI-9.2.3.0", VMKLINUX, id="vmklinux"),
        pytest.param(
            "vmkapi_2_2_0_0",
            "built for the driver interface of ESXi 6.x and older, vmkapi 2.2; the image provides vmkapi 2.6 to 2.9",
            id="6.x",
        ),
        pytest.param(
            "vmkapi_incompat_2_6_0_0",
            "built for the driver interface of ESXi 7.0, vmkapi 2.6; the image provides vmkapi 2.6 to 2.9",
            id="just 7.0",
        ),
        pytest.param(
            "vmkapi_incompat_2_8_0_0",
            "built for the driver interface of ESXi 7.0 or an update of it, vmkapi 2.8; "
            "the image provides vmkapi 2.6 to 2.9",
            id="an update of 7.0",
        ),
        pytest.param(
            "vmkapi_2_13_0_0",
            "built for the driver interface of ESXi 8.0.3, vmkapi 2.13; the image provides vmkapi 2.6 to 2.9",
            id="8.0 U3: 13 is more than 9",
        ),
        pytest.param(
            "vmkapi_3_0_0_0",
            "built for the driver interface of ESXi 9.0, vmkapi 3.0; the image provides vmkapi 2.6 to 2.9",
            id="9.0",
        ),
        pytest.param(
            "vmkapi_9_9_0_0",
            "built for the driver interface of ESXi after 9.0, vmkapi 9.9; the image provides vmkapi 2.6 to 2.9",
            id="nobody knows yet",
        ),
        pytest.param(
            "esx-version << 7.0.0",
            "made for other ESXi versions: it asks for esx-version << 7.0.0; the image is ESXi 7.0.3",
            id="version",
        ),
        pytest.param("acme-lib >= 2.0", "nothing in the image provides acme-lib", id="nothing of the kind"),
    ],
)
def test_an_interface_tells_what_a_driver_was_built_for(wanted: str, cause: str) -> None:
    stock = stock_with_api("vmkapi_2_6_0_0", "vmkapi_2_9_0_0", "esx-version = 7.0.3-0.50.20036589")
    name = driver(stock, "odd", wanted)

    (entry,) = explained(stock, name)

    assert entry.cause == cause
    assert entry.headline.startswith("ACM_bootbank_odd_1.0-1 requires ")


@pytest.mark.parametrize(
    ("provided", "tail"),
    [
        pytest.param(("vmkapi_2_9_0_0",), "; the image provides vmkapi 2.9", id="one"),
        pytest.param((), "", id="none"),
    ],
)
def test_what_the_image_provides_is_said_in_short(provided: tuple[str, ...], tail: str) -> None:
    stock = stock_with_api(*provided)
    (entry,) = explained(stock, driver(stock, "odd", "vmkapi_2_13_0_0"))

    assert entry.cause == f"built for the driver interface of ESXi 8.0.3, vmkapi 2.13{tail}"


def test_without_the_image_the_rest_is_still_said() -> None:
    stock = stock_with_api("vmkapi_2_9_0_0")
    (entry,) = explained(stock, driver(stock, "odd", "vmkapi_2_13_0_0"), with_image=False)

    assert entry.cause == "built for the driver interface of ESXi 8.0.3, vmkapi 2.13"


def test_other_base_images_are_no_remedy() -> None:
    """They provide the interface, and people have been told to add sixty of them."""
    stock = stock_with_api("vmkapi_2_9_0_0")
    base_image(stock, "8.0U3")
    stock.vibs = [known for known in stock.vibs if known.name != "esx-base" or known.version.text[0] == "7"]
    stock.vibs.append(esx_base(version_of("8.0U3"), provides=["vmkapi_2_13_0_0"]))
    (entry,) = explained(stock, driver(stock, "odd", "vmkapi_2_13_0_0"))

    assert "esx-base" not in " ".join(entry.remedies)


def test_the_nearest_replacement_is_named() -> None:
    """First other versions of the VIB, highest first, then drivers of the same devices; only what fits."""
    device = "PCIID 10ec8168"
    stock = stock_with_api("vmkapi_2_9_0_0")
    old = driver(stock, "net55-r8168", "vmkapi_2_2_0_0", version="8.045a-napi", tags=["driver", device])
    for version, needs in (("9.0-1", "vmkapi_2_9_0_0"), ("9.1-1", "vmkapi_2_9_0_0"), ("10.0-1", "vmkapi_3_0_0_0")):
        stock.driver("net55-r8168", version, depends=[needs])
    stock.driver("net-community", "1.2.7.0-1", tags=[device])
    stock.driver("net-other", "7-1", tags=["driver", "PCIID 80861521"])
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3f"), components={old: "8.045a-napi"})

    (entry,) = explain_findings(validate(image, catalog).findings, catalog=catalog, image=image)

    assert entry.remedies == (
        (
            "nearest replacement loaded for net55-r8168: ACM_bootbank_net55-r8168_9.1-1, "
            "ACM_bootbank_net55-r8168_9.0-1, ACM_bootbank_net-community_1.2.7.0-1"
        ),
    )


def test_what_fits_as_badly_is_no_replacement() -> None:
    stock = stock_with_api("vmkapi_2_9_0_0")
    one = driver(stock, "one", "vmkapi_2_2_0_0", tags=["PCIID 10ec8168"])
    other = driver(stock, "other", "vmkapi_2_2_0_0", tags=["PCIID 10ec8168"])

    (entry,) = explained(stock, one, other)

    assert entry.remedies == (
        (
            "nothing loaded replaces ACM_bootbank_one_1.0-1, ACM_bootbank_other_1.0-1: "
            "take builds made for this base image, or leave them out"
        ),
    )


def test_on_6_x_old_drivers_are_no_cause() -> None:
    stock = Stock()
    stock.vibs = [esx_base("6.7.0-0.0.8169922"), vib("old", depends=["com.vmware.driverAPI-9.2.3.0"])]
    stock.profile("custom", [known.id for known in stock.vibs])
    image = image_from_profile(stock.catalog(), "custom")

    (entry,) = explain_findings(validate(image).findings, image=image)

    assert entry.cause == "nothing in the image provides com.vmware.driverAPI-9.2.3.0"


def test_what_can_be_helped_by_adding_is_told_apart() -> None:
    """One VIB lacks an interface for good, the other a companion that is loaded."""
    stock = stock_with_api("vmkapi_2_9_0_0")
    never, soon = driver(stock, "never", "vmkapi_2_2_0_0"), driver(stock, "soon", "acme-lib")
    stock.vibs.append(vib("acme-lib"))

    by_item = {entry.items: entry for entry in explained(stock, never, soon)}

    assert by_item["ACM_bootbank_soon_1.0-1",].remedies == (
        "loaded and able to provide it: ACM_bootbank_acme-lib_1.0-1",
    )
    assert "made for this base image" in by_item["ACM_bootbank_never_1.0-1",].remedies[0]


def test_words_do_not_decide() -> None:
    """What a finding was built for stands in its facts: other words and items change no explanation of it."""
    stock = stock_with_api("vmkapi_2_9_0_0")
    driver(stock, "old", "vmkapi_2_2_0_0", "com.vmware.driverAPI-9.2.3.0")
    image = compose(stock.catalog(), base_image=version_of("7.0U3f"), components=["old"])
    findings = validate(image).findings
    reworded = [
        attrs.evolve(finding, items=finding.items[:1], message="m", cause="", remedy="") for finding in findings
    ]

    assert explain_findings(reworded, image=image) == explain_findings(findings, image=image)
    assert explain_findings(findings, image=image)[0].cause == VMKLINUX


def test_words_that_look_like_an_interface_are_no_fact() -> None:
    said = Finding(
        code="missing-dependency",
        severity=Severity.ERROR,
        message="m",
        items=("ACM_bootbank_a_1.0-1", "vmkapi_2_2_0_0"),
        cause="as the user says",
    )

    assert explain_findings([said])[0].cause == "as the user says"


def test_a_missing_dependency_tells_what_it_asks_for_by_name() -> None:
    stock = stock_with_api("vmkapi_2_9_0_0")
    driver(stock, "old", "vmkapi_2_2_0_0", "acme-lib >= 1.2")
    image = compose(stock.catalog(), base_image=version_of("7.0U3f"), components=["old"])

    assert [dict(finding.facts) for finding in validate(image).findings] == [
        {"vib": "ACM_bootbank_old_1.0-1", "requires": "acme-lib >= 1.2"},
        {
            "vib": "ACM_bootbank_old_1.0-1",
            "requires": "vmkapi_2_2_0_0",
            "interface": "vmkapi",
            "interface_version": "2.2",
        },
    ]


# Grouping


def finding(code: str, *items: str, cause: str = "", remedy: str = "", severity: str = "warning") -> Finding:
    return Finding(
        code=code,
        severity=Severity(severity),
        message=f"{code} {' '.join(items)}".strip(),
        items=items,
        cause=cause,
        remedy=remedy,
    )


def test_groups_are_by_severity_code_and_cause() -> None:
    explanations = explain_findings(
        [
            finding("b", "4", cause="x", severity="info"),
            finding("b", "3", cause="x"),
            finding("b", "1", cause="x", remedy="do this"),
            finding("b", "2", cause="y", remedy="do that"),
            finding("a", "5", cause="x"),
            finding("c", "6", cause="x", severity="error"),
            finding("b", "1", cause="x", remedy="do this"),
        ]
    )

    assert [(entry.severity.value, entry.code, entry.cause, entry.items) for entry in explanations] == [
        ("error", "c", "x", ("6",)),
        ("warning", "a", "x", ("5",)),
        ("warning", "b", "x", ("1", "3")),
        ("warning", "b", "y", ("2",)),
        ("info", "b", "x", ("4",)),
    ]
    assert explanations[2].remedies == ("do this",)
    assert explanations[2].headline == "3 findings: b of 1, 3"
    assert explanations[3].headline == "b 2"


def test_the_order_of_findings_does_not_matter() -> None:
    findings = [finding("b", "1", cause="x"), finding("a", cause="y"), finding("b", "0", cause="x")]

    assert explain_findings(findings) == explain_findings(findings[::-1])


def test_findings_without_items_are_counted() -> None:
    assert explain_findings([finding("odd-thing", cause="x")] * 2)[0].headline == "2 findings: odd thing"
    assert explain_findings([finding("missing-dependency", cause="x")])[0].cause == "x"


def test_lowered_components_are_one_cause() -> None:
    stock = shop(["7.0U3f"])
    for name in (BNXT, LPFC):
        part(stock, name, "1.0-1", vib(f"old-{name.lower()}", "1.0-1"))
    image = compose(stock.catalog(), base_image=version_of("7.0U3f"), components={BNXT: "1.0-1", LPFC: "1.0-1"})

    (entry,) = explain_findings(validate(image).findings)

    assert entry.items == (f"{BNXT}:1.0-1", f"{LPFC}:1.0-1")
    assert entry.cause == "a higher source overrides by name, whatever the version"


# Names


@pytest.fixture
def catalog() -> Catalog:
    stock = Stock()
    base_image(stock, "7.0U3f", part(stock, "VMware-lsuv2", "1.0-3"), part(stock, "gone", "1.0-1"))
    part(stock, LPFC, "14.2-1", vib("lpfc", "14.2-1"))
    part(stock, "extra", "1.0-1", vib("loose", "1.0-1", replaces=["old-tool"]), vib("bnxtnet", "1.0-1"))
    part(stock, "tool", "1.0-1", vib("old-tool"))
    dell(stock, A08, ("not-there", "1.0-1"), removed_components=["VMware-lsuv2"])  # type: ignore[arg-type]
    stock.component("half", "1.0-1", vib("half"))
    stock.vibs = [known for known in stock.vibs if known.name != "half"]
    return stock.catalog()


@pytest.fixture
def image(catalog: Catalog) -> Image:
    return compose(
        catalog,
        base_image=version_of("7.0U3f"),
        add_on=(DELL, A08),
        components={LPFC: None, "extra": "1.0-1", "tool": "1.0-1", "half": "1.0-1"},
        removed_components=["gone"],
    )


BASE_BNXT = "216.0.50.0-44vmw.703.0.0.1"
DELL_BNXT = "222.0.118.0-1OEM.700.1.0.15843807"


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        pytest.param(
            "ESXi", ["Component ESXi 7.0.3-0.50.20036589 comes from the base image."], id="listed by the base image"
        ),
        pytest.param(
            BNXT,
            [
                (
                    f"Component {BNXT} {DELL_BNXT} comes from the add-on, and overrides by name, whatever the version: "
                    f"it takes the place of {BASE_BNXT} of the base image."
                )
            ],
            id="overrides",
        ),
        pytest.param(
            LPFC,
            [
                (
                    f"Component {LPFC} 14.2-1 comes from the user, as the highest loaded version that fits, since the "
                    "version was left open: it takes the place of 14.0.169.26-5vmw.703.0.0.1 of the base image."
                )
            ],
            id="left open",
        ),
        pytest.param(
            "gone",
            [
                "Component gone is not in the image: the user removes it (it was 1.0-1 of the base image).",
                (
                    "VIB ACM_bootbank_gone_1.0-1 is reserved (carried, not installed): its component gone:1.0-1 is "
                    "removed."
                ),
            ],
            id="removed by the user",
        ),
        pytest.param(
            "VMware-lsuv2",
            ["Component VMware-lsuv2 is not in the image: the add-on removes it (it was 1.0-3 of the base image)."],
            id="removed by the add-on",
        ),
        pytest.param(
            "not-there",
            ["Component not-there:1.0-1 is wanted by the add-on, but no loaded depot has it."],
            id="in no depot",
        ),
        pytest.param(
            "lpfc",
            [
                f"VIB ACM_bootbank_lpfc_14.2-1 is installed with component {LPFC}:14.2-1 of the user.",
                (
                    "VIB ACM_bootbank_lpfc_14.0.169.26-5vmw.703.0.0.1 is reserved (carried, not installed): its "
                    f"component {LPFC}:14.0.169.26-5vmw.703.0.0.1 is overridden by {LPFC}:14.2-1."
                ),
            ],
            id="VIB by name",
        ),
        pytest.param(
            "ACM_bootbank_bnxtnet_1.0-1",
            [
                (
                    "VIB ACM_bootbank_bnxtnet_1.0-1 is reserved (carried, not installed): a higher version is "
                    f"installed, BCM_bootbank_bnxtnet_{DELL_BNXT}."
                )
            ],
            id="VIB by id, lower version",
        ),
        pytest.param(
            "old-tool",
            [
                (
                    "VIB ACM_bootbank_old-tool_1.0-1 is reserved (carried, not installed): ACM_bootbank_loose_1.0-1 "
                    "replaces it."
                )
            ],
            id="VIB replaced",
        ),
        pytest.param(
            "ACM_bootbank_half_1.0-1",
            ["VIB ACM_bootbank_half_1.0-1 is wanted by half:1.0-1, but no loaded depot has it."],
            id="VIB in no depot",
        ),
        pytest.param(
            "dcism",
            [
                (
                    f"VIB DEL_bootbank_dcism_4.1.0-8 is installed with component {AGENT}:4.1.0-8 of the add-on. "
                    "It is PartnerSupported and pulls the image down to that level."
                )
            ],
            id="VIB that pulls the level down",
        ),
        pytest.param("nobody", [], id="not known"),
    ],
)
def test_names_are_explained(image: Image, name: str, sentences: list[str]) -> None:
    assert list(explain_name(image, name)) == sentences


def test_a_profile_does_not_say_who_brought_what() -> None:
    stock = Stock()
    part(stock, "tool", "1.0-1", id="bulletin")
    stock.vibs.append(vib("alone"))
    stock.profile("p", [*(known.id for known in stock.vibs), "ACM_bootbank_lost_1-1"], bulletin_ids=["bulletin"])
    opened = image_from_profile(stock.catalog(), "p")

    assert explain_name(opened, "tool") == (
        "Component tool 1.0-1 is listed by the image profile, which does not say who brought it.",
        "VIB ACM_bootbank_tool_1.0-1 is installed with component tool:1.0-1.",
    )
    assert explain_name(opened, "alone") == ("VIB ACM_bootbank_alone_1.0-1 is installed as a stand-alone VIB.",)
    assert explain_name(opened, "ACM_bootbank_lost_1-1") == (
        "VIB ACM_bootbank_lost_1-1 is wanted by the profile, but no loaded depot has it.",
    )


# Levels


def at_level(**levels: AcceptanceLevel) -> Image:
    stock = Stock(vibs=[vib(name, acceptance_level=level) for name, level in levels.items()])
    stock.profile("p", [known.id for known in stock.vibs])
    return image_from_profile(stock.catalog(), "p")


def test_certified_images_have_nothing_to_explain() -> None:
    assert explain_acceptance(at_level(a=AcceptanceLevel.CERTIFIED)) is None
    assert explain_acceptance(at_level()) is None


def test_partner_vibs_are_named_as_information() -> None:
    entry = explain_acceptance(
        at_level(a=AcceptanceLevel.CERTIFIED, b=AcceptanceLevel.PARTNER, c=AcceptanceLevel.ACCEPTED)
    )

    assert entry == Explanation(
        code="acceptance-level",
        severity=Severity.INFO,
        headline="the image is PartnerSupported: ACM_bootbank_b_1.0-1 pulls it down",
        cause=(
            "an image is as low as its lowest VIB, and only hosts whose own level is PartnerSupported or lower take it"
        ),
        remedies=(),
        items=["ACM_bootbank_b_1.0-1"],
    )


def test_community_vibs_are_a_warning_with_what_follows() -> None:
    entry = explain_acceptance(
        at_level(a=AcceptanceLevel.PARTNER, b=AcceptanceLevel.COMMUNITY, c=AcceptanceLevel.COMMUNITY)
    )

    assert entry is not None
    assert entry.severity is Severity.WARNING
    assert entry.headline == (
        "the image is CommunitySupported: ACM_bootbank_b_1.0-1, ACM_bootbank_c_1.0-1 pull it down"
    )
    assert "set on the host first" in entry.cause
    assert "Secure Boot refuses community VIBs" in entry.cause
    assert entry.remedies


# Rule sets


def test_images_are_judged_by_the_rules_of_their_generation(image: Image) -> None:
    assert rule_set_of(image) is RuleSet.COMPONENTS
    assert rule_set_of(at_level(a=AcceptanceLevel.CERTIFIED)) is RuleSet.PROFILE
    for rules in RuleSet:
        assert rules.description


def test_a_6_7_profile_lacks_no_components() -> None:
    """Tools for 7.0 call 6.7 bundles broken for having no components; here those rules are not asked."""
    stock = Stock()
    stock.vibs = [esx_base("6.7.0-0.0.8169922"), vib("esx-update", "6.7.0-0.0.8169922"), vib("dcism")]
    stock.profile("DEL-ESXi-670", [known.id for known in stock.vibs])
    catalog = stock.catalog()
    image = image_from_profile(catalog, "DEL-ESXi-670")

    assert validate(image, catalog).findings == ()
    assert rule_set_of(image) is RuleSet.PROFILE
