"""Boots discs, sticks and network boot trees in QEMU and says what arrived in memory.

The loaders of ESXi are not free, so others stand in their places: GRUB for ``ISOLINUX.BIN``,
``EFIBOOT.IMG``, ``BOOTX64.EFI`` and ``mboot.efi``, with a script derived from ``boot.cfg`` by a parser of its own,
which shares no code with the library. With a BIOS the network card or iPXE starts PXELINUX itself, which reads
the tree's ``pxelinux.cfg``, see ``syslinux_loaders``. The kernel is ``boot_kernel.c``: it prints the loader that
started it, and name, size and CRC-32 of every module.

Needs Linux on x86-64 and the Debian packages of ``REQUIRED_TOOLS``.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import re
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from support.boot_cfg_reader import boot_cfg_keys, boot_loads
from support.ovmf_variables import with_http_boot
from support.syslinux_loaders import missing_pxelinux, prefix_of, put_pxelinux

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "EFI_IMAGE_BYTES",
    "HOST_ADDRESS",
    "REQUIRED_TOOLS",
    "BootModule",
    "BootResult",
    "Firmware",
    "boot_by_http",
    "boot_iso",
    "boot_pxe",
    "boot_stick",
    "compile_kernel",
    "grub_network_script",
    "grub_script",
    "make_bios_loader",
    "make_efi_image",
    "make_efi_loader",
    "missing_network_tools",
    "missing_tools",
    "tool_versions",
    "web_server",
]

Firmware: TypeAlias = Literal["bios", "uefi"]
BootModule: TypeAlias = tuple[str, int, int]  # name, size in bytes, CRC-32

EFI_IMAGE_BYTES = 1024 * 1024
HOST_ADDRESS = "10.0.2.2"
"""Where QEMU's user network has its TFTP server, and the machine it runs on."""
EXIT_DONE = 33  # isa-debug-exit makes it from the kernel's 0x10

_HERE = Path(__file__).parent
_FIXED_TIME = 1_577_836_800  # 2020-01-01: a FAT knows no time before 1980
_GRUB_LIBRARIES = (Path("/usr/lib/grub"), Path("/usr/share/grub2"), Path("/usr/share/grub"))
_IPXE_LIBRARIES = (Path("/usr/lib/ipxe/qemu"), Path("/usr/share/ipxe"), Path("/usr/share/qemu"))
# What the scripts call; grub-mkimage adds what these need.
_GRUB_MODULES = ("multiboot", "gzio", "boot", "serial", "terminal", "echo", "reboot")
_GRUB_DISC_MODULES = ("iso9660", "search_fs_file", *_GRUB_MODULES)
_GRUB_STICK_MODULES = ("fat", "part_msdos", *_GRUB_DISC_MODULES)
_GRUB_NETWORK_MODULES = ("net", "tftp", "http", *_GRUB_MODULES)
_GRUB_OPENING = ("serial --unit=0 --speed=115200", "terminal_output serial")
_GRUB_END = ("boot", "echo GRUB could not boot", "reboot", "")

REQUIRED_TOOLS = {
    "qemu-system-x86": ("qemu-system-x86_64",),
    "gcc": ("gcc",),
    "binutils": ("ld",),
    "grub-common": ("grub-mkimage", "grub2-mkimage"),
    "mtools": ("mformat",),
}
"""Debian packages and the programs they bring, by any of their names; GRUB's modules and OVMF come on top."""

# (code, variables), by distribution; where variables are None, the file holds both.
_OVMF_FILES: tuple[tuple[str, str | None], ...] = (
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    ("/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"),
    ("/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"),
    ("/usr/share/ovmf/OVMF.fd", None),
    ("/usr/share/qemu/OVMF.fd", None),
    ("/usr/share/ovmf/x64/OVMF.fd", None),
)


@dataclass(frozen=True, kw_only=True)
class BootResult:
    """What the test kernel saw.

    Attributes:
        kernel_cmdline: File name of the kernel as in boot.cfg, then ``kernelopt``.
        modules: In the order of arrival; names with their arguments, as in boot.cfg.
        loader: What the loader that started the kernel calls itself.
        accelerator: ``KVM`` or ``TCG``, from the processor's hypervisor signature.
        seconds: From the start of QEMU to its end.
        serial: All that firmware, loader and kernel wrote to COM1.
        exit_code: Of QEMU; 33 where the kernel came to its end.
    """

    kernel_cmdline: str
    modules: list[BootModule]
    loader: str
    accelerator: str
    seconds: float
    serial: str
    exit_code: int


def missing_tools() -> list[str]:
    """Return the Debian packages to install before these tests can run; empty if all is there."""
    missing = [package for package, names in REQUIRED_TOOLS.items() if not any(map(shutil.which, names))]
    platforms = {"grub-pc-bin": "i386-pc", "grub-efi-amd64-bin": "x86_64-efi"}
    missing += [package for package, platform in platforms.items() if _grub_library(platform) is None]
    if _ovmf() is None:
        missing.append("ovmf")
    return missing


def missing_network_tools() -> list[str]:
    """Return the Debian packages to install before network boots can run; empty if all is there."""
    roms = [folder / "efi-e1000.rom" for folder in _IPXE_LIBRARIES]
    missing = [*missing_tools(), *([] if any(rom.is_file() for rom in roms) else ["ipxe-qemu"])]
    return missing + missing_pxelinux()


def tool_versions() -> tuple[str, str]:
    """Return what QEMU and GRUB say of themselves."""
    program = next(filter(None, map(shutil.which, REQUIRED_TOOLS["grub-common"])))
    said = [
        subprocess.run([name, "--version"], capture_output=True, check=True).stdout.decode().splitlines()[0]
        for name in ("qemu-system-x86_64", program)
    ]
    return said[0].removeprefix("QEMU emulator version "), said[1].partition(" (GRUB) ")[2] or said[1]


def compile_kernel(work: Path) -> bytes:
    """Return the test kernel, a 32-bit ELF with a multiboot 1 header; the same bytes for the same compiler."""
    target = work / "boot_kernel.elf"
    options = (
        *("-m32", "-march=i686", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror"),
        *("-ffreestanding", "-fno-pic", "-fno-stack-protector", "-fno-asynchronous-unwind-tables"),
        *("-fcf-protection=none", "-mgeneral-regs-only", "-nostdlib", "-static", "-no-pie", "-s"),
        *("-Wl,--build-id=none", "-Wl,-z,max-page-size=4096", "-Wl,-z,noexecstack"),
    )
    script = _HERE / "boot_kernel.ld"
    _run("gcc", *options, "-T", str(script), "-o", str(target), str(_HERE / "boot_kernel.c"))
    return target.read_bytes()


def grub_script(boot_cfg_text: str) -> str:
    """Return the GRUB script that loads what ``boot_cfg_text`` names, in its order.

    Kernel and modules get their own name as first argument, as ESXi's loader does it. A
    kernel in gzip form is unpacked by GRUB; modules stay as they are on the disc. When
    loading the kernel fails, the script ends the machine instead of waiting for a person;
    a module that is not there is left out, and the list of arrivals shows it.

    Raises:
        ValueError: There is no kernel, or the prefix is an address on the network.
    """
    keys = boot_cfg_keys(boot_cfg_text)
    prefix = keys.get("prefix", "")
    if not (kernel := keys.get("kernel", "")):
        raise ValueError("boot.cfg names no kernel")
    search = f"search.file {_quoted(_disc_path(kernel, prefix=prefix))} root"
    loads = [_command(*load, path=_disc_path(load[1], prefix=prefix)) for load in _loads(keys)]
    return "\n".join([*_GRUB_OPENING, search, *loads, *_GRUB_END])


def grub_network_script(boot_cfg_text: str, *, folder: str) -> str:
    """Return the GRUB script that loads over the network what ``boot_cfg_text`` names, in its order.

    As ESXi's loader does it: without a prefix names are relative to the folder of ``boot.cfg``,
    a relative prefix to the server's root, an address is taken as it is.

    Args:
        boot_cfg_text: The whole file.
        folder: Where it stands on the TFTP server, such as ``/esxi``.

    Raises:
        ValueError: There is no kernel, or a scheme other than tftp and http.
    """
    keys = boot_cfg_keys(boot_cfg_text)
    if not keys.get("kernel", ""):
        raise ValueError("boot.cfg names no kernel")
    prefix = keys.get("prefix", "") or folder
    loads = [_command(*load, path=_network_path(load[1], prefix=prefix)) for load in _loads(keys)]
    return "\n".join([*_GRUB_OPENING, *loads, *_GRUB_END])


def make_bios_loader(script: str, work: Path) -> bytes:
    """Return the file for ``ISOLINUX.BIN``; whoever writes the ISO must put the boot-info-table into it."""
    modules = ("biosdisk", *_GRUB_DISC_MODULES)
    return _grub_image(script, work, platform="i386-pc", image_format="i386-pc-eltorito", modules=modules)


def make_efi_loader(script: str, work: Path) -> bytes:
    """Return the UEFI application that runs ``script``."""
    return _grub_image(script, work, platform="x86_64-efi", image_format="x86_64-efi", modules=_GRUB_STICK_MODULES)


def make_efi_image(script: str, work: Path) -> bytes:
    """Return the file for ``EFIBOOT.IMG``: a FAT image of 1 MiB with the loader as EFI/BOOT/BOOTX64.EFI."""
    loader = work / "BOOTX64.EFI"
    loader.write_bytes(make_efi_loader(script, work))
    os.utime(loader, (_FIXED_TIME, _FIXED_TIME))
    image = work / "efiboot.img"
    image.write_bytes(bytes(EFI_IMAGE_BYTES))
    drive = str(image)
    _run("mformat", "-i", drive, "-T", str(EFI_IMAGE_BYTES // 512), "-h", "2", "-s", "32", "-N", "e5810000", "::")
    _run("mmd", "-i", drive, "::/EFI", "::/EFI/BOOT")
    _run("mcopy", "-i", drive, "-m", str(loader), "::/EFI/BOOT/BOOTX64.EFI")
    return image.read_bytes()


def boot_iso(
    iso: Path,
    *,
    firmware: Firmware,
    work: Path,
    timeout_seconds: int = 90,
) -> BootResult:
    """Boot ``iso`` from a CD drive and return what the test kernel printed.

    Args:
        iso: Made with the loaders of this module.
        firmware: ``bios`` is SeaBIOS, ``uefi`` is OVMF.
        work: Folder for the serial log and the firmware's variables.
        timeout_seconds: For the whole boot.

    Raises:
        AssertionError: The kernel did not come to its end; the message holds the serial log.

    QEMU interprets the machine (``tcg``), which takes some 5 seconds and works everywhere;
    the environment variable ESXIMAGE_BOOT_ACCELERATOR may name another accelerator.
    """
    drive = ("-drive", f"file={_option_value(iso)},format=raw,media=cdrom,readonly=on")
    options = ("-boot", "d,reboot-timeout=1", *drive)
    return _boot(options, firmware=firmware, work=work, timeout_seconds=timeout_seconds, where=str(iso))


def boot_stick(
    image: Path,
    *,
    firmware: Firmware,
    work: Path,
    timeout_seconds: int = 120,
) -> BootResult:
    """Boot an image from a USB stick that holds its bytes, and return what the test kernel printed.

    Args:
        image: A disc or a stick image made with the loaders of this module.
        firmware: As ``boot_iso``.
        work: As ``boot_iso``.
        timeout_seconds: For the whole boot.

    Raises:
        AssertionError: The kernel did not come to its end; the message holds the serial log.
    """
    options = (
        *("-device", "qemu-xhci", "-drive", f"if=none,id=stick,file={_option_value(image)},format=raw,readonly=on"),
        *("-device", "usb-storage,drive=stick,bootindex=1", "-boot", "reboot-timeout=1"),
    )
    return _boot(options, firmware=firmware, work=work, timeout_seconds=timeout_seconds, where=str(image))


def boot_pxe(
    tree: Path,
    *,
    firmware: Firmware,
    work: Path,
    folder: str = "/",
    through_ipxe: bool = False,
    with_pxelinux: bool = True,
    timeout_seconds: int = 120,
) -> BootResult:
    """Boot a network boot tree from QEMU's own TFTP server and return what the test kernel printed.

    The firmware gets ``pxelinux.0`` or ``mboot.efi`` as its boot file. ``mboot.efi`` is GRUB in the copy that is
    served; PXELINUX and its modules are put beside the tree's files, and every other file is the tree's own.

    Args:
        tree: A folder with ``boot.cfg`` and both loaders.
        firmware: ``bios`` is SeaBIOS with iPXE's code for the network card, ``uefi`` is OVMF with
            its own network stack. With a BIOS the names of modules come without prefix, and what PXELINUX
            says of the network card (``BOOTIF=``) is left out.
        work: Folder for the copy (``tftp``), the serial log and the firmware's variables.
        folder: Where the tree stands on the server.
        through_ipxe: Have iPXE run ``boot.ipxe`` instead, which chooses the loader.
        with_pxelinux: Put PXELINUX beside the files, which the library cannot.
        timeout_seconds: For the whole boot.

    Raises:
        AssertionError: The kernel did not come to its end, or the tree lacks a loader.
    """
    root = work / "tftp"
    shutil.rmtree(root, ignore_errors=True)
    served = root / folder.strip("/")
    shutil.copytree(tree, served)
    boot_cfg = (served / "boot.cfg").read_text(encoding="utf-8")
    if firmware == "bios":
        if with_pxelinux:
            put_pxelinux(served)
    else:
        assert (served / "mboot.efi").is_file(), f"{tree} has no mboot.efi"
        (served / "mboot.efi").write_bytes(_make_efi_network_loader(grub_network_script(boot_cfg, folder=folder), work))
    loader = "pxelinux.0" if firmware == "bios" else "mboot.efi"
    file = f"/{folder.strip('/')}/{'boot.ipxe' if through_ipxe else loader}".replace("//", "/")
    card = "virtio-net-pci,romfile=" if firmware == "uefi" and not through_ipxe else "e1000,romfile=efi-e1000.rom"
    options = (
        *("-netdev", f"user,id=n0,tftp={_option_value(root)},bootfile={file}"),
        *("-device", f"{card},netdev=n0,bootindex=1"),
        *("-boot", "reboot-timeout=1", "-device", "virtio-rng-pci"),  # newer OVMF has no network without random numbers
    )
    result = _boot(options, firmware=firmware, work=work, timeout_seconds=timeout_seconds, where=str(tree))
    return _without_prefix(result, prefix_of(boot_cfg)) if firmware == "bios" else result


def boot_by_http(served: Path, *, address: str, folder: str, work: Path, timeout_seconds: int = 120) -> BootResult:
    """Boot a network boot tree by UEFI HTTP Boot and return what the test kernel printed.

    The firmware has the address of ``mboot.efi`` in its settings. GRUB in its place asks for an address once more.

    Args:
        served: Where the tree stands that the web server serves; its ``mboot.efi`` becomes GRUB.
        address: Of the web server.
        folder: Where the tree stands on it.
        work: As ``boot_iso``.
        timeout_seconds: For the whole boot.

    Raises:
        AssertionError: The kernel did not come to its end, or the tree lacks a loader.
    """
    place = f"{address}/{folder.strip('/')}"
    script = grub_network_script((served / "boot.cfg").read_text(encoding="utf-8"), folder=place)
    assert (served / "mboot.efi").is_file(), f"{served} has no mboot.efi"
    (served / "mboot.efi").write_bytes(_make_efi_network_loader(f"net_dhcp\n{script}", work))
    options = (
        *("-netdev", "user,id=n0", "-device", "virtio-net-pci,romfile=,netdev=n0"),
        *("-boot", "reboot-timeout=1", "-device", "virtio-rng-pci"),
    )
    where = f"{served} by HTTP Boot"
    loaded = f"{place}/mboot.efi"
    return _boot(options, firmware="uefi", work=work, timeout_seconds=timeout_seconds, where=where, loaded=loaded)


def _without_prefix(result: BootResult, prefix: str) -> BootResult:
    def plain(text: str) -> str:
        words = [word for word in text.split(" ") if not word.startswith("BOOTIF=")]
        return " ".join(words).removeprefix(prefix)

    modules = [(plain(name), size, crc) for name, size, crc in result.modules]
    return replace(result, kernel_cmdline=plain(result.kernel_cmdline), modules=modules)


@contextlib.contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """Serve a folder by HTTP and give its address as the machine in QEMU sees it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the library has
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{HOST_ADDRESS}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _boot(
    options: tuple[str, ...], *, firmware: Firmware, work: Path, timeout_seconds: int, where: str, loaded: str = ""
) -> BootResult:
    accelerator = os.environ.get("ESXIMAGE_BOOT_ACCELERATOR", "tcg")
    log, firmware_log = work / f"serial-{firmware}.log", work / f"firmware-{firmware}.log"
    for old in (log, firmware_log):
        old.unlink(missing_ok=True)
    command = [
        *("qemu-system-x86_64", "-accel", accelerator, "-machine", "q35", "-m", "512"),
        *("-display", "none", "-nodefaults", "-no-reboot", "-serial", f"file:{log}"),
        *("-debugcon", f"file:{firmware_log}", "-global", "isa-debugcon.iobase=0x402"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", *options),
        *(_ovmf_options(work, loaded) if firmware == "uefi" else ()),
    ]
    started = time.monotonic()
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_seconds, check=False
        )
        exit_code, said = done.returncode, done.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired:
        exit_code, said = -1, f"stopped after {timeout_seconds} seconds"
    seconds = time.monotonic() - started
    serial = log.read_text(encoding="ascii", errors="replace") if log.exists() else ""
    said += firmware_log.read_text(encoding="ascii", errors="replace") if firmware_log.exists() else ""
    return _boot_result(serial, exit_code=exit_code, seconds=seconds, where=f"{where} under {firmware}", said=said)


def _option_value(path: Path) -> str:
    """Return ``path`` as one value of a ``-drive`` list, where a comma ends a value."""
    return str(path).replace(",", ",,")


def _boot_result(serial: str, *, exit_code: int, seconds: float, where: str, said: str) -> BootResult:
    lines = serial.replace("\r", "").split("\n")
    found = [m for line in lines if (m := re.fullmatch(r"MODULE (\d+) (.*) (\d+) ([0-9a-f]{8})", line))]
    kernel = [line.removeprefix("KERNEL ") for line in lines if line.startswith("KERNEL ")]
    loader = [line.removeprefix("LOADER ") for line in lines if line.startswith("LOADER ")]
    accelerator = [line.removeprefix("ACCEL ") for line in lines if line.startswith("ACCEL ")]
    complete = exit_code == EXIT_DONE and f"DONE {len(found)}" in lines and len(kernel) == 1
    if not complete or [int(m[1]) for m in found] != list(range(len(found))):
        report = f"QEMU ended with {exit_code}\n-- QEMU and firmware:\n{said}\n-- serial log:\n{serial}"
        raise AssertionError(f"{where}: the test kernel did not end well; {report}")
    return BootResult(
        kernel_cmdline=kernel[0],
        modules=[(m[2], int(m[3]), int(m[4], 16)) for m in found],
        loader="".join(loader).strip(),
        accelerator="".join(accelerator)[:3],
        seconds=seconds,
        serial=serial,
        exit_code=exit_code,
    )


def _disc_path(name: str, *, prefix: str) -> str:
    if "://" in prefix:
        raise ValueError(f"no path on a disc: prefix={prefix}")
    return name if name.startswith("/") else f"/{prefix.strip('/')}/{name}".replace("//", "/")


def _network_path(name: str, *, prefix: str) -> str:
    """Return a file on a server as GRUB names it: ``(tftp,10.0.2.2)/esxi/b.b00``."""
    scheme, _, rest = prefix.rpartition("://")
    if scheme not in ("", "tftp", "http"):
        raise ValueError(f"GRUB cannot load from prefix={prefix}")
    server, slash, path = rest.partition("/") if scheme else (HOST_ADDRESS, "/", prefix)
    path = name if name.startswith("/") else f"{slash}{path}/{name}"
    return f"({scheme or 'tftp'},{server}){re.sub('/+', '/', f'/{path}')}"


def _loads(keys: dict[str, str]) -> list[tuple[str, str, str]]:
    """Return GRUB's command, name and arguments for the kernel and every module."""
    kernel, *modules = boot_loads(keys)
    return [("multiboot", *kernel), *(("module --nounzip", *module) for module in modules)]


def _command(verb: str, name: str, arguments: str, *, path: str) -> str:
    return " ".join([verb, *map(_quoted, [path, name, *arguments.split()])])


def _quoted(word: str) -> str:
    """Return ``word`` so that GRUB's simple parser reads it unchanged."""
    if re.fullmatch(r"[\w./:=,+-]+", word, re.ASCII):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def _grub_library(platform: str) -> Path | None:
    folders = [library / platform for library in _GRUB_LIBRARIES]
    return next((folder for folder in folders if (folder / "multiboot.mod").is_file()), None)


def _make_efi_network_loader(script: str, work: Path) -> bytes:
    modules = ("efinet", *_GRUB_NETWORK_MODULES)
    return _grub_image(script, work, platform="x86_64-efi", image_format="x86_64-efi", modules=modules)


def _grub_image(script: str, work: Path, *, platform: str, image_format: str, modules: tuple[str, ...]) -> bytes:
    config = work / f"grub-{platform}.cfg"
    config.write_text(script, encoding="utf-8")
    target = work / f"grub-{platform}.img"
    program = next(filter(None, map(shutil.which, REQUIRED_TOOLS["grub-common"])))
    folder = ("-d", str(_grub_library(platform)), "-O", image_format)
    _run(program, *folder, "-p", "/", "-c", str(config), "-o", str(target), *modules)
    return target.read_bytes()


def _ovmf() -> tuple[Path, Path | None] | None:
    pairs = [(Path(code), None if variables is None else Path(variables)) for code, variables in _OVMF_FILES]
    return next((p for p in pairs if p[0].is_file() and (p[1] is None or p[1].is_file())), None)


def _ovmf_options(work: Path, loaded: str) -> tuple[str, ...]:
    """Return OVMF with fresh variables; with an address to load, it is tried first."""
    files = _ovmf()
    assert files is not None, "no OVMF found: install the package ovmf"
    code, variables = files
    if variables is None:
        assert not loaded, f"HTTP Boot needs the variables of OVMF in a file of their own, unlike {code}"
        return ("-bios", str(code))
    copy = work / "ovmf-variables.fd"
    fresh = variables.read_bytes()
    copy.write_bytes(with_http_boot(fresh, loaded) if loaded else fresh)
    drives = (f"unit=0,readonly=on,file={code}", f"unit=1,file={_option_value(copy)}")
    return tuple(part for drive in drives for part in ("-drive", f"if=pflash,format=raw,{drive}"))


def _run(*command: str) -> None:
    """Run a tool with a fixed clock, so that the same input gives the same bytes."""
    fixed = {"SOURCE_DATE_EPOCH": str(_FIXED_TIME), "TZ": "UTC", "LC_ALL": "C", "MTOOLSRC": os.devnull}
    done = subprocess.run(command, env=os.environ | fixed, capture_output=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.decode(errors='replace')}"
