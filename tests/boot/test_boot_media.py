"""One generation boots from every medium, with both firmwares, and the loader that is named is the one that ran.

The short form of ``test_boot_matrix.py``, which has all generations. What only discs without a boot loader show
is there too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.boot_media import (
    MEDIA,
    REFUSALS,
    Medium,
    Refusal,
    boot_medium,
    missing_media_tools,
    require_all_arrived,
    require_no_boot,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.boot,
    pytest.mark.skipif(bool(missing_media_tools()), reason=f"boot tests need: {', '.join(missing_media_tools())}"),
]

VERSION = "9.0.2-0.25148076"


def test_every_medium_and_both_firmwares_are_among_them() -> None:
    short = [medium for medium in MEDIA if medium.is_short]
    assert {medium.name for medium in short} == {medium.name for medium in MEDIA}
    assert {medium.firmware for medium in short} == {"bios", "uefi"}


@pytest.mark.parametrize("medium", [medium for medium in MEDIA if medium.is_short], ids=str)
def test_every_module_arrives(medium: Medium, tmp_path: Path) -> None:
    """Byte for byte and in order, with the kernel options of that medium."""
    require_all_arrived(boot_medium(medium, VERSION, tmp_path), medium, VERSION)


@pytest.mark.parametrize("refusal", [refusal for refusal in REFUSALS if refusal.is_short], ids=str)
def test_what_is_said_not_to_boot_does_not_hang(refusal: Refusal, tmp_path: Path) -> None:
    require_no_boot(refusal, VERSION, tmp_path)
