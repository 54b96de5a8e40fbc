"""Composing, rule by rule; docs/concepts.md#composing has the sentences."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from support.memory_catalogs import (
    ADD_ON,
    BASE_VERSION,
    Stock,
    component,
    component_ids,
    esx_base,
    installed_ids,
    reserved_reasons,
    spec,
    vib,
)

from esximage_builder.errors import ComposeError, ModelError, NotInDepotError, VersionSyntaxError, WrongTypeError
from esximage_builder.models.image import Rule
from esximage_builder.models.spec import SoftwareSpec
from esximage_builder.models.vib import VibFile
from esximage_builder.rules.compose import compose, image_from_profile, is_core_component
from esximage_builder.rules.plain_spec import make_spec
from esximage_builder.versions import AddOnVersion, ComponentVersion
from esximage_builder.vocabulary import AcceptanceLevel, ComponentSource

if TYPE_CHECKING:
    from esximage_builder.models.component import Component
    from esximage_builder.models.image import EffectiveComponent, Image

_BASE = f"VMware_bootbank_esx-base_{BASE_VERSION}"
_LOWEST_FIRST: tuple[ComponentSource, ...] = tuple(
    source for source in ComponentSource if source is not ComponentSource.USER_REMOVED
)


def _entry(image: Image, name: str) -> EffectiveComponent:
    return next(entry for entry in image.components if entry.component.name == name)


def _overridden(entry: EffectiveComponent) -> list[tuple[str, str]]:
    return [(str(lost.component), lost.source.value) for lost in entry.overridden]


def _image(stock: Stock, components: dict[str, str | None] | None = None, **wanted: Any) -> Image:
    """Compose with the stock's add-on, if it has one."""
    wanted.setdefault("add_on", ADD_ON if stock.add_ons else None)
    return compose(stock.catalog(), spec(components, **wanted))


class TestSources:
    """Who brings a component: the highest source that names it, whatever version and vendor."""

    def stock(self, versions: dict[ComponentSource, str]) -> tuple[Stock, SoftwareSpec]:
        """A stock in which each source brings net-acme in its version."""
        stock = Stock()
        made = {source: stock.driver("net-acme", version) for source, version in versions.items()}
        listed = {source: (part,) for source, part in made.items()}
        stock.base_image(*listed.get(ComponentSource.BASE_IMAGE, ()))
        stock.add_on(*listed.get(ComponentSource.ADD_ON, ()))
        package = stock.package("firmware", *listed.get(ComponentSource.HARDWARE_SUPPORT_PACKAGE, ()))
        version = versions.get(ComponentSource.SOLUTION)
        solution = stock.solution("ha", {"net-acme": [version]} if version else {})
        pinned = versions.get(ComponentSource.USER)
        wanted = spec({"net-acme": pinned} if pinned else {}, add_on=ADD_ON, packages=[package], solutions=[solution])
        return stock, wanted

    @pytest.mark.parametrize(
        ("lower", "higher"),
        [
            pytest.param(lower, higher, id=f"{higher.value} over {lower.value}")
            for lower, higher in itertools.combinations(_LOWEST_FIRST, 2)
        ],
    )
    @pytest.mark.parametrize(("low", "high"), [("1.0-1", "2.0-1"), ("2.0-1", "1.0-1")], ids=["raised", "lowered"])
    def test_the_higher_source_wins_by_name(
        self, lower: ComponentSource, higher: ComponentSource, low: str, high: str
    ) -> None:
        stock, wanted = self.stock({lower: low, higher: high})
        image = compose(stock.catalog(), wanted)
        entry = _entry(image, "net-acme")
        assert (entry.component.id, entry.source) == (f"net-acme:{high}", higher)
        assert _overridden(entry) == [(f"net-acme:{low}", lower.value)]
        assert reserved_reasons(image) == {f"ACM_bootbank_net-acme_{low}": "component-overridden"}
        assert image.reserved_vibs[0].winner == f"net-acme:{high}"
        assert [part.id for part in image.reserved_components] == [f"net-acme:{low}"]

    def test_all_that_it_won_over_is_kept_lowest_first(self) -> None:
        versions = {source: f"{5 - number}.0-1" for number, source in enumerate(_LOWEST_FIRST)}
        stock, wanted = self.stock(versions)
        entry = _entry(compose(stock.catalog(), wanted), "net-acme")
        assert entry.component.id == "net-acme:1.0-1"
        assert _overridden(entry) == [
            ("net-acme:5.0-1", "BASE_IMAGE"),
            ("net-acme:4.0-1", "ADD_ON"),
            ("net-acme:3.0-1", "HARDWARE_SUPPORT_PACKAGE"),
            ("net-acme:2.0-1", "SOLUTION"),
        ]

    @pytest.mark.parametrize(
        ("sources", "source", "rule"),
        [
            pytest.param({"base": "1.0-1"}, "BASE_IMAGE", Rule.LISTED, id="base alone"),
            pytest.param({"add-on": "1.0-1"}, "ADD_ON", Rule.LISTED, id="add-on alone"),
            pytest.param({"base": "1.0-1", "add-on": "2.0-1"}, "ADD_ON", Rule.OVERRIDES_BY_NAME, id="both"),
            pytest.param({"base": "1.0-1", "add-on": "1.0-1"}, "ADD_ON", Rule.OVERRIDES_BY_NAME, id="both, the same"),
            pytest.param({"user": "1.0-1"}, "USER", Rule.LISTED, id="user alone"),
            pytest.param({"base": "1.0-1", "user": "1.0-1"}, "USER", Rule.OVERRIDES_BY_NAME, id="user over base"),
            pytest.param({"base": "1.0-1", "user": None}, "USER", Rule.HIGHEST_AVAILABLE, id="version left open"),
        ],
    )
    def test_rule(self, sources: dict[str, str | None], source: str, rule: Rule) -> None:
        stock = Stock()
        made = {version: stock.driver("net-acme", version) for version in {v: 0 for v in sources.values() if v}}
        stock.base_image(*[made[sources[key] or ""] for key in ("base",) if key in sources])
        stock.add_on(*[made[sources[key] or ""] for key in ("add-on",) if key in sources])
        image = _image(stock, {"net-acme": sources["user"]} if "user" in sources else {})
        entry = _entry(image, "net-acme")
        assert (entry.source, entry.rule) == (ComponentSource(source), rule)

    def test_a_component_that_comes_back_is_not_reserved(self) -> None:
        """The add-on raises what the user then sets back to the base image's own version."""
        stock = Stock()
        stock.base_image(stock.driver("net-acme", "1.0-1"))
        stock.add_on(stock.driver("net-acme", "2.0-1"))
        image = _image(stock, {"net-acme": "1.0-1"})
        entry = _entry(image, "net-acme")
        assert entry.component.id == "net-acme:1.0-1"
        assert _overridden(entry) == [("net-acme:1.0-1", "BASE_IMAGE"), ("net-acme:2.0-1", "ADD_ON")]
        assert [part.id for part in image.reserved_components] == ["net-acme:2.0-1"]
        assert installed_ids(image) == ("ACM_bootbank_net-acme_1.0-1", _BASE)
        assert reserved_reasons(image) == {"ACM_bootbank_net-acme_2.0-1": "component-overridden"}

    def test_units_without_version_in_the_spec_are_the_only_loaded_ones(self) -> None:
        """A spec may name a package or solution without a version: the image is as with the loaded one's."""
        stock, wanted = self.stock({ComponentSource.HARDWARE_SUPPORT_PACKAGE: "1.0-1"})
        unset = attrs.evolve(
            wanted,
            hardware_support=[attrs.evolve(item, version="") for item in wanted.hardware_support],
            solutions=[attrs.evolve(item, version="") for item in wanted.solutions],
        )
        image, named = compose(stock.catalog(), unset), compose(stock.catalog(), wanted)
        assert (image.hardware_support, image.solutions) == (named.hardware_support, named.solutions)
        assert image.components == named.components
        assert [(choice.name, choice.version) for choice in image.unit_choices] == [("firmware", "1.0"), ("ha", "1.0")]
        assert named.unit_choices == ()

    def test_packages_and_solutions_go_by_name(self) -> None:
        """Whatever the order in the spec, the later name wins among equals."""
        stock = Stock()
        stock.base_image()
        packages = [
            stock.package("firmware-b", stock.driver("net-acme", "1.0-1")),
            stock.package("firmware-a", stock.driver("net-acme", "2.0-1")),
        ]
        solutions = [
            stock.solution("nsx", {"vsip": ["1.0-1"]}),
            stock.solution("ha", {"vsip": ["2.0-1"]}),
        ]
        stock.driver("vsip", "1.0-1")
        stock.driver("vsip", "2.0-1")
        for order in (1, -1):
            image = _image(stock, packages=packages[::order], solutions=solutions[::order])
            assert component_ids(image) == (f"ESXi:{BASE_VERSION}", "net-acme:1.0-1", "vsip:1.0-1")
            assert [unit.name for unit in image.hardware_support] == ["firmware-a", "firmware-b"]
            assert [unit.name for unit in image.solutions] == ["ha", "nsx"]


class TestRemovals:
    """Who takes components off, and when."""

    def stock(self, *, removes: tuple[str, ...] = ("net-acme",), brings: str = "") -> Stock:
        stock = Stock()
        stock.base_image(stock.driver("net-acme", "1.0-1"))
        own = [stock.driver("net-acme", brings)] if brings else []
        stock.add_on(*own, removed_components=removes)
        return stock

    def test_the_add_on_takes_off_the_base_images(self) -> None:
        image = _image(self.stock())
        assert component_ids(image) == (f"ESXi:{BASE_VERSION}",)
        assert [(gone.name, gone.source.value) for gone in image.removed] == [("net-acme", "ADD_ON")]
        assert [str(lost.component) for lost in image.removed[0].removed] == ["net-acme:1.0-1"]
        assert reserved_reasons(image) == {"ACM_bootbank_net-acme_1.0-1": "component-removed"}
        assert image.reserved_vibs[0].winner == ""
        assert [part.id for part in image.reserved_components] == ["net-acme:1.0-1"]

    def test_the_add_on_may_bring_its_own_instead(self) -> None:
        image = _image(self.stock(brings="0.9-1"))
        entry = _entry(image, "net-acme")
        assert (entry.component.id, entry.source, entry.rule) == ("net-acme:0.9-1", ComponentSource.ADD_ON, Rule.LISTED)
        assert entry.overridden == ()
        assert reserved_reasons(image) == {"ACM_bootbank_net-acme_1.0-1": "component-removed"}

    @pytest.mark.parametrize("version", ["1.0-1", None], ids=["pinned", "open"])
    def test_the_user_may_bring_it_back(self, version: str | None) -> None:
        image = _image(self.stock(), {"net-acme": version})
        entry = _entry(image, "net-acme")
        assert (entry.component.id, entry.source, entry.overridden) == ("net-acme:1.0-1", ComponentSource.USER, ())
        assert installed_ids(image) == ("ACM_bootbank_net-acme_1.0-1", _BASE)
        assert (image.reserved_vibs, image.reserved_components) == ((), ())

    def test_the_users_removals_come_last(self) -> None:
        image = _image(self.stock(removes=(), brings="2.0-1"), {"net-acme": "2.0-1"}, removed=["net-acme"])
        assert component_ids(image) == (f"ESXi:{BASE_VERSION}",)
        (gone,) = image.removed
        assert gone.source is ComponentSource.USER_REMOVED
        assert [(str(lost.component), lost.source.value) for lost in gone.removed] == [
            ("net-acme:1.0-1", "BASE_IMAGE"),
            ("net-acme:2.0-1", "ADD_ON"),
            ("net-acme:2.0-1", "USER"),
        ]
        assert reserved_reasons(image) == {
            "ACM_bootbank_net-acme_1.0-1": "component-overridden",
            "ACM_bootbank_net-acme_2.0-1": "component-removed",
        }

    def test_a_hardware_support_package_takes_off_too(self) -> None:
        stock = self.stock(removes=())
        package = stock.package("firmware", removed_components=("net-acme",))
        image = _image(stock, packages=[package])
        assert component_ids(image) == (f"ESXi:{BASE_VERSION}",)
        assert [gone.source.value for gone in image.removed] == ["HARDWARE_SUPPORT_PACKAGE"]

    def test_what_is_not_there_is_written_down(self) -> None:
        image = _image(self.stock(removes=("nothing",)), removed=["zebra"])
        assert [(gone.name, gone.source.value, gone.removed) for gone in image.removed] == [
            ("nothing", "ADD_ON", ()),
            ("zebra", "USER_REMOVED", ()),
        ]

    _CORE = (
        pytest.param("ESXi", esx_base(), id="ESXi"),
        pytest.param("esx-update", vib("anything"), id="esx-update by name"),
        pytest.param("Loader", vib("loadesx"), id="by its VIB loadesx"),
        pytest.param("DPU", vib("esxio-base"), id="by its VIB esxio-base"),
    )

    @pytest.mark.parametrize(("name", "content"), _CORE)
    @pytest.mark.parametrize(
        ("who", "by"), [("spec", "the spec"), ("add-on", "the add-on"), ("package", "the hardware support package")]
    )
    def test_core_components_are_refused(self, name: str, content: Any, who: str, by: str) -> None:
        stock = Stock()
        core = stock.component(name, BASE_VERSION, content)
        stock.base_image(core)
        stock.add_on(removed_components=[name] if who == "add-on" else ())
        packages = [stock.package("firmware", removed_components=[name])] if who == "package" else []
        with pytest.raises(ComposeError) as caught:
            _image(stock, packages=packages, removed=[name] if who == "spec" else ())
        assert caught.value.message == f"{by} removes the core component {name}"
        assert [(found.code, found.severity.value, found.items) for found in caught.value.findings] == [
            ("core-component-removed", "error", (name,))
        ]
        assert caught.value.hint == "take the name out of the removed components"

    def test_is_core_component(self) -> None:
        vibs_by_id = {made.id: (made,) for made in (vib("esx-update"), vib("net-acme"))}
        core = component("Update", "1.0-1", ["ACM_bootbank_net-acme_1.0-1", "ACM_bootbank_esx-update_1.0-1"])
        plain = component("Driver", "1.0-1", ["ACM_bootbank_net-acme_1.0-1", "not loaded"])
        assert is_core_component(core, vibs_by_id)
        assert not is_core_component(plain, vibs_by_id)


class TestOpenVersions:
    """A version left open takes the highest loaded one that fits, else the highest."""

    @pytest.mark.parametrize(
        ("depends", "around", "expected"),
        [
            pytest.param({"1.0-1": (), "2.0-1": ()}, {}, "2.0-1", id="both fit: the highest"),
            pytest.param({"9.0-1": (), "10.0-1": ()}, {}, "10.0-1", id="numbers as numbers"),
            pytest.param({"1.0-1": (), "2.0-1": ("nothing",)}, {}, "1.0-1", id="the highest lacks something"),
            pytest.param({"1.0-1": ("nothing",), "2.0-1": ("nothing",)}, {}, "2.0-1", id="none fits: the highest"),
            pytest.param({"1.0-1": (), "2.0-1": ("own-api",)}, {}, "2.0-1", id="met by its own VIBs"),
            pytest.param({"1.0-1": (), "2.0-1": ("esx-version >= 7.0.0",)}, {}, "2.0-1", id="met by the base image"),
            pytest.param({"1.0-1": (), "2.0-1": ("vmkapi_2_13_0_0",)}, {}, "1.0-1", id="built for a later ESXi"),
            pytest.param({"1.0-1": (), "2.0-1": ("tool",)}, {"tool": "1.0-1"}, "2.0-1", id="met by a pinned component"),
            pytest.param({"1.0-1": (), "2.0-1": ("tool >= 2",)}, {"tool": None}, "2.0-1", id="met by another open one"),
            pytest.param(
                {"1.0-1": (), "2.0-1": ("tool >= 2",)}, {"tool": "1.0-1"}, "1.0-1", id="not by a version not taken"
            ),
            pytest.param(
                {"1.0-1": ("net-acme = 2.0",), "2.0-1": ("nothing",)}, {}, "2.0-1", id="not by its own other version"
            ),
        ],
    )
    def test_open_version(
        self, depends: dict[str, tuple[str, ...]], around: dict[str, str | None], expected: str
    ) -> None:
        stock = Stock()
        stock.base_image()
        for version, wanted in depends.items():
            stock.driver("net-acme", version, depends=wanted, provides=("own-api",))
        stock.driver("tool", "1.0-1")
        stock.driver("tool", "2.0-1")
        image = _image(stock, {"net-acme": None, **around})
        entry = _entry(image, "net-acme")
        assert (entry.component.version.text, entry.rule) == (expected, Rule.HIGHEST_AVAILABLE)

    def test_a_version_whose_vibs_are_not_loaded_does_not_fit(self) -> None:
        stock = Stock()
        stock.base_image()
        stock.driver("net-acme", "1.0-1")
        stock.components.append(component("net-acme", "2.0-1", ["ACM_bootbank_net-acme_2.0-1"]))
        assert "net-acme:1.0-1" in component_ids(_image(stock, {"net-acme": None}))

    def test_what_the_spec_removes_does_not_count(self) -> None:
        stock = Stock()
        stock.base_image(stock.driver("tool", "1.0-1"))
        stock.driver("net-acme", "1.0-1")
        stock.driver("net-acme", "2.0-1", depends=("tool",))
        image = _image(stock, {"net-acme": None}, removed=["tool"])
        assert component_ids(image) == (f"ESXi:{BASE_VERSION}", "net-acme:1.0-1")

    @pytest.mark.parametrize(
        ("accepted", "expected"),
        [
            pytest.param((), "3.0-1", id="any"),
            pytest.param(("1.0-1", "2.0-1"), "2.0-1", id="the highest accepted"),
            pytest.param(("1.0-1", "9.0-1"), "1.0-1", id="the highest accepted that is loaded"),
        ],
    )
    def test_solutions_leave_versions_open(self, accepted: tuple[str, ...], expected: str) -> None:
        stock = Stock()
        stock.base_image()
        for version in ("1.0-1", "2.0-1", "3.0-1"):
            stock.driver("vsphere-fdm", version)
        solution = stock.solution("com.vmware.vsphere-ha", {"vsphere-fdm": accepted})
        entry = _entry(_image(stock, solutions=[solution]), "vsphere-fdm")
        assert (entry.component.version.text, entry.source) == (expected, ComponentSource.SOLUTION)
        assert entry.rule is Rule.HIGHEST_AVAILABLE

    def test_a_solutions_versions_fit_the_image_as_it_will_be(self) -> None:
        """Its own other components and what the user pins count, though they are put later."""
        stock = Stock()
        stock.base_image(stock.driver("tool", "1.0-1"))
        stock.driver("tool", "2.0-1")
        for version, wanted in (("1.0-1", ()), ("2.0-1", ("tool >= 2.0", "zeta"))):
            stock.driver("agent", version, depends=wanted)
        stock.driver("zeta", "1.0-1")
        solution = stock.solution("nsx", {"agent": (), "zeta": ()})
        assert "agent:1.0-1" in component_ids(_image(stock, solutions=[solution]))
        assert "agent:2.0-1" in component_ids(_image(stock, {"tool": "2.0-1"}, solutions=[solution]))


class TestVibs:
    """Which VIBs of the effective components are installed."""

    def image(
        self, *parts: tuple[str, str, list[Any]], add_on: list[tuple[str, str, list[Any]]] | None = None
    ) -> Image:
        stock = Stock()
        stock.base_image(*[stock.component(name, version, *vibs) for name, version, vibs in parts])
        if add_on is not None:
            stock.add_on(*[stock.component(name, version, *vibs) for name, version, vibs in add_on])
        return _image(stock)

    def test_a_vib_that_an_effective_component_lists_is_never_reserved_by_name(self) -> None:
        """The firmware VIB stays the same in the add-on's build of the component."""
        shared = vib("acme-fw")
        image = self.image(
            ("Acme", "1.0-1", [vib("net-acme", "1.0-1"), shared]),
            add_on=[("Acme", "2.0-1", [vib("net-acme", "2.0-1"), shared])],
        )
        assert installed_ids(image) == ("ACM_bootbank_acme-fw_1.0-1", "ACM_bootbank_net-acme_2.0-1", _BASE)
        assert reserved_reasons(image) == {"ACM_bootbank_net-acme_1.0-1": "component-overridden"}
        assert image.vibs[0].component == "Acme:2.0-1"

    def test_two_components_with_one_vib_id(self) -> None:
        """It is stated once: by the component of the higher source, then of the lower id."""
        shared = vib("acme-fw")
        image = self.image(("Zulu", "1.0-1", [shared]), ("Alfa", "1.0-1", [shared]))
        assert [(entry.component, entry.source) for entry in image.vibs][:1] == [
            ("Alfa:1.0-1", ComponentSource.BASE_IMAGE)
        ]
        image = self.image(("Alfa", "1.0-1", [shared]), add_on=[("Zulu", "1.0-1", [shared])])
        assert [(entry.component, entry.source) for entry in image.vibs][:1] == [("Zulu:1.0-1", ComponentSource.ADD_ON)]
        assert image.reserved_vibs == ()

    @pytest.mark.parametrize(
        ("first", "second", "winner", "loser"),
        [
            pytest.param(
                vib("x", "1.0-1"), vib("x", "2.0-1"), "ACM_bootbank_x_2.0-1", "ACM_bootbank_x_1.0-1", id="version"
            ),
            pytest.param(
                vib("x", "2.0-1"),
                vib("x", "1.0-1"),
                "ACM_bootbank_x_2.0-1",
                "ACM_bootbank_x_1.0-1",
                id="version, not source",
            ),
            pytest.param(
                vib("x", "2.0-1", vendor="OEM"),
                vib("x", "1.0-1"),
                "OEM_bootbank_x_2.0-1",
                "ACM_bootbank_x_1.0-1",
                id="whatever the vendor",
            ),
            pytest.param(
                vib("x", "1.0-1", type="locker"),
                vib("x", "2.0-1"),
                "ACM_bootbank_x_2.0-1",
                "ACM_locker_x_1.0-1",
                id="whatever the type",
            ),
            pytest.param(
                vib("x", "1.0-1", vendor="ZZZ"),
                vib("x", "1.0-1"),
                "ACM_bootbank_x_1.0-1",
                "ZZZ_bootbank_x_1.0-1",
                id="equal: the higher source",
            ),
            pytest.param(
                vib("x", "1.0-1"),
                vib("x", "1.0-01"),
                "ACM_bootbank_x_1.0-01",
                "ACM_bootbank_x_1.0-1",
                id="equal in another spelling: the higher source",
            ),
        ],
    )
    def test_the_highest_of_a_vib_name(self, first: Any, second: Any, winner: str, loser: str) -> None:
        image = self.image(("Alfa", "1.0-1", [first]), add_on=[("Zulu", "1.0-1", [second])])
        assert winner in installed_ids(image)
        reason = "lower-version" if first.version != second.version else "same-version"
        assert [(entry.vib.id, entry.reason.value, entry.winner) for entry in image.reserved_vibs] == [
            (loser, reason, winner)
        ]

    def test_equal_versions_of_one_source_go_by_id(self) -> None:
        image = self.image(("Alfa", "1.0-1", [vib("x", vendor="ZZZ")]), ("Zulu", "1.0-1", [vib("x")]))
        assert installed_ids(image) == (_BASE, "ZZZ_bootbank_x_1.0-1")

    def _linked(self, *pairs: tuple[str, tuple[str, ...]]) -> Image:
        return self.image(*((f"C-{name}", "1.0-1", [vib(name, replaces=replaces)]) for name, replaces in pairs))

    @pytest.mark.parametrize(
        ("pairs", "installed", "reserved"),
        [
            pytest.param([("new", ("old",)), ("old", ())], "new", {"old": "new"}, id="one replaces another"),
            pytest.param([("new", ("old << 1.0",)), ("old", ())], "new old", {}, id="only lower versions of it"),
            pytest.param([("a", ("b",)), ("b", ("a",))], "a b", {}, id="each other: both stay"),
            pytest.param([("a", ("b",)), ("b", ("c",)), ("c", ("a",))], "a b c", {}, id="around: all stay"),
            pytest.param(
                [("a", ("b",)), ("b", ("a", "c")), ("c", ())], "a b", {"c": "b"}, id="what a pair replaces still goes"
            ),
            pytest.param(
                [("a", ("b",)), ("b", ("a",)), ("z", ("a",))], "b z", {"a": "z"}, id="one of a pair goes to a third"
            ),
            pytest.param(
                [("a", ("b",)), ("b", ("c",)), ("c", ())], "a", {"b": "a", "c": "a"}, id="a chain: the last winner"
            ),
            pytest.param([("z", ("c",)), ("b", ("c",)), ("c", ())], "b z", {"c": "b"}, id="two winners: the lower id"),
            pytest.param([("a", ("a",)), ("b", ())], "a b", {}, id="itself does not count"),
        ],
    )
    def test_replaced(self, pairs: list[tuple[str, tuple[str, ...]]], installed: str, reserved: dict[str, str]) -> None:
        image = self._linked(*pairs)
        assert installed_ids(image) == (*(f"ACM_bootbank_{name}_1.0-1" for name in installed.split()), _BASE)
        assert {entry.vib.name: entry.winner for entry in image.reserved_vibs} == {
            name: f"ACM_bootbank_{winner}_1.0-1" for name, winner in reserved.items()
        }
        assert {entry.reason.value for entry in image.reserved_vibs} <= {"replaced"}

    def test_a_lower_version_that_goes_replaces_nothing(self) -> None:
        image = self.image(
            ("Alfa", "1.0-1", [vib("new", "1.0-1", replaces=("old",))]),
            ("Beta", "1.0-1", [vib("new", "2.0-1")]),
            ("Old", "1.0-1", [vib("old")]),
        )
        assert installed_ids(image) == ("ACM_bootbank_new_2.0-1", "ACM_bootbank_old_1.0-1", _BASE)

    def test_a_vib_of_two_losers_is_reserved_once_from_the_higher_source(self) -> None:
        shared = vib("acme-fw")
        stock = Stock()
        stock.base_image(stock.component("Acme", "1.0-1", shared))
        stock.add_on(stock.component("Acme", "2.0-1", shared))
        stock.component("Acme", "3.0-1", vib("net-acme"))
        image = _image(stock, {"Acme": "3.0-1"})
        assert [(entry.vib.id, entry.component, entry.source) for entry in image.reserved_vibs] == [
            ("ACM_bootbank_acme-fw_1.0-1", "Acme:2.0-1", ComponentSource.ADD_ON)
        ]


class TestWhatIsNotLoaded:
    """Lists may name what no depot has; requests may not."""

    def test_a_unit_lists_a_component_that_is_not_there(self) -> None:
        stock = Stock()
        stock.base_image(("net-acme", "1.0-1"))
        image = _image(stock)
        assert [(str(entry.component), entry.source.value) for entry in image.missing_components] == [
            ("net-acme:1.0-1", "BASE_IMAGE")
        ]
        assert component_ids(image) == (f"ESXi:{BASE_VERSION}",)

    def test_it_overrides_all_the_same(self) -> None:
        """What the add-on meant to override is not silently kept."""
        stock = Stock()
        stock.base_image(stock.driver("net-acme", "1.0-1"))
        stock.add_on(("net-acme", "2.0-1"))
        image = _image(stock)
        assert [str(entry.component) for entry in image.missing_components] == ["net-acme:2.0-1"]
        assert component_ids(image) == (f"ESXi:{BASE_VERSION}",)
        assert [(entry.vib.id, entry.winner) for entry in image.reserved_vibs] == [
            ("ACM_bootbank_net-acme_1.0-1", "net-acme:2.0-1")
        ]

    def test_a_later_source_makes_up_for_it(self) -> None:
        stock = Stock()
        stock.base_image(stock.driver("net-acme", "1.0-1"))
        stock.add_on(("net-acme", "2.0-1"))
        stock.driver("net-acme", "3.0-1")
        image = _image(stock, {"net-acme": "3.0-1"})
        assert image.missing_components == ()
        assert _overridden(_entry(image, "net-acme")) == [
            ("net-acme:1.0-1", "BASE_IMAGE"),
            ("net-acme:2.0-1", "ADD_ON"),
        ]

    def test_it_can_be_taken_off(self) -> None:
        stock = Stock()
        stock.base_image(("net-acme", "1.0-1"))
        image = _image(stock, removed=["net-acme"])
        assert image.missing_components == ()
        assert [str(lost.component) for lost in image.removed[0].removed] == ["net-acme:1.0-1"]

    def test_a_component_lists_a_vib_that_is_not_there(self) -> None:
        stock = Stock()
        stock.components.append(component("Acme", "1.0-1", ["ACM_bootbank_gone_1.0-1"]))
        stock.base_image(("Acme", "1.0-1"))
        image = _image(stock)
        assert [(entry.vib_id, entry.component) for entry in image.missing_vibs] == [
            ("ACM_bootbank_gone_1.0-1", "Acme:1.0-1")
        ]

    @pytest.mark.parametrize(
        ("wanted", "message", "hint"),
        [
            pytest.param(
                spec(base_image="7.0.3-0.55.20328353"),
                "no loaded depot has the base image 7.0.3-0.55.20328353",
                f"loaded: {BASE_VERSION}",
                id="base image",
            ),
            pytest.param(
                spec(add_on=("ACME-AddOn", "703.1-A00")),
                "no loaded depot has the add-on ACME-AddOn:703.1-A00",
                "loaded: ACME-AddOn:703.20036589.A08",
                id="add-on",
            ),
            pytest.param(
                spec({"net-acme": "9.0-1"}),
                "no loaded depot has the component net-acme:9.0-1",
                "loaded: net-acme:1.0-1",
                id="component in that version",
            ),
            pytest.param(
                spec({"net-acmee": None}),
                "no loaded depot has the component net-acmee",
                "did you mean net-acme (1.0-1)?",
                id="component in any version",
            ),
            pytest.param(
                spec(packages=[Stock().package("firmware")]),
                "no loaded depot has the hardware support package firmware:1.0",
                "no loaded depot holds any hardware support package: open the depot that does",
                id="hardware support package",
            ),
            pytest.param(
                spec(solutions=[Stock().solution("nsx", {})]),
                "no loaded depot has the solution nsx:1.0",
                "no loaded depot holds any solution: open the depot that does",
                id="solution",
            ),
        ],
    )
    def test_requests_are_refused(self, wanted: SoftwareSpec, message: str, hint: str) -> None:
        stock = Stock()
        stock.base_image(stock.driver("net-acme", "1.0-1"))
        stock.add_on()
        with pytest.raises(NotInDepotError) as caught:
            compose(stock.catalog(), wanted)
        assert (caught.value.message, caught.value.hint) == (message, hint)


class TestContentsThatDiffer:
    """One VIB id, several contents: taken from the preferred source or marked as not chosen."""

    def stock(self) -> tuple[Stock, list[str]]:
        stock = Stock()
        builds = [vib("net-acme").with_file(VibFile(sha256=letter * 64)) for letter in "ba"]
        part = stock.component("Acme", "1.0-1", builds[0])
        stock.vibs.append(builds[1])
        stock.vib_sources = [
            (builds[0].fingerprint, ("b.zip", "both.zip")),
            (builds[1].fingerprint, ("a.zip", "both.zip")),
        ]
        stock.base_image(part)
        return stock, [build.fingerprint for build in builds]

    @pytest.mark.parametrize(
        ("prefer", "letter", "unchosen"),
        [
            pytest.param((), "a", True, id="nobody chose: the lowest fingerprint, marked"),
            pytest.param(("a.zip",), "a", False, id="the one"),
            pytest.param(("b.zip",), "b", False, id="the other"),
            pytest.param(("b.zip", "a.zip"), "b", False, id="the first that has it"),
            pytest.param(("c.zip", "b.zip"), "b", False, id="a source that does not have it is passed over"),
            pytest.param(("both.zip", "b.zip"), "b", False, id="a source that has both does not choose"),
            pytest.param(("both.zip",), "a", True, id="nor does it alone"),
        ],
    )
    def test_prefer(self, prefer: tuple[str, ...], letter: str, *, unchosen: bool) -> None:
        stock, _ = self.stock()
        image = compose(stock.catalog(), spec(), prefer=prefer)
        assert image.vibs_by_id["ACM_bootbank_net-acme_1.0-1"].fingerprint == letter * 64
        assert image.unchosen_vibs == (("ACM_bootbank_net-acme_1.0-1",) if unchosen else ())

    def test_profiles_choose_the_same_way(self) -> None:
        stock, _ = self.stock()
        stock.profile("P", ["ACM_bootbank_net-acme_1.0-1"])
        image = image_from_profile(stock.catalog(), "P", prefer=["b.zip"])
        assert (image.vibs[0].vib.fingerprint, image.unchosen_vibs) == ("b" * 64, ())
        image = image_from_profile(stock.catalog(), "P")
        assert image.unchosen_vibs == ("ACM_bootbank_net-acme_1.0-1",)


class TestArguments:
    """A spec or plain arguments, never both."""

    def stock(self) -> Stock:
        stock = Stock()
        stock.base_image(stock.driver("net-acme", "1.0-1"), display_version="7.0 U3f - 20036589", vendor="VMware")
        stock.add_on(stock.driver("agent", "1.0-1"), vendor="Acme")
        stock.driver("net-acme", "2.0-1")
        return stock

    def test_plain_arguments_give_the_same_image(self) -> None:
        catalog = self.stock().catalog()
        wanted = spec({"net-acme": "2.0-1"}, add_on=ADD_ON, removed=["agent"])
        image = compose(
            catalog,
            base_image=BASE_VERSION,
            add_on=ADD_ON,
            components={"net-acme": "2.0-1"},
            removed_components=["agent"],
        )
        assert image == compose(catalog, wanted)
        assert image.spec == wanted

    def test_names_alone_leave_versions_open(self) -> None:
        image = compose(self.stock().catalog(), base_image=BASE_VERSION, components=["net-acme"])
        assert component_ids(image) == (f"ESXi:{BASE_VERSION}", "net-acme:2.0-1")

    @pytest.mark.parametrize(
        "arguments",
        [
            pytest.param({}, id="neither"),
            pytest.param({"spec": spec(), "base_image": BASE_VERSION}, id="both"),
            pytest.param({"spec": spec(), "removed_components": ["x"]}, id="a spec and a removal"),
        ],
    )
    def test_one_of_the_two(self, arguments: dict[str, Any]) -> None:
        with pytest.raises(ModelError, match="compose takes a spec or arguments"):
            compose(self.stock().catalog(), **arguments)

    @pytest.mark.parametrize("key", ["components", "removed_components"])
    def test_a_lone_text_is_no_list(self, key: str) -> None:
        arguments: dict[str, Any] = {key: "net-acme"}
        with pytest.raises(WrongTypeError, match=f"wrong type for '{key}'"):
            compose(self.stock().catalog(), base_image=BASE_VERSION, **arguments)

    def test_make_spec(self) -> None:
        made = make_spec(
            base_image="7.0U3f",
            add_on=ADD_ON,
            components={"b": "1.0-1", "a": None, "c": ""},
            removed_components=["z", "y", "z"],
        )
        assert made.components == (("a", None), ("b", ComponentVersion("1.0-1")), ("c", None))
        assert (made.base_image, str(made.add_on), made.removed_components) == ("7.0U3f", ":".join(ADD_ON), ("y", "z"))

    @pytest.mark.parametrize(
        "arguments", [{"add_on": ("A", "no version")}, {"components": {"a": "-"}}], ids=["add-on", "component"]
    )
    def test_make_spec_refuses_what_is_no_version(self, arguments: dict[str, Any]) -> None:
        with pytest.raises(VersionSyntaxError):
            make_spec(base_image=BASE_VERSION, **arguments)

    def test_release_names_stand_for_base_images(self) -> None:
        image = compose(self.stock().catalog(), base_image="7.0 U3f")
        assert image.base_image is not None
        assert image.base_image.version.text == BASE_VERSION

    @pytest.mark.parametrize(
        ("wanted", "name"),
        [
            pytest.param(spec(), "ESXi-7.0U3f-20036589-standard", id="base image alone"),
            pytest.param(spec(add_on=ADD_ON), "ESXi-7.0U3f-20036589-ACME-AddOn-703.20036589.A08", id="with add-on"),
            pytest.param(spec({"net-acme": "2.0-1"}), "ESXi-7.0U3f-20036589-custom", id="with a component"),
            pytest.param(
                spec({"net-acme": "2.0-1"}, add_on=ADD_ON),
                "ESXi-7.0U3f-20036589-ACME-AddOn-703.20036589.A08-custom",
                id="with both",
            ),
        ],
    )
    def test_names(self, wanted: SoftwareSpec, name: str) -> None:
        image = compose(self.stock().catalog(), wanted)
        assert (image.name, image.vendor) == (name, "Acme" if wanted.add_on else "VMware")
        assert compose(self.stock().catalog(), wanted, name="mine").name == "mine"

    def test_a_name_is_at_most_80_characters_long(self) -> None:
        stock = Stock()
        stock.base_image()
        stock.add_on(release=("A" * 90, "1.0"))
        image = compose(stock.catalog(), spec(add_on=("A" * 90, "1.0")))
        assert image.name == f"ESXi-{BASE_VERSION}-" + "A" * (79 - len(f"ESXi-{BASE_VERSION}"))


class TestProfiles:
    """Images straight from a profile: nothing is decided, all is taken as it stands."""

    def stock(self) -> tuple[Stock, Component]:
        stock = Stock()
        part = stock.component("Acme", "1.0-1", vib("net-acme", "1.0-1"))
        stock.vibs += [vib("net-acme", "2.0-1", replaces=("old",)), vib("old"), esx_base("6.7.0-0.0.8169922")]
        return stock, part

    def test_taken_as_they_are(self) -> None:
        stock, part = self.stock()
        ids = [made.id for made in stock.vibs]
        stock.profile(
            "P", [*reversed(ids), "ACM_bootbank_gone_1.0-1", ids[0]], creator="me", bulletin_ids=["Acme_1.0-1", "gone"]
        )
        image = image_from_profile(stock.catalog(), "P")
        assert installed_ids(image) == tuple(sorted(ids))
        assert [(entry.vib_id, entry.component) for entry in image.missing_vibs] == [("ACM_bootbank_gone_1.0-1", "")]
        assert [(entry.component, entry.source, entry.rule) for entry in image.components] == [
            (part, None, Rule.PROFILE)
        ]
        assert [entry.component for entry in image.vibs] == ["Acme:1.0-1", "", "", ""]
        assert (image.name, image.vendor, image.spec, image.base_image) == ("P", "me", None, None)
        assert str(image.esxi_version) == "6.7.0-0.0.8169922"

    def test_a_missing_vib_names_its_component(self) -> None:
        stock, _ = self.stock()
        stock.components.append(component("Gone", "1.0-1", ["ACM_bootbank_gone_1.0-1"]))
        stock.profile("P", ["ACM_bootbank_gone_1.0-1"], bulletin_ids=["Gone_1.0-1"])
        image = image_from_profile(stock.catalog(), "P")
        assert image.missing_vibs[0].component == "Gone:1.0-1"

    def test_a_profile_need_not_be_in_the_catalog(self) -> None:
        stock, _ = self.stock()
        own = stock.profile("P", [stock.vibs[0].id])
        stock.profiles.clear()
        assert installed_ids(image_from_profile(stock.catalog(), own)) == (stock.vibs[0].id,)
        with pytest.raises(NotInDepotError, match="no loaded depot has the image profile 'P'"):
            image_from_profile(stock.catalog(), "P")


class TestStories:
    """What administrators do, end to end."""

    BASES = ("7.0.3-0.40.19898904", BASE_VERSION, "7.0.3-0.55.20328353")

    def stock(self) -> Stock:
        """Three patches of 7.0 U3 and a vendor's add-on that raises the network driver."""
        stock = Stock()
        driver = stock.driver("bnxtnet", "216.0.50.0-44vmw.703.0.0.18644231", vendor="VMW")
        removable = stock.driver("VMware-lsuv2-plugin", "1.0.0-4vmw.703.0.0.18644231", vendor="VMware")
        for base in self.BASES:
            stock.base_image(driver, removable, version=base, display_version=f"7.0 U3 - {base.rpartition('.')[2]}")
        newer = stock.driver(
            "bnxtnet", "222.0.155.0-1OEM.700.1.0.15843807", vendor="BCM", acceptance_level=AcceptanceLevel.PARTNER
        )
        agent = stock.driver("dcism", "5.0-1", vendor="DEL")
        stock.add_on(newer, agent, release=("DEL-ESXi", "703.20036589.A08"), removed_components=["VMware-lsuv2-plugin"])
        stock.add_on(newer, agent, release=("DEL-ESXi", "703.20328353.A09"))
        return stock

    def image(self, base: str = BASE_VERSION, add_on: str = "703.20036589.A08", **wanted: Any) -> Image:
        return compose(self.stock().catalog(), spec(base_image=base, add_on=("DEL-ESXi", add_on), **wanted))

    def test_custom_image(self) -> None:
        image = self.image()
        entry = _entry(image, "bnxtnet")
        assert (entry.component.version.text, entry.source) == (
            "222.0.155.0-1OEM.700.1.0.15843807",
            ComponentSource.ADD_ON,
        )
        assert _overridden(entry) == [("bnxtnet:216.0.50.0-44vmw.703.0.0.18644231", "BASE_IMAGE")]
        assert component_ids(image) == (f"ESXi:{BASE_VERSION}", entry.component.id, "dcism:5.0-1")
        assert image.name == "ESXi-7.0U3-20036589-DEL-ESXi-703.20036589.A08"
        assert image.acceptance_level is AcceptanceLevel.PARTNER
        assert image.add_on is not None
        assert image.add_on.version == AddOnVersion("703.20036589.A08")

    def test_another_patch_of_the_same_train_changes_the_base_part_alone(self) -> None:
        first, second, third = (self.image(base) for base in self.BASES)
        for image in (first, third):
            assert component_ids(image)[1:] == component_ids(second)[1:]
            assert image.reserved_vibs == second.reserved_vibs
        assert len({image.digest for image in (first, second, third)}) == 3

    def test_add_on_alone(self) -> None:
        """The later add-on no longer takes the plug-in off; nothing else changes."""
        old, new = self.image(), self.image(add_on="703.20328353.A09")
        assert set(component_ids(new)) - set(component_ids(old)) == {"VMware-lsuv2-plugin:1.0.0-4vmw.703.0.0.18644231"}
        assert set(component_ids(old)) < set(component_ids(new))
        assert old.base_image == new.base_image

    def test_removed_stays_reserved(self) -> None:
        image = self.image(removed=["bnxtnet"])
        assert "bnxtnet" not in {entry.component.name for entry in image.components}
        assert reserved_reasons(image) == {
            "BCM_bootbank_bnxtnet_222.0.155.0-1OEM.700.1.0.15843807": "component-removed",
            "VMW_bootbank_bnxtnet_216.0.50.0-44vmw.703.0.0.18644231": "component-overridden",
            "VMware_bootbank_VMware-lsuv2-plugin_1.0.0-4vmw.703.0.0.18644231": "component-removed",
        }
        assert [(gone.name, gone.source.value) for gone in image.removed] == [
            ("VMware-lsuv2-plugin", "ADD_ON"),
            ("bnxtnet", "USER_REMOVED"),
        ]
        assert {made.id for made in image.all_vibs} > set(installed_ids(image))


def test_versions_are_taken_as_values_too() -> None:
    """What the catalog gives may be handed back as it is."""
    stock = Stock()
    base = stock.base_image()
    stock.driver("net", "1.0-1")
    newer = stock.driver("net", "2.0-1")
    unit = stock.add_on(stock.driver("disk"), release=("ACME", "703.20036589.A01"))
    catalog = stock.catalog()
    image = compose(
        catalog, base_image=base.version, add_on=(unit.name, unit.version), components={"net": newer.version}
    )
    texts = compose(catalog, base_image=str(base.version), add_on=str(unit.id), components={"net": "2.0-1"})
    assert image == texts
