"""What the caller may choose about what boots: a disc, a stick or a network boot tree.

Source: docs/formats.md#kickstart, docs/formats.md#network-boot.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.disc_files import KICKSTART_FILE
from esximage_builder.documents.kickstart_address import (
    KickstartAddress,
    KickstartSource,
)
from esximage_builder.errors import ModelError
from esximage_builder.models.fields import as_tuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DiscOptions", "NetworkHost", "address_of", "checked_prefix", "hosts_of"]

_KICKSTART_SERVERS = ("http://", "https://", "ftp://")
_HARDWARE_ETHERNET = "01"
_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}")


def _require_plain(_: object, __: object, options: str) -> None:
    """Refuse what a loader would cut the options at, or print as it is."""
    wrong = sorted({letter for letter in options if not (letter.isprintable() or letter.isspace())})
    if wrong:
        raise ModelError(
            "the kernel options hold characters that no boot loader takes",
            found=", ".join(map(repr, wrong))[:80],
            expected="printable characters",
            hint="type the options anew: something invisible came along when they were copied",
        )


@final
@attrs.frozen(kw_only=True)
class NetworkHost:
    """One host of a network boot tree that gets kernel options of its own.

    Attributes:
        mac: Of the network card that it boots from, in lower case with colons.
        kernel_options: Appended to those of all hosts; a ``ks=`` takes the place of theirs.
    """

    mac: str
    kernel_options: str = attrs.field(default="", validator=_require_plain)

    @property
    def folder(self) -> str:
        """Where the loader looks for its ``boot.cfg``: ``01-aa-bb-cc-dd-ee-ff``."""
        return f"{_HARDWARE_ETHERNET}-{self.mac.replace(':', '-')}"


@final
@attrs.frozen(kw_only=True)
class DiscOptions:
    """What the caller may choose about a disc.

    Attributes:
        kickstart: A kickstart file for the disc; None for none.
        kickstart_address: Where the installer looks for a kickstart file; None for where ``kickstart`` is put.
        kernel_options: Appended to the stock kernel options.
        with_installer: Carry the installer and the upgrade folder; without it the disc boots
            ESXi itself, as a stateless host.
        network_prefix: For a network boot tree: what file names in ``boot.cfg`` are relative
            to; empty for the folder of ``boot.cfg``; None for a disc.
        hosts: For a network boot tree: hosts with kernel options of their own.
        with_stick: For a disc: have a partition entry, so that UEFI boots it from a stick too.
        is_stick: It is for a stick with a file system of its own, not for a disc.
    """

    kickstart: bytes | None = attrs.field(default=None, repr=False)
    kickstart_address: KickstartAddress | None = None
    kernel_options: str = attrs.field(default="", validator=_require_plain)
    with_installer: bool = True
    network_prefix: str | None = None
    hosts: tuple[NetworkHost, ...] = attrs.field(default=(), converter=as_tuple)
    with_stick: bool = True
    is_stick: bool = False

    @property
    def is_network(self) -> bool:
        """True for a network boot tree."""
        return self.network_prefix is not None

    @property
    def is_disc(self) -> bool:
        """True for a disc."""
        return not self.is_network and not self.is_stick

    @property
    def kickstart_place(self) -> KickstartAddress | None:
        """Where the installer looks for the kickstart file; None without one.

        Raises:
            ModelError: A network boot tree of which nobody knows where it will stand.
        """
        if self.kickstart is None or self.kickstart_address is not None:
            return self.kickstart_address
        if self.network_prefix is None:
            source = KickstartSource.USB if self.is_stick else KickstartSource.CDROM
            return KickstartAddress(source, f"/{KICKSTART_FILE}")
        if not self.network_prefix.startswith(_KICKSTART_SERVERS):
            raise ModelError(
                "a network boot tree with a kickstart file needs an address as prefix, or one for the file",
                found=repr(self.network_prefix),
                expected="a prefix such as http://server/esxi, or a kickstart address such as http://server/ks.cfg",
                hint="the installer cannot read it by TFTP: serve it by HTTP too, and say with the kickstart address "
                "where it is found",
            )
        scheme, _, rest = self.network_prefix.partition(":")
        return KickstartAddress(KickstartSource(scheme), f"{rest}/{KICKSTART_FILE.lower()}")


def address_of(address: KickstartAddress | str | None) -> KickstartAddress | None:
    """Return the address of a kickstart file, however it was given.

    Raises:
        ModelError: The text is none of the documented forms.
    """
    return KickstartAddress.from_text(address) if isinstance(address, str) else address


def checked_prefix(prefix: str) -> str:
    """Return the prefix without blanks around it and slashes at its end, which the loader puts itself.

    Raises:
        ModelError: It holds blanks or control characters.
    """
    text = prefix.strip()
    if any(letter.isspace() or not letter.isprintable() for letter in text):
        raise ModelError(
            "a prefix of boot.cfg cannot hold blanks or control characters",
            found=repr(prefix)[:80],
            expected="a path or an address such as http://server/esxi",
            hint="the boot loader drops them: rename the folder on the server",
        )
    return text.rstrip("/") or text[:1]


def hosts_of(hosts: Mapping[str, str], *, prefix: str) -> tuple[NetworkHost, ...]:
    """Return the hosts with options of their own, in the order of their addresses.

    Args:
        hosts: Kernel options by MAC address, with colons or dashes.
        prefix: Of the tree.

    Raises:
        ModelError: An address is none or stands there twice, or the tree has no prefix.
    """
    found: dict[str, NetworkHost] = {}
    for mac, options in hosts.items():
        text = mac.strip().lower()
        if not _MAC.fullmatch(text):
            raise ModelError("this is no MAC address", found=repr(mac)[:80], expected="such as 00:50:56:01:02:03")
        host = NetworkHost(mac=text.replace("-", ":"), kernel_options=options)
        if host.mac in found:
            raise ModelError("a MAC address is there twice", found=host.mac)
        found[host.mac] = host
    if found and not prefix:
        raise ModelError(
            "hosts with a boot.cfg of their own need a prefix",
            found="none",
            expected="a path such as /esxi, or an address such as http://server/esxi",
            hint="without one the loader looks for all modules beside the host's boot.cfg, in a folder of its own",
        )
    return tuple(found[mac] for mac in sorted(found))
