"""Names that say what a file is: ``.iso`` on a zip is a lie that somebody believes later.

Suffixes that say nothing of the kind are anybody's own business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from esximage_builder.errors import ModelError
from esximage_builder.streams.file_kind import FileKind

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["require_honest_suffix"]

# What a suffix may stand on, and what it says; HTML and Markdown are reports' own, which check theirs.
_SAYS: Final[dict[str, tuple[str, frozenset[FileKind]]]] = {
    ".iso": ("an ISO image", frozenset({FileKind.ISO})),
    ".img": ("a disk image", frozenset({FileKind.STICK, FileKind.ISO})),
    ".zip": ("a zip archive", frozenset({FileKind.ZIP})),
    ".vib": ("a VIB", frozenset({FileKind.VIB})),
    ".json": ("a JSON document", frozenset({FileKind.JSON})),
    ".txt": ("a text", frozenset({FileKind.JSON})),
    ".xml": ("an XML document", frozenset({FileKind.XML})),
    ".html": ("an HTML page", frozenset()),
    ".htm": ("an HTML page", frozenset()),
    ".md": ("a Markdown page", frozenset()),
    ".gz": ("a gzip file", frozenset()),
    ".tgz": ("a gzip file", frozenset()),
    ".tar": ("a tar archive", frozenset()),
    ".7z": ("a 7-Zip archive", frozenset()),
    ".rar": ("a RAR archive", frozenset()),
    ".exe": ("a Windows program", frozenset()),
    ".cfg": ("a configuration text", frozenset()),
}


def require_honest_suffix(target: Path, kind: FileKind) -> None:
    """Refuse a name whose suffix says another kind of file than will be written.

    Raises:
        ModelError: The suffix is that of another kind.
    """
    suffix = target.suffix.lower()
    says, kinds = _SAYS.get(suffix, ("", frozenset({kind})))
    if kind not in kinds:
        own = [name for name, (_, true) in _SAYS.items() if kind in true]
        raise ModelError(
            "the suffix of the output says another kind of file than is written",
            where=str(target),
            found=f"{suffix}, as {says} has",
            expected=f"{' or '.join(own) or 'no such suffix'}, or one that says nothing: a {kind.value} is written",
        )
