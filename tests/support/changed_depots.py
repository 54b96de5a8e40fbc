"""Depots with one thing changed, second opinions on archives, and system tools.

Nothing here uses the library's own readers and writers: a ``.vib`` is taken apart by hand, zips
by Python's own module, discs by the tools that others use.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Edit = Callable[[str, bytes], bytes | None]

ROOT = Path(__file__).parents[2]
DEPOTS = ROOT / "fixtures" / "depots"
SPECS = ROOT / "fixtures" / "specs"


def needs(*tools: str) -> pytest.MarkDecorator:
    """Skip, with the tool's name, where a system tool is not installed; the CI forbids that."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def run(*command: str | Path, stdin: bytes = b"") -> str:
    """Run a tool that must succeed; return what it says on both streams."""
    done = subprocess.run([str(part) for part in command], input=stdin, capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, said
    return said


def clean_environment(**changes: str) -> dict[str, str]:
    """The environment for a process of our own, so that it finds the package in the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "TZ", "PYTHON"))}
    return kept | {"PYTHONPATH": str(ROOT)} | changes


def zip_members(source: Path | bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def xml(data: bytes) -> ET.Element:
    """Read a document that we have written, with Python's own parser."""
    return ET.fromstring(data)  # noqa: S314 - from our own writer


def edit_zip(source: Path, target: Path, edit: Edit, *, deflate: bool = False) -> Path:
    """Write a copy in which ``edit`` has changed members; None drops one."""
    method = zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in zip_members(source).items():
            changed = edit(name, data)
            if changed is not None:
                archive.writestr(name, changed)
    return target


def in_metadata(edit: Edit) -> Edit:
    """The same edit for the members of ``metadata.zip``, with all others left alone."""

    def edit_outer(name: str, data: bytes) -> bytes | None:
        if name != "metadata.zip":
            return data
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for inner, inner_data in zip_members(data).items():
                changed = edit(inner, inner_data)
                if changed is not None:
                    archive.writestr(inner, changed)
        return target.getvalue()

    return edit_outer


def ar_members(data: bytes) -> dict[str, bytes]:
    """Take a ``.vib`` apart by hand, in archive order."""
    assert data.startswith(b"!<arch>\n")
    at, members = 8, {}
    while at < len(data):
        header = data[at : at + 60]
        assert header.endswith(b"`\n")
        size = int(header[48:58])
        members[header[:16].decode().strip().removesuffix("/")] = data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    return members


def render_vib(members: dict[str, bytes], *, mode: str = "0") -> bytes:
    """Put a ``.vib`` together by hand."""
    parts = [b"!<arch>\n"]
    for name, data in members.items():
        parts += [f"{name:<16}{0:<12}{0:<6}{0:<6}{mode:<8}{len(data):<10}`\n".encode(), data, b"\n" * (len(data) % 2)]
    return b"".join(parts)


def payload_sizes_in(descriptor: bytes) -> dict[str, int]:
    """Payload name to stated size, as the text of a descriptor has it."""
    tags = re.findall(rb"<payload [^>]*>", descriptor)
    pairs = [(re.search(rb' name="([^"]*)"', tag), re.search(rb' size="(\d+)"', tag)) for tag in tags]
    return {name[1].decode(): int(size[1]) for name, size in pairs if name is not None and size is not None}


def left_in(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, hidden files too: nothing half-written may be among it."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
