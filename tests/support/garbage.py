"""Values that nobody should pass, and a small sound world to pass them beside."""

from __future__ import annotations

import collections.abc
import enum
import inspect
import io
import os
import types
import typing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn, final

from house.test_public_values import VALUES
from support.small_images import base_vibs, small_vib, write_base_depot

import esximage_builder as eib
from esximage_builder import authoring
from esximage_builder.hints import hints_of

__all__ = ["PLAIN_GARBAGE", "VERSION", "World", "garbage_in", "signature_of"]

VERSION = "7.0.3-0.55.20328353"


class Hostile:
    """Answers nothing without an error of its own."""

    def _refuse(self, *_: object) -> NoReturn:
        raise RuntimeError("touched")

    __eq__ = __hash__ = __repr__ = __str__ = __bool__ = __len__ = __iter__ = __lt__ = __contains__ = _refuse
    __getattr__ = __getitem__ = __index__ = __fspath__ = __format__ = _refuse


class NoPath:
    """A path that is none when it is asked."""

    def __fspath__(self) -> Any:
        return 5


class NoEquality:
    """Has no hash, and is compared to nothing without an error."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, _: object) -> NoReturn:
        raise RuntimeError("compared")


_TEXTS = ("", " ", "\0", "a\0b", "\ud800", "\u202e", "\n", "..", "7.0.3", "é", "\x1b[2J", "a" * 256, "x" * 70_000)
_NUMBERS = (True, 0, -1, 7, 2**70, -(2**70), 1.5, float("nan"), float("inf"), 2j, Decimal("NaN"))
_BYTES = (b"", b"\0\xff", bytearray(b"x"), memoryview(b"x"))
_LISTS: tuple[Any, ...] = (
    (),
    [],
    [None],
    [1],
    ["\0"],
    ["\ud800"],
    [b"x"],
    [[]],
    [{}],
    ("a",),
    ("a", "b"),
    [("a", "b")],
    [("a", 1)],
    [[["a"]]],
)
_MAPS: tuple[Any, ...] = (
    {},
    {"a": 1},
    {"\0": b"x"},
    {1: "a"},
    {"a": ["b"]},
    {"a": "b"},
    {None: None},
    {"a"},
    set(),
    frozenset(),
    range(3),
)
_THINGS = (object(), object, type, ..., NotImplemented, ValueError("x"), io.BytesIO(b"x"), io.StringIO("x"), None)
_HOSTILE = (Hostile(), NoPath(), NoEquality(), [Hostile()], [NoEquality()], {"a": Hostile()}, ("a", Hostile()))
_DATES = (datetime(1, 1, 1), datetime(9999, 12, 31, tzinfo=UTC), datetime(2022, 9, 1, tzinfo=UTC))  # noqa: DTZ001 - one without
_PATHS = (Path("\0"), Path("\ud800"))
_OURS = (eib.Severity.ERROR, eib.EsxImageError("x"))
PLAIN_GARBAGE: tuple[Any, ...] = (
    *_TEXTS, *_NUMBERS, *_BYTES, *_LISTS, *_MAPS, *_THINGS, *_HOSTILE, *_DATES, *_PATHS, *_OURS,
)  # fmt: skip


def garbage_in(folder: Path) -> tuple[Any, ...]:
    """All of it: also what has a place, such as the path of a folder and of a pipe; and new iterators."""
    for name in ("folder", "places"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "a.txt").write_text("no depot\n", encoding="utf-8")
    pipe = folder / "pipe"
    if hasattr(os, "mkfifo") and not pipe.exists():
        os.mkfifo(pipe)
    return (
        *PLAIN_GARBAGE,
        folder / "folder",
        str(folder / "folder"),
        folder / "missing",
        folder / "missing" / "below",
        folder / "a.txt",
        folder / "a.txt" / "below",
        pipe,
        folder / ("n" * 300),
        [folder / "folder", 5],
        iter([1]),
        (each for each in [Hostile()]),
        iter(["\0"]),
    )


def signature_of(function: Any) -> tuple[inspect.Signature, dict[str, Any]]:
    """The signature of a function, and the types of its parameters."""
    plain = inspect.unwrap(function)
    return inspect.signature(plain), hints_of(function.__module__, plain.__annotations__)


_PAYLOAD = authoring.vgz_payload("net-acme", {"opt/a": b"a"})
_TARGETS = ("target", "base_target", "add_on_target", "iso", "pxe", "bundle", "lock", "sbom")
_SOURCES = ("path", "sources", "paths", "source")
_SUFFIXES = {"write_report": ".html", "write_compliance": ".html", "write_vib": ".vib"}


@final
class World:
    """One sound value for every parameter of a public function."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))
        self._depot_path = folder / "base.zip"
        write_base_depot(self._depot_path, VERSION, vibs)
        self.depot = eib.open_depot(self._depot_path)
        self.catalog = self.depot.catalog
        self.image = eib.compose(self.catalog, base_image=VERSION)
        self._made = 0
        (folder / "loose.vib").write_bytes(small_vib("net-acme", "1.0-1", (_PAYLOAD,)).data)
        self._by_name = self._documents() | self._parts()
        self._by_type: dict[Any, Any] = {type(value): value for value in VALUES} | self._values()

    def _values(self) -> dict[Any, Any]:
        return {
            eib.Catalog: self.catalog,
            eib.Image: self.image,
            eib.Depot: self.depot,
            eib.Vib: self.catalog.vibs[0],
            eib.Component: self.catalog.components[0],
            eib.BaseImage: self.catalog.base_images[0],
            eib.SoftwareSpec: self.image.spec,
            eib.ValidationReport: eib.validate(self.image, self.catalog),
            eib.Host: eib.Host(name="h", base_image=eib.BaseImageVersion(VERSION)),
            eib.KnownRelease: eib.KnownRelease("7.0", "7.0.0", 15843807, "7.0.0-1.0.15843807", "2020-03-16"),
            eib.AcceptanceLevel: eib.AcceptanceLevel.COMMUNITY,
            datetime: datetime(2022, 9, 1, tzinfo=UTC),
            bytes: b"x",
            int: 1,
            bool: False,
            type(None): None,
            object: eib.Host(name="h"),
        }

    def _parts(self) -> dict[tuple[str, str], Any]:
        """What a function needs of one parameter that others do not."""
        return {
            ("compose", "spec"): None,
            ("compose", "base_image"): VERSION,
            ("make_spec", "base_image"): VERSION,
            ("resolve_base_image", "text"): VERSION,
            ("select_base_images", "releases"): ">=7.0",
            ("component_from_bulletin", "bulletin"): eib.Bulletin(id="b", vib_ids=[self.catalog.vibs[0].id]),
            ("export_components", "vibs"): self.catalog.vibs,
            ("export_split", "allow"): ["no-bootable-base"],
            ("export_image", "iso"): None,
            ("write_authored_depot", "vendor_code"): "ACM",
            ("author_vib", "vib"): eib.Vib(name="a", version=eib.VibVersion("1.0-1"), vendor="ACM"),
            ("short_version", "version"): "1.0-1",
            ("recognise", "profile"): "",
        }  # fmt: skip

    def _documents(self) -> dict[tuple[str, str], Any]:
        """Sources of the functions that read something else than a depot."""
        places = {
            name: self.folder / name for name in ("spec.json", "lock.json", "devices.txt", "vib.toml", "host.json")
        }
        eib.write_software_spec(self.image, places["spec.json"])
        eib.write_lock(self.image, self.depot, places["lock.json"])
        eib.write_host(eib.Host(name="h", base_image=eib.BaseImageVersion(VERSION)), places["host.json"])
        places["devices.txt"].write_text("8086:1533\n", encoding="utf-8")
        vib = eib.Vib(
            name="a",
            version=eib.VibVersion("1.0-1"),
            vendor="ACM",
            summary="a",
            description="a",
            released_at=datetime(2022, 9, 1, tzinfo=UTC),
        )
        places["vib.toml"].write_bytes(authoring.render_vib_description(vib))
        tree = self.folder / "tree" / "opt"
        tree.mkdir(parents=True)
        (tree / "a").write_bytes(b"a")
        return {
            ("read_software_spec", "path"): places["spec.json"],
            ("read_lock", "path"): places["lock.json"],
            ("read_devices", "path"): places["devices.txt"],
            ("read_host", "paths"): places["host.json"],
            ("read_vib_description", "path"): places["vib.toml"],
            ("write_vib", "description"): places["vib.toml"],
            ("write_vib", "source"): tree.parent,
            ("make_vib", "source"): tree.parent,
            ("make_vib", "description"): authoring.read_vib_description(places["vib.toml"]),
            ("verify_vib", "path"): self.folder / "loose.vib",
            ("extract_vib", "path"): self.folder / "loose.vib",
        }

    def sample(self, function: str, name: str, hint: Any) -> Any:
        """A sound value for a parameter, as far as one value can be sound for all."""
        if (function, name) in self._by_name:
            return self._by_name[function, name]
        if name in _TARGETS or (name == "path" and function.startswith("write_")):
            self._made += 1
            return self.folder / f"out{self._made}{_SUFFIXES.get(function, '')}"
        if name in _SOURCES:
            return self._depot_path
        if hint is str:
            return "1.0-1" if name == "version" else "x"
        return self._by_type[hint] if hint in self._by_type else self._composite(function, hint)

    def _composite(self, function: str, hint: Any) -> Any:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Literal:
            return arguments[0]
        if origin in (typing.Union, types.UnionType):
            return self.sample(function, "", arguments[0])
        if origin in (dict, collections.abc.Mapping):
            return {}
        if isinstance(origin, type) and issubclass(origin, collections.abc.Iterable):
            return tuple(self.sample(function, "", each) for each in arguments if each is not ...)
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return next(iter(hint))
        return self.depot
