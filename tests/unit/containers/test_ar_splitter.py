"""Pushed archives: cut however they are, they give what a pulled one gives, and are refused with the same words."""

from __future__ import annotations

import io
from typing import Any, final

import attrs
import pytest
from hypothesis import given, strategies as st

import esximage_builder as eib
from esximage_builder.containers.ar import AR_MAGIC, ArMember, ArSplitter, ArStream, render_ar, render_ar_header
from esximage_builder.documents.vib_archive import PayloadSplitter, iter_payloads
from esximage_builder.errors import EsxImageError

LIMITS = eib.ReadLimits()
WHERE = "x.vib"
NAMES = st.text("abcxyz.0", min_size=1, max_size=16).filter(lambda name: name not in (".", ".."))


@final
@attrs.define
class Taken:
    """What a splitter handed on."""

    members: list[tuple[ArMember, bytes]] = attrs.Factory(list)
    open: ArMember | None = None
    _data: bytes = b""

    def begin_member(self, member: ArMember) -> None:
        assert self.open is None
        self.open, self._data = member, b""

    def take(self, data: memoryview) -> None:
        assert self.open is not None
        assert len(data) > 0
        self._data += data

    def end_member(self) -> None:
        assert self.open is not None
        self.members.append((self.open, self._data))
        self.open = None


def pulled(data: bytes, **options: Any) -> list[tuple[ArMember, bytes]] | dict[str, Any]:
    """The members by ``ArStream``, or its error."""
    try:
        return [
            (member, stream.read())
            for member, stream in ArStream(
                io.BytesIO(data), where=WHERE, limits=options.pop("limits", LIMITS), **options
            )
        ]
    except EsxImageError as error:
        return error.as_dict()


def pushed(data: bytes, cuts: list[int], **options: Any) -> list[tuple[ArMember, bytes]] | dict[str, Any]:
    """The members by ``ArSplitter``, fed in pieces that end at the cuts, or its error."""
    taken = Taken()
    try:
        splitter = ArSplitter(taken, where=WHERE, limits=options.pop("limits", LIMITS), **options)
        ends = sorted(cut % (len(data) + 1) for cut in cuts)
        for start, end in zip([0, *ends], [*ends, len(data)], strict=True):
            splitter.write(memoryview(data)[start:end])
        splitter.close()
    except EsxImageError as error:
        return error.as_dict()
    assert taken.open is None
    return taken.members


members = st.dictionaries(NAMES, st.binary(max_size=70), max_size=4).map(dict.items)
cuts = st.lists(st.integers(0, 10**6), max_size=30)


@given(members, cuts)
def test_whatever_the_blocks_the_members_are_the_same(made: Any, ends: list[int]) -> None:
    data = render_ar(made)
    found = pushed(data, ends)
    assert found == pulled(data)
    assert isinstance(found, list)
    assert [(member.name, content) for member, content in found] == list(made)


@given(members, cuts, st.data())
def test_a_damaged_archive_is_refused_as_a_pulled_one_is(made: Any, ends: list[int], draw: st.DataObject) -> None:
    data = bytearray(render_ar(made))
    for at in draw.draw(st.lists(st.integers(0, len(data) - 1), max_size=3)):
        data[at] = draw.draw(st.sampled_from(b"\0 \n/09`a!"))
    damaged = bytes(data[: draw.draw(st.integers(0, len(data)))]) + draw.draw(st.binary(max_size=3))
    size = draw.draw(st.sampled_from([None, len(damaged)]))
    limits = draw.draw(st.sampled_from([LIMITS, eib.ReadLimits(member_count=2), eib.ReadLimits(vib_bytes=200)]))

    assert pushed(damaged, ends, size_bytes=size, limits=limits) == pulled(damaged, size_bytes=size, limits=limits)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(AR_MAGIC[:5], id="half a magic"),
        pytest.param(AR_MAGIC, id="no member"),
        pytest.param(AR_MAGIC + render_ar_header("a", 3)[:59], id="half a header"),
        pytest.param(AR_MAGIC + render_ar_header("a", 3) + b"ab", id="data cut short"),
        pytest.param(AR_MAGIC + render_ar_header("a", 3) + b"abc", id="last pad missing"),
        pytest.param(AR_MAGIC + render_ar_header("a", 3) + b"abc\n", id="whole"),
        pytest.param(AR_MAGIC + render_ar_header("a", 3) + b"abcd", id="wrong pad"),
        pytest.param(AR_MAGIC + 2 * (render_ar_header("a", 0)), id="one name twice"),
        pytest.param(AR_MAGIC + render_ar_header("a", 0) + b"more", id="something behind"),
    ],
)
def test_the_ends_of_archives_are_judged_alike(data: bytes) -> None:
    for step in (1, 7, 1000):
        assert pushed(data, list(range(0, len(data), step))) == pulled(data)


def test_a_member_is_handed_on_without_waiting_for_its_end() -> None:
    taken = Taken()
    splitter = ArSplitter(taken, where=WHERE, limits=LIMITS)
    splitter.write(AR_MAGIC + render_ar_header("a", 1 << 30) + b"begin")
    assert taken.open == ArMember(name="a", offset=68, size_bytes=1 << 30)


# Payloads


@final
@attrs.define
class TakenPayloads:
    """What a payload splitter handed on."""

    payloads: list[list[Any]] = attrs.Factory(list)

    def begin_payload(self, payload: eib.Payload, size_bytes: int) -> None:
        self.payloads.append([payload.name, size_bytes, b"", False])

    def take(self, data: memoryview) -> None:
        self.payloads[-1][2] += bytes(data)

    def end_payload(self) -> None:
        self.payloads[-1][3] = True


def vib_of(*names: str) -> eib.Vib:
    payloads = [eib.Payload(name=name, type="vgz") for name in names]
    return eib.Vib(name="net", version=eib.VibVersion("1.0-1"), vendor="ACM", payloads=payloads)


@given(st.permutations(["descriptor.xml", "sig.pkcs7", "a", "b", "other"]), st.binary(max_size=9), cuts)
def test_payloads_come_in_archive_order_alone(names: list[str], content: bytes, ends: list[int]) -> None:
    data = render_ar([(name, name.encode() + content) for name in names])
    vib = vib_of("a", "b")
    expected = [
        [payload.name, size, stream.read(), True]
        for payload, stream, size in iter_payloads(io.BytesIO(data), vib, where=WHERE, limits=LIMITS)
    ]
    taken = TakenPayloads()
    splitter = PayloadSplitter(taken, vib, where=WHERE, limits=LIMITS)
    limits = sorted(cut % (len(data) + 1) for cut in ends)
    for start, end in zip([0, *limits], [*limits, len(data)], strict=True):
        splitter.write(data[start:end])
    splitter.close()
    assert taken.payloads == expected
    assert [payload[0] for payload in expected] == [name for name in names if name in "ab"]


@pytest.mark.parametrize("data", [render_ar([("a", b"A")]), render_ar([("a", b"A"), ("b", b"B")])[:-3]])
def test_a_vib_without_its_payloads_is_refused_in_the_end(data: bytes) -> None:
    vib = vib_of("a", "b")
    splitter = PayloadSplitter(TakenPayloads(), vib, where=WHERE, limits=LIMITS)
    splitter.write(data)
    with pytest.raises(eib.MalformedDocumentError) as caught:
        splitter.close()
    with pytest.raises(eib.MalformedDocumentError) as pulled_error:
        list(iter_payloads(io.BytesIO(data), vib, where=WHERE, limits=LIMITS))
    assert caught.value.as_dict() == pulled_error.value.as_dict()
