"""The command line ``esximage``: its verbs, put together, and how a run ends.

A verb is a module of this folder with three names: ``add_arguments(parser)``, a class ``Options``
that makes itself with ``from_namespace``, and ``run(options)``, which returns the exit code. A new
verb is one file and one line in the table below. Only the module of the verb that is asked for is
imported, so that ``--version`` and ``--help`` load nothing of the library.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import os
import re
import sys
from typing import TYPE_CHECKING, NoReturn

from esximage_builder.cli.ending import TerminatedError, orderly_termination
from esximage_builder.cli.output import (
    EXIT_BAD_INPUT,
    EXIT_INTERRUPTED,
    EXIT_TERMINATED,
    be_quiet,
    exit_code_of,
    finish_printing,
    print_error,
    print_note,
    print_text,
)
from esximage_builder.errors import EsxImageError, ModelError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from types import ModuleType

__all__ = ["VERBS", "main"]

# Each verb, which is also the name of its module, with ``_`` for ``-``, and what the help says of it.
VERBS = {
    "inspect": "say what depots hold",
    "init": "write a project file",
    "build": "compose, check and write an image",
    "lock": "pin down what an image is made of",
    "explain": "say why an image is as it is",
    "recommend": "say what to move to next",
    "diff": "say what differs between two images",
    "split": "take a custom image apart into base image and add-on",
    "component": "make a component of loose VIBs",
    "check": "say how far hosts are from an image",
    "vib": "make VIBs, look into them, take them apart",
    "add-on": "make a vendor add-on of components",
    "bundle": "put components, add-ons and loose VIBs into one bundle",
    "hardware": "say whether an image drives the devices of a host",
    "plan": "say what bringing hosts to an image would take",
    "extract": "make the image that a host has",
    "verify": "say whether a bundle or ISO would be taken",
}


_EPILOG = """\
examples:
  esximage inspect base-depot.zip
  esximage build --depot base-depot.zip add-on-depot.zip --base 8.0U3 --add-on NAME \\
      --iso custom.iso --bundle custom.zip
  esximage check --depot base-depot.zip --base 8.0U3 --host esx1.json

`esximage init` writes all that into a project file; then `esximage build` is enough.
`esximage VERB --help` says what a verb takes, `esximage explain CODE` what a finding means.

exit codes:
  0    done
  1    the image has errors, or what was looked at is not as it should be
  2    bad input or usage
  130  interrupted, 143 terminated; nothing half-written is left behind
"""

_MISTYPED = re.compile(
    r"unrecognized arguments: (?P<option>--?[\w-]+)|argument VERB: invalid choice: '(?P<verb>[^']+)'"
)

# Those that take what they need from the project file where no depot is named; see cli/project.py.
_PROJECT_VERBS = frozenset({"build", "lock", "explain", "recommend", "check", "plan", "hardware"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: Without the program's name; None takes those of the process.
    """
    try:
        with orderly_termination():
            return _answer(sys.argv[1:] if arguments is None else arguments)
    except TerminatedError:
        print_note("terminated; nothing half-written was left behind")
        return EXIT_TERMINATED
    except KeyboardInterrupt:
        print_note("interrupted; nothing half-written was left behind")
        return EXIT_INTERRUPTED
    finally:
        finish_printing()
        be_quiet(is_quiet=False)


def _answer(arguments: Sequence[str]) -> int:
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may stand next
        _complete()
    as_json = "--json" in itertools.takewhile(lambda word: word != "--", arguments)
    try:
        verbs = _verb_in(arguments)
        return _run(_parser(verbs).parse_args(_told(verbs, arguments)))
    except _UsageError as error:
        if not as_json:
            error.leave()
        print_error(error.as_model_error(), as_json=True)
        return EXIT_BAD_INPUT
    except EsxImageError as error:
        print_error(error, as_json=as_json)
        return exit_code_of(error)


def _complete() -> None:
    """Answer the shell, which ends the process; what is in the way of it is told as any error is."""
    parser = _parser()
    depots = importlib.import_module("esximage_builder.cli.project").project_depots()
    actions = tuple(parser._all_actions())  # noqa: SLF001 - of this module
    importlib.import_module("esximage_builder.cli.completion").complete(parser, actions, depots)


class _UsageError(Exception):
    """What argparse refuses, before it is told in one form or the other."""

    def __init__(self, parser: argparse.ArgumentParser, message: str) -> None:
        super().__init__(message)
        self._parser = parser
        self._message = message

    def leave(self) -> NoReturn:
        """Print the usage and the message, and leave with 2, as argparse does."""
        argparse.ArgumentParser.error(self._parser, self._message)

    def as_model_error(self) -> ModelError:
        """Return it as other input that cannot be meant."""
        usage = " ".join(self._parser.format_usage().split()).removeprefix("usage: ")
        return ModelError(self._message, expected=usage, hint=f"{self._parser.prog} --help")


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the examples, and verbs beside what they do."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=16)


class _Parser(argparse.ArgumentParser):
    """A parser that leaves telling of wrong arguments to whoever knows the form."""

    def error(self, message: str) -> NoReturn:
        """Raise what is told later."""
        if "required: BEFORE" in message or "required: AFTER" in message:
            message += "; what follows --depot are depots, up to the next option or --"
        if "required: --depot" in message:
            message += "; there is no esximage.toml here either (esximage init writes one)"
        near = self._near(message)
        raise _UsageError(self, f"{message}; {near}" if near else message)

    def _near(self, message: str) -> str:
        """Ask whether another option or verb was meant; empty if none is near."""
        mistyped = _MISTYPED.search(message)
        if mistyped is None:
            return ""
        words = importlib.import_module("esximage_builder.models.near_names")
        known = {option for action in self._all_actions() for option in action.option_strings}
        typed = (mistyped["option"] or mistyped["verb"]).partition("=")[0]
        asked: str = words.did_you_mean(words.near_names(typed, known if mistyped["option"] else VERBS))
        return asked

    def _all_actions(self) -> Iterator[argparse.Action]:
        """Yield the actions of this parser and of all below it."""
        for action in self._actions:
            yield action
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - argparse tells them in no other way
                for parser in action.choices.values():
                    yield from parser._all_actions()  # noqa: SLF001 - of this class


class _PrintVersion(argparse.Action):
    """Print the version, which is looked up only when it is asked for, and leave."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        version = importlib.import_module("esximage_builder.distribution").installed_version()
        print_text(f"{parser.prog} {version}\n")
        parser.exit()


def _run(namespace: argparse.Namespace) -> int:
    verb = _module_of(namespace.command)
    be_quiet(is_quiet=namespace.quiet)
    code: int = verb.run(verb.Options.from_namespace(namespace))
    return code


def _module_of(verb: str) -> ModuleType:
    return importlib.import_module(f"esximage_builder.cli.{verb.replace('-', '_')}")


def _told(verbs: Sequence[str], arguments: Sequence[str]) -> Sequence[str]:
    """Return the arguments with those of the project file, where the verb takes one."""
    for verb in verbs:
        if verb in _PROJECT_VERBS:
            found: list[str] = importlib.import_module("esximage_builder.cli.project").with_project(verb, arguments)
            return found
    return arguments


def _verb_in(arguments: Sequence[str]) -> list[str]:
    """Return the verb that argparse will find, if any: before it stand options only, and none takes a value."""
    return [word for word in arguments if word in VERBS][:1]


def _parser(verbs: Collection[str] = tuple(VERBS)) -> _Parser:
    """Return the parser, which knows all verbs, but the arguments of these only."""
    parser = _Parser(
        prog="esximage",
        description="Read, compose, check and write VMware ESXi images.",
        epilog=_EPILOG,
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version",
        action=_PrintVersion,
        dest=argparse.SUPPRESS,
        default=argparse.SUPPRESS,
        nargs=0,
        help="show the version and exit",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="VERB")
    for verb, says in VERBS.items():
        command = commands.add_parser(verb, help=says, allow_abbrev=False)
        if verb in verbs:
            _module_of(verb).add_arguments(command)
            command.add_argument("--json", action="store_true", help="print one JSON object")
            command.add_argument("--quiet", action="store_true", help="print errors alone")
    return parser
