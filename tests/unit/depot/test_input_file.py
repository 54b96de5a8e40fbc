"""Which files went in: by name, length and digest, and none that was changed meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.changed_depots import DEPOTS

import esximage_builder as eib
from esximage_builder.checksums import sha256_hex

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"


def test_files_are_told_as_they_were_given_each_once(tmp_path: Path) -> None:
    spec, empty = tmp_path / "spec.json", tmp_path / "empty"
    spec.write_bytes(b"{}")
    empty.write_bytes(b"")

    assert eib.measured_inputs(str(spec), spec, empty) == (
        eib.InputFile(path=spec, size_bytes=2, sha256=sha256_hex(b"{}")),
        eib.InputFile(path=empty, size_bytes=0, sha256=sha256_hex(b"")),
    )
    assert eib.measured_inputs(spec, with_sha256=False) == (eib.InputFile(path=spec, size_bytes=2),)
    assert eib.measured_inputs() == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_what_is_no_file_is_named_without_digest(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert eib.measured_inputs(tmp_path, pipe) == (eib.InputFile(path=tmp_path), eib.InputFile(path=pipe))


@pytest.mark.parametrize("name", ["gone", "a\0b", "n" * 300])
def test_what_cannot_be_read_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    with pytest.raises(eib.SourceUnreadableError, match="cannot be read"):
        eib.measured_inputs(tmp_path / name)


def test_a_depot_that_was_changed_since_it_was_opened_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "depot.zip"
    path.write_bytes(U3G.read_bytes())
    with eib.open_depot(path) as depot:
        (told,) = eib.measured_inputs(path, depot=depot)
        assert (told.size_bytes, told.sha256) == (U3G.stat().st_size, sha256_hex(U3G.read_bytes()))
        path.write_bytes(U3G.read_bytes() + b"\n")
        with pytest.raises(eib.SourceUnreadableError, match="was changed") as caught:
            eib.measured_inputs(path, depot=depot)
    assert caught.value.where == str(path)
