"""Checking the bytes of an installer disc: archives, and every file that holds a payload."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import has_code, make_finding
from esximage_builder.containers.boot_info_table import without_boot_info_table
from esximage_builder.containers.gzip import gunzip_blocks
from esximage_builder.containers.tar_gz import TarGzReader
from esximage_builder.depot.disc import DiscTree
from esximage_builder.depot.vib_check import check_payload, check_vib
from esximage_builder.disc_files import DPU_DEPOT, MISCELLANEOUS, PAYLOAD_ARCHIVE, RESERVED_VIBS
from esximage_builder.errors import EsxImageError, SourceUnreadableError
from esximage_builder.findings import Severity
from esximage_builder.streams.blocks import counted_stream
from esximage_builder.vocabulary import INSTALLER_OPTION, INSTALLER_PAYLOADS, MODULE_TYPES, PayloadType, VibType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from esximage_builder.containers.iso9660_reader import IsoReader
    from esximage_builder.depot.disc import PayloadPlace
    from esximage_builder.depot.source import SourceContents
    from esximage_builder.documents.boot_cfg import BootCfg
    from esximage_builder.findings import Finding
    from esximage_builder.limits import ReadBudget
    from esximage_builder.models.vib import Payload, Vib

__all__ = ["check_archives", "check_disc_bytes", "disc_unreadable"]

_VIB_ARCHIVES = (RESERVED_VIBS, DPU_DEPOT)
_GET_AGAIN = "the disc is damaged or was changed: get it again"


def check_archives(
    disc: IsoReader,
    budget: ReadBudget,
    *,
    loaded: Collection[str] = (),
    expected: Collection[str] = (),
    with_vib_archives: bool = False,
) -> Iterator[Finding]:
    """Look for the generated archives, and read those to their ends that reading the disc as a depot does not read.

    Args:
        disc: The opened disc.
        budget: Charged with what they unpack to.
        loaded: File names of ``boot.cfg``, in upper case; an archive among them must be there.
        expected: Those that discs of the release have, in upper case.
        with_vib_archives: Read those with VIBs too, since nobody else did.
    """
    yield from _missing_archives(disc, loaded, expected)
    for name in (PAYLOAD_ARCHIVE, MISCELLANEOUS, *(_VIB_ARCHIVES if with_vib_archives else ())):
        if name not in disc.files:
            continue
        where = f"{disc.where}!{name}"
        try:
            with disc.open(name) as source:
                is_tar = name != MISCELLANEOUS  # what stands in the other one is nobody's business
                reading = (
                    TarGzReader(source, where=where, limits=budget.limits, budget=budget)
                    if is_tar
                    else budget.counted(
                        gunzip_blocks(source, where=where, max_bytes=budget.limits.payload_bytes), where=where
                    )
                )
                for _ in reading:
                    pass
        except EsxImageError as error:
            message = f"{name} cannot be read: {error.message}"
            yield make_finding(
                "archive-damaged", message, items=(name,), cause=error.found, where=error.where, remedy=_GET_AGAIN
            )


def _missing_archives(disc: IsoReader, loaded: Collection[str], expected: Collection[str]) -> Iterator[Finding]:
    if PAYLOAD_ARCHIVE not in disc.files:
        yield make_finding(
            "payload-archive-incomplete", f"{PAYLOAD_ARCHIVE} is not there", items=(PAYLOAD_ARCHIVE,), remedy=_GET_AGAIN
        )
    for name in (MISCELLANEOUS, *_VIB_ARCHIVES):
        if name not in disc.files and name in {*loaded, *expected}:
            yield _archive_missing(name, is_loaded=name in loaded)


def _archive_missing(name: str, *, is_loaded: bool) -> Finding:
    message = f"{name} is not there"
    if is_loaded:
        return make_finding("archive-missing", message, items=(name,), severity=Severity.ERROR, remedy=_GET_AGAIN)
    cause = "boot.cfg does not name it, but stock discs of the release have it"
    return make_finding("archive-missing", message, items=(name,), severity=Severity.WARNING, cause=cause)


def check_disc_bytes(
    contents: SourceContents, boot_cfg: BootCfg | None, *, budget: ReadBudget, deep: bool, has_table: bool | None
) -> list[Finding]:
    """Compare every payload on the disc with its checksums, wherever it stands.

    Args:
        contents: What the disc holds.
        boot_cfg: Says whether the disc starts the installer; None if it cannot be read.
        budget: Charged with all that is read and unpacked.
        deep: Unpack payloads too.
        has_table: Whether the table in the BIOS loader is right; None without such a loader.
    """
    runs_installer = boot_cfg is None or INSTALLER_OPTION in boot_cfg.kernelopt.split()
    findings: list[Finding] = []
    places = _Places(budget=budget, deep=deep, has_table=has_table, runs_installer=runs_installer)
    for vib, location in contents.vibs:
        if isinstance(location.tree, DiscTree) and location.tree.is_put_together(location.path):
            for payload in vib.payloads:
                places.check(location.tree, location.path, vib, payload)
            continue
        try:
            with location.tree.open(location.path) as source:
                findings += check_vib(vib, source, where=location.where, limits=budget.limits, deep=deep, budget=budget)
        except EsxImageError as error:
            findings.append(
                make_finding(
                    "vib-damaged",
                    error.message,
                    items=(vib.id,),
                    cause=error.found,
                    where=location.where,
                    remedy=_GET_AGAIN,
                )
            )
    return [*places.findings(), *findings]


@final
@attrs.define(kw_only=True)
class _Places:
    """What was found at every place that has a payload's name.

    Two payloads can claim one file, where VIBs bring texts of one name: it is sound if it is
    one of them, and the other one is missing.
    """

    budget: ReadBudget
    deep: bool
    has_table: bool | None
    runs_installer: bool
    _sound: set[str] = attrs.field(factory=set, init=False)
    _found: dict[str, tuple[Finding, ...]] = attrs.field(factory=dict, init=False)
    _homeless: list[tuple[Finding, frozenset[str]]] = attrs.field(factory=list, init=False)
    _incomplete: list[Finding] = attrs.field(factory=list, init=False)
    _unread: dict[Finding, None] = attrs.field(factory=dict, init=False)

    def check(self, tree: DiscTree, path: str, vib: Vib, payload: Payload) -> None:
        """Check a payload wherever it stands."""
        places: list[PayloadPlace] = []
        is_archive_whole = True
        try:
            for place in tree.places(path, payload):
                places.append(place)  # noqa: PERF402 - what comes before an error counts
        except SourceUnreadableError as error:
            is_archive_whole = False
            self._tell_unread(f"{PAYLOAD_ARCHIVE} could not be looked into", error)
        except EsxImageError:
            is_archive_whole = False  # the check of archives words it
        sound = [place for place in places if self._is_sound(place, payload)]
        if payload.type == PayloadType.BOOT_ISO_BIOS:
            wrong = [p for p in places if p not in sound and p.size_bytes <= self.budget.limits.loader_bytes]
            sound += self._loaders_with_table(wrong, sound)
        self._sound |= {place.where for place in sound}
        if not sound:
            claimed = frozenset(place.where for place in places)
            self._homeless.append((self._missing(vib, payload, tree, is_archive_whole=is_archive_whole), claimed))
        archive = f"{tree.place(PAYLOAD_ARCHIVE)}!"
        is_archived = any(place.where.startswith(archive) for place in places)
        if is_archive_whole and not is_archived and payload.type == PayloadType.BOOT and vib.is_for_host:
            message = f"{PAYLOAD_ARCHIVE} lacks {payload.name} of {vib.id}, which the installer writes to the disk"
            self._incomplete.append(
                make_finding(
                    "payload-archive-incomplete",
                    message,
                    items=(vib.id, payload.name),
                    where=tree.where,
                    remedy=_GET_AGAIN,
                )
            )

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong with places that no payload finds itself in, and what is nowhere."""
        for where, found in self._found.items():
            yield from (f for f in found if where not in self._sound or f.severity is not Severity.ERROR)
        for missing, claimed in self._homeless:
            if claimed <= self._sound:
                yield missing
        yield from self._incomplete
        yield from self._unread

    def _tell_unread(self, what: str, error: SourceUnreadableError) -> None:
        """Take in what was not looked at; no other place that is sound makes up for it."""
        found = make_finding("disc-unreadable", f"{what}: {error.message}", cause=error.found, where=error.where)
        self._unread[attrs.evolve(found, remedy=error.hint)] = None

    def _is_sound(self, place: PayloadPlace, payload: Payload) -> bool:
        try:
            with place.open() as source:
                found = check_payload(
                    payload,
                    counted_stream(source, self.budget, where=place.where),
                    size_bytes=place.size_bytes,
                    where=place.where,
                    limits=self.budget.limits,
                    deep=self.deep,
                    budget=self.budget,
                )
        except SourceUnreadableError as error:
            self._tell_unread(f"payload {payload.name} could not be compared", error)
            return False
        except EsxImageError as error:
            found = (
                make_finding(
                    "payload-damaged",
                    error.message,
                    cause=error.found,
                    where=error.where or place.where,
                    remedy=_GET_AGAIN,
                ),
            )
        is_sound = not any(finding.severity is Severity.ERROR for finding in found)
        if is_sound or place.where not in self._found:
            self._found[place.where] = found
        return is_sound

    def _loaders_with_table(self, wrong: list[PayloadPlace], sound: list[PayloadPlace]) -> list[PayloadPlace]:
        """Return BIOS loaders that differ from a sound copy by their table only.

        Without such a copy the table cannot be taken off. If it is right, and so is the checksum in
        it over all that follows, that is worth a warning only.
        """
        if sound:
            original = _without_table(sound[0])
            return [place for place in wrong if _without_table(place) == original]
        if self.has_table:
            for place in wrong:
                found = self._found.get(place.where, ())
                if len(found) == 1 and has_code(found[0], "payload-checksum-differs"):
                    self._found[place.where] = (_not_compared(place),)
        return []

    def _missing(self, vib: Vib, payload: Payload, tree: DiscTree, *, is_archive_whole: bool) -> Finding:
        is_wanted = payload.name not in INSTALLER_PAYLOADS or self.runs_installer
        is_needed = payload.type in MODULE_TYPES and vib.is_for_host and vib.type != VibType.LOCKER and is_wanted
        message = f"the disc does not hold payload {payload.name} of {vib.id}"
        items, facts = (vib.id, payload.name), {"vib": vib.id, "payload": payload.name}
        cause = "" if is_archive_whole else f"{PAYLOAD_ARCHIVE} could not be read to its end: it may stand in there"
        if is_needed:
            return make_finding(
                "payload-missing",
                message,
                severity=Severity.ERROR,
                items=items,
                facts=facts,
                cause=cause,
                remedy=_GET_AGAIN,
                where=tree.where,
            )
        return make_finding(
            "payload-missing",
            message,
            severity=Severity.WARNING,
            items=items,
            facts=facts,
            cause=cause,
            where=tree.where,
        )


def _without_table(place: PayloadPlace) -> bytes:
    with place.open() as source:
        return without_boot_info_table(source.read())


def _not_compared(place: PayloadPlace) -> Finding:
    return make_finding(
        "bios-loader-not-compared",
        "the BIOS loader has a right boot information table, and what stood in its place is not known",
        items=(place.where,),
        where=place.where,
    )


def disc_unreadable(what: str, error: EsxImageError) -> Finding:
    """Return the finding for something on a disc that was not looked at."""
    return make_finding(
        "disc-unreadable",
        f"{what} cannot be read: {error.message}",
        cause=error.found,
        remedy=error.hint,
        where=error.where,
    )
