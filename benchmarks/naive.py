"""What one writes in an afternoon: every VIB's payloads onto an ISO with zipfile and pycdlib, nothing checked.

    python benchmarks/naive.py depot.zip out.iso

It boots nothing, as it writes no boot.cfg, no image database and no loader; it is here to be measured against.
"""

from __future__ import annotations

import io
import sys
import zipfile

import pycdlib

_MAGIC = b"!<arch>\n"
_HEADER_BYTES = 60


def _members(vib: bytes) -> list[tuple[str, bytes]]:
    found = []
    at = len(_MAGIC)
    while at < len(vib):
        name = vib[at : at + 16].decode().strip().rstrip("/")
        size = int(vib[at + 48 : at + 58])
        at += _HEADER_BYTES
        found.append((name, vib[at : at + size]))
        at += size + size % 2
    return found


def main() -> None:
    disc = pycdlib.PyCdlib()
    disc.new(interchange_level=4)
    taken: set[str] = set()
    with zipfile.ZipFile(sys.argv[1]) as archive:
        for member in archive.namelist():
            if member.endswith(".vib"):
                for name, data in _members(archive.read(member)):
                    path = f"/{name.upper()[:8]}.V00"
                    while path in taken:
                        path = f"/{len(taken):08X}.V00"
                    taken.add(path)
                    disc.add_fp(io.BytesIO(data), len(data), path)
    disc.write(sys.argv[2])
    print(len(taken))


if __name__ == "__main__":
    main()
