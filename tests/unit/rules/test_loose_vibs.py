"""Loose VIBs and legacy bulletins made components: name, version, what they keep, what is refused."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given, strategies as st
from support.memory_catalogs import Stock, platforms, spec, vib

from esximage_builder.errors import ModelError, NotInDepotError, VersionSyntaxError
from esximage_builder.models.catalog import Catalog
from esximage_builder.models.component import Bulletin
from esximage_builder.rules.compose import compose
from esximage_builder.rules.loose_vibs import component_from_bulletin, component_from_vibs, component_version_of
from esximage_builder.rules.validate import validate
from esximage_builder.versions import VibVersion

EARLY, LATE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 6, 30, tzinfo=UTC)
GHETTO = vib(
    "ghettoVCB", "1.0.0-0.0.0", vendor="virtuallyGhetto", summary="backup", description="Backs up.", released_at=EARLY
)
BULLETIN = Bulletin(
    id="ghettoVCB-2020",
    vendor="William Lam",
    summary="ghettoVCB for ESXi",
    released_at=LATE,
    platforms=platforms("embeddedEsx 5.*"),
    vib_ids=[GHETTO.id],
)


@pytest.mark.parametrize(
    ("version", "made"),
    [
        ("1.0.0-1", "1.0.0-1"),
        ("1.0.0-0.0.0", "1.0.0-0.0.0"),
        ("1.12.3.0-1OEM.700.1.0.15843807", "1.12.3.0-1OEM.700.1.0.15843807"),
        ("0.0.4", "0.0.4-0"),
        ("v1.3-0", "1.3-0"),
        ("V1.3-v2", "1.3-2"),
        ("8.045a-napi", "8.045a-0.napi"),
        ("beta-1", "0.beta-1"),
        ("1.0_beta-1-2", "1.0.beta-1.2"),
        ("1.0~rc1+git:7-1", "1.0.rc1.git.7-1"),
        ("1.0-", "1.0-0"),
        ("_-_", "0-0"),
    ],
)
def test_the_version_comes_from_the_vib(version: str, made: str) -> None:
    assert component_version_of(VibVersion(version)).text == made


@given(st.from_regex(r"[0-9A-Za-z_][0-9A-Za-z._+~:-]{0,30}", fullmatch=True))
def test_every_vib_version_gives_two_parts_that_begin_with_a_digit(text: str) -> None:
    made = component_version_of(VibVersion(text))
    upstream, hyphen, release = made.text.partition("-")
    assert hyphen
    assert upstream[0].isdecimal()
    assert release[0].isdecimal()
    assert "-" not in release
    assert component_version_of(VibVersion(made.text)) == made


def test_a_component_is_named_after_its_vib() -> None:
    made = component_from_vibs([GHETTO])
    assert (made.id, made.vendor, made.vib_ids) == ("ghettoVCB:1.0.0-0.0.0", "virtuallyGhetto", (GHETTO.id,))
    assert made.bulletin.id == "ghettoVCB_1.0.0-0.0.0"
    assert (made.bulletin.summary, made.bulletin.description) == ("backup", "Backs up.")
    assert made.bulletin.released_at == EARLY
    assert (made.display_name, made.display_version) == ("ghettoVCB", "1.0.0-0.0.0")
    assert made.bulletin.platforms == ()


def test_what_the_caller_says_counts() -> None:
    eight = platforms("embeddedEsx 8.0")
    made = component_from_vibs(
        [GHETTO], name="Backup", version="2.0-7", vendor="Me", summary="mine", platforms=[*eight, *eight]
    )
    assert (made.id, made.vendor, made.bulletin.summary) == ("Backup:2.0-7", "Me", "mine")
    assert made.bulletin.platforms == eight


def test_the_order_of_vibs_does_not_matter() -> None:
    vibs = [vib("b", "2.0-1"), vib("a", "10.0-1"), vib("c", "v1")]
    made = {component_from_vibs(order, name="set") for order in itertools.permutations(vibs)}
    (one,) = made
    assert one.id == "set:10.0-1"
    assert one.bulletin.summary == "a, b, c"


def test_platforms_are_those_of_the_vibs_each_once() -> None:
    one = vib("a", software_platforms=platforms("embeddedEsx 7.0", "embeddedEsx 8.0"))
    other = vib("b", software_platforms=platforms("embeddedEsx 8.0", "esxio 8.0"))
    made = component_from_vibs([one, other], name="set")
    assert made.bulletin.platforms == platforms("embeddedEsx 7.0", "embeddedEsx 8.0", "esxio 8.0")


def test_a_bulletin_keeps_what_it_says() -> None:
    made = component_from_bulletin(BULLETIN, [vib("other"), GHETTO])
    assert made.id == "ghettoVCB:1.0.0-0.0.0"
    assert made.bulletin == BULLETIN


def test_platforms_and_vendor_of_a_bulletin_can_be_changed() -> None:
    """A bulletin of 5.x names no later release; who puts it there may say that it is for it."""
    made = component_from_bulletin(
        BULLETIN, [GHETTO], name="Backup", version="3-1", vendor="Me", platforms=platforms("embeddedEsx 8.0")
    )
    assert (made.id, made.vendor) == ("Backup:3-1", "Me")
    assert made.bulletin.platforms == platforms("embeddedEsx 8.0")
    assert made.bulletin.id == BULLETIN.id


@pytest.mark.parametrize(
    ("bulletin_id", "name"),
    [("driver-pack-2.0-1", "driver-pack"), ("driver-pack_1.0-1", "driver-pack"), ("ESXi670-2019", "ESXi670-2019")],
)
def test_a_bulletin_of_several_vibs_has_the_name_of_its_id(bulletin_id: str, name: str) -> None:
    vibs = [vib("a", "1.0-1"), vib("b", "2.0-1")]
    made = component_from_bulletin(Bulletin(id=bulletin_id, vib_ids=[v.id for v in vibs]), vibs)
    assert made.id == f"{name}:2.0-1"


@pytest.mark.parametrize(
    ("vibs", "message"),
    [
        ([], "needs a VIB"),
        ([vib("a", "1.0-1"), vib("a", "2.0-1")], "two VIBs named 'a'"),
        ([vib("a"), vib("b")], "needs a name"),
        ([vib("esx-base")], "belongs to ESXi itself"),
        ([vib("ESXi")], "belongs to ESXi itself"),
        ([vib("loadesx")], "belongs to ESXi itself"),
        ([vib("name with blanks")], "cannot have this name"),
    ],
)
def test_what_makes_no_component_is_refused(vibs: list[object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        component_from_vibs(vibs)  # type: ignore[arg-type]


def test_vibs_of_two_vendors_need_one() -> None:
    vibs = [vib("a", vendor="One"), vib("b", vendor="Two")]
    with pytest.raises(ModelError, match="needs a vendor"):
        component_from_vibs(vibs, name="set")
    assert component_from_vibs(vibs, name="set", vendor="Three").vendor == "Three"


def test_a_text_that_is_no_version_is_refused() -> None:
    with pytest.raises(VersionSyntaxError):
        component_from_vibs([GHETTO], version="not a version")


def test_a_bulletin_without_its_vibs_is_refused() -> None:
    with pytest.raises(ModelError, match="are missing") as caught:
        component_from_bulletin(BULLETIN, [vib("other")])
    assert GHETTO.id in caught.value.found


# In a catalog


def stock_with_loose() -> Stock:
    stock = Stock(vibs=[GHETTO])
    stock.base_image(stock.driver("net-acme"))
    return stock


def test_compose_takes_it_by_name() -> None:
    catalog = stock_with_loose().catalog()
    with_it = catalog.with_component(component_from_vibs([GHETTO]))
    image = compose(with_it, spec({"ghettoVCB": None}))
    assert GHETTO.id in image.vibs_by_id
    assert validate(image, with_it).findings == ()
    assert validate(image, catalog).findings == ()
    assert [known.name for known in with_it.components] == sorted(known.name for known in with_it.components)
    assert with_it.loose_vibs == ()
    assert catalog.loose_vibs == (GHETTO,)


def test_without_the_component_its_name_is_told_to_be_a_vib_s() -> None:
    with pytest.raises(NotInDepotError, match="ghettoVCB is a VIB without component") as caught:
        compose(stock_with_loose().catalog(), spec({"ghettoVCB": None}))
    assert "--vib" in caught.value.hint
    assert "component_from_vibs" in caught.value.hint
    assert caught.value.found == GHETTO.id


def test_with_loose_vibs_alone_the_error_names_them() -> None:
    for wanted in ("7.0U3g", "7.0.3-0.55.20328353"):
        with pytest.raises(NotInDepotError) as caught:
            compose(Catalog(vibs=[GHETTO]), base_image=wanted)
        assert "ghettoVCB" in caught.value.hint
        assert "--vib" in caught.value.hint


def test_a_component_that_is_there_is_not_added_twice() -> None:
    made = component_from_vibs([GHETTO])
    catalog = stock_with_loose().catalog().with_component(made)
    assert catalog.with_component(made) is catalog


def test_another_component_of_one_name_and_version_is_refused() -> None:
    catalog = stock_with_loose().catalog()
    with pytest.raises(ModelError, match="another component net-acme"):
        catalog.with_component(component_from_vibs([vib("x")], name="net-acme", version="1.0-1"))


def test_a_lower_loose_vib_is_told_of() -> None:
    """The base image brings the VIB in a higher version under another component name."""
    old = vib("net", "1.0-1")
    stock = Stock(vibs=[old])
    stock.base_image(stock.component("Acme-net", "2.0-1", vib("net", "2.0-1")))
    catalog = stock.catalog().with_component(component_from_vibs([old]))
    report = validate(compose(catalog, spec({"net": None})), catalog)
    assert [finding.code for finding in report.findings] == ["pinned-vib-reserved"]


def test_a_profile_s_vibs_are_not_loose() -> None:
    stock = Stock(vibs=[vib("a"), vib("b")])
    stock.profile("p", ["ACM_bootbank_a_1.0-1"])
    assert [loose.name for loose in stock.catalog().loose_vibs] == ["b"]


def test_catalogs_stay_what_they_were() -> None:
    catalog = stock_with_loose().catalog()
    before = attrs.asdict(catalog, recurse=False)
    catalog.with_component(component_from_vibs([GHETTO]))
    assert attrs.asdict(catalog, recurse=False) == before
