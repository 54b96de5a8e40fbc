"""Whatever a public function, method or class is given, nothing comes out but our own errors and ``TypeError``.

By default each argument gets all that is of a wrong type, and a few of the many values whose type is right;
``ESXIMAGE_GARBAGE=all`` gives them all.
"""

from __future__ import annotations

import enum
import functools
import inspect
import os
import pickle
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from house.test_public_api import DOORS
from house.test_public_values import VALUES
from support.changed_depots import clean_environment
from support.garbage import World, garbage_in, signature_of

import esximage_builder as eib
from esximage_builder.hints import fits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PUBLIC = {name: getattr(door, name) for door in DOORS.values() for name in door.__all__}
FUNCTIONS = sorted(name for name, found in PUBLIC.items() if inspect.isfunction(found))
ENUMS = sorted(
    (found for found in PUBLIC.values() if isinstance(found, type) and issubclass(found, enum.Enum)), key=str
)
ERRORS = sorted(
    (found for found in PUBLIC.values() if isinstance(found, type) and issubclass(found, Exception)), key=str
)
MODELS = [value for value in VALUES if attrs.has(type(value))]
ALL = os.environ.get("ESXIMAGE_GARBAGE") == "all"
FEW = 3


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("garbage"))
    with world.depot:
        yield world


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def faults(call: Callable[[], Any]) -> str:
    """Say what foreign error comes out of a call; empty for none."""
    try:
        result = call()
        if inspect.isgenerator(result):
            list(result)
    except (eib.EsxImageError, TypeError) as error:
        str(error)
    except Exception as error:  # noqa: BLE001 - what the test is about
        return f"{type(error).__name__}: {str(error)[:80]}"
    return ""


def kind_of(value: object) -> str:
    return type(value).__name__


def chosen(values: tuple[Any, ...], hint: Any, *, name: str) -> list[Any]:
    """All of a wrong type, and some of the right one: others for each argument, so that all are used somewhere."""
    fits = fits_of(hint)
    right = [value for value in values if fits(value)]
    start = zlib.crc32(name.encode()) % max(1, len(right))
    kept = right if ALL else [*right, *right][start : start + min(FEW, len(right))]
    return [*(value for value in values if not fits(value)), *kept]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_lets_no_foreign_error_out(world: World, function: str) -> None:
    signature, hints = signature_of(PUBLIC[function])
    parameters = signature.parameters.values()
    found = set()
    for parameter in parameters:
        if parameter.name in ("read", "executor", "progress"):
            continue  # what the caller's own code raises is the caller's
        for value in chosen(garbage_in(world.folder), hints[parameter.name], name=function + parameter.name):
            given = {
                each.name: world.sample(function, each.name, hints[each.name])
                for each in parameters
                if each.default is each.empty
            } | {parameter.name: value}
            more = [
                given.pop(each.name) for each in parameters if each.kind is each.VAR_POSITIONAL and each.name in given
            ]
            fault = faults(lambda: PUBLIC[function](*more, **given))  # noqa: B023 - called at once
            found.add((parameter.name, kind_of(value), fault))
    assert {each for each in found if each[-1]} == set()


@pytest.mark.parametrize("name", ["read", "executor", "progress"])
def test_what_is_no_function_is_refused_where_one_is_asked_for(world: World, name: str) -> None:
    for function in FUNCTIONS:
        signature, hints = signature_of(PUBLIC[function])
        if name in signature.parameters:
            needed = {
                each.name: world.sample(function, each.name, hints[each.name])
                for each in signature.parameters.values()
                if each.default is each.empty
            }
            with pytest.raises(eib.WrongTypeError, match=name):
                PUBLIC[function](**needed, **{name: 5})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_refuses_the_wrong_type_of_every_argument_by_name(function: str) -> None:
    """The door says it, and not by chance some line deep inside."""
    signature, hints = signature_of(PUBLIC[function])
    for parameter in signature.parameters.values():
        wrong = 5.5 if hints[parameter.name] is not object else None
        if fits_of(hints[parameter.name])(wrong):
            continue
        given = (wrong,) if parameter.kind is parameter.VAR_POSITIONAL else ()
        named = {} if given else {parameter.name: wrong}
        with pytest.raises(eib.WrongTypeError, match=f"'{parameter.name}'"):
            PUBLIC[function](*given, **named)


def use(value: Any) -> None:
    """Ask for all that a value says of itself."""
    repr(value), hash(value), str(value), value == value, value == 5  # noqa: PLR0124 - asked for, no more
    for name in dir(type(value)):
        if not name.startswith("_") and not callable(getattr(type(value), name, None)):
            getattr(value, name)


@pytest.mark.parametrize("value", MODELS, ids=kind_of)
def test_a_value_of_wrong_parts_is_refused_or_can_be_used(world: World, value: Any) -> None:
    kind = type(value)
    parts = {field.alias: getattr(value, field.name) for field in attrs.fields(kind) if field.init}
    found = {
        (part, kind_of(garbage), faults(lambda: use(kind(**{**parts, part: garbage}))))  # noqa: B023 - called at once
        for part in parts
        for garbage in garbage_in(world.folder)
    }
    assert {each for each in found if each[-1]} == set()


def test_a_value_does_not_take_the_wrong_type_of_a_field() -> None:
    for value in MODELS:
        kind = type(value)
        parts = {field.alias: getattr(value, field.name) for field in attrs.fields(kind) if field.init}
        for field in attrs.fields(kind):
            if field.init:
                with pytest.raises(eib.WrongTypeError, match=f"'{field.alias}'"):
                    kind(**{**parts, field.alias: 5.5})


def test_a_component_that_is_a_dictionary_is_refused_when_the_spec_is_made() -> None:
    """It was refused much later, inside ``compose``, with an error of the language."""
    wrong: Any = [{"name": "a"}]
    with pytest.raises(eib.WrongTypeError) as caught:
        eib.SoftwareSpec(base_image="7.0.3-0.55.20328353", components=wrong)
    assert (caught.value.found, caught.value.code) == ("list of dict", "wrong-type")
    assert isinstance(caught.value, (TypeError, eib.ModelError))


def test_an_iterator_is_looked_at_as_it_comes(world: World) -> None:
    hosts: Any = iter([eib.Host(name="a", base_image=world.image.esxi_version), "b"])
    with pytest.raises(eib.WrongTypeError) as caught:
        eib.check_compliance(world.image, hosts)
    assert caught.value.found == "str"
    spec = eib.SoftwareSpec(base_image="x", removed_components=(name for name in ["b", "a"]))
    assert spec.removed_components == ("a", "b")


def test_methods_let_no_foreign_error_out(world: World) -> None:
    found = set()
    targets = [
        *VALUES,
        world.depot,
        world.catalog,
        world.image,
        eib.ComplianceTarget(world.image),
        eib.DriverIndex([], {}),
    ]
    for target in targets:
        for name in dir(type(target)):
            method = getattr(target, name) if not name.startswith("_") or name == "__contains__" else None
            if not inspect.ismethod(method) or name == "close":
                continue
            parameters = inspect.signature(method).parameters
            for garbage in garbage_in(world.folder):
                given = dict.fromkeys(parameters, garbage)
                call = (
                    functools.partial(method, **given) if name != "__contains__" else functools.partial(method, garbage)
                )
                found.add((kind_of(target), name, kind_of(garbage), faults(call)))
    assert {each for each in found if each[-1]} == set()
    assert {"Catalog", "Depot", "ReadLimits", "ProductRange"} <= {each[0] for each in found}


@pytest.mark.parametrize("kind", [*ENUMS, *ERRORS], ids=lambda kind: kind.__name__)
def test_words_and_errors_let_no_foreign_error_out(world: World, kind: Any) -> None:
    found = set()
    for garbage in garbage_in(world.folder):
        found.add((kind_of(garbage), faults(functools.partial(kind, garbage))))
        if kind in ERRORS:
            for call in (
                functools.partial(kind, "m", garbage),
                functools.partial(kind, "m", where=garbage),
                functools.partial(kind, "m", findings=garbage),
            ):
                found.add((kind_of(garbage), faults(lambda call=call: str(call()))))  # type: ignore[misc]
    assert {each for each in found if each[-1]} == set()


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_a_word_is_found_by_its_value_and_travels(kind: Any) -> None:
    for member in kind:
        assert kind(member.value) is kind(member) is member
        assert pickle.loads(pickle.dumps(member)) is member  # noqa: S301 - our own
    with pytest.raises(ValueError, match="value"):
        kind("no such word")


def test_every_annotation_says_something() -> None:
    """One whose names cannot be found would let everything in."""
    for name, found in PUBLIC.items():
        functions = [found] if inspect.isfunction(found) else []
        if (
            inspect.isclass(found)
            and not issubclass(found, enum.Enum | Exception)
            and found.__module__.startswith("esximage_builder")
        ):
            functions = [each for each in vars(found).values() if inspect.isfunction(each)]
            functions = [each for each in functions if each.__module__ and each.__name__ != "__init__"]
        for function in functions:
            plain = inspect.unwrap(function)
            _, hints = signature_of(function)
            open_ones = {
                each for each, hint in hints.items() if hint is object and plain.__annotations__[each] != "object"
            }
            assert open_ones == set(), name


def test_a_function_that_was_bound_before_the_door_was_used_travels() -> None:
    """To a process where nothing is guarded yet, and back."""
    program = (
        "import pickle, sys\n"
        "from esximage_builder.depot.host_files import read_host as early\n"
        "import esximage_builder as eib\n"
        "assert eib.read_host is not early\n"
        "sys.stdout.buffer.write(pickle.dumps((early, eib.read_host)))"
    )
    done = subprocess.run([sys.executable, "-c", program], env=clean_environment(), capture_output=True, check=True)
    received = (
        "import pickle, sys\n"
        "early, guarded = pickle.load(sys.stdin.buffer)\n"
        "from esximage_builder.depot import host_files\n"
        "assert early is guarded is host_files.read_host"
    )
    subprocess.run([sys.executable, "-c", received], env=clean_environment(), input=done.stdout, check=True)


def test_functions_keep_their_name_their_words_and_their_signature() -> None:
    for name in FUNCTIONS:
        assert PUBLIC[name].__name__ == name
        assert PUBLIC[name].__doc__
        assert pickle.loads(pickle.dumps(PUBLIC[name])) is PUBLIC[name]  # noqa: S301 - our own
        bound_before = inspect.unwrap(PUBLIC[name])
        assert pickle.loads(pickle.dumps(bound_before)) is bound_before  # noqa: S301 - our own
    assert str(inspect.signature(eib.sniff)) == "(path: 'str | Path') -> 'Sniffed'"


def test_what_a_caller_reads_hosts_with_gives_hosts(world: World) -> None:
    """The answer of the caller's own function is an argument, too."""
    with pytest.raises(eib.WrongTypeError, match="what read returns is no host"):
        list(eib.check_fleet(world.image, ["a"], read=lambda _: "b"))  # type: ignore[arg-type, return-value]


def test_the_house_itself_is_let_through() -> None:
    """Opening a depot makes thousands of values, which type checkers have seen."""
    program = (
        "import esximage_builder as eib\n"
        "namespace = {'__name__': 'esximage_builder.inside', 'eib': eib}\n"
        "exec('vib = eib.Payload(name=5, type=\"boot\")', namespace)\n"
        "assert namespace['vib'].name == 5\n"
        "namespace['__name__'] = 'esximage_builders.outside'\n"
        "exec('try: eib.Payload(name=5, type=\"boot\")\\nexcept eib.WrongTypeError: refused = True', namespace)\n"
        "assert namespace['refused']"
    )
    subprocess.run([sys.executable, "-c", program], env=clean_environment(), check=True)
