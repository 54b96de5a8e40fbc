"""Which provides meet which constraints, and who provides what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st
from support.memory_catalogs import constraint, provide, vib

from esximage_builder.errors import ModelError
from esximage_builder.models.constraint import Constraint
from esximage_builder.rules.relations import ProvideIndex, is_met_by, provides_of, replaces_vib
from esximage_builder.versions import VibVersion
from esximage_builder.vocabulary import Relation

if TYPE_CHECKING:
    from esximage_builder.models.vib import Vib

_GA = "7.0.0-1.0.15843807"


@pytest.mark.parametrize(
    ("wanted", "offered", "expected"),
    [
        # Without a release part, the version part alone counts; for every relation.
        pytest.param("esx-version = 7.0.0", _GA, True, id="no release: equal"),
        pytest.param("esx-version <= 7.0.0", _GA, True, id="no release: at most"),
        pytest.param("esx-version >= 7.0.0", _GA, True, id="no release: at least"),
        pytest.param("esx-version << 7.0.0", _GA, False, id="no release: not less than itself"),
        pytest.param("esx-version >> 7.0.0", _GA, False, id="no release: not greater than itself"),
        pytest.param("esx-version << 7.1.0", _GA, True, id="no release: less than the next"),
        pytest.param("esx-version >= 6.6.0", _GA, True, id="no release: tools on any later ESXi"),
        pytest.param("esx-version >= 7.0.1", _GA, False, id="no release: not yet"),
        pytest.param("esx-version = 7.0", _GA, False, id="no release: 7.0 is shorter than 7.0.0, not equal"),
        pytest.param("esx-version << 7.0.0.0", _GA, True, id="no release: the longer list is greater"),
        # With a release part, a list that begins another is smaller.
        pytest.param("esx-base >= 7.0.0-1.0", _GA, True, id="release cut short: at least"),
        pytest.param("esx-base << 7.0.0-1.1", _GA, True, id="release cut short: less than the next"),
        pytest.param("esx-base = 7.0.0-1.0", _GA, False, id="release cut short: not equal"),
        pytest.param("esx-base <= 7.0.0-1.0", _GA, False, id="release cut short: not at most"),
        pytest.param("esx-base >> 7.0.0-1.0", _GA, True, id="release cut short: greater"),
        pytest.param(f"esx-base = {_GA}", _GA, True, id="the same text"),
        pytest.param("esx-base = 7.0.0-01.0.15843807", _GA, True, id="zeros in front do not count"),
        pytest.param("esx-base >= 7.0.0-1.0.9", _GA, True, id="numbers as numbers, not as text"),
        # An offer without a version, or without a release.
        pytest.param("acme-api", None, True, id="no version asked, none offered"),
        pytest.param("acme-api", "1.2", True, id="no version asked, one offered"),
        pytest.param("acme-api >= 0", None, False, id="version asked, none offered"),
        pytest.param("acme-api = 1.2", "1.2", True, id="both without release"),
        pytest.param("acme-api = 1.2-1", "1.2", False, id="release asked, none offered: not equal"),
        pytest.param("acme-api << 1.2-1", "1.2", True, id="release asked, none offered: less"),
        # Versions as real descriptors have them.
        pytest.param("qedentv_ver = X.12.6.0", "X.12.6.0", True, id="odd: begins with a letter"),
        pytest.param("qedentv_ver >= X.12.6.0", "X.12.10.0", True, id="odd: numbers behind the letter"),
        pytest.param("qedentv_ver >= X.12.6.0", "1.0", True, id="odd: a number sorts after text"),
        pytest.param("dwi2c = 0.1", "0.1-1vmw.803.0.0.24022510", True, id="odd: short"),
        pytest.param("SecondConflict >> 1.2.3.4", "1.2.3.4", False, id="odd: left-over dummy"),
        pytest.param("native-misc-drivers << 6.1.0", "8.0.3-0.100.25429389", False, id="lower bound long past"),
    ],
)
def test_is_met_by(wanted: str, offered: str | None, *, expected: bool) -> None:
    version = None if offered is None else VibVersion(offered)
    assert is_met_by(constraint(wanted), version) is expected


@pytest.mark.parametrize(
    ("relation", "below", "same", "above"),
    [
        pytest.param("<<", True, False, False, id="less"),
        pytest.param("<=", True, True, False, id="at most"),
        pytest.param("=", False, True, False, id="equal"),
        pytest.param(">=", False, True, True, id="at least"),
        pytest.param(">>", False, False, True, id="greater"),
    ],
)
@pytest.mark.parametrize("release", ["", "-5"], ids=["without release", "with release"])
def test_every_relation(relation: str, release: str, *, below: bool, same: bool, above: bool) -> None:
    wanted = constraint(f"x {relation} 2.0{release}")
    offers = [VibVersion(text) for text in ("1.9-5", "2.0-5", "2.1-5")]
    assert [is_met_by(wanted, version) for version in offers] == [below, same, above]


def test_half_a_comparison_is_refused() -> None:
    with pytest.raises(ModelError, match="half a comparison"):
        Constraint("x", Relation.EQUAL)
    with pytest.raises(ModelError, match="half a comparison"):
        Constraint("x", version=VibVersion("1.0"))


_TEXTS = st.sampled_from(("1.0", "1.0-1", "1.0-1.0", "1.1", "1.1-0", "X.1", "0", "1.0.0-9", "10.0-1"))


@given(_TEXTS, _TEXTS)
def test_relations_agree_with_each_other(wanted: str, offered: str) -> None:
    """Of less, equal and greater one holds; the other two relations follow from them."""
    version = VibVersion(offered)
    answers = {sign: is_met_by(Constraint("x", Relation(sign), VibVersion(wanted)), version) for sign in Relation}
    assert sum(answers[sign] for sign in (Relation.LESS, Relation.EQUAL, Relation.GREATER)) == 1
    assert answers[Relation.LESS_EQUAL] == (answers[Relation.LESS] or answers[Relation.EQUAL])
    assert answers[Relation.GREATER_EQUAL] == (answers[Relation.GREATER] or answers[Relation.EQUAL])


def test_a_vib_provides_itself_first() -> None:
    made = vib("acme", "1.2-3", provides=("acme-api = 1.2", "acme-tool"))
    assert list(provides_of(made)) == [
        ("acme", VibVersion("1.2-3")),
        ("acme-api", VibVersion("1.2")),
        ("acme-tool", None),
    ]


@pytest.mark.parametrize(
    ("replaces", "loser", "expected"),
    [
        pytest.param((), vib("acme", "1.0-1"), False, id="an older one of its name is implied, not stated"),
        pytest.param(("old-acme",), vib("old-acme", "9.0-1"), True, id="any version"),
        pytest.param(("old-acme << 2.0",), vib("old-acme", "1.9-1"), True, id="up to a version"),
        pytest.param(("old-acme << 2.0",), vib("old-acme", "2.0-0"), False, id="from a version on no more"),
        pytest.param(("old-acme",), vib("other", provides=("old-acme = 1.0",)), False, id="by name, not by provide"),
        pytest.param(("a", "b = 1.0-1"), vib("b", "1.0-1"), True, id="any of several"),
    ],
)
def test_replaces_vib(replaces: tuple[str, ...], loser: Vib, *, expected: bool) -> None:
    winner = vib("acme", "2.0-1", replaces=replaces)
    assert replaces_vib(winner, loser) is expected


def test_older_versions_of_its_name_are_implied() -> None:
    made = vib("acme", "2.0-1", replaces=("old-acme",))
    assert [str(implied) for implied in made.implied_replaces()] == ["old-acme", "acme << 2.0-1"]


class TestProvideIndex:
    """Looking up who provides what."""

    index = ProvideIndex(
        [
            vib("acme", "1.2-3", provides=("api = 1.0", "api = 2.0", "vmkapi_2_9_0_0")),
            vib("base", _GA, provides=("api", "esx-version = 7.0.0", "vmkapi_incompat_2_9_0_0")),
            vib("acme", "1.1-1", vendor="OEM", provides=("api = 2.0",)),
        ]
    )

    @pytest.mark.parametrize(
        ("wanted", "providers"),
        [
            pytest.param(
                "api",
                ["ACM_bootbank_acme_1.2-3", f"ACM_bootbank_base_{_GA}", "OEM_bootbank_acme_1.1-1"],
                id="each once, in the order given",
            ),
            pytest.param(
                "api = 2.0", ["ACM_bootbank_acme_1.2-3", "OEM_bootbank_acme_1.1-1"], id="one offer of several"
            ),
            pytest.param("api >= 3.0", [], id="no such version"),
            pytest.param("acme >= 1.2", ["ACM_bootbank_acme_1.2-3"], id="its own name and version"),
            pytest.param(
                "acme", ["ACM_bootbank_acme_1.2-3", "OEM_bootbank_acme_1.1-1"], id="name counts, vendor does not"
            ),
            pytest.param("base >= 7.0.0-1.0", [f"ACM_bootbank_base_{_GA}"], id="release cut short"),
            pytest.param("FirstConflict", [], id="nobody"),
            pytest.param("API", [], id="names keep their case"),
        ],
    )
    def test_providers(self, wanted: str, providers: list[str]) -> None:
        assert [found.id for found in self.index.providers(constraint(wanted))] == providers
        assert self.index.is_met(constraint(wanted)) is bool(providers)

    @pytest.mark.parametrize(
        ("name", "versions"),
        [
            pytest.param("api", ("(no version)", "1.0", "2.0"), id="each text once, sorted"),
            pytest.param("acme", ("1.1-1", "1.2-3"), id="of VIBs themselves"),
            pytest.param("nobody", (), id="nobody"),
        ],
    )
    def test_versions_of(self, name: str, versions: tuple[str, ...]) -> None:
        assert self.index.versions_of(name) == versions

    def test_names_like(self) -> None:
        assert self.index.names_like("vmkapi_") == ("vmkapi_2_9_0_0", "vmkapi_incompat_2_9_0_0")
        assert self.index.names_like("none") == ()

    def test_an_empty_index_meets_nothing(self) -> None:
        empty = ProvideIndex([])
        assert not empty.is_met(constraint("acme"))
        assert empty.providers(constraint("acme")) == ()

    def test_provide_prints_as_asked(self) -> None:
        assert (str(provide("api")), str(provide("api = 1.0"))) == ("api", "api = 1.0")
        assert (str(constraint("api")), str(constraint("api << 1.0-1"))) == ("api", "api << 1.0-1")
