"""The partition table: what is written is read, by us and by ``sfdisk``, and foreign tables are told from ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st
from support.changed_depots import needs, run

from esximage_builder.containers.partition_table import (
    EFI_SYSTEM,
    FAT32,
    Partition,
    parse_boot_record,
    render_boot_record,
)
from esximage_builder.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

PARTITIONS = st.builds(
    Partition,
    kind=st.integers(1, 255),
    first_sector=st.integers(1, 2**31),
    sectors=st.integers(1, 2**31 - 1),
    is_active=st.booleans(),
)


@given(partitions=st.lists(PARTITIONS, max_size=4), signature=st.integers(0, 2**32 - 1))
def test_what_is_written_is_read(partitions: list[Partition], signature: int) -> None:
    record = parse_boot_record(render_boot_record(partitions, signature=signature))

    assert record is not None
    assert (record.partitions, record.signature, record.has_code) == (tuple(partitions), signature, False)


@pytest.mark.parametrize(
    "partitions",
    [
        pytest.param([Partition(kind=FAT32, first_sector=1, sectors=1)] * 5, id="too many"),
        pytest.param([Partition(kind=FAT32, first_sector=2**31, sectors=2**31)], id="too far"),
    ],
)
def test_what_does_not_fit_is_refused(partitions: list[Partition]) -> None:
    with pytest.raises(ModelError, match="partition table"):
        render_boot_record(partitions, signature=1)


@pytest.mark.parametrize(
    "sector",
    [
        pytest.param(bytes(512), id="empty"),
        pytest.param(b"", id="nothing"),
        pytest.param(bytes(446) + b"\x7f" + bytes(63) + b"\x55\xaa", id="a flag that is none"),
    ],
)
def test_what_is_no_boot_record_is_none(sector: bytes) -> None:
    assert parse_boot_record(sector) is None


def test_code_of_others_is_seen() -> None:
    record = parse_boot_record(b"\xeb\x3c\x90" + render_boot_record([], signature=0)[3:])
    assert record is not None
    assert record.has_code


@needs("sfdisk")
def test_sfdisk_reads_the_same(tmp_path: Path) -> None:
    stick = tmp_path / "stick.img"
    partition = Partition(kind=EFI_SYSTEM, first_sector=2048, sectors=4096)
    stick.write_bytes(render_boot_record([partition], signature=0x12345678).ljust(4 << 20, b"\0"))

    table = json.loads(run("sfdisk", "--json", stick))["partitiontable"]

    assert (table["label"], table["id"]) == ("dos", "0x12345678")
    assert [(entry["start"], entry["size"], entry["type"]) for entry in table["partitions"]] == [(2048, 4096, "ef")]
    assert "No errors detected" in run("sfdisk", "--verify", stick)
