"""The project file: every key is an option of the command line, and none is passed over."""

from __future__ import annotations

import argparse
import json
import tomllib
from typing import Any

import jsonschema
import pytest
from hypothesis import given, strategies as st
from support.changed_depots import ROOT

from esximage_builder.cli import build
from esximage_builder.documents.project_file import (
    KEYS,
    Project,
    Setting,
    parse_project,
    project_schema,
    render_project,
)
from esximage_builder.errors import InvalidFieldError, LimitExceededError, MalformedDocumentError

SCHEMA = project_schema()
TEXTS = st.text(min_size=1, max_size=20).map(str.strip).filter(bool)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "TEXT": TEXTS,
    "PATH": TEXTS,
    "LEFT_OUT": st.booleans(),
    "TEXT_BY_TEXT": st.dictionaries(TEXTS, st.text(max_size=9), max_size=3).map(lambda d: tuple(d.items())),
}


@st.composite
def projects(draw: st.DrawFn) -> Project:
    kept = draw(st.lists(st.sampled_from(KEYS), unique=True))
    lists = st.lists(st.text(max_size=9), max_size=3).map(tuple)
    return Project(Setting(key, draw(VALUES.get(key.kind.name, lists))) for key in sorted(kept, key=KEYS.index))


@given(projects())
def test_what_is_written_is_read_back_and_fits_the_schema(project: Project) -> None:
    text = render_project(project)
    assert parse_project(text.encode()) == project
    jsonschema.validate(tomllib.loads(text), SCHEMA)


def test_the_published_schema_is_the_one_that_is_asked() -> None:
    published = ROOT / "docs" / "schemas" / "esximage-project.schema.json"
    assert json.loads(published.read_text(encoding="utf-8")) == SCHEMA


def test_every_key_is_an_option_of_build_and_the_other_way_round() -> None:
    parser = argparse.ArgumentParser()
    build.add_arguments(parser)
    options = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    here = {key.option for key in KEYS if key.option}
    assert here <= options
    # Each of these is for one run, or has a key that stands for none of them.
    assert options - here == {"--help", "--force", "--lock", "--locked", "--project"}


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("[imge]\n", "esximage.toml", "did you mean image?"),
        ('[image]\naddon = "x"\n', "esximage.toml [image]", "did you mean add-on?"),
        ('[image]\nbase = ""\n', "esximage.toml [image]", "base has an impossible value"),
        ("[image]\nbase = 7\n", "esximage.toml [image]", "a text in double quotes"),
        ('depots = "x.zip"\n', "esximage.toml", "a list in square brackets"),
        ("depots = [1]\n", "esximage.toml", "a list of texts"),
        ('image = "x"\n', "esximage.toml", "a table [image]"),
        ('[boot]\ntools = "no"\n', "esximage.toml [boot]", "true or false"),
        ("[boot.pxe-hosts]\na = 1\n", "esximage.toml [boot]", "pxe-hosts.a has an impossible value"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(text: str, where: str, words: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        parse_project(text.encode())
    assert caught.value.where == where
    assert words in f"{caught.value}"


def test_a_project_file_is_toml_and_bounded() -> None:
    with pytest.raises(MalformedDocumentError):
        parse_project(b"depots = [")
    with pytest.raises(LimitExceededError):
        parse_project(b"# a comment", max_bytes=3)


def test_an_empty_one_says_nothing() -> None:
    project = parse_project(b"")
    assert project == Project()
    assert project.value("lock") is None
    assert render_project(project) == ""


def test_keys_say_what_they_are_for() -> None:
    assert all(key.says for key in KEYS)
    assert len({(key.table, key.name) for key in KEYS}) == len(KEYS)
