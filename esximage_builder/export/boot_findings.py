"""What is to be said of how something boots: which firmware and loaders can, and what a kickstart file needs.

Which loader takes which prefix follows from the boot loader's public source: over HTTP it loads only names that
are whole addresses, and it loads these only where UEFI HTTP Boot or iPXE started it.

Source: docs/formats.md#network-boot, docs/formats.md#kickstart, docs/formats.md#sticks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from esximage_builder.codes import make_finding
from esximage_builder.documents.kickstart import check_kickstart_options
from esximage_builder.documents.kickstart_address import KickstartSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from esximage_builder.export.disc_options import DiscOptions
    from esximage_builder.findings import Finding

__all__ = ["check_boot"]

_YES, _NO, _UNKNOWN = "yes", "no", "unknown"
# By what the prefix begins with: over plain TFTP, by iPXE, by UEFI HTTP Boot.
_LOADERS: Final = {
    "": (_YES, _YES, _YES),
    "path": (_YES, _UNKNOWN, _NO),
    "http": (_NO, _YES, _YES),
    "https": (_NO, _UNKNOWN, _YES),
    "tftp": (_UNKNOWN, _YES, _NO),
}
_OTHERS: Final = (_NO, _UNKNOWN, _NO)
_WHY: Final = {
    "": "names are relative to boot.cfg, so each loader goes on as it came",
    "path": "the loader takes a path on the TFTP server; over HTTP it takes whole addresses only",
    "http": "the loader speaks HTTP only where UEFI HTTP Boot or iPXE started it; over TFTP it stops with "
    "`Fatal error: 24`, and under PXELINUX with `Fatal error: 15`",
    "https": "as with http, and the loader or iPXE must know the server's certificate",
    "tftp": "the address is for iPXE; on a TFTP server take no prefix, or a path",
}


def check_boot(options: DiscOptions, on_disc: Sequence[str], *, has_efi: bool) -> Iterator[Finding]:
    """Yield what is to be said.

    Args:
        options: What the caller chose.
        on_disc: Path of every file that is written.
        has_efi: Whether the loader is there that UEFI starts from a stick.
    """
    if options.is_network:
        yield _network_loaders(options.network_prefix or "")
    else:
        yield _boots_as_stick(has_efi=has_efi and (options.with_stick or options.is_stick))
    yield from _added_options(options)
    yield from _kickstart(options, on_disc)


def _boots_as_stick(*, has_efi: bool) -> Finding:
    uefi = _YES if has_efi else _NO
    return make_finding(
        "boots-as-stick",
        f"stick: UEFI {uefi}, BIOS no",
        items=(f"UEFI {uefi}", "BIOS no"),
        facts={"uefi": uefi, "bios": _NO},
    )


def _network_loaders(prefix: str) -> Finding:
    scheme, colon, _ = prefix.partition("://")
    kind = scheme.lower() if colon else ("path" if prefix else "")
    tftp, ipxe, http_boot = _LOADERS.get(kind, _OTHERS)
    shown = f"prefix {prefix}" if prefix else "no prefix"
    return make_finding(
        "network-loaders",
        f"{shown}: TFTP {tftp}, iPXE {ipxe}, HTTP Boot {http_boot}",
        items=(f"TFTP {tftp}", f"iPXE {ipxe}", f"HTTP Boot {http_boot}"),
        facts={"prefix": prefix, "tftp": tftp, "ipxe": ipxe, "http_boot": http_boot},
        cause=_WHY.get(kind, "the boot loader does not speak this protocol; iPXE may, as it was built"),
    )


def _added_options(options: DiscOptions) -> Iterator[Finding]:
    own = (options.kernel_options, *(host.kernel_options for host in options.hosts))
    words = tuple(dict.fromkeys(word for text in own for word in text.split()))
    if words:
        yield make_finding(
            "kernel-options-added",
            f"kernel options that no stock disc has: {' '.join(words)}",
            items=words,
            cause="they were asked for",
        )


def _kickstart(options: DiscOptions, on_disc: Sequence[str]) -> Iterator[Finding]:
    """Yield what the installer needs for its kickstart file, and whether a file of a disc is there."""
    names = on_disc if options.is_disc else None
    why = "" if options.is_disc else ("a stick is no disc" if options.is_stick else "a network boot has no disc")
    place = options.kickstart_place
    if place is not None:
        yield make_finding(
            "kickstart-needs",
            f"{place.option} needs {place.needs}",
            items=(place.option,),
            facts={"address": str(place), "source": place.source.value},
        )
    if place is not None and place.source is KickstartSource.CDROM:
        yield from check_kickstart_options(place.option, has_kickstart=False, disc_names=names, why_no_disc=why)
    for text in (options.kernel_options, *(host.kernel_options for host in options.hosts)):
        has_one = place is not None and text is options.kernel_options
        yield from check_kickstart_options(text, has_kickstart=has_one, disc_names=names, why_no_disc=why)
