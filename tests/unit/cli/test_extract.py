"""``esximage extract``: the spec that is written, and what is said where there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs
import pytest
from support.small_hosts import host_of, with_component, with_vibs

from esximage_builder.depot.documents import read_software_spec
from esximage_builder.depot.host_files import write_host
from esximage_builder.depot.opening import open_depot
from esximage_builder.models.host import Host, HostPart
from esximage_builder.rules.compose import compose

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import Runner

G = "7.0.3-0.55.20328353"


@pytest.fixture(params=["703.20328353.A08", "703.20328353.A09"])
def add_on(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def files(depots: Path, add_on: str) -> tuple[Path, ...]:
    return (
        depots / "VMware-ESXi-7.0U3g-20328353-depot.zip",
        depots / f"ACME-ESXi-Addon-{add_on}-depot.zip",
    )


@pytest.fixture
def host(files: tuple[Path, ...], add_on: str) -> Host:
    with open_depot(*files) as depot:
        return host_of(compose(depot.catalog, base_image=G, add_on=("ACME-AddOn", add_on)))


def written(host: Host, folder: Path) -> Path:
    path = folder / f"{host.name}.json"
    write_host(host, path)
    return path


def test_the_spec_is_written_and_composes_the_image(
    run: Runner, files: tuple[Path, ...], host: Host, add_on: str, tmp_path: Path
) -> None:
    target = tmp_path / "seed.json"
    asked = ("extract", "--depot", *files, "--host", written(host, tmp_path), "--spec", target)
    said = run(*asked)
    assert (said.code, said.err) == (0, "")
    assert f"add-on      ACME-AddOn  {add_on}" in said.out
    spec = read_software_spec(target)
    assert (spec.base_image, str(spec.add_on), spec.components) == (G, f"ACME-AddOn:{add_on}", ())
    assert run(*asked).code == 2
    document = run(*asked, "--force", "--json").json
    assert document["spec"] == json.loads(target.read_text(encoding="utf-8"))
    assert document["path"] == str(target)
    with open_depot(*files) as depot:
        assert document["digest"] == compose(depot.catalog, spec).digest


def test_what_is_not_loaded_ends_with_1_and_writes_nothing(
    run: Runner, files: tuple[Path, ...], host: Host, tmp_path: Path
) -> None:
    target = tmp_path / "seed.json"
    stray = written(with_component(host, "stray", "1.0-1"), tmp_path)
    said = run("extract", "--depot", files[0], "--host", stray, "--spec", target)
    assert said.code == 1
    assert "not loaded: component stray:1.0-1" in said.out
    assert "not loaded: add-on ACME-AddOn" in said.out
    assert not target.exists()


def test_vibs_outside_the_image_are_shown(run: Runner, files: tuple[Path, ...], host: Host, tmp_path: Path) -> None:
    path = written(attrs.evolve(host, standalone_vibs=["ACM_bootbank_stray_1.0-1"]), tmp_path)
    said = run("extract", "--depot", *files, "--host", path, "--name", "seed")
    assert said.code == 0
    assert "ACM_bootbank_stray_1.0-1" in said.out
    assert "seed" in said.out


def test_a_host_of_6_has_no_spec_to_write(run: Runner, depots: Path, tmp_path: Path) -> None:
    depot = depots / "VMware-ESXi-6.7.0-8169922-depot.zip"
    with open_depot(depot) as opened:
        profile = opened.catalog.profiles[0]
        vibs = [(vib.name, vib.version.text) for vib in opened.catalog.vibs if vib.id in profile.vib_ids]
    path = written(with_vibs(Host(name="old", told=[HostPart.VIBS]), vibs), tmp_path)
    asked = ("extract", "--depot", depot, "--host", path)
    said = run(*asked)
    assert said.code == 0
    assert "no spec composes it" in said.out
    assert run(*asked, "--spec", tmp_path / "seed.json").code == 1
