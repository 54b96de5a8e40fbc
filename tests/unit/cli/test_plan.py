"""``esximage plan``: exit codes, forms, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs
import pytest
from support.small_hosts import host_of, with_component

from esximage_builder.depot.host_files import write_host
from esximage_builder.depot.opening import open_depot
from esximage_builder.models.device import PciDevice
from esximage_builder.models.host import HostFacts, HostPart
from esximage_builder.rules.compose import compose

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import Runner

    from esximage_builder.models.host import Host

F, G = "7.0.3-0.50.20036589", "7.0.3-0.55.20328353"


@pytest.fixture
def files(depots: Path) -> tuple[Path, ...]:
    return tuple(depots / f"VMware-ESXi-7.0U3{name}-depot.zip" for name in ("f-20036589", "g-20328353"))


def host_file(files: tuple[Path, ...], folder: Path, version: str, name: str = "esx1", **facts: bool) -> Path:
    """A host of that release, in a file."""
    with open_depot(*files) as depot:
        host = host_of(compose(depot.catalog, base_image=version), name, facts=HostFacts(**facts))  # type: ignore[arg-type]
    return written(host, folder)


def written(host: Host, folder: Path) -> Path:
    path = folder / f"{host.name}.json"
    write_host(host, path, overwrite=True)
    return path


def test_hosts_that_are_as_the_image_end_with_0(run: Runner, files: tuple[Path, ...], tmp_path: Path) -> None:
    said = run("plan", "--depot", *files, "--base", G, "--host", host_file(files, tmp_path, G))
    assert (said.code, said.err) == (0, "")
    assert "There is nothing to do on any host." in said.out


@pytest.mark.parametrize(("arguments", "waves"), [((), 2), (("--max-parallel", 2), 2), (("--exclude", "esx2"), 1)])
def test_hosts_that_are_behind_end_with_1_and_go_in_waves(
    run: Runner, files: tuple[Path, ...], tmp_path: Path, arguments: tuple[object, ...], waves: int
) -> None:
    hosts = [("--host", host_file(files, tmp_path, F, name, supports_quick_boot=True)) for name in ("esx1", "esx2")]
    asked = ("plan", "--depot", *files, "--base", G, *hosts[0], *hosts[1], *arguments)
    said = run(*asked)
    assert (said.code, said.err) == (1, "")
    for words in ("Plan to", "Quick Boot         YES", "7.0.3-0.55.20328353", "image-base-only", "move its running"):
        assert words in said.out
    document = run(*asked, "--json").json
    assert len(document["waves"]) == waves
    plan = document["hosts"]["esx1"]
    assert plan["base_image"] == {
        "name": "ESXi", "action": "install", "before": F, "after": G, "source": "BASE_IMAGE",
    }  # fmt: skip
    assert plan["reaches_compliance"] is True
    assert plan["staged_bytes"] > 0
    assert plan["rollback"]["version"] == F


def test_with_drs_nothing_is_moved_by_hand(run: Runner, files: tuple[Path, ...], tmp_path: Path) -> None:
    said = run("plan", "--depot", *files, "--base", G, "--host", host_file(files, tmp_path, F), "--drs", "--json")
    assert said.json["waves"][0]["moves"] == []


def test_hosts_that_are_newer_get_an_image_to_adopt(run: Runner, files: tuple[Path, ...], tmp_path: Path) -> None:
    asked = ("plan", "--depot", *files, "--base", F, "--host", host_file(files, tmp_path, G))
    said = run(*asked)
    assert said.code == 1
    assert "Image to adopt" in said.out
    assert "Nothing is done, since:" in said.out
    adoption = run(*asked, "--json").json["adoption"]
    assert adoption["spec"]["base_image"]["version"] == G
    alone = run("plan", "--depot", files[0], "--base", F, "--host", host_file(files, tmp_path, G))
    assert "no loaded depot can make theirs" in alone.out


@pytest.mark.parametrize(("suffix", "words"), [(".md", "## Hosts"), (".html", "<h2>Hosts</h2>"), (".txt", "Hosts\n")])
def test_a_report_has_the_form_that_its_suffix_says(
    run: Runner, files: tuple[Path, ...], tmp_path: Path, suffix: str, words: str
) -> None:
    target = tmp_path / f"plan{suffix}"
    asked = ("plan", "--depot", *files, "--base", G, "--host", host_file(files, tmp_path, F), "--report", target)
    assert run(*asked).code == 1
    assert words in target.read_text(encoding="utf-8")
    assert run(*asked).code == 2
    assert run(*asked, "--force").code == 1


def test_a_report_in_json_is_what_is_printed(run: Runner, files: tuple[Path, ...], tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    said = run(
        "plan", "--depot", *files, "--base", G, "--host", host_file(files, tmp_path, F), "--report", target, "--json"
    )
    assert json.loads(target.read_text(encoding="utf-8")) == said.json


def test_a_report_is_none_of_what_is_read(run: Runner, files: tuple[Path, ...], tmp_path: Path) -> None:
    host = host_file(files, tmp_path, F)
    said = run("plan", "--depot", *files, "--base", G, "--host", host, "--report", host, "--force")
    assert said.code == 2
    assert host.read_text(encoding="utf-8").startswith("{")


def test_devices_that_lose_their_driver_and_what_keeps_a_host_are_shown(
    run: Runner, files: tuple[Path, ...], tmp_path: Path
) -> None:
    path = host_file(files, tmp_path, F)
    with open_depot(*files) as depot:
        host = host_of(compose(depot.catalog, base_image=F))
    nic = PciDevice(address="0000:04:00.0", vendor_id=1, device_id=2, class_code=0x020000, driver="oddnet")
    told = (host.told | {HostPart.DEVICES}) - {HostPart.ADD_ON}
    path = written(attrs.evolve(with_component(host, "stray", "1.0-1"), devices=[nic], told=told), tmp_path)
    said = run("plan", "--depot", *files, "--base", G, "--host", path, "--maps")
    assert said.code == 1
    for words in ("oddnet", "may lose its driver", "Then it is still not compliant:", "remove", "no-network-driver"):
        assert words in said.out


def test_hosts_of_one_name_are_told_apart(run: Runner, files: tuple[Path, ...], tmp_path: Path) -> None:
    host = host_file(files, tmp_path, F)
    said = run("plan", "--depot", *files, "--base", G, "--host", host, "--host", host, "--json")
    assert list(said.json["hosts"]) == ["esx1", "esx1 (2)"]


@pytest.mark.parametrize("wrong", [("--max-parallel", 0), ("--exclude", "esx9"), ("--report", "plan.pdf")])
def test_what_cannot_be_meant_ends_with_2(
    run: Runner, files: tuple[Path, ...], tmp_path: Path, wrong: tuple[object, ...]
) -> None:
    said = run("plan", "--depot", *files, "--base", G, "--host", host_file(files, tmp_path, F), *wrong)
    assert (said.code, said.out) == (2, "")


def test_an_image_with_errors_is_planned_for_no_host(
    run: Runner, files: tuple[Path, ...], tmp_path: Path, depots: Path
) -> None:
    wrong = depots / "ACME-ESXi-Addon-702.17867351.A03-depot.zip"
    said = run(
        "plan", "--depot", *files, wrong, "--base", G, "--add-on", "ACME-AddOn", "--host", host_file(files, tmp_path, F)
    )  # fmt: skip
    assert said.code in (1, 2)
    assert "Plan to" not in said.out
