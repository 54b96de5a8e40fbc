"""Differences at four levels, each with its direction and its cause, and what a host goes through."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from support.memory_catalogs import Depot, Stock, depots, vib
from support.release_catalogs import AGENT, BNXT, DELL, LPFC, base_image, dell, part, shop, version_of

from esximage_builder.models.image import Image, ReservedVib, ReserveReason
from esximage_builder.models.vib import MaintenanceMode, SoftwarePlatform
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.diff import ChangeDirection, ImageDiff, Impact, ItemChange, diff

A08, A09 = "703.20328353-A08", "703.20328353-A09"
NEW_LPFC = "14.2.0.1-1OEM.700.1.0.15843807"
BASE_BNXT = "216.0.50.0-44vmw.703.0.0.1"


@pytest.fixture
def stock() -> Stock:
    made = shop(["7.0U3f", "7.0U3g"], [A08, A09])
    part(made, LPFC, NEW_LPFC, vib("lpfc", NEW_LPFC))
    return made


def image(stock: Stock, release: str, add_on: str = "", **fields: Any) -> Image:
    return compose(stock.catalog(), base_image=version_of(release), add_on=(DELL, add_on) if add_on else None, **fields)


def lines(changes: tuple[ItemChange, ...]) -> list[tuple[str, str, str]]:
    return [(change.name, change.direction.value, change.cause) for change in changes]


# Levels


def test_equal_images_differ_in_nothing(stock: Stock) -> None:
    difference = diff(image(stock, "7.0U3f", A08), image(stock, "7.0U3f", A08))

    assert difference == ImageDiff(change=difference.change)
    assert difference.is_empty
    assert difference.change.kind == "none"
    assert difference.impact is Impact.NO_IMPACT


def test_a_newer_base_image_under_the_same_add_on(stock: Stock) -> None:
    difference = diff(image(stock, "7.0U3f", A08), image(stock, "7.0U3g", A08))

    assert difference.base_image == ItemChange(
        name="ESXi",
        before=version_of("7.0U3f"),
        after=version_of("7.0U3g"),
        direction=ChangeDirection.RAISED,
        cause="another base image",
    )
    assert difference.add_on is None
    assert lines(difference.components) == [
        ("ESXi", "raised", "by the base image"),
        ("esx-update", "raised", "by the base image"),
    ]
    assert lines(difference.vibs) == [
        ("esx-base", "raised", "with component ESXi"),
        ("esx-update", "raised", "with component esx-update"),
        ("loadesx", "raised", "with component esx-update"),
    ]
    assert difference.change.kind == "patch"


def test_a_newer_add_on_on_the_same_base_image(stock: Stock) -> None:
    difference = diff(image(stock, "7.0U3f", A08), image(stock, "7.0U3f", A09))

    assert difference.base_image is None
    assert difference.add_on == ItemChange(
        name=DELL, before=A08, after=A09, direction=ChangeDirection.RAISED, cause="another add-on"
    )
    assert [(change.name, change.before, change.after) for change in difference.components] == [
        (BNXT, "222.0.118.0-1OEM.700.1.0.15843807", "222.0.155.0-1OEM.700.1.0.15843807")
    ]
    assert lines(difference.components) == [(BNXT, "raised", "by the add-on")]
    assert lines(difference.vibs) == [("bnxtnet", "raised", f"with component {BNXT}")]


def test_both_directions_are_told_apart(stock: Stock) -> None:
    forth = diff(image(stock, "7.0U3f", A08), image(stock, "7.0U3g", A09))
    back = diff(image(stock, "7.0U3g", A09), image(stock, "7.0U3f", A08))

    for one, other in zip((*forth.components, *forth.vibs), (*back.components, *back.vibs), strict=True):
        assert (one.name, one.before, one.after) == (other.name, other.after, other.before)
        assert (one.direction, other.direction) == ("raised", "lowered")
    assert back.base_image is not None
    assert back.base_image.direction == "lowered"
    assert back.add_on is not None
    assert back.add_on.direction == "lowered"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("", A08, (DELL, "", A08, "added"), id="put on"),
        pytest.param(A08, "", (DELL, A08, "", "removed"), id="taken off"),
        pytest.param(A09, A08, (DELL, A09, A08, "lowered"), id="lowered"),
    ],
)
def test_add_ons(stock: Stock, before: str, after: str, expected: tuple[str, str, str, str]) -> None:
    change = diff(image(stock, "7.0U3f", before), image(stock, "7.0U3f", after)).add_on

    assert change is not None
    assert (change.name, change.before, change.after, change.direction) == expected


def test_another_vendors_add_on_replaces(stock: Stock) -> None:
    stock.add_on(release=("LVO", "LVO.703.1"))
    catalog = stock.catalog()
    after = compose(catalog, base_image=version_of("7.0U3f"), add_on=("LVO", "LVO.703.1"))
    change = diff(image(stock, "7.0U3f", A08), after).add_on

    assert change is not None
    assert (change.name, change.before, change.after) == ("LVO", f"{DELL}:{A08}", "LVO.703.1")
    assert change.direction == "replaced"


def test_two_spellings_of_a_9_base_image_are_one() -> None:
    stock = Stock()
    base_image(stock, "9.0.2")
    one = compose(stock.catalog(), base_image="9.0.2-0.25148076")
    other = compose(stock.catalog(), base_image="9.0.2.0.25148076")

    assert diff(one, other).is_empty


# Causes


@pytest.mark.parametrize(
    ("before", "after", "name", "expected"),
    [
        pytest.param({}, {"add_on": A08}, BNXT, ("raised", "by the add-on, over the base image"), id="overridden"),
        pytest.param(
            {"add_on": A08},
            {},
            BNXT,
            ("lowered", "by the base image, no longer overridden by the add-on"),
            id="no longer overridden",
        ),
        pytest.param({}, {"add_on": A08}, AGENT, ("added", "by the add-on"), id="brought"),
        pytest.param({"add_on": A08}, {}, AGENT, ("removed", "no longer in the add-on"), id="no longer brought"),
        pytest.param(
            {}, {"components": {LPFC: NEW_LPFC}}, LPFC, ("raised", "by the user, over the base image"), id="user"
        ),
        pytest.param({}, {"removed_components": [LPFC]}, LPFC, ("removed", "by the user"), id="user removes"),
        pytest.param({"removed_components": [LPFC]}, {}, LPFC, ("added", "by the base image"), id="back again"),
    ],
)
def test_each_component_says_who_did_it(
    stock: Stock, before: dict[str, Any], after: dict[str, Any], name: str, expected: tuple[str, str]
) -> None:
    images = [image(stock, "7.0U3f", **fields) for fields in (before, after)]
    (change,) = (change for change in diff(*images).components if change.name == name)

    assert (change.direction, change.cause) == expected


def test_an_add_ons_removal_is_its_own() -> None:
    stock = shop(["7.0U3f"])
    dell(stock, A08, removed_components=[LPFC])
    difference = diff(image(stock, "7.0U3f"), image(stock, "7.0U3f", A08))

    assert (LPFC, "removed", "by the add-on") in lines(difference.components)
    assert ("lpfc", "removed", "its component is removed") in lines(difference.vibs)


def test_a_component_that_is_in_no_depot_says_so(stock: Stock) -> None:
    stock.add_on((LPFC, "99-1"), release=("ACME", "703.1"))
    after = compose(stock.catalog(), base_image=version_of("7.0U3f"), add_on=("ACME", "703.1"))

    assert lines(diff(image(stock, "7.0U3f"), after).components) == [
        (LPFC, "removed", "listed, but in no loaded depot")
    ]


def test_a_profile_is_the_cause_where_no_source_is_known(stock: Stock) -> None:
    composed = image(stock, "7.0U3f", A08)
    bulletins = [entry.component.bulletin.id for entry in composed.components]
    stock.profile("custom", composed.vibs_by_id, bulletin_ids=bulletins)
    opened = image_from_profile(stock.catalog(), "custom")

    raised = diff(image(stock, "7.0U3f"), opened)
    assert (BNXT, "raised", "as the image profile lists it") in lines(raised.components)
    gone = diff(opened, image(stock, "7.0U3f"))
    assert (AGENT, "removed", "no longer in the image profile") in lines(gone.components)
    assert (BNXT, "lowered", "by the base image") in lines(gone.components)
    assert ("dcism", "removed", f"with component {AGENT}") in lines(gone.vibs)


def test_a_vib_that_is_replaced_names_what_replaces_it() -> None:
    stock = shop(["7.0U3f"])
    stock.component("Acme-new", "1.0-1", vib("new", replaces=["lpfc"]))
    difference = diff(image(stock, "7.0U3f"), image(stock, "7.0U3f", components=["Acme-new"]))

    assert lines(difference.components) == [("Acme-new", "added", "by the user")]
    assert lines(difference.vibs) == [
        ("lpfc", "removed", "ACM_bootbank_new_1.0-1 replaces it"),
        ("new", "added", "with component Acme-new"),
    ]


def test_a_vib_whose_component_is_overridden_names_the_winner() -> None:
    stock = shop(["7.0U3f"])
    part(stock, LPFC, "99-1", vib("lpfc-next", "99-1"))
    difference = diff(image(stock, "7.0U3f"), image(stock, "7.0U3f", components=[LPFC]))

    assert ("lpfc", "removed", f"its component is overridden by {LPFC}:99-1") in lines(difference.vibs)


def test_every_reason_to_reserve_has_words(stock: Stock) -> None:
    before = image(stock, "7.0U3f")
    gone = before.vibs[0].vib
    for reason in ReserveReason:
        after = attrs.evolve(
            before, vibs=before.vibs[1:], reserved_vibs=[ReservedVib(vib=gone, reason=reason, winner="W")]
        )
        ((change),) = diff(before, after).vibs
        assert change.cause


# VIBs


def test_a_vib_of_another_vendor_takes_the_place_of_its_name() -> None:
    stock = shop(["7.0U3f"])
    part(stock, LPFC, "99-1", vib("lpfc", "14.169.26-5", vendor="EMU"))
    difference = diff(image(stock, "7.0U3f"), image(stock, "7.0U3f", components=[LPFC]))

    ((change),) = difference.vibs
    assert (change.name, change.after, change.direction) == ("lpfc", "14.169.26-5", "raised")


def test_equal_versions_with_other_contents_are_replaced() -> None:
    one, other = (Stock(vibs=[vib("odd", summary=summary)]) for summary in ("one", "other"))
    images = []
    for stock in (one, other):
        stock.profile("p", ["ACM_bootbank_odd_1.0-1"])
        images.append(image_from_profile(stock.catalog(), "p"))

    assert lines(diff(*images).vibs) == [("odd", "replaced", "as a stand-alone VIB")]


def test_two_versions_of_one_name_are_not_mixed_up() -> None:
    """Profiles put together by hand may hold both; one of them taken out is one change."""
    stock = Stock(vibs=[vib("twice", "1.0-1"), vib("twice", "2.0-1")])
    stock.profile("both", ["ACM_bootbank_twice_1.0-1", "ACM_bootbank_twice_2.0-1"])
    stock.profile("upper", ["ACM_bootbank_twice_2.0-1"])
    both, upper = (image_from_profile(stock.catalog(), name) for name in ("both", "upper"))

    assert [(c.before, c.after, c.direction.value) for c in diff(both, upper).vibs] == [("1.0-1", "", "removed")]
    assert [(c.before, c.after, c.direction.value) for c in diff(upper, both).vibs] == [("", "1.0-1", "added")]


@settings(max_examples=40)
@given(depots(), depots())
def test_what_is_not_named_is_equal(one: Depot, other: Depot) -> None:
    before, after = compose(one.catalog, one.spec), compose(other.catalog, other.spec)
    difference = diff(before, after)

    ids = {(e.component.id, e.component.name) for e in before.components} ^ {
        (e.component.id, e.component.name) for e in after.components
    }
    assert {change.name for change in difference.components} == {name for _, name in ids}
    unchanged = {entry.vib for entry in before.vibs} & {entry.vib for entry in after.vibs}
    assert {change.name for change in difference.vibs} == {
        entry.vib.name for entry in (*before.vibs, *after.vibs) if entry.vib not in unchanged
    }
    assert diff(before, before).is_empty


# What a host goes through

LIVE: dict[str, Any] = {"live_install_allowed": True, "live_remove_allowed": True}


@pytest.mark.parametrize(
    ("old", "new", "impact"),
    [
        pytest.param(LIVE, LIVE, "NO_IMPACT", id="both live"),
        pytest.param(LIVE, {}, "REBOOT_REQUIRED", id="new one not live"),
        pytest.param({}, LIVE, "REBOOT_REQUIRED", id="old one not live"),
        pytest.param(
            LIVE, LIVE | {"maintenance_mode": MaintenanceMode(required=True)}, "MAINTENANCE_MODE_REQUIRED", id="mode"
        ),
        pytest.param(
            LIVE | {"maintenance_mode": MaintenanceMode(required=True)},
            LIVE,
            "MAINTENANCE_MODE_REQUIRED",
            id="old mode",
        ),
        pytest.param(
            LIVE | {"maintenance_mode": MaintenanceMode(required=True, on_remove=False)},
            LIVE | {"maintenance_mode": MaintenanceMode(required=True, on_install=False)},
            "NO_IMPACT",
            id="refined to none",
        ),
        pytest.param(
            LIVE,
            LIVE | {"maintenance_mode": MaintenanceMode(on_install=True)},
            "MAINTENANCE_MODE_REQUIRED",
            id="refined to one",
        ),
        pytest.param(None, LIVE, "NO_IMPACT", id="added live"),
        pytest.param(LIVE, None, "NO_IMPACT", id="removed live"),
        pytest.param(None, {"live_remove_allowed": True}, "REBOOT_REQUIRED", id="added, only removable live"),
        pytest.param({"live_install_allowed": True}, None, "REBOOT_REQUIRED", id="removed, only installable live"),
        pytest.param(None, None, "NO_IMPACT", id="nothing"),
    ],
)
def test_the_flags_of_changing_vibs_tell_the_impact(
    old: dict[str, Any] | None, new: dict[str, Any] | None, impact: str
) -> None:
    images = []
    for version, fields in (("1.0-1", old), ("2.0-1", new)):
        stock = Stock()
        stock.vibs = [vib("stays"), *([] if fields is None else [vib("moves", version, **fields)])]
        stock.profile("p", [known.id for known in stock.vibs])
        images.append(image_from_profile(stock.catalog(), "p"))

    assert diff(*images).impact == impact


def test_one_vib_that_needs_a_reboot_is_enough(stock: Stock) -> None:
    assert diff(image(stock, "7.0U3f"), image(stock, "7.0U3g")).impact is Impact.REBOOT_REQUIRED


def test_a_base_image_comes_and_goes() -> None:
    """A profile of drivers alone installs no ESXi."""
    stock = Stock(vibs=[vib("lonely")])
    stock.profile("drivers", [stock.vibs[0].id])
    drivers, whole = image_from_profile(stock.catalog(), "drivers"), image(shop(["7.0U3f"]), "7.0U3f")

    for before, after, direction in ((drivers, whole, "added"), (whole, drivers, "removed")):
        change = diff(before, after).base_image
        assert change is not None
        assert change.direction == direction
    assert diff(drivers, drivers).base_image is None


DPU_ONLY = (SoftwarePlatform(product_line="esxio"),)
BOTH = (SoftwarePlatform(product_line="embeddedEsx"), SoftwarePlatform(product_line="esxio"))


@pytest.mark.parametrize(
    ("platforms", "impact"),
    [(DPU_ONLY, Impact.NO_IMPACT), (BOTH, Impact.REBOOT_REQUIRED), ((), Impact.REBOOT_REQUIRED)],
    ids=["processing units", "both", "any"],
)
def test_what_runs_on_data_processing_units_alone_reboots_no_host(
    stock: Stock, platforms: tuple[SoftwarePlatform, ...], impact: Impact
) -> None:
    part(stock, "tool", "1.0-1", vib("tool", "1.0-1", software_platforms=platforms))
    part(stock, "tool", "2.0-1", vib("tool", "2.0-1", software_platforms=platforms))
    images = [image(stock, "7.0U3g", components={"tool": version}) for version in ("1.0-1", "2.0-1")]

    assert diff(*images).impact is impact
    assert [change.name for change in diff(*images).vibs] == ["tool"], "it is named all the same"
