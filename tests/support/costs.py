"""What a call on a file costs: processor seconds and peak memory of a process of its own.

The process is limited by the system too, so that a fault fails a test and not the machine. Seconds
are those of the processor: others may be at work on the machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import final

import attrs

__all__ = ["Cost", "cost_of"]

_SECONDS = 60
_BYTES = 3 * 1024**3
_PROGRAM = """
import json, resource, sys, time
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
resource.setrlimit(resource.RLIMIT_AS, ({bytes}, {bytes}))
import esximage_builder as eib
path = sys.argv[1]
said = "nothing"
try:
    found = {call}
    said = type(found).__name__
except eib.EsxImageError as error:
    said = f"{{type(error).__name__}}: {{error}}"[:2000]
used = resource.getrusage(resource.RUSAGE_SELF)
children = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({{
    "said": said,
    "seconds": used.ru_utime + used.ru_stime + children.ru_utime + children.ru_stime,
    "mebibytes": max(used.ru_maxrss, children.ru_maxrss) / 1024,
}}))
"""


@final
@attrs.frozen
class Cost:
    """What a call took, and how it ended: the type of its result, or the error."""

    said: str
    seconds: float
    mebibytes: float


def cost_of(call: str, path: Path) -> Cost:
    """Run an expression of ``eib`` and ``path`` in a process that is started by a small one.

    The peak of a child begins with that of its parent, so the interpreter is not started by pytest itself.
    """
    program = _PROGRAM.format(call=call, seconds=_SECONDS, bytes=_BYTES)
    command = [sys.executable, "-c", program, str(path)]
    launcher = [sys.executable, "-S", "-E", "-c", "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((root, os.environ.get("PYTHONPATH", "")))}
    done = subprocess.run([*launcher, *command], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return Cost(**json.loads(done.stdout))
