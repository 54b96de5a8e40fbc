"""What is fuzzed: every public function that reads bytes or text of unknown origin, as one table.

A target takes any bytes and ends, or raises an ``EsxImageError``; all else is a finding. A
parser's target also writes what it read and reads that again: what was accepted once must
be accepted in our own spelling, and mean the same.

No target knows who calls it, so the test suite runs them too, over the committed corpus.
"""

from __future__ import annotations

from typing import Final

from fuzz.container_targets import CONTAINER_TARGETS
from fuzz.document_targets import DOCUMENT_TARGETS
from fuzz.file_targets import FILE_TARGETS
from fuzz.host_targets import HOST_TARGETS
from fuzz.target import Shape, Target

__all__ = ["TARGETS", "Shape", "Target"]

TARGETS: Final = {
    target.name: target for target in (*CONTAINER_TARGETS, *DOCUMENT_TARGETS, *HOST_TARGETS, *FILE_TARGETS)
}
