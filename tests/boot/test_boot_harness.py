"""The boot harness itself, against ISOs that genisoimage made: what it says must be true before it may judge ours."""

from __future__ import annotations

import gzip
import random
import shutil
import subprocess
import time
import zlib
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support import boot_harness

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MISSING = [*boot_harness.missing_tools(), *([] if shutil.which("genisoimage") else ["genisoimage"])]
needs_boot_tools = pytest.mark.skipif(bool(MISSING), reason=f"install the packages {' '.join(MISSING)}")

GENISOIMAGE = (
    *("genisoimage", "-quiet", "-iso-level", "3", "-V", "HARNESS", "-c", "BOOT.CAT"),
    *("-b", "ISOLINUX.BIN", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"),
    *("-eltorito-alt-boot", "-e", "EFIBOOT.IMG", "-no-emul-boot"),
)
STOCK_BOOT_CFG = """\
bootstate=0
title=Loading ESXi installer
timeout=5
prefix=
kernel=/b.b00
kernelopt=runweasel cdromBoot
modules=/jumpstrt.gz --- /k.b00 --- /imgpayld.tgz
build=8.0.3-0.0.24022510
updated=0
"""
STOCK_SCRIPT = """\
serial --unit=0 --speed=115200
terminal_output serial
search.file /b.b00 root
multiboot /b.b00 /b.b00 runweasel cdromBoot
module --nounzip /jumpstrt.gz /jumpstrt.gz
module --nounzip /k.b00 /k.b00
module --nounzip /imgpayld.tgz /imgpayld.tgz
boot
echo GRUB could not boot
reboot
"""


class Loaders(NamedTuple):
    bios: bytes
    efi: bytes
    efi_image: bytes


def boot_cfg(names: list[str]) -> str:
    return f"prefix=\nkernel=/b.b00\nkernelopt=runweasel cdromBoot\nmodules={' --- '.join(names)}\n"


def make_loaders(script: str, work: Path) -> Loaders:
    work.mkdir(exist_ok=True)
    return Loaders(
        boot_harness.make_bios_loader(script, work),
        boot_harness.make_efi_loader(script, work),
        boot_harness.make_efi_image(script, work),
    )


def make_iso(work: Path, *, kernel: bytes | None, modules: dict[str, bytes], cfg: str) -> Path:
    loaders = make_loaders(boot_harness.grub_script(cfg), work)
    files = {name.lstrip("/").upper(): data for name, data in modules.items()}
    files |= {"BOOT.CFG": cfg.encode(), "ISOLINUX.BIN": loaders.bios, "EFIBOOT.IMG": loaders.efi_image}
    files |= {"EFI/BOOT/BOOTX64.EFI": loaders.efi} | ({} if kernel is None else {"B.B00": kernel})
    for name, data in files.items():
        target = work / "disc" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    iso = work / "harness.iso"
    subprocess.run([*GENISOIMAGE, "-o", str(iso), str(work / "disc")], check=True, capture_output=True)
    return iso


def arrivals(modules: dict[str, bytes]) -> list[boot_harness.BootModule]:
    return [(name, len(data), zlib.crc32(data)) for name, data in modules.items()]


def stored_gzip(data: bytes) -> bytes:
    """Gzip without compression, in one block as large as a stored block may be and a rest."""
    packer = zlib.compressobj(0, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def assorted_modules() -> dict[str, bytes]:
    """Every size at which padding, sectors or pages could go wrong; names out of alphabetical order."""
    noise = random.Random(703)
    return {
        "/jumpstrt.gz": b"",
        "/useropts.gz": gzip.compress(b"", mtime=0),
        "/k.b00": gzip.compress(noise.randbytes(200_000) + bytes(300_000), mtime=0),
        "/a.b00": stored_gzip(noise.randbytes(131_070)),
        "/zzzzzzzz.v00": b"\x1f\x8b\x08 but no gzip",
        "/sb.v00": noise.randbytes(2047),
        "/s.v00": noise.randbytes(2048),
        "/lsi_msgp.v02": noise.randbytes(2049),
        "/one.v00": b"\n",
        "/weaselin.t00": bytes(4096),
        "/tools.t00": noise.randbytes(3_000_001),
        "/imgdb.tgz": noise.randbytes(4097),
        "/imgpayld.tgz": noise.randbytes(4096),
    }


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return boot_harness.compile_kernel(tmp_path_factory.mktemp("kernel"))


@pytest.mark.boot
@needs_boot_tools
@pytest.mark.parametrize(
    ("firmware", "pack"),
    [
        pytest.param("bios", bytes, id="bios-plain-kernel"),
        pytest.param("bios", stored_gzip, id="bios-kernel-in-stored-gzip"),
        pytest.param("bios", gzip.compress, id="bios-kernel-in-gzip"),
        pytest.param("uefi", bytes, id="uefi-plain-kernel"),
        pytest.param("uefi", stored_gzip, id="uefi-kernel-in-stored-gzip"),
    ],
)
def test_every_module_arrives_byte_for_byte_and_in_order(
    firmware: boot_harness.Firmware, pack: Callable[[bytes], bytes], kernel: bytes, tmp_path: Path
) -> None:
    modules = assorted_modules()
    iso = make_iso(tmp_path, kernel=pack(kernel), modules=modules, cfg=boot_cfg(list(modules)))
    result = boot_harness.boot_iso(iso, firmware=firmware, work=tmp_path)
    assert result.modules == arrivals(modules)
    assert result.kernel_cmdline == "/b.b00 runweasel cdromBoot"
    assert result.exit_code == boot_harness.EXIT_DONE


@pytest.mark.boot
@needs_boot_tools
@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_more_modules_than_a_stock_image_has_arrive_all(
    firmware: boot_harness.Firmware, kernel: bytes, tmp_path: Path
) -> None:
    modules = {f"/module{i % 10}.v{i // 10:02d}": random.Random(i).randbytes(1000 + i) for i in range(170)}
    iso = make_iso(tmp_path, kernel=kernel, modules=modules, cfg=boot_cfg(list(modules)))
    assert boot_harness.boot_iso(iso, firmware=firmware, work=tmp_path).modules == arrivals(modules)


@pytest.mark.boot
@needs_boot_tools
def test_a_module_that_boot_cfg_names_and_the_disc_lacks_is_seen(kernel: bytes, tmp_path: Path) -> None:
    cfg = boot_cfg(["/here.v00", "/lost.v00", "/there.v00"])
    modules = {"/here.v00": b"here", "/there.v00": b"there"}
    iso = make_iso(tmp_path, kernel=kernel, modules=modules, cfg=cfg)
    result = boot_harness.boot_iso(iso, firmware="bios", work=tmp_path)
    assert result.modules == arrivals(modules)
    assert "lost.v00' not found" in result.serial


@pytest.mark.boot
@needs_boot_tools
def test_one_changed_byte_is_seen(kernel: bytes, tmp_path: Path) -> None:
    modules = {"/k.b00": bytes(100_000), "/s.v00": b"same"}
    iso = make_iso(tmp_path, kernel=kernel, modules=modules, cfg=boot_cfg(list(modules)))
    content = bytearray(iso.read_bytes())
    start = content.find(bytes(100_000), content.find(b"kernelopt="))
    content[start + 50_000] ^= 1
    iso.write_bytes(content)
    arrived = boot_harness.boot_iso(iso, firmware="bios", work=tmp_path).modules
    assert arrived[0][:2] == ("/k.b00", 100_000)
    assert [crc == expected for (_, _, crc), (_, _, expected) in zip(arrived, arrivals(modules), strict=True)] == [
        False,
        True,
    ]


@pytest.mark.boot
@needs_boot_tools
@pytest.mark.parametrize(
    ("kernel_on_disc", "says"),
    [
        pytest.param(None, "b.b00' not found", id="no-kernel"),
        pytest.param(b"MZ, not multiboot" + bytes(9000), "no multiboot header found", id="no-multiboot-kernel"),
    ],
)
def test_an_iso_without_a_kernel_fails_soon_and_shows_the_log(
    kernel_on_disc: bytes | None, says: str, tmp_path: Path
) -> None:
    iso = make_iso(tmp_path, kernel=kernel_on_disc, modules={}, cfg=boot_cfg([]))
    started = time.monotonic()
    with pytest.raises(AssertionError, match=rf"(?s){says}.*GRUB could not boot"):
        boot_harness.boot_iso(iso, firmware="bios", work=tmp_path)
    assert time.monotonic() - started < 60


@pytest.mark.boot
@needs_boot_tools
def test_loaders_are_the_same_bytes_in_another_folder_time_and_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    first = make_loaders(STOCK_SCRIPT, tmp_path / "first")
    kernel = boot_harness.compile_kernel(tmp_path / "first")
    time.sleep(2.1)  # a FAT counts in steps of two seconds
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert make_loaders(STOCK_SCRIPT, tmp_path / "second") == first
    assert boot_harness.compile_kernel(tmp_path / "second") == kernel
    assert len(first.efi_image) == boot_harness.EFI_IMAGE_BYTES


def test_the_script_of_a_stock_boot_cfg() -> None:
    assert boot_harness.grub_script(STOCK_BOOT_CFG) == STOCK_SCRIPT


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("modules=/a.v00 x=1 y", "module --nounzip /a.v00 /a.v00 x=1 y", id="arguments-follow-the-name"),
        pytest.param("prefix=/esx\nmodules=a.v00", "module --nounzip /esx/a.v00 a.v00", id="prefix-before-a-name"),
        pytest.param("prefix=esx/\nmodules=/a.v00", "module --nounzip /a.v00 /a.v00", id="absolute-name-stays"),
        pytest.param("  MODULES =  a.v00  ", "module --nounzip /a.v00 a.v00", id="blanks-and-case-of-keys"),
        pytest.param("kernelopt=a=$b 'c", "multiboot /k /k 'a=$b' ''\"'\"'c'", id="signs-that-grub-would-read"),
        pytest.param("#kernelopt=x", "multiboot /k /k", id="comment"),
    ],
)
def test_lines_of_the_script(line: str, expected: str) -> None:
    assert expected in boot_harness.grub_script(f"kernel=/k\n{line}\n").splitlines()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("modules=/a", "no kernel", id="no-kernel"),
        pytest.param("kernel=b.b00\nprefix=http://host/", "no path on a disc", id="network-prefix"),
    ],
)
def test_a_boot_cfg_that_no_disc_can_carry_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        boot_harness.grub_script(text)


KERNEL_AND_ONE = "\r\nACCEL TCGTCGTCGTCG\r\nLOADER GRUB 2.06 \r\nKERNEL /b.b00 x\r\nMODULE 0 /k.b00 a 3 0000000f\r\n"


@pytest.mark.parametrize(
    ("serial", "exit_code"),
    [
        pytest.param("", -1, id="nothing-said"),
        pytest.param(KERNEL_AND_ONE, 33, id="cut-before-done"),
        pytest.param(KERNEL_AND_ONE + "DONE 2\r\n", 33, id="a-line-lost"),
        pytest.param(KERNEL_AND_ONE.replace("MODULE 0", "MODULE 1") + "DONE 1\r\n", 33, id="index-out-of-order"),
        pytest.param(KERNEL_AND_ONE + "PANIC a module lies over the kernel\r\n", 35, id="panic"),
        pytest.param(KERNEL_AND_ONE + "DONE 1\r\n", 0, id="another-end-of-qemu"),
        pytest.param("DONE 0\r\n", 33, id="no-kernel-line"),
    ],
)
def test_a_log_that_is_not_whole_is_a_failure(serial: str, exit_code: int) -> None:
    with pytest.raises(AssertionError, match="did not end well"):
        boot_harness._boot_result(serial, exit_code=exit_code, seconds=1, where="x.iso", said="")


def test_a_whole_log_is_read() -> None:
    log = "BdsDxe: starting\x1b[0m" + KERNEL_AND_ONE + "DONE 1\r\n"
    result = boot_harness._boot_result(log, exit_code=33, seconds=1, where="x.iso", said="")
    assert result.modules == [("/k.b00 a", 3, 15)]
    assert (result.kernel_cmdline, result.accelerator, result.loader) == ("/b.b00 x", "TCG", "GRUB 2.06")
