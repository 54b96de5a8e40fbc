"""One line for every value: what it tells, what it counts, what it leaves out."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import Any, ClassVar, final

import attrs
import pytest
from support.changed_depots import DEPOTS

import esximage_builder as eib
from esximage_builder.shown import Shown, one_line

RELEASE = "7.0.3-0.55.20328353"


class Colour(enum.Enum):
    RED = "red"


@final
@attrs.frozen(kw_only=True, repr=False)
class Inner(Shown):
    name: str
    parts: tuple[str, ...] = ()


@final
@attrs.frozen(kw_only=True, repr=False)
class Outer(Shown):
    text: str = ""
    data: bytes = b""
    colour: Colour | None = None
    when: datetime | None = None
    inner: Inner | None = None
    many: tuple[object, ...] = ()
    names: frozenset[str] = frozenset()
    number: int = 1
    anything: object = None
    secret: str = attrs.field(default="", repr=False)
    _private: str = ""


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        pytest.param({}, "Outer()", id="nothing but defaults"),
        pytest.param({"text": "a", "number": 2}, "Outer(text='a', number=2)", id="texts and numbers"),
        pytest.param({"text": "a" * 99}, f"Outer(text='{'a' * 59}'…)", id="a long text"),
        pytest.param({"text": "a\nb"}, "Outer(text='a\\nb')", id="a line end"),
        pytest.param({"data": b"abc"}, "Outer(data=<3 bytes>)", id="bytes"),
        pytest.param({"colour": Colour.RED}, "Outer(colour=Colour.RED)", id="a member of an enum"),
        pytest.param({"when": datetime(2024, 1, 31, tzinfo=UTC)}, "Outer(when=2024-01-31T00:00:00+00:00)", id="date"),
        pytest.param({"inner": Inner(name="a")}, "Outer(inner=Inner(name='a'))", id="a short value"),
        pytest.param({"inner": Inner(name="a", parts=("b",))}, "Outer(inner=<Inner a>)", id="a value that holds more"),
        pytest.param({"many": ("a", "b", "c")}, "Outer(many=['a', 'b', 'c'])", id="three"),
        pytest.param({"many": ("a", "b", "c", "d")}, "Outer(many=<4>)", id="four"),
        pytest.param({"many": ("a" * 50, "b" * 50)}, "Outer(many=<2>)", id="two long ones"),
        pytest.param({"many": (("a",),)}, "Outer(many=<1>)", id="what holds more"),
        pytest.param({"many": (Inner(name="a"),)}, "Outer(many=[Inner(name='a')])", id="one value"),
        pytest.param({"names": frozenset("cab")}, "Outer(names=['a', 'b', 'c'])", id="a set, in order"),
        pytest.param({"anything": {"a": 1}}, "Outer(anything=['a'])", id="a mapping, by its keys"),
        pytest.param({"anything": attrs.NOTHING}, "Outer(anything=_Nothing.NOTHING)", id="anything else"),
        pytest.param({"anything": range}, "Outer(anything=<class 'range'>)", id="a class"),
        pytest.param({"secret": "s", "private": "p"}, "Outer()", id="what is not shown"),
    ],
)
def test_what_a_line_tells(fields: dict[str, Any], line: str) -> None:
    assert repr(Outer(**fields)) == line


def test_a_line_ends_in_time() -> None:
    fields = {f"field_{number}": attrs.field(type=str, kw_only=True) for number in range(20)}
    wide = attrs.make_class("Wide", fields, bases=(Shown,), frozen=True, repr=False)
    printed = repr(wide(**{name: name for name in fields}))
    assert len(printed) <= 200
    assert printed.startswith("Wide(field_0='field_0', field_1='field_1'")
    assert printed.endswith(", …)")


def test_one_field_too_wide_for_any_line_is_left_out() -> None:
    wide = attrs.make_class("W" * 190, {"field": attrs.field(type=str)}, repr=False)
    assert one_line(wide("x" * 20)) == f"{'W' * 190}(…)"


def test_a_class_may_say_what_tells_it() -> None:
    @final
    @attrs.frozen(repr=False)
    class Counted(Shown):
        _line: ClassVar = ("count", "items")

        items: tuple[int, ...]

        @property
        def count(self) -> int:
            return len(self.items)

    assert repr(Counted((1, 2))) == "Counted(count=2, items=[1, 2])"


def test_a_depot_and_what_comes_of_it_are_counted() -> None:
    with eib.open_depot(DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip") as depot:
        image = eib.compose(depot.catalog, base_image=RELEASE)
        components, vibs = len(depot.catalog.components), len(depot.catalog.vibs)
        assert repr(depot).startswith(f"<Depot: Catalog(sources=<1>, base_images=[<BaseImage ESXi:{RELEASE}>]")
        assert f"components=<{components}>, " in repr(depot)
        counted = f"components=<{components}>, vibs=<{vibs}>"
        assert repr(image).startswith(f"Image(name='ESXi-7.0U3g-20328353-standard', {counted}")
        assert repr(eib.validate(image, depot.catalog)).startswith("ValidationReport(is_valid=True")
    assert repr(depot).startswith("<closed Depot: ")
