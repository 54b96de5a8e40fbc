"""The corpus that the repository keeps: for each target a zip of the inputs that reach something of their own.

A run of hours leaves thousands of inputs. What is kept are the shortest ones that together run
the same steps from line to line of our code, up to a bound for each target.
"""

from __future__ import annotations

import hashlib
import io
import re
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from esximage_builder.errors import EsxImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

    from fuzz.targets import Target

__all__ = ["CORPUS", "committed_inputs", "kept_of", "steps_of", "words_of", "write_inputs"]

CORPUS: Final = Path(__file__).with_name("corpus")
_MOST_ZIP_BYTES: Final = 40 << 10
_MOST_WORDS: Final = 300
_WORD: Final = re.compile(rb"[A-Za-z][A-Za-z0-9_.-]{2,23}|</?[a-z][A-Za-z-]+>?|[0-9]{4}-[0-9]{2}-[0-9]{2}T")
_DATE: Final = (1980, 1, 1, 0, 0, 0)

Step = tuple[str, int, int]


def committed_inputs(target: str) -> list[bytes]:
    """Return what the repository keeps for a target."""
    path = CORPUS / f"{target}.zip"
    if not path.is_file():
        return []
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist()]


def write_inputs(target: str, inputs: Iterable[bytes]) -> None:
    """Keep these inputs for a target, and no others; the same inputs give the same bytes."""
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"{target}.zip").write_bytes(_zipped(inputs))


def _zipped(inputs: Iterable[bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for data in sorted(set(inputs), key=lambda data: (len(data), data)):
            name = hashlib.sha256(data).hexdigest()[:16]
            archive.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def kept_of(target: Target, inputs: Iterable[bytes]) -> list[bytes]:
    """Return the shortest inputs that together take the same steps, as far as the bound for a zip allows."""
    kept: list[bytes] = []
    seen: set[Step] = set()
    for data in sorted(set(inputs), key=lambda data: (len(data), data)):
        try:
            steps = steps_of(target.call, data)
        except Exception:  # noqa: BLE001, S112 - a finding: it becomes a test, and no part of the corpus
            continue
        if not steps <= seen and len(_zipped([*kept, data])) <= _MOST_ZIP_BYTES:
            kept.append(data)
            seen |= steps
    return kept


def steps_of(call: Callable[[bytes], object], data: bytes) -> set[Step]:
    """Return the steps from line to line of the package that an input takes."""
    steps: set[Step] = set()
    last: dict[int, int] = {}

    def in_frame(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            steps.add((frame.f_code.co_filename, last.get(id(frame), 0), frame.f_lineno))
            last[id(frame)] = frame.f_lineno
        return in_frame

    def on_call(frame: FrameType, _: str, __: object) -> Any:
        last[id(frame)] = 0
        return in_frame if "esximage_builder" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        call(data)
    except EsxImageError:
        pass
    finally:
        sys.settrace(before)
    return steps


def words_of(inputs: Iterable[bytes]) -> str:
    """Return the words that stand in inputs, as libFuzzer's dictionaries have them."""
    words: dict[bytes, None] = {}
    for data in inputs:
        words |= dict.fromkeys(_WORD.findall(data[: 1 << 16]))
    return "".join(f'"{word.decode("ascii")}"\n' for word in [*words][:_MOST_WORDS])
