"""Taking images apart: what is known is named, what is not stays unassigned, nothing is guessed."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from support.memory_catalogs import Depot as GeneratedDepot, Stock, component_ids, depots, esx_base, spec, vib
from support.release_catalogs import AGENT, BNXT, DELL, LPFC, base_image, dell, part, reference, shop, version_of

from esximage_builder.errors import NotInDepotError
from esximage_builder.models.catalog import Catalog
from esximage_builder.models.component import Component
from esximage_builder.models.image import Image
from esximage_builder.models.spec import AddOnReference, SoftwareSpec
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.decompose import Decomposition, decompose, recognise
from esximage_builder.versions import AddOnVersion
from esximage_builder.vocabulary import ComponentSource

A08, A09 = "703.20328353-A08", "703.20328353-A09"
NEW_LPFC = "14.2.0.1-1OEM.700.1.0.15843807"


def carried(image: Image, catalog: Catalog, *, name: str = "custom", drop: tuple[str, ...] = ()) -> Stock:
    """What a bundle of the image holds: its units, its components, its VIBs, one profile."""
    stock = Stock(
        base_images=[image.base_image] if image.base_image is not None else [],
        add_ons=[image.add_on] if image.add_on is not None else [],
        hardware_support=list(image.hardware_support),
        solutions=list(image.solutions),
        components=list(catalog.components),
        vibs=list(catalog.vibs),
    )
    bulletins = [entry.component.bulletin.id for entry in image.components if entry.component.name not in drop]
    stock.profile(name, image.vibs_by_id, bulletin_ids=bulletins, creator="Acme")
    return stock


@pytest.fixture
def stock() -> Stock:
    made = shop(["7.0U3f", "7.0U3g"], [A08])
    dell(made, A09, part(made, "DEL-oem-build", "703.9.0-1"))
    part(made, LPFC, NEW_LPFC, vib("lpfc", NEW_LPFC))
    return made


# Images with components


@pytest.mark.parametrize(
    ("add_on", "components", "removed"),
    [
        pytest.param("", {}, (), id="a base image"),
        pytest.param(A09, {}, (), id="with an add-on"),
        pytest.param(A09, {LPFC: NEW_LPFC}, (), id="with a loose component"),
        pytest.param("", {LPFC: NEW_LPFC}, (), id="a loose component without an add-on"),
        pytest.param(A09, {}, (LPFC,), id="with a removal from the base image"),
        pytest.param(A09, {}, (AGENT,), id="with a removal from the add-on"),
    ],
)
def test_a_custom_image_is_told_from_its_components(
    stock: Stock, add_on: str, components: dict[str, str], removed: tuple[str, ...]
) -> None:
    """Opened from a profile that names no unit, with all of them loaded; composed again it is the same image."""
    catalog = stock.catalog()
    wanted = spec(
        components, base_image=version_of("7.0U3g"), add_on=(DELL, add_on) if add_on else None, removed=removed
    )
    image = compose(catalog, wanted)
    bundle = attrs.evolve(carried(image, catalog), base_images=stock.base_images, add_ons=stock.add_ons).catalog()

    parts = decompose(image_from_profile(bundle, "custom"), bundle)

    assert parts == Decomposition(
        base_image=catalog.base_image(version_of("7.0U3g")),
        add_on=catalog.add_on(DELL, add_on) if add_on else None,
        components=[reference(f"{name}:{version}") for name, version in components.items()],
        removed_components=removed,
        spec=wanted,
    )
    assert parts.spec is not None
    assert compose(bundle, parts.spec).digest == image.digest


def test_a_composed_image_knows_its_units(stock: Stock) -> None:
    """Its own units count, also where others are loaded that explain as much."""
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3f"), add_on=(DELL, A08), removed_components=[BNXT])

    parts = decompose(image, catalog)

    assert (parts.base_image, parts.add_on, parts.removed_components) == (image.base_image, image.add_on, (BNXT,))


def test_vibs_beside_all_components_stay_unassigned(stock: Stock) -> None:
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3g"))
    bundle = carried(image, catalog)
    bundle.vibs.append(vib("homelab"))
    bundle.profiles = []
    bundle.profile(
        "custom",
        [*image.vibs_by_id, "ACM_bootbank_homelab_1.0-1"],
        bulletin_ids=[entry.component.bulletin.id for entry in image.components],
    )

    parts = decompose(image_from_profile(bundle.catalog(), "custom"), bundle.catalog())

    assert parts.unassigned_vibs == ("ACM_bootbank_homelab_1.0-1",)
    assert parts.components == ()


def test_two_add_ons_that_explain_as_much_are_none() -> None:
    """A loose driver that two add-ons bring, and nothing else of either: neither is named."""
    stock = shop(["7.0U3g"])
    shared = part(stock, "Acme-shared", "1.0-1")
    for name in ("one", "two"):
        stock.add_on(shared, release=(name, "703.1"))
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3g"), components=["Acme-shared"])
    bundle = attrs.evolve(carried(image, catalog), add_ons=stock.add_ons).catalog()

    parts = decompose(image_from_profile(bundle, "custom"), bundle)

    assert parts.add_on is None
    assert parts.components == (reference("Acme-shared:1.0-1"),)


def test_one_driver_of_an_add_on_is_no_sign_of_it() -> None:
    """All that is left of the add-on may as well be a loose component: half a match is no match."""
    stock = shop(["7.0U3g"], [A09])
    catalog = stock.catalog()
    image = compose(catalog, base_image="7.0U3g", components={BNXT: "222.0.155.0-1OEM.700.1.0.15843807"})
    bundle = attrs.evolve(carried(image, catalog), add_ons=stock.add_ons).catalog()

    parts = decompose(image_from_profile(bundle, "custom"), bundle)

    assert parts.add_on is None
    assert parts.components == (reference(f"{BNXT}:222.0.155.0-1OEM.700.1.0.15843807"),)


def test_an_add_on_that_explains_nothing_is_not_named(stock: Stock) -> None:
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3g"))
    bundle = attrs.evolve(carried(image, catalog), add_ons=stock.add_ons).catalog()

    assert decompose(image_from_profile(bundle, "custom"), bundle).add_on is None


def test_a_base_image_is_only_the_one_of_its_version(stock: Stock) -> None:
    """Not the nearest one: where it is not loaded, nothing takes its place."""
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3g"))
    bundle = attrs.evolve(carried(image, catalog), base_images=[catalog.base_image(version_of("7.0U3f"))]).catalog()

    parts = decompose(image_from_profile(bundle, "custom"), bundle)

    assert parts.base_image is None
    assert parts.spec is None
    assert parts.unassigned_vibs == tuple(sorted(image.vibs_by_id))


@settings(max_examples=200)
@given(depots())
def test_taking_apart_gives_back_what_was_put_together(depot: GeneratedDepot) -> None:
    """The units of the spec, its pins and removals; and composed again it is the same image."""
    image = compose(depot.catalog, depot.spec)
    parts = decompose(image, depot.catalog)

    assert parts.spec is not None
    assert compose(depot.catalog, parts.spec).digest == image.digest
    assert (parts.add_on, parts.hardware_support, parts.solutions) == (
        image.add_on,
        image.hardware_support,
        image.solutions,
    )
    assert parts.spec.hardware_support == depot.spec.hardware_support
    assert parts.spec.solutions == depot.spec.solutions
    assert [name for name, _ in parts.spec.components] == [name for name, _ in depot.spec.components]
    stated = {name: version for name, version in depot.spec.components if version is not None}
    assert {name: dict(parts.spec.components)[name] for name in stated} == stated
    assert parts.spec.removed_components == depot.spec.removed_components


def with_units(*, package: tuple[str, str], solution: tuple[str, str], release: str = "7.0U3g") -> tuple[Stock, Image]:
    """An image with a hardware support package and a solution, each of one component of this name and version."""
    stock = shop([release], [A09])
    driver = part(stock, *package)
    agent = part(stock, *solution)
    wanted = spec(
        {},
        base_image=version_of(release),
        packages=[stock.package("firmware", driver)],
        solutions=[stock.solution("com.vmware.ha", {agent.name: [agent.version.text]})],
    )
    return stock, compose(stock.catalog(), wanted)


UNITS = [
    pytest.param(("Lenovo-fw-driver", "3.1-2"), ("vsphere-ha", "8.0.3-1"), id="new names"),
    pytest.param((LPFC, NEW_LPFC), ("nsx-lcp", "4.2.1-5"), id="a package that overrides the base image"),
    pytest.param((LPFC, "14.0.169.26-5vmw.703.0.0.1"), (BNXT, "999-1"), id="a package of what the base image has"),
]


@pytest.mark.parametrize(("package", "solution"), UNITS)
def test_packages_and_solutions_of_a_composed_image_stay_what_they_were(
    package: tuple[str, str], solution: tuple[str, str]
) -> None:
    stock, image = with_units(package=package, solution=solution)

    parts = decompose(image, stock.catalog())

    assert (parts.hardware_support, parts.solutions, parts.components) == (image.hardware_support, image.solutions, ())
    assert parts.spec == image.spec


@pytest.mark.parametrize(("package", "solution"), UNITS)
def test_packages_and_solutions_come_back_from_a_bundle(package: tuple[str, str], solution: tuple[str, str]) -> None:
    """Only the manager's name is not in a bundle."""
    _, image = with_units(package=package, solution=solution)

    bundle = carried(image, held(image)).catalog()
    known = recognise(bundle)

    assert known.digest == image.digest
    assert (known.hardware_support, known.solutions) == (image.hardware_support, image.solutions)
    assert [(entry.component.id, entry.source) for entry in known.components] == [
        (entry.component.id, entry.source) for entry in image.components
    ]
    assert known.spec is not None
    (reference,) = known.spec.hardware_support
    assert (reference.manager, reference.package, reference.version) == ("firmware", "firmware", "1.0")


def held(image: Image) -> Catalog:
    """What a bundle of the image holds: its components and VIBs, reserved ones too, and no more."""
    components = [*(entry.component for entry in image.components), *image.reserved_components]
    return Stock(components=components, vibs=list(image.all_vibs)).catalog()


@pytest.mark.parametrize(
    "pins",
    [
        pytest.param({AGENT: "4.1.0-8"}, id="an agent"),
        pytest.param({BNXT: "222.0.155.0-1OEM.700.1.0.15843807"}, id="a driver"),
        pytest.param({BNXT: "222.0.155.0-1OEM.700.1.0.15843807", LPFC: "14.0.169.26-5vmw.703.0.0.1"}, id="and another"),
    ],
)
def test_pins_equal_to_what_is_there_anyway_are_kept(stock: Stock, pins: dict[str, str]) -> None:
    """They matter as soon as add-on or base image is exchanged."""
    catalog = stock.catalog()
    image = compose(catalog, spec(pins, base_image=version_of("7.0U3g"), add_on=(DELL, A09)))

    parts = decompose(image, catalog)

    assert {reference.name: reference.version.text for reference in parts.components} == pins
    assert parts.spec == image.spec


@pytest.mark.parametrize(
    ("release", "declared"),
    [
        pytest.param("802.1-A00", (), id="of another train by its version"),
        pytest.param("LVO.700.10.2", (), id="of an older train"),
        pytest.param("A05", ("8.0.2",), id="that declares another base image"),
        pytest.param("703.1", ("7.0.3-0.20",), id="that declares another patch alone"),
    ],
)
def test_an_add_on_that_would_be_refused_explains_nothing(release: str, declared: tuple[str, ...]) -> None:
    """One loose driver is no sign of it, even where it is all that the add-on has."""
    stock = shop(["7.0U3g"])
    driver = part(stock, "Acme-shared", "1.0-1")
    stock.add_on(driver, release=("other", release), supported_base_images=declared)
    image = compose(stock.catalog(), base_image=version_of("7.0U3g"), components=["Acme-shared"])
    bundle = attrs.evolve(carried(image, held(image)), add_ons=stock.add_ons).catalog()

    parts = decompose(image_from_profile(bundle, "custom"), bundle)

    assert (parts.add_on, parts.components, parts.tied) == (None, (driver.reference,), ())


@pytest.mark.parametrize(
    "releases",
    [
        pytest.param([("ACME-AddOn", "703.1-A00"), ("ACME-AddOn", "703.1-A01")], id="two versions"),
        pytest.param([("HPE-AddOn", "703.0.0.11.8.0-6"), ("LVO-AddOn", "LVO.703.12.1")], id="two vendors"),
        pytest.param([("a", "703.1"), ("b", "703.1"), ("c", "703.1")], id="three"),
    ],
)
def test_add_ons_of_equal_contents_are_named_as_a_tie(releases: list[tuple[str, str]]) -> None:
    stock = shop(["7.0U3g"])
    parts_of = (part(stock, "Acme-driver", "1.0-1"), part(stock, "Acme-agent", "2.0-1"))
    add_ons = [stock.add_on(*parts_of, release=release, removed_components=[BNXT]) for release in releases]
    stock.add_on(parts_of[0], release=("less", "703.1"))
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3g"), add_on=releases[0])
    bundle = attrs.evolve(carried(image, catalog), add_ons=stock.add_ons).catalog()

    taken = decompose(image_from_profile(bundle, "custom"), bundle)

    assert taken.tied == tuple(add_ons)
    assert (taken.add_on, taken.removed_components) == (None, (BNXT,))
    assert [reference.name for reference in taken.components] == ["Acme-agent", "Acme-driver"]


def test_packages_of_equal_contents_are_named_as_a_tie() -> None:
    stock, image = with_units(package=("Lenovo-fw-driver", "3.1-2"), solution=("vsphere-ha", "8.0.3-1"))
    twin = attrs.evolve(stock.hardware_support[0], version=AddOnVersion("1.1"))
    bundle = carried(image, held(image))
    bundle.hardware_support.append(twin)

    parts = decompose(image_from_profile(bundle.catalog(), "custom"), bundle.catalog())

    assert parts.tied == (stock.hardware_support[0], twin)
    assert (parts.hardware_support, parts.solutions) == ((), image.solutions)
    assert parts.components == (reference("Lenovo-fw-driver:3.1-2"),)


@pytest.mark.parametrize("wanted", [{"vsphere-ha": ()}, {"vsphere-ha": ("1.0-1", "2.0-1"), "absent": ()}])
def test_a_solution_with_another_version_than_the_highest_is_one_with_a_pin(wanted: dict[str, tuple[str, ...]]) -> None:
    """Or with less of its components: what it takes by itself would not be the image."""
    stock = shop(["7.0U3g"])
    for version in ("1.0-1", "2.0-1"):
        part(stock, "vsphere-ha", version)
    stock.solution("ha", wanted)
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3g"), components={"vsphere-ha": "1.0-1"})
    bundle = attrs.evolve(carried(image, catalog), solutions=stock.solutions).catalog()

    parts = decompose(image_from_profile(bundle, "custom"), bundle)

    assert [unit.id for unit in parts.solutions] == ["ha:1.0"]
    assert parts.components == (reference("vsphere-ha:1.0-1"),)
    assert parts.spec is not None
    assert component_ids(compose(bundle, parts.spec)) == component_ids(image)


@pytest.mark.parametrize("version", ["99.9-1", "14.0.0-1"])
def test_an_add_on_that_lost_everything_to_the_user_is_told_by_its_own_bundle(version: str) -> None:
    """As much is unexplained with it as without, but the bundle has no other reason to carry what lost."""
    stock = shop(["7.0U3g"])
    stock.add_on(part(stock, LPFC, NEW_LPFC, vib("lpfc", NEW_LPFC)), release=("ACME", "703.1"))
    part(stock, LPFC, version, vib("lpfc", version))
    catalog = stock.catalog()
    image = compose(catalog, spec({LPFC: version}, base_image=version_of("7.0U3g"), add_on=("ACME", "703.1")))

    known = recognise(carried(image, held(image)).catalog())

    assert known.add_on == image.add_on
    assert known.digest == image.digest


# Profiles without components


def legacy(*more: str) -> Stock:
    """A 6.7 depot: VIBs and a stock profile, no components."""
    stock = Stock()
    stock.vibs = [esx_base("6.7.0-0.0.8169922"), vib("lsi-mr3"), vib("tools-light"), *(vib(name) for name in more)]
    ids = [known.id for known in stock.vibs]
    stock.profile("ESXi-6.7.0-8169922-standard", ids[:3], creator="VMware, Inc.")
    stock.profile("ESXi-6.7.0-8169922-no-tools", ids[:2], creator="VMware, Inc.")
    if more:
        stock.profile("DEL-ESXi-670-A01", ids, creator="Dell Inc.")
    return stock


def opened(stock: Stock, profile: str, *, without: tuple[str, ...] = ()) -> Decomposition:
    catalog = stock.catalog()
    image = image_from_profile(catalog, profile)
    kept = [known for known in stock.profiles if known.name not in without]
    return decompose(image, attrs.evolve(catalog, profiles=kept))


def test_a_profile_is_told_by_the_stock_profile_inside_it() -> None:
    parts = opened(legacy("dcism", "perccli"), "DEL-ESXi-670-A01")

    assert parts.base_profile is not None
    assert parts.base_profile.name == "ESXi-6.7.0-8169922-standard"
    assert parts.unassigned_vibs == ("ACM_bootbank_dcism_1.0-1", "ACM_bootbank_perccli_1.0-1")
    assert (parts.base_image, parts.add_on, parts.components, parts.spec) == (None, None, (), None)


def test_the_stock_profile_itself_has_no_rest() -> None:
    parts = opened(legacy(), "ESXi-6.7.0-8169922-standard")

    assert parts.base_profile is not None
    assert parts.base_profile.name == "ESXi-6.7.0-8169922-standard"
    assert parts.unassigned_vibs == ()


def test_a_custom_profile_alone_explains_nothing() -> None:
    """That it holds its own VIBs says nothing about what they come from."""
    parts = opened(
        legacy("dcism"),
        "DEL-ESXi-670-A01",
        without=("ESXi-6.7.0-8169922-standard", "ESXi-6.7.0-8169922-no-tools"),
    )

    assert parts.base_profile is None
    assert len(parts.unassigned_vibs) == 4


def test_two_profiles_with_as_many_vibs_are_none() -> None:
    stock = legacy("dcism")
    stock.profile("ESXi-6.7.0-8169922-copy-standard", stock.profiles[0].vib_ids, creator="VMware, Inc.")

    assert opened(stock, "DEL-ESXi-670-A01").base_profile is None


def test_a_stock_profile_of_another_release_is_none() -> None:
    """One VIB that is not in the image is enough to rule it out, and so is another base VIB."""
    stock = legacy("dcism")
    other = esx_base("6.7.0-3.73.14320388")
    stock.vibs.append(other)
    stock.profile("ESXi-6.7.0-14320388-standard", [other.id], creator="VMware, Inc.")
    stock.profile("drivers-standard", ["ACM_bootbank_lsi-mr3_1.0-1"], creator="VMware, Inc.")

    parts = opened(stock, "DEL-ESXi-670-A01", without=("ESXi-6.7.0-8169922-standard", "ESXi-6.7.0-8169922-no-tools"))

    assert parts.base_profile is None


def test_a_7_0_profile_without_components_is_told_by_its_base_image(stock: Stock) -> None:
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3g"), add_on=(DELL, A09))
    stock.profile("flat", image.vibs_by_id)

    parts = decompose(image_from_profile(stock.catalog(), "flat"), catalog)

    assert parts.base_image == image.base_image
    assert parts.unassigned_vibs == (
        "ACM_bootbank_del-oem-build_703.9.0-1",
        "BCM_bootbank_bnxtnet_222.0.155.0-1OEM.700.1.0.15843807",
        "DEL_bootbank_dcism_4.1.0-8",
    )
    assert parts.spec is None


# Recognising the image of a bundle


def test_a_bundle_is_recognised_with_its_sources(stock: Stock) -> None:
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3g"), add_on=(DELL, A09), components={LPFC: NEW_LPFC})
    bundle = carried(image, catalog).catalog()

    known = recognise(bundle)

    assert known.digest == image.digest
    assert known.name == "custom"
    assert known.profile == bundle.profiles[0]
    sources = {entry.component.name: entry.source for entry in known.components}
    assert sources[BNXT] is ComponentSource.ADD_ON
    assert sources[LPFC] is ComponentSource.USER
    assert sources["ESXi"] is ComponentSource.BASE_IMAGE


def test_what_cannot_be_recomposed_stays_as_the_profile_says(stock: Stock) -> None:
    """A VIB beside all components: composed it would be lost, so the image stays a list of VIBs."""
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3g"))
    bundle = carried(image, catalog)
    bundle.vibs.append(vib("homelab"))
    bundle.profiles = [
        attrs.evolve(bundle.profiles[0], vibs=[*bundle.profiles[0].vibs, *legacy_entries("ACM_bootbank_homelab_1.0-1")])
    ]

    known = recognise(bundle.catalog())

    assert known.base_image is None
    assert "ACM_bootbank_homelab_1.0-1" in known.vibs_by_id


def legacy_entries(*vib_ids: str) -> tuple[object, ...]:
    return Stock().profile("x", vib_ids).vibs


def test_a_core_component_left_out_by_the_profile_is_not_composed_away(stock: Stock) -> None:
    """Composing refuses to remove it; the image is still there to look at."""
    catalog = stock.catalog()
    image = compose(catalog, base_image=version_of("7.0U3g"))
    bundle = carried(image, catalog, drop=("esx-update",)).catalog()

    known = recognise(bundle)

    assert known.base_image is None
    assert set(known.vibs_by_id) == set(image.vibs_by_id)


def test_a_legacy_bundle_is_recognised_as_its_profile() -> None:
    known = recognise(legacy().catalog())

    assert known.name == "ESXi-6.7.0-8169922-standard"
    assert known.components == ()


@pytest.mark.parametrize(
    ("profiles", "found"),
    [
        pytest.param(["ESXi-a-standard", "ESXi-a-no-tools"], "ESXi-a-standard", id="standard before no-tools"),
        pytest.param(["ESXi-a-no-tools"], "ESXi-a-no-tools", id="no-tools alone"),
        pytest.param(["custom"], "custom", id="one"),
    ],
)
def test_the_one_profile_is_taken(profiles: list[str], found: str) -> None:
    stock = Stock(vibs=[vib("a")])
    for name in profiles:
        stock.profile(name, ["ACM_bootbank_a_1.0-1"])

    assert recognise(stock.catalog()).name == found


@pytest.mark.parametrize(
    ("profiles", "found", "hint"),
    [
        pytest.param([], "no image profile", "compose an image from a base image instead", id="none"),
        pytest.param(
            ["ESXi-7.0U3si-20841705-standard", "ESXi-7.0U3i-20842708-standard"],
            "ESXi-7.0U3i-20842708-standard, ESXi-7.0U3si-20841705-standard",
            "name the profile",
            id="several: not the one whose name sorts last",
        ),
    ],
)
def test_none_or_several_profiles_are_refused(profiles: list[str], found: str, hint: str) -> None:
    stock = Stock()
    for name in profiles:
        stock.profile(name, [])

    with pytest.raises(NotInDepotError) as caught:
        recognise(stock.catalog())

    assert (caught.value.found, caught.value.hint) == (found, hint)


def test_a_named_profile_is_taken() -> None:
    assert recognise(legacy("dcism").catalog(), "DEL-ESXi-670-A01").name == "DEL-ESXi-670-A01"


def test_a_decomposition_is_a_value() -> None:
    one = Decomposition(components=[reference("a:1")], removed_components=["b"])

    assert one == Decomposition(components=(reference("a:1"),), removed_components=("b",))


def test_the_spec_says_which_add_on(stock: Stock) -> None:
    catalog = stock.catalog()
    parts = decompose(compose(catalog, base_image="7.0U3g", add_on=(DELL, A09)), catalog)

    assert parts.spec == SoftwareSpec(base_image=version_of("7.0U3g"), add_on=AddOnReference(DELL, AddOnVersion(A09)))


def test_add_ons_that_take_off_are_explained() -> None:
    """A name that the add-on removes is not a removal of the user's."""
    stock = Stock()
    spare: Component = part(stock, "VMware-lsuv2-hpv2-hpsa-plugin", "1.0.0-3")
    base_image(stock, "7.0U3g", spare)
    dell(stock, A09, removed_components=[spare.name])
    catalog = stock.catalog()
    image = compose(catalog, base_image="7.0U3g", add_on=(DELL, A09))
    bundle = carried(image, catalog).catalog()

    parts = decompose(image_from_profile(bundle, "custom"), bundle)

    assert (parts.add_on, parts.removed_components) == (image.add_on, ())
