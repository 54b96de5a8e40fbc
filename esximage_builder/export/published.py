"""What every export shares: the gate, the date, the profile, the index entry, the release units."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import IncompatibleImageError, ModelError
from esximage_builder.formats.depot_index import MetadataEntry
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.image_profile import ImageProfile, ProfileVib
from esximage_builder.rules.boot_layout import local_names
from esximage_builder.rules.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from esximage_builder.findings import Finding
    from esximage_builder.formats.release_unit import ReleaseUnit
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib
    from esximage_builder.rules.validate import ValidationReport
    from esximage_builder.vocabulary import Platform

__all__ = ["ExportResult", "image_profile", "image_timestamp", "product_entry", "release_units", "require_exportable"]

_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_LATEST = datetime(2107, 12, 31, tzinfo=UTC)


@final
@attrs.frozen(kw_only=True)
class ExportResult:
    """What an export wrote.

    Attributes:
        path: The file.
        size_bytes: Its length.
        image_digest: Digest of the image inside.
        waived: Errors of the image that the caller allowed.
        findings: What the export itself has to say, such as mapped file names.
    """

    path: Path
    size_bytes: int
    image_digest: str
    waived: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)


def require_exportable(image: Image, *, report: ValidationReport | None, allow: Iterable[str]) -> tuple[Finding, ...]:
    """Return the waived errors of an image that may be written.

    Args:
        image: What shall be written.
        report: Of this very image; None validates it here, without a catalog.
        allow: Codes of errors that do not matter.

    Raises:
        IncompatibleImageError: Errors are left, or the report is of another image.
    """
    allowed = set(allow)
    if report is None or report.image_digest != image.digest:
        report = validate(image)
    errors = report.errors_except(allowed)
    if errors:
        codes = ", ".join(sorted({finding.code for finding in errors}))
        raise IncompatibleImageError(
            f"the image {image.name} has {len(errors)} errors, nothing is written",
            findings=errors,
            found=codes,
            expected="an image without errors",
            hint=f"mend the image, or allow these codes one by one: {codes}",
        )
    return tuple(finding for finding in report.errors if finding.code in allowed)


def image_timestamp(image: Image, environment: Mapping[str, str] | None = None) -> datetime:
    """Return the one date of everything an export writes; the clock is never asked.

    That is ``SOURCE_DATE_EPOCH`` if the environment has it and it is not empty, else when the
    add-on, base image or base VIB was released, whichever is latest, else 1980-01-01.

    Raises:
        ModelError: ``SOURCE_DATE_EPOCH`` is no number of seconds, or a date that a zip cannot hold.
    """
    epoch = (os.environ if environment is None else environment).get(_EPOCH, "")
    if epoch:
        return _moment_of(epoch)
    units = (image.base_image, image.add_on, image.base_vib)
    moments = [unit.released_at for unit in units if unit is not None and unit.released_at is not None]
    latest = max(moments, default=_EARLIEST)
    return min(max(latest, _EARLIEST), _LATEST).replace(microsecond=0)


_EPOCH = "SOURCE_DATE_EPOCH"
_EPOCH_DIGITS = 20


def _moment_of(epoch: str) -> datetime:
    """Return the date of ``SOURCE_DATE_EPOCH``; a wrong one is refused, as its owner counts on it.

    Raises:
        ModelError: It is no plain number, or before 1980 or after 2107, where zips end.
    """
    earliest, latest = int(_EARLIEST.timestamp()), int(_LATEST.timestamp())
    is_number = epoch.isascii() and epoch.isdecimal() and len(epoch) <= _EPOCH_DIGITS
    if not is_number or not earliest <= int(epoch) <= latest:
        raise ModelError(
            f"the environment variable {_EPOCH} is no date that an export can hold",
            where=_EPOCH,
            found=repr(epoch[:80]),
            expected=f"whole seconds since 1970 in digits alone, from {earliest} (1980) to {latest} (2107)",
            hint="correct it, or unset it to take the release date of the image",
        )
    return datetime.fromtimestamp(int(epoch), tz=UTC)


def image_profile(
    image: Image, vibs: Iterable[Vib], *, names: Mapping[tuple[str, str], str] | None = None
) -> ImageProfile:
    """Return the profile of an image over the given VIBs, with their local payload names.

    Args:
        image: Gives name, creator, level and components.
        vibs: What the profile shall list.
        names: Local names by VIB id and payload name; None takes the local-name rule.
    """
    if names is None:
        names = local_names(image.host_vibs)
    moment = image_timestamp(image)
    listed = tuple(vibs)
    return ImageProfile(
        name=image.name,
        creator=image.vendor,
        profile_id=hashlib.sha256(f"{image.name}\n{image.digest}".encode()).hexdigest()[:32],
        created_at=moment,
        modified_at=moment,
        read_only=True,
        vibs=[
            ProfileVib(
                vib_id=vib.id,
                local_names=[
                    (payload.name, names[vib.id, payload.name])
                    for payload in vib.payloads
                    if (vib.id, payload.name) in names
                ],
            )
            for vib in listed
        ],
        acceptance_level=image.acceptance_level,
        bulletin_ids=[entry.component.bulletin.id for entry in image.components],
    )


def product_entry(image: Image, platform: Platform) -> MetadataEntry:
    """Return the index entry of metadata for one product line of an image; ``*`` stands for an unknown version."""
    version = image.esxi_version
    shown = "*" if version is None else f"{version.major}.{version.minor}"
    return MetadataEntry(product_id=platform.value, version=shown)


def release_units(image: Image) -> tuple[ReleaseUnit, ...]:
    """Return base image, add-on, hardware support packages and solutions of an image."""
    units = (image.base_image, image.add_on, *image.hardware_support, *image.solutions)
    return tuple(unit for unit in units if unit is not None)
