"""The JSON door: byte order marks are skipped, what Python reads beyond JSON is refused."""

from __future__ import annotations

import codecs
import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from support import schema_strategies as strategies

from esximage_builder.containers.json_document import (
    canonical_json,
    json_pairs,
    parse_json_object,
    pointer,
    render_json,
    value_of,
)
from esximage_builder.errors import EsxImageError, InvalidFieldError, LimitExceededError, MalformedDocumentError

DOCUMENT = {"base_image": {"version": "7.0.3-0.55.20328353"}, "größe": "\U0001f600"}
TEXT = json.dumps(DOCUMENT, ensure_ascii=False)


def parsed(data: bytes, *, max_bytes: int = 100_000) -> dict[str, Any]:
    return parse_json_object(data, where="x.json", max_bytes=max_bytes)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TEXT.encode(), id="utf-8"),
        pytest.param(codecs.BOM_UTF8 + TEXT.encode(), id="utf-8-mark"),
        pytest.param(codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), id="utf-16-le"),
        pytest.param(codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), id="utf-16-be"),
        pytest.param(b"\r\n" + TEXT.encode() + b"\r\n", id="blanks-around"),
        pytest.param(json.dumps(DOCUMENT).encode(), id="escaped"),
    ],
)
def test_every_encoding_that_powershell_writes_is_read(data: bytes) -> None:
    assert parsed(data) == DOCUMENT


@pytest.mark.parametrize(
    ("data", "message", "where"),
    [
        pytest.param(b"", "no JSON", "x.json:1", id="empty"),
        pytest.param(b'{\n"a": 1,}', "no JSON", "x.json:2", id="comma-at-end"),
        pytest.param(b"{'a': 1}", "no JSON", "x.json:1", id="quotes"),
        pytest.param(b'{"a": 1} // x', "no JSON", "x.json:1", id="comment"),
        pytest.param(b'{"a": "\xff"}', "no JSON", "x.json", id="no-utf-8"),
        pytest.param(codecs.BOM_UTF16_LE + b"{", "no JSON", "x.json", id="half-utf-16"),
        pytest.param(b'{"a": NaN}', "NaN is no JSON value", "x.json", id="nan"),
        pytest.param(b'{"a": -Infinity}', "-Infinity is no JSON value", "x.json", id="infinity"),
        pytest.param(b'{"a": 1e999}', "a number is too large", "x.json", id="too-large"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", "no JSON", "x.json", id="too-many-digits"),
        pytest.param(b'{"a": 1, "b": 2, "a": 3}', "key 'a' occurs twice", "x.json", id="key-twice"),
        pytest.param(b'{"x": {"a": 1, "a": 1}}', "key 'a' occurs twice", "x.json", id="key-twice-inside"),
        pytest.param(b'{"a": "\\ud800"}', "surrogates not allowed", "x.json", id="half-a-character"),
        pytest.param(b'{"\\udfff": 1}', "surrogates not allowed", "x.json", id="half-a-character-as-key"),
        pytest.param(b'{"a": ' + b"[" * 150 + b"]" * 150 + b"}", "more than 100 levels", "x.json", id="deep"),
        pytest.param(b"[" * 20_000, "no JSON", "x.json", id="very-deep"),
        pytest.param(b"[]", "no JSON object", "x.json", id="list"),
        pytest.param(b"null", "no JSON object", "x.json", id="null"),
        pytest.param(b'"text"', "no JSON object", "x.json", id="text"),
    ],
)
def test_what_is_no_json_object_is_malformed(data: bytes, message: str, where: str) -> None:
    with pytest.raises(MalformedDocumentError, match=message) as caught:
        parsed(data)
    assert caught.value.where == where


@pytest.mark.parametrize("value", ["1", '{"b": 0}'], ids=["numbers", "objects"])
def test_a_doubled_key_is_found_in_the_time_that_reading_takes(value: str) -> None:
    """Of many keys the last one may be the doubled one; comparing each with each takes minutes."""
    keys = ", ".join(f'"{number}": {value}' for number in range(50_000))
    started = time.process_time()
    parsed(f"{{{keys}}}".encode(), max_bytes=4_000_000)
    read = time.process_time()
    with pytest.raises(MalformedDocumentError, match="key '49999' occurs twice"):
        parsed(f'{{{keys}, "49999": 1}}'.encode(), max_bytes=4_000_000)
    refused = time.process_time()
    assert refused - read < 20 * (read - started) + 1


def test_a_document_is_bounded() -> None:
    assert parsed(b"{}", max_bytes=2) == {}
    with pytest.raises(LimitExceededError):
        parsed(b"{ }", max_bytes=2)


@pytest.mark.parametrize(
    ("where", "keys", "place"),
    [
        pytest.param("x.json", (), "x.json#", id="top"),
        pytest.param("x.json", ("add_on", "version"), "x.json#/add_on/version", id="keys"),
        pytest.param("x.json#/components", (0,), "x.json#/components/0", id="index"),
        pytest.param("x.json", ("a/b~c",), "x.json#/a~1b~0c", id="escaped"),
    ],
)
def test_a_place_is_a_json_pointer(where: str, keys: tuple[str | int, ...], place: str) -> None:
    assert pointer(where, *keys) == place


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        pytest.param(1, str, id="number-for-text"),
        pytest.param(None, str, id="null-for-text"),
        pytest.param(True, int, id="truth-value-for-number"),
        pytest.param(True, (str, int), id="truth-value-for-either"),
        pytest.param({}, list, id="object-for-list"),
    ],
)
def test_a_value_of_another_type_is_refused(value: object, kind: type | tuple[type, ...]) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        value_of(value, kind, where="x.json#/a", expected="something else")
    assert (caught.value.where, caught.value.expected) == ("x.json#/a", "something else")
    assert type(value).__name__ in caught.value.found


def test_a_value_of_its_type_is_returned() -> None:
    assert value_of(True, bool, where="x", expected="") is True
    assert value_of("a", (str, int), where="x", expected="") == "a"


def test_equal_values_have_one_canonical_text() -> None:
    assert canonical_json({"b": [1, None], "a": "ü"}) == '{"a":"ü","b":[1,null]}'
    assert canonical_json({"a": 1, "b": 2}) == canonical_json({"b": 2, "a": 1})
    assert json_pairs({"b": 1, "known": 2, "a": {}}, frozenset({"known"})) == (("b", "1"), ("a", "{}"))


@given(st.dictionaries(strategies.json_text(), strategies.json_values(), max_size=4))
def test_what_is_written_is_read_back(document: dict[str, Any]) -> None:
    written = render_json(document)
    assert parsed(written) == document
    assert render_json(parsed(written)) == written
    assert written.endswith(b"\n")
    assert not written.startswith(codecs.BOM_UTF8)


@settings(max_examples=200)
@given(st.binary(max_size=100) | strategies.mangled(TEXT.encode()) | strategies.mangled(TEXT.encode("utf-16")))
def test_any_bytes_raise_only_our_errors(data: bytes) -> None:
    with contextlib.suppress(EsxImageError):
        assert parsed(render_json(parsed(data))) == parsed(data)
