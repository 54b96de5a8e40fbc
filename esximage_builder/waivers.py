"""Which waivers may be given: a mistyped one would allow nothing, and one that cannot work would promise too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import code_of
from esximage_builder.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["require_waivable"]


def require_waivable(allow: Iterable[str], *, known: Iterable[str] = ()) -> frozenset[str]:
    """Return the codes to waive.

    Args:
        allow: Codes of errors that do not matter; whether any of them comes up is not asked.
        known: Further codes that are good, those of findings that the caller made.

    Raises:
        ModelError: One is no code, or its errors cannot be waived; the error says which and why.
    """
    if isinstance(allow, str):
        raise ModelError("a list of codes was expected, not one text", found=repr(allow)[:80])
    codes = frozenset(allow)
    for name in sorted(codes.difference(known)):
        why = code_of(name).why_not_waivable
        if why:
            raise ModelError(f"{name} cannot be waived", found=name, expected="a code that can be waived", hint=why)
    return codes
