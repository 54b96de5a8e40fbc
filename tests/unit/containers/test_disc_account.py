"""A disc that says one thing in two ways is told; what other writers do otherwise is none of that."""

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import needs, run
from support.written_images import disc_of, files_of, remade, written

from esximage_builder.containers.boot_catalog import check_boot_catalog
from esximage_builder.containers.disc_account import check_account
from esximage_builder.errors import LimitExceededError
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from esximage_builder.containers.disc_tree import DiscFault

BLOCK = 2048
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


@functools.cache
def whole() -> bytes:
    return written("6.7").iso


def faults_of(iso: bytes) -> list[DiscFault]:
    with disc_of(iso) as disc:
        images = {"bios": "ISOLINUX.BIN", "efi": "EFIBOOT.IMG"}
        return [*check_account(disc, limits=ReadLimits()), *check_boot_catalog(disc, images=images)]  # type: ignore[arg-type]


def changed(at: int, data: bytes) -> bytes:
    assert whole()[at : at + len(data)] != data
    return whole()[:at] + data + whole()[at + len(data) :]


def in_primary(at: int, data: bytes) -> bytes:
    return changed(16 * BLOCK + at, data)


def record(name: bytes) -> int:
    """Where the record of a file begins; that of the root folder's first record for a single zero."""
    if name == b"\0":
        (sector,) = struct.unpack_from("<I", whole(), 16 * BLOCK + 156 + 2)
        return int(sector) * BLOCK
    return whole().index(bytes([len(name)]) + name) - 32


def in_record(name: bytes, at: int, data: bytes) -> bytes:
    return changed(record(name) + at, data)


def both(number: int) -> bytes:
    return struct.pack("<I", number) + struct.pack(">I", number)


FAULTS: dict[str, tuple[Callable[[], bytes], str, Severity]] = {
    "the count of discs in its forms": (lambda: in_primary(123, b"\2"), "forms of a number differ", ERROR),
    "one of several discs": (lambda: in_primary(120, b"\2\0\0\2"), "one of several", INFO),
    "an unused byte": (lambda: in_primary(1500, b"\1"), "unused bytes", INFO),
    "a control character in a text": (lambda: in_primary(330, b"\7"), "no name", INFO),
    "a letter amid blanks": (lambda: in_primary(330, b"x"), "no name", INFO),
    "a note of a program": (lambda: in_primary(900, b"MD5"), "note of the program", INFO),
    "directories of another version": (lambda: in_primary(881, b"\3"), "unknown version", ERROR),
    "a descriptor of another version": (lambda: in_primary(6, b"\3"), "unknown version", ERROR),
    "a descriptor of another kind": (lambda: changed(17 * BLOCK, b"\3"), "unusual kind", INFO),
    "no date": (lambda: in_primary(813, b"X"), "date that is none", INFO),
    "another date of the volume": (lambda: in_primary(830, b"1999"), "another date than its files", INFO),
    "a file without a date": (lambda: in_record(b"B.B00;1", 19, b"\x63"), "date that is none", INFO),
    "another date of a file": (lambda: in_record(b"B.B00;1", 18, b"\x60"), "another date than all others", INFO),
    "an optional path table elsewhere": (lambda: in_primary(144, b"\x20\0\0\0"), "path table", ERROR),
    "a path table of another size": (lambda: in_primary(132, struct.pack("<I", 10) + struct.pack(">I", 10)),
                                     "path table", ERROR),
    "a hidden file": (lambda: in_record(b"B.B00;1", 25, b"\1"), "hidden", INFO),
    "flags that mean nothing": (lambda: in_record(b"B.B00;1", 25, b"\x20"), "mean nothing", ERROR),
    "a file behind its attributes": (lambda: in_record(b"B.B00;1", 1, b"\1"), "extended attribute", WARNING),
    "another disc": (lambda: in_record(b"B.B00;1", 28, b"\2\0\0\2"), "on another disc", INFO),
    "another version of one file": (lambda: in_record(b"B.B00;1", 39, b"2"), "another version", INFO),
    "one file without version": (lambda: in_record(b"B.B00;1", 38, b"x"), "another version", INFO),
    "a folder that lies about itself": (lambda: in_record(b"\0", 2, both(99)), "is elsewhere", ERROR),
    "a folder that lies about its parent": (
        lambda: changed(record(b"\0") + 34 + 2, both(99)), "is elsewhere", ERROR
    ),
    "a folder without itself": (lambda: in_record(b"\0", 33, b"\1"), "does not begin with itself", ERROR),
    "bytes behind the last file": (lambda: changed(record(b"\0") + BLOCK * 2 - 1, b"x"), "behind the last", INFO),
    "an extension in the boot catalog": (lambda: in_catalog(96, b"\x44"), "extension", INFO),
    "an empty section": (lambda: in_catalog(66, b"\0"), "is empty", ERROR),
    "another medium": (lambda: in_catalog(33, b"\x20"), "another kind of medium", ERROR),
    "a partition type": (lambda: in_catalog(36, b"\x17"), "partition type", INFO),
    "an entry that leads nowhere": (lambda: in_catalog(40, bytes(4)), "leads nowhere", ERROR),
    "two entries of a platform": (lambda: in_catalog(65, b"\0"), "more than one", WARNING),
    "bytes behind the last entry": (lambda: in_catalog(191, b"\1"), "behind the last entry", INFO),
}  # fmt: skip


def in_catalog(at: int, data: bytes) -> bytes:
    (sector,) = struct.unpack_from("<I", whole(), 17 * BLOCK + 71)
    return changed(sector * BLOCK + at, data)


@pytest.mark.parametrize(("change", "what", "severity"), FAULTS.values(), ids=FAULTS)
def test_every_lie_and_oddity_is_told(change: Callable[[], bytes], what: str, severity: Severity) -> None:
    found = faults_of(change())

    assert [fault.severity for fault in found if what in fault.what], [fault.what for fault in found]
    assert {fault.severity for fault in found if what in fault.what} == {severity}


def test_a_disc_of_ours_says_one_thing() -> None:
    assert faults_of(whole()) == []


def test_a_boot_record_behind_another_descriptor_is_not_found_by_firmware() -> None:
    """Sectors 17 and 18 change places with a copy of the first descriptor between them."""
    iso = bytearray(whole())
    iso[18 * BLOCK : 19 * BLOCK], iso[19 * BLOCK : 20 * BLOCK] = (
        iso[17 * BLOCK : 18 * BLOCK],
        iso[18 * BLOCK : 19 * BLOCK],
    )
    iso[17 * BLOCK : 18 * BLOCK] = iso[16 * BLOCK : 17 * BLOCK]

    assert "the boot record is not where firmware looks, or not alone" in [f.what for f in faults_of(bytes(iso))]


def test_a_disc_has_a_limit_of_files() -> None:
    with disc_of(whole()) as disc, pytest.raises(LimitExceededError):
        list(check_account(disc, limits=ReadLimits(member_count=10)))


# Other writers


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    for path, data in files_of(whole()).items():
        target = folder / path.rstrip(".")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder


BOOTS = (
    "-b", "ISOLINUX.BIN", "-c", "BOOT.CAT", "-no-emul-boot", "-boot-info-table", "-eltorito-alt-boot", "-e",
    "EFIBOOT.IMG", "-no-emul-boot",
)  # fmt: skip
FOUR = (*BOOTS[:5], "-boot-load-size", "4", *BOOTS[5:])
XORRISO, GENISOIMAGE = ("xorriso", "-as", "mkisofs"), ("genisoimage",)
WRITERS = {
    "genisoimage": ((*GENISOIMAGE, "-J", "-R", *FOUR), 0),
    "genisoimage without names": ((*GENISOIMAGE, *FOUR), 0),
    "genisoimage that loads the whole loader": ((*GENISOIMAGE, *BOOTS), 0),
    "genisoimage with texts": ((*GENISOIMAGE, "-V", "ACME", "-publisher", "Acme", "-p", "me", "-J", *FOUR), 0),
    "genisoimage with UDF": ((*GENISOIMAGE, "-udf", "-J", *FOUR), 0),
    "genisoimage without padding": ((*GENISOIMAGE, "-no-pad", *FOUR), 0),
    "xorriso": ((*XORRISO, "-J", "-R", *FOUR), 0),
    "xorriso for sticks": ((*XORRISO, "-J", "-R", *FOUR, "--protective-msdos-label"), 1),
    "xorriso with a partition behind": ((*XORRISO, *FOUR, "-append_partition", "2", "0xef"), 2),
    "xorriso with an offset": ((*XORRISO, "-partition_offset", "16", "-J", *FOUR), 1),
}


@needs("xorriso", "genisoimage")
@pytest.mark.parametrize(("command", "beside"), WRITERS.values(), ids=WRITERS)
def test_what_other_writers_do_is_no_fault(tmp_path: Path, tree: Path, command: tuple[str, ...], beside: int) -> None:
    """A boot sector and a partition beside the volume are told, and nothing else."""
    more = (tree / "EFIBOOT.IMG",) if command[-1] == "0xef" else ()
    run(*command, *more, "-o", tmp_path / "disc.iso", tree)
    found = faults_of((tmp_path / "disc.iso").read_bytes())

    assert [fault for fault in found if not fault.is_beside] == []
    assert {fault.severity for fault in found} <= {INFO}
    assert len(found) == beside


def test_what_pycdlib_writes_is_no_fault() -> None:
    assert faults_of(remade(files_of(whole()))) == []


@needs("xorriso")
def test_long_names_that_lead_to_other_bytes_are_a_warning(tmp_path: Path, tree: Path) -> None:
    """Who copies the disc to a stick by its long names gets another kernel."""
    run(*XORRISO, "-J", *FOUR, "-o", tmp_path / "disc.iso", tree)
    iso = (tmp_path / "disc.iso").read_bytes()
    name = "B.B00".encode("utf-16-be")
    at = iso.index(bytes([len(name)]) + name) - 32
    (sector,) = struct.unpack_from("<I", iso, at + 2)
    (found,) = faults_of(iso[: at + 2] + both(sector + 1) + iso[at + 10 :])

    assert (found.what, found.severity) == ("long names lead to other bytes than short ones", WARNING)


def test_a_disc_whose_only_tree_cannot_be_read_is_told() -> None:
    """There is no file then whose date could stand out."""
    (root,) = struct.unpack_from("<I", whole(), 16 * BLOCK + 156 + 2)
    at = record(b"EFI")
    (folder,) = struct.unpack_from("<I", whole(), at + 2)
    iso = changed(at + 1, bytes([folder - root]) + both(root))  # behind blocks of attributes, so the same place

    with disc_of(iso) as disc:
        told = [fault.what for fault in check_account(disc, limits=ReadLimits())]

    assert any("cannot be read" in what for what in told)
