"""The fuzzed parsers: none is left out, what was once reached stays sound, and the page says what the log has."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import pkgutil
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzz.corpus import CORPUS, committed_inputs, kept_of, steps_of, words_of, write_inputs
from fuzz.log import LOG, Turn, append_turn, read_log, read_turns, render_table
from fuzz.mutators import SHAPED, mutated
from fuzz.seeds import seeds_of
from fuzz.targets import TARGETS, Shape, Target

from esximage_builder import containers, documents
from esximage_builder.errors import EsxImageError

PAGE = Path(__file__).parents[2] / "docs" / "fuzzing.md"
MOST_CORPUS_BYTES = 2 * 1024 * 1024

# What takes bytes or text but reads nothing of unknown origin, or is given elsewhere what was read.
WRITERS = re.compile(r".*\.(render_\w+|stored_\w+|add_\w+|new_element|bulletin_element|image_database_members)")
FROM_OUR_CODE = {
    "certificates.broken_certificate": "reads nothing",
    "certificates.needs_extra": "reads nothing",
    "toml.toml_list": "writes",
    "toml.quoted": "writes",
    "vib_archive.archive_mode_of": "is given a model",
    "json_document.pointer": "names a place in errors",
    "json_document.value_of": "is given values that `parse_json_object` made",
    "xml.invalid_field": "only raises",
    "project_file.project_schema": "reads nothing",
    "zip_records.require_crc": "compares two numbers",
    "zip_records.wrong_size": "makes an error",
    "release_unit.unit_kind": "is given a model",
    "vib_descriptor.descriptor_file_name": "is given a model",
}


def readers() -> set[str]:
    found = set()
    for package in (containers, documents):
        for module in pkgutil.iter_modules(package.__path__):
            full = importlib.import_module(f"{package.__name__}.{module.name}")
            functions = (name for name in full.__all__ if inspect.isfunction(getattr(full, name)))
            found |= {f"{module.name}.{name}" for name in functions}
    return {name for name in found if not WRITERS.fullmatch(name)} - FROM_OUR_CODE.keys()


def test_every_function_that_reads_is_fuzzed() -> None:
    """A new parser is in the table, or this names it."""
    covered = {name for target in TARGETS.values() for name in target.covers}

    assert readers() - covered == set()


def test_what_the_table_says_is_covered_is_there() -> None:
    for target in TARGETS.values():
        for name in target.covers:
            module, _, attribute = name.rpartition(".")
            places = [f"esximage_builder.{folder}{module}" for folder in ("", "containers.", "documents.")]
            modules = [importlib.import_module(place) for place in places if is_module(place)]
            assert any(hasattr(found, attribute) for found in modules), name


def is_module(place: str) -> bool:
    try:
        return importlib.util.find_spec(place) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_the_corpus_raises_only_our_errors(target: Target) -> None:
    """What fuzzing once reached ends soundly on this release of Python too."""
    refused = 0
    inputs = [*seeds_of(target.name), *committed_inputs(target.name)]
    for data in inputs:
        try:
            target.call(data)
        except EsxImageError:
            refused += 1

    assert refused < len(inputs), "of all inputs, one at least is accepted"


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_changed_inputs_raise_only_our_errors(target: Target) -> None:
    """Inputs that are changed inside and packed soundly again, the same ones on every run."""
    chance = random.Random(target.name)
    seeds = seeds_of(target.name)
    changed = [
        mutated(chance.choice(seeds), target.most_bytes, shape=target.shape, chance=chance, change=changing(chance))
        for _ in range(30)
    ]

    assert not set(changed) <= set(seeds)
    for data in changed:
        assert len(data) <= target.most_bytes
        with contextlib.suppress(EsxImageError):
            target.call(data)


def changing(chance: random.Random) -> Callable[[bytes, int], bytes]:
    def change(data: bytes, most_bytes: int) -> bytes:
        at = chance.randrange(len(data) + 1)
        return (data[:at] + chance.randbytes(chance.randrange(4)) + data[at + chance.randrange(4) :])[:most_bytes]

    return change


@pytest.mark.parametrize("shape", SHAPED)
def test_what_has_no_such_shape_is_changed_as_it_is(shape: Shape) -> None:
    chance = random.Random(1)

    assert all(
        len(mutated(b"no such thing", 600, shape=shape, chance=chance, change=changing(chance))) <= 600
        for _ in range(20)
    )


def test_the_corpus_is_small() -> None:
    assert sum(path.stat().st_size for path in CORPUS.glob("*")) <= MOST_CORPUS_BYTES


def test_the_corpus_keeps_only_what_reaches_something_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The shortest of two that take the same way is kept, and it comes back as it was."""
    target = TARGETS["ar"]
    long, short = b"!<arch>\nsomething else", b"!<arch>\nsomething"
    monkeypatch.setattr("fuzz.corpus.CORPUS", tmp_path)

    kept = kept_of(target, [long, b"", short])
    write_inputs("ar", kept)

    assert kept == [b"", short]
    assert committed_inputs("ar") == kept
    assert steps_of(target.call, short) == steps_of(target.call, long)


def test_a_finding_is_no_part_of_the_corpus() -> None:
    """The corpus replays in the test suite, where a finding would fail."""

    def call(data: bytes) -> None:
        with contextlib.suppress(EsxImageError):
            TARGETS["json"].call(data)
        if data == b"bad":
            raise KeyError

    assert kept_of(Target("x", call, ()), [b"bad", b"{}"]) == [b"{}"]
    assert kept_of(Target("x", TARGETS["json"].call, ()), [b"bad", b"{}"]) == [b"{}", b"bad"]


def test_words_of_a_dictionary_are_those_of_the_inputs() -> None:
    assert words_of([b"<vib>name</vib>\xff"]) == '"<vib>"\n"name"\n"</vib>"\n'


def test_turns_add_up_once(tmp_path: Path) -> None:
    """A state folder whose log was collected is not counted again."""
    first = Turn.begun("ar").plus(1.0, 5, 7, 9).plus(2.0, 6, 8, 3).ended(seconds=60.04, findings=1)
    append_turn(first, tmp_path)
    append_turn(first, tmp_path)

    assert [turn for turn in read_turns(tmp_path) if turn.date == first.date] == [first]
    assert render_table([first]).splitlines()[-2:] == [
        "| `ar` | 1.0 | 0.1 | 11 | 8 | 9 | 1 |",
        "| All | 1.0 | 0.1 | 11 |  |  | 1 |",
    ]


def test_the_page_has_the_figures_of_the_log() -> None:
    turns = read_log(LOG)

    assert render_table(turns) in PAGE.read_text(encoding="utf-8")
    assert {turn.target for turn in turns} <= TARGETS.keys()
