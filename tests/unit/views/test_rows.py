"""Rows for tables of other libraries: plain, one shape for all rows of a value, nothing left out."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS
from support.small_hosts import host_of

import esximage_builder as eib
from esximage_builder.shown import ShownAsPage
from esximage_builder.views.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDER = "VMware-ESXi-7.0U3f-20036589-depot.zip"
BASE, ADD_ON = "VMware-ESXi-7.0U3g-20328353-depot.zip", "ACME-ESXi-Addon-703.20328353.A08-depot.zip"


@pytest.fixture(scope="module")
def depot() -> Iterator[eib.Depot]:
    with eib.open_depot(DEPOTS / OLDER, DEPOTS / BASE, DEPOTS / ADD_ON) as opened:
        yield opened


@pytest.fixture(scope="module")
def values(depot: eib.Depot) -> dict[str, ShownAsPage]:
    plain = eib.compose(depot.catalog, base_image="7.0 U3g")
    image = eib.compose(depot.catalog, base_image="7.0 U3g", add_on="ACME-AddOn")
    spec = eib.compose(depot.catalog, base_image="7.0 U3f").spec
    assert spec is not None
    host = host_of(plain)
    devices = [eib.PciDevice(address="0000:04:00.0", vendor_id=0x1077, device_id=0x2532, alias="vmhba2")]
    return {
        "depot": depot,
        "catalog": depot.catalog,
        "image": image,
        "report": eib.validate(image, depot.catalog),
        "diff": eib.diff(plain, image),
        "recommendation": eib.recommend(depot.catalog, spec),
        "compliance": eib.check_compliance(image, [host]),
        "plan": eib.plan_remediation(image, [host]),
        "hardware": eib.judge_hardware(image, devices),
        "verification": eib.verify_bundle(DEPOTS / ADD_ON),
    }


COLUMNS = {
    "depot": ["kind", "name", "version", "vendor", "shown_as"],
    "catalog": ["kind", "name", "version", "vendor", "shown_as"],
    "image": ["component", "version", "source", "rule", "overrides", "vibs"],
    "report": ["severity", "code", "message", "items", "cause", "remedy", "where"],
    "diff": ["kind", "name", "before", "after", "direction", "cause"],
    "recommendation": ["verdict", "base_image", "add_on", "change", "reasons"],
    "compliance": ["host", "host_status", "item", "status", "current", "target", "reason"],
    "plan": ["host", "kind", "name", "action", "before", "after", "source", "impact"],
    "hardware": ["address", "alias", "ids", "name", "kind", "status", "drivers"],
    "verification": ["check", "question", "is_passed", "is_asked", "certainty", "findings", "why_not_asked"],
}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_row_has_the_same_columns_and_plain_cells(values: dict[str, ShownAsPage], name: str) -> None:
    rows = values[name].rows()
    assert rows
    assert [list(row) for row in rows] == [COLUMNS[name]] * len(rows)
    assert {type(cell) for row in rows for cell in row.values()} <= {str, int, float, bool, type(None)}
    written = io.StringIO()
    table = csv.DictWriter(written, COLUMNS[name])
    table.writeheader()
    table.writerows(rows)
    assert len(list(csv.DictReader(io.StringIO(written.getvalue())))) == len(rows)


def test_nothing_is_left_out(values: dict[str, ShownAsPage], depot: eib.Depot) -> None:
    image = values["image"]
    assert isinstance(image, eib.Image)
    assert [row["component"] for row in image.rows()] == [entry.component.name for entry in image.components]
    assert {row["overrides"] for row in image.rows()} - {""}
    loaded = depot.catalog
    kinds = [row["kind"] for row in loaded.rows()]
    assert kinds.count("component") == len(loaded.components)
    assert kinds.count("VIB") == len(loaded.vibs)
    assert kinds.count("base image") == len(loaded.base_images)
    assert kinds.count("add-on") == len(loaded.add_ons)
    report = values["report"]
    assert isinstance(report, eib.ValidationReport)
    assert [row["code"] for row in report.rows()] == [finding.code for finding in report.findings]


def test_old_depots_have_profiles_and_bulletins() -> None:
    with eib.open_depot(DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip") as depot:
        assert {row["kind"] for row in depot.rows()} >= {"image profile", "bulletin", "VIB"}


def test_every_class_that_has_rows_is_known(values: dict[str, ShownAsPage]) -> None:
    kinds = {kind for name in dir(eib) if isinstance(kind := getattr(eib, name), type)}
    assert {kind.__name__ for kind in kinds if issubclass(kind, ShownAsPage)} == {
        type(value).__name__ for value in values.values()
    }
    with pytest.raises(TypeError, match="int has no rows"):
        rows_of(1)
