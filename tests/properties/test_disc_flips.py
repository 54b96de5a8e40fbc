"""Two thousand bytes of a disc changed, one at a time: whatever another reader then reads otherwise is told.

Every run takes a share of them, `make test-long` all.

The other reader (``support.disc_reader``) shares no line with the library. It reads every number in both forms,
every text, every date, every document; a change that it does not see stands in bytes that nobody reads.
"""

from __future__ import annotations

import functools
import io
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.disc_reader import differences, facts_of, places_of
from support.effort import share
from support.written_images import written

import esximage_builder as eib
from esximage_builder.verify.disc import verify_disc

if TYPE_CHECKING:
    from support.disc_reader import Facts

PAGE = Path(__file__).parents[2] / "docs" / "verify.md"
FLIPS = 2000
PARTS = 4
AT_LEAST = 1900
"""How many of the flips the other reader reads otherwise; a few more or less with each build of zlib, which packs
the disc's documents into other bytes."""

TOLD = re.compile(r"(.* text \d+|.*\bdate\b.*|.* note|(spare|rest|words|record) .*)")
"""Facts that decide nothing that boots or upgrades: a word about them is enough."""
NAMED = {
    "descriptors": r"descriptor|volume|block|disc|boot record|boot catalog|path table|root folder|director|label",
    "path tables": r"path table",
    "boot catalog": r"boot catalog|boot entry",
    "directories": r"director|folder|record|file|name|reader|boot|VIB|disc",
}


@functools.cache
def whole() -> tuple[bytes, Facts, dict[str, list[int]]]:
    """A disc of ours, what it says, and the places of metadata, directories and boot files."""
    iso = written("6.7").iso
    modules = (".V00", ".B00", ".T00", ".GZ")
    places = {name: found for name, found in places_of(iso).items() if not name.endswith(modules)}
    return iso, facts_of(iso), places


def flipped(seed: int) -> tuple[str, bytes]:
    """A byte of the disc changed, in one bit or in several; and what it belongs to."""
    iso, _, places = whole()
    chance = random.Random(seed)
    area = chance.choice(list(places))
    at = chance.choice(places[area])
    changed = bytearray(iso)
    changed[at] ^= chance.choice([1 << chance.randrange(8), chance.randrange(1, 256)])
    return area, bytes(changed)


def is_decisive(fact: str, after: Facts) -> bool:
    """Tell whether a fact decides what boots or is installed, and stands on both discs, with other values."""
    return TOLD.fullmatch(fact) is None and fact in after and fact in whole()[1]


@pytest.mark.parametrize("part", range(PARTS))
def test_what_another_reader_reads_otherwise_is_told_and_named(part: int) -> None:
    """And what decides something is an error."""
    _, before, _ = whole()
    otherwise = 0
    size = share(FLIPS) // PARTS
    for seed in range(part * size, (part + 1) * size):
        area, iso = flipped(seed)
        after = facts_of(iso)
        differing = differences(before, after)
        if not differing:
            continue
        otherwise += 1
        verification = verify_disc(io.BytesIO(iso), where="disc.iso", deep=False, limits=eib.ReadLimits())
        words = "\n".join(f"{f.message} {f.items} {f.where}" for f in verification.findings)
        shown = f"seed {seed} in {area}: {sorted(differing)[:5]}\n{words}"
        assert verification.findings, shown
        assert re.search(NAMED.get(area, re.escape(area.rstrip("."))), words), shown
        if any(is_decisive(fact, after) for fact in differing):
            assert not verification.is_passed, shown
    assert otherwise >= share(AT_LEAST) // PARTS


def test_the_page_states_these_figures() -> None:
    assert f"Of {FLIPS:,} bytes changed" in PAGE.read_text()
    assert f"reads more than {AT_LEAST:,} otherwise" in PAGE.read_text()
