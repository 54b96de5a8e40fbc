"""Calls of everything in ``documents`` that reads, and of rules about single words."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Final

from fuzz.target import (
    FILES_READ,
    LIMITS,
    MAX_BYTES,
    WHERE,
    PassOver,
    Shape,
    Target,
    drain,
    go_round,
    refusal,
    require_agreement,
)

from esximage_builder.containers import iso9660
from esximage_builder.containers.dates import parse_time, render_time
from esximage_builder.containers.member_name import name_problem
from esximage_builder.documents import image_database, kickstart, kickstart_address
from esximage_builder.documents.boot_cfg import parse_boot_cfg, render_boot_cfg
from esximage_builder.documents.bulletin import parse_bulletin, render_bulletin
from esximage_builder.documents.depot_index import (
    parse_index,
    parse_vendor_index,
    render_index,
    render_vendor_index,
)
from esximage_builder.documents.image_profile import parse_image_profile, render_image_profile
from esximage_builder.documents.isolinux_cfg import parse_isolinux_cfg
from esximage_builder.documents.lock_file import parse_lock, render_lock
from esximage_builder.documents.metadata_response import parse_metadata_response
from esximage_builder.documents.project_file import parse_project, render_project
from esximage_builder.documents.release_unit import (
    UnitKind,
    parse_release_unit,
    render_release_unit,
    unit_folder_kind,
)
from esximage_builder.documents.software_spec import parse_software_spec, render_software_spec
from esximage_builder.documents.stated_elements import may_state, with_elements_of
from esximage_builder.documents.vib_archive import PayloadSplitter, iter_payloads, read_vib_head
from esximage_builder.documents.vib_description import parse_vib_description
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor, parse_vib_metadata, render_vib_descriptor

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DOCUMENT_TARGETS"]


def _release_unit(data: bytes) -> None:
    kinds: Iterable[UnitKind | None] = (None, *UnitKind)
    errors = [error for kind in kinds for error in refusal(_one_unit, data, kind)]
    if errors:
        raise errors[0]


def _one_unit(data: bytes, kind: UnitKind | None) -> None:
    go_round(parse_release_unit, render_release_unit, data, kind=kind)


def _project_file(data: bytes) -> None:
    go_round(parse_project, lambda project: render_project(project).encode(), data)


def _kickstart(data: bytes) -> None:
    kickstart.check_kickstart(data, where=WHERE)
    options, _, names = data.decode("utf-8", "replace").partition("\n")
    kickstart.check_kickstart_options(options, has_kickstart=bool(names), disc_names=names.split() or None)


def _vib_head(data: bytes) -> None:
    read_vib_head(io.BytesIO(data), where=WHERE, limits=LIMITS).parse(where=WHERE, limits=LIMITS)


def _vib_payloads(data: bytes) -> None:
    """Whoever reads a VIB, in whatever way, accepts it or none does."""
    vib = read_vib_head(io.BytesIO(data), where=WHERE, limits=LIMITS).parse(where=WHERE, limits=LIMITS)

    def pulled(data: bytes) -> None:
        for _, stream, _ in iter_payloads(io.BytesIO(data), vib, where=WHERE, limits=LIMITS):
            drain(stream)

    def pushed(data: bytes) -> None:
        splitter = PayloadSplitter(PassOver(), vib, where=WHERE, limits=LIMITS)
        splitter.write(data)
        splitter.close()

    require_agreement(data, pulled, pushed)


def _words(data: bytes) -> None:
    """Rules about single words, which other parsers ask."""
    for text in data.decode("utf-8", "surrogateescape").split("\n")[:FILES_READ]:
        name_problem(text)
        iso9660.is_legal_iso_path(text)
        image_database.safe_file_name(text)
        image_database.database_kind(text)
        image_database.database_folder(text.__contains__)
        unit_folder_kind(text)
        refusal(kickstart_address.KickstartAddress.from_text, text)
        refusal(_time, text)


def _time(text: str) -> None:
    if (moment := parse_time(text, where=WHERE)) is not None:
        assert parse_time(render_time(moment), where="what we wrote") == moment


def _vib_metadata(data: bytes) -> None:
    vib, unstated = parse_vib_metadata(data, where=WHERE, max_bytes=MAX_BYTES)
    may_state(data, unstated)
    with_elements_of(vib, vib, unstated)


DOCUMENT_TARGETS: Final = (
    Target("boot_cfg", functools.partial(go_round, parse_boot_cfg, render_boot_cfg), ("boot_cfg.parse_boot_cfg",)),
    Target("bulletin", functools.partial(go_round, parse_bulletin, render_bulletin), ("bulletin.parse_bulletin",)),
    Target("index", functools.partial(go_round, parse_index, render_index), ("depot_index.parse_index",)),
    Target(
        "vendor_index",
        functools.partial(go_round, parse_vendor_index, render_vendor_index),
        ("depot_index.parse_vendor_index",),
    ),
    Target(
        "image_profile",
        functools.partial(go_round, parse_image_profile, render_image_profile),
        ("image_profile.parse_image_profile",),
    ),
    Target("kickstart", _kickstart, ("kickstart.check_kickstart", "kickstart.check_kickstart_options")),
    Target("lock_file", functools.partial(go_round, parse_lock, render_lock), ("lock_file.parse_lock",)),
    Target(
        "metadata_response",
        lambda data: parse_metadata_response(data, where=WHERE, max_bytes=MAX_BYTES),
        ("metadata_response.parse_metadata_response",),
    ),
    Target("release_unit", _release_unit, ("release_unit.parse_release_unit",)),
    Target(
        "software_spec",
        functools.partial(go_round, parse_software_spec, render_software_spec),
        ("software_spec.parse_software_spec",),
    ),
    Target("vib_head", _vib_head, ("vib_archive.read_vib_head",), Shape.AR),
    Target("vib_payloads", _vib_payloads, ("vib_archive.iter_payloads", "vib_archive.PayloadSplitter"), Shape.AR),
    Target(
        "vib_descriptor",
        functools.partial(go_round, parse_vib_descriptor, render_vib_descriptor),
        ("vib_descriptor.parse_vib_descriptor",),
    ),
    Target(
        "words",
        _words,
        (
            "dates.parse_time",
            "dates.render_time",
            "image_database.database_folder",
            "image_database.database_kind",
            "image_database.safe_file_name",
            "kickstart_address.KickstartAddress",
            "member_name.name_problem",
            "release_unit.unit_folder_kind",
        ),
        Shape.TEXT,
        2048,
    ),
    Target(
        "vib_metadata",
        _vib_metadata,
        (
            "vib_descriptor.parse_vib_metadata",
            "stated_elements.may_state",
            "stated_elements.unstated_elements",
            "stated_elements.with_elements_of",
        ),
    ),
    Target(
        "vib_description",
        lambda data: parse_vib_description(data, where=WHERE, max_bytes=MAX_BYTES),
        ("vib_description.parse_vib_description",),
    ),
    Target("project_file", _project_file, ("project_file.parse_project",)),
    Target(
        "isolinux_cfg",
        lambda data: parse_isolinux_cfg(data, where=WHERE, max_bytes=MAX_BYTES),
        ("isolinux_cfg.parse_isolinux_cfg",),
    ),
)
