"""Which interface a name is of: by the whole of its first words, nothing else."""

from __future__ import annotations

import pytest

from esximage_builder.rules.driver_interfaces import ESX_VERSION, VMKAPI, VMKLINUX, interface_numbers, interface_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vmkapi_2_9_0_0", (VMKAPI, "2.9")),
        ("vmkapi_incompat_2_10_0_0", (VMKAPI, "2.10")),
        ("com.vmware.driverAPI-9.2.2.0", (VMKLINUX, "")),
        ("vmklinux_9_2_3_0", (VMKLINUX, "")),
        ("esx-version", (ESX_VERSION, "")),
        ("esx-versions", ("", "")),
        ("my-vmkapi_2_9_0_0", ("", "")),
        ("vmkapi_next", ("", "")),
        ("", ("", "")),
    ],
)
def test_interfaces_are_known_by_name(name: str, expected: tuple[str, str]) -> None:
    assert interface_of(name) == expected


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("2.9", (2, 9)), ("2.10", (2, 10)), ("", None), ("2", None), ("2.9.0", None), ("2.x", None)],
)
def test_versions_compare_by_number(version: str, numbers: tuple[int, int] | None) -> None:
    assert interface_numbers(version) == numbers
