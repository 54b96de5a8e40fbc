"""The software spec: both forms of vLCM are read, and nothing is lost on the way."""

from __future__ import annotations

import codecs
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support import schema_strategies as strategies
from support.effort import share

from esximage_builder.depot.documents import read_software_spec, write_software_spec
from esximage_builder.documents.software_spec import parse_software_spec, render_software_spec
from esximage_builder.errors import (
    EsxImageError,
    ExportError,
    InvalidFieldError,
    MalformedDocumentError,
    SourceUnreadableError,
)
from esximage_builder.models.spec import (
    AddOnReference,
    AlternativeImage,
    HardwareSupportReference,
    SoftwareSpec,
    SolutionReference,
)
from esximage_builder.versions import AddOnVersion, ComponentVersion

if TYPE_CHECKING:
    from pathlib import Path

BASE = {"base_image": {"version": "8.0.3-0.70.24674464"}}
FULL: dict[str, Any] = {
    **BASE,
    "add_on": {"name": "ACME-AddOn", "version": "803.11111111-A00"},
    "components": {"Acme-foo": "1.0-1OEM.800.1.0.20613240", "Acme-bar": None},
    "hardware_support": {"packages": {"com.acme.hsm": {"pkg": "acme", "version": "2024.1"}}},
    "solutions": {"com.acme.sol": {"version": "1.2.3-1", "components": [{"component": "acme-sol"}]}},
    "removed_components": ["Intel-i40iwn"],
    "alternative_images": {"img-1": {"base_image": {"version": "8.0.2-0.0.22380479"}, "display_name": "B"}},
}
MODEL = SoftwareSpec(
    base_image="8.0.3-0.70.24674464",
    add_on=AddOnReference("ACME-AddOn", AddOnVersion("803.11111111-A00")),
    components=[("Acme-foo", ComponentVersion("1.0-1OEM.800.1.0.20613240")), ("Acme-bar", None)],
    hardware_support=[HardwareSupportReference(manager="com.acme.hsm", package="acme", version="2024.1")],
    solutions=[SolutionReference(name="com.acme.sol", version="1.2.3-1", components=["acme-sol"])],
    removed_components=["Intel-i40iwn"],
    alternative_images=[
        AlternativeImage(id="img-1", spec=SoftwareSpec(base_image="8.0.2-0.0.22380479"), display_name="B")
    ],
)


def parsed(document: object) -> SoftwareSpec:
    return parse_software_spec(json.dumps(document).encode(), where="image.json")


def written(spec: SoftwareSpec) -> Any:
    return json.loads(render_software_spec(spec))


def test_all_seven_keys_are_read() -> None:
    assert parsed(FULL) == MODEL


def test_all_seven_keys_go_round() -> None:
    assert written(parsed(FULL)) == FULL


@pytest.mark.parametrize("key", [key for key in FULL if key != "base_image"])
def test_null_and_missing_mean_the_same(key: str) -> None:
    without = {name: value for name, value in FULL.items() if name != key}
    assert parsed({**FULL, key: None}) == parsed(without)
    assert parsed(written(parsed(without))) == parsed(without)


def test_absent_sections_are_written_as_vlcm_does() -> None:
    assert written(parsed(BASE)) == {
        **BASE, "add_on": None, "components": None, "hardware_support": None, "solutions": None,
    }  # fmt: skip


def test_a_real_export_is_read() -> None:
    spec = parse_software_spec(
        b'{"base_image":{"version":"9.0.2-0.25148076"},"add_on":{"name":"HPE-Custom-Syn-AddOn",'
        b'"version":"900.0.0.12.3.5-5"},"components":null,"hardware_support":null,"solutions":null}',
        where="x",
    )
    assert (spec.base_image, str(spec.add_on)) == ("9.0.2-0.25148076", "HPE-Custom-Syn-AddOn:900.0.0.12.3.5-5")
    assert spec.components == ()


@pytest.mark.parametrize(
    "mark_and_encoding",
    [
        pytest.param((b"", "utf-8"), id="plain"),
        pytest.param((codecs.BOM_UTF8, "utf-8"), id="utf-8-mark"),
        pytest.param((codecs.BOM_UTF16_LE, "utf-16-le"), id="utf-16-le"),
        pytest.param((codecs.BOM_UTF16_BE, "utf-16-be"), id="utf-16-be"),
    ],
)
def test_a_byte_order_mark_is_read_and_never_written(mark_and_encoding: tuple[bytes, str]) -> None:
    mark, encoding = mark_and_encoding
    spec = parse_software_spec(mark + json.dumps(FULL).encode(encoding), where="x")
    assert spec == MODEL
    assert render_software_spec(spec).startswith(b"{")


def test_the_info_form_with_details_is_read_and_the_spec_form_written() -> None:
    details = {"display_name": "x", "vendor": "y", "release_date": "2024-01-01T00:00:00.000Z"}
    info: dict[str, Any] = {
        "base_image": {**FULL["base_image"], "details": details},
        "add_on": {**FULL["add_on"], "details": details},
        "components": {
            "Acme-foo": {"version": "1.0-1OEM.800.1.0.20613240", "details": details},
            "Acme-bar": {"version": "", "details": details},
        },
        "hardware_support": {"packages": {"com.acme.hsm": {"pkg": "acme", "version": "2024.1", "details": details}}},
        "solutions": {"com.acme.sol": {**FULL["solutions"]["com.acme.sol"], "details": details}},
    }
    expected = {key: value for key, value in FULL.items() if key in info}
    assert parsed(info) == parsed(expected)
    assert written(parsed(info)) == expected


@pytest.mark.parametrize(
    "section",
    [
        pytest.param({"com.acme.hsm": {"pkg": "acme", "version": "2024.1"}}, id="vxrail"),
        pytest.param({"com.acme.hsm": {"pkg": "acme", "version": "2024.1"}, "com.other": None}, id="vxrail-null"),
        pytest.param({"packages": {"com.acme.hsm": {"pkg": "acme", "version": "2024.1"}}}, id="api"),
        pytest.param({"packages": {"com.acme.hsm": {"pkg": " acme ", "version": " 2024.1 "}}}, id="blanks"),
    ],
)
def test_both_forms_of_hardware_support_are_read(section: dict[str, Any]) -> None:
    assert parsed({**BASE, "hardware_support": section}).hardware_support == MODEL.hardware_support


@pytest.mark.parametrize("section", [{}, {"packages": None}, {"packages": {}}])
def test_hardware_support_may_be_empty(section: dict[str, Any]) -> None:
    assert parsed({**BASE, "hardware_support": section}) == parsed(BASE)


def test_an_unset_version_is_an_empty_text() -> None:
    document = {**BASE, "hardware_support": {"packages": {"m": {"pkg": "p", "version": ""}}}}
    assert parsed(document).hardware_support[0].version == ""
    assert written(parsed(document))["hardware_support"] == document["hardware_support"]


def test_unknown_keys_survive() -> None:
    document = {
        **BASE,
        "acme": {"b": [1, None, True], "a": "ü"},
        "later": None,
        "hardware_support": {"packages": {"m": {"pkg": "p", "version": "1", "acme": 1}}},
        "solutions": {"s": {"version": "1", "components": [], "acme": [2]}},
    }
    spec = parsed(document)
    assert spec.extra == (("acme", '{"a":"ü","b":[1,null,true]}'), ("later", "null"))
    again = written(spec)
    assert {key: again[key] for key in document} == document
    assert parsed(again) == spec


def test_the_order_of_components_does_not_matter() -> None:
    shuffled = {**FULL, "components": dict(reversed(FULL["components"].items()))}
    assert parsed(shuffled) == parsed(FULL)
    assert render_software_spec(parsed(shuffled)) == render_software_spec(parsed(FULL))


def test_an_alias_is_kept_for_the_catalog_to_resolve() -> None:
    assert parsed({"base_image": {"version": "7.0U3g"}}).base_image == "7.0U3g"


@pytest.mark.parametrize(
    ("document", "where"),
    [
        pytest.param({}, "#/base_image", id="no-base-image"),
        pytest.param({"base_image": None}, "#/base_image", id="null-base-image"),
        pytest.param({"base_image": "8.0.3"}, "#/base_image", id="base-image-as-text"),
        pytest.param({"base_image": {}}, "#/base_image/version", id="no-base-version"),
        pytest.param({"base_image": {"version": " "}}, "#/base_image/version", id="blank-base-version"),
        pytest.param({"base_image": {"version": 8}}, "#/base_image/version", id="number-as-base-version"),
        pytest.param({**BASE, "add_on": []}, "#/add_on", id="add-on-as-list"),
        pytest.param({**BASE, "add_on": {"name": "x"}}, "#/add_on/version", id="no-add-on-version"),
        pytest.param({**BASE, "add_on": {"version": "1"}}, "#/add_on/name", id="no-add-on-name"),
        pytest.param({**BASE, "add_on": {"name": "x", "version": "1 0"}}, "#/add_on/version", id="add-on-version"),
        pytest.param({**BASE, "components": ["x"]}, "#/components", id="components-as-list"),
        pytest.param({**BASE, "components": {"a/b": 1}}, "#/components/a~1b", id="component-as-number"),
        pytest.param({**BASE, "components": {"a": "1 0"}}, "#/components/a", id="component-version"),
        pytest.param({**BASE, "components": {"a": {"version": 1}}}, "#/components/a/version", id="info-version"),
        pytest.param({**BASE, "removed_components": {}}, "#/removed_components", id="removed-as-map"),
        pytest.param({**BASE, "removed_components": ["a", None]}, "#/removed_components/1", id="removed-null"),
        pytest.param({**BASE, "hardware_support": 1}, "#/hardware_support", id="hardware-as-number"),
        pytest.param({**BASE, "hardware_support": {"m": "x"}}, "#/hardware_support/m", id="vxrail-as-text"),
        pytest.param(
            {**BASE, "hardware_support": {"packages": {"m": {}}}}, "#/hardware_support/packages/m/pkg", id="no-pkg"
        ),
        pytest.param({**BASE, "solutions": {"s": None}}, "#/solutions/s", id="solution-null"),
        pytest.param({**BASE, "solutions": {"s": {"components": {}}}}, "#/solutions/s/components", id="solution-map"),
        pytest.param(
            {**BASE, "solutions": {"s": {"components": [{}]}}}, "#/solutions/s/components/0/component", id="no-name"
        ),
        pytest.param({**BASE, "solutions": {"s": {"components": [1]}}}, "#/solutions/s/components/0", id="number"),
        pytest.param({**BASE, "solutions": {"s": {"version": 1}}}, "#/solutions/s/version", id="solution-version"),
        pytest.param({**BASE, "alternative_images": []}, "#/alternative_images", id="alternatives-as-list"),
    ],
)
def test_an_error_carries_a_json_pointer(document: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        parsed(document)
    assert caught.value.where == f"image.json{where}"
    assert caught.value.expected


@settings(max_examples=share(250), suppress_health_check=[HealthCheck.too_slow])
@given(strategies.software_specs())
def test_what_is_written_is_read_back(spec: SoftwareSpec) -> None:
    data = render_software_spec(spec)
    assert parse_software_spec(data, where="x") == spec
    assert render_software_spec(parse_software_spec(data, where="x")) == data


@settings(max_examples=150)
@given(
    strategies.mangled(json.dumps(FULL).encode())
    | st.dictionaries(st.sampled_from(sorted(FULL)), strategies.json_values()).map(
        lambda found: json.dumps(BASE | found).encode()
    )
)
def test_any_document_raises_only_our_errors(data: bytes) -> None:
    with contextlib.suppress(EsxImageError):
        spec = parse_software_spec(data, where="x")
        assert parse_software_spec(render_software_spec(spec), where="x") == spec


def test_a_spec_is_read_from_and_written_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "image.json"
    write_software_spec(MODEL, path, keep_open=True)
    assert read_software_spec(path) == MODEL
    assert read_software_spec(str(path)) == MODEL
    with pytest.raises(SourceUnreadableError) as missing:
        read_software_spec(tmp_path / "none.json")
    assert missing.value.where == str(tmp_path / "none.json")
    with pytest.raises(SourceUnreadableError):
        read_software_spec(tmp_path)
    with pytest.raises(ExportError):
        write_software_spec(MODEL, tmp_path / "none" / "image.json", keep_open=True)
    path.write_bytes(b"{\n")
    with pytest.raises(MalformedDocumentError) as malformed:
        read_software_spec(path)
    assert malformed.value.where == f"{path}:2"


def test_unknown_keys_inside_known_objects_stay_where_they_stood() -> None:
    """Lossless means all the way down."""
    document = {
        "base_image": {"version": "8.0.3-0.70.24674464", "pinned": True},
        "add_on": {"name": "Acme-AddOn", "version": "803.1-A00", "a~/b": None},
        "components": {"Acme/foo": {"version": "1.0-1", "reason": "hcl"}, "Acme-bar": None},
        "hardware_support": {"packages": {}, "policy": "strict"},
        "solutions": None,
    }

    spec = parse_software_spec(json.dumps(document).encode(), where="image.json")

    assert json.loads(render_software_spec(spec)) == document
