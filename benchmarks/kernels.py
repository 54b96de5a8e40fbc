"""The same work with nothing around it: what the exports and readers are measured against.

Each kernel does the part of a job that cannot be left out (inflate, hash, read, write) with the
standard library and lxml alone, without the checks, names and records of the real thing. What
it writes is of no use but has the right length.

    python benchmarks/kernels.py bundle depot.zip out.zip --threads 2
"""

from __future__ import annotations

import argparse
import hashlib
import os
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCK_BYTES = 256 * 1024
_SECTOR_BYTES = 2048


def sha256(depot: Path) -> None:
    """Hash the file once."""
    with depot.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    print(digest.hexdigest())


def testzip(depot: Path) -> None:
    """Let the standard library check every CRC-32."""
    with zipfile.ZipFile(depot) as archive:
        print(archive.testzip())


def bundle(depot: Path, out: Path, *, threads: int) -> None:
    """Carry compressed members over raw; inflate and hash the VIBs in the same pass."""
    source, target, members = _open(depot, out)

    def copy(member: zipfile.ZipInfo) -> str:
        digest = hashlib.sha256()
        at = _data_offset(source, member)
        for raw, plain in _inflated(source, at, member):
            digest.update(plain)
            os.pwrite(target, raw, at)
            at += len(raw)
        return digest.hexdigest()

    _for_each(copy, members, threads=threads)


def iso(depot: Path, out: Path, *, threads: int) -> None:
    """Inflate and hash each VIB and write it to a place of its own."""
    source, target, members = _open(depot, out)
    offsets: dict[str, int] = {}
    end = 0
    for member in members:
        offsets[member.filename] = end
        end += -(-member.file_size // _SECTOR_BYTES) * _SECTOR_BYTES

    def copy(member: zipfile.ZipInfo) -> str:
        digest = hashlib.sha256()
        at = offsets[member.filename]
        for _, plain in _inflated(source, _data_offset(source, member), member):
            digest.update(plain)
            os.pwrite(target, plain, at)
            at += len(plain)
        return digest.hexdigest()

    _for_each(copy, members, threads=threads)


def _open(depot: Path, out: Path) -> tuple[int, int, list[zipfile.ZipInfo]]:
    """Return both file descriptors and the VIBs, largest first."""
    with zipfile.ZipFile(depot) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".vib")]
    members.sort(key=lambda member: member.file_size, reverse=True)
    return os.open(depot, os.O_RDONLY), os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), members


def _for_each(copy: Callable[[zipfile.ZipInfo], str], members: list[zipfile.ZipInfo], *, threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        print(len(list(pool.map(copy, members))))


def _data_offset(source: int, member: zipfile.ZipInfo) -> int:
    name_bytes, extra_bytes = struct.unpack("<26x2H", os.pread(source, 30, member.header_offset))
    return int(member.header_offset + 30 + name_bytes + extra_bytes)


def _inflated(source: int, at: int, member: zipfile.ZipInfo) -> Iterator[tuple[bytes, bytes]]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = member.compress_size
    while left:
        raw = os.pread(source, min(left, _BLOCK_BYTES), at)
        yield raw, raw if member.compress_type == zipfile.ZIP_STORED else inflater.decompress(raw)
        at += len(raw)
        left -= len(raw)


def read_documents(depot: Path, *, folders: tuple[str, ...] = ("vibs/",)) -> list[dict[str, Any]]:
    """Return what the XML documents of a depot say, as plain values: the least that a reader must do.

    Args:
        depot: The zip.
        folders: Which of its documents; the descriptors alone if left out.
    """
    from lxml import etree  # noqa: PLC0415 - other kernels shall not pay for it

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    with zipfile.ZipFile(depot) as archive, archive.open("metadata.zip") as file, zipfile.ZipFile(file) as metadata:
        names = [name for name in metadata.namelist() if name.startswith(folders)]
        return [_extract(etree.fromstring(metadata.read(name), parser)) for name in names]


def _read_all(path: Path, *, folders: tuple[str, ...]) -> list[list[dict[str, Any]]]:
    """Read one depot, or all of a folder, and keep what was read."""
    return [
        read_documents(depot, folders=folders) for depot in (sorted(path.glob("*.zip")) if path.is_dir() else [path])
    ]


_LISTS = frozenset({"urls", "software-tags", "file-list", "system-requires"})


def _extract(root: Any) -> dict[str, Any]:  # noqa: ANN401 - an lxml element
    values: dict[str, Any] = {}
    for child in root:
        tag = child.tag
        if tag == "relationships":
            values[tag] = [(group.tag, [dict(item.attrib) for item in group]) for group in child]
        elif tag == "payloads":
            values[tag] = [
                (dict(item.attrib), [(dict(checksum.attrib), checksum.text) for checksum in item]) for item in child
            ]
        elif tag in _LISTS:
            values[tag] = [item.text for item in child]
        else:
            values[tag] = child.text
    return values


def read_names(depot: Path) -> list[str]:
    """Return the names of all VIB files: zip directory and metadata directory, no document."""
    with zipfile.ZipFile(depot) as archive, archive.open("metadata.zip") as file, zipfile.ZipFile(file) as metadata:
        return [*archive.namelist(), *metadata.namelist()]


def main() -> None:
    parser = argparse.ArgumentParser(description="Bare kernels to measure against.")
    parser.add_argument("kernel", choices=("sha256", "testzip", "bundle", "iso", "descriptors", "documents"))
    parser.add_argument("depot", type=Path)
    parser.add_argument("out", type=Path, nargs="?", default=Path(os.devnull))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if options.kernel in ("bundle", "iso"):
        {"bundle": bundle, "iso": iso}[options.kernel](options.depot, options.out, threads=options.threads)
    elif options.kernel == "descriptors":
        print(sum(map(len, _read_all(options.depot, folders=("vibs/",)))))
    elif options.kernel == "documents":
        print(sum(map(len, _read_all(options.depot, folders=("vibs/", "bulletins/", "profiles/")))))
    else:
        {"sha256": sha256, "testzip": testzip}[options.kernel](options.depot)


if __name__ == "__main__":
    main()
