"""Calls of everything that reads what people tell of a host: texts pasted from a terminal, and inventories."""

from __future__ import annotations

import functools
from typing import Final

from fuzz.target import MAX_BYTES, WHERE, Target, go_round

from esximage_builder.containers.json_document import parse_json
from esximage_builder.documents.driver_map import is_driver_map, parse_driver_map
from esximage_builder.documents.esxcli import field_name, parse_esxcli
from esximage_builder.documents.host_answers import host_of_answer
from esximage_builder.documents.host_inventory import parse_host, render_host
from esximage_builder.documents.pci_list import parse_devices

__all__ = ["HOST_TARGETS"]


def _esxcli(data: bytes) -> None:
    output = parse_esxcli(data, where=WHERE, max_bytes=MAX_BYTES)
    for record in output.records:
        for name in record.fields:
            field_name(name)
            record.text(name)
    host_of_answer(output, where=WHERE)


def _driver_map(data: bytes) -> None:
    parse_driver_map(data)
    is_driver_map(data.decode("utf-8", "replace"))


HOST_TARGETS: Final = (
    Target("esxcli", _esxcli, ("esxcli.parse_esxcli", "esxcli.field_name", "host_answers.host_of_answer")),
    Target("host_inventory", functools.partial(go_round, parse_host, render_host), ("host_inventory.parse_host",)),
    Target(
        "pci_list",
        lambda data: parse_devices(data, where=WHERE, max_bytes=MAX_BYTES),
        ("pci_list.parse_devices",),
    ),
    Target("driver_map", _driver_map, ("driver_map.parse_driver_map", "driver_map.is_driver_map")),
    Target(
        "json_value",
        lambda data: parse_json(data, where=WHERE, max_bytes=MAX_BYTES),
        ("json_document.parse_json",),
    ),
)
