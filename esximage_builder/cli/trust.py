"""Certificates that signatures of VIBs must lead to, as ``--trust`` names them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.cli.paths import input_path
from esximage_builder.depot.tree import read_file
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    import argparse

__all__ = ["add_trust", "anchors_of"]


def add_trust(parser: argparse._ActionsContainer) -> None:
    """Add the option that names certificates to trust."""
    parser.add_argument(
        "--trust", metavar="FILE.pem", default="", help="certificates that signatures of VIBs must lead to"
    )


def anchors_of(trust: str) -> bytes | None:
    """Return the certificates to trust; None where no file is named, which asks for no trust.

    Raises:
        SourceUnreadableError: The file cannot be read.
        LimitExceededError: It is larger than any such file.
    """
    return read_file(Path(input_path(trust)), max_bytes=ReadLimits().document_bytes) if trust else None
