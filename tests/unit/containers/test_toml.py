"""TOML documents: what is read, what is refused by our errors, and texts written that read back the same."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from esximage_builder.containers.toml import parse_toml, quoted, toml_list
from esximage_builder.errors import EsxImageError, LimitExceededError, MalformedDocumentError


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse_toml(b'\xef\xbb\xbfname = "a"\n', where="x", max_bytes=100) == {"name": "a"}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"name = ", id="no value"),
        pytest.param(b'name = "a"\nname = "b"\n', id="twice"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"a = " + b"[" * 100_000, id="nested deep"),
        pytest.param(b"a = " + b"9" * 5000, id="too many digits"),
        pytest.param(b"d = 2024-02-31", id="no such day"),
    ],
)
def test_what_is_no_toml_is_our_error(data: bytes) -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        parse_toml(data, where="x.toml", max_bytes=1_000_000)
    assert caught.value.where == "x.toml"


def test_long_documents_are_refused_before_they_are_read() -> None:
    with pytest.raises(LimitExceededError):
        parse_toml(b"a = 1", where="x", max_bytes=4)


@given(st.binary(max_size=200))
def test_whatever_comes_only_our_errors_are_raised(data: bytes) -> None:
    with contextlib.suppress(EsxImageError):
        assert isinstance(parse_toml(data, where="x", max_bytes=200), dict)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_read_back_the_same(texts: list[str]) -> None:
    data = f"one = {quoted(''.join(texts))}\nall = {toml_list(texts)}\n".encode()
    assert parse_toml(data, where="x", max_bytes=len(data)) == {"one": "".join(texts), "all": texts}
