"""What a code of a finding stands for: as the documentation has it, as text, as JSON has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esximage_builder.findings import Severity
from esximage_builder.views.blocks import Facts, Section
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.codes import Code

__all__ = ["code_as_dict", "fields_of_code", "render_codes"]

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def code_as_dict(code: Code) -> dict[str, object]:
    """Return a code as JSON has it."""
    return {
        "code": code.name,
        "severities": [severity.value for severity in code.severities],
        "when": code.when,
        "waivable": code.is_waivable,
        "why_not_waivable": code.why_not_waivable,
        "only_bundles": code.only_bundles,
        "layer": None if code.layer is None else code.layer.value,
        "facts": list(code.facts),
        "meaning": _plain(code.meaning),
        "cause": _plain(code.cause),
        "remedy": _plain(code.remedy),
    }


def fields_of_code(code: Code) -> dict[str, str]:
    """Return what there is to say of a code, by label; what does not apply is left out."""
    fields = {
        "Severity": f"{code.when or ' or '.join(code.severities)}.",
        "Waivable": _waivable(code),
        "Layer": "" if code.layer is None else f"{code.layer}.",
        "Facts": ", ".join(f"`{name}`" for name in code.facts) + "." * bool(code.facts),
        "Meaning": code.meaning,
        "Cause": code.cause,
        "Remedy": code.remedy,
    }
    return {label: text for label, text in fields.items() if text}


def _waivable(code: Code) -> str:
    if Severity.ERROR not in code.severities:
        return "not needed, since it is no error."
    if not code.is_waivable:
        return f"no; {code.why_not_waivable}."
    return "yes, for bundles only." if code.only_bundles else "yes."


def render_codes(codes: Iterable[Code]) -> str:
    """Return codes as text, each under its name."""
    return render_text(
        Section(code.name, [Facts([(label, _plain(text)) for label, text in fields_of_code(code).items()])])
        for code in codes
    )


def _plain(text: str) -> str:
    """Return the words of a page without its links."""
    return _LINK.sub(r"\1", text)
