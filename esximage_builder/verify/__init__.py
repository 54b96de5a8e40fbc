"""Judging files that anybody made, with the rules that others are known to have.

The same names are at the root of the package. They are loaded when they are first used.
"""

from __future__ import annotations

from esximage_builder.lazy_names import lazy_names

# Where each name lives; __init__.pyi says the same to type checkers.
_HOMES = {
    "verify.bundle": ("verify_bundle",),
    "verify.checklist": ("Certainty", "Check", "Verification"),
    "verify.disc": ("verify_iso",),
    "verify.vib_file": ("verify_vib",),
}

__all__, __getattr__, __dir__ = lazy_names(__name__, _HOMES)
