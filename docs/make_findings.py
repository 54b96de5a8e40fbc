"""Writes findings.md: every code of a finding, from the table in esximage_builder/codes.py.

python docs/make_findings.py           # writes the page beside this script
python docs/make_findings.py --check   # says whether the page is what would be written
"""

# ruff: noqa: INP001, E501 - a script beside its page, which has one sentence a line

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.codes import SECTIONS
from esximage_builder.views.codes import fields_of_code

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PAGE", "render_page"]

PAGE = Path(__file__).with_name("findings.md")

_HEAD = """\
# Findings

A finding is one thing that a check found.
Its code is stable and never gets another meaning, so scripts may go by it.
This page is written by `docs/make_findings.py` from the one table of codes; a test compares it with what the script would write.

`validate` returns the findings of an image.
Exports refuse an image with findings of severity error.
A finding whose line says that it is *waivable* can be allowed by its code: `allow=["code"]` in Python, `--allow code` on the command line.
The waived finding then stands in the result of the export.
A waiver of what is no code, or of a code that is not waivable, is a `ModelError` that names the nearest code or says why.
A waiver of a waivable code that does not come up is allowed: one build script may serve many images.

Findings about reading depots stand in `Catalog.findings`.
They do not stop an export by themselves: what matters for an image comes back as a finding of the image.

A finding says in *facts* what it is about, by name: `finding.fact("vib")`.
Programs read these, never the words of a message, which may change; a fact that does not apply is left out.
The *layer* is the one of [compatibility](concepts.md#compatibility) that the code speaks for.
"""

_INTRODUCTIONS = {
    "Moving to another release": """\
These come with a `Change`, from `diff`, `recommend` and the `classify_` functions.
They stop no export, since an export writes one image and knows of no other.
""",
    "Hosts": """\
These come from `judge_host`, which compares an image with what a host has, and from a plan of [remediation](hosts.md#remediation).
""",
    "Making VIBs": """\
These come from `check_paths` and from `esximage vib create`, which writes the VIB all the same.
""",
    "Verification": """\
These come from `verify_bundle`, `verify_iso` and `verify_vib`, inside the [check](verify.md) that found them.
They are about a file and not about an image, so there is nothing to waive.
Some codes of other sections come up there too.
""",
}


def render_page() -> str:
    """Return the page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    for title, codes in SECTIONS.items():
        yield f"## {title}\n"
        if title in _INTRODUCTIONS:
            yield _INTRODUCTIONS[title]
        for code in codes:
            yield f"### `{code.name}`\n"
            yield from (f"- **{label}**: {_sentences(text)}" for label, text in fields_of_code(code).items())
            yield ""


def _sentences(text: str) -> str:
    """Put each sentence on a line of its own."""
    return re.sub(r"(?<=\.) (?=[A-Z`])", "\n  ", text)


def main() -> int:
    """Write the page, or compare it; 0 if it is as it should be."""
    parser = argparse.ArgumentParser(description="Write or check the page of finding codes.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    page = render_page()
    if parser.parse_args().check:
        is_same = PAGE.read_text(encoding="utf-8") == page
        sys.stdout.write(f"{PAGE.name} is {'as it would be written' if is_same else 'out of date'}\n")
        return 0 if is_same else 1
    PAGE.write_text(page, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
