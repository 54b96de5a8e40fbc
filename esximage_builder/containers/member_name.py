"""Which names of archive members are safe: relative paths that mean the same on every system.

One rule for all containers that have paths; an ``ar`` archive has plain names and a narrower
one. Refused are:

- backslash and colon, which Windows takes for separators, drive letters and hidden streams;
- control characters, and those that turn the direction of a text or begin a new line, since
  the name shown would not be the name meant;
- absolute names, and parts of dots and blanks alone: Windows drops those at the end of a
  part, so ``".. "`` is ``".."`` there.

What tools build (tar, vmtar, discs) has printable names only. Zips are also made by people, in
all languages, and what counts as printable differs between releases of Python; so zip asks for
no more than the above.
"""

from __future__ import annotations

import re

__all__ = ["SAFE_NAME", "name_problem"]

SAFE_NAME = "a relative path without '..', '.', empty parts, backslash, colon or control characters"

_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NO_NAME = re.compile(r"(?:\A|/)[. ]*(?:/|\Z)")


def name_problem(name: str, *, is_printable: bool = True) -> str:
    """Return what is wrong with a member name, as the end of a sentence; empty if nothing is.

    Args:
        name: The whole path, without the slash that ends folders.
        is_printable: Refuse everything that ``str.isprintable`` does.
    """
    if not name:
        return "is empty"
    if "\\" in name or ":" in name:
        return "has a backslash or colon"
    if _HIDDEN.search(name) or (is_printable and not name.isprintable()):
        return "has characters that cannot be printed"
    if name.startswith("/"):
        return "is absolute"
    if _NO_NAME.search(name):
        return "has an empty part, `.` or `..`"
    return ""
