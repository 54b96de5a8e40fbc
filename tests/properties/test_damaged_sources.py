"""Four hundred damaged sources through disc, network boot tree and bundle: nothing differs unless we said so.

Each source has one byte changed, somewhere in the file, or inside a VIB with the zip packed soundly again, so
that nothing but the VIB itself could tell. What comes out is compared with what the whole source gives, by Python's
zip reader and by the tests' own reader of discs.
"""

from __future__ import annotations

import functools
import io
import random
import re
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, final

import attrs
import pytest
from support.changed_depots import ar_members, zip_members
from support.disc_reader import facts_of
from support.effort import share
from support.small_images import base_vibs, write_base_depot
from support.written_images import put

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

RELEASE = "7.0.3-0.55.20328353"
OUTPUTS = ("disc", "tree", "bundle")
FILE_FACTS = re.compile(
    rb"<packed-size>.*?</packed-size>\s*<checksum .*?</checksum>"
    rb"|<packedSize>.*?</packedSize>\s*<checksum>\s*<checksumType>.*?</checksum>\s*</checksum>",
    re.DOTALL,
)


@final
@attrs.frozen(kw_only=True)
class Outcome:
    """What the three exports of a source gave, and what was said on the way."""

    outputs: Mapping[str, object]
    said: frozenset[str]
    refused: frozenset[str]


@functools.cache
def source() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        vibs = base_vibs(RELEASE, kernel=b"kernel", bios_loader=bytes(range(256)) * 8, efi_image=b"efi" * 700)
        write_base_depot(Path(folder, "depot.zip"), RELEASE, vibs)
        return Path(folder, "depot.zip").read_bytes()


@functools.cache
def disc() -> bytes:
    with tempfile.TemporaryDirectory() as folder, eib.open_depot(put(Path(folder, "depot.zip"), source())) as depot:
        image = eib.compose(depot.catalog, base_image=RELEASE)
        eib.export_iso(image, depot, Path(folder, "disc.iso"))
        return Path(folder, "disc.iso").read_bytes()


def flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    changed[chance.randrange(len(data))] ^= chance.choice([1 << chance.randrange(8), chance.randrange(1, 256)])
    return bytes(changed)


def packed_again(members: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


def with_flipped_vib(chance: random.Random) -> bytes:
    """A sound zip that holds a VIB with a byte changed."""
    members = zip_members(source())
    name = chance.choice([name for name in members if name.endswith(".vib")])
    return packed_again({**members, name: flip(members[name], chance)})


def with_flipped_vib_and_no_checksums(chance: random.Random) -> bytes:
    """The same, where the metadata states neither size nor checksum of the files, as old depots do."""
    members = zip_members(with_flipped_vib(chance))
    metadata = zip_members(members["metadata.zip"])
    for name, data in metadata.items():
        metadata[name] = FILE_FACTS.sub(b"", data)
    assert metadata != zip_members(members["metadata.zip"])
    return packed_again({**members, "metadata.zip": packed_again(metadata)})


DAMAGES: dict[str, Callable[[random.Random], bytes]] = {
    "depot": lambda chance: flip(source(), chance),
    "disc": lambda chance: flip(disc(), chance),
    "VIB in a depot": with_flipped_vib,
    "VIB in a depot without checksums": with_flipped_vib_and_no_checksums,
}
PARTS = 2
SEEDS = share(100) // PARTS


def outcome_of(data: bytes, folder: Path) -> Outcome:
    """Open a source and write all outputs that it gives."""
    path = put(folder / "source", data)
    outputs: dict[str, object] = {}
    said: set[str] = set()
    try:
        with eib.open_depot(path) as depot:
            said |= {repr((f.code, f.items, f.cause)) for f in depot.catalog.findings}
            image = eib.compose(depot.catalog, base_image=RELEASE)
            for name in OUTPUTS:
                try:
                    result = export(name, image, depot, folder)
                except eib.EsxImageError:
                    continue
                said |= {repr((f.code, f.items)) for f in result.findings}
                outputs[name] = content_of(name, folder)
    except eib.EsxImageError:
        pass
    return Outcome(outputs=outputs, said=frozenset(said), refused=frozenset(OUTPUTS) - outputs.keys())


def export(name: str, image: eib.Image, depot: eib.Depot, folder: Path) -> eib.ExportResult:
    writers = {"disc": eib.export_iso, "tree": eib.export_pxe, "bundle": eib.export_bundle}
    return writers[name](image, depot, folder / name)  # type: ignore[operator,no-any-return]


def content_of(name: str, folder: Path) -> object:
    """What others read in an output."""
    path = folder / name
    if name == "disc":
        facts = facts_of(path.read_bytes())
        metadata = facts["file UPGRADE/METADATA.ZIP"]
        assert isinstance(metadata, dict)
        return {**facts, "file UPGRADE/METADATA.ZIP": {name: _said(name, data) for name, data in metadata.items()}}
    if name == "bundle":
        return dict(_members(path.read_bytes()))
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def _members(data: bytes, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, member in zip_members(data).items():
        if name.endswith(".zip"):
            yield from _members(member, f"{prefix}{name}!")
        else:
            yield prefix + name, _said(name, member)


def _said(name: str, data: bytes) -> object:
    """Of a VIB its members: dates and owners in their heads say nothing; of metadata all but what covers these too."""
    return ar_members(data) if name.endswith(".vib") else FILE_FACTS.sub(b"", data)


@functools.cache
def whole(kind: str) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        return outcome_of(undamaged(kind), Path(folder))


def undamaged(kind: str) -> bytes:
    if kind == "disc":
        return disc()
    if kind == "VIB in a depot without checksums":
        chance = random.Random(0)
        members = zip_members(with_flipped_vib_and_no_checksums(chance))
        vibs = {name: data for name, data in zip_members(source()).items() if name.endswith(".vib")}
        return packed_again({**members, **vibs})
    return source()


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", DAMAGES)
def test_no_output_differs_without_a_word(tmp_path: Path, kind: str, part: int) -> None:
    expected = whole(kind)
    assert expected.refused == frozenset()
    came_out = 0
    for seed in range(part * SEEDS, (part + 1) * SEEDS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found = outcome_of(DAMAGES[kind](random.Random(seed)), folder)
        came_out += len(found.outputs)
        for name, content in found.outputs.items():
            assert content == expected.outputs[name] or found.said - expected.said, f"seed {seed} of {kind}: {name}"
    assert came_out < SEEDS * len(OUTPUTS)
