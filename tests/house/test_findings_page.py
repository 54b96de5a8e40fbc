"""The page of finding codes: as the table has them, field by field, and as the script writes it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from esximage_builder.codes import CODES, Code
from esximage_builder.findings import Severity

SCRIPT = Path(__file__).parents[2] / "docs" / "make_findings.py"


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_findings", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT_MODULE = load_script()


def documented() -> dict[str, dict[str, str]]:
    """Return what the page says of each code, by label; read back from its text, not from the script."""
    page = (SCRIPT.parent / "findings.md").read_text(encoding="utf-8")
    sections = re.split(r"(?m)^### `([\w-]+)`\n", page)[1:]
    fields = re.compile(r"(?ms)^- \*\*(\w+)\*\*: (.*?)(?=^- \*\*|^$)")
    return {
        code: {label: " ".join(text.split()) for label, text in fields.findall(body)}
        for code, body in zip(sections[::2], sections[1::2], strict=True)
    }


PAGE = documented()


def test_the_page_has_every_code_in_the_order_of_the_table_and_no_other() -> None:
    assert list(PAGE) == list(CODES)


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_the_page_says_of_a_code_what_the_table_says(code: Code) -> None:
    said = PAGE[code.name]
    waivable = said.pop("Waivable")

    assert said.pop("Severity") == f"{code.when or code.severities[0].value}."
    assert said.pop("Layer", "") == ("" if code.layer is None else f"{code.layer.value}.")
    assert re.findall(r"`(\w+)`", said.pop("Facts", "")) == list(code.facts)
    assert said == {"Meaning": code.meaning, "Cause": code.cause, "Remedy": code.remedy}
    assert waivable.startswith("yes") is code.is_waivable
    assert waivable.startswith("not needed") is (Severity.ERROR not in code.severities)
    assert code.never in waivable
    assert ("bundles only" in waivable) is code.only_bundles


def test_the_page_is_what_the_script_makes() -> None:
    assert SCRIPT_MODULE.PAGE.read_text(encoding="utf-8") == SCRIPT_MODULE.render_page(), "run docs/make_findings.py"


def test_the_script_writes_and_checks_its_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "findings.md"
    monkeypatch.setattr(SCRIPT_MODULE, "PAGE", page)
    monkeypatch.setattr("sys.argv", ["make_findings.py"])
    assert SCRIPT_MODULE.main() == 0
    assert page.read_bytes().decode() == SCRIPT_MODULE.render_page()

    monkeypatch.setattr("sys.argv", ["make_findings.py", "--check"])
    assert SCRIPT_MODULE.main() == 0
    page.write_text("changed\n", encoding="utf-8")
    assert SCRIPT_MODULE.main() == 1
    assert capsys.readouterr().out == "findings.md is as it would be written\nfindings.md is out of date\n"
