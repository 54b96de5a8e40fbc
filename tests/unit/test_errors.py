"""Errors: each survives pickling, prints what a person needs, and has a code of its own."""

from __future__ import annotations

import copy
import json
import pickle
import re
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from esximage_builder import errors
from esximage_builder.errors import (
    ComposeError,
    DepotError,
    DepotErrors,
    EsxImageError,
    IncompatibleImageError,
    InvalidFieldError,
    MalformedDocumentError,
    MissingExtraError,
    ModelError,
    NotInDepotError,
    VersionSyntaxError,
)
from esximage_builder.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

CLASSES = [getattr(errors, name) for name in errors.__all__]
SINGLE_CLASSES = [kind for kind in CLASSES if kind is not DepotErrors]
CARRIERS = [ComposeError, IncompatibleImageError]
CLONES = [
    pytest.param(copy.copy, id="copy"),
    pytest.param(copy.deepcopy, id="deepcopy"),
    pytest.param(lambda error: pickle.loads(pickle.dumps(error)), id="pickle"),  # noqa: S301
]
FIELDS = {
    "where": "depot.zip!metadata.zip!vibs/x.xml:12 <payloads>",
    "found": "43200 bytes",
    "expected": "43215 bytes",
    "hint": "download the depot again",
}
FINDING = Finding(code="missing-dependency", severity=Severity.ERROR, message="x needs y", items=("x",))


def group() -> DepotErrors:
    return DepotErrors(
        "the depots cannot be read completely",
        [InvalidFieldError("one", where="a.zip!x.xml:1"), MalformedDocumentError("two", where="b.zip", found="PK")],
    )


def test_every_error_class_is_exported() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, EsxImageError) and not name.startswith("_")
    }
    assert defined == set(errors.__all__)


def test_every_class_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in CLASSES]
    assert len(set(codes)) == len(codes)
    assert all("code" in vars(kind) for kind in CLASSES)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("clone", CLONES)
@pytest.mark.parametrize("kind", SINGLE_CLASSES)
def test_an_error_survives_copying_and_pickling(
    kind: type[EsxImageError], clone: Callable[[EsxImageError], EsxImageError]
) -> None:
    for error in (kind("it is wrong", **FIELDS), kind("it is wrong")):
        twin = clone(error)
        assert type(twin) is kind
        assert twin.as_dict() == error.as_dict()
        assert str(twin) == str(error)
        assert twin.args == ("it is wrong",)


@pytest.mark.parametrize("clone", CLONES)
@pytest.mark.parametrize("kind", CARRIERS)
def test_findings_travel_with_their_error(
    kind: type[ComposeError], clone: Callable[[ComposeError], ComposeError]
) -> None:
    twin = clone(kind("it is wrong", findings=[FINDING], hint="x"))
    assert twin.findings == (FINDING,)
    assert twin.hint == "x"
    assert kind("it is wrong").findings == ()


@pytest.mark.parametrize("kind", SINGLE_CLASSES)
def test_an_error_prints_labelled_lines(kind: type[EsxImageError]) -> None:
    assert str(kind("payload size does not match", **FIELDS)).splitlines() == [
        "payload size does not match",
        "  expected: 43215 bytes",
        "  found: 43200 bytes",
        "  where: depot.zip!metadata.zip!vibs/x.xml:12 <payloads>",
        "  try: download the depot again",
    ]
    assert str(kind("payload size does not match")) == "payload size does not match"
    assert str(kind("it is {wrong} %s", found="{0}")) == "it is {wrong} %s\n  found: {0}"


@pytest.mark.parametrize("kind", SINGLE_CLASSES)
def test_an_error_is_one_json_object(kind: type[EsxImageError]) -> None:
    assert json.loads(json.dumps(kind("it is wrong", **FIELDS).as_dict())) == {
        "code": kind.code,
        "message": "it is wrong",
        **FIELDS,
    }


@pytest.mark.parametrize(
    ("kind", "standard"),
    [
        pytest.param(ModelError, ValueError, id="model"),
        pytest.param(VersionSyntaxError, ValueError, id="version"),
        pytest.param(NotInDepotError, LookupError, id="not-in-depot"),
        pytest.param(MissingExtraError, ImportError, id="missing-extra"),
        pytest.param(DepotErrors, ExceptionGroup, id="group"),
    ],
)
def test_python_s_own_names_catch_too(kind: type[EsxImageError], standard: type[Exception]) -> None:
    assert issubclass(kind, standard)


def test_only_input_errors_are_depot_errors() -> None:
    below = {kind.__name__ for kind in CLASSES if issubclass(kind, DepotError)}
    assert below == {
        "ChecksumMismatchError", "DepotError", "InvalidFieldError", "LimitExceededError", "MalformedDocumentError",
        "NotADepotError", "SourceUnreadableError", "UnsafeArchiveError",
    }  # fmt: skip


def test_a_group_is_caught_as_one_of_ours() -> None:
    with pytest.raises(EsxImageError) as caught:
        raise group()
    assert isinstance(caught.value, DepotErrors)
    assert [type(error) for error in caught.value.exceptions] == [InvalidFieldError, MalformedDocumentError]
    assert caught.value.where == "a.zip!x.xml:1; b.zip"


def test_a_group_can_be_taken_apart() -> None:
    caught: list[ExceptionGroup[Any]] = []
    try:
        raise group()
    except* InvalidFieldError as part:
        caught.append(part)
    except* MalformedDocumentError as part:
        caught.append(part)
    assert [type(part) for part in caught] == [DepotErrors, DepotErrors]
    assert [error.message for part in caught for error in part.exceptions if isinstance(error, EsxImageError)] == [
        "one",
        "two",
    ]


def test_parts_of_a_group_are_groups_of_the_same_kind() -> None:
    matching, rest = group().split(InvalidFieldError)
    assert isinstance(matching, DepotErrors)
    assert isinstance(rest, DepotErrors)
    assert (matching.message, matching.where) == ("the depots cannot be read completely", "a.zip!x.xml:1")
    assert rest.where == "b.zip"
    assert group().subgroup(KeyError) is None


@pytest.mark.parametrize("clone", CLONES)
def test_a_group_survives_copying_and_pickling(clone: Callable[[DepotErrors], DepotErrors]) -> None:
    twin = clone(group())
    assert type(twin) is DepotErrors
    assert str(twin) == str(group())
    assert twin.as_dict() == group().as_dict()
    assert [str(error) for error in twin.exceptions] == [str(error) for error in group().exceptions]


def test_a_group_prints_every_error() -> None:
    assert str(group()).splitlines() == [
        "the depots cannot be read completely (2 errors)",
        "  1. one",
        "     where: a.zip!x.xml:1",
        "  2. two",
        "     found: PK",
        "     where: b.zip",
    ]
    assert "InvalidFieldError: one" in "".join(traceback.format_exception(group()))
    assert group().as_dict()["found"] == "one; two"
    assert group().as_dict()["code"] == "depot-errors"


def test_findings_have_a_fixed_order() -> None:
    info = Finding(code="a", severity=Severity.INFO, message="m")
    warning = Finding(code="b", severity=Severity.WARNING, message="m", items=("2",))
    lower = Finding(code="b", severity=Severity.WARNING, message="m", items=("1",))
    found = sorted([info, warning, lower, FINDING], key=lambda finding: finding.sort_key)
    assert found == [FINDING, lower, warning, info]


def test_what_was_found_is_no_whole_file() -> None:
    error = EsxImageError("m", found="x" * 1_000_000)
    assert len(error.found) == 2_001
    assert error.found.endswith("x…")
    assert EsxImageError("m", found="x" * 2_000).found == "x" * 2_000
