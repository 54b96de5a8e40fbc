"""Waivers: only codes that exist and can be waived, whatever the way they are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from support.changed_depots import DEPOTS, left_in

import esximage_builder as eib
from esximage_builder.codes import CODES, make_finding
from esximage_builder.waivers import require_waivable

BASE = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"


def test_what_can_be_waived_may_be_whether_it_comes_up_or_not() -> None:
    assert require_waivable(iter(["vib-missing", "conflict", "conflict"])) == {"vib-missing", "conflict"}
    assert require_waivable(()) == frozenset()


def test_a_mistyped_code_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(eib.ModelError, match="no finding has this code") as caught:
        require_waivable(["conflict", "missing-dependancy"])
    assert caught.value.found == "'missing-dependancy'"
    assert caught.value.hint == "did you mean missing-dependency?"


@pytest.mark.parametrize("code", [code for code in CODES.values() if not code.is_waivable], ids=lambda code: code.name)
def test_a_code_that_cannot_be_waived_is_refused_with_the_reason(code: Any) -> None:
    with pytest.raises(eib.ModelError, match=f"{code.name} cannot be waived") as caught:
        require_waivable([code.name])
    assert caught.value.hint == code.why_not_waivable


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("platform-mismatch", "only errors keep an export from running"),
        ("lock-differs", "another one"),
        ("core-component-removed", "does not boot"),
        ("archive-damaged", "a file that is verified"),
        ("metadata-missing", "reading a depot"),
        ("host-component-newer", "about a host"),
        ("no-direct-upgrade", "from one image to another"),
    ],
)
def test_the_reason_is_that_of_the_code(code: str, why: str) -> None:
    assert why in CODES[code].why_not_waivable


def test_one_text_is_no_list_of_codes() -> None:
    with pytest.raises(eib.ModelError, match="not one text"):
        require_waivable("conflict")


# Where waivers are given


@pytest.fixture(scope="module")
def depot() -> Any:
    with eib.open_depot(BASE) as opened:
        yield opened


@pytest.fixture(scope="module")
def image(depot: eib.Depot) -> eib.Image:
    return eib.compose(depot.catalog, base_image="7.0U3g")


@pytest.mark.parametrize("export", [eib.export_bundle, eib.export_iso, eib.export_pxe], ids=lambda made: made.__name__)
@pytest.mark.parametrize("code", ["missing-dependancy", "platform-mismatch", "lock-differs"])
def test_exports_refuse_a_waiver_that_does_nothing(
    depot: eib.Depot, image: eib.Image, tmp_path: Path, export: Callable[..., object], code: str
) -> None:
    """A mistyped one would be noticed at the first image that needs it."""
    with pytest.raises(eib.ModelError):
        export(image, depot, tmp_path / "out", allow=["conflict", code])
    assert left_in(tmp_path) == {}


def test_an_export_takes_waivers_once_from_any_iterable(depot: eib.Depot, image: eib.Image, tmp_path: Path) -> None:
    needing = attrs.evolve(image, vibs=[entry for entry in image.vibs if entry.vib.name == "esx-base"][:1])
    codes = {finding.code for finding in eib.validate(needing).errors}

    result = eib.export_bundle(needing, depot, tmp_path / "out.zip", allow=(code for code in [*codes, "conflict"]))

    assert {finding.code for finding in result.waived} == codes


def test_a_report_refuses_them_too(image: eib.Image) -> None:
    report = eib.validate(image)

    assert report.errors_except(["conflict"]) == ()
    for code in ("missing-dependancy", "platform-mismatch"):
        with pytest.raises(eib.ModelError):
            report.errors_except([code])


def test_errors_that_a_user_added_to_a_report_are_waived_by_their_own_code(image: eib.Image) -> None:
    own = eib.Finding(code="no-spare-disk", severity=eib.Severity.ERROR, message="m")
    report = attrs.evolve(eib.validate(image), findings=(own, make_finding("conflict", "m")))

    assert [finding.code for finding in report.errors_except(["no-spare-disk"])] == ["conflict"]
    with pytest.raises(eib.ModelError):
        report.errors_except(["no-spare-disks"])
