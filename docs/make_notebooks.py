"""Writes the notebooks of docs/notebooks, each run from its first cell to its last, with what every cell shows.

python docs/make_notebooks.py          # write them
python docs/make_notebooks.py --check  # say whether they are what they would be

A notebook is a JSON file, and running one here needs no Jupyter: cells share one namespace, and what the last line
of a cell gives is shown as notebooks show it, as HTML where the value has any. The same run gives the same bytes.
"""

# ruff: noqa: E501, INP001 - a script beside its pages; prose of a notebook is not broken into lines

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["NOTEBOOKS", "notebook"]

FOLDER = Path(__file__).parent / "notebooks"

_BUILD = (
    """# Build a custom image

Base image, vendor add-on and one driver become one image: checked, explained, written as an ISO and as an offline bundle.
The depots are those of this project's `fixtures`; they have the names and the shape of real ones and hold invented contents.

The notebook runs from its own folder.""",
    """import esximage_builder as eib

depots = "../../fixtures/depots/"
depot = eib.open_depot(
    depots + "VMware-ESXi-7.0U3g-20328353-depot.zip",
    depots + "ACME-ESXi-Addon-703.20328353.A08-depot.zip",
    depots + "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip",
)
depot""",
    "Only metadata was read. Name the base image, the add-on, and the component that shall be another.",
    """image = eib.compose(
    depot.catalog,
    base_image="7.0U3g",
    add_on="ACME-AddOn",
    components={"Intel-i40en": "2.8.4.0-1OEM.700.1.0.15843807"},
)
image""",
    "A value says on one line what it is.",
    "print(image)",
    "Is it sound? Nothing is written of an image with errors.",
    """report = eib.validate(image, depot.catalog, vib_facts=depot.facts_of(image.all_vibs))
report""",
    "What is different from the base image alone, and what would a host feel of it?",
    """plain = eib.compose(depot.catalog, base_image="7.0U3g")
eib.diff(plain, image)""",
    "Every value that shows as a table gives its rows as plain dicts; `pandas.DataFrame(image.rows())` or `polars.DataFrame(image.rows())` takes them as they are.",
    """[row for row in image.rows() if row["overrides"]][:2]""",
    "Write both forms. They appear whole or not at all, and the same image gives the same bytes each time.",
    """from pathlib import Path
from tempfile import TemporaryDirectory

folder = TemporaryDirectory()
out = Path(folder.name)
results = eib.export_image(image, depot, iso=out / "custom.iso", bundle=out / "custom.zip", report=report)
for result in results:
    print(result.path.name, result.size_bytes, result.sha256)""",
    "Would vLCM take the bundle? The verification reads it as a stranger would.",
    """verification = eib.verify_bundle(out / "custom.zip")
print(verification.is_passed, len(verification.checks), "questions")""",
    """depot.close()
folder.cleanup()""",
)

_COMPLIANCE = (
    """# Why is my host not compliant?

An image is the desired state. What a host has is read from what `esxcli` prints on it, and compared here, without a vCenter.""",
    """import esximage_builder as eib

depots = "../../fixtures/depots/"
depot = eib.open_depot(
    depots + "VMware-ESXi-7.0U3f-20036589-depot.zip",
    depots + "VMware-ESXi-7.0U3g-20328353-depot.zip",
    depots + "ACME-ESXi-Addon-703.20328353.A08-depot.zip",
)
image = eib.compose(depot.catalog, base_image="7.0U3g", add_on="ACME-AddOn")
print(image)""",
    """`read_host` takes the files of one host: answers of `esxcli`, an inventory in JSON, an image database.
Here the host is written down by hand: it has the image before, and a driver that somebody put on it.""",
    """import json
from pathlib import Path
from tempfile import TemporaryDirectory

older = eib.compose(depot.catalog, base_image="7.0U3f", add_on="ACME-AddOn")
components = {entry.component.name: entry.component.version.text for entry in older.components}
components["Acme-bench"] = "1.0-1"
inventory = {
    "esximage_host": 1,
    "name": "esx1",
    "base_image": "7.0.3-0.50.20036589",
    "add_on": {"name": "ACME-AddOn", "version": "703.20328353.A08"},
    "components": {name: {"version": version} for name, version in components.items()},
}
folder = TemporaryDirectory()
path = Path(folder.name, "esx1.json")
path.write_text(json.dumps(inventory))
host = eib.read_host(path)
print(host)""",
    "How far is it from the image, item by item, in vLCM's words?",
    """cluster = eib.check_compliance(image, [host], catalog=depot.catalog)
cluster""",
    "The same as rows, for whoever filters and counts.",
    """for row in cluster.rows():
    if row["status"] != "COMPLIANT":
        print(row["item"], row["current"] or "-", "->", row["target"] or "-", row["reason"])""",
    "What would bringing it there take?",
    """plan = eib.plan_remediation(image, [host], catalog=depot.catalog)
plan""",
    """depot.close()
folder.cleanup()""",
)

NOTEBOOKS = {"build-a-custom-image.ipynb": _BUILD, "why-is-my-host-not-compliant.ipynb": _COMPLIANCE}
"""Name and cells of each: texts that begin as prose does are prose, the others code."""


def notebook(cells: tuple[str, ...]) -> str:
    """Run the cells and return the notebook with what they show, as JSON.

    Raises:
        Exception: Whatever a cell raises.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    made = []
    count = 0
    for number, source in enumerate(cells):
        lines = source.splitlines(keepends=True)
        if _is_prose(source):
            made.append({"cell_type": "markdown", "id": f"cell-{number}", "metadata": {}, "source": lines})
            continue
        count += 1
        outputs = _outputs(source, names, count)
        made.append(
            {
                "cell_type": "code",
                "execution_count": count,
                "id": f"cell-{number}",
                "metadata": {},
                "outputs": outputs,
                "source": lines,
            }
        )
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {
        "cells": made,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _is_prose(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return True
    return source.startswith("# ")


def _outputs(source: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Run one cell; return what it prints and what its last line gives."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    value = None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<cell>", "exec"), names)  # noqa: S102 - the cells above
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)  # noqa: S307 - the same
    outputs: list[dict[str, Any]] = []
    if text := printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": text.splitlines(keepends=True)})
    if value is not None:
        shown = {"text/plain": [repr(value)]}
        if hasattr(value, "_repr_html_"):
            shown = {"text/html": value._repr_html_().splitlines(keepends=True)} | shown
        outputs.append({"data": shown, "execution_count": count, "metadata": {}, "output_type": "execute_result"})
    return outputs


def main() -> int:
    """Write the notebooks, or say which of them are not what they would be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    os.chdir(FOLDER)
    stale = []
    for name, cells in NOTEBOOKS.items():
        text, target = notebook(cells), FOLDER / name
        if options.check:
            stale += [name] if target.read_text(encoding="utf-8") != text else []
        else:
            target.write_text(text, encoding="utf-8")
    for name in stale:
        sys.stderr.write(f"{name} is not what its cells give: run python docs/make_notebooks.py\n")
    return len(stale) > 0


if __name__ == "__main__":
    sys.exit(main())
