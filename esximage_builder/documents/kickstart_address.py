"""Where the installer looks for a kickstart file: the value of the kernel option ``ks=``.

Every form is publicly documented, and each needs something of its own; which of them a host reaches nobody can
see from outside. TFTP is none of them.

Source: docs/formats.md#kickstart.
"""

from __future__ import annotations

import enum
import re
from typing import Final, Self, final

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.shown import Shown

__all__ = ["KickstartAddress", "KickstartSource"]


class KickstartSource(enum.StrEnum):
    """What the installer reads a kickstart file from."""

    CDROM = "cdrom"
    USB = "usb"
    FILE = "file"
    HTTP = "http"
    HTTPS = "https"
    FTP = "ftp"
    NFS = "nfs"


_NETWORK: Final = "a network card that gets an address by DHCP, or `netdevice=`, `bootproto=` and `ip=` besides"
_NEEDS: Final = {
    KickstartSource.CDROM: "the disc in a CD drive or as virtual media: it is not found when the disc is a stick",
    KickstartSource.USB: "the file on a USB stick with FAT16 or FAT32 that is plugged in, in the case in which it "
    "stands there",
    KickstartSource.FILE: "the file in the image itself, which a module brings that you add",
    KickstartSource.HTTP: f"a web server, and {_NETWORK}",
    KickstartSource.HTTPS: f"a web server with a certificate that the installer takes, and {_NETWORK}",
    KickstartSource.FTP: f"an FTP server that takes guests, and {_NETWORK}",
    KickstartSource.NFS: f"an NFS server that exports the folder to the host, and {_NETWORK}",
}
_SERVERS: Final = frozenset({KickstartSource.HTTP, KickstartSource.HTTPS, KickstartSource.FTP, KickstartSource.NFS})
_NAMES: Final = frozenset(source.value for source in KickstartSource)
_SERVER_PLACE: Final = re.compile(r"//[^/]+/.*[^/]")
_FILE_PLACE: Final = re.compile(r"//?.*[^/]")
_DISK_PLACE: Final = re.compile(r"/.*[^/]")
_FORMS: Final = (
    "cdrom:/KS.CFG, usb:/KS.CFG, usb, file://etc/vmware/weasel/ks.cfg, or an address that begins with "
    "http://, https://, ftp:// or nfs://"
)


def _require_complete(address: KickstartAddress, _: object, place: str) -> None:
    """Refuse a place that the source cannot have, or that a loader would cut."""
    if not (_is_plain(place) and _is_complete(address.source, place)):
        raise _refused(f"{address.source.value}:{place}")


@final
@attrs.frozen(repr=False)
class KickstartAddress(Shown):
    """One place of a kickstart file.

    Attributes:
        source: What it is read from.
        place: What follows the colon: ``/KS.CFG``, ``//server/ks.cfg``; empty for ``usb`` alone, which means a
            file ``ks.cfg`` on any stick.

    Raises:
        ModelError: The source has no such place.
    """

    source: KickstartSource
    place: str = attrs.field(default="", validator=_require_complete)

    def __str__(self) -> str:
        return f"{self.source.value}:{self.place}" if self.place else self.source.value

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read an address, with or without ``ks=`` before it.

        Raises:
            ModelError: It is none of the documented forms, or holds blanks.
        """
        value = text.strip().removeprefix("ks=")
        name, colon, place = value.partition(":")
        if name not in _NAMES or (colon and not place):
            raise _refused(text, hint="the installer reads no kickstart file by TFTP" if name == "tftp" else "")
        return cls(KickstartSource(name), place)

    @property
    def option(self) -> str:
        """The kernel option."""
        return f"ks={self}"

    @property
    def needs(self) -> str:
        """What must be there so that the installer finds the file."""
        return _NEEDS[self.source]


def _is_plain(text: str) -> bool:
    return all(letter.isprintable() and not letter.isspace() for letter in text)


def _is_complete(source: KickstartSource, place: str) -> bool:
    if source in _SERVERS:
        return _SERVER_PLACE.fullmatch(place) is not None
    if source is KickstartSource.FILE:
        return _FILE_PLACE.fullmatch(place) is not None
    if source is KickstartSource.USB and not place:
        return True
    return _DISK_PLACE.fullmatch(place) is not None and not place.startswith("//")


def _refused(text: str, *, hint: str = "") -> ModelError:
    return ModelError(
        "the address of the kickstart file is none that the installer knows",
        found=repr(text)[:80],
        expected=_FORMS,
        hint=hint,
    )
