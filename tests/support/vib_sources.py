"""Folders to make VIBs of, and what stands in a folder, in a form that compares."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AGENT", "AGENT_TOML", "DRIVER", "DRIVER_TOML", "lay_out", "standing_in"]

# Path to mode and content; a text is where a link leads, None a folder.
Laid = tuple[int, "bytes | str | None"]

AGENT: Mapping[str, Laid] = {
    "etc": (0o755, None),
    "etc/acme.conf": (0o1644, b"level=1\n"),
    "opt": (0o755, None),
    "opt/acme": (0o755, None),
    "opt/acme/bin": (0o755, None),
    "opt/acme/bin/agent": (0o755, b"#!/bin/sh\nexit 0\n"),
    "opt/acme/bin/alias": (0o777, "agent"),
    "opt/acme/conf": (0o777, "../../etc/acme.conf"),
    "opt/acme/empty": (0o700, None),
}
AGENT_TOML = """\
name = "acme-agent"
version = "1.2.3-4"
vendor = "ACM"
summary = "An agent"
release-date = 2024-01-31
"""

DRIVER: Mapping[str, Laid] = {
    "flux": (0o755, None),
    "flux/usr": (0o755, None),
    "flux/usr/lib": (0o750, None),
    "flux/usr/lib/vmware": (0o755, None),
    "flux/usr/lib/vmware/flux.bin": (0o444, bytes(range(256)) * 40),
    "flux/usr/lib/vmware/nothing": (0o640, b""),
    "README": (0o600, b"read me\n"),
}
DRIVER_TOML = """\
name = "flux"
version = "2.4-1OEM.800.1.0.20613240"
vendor = "FLX"
summary = "Flux driver"
release-date = 2023-05-06T07:08:09Z
depends = ["vmkapi_2_9_0_0"]
uncompressed-size = true

[[payloads]]
name = "flux"
boot-order = 7

[[payloads]]
name = "README"
type = "text"
"""


def lay_out(root: Path, laid: Mapping[str, Laid], *, backwards: bool = False) -> Path:
    """Make a folder of this; ``backwards`` makes what is in it in another order."""
    root.mkdir(exist_ok=True)
    for name, (mode, content) in sorted(laid.items(), reverse=backwards):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.symlink_to(content)
        elif content is None:
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(content)
            path.chmod(mode)
    for name, (mode, content) in sorted(laid.items(), reverse=True):
        if content is None:
            (root / name).chmod(mode)
    return root


def standing_in(root: Path) -> dict[str, Laid]:
    """Return everything in a folder, as ``lay_out`` takes it."""
    found: dict[str, Laid] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        name = path.relative_to(root).as_posix()
        if stat.S_ISLNK(status.st_mode):
            found[name] = (0o777, os.readlink(path))  # noqa: PTH115 - as it stands there
        elif stat.S_ISDIR(status.st_mode):
            found[name] = (stat.S_IMODE(status.st_mode), None)
        else:
            found[name] = (stat.S_IMODE(status.st_mode), path.read_bytes())
    return found
