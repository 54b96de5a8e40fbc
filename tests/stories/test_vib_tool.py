"""People who make their own VIBs: from a stage of the old tool to an image, and a hostile VIB looked into."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS
from support.command_line import Runner
from support.vib_sources import lay_out, standing_in

import esximage_builder as eib

if TYPE_CHECKING:
    from pathlib import Path

U3 = {
    "7.0.3": (DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip", "7.0U3g"),
    "8.0.3": (DEPOTS / "VMware-ESXi-8.0U3-24022510-depot.zip", "8.0U3"),
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.mark.parametrize(
    ("release", "name", "path"),
    [
        ("7.0.3", "lab-firewall", "etc/vmware/firewall/lab.xml"),
        ("8.0.3", "acme-backup", "opt/acme-backup/bin/backup.sh"),
    ],
)
def test_from_files_to_an_image(run: Runner, tmp_path: Path, release: str, name: str, path: str) -> None:
    """Files become a VIB, a component, an add-on and an image that has them, without an error of theirs."""
    vendor, mode = name.partition("-")[0], 0o755 if path.endswith(".sh") else 0o644
    parts = path.split("/")
    folders = {"/".join(parts[:depth]): (0o755, None) for depth in range(1, len(parts))}
    source = lay_out(tmp_path / "source", {**folders, path: (mode, b"content of " + name.encode())})
    (tmp_path / "vib.toml").write_text(
        f'name = "{name}"\nversion = "1.0.0-1"\nvendor = "{vendor}"\nsummary = "{name}"\nrelease-date = 2024-05-06\n'
        f'depends = ["esx-version >= {release[:3]}.0"]\nsoftware-platforms = ["{release[:3]}"]\n'
    )
    vib, component, add_on = tmp_path / "x.vib", tmp_path / "c.zip", tmp_path / "a.zip"
    assert run("vib", "create", source, "--description", tmp_path / "vib.toml", "--out", vib).code == 0
    assert run("vib", "verify", vib).code == 0
    assert run("component", "create", vib, "--out", component).code == 0
    assert run(
        "add-on", "create", component, "--out", add_on, "--name", f"{vendor}-AddOn", "--version", "1-1", "--supports",
        release,
    ).code == 0  # fmt: skip
    depot, base = U3[release]
    built = run(
        "build", "--depot", depot, add_on, "--base", base, "--add-on", f"{vendor}-AddOn", "--iso", tmp_path / "x.iso"
    )

    assert built.code == 0, built.out
    with eib.open_depot(tmp_path / "x.iso") as disc:
        (taken,) = [item for item in disc.catalog.vibs if item.name == name]
        with disc.open_vib(taken) as file:
            (tmp_path / "taken.vib").write_bytes(file.read())
    assert (tmp_path / "taken.vib").read_bytes() == vib.read_bytes()
    assert run("vib", "extract", tmp_path / "taken.vib", "--out", tmp_path / "out").code == 0
    assert standing_in(tmp_path / "out") == standing_in(source)


@pytest.mark.parametrize("release", ["1-1", "1-2"])
def test_a_vib_is_changed_by_taking_it_apart_and_making_it_again(run: Runner, tmp_path: Path, release: str) -> None:
    original = DEPOTS / "homelab-tweaks-1.0.0-1.vib"
    assert run("vib", "extract", original, "--out", tmp_path / "stage", "--stage").code == 0
    text = (tmp_path / "stage/vib.toml").read_text()
    (tmp_path / "stage/vib.toml").write_text(text.replace('"1.0.0-1"', f'"{release}"'))
    (payload,) = (tmp_path / "stage/payloads").iterdir()
    (payload / "opt").mkdir(exist_ok=True)
    (payload / "opt/added").write_bytes(b"added")
    outcome = run(
        "vib", "create", tmp_path / "stage/payloads", "--description", tmp_path / "stage/vib.toml",
        "--out", tmp_path / "changed.vib", "--json",
    )  # fmt: skip

    assert outcome.code == 0
    before = run("vib", "info", original, "--json").json
    after = outcome.json["vib"]
    assert after["version"] == release
    assert set(after["files"]) == {*before["files"], "opt/added"}
    assert {key: after[key] for key in ("name", "vendor", "depends", "tags")} == {
        key: before[key] for key in ("name", "vendor", "depends", "tags")
    }


@pytest.mark.parametrize("signs", ["mtime", "plain"])
def test_ar_and_tar_of_the_system_take_a_vib_apart_too(run: Runner, tmp_path: Path, signs: str) -> None:
    if not shutil.which("ar") or not shutil.which("tar"):
        pytest.skip("no ar or tar at hand")
    source = lay_out(tmp_path / "source", {"opt": (0o755, None), "opt/a": (0o754, b"a" * 700), "opt/l": (0o777, "a")})
    (tmp_path / "vib.toml").write_text(
        'name = "a"\nversion = "1-1"\nvendor = "A"\nsummary = "s"\nrelease-date = 2024-05-06\n'
        '[[payloads]]\nname = "tree"\ntype = "tgz"\nsource = ""\n'
    )
    times = ["--keep-times"] if signs == "mtime" else []
    arguments = ["--description", tmp_path / "vib.toml", "--out", tmp_path / "x.vib", *times]
    assert run("vib", "create", source, *arguments).code == 0
    (tmp_path / "out").mkdir()
    data = subprocess.run(["ar", "p", "x.vib", "tree"], cwd=tmp_path, capture_output=True, check=True).stdout
    subprocess.run(["tar", "xzpf", "-"], cwd=tmp_path / "out", input=data, check=True)

    assert standing_in(tmp_path / "out") == standing_in(source)
