"""Trees of files: what stands in a vmtar or tar, read back the same, and what is refused."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest
from support.second_vmtar import second_reading

from esximage_builder.containers.file_tree import (
    TreeEntry,
    leads_outside,
    load_tree,
    read_tree,
    render_tar_tree,
    render_vmtar_tree,
    require_tree,
    sorted_tree,
)
from esximage_builder.containers.ustar import render_header
from esximage_builder.containers.vmtar import EntryKind
from esximage_builder.errors import LimitExceededError, ModelError, UnsafeArchiveError
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = ReadLimits()
FOLDER, LINK = EntryKind.FOLDER, EntryKind.LINK
TREE = (
    TreeEntry(name="etc", kind=FOLDER, mode=0o755, mtime=5),
    TreeEntry(name="etc/acme.conf", mode=0o1644, mtime=6, data=b"level=1\n"),
    TreeEntry(name="opt", kind=FOLDER, mode=0o750, mtime=7),
    TreeEntry(name="opt/agent", mode=0o755, mtime=8, data=b"x" * 5000),
    TreeEntry(name="opt/empty", mode=0o600),
    TreeEntry(name="opt/link", kind=LINK, mode=0o777, mtime=9, target="../etc/acme.conf"),
)
DRIVER = (TreeEntry(name="usr/lib/vmware/vmkmod/flux", mode=0o444, mtime=2**31, data=bytes(4096)),)
WRITERS = pytest.mark.parametrize("render", [render_vmtar_tree, render_tar_tree], ids=["vmtar", "tar"])
TREES = pytest.mark.parametrize("tree", [TREE, DRIVER, ()], ids=["agent", "driver", "empty"])


def as_second_reader_has_it(tree: tuple[TreeEntry, ...]) -> list[tuple[object, ...]]:
    kinds = {EntryKind.FILE: "0", FOLDER: "5", LINK: "2"}
    return [
        (
            item.name + ("/" if item.kind is FOLDER else ""),
            kinds[item.kind],
            item.mode,
            item.mtime,
            item.data,
            item.target,
        )
        for item in tree
    ]


@WRITERS
@TREES
def test_what_is_written_reads_back_the_same(
    render: Callable[[tuple[TreeEntry, ...]], bytes], tree: tuple[TreeEntry, ...]
) -> None:
    assert load_tree(render(tree), where="p", limits=LIMITS) == tree


@TREES
def test_a_reader_of_another_hand_sees_the_same_in_a_vmtar(tree: tuple[TreeEntry, ...]) -> None:
    seen = second_reading(render_vmtar_tree(tree))

    assert [(item.name, item.kind, item.mode, item.mtime, item.content, item.target) for item in seen] == (
        as_second_reader_has_it(tree)
    )
    assert {item.owner for item in seen} <= {(0, 0, "root", "root")}


@TREES
def test_tarfile_sees_the_same_in_a_tar(tree: tuple[TreeEntry, ...]) -> None:
    with tarfile.open(fileobj=io.BytesIO(render_tar_tree(tree))) as archive:
        members = archive.getmembers()
        contents = [file.read() if (file := archive.extractfile(item)) and item.isreg() else b"" for item in members]

    assert [(item.name, item.mode, item.mtime, item.linkname) for item in members] == [
        (item.name, item.mode, item.mtime, item.target) for item in tree
    ]
    assert contents == [item.data for item in tree]
    assert {(item.uid, item.gid, item.uname) for item in members} <= {(0, 0, "root")}


def test_names_of_more_than_100_bytes_go_into_a_tar_and_not_into_a_vmtar() -> None:
    entry = TreeEntry(name="/".join(["a" * 40] * 4), data=b"long")

    assert load_tree(render_tar_tree([entry]), where="p", limits=LIMITS) == (entry,)
    with pytest.raises(ModelError, match="too long for a vmtar") as caught:
        render_vmtar_tree([entry])
    assert "tgz" in caught.value.hint
    with pytest.raises(ModelError, match="cannot stand in a tar"):
        render_tar_tree([TreeEntry(name="a" * 300)])


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        pytest.param([TreeEntry(name="../x")], "this name cannot stand in a file tree", id="upwards"),
        pytest.param([TreeEntry(name="/x")], "this name cannot stand in a file tree", id="absolute"),
        pytest.param([TreeEntry(name="a\u202eb")], "this name cannot stand in a file tree", id="bidirectional"),
        pytest.param([TreeEntry(name="a"), TreeEntry(name="a", kind=FOLDER)], "two entries of a file tree", id="twice"),
        pytest.param(
            [TreeEntry(name="a", kind=LINK, target="b"), TreeEntry(name="a/c")], "below what is no folder", id="link"
        ),
        pytest.param([TreeEntry(name="a/b/c"), TreeEntry(name="a")], "below what is no folder", id="file above"),
        pytest.param([TreeEntry(name="a", kind=EntryKind.OTHER)], "files, folders and symbolic links", id="device"),
        pytest.param([TreeEntry(name="a", mode=0o10000)], "a date or mode cannot", id="mode"),
        pytest.param([TreeEntry(name="a", mtime=-1)], "a date or mode cannot", id="date before 1970"),
        pytest.param([TreeEntry(name="a", kind=LINK)], "cannot lead there", id="link to nothing"),
        pytest.param([TreeEntry(name="a", kind=LINK, target="b" * 101)], "cannot lead there", id="long target"),
        pytest.param([TreeEntry(name="a", kind=LINK, target="b\nc")], "cannot lead there", id="two lines"),
    ],
)
def test_what_no_tree_can_hold_is_not_written(entries: list[TreeEntry], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        require_tree(entries)


def made_tar(
    *items: tarfile.TarInfo, contents: dict[str, bytes] | None = None, kind: int = tarfile.GNU_FORMAT
) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=kind) as archive:
        for item in items:
            data = (contents or {}).get(item.name, b"")
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))
    return target.getvalue()


def item(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    made.linkname = target
    return made


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_tars_of_other_hands_are_read_with_their_links(kind: int) -> None:
    long = "d/" * 40 + "name"
    data = made_tar(
        item("./", tarfile.DIRTYPE),
        item("./a"),
        item("b", tarfile.SYMTYPE, "a"),
        item("c", tarfile.LNKTYPE, "./a"),
        item(long),
        contents={"./a": b"content"},
        kind=kind,
    )
    found = load_tree(data, where="t.tar", limits=LIMITS)

    assert [(entry.name, entry.kind, entry.target, entry.data) for entry in found] == [
        ("a", EntryKind.FILE, "", b"content"),
        ("b", LINK, "a", b""),
        ("c", EntryKind.FILE, "", b"content"),
        (long, EntryKind.FILE, "", b""),
    ]


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_targets_of_links_are_read_whole(kind: int) -> None:
    (found,) = load_tree(made_tar(item("l", tarfile.SYMTYPE, "t" * 150), kind=kind), where="t", limits=LIMITS)
    assert found.target == "t" * 150


@pytest.mark.parametrize(
    ("items", "message"),
    [
        pytest.param([item("../x")], "the name of an entry", id="upwards"),
        pytest.param([item("/etc/passwd")], "the name of an entry", id="absolute"),
        pytest.param([item("a"), item("a")], "two entries have one name", id="twice"),
        pytest.param([item("a"), item("./a")], "two entries have one name", id="twice by spelling"),
        pytest.param([item("a", tarfile.CHRTYPE)], "no file, folder or link", id="character device"),
        pytest.param([item("a", tarfile.BLKTYPE)], "no file, folder or link", id="block device"),
        pytest.param([item("a", tarfile.FIFOTYPE)], "no file, folder or link", id="named pipe"),
        pytest.param([item("a", b"Z")], "no file, folder or link", id="unknown"),
        pytest.param([item("a", tarfile.SYMTYPE, "b"), item("a/c")], "below what is no folder", id="through a link"),
        pytest.param([item("a/c"), item("a", tarfile.SYMTYPE, "b")], "below what is no folder", id="link later"),
        pytest.param([item("a", tarfile.LNKTYPE, "../b")], "a hard link leads to no file", id="hard link out"),
        pytest.param([item("a", tarfile.SYMTYPE, "")], "a link leads nowhere", id="empty link"),
    ],
)
def test_unsafe_archives_are_refused(items: list[tarfile.TarInfo], message: str) -> None:
    with pytest.raises(UnsafeArchiveError, match=message):
        load_tree(made_tar(*items), where="t.tar", limits=LIMITS)


def test_files_that_lie_on_one_another_count_each() -> None:
    """Two headers of a vmtar may name the same bytes, and hard links do."""
    body = bytes(3000)
    one, two = (
        render_header(
            name, kind=b"0", size_bytes=3000, mode=0o644, timestamp=0, magic=b"visor  \0",
            after_owner=bytes(167) + (4096).to_bytes(4, "little"),
        )
        for name in (b"a", b"b")
    )  # fmt: skip
    data = (one + two).ljust(4096, b"\0") + body

    assert [entry.size_bytes for entry in read_tree(io.BytesIO(data), where="p", limits=LIMITS)] == [3000, 3000]
    hard = made_tar(
        item("a"),
        item("b", tarfile.LNKTYPE, "a"),
        item("c", tarfile.LNKTYPE, "a"),
        contents={"a": bytes(9000)},
    )
    with pytest.raises(LimitExceededError, match="the files of the archive"):
        read_tree(io.BytesIO(hard), where="p", limits=ReadLimits(payload_bytes=len(hard)))


@pytest.mark.parametrize(
    ("name", "target", "is_outside"),
    [
        ("a", "b", False),
        ("a", "b/../../c", True),
        ("a", "..", True),
        ("a/b", "..", False),
        ("a/b", "../c", False),
        ("a/b", "../../c", True),
        ("a/b", "./.././c", False),
        ("a/b", "c/../d", True),
        ("opt/x", "/etc/passwd", True),
        ("opt/x", "//etc", True),
        ("opt/a/b/c", "../../..", False),
        ("opt/a/b/c", "../../../..", True),
    ],
)
def test_links_that_may_lead_out_are_known(name: str, target: str, *, is_outside: bool) -> None:
    """A name before ``..`` may be a link, so what only looks inside does not count as inside."""
    assert leads_outside(name, target) is is_outside


def test_order_goes_by_parts_of_names() -> None:
    names = ["a.b", "a/b", "a", "a-b/c", "a-b"]
    assert [entry.name for entry in sorted_tree([TreeEntry(name=name) for name in names])] == [
        "a", "a/b", "a-b", "a-b/c", "a.b",
    ]  # fmt: skip
