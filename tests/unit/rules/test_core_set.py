"""The core set, in words; and that a finding names all that makes it true."""

from __future__ import annotations

import pytest
from support.finding_calls import codes_in
from support.memory_catalogs import BASE_VERSION, Stock, component, cut_down, esx_base, spec, vib

from esximage_builder.models.image import Image
from esximage_builder.rules import core_set
from esximage_builder.rules.compose import compose
from esximage_builder.rules.core_set import is_core_component
from esximage_builder.rules.validate import validate

LATER = "7.0.3-0.65.20842708"
CODE = "core-component-overridden"
CAUSE = "ESXi's own components are released together; one of another release breaks the set"
OWN = f"ESXi:{BASE_VERSION}"
UPDATE = f"esx-update:{BASE_VERSION}"


def composed(stock: Stock, *names: str, removed: tuple[str, ...] = ()) -> Image:
    return compose(stock.catalog(), spec(dict.fromkeys(names), removed=removed))


def overridden() -> tuple[Image, Stock]:
    stock = Stock()
    stock.base_image()
    stock.component("ESXi", LATER, esx_base(LATER))
    return composed(stock, "ESXi"), stock


def higher() -> tuple[Image, Stock]:
    stock = Stock()
    stock.base_image()
    stock.component("Hotfix", "1.0-1", esx_base(LATER))
    return composed(stock, "Hotfix"), stock


def replaced() -> tuple[Image, Stock]:
    stock = Stock()
    stock.base_image(stock.component("esx-update", BASE_VERSION, vib("esx-update", BASE_VERSION)))
    stock.driver("tool", replaces=("esx-update",))
    return composed(stock, "tool"), stock


def removed() -> tuple[Image, Stock]:
    stock = Stock()
    stock.base_image(("esx-update", BASE_VERSION))
    return composed(stock, removed=("esx-update",)), stock


@pytest.mark.parametrize(
    ("case", "message", "items", "cause", "remedy"),
    [
        pytest.param(
            overridden(),
            f"ESXi:{LATER} from the user takes the place of a core component",
            (f"ESXi:{LATER}", OWN),
            CAUSE,
            "move the base image instead",
            id="component of the same name",
        ),
        pytest.param(
            higher(),
            f"VMware_bootbank_esx-base_{LATER} takes the place of VMware_bootbank_esx-base_{BASE_VERSION}, "
            "a core VIB of the base image",
            (f"VMware_bootbank_esx-base_{LATER}", f"VMware_bootbank_esx-base_{BASE_VERSION}", OWN, "Hotfix:1.0-1"),
            CAUSE,
            "leave Hotfix:1.0-1 out, or move the base image instead",
            id="higher version",
        ),
        pytest.param(
            replaced(),
            f"ACM_bootbank_tool_1.0-1 takes the place of VMware_bootbank_esx-update_{BASE_VERSION}, "
            "a core VIB of the base image",
            ("ACM_bootbank_tool_1.0-1", f"VMware_bootbank_esx-update_{BASE_VERSION}", UPDATE, "tool:1.0-1"),
            f"it replaces it; {CAUSE}",
            "leave tool:1.0-1 out, or move the base image instead",
            id="replaced",
        ),
        pytest.param(
            removed(),
            f"the spec removes {UPDATE}, a core component of the base image",
            ("esx-update", UPDATE),
            "ESXi does not boot or cannot be updated without it; that no loaded depot has it changes nothing",
            "take the name out of the removed components, and open the depot that holds the component",
            id="removed",
        ),
    ],
)
def test_findings(case: tuple[Image, Stock], message: str, items: tuple[str, ...], cause: str, remedy: str) -> None:
    image, stock = case
    (finding,) = (found for found in validate(image, stock.catalog()).errors if found.code == CODE)
    assert (finding.message, finding.items, finding.cause, finding.remedy) == (message, items, cause, remedy)
    left = validate(cut_down(image, finding), stock.catalog()).findings
    assert (finding.code, finding.items) in {(other.code, other.items) for other in left}


def test_every_code_is_tested() -> None:
    assert codes_in(core_set) == {CODE}


@pytest.mark.parametrize(
    ("name", "vib_ids", "is_core"),
    [
        ("ESXi", [], True),
        ("esx-update", [], True),
        ("Loader", ["VMware_bootbank_loadesx_8.0.3-1"], True),
        ("DPU", ["ACM_x_bootbank_esxio-base_8.0.3-1"], True),
        ("Tools", ["VMware_locker_tools-light_12.4-1"], False),
        ("Odd", ["esx-base"], False),
        ("Near", ["ACM_bootbank_esx-base-tools_1.0-1"], False),
    ],
)
def test_a_component_is_core_by_name_or_by_its_vibs_ids(name: str, vib_ids: list[str], *, is_core: bool) -> None:
    assert is_core_component(component(name, "1.0-1", vib_ids), {}) is is_core
