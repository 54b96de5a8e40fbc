"""Whatever tree of files goes into a VIB comes out of it, and any reader sees the same."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings, strategies as st
from support.second_vmtar import second_reading
from support.vib_sources import lay_out, standing_in

from esximage_builder.authoring.extract import extract_vib
from esximage_builder.authoring.vib_of_files import make_vib
from esximage_builder.containers.file_tree import leads_outside
from esximage_builder.documents.vib_archive import iter_payloads
from esximage_builder.documents.vib_description import parse_vib_description
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARTS = st.text("abcZ09._-é ", min_size=1, max_size=6).filter(
    lambda part: part == part.strip() and part.strip(". ")
)  # a file list keeps no blanks at the ends of a path; parts of dots and blanks alone are refused as `..` is
_FILE_MODES = st.integers(0, 0o777).map(lambda mode: mode | 0o400) | st.sampled_from([0o1644, 0o1600])
_FOLDER_MODES = st.integers(0, 0o777).map(lambda mode: mode | 0o700)
_TEXT = 'name = "a"\nversion = "1-1"\nvendor = "A"\nsummary = "s"\nrelease-date = 2024-01-31\n'


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    """A folder of up to twelve files and links at any depth, all folders above them named."""
    laid: dict[str, Any] = {"opt": (0o755, None), "opt/first": (0o644, b"at least one")}
    for _ in range(draw(st.integers(0, 12))):
        parts = draw(st.lists(_PARTS, min_size=1, max_size=4))
        above = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
        name = "/".join(parts)
        if (
            name in laid
            or len(name.encode()) > 90
            or any(laid.get(folder, (0, None))[1] is not None for folder in above)
        ):
            continue
        for folder in above:
            laid.setdefault(folder, (draw(_FOLDER_MODES), None))
        laid[name] = draw(_contents(name))
    return laid


def _contents(name: str) -> st.SearchStrategy[tuple[int, Any]]:
    depth = name.count("/")
    files = st.tuples(_FILE_MODES, st.binary(max_size=300) | st.integers(0, 9000).map(bytes))
    targets = st.tuples(st.integers(0, depth), st.lists(_PARTS, min_size=1, max_size=2)).map(
        lambda pair: "../" * pair[0] + "/".join(pair[1])
    )
    return files | st.tuples(st.just(0o777), targets) | st.tuples(_FOLDER_MODES, st.none())


_KINDS = st.sampled_from(["vgz", "tgz"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(laid=trees(), kind=_KINDS, deflate=st.booleans(), from_tar=st.booleans())
def test_what_goes_in_comes_out(laid: Mapping[str, Any], kind: str, *, deflate: bool, from_tar: bool) -> None:
    payload = f'[[payloads]]\nname = "p"\ntype = "{kind}"\nsource = ""\n'
    text = f"{_TEXT}deflate = {str(deflate).lower()}\n{payload}"
    description = parse_vib_description(text.encode(), where="x", max_bytes=1000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = lay_out(folder / "source", laid)
        if from_tar:
            with tarfile.open(folder / "source.tar", "w") as archive:
                archive.add(source, arcname=".")
        made = make_vib(folder / "source.tar" if from_tar else source, description)
        (folder / "x.vib").write_bytes(made.data)
        extracted = extract_vib(folder / "x.vib", folder / "out")

        assert standing_in(folder / "out") == standing_in(source)
        assert set(made.vib.files or ()) == {item for item, (_, content) in laid.items() if content is not None}
        assert extracted.vib == made.vib
    if kind == "vgz":
        _require_second_reading(made.data, extracted.vib, laid)


def _require_second_reading(data: bytes, vib: Any, laid: Mapping[str, Any]) -> None:
    source = io.BytesIO(data)
    for _, stream, _ in iter_payloads(source, vib, where="x", limits=ReadLimits()):
        seen = second_reading(gzip.decompress(stream.read()))
    found = {
        item.name.rstrip("/"): (item.mode, item.target or (None if item.kind == "5" else item.content)) for item in seen
    }
    assert found == dict(laid)


@given(
    folders=st.lists(st.sampled_from(["a", "b", "c"]), max_size=3),
    steps=st.lists(st.sampled_from(["..", ".", "a", "b", ""]), min_size=1, max_size=6),
)
def test_a_link_that_counts_as_inside_is_inside_wherever_other_links_lead(folders: list[str], steps: list[str]) -> None:
    """Behind a name, ``..`` may start from anywhere in the tree; before one, from the link's own folder."""
    target = "/".join(steps)
    if not target or leads_outside("/".join([*folders, "link"]), target):
        return
    depth = len(folders)
    for step in (step for step in steps if step not in ("", ".")):
        depth = depth - 1 if step == ".." else 0  # a name may be a link to the root itself
        assert depth >= 0
