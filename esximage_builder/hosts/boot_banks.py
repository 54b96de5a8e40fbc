"""The two boot banks of a host: whether an image finds room in one, and what the other keeps.

A restart writes the bank that is not in use and boots from it; the other keeps what ran before. That
is the one step back there is, and the next update overwrites it (docs/hosts.md#rollback).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from esximage_builder.models.remediation import BootBankEstimate, Rollback, Ternary
from esximage_builder.rules.boot_layout import boot_bank_bytes, boot_modules
from esximage_builder.rules.diff import Impact

if TYPE_CHECKING:
    from esximage_builder.models.host import Host
    from esximage_builder.models.image import Image
    from esximage_builder.versions import BaseImageVersion

__all__ = ["BootBankNeed", "judge_rollback"]

_NEW_LAYOUT_FROM = 7
"""Major release from which disks are laid out anew, so that an older one does not boot from them any more."""


@final
class BootBankNeed:
    """What an image needs of a boot bank, worked out once for any number of hosts.

    Args:
        image: The image.
    """

    def __init__(self, image: Image) -> None:
        self._needed_bytes = boot_bank_bytes(image)
        modules = boot_modules(image, with_tools=False)
        self._is_lower_bound = any(module.payload.size_bytes is None for module in modules)

    def estimate(self, available: int | None) -> BootBankEstimate:
        """Say whether the modules of the image find room in a boot bank of that size."""
        verdict, reason = _verdict(self._needed_bytes, available, is_lower_bound=self._is_lower_bound)
        return BootBankEstimate(
            verdict=verdict, needed_bytes=self._needed_bytes, available_bytes=available, reason=reason
        )


def _verdict(needed: int, available: int | None, *, is_lower_bound: bool) -> tuple[Ternary, str]:
    if available is None:
        return Ternary.UNKNOWN, "the host's facts do not say how large a boot bank is"
    if needed > available:
        return Ternary.NO, "the image's modules alone are larger; configuration and archives of the host come on top"
    if is_lower_bound:
        return Ternary.UNKNOWN, "the size of some modules is not stated"
    return Ternary.YES, "the image's modules find room; configuration and archives of the host come on top"


def judge_rollback(image: Image, host: Host, impact: Impact) -> Rollback:
    """Say what way back is left once a host has the image.

    Args:
        image: What it shall have.
        host: As it is now.
        impact: What it goes through.
    """
    if impact is not Impact.REBOOT_REQUIRED:
        reason = "without a restart no boot bank keeps what ran before; whether one does is not publicly known"
        return Rollback(verdict=Ternary.UNKNOWN, reason=reason, levels=0)
    if host.base_image is None:
        reason = "the other boot bank keeps what runs now, whose version the inventory does not tell" + _ONE_LEVEL
        return Rollback(verdict=Ternary.UNKNOWN, reason=reason)
    if _is_laid_out_anew(host.base_image, image.esxi_version):
        reason = f"an upgrade to {_NEW_LAYOUT_FROM}.0 or later lays the disk out anew: there is no way back from it"
        return Rollback(verdict=Ternary.NO, reason=reason, levels=0)
    reason = f"the other boot bank keeps ESXi {host.base_image} as it is now, instead of what it holds" + _ONE_LEVEL
    return Rollback(verdict=Ternary.YES, version=host.base_image.text, reason=reason)


_ONE_LEVEL = "; that is one level, and the next update overwrites it"


def _is_laid_out_anew(before: BaseImageVersion, after: BaseImageVersion | None) -> bool:
    return after is not None and before.major < _NEW_LAYOUT_FROM <= after.major
