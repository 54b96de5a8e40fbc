"""The field's fixed words, as enumerations.

Words that files may extend (payload types, categories) are ``StrEnum`` members, so
that an unknown word can stand in a model as plain ``str`` beside the known ones.
"""

from __future__ import annotations

import enum
import functools

__all__ = [
    "DISC_OPTION",
    "INSTALLER_OPTION",
    "INSTALLER_PAYLOADS",
    "MODULE_TYPES",
    "TARDISK_TYPES",
    "AcceptanceLevel",
    "ComponentSource",
    "PayloadType",
    "Platform",
    "Relation",
    "VibType",
]


@functools.total_ordering
class AcceptanceLevel(enum.Enum):
    """How far VMware vouches for a VIB; ordered, ``COMMUNITY`` is the lowest.

    The value is the word of XML files; ``display`` is the word of esxcli and the APIs.
    """

    COMMUNITY = "community"
    PARTNER = "partner"
    ACCEPTED = "accepted"
    CERTIFIED = "certified"

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, AcceptanceLevel):
            return NotImplemented
        return self.rank < other.rank

    def __hash__(self) -> int:
        return hash(self.value)

    @property
    def rank(self) -> int:
        """0 for community up to 3 for certified."""
        return tuple(AcceptanceLevel).index(self)

    @property
    def display(self) -> str:
        """The CamelCase word: ``VMwareCertified``, ``PartnerSupported`` and so on."""
        return _DISPLAY_LEVELS[self]

    @classmethod
    def from_text(cls, text: str) -> AcceptanceLevel:
        """Return the level that either spelling names, whatever its case.

        Raises:
            ValueError: Neither spelling.
        """
        wanted = text.strip().lower()
        for level in cls:
            if wanted in (level.value, level.display.lower()):
                return level
        raise ValueError(text)


_DISPLAY_LEVELS = {
    AcceptanceLevel.COMMUNITY: "CommunitySupported",
    AcceptanceLevel.PARTNER: "PartnerSupported",
    AcceptanceLevel.ACCEPTED: "VMwareAccepted",
    AcceptanceLevel.CERTIFIED: "VMwareCertified",
}


class VibType(enum.StrEnum):
    """Where a VIB lives on a host."""

    BOOTBANK = "bootbank"
    LOCKER = "locker"
    META = "meta"


class PayloadType(enum.StrEnum):
    """Known values of ``payload/@type``; files may hold others."""

    BOOT = "boot"
    VGZ = "vgz"
    TGZ = "tgz"
    VZSTD = "vzstd"
    BOOT_LOADER_EFI = "boot_loader_efi"
    BOOT_COM32_BIOS = "boot_com32_bios"
    BOOT_ISO_BIOS = "boot_iso_bios"
    ELTORITO_IMAGE_EFI = "eltorito_image_efi"
    TEXT = "text"
    UPGRADE = "upgrade"


TARDISK_TYPES = frozenset({PayloadType.VGZ, PayloadType.TGZ, PayloadType.VZSTD})
"""Payloads that ESXi mounts as they are; always gzip on the outside."""

MODULE_TYPES = TARDISK_TYPES | {PayloadType.BOOT}
"""Payloads that the boot loader loads, which stand under their local name; compressed with gzip."""

INSTALLER_PAYLOADS = frozenset({"weaselin", "weasel"})
"""Names of the payloads that hold the installer."""

INSTALLER_OPTION = "runweasel"
"""The kernel option that starts the installer."""

DISC_OPTION = "cdromBoot"
"""The kernel option that says that it starts from a disc."""


class Relation(enum.StrEnum):
    """How a constraint compares; the value is the sign that files use."""

    LESS = "<<"
    LESS_EQUAL = "<="
    EQUAL = "="
    GREATER_EQUAL = ">="
    GREATER = ">>"


class Platform(enum.StrEnum):
    """Product lines a VIB or component may be made for."""

    HOST = "embeddedEsx"
    DPU = "esxio"
    LEGACY = "esx"


class ComponentSource(enum.StrEnum):
    """Who brought a component into an image; the API's own words, lowest precedence first."""

    BASE_IMAGE = "BASE_IMAGE"
    ADD_ON = "ADD_ON"
    HARDWARE_SUPPORT_PACKAGE = "HARDWARE_SUPPORT_PACKAGE"
    SOLUTION = "SOLUTION"
    USER = "USER"
    USER_REMOVED = "USER_REMOVED"

    @property
    def display(self) -> str:
        """The word in running text: ``base image``, ``add-on``, ``user``."""
        return {"ADD_ON": "add-on"}.get(self.value, self.value.lower().replace("_", " "))
