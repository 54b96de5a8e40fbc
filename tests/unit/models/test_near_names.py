"""Near names: what was mistyped leads to what was meant, and nothing far away is offered."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from esximage_builder.models.near_names import did_you_mean, listed, near_names

KNOWN = ("Intel-i40en", "Intel-ixgben", "Broadcom-ELX-lpfc", "VMware-NVMe-PCIe", "esx-base")


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("intel-i40en", ("Intel-i40en",)),
        ("INTEL_I40EN", ("Intel-i40en",)),
        ("Intel i40en", ("Intel-i40en",)),
        ("Intel-i40n", ("Intel-i40en", "Intel-ixgben")),
        ("lpfc", ("Broadcom-ELX-lpfc",)),
        ("nvme", ("VMware-NVMe-PCIe",)),
        ("something", ()),
        ("en", ()),
        ("", ()),
    ],
)
def test_what_is_near(typed: str, near: tuple[str, ...]) -> None:
    assert near_names(typed, KNOWN) == near


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=8))
def test_near_names_are_known_and_never_what_was_typed(typed: str, known: list[str]) -> None:
    found = near_names(typed, known)

    assert set(found) <= set(known) - {typed}
    assert len(set(found)) == len(found) <= 3
    assert found == near_names(typed, reversed(known))


def test_names_are_put_into_words_with_their_versions() -> None:
    assert did_you_mean(()) == ""
    assert did_you_mean(("a", "b")) == "did you mean a or b?"
    assert did_you_mean(("a",), {"a": ("1", "2")}) == "did you mean a (1, 2)?"
    assert listed([str(number) for number in range(9)]) == "0, 1, 2, 3, 4, 5, 6, 7 ..."
