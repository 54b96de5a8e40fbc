"""Versions: each kind has one total order, prints what was read, and gets the real pairs right."""

from __future__ import annotations

import contextlib
import copy
import itertools
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings, strategies as st
from support import schema_strategies as strategies

from esximage_builder.errors import ModelError, VersionSyntaxError
from esximage_builder.versions import (
    AddOnVersion,
    BaseImageVersion,
    ComponentVersion,
    ProductVersion,
    VibVersion,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = (VibVersion, ComponentVersion, AddOnVersion, BaseImageVersion)

ASCENDING_VIB_VERSIONS = [
    pytest.param("0.35", "0.100", id="numbers-not-text"),
    pytest.param("1.0", "1.0-1", id="release-after-none"),
    pytest.param("7.0.0", "7.0.0-1.0.15843807", id="shorter-is-smaller"),
    pytest.param("7.0.0-1.0", "7.0.0-1.0.15843807", id="esx-update-lower-bound"),
    pytest.param("7.0.0-1.0.15843807", "7.0.0-1.1", id="esx-update-upper-bound"),
    pytest.param("7.0.3-0.20.19193900", "7.0.3-0.55.20328353", id="patch"),
    pytest.param("7.0.2-0.40.19290878", "7.0.3-0.20.19193900", id="reverse-build-u2e-u3c"),
    pytest.param("7.0.3-0.65.20842708", "8.0.0-1.0.20513097", id="reverse-build-u3i-8.0"),
    pytest.param("8.0.3-0.35.24280767", "8.0.3-0.100.25429389", id="8.0u3b-before-u3k"),
    pytest.param("8.0.3-0.100.25429389", "8.0.3-0.102.25595708", id="base-moves-alone"),
    pytest.param("1.8.1.16-1vmw.700.1.0.15843807", "1.12.3.0-1OEM.700.1.0.15843807", id="i40en"),
    pytest.param("1.11.4.6-1vmw.803.0.0.24022510", "2.8.4.0-1OEM.803.0.0.24022510", id="oem-over-inbox"),
    pytest.param("4.0.1-1vmw.700.1.0.15843807", "4.1.9.0-1OEM.700.1.0.15525992", id="qlnativefc"),
    pytest.param("12.4.293.2-3vmw.700.1.0.1", "12.6.147.6-1OEM.700.0.0.14828939", id="lpfc"),
    pytest.param("5.0.305.0-1OEM.700.1.0.15843807", "5.0.402.0-1OEM.700.1.0.15843807", id="e4-cna"),
    pytest.param("11.0.5.15389592-15843807", "12.4.0.23259341-24022510", id="tools-light"),
    pytest.param("2.0.17-1vmw.803.0.0.1", "2.0.17-10vmw.803.0.0.1", id="digit-run-before-letters"),
    pytest.param("1.0-1OEM", "1.0-1vmw", id="letters-as-ascii"),
    pytest.param("1.0-vmw", "1.0-1", id="letter-before-digit"),
    pytest.param("v1.3-0", "1.0-0", id="leading-v-before-digit"),
    pytest.param("v1.3-0", "v1.10-0", id="leading-v"),
    pytest.param("8.044-napi", "8.045a-napi", id="napi"),
    pytest.param(
        "1.46.0.E.41.1.326-2vmw.803.0.0.0.23797590", "1.46.1.A-1vmw.803", id="longer-than-the-template-allows"
    ),
]
EQUAL_VIB_VERSIONS = [
    pytest.param("1.0-01", "1.0-1", id="leading-zero"),
    pytest.param("9.011.00-10", "9.11.0-10", id="leading-zeros"),
    pytest.param("1.0-0200.5", "1.0-200.5", id="patch-field"),
]
ASCENDING_BASE_IMAGES = [
    "6.7.0-0.0.8169922",
    "7.0.0-1.0.15843807",
    "7.0.0-1.25.16324942",
    "7.0.1-0.0.16850804",
    "7.0.2-0.0.17630552",
    "7.0.2-0.0.17867351",
    "7.0.2-0.40.19290878",
    "7.0.3-0.0.18644231",
    "7.0.3-0.5.18825058",
    "7.0.3-0.20.19193900",
    "7.0.3-0.35.19482537",
    "7.0.3-0.50.20036589",
    "7.0.3-0.55.20328353",
    "7.0.3-0.65.20842708",
    "7.0.3-0.120.23794019",
    "8.0.0-1.0.20513097",
    "8.0.2-0.25.23305545",
    "8.0.2-0.30.23305546",
    "8.0.2-0.30.23465881",
    "8.0.2-0.40.23825572",
    "8.0.3-0.35.24280767",
    "8.0.3-0.65.24659227",
    "8.0.3-0.70.24674464",
    "8.0.3-0.100.25429389",
    "8.0.3-0.102.25595708",
    "9.0.2-0.25148076",
    "9.1.0.0.25370933",
    "9.1.0.0100.25433460",
    "9.1.0-0200.25557999",
    "9.1.1.0.25714478",
]
ASCENDING_ADD_ONS = [
    pytest.param("803.0.0.11.7.0-23", "803.0.0.11.8.0-6", id="hpe"),
    pytest.param("703.20328353.A08", "703.20328353.A09", id="dell"),
    pytest.param("703_20328353-A09", "703_23794027-A24", id="dell-underscore"),
    pytest.param("703.0.0.11.3.5.9", "703.0.0.11.4.0.5", id="hpe-twins"),
    pytest.param("LVO.803.9.1", "LVO.803.12.1", id="lenovo"),
]


@pytest.mark.parametrize(("lower", "higher"), ASCENDING_VIB_VERSIONS)
@pytest.mark.parametrize("kind", [VibVersion, ComponentVersion])
def test_real_pairs_are_in_order(kind: type[VibVersion], lower: str, higher: str) -> None:
    assert kind(lower) < kind(higher)
    assert kind(higher) > kind(lower)
    assert kind(lower) != kind(higher)


@pytest.mark.parametrize(("one", "other"), EQUAL_VIB_VERSIONS)
def test_different_texts_can_be_equal_versions(one: str, other: str) -> None:
    assert VibVersion(one) == VibVersion(other)
    assert hash(VibVersion(one)) == hash(VibVersion(other))
    assert VibVersion(one).text != VibVersion(other).text


@pytest.mark.parametrize(("lower", "higher"), ASCENDING_ADD_ONS)
def test_add_ons_of_one_vendor_are_in_order(lower: str, higher: str) -> None:
    assert AddOnVersion(lower) < AddOnVersion(higher)


def test_published_base_images_are_in_order() -> None:
    versions = [BaseImageVersion(text) for text in ASCENDING_BASE_IMAGES]
    backwards = versions[::-1]
    assert sorted(backwards) == versions
    assert all(lower < higher for lower, higher in itertools.pairwise(versions))


def test_a_higher_build_does_not_make_a_higher_version() -> None:
    u2e, u3c = BaseImageVersion("7.0.2-0.40.19290878"), BaseImageVersion("7.0.3-0.20.19193900")
    assert u2e.build > u3c.build
    assert u2e < u3c


@pytest.mark.parametrize(
    ("hyphen", "dots"),
    [
        pytest.param("9.0.2-0.25148076", "9.0.2.0.25148076", id="9.0.2"),
        pytest.param("9.1.0-0200.25557999", "9.1.0.0200.25557999", id="express-patch"),
        pytest.param("9.1.0-0200.25557999", "9.1.0.200.25557999", id="leading-zero"),
    ],
)
def test_both_spellings_of_a_9_release_are_one_version(hyphen: str, dots: str) -> None:
    assert BaseImageVersion(hyphen) == BaseImageVersion(dots)
    assert hash(BaseImageVersion(hyphen)) == hash(BaseImageVersion(dots))
    assert str(BaseImageVersion(hyphen)) == hyphen
    assert str(BaseImageVersion(dots)) == dots


@pytest.mark.parametrize(
    ("text", "fields", "train", "product"),
    [
        pytest.param("8.0.3-0.70.24674464", (8, 0, 3, 0, 70, 24674464), (8, 0, 3), "8.0.3", id="8.0u3e"),
        pytest.param("7.0.0-1.0.15843807", (7, 0, 0, 1, 0, 15843807), (7, 0, 0), "7.0.0", id="7.0"),
        pytest.param("9.0.2-0.25148076", (9, 0, 2, 0, 25148076), (9, 0), "9.0.2", id="9.0"),
        pytest.param("9.1.0.0100.25433460", (9, 1, 0, 100, 25433460), (9, 1), "9.1.0", id="9.1"),
    ],
)
def test_a_base_image_version_has_fields(
    text: str, fields: tuple[int, ...], train: tuple[int, ...], product: str
) -> None:
    version = BaseImageVersion(text)
    assert version.fields == fields
    assert (version.major, version.minor, version.update, version.build) == (*fields[:3], fields[-1])
    assert version.train == train
    assert version.product == ProductVersion(product)


@pytest.mark.parametrize(
    ("text", "upstream", "release"),
    [
        pytest.param("1.11.4.6-1vmw.803.0.0.24022510", "1.11.4.6", "1vmw.803.0.0.24022510", id="usual"),
        pytest.param("8.045a-napi", "8.045a", "napi", id="release-of-letters"),
        pytest.param("v1.3-0", "v1.3", "0", id="leading-letter"),
        pytest.param("2.4.5", "2.4.5", None, id="no-release"),
        pytest.param("1-2-3", "1", "2-3", id="two-hyphens"),
        pytest.param("1.0-", "1.0", "", id="empty-release"),
    ],
)
def test_a_version_splits_at_the_first_hyphen(text: str, upstream: str, release: str | None) -> None:
    version = VibVersion(text)
    assert (version.upstream, version.release) == (upstream, release)
    assert version.upstream_key == VibVersion(upstream).upstream_key


@pytest.mark.parametrize("kind", [VibVersion, ComponentVersion, AddOnVersion])
@pytest.mark.parametrize("text", ["", " ", "-1", ".1", "1 0", "1/0", "1\n", "ä", "1\x00", "1" * 257])
def test_what_is_no_version_is_refused(kind: type[VibVersion], text: str) -> None:
    with pytest.raises(VersionSyntaxError) as caught:
        kind(text)
    assert caught.value.expected.startswith("a ")
    assert len(caught.value.found) <= 120


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7.0U3g",
        "7.0.3",
        "7.0.3-0",
        "7.0.3-0.a.1",
        "7.0.3-0.0.1.2",
        "7.0.3-0.0.1-1",
        "v7.0.3-0.0.1",
        "\uff17.0.3-0.0.1",
    ],
)
def test_what_is_no_base_image_version_is_refused(text: str) -> None:
    with pytest.raises(VersionSyntaxError):
        BaseImageVersion(text)


@pytest.mark.parametrize("kind", KINDS)
def test_only_like_compares_with_like(kind: Callable[[str], Any]) -> None:
    version = kind("7.0.3-0.55.20328353")
    for other in (
        *(other("7.0.3-0.55.20328353") for other in KINDS if other is not kind),
        "7.0.3-0.55.20328353",
        7,
        None,
    ):
        assert version != other
        with pytest.raises(TypeError):
            version < other  # noqa: B015
        with pytest.raises(TypeError):
            version >= other  # noqa: B015


@pytest.mark.parametrize("kind", KINDS)
def test_a_version_is_a_value(kind: Callable[[str], Any]) -> None:
    version = kind("7.0.3-0.055.20328353")
    assert repr(version) == f"{type(version).__name__}('7.0.3-0.055.20328353')"
    assert not hasattr(version, "__dict__")
    for clone in (copy.copy(version), copy.deepcopy(version), pickle.loads(pickle.dumps(version))):  # noqa: S301
        assert clone == version
        assert type(clone) is type(version)
        assert clone.text == version.text
    with pytest.raises(ModelError, match="cannot be changed"):
        version.text = "1"
    with pytest.raises(ModelError, match="cannot be changed"):
        del version.text
    assert version.text == "7.0.3-0.055.20328353"


ANY_VERSION = st.one_of(
    strategies.version_texts().map(VibVersion),
    st.text("0123456789.-aZ_", min_size=1, max_size=8).filter(lambda text: text[0] not in ".-").map(VibVersion),
)


@given(strategies.version_texts())
def test_printing_gives_the_text_back(text: str) -> None:
    for kind in (VibVersion, ComponentVersion, AddOnVersion):
        assert str(kind(text)) == text
        assert kind(str(kind(text))) == kind(text)


@settings(max_examples=200)
@given(ANY_VERSION, ANY_VERSION)
@example(VibVersion("1.0-01"), VibVersion("1.0-1"))
@example(VibVersion("1."), VibVersion("1"))
@example(VibVersion("1-"), VibVersion("1"))
def test_of_two_versions_exactly_one_relation_holds(one: VibVersion, other: VibVersion) -> None:
    assert [one < other, one == other, one > other].count(True) == 1
    assert (one < other) == (other > one)
    assert (one <= other) == (one < other or one == other)
    assert (one == other) == (other == one)
    if one == other:
        assert hash(one) == hash(other)


@settings(max_examples=200)
@given(st.tuples(ANY_VERSION, ANY_VERSION, ANY_VERSION))
def test_the_order_is_transitive(three: tuple[VibVersion, VibVersion, VibVersion]) -> None:
    for one, two, last in itertools.permutations(three):
        if one <= two <= last:
            assert one <= last
        if one < two <= last or one <= two < last:
            assert one < last
        if one == two == last:
            assert one == last


@given(st.lists(ANY_VERSION, max_size=6), st.randoms(use_true_random=False))
def test_sorting_agrees_with_equality_and_hash(versions: list[VibVersion], random: Any) -> None:
    shuffled = list(versions)
    random.shuffle(shuffled)
    assert sorted(shuffled) == sorted(versions)
    assert len({*versions}) == len([*itertools.groupby(sorted(versions))])


@settings(max_examples=200)
@given(strategies.base_image_versions(), strategies.base_image_versions())
def test_base_images_are_ordered_by_their_numbers(one: BaseImageVersion, other: BaseImageVersion) -> None:
    assert (one < other) == (one.fields < other.fields)
    assert (one == other) == (one.fields == other.fields)
    assert str(one) == one.text
    if one == other:
        assert hash(one) == hash(other)


@given(strategies.version_texts())
def test_a_version_is_followed_by_what_extends_it(text: str) -> None:
    assert VibVersion(text) < VibVersion(f"{text}.0")


@given(st.text(max_size=20))
def test_any_text_is_a_version_or_refused(text: str) -> None:
    for kind in KINDS:
        with contextlib.suppress(VersionSyntaxError):
            assert str(kind(text)) == text
