"""The ISO boots, with BIOS and with UEFI, and every module arrives byte for byte and in order.

One boot for each firmware, and the newest layout with a kickstart file; ``test_boot_matrix.py``
has all generations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import boot_harness
from support.bootable_images import KICKSTART, arrivals_from_disc, bootable_iso, read_from

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.boot,
    pytest.mark.skipif(
        bool(boot_harness.missing_tools()), reason=f"boot tests need: {', '.join(boot_harness.missing_tools())}"
    ),
]

VERSION = "7.0.3-0.55.20328353"
NEWEST = "9.0.2-0.25148076"


@pytest.fixture(scope="module")
def plain_iso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bootable_iso(tmp_path_factory.mktemp("boot"), VERSION)


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_every_module_of_boot_cfg_arrives(plain_iso: Path, firmware: boot_harness.Firmware, tmp_path: Path) -> None:
    expected = arrivals_from_disc(plain_iso)

    result = boot_harness.boot_iso(plain_iso, firmware=firmware, work=tmp_path)

    assert len(expected) > 12
    assert result.modules == expected
    assert result.kernel_cmdline == "/b.b00 cdromBoot runweasel"


def without_boot_catalog(iso: Path) -> bytes:
    """The disc with a boot record that names no standard and no catalog."""
    data = bytearray(iso.read_bytes())
    start = 17 * 2048
    assert data[start + 7 : start + 16] == b"EL TORITO"
    data[start + 7 : start + 75] = bytes(68)
    return bytes(data)


def test_the_disc_boots_as_a_stick_by_its_partition_alone(plain_iso: Path, tmp_path: Path) -> None:
    """Some firmware looks for the boot catalog of discs on sticks too: it is destroyed here."""
    stick = tmp_path / "stick.img"
    stick.write_bytes(without_boot_catalog(plain_iso))

    result = boot_harness.boot_stick(stick, firmware="uefi", work=tmp_path)

    assert result.modules == arrivals_from_disc(plain_iso)


def test_without_partition_and_boot_catalog_no_stick_boots(plain_iso: Path, tmp_path: Path) -> None:
    """The test above shows something: what it relies on is the partition."""
    stick = tmp_path / "stick.img"
    stick.write_bytes(bytes(512) + without_boot_catalog(plain_iso)[512:])

    with pytest.raises(AssertionError, match="did not end well"):
        boot_harness.boot_stick(stick, firmware="uefi", work=tmp_path, timeout_seconds=25)


def test_a_bios_goes_on_to_the_next_device(plain_iso: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="No bootable device"):
        boot_harness.boot_stick(plain_iso, firmware="bios", work=tmp_path, timeout_seconds=25)


def test_the_newest_layout_boots_with_its_kickstart_file(tmp_path: Path) -> None:
    iso = bootable_iso(tmp_path, NEWEST, kickstart=KICKSTART)

    result = boot_harness.boot_iso(iso, firmware="uefi", work=tmp_path)

    assert result.modules == arrivals_from_disc(iso)
    assert [name for name, _, _ in result.modules[-5:]] == [
        "/imgdb.tgz", "/basemisc.tgz", "/resvibs.tgz", "/esxiodpt.tgz", "/imgpayld.tgz",
    ]  # fmt: skip
    assert result.kernel_cmdline == "/b.b00 runweasel cdromBoot ks=cdrom:/KS_CUST.CFG"
    assert read_from(iso, "KS_CUST.CFG") == KICKSTART
