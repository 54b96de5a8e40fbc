"""Generated archives of a disc: every member has bytes, or nothing is written."""

from __future__ import annotations

import contextlib
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast, final

import attrs
import pytest
from support.small_images import small_vib
from support.written_images import GENERATIONS

import esximage_builder as eib
from esximage_builder.authoring.vib import raw_payload
from esximage_builder.depot.store import measured_image
from esximage_builder.export.disc_archives import GeneratedMember, PayloadMember, VibMember
from esximage_builder.export.disc_options import DiscOptions
from esximage_builder.export.disc_plan import DiscPlan, files_to_know, plan_disc
from esximage_builder.export.disc_writer import DiscWriter, read_heads
from esximage_builder.models.vib import VibFile

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS = eib.ReadLimits()


@final
@attrs.frozen
class Strange:
    """A member of a kind that nobody knows."""

    name: str = "strange"
    size_bytes: int = 0
    data: None = None
    payload: None = None
    vib: None = None


@final
class Nowhere:
    """Takes every file and keeps none."""

    @contextlib.contextmanager
    def file(self, _: str) -> Iterator[io.BytesIO]:
        yield io.BytesIO()


def planned(image: eib.Image, depot: eib.Depot) -> DiscPlan:
    options = DiscOptions()
    known = measured_image(image, depot, files_to_know(image, options))
    return plan_disc(known, read_heads(image, depot, LIMITS), options, timestamp=datetime(2022, 9, 1, tzinfo=UTC))


def test_a_member_of_an_unknown_kind_is_never_left_out_silently() -> None:
    generation = GENERATIONS["8.0U3"]
    with eib.open_depot(*generation.paths) as depot:
        image = generation.image(depot.catalog)
        plan = planned(image, depot)
        archive = attrs.evolve(plan.archives[0], members=cast("Any", [Strange()]))
        writer = DiscWriter(attrs.evolve(plan, archives=[archive], payload_paths={}), {})
        with pytest.raises(AssertionError, match="Strange"):
            writer.write_archives(cast("Any", Nowhere()), cast("Any", None), lambda _: None)


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(None, id="nothing"),
        pytest.param(VibFile(size_bytes=3), id="size only"),
        pytest.param(VibFile(sha256="0" * 64), id="digest only"),
    ],
)
def test_a_vib_of_unknown_size_or_digest_is_no_member(file: VibFile | None) -> None:
    """It could be neither placed nor checked, and would have been left out or given no bytes."""
    vib = small_vib("agent", "1.0-1", (raw_payload("a", b"a", type="text"),)).vib
    with pytest.raises(eib.ModelError, match="no size and checksum"):
        VibMember(name="x.vib", vib=vib.with_file(file))


def test_the_members_of_a_plan_are_of_all_three_kinds_and_know_their_size() -> None:
    generation = GENERATIONS["8.0U3"]
    with eib.open_depot(*generation.paths) as depot:
        image = generation.image(depot.catalog)
        plan = planned(image, depot)

    members = [member for archive in plan.archives for member in archive.members]
    assert {type(member) for member in members} == {GeneratedMember, PayloadMember, VibMember}
    assert all(member.size_bytes > 0 for member in members)
    keys = {member.payload for member in members if isinstance(member, PayloadMember)}
    assert {key for archive in plan.archives for key in archive.payloads} == keys
