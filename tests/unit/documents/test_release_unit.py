"""Release units: every spelling is understood, and what no one knows survives."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support import schema_strategies as strategies

from esximage_builder.documents.release_unit import (
    ReleaseUnit,
    UnitKind,
    parse_release_unit,
    render_release_unit,
    unit_folder_kind,
    unit_kind,
)
from esximage_builder.errors import EsxImageError, InvalidFieldError, LimitExceededError, MalformedDocumentError
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.component import ComponentReference
from esximage_builder.models.hardware_support import HardwareSupport
from esximage_builder.models.solution import Solution, SolutionComponent
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion
from esximage_builder.vocabulary import AcceptanceLevel

ADD_ON_DOCUMENT: dict[str, Any] = {
    "schemaVersion": "1.0",
    "releaseType": "addon",
    "releaseID": "ACME-AddOn:803.1-A00",
    "vendor": "Acme",
    "summary": "One line",
    "description": "More lines",
    "category": "enhancement",
    "kbURL": "https://acme.example/kb/1",
    "releaseDate": "2024-01-01T00:00:00",
    "acceptanceLevel": "partner",
    "nameSpec": {"name": "ACME-AddOn", "uiString": "Acme Add-on"},
    "versionSpec": {"version": "803.1-A00", "uiString": "A00"},
    "supportedBaseImageVersions": ["8.0.3"],
    "components": {"Acme-foo": "1.0-1OEM", "Acme-bar": "2.0-1"},
    "removedComponents": ["Intel-i40en"],
}
ADD_ON = AddOn(
    name="ACME-AddOn",
    version=AddOnVersion("803.1-A00"),
    display_name="Acme Add-on",
    display_version="A00",
    vendor="Acme",
    summary="One line",
    description="More lines",
    category="enhancement",
    kb_url="https://acme.example/kb/1",
    released_at=datetime(2024, 1, 1, tzinfo=UTC),
    acceptance_level=AcceptanceLevel.PARTNER,
    supported_base_images=["8.0.3"],
    components=[
        ComponentReference("Acme-bar", ComponentVersion("2.0-1")),
        ComponentReference("Acme-foo", ComponentVersion("1.0-1OEM")),
    ],
    removed_components=["Intel-i40en"],
)
BASE_DOCUMENT: dict[str, Any] = {
    "releaseType": "baseimage",
    "versionSpec": {"version": "8.0.3-0.70.24674464", "uiString": "8.0 U3e - 24674464"},
}


def parsed(document: object, kind: UnitKind | None = None) -> ReleaseUnit:
    return parse_release_unit(json.dumps(document).encode(), where="x.json", kind=kind, max_bytes=1_000_000)


def add_on(changes: dict[str, Any], *, drop: str = "") -> AddOn:
    document = {key: value for key, value in ADD_ON_DOCUMENT.items() if key != drop}
    unit = parsed(document | changes)
    assert isinstance(unit, AddOn)
    return unit


def base_image(**changes: Any) -> BaseImage:
    unit = parsed(BASE_DOCUMENT | changes)
    assert isinstance(unit, BaseImage)
    return unit


def test_an_add_on_is_read_whole() -> None:
    assert parsed(ADD_ON_DOCUMENT) == ADD_ON


def test_a_base_image_is_read_whole() -> None:
    unit = base_image(
        nameSpec={"name": "ESXi", "uiString": "ESXi"},
        components=[{"name": "esx-update", "version": "8.0.3-0.70.24674464"}],
        quickPatchCompatibleVersions={"8.0.3-0.65.24659227": "8.0 U3se - 24659227"},
    )
    assert unit == BaseImage(
        version=BaseImageVersion("8.0.3-0.70.24674464"),
        display_version="8.0 U3e - 24674464",
        components=[ComponentReference("esx-update", ComponentVersion("8.0.3-0.70.24674464"))],
        quick_patch_versions=[("8.0.3-0.65.24659227", "8.0 U3se - 24659227")],
    )


def test_a_manifest_is_read_as_public_scripts_show_it() -> None:
    document = {
        "nameSpec": {"name": "acme", "uiString": "Acme drivers"},
        "components": {"Acme-foo": "1.0-1OEM"},
        "hardwareSupportInfo": {"package": {"name": "acme-hsp", "version": "2024.1"}, "manager": "m"},
    }
    unit = parsed(document, UnitKind.HARDWARE_SUPPORT)
    assert unit == HardwareSupport(
        name="acme-hsp",
        version=AddOnVersion("2024.1"),
        display_name="Acme drivers",
        components=[ComponentReference("Acme-foo", ComponentVersion("1.0-1OEM"))],
        extra=unit.extra,
    )
    assert [(key, json.loads(value)) for key, value in unit.extra] == [
        ("hardwareSupportInfo", document["hardwareSupportInfo"])
    ]
    assert parse_release_unit(render_release_unit(unit), where="x", kind=None, max_bytes=10_000) == unit


@pytest.mark.parametrize(
    ("components", "wanted"),
    [
        pytest.param({"b": "1", "a": None}, [("a", []), ("b", ["1"])], id="map"),
        pytest.param({"a": ["1", "2"]}, [("a", ["1", "2"])], id="map-of-lists"),
        pytest.param({"a": {"versions": ["1"]}}, [("a", ["1"])], id="map-of-objects"),
        pytest.param([{"name": "a", "versions": ["1"]}], [("a", ["1"])], id="list-of-objects"),
        pytest.param([{"component": "a"}], [("a", [])], id="list-of-names"),
        pytest.param(["a", "b:2"], [("a", []), ("b", ["2"])], id="list-of-texts"),
    ],
)
def test_a_solution_lists_what_versions_it_accepts(components: object, wanted: list[tuple[str, list[str]]]) -> None:
    unit = parsed({"releaseType": "solution", "releaseID": "com.acme.ha:1.0", "components": components})
    assert unit == Solution(
        name="com.acme.ha",
        version=AddOnVersion("1.0"),
        components=[SolutionComponent(name, [ComponentVersion(text) for text in texts]) for name, texts in wanted],
    )


@pytest.mark.parametrize(
    ("key", "spellings"),
    [
        pytest.param(
            "supportedBaseImageVersions",
            [
                "supported_base_image_versions",
                "supportedBaseImages",
                "base-image-versions",
                "compatibleBaseImageVersions",
                "compatible_base_images",
                "supportedVersions",
            ],
            id="supported-base-images",
        ),
        pytest.param(
            "removedComponents",
            ["removed_components", "removeComponents", "componentsToRemove", "RemovedComponents"],
            id="removed-components",
        ),
        pytest.param("components", ["Components", "component_list", "componentList"], id="components"),
        pytest.param("nameSpec", ["name_spec", "addonNameSpec", "addon_name_spec", "releaseNameSpec"], id="name-spec"),
        pytest.param("versionSpec", ["version_spec", "addonVersionSpec", "release-version-spec"], id="version-spec"),
        pytest.param("kbURL", ["kb", "kbUrl", "kb_url", "KB URL"], id="kb"),
        pytest.param("releaseDate", ["release_date", "ReleaseDate"], id="date"),
        pytest.param("acceptanceLevel", ["acceptance_level", "acceptancelevel"], id="level"),
        pytest.param("releaseType", ["release_type", "RELEASETYPE"], id="type"),
        pytest.param("releaseID", ["release_id", "releaseId", "id"], id="id"),
        pytest.param("schemaVersion", ["schema_version"], id="schema"),
        pytest.param("category", ["Category"], id="category"),
    ],
)
def test_a_key_may_be_spelt_in_many_ways(key: str, spellings: list[str]) -> None:
    for spelling in spellings:
        assert add_on({spelling: ADD_ON_DOCUMENT[key]}, drop=key) == ADD_ON, spelling


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"components": {"Acme-foo": ["1.0-1OEM"], "Acme-bar": {"version": "2.0-1"}}}, id="map-of-lists"),
        pytest.param(
            {
                "components": [
                    {"name": "Acme-foo", "version": "1.0-1OEM"},
                    {"component": "Acme-bar", "versions": ["2.0-1"]},
                ]
            },
            id="list-of-objects",
        ),
        pytest.param({"components": ["Acme-foo:1.0-1OEM", "Acme-bar:2.0-1"]}, id="list-of-texts"),
        pytest.param({"removedComponents": [{"name": "Intel-i40en", "display_name": "x"}]}, id="removed-as-objects"),
        pytest.param({"removedComponents": {"Intel-i40en": None}}, id="removed-as-map"),
        pytest.param({"removedComponents": "Intel-i40en"}, id="removed-as-text"),
        pytest.param({"supportedBaseImageVersions": [{"version": "8.0.3"}]}, id="bases-as-objects"),
        pytest.param({"supportedBaseImageVersions": ["8.0.3", "8.0.3", ""]}, id="bases-twice"),
        pytest.param({"nameSpec": "ACME-AddOn", "displayName": "Acme Add-on"}, id="name-as-text"),
        pytest.param({"nameSpec": None, "name": "ACME-AddOn", "display_name": "Acme Add-on"}, id="api-names"),
        pytest.param({"versionSpec": None, "version": "803.1-A00", "display_version": "A00"}, id="api-versions"),
        pytest.param({"nameSpec": None, "displayName": "Acme Add-on"}, id="name-from-id"),
        pytest.param({"versionSpec": None, "displayVersion": "A00"}, id="version-from-id"),
        pytest.param({"acceptanceLevel": "PartnerSupported"}, id="level-of-esxcli"),
        pytest.param({"releaseDate": "2024-01-01T00:00:00.000Z"}, id="date-of-the-api"),
    ],
)
def test_a_value_may_have_many_forms(changes: dict[str, Any]) -> None:
    assert add_on(changes) == ADD_ON


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        *((name, UnitKind.BASE_IMAGE) for name in ("baseimages", "baseImages", "base_images", "BASE-IMAGE")),
        *((name, UnitKind.ADD_ON) for name in ("addons", "addOns", "add_ons", "add-on", "Addon")),
        *((name, UnitKind.HARDWARE_SUPPORT) for name in ("manifests", "manifest", "hardware_support", "HSP")),
        *((name, UnitKind.SOLUTION) for name in ("solutions", "Solution")),
        *((name, None) for name in ("vibs", "bulletins", "", "notifications", "configSchemas")),
    ],
)
def test_folders_say_what_kind_of_unit_they_hold(folder: str, kind: UnitKind | None) -> None:
    assert unit_folder_kind(folder) is kind


def test_the_document_s_own_type_wins_over_its_folder() -> None:
    assert isinstance(parsed(ADD_ON_DOCUMENT, UnitKind.SOLUTION), AddOn)
    untyped = {key: value for key, value in ADD_ON_DOCUMENT.items() if key != "releaseType"}
    assert parsed(untyped, UnitKind.ADD_ON) == ADD_ON
    with pytest.raises(InvalidFieldError, match="what kind of release unit"):
        parsed(untyped)
    with pytest.raises(InvalidFieldError, match="what kind of release unit"):
        parsed(untyped | {"releaseType": "rollup"})


UNKNOWN: dict[str, Any] = {"acmeFlag": True, "acme_list": [1, {"a": None}], "z": None, "größe": "ü"}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(ADD_ON_DOCUMENT, id="add-on"),
        pytest.param(BASE_DOCUMENT, id="base-image"),
        pytest.param({"releaseType": "manifest", "releaseID": "acme:1"}, id="manifest"),
        pytest.param({"releaseType": "solution", "releaseID": "acme:1"}, id="solution"),
    ],
)
def test_unknown_keys_survive(document: dict[str, Any]) -> None:
    unit = parsed(document | UNKNOWN)
    assert {key: json.loads(value) for key, value in unit.extra} == UNKNOWN
    again = json.loads(render_release_unit(unit))
    assert {key: again[key] for key in UNKNOWN} == UNKNOWN
    assert parsed(again) == unit


@pytest.mark.parametrize(
    ("document", "kept"),
    [
        pytest.param(
            {"releaseType": "solution", "releaseID": "a:1"},
            {
                "summary": "s",
                "kb": "k",
                "supportedBaseImages": ["8.0.3"],
                "removedComponents": ["x"],
                "releaseDate": "2024-01-01",
            },
            id="solution",
        ),
        pytest.param(
            {"releaseType": "manifest", "releaseID": "a:1"},
            {"summary": "s", "displayVersion": "d", "acceptanceLevel": "partner"},
            id="manifest",
        ),
        pytest.param(BASE_DOCUMENT, {"removedComponents": ["x"], "supported_versions": ["8.0.3"]}, id="base-image"),
        pytest.param(
            ADD_ON_DOCUMENT,
            {"hardwareSupportInfo": {"package": {}}, "quickPatchCompatibleVersions": {"a": "b"}},
            id="add-on",
        ),
    ],
)
def test_known_keys_that_a_kind_has_no_field_for_survive(document: dict[str, Any], kept: dict[str, Any]) -> None:
    unit = parsed(document | kept)
    assert {key: json.loads(value) for key, value in unit.extra} == kept
    again = json.loads(render_release_unit(unit))
    assert {key: again[key] for key in kept} == kept
    assert parsed(again) == unit


def test_of_two_spellings_of_one_key_the_first_counts() -> None:
    unit = add_on({"supported_versions": ["9.0"]})
    assert unit.supported_base_images == ("8.0.3",)
    assert unit.extra == (("supported_versions", '["9.0"]'),)
    assert parsed(json.loads(render_release_unit(unit))) == unit


@pytest.mark.parametrize("nothing", [None, "", " ", [], [""], {}])
@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ("releaseDate", "release_date", "2023-01-01T00:00:00"),
        ("acceptanceLevel", "acceptance level", "community"),
        ("supportedBaseImageVersions", "supported_versions", ["9.0"]),
        ("removedComponents", "components_to_remove", ["Acme-x"]),
        ("kbURL", "kb", "https://acme.example/kb/2"),
    ],
)
def test_a_spelling_that_says_nothing_does_not_count(first: str, second: str, value: object, nothing: object) -> None:
    """Else it would not be written, and the other one would be taken when that is read again."""
    wanted = add_on({first: value})
    for document in ({first: nothing, second: value}, {second: value, first: nothing}):
        unit = add_on(document, drop=first)
        assert unit == wanted
        assert parsed(json.loads(render_release_unit(unit))) == unit


@pytest.mark.parametrize(
    "extra",
    [
        {"acme": 1, "hardwareSupportInfo": {"x": 1}, "acme2": 2, "Hardware_Support_Info": {"y": 1}},
        {"name": "x", "NAME": "y", "Version": "1", "version": "2", "uiName": "a", "displayName": "b"},
        {"baseImageVersions": ["9.0"], "KB": "", "supported_versions": []},
    ],
)
def test_however_often_a_key_is_there_what_is_written_says_the_same(extra: dict[str, Any]) -> None:
    for document in (ADD_ON_DOCUMENT | extra, extra | ADD_ON_DOCUMENT):
        unit = parsed(document)
        assert parsed(json.loads(render_release_unit(unit))) == unit


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"releaseID": " E : V "}, id="id"),
        pytest.param({"nameSpec": " E ", "versionSpec": " V "}, id="text"),
        pytest.param({"nameSpec": {"name": " E "}, "versionSpec": {"version": " V "}}, id="object"),
    ],
)
def test_blanks_around_name_and_version_do_not_count_wherever_they_stand(document: dict[str, Any]) -> None:
    unit = parsed({"releaseType": "addon"} | document)

    assert isinstance(unit, AddOn)
    assert (unit.name, str(unit.version)) == ("E", "V")


def test_two_versions_of_a_component_both_survive() -> None:
    unit = add_on({"components": {"a": ["1.0", "2.0"], "b": "1"}})
    assert [str(reference) for reference in unit.components] == ["a:1.0", "a:2.0", "b:1"]
    assert json.loads(render_release_unit(unit))["components"] == {"a": ["1.0", "2.0"], "b": "1"}


@pytest.mark.parametrize(
    ("document", "message", "where"),
    [
        pytest.param(
            {"releaseType": "addon", "nameSpec": {"name": "x"}}, "has no version", "#/versionSpec", id="no-version"
        ),
        pytest.param({"releaseType": "addon", "version": "1"}, "has no name", "#/nameSpec", id="no-name"),
        pytest.param(
            {"releaseType": "addon", "releaseID": "a:1 0"}, "no add-on version", "#/versionSpec", id="version"
        ),
        pytest.param(
            {"releaseType": "baseimage", "version": "7.0U3g"}, "no base image version", "#/versionSpec", id="base"
        ),
        pytest.param(ADD_ON_DOCUMENT | {"nameSpec": []}, "wrong type", "#/nameSpec", id="name-spec"),
        pytest.param(ADD_ON_DOCUMENT | {"nameSpec": {"name": 1}}, "wrong type", "#/nameSpec/name", id="name"),
        pytest.param(ADD_ON_DOCUMENT | {"vendor": []}, "wrong type", "#/vendor", id="vendor"),
        pytest.param(ADD_ON_DOCUMENT | {"components": "x"}, "wrong type", "#/components", id="components"),
        pytest.param(ADD_ON_DOCUMENT | {"components": [1]}, "wrong type", "#/components/0", id="component"),
        pytest.param(ADD_ON_DOCUMENT | {"components": [{}]}, "wrong type", "#/components/0", id="component-name"),
        pytest.param(
            ADD_ON_DOCUMENT | {"components": {"a/b": 1}}, "wrong type", "#/components/a~1b", id="component-value"
        ),
        pytest.param(ADD_ON_DOCUMENT | {"removedComponents": 1}, "wrong type", "#/removedComponents", id="removed"),
        pytest.param(
            ADD_ON_DOCUMENT | {"removedComponents": [1]}, "wrong type", "#/removedComponents/0", id="removed-item"
        ),
        pytest.param(ADD_ON_DOCUMENT | {"releaseDate": "soon"}, "no date", "#/releaseDate", id="date"),
        pytest.param(
            ADD_ON_DOCUMENT | {"acceptanceLevel": "gold"}, "no acceptance level", "#/acceptanceLevel", id="level"
        ),
        pytest.param(
            BASE_DOCUMENT | {"quickPatchCompatibleVersions": []},
            "wrong type",
            "#/quickPatchCompatibleVersions",
            id="quick-patch",
        ),
        pytest.param(
            {"releaseType": "manifest", "hardwareSupportInfo": []},
            "wrong type",
            "#/hardwareSupportInfo",
            id="hardware-info",
        ),
        pytest.param(
            {"releaseType": "manifest", "hardwareSupportInfo": {"package": 1}},
            "wrong type",
            "#/hardwareSupportInfo/package",
            id="package",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_place(document: dict[str, Any], message: str, where: str) -> None:
    with pytest.raises(InvalidFieldError, match=message) as caught:
        parsed(document)
    assert caught.value.where == f"x.json{where}"


def test_what_is_no_json_object_is_malformed() -> None:
    with pytest.raises(MalformedDocumentError):
        parsed([])
    with pytest.raises(LimitExceededError):
        parse_release_unit(b"{    }", where="x", kind=None, max_bytes=3)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.release_units())
def test_what_is_written_is_read_back(unit: ReleaseUnit) -> None:
    written = render_release_unit(unit)
    again = parse_release_unit(written, where="x", kind=None, max_bytes=1_000_000)
    assert again == unit
    assert again.extra == unit.extra
    assert unit_kind(again) is unit_kind(unit)
    assert render_release_unit(again) == written


@settings(max_examples=150)
@given(
    st.one_of(
        strategies.mangled(json.dumps(ADD_ON_DOCUMENT).encode()),
        st.tuples(
            st.sampled_from(("addon", "baseimage", "manifest", "solution")),
            st.dictionaries(
                st.sampled_from(
                    (*ADD_ON_DOCUMENT, "hardwareSupportInfo", "quickPatchCompatibleVersions", "name", "id")
                ),
                strategies.json_values(),
            ),
        ).map(lambda found: json.dumps(found[1] | {"releaseType": found[0], "releaseID": "a:1"}).encode()),
    )
)
def test_any_document_raises_only_our_errors(data: bytes) -> None:
    with contextlib.suppress(EsxImageError):
        unit = parse_release_unit(data, where="x", kind=None, max_bytes=1_000_000)
        parse_release_unit(render_release_unit(unit), where="x", kind=None, max_bytes=1_000_000)


def test_a_changed_unit_is_written_changed() -> None:
    renamed = attrs.evolve(ADD_ON, name="OTHER", version=AddOnVersion("1"))
    assert parsed(json.loads(render_release_unit(renamed))) == renamed


@pytest.mark.parametrize(
    "components", [{"": "1.0-1"}, {" ": "1.0-1"}, [":1.0-1"], [{"name": " ", "version": "1.0-1"}]], ids=repr
)
@pytest.mark.parametrize("kind", ["addon", "solution"])
def test_a_component_without_name_is_refused(components: object, kind: str) -> None:
    """What we would write of it nobody could read."""
    document = ADD_ON_DOCUMENT | {"components": components, "releaseType": kind}
    with pytest.raises(InvalidFieldError, match="a component has no name"):
        parsed(document)
