"""Written discs, sticks and bundles, file by file, as they were when somebody last looked at the difference.

``python tests/house/test_goldens.py --renew`` writes the manifests in ``goldens`` anew; the tests never
do. Look at the difference before it is committed: the bytes of exports are a promise.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import zipfile
from pathlib import Path

if __name__ == "__main__":  # as a script, the path is not set up by pytest
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

import pytest
from support.written_images import GENERATIONS, disc_of, written, written_stick

import esximage_builder as eib
from esximage_builder.containers.fat32_reader import open_stick

GOLDENS = Path(__file__).parents[1] / "goldens"
STICK = "8.0U3"
"""The one generation of which the stick is looked at too: its files are those of the disc."""
_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def disc_manifest(data: bytes) -> str:
    """What stands on a disc: label, boot entries, then size, SHA-256 and path of each file."""
    with disc_of(data) as disc:
        lines = [
            f"image   {len(data)} bytes  {sha256(data)}",
            f"volume  {disc.volume_id}  {disc.volume_bytes} bytes",
            f"joliet  {disc.has_joliet}",
            f"rock ridge  {disc.has_rock_ridge}",
        ]
        lines += [
            f"boot    {entry.platform} {entry.path}  {entry.load_sectors} sectors"
            f"{'' if entry.is_bootable else '  off'}{'  emulated' if entry.is_emulated else ''}"
            f"{'  default' if entry.is_default else ''}"
            for entry in disc.boot_entries
        ]
        lines += [
            f"{entry.size_bytes:9}  {sha256(disc.read(path, max_bytes=1 << 30))}  {path}"
            for path, entry in disc.files.items()
        ]
    return "\n".join(lines) + "\n"


def stick_manifest(data: bytes) -> str:
    """What stands on a stick: where the partition is, then size, SHA-256 and path of each file."""
    with open_stick(io.BytesIO(data), where="stick", limits=eib.ReadLimits()) as stick:
        place = stick.partition
        lines = [
            f"image   {len(data)} bytes  {sha256(data)}",
            f"partition  {place.kind:02x}  {place.sectors} sectors from {place.first_sector}",
        ]
        lines += [
            f"{entry.size_bytes:9}  {sha256(stick.read(path, max_bytes=1 << 30))}  {path}"
            for path, entry in stick.files.items()
        ]
    return "\n".join(lines) + "\n"


def bundle_manifest(data: bytes) -> str:
    """What stands in a bundle, in archive order: size, method, CRC-32, SHA-256 and name; metadata.zip opened."""
    lines = [f"archive  {len(data)} bytes  {sha256(data)}"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            lines.append(member_line(info, archive.read(info)))
            if info.filename.endswith(".zip"):
                with zipfile.ZipFile(io.BytesIO(archive.read(info))) as inner:
                    lines += [f"    {member_line(member, inner.read(member))}" for member in inner.infolist()]
    return "\n".join(lines) + "\n"


def member_line(info: zipfile.ZipInfo, data: bytes) -> str:
    method = _METHODS.get(info.compress_type, str(info.compress_type))
    return f"{info.file_size:9}  {method}  {info.CRC:08x}  {sha256(data)}  {info.filename}"


def manifests() -> dict[str, str]:
    """File name to text of every manifest."""
    made = {f"{STICK}-stick.txt": stick_manifest(written_stick(STICK))}
    for name in GENERATIONS:
        made[f"{name}-disc.txt"] = disc_manifest(written(name).iso)
        made[f"{name}-bundle.txt"] = bundle_manifest(written(name).bundle)
    return made


@pytest.mark.parametrize("kind", ["disc", "bundle"])
@pytest.mark.parametrize("name", GENERATIONS)
def test_what_is_written_is_what_the_golden_manifest_says(name: str, kind: str) -> None:
    """Renew with ``python tests/house/test_goldens.py --renew`` if the change is meant."""
    found = disc_manifest(written(name).iso) if kind == "disc" else bundle_manifest(written(name).bundle)

    assert found.splitlines() == (GOLDENS / f"{name}-{kind}.txt").read_text(encoding="utf-8").splitlines()


def test_a_stick_is_what_the_golden_manifest_says() -> None:
    found = stick_manifest(written_stick(STICK))

    assert found.splitlines() == (GOLDENS / f"{STICK}-stick.txt").read_text(encoding="utf-8").splitlines()


def test_no_golden_manifest_is_left_over() -> None:
    names = [f"{name}-{kind}.txt" for name in GENERATIONS for kind in ("disc", "bundle")]
    assert sorted(path.name for path in GOLDENS.iterdir()) == sorted([*names, f"{STICK}-stick.txt"])


def test_a_manifest_shows_every_byte() -> None:
    """One changed byte, wherever, changes a line."""
    made = written("6.7")
    for data, manifest in ((made.iso, disc_manifest), (made.bundle, bundle_manifest)):
        whole = manifest(data)
        assert manifest(data[:-1] + bytes([data[-1] ^ 1])) != whole


def main() -> int:
    """Write the manifests, on request only; else say which differ."""
    parser = argparse.ArgumentParser(description="Golden manifests of written discs and bundles.")
    parser.add_argument("--renew", action="store_true", help="write them anew")
    is_renewed = parser.parse_args().renew
    differing = 0
    GOLDENS.mkdir(exist_ok=True)
    for name, text in manifests().items():
        path = GOLDENS / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            differing += 1
            sys.stdout.write(f"{'renewed' if is_renewed else 'differs'}: {name}\n")
            if is_renewed:
                path.write_text(text, encoding="utf-8", newline="\n")
    return 0 if is_renewed or not differing else 1


if __name__ == "__main__":
    sys.exit(main())
