"""The VIB, ESXi's smallest installable package, and its payloads."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.models.constraint import Constraint
from esximage_builder.models.fields import as_tuple, full_text
from esximage_builder.shown import Shown
from esximage_builder.vocabulary import AcceptanceLevel, Platform, Relation, VibType

if TYPE_CHECKING:
    from datetime import datetime

    from esximage_builder.checksums import Checksum
    from esximage_builder.models.constraint import Provide
    from esximage_builder.versions import VibVersion

__all__ = [
    "HardwarePlatform",
    "MaintenanceMode",
    "Payload",
    "SoftwarePlatform",
    "Vib",
    "VibFile",
    "vib_id",
]


def vib_id(vendor: str, vib_type: str, name: str, version: str) -> str:
    """Return the id that every tool uses: ``VMW_bootbank_i40en_1.11.4.6-1vmw.803.0.0.24022510``."""
    return f"{vendor}_{vib_type}_{name}_{version}"


@final
@attrs.frozen(repr=False)
class SoftwarePlatform(Shown):
    """A product that something is made for [softwarePlatform].

    Attributes:
        version: ``8.0``, ``7.*``; empty where the file leaves it open.
        product_line: ``embeddedEsx`` (host), ``esxio`` (DPU), ``esx``.
        locale: Always empty in real files.
    """

    version: str = ""
    product_line: str = Platform.HOST.value
    locale: str = ""


@final
@attrs.frozen(repr=False)
class HardwarePlatform(Shown):
    """A machine that a VIB is made for; empty ``model`` means every model [hwplatform]."""

    vendor: str
    model: str = ""


@final
@attrs.frozen(repr=False)
class MaintenanceMode(Shown):
    """Whether a host must be in maintenance mode [maintenance-mode].

    Attributes:
        required: The element's own value.
        on_install: Refines it for installing; None if not stated.
        on_remove: Refines it for removing; None if not stated.
    """

    required: bool = False
    on_install: bool | None = None
    on_remove: bool | None = None


@final
@attrs.frozen(kw_only=True, repr=False)
class Payload(Shown):
    """One file that a VIB carries [payload].

    Attributes:
        name: Name of the archive member, ``vmx``; at most 16 characters.
        type: See ``PayloadType``; unknown words are kept.
        size_bytes: Bytes as stored in the archive; None if not stated (build-time descriptors).
        uncompressed_size_bytes: Bytes when fully expanded; None if not stated.
        boot_order: Place among the boot modules; None sorts last.
        vfat_name: Fixed local name, ``features.gz``; empty if the local-name rule decides.
        compression_option: Such as ``level=18`` (9.0); empty if not stated.
        checksums: As the descriptor gives them, in its order.
        extra: Unknown attributes, kept for writing.
        extra_elements: Unknown child elements as XML text, kept for writing.

    Raises:
        ModelError: The type is empty; no document can say so, and its first letter names files.
    """

    name: str
    type: str
    size_bytes: int | None = None
    uncompressed_size_bytes: int | None = None
    boot_order: int | None = None
    vfat_name: str = ""
    compression_option: str = ""
    checksums: tuple[Checksum, ...] = attrs.field(default=(), converter=as_tuple)
    extra: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=as_tuple, repr=False)
    extra_elements: tuple[str, ...] = attrs.field(default=(), converter=as_tuple, repr=False)

    def __attrs_post_init__(self) -> None:
        if not self.type:
            raise ModelError(f"the payload {self.name!r} has no type", expected="a type such as vgz")

    @property
    def content_line(self) -> str:
        """Name, type, size, place and checksums; part of the VIB's own, and like it never to change."""
        sums = " ".join(f"{item.algorithm}/{item.verify_process}={item.digest}" for item in self.checksums)
        return f"{self.name} {self.type} {self.size_bytes} {self.boot_order} {self.vfat_name} {sums}"

    def checksum(self, algorithm: str, verify_process: str = "") -> str | None:
        """Return the digest of that kind, or None if the descriptor gives none."""
        for checksum in self.checksums:
            if checksum.algorithm == algorithm and checksum.verify_process == verify_process:
                return checksum.digest
        return None


@final
@attrs.frozen(kw_only=True, repr=False)
class VibFile(Shown):
    """Facts about the ``.vib`` file that depot metadata adds to a descriptor.

    Attributes:
        size_bytes: Length of the file [packed-size]; None if not stated.
        sha256: Digest of the whole file in hexadecimal digits; empty if not stated.
        relative_path: Where its depot keeps it, ``vib20/foo/ACME_bootbank_foo_1.0-1.vib``.
    """

    size_bytes: int | None = None
    sha256: str = ""
    relative_path: str = ""


@final
@attrs.frozen(kw_only=True, repr=False)
class Vib(Shown):
    """One VIB as its descriptor tells it.

    Two VIBs are equal when their descriptors say the same; ``file`` does not take part,
    since a loose ``.vib`` and its copy in a depot are the same VIB.

    Attributes:
        type: ``bootbank`` or ``locker``.
        name: What overrides go by, whatever the vendor.
        version: Printed as read.
        vendor: ``VMware``, ``VMW``, ``INT``; part of the id.
        summary: One line.
        description: Free text, without blanks at its ends.
        released_at: Aware UTC time; None if not stated. A time without zone counts as UTC.
        urls: Pairs of key and address.
        depends: Must all be met inside an image.
        conflicts: Must not be met.
        replaces: VIBs that this one makes obsolete; older ones of its own name always are.
        provides: Offered names; its own ``name = version`` always is one, and is not listed.
        compatible_with: Left empty by real files.
        tags: ``driver``, ``module``, ``PCIID ...``.
        maintenance_mode: What installing and removing need.
        hardware_platforms: Empty means every machine.
        software_platforms: Empty means ``embeddedEsx``.
        files: Installed paths without leading slash; None if the descriptor has no list.
        acceptance_level: How far VMware vouches for it.
        live_install_allowed: Can be installed without a reboot.
        live_remove_allowed: Can be removed without a reboot; both are needed for a live upgrade.
        cimom_restart: CIM broker restarts after installing.
        stateless_ready: Works on a host without a boot bank.
        overlay: Its files may cover those of other VIBs.
        payloads: In archive order.
        schema_version: ``vib/@version``; ``5.0`` nearly everywhere; empty if not stated.
        extra: Unknown child elements as XML text, kept for writing.
        extra_requirements: The same of ``system-requires``.
        extra_relationships: The same of ``relationships``.
        file: Facts about the ``.vib`` file; None for a bare descriptor.
        content_line: What image digests are made of: id, level, date, flags, relations, platforms
            and payloads with their checksums. Its form never changes, so that digests outlive
            versions of this library.
        id: What others name it by: vendor, type, name and version, ``VMW_bootbank_nmlx5-core_4.23.6.2-5vmw.803.0.0``.
        fingerprint: Names the content: the file's SHA-256 where known, else one over all that the
            descriptor says.
    """

    type: str = VibType.BOOTBANK.value
    name: str
    version: VibVersion
    vendor: str
    summary: str = ""
    description: str = ""
    released_at: datetime | None = None
    urls: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=as_tuple)
    depends: tuple[Constraint, ...] = attrs.field(default=(), converter=as_tuple)
    conflicts: tuple[Constraint, ...] = attrs.field(default=(), converter=as_tuple)
    replaces: tuple[Constraint, ...] = attrs.field(default=(), converter=as_tuple)
    provides: tuple[Provide, ...] = attrs.field(default=(), converter=as_tuple)
    compatible_with: tuple[Constraint, ...] = attrs.field(default=(), converter=as_tuple)
    tags: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    maintenance_mode: MaintenanceMode = MaintenanceMode()
    hardware_platforms: tuple[HardwarePlatform, ...] = attrs.field(default=(), converter=as_tuple)
    software_platforms: tuple[SoftwarePlatform, ...] = attrs.field(default=(), converter=as_tuple)
    files: tuple[str, ...] | None = attrs.field(default=(), converter=attrs.converters.optional(as_tuple))
    acceptance_level: AcceptanceLevel = AcceptanceLevel.COMMUNITY
    live_install_allowed: bool = False
    live_remove_allowed: bool = False
    cimom_restart: bool = False
    stateless_ready: bool = False
    overlay: bool = False
    payloads: tuple[Payload, ...] = attrs.field(default=(), converter=as_tuple)
    schema_version: str = "5.0"
    extra: tuple[str, ...] = attrs.field(default=(), converter=as_tuple, repr=False)
    extra_requirements: tuple[str, ...] = attrs.field(default=(), converter=as_tuple, repr=False)
    extra_relationships: tuple[str, ...] = attrs.field(default=(), converter=as_tuple, repr=False)
    file: VibFile | None = attrs.field(default=None, eq=False, repr=False)

    @functools.cached_property
    def id(self) -> str:  # noqa: D102 - described at the class
        return vib_id(self.vendor, self.type, self.name, self.version.text)

    @functools.cached_property
    def fingerprint(self) -> str:  # noqa: D102 - described at the class
        if self.file is not None and self.file.sha256:
            return self.file.sha256
        return "descriptor:" + hashlib.sha256(full_text(self.with_file(None)).encode()).hexdigest()

    @functools.cached_property
    def content_line(self) -> str:  # noqa: D102 - described at the class
        facts = (
            self.id,
            self.acceptance_level.value,
            "" if self.released_at is None else self.released_at.isoformat(),
            *(f"{flag:d}" for flag in (self.overlay, self.live_install_allowed, self.live_remove_allowed)),
            *(" ".join(map(str, group)) for group in (self.depends, self.conflicts, self.replaces, self.provides)),
            " ".join(f"{platform.product_line} {platform.version}" for platform in self.software_platforms),
            *(payload.content_line for payload in self.payloads),
        )
        return "|".join(facts)

    @property
    def is_for_host(self) -> bool:
        """True unless it is made for data processing units only."""
        lines = {platform.product_line for platform in self.software_platforms}
        return not lines or lines != {Platform.DPU.value}

    @property
    def has_boot_payload(self) -> bool:
        """True if it carries a module for the boot loader: every base VIB does."""
        return any(payload.type == "boot" for payload in self.payloads)

    def is_same_content(self, other: Vib) -> bool:
        """Tell whether both are one VIB: equal descriptors, and no two digests that differ."""
        if self != other:
            return False
        digests = {vib.file.sha256 for vib in (self, other) if vib.file is not None and vib.file.sha256}
        return len(digests) < len((self, other))

    def implied_replaces(self) -> tuple[Constraint, ...]:
        """Return the stated ``replaces`` and the implied one: every older VIB of its name."""
        return (*self.replaces, Constraint(self.name, Relation.LESS, self.version))

    def with_file(self, file: VibFile | None) -> Vib:
        """Return the same VIB with other facts about its file."""
        return attrs.evolve(self, file=file)
