"""Paths, hypothesis profiles, and the rule that the CI skips no test for want of a tool."""

from __future__ import annotations

import functools
import importlib
import os
from pathlib import Path
from typing import Any

import hypothesis
import pytest

import esximage_builder

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_configure() -> None:
    """Refuse to test the source tree where the installed package is meant."""
    if os.environ.get("ESXIMAGE_INSTALLED") and Path(esximage_builder.__file__).is_relative_to(
        ROOT / "esximage_builder"
    ):
        pytest.exit("ESXIMAGE_INSTALLED is set, but the package is imported from the source tree", returncode=2)
    _guard_all()
    _read_keys_once()


def _guard_all() -> None:
    """Ask for every public name: the tests meet functions as users do, guarded, in whatever order they run."""
    for front in ("", ".authoring", ".hosts", ".verify"):
        package = importlib.import_module(f"esximage_builder{front}")
        for name in package.__all__:
            getattr(package, name)


def _read_keys_once() -> None:
    """Remember private keys by their text: reading one checks its primes, which takes longer than to sign with it."""
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        return
    remembered: Any = functools.cache(serialization.load_pem_private_key)
    serialization.load_pem_private_key = remembered


_UNCOUNTED = ("properties", "hostile", "boot", "realdata")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take tests of many generated or changed examples out of the count of branches.

    They go over the same lines thousands of times: counting doubles their time and adds nothing.
    """
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        if folder in _UNCOUNTED or getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("no_cover")


@pytest.fixture(scope="session")
def depots() -> Path:
    """The folder of fixture depots."""
    return FIXTURES / "depots"


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real files; tests that want it are skipped where it is not named."""
    folder = os.environ.get("ESXIMAGE_REALDATA")
    if not folder:
        pytest.skip("ESXIMAGE_REALDATA names no folder of real files")
    if not Path(folder).is_dir():
        pytest.fail(f"ESXIMAGE_REALDATA names {folder}, which is no folder")
    return Path(folder)


# Skips that are right in the CI too: work for a target of its own.
_ALLOWED_SKIPS = ("ESXIMAGE_LARGE", "ESXIMAGE_BOOT_ALL", "ESXIMAGE_REALDATA")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name skipped tests that the CI must not skip."""
    for line in _forbidden_skips(terminalreporter):
        terminalreporter.write_line(f"skipped, which the CI forbids: {line}", red=True)


def _forbidden_skips(reporter: pytest.TerminalReporter) -> list[str]:
    if not os.environ.get("ESXIMAGE_REQUIRE_TOOLS"):
        return []
    skips = [str(report.longrepr) for report in reporter.stats.get("skipped", [])]
    return [skip for skip in skips if not any(allowed in skip for allowed in _ALLOWED_SKIPS)]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if it skipped what it must not."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if isinstance(reporter, pytest.TerminalReporter) and _forbidden_skips(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
