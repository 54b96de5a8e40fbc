"""What the command line says, on which stream, and with which exit code it ends.

Answers go to the output stream, as text or as one JSON object; errors and progress go to the
error stream. Exit codes: 0 done, 1 the image has errors and nothing was written, 2 bad input or
usage, 130 interrupted, 143 ended by SIGTERM (docs/command-line.md#exit-codes). Whoever reads a
stream may stop, as ``head`` does, or may never have been there; that changes nothing but what is
shown.

Names and texts come from files of anybody, so nothing that could steer a terminal or turn the
order of letters round goes out as it is: it is written as Python writes it in a literal.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from typing import TYPE_CHECKING, Final, final

from esximage_builder.errors import ComposeError, EsxImageError, IncompatibleImageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from esximage_builder.findings import Finding

__all__ = [
    "EXIT_BAD_INPUT",
    "EXIT_DONE",
    "EXIT_IMAGE_HAS_ERRORS",
    "EXIT_INTERRUPTED",
    "EXIT_TERMINATED",
    "be_quiet",
    "exit_code_of",
    "finish_printing",
    "print_error",
    "print_json",
    "print_note",
    "print_text",
    "show_progress",
]

_MIB = 1024 * 1024
_SHOWN_EVERY_SECONDS = 0.1

EXIT_DONE: Final = 0
EXIT_IMAGE_HAS_ERRORS: Final = 1
EXIT_BAD_INPUT: Final = 2
EXIT_INTERRUPTED: Final = 130
EXIT_TERMINATED: Final = 143


# Control characters but line feed and tab; marks that turn the order of letters round; line ends of Unicode.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def _tame(text: str) -> str:
    r"""Return a text with everything that steers a terminal written out: ``\x1b``."""
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


@final
class _Voice:
    """Whether answers for people and progress are printed; errors and JSON always are."""

    is_quiet = False


_VOICE = _Voice()


def be_quiet(*, is_quiet: bool) -> None:
    """Print no answers for people and no progress from here on, or print them again."""
    _VOICE.is_quiet = is_quiet


def print_text(text: str) -> None:
    """Print what the terminal can show; names from files may hold more than its encoding has."""
    if not _VOICE.is_quiet:
        _put(_tame(text), sys.stdout)


def print_json(document: object) -> None:
    """Print one JSON object in ASCII, with two-space indent."""
    _put(json.dumps(document, indent=2) + "\n", sys.stdout)


def print_note(text: str) -> None:
    """Print a line that belongs to no answer."""
    _put(_tame(text) + "\n", sys.stderr)


def print_error(error: EsxImageError, *, as_json: bool) -> None:
    """Print an error, and the findings behind it where there are several."""
    findings = error.findings if isinstance(error, ComposeError) else ()
    findings = findings if len(findings) > 1 else ()  # a single one is what the error itself says
    if as_json:
        _print_error_as_json(error, findings)
    else:
        _print_error_as_text(error, findings)


def _print_error_as_json(error: EsxImageError, findings: Sequence[Finding]) -> None:
    from esximage_builder.views.findings import finding_as_dict  # noqa: PLC0415 - most runs end without an error

    listed = {"findings": [finding_as_dict(finding) for finding in findings]} if findings else {}
    print_note(json.dumps({"error": error.as_dict()} | listed))


def _print_error_as_text(error: EsxImageError, findings: Sequence[Finding]) -> None:
    print_note(f"esximage: {error}")
    for finding in findings:
        print_note(f"  [{finding.severity.value}] {finding.code}: {finding.message}")


def exit_code_of(error: EsxImageError) -> int:
    """Return 1 for an image that was refused, 2 for all else."""
    return EXIT_IMAGE_HAS_ERRORS if isinstance(error, IncompatibleImageError) else EXIT_BAD_INPUT


@final
class _ProgressLine:
    """One line on a terminal that is written anew: how far a stage is, how fast, and how long it will take."""

    def __init__(self) -> None:
        self._stage = ""
        self._begun = self._shown = 0.0

    def __call__(self, stage: str, done_bytes: int, total_bytes: int) -> None:
        """Show on a terminal how far a stage is; a file or pipe gets nothing."""
        if _VOICE.is_quiet or not total_bytes or sys.stderr is None or not sys.stderr.isatty():
            return
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._begun, self._shown = stage, now, 0.0
        is_done = done_bytes >= total_bytes
        if is_done or now - self._shown >= _SHOWN_EVERY_SECONDS:
            self._shown = now
            line = self._line(done_bytes, total_bytes, now - self._begun)
            _put(f"\r{line}\x1b[K" + ("\n" if is_done else ""), sys.stderr)
            _flush(sys.stderr)
        if is_done:
            self._stage = ""

    def _line(self, done: int, total: int, seconds: float) -> str:
        parts = [f"{_tame(self._stage)} {100 * min(done, total) // total:3d} %", f"{done / _MIB:,.0f} MiB"]
        if seconds >= _SHOWN_EVERY_SECONDS and done:
            parts.append(f"{done / _MIB / seconds:,.0f} MiB/s")
            parts.append(f"{seconds:.0f} s" if done >= total else f"{seconds * (total - done) / done:.0f} s left")
        width = shutil.get_terminal_size().columns
        return "  ".join(parts)[: max(width - 1, 1)]


show_progress = _ProgressLine()
"""Shows on a terminal how far long work is."""


def finish_printing() -> None:
    """Hand over what is still buffered, so that nothing is left for the end of the process to stumble over."""
    _flush(sys.stdout)
    _flush(sys.stderr)


def _put(text: str, stream: TextIO | None) -> None:
    if stream is None:  # closed before we began
        return
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, errors="backslashreplace").decode(encoding))
    except BrokenPipeError:
        _lead_nowhere(stream)


def _flush(stream: TextIO | None) -> None:
    if stream is None:
        return
    try:
        stream.flush()
    except BrokenPipeError:
        _lead_nowhere(stream)


def _lead_nowhere(stream: TextIO) -> None:
    """Send what is buffered, and all that follows, to no one."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
