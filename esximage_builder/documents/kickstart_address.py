"""Where the installer looks for a kickstart file: the value of the kernel option ``ks=``.

Every form is publicly documented, and each needs something of its own; which of them a host reaches nobody can
see from outside. TFTP is none of them.

Source: docs/formats.md#kickstart.
"""

from __future__ import annotations

import enum
import re
from typing import Final, final

import attrs

from esximage_builder.errors import ModelError

__all__ = ["KickstartAddress", "KickstartSource", "parse_kickstart_address"]


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
_FORM: Final = re.compile(r"(?P<source>[a-z]+)(?::(?P<place>.*))?", re.DOTALL)
_SERVER_PLACE: Final = re.compile(r"//[^/]+/.*[^/]")
_FILE_PLACE: Final = re.compile(r"//?.*[^/]")
_DISK_PLACE: Final = re.compile(r"/.*[^/]")
_FORMS: Final = (
    "cdrom:/KS.CFG, usb:/KS.CFG, usb, file://etc/vmware/weasel/ks.cfg, or an address that begins with "
    "http://, https://, ftp:// or nfs://"
)


@final
@attrs.frozen
class KickstartAddress:
    """One place of a kickstart file.

    Attributes:
        source: What it is read from.
        place: What follows the colon: ``/KS.CFG``, ``//server/ks.cfg``; empty for ``usb`` alone, which means a
            file ``ks.cfg`` on any stick.
    """

    source: KickstartSource
    place: str = ""

    def __str__(self) -> str:
        return f"{self.source.value}:{self.place}" if self.place else self.source.value

    @property
    def option(self) -> str:
        """The kernel option."""
        return f"ks={self}"

    @property
    def needs(self) -> str:
        """What must be there so that the installer finds the file."""
        return _NEEDS[self.source]


def parse_kickstart_address(text: str) -> KickstartAddress:
    """Read the address of a kickstart file, with or without ``ks=`` before it.

    Raises:
        ModelError: It is none of the documented forms, or holds blanks.
    """
    value = text.strip().removeprefix("ks=")
    found = _FORM.fullmatch(value)
    source = found["source"] if found else ""
    place = (found["place"] or "") if found else ""
    is_plain = all(letter.isprintable() and not letter.isspace() for letter in value)
    if not is_plain or source not in {known.value for known in KickstartSource}:
        raise _refused(text, hint="the installer reads no kickstart file by TFTP" if source == "tftp" else "")
    address = KickstartAddress(KickstartSource(source), place)
    if not _is_complete(address, value):
        raise _refused(text)
    return address


def _is_complete(address: KickstartAddress, value: str) -> bool:
    if address.source in _SERVERS:
        return _SERVER_PLACE.fullmatch(address.place) is not None
    if address.source is KickstartSource.FILE:
        return _FILE_PLACE.fullmatch(address.place) is not None
    if value == KickstartSource.USB.value:
        return True
    return _DISK_PLACE.fullmatch(address.place) is not None and not address.place.startswith("//")


def _refused(text: str, *, hint: str = "") -> ModelError:
    return ModelError(
        "the address of the kickstart file is none that the installer knows",
        found=repr(text)[:80],
        expected=_FORMS,
        hint=hint,
    )
