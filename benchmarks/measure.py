"""Run one command and write its wall time and peak memory as JSON: a small process of its own.

A child's peak as the kernel counts it begins with that of the process it was started from,
so a large parent would hide what a child really takes. This one imports next to nothing; what
``true`` takes under it is the floor below which nothing can be told.

    python benchmarks/measure.py result.json unzip -tq depot.zip

Unix only.
"""

from __future__ import annotations

import os
import sys
import time

_KIBIBYTES = 1024


def measure(command: list[str]) -> tuple[float, int, int]:
    """Run a command with its output dropped.

    Returns:
        Wall time in seconds, peak memory in bytes (with that of its own children), exit status.
    """
    started_at = time.perf_counter()
    drop_output = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawnp(command[0], command, os.environ, file_actions=drop_output)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - started_at
    peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else _KIBIBYTES)
    return seconds, peak_bytes, os.waitstatus_to_exitcode(status)


def main() -> None:
    seconds, peak_bytes, exit_code = measure(sys.argv[2:])
    result = f'{{"seconds": {seconds:.6f}, "peak_bytes": {peak_bytes}, "exit_code": {exit_code}}}\n'
    handle = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(handle, result.encode())
    os.close(handle)
    sys.exit(exit_code != 0)


if __name__ == "__main__":
    main()
