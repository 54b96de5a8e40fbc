"""Each fact of the field stands in one module; all others take it from there."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING

import pytest
from house.test_floor_plan import MODULES

from esximage_builder import disc_files
from esximage_builder.vocabulary import (
    DISC_OPTION,
    INSTALLER_OPTION,
    INSTALLER_PAYLOADS,
    MODULE_TYPES,
    TARDISK_TYPES,
    PayloadType,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = {
    getattr(disc_files, name).lower() for name in disc_files.__all__ if name != "UPGRADE_FOLDER"
}  # that is an ordinary word too
MANY_TYPES = 3
BOOT_INFO_TABLE = {8, 64}


@functools.cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def is_payload_type(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "PayloadType"


def literals(module: str) -> Iterator[str]:
    """Texts of a module, also those inside f-strings."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"disc_files"}))
def test_names_of_disc_files_stand_in_one_module(module: str) -> None:
    assert [text for text in literals(module) if text.lower() in NAMES] == []


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"vocabulary"}))
def test_the_installer_s_payloads_and_option_stand_in_one_module(module: str) -> None:
    words = {*INSTALLER_PAYLOADS, INSTALLER_OPTION, DISC_OPTION}

    assert [text for text in literals(module) if words & set(text.split()) and len(text.split()) <= len(words)] == []


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"vocabulary"}))
def test_groups_of_payload_types_stand_in_one_module(module: str) -> None:
    """A list of three types or more is a rule of its own."""
    groups = [
        ast.unparse(node)
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Set | ast.Tuple | ast.List)
        and sum(is_payload_type(item) for item in node.elts) >= MANY_TYPES
    ]

    assert groups == []


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"formats.boot_info_table"}))
def test_the_place_of_the_boot_information_table_stands_in_one_module(module: str) -> None:
    """Slices between bytes 8, 24 and 64, and calls of ``slice`` with them."""
    places = [
        ast.unparse(node)
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Slice)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "slice")
        if {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)} >= BOOT_INFO_TABLE
    ]

    assert places == []


def test_what_the_boot_loader_loads_is_what_esxi_mounts_and_its_kernel() -> None:
    assert {PayloadType.BOOT, *TARDISK_TYPES} == MODULE_TYPES
    assert PayloadType.BOOT not in TARDISK_TYPES
