"""Stops runs of the writers in the middle, by a signal or a full disk; run as a program, in a process of its own.

    python stopped_runs.py DEPOT FOLDER OUTPUT

OUTPUT is an option of ``esximage build``, or the name of a function that writes. Each attempt is
a fork of this process, so nothing is loaded twice. A profiling hook sees every call that touches
the disk, whoever makes it, and strikes just before the n-th, or just after a file was made.
The answer is one JSON list, an object for each attempt.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import esximage_builder as eib
from esximage_builder.cli import build as build_verb
from esximage_builder.cli.app import main as command_line

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OLD", "OUTPUTS", "WAYS"]

VERSION = "7.0.3-0.55.20328353"
OLD = b"what was there before"
OUTPUTS = {
    "--iso": "image.iso",
    "--bundle": "image.zip",
    "--pxe": "tree",
    "--lock": "image.lock",
    "--sbom": "image.sbom",
    "--report": "report.html",
    "write_software_spec": "spec.json",
    "write_authored_depot": "depot.zip",
}
WAYS = ("TERM", "KILL", "FULL")
_FILES = (io.BufferedWriter, io.BufferedRandom, io.FileIO)
_STEPS = (os.fsync, os.replace, os.write, os.pwrite)
_MAKERS = (os.open, os.mkdir)


def strike(way: str) -> None:
    """End the process, or be a full disk."""
    if way == "FULL":
        raise OSError(errno.ENOSPC, "No space left on device")
    os.kill(os.getpid(), getattr(signal, f"SIG{way}"))


class Hook:
    """Counts what touches the disk, and strikes once."""

    def __init__(self, way: str, at: int) -> None:
        self.way = way
        self.at = at
        self.count = 0
        self.has_appeared = False

    def __call__(self, _frame: object, event: str, called: Any) -> None:
        if self.is_step(event, called):
            self.count += 1
            if self.count - 1 == self.at:
                strike(self.way)

    def is_step(self, event: str, called: Any) -> bool:
        """Tell whether something of the output is about to change; what only reads it afterwards is none."""
        if self.has_appeared:
            return False
        self.has_appeared = event == "c_return" and called is os.replace
        if event == "c_call":
            is_write = getattr(called, "__name__", "") == "write" and isinstance(called.__self__, _FILES)
            return is_write or called in _STEPS
        return event == "c_return" and self.way != "FULL" and called in _MAKERS


def writer_of(depot: Path, output: str, target: Path) -> Callable[[], int]:
    """Return what writes the output and says how it ended."""
    if output.startswith("--"):
        arguments = [
            build_verb.__name__.rpartition(".")[2],
            "--depot",
            str(depot),
            "--base",
            VERSION,
            output,
            str(target),
            "--force",
        ]
        return lambda: command_line(arguments)
    return lambda: written_by_function(output, target)


def written_by_function(output: str, target: Path) -> int:
    try:
        if output == "write_software_spec":
            eib.write_software_spec(eib.make_spec(base_image=VERSION), target, overwrite=True)
        else:
            from support.small_images import base_vibs, write_base_depot

            vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))
            write_base_depot(target, VERSION, vibs, overwrite=True)
    except eib.ExportError as error:
        sys.stderr.write(str(error))
        return 2
    return 0


def forked(write: Callable[[], int], way: str, at: int, said: Path) -> tuple[int, int]:
    """Run in a child; return its status and how many steps it counted, as far as it could tell."""
    steps = said.with_name("steps")
    child = os.fork()
    if not child:
        sys.stdout, sys.stderr = said.open("w"), said.open("a")
        hook = Hook(way, at)
        threading.setprofile(hook)
        sys.setprofile(hook)
        code = write()
        sys.setprofile(None)
        steps.write_text(str(hook.count))
        sys.stderr.flush()
        os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status, int(steps.read_text()) if steps.exists() else 0


def state_of(folder: Path, target: Path) -> dict[str, Any]:
    """Say what stands in the folder: the target, and what else."""
    content = target.read_bytes() if target.is_file() else b""
    kind = "old" if content == OLD else "new" if target.exists() else "none"
    return {"target": kind, "others": sorted(path.name for path in folder.iterdir() if path != target)}


def attempts(depot: Path, folder: Path, output: str) -> list[dict[str, Any]]:
    """Stop a run at some of its steps, and run once more after each that was killed."""
    target, said = folder / OUTPUTS[output], Path(tempfile.mkdtemp()) / "said"
    write = writer_of(depot, output, target)
    found = []
    for way in WAYS:
        if way == "TERM" and not output.startswith("--"):
            continue  # the signal is the command line's business
        clear(folder, target)
        status, total = forked(write, way, -1, said)
        assert status == 0, said.read_text()
        for at in sorted({0, 1, 2, 3, total // 2, total - 3, total - 2, total - 1} & set(range(total))):
            clear(folder, target)
            if output != "--pxe":
                target.write_bytes(OLD)
            status, _ = forked(write, way, at, said)
            attempt = {"way": way, "at": at, "status": status, "said": said.read_text(), **state_of(folder, target)}
            if way == "KILL":
                again, _ = forked(write, "KILL", -1, said)
                attempt["again"] = {"status": again, **state_of(folder, target)}
            found.append(attempt)
    shutil.rmtree(said.parent)
    return found


def clear(folder: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(attempts(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])))
