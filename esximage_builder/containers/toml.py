"""TOML documents: a reader with bounds, and keys that are checked one by one.

Source: TOML 1.0, as ``tomllib`` reads it.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from esximage_builder.errors import LimitExceededError, MalformedDocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["parse_toml", "quoted", "toml_list"]


def parse_toml(data: bytes, *, where: str, max_bytes: int) -> dict[str, Any]:
    """Read a document.

    Args:
        data: The whole document, UTF-8; a byte order mark is passed over.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``.

    Raises:
        MalformedDocumentError: It is no TOML.
        LimitExceededError: Longer than ``max_bytes``.
    """
    if len(data) > max_bytes:
        raise LimitExceededError(
            "the document is larger than the limit", where=where, found=f"{len(data)} bytes", expected=str(max_bytes)
        )
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # not UTF-8, no TOML, too many digits
        raise MalformedDocumentError(
            "this is no TOML document",
            where=where,
            found=str(error)[:200],
            expected='lines such as `name = "acme-agent"`',
            hint="put texts into double quotes",
        ) from error


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    """Return a text as a TOML string on one line."""
    return (
        '"'
        + "".join(
            _ESCAPES.get(sign) or (sign if sign >= " " and sign != "\x7f" else f"\\u{ord(sign):04x}") for sign in text
        )
        + '"'
    )


def toml_list(texts: Iterable[str]) -> str:
    """Return texts as a TOML array of strings on one line."""
    return f"[{', '.join(map(quoted, texts))}]"
