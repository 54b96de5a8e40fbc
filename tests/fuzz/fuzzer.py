"""Fuzzes one target for some seconds with atheris; started by ``run.py``, one process a target.

A finding does not end the run: it is written down once for each place it comes from, with the
shortest input that shows it. Only what cannot be caught (too much memory, no end) ends the
process; libFuzzer leaves the input then, and ``run.py`` goes on.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import atheris

with atheris.instrument_imports(include=["esximage_builder", "tomllib"]):
    from fuzz.mutators import SHAPED, mutated
    from fuzz.targets import TARGETS, Target

    from esximage_builder.errors import EsxImageError

if TYPE_CHECKING:
    from types import TracebackType

SLOW_SECONDS: Final = 10.0
"""An input that costs more of the processor is a finding."""


@final
class _Fuzzed:
    """One target, and where what is found goes."""

    def __init__(self, target: Target, findings: Path) -> None:
        self._target = target
        self._findings = findings

    def __call__(self, data: bytes) -> None:
        began = time.process_time()
        try:
            self._target.call(data)
        except EsxImageError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            self._write_down(data, f"{type(error).__name__} {_place(error.__traceback__)}", traceback.format_exc())
        if (seconds := time.process_time() - began) > SLOW_SECONDS:
            self._write_down(data, "slow", f"{seconds:.1f} s of the processor")

    def _write_down(self, data: bytes, what: str, story: str) -> None:
        name = f"{what.partition(' ')[0]}-{hashlib.sha256(what.encode()).hexdigest()[:12]}"
        kept = self._findings / f"{name}.input"
        if kept.exists() and kept.stat().st_size <= len(data):
            return
        self._findings.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(data)
        kept.with_suffix(".txt").write_text(f"{what}\n\n{story}", encoding="utf-8", errors="backslashreplace")


def _place(trace: TracebackType | None) -> str:
    """Return the innermost place in our code; what lies below it differs between releases of Python."""
    places = [
        frame
        for frame in traceback.extract_tb(trace)
        if "esximage_builder" in frame.filename or "fuzz" in frame.filename
    ]
    return f"{Path(places[-1].filename).name}:{places[-1].name}" if places else "nowhere"


def _mutator(target: Target) -> object:
    def mutate(data: bytes, most_bytes: int, seed: int) -> bytes:
        chance = random.Random(seed)
        return mutated(bytes(data), most_bytes, shape=target.shape, chance=chance, change=atheris.Mutate)

    return mutate


def main(arguments: list[str]) -> None:
    """Fuzz the target named first, with findings into the folder named second; libFuzzer takes the rest."""
    target = TARGETS[arguments[0]]
    options = {"custom_mutator": _mutator(target)} if target.shape in SHAPED else {}
    atheris.Setup([sys.argv[0], *arguments[2:]], _Fuzzed(target, Path(arguments[1])), **options)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
