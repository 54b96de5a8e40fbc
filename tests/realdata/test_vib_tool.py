"""VIBs that others made, taken apart and made again by the VIB tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.vib_sources import standing_in

from esximage_builder.authoring.extract import extract_vib
from esximage_builder.authoring.vib_of_files import write_vib
from esximage_builder.containers.ar import AR_MAGIC
from esximage_builder.verify.vib_file import verify_vib

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from esximage_builder.models.vib import Vib


def real_vibs(realdata: Path) -> list[Path]:
    paths = [path for path in sorted(realdata.rglob("*")) if path.is_file() and ".vib" in path.name]
    return [path for path in paths if path.read_bytes()[:8] == AR_MAGIC]


def vendor_of(vib: Vib) -> str:
    return vib.vendor.replace("_", "-")


def test_their_files_are_those_of_their_lists(realdata: Path, tmp_path: Path) -> None:
    looked_at = 0
    for number, path in enumerate(real_vibs(realdata)):
        extracted = extract_vib(path, tmp_path / str(number))
        files = {name for name, (_, content) in standing_in(tmp_path / str(number)).items() if content is not None}
        assert files == {name.removeprefix("./") for name in extracted.vib.files or ()}, path
        looked_at += 1
    assert looked_at > 5


def test_what_they_hold_can_be_made_again_and_is_whole(
    realdata: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version without release, and an underscore in the vendor, must be changed by hand, and nothing else."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    made = 0
    for number, path in enumerate(real_vibs(realdata)):
        stage, again = tmp_path / f"{number}", tmp_path / f"{number}.vib"
        first = extract_vib(path, stage, as_stage=True).vib
        text = (stage / "vib.toml").read_text()
        if first.version.release is None:
            text = text.replace(f'"{first.version}"', f'"{first.version}-0"')
        (stage / "vib.toml").write_text(text.replace(f'vendor = "{first.vendor}"', f'vendor = "{vendor_of(first)}"'))
        authored = write_vib(stage / "payloads", stage / "vib.toml", again)
        extract_vib(again, tmp_path / f"{number}-again")
        extract_vib(path, tmp_path / f"{number}-first")
        assert standing_in(tmp_path / f"{number}-again") == standing_in(tmp_path / f"{number}-first")
        assert verify_vib(again).is_passed
        assert (authored.vib.name, authored.vib.depends, authored.vib.tags) == (
            first.name, first.depends, first.tags,
        )  # fmt: skip
        assert all(payload.checksum("sha-256", "gunzip") for payload in authored.vib.payloads)
        made += 1
    assert made > 5
