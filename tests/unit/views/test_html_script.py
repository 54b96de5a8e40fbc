"""The script of a page in a browser: it runs under the page's own policy, and searches and sorts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from support.pages import HOSTILE, Page

from esximage_builder.views.blocks import Section, Table
from esximage_builder.views.html import render_html

if TYPE_CHECKING:
    from pathlib import Path

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
BROWSER = next((found for name in BROWSERS if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"needs a browser: {' or '.join(BROWSERS)}")

ROWS = [("b-10", f"{size:,} bytes", HOSTILE if size == 999 else "plain") for size in (1_306_624, 999, 12, 20_000)]
ROWS += [(f"a-{number}", "5 bytes", "other") for number in (10, 9, 8, 7, 6, 5, 4, 3)]
PAGE = render_html([Section("Title", [Table(columns=("Name", "Size", "Kind"), rows=ROWS, is_long=True)])], "Page")
STEPS = """
const cells = (column) => Array.from(document.querySelectorAll("tbody tr:not([hidden])"), (row) => (
  row.cells[column].textContent));
const search = (text) => {
  const field = document.querySelector("input[type=search]");
  field.value = text;
  field.dispatchEvent(new Event("input"));
  return [cells(1), document.querySelector("[role=status]").textContent];
};
const sort = (column) => { document.querySelectorAll("th button")[column].click(); return cells(column); };
const said = {
  before: cells(1),
  found: search("PLAIN b-10"), hostile: search("<script>"), none: search("b-10 other"), all: search(" "),
  names: sort(0), up: sort(1), down: sort(1), order: document.querySelectorAll("th")[1].getAttribute("aria-sort"),
  back: sort(1), scripts: document.querySelectorAll("script").length,
};
dispatchEvent(new Event("beforeprint"));
said.printed = document.querySelector("details").open;
dispatchEvent(new Event("afterprint"));
said.folded = !document.querySelector("details").open;
document.title = JSON.stringify(said);
"""


def dom_of(text: str, folder: Path) -> str:
    """What a browser makes of a page, scripts run."""
    path = folder / "x.html"
    path.write_text(text, encoding="utf-8")
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run(
        [*command, "--dump-dom", path.as_uri()], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


def source_of(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def test_the_page_lets_its_own_script_run_and_no_other(tmp_path: Path) -> None:
    smuggled = PAGE.replace("</body>", "<script>document.title = 'smuggled'</script></body>")
    dom = dom_of(smuggled, tmp_path)

    assert 'placeholder="Search 12 rows"' in dom
    assert "<title>Page</title>" in dom


def test_long_tables_are_searched_and_sorted(tmp_path: Path) -> None:
    """What the page says afterwards stands in its title; the policy is told of the steps by their hash."""
    allowed = PAGE.replace("script-src ", f"script-src {source_of(STEPS)} ")
    dom = dom_of(allowed.replace("</body>", f"<script>{STEPS}</script></body>"), tmp_path)
    (title,) = re.findall(r"<title>(.*?)</title>", dom, re.DOTALL)
    said: dict[str, Any] = json.loads(Page(f"<p>{title}</p>").text)
    sizes = [row[1] for row in ROWS]

    assert said["before"] == said["back"] == sizes
    assert said["found"] == [["1,306,624 bytes", "12 bytes", "20,000 bytes"], "3 of 12"]
    assert said["hostile"] == [["999 bytes"], "1 of 12"]
    assert said["none"] == [[], "0 of 12"]
    assert said["all"] == [sizes, ""]
    assert said["names"] == [*(f"a-{number}" for number in range(3, 11)), *["b-10"] * 4]
    assert said["up"] == [*["5 bytes"] * 8, "12 bytes", "999 bytes", "20,000 bytes", "1,306,624 bytes"]
    assert (said["down"][0], said["order"]) == ("1,306,624 bytes", "descending")
    assert (said["printed"], said["folded"], said["scripts"]) == (True, True, 2)
