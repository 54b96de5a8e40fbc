"""The room that hostile sources are opened in."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from support.untouched import SECRET, Room


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    """Working directory, temporary files, sources, outputs and a neighbour, all in one folder that is looked at."""
    for name in ("in", "out", "neighbour", "work", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    room = Room(tmp_path)
    room.secret.write_text(SECRET, encoding="utf-8")
    return room
