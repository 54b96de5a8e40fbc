"""Pages taken apart again, and a text that would break one that is put together carelessly."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import final

__all__ = ["HOSTILE", "Page", "unmarked"]

HOSTILE = "<script>alert('x')</script> | \"a\" & `b` *c* [d](http://example.test) <!-- \n# e"


@final
class Page(HTMLParser):
    """Checks that elements nest, and keeps texts and attributes."""

    _EMPTY = frozenset({"meta"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self._EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def count(self, tag: str, **wanted: str) -> int:
        return sum(name == tag and wanted.items() <= found.items() for name, found in self.tags)


def unmarked(markdown: str) -> str:
    """Markdown without the marks in front of characters that would mean something."""
    return re.sub(r"\\([\\`*\[\]<>|&~#_])", r"\1", markdown)
