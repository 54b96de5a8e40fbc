"""``esximage diff``: two images from bundles and specs, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.command_line import answer, found, run, spec_file
from support.small_images import RELEASED, base_vibs, write_base_depot

from esximage_builder.authoring.vib import author_vib, vgz_payload
from esximage_builder.findings import Finding, Severity
from esximage_builder.models.vib import Vib
from esximage_builder.rules.classify import Change, ChangeKind
from esximage_builder.rules.diff import ImageDiff
from esximage_builder.versions import VibVersion
from esximage_builder.views.change import change_as_dict
from esximage_builder.views.diff import diff_as_dict, render_diff
from esximage_builder.views.findings import finding_as_dict


def test_diff_of_two_bundles(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "diff", *found(depots, "7.0U3f", "7.0U3g"))

    assert code == 0
    assert out.startswith(
        "Change            patch\n"
        "Impact on a host  REBOOT_REQUIRED\n"
        "\n"
        "Base image\n"
        "  Name  Before               After                What    Why\n"
        "  ESXi  7.0.3-0.50.20036589  7.0.3-0.55.20328353  raised  another base image\n"
        "\n"
        "Components\n"
    )
    assert "\nAdd-on\n" not in out
    assert "\nVIBs\n" in out


def test_diff_of_a_bundle_with_itself(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle,) = found(depots, "7.0U3g")
    _, out, _ = run(capsys, "diff", bundle, bundle)

    assert out == "Change            none\nImpact on a host  NO_IMPACT\nThe images are equal.\n"


def test_diff_backwards(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "diff", *found(depots, "7.0U3f", "7.0U3g")[::-1])

    assert out.startswith("Change            patch (downwards)\n")


def test_diff_of_a_6_7_bundle_is_an_upgrade(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "diff", *found(depots, "6.7.0", "7.0U2a"))

    assert out.startswith("Change            upgrade\n")
    row = "esx-base 6.7.0-0.0.8169922 7.0.2-0.0.17867351 raised with component ESXi"
    assert row in [" ".join(line.split()) for line in out.splitlines()]


def test_diff_of_two_specs(depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = spec_file(tmp_path, "before.json", "7.0U2a", "ACME-AddOn:702.17867351.A03")
    after = spec_file(tmp_path, "after.json", "8.0U3")
    document = answer(capsys, "diff", before, after, "--depot", *found(depots, "7.0U2a", "A03", "8.0U3"))

    assert document["change"]["kind"] == "upgrade"
    assert [entry["code"] for entry in document["change"]["findings"]] == ["add-on-dropped"]
    assert document["impact"] == "REBOOT_REQUIRED"
    assert document["add_on"] == {
        "name": "ACME-AddOn",
        "before": "702.17867351.A03",
        "after": "",
        "direction": "removed",
        "cause": "another add-on",
    }
    causes = {entry["name"]: entry["cause"] for entry in document["components"]}
    assert causes["Acme-Agent"] == "no longer in the add-on"
    assert causes["Broadcom-bnxt-Net-RoCE"] == "by the base image, no longer overridden by the add-on"
    assert set(document["vibs"][0]) == {"name", "before", "after", "direction", "cause"}


def test_diff_shows_findings(depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = spec_file(tmp_path, "before.json", "7.0U2a", "ACME-AddOn:702.17867351.A03")
    after = spec_file(tmp_path, "after.json", "8.0U3")
    _, out, _ = run(capsys, "diff", before, after, "--depot", *found(depots, "7.0U2a", "A03", "8.0U3"))

    assert "\n  [warning] add-on-dropped: the add-on ACME-AddOn:702.17867351.A03 is not in the new image\n" in out
    assert "      why: " in out


def test_a_spec_needs_depots(depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "diff", spec_file(tmp_path, "a.json", "7.0U3g"), *found(depots, "7.0U3g"))

    assert (code, out) == (2, "")
    assert "a spec needs depots to be composed from" in err
    assert "--depot" in err


def test_a_bundle_without_an_image_is_refused(depots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "diff", *found(depots, "A08", "A09"))

    assert code == 2
    assert "the depots do not hold exactly one image" in err


def test_an_empty_difference_as_json() -> None:
    assert diff_as_dict(ImageDiff(change=Change(kind=ChangeKind.NONE))) == {
        "change": {"kind": "none", "is_downgrade": False, "lowered": [], "is_security_sibling": False, "findings": []},
        "impact": "NO_IMPACT",
        "cautions": [],
        "security": {"brought": [], "lost": []},
        "base_image": None,
        "add_on": None,
        "components": [],
        "vibs": [],
        "lost_devices": [],
        "dropped_ids": {},
    }


@pytest.mark.parametrize(("ids", "number"), [("8086:1533", "80861533"), ("14e4:16d7", "14e416d7")])
def test_devices_that_lose_their_driver_are_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, ids: str, number: str
) -> None:
    versions = ("7.0.3-0.50.20036589", "7.0.3-0.55.20328353")
    depots = []
    for version, tags in zip(versions, (["driver", f"PCIID {number}"], ["driver", "PCIID 15b31015"]), strict=True):
        vib = Vib(
            name="net",
            version=VibVersion("1.0-1" if version == versions[0] else "2.0-1"),
            vendor="ACM",
            summary="net",
            released_at=RELEASED,
            tags=tags,
        )
        net = author_vib(vib, [vgz_payload("net", {"usr/lib/net": b"net"})], unsigned=True)
        vibs = base_vibs(version, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))
        depots.append(tmp_path / f"{version}.zip")
        write_base_depot(depots[-1], version, [*vibs, net])
    devices = tmp_path / "lspci.txt"
    devices.write_text(f"0000:02:00.0 Class 0200: {ids} [vmnic0]\n")
    asked = [spec_file(tmp_path, f"{version}.json", version) for version in versions]
    arguments: list[str | Path] = ["diff", *asked, "--depot", *depots, "--devices", devices]
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert "Devices that lose their driver" in out
    assert "Dropped ids" in out
    document = answer(capsys, *arguments)
    assert [entry["loss"] for entry in document["lost_devices"]] == ["lost"]
    assert document["dropped_ids"] == {"net": [number]}


def test_marks_of_a_change_are_shown() -> None:
    finding = Finding(code="x", severity=Severity.WARNING, message="m")
    change = Change(kind=ChangeKind.PATCH, is_downgrade=True, is_security_sibling=True, findings=[finding])

    first, *_ = render_diff(ImageDiff(change=change)).splitlines()
    assert first == "Change            patch (downwards, security-only sibling)"
    assert change_as_dict(change)["findings"] == [finding_as_dict(finding)]


def written(folder: Path, name: str, document: dict[str, Any]) -> Path:
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("remove_components", "did you mean removed_components?"),
        ("notes", "take it out, unless another program needs it"),
    ],
)
@pytest.mark.parametrize("which", ["before", "after"])
def test_both_images_are_validated(  # noqa: PLR0917 - fixtures and parameters
    depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, near: str, which: str
) -> None:
    """A key that is mistyped says so where it stands, and the difference is told all the same."""
    good: dict[str, Any] = {"base_image": {"version": "7.0U3g"}}
    mistyped = written(tmp_path, "mistyped.json", good | {key: None})
    plain = written(tmp_path, "plain.json", good)
    pair = (mistyped, plain) if which == "before" else (plain, mistyped)
    depot = found(depots, "7.0U3g")

    document = answer(capsys, "diff", *pair, "--depot", *depot)
    code, out, _ = run(capsys, "diff", *pair, "--depot", *depot)

    found_on = {name: [entry["code"] for entry in entries] for name, entries in document["findings"].items()}
    assert found_on == {"before": [], "after": []} | {which: ["spec-key-unknown"]}
    assert document["findings"][which][0]["remedy"] == near
    assert code == 0
    assert f"Findings on the image {which}\n" in out
    assert near in out


@pytest.mark.parametrize(
    ("base", "part", "component"),
    [("7.0U3g", "dpu-tools", "Acme-dpu-tools"), ("8.0U3", "Acme-flux", "Acme-flux")],
)
def test_a_bundle_is_validated_too(  # noqa: PLR0917 - fixtures and parameters
    depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], base: str, part: str, component: str
) -> None:
    """What was to be said when it was written is said when it is compared."""
    custom = tmp_path / "custom.zip"
    (stock,) = found(depots, base)
    built = answer(
        capsys, "build", "--depot", stock, *found(depots, part), "--base", base, "--component", component,
        "--bundle", custom, "--allow", "missing-dependency",
    )  # fmt: skip
    document = answer(capsys, "diff", stock, custom)

    codes = {entry["code"] for entry in built["findings"]}
    assert "missing-dependency" in codes
    assert {entry["code"] for entry in document["findings"]["after"]} == codes
    assert document["findings"]["before"] == []


@pytest.mark.parametrize("version", [pytest.param("1.0.0-1", id="pinned"), pytest.param(None, id="left open")])
def test_a_loose_vib_comes_as_the_component_that_a_spec_names(
    depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str | None
) -> None:
    base = {"base_image": {"version": "7.0U3g"}}
    before = written(tmp_path, "before.json", base)
    after = written(tmp_path, "after.json", base | {"components": {"homelab-tweaks": version}})
    vib = depots / "homelab-tweaks-1.0.0-1.vib"

    document = answer(capsys, "diff", before, after, "--depot", *found(depots, "7.0U3g"), "--vib", vib)

    assert [(entry["name"], entry["after"]) for entry in document["components"]] == [("homelab-tweaks", "1.0.0-1")]
    assert [entry["name"] for entry in document["vibs"]] == ["homelab-tweaks"]


def test_a_loose_vib_that_nothing_names_is_refused(
    depots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would change nothing, in specs and between bundles."""
    spec = written(tmp_path, "spec.json", {"base_image": {"version": "7.0U3g"}})
    (bundle,) = found(depots, "7.0U3g")
    vib = depots / "homelab-tweaks-1.0.0-1.vib"

    unnamed = run(capsys, "diff", spec, spec, "--depot", bundle, "--vib", vib)
    bundles = run(capsys, "diff", bundle, bundle, "--vib", vib)

    assert (unnamed[0], bundles[0]) == (2, 2)
    assert "neither spec names homelab-tweaks" in unnamed[2]
    assert "--vib goes with specs" in bundles[2]
