"""Does the upgrade folder of a disc upgrade a host to what the disc installs?

Whoever upgrades a host from a disc reads ``PROFILE.XML`` and ``METADATA.ZIP`` of its upgrade folder and not the
image database. No checksum covers the two; what they say must be what the database says.

Source: docs/formats.md#disc-layout.
"""

from __future__ import annotations

import difflib
import io
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.containers.zip import open_zip
from esximage_builder.disc_files import UPGRADE_FOLDER, UPGRADE_METADATA, UPGRADE_PROFILE
from esximage_builder.documents.bulletin import parse_bulletin
from esximage_builder.documents.depot_index import parse_vendor_index
from esximage_builder.documents.image_profile import parse_image_profile
from esximage_builder.documents.metadata_response import parse_metadata_response
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor
from esximage_builder.errors import EsxImageError
from esximage_builder.findings import Severity
from esximage_builder.rules.boot_layout import volume_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from esximage_builder.containers.iso9660_reader import IsoReader
    from esximage_builder.containers.zip import ZipReader
    from esximage_builder.depot.source import SourceContents
    from esximage_builder.findings import Finding
    from esximage_builder.limits import ReadBudget, ReadLimits
    from esximage_builder.models.component import Bulletin, Component
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.vib import Vib

__all__ = ["check_label", "check_upgrade", "has_upgrade_folder"]

_INSIDE = 2
_NEARLY = 0.85
_BUILD_ANEW = "get the disc again, or build it anew"
_WORDS = {
    "creator": "its creator",
    "profile_id": "its number",
    "created_at": "when it was made",
    "modified_at": "when it was changed",
    "serial_number": "its serial number",
    "description": "its description",
    "read_only": "that it may not be changed",
    "bulletin_ids": "its components",
    "extra": "what else stands in it",
}


def has_upgrade_folder(disc: IsoReader) -> bool:
    """Tell whether the disc can upgrade a host."""
    return any(path.startswith(f"{UPGRADE_FOLDER}/") for path in disc.files)


def check_label(disc: IsoReader, profiles: Sequence[ImageProfile]) -> Iterator[Finding]:
    """Tell of a label that is nearly the image's name; a free one is nobody's business."""
    labels = [volume_label(profile.name) for profile in profiles]
    if disc.volume_id in labels:
        return
    for label in labels:
        if difflib.SequenceMatcher(None, label, disc.volume_id, autojunk=False).ratio() > _NEARLY:
            message = f"the label of the disc is {disc.volume_id!r}, that of the image is {label!r}"
            yield make_finding("volume-label-differs", message, items=(disc.volume_id, label))
            return


def check_upgrade(
    disc: IsoReader, contents: SourceContents, profiles: Sequence[ImageProfile], budget: ReadBudget
) -> Iterator[Finding]:
    """Compare the upgrade folder with what the disc installs.

    Args:
        disc: The opened disc.
        contents: What it holds.
        profiles: Its image profiles that are judged.
        budget: Charged with what is read.
    """
    upgrade = _Upgrade(disc=disc, contents=contents, profiles=tuple(profiles), budget=budget)
    for path, check in ((UPGRADE_PROFILE, upgrade.check_profile_file), (UPGRADE_METADATA, upgrade.check_metadata)):
        if path not in disc.files:
            yield make_finding("upgrade-file-missing", f"{path} is not there", items=(path,))
            continue
        try:
            yield from check()
        except EsxImageError as error:
            yield _damaged(path, error)


def _damaged(path: str, error: EsxImageError) -> Finding:
    return make_finding(
        "upgrade-file-damaged",
        f"{path} cannot be read: {error.message}",
        items=(path,),
        cause=error.found,
        where=error.where,
        remedy=_BUILD_ANEW,
    )


@final
@attrs.frozen(kw_only=True)
class _Upgrade:
    """The upgrade folder beside what the disc installs."""

    disc: IsoReader
    contents: SourceContents
    profiles: tuple[ImageProfile, ...]
    budget: ReadBudget
    bulletins_by_id: Mapping[str, list[Bulletin | Component]] = attrs.field(init=False)

    @bulletins_by_id.default
    def _grouped_bulletins(self) -> dict[str, list[Bulletin | Component]]:
        found: dict[str, list[Bulletin | Component]] = {}
        for bulletin in self.contents.bulletins:
            found.setdefault(_id_of(bulletin), []).append(bulletin)
        return found

    @property
    def limits(self) -> ReadLimits:
        """The bounds of the reading."""
        return self.budget.limits

    def check_profile_file(self) -> Iterator[Finding]:
        """Compare ``PROFILE.XML`` with the image database."""
        data = self.disc.read(UPGRADE_PROFILE, max_bytes=self.limits.document_bytes)
        yield from self._check_profile(self._parsed_profile(data, UPGRADE_PROFILE), UPGRADE_PROFILE)

    def _parsed_profile(self, data: bytes, path: str) -> ImageProfile:
        where = f"{self.disc.where}!{path}"
        return parse_image_profile(data, where=where, max_bytes=self.limits.document_bytes)

    def _check_profile(self, found: ImageProfile, path: str) -> Iterator[Finding]:
        """Compare a profile with the one that is installed: that of its name, else the nearest."""
        named = [profile for profile in self.profiles if profile.name == found.name]
        expected = (named or sorted(self.profiles, key=lambda profile: set(profile.vib_ids) != set(found.vib_ids)))[0]
        others = set(found.vib_ids) ^ set(expected.vib_ids)
        if others:
            message = f"{path} lists other VIBs than the image: {', '.join(sorted(others)[:5])}"
            yield _differs(message, (path, *sorted(others)), severity=Severity.ERROR)
        if found.name != expected.name:
            message = f"{path} is of image profile {found.name}, the disc installs {expected.name}"
            yield _differs(message, (path, found.name), severity=Severity.WARNING)
        if found.acceptance_level != expected.acceptance_level:
            message = f"{path} has another acceptance level than the image profile"
            yield _differs(message, (path, "acceptance level"), severity=Severity.WARNING)
        for field, words in _WORDS.items():
            if getattr(found, field) != getattr(expected, field):
                yield _tells(f"{path} says something else than the image profile: {words}", (path, words))
        if _local_names(found) != _local_names(expected):
            yield _tells(f"{path} has other names for files than the image profile", (path, "local names"))

    def check_metadata(self) -> Iterator[Finding]:
        """Read ``METADATA.ZIP`` to its end, and compare all in it that says what is installed."""
        path = UPGRADE_METADATA
        where = f"{self.disc.where}!{path}"
        data = self.disc.read(path, max_bytes=self.limits.metadata_bytes)
        vibs: dict[str, Vib] = {}
        profiles: list[ImageProfile] = []
        with open_zip(io.BytesIO(data), where=where, limits=self.limits, depth=_INSIDE, budget=self.budget) as metadata:
            for name in metadata.members:
                yield from self._take(metadata, name, vibs, profiles)
        if len(profiles) != 1:
            yield _differs(
                f"{path} has {len(profiles)} image profiles instead of one",
                (path, *(profile.name for profile in profiles)),
                severity=Severity.ERROR if not profiles else Severity.WARNING,
            )
        for profile in profiles:
            yield from self._check_profile(profile, path)
        yield from self._check_vibs(vibs)

    def _take(
        self, metadata: ZipReader, name: str, vibs: dict[str, Vib], profiles: list[ImageProfile]
    ) -> Iterator[Finding]:
        """Read a member to its end, and keep what is compared."""
        path = f"{UPGRADE_METADATA}!{name}"
        where, most = f"{self.disc.where}!{path}", self.limits.document_bytes
        data = metadata.read(name, max_bytes=most, budget=self.budget)
        self.budget.spend_document(data, where=where)
        parent, base = PurePosixPath(name).parent.name.lower(), PurePosixPath(name).name
        if base == "vendor-index.xml":
            parse_vendor_index(data, where=where, max_bytes=most)
        elif base == "vmware.xml":
            parse_metadata_response(data, where=where, max_bytes=most)
        elif parent == "bulletins" and base.endswith(".xml"):
            bulletin = parse_bulletin(data, where=where, max_bytes=most)
            known = self.bulletins_by_id.get(_id_of(bulletin), ())
            if known and bulletin not in known:
                yield _differs(
                    f"{path} says something else than the image database",
                    (path, _id_of(bulletin)),
                    severity=Severity.WARNING,
                )
        elif parent == "profiles" and base.endswith(".xml"):
            profiles.append(self._parsed_profile(data, path))
        elif parent == "vibs" and base.endswith(".xml"):
            vib = parse_vib_descriptor(data, where=where, max_bytes=most)
            vibs[vib.id] = vib

    def _check_vibs(self, vibs: dict[str, Vib]) -> Iterator[Finding]:
        path = UPGRADE_METADATA
        installed = {vib.id: vib for vib, _ in self.contents.vibs}
        listed = {vib_id for profile in self.profiles for vib_id in profile.vib_ids}
        for vib_id in sorted(listed - vibs.keys()):
            yield _differs(f"{path} does not describe {vib_id}", (path, vib_id), severity=Severity.ERROR)
        for vib_id, vib in vibs.items():
            known = installed.get(vib_id)
            if known is None and vib_id not in listed:
                message = f"{path} describes {vib_id}, which the disc lacks"
                yield _differs(message, (path, vib_id), severity=Severity.WARNING)
            elif known is not None and known != vib:
                is_grave = known.content_line != vib.content_line
                yield _differs(
                    f"{path} says something else of {vib_id} than its descriptor",
                    (path, vib_id),
                    severity=Severity.ERROR if is_grave else Severity.WARNING,
                )


def _id_of(bulletin: object) -> str:
    return str(getattr(getattr(bulletin, "bulletin", bulletin), "id", ""))


def _local_names(profile: ImageProfile) -> dict[str, tuple[tuple[str, str], ...]]:
    return {vib.vib_id: tuple(sorted(vib.local_names)) for vib in profile.vibs}


def _differs(message: str, items: tuple[str, ...], *, severity: Severity) -> Finding:
    if severity is Severity.ERROR:
        return make_finding("upgrade-differs", message, items=items, severity=Severity.ERROR, remedy=_BUILD_ANEW)
    return make_finding("upgrade-differs", message, items=items, severity=Severity.WARNING, remedy=_BUILD_ANEW)


def _tells(message: str, items: tuple[str, ...]) -> Finding:
    return make_finding("upgrade-differs", message, items=items, severity=Severity.INFO)
