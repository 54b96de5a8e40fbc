"""A file of one megabyte costs at most 256 MiB and 10 s, whatever is in it, with the limits that are the default.

Each file is made to cost as much as it can in one way; depots are filled up with noise, so that their
own length allows the most. Seconds are those of the processor.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from support.costly_files import (
    COSTLY_DATABASES,
    COSTLY_DEPOTS,
    COSTLY_DISCS,
    COSTLY_DOCUMENTS,
    COSTLY_VIBS,
    MOST_BYTES,
    topped_up,
)
from support.costs import cost_of

if TYPE_CHECKING:
    from pathlib import Path

MOST_MEBIBYTES = 256
MOST_SECONDS = 10

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of a process and its peak are those of Linux")


def check(call: str, data: bytes, path: Path) -> None:
    assert len(data) <= MOST_BYTES
    path.write_bytes(data)
    cost = cost_of(call, path)
    assert cost.seconds <= MOST_SECONDS, cost
    assert cost.mebibytes <= MOST_MEBIBYTES, cost


@pytest.mark.parametrize("name", COSTLY_DEPOTS)
@pytest.mark.parametrize("call", ["eib.open_depot(path)", "eib.verify_bundle(path)"], ids=["open", "verify"])
def test_a_depot_costs_no_more_than_its_length_explains(name: str, call: str, tmp_path: Path) -> None:
    """Many documents or few, deep or wide, sound or not: reading and verifying it stay within bounds."""
    check(call, topped_up(COSTLY_DEPOTS[name]()), tmp_path / "depot.zip")


@pytest.mark.parametrize("name", COSTLY_DATABASES)
def test_an_image_database_costs_no_more_than_its_length_explains(name: str, tmp_path: Path) -> None:
    """It is one archive of documents, packed as tightly as gzip can."""
    check("eib.open_depot(path, strict=False)", COSTLY_DATABASES[name](), tmp_path / "imgdb.tgz")


@pytest.mark.parametrize("name", COSTLY_DISCS)
@pytest.mark.parametrize("call", ["eib.open_depot(path)", "eib.verify_iso(path)"], ids=["open", "verify"])
def test_a_disc_costs_no_more_than_its_length_explains(name: str, call: str, tmp_path: Path) -> None:
    """Its archives share one budget, and files that many payloads claim are not read without end."""
    check(call, COSTLY_DISCS[name](), tmp_path / "disc.iso")


@pytest.mark.parametrize("name", COSTLY_VIBS)
def test_a_vib_costs_no_more_than_its_length_explains(name: str, tmp_path: Path) -> None:
    """Its payload may unpack to a thousand times its bytes, its descriptor be all elements."""
    check("eib.verify_vib(path)", COSTLY_VIBS[name](), tmp_path / "a.vib")


@pytest.mark.parametrize(("name", "call"), COSTLY_DOCUMENTS)
def test_a_document_costs_no_more_than_its_length_explains(name: str, call: str, tmp_path: Path) -> None:
    """Whoever reads a file of text by itself."""
    check(call, COSTLY_DOCUMENTS[name, call](), tmp_path / name)
