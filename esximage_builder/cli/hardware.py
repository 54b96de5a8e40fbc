"""``esximage hardware``: say whether an image drives the devices of a host."""

from __future__ import annotations

import argparse
from typing import Self, final

import attrs

from esximage_builder.cli.image_options import ImageOptions, add_image_arguments, catalog_of, image_of
from esximage_builder.cli.output import EXIT_DONE, EXIT_IMAGE_HAS_ERRORS, print_json, print_text
from esximage_builder.cli.paths import input_path
from esximage_builder.depot.driver_maps import read_driver_maps
from esximage_builder.depot.host_files import read_devices
from esximage_builder.depot.opening import open_depot
from esximage_builder.hosts.hardware import judge_hardware
from esximage_builder.views.hardware import hardware_as_dict, render_hardware

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """The image, and the host's devices."""

    image: ImageOptions
    devices: str
    with_maps: bool
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            image=ImageOptions.from_namespace(namespace),
            devices=input_path(namespace.devices),
            with_maps=namespace.maps,
            as_json=namespace.json,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_image_arguments(parser)
    parser.add_argument(
        "--devices",
        required=True,
        metavar="FILE",
        help="the host's devices: output of esxcli hardware pci list, or of lspci -n, -nn, -vmmn",
    )
    parser.add_argument(
        "--maps", action="store_true", help="unpack the drivers and read their own maps, which the host goes by"
    )


def run(options: Options) -> int:
    """Print which driver drives each device; one without driver ends with 1."""
    devices = read_devices(options.devices)
    with open_depot(*options.image.sources()) as depot:
        image = image_of(options.image, depot)
        catalog = catalog_of(options.image, depot)
        maps = read_driver_maps(catalog.vibs, depot) if options.with_maps else {}
        report = judge_hardware(image, devices, catalog=catalog, maps=maps)
    if options.as_json:
        print_json(hardware_as_dict(report))
    else:
        print_text(render_hardware(report))
    return EXIT_DONE if report.is_driven else EXIT_IMAGE_HAS_ERRORS
