"""Findings in SARIF 2.1.0, the form in which forges show what tools found beside a change.

Each code is a rule, each finding a result; what was waived is suppressed and stays visible. A place inside an
archive, ``depot.zip!metadata.zip!vibs/x.xml:12``, becomes the file on disk, with the rest as its logical place.

Source: OASIS Static Analysis Results Interchange Format (SARIF) 2.1.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from esximage_builder.codes import code_of
from esximage_builder.distribution import installed_version
from esximage_builder.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from esximage_builder.findings import Finding

__all__ = ["findings_as_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def findings_as_sarif(findings: Iterable[Finding], *, about: str, allow: Collection[str] = ()) -> dict[str, object]:
    """Return findings as a SARIF log with one run.

    Args:
        findings: Of a validation, an export or a verification.
        about: The file to name where a finding has no place of its own, such as the spec or the bundle.
        allow: Codes of errors that were waived.
    """
    listed = tuple(findings)
    names = tuple(dict.fromkeys(finding.code for finding in listed))
    driver = {"name": "esximage", "version": installed_version(), "rules": [_rule(name) for name in names]}
    results = [_result(finding, names.index(finding.code), about, allow) for finding in listed]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(name: str) -> dict[str, object]:
    code = code_of(name)
    return {
        "id": name,
        "shortDescription": {"text": code.meaning},
        "fullDescription": {"text": f"{code.meaning} {code.cause}".strip()},
        "help": {"text": code.remedy or code.meaning},
    }


def _result(finding: Finding, rule: int, about: str, allow: Collection[str]) -> dict[str, object]:
    why = finding.cause and f"why: {finding.cause}"
    what_to_try = finding.remedy and f"try: {finding.remedy}"
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n".join(filter(None, (finding.message, why, what_to_try)))},
        "locations": [_location(finding.where or about)],
        "properties": {"items": list(finding.items), "facts": dict(finding.facts)},
    }
    if finding.severity is Severity.ERROR and finding.code in allow:
        result["suppressions"] = [{"kind": "external", "justification": "waived with --allow"}]
    return result


def _location(where: str) -> dict[str, object]:
    path, _, inside = where.partition("!")
    location: dict[str, object] = {"physicalLocation": {"artifactLocation": {"uri": quote(path.replace("\\", "/"))}}}
    if inside:
        location["logicalLocations"] = [{"fullyQualifiedName": where}]
    return location
