"""``esximage check``: say how far hosts are from an image, in vLCM's words, without a vCenter."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.image_options import ImageOptions, add_image_arguments, catalog_of, image_of
from esximage_builder.cli.output import EXIT_DONE, EXIT_IMAGE_HAS_ERRORS, print_json, print_text
from esximage_builder.cli.paths import input_path
from esximage_builder.cli.sound_image import require_sound
from esximage_builder.cli.targets import require_safe_outputs
from esximage_builder.depot.documents import read_software_spec
from esximage_builder.depot.host_files import read_host
from esximage_builder.depot.opening import open_depot
from esximage_builder.hosts.check import check_compliance
from esximage_builder.hosts.drift import explain_drift
from esximage_builder.hosts.inventory import filled_from
from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.rules.compose import compose
from esximage_builder.views.compliance import render_compliance
from esximage_builder.views.compliance_json import cluster_compliance_as_dict
from esximage_builder.views.report_file import require_report_suffix, write_compliance

if TYPE_CHECKING:
    from esximage_builder.hosts.drift import Drift
    from esximage_builder.models.compliance import ClusterCompliance

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """The image, the files of each host, the specs of earlier images, and where the report goes."""

    image: ImageOptions
    hosts: tuple[tuple[str, ...], ...]
    history: tuple[str, ...]
    report: str | None
    force: bool
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            image=ImageOptions.from_namespace(namespace),
            hosts=tuple(tuple(map(input_path, paths)) for paths in namespace.host),
            history=tuple(map(input_path, namespace.history)),
            report=namespace.report,
            force=namespace.force,
            as_json=namespace.json,
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """All that is read."""
        return (*self.image.inputs, *self.history, *(path for paths in self.hosts for path in paths))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_image_arguments(parser)
    parser.add_argument(
        "--host",
        nargs="+",
        action="append",
        required=True,
        metavar="FILE",
        help="all files, or the folder, of one host: output of esxcli, inventories, image databases; once for each",
    )
    parser.add_argument(
        "--history",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="specs that the cluster had before, newest first: says since which each host is behind",
    )
    parser.add_argument("--report", metavar="OUT", help="write the answer: .txt, .json, .md or .html")
    parser.add_argument("--force", action="store_true", help="replace a report that is there")


def run(options: Options) -> int:
    """Print how far each host is from the image; one that is not compliant ends with 1."""
    if options.report is not None:
        require_report_suffix(options.report)
        require_safe_outputs({"--report": options.report}, options.inputs, overwrite=options.force)
    cluster, drifts = _checked(options)
    if options.as_json:
        print_json(cluster_compliance_as_dict(cluster, drifts=drifts))
    else:
        print_text(render_compliance(cluster, drifts=drifts))
    if options.report is not None:
        write_compliance(cluster, options.report, drifts=drifts, inputs=options.inputs, overwrite=options.force)
    return EXIT_DONE if cluster.status is ComplianceStatus.COMPLIANT else EXIT_IMAGE_HAS_ERRORS


def _checked(options: Options) -> tuple[ClusterCompliance, tuple[Drift, ...]]:
    """Return what is said of the hosts, and where a history is given, how each came to differ."""
    read = [read_host(*paths) for paths in options.hosts]
    with open_depot(*options.image.sources()) as depot:
        image, catalog = image_of(options.image, depot), catalog_of(options.image, depot)
        require_sound(image, catalog, minimum_acceptance=options.image.minimum_acceptance)
        hosts = [filled_from(host, catalog) for host in read]
        cluster = check_compliance(image, hosts, catalog=catalog)
        if not options.history:
            return cluster, ()
        history = [image, *(compose(catalog, read_software_spec(path)) for path in options.history)]
        return cluster, tuple(explain_drift(host, history, catalog=catalog) for host in hosts)
