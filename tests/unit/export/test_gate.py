"""The gate of the exports: what is judged is the image that is written, by a report of that image and of no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

import attrs
import pytest
from support.changed_depots import left_in
from support.small_images import base_vibs, small_vib, write_base_depot

import esximage_builder as eib
from esximage_builder.authoring.vib import AuthoredVib, author_vib, vgz_payload
from esximage_builder.cli.app import main

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "7.0.3-0.55.20328353"
TOOLS = "VMware_locker_tools-light_12.0.0-1"


class Export(Protocol):
    """``export_iso`` and ``export_pxe``, as far as they are asked here."""

    def __call__(
        self,
        image: eib.Image,
        store: eib.VibStore,
        target: Path,
        *,
        with_tools: bool = True,
        report: eib.ValidationReport | None = None,
        allow: tuple[str, ...] = (),
    ) -> eib.ExportResult: ...


BOOTABLE = pytest.mark.parametrize(
    "export", [pytest.param(eib.export_iso, id="iso"), pytest.param(eib.export_pxe, id="pxe")]
)


def dependent_vib(name: str, wanted: str, *, vib_type: str = "bootbank") -> AuthoredVib:
    payloads = (vgz_payload(name, {f"opt/{name}": b"x"}),)
    plain = small_vib(name, "1.0-1", payloads, vib_type=vib_type).vib
    return author_vib(
        attrs.evolve(plain, payloads=[], files=(), file=None, depends=[eib.Constraint(wanted)]), payloads, unsigned=True
    )


def depot_with(folder: Path, *extra: AuthoredVib) -> Path:
    vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(2048), efi_image=bytes(2048))
    write_base_depot(folder / "depot.zip", VERSION, [*vibs, *extra])
    return folder / "depot.zip"


def tools_needed(folder: Path) -> Path:
    """A depot whose agent needs VMware Tools: sound with them, and not without."""
    return depot_with(folder, dependent_vib("agent", "tools-light"))


def tools_wanting(folder: Path) -> Path:
    """A depot of which a locker VIB needs what is not there: sound without VMware Tools only."""
    return depot_with(folder, dependent_vib("tools-more", "nothing", vib_type="locker"))


def composed(depot: eib.Depot) -> eib.Image:
    return eib.compose(depot.catalog, base_image=VERSION)


# Without VMware Tools


@BOOTABLE
@pytest.mark.parametrize("judged", ["nothing", "composed", "written"])
def test_what_is_missing_without_tools_is_an_error_of_what_is_written(
    tmp_path: Path, export: Export, judged: str
) -> None:
    """A report of the image with Tools does not know it; it counts all the same."""
    with eib.open_depot(tools_needed(tmp_path)) as depot:
        image = composed(depot)
        reports = {
            "nothing": None,
            "composed": eib.validate(image, depot.catalog),
            "written": eib.validate(eib.without_tools(image), depot.catalog),
        }
        with pytest.raises(eib.IncompatibleImageError) as caught:
            export(image, depot, tmp_path / "out", with_tools=False, report=reports[judged])
        assert not (tmp_path / "out").exists()
        allow = ("missing-dependency",)
        waived = export(image, depot, tmp_path / "cut", with_tools=False, report=reports[judged], allow=allow).waived
        assert export(image, depot, tmp_path / "out", report=eib.validate(image)).waived == ()

    (finding,) = caught.value.findings
    assert (finding.code, finding.items) == ("missing-dependency", ("ACM_bootbank_agent_1.0-1", "tools-light"))
    assert waived == (finding,)


@BOOTABLE
@pytest.mark.parametrize("judged", ["nothing", "written"])
def test_an_error_of_what_is_left_out_is_none_of_what_is_written(tmp_path: Path, export: Export, judged: str) -> None:
    with eib.open_depot(tools_wanting(tmp_path)) as depot:
        image = composed(depot)
        report = None if judged == "nothing" else eib.validate(eib.without_tools(image), depot.catalog)
        assert export(image, depot, tmp_path / "out", with_tools=False, report=report).waived == ()
        with pytest.raises(eib.IncompatibleImageError):
            export(image, depot, tmp_path / "whole")


@BOOTABLE
def test_a_report_of_the_composed_image_counts_in_full(tmp_path: Path, export: Export) -> None:
    """Nobody guesses which of its errors left with the Tools; once waived, one error is told once."""
    with eib.open_depot(tools_wanting(tmp_path)) as depot:
        image = composed(depot)
        report = eib.validate(image, depot.catalog)
        with pytest.raises(eib.IncompatibleImageError) as caught:
            export(image, depot, tmp_path / "out", with_tools=False, report=report)
    assert [finding.code for finding in caught.value.findings] == ["missing-dependency"]


@BOOTABLE
def test_a_stricter_report_of_the_written_image_is_believed(tmp_path: Path, export: Export) -> None:
    with eib.open_depot(depot_with(tmp_path)) as depot:
        image = composed(depot)
        report = eib.validate(eib.without_tools(image), minimum_acceptance=eib.AcceptanceLevel.CERTIFIED)
        with pytest.raises(eib.IncompatibleImageError) as caught:
            export(image, depot, tmp_path / "out", with_tools=False, report=report)
    assert {finding.code for finding in caught.value.findings} == {"acceptance-too-low"}
    assert TOOLS not in {finding.items[0] for finding in caught.value.findings}


# Reports of other images


@pytest.mark.parametrize("export", [eib.export_iso, eib.export_pxe, eib.export_bundle])
@pytest.mark.parametrize("form", ["without tools", "another"])
def test_a_report_of_another_image_is_refused(tmp_path: Path, export: Export, form: str) -> None:
    """It may be stricter than what would be found here, and nobody knows how it was meant."""
    with eib.open_depot(depot_with(tmp_path)) as depot:
        image = composed(depot)
        other = eib.without_tools(image) if form == "without tools" else attrs.evolve(image, vibs=image.vibs[1:])
        with pytest.raises(eib.ModelError, match="not of the image") as caught:
            export(image, depot, tmp_path / "out", report=eib.validate(other))
    assert caught.value.expected == image.digest
    assert left_in(tmp_path).keys() == {"depot.zip"}


# The command line


def build(depot: Path, *options: object) -> int:
    return main(["build", "--depot", str(depot), "--base", VERSION, "--json", *map(str, options)])


@pytest.mark.parametrize("kind", ["--iso", "--usb", "--pxe"])
def test_the_command_line_judges_what_it_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    """The exit code says that the image has errors, and the report says which; nothing is written."""
    depot = tools_needed(tmp_path)
    assert build(depot, kind, tmp_path / "out", "--without-tools") == 1
    said = json.loads(capsys.readouterr().out)
    assert [(f["code"], f["waived"]) for f in said["findings"] if f["severity"] == "error"] == [
        ("missing-dependency", False)
    ]
    assert TOOLS not in said["image"]["vibs"]
    assert left_in(tmp_path).keys() == {"depot.zip"}

    assert build(depot, kind, tmp_path / "out", "--without-tools", "--allow", "missing-dependency") == 0
    (output,) = json.loads(capsys.readouterr().out)["outputs"]
    told = {"--iso": "boots-as-stick", "--usb": "boots-as-stick", "--pxe": "network-loaders"}
    assert {finding["code"] for finding in output["findings"]} == {"local-name-mapped", told[kind]}
    assert build(depot, kind, tmp_path / "whole") == 0


@pytest.mark.parametrize("kind", ["--iso", "--pxe"])
def test_the_command_line_writes_without_tools_what_is_sound_without_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    assert build(tools_wanting(tmp_path), kind, tmp_path / "out", "--without-tools") == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []


@pytest.mark.parametrize(
    "outputs", [("--bundle",), ("--lock",), ("--bundle", "--iso"), ("--lock", "--pxe"), ()], ids=" ".join
)
def test_bundle_and_lock_are_of_the_whole_image_and_it_is_judged_for_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], outputs: tuple[str, ...]
) -> None:
    """Neither is without Tools, whatever is asked for what boots; one error stops all outputs."""
    depot = tools_wanting(tmp_path)
    options = [part for name in outputs for part in (name, tmp_path / name.strip("-"))]
    assert build(depot, *options, "--without-tools") == 1
    said = json.loads(capsys.readouterr().out)
    assert TOOLS in said["image"]["vibs"]
    assert left_in(tmp_path).keys() == {"depot.zip"}


def test_each_output_has_its_own_image_and_the_findings_of_both_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = ("--iso", tmp_path / "x.iso", "--bundle", tmp_path / "x.zip")
    depot = tools_needed(tmp_path)
    assert build(depot, *outputs, "--without-tools") == 1
    assert build(depot, *outputs, "--without-tools", "--allow", "missing-dependency") == 0
    said = [json.loads(text) for text in capsys.readouterr().out.split("\n}\n")[:-1] for text in (text + "}",)]
    assert [finding["code"] for finding in said[1]["findings"] if finding["waived"]] == ["missing-dependency"]
    with eib.open_depot(tmp_path / "x.zip") as bundle, eib.open_depot(tmp_path / "x.iso") as disc:
        assert {vib.id for vib in bundle.catalog.vibs} - {vib.id for vib in disc.catalog.vibs} == {TOOLS}


@pytest.mark.parametrize("kind", ["--iso", "--pxe"])
def test_a_minimum_level_counts_without_tools_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    depot = depot_with(tmp_path)
    assert build(depot, kind, tmp_path / "out", "--without-tools", "--minimum-acceptance", "partner") == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert {finding["code"] for finding in found} == {"acceptance-too-low"}
    assert TOOLS not in {finding["items"][0] for finding in found}


def test_a_lock_of_an_image_without_tools_is_never_taken_for_the_composed_one(tmp_path: Path) -> None:
    """Its spec gives the image with them, so composing from it is refused by name."""
    with eib.open_depot(depot_with(tmp_path)) as depot:
        lock = eib.make_lock(eib.without_tools(composed(depot)), depot)
        with pytest.raises(eib.ComposeError) as caught:
            eib.compose_locked(depot, lock)
    assert any(TOOLS in finding.message for finding in caught.value.findings)
