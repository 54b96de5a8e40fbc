"""Verifying discs: every check sees its own kind of damage, others go on, and other writers get fair play."""

from __future__ import annotations

import functools
import hashlib
import io
import re
import struct
import tempfile
import zipfile
from typing import TYPE_CHECKING, Literal, final

import attrs
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support.changed_depots import ar_members, needs, render_vib, run, zip_members
from support.effort import SHARE
from support.small_images import base_vibs, small_vib, write_base_depot
from support.written_images import (
    DATABASE,
    GENERATIONS,
    disc_of,
    files_of,
    patched,
    put,
    remade,
    tgz_members,
    tgz_of,
    written,
)

import esximage_builder as eib
from esximage_builder.authoring.vib import raw_payload
from esximage_builder.limits import ReadBudget
from esximage_builder.verify.disc import verify_disc
from esximage_builder.verify.disc_bytes import check_archives

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from esximage_builder.authoring.vib import AuthoredVib

    Edit = Callable[[dict[str, bytes]], None]

RELEASE = "7.0U3g"
BOOT_CFGS = ("BOOT.CFG", "EFI/BOOT/BOOT.CFG")
CHECKS = (
    "disc", "boot-entries", "boot-files", "boot-info-table", "names", "boot-cfg", "modules", "image-database",
    "documents", "image-profile", "upgrade", "vibs", "module-order", "build", "signatures", "archives", "files",
    "bytes", "stick",
)  # fmt: skip


def verify(folder: Path, iso: bytes, *, deep: bool = True) -> eib.Verification:
    return eib.verify_iso(put(folder / "disc.iso", iso), deep=deep)


def names_of(verification: eib.Verification) -> tuple[str, ...]:
    return tuple(check.name for check in verification.checks)


def codes_of(verification: eib.Verification) -> dict[str, set[str]]:
    """Check to the codes of its findings, of checks that have any."""
    return {check.name: {f.code for f in check.findings} for check in verification.checks if check.findings}


def unasked_in(verification: eib.Verification) -> set[str]:
    """Names of checks that could not be asked; each says why, and none of them is passed."""
    unasked = [check for check in verification.checks if not check.is_asked]
    assert all(check.why_not_asked and not check.is_passed for check in unasked)
    return {check.name for check in unasked}


# What is whole passes


@pytest.mark.parametrize("name", GENERATIONS)
def test_a_disc_of_ours_passes_every_check_without_a_word(tmp_path: Path, name: str) -> None:
    verification = eib.verify_iso(written(name).iso_in(tmp_path))

    assert verification.findings == ()
    assert verification.is_passed
    assert names_of(verification) == CHECKS
    assert unasked_in(verification) == ({"build"} if name == "6.7" else set())
    assert verification.kind == "iso"


@pytest.mark.parametrize("name", GENERATIONS)
def test_a_disc_that_pycdlib_wrote_of_the_same_files_passes_too(tmp_path: Path, name: str) -> None:
    assert verify(tmp_path, remade(files_of(written(name).iso))).findings == ()


def verified_without(tmp_path: Path, name: str, **options: bool) -> eib.Verification:
    with eib.open_depot(*GENERATIONS[name].paths) as depot:
        image = GENERATIONS[name].image(depot.catalog)
        eib.export_iso(
            image,
            depot,
            tmp_path / "disc.iso",
            with_tools=options.get("with_tools", True),
            with_installer=options.get("with_installer", True),
        )
    return eib.verify_iso(tmp_path / "disc.iso")


@pytest.mark.parametrize("name", GENERATIONS)
def test_a_disc_without_tools_passes_without_a_word(tmp_path: Path, name: str) -> None:
    """Its image database does not promise them either, as with a release's own no-tools profile."""
    assert verified_without(tmp_path, name, with_tools=False).findings == ()


@pytest.mark.parametrize("name", GENERATIONS)
def test_a_disc_without_installer_passes_with_a_warning(tmp_path: Path, name: str) -> None:
    verification = verified_without(tmp_path, name, with_installer=False)

    assert verification.is_passed
    assert codes_of(verification) == {"module-order": {"boot-module-left-out"}, "bytes": {"payload-missing"}}
    assert [f.items[1] for f in verification.findings if f.code == "payload-missing"] == ["weaselin"]


def test_a_disc_with_kickstart_and_extra_kernel_options_passes(tmp_path: Path) -> None:
    with eib.open_depot(*GENERATIONS[RELEASE].paths) as depot:
        image = GENERATIONS[RELEASE].image(depot.catalog)
        script = b"vmaccepteula\ninstall --firstdisk\nreboot\n"
        eib.export_iso(image, depot, tmp_path / "disc.iso", kickstart=script, kernel_options="allowLegacyCPU=true")

    assert eib.verify_iso(tmp_path / "disc.iso").findings == ()


# Each check sees its own damage


@functools.cache
def whole() -> bytes:
    return written(RELEASE).iso


def with_files(*edits: Edit) -> bytes:
    """The disc with some files changed, written by another writer."""
    files = dict(files_of(whole()))
    for edit in edits:
        edit(files)
    return remade(files)


def without(path: str) -> bytes:
    return with_files(lambda files: files.__delitem__(path))


def with_boot_cfg(change: Callable[[bytes], bytes], *paths: str) -> bytes:
    def edit(files: dict[str, bytes]) -> None:
        for path in paths or BOOT_CFGS:
            changed = change(files[path])
            assert changed != files[path]
            files[path] = changed

    return with_files(edit)


def edit_archive(name: str, edit: Edit) -> Edit:
    def edit_files(files: dict[str, bytes]) -> None:
        members = tgz_members(files[name])
        edit(members)
        files[name] = tgz_of(members)

    return edit_files


def with_archive(name: str, edit: Edit) -> bytes:
    return with_files(edit_archive(name, edit))


def edit_database(edit: Edit) -> Edit:
    return edit_archive("IMGDB.TGZ", edit)


def flipping(path: str) -> Edit:
    def edit(files: dict[str, bytes]) -> None:
        data = files[path]
        files[path] = data[:900] + bytes([data[900] ^ 0x55]) + data[901:]

    return edit


def with_database(edit: Edit) -> bytes:
    return with_archive("IMGDB.TGZ", edit)


def one_of(members: dict[str, bytes], pattern: str) -> str:
    """The first member whose name matches."""
    return next(name for name in members if re.search(pattern, name))


def drop(pattern: str) -> Edit:
    def edit(members: dict[str, bytes]) -> None:
        del members[one_of(members, pattern)]

    return edit


def drop_all(pattern: str) -> Edit:
    def edit(members: dict[str, bytes]) -> None:
        for name in [name for name in members if re.search(pattern, name)]:
            del members[name]

    return edit


def replace(pattern: str, change: Callable[[bytes], bytes]) -> Edit:
    def edit(members: dict[str, bytes]) -> None:
        name = one_of(members, pattern)
        changed = change(members[name])
        assert changed != members[name]
        members[name] = changed

    return edit


def swap_modules(boot_cfg: bytes) -> bytes:
    return re.sub(rb"(modules=.*? --- )(\S+) --- (\S+) --- ", rb"\1\3 --- \2 --- ", boot_cfg, count=1)


def catalog_at(iso: bytes) -> int:
    """Where the boot catalog stands: the boot record in sector 17 says it."""
    (sector,) = struct.unpack_from("<I", iso, 17 * 2048 + 71)
    return int(sector) * 2048


def overwrite(iso: bytes, at: int, data: bytes) -> bytes:
    assert iso[at : at + len(data)] != data
    return iso[:at] + data + iso[at + len(data) :]


def with_lower_case_name() -> bytes:
    at = whole().index(b"\x07B.B00;1")
    return overwrite(whole(), at, b"\x07b.b00;1")


def in_catalog(at: int, data: bytes) -> bytes:
    return overwrite(whole(), catalog_at(whole()) + at, data)


def with_menu(old: bytes, new: bytes) -> bytes:
    return with_files(replace(r"^ISOLINUX\.CFG", lambda data: data.replace(old, new)))


def zeroed(path: str) -> bytes:
    return patched(whole(), path, 0, bytes(len(files_of(whole())[path])))


def with_volume_blocks(count: int) -> bytes:
    return overwrite(whole(), 16 * 2048 + 80, struct.pack("<I", count) + struct.pack(">I", count))


def path_table(at: int, order: Literal["little", "big"]) -> int:
    return int.from_bytes(whole()[16 * 2048 + at :][:4], order) * 2048


def with_other_checksums(data: bytes) -> bytes:
    """Metadata packed soundly again, in which one payload has another checksum."""
    members = zip_members(data)
    name = one_of(members, "vibs/.*ne1000")
    members[name] = re.sub(rb"(verify-process=\"gunzip\">)\w\w", rb"\g<1>00", members[name])
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return target.getvalue()


def emulating(entry: int) -> bytes:
    """A catalog entry that says it emulates a floppy: 1 is BIOS, 3 is EFI behind its header."""
    return overwrite(whole(), catalog_at(whole()) + 32 * entry + 1, b"\x02")


def flipped(iso: bytes, path: str, at: int) -> bytes:
    byte = files_of(iso)[path][at]
    return patched(iso, path, at, bytes([byte ^ 0x55]))


def with_flipped_copy(name: str, member: str, at: int = -1) -> bytes:
    """A disc whose archive is whole, and holds one wrong byte."""

    def change(data: bytes) -> bytes:
        place = at % len(data)
        return data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]

    return with_archive(name, replace(member, change))


def with_damaged_reserved_vib() -> bytes:
    def change(data: bytes) -> bytes:
        members = ar_members(data)
        name = list(members)[-1]
        members[name] = members[name][:-1] + bytes([members[name][-1] ^ 0x55])
        return render_vib(members)

    return with_archive("RESVIBS.TGZ", replace(r"\.vib$", change))


WITHOUT_DATABASE = tuple(name for name in CHECKS[8:] if name not in ("archives", "stick"))


@final
@attrs.frozen(kw_only=True)
class Damage:
    """A disc with one thing wrong, and what each check must say of it."""

    iso: Callable[[], bytes]
    codes: dict[str, set[str]]
    is_passed: bool = False
    unasked: tuple[str, ...] = ()
    """Checks that have nothing to look at."""


DAMAGES = {
    "cut short": Damage(iso=lambda: whole()[: len(whole()) // 2], codes={"disc": {"disc-damaged"}}, unasked=CHECKS[1:]),
    "no boot entry": Damage(
        iso=lambda: remade(files_of(whole()), bios=False, efi=False),
        codes={"boot-entries": {"boot-entry-missing"}},
        unasked=("boot-files", "boot-info-table"),
    ),
    "no entry for UEFI": Damage(
        iso=lambda: remade(files_of(whole()), efi=False),
        codes={"boot-entries": {"boot-entry-missing"}},
        is_passed=True,
    ),
    "BIOS entry emulates": Damage(iso=lambda: emulating(1), codes={"boot-entries": {"boot-entry-emulated"}}),
    "UEFI entry emulates": Damage(iso=lambda: emulating(3), codes={"boot-entries": {"boot-entry-emulated"}}),
    "no mboot": Damage(iso=lambda: without("MBOOT.C32"), codes={"boot-files": {"boot-file-missing"}}),
    "no menu": Damage(iso=lambda: without("MENU.C32"), codes={"boot-files": {"boot-file-missing"}}),
    "no isolinux.cfg": Damage(iso=lambda: without("ISOLINUX.CFG"), codes={"boot-files": {"boot-file-missing"}}),
    "no loader for UEFI": Damage(
        iso=lambda: without("EFI/BOOT/BOOTX64.EFI"), codes={"boot-files": {"boot-file-missing"}}
    ),
    "packed without a boot information table": Damage(
        iso=lambda: remade({**files_of(whole()), "ISOLINUX.BIN": original_loader()}, info_table=False),
        codes={"boot-info-table": {"boot-info-table-wrong"}},
    ),
    "BIOS loader damaged behind its table": Damage(
        iso=lambda: flipped(whole(), "ISOLINUX.BIN", 100),
        codes={"boot-info-table": {"boot-info-table-wrong"}, "bytes": {"payload-checksum-differs"}},
    ),
    "BIOS loader damaged before its table": Damage(
        iso=lambda: flipped(whole(), "ISOLINUX.BIN", 3), codes={"bytes": {"payload-checksum-differs"}}
    ),
    "table of another place": Damage(
        iso=lambda: flipped(whole(), "ISOLINUX.BIN", 12), codes={"boot-info-table": {"boot-info-table-wrong"}}
    ),
    "lower-case name": Damage(iso=with_lower_case_name, codes={"names": {"name-not-upper-case"}}, is_passed=True),
    "no boot.cfg for BIOS": Damage(
        iso=lambda: without("BOOT.CFG"), codes={"boot-cfg": {"boot-cfg-missing"}}, unasked=("boot-cfg",)
    ),
    "no boot.cfg for UEFI": Damage(
        iso=lambda: without("EFI/BOOT/BOOT.CFG"), codes={"boot-cfg": {"boot-cfg-missing"}}, unasked=("boot-cfg",)
    ),
    "no boot.cfg at all": Damage(
        iso=lambda: with_files(drop_all(r"BOOT\.CFG$")),
        codes={"boot-cfg": {"boot-cfg-missing"}},
        unasked=("boot-cfg", "modules", "module-order", "build"),
    ),
    "boot.cfg with a number that is none": Damage(
        iso=lambda: with_boot_cfg(lambda data: data.replace(b"timeout=5", b"timeout=soon"), "BOOT.CFG"),
        codes={"boot-cfg": {"boot-cfg-damaged"}},
        unasked=("boot-cfg", "modules"),
    ),
    "a zero byte in both boot.cfg": Damage(
        iso=lambda: with_boot_cfg(lambda data: data.replace(b"installer", b"install\x00r")),
        codes={"boot-cfg": {"boot-cfg-damaged"}},
    ),
    "one boot.cfg edited": Damage(
        iso=lambda: with_boot_cfg(lambda data: data.replace(b"kernelopt=", b"kernelopt=ks=usb "), "BOOT.CFG"),
        codes={"boot-cfg": {"boot-cfg-differs"}},
    ),
    "module file gone": Damage(
        iso=lambda: without("VMX.V00"),
        codes={"modules": {"boot-module-missing"}, "bytes": {"payload-missing"}},
    ),
    "no kernel named": Damage(
        iso=lambda: with_boot_cfg(lambda data: data.replace(b"kernel=/b.b00", b"kernel=")),
        codes={"modules": {"boot-module-missing"}, "module-order": {"boot-module-left-out"}},
    ),
    "names without slash": Damage(
        iso=lambda: with_boot_cfg(lambda data: data.replace(b" /", b" ").replace(b"=/", b"=")),
        codes={"modules": {"boot-module-missing"}},
    ),
    "prefix of another place": Damage(
        iso=lambda: with_boot_cfg(lambda data: data.replace(b"prefix=", b"prefix=/ESXI")),
        codes={"modules": {"boot-module-missing"}},
    ),
    "kickstart file gone": Damage(
        iso=lambda: with_boot_cfg(lambda data: data.replace(b"kernelopt=", b"kernelopt=ks=cdrom:/KS.CFG ")),
        codes={"modules": {"kickstart-not-on-disc"}},
    ),
    "kickstart file in another case": Damage(
        iso=lambda: with_boot_cfg(lambda data: data.replace(b"kernelopt=", b"kernelopt=ks=cdrom:/osl.txt ")),
        codes={"modules": {"kickstart-path-case"}},
    ),
    "no image database": Damage(
        iso=lambda: without("IMGDB.TGZ"),
        codes={"modules": {"boot-module-missing"}, "image-database": {"image-database-missing"}},
        unasked=WITHOUT_DATABASE,
    ),
    "no image database and reserved VIBs damaged": Damage(
        iso=lambda: with_files(drop("IMGDB"), flipping("RESVIBS.TGZ")),
        codes={
            "modules": {"boot-module-missing"},
            "image-database": {"image-database-missing"},
            "archives": {"archive-damaged"},
        },
        unasked=WITHOUT_DATABASE,
    ),
    "image database damaged": Damage(
        iso=lambda: flipped(whole(), "IMGDB.TGZ", 5000),
        codes={"image-database": {"image-database-damaged"}},
        unasked=WITHOUT_DATABASE,
    ),
    "no profile": Damage(
        iso=lambda: with_database(drop_all("/profiles/")),
        codes={"image-database": {"image-profile-missing"}},
        unasked=("image-profile", "upgrade", "vibs", "module-order", "build", "files", "bytes"),
    ),
    "no profile and reserved VIBs damaged": Damage(
        iso=lambda: with_files(edit_database(drop_all("/profiles/")), flipping("RESVIBS.TGZ")),
        codes={
            "image-database": {"image-profile-missing"},
            "documents": {"unreadable-document"},
            "signatures": {"vib-damaged"},
        },
        unasked=("image-profile", "upgrade", "vibs", "module-order", "build", "signatures", "files", "bytes"),
    ),
    "profile of nothing": Damage(
        iso=lambda: with_database(replace("/profiles/", lambda data: re.sub(rb"(?s)<viblist>.*</viblist>", b"", data))),
        codes={"image-database": {"image-profile-empty"}},
        unasked=("upgrade", "vibs", "module-order", "build", "files", "bytes"),
    ),
    "no VIB in the database that tells the version": Damage(
        iso=lambda: with_database(drop_all("/vibs/(esx-base|cpu-microcode)-")),
        codes={"vibs": {"vib-missing"}},
        unasked=("module-order", "build"),
    ),
    "bulletin is no XML": Damage(
        iso=lambda: with_database(replace("/bulletins/Intel", lambda data: data[:-9])),
        codes={"documents": {"unreadable-document"}},
    ),
    "reserved VIBs damaged": Damage(
        iso=lambda: flipped(whole(), "RESVIBS.TGZ", 900),
        codes={"documents": {"unreadable-document"}, "bytes": {"vib-damaged"}},
        unasked=("signatures",),
    ),
    "VIB not in the database": Damage(
        iso=lambda: with_database(drop_all("/vibs/ne1000-")), codes={"vibs": {"vib-missing"}}
    ),
    "signature gone": Damage(
        iso=lambda: with_database(drop(r"/vibs/ne1000-.*\.sig$")), codes={"signatures": {"signature-missing"}}
    ),
    "modules in another order": Damage(
        iso=lambda: with_boot_cfg(swap_modules), codes={"module-order": {"boot-module-order"}}, is_passed=True
    ),
    "module not loaded": Damage(
        iso=lambda: with_boot_cfg(lambda data: data.replace(b" --- /vmx.v00", b"")),
        codes={"module-order": {"boot-module-left-out"}},
        is_passed=True,
    ),
    "another build": Damage(
        iso=lambda: with_boot_cfg(lambda data: re.sub(rb"build=.*", b"build=7.0.3-0.0.1", data)),
        codes={"build": {"boot-cfg-build-differs"}},
        is_passed=True,
    ),
    "basemisc.tgz damaged": Damage(
        iso=lambda: flipped(whole(), "BASEMISC.TGZ", -6), codes={"archives": {"archive-damaged"}}
    ),
    "no basemisc.tgz": Damage(
        iso=lambda: without("BASEMISC.TGZ"),
        codes={"modules": {"boot-module-missing"}, "archives": {"archive-missing"}},
    ),
    "no basemisc.tgz and nothing names it": Damage(
        iso=lambda: with_files(lambda files: drop_module(files, "basemisc.tgz")),
        codes={"module-order": {"boot-module-left-out"}, "archives": {"archive-missing"}},
        is_passed=True,
    ),
    "imgpayld.tgz damaged": Damage(
        iso=lambda: flipped(whole(), "IMGPAYLD.TGZ", 900),
        codes={"archives": {"archive-damaged"}, "bytes": {"bios-loader-not-compared", "payload-missing"}},
    ),
    "no imgpayld.tgz": Damage(
        iso=lambda: without("IMGPAYLD.TGZ"),
        codes={
            "modules": {"boot-module-missing"},
            "archives": {"payload-archive-incomplete"},
            "bytes": {"payload-archive-incomplete", "payload-missing", "bios-loader-not-compared"},
        },
    ),
    "boot payload not in imgpayld.tgz": Damage(
        iso=lambda: with_archive("IMGPAYLD.TGZ", drop(r"boot/b\.b00$")),
        codes={"bytes": {"payload-archive-incomplete"}},
    ),
    "wrong byte in imgpayld.tgz": Damage(
        iso=lambda: with_flipped_copy("IMGPAYLD.TGZ", r"boot/b\.b00$"),
        codes={"bytes": {"payload-checksum-differs", "payload-damaged"}},
    ),
    "wrong byte in a module": Damage(
        iso=lambda: flipped(whole(), "VMX.V00", -1),
        codes={"bytes": {"payload-checksum-differs", "payload-damaged"}},
    ),
    "module cut short": Damage(
        iso=lambda: with_files(replace(r"VMX\.V00", lambda data: data[:-1])),
        codes={"bytes": {"payload-size-differs", "payload-checksum-differs", "payload-damaged"}},
    ),
    "wrong byte in a loader": Damage(
        iso=lambda: flipped(whole(), "MBOOT.C32", 0), codes={"bytes": {"payload-checksum-differs"}}
    ),
    "wrong byte in the UEFI image": Damage(
        iso=lambda: flipped(whole(), "EFIBOOT.IMG", 7), codes={"bytes": {"payload-checksum-differs"}}
    ),
    "module gone from disc and boot.cfg": Damage(
        iso=lambda: with_files(lambda files: drop_module(files, "vmx.v00")),
        codes={"module-order": {"boot-module-left-out"}, "bytes": {"payload-missing"}},
    ),
    "the boot menu starts another program": Damage(
        iso=lambda: with_menu(b"KERNEL mboot.c32", b"KERNEL other.c32"),
        codes={"boot-files": {"boot-menu-starts-otherwise"}, "upgrade": {"boot-menu-differs"}},
    ),
    "the boot menu names another boot.cfg": Damage(
        iso=lambda: with_menu(b"-c boot.cfg", b"-c more.cfg"),
        codes={"boot-files": {"boot-menu-starts-otherwise"}, "upgrade": {"boot-menu-differs"}},
    ),
    "zeros for the profile of the upgrade folder": Damage(
        iso=lambda: zeroed("UPGRADE/PROFILE.XML"), codes={"upgrade": {"upgrade-file-damaged"}}
    ),
    "zeros for the metadata of the upgrade folder": Damage(
        iso=lambda: zeroed("UPGRADE/METADATA.ZIP"), codes={"upgrade": {"upgrade-file-damaged"}}
    ),
    "the upgrade folder lists another VIB": Damage(
        iso=lambda: with_files(replace(r"PROFILE\.XML", lambda data: data.replace(b"ne1000_0.9.0", b"ne1000_0.9.1"))),
        codes={"upgrade": {"upgrade-differs"}},
    ),
    "the upgrade folder describes a VIB otherwise": Damage(
        iso=lambda: with_files(replace(r"METADATA\.ZIP", with_other_checksums)), codes={"upgrade": {"upgrade-differs"}}
    ),
    "no metadata in the upgrade folder": Damage(
        iso=lambda: without("UPGRADE/METADATA.ZIP"), codes={"upgrade": {"upgrade-file-missing"}}, is_passed=True
    ),
    "a label that is nearly the image's": Damage(
        iso=lambda: overwrite(whole(), 16 * 2048 + 42, b"y"),
        codes={"upgrade": {"volume-label-differs"}},
        is_passed=True,
    ),
    "the BIOS entry loads to another place": Damage(
        iso=lambda: in_catalog(32 + 2, b"\x00\x10"), codes={"boot-entries": {"boot-catalog-wrong"}}
    ),
    "the BIOS entry loads one sector": Damage(
        iso=lambda: in_catalog(32 + 6, b"\x01"), codes={"boot-entries": {"boot-catalog-wrong"}}
    ),
    "the UEFI entry loads other sectors": Damage(
        iso=lambda: in_catalog(96 + 6, b"\x03\x00"), codes={"boot-entries": {"boot-catalog-wrong"}}
    ),
    "the UEFI entry starts the loader for BIOS": Damage(
        iso=lambda: in_catalog(96 + 8, whole()[catalog_at(whole()) + 32 + 8 :][:4]),
        codes={"boot-entries": {"boot-catalog-wrong"}},
    ),
    "the last section says that another follows": Damage(
        iso=lambda: in_catalog(64, b"\x90"), codes={"boot-entries": {"boot-catalog-wrong"}}
    ),
    "a section counts two entries": Damage(
        iso=lambda: in_catalog(66, b"\x02"), codes={"boot-entries": {"boot-catalog-wrong"}}
    ),
    "an entry behind the last section": Damage(
        iso=lambda: in_catalog(160, b"\x88"), codes={"boot-entries": {"boot-catalog-wrong"}}
    ),
    "a name of a section": Damage(
        iso=lambda: in_catalog(70, b"A"), codes={"boot-entries": {"disc-unusual"}}, is_passed=True
    ),
    "a larger volume": Damage(
        iso=lambda: with_volume_blocks(len(whole()) // 2048 + 1), codes={"disc": {"disc-contradicts-itself"}}
    ),
    "a smaller volume": Damage(
        iso=lambda: with_volume_blocks(60), codes={"disc": {"disc-contradicts-itself", "disc-holds-more"}}
    ),
    "wiped path table": Damage(
        iso=lambda: overwrite(whole(), path_table(140, "little"), bytes(40)),
        codes={"disc": {"disc-contradicts-itself"}},
    ),
    "lying big-endian path table": Damage(
        iso=lambda: overwrite(whole(), path_table(148, "big") + 10 + 5, b"\x99"),
        codes={"disc": {"disc-contradicts-itself"}},
    ),
    "another big-endian size of a file": Damage(
        iso=lambda: overwrite(whole(), whole().index(b"\x07B.B00;1") - 32 + 17, b"\x99"),
        codes={"disc": {"disc-contradicts-itself"}},
    ),
    "a boot sector before the volume": Damage(
        iso=lambda: overwrite(whole(), 0, b"\xeb\x3c\x90"), codes={"disc": {"disc-holds-more"}}, is_passed=True
    ),
    "bytes behind the volume": Damage(
        iso=lambda: whole() + bytes(4096), codes={"disc": {"disc-holds-more"}}, is_passed=True
    ),
    "another kernel": Damage(
        iso=lambda: with_boot_cfg(lambda data: data.replace(b"kernel=/b.b00", b"kernel=/vmx.v00")),
        codes={"module-order": {"boot-kernel-differs", "boot-module-left-out", "boot-module-order"}},
    ),
    "a program that no VIB brings": Damage(
        iso=lambda: with_files(lambda files: files.update({"UPGRADE/MORE.PY": b"print()"})),
        codes={"files": {"file-of-no-vib"}},
        is_passed=True,
    ),
    "bytes in the reserved part of the table": Damage(
        iso=lambda: flipped(whole(), "ISOLINUX.BIN", 40), codes={"boot-info-table": {"disc-unusual"}}, is_passed=True
    ),
    "wrong byte in a reserved VIB": Damage(
        iso=with_damaged_reserved_vib, codes={"bytes": {"payload-checksum-differs", "payload-damaged"}}
    ),
}


def original_loader() -> bytes:
    members = tgz_members(files_of(whole())["IMGPAYLD.TGZ"])
    return members[one_of(members, "isolinux")]


def drop_module(files: dict[str, bytes], name: str) -> None:
    del files[name.upper()]
    for path in BOOT_CFGS:
        files[path] = files[path].replace(f" --- /{name}".encode(), b"")


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_seen_by_its_own_check_and_the_others_go_on(tmp_path: Path, damage: Damage) -> None:
    verification = verify(tmp_path, damage.iso())

    assert codes_of(verification) == damage.codes
    assert verification.is_passed is damage.is_passed
    failed = {check.name for check in verification.checks if check.is_failed}
    assert failed <= set(damage.codes)
    assert names_of(verification) == CHECKS
    assert unasked_in(verification) == set(damage.unasked)
    for finding in verification.findings:
        assert finding.message
        assert finding.where.startswith(str(tmp_path / "disc.iso"))


def test_every_check_of_a_disc_was_seen_to_find_something() -> None:
    assert {name for damage in DAMAGES.values() for name in damage.codes} == {*CHECKS} - {"image-profile", "stick"}


def test_what_stood_in_a_damaged_archive_alone_is_told(tmp_path: Path) -> None:
    """No other copy is there, and nobody could look into the archive."""
    verification = verify(tmp_path, flipped(whole(), "IMGPAYLD.TGZ", 900))
    missing = [finding for finding in verification.findings if finding.code == "payload-missing"]

    assert missing
    assert {finding.severity for finding in missing} == {eib.Severity.WARNING}
    assert {finding.cause for finding in missing} == {
        "IMGPAYLD.TGZ could not be read to its end: it may stand in there"
    }


@pytest.mark.parametrize(("is_named", "severity"), [(True, eib.Severity.ERROR), (False, eib.Severity.WARNING)])
def test_an_archive_that_boot_cfg_names_weighs_more_than_one_that_it_does_not(
    tmp_path: Path,
    is_named: bool,  # noqa: FBT001 - a parameter of the table
    severity: eib.Severity,
) -> None:
    name = "no basemisc.tgz" if is_named else "no basemisc.tgz and nothing names it"
    verification = verify(tmp_path, DAMAGES[name].iso())

    assert [f.severity for f in verification.findings if f.code == "archive-missing"] == [severity]


def test_one_damaged_payload_hides_no_other(tmp_path: Path) -> None:
    iso = flipped(flipped(whole(), "VMX.V00", -1), "VIM.V00", -1)
    damaged = {f.where.split("!")[1] for f in verify(tmp_path, iso).findings}

    assert damaged == {"VMX.V00", "VIM.V00"}


def test_stored_bytes_alone_can_be_asked_for(tmp_path: Path) -> None:
    verification = verify(tmp_path, flipped(whole(), "VMX.V00", -1), deep=False)

    assert codes_of(verification) == {"bytes": {"payload-checksum-differs"}}
    assert "(stored)" in next(check.question for check in verification.checks if check.name == "bytes")


# Boot loaders


@pytest.mark.parametrize(
    "filler",
    [
        pytest.param(bytes(56), id="zeros"),
        pytest.param(b"\xef\xbe\xad\xde" * 14, id="what isolinux has"),
        pytest.param(struct.pack("<II", 16, 0) + b"\xef\xbe\xad\xde" * 12, id="what later versions have"),
    ],
)
def test_the_table_is_taken_off_a_loader_whose_original_nobody_kept(tmp_path: Path, filler: bytes) -> None:
    """Stock discs need not have the BIOS loader in imgpayld.tgz."""
    loader = b"\xfa\xeb\x7e\x90rest" + filler + bytes(range(256)) * 8
    vibs = base_vibs("7.0.3-0.55.20328353", kernel=b"kernel", bios_loader=loader, efi_image=b"efi" * 700)
    iso = without_archived_loader(disc_of_vibs(tmp_path, vibs))
    verification = verify(tmp_path, iso)

    assert codes_of(verification) == {}  # this image has no menu.c32, and its isolinux.cfg asks for none
    with eib.open_depot(tmp_path / "disc.iso") as depot:
        (vib,) = (vib for vib in depot.catalog.vibs if vib.name == "esx-base")
        with depot.open_vib(vib) as source:
            assert ar_members(source.read())["isolinux.bin"] == loader


def test_a_loader_with_an_unknown_filler_is_a_warning_while_its_table_is_right(tmp_path: Path) -> None:
    loader = bytes(range(256)) * 8
    vibs = base_vibs("7.0.3-0.55.20328353", kernel=b"kernel", bios_loader=loader, efi_image=b"efi" * 700)
    iso = without_archived_loader(disc_of_vibs(tmp_path, vibs))

    found = codes_of(verify(tmp_path, iso))
    assert found["bytes"] == {"bios-loader-not-compared"}
    damaged = codes_of(verify(tmp_path, patched(iso, "ISOLINUX.BIN", 99, b"!")))
    assert damaged["bytes"] == {"payload-checksum-differs"}


def disc_of_vibs(folder: Path, vibs: list[AuthoredVib]) -> bytes:
    depot_path, target = folder / "depot.zip", folder / "written.iso"
    write_base_depot(depot_path, "7.0.3-0.55.20328353", vibs)
    with eib.open_depot(depot_path) as depot:
        image = eib.compose(depot.catalog, base_image="7.0.3-0.55.20328353")
        eib.export_iso(image, depot, target)
    return target.read_bytes()


def without_archived_loader(iso: bytes) -> bytes:
    files = dict(files_of(iso))
    members = tgz_members(files["IMGPAYLD.TGZ"])
    drop("isolinux")(members)
    return remade(files | {"IMGPAYLD.TGZ": tgz_of(members)})


def test_a_text_that_another_vib_has_under_the_same_name_is_no_damage(tmp_path: Path) -> None:
    vibs = base_vibs("7.0.3-0.55.20328353", kernel=b"kernel", bios_loader=bytes(2048), efi_image=b"efi" * 700)
    vibs.append(small_vib("agent", "1.0-1", (raw_payload("osl.txt", b"Another invented text\n", type="text"),)))
    iso = disc_of_vibs(tmp_path, vibs)

    assert "bytes" not in codes_of(verify(tmp_path, iso))
    files = dict(files_of(iso))
    members = tgz_members(files["IMGPAYLD.TGZ"])
    drop_all("text/osl")(members)
    verification = verify(tmp_path, remade(files | {"IMGPAYLD.TGZ": tgz_of(members)}))
    missing = [f for f in verification.findings if f.code == "payload-missing"]
    assert [(f.items[0], f.severity) for f in missing] == [("ACM_bootbank_agent_1.0-1", eib.Severity.WARNING)]


# Fair to others


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disc of ours as xorriso unpacks it."""
    folder = tmp_path_factory.mktemp("unpacked")
    iso = written("8.0U3").iso_in(folder)
    run("xorriso", "-osirrox", "on", "-indev", iso, "-extract", "/", folder / "tree")
    run("chmod", "-R", "u+w", folder / "tree")
    return folder / "tree"


REPACKED = (
    "-J", "-R", "-b", "ISOLINUX.BIN", "-c", "BOOT.CAT", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
    "-eltorito-alt-boot", "-e", "EFIBOOT.IMG", "-no-emul-boot",
)  # fmt: skip


@pytest.mark.parametrize(
    "tool",
    [
        pytest.param(("xorriso", "-as", "mkisofs"), id="xorriso", marks=needs("xorriso")),
        pytest.param(("genisoimage",), id="genisoimage", marks=[needs("genisoimage"), needs("xorriso")]),
    ],
)
def test_a_disc_packed_anew_by_another_tool_passes_and_opens(
    tmp_path: Path, unpacked: Path, tool: tuple[str, ...]
) -> None:
    run(*tool, *REPACKED, "-o", tmp_path / "disc.iso", unpacked)
    verification = eib.verify_iso(tmp_path / "disc.iso")

    assert verification.findings == ()
    with disc_of((tmp_path / "disc.iso").read_bytes()) as disc:
        assert disc.has_joliet
        assert disc.has_rock_ridge
    with eib.open_depot(tmp_path / "disc.iso") as depot:
        assert eib.recognise(depot.catalog).digest == written("8.0U3").image.digest


@needs("xorriso", "genisoimage")
def test_a_disc_packed_anew_in_lower_case_is_warned_of(tmp_path: Path, unpacked: Path) -> None:
    run("genisoimage", "-allow-lowercase", *REPACKED, "-o", tmp_path / "disc.iso", lower_case_copy(unpacked, tmp_path))
    verification = eib.verify_iso(tmp_path / "disc.iso")

    assert verification.is_passed
    assert codes_of(verification) == {"names": {"name-not-upper-case"}}


def lower_case_copy(tree: Path, folder: Path) -> Path:
    """The tree with lower-case modules; loaders keep the names that the command line gives."""
    copy = folder / "tree"
    for path in tree.rglob("*"):
        if path.is_file():
            name = path.relative_to(tree).as_posix()
            target = copy / (name.lower() if name.endswith((".V00", ".B00")) else name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return copy


MORE = {"module-order": {"boot-module-added"}}


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        pytest.param(lambda data: data.replace(b"\n", b"\r\n"), {}, id="Windows line ends"),
        pytest.param(lambda data: b"# packed anew\n" + data, {}, id="a comment"),
        pytest.param(lambda data: b"packed anew\n" + data, {}, id="a line without a sign"),
        pytest.param(lambda data: data.replace(b" --- ", b"---"), {}, id="separators without blanks"),
        pytest.param(
            lambda data: data.replace(b"title=Loading ESXi installer", b"title=Loading ACME"), {}, id="a title"
        ),
        pytest.param(
            lambda data: data.replace(b"imgpayld.tgz", b"imgpayld.tgz --- /osl.txt"), MORE, id="a module more"
        ),
        pytest.param(lambda data: data.replace(b"prefix=", b"prefix=/"), {}, id="a prefix that is the root"),
    ],
)
def test_harmless_edits_of_boot_cfg_are_told_at_most(
    tmp_path: Path, change: Callable[[bytes], bytes], codes: dict[str, set[str]]
) -> None:
    verification = verify(tmp_path, with_boot_cfg(change))

    assert codes_of(verification) == codes
    assert {finding.severity for finding in verification.findings} <= {eib.Severity.INFO}


def test_boot_cfgs_that_say_the_same_in_other_words_do_not_differ(tmp_path: Path) -> None:
    assert verify(tmp_path, with_boot_cfg(lambda data: data.replace(b"=", b" = "), "BOOT.CFG")).findings == ()


def test_a_disc_for_bios_alone_needs_no_second_boot_cfg(tmp_path: Path) -> None:
    files = {path: data for path, data in files_of(whole()).items() if path != "EFI/BOOT/BOOT.CFG"}

    assert verify(tmp_path, remade(files, efi=False)).is_passed


def test_rock_ridge_may_have_the_kickstart_file_in_lower_case(tmp_path: Path, unpacked: Path) -> None:
    tree = lower_case_copy(unpacked, tmp_path)
    (tree / "ks.cfg").write_bytes(b"install\n")
    for path in BOOT_CFGS:
        (tree / path).write_bytes((tree / path).read_bytes().replace(b"kernelopt=", b"kernelopt=ks=cdrom:/ks.cfg "))
    run("xorriso", "-as", "mkisofs", *REPACKED, "-o", tmp_path / "disc.iso", tree)
    verification = eib.verify_iso(tmp_path / "disc.iso")

    assert verification.is_passed
    assert codes_of(verification) == {"modules": {"kickstart-path-case"}}


def test_vibs_for_dpus_in_a_form_that_is_not_known_are_a_warning(tmp_path: Path) -> None:
    """What stands in a stock esxiodpt.tgz is not public; the profile and the database may list those VIBs."""
    files = dict(files_of(written("8.0U3").iso))
    depot = tgz_members(files["ESXIODPT.TGZ"])
    database = tgz_members(files["IMGDB.TGZ"])
    whole_vibs = [ar_members(data) for name, data in depot.items() if name.endswith(".vib")]
    for number, members in enumerate(whole_vibs):
        for name, suffix in (("descriptor.xml", ""), ("descriptor.xml", ".orig"), ("sig.pkcs7", ".sig")):
            database[f"{DATABASE}vibs/dpu{number}.xml{suffix}"] = members[name]
    files["IMGDB.TGZ"] = tgz_of(database)
    assert verify(tmp_path, remade(files)).findings == ()
    files["ESXIODPT.TGZ"] = tgz_of({"unknown.bin": b"?"})
    verification = verify(tmp_path, remade(files))

    assert whole_vibs
    assert verification.is_passed
    assert codes_of(verification) == {"bytes": {"payload-missing"}}


# What cannot be verified


@pytest.mark.parametrize(
    ("data", "found", "hint"),
    [
        pytest.param(b"", "empty file", "download it again", id="empty"),
        pytest.param(b"PK\x03\x04" + bytes(40), "zip archive", "verify_bundle", id="zip"),
        pytest.param(b"!<arch>\n", "VIB", "verify_vib", id="vib"),
    ],
)
def test_what_is_no_disc_is_named(tmp_path: Path, data: bytes, found: str, hint: str) -> None:
    with pytest.raises(eib.NotADepotError, match="no ISO image") as caught:
        eib.verify_iso(put(tmp_path / "disc.iso", data))

    assert (caught.value.found, caught.value.expected) == (found, "ISO image")
    assert hint in caught.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(eib.SourceUnreadableError):
        eib.verify_iso(tmp_path / "disc.iso")


def test_limits_are_findings(tmp_path: Path) -> None:
    iso = put(tmp_path / "disc.iso", whole())
    small = eib.verify_iso(iso, limits=eib.ReadLimits(document_bytes=100, loader_bytes=100))
    assert codes_of(small)["boot-info-table"] == {"disc-unreadable"}
    assert "boot-cfg-damaged" in codes_of(small)["boot-cfg"]
    few = eib.verify_iso(iso, limits=eib.ReadLimits(member_count=20))
    assert codes_of(few) == {"disc": {"disc-damaged"}}
    unpacked_little = eib.verify_iso(iso, limits=eib.ReadLimits(payload_bytes=1000))
    assert "image-database-damaged" in {f.code for f in unpacked_little.findings}


def test_archives_are_read_with_limits() -> None:
    with disc_of(whole()) as disc:
        (problem,) = check_archives(disc, ReadBudget(eib.ReadLimits(payload_bytes=20_000)))

    assert (problem.code, problem.items) == ("archive-damaged", ("IMGPAYLD.TGZ",))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(edits=st.lists(st.tuples(st.integers(0, 1 << 24), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4))
def test_a_disc_with_any_bytes_changed_gives_findings_or_our_errors(
    tmp_path: Path, edits: list[tuple[int, bytes]]
) -> None:
    iso = bytearray(written("6.7").iso)
    for at, data in edits:
        # Half of the edits fall on descriptors, directories and the image database.
        start = 32_768 + at % 40_000 if at % 2 else at % (len(iso) - 8)
        iso[start : start + len(data)] = data
    path = put(tmp_path / "disc.iso", bytes(iso))
    try:
        verification = eib.verify_iso(path)
    except eib.EsxImageError:
        return
    assert verification.checks
    try:
        with eib.open_depot(path) as depot:
            for vib in depot.catalog.vibs:
                with depot.open_vib(vib) as source:
                    data = source.read()
                assert verification.is_passed <= (hashlib.sha256(data).hexdigest() in sums_of("6.7"))
    except eib.EsxImageError:
        assert not verification.is_passed or verification.findings


@functools.cache
def sums_of(name: str) -> frozenset[str]:
    """SHA-256 of every VIB of the depots that the disc was made of."""
    sums = set()
    with eib.open_depot(*GENERATIONS[name].paths) as depot:
        for vib in depot.catalog.vibs:
            assert vib.file is not None
            sums.add(vib.file.sha256)
    return frozenset(sums)


# Several image profiles

OWN_PROFILE = "ESXi-7.0U3g-20328353-ACME-AddOn-703.20328353.A08"
OTHER_VIB = b"ACM_bootbank_elsewhere_1.0-1"


def with_second_profile(name: str, upgrade: bytes | None = None, *, is_named: bool = True) -> bytes:
    """A disc whose database has another profile too, which lists a VIB that is not there and renames a module."""

    def add(members: dict[str, bytes]) -> None:
        own = members[f"{DATABASE}profiles/{OWN_PROFILE}"]
        other = own.replace(OWN_PROFILE.encode(), name.encode())
        other = other.replace(b"ACM_bootbank_acme-agent-cli_703.1.0.8-26", OTHER_VIB).replace(
            b">vmx.v00<", b">vmx.v77<"
        )
        assert other.count(OTHER_VIB) == 1
        members[f"{DATABASE}profiles/{name}"] = other

    files = dict(files_of(with_database(add)))
    if not is_named:
        del files["UPGRADE/PROFILE.XML"]
    elif upgrade is not None:
        files["UPGRADE/PROFILE.XML"] = upgrade
    return remade(files)


@pytest.mark.parametrize("name", ["AAA-other", "ZZZ-other"])
def test_of_several_profiles_the_one_that_the_upgrade_folder_names_is_judged(tmp_path: Path, name: str) -> None:
    """Wherever the other one stands; that there are several is told, and which was judged."""
    verification = verify(tmp_path, with_second_profile(name))

    assert verification.is_passed
    assert codes_of(verification) == {"image-profile": {"several-image-profiles"}}
    (finding,) = verification.findings
    assert set(finding.items) == {OWN_PROFILE, name}
    assert f"names {OWN_PROFILE}, which was judged" in finding.message


@pytest.mark.parametrize(
    ("upgrade", "is_named", "cause"),
    [
        pytest.param(None, False, "is not there", id="no upgrade folder's profile"),
        pytest.param(b"<imageprofile>", True, "cannot be read", id="a damaged one"),
        pytest.param(
            b"<imageprofile><name>third</name><viblist/></imageprofile>", True, "names third", id="one of another name"
        ),
    ],
)
def test_where_nothing_names_one_of_several_profiles_all_are_judged(
    tmp_path: Path,
    upgrade: bytes | None,
    is_named: bool,  # noqa: FBT001 - a parameter of the table
    cause: str,
) -> None:
    verification = verify(tmp_path, with_second_profile("AAA-other", upgrade, is_named=is_named))

    several, *others = (finding for finding in verification.findings if not finding.code.startswith("upgrade-"))
    assert several.code == "several-image-profiles"
    assert "all of them were judged" in several.message
    assert cause in several.cause
    assert [(finding.code, finding.cause) for finding in others] == [
        ("vib-missing", "judged by the image profile AAA-other"),
        ("boot-module-added", "judged by the image profile AAA-other"),
        ("boot-module-left-out", "judged by the image profile AAA-other"),
    ]
    assert not verification.is_passed


def test_a_disc_with_one_profile_needs_no_upgrade_folder_that_names_it(tmp_path: Path) -> None:
    verification = verify(tmp_path, with_files(drop(r"UPGRADE/PROFILE\.XML")))

    assert "image-profile" not in {*codes_of(verification), *unasked_in(verification)}


# What cannot be read


@final
class FailingFile(io.BytesIO):
    """A disc on a medium of which one read fails, and every other goes well."""

    def __init__(self, data: bytes, failing: int) -> None:
        super().__init__(data)
        self._left = failing

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left == 0:
            raise OSError(5, "Input/output error")
        return super().read(size)

    @property
    def has_failed(self) -> bool:
        return self._left <= 0


def failing_at(number: int) -> tuple[FailingFile, eib.Verification]:
    file = FailingFile(whole(), number)
    return file, verify_disc(file, where="disc.iso", deep=False, limits=eib.ReadLimits())


def reads_of_a_verification() -> int:
    file = FailingFile(whole(), 1 << 40)
    before = file._left
    assert verify_disc(file, where="disc.iso", deep=False, limits=eib.ReadLimits()).findings == ()
    return before - file._left


def test_no_read_that_fails_is_passed_over() -> None:
    """Whichever read it is: some check fails and says so, or our error comes out."""
    count = reads_of_a_verification()
    assert count > 200
    for number in [*range(1, count, 2 * SHARE), count]:
        try:
            file, verification = failing_at(number)
        except eib.SourceUnreadableError as error:
            assert "Input/output error" in error.found  # noqa: PT017 - one of two right answers
            continue
        assert file.has_failed
        failed = [check for check in verification.checks if not check.is_passed]
        assert failed, f"read {number} of {count} failed, and all checks are passed"
        assert any(finding.severity is eib.Severity.ERROR for check in failed for finding in check.findings)


def test_names_that_cannot_be_read_fail_their_check(tmp_path: Path) -> None:
    """The second walk over the directories fails: that is no sign of upper case."""
    found = (
        (check.name, finding.code)
        for number in range(1, 200, 2)
        for check in failing_at(number)[1].checks
        for finding in check.findings
        if "the directories cannot be read" in finding.message
    )
    assert next(found) == ("names", "disc-unreadable")
    assert names_of(verify(tmp_path, whole())) == CHECKS


def test_an_archive_that_cannot_be_unpacked_for_want_of_room_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive is whole; what stands in it was not looked at all the same."""
    path = put(tmp_path / "disc.iso", whole())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    verification = eib.verify_iso(path)

    assert codes_of(verification)["bytes"] >= {"disc-unreadable"}
    assert not verification.is_passed
    assert all("nowhere" in f.remedy for f in verification.findings if f.code == "disc-unreadable")


def test_a_disc_is_opened_once_and_needs_no_path(tmp_path: Path) -> None:
    """It may be a stream; what a path gives is the same."""
    stream = io.BytesIO(whole())
    verification = verify_disc(stream, where=str(tmp_path / "disc.iso"), deep=True, limits=eib.ReadLimits())

    assert verification == verify(tmp_path, whole())
    assert not stream.closed
