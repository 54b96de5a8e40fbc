"""Files that are fetched piece by piece, as object stores and web servers give them, with the bytes counted."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any, final

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

__all__ = ["RangedFiles", "with_large_member"]


@final
class RangedFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A file system of fsspec over local files whose files are fetched in ranges, as those of S3 and HTTP are."""

    cachable = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.fetched_bytes = 0
        self.requests = 0

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        with Path(path).open("rb") as file:
            return {"name": path, "size": file.seek(0, io.SEEK_END), "type": "file"}

    def _open(self, path: str, mode: str = "rb", **options: Any) -> _RangedFile:
        options.pop("autocommit", None)
        return _RangedFile(self, path, mode, **options)


@final
class _RangedFile(AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
    def _fetch_range(self, start: int, end: int) -> bytes:
        with Path(self.path).open("rb") as file:
            file.seek(start)
            data = file.read(end - start)
        self.fs.requests += 1
        self.fs.fetched_bytes += len(data)
        return data


def with_large_member(source: Path, target: Path, *, name: str, size_bytes: int) -> None:
    """Write a zip again with a member of so many zeros before its directory, as a hole where the system can."""
    data = source.read_bytes()
    *_, count, directory_bytes, directory_at, _ = struct.unpack("<4s4H2LH", data[-22:])
    block, crc = bytes(1 << 20), 0
    for at in range(0, size_bytes, len(block)):
        crc = zlib.crc32(block[: size_bytes - at], crc)
    fields = struct.pack("<5H3L2H", 20, 0, 0, 0, 33, crc, size_bytes, size_bytes, len(name), 0)
    entry = struct.pack("<4sH", b"PK\1\2", 20) + fields + struct.pack("<3H2L", 0, 0, 0, 0, directory_at) + name.encode()
    with target.open("wb") as file:
        file.write(data[:directory_at] + b"PK\3\4" + fields + name.encode())
        file.seek(size_bytes, io.SEEK_CUR)
        at = file.tell()
        directory = data[directory_at : directory_at + directory_bytes] + entry
        file.write(directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count + 1, count + 1, len(directory), at, 0))
