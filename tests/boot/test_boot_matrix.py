"""Every generation's layout boots, with both firmwares, from every medium, with a kickstart file.

Takes minutes and is run by ``make boot-all``, which keeps the log in docs/boot-matrix.md.
"""

from __future__ import annotations

import os
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, final

import attrs
import pytest
from support import boot_harness
from support.bootable_images import (
    KICKSTART,
    arrivals_from_disc,
    arrivals_from_tree,
    bootable_iso,
    network_tree,
    read_from,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

Medium: TypeAlias = Literal["ISO", "PXE", "iPXE", "iPXE+HTTP"]

pytestmark = [
    pytest.mark.boot,
    pytest.mark.matrix,
    pytest.mark.skipif(
        not os.environ.get("ESXIMAGE_BOOT_ALL"), reason="ESXIMAGE_BOOT_ALL is not set; run it with `make boot-all`"
    ),
    pytest.mark.skipif(
        bool(boot_harness.missing_network_tools()),
        reason=f"boot tests need: {', '.join(boot_harness.missing_network_tools())}",
    ),
]

LOG = Path(__file__).parents[2] / "docs" / "boot-matrix.md"
FIRMWARES: tuple[boot_harness.Firmware, ...] = ("bios", "uefi")
MEDIA: tuple[Medium, ...] = ("ISO", "PXE", "iPXE", "iPXE+HTTP")
KERNEL_OPTIONS = {"6": "cdromBoot runweasel", "7": "cdromBoot runweasel", "8": "runweasel cdromBoot"}
SHORT_TAIL = ("imgdb.tgz", "imgpayld.tgz")
MIDDLE_TAIL = ("imgdb.tgz", "basemisc.tgz", "resvibs.tgz", "imgpayld.tgz")
LONG_TAIL = ("imgdb.tgz", "basemisc.tgz", "resvibs.tgz", "esxiodpt.tgz", "imgpayld.tgz")
GENERATIONS = {
    "6.7.0-0.0.8169922": SHORT_TAIL,
    "7.0.0-1.0.15843807": SHORT_TAIL,
    "7.0.1-0.0.16850804": SHORT_TAIL,
    "7.0.2-0.0.17867351": MIDDLE_TAIL,
    "7.0.3-0.55.20328353": MIDDLE_TAIL,
    "8.0.3-0.0.24022510": LONG_TAIL,
    "9.0.2-0.25148076": LONG_TAIL,
}

_HEAD = """\
# Boot matrix

Written by `make boot-all`, do not edit.

Each row is one boot in QEMU: an image of that version, made in code, as a disc or network boot tree.
Each has a kickstart file, or an option that points to one.
GRUB stands in the place of ESXi's loaders and loads what `boot.cfg` names.
The test kernel prints name, size and CRC-32 of every module.
A row has passed if the kernel options and every module arrived, byte for byte and in order.
The real `mboot.c32` is no boot file for a network card: with BIOS, PXELINUX or iPXE starts it.
ESXi itself is not started: this shows that a loader finds everything, not that an installation works.

| Medium | How it is started |
|---|---|
| ISO | from a CD drive |
| PXE | the network card loads `mboot.c32` or `mboot.efi` by TFTP itself; `boot.cfg` has a path as prefix |
| iPXE | iPXE runs `boot.ipxe` from TFTP; `boot.cfg` has no prefix |
| iPXE+HTTP | as iPXE; `boot.cfg` has the address of a web server as prefix, and loaders and modules come from there |

"""


@final
@attrs.frozen(kw_only=True)
class Row:
    """One boot of the log."""

    version: str
    firmware: str
    medium: str
    modules: int
    seconds: float
    accelerator: str
    result: str

    def __str__(self) -> str:
        cells = (self.version, self.firmware, self.medium, self.modules, f"{self.seconds:.1f}", self.result)
        return f"| {' | '.join(map(str, cells))} |"


@pytest.fixture(scope="module")
def rows() -> Iterator[list[Row]]:
    """What has booted; a whole matrix is written to the log, a part of it is not."""
    found: list[Row] = []
    yield found
    if len(found) == len(GENERATIONS) * len(FIRMWARES) * len(MEDIA):
        LOG.write_text(rendered(found), encoding="utf-8")


def rendered(rows: list[Row]) -> str:
    qemu, grub = boot_harness.tool_versions()
    passed = [row for row in rows if row.result == "passed"]
    lines = [
        f"- Date: {datetime.now(UTC):%Y-%m-%d}",
        f"- QEMU {qemu}, accelerator {', '.join(sorted({row.accelerator for row in rows if row.accelerator}))}",
        f"- GRUB {grub}",
        f"- {len(passed)} of {len(rows)} boots passed, in {sum(row.seconds for row in rows):.0f} seconds",
        "",
        "| Version | Firmware | Medium | Modules | Seconds | Result |",
        "|---|---|---|---|---|---|",
        *map(str, rows),
    ]
    return _HEAD + "\n".join(lines) + "\n"


@final
@attrs.frozen(kw_only=True)
class Boot:
    """What arrived, and what should have."""

    result: boot_harness.BootResult
    modules: list[boot_harness.BootModule]
    kernel_cmdline: str


def boot(version: str, firmware: boot_harness.Firmware, medium: Medium, work: Path) -> Boot:
    stock = KERNEL_OPTIONS.get(version[0], "runweasel cdromBoot")
    if medium == "ISO":
        iso = bootable_iso(work, version, kickstart=KICKSTART)
        assert read_from(iso, "KS_CUST.CFG") == KICKSTART
        return Boot(
            result=boot_harness.boot_iso(iso, firmware=firmware, work=work),
            modules=arrivals_from_disc(iso),
            kernel_cmdline=f"/b.b00 {stock} ks=cdrom:/KS_CUST.CFG",
        )
    if medium == "iPXE+HTTP":
        return boot_by_http(version, firmware, work)
    option = f"ks=http://{boot_harness.HOST_ADDRESS}/ks.cfg"
    tree = network_tree(work, version, prefix="/esxi" if medium == "PXE" else "", kernel_options=option)
    result = boot_harness.boot_pxe(tree, firmware=firmware, work=work, folder="/esxi", through_ipxe=medium == "iPXE")
    return Boot(result=result, modules=arrivals_from_tree(tree), kernel_cmdline=f"b.b00 runweasel {option}")


def boot_by_http(version: str, firmware: boot_harness.Firmware, work: Path) -> Boot:
    served = work / "served"
    served.mkdir()
    with boot_harness.web_server(served) as address:
        tree = network_tree(work, version, prefix=f"{address}/tftp/esxi", kickstart=KICKSTART)
        result = boot_harness.boot_pxe(tree, firmware=firmware, work=served, folder="/esxi", through_ipxe=True)
        option = result.kernel_cmdline.rpartition("ks=")[2]
        here = option.replace(boot_harness.HOST_ADDRESS, "127.0.0.1")
        with urllib.request.urlopen(here) as answer:  # noqa: S310 - our own server
            assert answer.read() == KICKSTART
    return Boot(
        result=result,
        modules=arrivals_from_tree(tree),
        kernel_cmdline=f"b.b00 runweasel ks={address}/tftp/esxi/ks_cust.cfg",
    )


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("firmware", FIRMWARES)
@pytest.mark.parametrize("version", GENERATIONS)
def test_the_layout_boots(
    version: str, firmware: boot_harness.Firmware, medium: Medium, rows: list[Row], tmp_path: Path
) -> None:
    row = Row(
        version=version, firmware=firmware, medium=medium, modules=0, seconds=0, accelerator="", result="**failed**"
    )
    rows.append(row)

    done = boot(version, firmware, medium, tmp_path)

    rows[-1] = attrs.evolve(
        row,
        modules=len(done.result.modules),
        seconds=done.result.seconds,
        accelerator=done.result.accelerator,
    )
    names = [name.strip("/") for name, _, _ in done.modules]
    assert done.result.modules == done.modules
    assert done.result.kernel_cmdline == done.kernel_cmdline
    assert tuple(names[-len(GENERATIONS[version]) :]) == GENERATIONS[version]
    assert not any(name.endswith(".tgz") for name in names[: -len(GENERATIONS[version])])
    rows[-1] = attrs.evolve(rows[-1], result="passed")
