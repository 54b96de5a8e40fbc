"""The TOML description of a VIB: what each key means, what is refused, and that it reads back the same."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given
from support.schema_strategies import vibs

from esximage_builder.documents.vib_description import PayloadPlan, parse_vib_description, render_vib_description
from esximage_builder.errors import DepotError, InvalidFieldError, MalformedDocumentError
from esximage_builder.models.constraint import Constraint, Provide
from esximage_builder.models.vib import HardwarePlatform, MaintenanceMode, Payload, SoftwarePlatform, Vib
from esximage_builder.versions import VibVersion
from esximage_builder.vocabulary import AcceptanceLevel, Relation

LEAST = 'name = "acme-agent"\nversion = "1.0.0-1"\nvendor = "ACM"\nsummary = "An agent"\n'
FULL = """\
name = "flux"
version = "2.4-1OEM.800.1.0.20613240"
vendor = "FLX"
summary = "Flux driver"
description = "A driver\\nof two lines"
type = "locker"
release-date = 2024-01-31T10:00:00+02:00
acceptance-level = "PartnerSupported"
depends = ["esx-version >= 8.0.0", "vmkapi_2_9_0_0"]
conflicts = ["old-flux<<2.0"]
replaces = ["flux-old"]
provides = ["flux-api = 2.4", "flux-any"]
compatible-with = ["x >> 1-1"]
software-tags = ["driver", "PCIID 15b3101d"]
maintenance-mode = { required = true, on-install = true, on-remove = false }
hardware-platforms = [{ vendor = "ACME", model = "R1" }, { vendor = "FLUX" }]
software-platforms = ["8.*", { version = "9.0", product-line = "esxio" }]
live-install-allowed = true
live-remove-allowed = true
cimom-restart = true
stateless-ready = true
overlay = true
plain-modes = true
deflate = true
uncompressed-size = true

[urls]
KB1 = "https://example.org/1"

[modes]
"/etc/flux.conf" = 0o1644
"usr/bin" = 0o700

[[payloads]]
name = "flux"
boot-order = 10

[[payloads]]
name = "readme"
type = "text"
source = "doc/README"
vfat-name = "readme.txt"
"""


def read(text: str, where: str = "vib.toml") -> object:
    return parse_vib_description(text.encode(), where=where, max_bytes=100_000)


def test_four_keys_are_enough() -> None:
    found = parse_vib_description(LEAST.encode(), where="vib.toml", max_bytes=1000)

    assert found.vib == Vib(
        name="acme-agent",
        version=VibVersion("1.0.0-1"),
        vendor="ACM",
        summary="An agent",
        description="An agent",
    )
    assert (found.payloads, found.modes, found.is_plain, found.is_deflated) == ((), (), False, False)


def test_every_key_says_what_its_element_would() -> None:
    found = parse_vib_description(FULL.encode(), where="vib.toml", max_bytes=10_000)

    assert found.vib == Vib(
        type="locker",
        name="flux",
        version=VibVersion("2.4-1OEM.800.1.0.20613240"),
        vendor="FLX",
        summary="Flux driver",
        description="A driver\nof two lines",
        released_at=datetime(2024, 1, 31, 8, tzinfo=UTC),
        urls=[("KB1", "https://example.org/1")],
        depends=[
            Constraint("esx-version", Relation.GREATER_EQUAL, VibVersion("8.0.0")),
            Constraint("vmkapi_2_9_0_0"),
        ],
        conflicts=[Constraint("old-flux", Relation.LESS, VibVersion("2.0"))],
        replaces=[Constraint("flux-old")],
        provides=[Provide("flux-api", VibVersion("2.4")), Provide("flux-any")],
        compatible_with=[Constraint("x", Relation.GREATER, VibVersion("1-1"))],
        tags=["driver", "PCIID 15b3101d"],
        maintenance_mode=MaintenanceMode(required=True, on_install=True, on_remove=False),
        hardware_platforms=[HardwarePlatform("ACME", "R1"), HardwarePlatform("FLUX")],
        software_platforms=[SoftwarePlatform("8.*"), SoftwarePlatform("9.0", "esxio")],
        acceptance_level=AcceptanceLevel.PARTNER,
        live_install_allowed=True,
        live_remove_allowed=True,
        cimom_restart=True,
        stateless_ready=True,
        overlay=True,
    )
    assert found.payloads == (
        PayloadPlan(name="flux", source="flux", boot_order=10),
        PayloadPlan(name="readme", type="text", source="doc/README", vfat_name="readme.txt"),
    )
    assert found.modes == (("etc/flux.conf", 0o1644), ("usr/bin", 0o700))
    assert found.is_plain
    assert found.is_deflated
    assert found.states_size


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2024-01-31", datetime(2024, 1, 31, tzinfo=UTC)),
        ("2024-01-31T08:30:00", datetime(2024, 1, 31, 8, 30, tzinfo=UTC)),
        ("2024-01-31T08:30:00-01:00", datetime(2024, 1, 31, 9, 30, tzinfo=UTC)),
        ('"2024-01-31T08:30:00Z"', datetime(2024, 1, 31, 8, 30, tzinfo=UTC)),
        ('"2024-01-31"', datetime(2024, 1, 31, tzinfo=UTC)),
    ],
)
def test_dates_without_zone_count_as_utc(date: str, expected: datetime) -> None:
    data = f"{LEAST}release-date = {date}\n".encode()
    assert parse_vib_description(data, where="x", max_bytes=1000).vib.released_at == expected


@pytest.mark.parametrize(
    ("line", "typed", "hint"),
    [
        ('vendro = "x"', "vendro", "did you mean vendor?"),
        ('acceptance_level = "community"', "acceptance_level", "did you mean acceptance-level?"),
        ("Release-Date = 2024-01-31", "Release-Date", "did you mean release-date?"),
        ("stateless-redy = true", "stateless-redy", "did you mean stateless-ready?"),
        ('[[payload]]\nname = "x"', "payload", "did you mean payloads?"),
        ("zzzzz = 1", "zzzzz", "leave it out"),
        ('[[payloads]]\nname = "x"\nboot_order = 1', "boot_order", "did you mean boot-order?"),
        ("maintenance-mode = { on-instal = true }", "on-instal", "did you mean on-install?"),
        ('hardware-platforms = [{ vendor = "A", modell = "B" }]', "modell", "did you mean model?"),
        ('software-platforms = [{ versoin = "8.0" }]', "versoin", "did you mean version?"),
    ],
)
def test_unknown_keys_are_refused_with_the_near_ones(line: str, typed: str, hint: str) -> None:
    with pytest.raises(InvalidFieldError, match="unknown key") as caught:
        read(f"{LEAST}{line}\n")
    assert caught.value.found == repr(typed)
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("key", ["name", "version", "vendor", "summary"])
def test_what_has_no_default_is_required(key: str) -> None:
    text = "".join(line for line in LEAST.splitlines(keepends=True) if not line.startswith(key))
    with pytest.raises(InvalidFieldError, match=f"has no {key}"):
        read(text)


@pytest.mark.parametrize(
    "line",
    [
        "description = 5",
        'acceptance-level = "bronze"',
        "release-date = 5",
        'release-date = "soon"',
        "release-date = 08:00:00",
        'release-date = "0001-01-01T00:00:00+10:00"',
        'live-install-allowed = "yes"',
        "overlay = 1",
        'depends = "esx-base"',
        "depends = [5]",
        'depends = ["a =< 1"]',
        'depends = ["a b"]',
        'depends = [""]',
        'provides = ["a >= 1"]',
        'urls = "x"',
        "urls = { KB1 = 5 }",
        "maintenance-mode = 1",
        "hardware-platforms = [5]",
        "hardware-platforms = [{ model = 'x' }]",
        "software-platforms = [5]",
        "payloads = [5]",
        "[[payloads]]\ntype = 'vgz'",
        "[[payloads]]\nname = 'x'\nboot-order = true",
        "[modes]\n'x' = 0o100000",
        "[modes]\n'x' = '644'",
        "[modes]\n'x' = true",
        "plain-modes = 'no'",
    ],
)
def test_impossible_values_are_refused(line: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        read(f"{LEAST}{line}\n")
    assert caught.value.expected


def test_a_version_that_is_none_says_what_one_looks_like() -> None:
    with pytest.raises(InvalidFieldError, match="version has an impossible value") as caught:
        read(LEAST.replace("1.0.0-1", "not a version"))
    assert "such as" in caught.value.expected


def test_what_is_no_toml_is_malformed() -> None:
    with pytest.raises(MalformedDocumentError):
        read("<vib/>")


def bare(vib: Vib) -> Vib:
    """What a description can say of a VIB."""
    return attrs.evolve(
        vib, payloads=(), files=(), extra=(), extra_requirements=(), extra_relationships=(), file=None,
        schema_version="5.0", urls=tuple(dict(vib.urls).items()), description=vib.description or vib.summary,
    )  # fmt: skip


@given(vibs())
def test_every_vib_that_can_be_described_reads_back_the_same(vib: Vib) -> None:
    data = render_vib_description(vib)
    try:
        found = parse_vib_description(data, where="x", max_bytes=len(data))
    except DepotError:
        # Names with blanks or signs stand in descriptors, not in relations as people write them.
        return
    if vib.summary.strip() == vib.summary and vib.type:
        assert found.vib == bare(vib)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (Payload(name="k", type="vzstd"), "vgz"),
        (Payload(name="b", type="boot", boot_order=0, vfat_name="b.gz"), "boot"),
    ],
)
def test_payloads_are_described_as_they_can_be_made_again(payload: Payload, kind: str) -> None:
    vib = Vib(name="a", version=VibVersion("1-1"), vendor="A", summary="s", payloads=[payload])
    (plan,) = parse_vib_description(render_vib_description(vib), where="x", max_bytes=10_000).payloads

    assert plan == PayloadPlan(
        name=payload.name, type=kind, source=payload.name, boot_order=payload.boot_order, vfat_name=payload.vfat_name
    )
