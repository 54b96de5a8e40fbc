"""Versions of VIBs, components, base images and add-ons: grammar and order.

Each kind has a class of its own, and only like compares with like. A version prints
exactly as it was read; order, ``==`` and ``hash`` use a parsed key, so ``1.0-01`` equals
``1.0-1``. Where identity matters (ids, dictionary keys, digests) callers use ``text``.

Rules of the common order (see docs/formats.md#versions): split at the first ``-`` into
version and release, each at ``.`` into pieces, each piece into runs of digits and runs of
other characters. Pieces are compared one by one, digit runs as numbers, others as ASCII
text; a digit run sorts after text, and of two lists the longer is the greater when one
begins the other.

Not here: matching a constraint (``rules.relations``), where a missing release means
"compare the version only".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Self, cast, final

from esximage_builder.errors import ModelError, VersionSyntaxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version as ProductVersion

__all__ = [
    "AddOnVersion",
    "BaseImageVersion",
    "ComponentVersion",
    "ProductRange",
    "ProductVersion",
    "ReleaseName",
    "VibVersion",
    "short_version",
]


def __getattr__(name: str) -> object:
    """Load the one name that is a library's when it is asked for."""
    if name == "ProductVersion":
        from packaging.version import Version  # noqa: PLC0415 - see `BaseImageVersion.product`

        return Version
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_RUNS = re.compile(r"[0-9]+|[^0-9]+")

_Piece = tuple[tuple[int, int, str], ...]
_Key = tuple[tuple[_Piece, ...], ...]


def _piece_key(piece: str) -> _Piece:
    return tuple((1, int(run), "") if run[0] in "0123456789" else (0, 0, run) for run in _RUNS.findall(piece))


def _dotted_key(text: str) -> tuple[_Piece, ...]:
    return tuple(_piece_key(piece) for piece in text.split("."))


class _Value:
    """Something read from a text that never changes; pickled and copied by a text that says all of it."""

    __slots__ = ()

    def _spelling(self) -> str:
        """Return a text that makes an equal value."""
        raise NotImplementedError  # pragma: no cover - every subclass has its own

    def __setattr__(self, name: str, value: object) -> None:
        raise ModelError(f"{type(self).__name__} cannot be changed", found=f"{name} = {value!r}")

    def __delattr__(self, name: str) -> None:
        raise ModelError(f"{type(self).__name__} cannot be changed", found=f"del {name}")

    def __reduce__(self) -> tuple[Callable[[str], Self], tuple[str]]:
        return (cast("Callable[[str], Self]", type(self)), (self._spelling(),))


class _Version(_Value):
    """Text with a parsed key, made when it is first needed; compares only within its own class."""

    __slots__ = ("_cached_key", "text")

    _kind: ClassVar[str]
    _example: ClassVar[str]
    _pattern: ClassVar[re.Pattern[str]]

    text: str
    _cached_key: tuple[object, ...] | None

    def __init__(self, text: str) -> None:
        if len(text) > _MAX_LENGTH or not self._pattern.fullmatch(text):
            raise VersionSyntaxError(
                f"{text[:80]!r} is no {self._kind} version",
                found=repr(text)[:120],
                expected=f"a {self._kind} version such as {self._example}",
            )
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "_cached_key", None)

    def _parse_key(self) -> tuple[object, ...]:
        raise NotImplementedError  # pragma: no cover - every subclass has its own

    @property
    def key(self) -> tuple[object, ...]:
        """What order and equality go by: nested tuples, comparable within one class."""
        if self._cached_key is None:
            object.__setattr__(self, "_cached_key", self._parse_key())
        assert self._cached_key is not None  # noqa: S101 - for the type checker
        return self._cached_key

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, _Version)  # noqa: S101 - for the type checker
        return self.text == other.text or self.key == other.key

    def __lt__(self, other: Self) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.key < other.key

    def __le__(self, other: Self) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.key <= other.key

    def __gt__(self, other: Self) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.key > other.key

    def __ge__(self, other: Self) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.key >= other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"

    def _spelling(self) -> str:
        return self.text


_MAX_LENGTH = 256
_LOOSE = re.compile(r"[0-9A-Za-z_][0-9A-Za-z._+~:-]*")


class _ReleasedVersion(_Version):
    """``version-release``; the release part may be missing (``2.4.5``)."""

    __slots__ = ()

    _pattern = _LOOSE

    @property
    def upstream(self) -> str:
        """The part before the first hyphen: ``1.11.4.6``."""
        return self.text.partition("-")[0]

    @property
    def release(self) -> str | None:
        """The part after the first hyphen: ``1vmw.803.0.0.24022510``; None if there is none."""
        _, hyphen, release = self.text.partition("-")
        return release if hyphen else None

    @property
    def upstream_key(self) -> tuple[_Piece, ...]:
        """The parsed version part alone, for constraints that name no release."""
        return _dotted_key(self.upstream)

    def _parse_key(self) -> _Key:
        release = self.release
        return (_dotted_key(self.upstream), () if release is None else _dotted_key(release))


@final
class VibVersion(_ReleasedVersion):
    """Version of a VIB: ``222.0.155.0-1OEM.700.1.0.15843807``, ``v1.3-0``, ``2.4.5``."""

    __slots__ = ()
    _kind = "VIB"
    _example = "1.11.4.6-1vmw.803.0.0.24022510"


@final
class ComponentVersion(_ReleasedVersion):
    """Version of a component; same grammar and order as a VIB's, but never equal to one."""

    __slots__ = ()
    _kind = "component"
    _example = "4.1.9.0-1OEM.700.1.0.15525992"


# What stands before the three digits of a release: 7.0.3-LVO. or DEL-ESXi-
_BEFORE_RELEASE = r"(?:[0-9]\.[0-9]\.[0-9][._-])?(?:[A-Za-z]+[._-])*"
# Each gives the version part and the release part: Dell's, HPE's, and any other behind the vendor's letters.
_ADD_ON_SPELLINGS = (
    re.compile(_BEFORE_RELEASE + r"([6-9][0-9]{2}[._-][0-9]{7,9})[._-]([A-Za-z][0-9]+)"),
    re.compile(_BEFORE_RELEASE + r"([6-9][0-9]{2}(?:\.[0-9]+){5})[.-]([0-9]+)"),
    re.compile(_BEFORE_RELEASE + r"([6-9][0-9]{2}(?:\.[^-]*)?)(?:-(.*))?"),
)


@final
class AddOnVersion(_ReleasedVersion):
    """Version of an add-on, hardware support package or solution: free-form, vendor specific.

    ``803.0.0.11.8.0-6`` (HPE), ``703.20328353.A08`` (Dell), ``LVO.803.12.1`` (Lenovo).

    Vendors write one version in several ways, which are equal and order with each other: Dell
    ``703_20328353-A08`` and ``703.20328353.A08``, HPE ``703.0.0.11.4.0-5`` and ``703.0.0.11.4.0.5``,
    Lenovo ``LVO.803.12.1``, ``8.0.3-LVO.803.12.1`` and ``803.12.1``.
    """

    __slots__ = ()
    _kind = "add-on"
    _example = "803.0.0.11.8.0-6"

    def _parse_key(self) -> _Key:
        for spelling in _ADD_ON_SPELLINGS:
            match = spelling.fullmatch(self.text)
            if match is not None:
                return (_dotted_key(match[1].replace("_", ".")), _dotted_key(match[2]) if match[2] else ())
        return super()._parse_key()


@final
class BaseImageVersion(_Version):
    """Version of a base image, which is that of its ``esx-base`` VIB.

    Up to 8.x ``major.minor.update-quarter.patch.build`` (``8.0.3-0.70.24674464``), from 9.0
    ``major.minor.maintenance.EEHH.build`` (``9.0.2.0.25148076``), whose older spelling has a
    hyphen (``9.0.2-0.25148076``) and is equal. All fields compare as numbers.

    Source: KB 395110 and public image names; see docs/formats.md#versions.
    """

    __slots__ = ()
    _kind = "base image"
    _example = "8.0.3-0.70.24674464"
    _pattern = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+[-.][0-9]+(?:\.[0-9]+){1,2}")

    def _parse_key(self) -> tuple[int, ...]:
        return tuple(int(field) for field in self.text.replace("-", ".").split("."))

    @property
    def fields(self) -> tuple[int, ...]:
        """All numbers in order, the build last; six up to 8.x, five from 9.0."""
        return self._parse_key()

    @property
    def major(self) -> int:
        """First number: 8 of ``8.0.3-0.70.24674464``."""
        return self.fields[0]

    @property
    def minor(self) -> int:
        """Second number."""
        return self.fields[1]

    @property
    def update(self) -> int:
        """Third number: the update release, from 9.0 the maintenance release."""
        return self.fields[2]

    @property
    def build(self) -> int:
        """Last number. Never order by it alone: 7.0U2e has a higher build than 7.0U3c."""
        return self.fields[-1]

    @property
    def product(self) -> ProductVersion:
        """The product release, ``7.0.3``, for specifiers such as ``>=7.0.3,<8``."""
        from packaging.version import Version  # noqa: PLC0415 - most runs compare no releases

        return Version(".".join(str(field) for field in self.fields[:3]))

    @property
    def train(self) -> tuple[int, ...]:
        """The release train: ``(7, 0, 3)`` up to 8.x, ``(9, 0)`` from 9.0."""
        return self.fields[:3] if self.major < _FIRST_MINOR_TRAIN_MAJOR else self.fields[:2]


_FIRST_MINOR_TRAIN_MAJOR = 9


@final
class ReleaseName(_Value):
    """What people call a release: ``7.0U3g``, ``7.0 Update 3g``, ``8.0 U3e - 24674464``, ``8.0b``.

    An ``s`` before the letter marks the security-only sibling (``7.0U3si`` of ``7.0U3i``); one behind it
    (``7.0U3is``) says the same, and both at once are no name. Names
    are equal when they say the same, whatever the spelling; a build that only one of them
    tells does not count, so look-ups use ``matches``. Releases since 9.0 have no such names.

    Attributes:
        major: First number.
        minor: Second number.
        update: 0 without update release.
        letter: Patch letter; empty for the first of its update release.
        is_security_only: True for a security-only sibling.
        build: As stated; None if the name has none.

    Raises:
        VersionSyntaxError: The text is no such name.
    """

    __slots__ = ("build", "is_security_only", "letter", "major", "minor", "update")

    major: int
    minor: int
    update: int
    letter: str
    is_security_only: bool
    build: int | None

    _PATTERN: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:ESXi[- ]?)?([0-9]{1,2})\.([0-9]{1,2})(?:\.0)?"
        r"(?:\s*(?:U|Update\s*)([0-9]{1,2}))?"
        r"(?:\s*(?:(s)([a-rt-z])|([a-rt-z])(s?))|\s*(s))?"
        r"(?:\s*GA)?"
        r"(?:\s*-\s*([0-9]{5,9}))?(?:-(?:standard|no-tools))?",
        re.IGNORECASE,
    )

    def __init__(self, text: str) -> None:
        match = self._PATTERN.fullmatch(text.strip()) if len(text) <= _MAX_LENGTH else None
        if match is None:
            raise VersionSyntaxError(
                f"{text[:80]!r} is no release name",
                found=repr(text)[:120],
                expected="a release name such as 7.0U3g, 8.0 Update 3e or 8.0b",
            )
        major, minor, update, before, marked, letter, after, lone_s, build = match.groups()
        for name, value in (
            ("major", int(major)),
            ("minor", int(minor)),
            ("update", int(update or 0)),
            ("letter", (marked or letter or lone_s or "").lower()),
            ("is_security_only", bool(before or after)),
            ("build", None if build is None else int(build)),
        ):
            object.__setattr__(self, name, value)

    @property
    def _identity(self) -> tuple[int, int, int, str, bool]:
        return (self.major, self.minor, self.update, self.letter, self.is_security_only)

    def matches(self, other: ReleaseName) -> bool:
        """Tell whether both mean one release: equal names, and no two builds that differ."""
        return self == other and (None in (self.build, other.build) or self.build == other.build)

    def is_sibling_of(self, other: ReleaseName) -> bool:
        """Tell whether one is the security-only form of the other."""
        return self._identity[:4] == other._identity[:4] and self.is_security_only != other.is_security_only

    def __eq__(self, other: object) -> bool:
        return self._identity == other._identity if isinstance(other, ReleaseName) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity)

    def __str__(self) -> str:
        update = f"U{self.update}" if self.update else ""
        return f"{self.major}.{self.minor}{update}{'s' if self.is_security_only else ''}{self.letter}"

    def __repr__(self) -> str:
        return f"ReleaseName({str(self)!r})"

    def _spelling(self) -> str:
        return str(self) if self.build is None else f"{self} - {self.build:05}"


@final
class ProductRange(_Value):
    """A range over product releases, as ``packaging`` writes one: ``>=7.0.3,<8``.

    Prints as it was read; ranges are equal when they state the same bounds, in whatever order.

    Raises:
        VersionSyntaxError: The text is no such range.
    """

    __slots__ = ("_specifiers", "text")

    text: str
    _specifiers: SpecifierSet

    def __init__(self, text: str) -> None:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - as above

        try:
            specifiers = SpecifierSet(text)
        except InvalidSpecifier as error:
            raise VersionSyntaxError(
                f"{text!r} is no range of releases", found=repr(text)[:120], expected="a range such as >=7.0.3,<8"
            ) from error
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "_specifiers", specifiers)

    def __contains__(self, version: BaseImageVersion) -> bool:
        return self._specifiers.contains(version.product)

    def __eq__(self, other: object) -> bool:
        return self._specifiers == other._specifiers if isinstance(other, ProductRange) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._specifiers)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"ProductRange({self.text!r})"

    def _spelling(self) -> str:
        return self.text


_SDK_TAIL = re.compile(r"(.+-[0-9]+(?:vmw|OEM))(?:\.[0-9]+){4}")


def short_version(version: str) -> str:
    """Return a driver's version for people, without the SDK it was built with.

    ``12.0.1200.0-2vmw.700.1.0.15843807`` becomes ``12.0.1200.0-2vmw``; others stay as they are.
    """
    match = _SDK_TAIL.fullmatch(version)
    return version if match is None else match[1]
