"""Every medium that the library writes, booted in QEMU: what arrived, what should have, and which loader ran.

``test_boot_matrix.py`` boots all generations, ``test_boot_media.py`` one.
"""

from __future__ import annotations

import shutil
import urllib.request
from typing import TYPE_CHECKING, Final, final

import attrs
import pytest
from support import boot_harness
from support.bootable_images import (
    KICKSTART,
    arrivals_from_disc,
    arrivals_from_stick,
    arrivals_from_tree,
    bootable_iso,
    bootable_stick,
    network_tree,
    read_from,
    read_from_stick,
    unpacked_arrivals,
)
from support.syslinux_loaders import missing_syslinux, put_syslinux

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.boot_harness import BootModule, BootResult, Firmware

__all__ = [
    "GENERATIONS",
    "MEDIA",
    "REFUSALS",
    "Boot",
    "Medium",
    "Refusal",
    "boot_medium",
    "disc_without_partition",
    "missing_media_tools",
    "require_all_arrived",
    "require_no_boot",
]

_KERNEL_OPTIONS = {"6": "cdromBoot runweasel", "7": "cdromBoot runweasel", "8": "runweasel cdromBoot"}
_SHORT_TAIL = ("imgdb.tgz", "imgpayld.tgz")
_MIDDLE_TAIL = ("imgdb.tgz", "basemisc.tgz", "resvibs.tgz", "imgpayld.tgz")
_LONG_TAIL = ("imgdb.tgz", "basemisc.tgz", "resvibs.tgz", "esxiodpt.tgz", "imgpayld.tgz")
GENERATIONS: Final = {
    "6.7.0-0.0.8169922": _SHORT_TAIL,
    "7.0.0-1.0.15843807": _SHORT_TAIL,
    "7.0.1-0.0.16850804": _SHORT_TAIL,
    "7.0.2-0.0.17867351": _MIDDLE_TAIL,
    "7.0.3-0.55.20328353": _MIDDLE_TAIL,
    "8.0.3-0.0.24022510": _LONG_TAIL,
    "9.0.2-0.25148076": _LONG_TAIL,
}
"""Versions, with the archives at the end of ``modules=``."""
_OUTSIDE = "http://server/ks.cfg"
_HOST_MAC = "52:54:00:12:34:56"
"""That of QEMU's network card."""
_HOST_OPTION = "netdevice=vmnic0"
_FOLDER = "/esxi"
_BOOT_RECORD = 17 * 2048


@final
@attrs.frozen(kw_only=True)
class Boot:
    """What arrived, and what should have."""

    result: BootResult
    modules: list[BootModule]
    kernel_cmdline: str


@final
@attrs.frozen
class Medium:
    """A way to boot.

    Attributes:
        name: As it stands in the log.
        firmware: What starts it.
        boot: Makes an image of a version in a folder and boots it.
        loader: How the loader that starts the kernel calls itself, at its beginning.
        is_short: Booted in every run of the tests, not by ``make boot-all`` alone: each medium is.
    """

    name: str
    firmware: Firmware
    boot: Callable[[str, Firmware, Path], Boot]
    loader: str
    is_short: bool = True

    def __str__(self) -> str:
        return f"{self.name}, {self.firmware}"


def missing_media_tools() -> list[str]:
    """Return the Debian packages to install before all media can be booted; empty if all is there."""
    return sorted({*boot_harness.missing_network_tools(), *missing_syslinux()})


def _disc(version: str, firmware: Firmware, work: Path) -> Boot:
    iso = bootable_iso(work, version, kickstart=KICKSTART)
    assert read_from(iso, "KS_CUST.CFG") == KICKSTART
    stock = _KERNEL_OPTIONS.get(version[0], "runweasel cdromBoot")
    return Boot(
        result=boot_harness.boot_iso(iso, firmware=firmware, work=work),
        modules=arrivals_from_disc(iso),
        kernel_cmdline=f"/b.b00 {stock} ks=cdrom:/KS_CUST.CFG",
    )


def _disc_on_stick(version: str, firmware: Firmware, work: Path) -> Boot:
    """Without its boot catalog, which some firmware looks for on sticks too: by the partition alone."""
    iso = bootable_iso(work, version, kickstart_address=_OUTSIDE)
    expected = arrivals_from_disc(iso)
    _destroy_boot_catalog(iso)
    stock = _KERNEL_OPTIONS.get(version[0], "runweasel cdromBoot")
    return Boot(
        result=boot_harness.boot_stick(iso, firmware=firmware, work=work),
        modules=expected,
        kernel_cmdline=f"/b.b00 {stock} ks={_OUTSIDE}",
    )


def _destroy_boot_catalog(iso: Path) -> None:
    """Have the boot record name no standard and no catalog."""
    start, mark = _BOOT_RECORD + 7, b"EL TORITO SPECIFICATION"
    with iso.open("r+b") as file:
        file.seek(start)
        assert file.read(len(mark)) == mark
        file.seek(start)
        file.write(bytes(68))


def _stick(version: str, firmware: Firmware, work: Path) -> Boot:
    stick = bootable_stick(work, version, kickstart=KICKSTART)
    assert read_from_stick(stick, "KS_CUST.CFG") == KICKSTART
    if firmware == "bios":
        modules = unpacked_arrivals(stick)
        put_syslinux(stick, read_from_stick(stick, "BOOT.CFG").decode(), work)
    else:
        modules = arrivals_from_stick(stick)
    return Boot(
        result=boot_harness.boot_stick(stick, firmware=firmware, work=work),
        modules=modules,
        kernel_cmdline="/b.b00 runweasel ks=usb:/KS_CUST.CFG",
    )


def _tftp(version: str, firmware: Firmware, work: Path) -> Boot:
    """With a path as prefix, and a host with an option of its own, whose file PXELINUX finds by the MAC address."""
    tree = network_tree(work, version, prefix=_FOLDER, kickstart_address=_OUTSIDE, hosts={_HOST_MAC: _HOST_OPTION})
    result = boot_harness.boot_pxe(tree, firmware=firmware, work=work, folder=_FOLDER)
    own = f" {_HOST_OPTION}" if firmware == "bios" else ""
    return Boot(
        result=result,
        modules=_network_arrivals(tree, firmware),
        kernel_cmdline=f"b.b00 runweasel ks={_OUTSIDE}{own}",
    )


def _ipxe(version: str, firmware: Firmware, work: Path) -> Boot:
    """Without prefix, the kickstart file elsewhere."""
    tree = network_tree(work, version, kickstart_address=_OUTSIDE)
    result = boot_harness.boot_pxe(tree, firmware=firmware, work=work, folder=_FOLDER, through_ipxe=True)
    return Boot(
        result=result, modules=_network_arrivals(tree, firmware), kernel_cmdline=f"b.b00 runweasel ks={_OUTSIDE}"
    )


def _ipxe_to_web(version: str, firmware: Firmware, work: Path) -> Boot:
    """With an address as prefix, and the kickstart file below it."""
    served = work / "served"
    served.mkdir()
    with boot_harness.web_server(served) as address:
        prefix = f"{address}/tftp{_FOLDER}"
        tree = network_tree(work, version, prefix=prefix, kickstart=KICKSTART)
        result = boot_harness.boot_pxe(tree, firmware=firmware, work=served, folder=_FOLDER, through_ipxe=True)
        _require_kickstart(result)
    return Boot(
        result=result,
        modules=_network_arrivals(tree, firmware),
        kernel_cmdline=f"b.b00 runweasel ks={prefix}/ks_cust.cfg",
    )


def _http_boot(version: str, _firmware: Firmware, work: Path) -> Boot:
    """Without prefix; the kickstart file lies beside, and has its own address."""
    served = work / "served"
    with boot_harness.web_server(work) as address:
        place = f"{address}/served/ks_cust.cfg"
        tree = network_tree(work, version, kickstart=KICKSTART, kickstart_address=place)
        shutil.copytree(tree, served)
        result = boot_harness.boot_by_http(served, address=address, folder="served", work=work)
        _require_kickstart(result)
    return Boot(result=result, modules=arrivals_from_tree(tree), kernel_cmdline=f"b.b00 runweasel ks={place}")


def _network_arrivals(tree: Path, firmware: Firmware) -> list[BootModule]:
    return unpacked_arrivals(tree) if firmware == "bios" else arrivals_from_tree(tree)


def _require_kickstart(result: BootResult) -> None:
    """Take the kickstart file from where the kernel was told that it is."""
    address = result.kernel_cmdline.rpartition("ks=")[2].replace(boot_harness.HOST_ADDRESS, "127.0.0.1")
    with urllib.request.urlopen(address) as answer:  # noqa: S310 - our own server
        assert answer.read() == KICKSTART


MEDIA: Final = (
    Medium("ISO", "bios", _disc, "GRUB"),
    Medium("ISO", "uefi", _disc, "GRUB"),
    Medium("ISO on a stick", "uefi", _disc_on_stick, "GRUB"),
    Medium("stick", "uefi", _stick, "GRUB"),
    Medium("stick+SYSLINUX", "bios", _stick, "SYSLINUX"),
    Medium("PXE", "bios", _tftp, "PXELINUX"),
    Medium("PXE", "uefi", _tftp, "GRUB"),
    Medium("iPXE", "bios", _ipxe, "PXELINUX"),
    Medium("iPXE", "uefi", _ipxe, "GRUB", is_short=False),
    Medium("iPXE+HTTP", "bios", _ipxe_to_web, "PXELINUX", is_short=False),
    Medium("iPXE+HTTP", "uefi", _ipxe_to_web, "GRUB"),
    Medium("HTTP Boot", "uefi", _http_boot, "GRUB"),
)


def boot_medium(medium: Medium, version: str, work: Path) -> Boot:
    """Make an image of that version and boot it."""
    return medium.boot(version, medium.firmware, work)


def require_all_arrived(done: Boot, medium: Medium, version: str) -> None:
    """Compare what arrived with what should have.

    Raises:
        AssertionError: Something is missing, other than it should be, or another loader ran.
    """
    assert done.result.loader.startswith(medium.loader)
    assert done.result.modules == done.modules
    assert done.result.kernel_cmdline == done.kernel_cmdline
    names = [name.strip("/") for name, _, _ in done.modules]
    tail = GENERATIONS[version]
    assert len(names) > len(tail) + 8
    assert tuple(names[-len(tail) :]) == tail
    assert not any(name.endswith(".tgz") for name in names[: -len(tail)])


@final
@attrs.frozen
class Refusal:
    """Something that does not boot, as the library says.

    Attributes:
        name: As it stands in the log.
        boot: Makes it in a folder and tries to boot it, of that version.
        meaning: What happens instead.
        is_short: As for media.
    """

    name: str
    boot: Callable[[str, Path], object]
    meaning: str
    is_short: bool = True

    def __str__(self) -> str:
        return self.name


def _disc_on_stick_with_bios(version: str, work: Path) -> None:
    iso = bootable_iso(work, version)
    boot_harness.boot_stick(iso, firmware="bios", work=work, timeout_seconds=60)


def _stick_with_bios(version: str, work: Path) -> None:
    stick = bootable_stick(work, version)
    boot_harness.boot_stick(stick, firmware="bios", work=work, timeout_seconds=60)


def _ipxe_without_pxelinux(version: str, work: Path) -> None:
    tree = network_tree(work, version)
    boot_harness.boot_pxe(
        tree, firmware="bios", work=work, folder=_FOLDER, through_ipxe=True, with_pxelinux=False, timeout_seconds=60
    )


_NEXT = "the BIOS goes on to the next device"
REFUSALS: Final = (
    Refusal("ISO on a stick, bios", _disc_on_stick_with_bios, _NEXT),
    Refusal("stick, bios", _stick_with_bios, _NEXT),
    Refusal(
        "iPXE without `pxelinux.0`, bios",
        _ipxe_without_pxelinux,
        "`boot.ipxe` says what is missing and ends, the BIOS goes on to the next device",
        is_short=False,
    ),
)


def disc_without_partition(version: str, work: Path) -> Path:
    """A disc that has neither the partition entry nor a boot catalog, so nothing boots it from a stick."""
    iso = bootable_iso(work, version)
    _destroy_boot_catalog(iso)
    with iso.open("r+b") as file:
        file.write(bytes(512))
    return iso


def require_no_boot(refusal: Refusal, version: str, work: Path) -> None:
    """Try it, and see the firmware go on instead of hanging.

    Raises:
        AssertionError: It booted, or something else happened.
    """
    with pytest.raises(AssertionError, match="No bootable device"):
        refusal.boot(version, work)
