"""Which systems VIBs are installed on: the host, its data processing units, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.memory_catalogs import payload, platforms, vib

from esximage_builder.rules.platforms import base_vib_of_dpus, share_a_system, systems_of, vibs_by_system
from esximage_builder.vocabulary import Platform

if TYPE_CHECKING:
    from esximage_builder.models.vib import Vib

HOST, DPU = Platform.HOST, Platform.DPU


@pytest.mark.parametrize(
    ("stated", "systems"),
    [
        pytest.param([], {HOST}, id="nothing"),
        pytest.param(["embeddedEsx 8.0"], {HOST}, id="host"),
        pytest.param(["esx 6.7"], {HOST}, id="the host of old"),
        pytest.param(["nextEsx 11"], {HOST}, id="a product line that is not known"),
        pytest.param(["esxio 8.0"], {DPU}, id="DPU"),
        pytest.param(["esxio 8.0", "esxio 9.0"], {DPU}, id="DPU, twice"),
        pytest.param(["embeddedEsx 8.0", "esxio 8.0"], {HOST, DPU}, id="both"),
    ],
)
def test_systems_of(stated: list[str], systems: set[Platform]) -> None:
    made = vib("x", software_platforms=platforms(*stated))
    assert systems_of(made) == systems
    assert {system for system, found in vibs_by_system([made]).items() if found == [made]} == systems
    assert share_a_system(made, vib("y")) is (HOST in systems)
    assert share_a_system(made, vib("y", software_platforms=platforms("esxio"))) is (DPU in systems)


def test_the_base_vib_of_dpus_is_one_that_no_host_boots() -> None:
    def bootable(name: str, *lines: str) -> Vib:
        return vib(name, payloads=[payload("b", "boot")], software_platforms=platforms(*lines))

    host, both, other, named = (
        bootable("esx-base"), bootable("esxio-base", "esxio", "embeddedEsx"), bootable("acme-base", "esxio"),
        vib("esxio-base", software_platforms=platforms("esxio")),
    )  # fmt: skip
    assert base_vib_of_dpus([host, both, vib("tool", software_platforms=platforms("esxio"))]) is None
    assert base_vib_of_dpus([host, other]) is other
    assert base_vib_of_dpus([other, named, host]) is named
