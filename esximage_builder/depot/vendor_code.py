"""The three letters that an index names its vendor by, made of the vendor's name where none are given."""

from __future__ import annotations

import re

__all__ = ["vendor_code_of"]

_KNOWN_CODES = {"vmware": "VMW", "vmware, inc.": "VMW", "broadcom": "VMW"}


def vendor_code_of(vendor: str) -> str:
    """Return three capitals made of the vendor's name; ``UNK`` where it has no three letters or digits."""
    known = _KNOWN_CODES.get(vendor.lower())
    letters = re.sub(r"[^0-9A-Za-z]", "", vendor).upper()
    return known or (letters[:3] if len(letters) >= len("UNK") else "UNK")
