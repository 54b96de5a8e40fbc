"""What a fuzzed target is, and what the calls of all of them are made of."""

from __future__ import annotations

import enum
import io
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

import attrs

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Callable

    from esximage_builder.containers.ar import ArMember
    from esximage_builder.models.vib import Payload

__all__ = [
    "BIG",
    "FILES_READ",
    "LIMITS",
    "MAX_BYTES",
    "WHERE",
    "PassOver",
    "Shape",
    "Target",
    "drain",
    "go_round",
    "refusal",
    "require_agreement",
]

_Model = TypeVar("_Model")
WHERE: Final = "input"
MAX_BYTES: Final = 1 << 20
LIMITS: Final = eib.ReadLimits()
FILES_READ: Final = 50
BIG: Final = 1 << 18
"""Longest input of what is an archive."""


class Shape(enum.StrEnum):
    """How inputs of a target are built, so that changes reach what lies inside and behind checksums."""

    TEXT = "text"
    BINARY = "binary"
    PEM = "pem"
    GZIP = "gzip"
    TAR = "tar"
    AR = "ar"
    ZIP = "zip"
    ISO = "iso"


@final
@attrs.frozen
class Target:
    """One row of the table.

    Attributes:
        name: Names the corpus, and the row in the log.
        call: Is given the input.
        covers: Public functions that get it, as ``module.function``.
        shape: How to change inputs.
        most_bytes: Longest input that is tried.
    """

    name: str
    call: Callable[[bytes], object]
    covers: tuple[str, ...]
    shape: Shape = Shape.TEXT
    most_bytes: int = 1 << 14


def go_round(parse: Callable[..., _Model], render: Callable[[_Model], bytes], data: bytes, **options: object) -> None:
    """Parse, render and parse again: what was accepted once is accepted in our own spelling, and is equal."""
    model = parse(data, where=WHERE, max_bytes=MAX_BYTES, **options)
    try:
        written = render(model)
    except eib.EsxImageError:  # it says that the model cannot be written
        return
    try:
        again = parse(written, where="what we wrote", max_bytes=16 * MAX_BYTES, **options)
    except eib.EsxImageError as error:
        raise AssertionError("what we wrote of it cannot be read") from error
    if again != model or render(again) != written:
        raise AssertionError("what we wrote of it means something else when it is read again")


def drain(stream: io.BufferedIOBase | Any) -> None:
    while stream.read(1 << 16):
        pass


def refusal(call: Callable[..., object], *arguments: Any, **options: Any) -> list[eib.EsxImageError]:
    try:
        call(*arguments, **options)
    except eib.EsxImageError as error:
        return [error]
    return []


def require_agreement(data: bytes, *readers: Callable[[bytes], object]) -> None:
    refusals = []
    for read in readers:
        try:
            read(data)
        except eib.EsxImageError as error:
            refusals.append(error)
    if refusals and len(refusals) < len(readers):
        raise AssertionError("some of the readers refuse it") from refusals[0]


class PassOver:
    """Takes what an archive or VIB that is pushed has in it."""

    def begin_member(self, member: ArMember) -> None:
        """Take note."""

    def end_member(self) -> None:
        """Take note."""

    def begin_payload(self, payload: Payload, size_bytes: int) -> None:
        """Take note."""

    def end_payload(self) -> None:
        """Take note."""

    def take(self, data: memoryview) -> None:
        """Take note."""
