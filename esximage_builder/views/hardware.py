"""Whether an image drives a host's devices: as sections, as text, as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.models.device import DeviceKind
from esximage_builder.rules.device_drivers import Match
from esximage_builder.views.blocks import Paragraph, Section, Table, filled_sections
from esximage_builder.views.findings import cause_of_finding, finding_as_dict
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.hosts.hardware import DeviceVerdict, HardwareReport
    from esximage_builder.models.device import PciDevice
    from esximage_builder.rules.device_drivers import DeviceDriver
    from esximage_builder.views.blocks import Block

__all__ = ["device_as_dict", "hardware_as_dict", "render_hardware", "sections_of_hardware"]

_COLUMNS = ("Device", "Name", "Ids", "Kind", "Driven", "VIB", "Component", "By")


def device_as_dict(device: PciDevice) -> dict[str, object]:
    """Return a device as JSON has it; numbers in four hexadecimal digits, None where they were not told."""
    return {
        "address": device.address,
        "alias": device.alias,
        "name": device.name,
        "kind": device.kind.value,
        "vendor_id": f"{device.vendor_id:04x}",
        "device_id": f"{device.device_id:04x}",
        "subvendor_id": None if device.subvendor_id is None else f"{device.subvendor_id:04x}",
        "subdevice_id": None if device.subdevice_id is None else f"{device.subdevice_id:04x}",
        "class": None if device.class_code is None else f"{device.class_code:06x}",
        "driver": device.driver,
    }


def hardware_as_dict(report: HardwareReport) -> dict[str, object]:
    """Return a report as JSON has it."""
    return {
        "image": report.image,
        "is_driven": report.is_driven,
        "devices": [
            device_as_dict(verdict.device)
            | {"status": verdict.status.value, "drivers": [_driver(driver) for driver in verdict.drivers]}
            for verdict in report.verdicts
        ],
        "drivers_without_ids": list(report.drivers_without_ids),
        "findings": [finding_as_dict(finding) for finding in report.findings],
    }


def _driver(driver: DeviceDriver) -> dict[str, object]:
    return {
        "vib": driver.vib_id,
        "component": driver.component,
        "pattern": driver.pattern,
        "is_sure": driver.match is Match.YES,
    }


def render_hardware(report: HardwareReport) -> str:
    """Return a report for people."""
    return render_text(sections_of_hardware(report))


def sections_of_hardware(report: HardwareReport) -> tuple[Section, ...]:
    """Return what is wrong first, then the adapters, then the other devices that have a driver."""
    adapters = [verdict for verdict in report.verdicts if verdict.device.kind is not DeviceKind.OTHER]
    others = [verdict for verdict in report.verdicts if verdict.device.kind is DeviceKind.OTHER]
    return filled_sections(
        (
            Section("Hardware", [Paragraph(_summary(report, adapters))]),
            Section("Findings", map(cause_of_finding, report.findings)),
            Section("Network and storage adapters", _table(adapters)),
            Section("Other devices", _table([verdict for verdict in others if verdict.drivers], is_long=True)),
            Section("Drivers that do not say what they drive", _silent(report)),
        )
    )


def _summary(report: HardwareReport, adapters: list[DeviceVerdict]) -> str:
    known = sum(verdict.status == "driven" for verdict in adapters)
    verdict = "" if report.is_driven else " See the findings."
    return f"{report.image} drives {known} of {len(adapters)} network and storage adapters.{verdict}"


def _table(verdicts: list[DeviceVerdict], *, is_long: bool = False) -> Iterator[Block]:
    if verdicts:
        yield Table(columns=_COLUMNS, rows=[_row(verdict) for verdict in verdicts], is_long=is_long)


def _row(verdict: DeviceVerdict) -> tuple[str, ...]:
    device = verdict.device
    driver = verdict.drivers[0] if verdict.drivers else None
    return (
        device.address + (f" {device.alias}" if device.alias else ""),
        device.name,
        device.ids,
        device.kind.value,
        verdict.status.value,
        driver.vib_id if driver else "",
        driver.component if driver else "",
        driver.pattern if driver else "",
    )


def _silent(report: HardwareReport) -> Iterator[Block]:
    if report.drivers_without_ids:
        yield Paragraph(", ".join(report.drivers_without_ids))
