"""Changed image profiles: what is added, replaced and removed, how the new one is called, what is refused."""

from __future__ import annotations

import itertools
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st
from support.memory_catalogs import BASE_VERSION, Stock, esx_base, installed_ids, vib

from esximage_builder.errors import ComposeError, NotInDepotError
from esximage_builder.models.catalog import Catalog
from esximage_builder.models.image import Image
from esximage_builder.models.image_profile import ImageProfile, ProfileVib
from esximage_builder.models.profile_change import ReplaceReason
from esximage_builder.models.vib import Vib, VibFile
from esximage_builder.rules.change_profile import change_profile
from esximage_builder.rules.compose import image_from_profile
from esximage_builder.rules.explain import RuleSet, explain_name, rule_set_of
from esximage_builder.rules.validate import validate
from esximage_builder.vocabulary import AcceptanceLevel

OLD = "6.7.0-0.0.8169922"
STOCK = "ESXi-6.7.0-8169922-standard"


def stock_67(*others: Vib, base_version: str = OLD) -> Stock:
    """A stock profile of a kernel, two drivers and the tools; the others are loaded beside."""
    own = [esx_base(base_version), vib("net", "2.0-1"), vib("scsi", "1.0-1"), vib("tools", "5-1")]
    stock = Stock(vibs=[*own, *others])
    stock.profile(STOCK, [held.id for held in own], creator="VMware, Inc.")
    return stock


def changed(stock: Stock, **wanted: Any) -> Image:
    return change_profile(stock.catalog(), STOCK, **wanted)


def replaced(image: Image) -> list[tuple[str, str, ReplaceReason]]:
    assert image.profile_change is not None
    return [(entry.vib.id, entry.winner, entry.reason) for entry in image.profile_change.replaced]


def names(image: Image) -> list[str]:
    return sorted(f"{entry.vib.name} {entry.vib.version}" for entry in image.vibs if entry.vib.name != "esx-base")


def test_a_new_name_is_added() -> None:
    image = changed(stock_67(vib("agent", "1-1")), add=["agent"])
    assert names(image) == ["agent 1-1", "net 2.0-1", "scsi 1.0-1", "tools 5-1"]
    assert image.profile_change is not None
    assert image.profile_change.added == ("ACM_bootbank_agent_1-1",)
    assert replaced(image) == []
    assert rule_set_of(image) is RuleSet.PROFILE
    assert validate(image).is_valid


@pytest.mark.parametrize(("version", "codes"), [("3.0-1", []), ("1.0-1", ["vib-lowered"])])
def test_an_added_vib_takes_the_place_of_its_name(version: str, codes: list[str]) -> None:
    """Higher or lower, and whoever the vendor is; lowering is told of."""
    stock = stock_67(vib("net", version, vendor="OEM"))
    image = changed(stock, add=[f"net:{version}"])
    winner = f"OEM_bootbank_net_{version}"
    assert names(image) == [f"net {version}", "scsi 1.0-1", "tools 5-1"]
    assert replaced(image) == [("ACM_bootbank_net_2.0-1", winner, ReplaceReason.SAME_NAME)]
    found = validate(image).findings
    assert [finding.code for finding in found] == codes
    assert [finding.items for finding in found] == [(winner, "ACM_bootbank_net_2.0-1")] * len(codes)


def test_a_name_without_version_is_the_highest_loaded_one() -> None:
    image = changed(stock_67(vib("net", "3.0-1"), vib("net", "10.0-1")), add=["net"])
    assert "net 10.0-1" in names(image)


def test_of_two_added_ones_the_higher_stays_in_any_order() -> None:
    stock = stock_67(vib("net", "3.0-1"), vib("net", "10.0-1"))
    images = [changed(stock, add=order) for order in itertools.permutations(["net:3.0-1", "net:10.0-1"])]
    assert images[0] == images[1]
    winner = "ACM_bootbank_net_10.0-1"
    assert replaced(images[0]) == [
        ("ACM_bootbank_net_2.0-1", winner, ReplaceReason.SAME_NAME),
        ("ACM_bootbank_net_3.0-1", winner, ReplaceReason.SAME_NAME),
    ]
    assert images[0].profile_change is not None
    assert images[0].profile_change.added == (winner,)


def test_what_an_added_vib_replaces_goes() -> None:
    stock = stock_67(vib("net-new", "1-1", replaces=("net << 3.0",)), vib("all-in-one", "1-1", replaces=("net-new",)))
    one = changed(stock, add=["net-new"])
    assert names(one) == ["net-new 1-1", "scsi 1.0-1", "tools 5-1"]
    assert replaced(one) == [("ACM_bootbank_net_2.0-1", "ACM_bootbank_net-new_1-1", ReplaceReason.REPLACES)]
    both = changed(stock, add=["net-new", "all-in-one"])
    assert names(both) == ["all-in-one 1-1", "scsi 1.0-1", "tools 5-1"]
    assert {winner for _, winner, _ in replaced(both)} == {"ACM_bootbank_all-in-one_1-1"}
    assert validate(both).is_valid


def test_the_winner_of_a_chain_is_the_one_that_is_there() -> None:
    """Two versions of a name, of which another added one replaces the higher."""
    stock = stock_67(vib("net", "3.0-1"), vib("suite", "1-1", replaces=("net",)))
    image = changed(stock, add=["net", "suite"])
    assert names(image) == ["scsi 1.0-1", "suite 1-1", "tools 5-1"]
    assert {winner for _, winner, _ in replaced(image)} == {"ACM_bootbank_suite_1-1"}


def test_vibs_that_replace_each_other_stay_for_validation() -> None:
    stock = stock_67(vib("a", "1-1", replaces=("b",)), vib("b", "1-1", replaces=("a",)))
    image = changed(stock, add=["a", "b"])
    assert {"a 1-1", "b 1-1"} <= set(names(image))
    assert [finding.code for finding in validate(image).errors] == ["replaced-vib-present"] * 2


def test_what_a_stock_vib_replaces_is_told_by_validation() -> None:
    stock = stock_67(vib("old", "1-1"))
    stock.vibs[1] = vib("net", "2.0-1", replaces=("old",))
    image = changed(stock, add=["old"])
    assert "old 1-1" in names(image)
    assert [finding.code for finding in validate(image).errors] == ["replaced-vib-present"]


@pytest.mark.parametrize("text", ["tools", "tools:5-1", "ACM_bootbank_tools_5-1"])
def test_a_vib_is_removed_by_name_version_or_id(text: str) -> None:
    image = changed(stock_67(), remove=[text])
    assert names(image) == ["net 2.0-1", "scsi 1.0-1"]
    assert image.profile_change is not None
    assert image.profile_change.removed == ("ACM_bootbank_tools_5-1",)


def test_a_removal_that_breaks_a_dependency_is_a_finding() -> None:
    stock = stock_67()
    stock.vibs[2] = vib("scsi", "1.0-1", depends=("net",))
    report = validate(changed(stock, remove=["net"]))
    assert [finding.code for finding in report.errors] == ["missing-dependency"]


def test_nothing_is_a_core_component() -> None:
    """By the rules for lists of VIBs a kernel can be taken off; what is left does not boot, which is found."""
    report = validate(changed(stock_67(), remove=["esx-base"]))
    assert [finding.code for finding in report.errors] == ["no-bootable-base"]


def test_a_vib_that_is_not_loaded_can_be_removed() -> None:
    stock = stock_67()
    stock.vibs = [held for held in stock.vibs if held.name != "tools"]
    image = changed(stock, remove=["ACM_bootbank_tools_5-1"])
    assert image.missing_vibs == ()
    assert validate(image).is_valid


def test_a_vib_that_is_there_already_is_told() -> None:
    image = changed(stock_67(), add=["net"])
    assert image.profile_change is not None
    assert image.profile_change.already_there == ("ACM_bootbank_net_2.0-1",)
    assert (image.profile_change.added, replaced(image)) == ((), [])
    assert image.digest == image_from_profile(stock_67().catalog(), STOCK).digest


def test_a_value_that_no_depot_holds_can_be_added() -> None:
    agent = vib("agent", "1-1")
    assert changed(stock_67(), add=[agent]).vibs_by_id[agent.id] is agent


def test_of_two_contents_the_preferred_is_taken() -> None:
    one, other = (vib("agent").with_file(VibFile(sha256=letter * 64)) for letter in "ab")
    stock = stock_67(one, other)
    stock.vib_sources = [(one.fingerprint, ("one.vib",)), (other.fingerprint, ("other.vib",))]
    assert changed(stock, add=["agent"]).unchosen_vibs == (one.id,)
    image = changed(stock, add=["agent"], prefer=["other.vib"])
    assert image.unchosen_vibs == ()
    assert image.vibs_by_id[one.id].fingerprint == other.fingerprint


# Name, vendor, description, level


def test_a_changed_profile_is_called_otherwise() -> None:
    image = changed(stock_67(), remove=["tools"])
    assert (image.name, image.vendor) == (f"{STOCK}-custom", "VMware, Inc.")
    assert image.profile_change is not None
    assert image.profile_change.description == f"Changed from {STOCK}."
    assert image.profile is not None
    assert image.profile.name == STOCK


def test_name_vendor_and_description_can_be_given() -> None:
    image = changed(stock_67(), name="Mine", vendor="Me", description="")
    assert (image.name, image.vendor) == ("Mine", "Me")
    assert image.profile_change is not None
    assert image.profile_change.description == ""


def test_the_name_of_another_profile_is_refused() -> None:
    stock = stock_67()
    stock.profile("Other", [])
    for name in (STOCK, "Other"):
        with pytest.raises(ComposeError, match="has the name of another one"):
            changed(stock, remove=["tools"], name=name)
    assert changed(stock, name=STOCK).name == STOCK


def test_a_level_admits_every_vib() -> None:
    stock = stock_67(vib("agent", acceptance_level=AcceptanceLevel.COMMUNITY))
    with pytest.raises(ComposeError, match="level PartnerSupported admits no VIB below") as caught:
        changed(stock, add=["agent"], acceptance_level=AcceptanceLevel.PARTNER)
    assert [(finding.code, finding.items) for finding in caught.value.findings] == [
        ("acceptance-too-low", ("ACM_bootbank_agent_1.0-1",))
    ]
    image = changed(stock, add=["agent"], acceptance_level=AcceptanceLevel.COMMUNITY)
    assert image.profile_change is not None
    assert image.profile_change.acceptance_level is AcceptanceLevel.COMMUNITY
    assert changed(stock, acceptance_level=AcceptanceLevel.PARTNER).acceptance_level is AcceptanceLevel.CERTIFIED


# What is refused


@pytest.mark.parametrize(
    ("wanted", "error", "message"),
    [
        ({"add": ["nett"]}, NotInDepotError, "no loaded depot has the VIB nett"),
        ({"add": ["net:9-9"]}, NotInDepotError, "no loaded depot has the VIB net:9-9"),
        ({"remove": ["toools"]}, ComposeError, "has no VIB toools"),
        ({"remove": ["tools:6-1"]}, ComposeError, "has no VIB tools:6-1"),
        ({"add": ["net"], "remove": ["net"]}, ComposeError, "net shall be added and removed"),
    ],
)
def test_what_nobody_can_mean_is_refused(wanted: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        changed(stock_67(), **wanted)
    assert message in str(caught.value)
    if "added and removed" not in message:
        assert wanted.popitem()[1][0][:3] in str(caught.value).partition("try:")[2]


@pytest.mark.parametrize("version", [BASE_VERSION, "8.0.3-0.70.24674464", "9.0.2.0.25148076"])
@pytest.mark.parametrize("wanted", [{"add": ["agent"]}, {"remove": ["tools"]}])
def test_profiles_of_components_are_not_changed_by_vibs(version: str, wanted: dict[str, Any]) -> None:
    """By the ESXi version, also where no component is loaded."""
    with pytest.raises(ComposeError, match="is one of components") as caught:
        changed(stock_67(vib("agent"), base_version=version), **wanted)
    assert "component_from_vibs" in caught.value.hint
    assert changed(stock_67(base_version=version), name="Renamed").name == "Renamed"


def test_a_profile_that_lists_components_is_one_of_components() -> None:
    """Though no VIB tells its version; renamed, each VIB still knows its component."""
    stock = Stock()
    part = stock.driver("net")
    stock.profile("p", part.vib_ids, bulletin_ids=[part.bulletin.id])
    with pytest.raises(ComposeError, match="is one of components"):
        change_profile(stock.catalog(), "p", remove=["net"])
    renamed = change_profile(stock.catalog(), "p", name="q")
    assert [entry.component for entry in renamed.vibs] == [part.id]


def test_the_decisions_are_told_by_name() -> None:
    stock = stock_67(vib("net", "3.0-1"), vib("net-scsi", "1-1", replaces=("scsi",)))
    image = changed(stock, add=["net", "net-scsi"], remove=["tools"])
    assert explain_name(image, "tools") == (
        f"VIB ACM_bootbank_tools_5-1 is not in the image: the user took it off the profile {STOCK}.",
    )
    assert "has its name" in " ".join(explain_name(image, "net"))
    assert "states that it replaces it" in " ".join(explain_name(image, "scsi"))
    assert f"added by the user to the profile {STOCK}" in " ".join(explain_name(image, "net-scsi"))


# Properties

LOOSE = [
    vib("agent", "1-1"),
    vib("agent", "2-1", depends=("net",)),
    vib("net", "1.0-1"),
    vib("net", "3.0-1", vendor="OEM"),
    vib("suite", "1-1", replaces=("scsi", "agent << 2")),
    vib("loop-a", "1-1", replaces=("loop-b",)),
    vib("loop-b", "1-1", replaces=("loop-a", "tools")),
]
IDS = [loose.id for loose in LOOSE]
REMOVABLE = ["tools", "scsi", "net"]


def profile_of(image: Image) -> ImageProfile:
    """The image's profile as a value, to be changed again."""
    return ImageProfile(
        name=image.name, creator=image.vendor, vibs=[ProfileVib(vib_id=i) for i in installed_ids(image)]
    )


def catalog() -> Catalog:
    return stock_67(*LOOSE).catalog()


@given(st.lists(st.sampled_from(IDS), unique=True), st.lists(st.sampled_from(REMOVABLE), unique=True), st.randoms())
def test_the_order_of_arguments_does_not_matter(add: list[str], remove: list[str], random: Any) -> None:
    remove = [name for name in remove if not any(f"_{name}_" in vib_id for vib_id in add)]
    one = change_profile(catalog(), STOCK, add=add, remove=remove)
    for order in (add, remove):
        random.shuffle(order)
    other = change_profile(catalog(), STOCK, add=add, remove=remove)
    assert one == other
    backwards = attrs.evolve(catalog(), vibs=tuple(reversed(catalog().vibs)))
    assert change_profile(backwards, STOCK, add=add, remove=remove) == one


@given(st.lists(st.sampled_from(IDS), unique=True))
def test_what_is_added_and_then_removed_leaves_what_was_there(add: list[str]) -> None:
    """Less what the added ones replaced, which is told."""
    before = image_from_profile(catalog(), STOCK)
    between = change_profile(catalog(), STOCK, add=add)
    assert between.profile_change is not None
    after = change_profile(catalog(), profile_of(between), remove=between.profile_change.added, name="after")
    gone = {entry.vib.id for entry in between.profile_change.replaced}
    assert set(installed_ids(after)) == set(installed_ids(before)) - gone
    back = change_profile(catalog(), profile_of(after), add=sorted(gone & set(installed_ids(before))), name="back")
    assert back.digest == before.digest


@given(st.lists(st.sampled_from(IDS), unique=True), st.lists(st.sampled_from(REMOVABLE), unique=True))
def test_every_vib_is_accounted_for(add: list[str], remove: list[str]) -> None:
    remove = [name for name in remove if not any(f"_{name}_" in vib_id for vib_id in add)]
    before = set(installed_ids(image_from_profile(catalog(), STOCK)))
    image = change_profile(catalog(), STOCK, add=add, remove=remove)
    change = image.profile_change
    assert change is not None
    gone = {entry.vib.id for entry in change.replaced}
    now = set(installed_ids(image))
    assert now == ((before | set(add)) - gone) - set(change.removed)
    assert set(change.added) == now - before
    assert {entry.winner for entry in change.replaced} <= now
    assert len({entry.vib.name for entry in image.vibs}) == len(image.vibs)
