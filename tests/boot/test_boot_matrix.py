"""Every generation's layout boots, with both firmwares, from every medium, with a kickstart file.

Takes minutes and is run by ``make boot-all``, which keeps the log in docs/boot-matrix.md.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, final

import attrs
import pytest
from support import boot_harness
from support.boot_media import (
    GENERATIONS,
    MEDIA,
    REFUSALS,
    Medium,
    Refusal,
    boot_medium,
    disc_without_partition,
    missing_media_tools,
    require_all_arrived,
    require_no_boot,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.boot,
    pytest.mark.matrix,
    pytest.mark.skipif(
        not os.environ.get("ESXIMAGE_BOOT_ALL"), reason="ESXIMAGE_BOOT_ALL is not set; run it with `make boot-all`"
    ),
    pytest.mark.skipif(bool(missing_media_tools()), reason=f"boot tests need: {', '.join(missing_media_tools())}"),
]

LOG = Path(__file__).parents[2] / "docs" / "boot-matrix.md"
NEWEST = list(GENERATIONS)[-1]

_HEAD = """\
# Boot matrix

Written by `make boot-all`, do not edit.

Each row is one boot in QEMU: an image of that version, made in code, on that medium.
It has a kickstart file, or an address of one.
ESXi's own loaders are not free, so others run in their places.
Each row names the one that started the kernel, as it calls itself:

* GRUB is `ISOLINUX.BIN`, `EFIBOOT.IMG`, `BOOTX64.EFI` and `mboot.efi`, and loads what `boot.cfg` names.
* PXELINUX and SYSLINUX run themselves and read `pxelinux.cfg` and `SYSLINUX.CFG` as the library wrote them.
  For ESXi's `mboot.c32` stands Syslinux' program of that name, which is handed what `boot.cfg` says.
  The real `mboot.c32` needs PXELINUX or SYSLINUX 3.86.

The test kernel prints name, size and CRC-32 of every module.
A row has passed if the kernel options and every module arrived from that loader, byte for byte and in order.
ESXi itself is not started: this shows that a loader finds everything, not that an installation works.

| Medium | How it is started |
|---|---|
| ISO | from a CD drive |
| ISO on a stick | the ISO's bytes on a USB stick, without their boot catalog: by the partition entry alone |
| stick | the stick image's bytes on a USB stick |
| stick+SYSLINUX | the same, after its owner put SYSLINUX and boot code on it |
| PXE | the network card loads `pxelinux.0` or `mboot.efi` by TFTP; a path is the prefix |
| iPXE | iPXE runs `boot.ipxe` from TFTP; there is no prefix |
| iPXE+HTTP | as iPXE; the prefix is the address of a web server, and loaders and modules come from there |
| HTTP Boot | the firmware loads `mboot.efi` from a web server; there is no prefix |

With PXE and a BIOS the host has a `boot.cfg` of its own, which PXELINUX finds by the MAC address.

"""
_REFUSED = """
What does not boot, as the library says, and what happens instead, tried with the newest version:

| What | What happens |
|---|---|
"""


@final
@attrs.frozen(kw_only=True)
class Row:
    """One boot of the log."""

    version: str
    medium: Medium
    loader: str = ""
    modules: int = 0
    seconds: float = 0
    accelerator: str = ""
    result: str = "**failed**"

    def __str__(self) -> str:
        cells = (
            *(self.version, self.medium.firmware, self.medium.name, self.loader),
            *(self.modules, f"{self.seconds:.1f}", self.result),
        )
        return f"| {' | '.join(map(str, cells))} |"


@final
@attrs.define
class Log:
    """What was tried."""

    rows: list[Row] = attrs.field(factory=list)
    refused: list[str] = attrs.field(factory=list)

    @property
    def is_whole(self) -> bool:
        """True if nothing was left out."""
        return len(self.rows) == len(GENERATIONS) * len(MEDIA) and len(self.refused) == len(REFUSALS)

    def __str__(self) -> str:
        qemu, grub = boot_harness.tool_versions()
        passed = [row for row in self.rows if row.result == "passed"]
        accelerators = sorted({row.accelerator for row in self.rows if row.accelerator})
        lines = [
            f"- Date: {datetime.now(UTC):%Y-%m-%d}",
            f"- QEMU {qemu}, accelerator {', '.join(accelerators)}",
            f"- GRUB {grub}",
            f"- {len(passed)} of {len(self.rows)} boots passed, in {sum(row.seconds for row in self.rows):.0f} seconds",
            "",
            "| Version | Firmware | Medium | Loader that ran | Modules | Seconds | Result |",
            "|---|---|---|---|---|---|---|",
            *map(str, self.rows),
        ]
        return _HEAD + "\n".join(lines) + "\n" + _REFUSED + "\n".join(self.refused) + "\n"


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    """What has booted; a whole matrix is written to the page, a part of it is not."""
    found = Log()
    yield found
    if found.is_whole:
        LOG.write_text(str(found), encoding="utf-8")


@pytest.mark.parametrize("medium", MEDIA, ids=str)
@pytest.mark.parametrize("version", GENERATIONS)
def test_the_layout_boots(version: str, medium: Medium, log: Log, tmp_path: Path) -> None:
    log.rows.append(Row(version=version, medium=medium))

    done = boot_medium(medium, version, tmp_path)

    log.rows[-1] = attrs.evolve(
        log.rows[-1],
        loader=done.result.loader,
        modules=len(done.result.modules),
        seconds=done.result.seconds,
        accelerator=done.result.accelerator,
    )
    require_all_arrived(done, medium, version)
    log.rows[-1] = attrs.evolve(log.rows[-1], result="passed")


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_what_does_not_boot_does_not_hang(refusal: Refusal, log: Log, tmp_path: Path) -> None:
    require_no_boot(refusal, NEWEST, tmp_path)
    log.refused.append(f"| {refusal.name} | {refusal.meaning} |")


def test_a_disc_without_the_partition_boots_from_no_stick(tmp_path: Path) -> None:
    """What the stick rows rely on is the partition, not the boot catalog or the kindness of the firmware."""
    iso = disc_without_partition(NEWEST, tmp_path)
    with pytest.raises(AssertionError, match="did not end well"):
        boot_harness.boot_stick(iso, firmware="uefi", work=tmp_path, timeout_seconds=30)
