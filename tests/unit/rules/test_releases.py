"""Release names and ranges: what people write, and the base image that is meant."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given, strategies as st
from support.memory_catalogs import Stock
from support.release_catalogs import RELEASES, base_image, shop, version_of, without_names

from esximage_builder.errors import NotInDepotError, VersionSyntaxError
from esximage_builder.models.base_image import BaseImage
from esximage_builder.rules.releases import (
    KNOWN_RELEASES,
    KnownRelease,
    known_release,
    publication_date,
    release_date,
    release_name,
    release_name_of,
    resolve_base_image,
    select_base_images,
    train_of,
)
from esximage_builder.versions import BaseImageVersion, ProductRange, ReleaseName

KNOWN = {release.name: release for release in KNOWN_RELEASES}

# Names


@pytest.mark.parametrize(
    ("text", "major", "minor", "update", "letter", "is_security_only", "build"),
    [
        pytest.param("7.0U3g", 7, 0, 3, "g", False, None, id="short"),
        pytest.param("7.0 Update 3g", 7, 0, 3, "g", False, None, id="long"),
        pytest.param("7.0 U3g - 20328353", 7, 0, 3, "g", False, 20328353, id="as depots show it"),
        pytest.param("8.0 U3e - 24674464", 8, 0, 3, "e", False, 24674464, id="8.0 as depots show it"),
        pytest.param("8.0 Update 3 - 23174786", 8, 0, 3, "", False, 23174786, id="no letter, long"),
        pytest.param("ESXi 7.0 Update 3g", 7, 0, 3, "g", False, None, id="with the product"),
        pytest.param("ESXi-7.0U3g-20328353-standard", 7, 0, 3, "g", False, 20328353, id="profile name"),
        pytest.param("ESXi-7.0U3g-20328353-no-tools", 7, 0, 3, "g", False, 20328353, id="profile without tools"),
        pytest.param("7.0U3si", 7, 0, 3, "i", True, None, id="security-only"),
        pytest.param("7.0 Update 3si", 7, 0, 3, "i", True, None, id="security-only, long"),
        pytest.param("7.0bs", 7, 0, 0, "b", True, None, id="security-only, s behind"),
        pytest.param("7.0sb", 7, 0, 0, "b", True, None, id="security-only, s before"),
        pytest.param("7.0U3s", 7, 0, 3, "s", False, None, id="the letter s is no mark"),
        pytest.param("8.0b", 8, 0, 0, "b", False, None, id="no update"),
        pytest.param("8.0", 8, 0, 0, "", False, None, id="first of all"),
        pytest.param("8.0 GA - 20513097", 8, 0, 0, "", False, 20513097, id="GA"),
        pytest.param("7.0.0", 7, 0, 0, "", False, None, id="three numbers"),
        pytest.param(" 7.0u3G ", 7, 0, 3, "g", False, None, id="blanks and case"),
    ],
)
def test_names_are_read(
    text: str, major: int, minor: int, update: int, letter: str, *, is_security_only: bool, build: int | None
) -> None:
    name = ReleaseName(text)

    assert (name.major, name.minor, name.update, name.letter) == (major, minor, update, letter)
    assert (name.is_security_only, name.build) == (is_security_only, build)


@pytest.mark.parametrize(
    "text",
    [
        "", "7", "U3g", "7.0UU3", "7.0U3gg", "7.0U3ss", "7.0U3sgs", "8.0sbs",
        "7.0U3sis7", "7.0.3", "8.0.3", "9.0.2", "9.0.0.0100",
        "7.0.3-0.55.20328353", "7.0U3g - 12", "seven", "7.0 Update", "DEL-ESXi-703_20328353-A09", "7.0U3é", "7" * 300,
    ],
)  # fmt: skip
def test_what_is_no_release_name_is_refused(text: str) -> None:
    with pytest.raises(VersionSyntaxError) as caught:
        ReleaseName(text)

    assert caught.value.expected


@given(st.text(max_size=30))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        name = ReleaseName(text)
    except VersionSyntaxError:
        return
    assert ReleaseName(str(name)) == name


NAMES = st.builds(
    lambda major, minor, update, letter, mark: f"{major}.{minor}{update}{mark if letter else ''}{letter}",
    st.integers(5, 10),
    st.integers(0, 7),
    st.sampled_from(("", "U1", "U2", "U3", "U10")),
    st.sampled_from(("", *"abcdefghijklmnopqrtuvwxyz")),
    st.sampled_from(("", "s")),
)


@given(NAMES)
def test_a_name_prints_as_its_short_spelling(text: str) -> None:
    assert str(ReleaseName(text)) == text
    assert repr(ReleaseName(text)) == f"ReleaseName({text!r})"


@given(NAMES)
def test_both_spellings_are_one_name(text: str) -> None:
    long = text.replace("U", " Update ")

    assert ReleaseName(long) == ReleaseName(text)
    assert hash(ReleaseName(long)) == hash(ReleaseName(text))


@given(NAMES, NAMES)
def test_names_are_equal_exactly_if_they_say_the_same(one: str, other: str) -> None:
    assert (ReleaseName(one) == ReleaseName(other)) == (one == other)


def test_a_name_is_equal_to_no_text() -> None:
    assert ReleaseName("7.0U3g") != "7.0U3g"


@pytest.mark.parametrize(
    ("one", "other", "matches"),
    [
        pytest.param("7.0U3g", "7.0 U3g - 20328353", True, id="one without build"),
        pytest.param("8.0 U3e - 24674464", "8.0U3e - 24674464", True, id="equal builds"),
        pytest.param("8.0 U3e - 24674464", "8.0 U3e - 24677879", False, id="two builds of one name"),
        pytest.param("7.0U3i", "7.0U3si", False, id="the security-only sibling is another release"),
    ],
)
def test_names_match_unless_their_builds_differ(one: str, other: str, *, matches: bool) -> None:
    assert ReleaseName(one).matches(ReleaseName(other)) is matches
    assert ReleaseName(other).matches(ReleaseName(one)) is matches


@pytest.mark.parametrize(
    ("one", "other", "is_sibling"),
    [
        pytest.param("7.0U3i", "7.0U3si", True, id="siblings"),
        pytest.param("7.0b", "7.0bs", True, id="siblings without update"),
        pytest.param("7.0U3i", "7.0U3i", False, id="the same"),
        pytest.param("7.0U3g", "7.0U3si", False, id="another letter"),
        pytest.param("7.0U2i", "7.0U3si", False, id="another update"),
        pytest.param("7.0U3s", "7.0U3", False, id="the letter s"),
    ],
)
def test_siblings_differ_in_being_security_only(one: str, other: str, *, is_sibling: bool) -> None:
    assert ReleaseName(one).is_sibling_of(ReleaseName(other)) is is_sibling
    assert ReleaseName(other).is_sibling_of(ReleaseName(one)) is is_sibling


# The table of published releases


def test_every_published_version_is_of_its_product_and_build() -> None:
    for release in KNOWN_RELEASES:
        if release.version:
            version = BaseImageVersion(release.version)
            assert (version.product.base_version, version.build) == (release.product, release.build)


def test_no_build_and_no_name_stands_twice() -> None:
    assert len({release.build for release in KNOWN_RELEASES}) == len(KNOWN_RELEASES) == len(KNOWN)


def test_the_order_of_the_table_is_that_of_versions() -> None:
    versions = [BaseImageVersion(release.version) for release in KNOWN_RELEASES if release.version]

    assert versions == sorted(versions)
    assert [release.numbers for release in KNOWN_RELEASES] == sorted(release.numbers for release in KNOWN_RELEASES)


def test_names_of_the_table_are_of_their_product() -> None:
    for release in KNOWN_RELEASES:
        name = release.release_name
        if name is not None:
            assert (name.major, name.minor, name.update) == release.numbers
            assert str(name) == ("6.7" if release.name == "6.7.0" else release.name)
    assert {release.name for release in KNOWN_RELEASES if release.release_name is None} == {
        "8.0U2b-HP1", "9.0.0.0", "9.0.0.0100", "9.0.1", "9.0.2", "9.1.0", "9.1.0.0100", "9.1.0.0200", "9.1.1",
    }  # fmt: skip


def test_a_security_only_release_stands_just_before_its_sibling() -> None:
    siblings = [
        (one.name, other.name)
        for one, other in itertools.pairwise(KNOWN_RELEASES)
        if one.release_name is not None and one.release_name.is_security_only
    ]

    assert siblings == [
        ("7.0sb", "7.0b"), ("7.0U1sc", "7.0U1c"), ("7.0U2sc", "7.0U2c"), ("7.0U3sd", "7.0U3d"), ("7.0U3sf", "7.0U3f"),
        ("7.0U3si", "7.0U3i"), ("7.0U3sl", "7.0U3l"), ("7.0U3so", "7.0U3o"), ("7.0U3sq", "7.0U3q"),
        ("8.0U2sb", "8.0U2b"), ("8.0U3se", "8.0U3e"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        pytest.param("7.0U2e", "7.0U3c", id="7.0U2e has the higher build than 7.0U3c"),
        pytest.param("7.0U1e", "7.0U3c", id="7.0U1e too"),
        pytest.param("7.0U3i", "8.0", id="7.0U3i has the higher build than 8.0 GA"),
        pytest.param("7.0U3s", "8.0U1", id="and so have later patches of 7.0"),
        pytest.param("7.0U1e", "7.0U2", id="7.0U1e came after 7.0U2"),
    ],
)
def test_higher_builds_do_not_make_higher_releases(lower: str, higher: str) -> None:
    assert KNOWN[lower].build > KNOWN[higher].build
    assert KNOWN[higher].is_newer_than(KNOWN[lower])
    assert not KNOWN[lower].is_newer_than(KNOWN[higher])


def test_name_order_does_not_make_release_order() -> None:
    """By name the security-only release would win, as it did in tools that sort names."""
    assert max("ESXi-7.0U3si-20841705", "ESXi-7.0U3i-20842708") == "ESXi-7.0U3si-20841705"
    assert KNOWN["7.0U3i"].is_newer_than(KNOWN["7.0U3si"])


def test_releases_of_one_day_are_in_order() -> None:
    assert KNOWN["7.0U3si"].date == KNOWN["7.0U3i"].date
    assert KNOWN["8.0U2b"].is_newer_than(KNOWN["8.0U2sb"])


def test_a_release_is_not_newer_than_itself() -> None:
    assert not KNOWN["7.0U3g"].is_newer_than(KNOWN["7.0U3g"])


@pytest.mark.parametrize(
    ("name", "train"),
    [
        ("7.0U3g", (7, 0, 3)), ("8.0", (8, 0, 0)), ("9.0.0.0", (9, 0)), ("9.0.2", (9, 0)), ("9.1.1", (9, 1)),
    ],
)  # fmt: skip
def test_a_train_is_an_update_up_to_8_and_a_minor_release_after(name: str, train: tuple[int, ...]) -> None:
    assert KNOWN[name].train == train == train_of(train)


def test_every_base_image_is_of_the_train_that_its_row_says() -> None:
    for release in KNOWN_RELEASES:
        if release.version:
            assert BaseImageVersion(release.version).train == release.train


def test_a_version_is_known_by_product_and_build() -> None:
    assert known_release(BaseImageVersion("7.0.3-0.99.20036589")) == KNOWN["7.0U3f"]
    assert known_release(BaseImageVersion("7.0.2-0.0.20036589")) is None
    assert known_release(BaseImageVersion("7.0.3-0.50.20036588")) is None


# What a base image is called


def test_a_base_image_is_called_as_it_says_itself() -> None:
    unit = BaseImage(version=BaseImageVersion("7.0.3-0.55.20328353"), display_version="7.0 U3x - 1234567")

    assert str(release_name(unit)) == "7.0U3x"


@pytest.mark.parametrize("display", ["", "ESXi of ours", "9.0.2.0.25148076"])
def test_a_base_image_that_says_nothing_is_called_as_published(display: str) -> None:
    unit = BaseImage(version=BaseImageVersion("7.0.3-0.55.20328353"), display_version=display)

    assert str(release_name(unit)) == "7.0U3g"


@pytest.mark.parametrize("version", ["7.0.3-0.55.1", "9.0.2-0.25148076"])
def test_some_base_images_have_no_name(version: str) -> None:
    assert release_name(BaseImage(version=BaseImageVersion(version))) is None
    assert release_name_of(BaseImageVersion(version)) is None


def test_a_date_is_the_base_images_own_else_the_published_one() -> None:
    own = datetime(2022, 9, 8, tzinfo=UTC)
    unit = BaseImage(version=BaseImageVersion("7.0.3-0.55.20328353"), released_at=own)

    assert release_date(unit) == own
    assert release_date(attrs.evolve(unit, released_at=None)) == datetime(2022, 9, 1, tzinfo=UTC)
    assert publication_date(BaseImageVersion("7.0.2-0.0.17630552")) is None
    assert publication_date(BaseImageVersion("7.0.2-0.0.1")) is None


# Finding one in a catalog


@pytest.mark.parametrize("with_names", [True, False], ids=["display versions", "published names only"])
@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("7.0.3-0.55.20328353", "7.0U3g"),
        (" 7.0.3-0.55.20328353\n", "7.0U3g"),
        ("7.0U3g", "7.0U3g"),
        ("7.0 Update 3g", "7.0U3g"),
        ("7.0 U3g - 20328353", "7.0U3g"),
        ("ESXi-7.0U3g-20328353-standard", "7.0U3g"),
        ("7.0U3i", "7.0U3i"),
        ("7.0U3", "7.0U3"),
        ("8.0", "8.0"),
        ("8.0.0", "8.0"),
        ("8.0 GA", "8.0"),
        ("8.0U2b - 23305546", "8.0U2b"),
        ("8.0U2sb", "8.0U2sb"),
        ("8.0U3e", "8.0U3e"),
        ("8.0U3se", "8.0U3se"),
        ("9.0.2.0.25148076", "9.0.2"),
        ("9.0.2-0.25148076", "9.0.2"),
        ("9.0.2", "9.0.2"),
        ("9.0.0.0100", "9.0.0.0100"),
        ("9.1.1.0", "9.1.1"),
    ],
)
def test_a_name_finds_the_base_image(text: str, release: str, *, with_names: bool) -> None:
    catalog = shop(RELEASES).catalog()
    if not with_names:
        catalog = attrs.evolve(catalog, base_images=[without_names(unit) for unit in catalog.base_images])

    assert resolve_base_image(catalog, text).version.text == version_of(release)


def test_two_builds_of_one_name_are_refused_with_both() -> None:
    """8.0 U3b came in two builds on one day; the second one's full version is not published."""
    stock = shop(["8.0U3b"])
    twin = attrs.evolve(
        stock.base_images[0], version=BaseImageVersion("8.0.3-0.35.24262298"), display_version="8.0 U3b - 24262298"
    )
    stock.base_images.append(twin)

    with pytest.raises(NotInDepotError) as caught:
        resolve_base_image(stock.catalog(), "8.0U3b")

    assert caught.value.message == "8.0U3b fits 2 loaded base images"
    assert caught.value.found == ("8.0 U3b - 24262298 (8.0.3-0.35.24262298), 8.0 U3b - 24280767 (8.0.3-0.35.24280767)")
    assert caught.value.hint
    assert resolve_base_image(stock.catalog(), "8.0 U3b - 24280767").version.build == 24280767
    assert resolve_base_image(stock.catalog(), "8.0 U3b - 24262298").version.build == 24262298


def test_a_hot_patch_under_the_same_name_is_refused_with_both() -> None:
    catalog = shop(["8.0U2b", "8.0U2b HP1"]).catalog()

    with pytest.raises(NotInDepotError, match="fits 2") as caught:
        resolve_base_image(catalog, "8.0 Update 2b")

    assert "23305546" in caught.value.found
    assert "23465881" in caught.value.found


def test_an_express_patch_makes_a_short_9_name_ambiguous() -> None:
    stock = Stock()
    for version in ("9.0.0.0.24755229", "9.0.0.0100.24813472", "9.0.2-0.25148076"):
        stock.base_image(version=version)

    with pytest.raises(NotInDepotError, match="fits 2"):
        resolve_base_image(stock.catalog(), "9.0.0")
    assert resolve_base_image(stock.catalog(), "9.0.0.0").version.build == 24755229


def test_the_full_release_is_never_taken_for_its_security_only_sibling() -> None:
    """Not even where only the sibling is loaded; the error names it."""
    catalog = shop(["8.0U3se", "8.0U3"]).catalog()

    with pytest.raises(NotInDepotError) as caught:
        resolve_base_image(catalog, "8.0U3e")

    assert caught.value.hint == "loaded: 8.0U3 (8.0.3-0.0.24022510), 8.0U3se (8.0.3-0.65.24659227)"


@pytest.mark.parametrize("text", ["7.0U3", "7.0U3g - 99999999", "7.0.3-0.55.99999999", "7.0.3", "latest", "", "9.0.2"])
def test_what_is_not_loaded_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(NotInDepotError) as caught:
        resolve_base_image(shop(["7.0U3g"]).catalog(), text)

    assert "7.0.3-0.55.20328353" in caught.value.hint


def test_with_nothing_loaded_the_hint_says_what_to_do() -> None:
    with pytest.raises(NotInDepotError, match="no base image is loaded") as caught:
        resolve_base_image(Stock().catalog(), "7.0U3g")

    assert caught.value.hint == "no loaded depot holds any base image: open the depot that does"


# Ranges


@pytest.mark.parametrize(
    ("text", "releases"),
    [
        pytest.param(
            ">=7.0.3,<8",
            ["7.0U3", "7.0U3c", "7.0U3e", "7.0U3f", "7.0U3g", "7.0U3i", "7.0U3sq"],
            id="from an update to the next major",
        ),
        pytest.param("==7.0.2", ["7.0U2", "7.0U2a"], id="one update"),
        pytest.param("~=9.0.0", ["9.0.0.0100", "9.0.2"], id="one minor"),
        pytest.param(">=9.1", ["9.1.0", "9.1.1"], id="from a minor"),
        pytest.param("<6", [], id="nothing"),
        pytest.param("!=7.0.3,<8,>7.0.1", ["7.0U2", "7.0U2a"], id="with an exception"),
    ],
)
def test_a_range_selects_base_images_lowest_first(text: str, releases: list[str]) -> None:
    catalog = shop(RELEASES).catalog()

    chosen = select_base_images(catalog, text)

    assert [unit.version.text for unit in chosen] == [version_of(release) for release in releases]
    assert select_base_images(catalog, ProductRange(text)) == chosen


def test_a_range_can_leave_security_only_releases_out() -> None:
    catalog = shop(RELEASES).catalog()

    chosen = select_base_images(catalog, ">=7.0.3,<8", with_security_only=False)

    assert chosen[-1].version.text == version_of("7.0U3i")
    assert len(chosen) == len(select_base_images(catalog, ">=7.0.3,<8")) - 1


def test_the_highest_of_a_range_is_not_the_one_with_the_highest_build() -> None:
    catalog = shop(["7.0U3i", "8.0"]).catalog()

    chosen = select_base_images(catalog, ">=7")

    assert chosen[-1].version.text == version_of("8.0")
    assert max(chosen, key=lambda unit: unit.version.build).version.text == version_of("7.0U3i")


def test_a_base_image_without_a_name_is_not_left_out() -> None:
    stock = Stock()
    unit = base_image(stock, "9.0.2")

    assert select_base_images(stock.catalog(), ">=9", with_security_only=False) == (unit,)


@pytest.mark.parametrize("text", ["7.0U3g", ">=seven", "latest", "=>7.0.3", "7.0.3"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(VersionSyntaxError, match="is no range of releases"):
        select_base_images(shop(["7.0U3g"]).catalog(), text)


def test_a_range_prints_as_it_was_read() -> None:
    assert str(ProductRange(">=7.0.3,<8")) == ">=7.0.3,<8"
    assert repr(ProductRange(">=7.0.3,<8")) == "ProductRange('>=7.0.3,<8')"


def test_a_known_release_is_a_value() -> None:
    assert KnownRelease("7.0U3e", "7.0.3", 19898904, "", "2022-06-14") == KNOWN["7.0U3e"]
    assert KNOWN["7.0U3e"].released_at == datetime(2022, 6, 14, tzinfo=UTC)
