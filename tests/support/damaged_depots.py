"""Depots with one place damaged and, where it is asked for, the digests around it put right again.

Nothing here uses the library's own readers and writers.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from typing import TYPE_CHECKING

import attrs
from support.changed_depots import ar_members, edit_zip, in_metadata, render_vib, zip_members
from support.document_builders import signature_over
from support.small_images import base_vibs, write_base_depot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Members = dict[str, bytes]

__all__ = [
    "DAMAGES",
    "SMALL_VERSION",
    "Damage",
    "certified_depot",
    "damaged",
    "with_changed_metadata",
    "with_changed_vib",
]

SMALL_VERSION = "7.0.3-0.55.20328353"


def _vib_path(source: Path, name: str) -> str:
    return next(path for path in zip_members(source) if path.startswith(f"vib20/{name}/"))


def with_changed_vib(
    source: Path, target: Path, name: str, change: Callable[[Members], None], *, mode: str = "0"
) -> Path:
    """A copy in which the members of one VIB are changed; its size and digest in the metadata are made to fit."""
    path = _vib_path(source, name)
    members = ar_members(zip_members(source)[path])
    signature = members["sig.pkcs7"]
    change(members)
    signed = _signed_anew(members) if members["sig.pkcs7"] == signature else members
    return _with_file(source, target, path, name, render_vib(signed, mode=mode))


def _signed_anew(members: Members) -> Members:
    """A changed descriptor gets a signature that covers it: other questions than that are asked of such VIBs."""
    if not members["sig.pkcs7"]:
        return members
    return {**members, "sig.pkcs7": signature_over(members["descriptor.xml"])}


def _with_file(source: Path, target: Path, path: str, name: str, data: bytes) -> Path:
    def edit_metadata(inner: str, text: bytes) -> bytes:
        if not re.match(rf"vibs/{name}-\d", inner):
            return text
        text = re.sub(rb"<packed-size>\d+<", b"<packed-size>%d<" % len(data), text)
        digest = hashlib.sha256(data).hexdigest().encode()
        return re.sub(rb'(</packed-size><checksum checksum-type="sha-256">)[0-9a-f]+', rb"\g<1>" + digest, text)

    outer = in_metadata(edit_metadata)
    return edit_zip(source, target, lambda member, old: data if member == path else outer(member, old))


def with_changed_metadata(source: Path, target: Path, name: str, old: bytes, new: bytes) -> Path:
    """A copy in which one pattern is replaced in the depot's copy of a descriptor."""

    def edit(inner: str, text: bytes) -> bytes:
        if not re.match(rf"vibs/{name}-\d", inner):
            return text
        changed, count = re.subn(old, new, text, count=1, flags=re.DOTALL)
        assert count == 1, (name, old)
        return changed

    return edit_zip(source, target, in_metadata(edit))


def _payload_of(members: Members) -> str:
    return list(members)[2]


@attrs.frozen
class Damage:
    """One place of a depot, changed.

    Attributes:
        make: Writes the damaged copy of a depot.
        is_seen_stored: Whether it shows before payloads are unpacked.
        is_in_head: Whether it shows before payloads are read.
    """

    make: Callable[[Path, Path, str], Path]
    is_seen_stored: bool = True
    is_in_head: bool = False


def _flip_payload(position: float) -> Callable[[Path, Path, str], Path]:
    def make(source: Path, target: Path, name: str) -> Path:
        def change(members: Members) -> None:
            payload = bytearray(members[_payload_of(members)])
            payload[int(position * (len(payload) - 1))] ^= 0xFF
            members[_payload_of(members)] = bytes(payload)

        return with_changed_vib(source, target, name, change)

    return make


def _cut_payload(source: Path, target: Path, name: str) -> Path:
    def change(members: Members) -> None:
        members[_payload_of(members)] = members[_payload_of(members)][:-1]

    return with_changed_vib(source, target, name, change)


def _drop_payload(source: Path, target: Path, name: str) -> Path:
    return with_changed_vib(source, target, name, lambda members: _forget(members, _payload_of(members)))


def _forget(members: Members, name: str) -> None:
    del members[name]


def _reword(old: bytes, new: bytes) -> Callable[[Path, Path, str], Path]:
    return lambda source, target, name: with_changed_metadata(source, target, name, old, new)


def _reword_vib(old: bytes, new: bytes) -> Callable[[Path, Path, str], Path]:
    def make(source: Path, target: Path, name: str) -> Path:
        def change(members: Members) -> None:
            members["descriptor.xml"], count = re.subn(old, new, members["descriptor.xml"], count=1, flags=re.DOTALL)
            assert count == 1

        return with_changed_vib(source, target, name, change)

    return make


def _empty_signature(source: Path, target: Path, name: str) -> Path:
    return with_changed_vib(source, target, name, lambda members: members.update({"sig.pkcs7": b""}))


def _flip_signature(source: Path, target: Path, name: str) -> Path:
    """One byte changed, and metadata and zip made to fit."""

    def change(members: Members) -> None:
        signature = members["sig.pkcs7"]
        at = len(signature) // 2
        members["sig.pkcs7"] = signature[:at] + bytes([signature[at] ^ 0x01]) + signature[at + 1 :]

    return with_changed_vib(source, target, name, change)


def _sign_other(source: Path, target: Path, name: str) -> Path:
    return with_changed_vib(
        source, target, name, lambda members: members.update({"sig.pkcs7": signature_over(b"another descriptor")})
    )


def _scribble_signature(source: Path, target: Path, name: str) -> Path:
    return with_changed_vib(source, target, name, lambda members: members.update({"sig.pkcs7": b"x\n"}))


def _lower_vib(level: bytes, *, is_signed: bool) -> Callable[[Path, Path, str], Path]:
    """The metadata claims what the depot claims; the VIB says less."""

    def make(source: Path, target: Path, name: str) -> Path:
        def change(members: Members) -> None:
            pattern, new = rb"<acceptance-level>\w+<", b"<acceptance-level>%b<" % level
            members["descriptor.xml"] = re.sub(pattern, new, members["descriptor.xml"])
            members["sig.pkcs7"] = members["sig.pkcs7"] if is_signed else b""

        return with_changed_vib(source, target, name, change)

    return make


def _swap(source: Path, target: Path, name: str) -> Path:
    """The file of another VIB stands where this one should."""
    members = zip_members(source)
    other = next(path for path in members if path.startswith("vib20/long-driver/"))
    path = _vib_path(source, name)
    return _with_file(source, target, path, name, members[other])


def _wrong_unpacked(source: Path, target: Path, name: str) -> Path:
    """VIB and metadata agree on sums over stored bytes that are right and sums over unpacked ones that are not."""
    process = rb'(verify-process="gunzip"[^>]*>|checksum-type="sha-1"[^>]*>)[0-9a-f]{2}'
    changed = target.with_suffix(".first")
    _reword_vib(process, rb"\g<1>00")(source, changed, name)
    done = with_changed_metadata(changed, target, name, process, rb"\g<1>00")
    changed.unlink()
    return done


def _repacked(source: Path, target: Path, name: str) -> Path:
    """Another content, with sums over stored bytes put right in VIB and metadata; those over unpacked ones stay."""
    path = _vib_path(source, name)
    members = ar_members(zip_members(source)[path])
    payload = _payload_of(members)
    old = members[payload]
    data = gzip.compress(gzip.decompress(old)[:-1] + b"?", 0, mtime=0)
    pairs = [
        (hashlib.sha256(old).hexdigest().encode(), hashlib.sha256(data).hexdigest().encode()),
        (b' size="%d"' % len(old), b' size="%d"' % len(data)),
    ]

    def mend(text: bytes) -> bytes:
        for before, after in pairs:
            assert before in text
            text = text.replace(before, after)
        return text

    def change(vib: Members) -> None:
        vib[payload] = data
        vib["descriptor.xml"] = mend(vib["descriptor.xml"])

    first = target.with_suffix(".first")
    with_changed_vib(source, first, name, change)
    done = edit_zip(
        first,
        target,
        in_metadata(lambda inner, text: mend(text) if re.match(rf"vibs/{name}-\d", inner) else text),
    )
    first.unlink()
    return done


_NOBODY = b'<constraint name="nobody"/>'

DAMAGES = {
    "payload byte at the beginning": Damage(_flip_payload(0.0)),
    "payload byte in the middle": Damage(_flip_payload(0.5)),
    "payload byte at the end": Damage(_flip_payload(1.0)),
    "payload cut short": Damage(_cut_payload),
    "payload not there": Damage(_drop_payload),
    "summary": Damage(_reword(rb"<summary>", b"<summary>Not "), is_in_head=True),
    "tag added": Damage(
        _reword(rb"<software-tags\s*/>", b"<software-tags><tag>driver</tag></software-tags>"), is_in_head=True
    ),
    "date": Damage(_reword(rb"<release-date>20\d\d", b"<release-date>2019"), is_in_head=True),
    "conflict added": Damage(_reword(rb"<conflicts\s*/>", b"<conflicts>%b</conflicts>" % _NOBODY), is_in_head=True),
    "overlay": Damage(_reword(rb"<overlay>false<", b"<overlay>true<"), is_in_head=True),
    "live install": Damage(_reword(rb"<live-install-allowed>false<", b"<live-install-allowed>true<"), is_in_head=True),
    "level lowered in the metadata": Damage(
        _reword(rb"<acceptance-level>\w+<", b"<acceptance-level>partner<"), is_in_head=True
    ),
    "level raised over community": Damage(_lower_vib(b"community", is_signed=False), is_in_head=True),
    "level raised over partner": Damage(_lower_vib(b"partner", is_signed=True), is_in_head=True),
    "VIB reworded": Damage(_reword_vib(rb"<summary>", b"<summary>Not "), is_in_head=True),
    "VIB conflicts": Damage(_reword_vib(rb"<conflicts\s*/>", b"<conflicts>%b</conflicts>" % _NOBODY), is_in_head=True),
    "signature emptied": Damage(_empty_signature, is_in_head=True),
    "signature flipped": Damage(_flip_signature, is_in_head=True),
    "signature of another VIB": Damage(_sign_other, is_in_head=True),
    "signature that is none": Damage(_scribble_signature, is_in_head=True),
    "another VIB": Damage(_swap, is_in_head=True),
    "sums over unpacked bytes": Damage(_wrong_unpacked, is_seen_stored=False),
    "other contents, packed anew": Damage(_repacked, is_seen_stored=False),
}
"""By name. Digests of the whole file are right in all of them."""


def certified_depot(folder: Path, name: str) -> Path:
    """A small depot with a base image that boots, one VIB of which is certified and has a signature."""
    vibs = base_vibs(SMALL_VERSION, kernel=b"kernel", bios_loader=bytes(2048), efi_image=bytes(2048))
    write_base_depot(folder / "plain.zip", SMALL_VERSION, vibs)
    levels = (rb"<acceptance-level>community<", b"<acceptance-level>certified<")

    def certify(members: Members) -> None:
        members["descriptor.xml"] = re.sub(*levels, members["descriptor.xml"])
        members["sig.pkcs7"] = signature_over(members["descriptor.xml"])

    with_changed_vib(folder / "plain.zip", folder / "half.zip", name, certify)
    return with_changed_metadata(folder / "half.zip", folder / "certified.zip", name, *levels)


def damaged(source: Path, target: Path, name: str, damage: str) -> Path:
    """Write a copy of a depot in which one VIB has a damage."""
    return DAMAGES[damage].make(source, target, name)
