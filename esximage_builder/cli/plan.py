"""``esximage plan``: say what bringing hosts to an image would take, before anything does."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.image_options import ImageOptions, add_image_arguments, catalog_of, image_of
from esximage_builder.cli.output import EXIT_DONE, EXIT_IMAGE_HAS_ERRORS, print_json, print_text
from esximage_builder.cli.paths import input_path
from esximage_builder.cli.sound_image import require_sound
from esximage_builder.cli.targets import require_safe_outputs
from esximage_builder.depot.driver_maps import read_driver_maps
from esximage_builder.depot.host_files import read_host
from esximage_builder.depot.opening import open_depot
from esximage_builder.hosts.inventory import filled_from
from esximage_builder.hosts.remediation import plan_remediation
from esximage_builder.hosts.waves import RolloutConstraints
from esximage_builder.views.plan import render_plan
from esximage_builder.views.plan_json import plan_as_dict
from esximage_builder.views.report_file import require_report_suffix, write_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.models.host import Host
    from esximage_builder.models.remediation import RemediationPlan

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """The image, the files of each host, what a rolling update keeps to, and where the report goes."""

    image: ImageOptions
    hosts: tuple[tuple[str, ...], ...]
    constraints: RolloutConstraints
    with_maps: bool
    report: str | None
    force: bool
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            image=ImageOptions.from_namespace(namespace),
            hosts=tuple(tuple(map(input_path, paths)) for paths in namespace.host),
            constraints=RolloutConstraints(
                max_parallel=namespace.max_parallel, excluded=namespace.exclude, has_drs=namespace.drs
            ),
            with_maps=namespace.maps,
            report=namespace.report,
            force=namespace.force,
            as_json=namespace.json,
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """All that is read."""
        return (*self.image.inputs, *(path for paths in self.hosts for path in paths))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_image_arguments(parser)
    parser.add_argument(
        "--host",
        nargs="+",
        action="append",
        required=True,
        metavar="FILE",
        help="all files, or the folder, of one host of the cluster, as for check; once for each",
    )
    parser.add_argument(
        "--max-parallel",
        type=int,
        default=1,
        metavar="COUNT",
        help="how many hosts may go at a time; 1 if unset",
    )
    parser.add_argument("--exclude", action="append", default=[], metavar="NAME", help="host that stays as it is")
    parser.add_argument("--drs", action="store_true", help="DRS moves virtual machines away: nothing is to do by hand")
    parser.add_argument("--maps", action="store_true", help="unpack the drivers and read their own maps")
    parser.add_argument("--report", metavar="OUT", help="write the plan: .txt, .json, .md or .html")
    parser.add_argument("--force", action="store_true", help="replace a report that is there")


def run(options: Options) -> int:
    """Print the plan; hosts that are not all compliant already end with 1."""
    if options.report is not None:
        require_report_suffix(options.report)
        require_safe_outputs({"--report": options.report}, options.inputs, overwrite=options.force)
    plan = _planned(options)
    if options.as_json:
        print_json(plan_as_dict(plan))
    else:
        print_text(render_plan(plan))
    if options.report is not None:
        write_plan(plan, options.report, inputs=options.inputs, overwrite=options.force)
    return EXIT_DONE if plan.is_done else EXIT_IMAGE_HAS_ERRORS


def _planned(options: Options) -> RemediationPlan:
    read = [read_host(*paths) for paths in options.hosts]
    with open_depot(*options.image.sources()) as depot:
        image, catalog = image_of(options.image, depot), catalog_of(options.image, depot)
        require_sound(image, catalog, minimum_acceptance=options.image.minimum_acceptance)
        return plan_remediation(
            image,
            [filled_from(host, catalog) for host in _told_apart(read)],
            catalog=catalog,
            constraints=options.constraints,
            maps=read_driver_maps(catalog.vibs, depot) if options.with_maps else {},
        )


def _told_apart(hosts: Iterable[Host]) -> Iterator[Host]:
    """Yield the hosts with a number behind a name that an earlier one has."""
    seen: Counter[str] = Counter()
    for host in hosts:
        seen[host.name] += 1
        count = seen[host.name]
        yield host if count == 1 else attrs.evolve(host, name=f"{host.name} ({count})")
