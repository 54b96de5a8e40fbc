"""What a small file of ill will costs: at most 256 MiB and ten seconds, whatever is asked of it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import clean_environment
from support.small_images import small_vib

from esximage_builder.authoring.vib import AuthoredPayload
from esximage_builder.checksums import Checksum
from esximage_builder.depot.gathered import GatheredErrors
from esximage_builder.errors import MalformedDocumentError
from esximage_builder.models.vib import Payload
from esximage_builder.rules.boot_layout import disc_names

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024
INDEX = (
    b"<vendorList><vendor><name>x</name><code>ACM</code><indexfile>vendor-index.xml</indexfile><patchUrl/>"
    b"<relativePath/></vendor></vendorList>"
)
VENDOR = (
    b"<metaList><metadata><productId>embeddedEsx</productId><version>7.0.0</version><locale/>"
    b"<url>metadata.zip</url></metadata></metaList>"
)
PROGRAM = """
import json, resource, sys, time
import esximage_builder as eib
start = time.process_time()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
said = []
for ask in (eib.open_depot, eib.verify_bundle, eib.verify_vib, eib.verify_iso, eib.sniff):
    try:
        found = ask(sys.argv[1])
        said.append(ask.__name__ + " " + type(found).__name__)
    except eib.EsxImageError as error:
        said.append(ask.__name__ + " " + str(error)[:200])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": time.process_time() - start, "kib": peak - before, "said": said}))
"""


def packed(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method, compresslevel=9) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


def depot(metadata: dict[str, bytes], more: dict[str, bytes] | None = None) -> bytes:
    """A depot whose metadata has these documents; what repeats is packed twice, so that it becomes small."""
    inner = packed({"vendor-index.xml": VENDOR, **metadata}, method=zipfile.ZIP_STORED)
    return packed({"index.xml": INDEX, "vendor-index.xml": VENDOR, "metadata.zip": inner, **(more or {})})


def many_broken_documents() -> bytes:
    broken = b"<vib><type>bootbank</type>" + b"<name>x</name>" * 2000
    return depot({f"vibs/x{number}.xml": broken for number in range(9000)})


def many_empty_members() -> bytes:
    return packed(
        {"inner.zip": packed(dict.fromkeys((f"{n:x}" for n in range(150_000)), b""), method=zipfile.ZIP_STORED)}
    )


def one_vast_document() -> bytes:
    return depot({"vmware.xml": b"<metadataResponse>" + b"<bulletin/>" * (20 * MIB // 11) + b"</metadataResponse>"})


def deep_document() -> bytes:
    return depot({"vmware.xml": b"<metadataResponse>" + b"<a>" * 500_000})


def bomb_in_a_vib(count: int = 1) -> bytes:
    """A payload of zeros, packed twice; its checksums are nobody's, so that all of it has to be read."""
    once = gzip.compress(bytes(200 * MIB), 9, mtime=0)
    parts = [
        AuthoredPayload(
            payload=Payload(
                name=f"bomb{number}",
                type="vgz",
                size_bytes=len(once),
                checksums=[
                    Checksum("sha-256", "0" * 64, verify_process="gunzip"),
                    Checksum("sha-256", hashlib.sha256(once).hexdigest()),
                ],
            ),
            data=once,
        )
        for number in range(count)
    ]
    authored = small_vib("bomb", "1.0-1", tuple(parts))
    return packed({"bomb.vib": authored.data})


def bombs_in_a_vib() -> bytes:
    return bomb_in_a_vib(30)


ATTACKS: dict[str, Callable[[], bytes]] = {
    "many broken documents": many_broken_documents,
    "many empty members": many_empty_members,
    "one vast document": one_vast_document,
    "a deep document": deep_document,
    "a bomb in a VIB": bomb_in_a_vib,
    "many bombs in a VIB": bombs_in_a_vib,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_small_file_costs_little(tmp_path: Path, name: str) -> None:
    path = tmp_path / "lie.zip"
    path.write_bytes(ATTACKS[name]())
    assert path.stat().st_size <= 1_000_000
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        env=clean_environment(),
        capture_output=True,
        check=True,
        timeout=120,
    )
    cost = json.loads(done.stdout)
    assert cost["seconds"] <= 10, cost
    assert cost["kib"] <= 256 * 1024, cost


def read_badly(number: int) -> None:
    try:
        int("x")
    except ValueError as error:
        raise MalformedDocumentError(f"document {number}") from error


def test_gathered_errors_hold_no_frames_and_end_at_a_bound() -> None:
    gathered = GatheredErrors(2)
    for number in range(5):
        try:
            read_badly(number)
        except MalformedDocumentError as error:
            gathered.add(error)
    assert [error.message for error in gathered] == ["document 0", "document 1"]
    assert gathered.left_out == 3
    for kept in gathered:
        assert kept.__traceback__ is None
        assert kept.__cause__ is not None
        assert kept.__cause__.__traceback__ is None


def test_names_on_a_disc_take_time_that_grows_with_their_number(benchmark_names: tuple[list[str], list[str]]) -> None:
    """Eight thousand colliding names took five seconds."""
    few, many = benchmark_names
    seconds = []
    for names in (few, many):
        start = time.process_time()
        assert len(set(disc_names(names))) == len(names)
        seconds.append(time.process_time() - start)
    assert seconds[1] < 1


@pytest.fixture
def benchmark_names() -> tuple[list[str], list[str]]:
    return [f"same-base-{n}.x" for n in range(800)], [f"same-base-{n}.x" for n in range(8000)]
