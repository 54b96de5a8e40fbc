"""Recommending: whole specs that validate, and a reason for every candidate that was passed over."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from support.memory_catalogs import Stock, spec, vib
from support.release_catalogs import DELL, LPFC, base_image, codes, dell, part, shop, version_of

from esximage_builder.errors import ComposeError, NotInDepotError
from esximage_builder.models.catalog import Catalog
from esximage_builder.models.spec import SoftwareSpec
from esximage_builder.rules.compose import compose
from esximage_builder.rules.recommend import Recommendation, Suggestion, recommend
from esximage_builder.rules.validate import validate

A08, A09, A24, U3_A02 = "703.20328353-A08", "703.20328353-A09", "703.23794027-A24", "803.24280767-A02"
NEWER_SUGGESTED = "a newer candidate is suggested"


def current(release: str, add_on: str = "", **fields: Any) -> SoftwareSpec:
    wanted = spec(base_image=version_of(release), add_on=(DELL, add_on) if add_on else None)
    return attrs.evolve(wanted, **fields)


def shown(suggestion: Suggestion | None) -> tuple[str, str] | None:
    """Base image and add-on version of a suggestion."""
    if suggestion is None:
        return None
    add_on = suggestion.spec.add_on
    return suggestion.spec.base_image, "" if add_on is None else add_on.version.text


def pair(release: str, add_on: str = "") -> tuple[str, str]:
    return version_of(release), add_on


def reasons(answer: Recommendation) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(entry.base_image, entry.add_on.partition(":")[2]): entry.reasons for entry in answer.passed_over}


def require_complete(answer: Recommendation, catalog: Catalog) -> None:
    """Suggestions validate, and whatever is not suggested has a reason."""
    for suggestion in (answer.current_series, answer.latest):
        if suggestion is not None:
            assert validate(compose(catalog, suggestion.spec), catalog).is_valid
            assert not suggestion.change.is_downgrade
    assert all(entry.reasons for entry in answer.passed_over)
    suggested = {shown(answer.current_series), shown(answer.latest)}
    assert suggested.isdisjoint(reasons(answer))


# Without an add-on


@pytest.mark.parametrize(
    ("release", "series", "latest"),
    [
        pytest.param("7.0U2a", "7.0U3i", "8.0U3e", id="from the oldest"),
        pytest.param("7.0U3g", "7.0U3i", "8.0U3e", id="from the middle"),
        pytest.param("7.0U3i", None, "8.0U3e", id="from the newest of its series"),
        pytest.param("8.0U3b", "8.0U3e", "8.0U3e", id="one answer for both"),
        pytest.param("8.0U3e", None, None, id="from the newest of all"),
    ],
)
def test_latest_of_the_series_and_latest_of_all(release: str, series: str | None, latest: str | None) -> None:
    catalog = shop(["7.0U2a", "7.0U3f", "7.0U3g", "7.0U3i", "8.0U3", "8.0U3b", "8.0U3e"]).catalog()
    answer = recommend(catalog, current(release))

    assert shown(answer.current_series) == (None if series is None else pair(series))
    assert shown(answer.latest) == (None if latest is None else pair(latest))
    require_complete(answer, catalog)


def test_nothing_newer_is_an_answer() -> None:
    assert recommend(shop(["7.0U3f"]).catalog(), current("7.0U3f")) == Recommendation()


def test_the_highest_build_does_not_win() -> None:
    """7.0 U3i has a higher build than 8.0, and 7.0 U2e than 7.0 U3c."""
    stock = shop(["7.0U3c", "8.0U2b"])
    stock.base_image(version="7.0.2-0.30.99999999")
    answer = recommend(stock.catalog(), current("7.0U3c"))

    assert shown(answer.latest) == pair("8.0U2b")
    assert "7.0.2-0.30.99999999" not in {entry.base_image for entry in answer.passed_over}


def test_every_patch_between_is_passed_over_with_its_reason() -> None:
    answer = recommend(shop(["7.0U3c", "7.0U3e", "7.0U3f", "7.0U3g", "7.0U3i"]).catalog(), current("7.0U3c"))

    assert shown(answer.latest) == pair("7.0U3i")
    assert reasons(answer) == {pair(release): (NEWER_SUGGESTED,) for release in ("7.0U3g", "7.0U3f", "7.0U3e")}
    assert [entry.base_image for entry in answer.passed_over] == [
        version_of(release) for release in ("7.0U3g", "7.0U3f", "7.0U3e")
    ]


@pytest.mark.parametrize("releases", [["8.0U3b", "8.0U3se"], ["8.0U3b", "8.0U3se", "8.0U3e"]], ids=["alone", "sibling"])
def test_a_security_only_release_is_not_suggested(releases: list[str]) -> None:
    answer = recommend(shop(releases).catalog(), current("8.0U3b"))

    assert shown(answer.latest) in {None, pair("8.0U3e")}
    assert reasons(answer)[pair("8.0U3se")] == (
        "it is a security-only release; the full one of the same patch has more fixes",
    )


def test_a_security_only_release_follows_another() -> None:
    answer = recommend(shop(["8.0U2sb", "8.0U3se"]).catalog(), current("8.0U2sb"))

    assert shown(answer.latest) == pair("8.0U3se")


def test_from_security_only_to_its_full_sibling() -> None:
    answer = recommend(shop(["8.0U2sb", "8.0U2b"]).catalog(), current("8.0U2sb"))

    assert shown(answer.latest) == pair("8.0U2b")
    assert answer.latest is not None
    assert answer.latest.change.is_security_sibling


def test_a_release_older_by_date_is_passed_over() -> None:
    answer = recommend(shop(["7.0U3i", "8.0"]).catalog(), current("7.0U3i"))

    assert answer.latest is None
    ((reason,),) = reasons(answer).values()
    assert reason.startswith("ESXi:8.0.0-1.0.20513097 is older than ESXi:7.0.3-0.65.20842708")


def test_9_x_keeps_to_its_series() -> None:
    catalog = shop(["9.0.0.0100", "9.0.2", "9.1.0", "9.1.1"]).catalog()
    answer = recommend(catalog, current("9.0.0.0100"))

    assert (shown(answer.current_series), shown(answer.latest)) == (pair("9.0.2"), pair("9.1.1"))
    require_complete(answer, catalog)


def test_a_broken_candidate_is_passed_over_for_the_next() -> None:
    stock = shop(["7.0U3f", "7.0U3g"])
    base_image(stock, "7.0U3i", part(stock, "broken", "1-1", vib("broken", depends=["nothing-has-this"])))
    answer = recommend(stock.catalog(), current("7.0U3f"))

    assert shown(answer.latest) == pair("7.0U3g")
    (reason,) = reasons(answer)[pair("7.0U3i")]
    assert reason == "ACM_bootbank_broken_1.0-1 requires nothing-has-this, which the image does not have"


# With an add-on


@pytest.mark.parametrize(
    ("releases", "add_ons", "series", "latest"),
    [
        pytest.param(["7.0U3g"], [], ("7.0U3g", A08), ("7.0U3g", A08), id="a patch needs no other add-on"),
        pytest.param([], [A09], ("7.0U3f", A09), ("7.0U3f", A09), id="a newer add-on alone"),
        pytest.param(["7.0U3g"], [A09, A24], ("7.0U3g", A24), ("7.0U3g", A24), id="both: the highest add-on"),
        pytest.param(["8.0U3"], [], None, None, id="an update without an add-on for it"),
        pytest.param(["8.0U3"], [U3_A02], None, ("8.0U3", U3_A02), id="an upgrade with its add-on"),
        pytest.param(["8.0U3", "8.0U2b"], [U3_A02], None, ("8.0U3", U3_A02), id="another update has none"),
    ],
)
def test_base_image_and_add_on_move_together(
    releases: list[str], add_ons: list[str], series: tuple[str, str] | None, latest: tuple[str, str] | None
) -> None:
    catalog = shop(["7.0U3f", *releases], [A08, *add_ons]).catalog()
    answer = recommend(catalog, current("7.0U3f", A08))

    assert shown(answer.current_series) == (None if series is None else pair(*series))
    assert shown(answer.latest) == (None if latest is None else pair(*latest))
    require_complete(answer, catalog)


@pytest.mark.parametrize(
    ("release", "train"), [pytest.param("8.0U3", "803", id="8.x"), pytest.param("9.1.1", "910", id="9.x")]
)
def test_a_base_image_without_an_add_on_for_it_says_so(release: str, train: str) -> None:
    answer = recommend(shop(["7.0U3f", release], [A08]).catalog(), current("7.0U3f", A08))

    assert answer == Recommendation(passed_over=answer.passed_over)
    assert reasons(answer) == {pair(release): (f"no loaded version of the add-on DEL-ESXi is for {train}",)}


def test_a_declared_list_narrows_the_add_ons() -> None:
    stock = shop(["7.0U3f", "7.0U3g", "7.0U3i"], [A08])
    dell(stock, A24, supported_base_images=[version_of("7.0U3g")])
    answer = recommend(stock.catalog(), current("7.0U3f", A08))

    assert shown(answer.latest) == pair("7.0U3i", A08)
    assert reasons(answer)[pair("7.0U3g", A24)] == (NEWER_SUGGESTED,)


def test_another_vendors_add_on_is_no_candidate() -> None:
    stock = shop(["7.0U3f"], [A08])
    stock.add_on(release=("HPE-Custom-AddOn", "703.0.0.11.8.0-4"))

    assert recommend(stock.catalog(), current("7.0U3f", A08)) == Recommendation()


def test_an_add_on_never_goes_down() -> None:
    """Hosts refuse a lower add-on; here the current one is broken on the newer base image."""
    stock = shop(["7.0U3f"], [A08])
    dell(stock, A09, part(stock, "picky", "1-1", vib("picky", depends=["esx-version << 7.0.3-0.60"])))
    base_image(stock, "7.0U3i")
    answer = recommend(stock.catalog(), current("7.0U3f", A09))

    assert answer.latest is None
    assert reasons(answer)[pair("7.0U3i", A08)] == (
        "the add-on would go down from 703.20328353-A09, which hosts refuse",
    )
    assert "picky" in reasons(answer)[pair("7.0U3i", A09)][0]


def test_a_suggestion_carries_its_warnings() -> None:
    answer = recommend(shop(["7.0U3g", "7.0U3i"], [A08]).catalog(), current("7.0U3g", A08))

    assert answer.latest is not None
    assert codes(answer.latest.warnings) == ["base-newer-than-add-on"]


# What else the spec holds


def test_components_of_the_user_stay_with_a_warning_where_they_are_lower() -> None:
    stock = shop(["7.0U3f"])
    pinned = part(stock, LPFC, "14.0.170.0-1OEM.700.1.0.15843807", vib("lpfc", "14.0.170.0-1OEM.700.1.0.15843807"))
    newer = part(stock, LPFC, "14.4.0.0-1vmw.703.0.0.1", vib("lpfc", "14.4.0.0-1vmw.703.0.0.1"))
    stock.base_image(("ESXi", version_of("7.0U3f")), newer, version=version_of("7.0U3g"))
    wanted = spec({LPFC: pinned.version.text}, base_image=version_of("7.0U3f"))
    answer = recommend(stock.catalog(), wanted)

    assert answer.latest is not None
    assert answer.latest.spec.components == wanted.components
    assert codes(answer.latest.warnings) == ["component-lowered"]
    assert answer.latest.lowered_components == ()


def test_a_candidate_with_a_lower_component_is_passed_over() -> None:
    stock = shop(["7.0U3f"])
    stock.base_image(
        ("ESXi", version_of("7.0U3f")), part(stock, LPFC, "1.0-1", vib("lpfc", "1.0-1")), version=version_of("7.0U3g")
    )
    answer = recommend(stock.catalog(), current("7.0U3f"))

    assert answer.latest is None
    assert reasons(answer)[pair("7.0U3g")] == (
        "Broadcom-lpfc would go down from 14.0.169.26-5vmw.703.0.0.1 to 1.0-1, which hosts refuse",
    )


def test_a_lower_vib_in_a_component_that_is_not_lower_is_named() -> None:
    stock = shop(["7.0U3f"])
    stock.base_image(
        ("ESXi", version_of("7.0U3f")), part(stock, LPFC, "99.0-1", vib("lpfc", "1.0-1")), version=version_of("7.0U3g")
    )
    answer = recommend(stock.catalog(), current("7.0U3f"))

    assert answer.latest is not None
    assert answer.latest.lowered_components == (LPFC,)


def test_removals_and_the_rest_of_the_spec_are_kept() -> None:
    wanted = current("8.0U3", removed_components=[LPFC], extra=(("note", '"kept"'),))
    answer = recommend(shop(["8.0U3", "8.0U3b"]).catalog(), wanted)

    assert answer.latest is not None
    assert answer.latest.spec == attrs.evolve(wanted, base_image=version_of("8.0U3b"))


def test_what_can_no_longer_be_composed_is_passed_over() -> None:
    stock = shop(["7.0U3f", "7.0U3g"])
    stock.base_image(part(stock, LPFC, "9-1", vib("esx-update", "9-1")), version=version_of("7.0U3i"))
    answer = recommend(stock.catalog(), current("7.0U3f", removed_components=[LPFC]))

    assert shown(answer.latest) == pair("7.0U3g")
    assert reasons(answer)[pair("7.0U3i")] == (f"the spec removes the core component {LPFC}",)


def test_release_names_are_taken_and_versions_given() -> None:
    answer = recommend(shop(["7.0U3f", "7.0U3g"]).catalog(), spec(base_image="7.0 Update 3f"))

    assert shown(answer.latest) == pair("7.0U3g")


def test_the_order_of_loading_does_not_matter() -> None:
    releases, add_ons = ["7.0U3f", "7.0U3g", "7.0U3i", "8.0U3", "8.0U3b"], [A08, A09, A24, U3_A02]
    forwards = recommend(shop(releases, add_ons).catalog(), current("7.0U3f", A08))
    backwards = recommend(shop(releases[::-1], add_ons[::-1]).catalog(), current("7.0U3f", A08))

    assert forwards == backwards


def test_the_current_image_has_to_be_loaded() -> None:
    with pytest.raises(NotInDepotError):
        recommend(shop(["7.0U3f"]).catalog(), current("7.0U3g"))
    with pytest.raises(NotInDepotError):
        recommend(shop(["7.0U3f"]).catalog(), current("7.0U3f", A08))


def test_the_current_image_has_to_be_possible() -> None:
    with pytest.raises(ComposeError):
        recommend(shop(["7.0U3f"]).catalog(), current("7.0U3f", removed_components=["ESXi"]))


def test_an_empty_stock_has_no_current_image() -> None:
    with pytest.raises(NotInDepotError):
        recommend(Stock().catalog(), current("7.0U3f"))
