"""What a verb loads: nothing that it does not need, as starting is what short commands cost."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS, clean_environment

if TYPE_CHECKING:
    from pathlib import Path

BASE = str(DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip")
LOOSE = str(DEPOTS / "homelab-tweaks-1.0.0-1.vib")
READING = frozenset({"attr", "attrs", "lxml", "packaging", "zlib_ng"})
SIGNATURES = frozenset({"asn1crypto", "cryptography"})
DISCS = frozenset({"pycdlib"})
WATCHED = READING | SIGNATURES | DISCS | {"cyclonedx", "spdx_tools", "backports"}

_RUN = """
import contextlib, io, json, sys
from esximage_builder.cli.start import main
sys.argv = ["esximage", *json.loads(sys.argv[1])]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
json.dump(sorted(sys.modules), sys.stdout)
"""


def loaded_by(arguments: list[str]) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _RUN, json.dumps(arguments)], env=clean_environment(), capture_output=True, check=True
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("arguments", "libraries", "modules"),
    [
        pytest.param(["--version"], frozenset(), 10, id="version"),
        pytest.param(["--help"], frozenset(), 10, id="help"),
        pytest.param(["explain", "vib-lowered"], READING, 170, id="explain"),
        pytest.param(["inspect", LOOSE], READING, 120, id="inspect-vib"),
        pytest.param(["inspect", BASE], READING | SIGNATURES, 120, id="inspect-depot"),
        pytest.param(["verify", LOOSE], READING | SIGNATURES, 150, id="verify"),
        pytest.param(["build", "--help"], READING | DISCS, 240, id="build-help"),
    ],
)
def test_a_verb_loads_what_it_needs(arguments: list[str], libraries: frozenset[str], modules: int) -> None:
    """Libraries by name; of the package's own modules not many more than today."""
    loaded = loaded_by(arguments)
    assert {name.partition(".")[0] for name in loaded} & WATCHED <= libraries
    assert len([name for name in loaded if name.startswith("esximage_builder")]) <= modules


def test_a_build_loads_no_library_for_what_it_does_not_write(tmp_path: Path) -> None:
    loaded = loaded_by(["build", "--depot", BASE, "--base", "7.0U3g", "--bundle", str(tmp_path / "out.zip")])
    assert (tmp_path / "out.zip").exists()
    assert {name.partition(".")[0] for name in loaded} & WATCHED <= READING | SIGNATURES | DISCS
