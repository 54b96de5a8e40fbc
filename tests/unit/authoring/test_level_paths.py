"""Where VIBs of the lower levels may install files, and what is said of those that go beyond."""

from __future__ import annotations

import pytest

from esximage_builder.authoring.level_paths import check_paths, is_path_for
from esximage_builder.findings import Severity
from esximage_builder.models.vib import Vib
from esximage_builder.versions import VibVersion
from esximage_builder.vocabulary import AcceptanceLevel

COMMUNITY, PARTNER, ACCEPTED = AcceptanceLevel.COMMUNITY, AcceptanceLevel.PARTNER, AcceptanceLevel.ACCEPTED


def vib(level: AcceptanceLevel, *files: str) -> Vib:
    return Vib(name="a", version=VibVersion("1-1"), vendor="A", summary="s", acceptance_level=level, files=files)


@pytest.mark.parametrize(
    ("path", "lowest"),
    [
        ("opt/acme/bin/agent", COMMUNITY),
        ("etc/vmware/firewall/acme.xml", COMMUNITY),
        ("etc/vmware/service/acme.xml", COMMUNITY),
        ("etc/vmware/driver.map.d/flux.map", COMMUNITY),
        ("usr/lib/vmware/vmkmod/flux", COMMUNITY),
        ("usr/share/hwdata/driver.pciids.d/flux.ids", COMMUNITY),
        ("etc/init.d/acme", PARTNER),
        ("etc/vmware/oem.xml", PARTNER),
        ("etc/vmware/oem.xml.bak", ACCEPTED),
        ("etc/vmware/shutdown/other", ACCEPTED),
        ("etc/init.d", ACCEPTED),
        ("opt", ACCEPTED),
        ("optional/x", ACCEPTED),
        ("etc/rc.local.d/local.sh", ACCEPTED),
        ("bin/tool", ACCEPTED),
        ("usr/lib/vmwarex/a", ACCEPTED),
    ],
)
def test_each_level_may_do_what_the_one_below_may(path: str, lowest: AcceptanceLevel) -> None:
    allowed = [level for level in AcceptanceLevel if is_path_for(path, level)]
    assert allowed == [level for level in AcceptanceLevel if level >= lowest]


@pytest.mark.parametrize(
    ("level", "files", "beyond"),
    [
        (COMMUNITY, ("opt/a", "etc/init.d/a", "bin/a"), ("etc/init.d/a", "bin/a")),
        (PARTNER, ("opt/a", "etc/init.d/a", "bin/a"), ("bin/a",)),
    ],
)
def test_a_warning_names_the_paths(level: AcceptanceLevel, files: tuple[str, ...], beyond: tuple[str, ...]) -> None:
    (finding,) = check_paths(vib(level, *files))

    assert (finding.code, finding.severity, finding.items) == ("path-above-level", Severity.WARNING, beyond)
    assert finding.fact("acceptance_level") == level.value
    assert finding.fact("vib") == "A_bootbank_a_1-1"


@pytest.mark.parametrize(
    ("level", "files"),
    [
        (COMMUNITY, ("opt/a", "usr/lib/vmware/b")),
        (ACCEPTED, ("bin/a",)),
        (AcceptanceLevel.CERTIFIED, ("bin/a",)),
        (COMMUNITY, ()),
    ],
)
def test_nothing_is_said_where_all_is_well(level: AcceptanceLevel, files: tuple[str, ...]) -> None:
    assert check_paths(vib(level, *files)) == ()


def test_a_vib_without_file_list_is_not_judged() -> None:
    assert check_paths(Vib(name="a", version=VibVersion("1-1"), vendor="A", summary="s", files=None)) == ()
