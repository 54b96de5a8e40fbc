"""Models are values: frozen, slotted, hashable, picklable, with tuples inside."""

from __future__ import annotations

import copy
import importlib
import pickle
import pkgutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support import schema_strategies as strategies

from esximage_builder import models
from esximage_builder.checksums import Checksum
from esximage_builder.documents.boot_cfg import BootCfg, BootModuleLine
from esximage_builder.documents.depot_index import MetadataEntry, VendorEntry
from esximage_builder.documents.vib_archive import VibHead
from esximage_builder.errors import ModelError, NotInDepotError
from esximage_builder.findings import Finding, Severity
from esximage_builder.limits import ReadLimits
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.catalog import Catalog
from esximage_builder.models.component import Bulletin, Component, ComponentReference
from esximage_builder.models.constraint import Constraint, Provide
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.hardware_support import HardwareSupport
from esximage_builder.models.image import (
    EffectiveComponent,
    Image,
    InstalledVib,
    MissingComponent,
    MissingVib,
    OverriddenComponent,
    RemovedComponent,
    ReservedVib,
    ReserveReason,
    Rule,
)
from esximage_builder.models.image_profile import ImageProfile, ProfileVib
from esximage_builder.models.solution import Solution
from esximage_builder.models.spec import AddOnReference, SoftwareSpec
from esximage_builder.models.vib import (
    HardwarePlatform,
    MaintenanceMode,
    Payload,
    SoftwarePlatform,
    Vib,
    VibFile,
    vib_id,
)
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion, VibVersion
from esximage_builder.vocabulary import AcceptanceLevel, ComponentSource, Relation

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTSIDE_MODELS = (BootCfg, BootModuleLine, Checksum, Finding, MetadataEntry, ReadLimits, VendorEntry, VibHead)


def model_classes() -> Iterator[type]:
    for info in pkgutil.iter_modules(models.__path__):
        module = importlib.import_module(f"{models.__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and attrs.has(value) and value.__module__ == module.__name__:
                yield value


CLASSES = [*model_classes(), *OUTSIDE_MODELS]


def fields_of(kind: type) -> tuple[attrs.Attribute[Any], ...]:
    return attrs.fields(kind)  # type: ignore[no-any-return]


VIB = Vib(name="net-acme", version=VibVersion("1.0-1"), vendor="ACM", payloads=[Payload(name="k", type="boot")])
BULLETIN = Bulletin(id="Acme-net_1.0-1", vib_ids=[VIB.id])
COMPONENT = Component(name="Acme-net", version=ComponentVersion("1.0-1"), bulletin=BULLETIN)
REFERENCE = COMPONENT.reference
BASE_IMAGE = BaseImage(version=BaseImageVersion("7.0.3-0.55.20328353"), components=[REFERENCE])
OVERRIDDEN = OverriddenComponent(REFERENCE, ComponentSource.BASE_IMAGE)
SPEC = SoftwareSpec(base_image="7.0.3-0.55.20328353", components=[("Acme-net", None)])
IMAGE_PARTS: list[Any] = [
    OVERRIDDEN,
    EffectiveComponent(component=COMPONENT, source=ComponentSource.USER, rule=Rule.LISTED, overridden=[OVERRIDDEN]),
    RemovedComponent(name="x", source=ComponentSource.ADD_ON, removed=[OVERRIDDEN]),
    InstalledVib(vib=VIB, component="Acme-net:1.0-1"),
    ReservedVib(vib=VIB, reason=ReserveReason.REPLACED),
    MissingComponent(component=REFERENCE, source=ComponentSource.USER),
    MissingVib(vib_id="x"),
    Image(name="custom", base_image=BASE_IMAGE, spec=SPEC, vibs=[InstalledVib(vib=VIB)]),
    Catalog(vibs=[VIB], components=[COMPONENT], bulletins=[BULLETIN], base_images=[BASE_IMAGE]),
    VibHead(descriptor=b"<vib/>", signature=b""),
    ReadLimits(),
    Finding(code="x", severity=Severity.INFO, message="m"),
]
VALUES = st.one_of(
    strategies.vibs(),
    strategies.bulletins(),
    strategies.components(),
    strategies.profiles(),
    strategies.release_units(),
    strategies.software_specs(),
    strategies.boot_cfgs(),
    strategies.vendor_entries(),
    strategies.metadata_entries(),
    strategies.vib_files(),
    st.sampled_from(IMAGE_PARTS),
)


def values_inside(value: object) -> Iterator[object]:
    yield value
    if attrs.has(type(value)):
        for field in fields_of(type(value)):
            yield from values_inside(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from values_inside(item)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_model_is_frozen_and_slotted(kind: Any) -> None:
    assert "__slots__" in vars(kind)
    assert kind.__setattr__ is not object.__setattr__
    assert all("__dict__" not in vars(parent) for parent in kind.__mro__)
    assert getattr(kind, "__final__", False), "no one inherits from a model"


@pytest.mark.parametrize("kind", CLASSES)
def test_every_model_compares_by_content(kind: Any) -> None:
    assert kind.__hash__ not in (object.__hash__, None)
    assert kind.__eq__ is not object.__eq__


def tuple_fields() -> Iterator[Any]:
    for kind in CLASSES:
        for field in fields_of(kind):
            is_list = str(field.type).startswith("tuple[") or str(field.type) == "JsonPairs"
            if is_list and kind is not Finding:
                yield pytest.param(field, id=f"{kind.__name__}.{field.name}")


@pytest.mark.parametrize("field", list(tuple_fields()))
def test_lists_become_tuples_and_a_lone_text_is_refused(field: attrs.Attribute[Any]) -> None:
    convert: Any = field.converter
    assert convert([("name", "value")]) == (("name", "value"),)
    for lone in ("abc", b"abc"):
        with pytest.raises(ModelError):
            convert(lone)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_a_model_is_hashable_picklable_and_copyable(value: object) -> None:
    for twin in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value), copy.copy(value)):  # noqa: S301
        assert twin == value
        assert hash(twin) == hash(value)
        assert repr(twin) == repr(value)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_there_is_nothing_mutable_inside(value: object) -> None:
    assert not [part for part in values_inside(value) if isinstance(part, list | dict | set | bytearray)]


@pytest.mark.parametrize("value", IMAGE_PARTS, ids=lambda value: type(value).__name__)
def test_a_model_cannot_be_changed(value: object) -> None:
    name = fields_of(type(value))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, name, None)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        delattr(value, name)


@pytest.mark.parametrize("items", ["abc", b"abc", 1, None])
def test_what_is_no_list_is_refused(items: Any) -> None:
    with pytest.raises(ModelError, match="a list was expected"):
        as_tuple(items)


def test_a_payload_has_a_type() -> None:
    """Its local name begins with the type's first letter, and a descriptor without one is refused too."""
    with pytest.raises(ModelError, match="has no type"):
        Payload(name="x", type="")


def test_half_a_comparison_is_no_constraint() -> None:
    with pytest.raises(ModelError, match="half a comparison"):
        Constraint("esx-version", Relation.LESS)
    with pytest.raises(ModelError, match="half a comparison"):
        Constraint("esx-version", version=VibVersion("7.0.0"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Constraint("vmkapi_2_9_0_0"), "vmkapi_2_9_0_0", id="name"),
        pytest.param(
            Constraint("esx-version", Relation.GREATER_EQUAL, VibVersion("7.0.0")), "esx-version >= 7.0.0", id="range"
        ),
        pytest.param(Provide("zstd-compression", VibVersion("1.0")), "zstd-compression = 1.0", id="provide"),
        pytest.param(Provide("cim.CMPI"), "cim.CMPI", id="bare-provide"),
        pytest.param(ComponentReference("Acme-net", ComponentVersion("1.0-1")), "Acme-net:1.0-1", id="reference"),
        pytest.param(AddOnReference("ACME", AddOnVersion("703.1-A00")), "ACME:703.1-A00", id="add-on"),
        pytest.param(BootModuleLine("/b.b00", "-x"), "/b.b00 -x", id="module"),
        pytest.param(BootModuleLine("/b.b00"), "/b.b00", id="bare-module"),
    ],
)
def test_small_values_print_as_the_field_writes_them(value: object, text: str) -> None:
    assert str(value) == text


def test_ids_are_those_that_every_tool_prints() -> None:
    assert vib_id("VMW", "bootbank", "i40en", "1.0-1") == "VMW_bootbank_i40en_1.0-1"
    assert VIB.id == "ACM_bootbank_net-acme_1.0-1"
    assert COMPONENT.id == "Acme-net:1.0-1"
    assert BASE_IMAGE.id == "ESXi:7.0.3-0.55.20328353"
    assert AddOn(name="ACME-AddOn", version=AddOnVersion("703.1-A00")).id == "ACME-AddOn:703.1-A00"
    assert Solution(name="com.acme", version=AddOnVersion("1")).id == "com.acme:1"
    assert HardwareSupport(name="acme", version=AddOnVersion("2024.1")).id == "acme:2024.1"


def test_a_component_speaks_for_its_bulletin() -> None:
    assert COMPONENT.vib_ids == (VIB.id,)
    assert COMPONENT.vendor == BULLETIN.vendor
    assert COMPONENT.reference == ComponentReference("Acme-net", ComponentVersion("1.0-1"))
    assert ImageProfile(name="p", vibs=[ProfileVib(vib_id="a"), ProfileVib(vib_id="b")]).vib_ids == ("a", "b")


def test_facts_about_the_file_do_not_make_another_vib() -> None:
    with_file = VIB.with_file(VibFile(size_bytes=1, sha256="a" * 64))
    assert with_file == VIB
    assert hash(with_file) == hash(VIB)
    assert with_file.fingerprint == "a" * 64
    assert VIB.fingerprint.startswith("descriptor:")
    assert VIB.fingerprint == VIB.with_file(VibFile(size_bytes=1)).fingerprint
    assert with_file.with_file(None).fingerprint == VIB.fingerprint


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        pytest.param("a" * 64, "a" * 64, True, id="equal-digests"),
        pytest.param("a" * 64, "b" * 64, False, id="different-digests"),
        pytest.param("a" * 64, "", True, id="one-unknown"),
        pytest.param("", "", True, id="both-unknown"),
    ],
)
def test_equal_descriptors_are_one_vib_unless_digests_differ(one: str, other: str, is_same: bool) -> None:  # noqa: FBT001
    first, second = (VIB.with_file(VibFile(sha256=digest)) for digest in (one, other))
    assert first.is_same_content(second) is is_same
    assert not first.is_same_content(attrs.evolve(second, summary="other"))


@pytest.mark.parametrize(
    ("lines", "is_for_host"),
    [
        pytest.param([], True, id="not-stated"),
        pytest.param(["embeddedEsx"], True, id="host"),
        pytest.param(["esxio"], False, id="dpu"),
        pytest.param(["esxio", "embeddedEsx"], True, id="both"),
    ],
)
def test_a_vib_is_for_hosts_unless_made_for_dpus_only(lines: list[str], is_for_host: bool) -> None:  # noqa: FBT001
    platforms = [SoftwarePlatform("8.0", line) for line in lines]
    assert attrs.evolve(VIB, software_platforms=platforms).is_for_host is is_for_host


def test_a_vib_replaces_its_own_older_versions() -> None:
    assert VIB.implied_replaces() == (Constraint("net-acme", Relation.LESS, VibVersion("1.0-1")),)
    assert VIB.has_boot_payload
    assert not attrs.evolve(VIB, payloads=()).has_boot_payload


def test_a_payload_gives_its_digest_by_kind() -> None:
    payload = Payload(name="k", type="boot", checksums=[Checksum("sha-256", "aa", "gunzip"), Checksum("sha-256", "bb")])
    assert payload.checksum("sha-256") == "bb"
    assert payload.checksum("sha-256", "gunzip") == "aa"
    assert payload.checksum("sha-1") is None


def test_acceptance_levels_are_ordered_and_read_in_both_spellings() -> None:
    levels = list(AcceptanceLevel)
    backwards = levels[::-1]
    assert sorted(backwards) == levels
    assert min(AcceptanceLevel.PARTNER, AcceptanceLevel.COMMUNITY) is AcceptanceLevel.COMMUNITY
    assert AcceptanceLevel.CERTIFIED >= AcceptanceLevel.ACCEPTED
    for level in levels:
        assert AcceptanceLevel.from_text(level.value) is level
        assert AcceptanceLevel.from_text(f" {level.display.upper()} ") is level
        assert hash(level) == hash(level.value)
    with pytest.raises(ValueError, match="gold"):
        AcceptanceLevel.from_text("gold")
    with pytest.raises(TypeError):
        AcceptanceLevel.PARTNER < "partner"  # noqa: B015


def test_sources_have_words_for_running_text() -> None:
    assert [source.display for source in ComponentSource] == [
        "base image", "add-on", "hardware support package", "solution", "user", "user removed",
    ]  # fmt: skip


def test_a_spec_sorts_what_has_no_order() -> None:
    one = SoftwareSpec(base_image="x", components=[("b", None), ("a", None)], removed_components=["b", "a", "b"])
    other = SoftwareSpec(base_image="x", components=[("a", None), ("b", None)], removed_components=["a", "b"])
    assert one == other


CATALOG = Catalog(
    base_images=[BASE_IMAGE, BaseImage(version=BaseImageVersion("9.0.2-0.25148076"))],
    add_ons=[AddOn(name="ACME-AddOn", version=AddOnVersion("703.1-A00"))],
    components=[COMPONENT],
    profiles=[ImageProfile(name="ACME-ESXi-703")],
    solutions=[Solution(name="com.acme.ha", version=AddOnVersion("1.0"))],
    hardware_support=[HardwareSupport(name="acme", version=AddOnVersion("2024.1"))],
    vibs=[VIB],
    vib_sources=[(VIB.fingerprint, ("a.zip",))],
)


def test_a_catalog_finds_what_it_holds() -> None:
    assert CATALOG.base_image("9.0.2.0.25148076").version.text == "9.0.2-0.25148076"
    assert CATALOG.add_on("ACME-AddOn", "703.1-A00") is CATALOG.add_ons[0]
    assert CATALOG.component("Acme-net", "1.0-1") is COMPONENT
    assert CATALOG.profile("ACME-ESXi-703") is CATALOG.profiles[0]
    assert CATALOG.solution("com.acme.ha", "1.0") is CATALOG.solutions[0]
    assert CATALOG.hardware_support_package("acme", "2024.1") is CATALOG.hardware_support[0]
    assert CATALOG.vibs_by_id[VIB.id] == (VIB,)
    assert CATALOG.components_by_name["Acme-net"] == (COMPONENT,)
    assert CATALOG.components_by_bulletin_id[BULLETIN.id] == (COMPONENT,)
    assert CATALOG.sources_of(VIB) == ("a.zip",)
    assert CATALOG.sources_of(attrs.evolve(VIB, name="other")) == ()


@pytest.mark.parametrize(
    ("look_up", "hint"),
    [
        pytest.param(lambda catalog: catalog.base_image("7.0.3-0.55.20328352"), "7.0.3-0.55.20328353", id="base-image"),
        pytest.param(lambda catalog: catalog.base_image("newest"), "7.0.3-0.55.20328353", id="no-version"),
        pytest.param(lambda catalog: catalog.add_on("ACME-AddOn", "703.1-A01"), "ACME-AddOn:703.1-A00", id="add-on"),
        pytest.param(lambda catalog: catalog.component("Acme-net", "2.0"), "Acme-net:1.0-1", id="component-version"),
        pytest.param(
            lambda catalog: catalog.component("Acme-nett", "1.0-1"),
            "did you mean Acme-net (1.0-1)?",
            id="component-name",
        ),
        pytest.param(lambda catalog: catalog.profile("ACME-ESXi-704"), "ACME-ESXi-703", id="profile"),
        pytest.param(lambda catalog: catalog.solution("com.acme.ha", "2"), "com.acme.ha:1.0", id="solution"),
        pytest.param(lambda catalog: catalog.hardware_support_package("acme", "2"), "acme:2024.1", id="hardware"),
    ],
)
def test_what_a_catalog_lacks_is_answered_with_near_matches(look_up: Any, hint: str) -> None:
    with pytest.raises(NotInDepotError) as caught:
        look_up(CATALOG)
    assert hint in caught.value.hint
    with pytest.raises(NotInDepotError, match="open the depot that does"):
        look_up(Catalog())


def test_an_image_counts_up_its_vibs() -> None:
    low = attrs.evolve(VIB, name="low")
    high = attrs.evolve(VIB, name="esx-base", acceptance_level=AcceptanceLevel.CERTIFIED)
    image = Image(name="x", vibs=[InstalledVib(vib=low), InstalledVib(vib=high)])
    assert image.acceptance_level is AcceptanceLevel.COMMUNITY
    assert Image(name="x").acceptance_level is AcceptanceLevel.CERTIFIED
    assert image.base_vib is high
    assert image.esxi_version is None
    assert image.all_vibs == (high, low)
    assert image.digest == attrs.evolve(image, name="other name").digest
    assert image.digest != attrs.evolve(image, vibs=[InstalledVib(vib=low)]).digest
    released = attrs.evolve(
        high, version=VibVersion("7.0.3-0.55.20328353"), released_at=datetime(2022, 9, 1, tzinfo=UTC)
    )
    assert attrs.evolve(image, vibs=[InstalledVib(vib=released)]).esxi_version == BASE_IMAGE.version


def test_maintenance_and_hardware_have_plain_defaults() -> None:
    assert MaintenanceMode() == MaintenanceMode(required=False, on_install=None, on_remove=None)
    assert HardwarePlatform("Acme").model == ""
