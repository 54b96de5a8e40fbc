"""Every public class that is no resource and no protocol is a value: fixed, slotted, equal by content."""

from __future__ import annotations

import copy
import enum
import os
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
from house.test_public_api import DOORS
from packaging.version import Version as ProductVersion

import esximage_builder as eib
from esximage_builder import authoring

VIB = eib.Vib(name="net-acme", version=eib.VibVersion("1.0-1"), vendor="ACM", extra=["<acme/>"])
COMPONENT = eib.Component(
    name="Acme-net", version=eib.ComponentVersion("1.0-1"), bulletin=eib.Bulletin(id="Acme-net_1.0-1")
)
SPEC = eib.SoftwareSpec(base_image="7.0.3-0.55.20328353")
CHANGE = eib.Change(kind=eib.ChangeKind.PATCH)
CHECK = eib.Check(name="c", question="q", certainty=eib.Certainty.CONFIRMED)
VERDICT = eib.LayerVerdict(layer=eib.Layer.DECLARED, verdict=eib.Verdict.FITS, reason="r")
COMPLIANCE = eib.HostCompliance(host="h", status=eib.ComplianceStatus.COMPLIANT)
ELIGIBILITY = eib.Eligibility(eib.Ternary.UNKNOWN, "r")
BOOT_BANK = eib.BootBankEstimate(verdict=eib.Ternary.YES, needed_bytes=1, available_bytes=2, reason="r")
ROLLBACK = eib.Rollback(verdict=eib.Ternary.YES, reason="r", version="7.0.3-0.55.20328353")
HOST_PLAN = eib.HostPlan(
    host="h",
    status=eib.ComplianceStatus.COMPLIANT,
    change="none",
    quick_boot=ELIGIBILITY,
    suspend_to_memory=ELIGIBILITY,
    live_patch=ELIGIBILITY,
    boot_bank=BOOT_BANK,
    rollback=ROLLBACK,
)
VALUES: list[Any] = [
    ELIGIBILITY,
    BOOT_BANK,
    ROLLBACK,
    HOST_PLAN,
    eib.RemediationPlan(image="i", status=eib.ComplianceStatus.COMPLIANT, impact="NO_IMPACT", hosts=[HOST_PLAN]),
    eib.PlannedItem(name="c", action=eib.PlanAction.INSTALL, after="1.0-1"),
    eib.Obstacle(reason="r"),
    eib.Adoption(reasons=["r"]),
    eib.Wave(hosts=["h"], moves=[eib.ManualMove("h", "w")]),
    eib.ManualMove("h", "w"),
    eib.RolloutConstraints(max_parallel=2, excluded=["h"]),
    eib.HostImage(host="h", missing=["m"]),
    eib.LostDevice(device=eib.PciDevice(address="a", vendor_id=1, device_id=2), loss=eib.DeviceLoss.LOST),
    eib.DroppedIds("d", ["80861528"]),
    VIB,
    COMPONENT,
    COMPONENT.bulletin,
    COMPONENT.reference,
    SPEC,
    CHANGE,
    CHECK,
    VERDICT,
    eib.AddOn(name="ACME", version=eib.AddOnVersion("703.1-A00")),
    eib.AddOnReference("ACME", eib.AddOnVersion("703.1-A00")),
    eib.AddOnVersion("703.1-A00"),
    eib.AlternativeImage(id="a", spec=SPEC),
    eib.BaseImage(version=eib.BaseImageVersion("7.0.3-0.55.20328353")),
    eib.BaseImageVersion("7.0.3-0.55.20328353"),
    eib.BootCfg(kernel="/b.b00", modules=[eib.BootModuleLine("/k.b00")]),
    eib.BootModuleLine("/k.b00"),
    eib.BootEntry(
        platform="efi", is_default=True, is_bootable=True, is_emulated=False, load_sectors=1, offset=0, path="X"
    ),
    eib.BootModule(local_name="k.b00", vib=VIB, payload=eib.Payload(name="k", type="boot")),
    eib.Catalog(vibs=[VIB]),
    eib.Checksum("sha-256", "00"),
    eib.Compatibility(subject="s", target="t", layers=(VERDICT,)),
    eib.ComponentVersion("1.0-1"),
    eib.ComposedImage(image=eib.Image(name="i")),
    eib.Constraint("esx-version", eib.Relation.LESS, eib.VibVersion("8.0")),
    eib.Decomposition(),
    eib.DeviceDriver(vib_id="v"),
    eib.DeviceVerdict(device=eib.PciDevice(address="a", vendor_id=1, device_id=2)),
    eib.HardwareReport(image="i"),
    eib.ItemCompliance(name="c", status=eib.ComplianceStatus.COMPLIANT),
    COMPLIANCE,
    eib.ClusterCompliance(image="i", status=eib.ComplianceStatus.COMPLIANT),
    eib.Drift(host="h", images=["i"], nearest=0, is_exact=True, compliance=COMPLIANCE),
    eib.PciPattern("80861528", "80861528"),
    eib.EffectiveComponent(component=COMPONENT, source=eib.ComponentSource.USER, rule=eib.Rule.LISTED),
    eib.Explanation(code="c", severity=eib.Severity.INFO, headline="h", cause="c", remedies=("r",), items=("i",)),
    eib.ExportResult(path=Path("a.iso"), size_bytes=1, image_digest="d"),
    eib.Finding(code="c", severity=eib.Severity.INFO, message="m"),
    eib.HardwarePlatform("Acme"),
    eib.HardwareSupport(name="acme", version=eib.AddOnVersion("2024.1")),
    eib.HardwareSupportReference(manager="m", package="p"),
    eib.Host(name="h", base_image=eib.BaseImageVersion("7.0.3-0.55.20328353")),
    eib.HostComponent(name="c", version=eib.ComponentVersion("1.0-1")),
    eib.HostFacts(vendor="Acme"),
    eib.HostSolution(name="s"),
    eib.HostVib(name="v", version=eib.VibVersion("1.0-1")),
    eib.PciDevice(address="0000:04:00.0", vendor_id=0x8086, device_id=0x1533),
    eib.Image(name="i"),
    eib.ImageDiff(change=CHANGE),
    eib.ImageProfile(name="p"),
    eib.ImageSplit(
        base=eib.Image(name="b"),
        image=eib.Image(name="i"),
        add_on=eib.AddOn(name="a", version=eib.AddOnVersion("1")),
        is_made=False,
    ),
    eib.InstalledVib(vib=VIB),
    eib.InputFile(path=Path("a.zip")),
    eib.ItemChange(name="n", before="b", after="a", direction=eib.ChangeDirection.RAISED, cause="c"),
    eib.KickstartAddress(eib.KickstartSource.USB, "/KS.CFG"),
    eib.KnownRelease(name="7.0U3g", product="7.0.3", build=20328353),
    eib.Lock(name="l", digest="d"),
    eib.LockedComponent(name="c", version="1"),
    eib.LockedVib(id="v", sha256="00", size_bytes=1),
    eib.LoweredItem(kind=eib.LoweredKind.VIB, name="n", before="2", after="1"),
    eib.MaintenanceMode(),
    eib.MissingComponent(component=COMPONENT.reference, source=eib.ComponentSource.USER),
    eib.MissingVib(vib_id="v"),
    eib.OverriddenComponent(COMPONENT.reference, eib.ComponentSource.BASE_IMAGE),
    eib.PassedOver(base_image="b", add_on="a", reasons=("r",)),
    eib.PathCaution(release=[8, 0], text="t", evidence=eib.Evidence.CONFIRMED, source="s"),
    eib.Payload(name="k", type="boot"),
    eib.ProductRange(">=7.0.3,<8"),
    eib.ProfileChange(profile="p", added=["v"]),
    eib.ProfileVib(vib_id="v"),
    eib.Provide("esx-version", eib.VibVersion("7.0")),
    eib.ReadLimits(),
    eib.Recommendation(),
    eib.ReleaseName("7.0U3si - 20841705"),
    eib.RemovedComponent(name="c", source=eib.ComponentSource.ADD_ON),
    eib.ReplacedVib(vib=VIB, winner="w", reason=eib.ReplaceReason.SAME_NAME),
    eib.ReservedVib(vib=VIB, reason=eib.ReserveReason.REPLACED),
    eib.SecurityBulletin(id="b", kb_urls=["https://kb.example/1"]),
    eib.SecurityChange(),
    eib.SecurityStanding(),
    eib.Sniffed(kind=eib.FileKind.ZIP, advice="a"),
    eib.SoftwarePlatform("7.0"),
    eib.Solution(name="s", version=eib.AddOnVersion("1")),
    eib.SolutionComponent("c"),
    eib.SolutionReference(name="s"),
    eib.HigherVersion(version="1"),
    eib.Wish(source=eib.ComponentSource.USER, name="c"),
    eib.Exclusion(wishes=[eib.Wish(source=eib.ComponentSource.USER, name="c")], open_names=["c"]),
    eib.SearchLimits(),
    eib.Suggestion(spec=SPEC, change=CHANGE),
    eib.UnitChoice(source=eib.ComponentSource.ADD_ON, name="u"),
    eib.ValidationReport(image_digest="d"),
    eib.Verification(path="p", kind="k", checks=(CHECK,)),
    eib.VerifiedVib(vib=VIB, facts=eib.VibFacts(vib_id=VIB.id)),
    eib.VibFacts(vib_id="v"),
    eib.VibSignature(status=eib.SignatureStatus.INTACT, trust=eib.Trust.TRUSTED, signer="s"),
    eib.VibFile(sha256="00"),
    eib.VibHead(descriptor=b"<vib/>", signature=b""),
    eib.VibVersion("1.0-1"),
    authoring.AuthoredPayload(payload=eib.Payload(name="p", type="text"), data=b"p"),
    authoring.AuthoredVib(vib=VIB, data=b"v"),
    authoring.ExtractedVib(vib=VIB, entries=["opt/a"]),
    authoring.MetadataEntry(version="7.0"),
    authoring.PayloadPlan(name="p"),
    authoring.TreeEntry(name="opt/a", data=b"a"),
    authoring.VibDescription(vib=VIB, payloads=[authoring.PayloadPlan(name="p")], modes=[("opt/a", 0o644)]),
    authoring.VibSigner(key_pem=b"k", certificate_pem=b"c", signed_at=datetime(2022, 9, 1, tzinfo=UTC)),
]
# A resource, an index or what else was prepared, what others implement, and a class of another library.
NO_VALUES = {
    authoring.AuthoredVibStore,
    eib.Depot,
    eib.ComplianceTarget,
    eib.DriverIndex,
    eib.MeasuredVibStore,
    eib.Disc,
    eib.PackedVib,
    eib.PackedVibStore,
    eib.Progress,
    eib.VibStore,
    ProductVersion,
}
each_value = pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)


def slots_of(value: object) -> list[str]:
    return [name for kind in type(value).__mro__ for name in vars(kind).get("__slots__", ())]


def test_no_public_class_is_left_out() -> None:
    public = {getattr(door, name) for door in DOORS.values() for name in door.__all__}
    classes = {found for found in public if isinstance(found, type)}
    assert {type(value) for value in VALUES} == {
        kind for kind in classes - NO_VALUES if not issubclass(kind, enum.Enum | Exception)
    }


@each_value
def test_a_value_cannot_be_changed(value: Any) -> None:
    before = (repr(value), hash(value))
    names = [name for name in slots_of(value) if not name.startswith("__")]
    assert names
    for name in (*names, "another"):
        with pytest.raises((eib.ModelError, attrs.exceptions.FrozenInstanceError)):
            setattr(value, name, None)
        with pytest.raises((eib.ModelError, attrs.exceptions.FrozenInstanceError)):
            delattr(value, name)
    assert (repr(value), hash(value)) == before


@each_value
def test_a_value_has_slots_and_nothing_else(value: Any) -> None:
    assert all("__slots__" in vars(kind) for kind in type(value).__mro__ if kind is not object)
    assert not hasattr(value, "__dict__")


def test_a_value_prints_the_same_in_every_process() -> None:
    """Sets of names are ordered by a hash that each process salts anew."""
    program = "from house.test_public_values import VALUES; print(*map(repr, VALUES), sep='\\n')"
    printed = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]
    assert "told=<" in printed[0] or "told=[HostPart." in printed[0]
    assert printed[0] == printed[1] == printed[2]


@each_value
def test_a_value_prints_on_one_line(value: Any) -> None:
    """Its class first; never the whole of what it holds."""
    printed = repr(value)
    assert len(printed.splitlines()) == 1
    assert len(printed) <= 200
    assert printed.startswith((f"{type(value).__name__}(", f"<{type(value).__name__}("))


@each_value
def test_a_value_travels_and_stays_equal(value: Any) -> None:
    """Also all that does not take part in ``==``, such as the build of a release name."""
    for twin in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):  # noqa: S301 - our own
        assert twin == value
        assert hash(twin) == hash(value)
        assert (repr(twin), str(twin)) == (repr(value), str(value))
        for name in slots_of(value):
            if not name.startswith("_"):
                assert getattr(twin, name) == getattr(value, name)


@each_value
def test_a_value_is_equal_to_its_like_only(value: Any) -> None:
    assert value != object()
    assert value != repr(value)
    assert [other for other in VALUES if other == value] == [value]


@pytest.mark.parametrize(
    ("one", "other", "is_equal"),
    [
        pytest.param(">=7.0.3,<8", "<8, >=7.0.3", True, id="order-and-blanks"),
        pytest.param("==7.0", "==7.0.0", True, id="zeros"),
        pytest.param(">=7.0.3", ">7.0.3", False, id="other-sign"),
        pytest.param("", ">=0", False, id="empty"),
    ],
)
def test_ranges_are_equal_when_they_say_the_same(one: str, other: str, is_equal: bool) -> None:  # noqa: FBT001 - a table
    first, second = eib.ProductRange(one), eib.ProductRange(other)
    assert (first == second) is is_equal
    assert (hash(first) == hash(second)) is is_equal
    assert len({first, second}) == (1 if is_equal else 2)
    assert str(first) == one
