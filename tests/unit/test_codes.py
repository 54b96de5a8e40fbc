"""The table of codes: every code that the package can emit and no other, and nothing decided past it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import attrs
import pytest
from support.finding_calls import FindingCall, asked_codes, codes_in, finding_calls, sources

from esximage_builder import errors
from esximage_builder.codes import CODES, SECTIONS, Code, Layer, as_error, code_of, has_code, layer_of, make_finding
from esximage_builder.errors import ModelError
from esximage_builder.findings import Finding, Severity
from esximage_builder.rules import (
    assemble,
    core_set,
    loaders,
    release_fit,
    spec_checks,
    validate,
    vendor_mix,
    vib_relations,
)

CALLS: tuple[FindingCall, ...] = tuple(call for path in sources() for call in finding_calls(path))
# Words of an explanation, which is made of no finding.
OF_EXPLANATIONS = {"acceptance-level"}

each_code = pytest.mark.parametrize("code", CODES.values(), ids=CODES)


# The package and its table


def test_every_finding_of_the_package_has_a_code_of_the_table_and_every_code_is_used() -> None:
    made = set().union(*(call.codes for call in CALLS))

    assert len(CALLS) > 100
    assert made | OF_EXPLANATIONS == set(CODES)
    assert not made & OF_EXPLANATIONS
    assert set(asked_codes()) >= OF_EXPLANATIONS


def test_every_finding_of_the_package_has_a_severity_of_its_code() -> None:
    for call in CALLS:
        for code in call.codes:
            severities = {severity.value for severity in CODES[code].severities}
            assert call.severities <= severities, call.place
            assert call.severities or len(severities) == 1, call.place


def test_every_finding_of_the_package_has_facts_of_its_code_and_no_fact_is_promised_in_vain() -> None:
    carried = {
        name: set().union(*(call.facts for call in CALLS if name in call.codes))
        for name in set(CODES) - OF_EXPLANATIONS
    }

    assert carried == {name: set(CODES[name].facts) for name in carried}


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_no_module_makes_a_finding_past_the_table(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    evolved = [
        keyword.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "evolve"
        for keyword in node.keywords
    ]

    assert "Finding" not in names
    assert not {"severity", "code", "facts"} & set(evolved)


def _is_a_code(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "code"


def _is_text(node: ast.expr) -> bool:
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts)


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_no_module_compares_a_code_with_a_text_of_its_own(path: Path) -> None:
    """A typing mistake there would make a rule fall silent; ``has_code`` asks the table."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            assert not (any(map(_is_a_code, sides)) and any(map(_is_text, sides))), f"{path.name}:{node.lineno}"
        if isinstance(node, ast.Attribute) and node.attr in {"startswith", "endswith", "removesuffix", "partition"}:
            assert not _is_a_code(node.value), f"{path.name}:{node.lineno}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_no_module_takes_an_item_of_a_finding_by_its_place(path: Path) -> None:
    """But the first, which is what a finding is about; what else it names, facts say by name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "items":
            is_part = isinstance(node.slice, ast.Slice)
            is_first = isinstance(node.slice, ast.Constant) and node.slice.value == 0
            assert is_part or is_first, f"{path.name}:{node.lineno}"


def test_every_code_that_the_package_asks_for_is_in_the_table() -> None:
    assert asked_codes().keys() <= CODES.keys()
    assert len(asked_codes()) > 5


@pytest.mark.parametrize(
    "module",
    [assemble, core_set, loaders, release_fit, spec_checks, validate, vendor_mix, vib_relations],
    ids=lambda module: module.__name__,
)
def test_every_code_that_an_image_can_have_speaks_for_a_layer(module: object) -> None:
    """Otherwise compatibility would raise, or once more count it as contents without a word."""
    assert isinstance(module, type(validate))
    without = {code for code in codes_in(module) if CODES[code].layer is None}

    assert codes_in(module)
    assert without == set()


def test_every_code_that_can_rise_in_an_image_speaks_for_a_layer() -> None:
    risen = {code for code in CODES.values() if "differs" in code.facts and Severity.ERROR in code.severities}

    assert len(risen) == 6
    assert {code.layer for code in risen} == {Layer.CONTENTS}


# Each row


def test_no_code_has_two_rows() -> None:
    names = [code.name for codes in SECTIONS.values() for code in codes]

    assert names == list(CODES)
    assert sorted(set(names)) == sorted(names)


@each_code
def test_a_code_and_its_facts_are_words_for_programs(code: Code) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+|conflict", code.name)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in code.facts)
    assert len(set(code.facts)) == len(code.facts)
    assert code.name not in {getattr(errors, name).code for name in errors.__all__}


@each_code
def test_a_code_is_explained_in_sentences(code: Code) -> None:
    for text in (code.meaning, code.cause, code.remedy):
        assert re.fullmatch(r"\S(.*\S)?\.", text), text
        assert "  " not in text


@each_code
def test_a_code_of_several_severities_says_when_it_has_which(code: Code) -> None:
    assert code.severities
    assert set(re.findall(r"\b(error|warning|info)\b", code.when)) in (set(), {s.value for s in code.severities})
    assert code.when or len(code.severities) == 1


@each_code
def test_a_reason_against_waiving_is_given_for_errors_only(code: Code) -> None:
    assert not code.never or Severity.ERROR in code.severities
    assert code.is_waivable is (Severity.ERROR in code.severities and not code.never)
    assert bool(code.why_not_waivable) is not code.is_waivable
    assert code.is_waivable or not code.only_bundles


def test_only_what_cannot_boot_without_a_kernel_is_for_bundles_only() -> None:
    assert [code.name for code in CODES.values() if code.only_bundles] == ["no-bootable-base"]


# Asking the table


@pytest.mark.parametrize(
    ("mistyped", "hint"),
    [
        ("missing-dependancy", "did you mean missing-dependency?"),
        ("vib-mising", "did you mean vib-missing?"),
        ("MISSING", "docs/findings.md lists all codes"),
        ("", "docs/findings.md lists all codes"),
    ],
)
def test_a_code_that_is_none_is_refused_with_the_nearest_one(mistyped: str, hint: str) -> None:
    for ask in (code_of, layer_of, lambda name: has_code(make_finding("conflict", "m"), name)):
        with pytest.raises(ModelError, match="no finding has this code") as caught:
            ask(mistyped)
        assert (caught.value.found, caught.value.hint) == (repr(mistyped), hint)


def test_a_code_without_a_layer_is_an_error_and_never_contents() -> None:
    assert layer_of("missing-dependency") is Layer.RELATIONS
    with pytest.raises(ModelError, match="speaks for no layer"):
        layer_of("archive-damaged")


def test_the_severity_comes_from_the_table() -> None:
    assert make_finding("conflict", "m") == Finding(code="conflict", severity=Severity.ERROR, message="m")
    assert make_finding("dpu-vibs-left-out", "m").severity is Severity.INFO
    assert make_finding("payload-missing", "m", severity=Severity.WARNING).severity is Severity.WARNING


@pytest.mark.parametrize(("code", "severity"), [("payload-missing", None), ("conflict", Severity.WARNING)])
def test_a_severity_that_the_code_does_not_have_is_refused(code: str, severity: Severity | None) -> None:
    with pytest.raises(ModelError, match="needs its severity"):
        make_finding(code, "m", severity=severity)


def test_a_fact_that_the_code_does_not_have_is_refused_and_an_empty_one_left_out() -> None:
    assert make_finding("conflict", "m", facts={"vib": "a", "other": ""}).facts == (("vib", "a"),)
    with pytest.raises(ModelError, match="has no such facts"):
        make_finding("conflict", "m", facts={"component": "a"})


def test_only_what_can_be_an_error_becomes_one() -> None:
    seen = make_finding("vib-file-missing", "m", severity=Severity.WARNING, items=("a",), facts={"vib": "a"}, where="z")
    risen = as_error(seen)

    assert risen.severity is Severity.ERROR
    assert attrs.evolve(risen, severity=Severity.WARNING) == seen
    with pytest.raises(ModelError, match="never an error"):
        as_error(make_finding("platform-mismatch", "m"))


def test_users_make_findings_with_codes_of_their_own() -> None:
    own = Finding(code="no-spare-disk", severity=Severity.WARNING, message="m")

    assert not has_code(own, "conflict", "vib-missing")
