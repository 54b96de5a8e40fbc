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


def test_the_newest_layout_boots_with_its_kickstart_file(tmp_path: Path) -> None:
    iso = bootable_iso(tmp_path, NEWEST, kickstart=KICKSTART)

    result = boot_harness.boot_iso(iso, firmware="uefi", work=tmp_path)

    assert result.modules == arrivals_from_disc(iso)
    assert [name for name, _, _ in result.modules[-5:]] == [
        "/imgdb.tgz", "/basemisc.tgz", "/resvibs.tgz", "/esxiodpt.tgz", "/imgpayld.tgz",
    ]  # fmt: skip
    assert result.kernel_cmdline == "/b.b00 runweasel cdromBoot ks=cdrom:/KS_CUST.CFG"
    assert read_from(iso, "KS_CUST.CFG") == KICKSTART
