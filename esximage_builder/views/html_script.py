"""What a page can do where scripts may run: search and sort its long tables, and print what is folded.

Nothing depends on it: without it every row stands there in its order. It makes no markup of texts, loads
nothing, and keeps nothing.
"""

from __future__ import annotations

__all__ = ["PAGE_SCRIPT"]

PAGE_SCRIPT = """
"use strict";
(() => {
  const collator = new Intl.Collator("en", {numeric: true, sensitivity: "base"});
  const textOf = (cell) => cell.textContent.trim();
  const keyOf = (cell) => textOf(cell).replace(/(\\d),(?=\\d{3})/g, "$1");
  const make = (name, attributes) => {
    const made = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    return made;
  };

  function addSearch(box, rows) {
    const words = `Search ${rows.length} rows`;
    const bar = make("p", {class: "search"});
    const field = make("input", {type: "search", placeholder: words, "aria-label": words, autocomplete: "off"});
    const count = make("span", {class: "soft", role: "status"});
    const texts = rows.map((row) => Array.from(row.cells, textOf).join("\\n").toLowerCase());
    field.addEventListener("input", () => {
      const wanted = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
      const hidden = texts.map((text) => !wanted.every((word) => text.includes(word)));
      rows.forEach((row, number) => { row.hidden = hidden[number]; });
      count.textContent = wanted.length ? `${hidden.filter((gone) => !gone).length} of ${rows.length}` : "";
    });
    bar.append(field, count);
    box.before(bar);
  }

  function addSorting(table, rows) {
    const heads = Array.from(table.tHead.rows[0].cells);
    const next = {none: "ascending", ascending: "descending", descending: "none"};
    const sort = (column, order) => {
      const keys = new Map(rows.map((row) => [row, keyOf(row.cells[column])]));
      const sign = order === "descending" ? -1 : 1;
      const compare = (one, other) => sign * collator.compare(keys.get(one), keys.get(other));
      const sorted = document.createDocumentFragment();
      (order === "none" ? rows : rows.slice().sort(compare)).forEach((row) => sorted.append(row));
      table.tBodies[0].append(sorted);
    };
    heads.forEach((head, column) => {
      const button = make("button", {type: "button"});
      button.append(...head.childNodes);
      button.addEventListener("click", () => {
        const order = next[head.getAttribute("aria-sort") || "none"];
        heads.forEach((other) => other.setAttribute("aria-sort", other === head ? order : "none"));
        sort(column, order);
      });
      head.append(button);
    });
  }

  for (const box of document.querySelectorAll(".long")) {
    const table = box.querySelector("table");
    const rows = Array.from(table.tBodies[0].rows);
    addSearch(box, rows);
    addSorting(table, rows);
  }
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    opened.forEach((folded) => { folded.open = true; });
  });
  addEventListener("afterprint", () => { opened.forEach((folded) => { folded.open = false; }); });
})();
"""
