"""Very many VIBs of one id: each has a path of its own, and none costs more than the one before."""

from __future__ import annotations

import time

import pytest
from support.document_builders import VibBuilder, element

from esximage_builder.depot.disc import local_names_by_vib
from esximage_builder.depot.image_database import DatabaseTree
from esximage_builder.depot.merge import merge_sources
from esximage_builder.depot.source import SourceContents, VibLocation
from esximage_builder.documents.vib_archive import VibHead
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor
from esximage_builder.models.image_profile import ImageProfile, ProfileVib
from esximage_builder.rules.boot_layout import disc_names

BUILDER = VibBuilder()
VIB = parse_vib_descriptor(BUILDER.descriptor())
MANY = 20_000


def summed_up(number: int) -> bytes:
    return BUILDER.with_element("summary", element("summary", f"{number}")).descriptor()


def test_an_image_database_takes_very_many_vibs_of_one_id() -> None:
    """Twenty thousand in seconds: the path of each was searched through all before it."""
    tree = DatabaseTree("a.tgz")
    head = VibHead(descriptor=b"x", signature=b"")
    started = time.process_time()
    paths = {tree.add(VIB, head) for _ in range(MANY)}
    assert len(paths) == MANY
    assert time.process_time() - started < 5


def test_merging_very_many_contents_of_one_id_is_no_search_through_all() -> None:
    """Each was compared with all before it, which made minutes of six thousand."""
    tree = DatabaseTree("a.tgz")
    contents = SourceContents("a.tgz")
    for number in range(3_000):
        data = summed_up(number)
        vib = parse_vib_descriptor(data)
        contents.vibs.append((vib, VibLocation(tree, tree.add(vib, VibHead(descriptor=data, signature=b"")))))
    started = time.process_time()
    catalog, _ = merge_sources([contents])
    assert len(catalog.vibs) == 3_000
    assert time.process_time() - started < 5


def test_local_names_of_very_many_profiles_are_put_together_in_one_pass() -> None:
    """Each profile gives the payload another name; the set of all was copied for each."""
    profiles = [
        ImageProfile(name=f"p{number}", vibs=[ProfileVib(vib_id="a", local_names=[("net", f"net.v{number}")])])
        for number in range(MANY)
    ]
    started = time.process_time()
    names = local_names_by_vib(profiles)
    assert len(names["a"]["net"]) == MANY
    assert time.process_time() - started < 2


@pytest.mark.parametrize("name", ["a-driver-with-a-long-name", "a!"])
def test_names_on_disc_of_very_many_payloads_take_seconds(name: str) -> None:
    """All of one beginning: the counter of each began at nothing, and 8,000 took 5.3 s."""
    started = time.process_time()
    found = disc_names([name] * MANY)
    assert len(set(found)) == MANY
    assert time.process_time() - started < 2
