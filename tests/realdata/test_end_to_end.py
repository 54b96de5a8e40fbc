"""Real components and VIBs on a fixture base image: composed, judged, written both ways, read back byte for byte."""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

import attrs
import pytest
from support.changed_depots import DEPOTS, ar_members, zip_members

import esximage_builder as eib
from esximage_builder.containers.iso9660_reader import open_iso

if TYPE_CHECKING:
    from pathlib import Path

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
ESXI_8 = DEPOTS / "VMware-ESXi-8.0U3-24022510-depot.zip"
VERSION = "7.0.3-0.55.20328353"
PROFILE = "ESXi-7.0U3g-20328353-standard"

RKN = "bundles/digitalrebar__provision-plugins/452a2d40-RKN-DRPY-Agent_1.3-0.0.0000_17977727.zip"
RKN_VIB = "RKN_bootbank_DRP-Agent_v1.3-0"
THGPIO = "bundles/thebel1__thgpio/24d4b775-VMW-esx-7.0.1-thgpio-1.0-0.00001.zip"
OTHER_THGPIO = "bundles/thebel1__thgpio/75042a23-VMW-esx-7.0.1-thgpio-1.0-0.00001.zip"
THGPIO_VIB = "THX_bootbank_thgpio_0.1.0-1OEM.701.1.0.40650718"
GHETTO = "bundles/lamw__ghettoVCB/28434d37-vghetto-ghettoVCB-offline-bundle.zip"

# What no component brings, with its VIB: legacy bulletins and loose files of many makers.
STAND_ALONE = {
    GHETTO: "virtuallyGhetto_bootbank_ghettoVCB_1.0.1-0.0.0",
    "bundles/digitalrebar__provision-plugins/60ae4825-RKN-DRPY-FW-RULE_1.0-0.0.0003-offline_bundle-16370411.zip": (
        "RKN_bootbank_DRP-Firewall-Rule_v1.0.0-3"
    ),
    "bundles/openstack-vmwareapi-team__Tools/b170b188-openstackvncfirewall.zip": (
        "VMware_bootbank_OpenStackVNC_5.0.0-0.0.1"
    ),
    "vibs/kubev2v__forklift/09304bdd-vmkfstools-wrapper.vib": "REDHAT_bootbank_vmkfstools-wrapper_0.0.4",
    "vibs/tcely__docker-vibauthor/a3e2f42e-fwrule-ntpServer-1.0.0-1.vib": (
        "github.com_tcely_bootbank_fwrule-ntpServer_1.0.0-1"
    ),
    "vibs/thebel1__thgpio/3756ec72-thgpio-0.0.1-1OEM.701.1.0.40650718.aarch64.vib": (
        "THX_bootbank_thgpio_0.0.1-1OEM.701.1.0.40650718"
    ),
}


def vib_bytes(path: Path) -> bytes:
    """The one ``.vib`` of a real file, taken out of it by hand."""
    if path.suffix == ".vib":
        return path.read_bytes()
    (data,) = [data for name, data in zip_members(path).items() if name.endswith(".vib")]
    return data


def read_vib(depot: eib.Depot, vib_id: str) -> bytes:
    (vib,) = depot.catalog.vibs_by_id[vib_id]
    with depot.open_vib(vib) as source:
        return source.read()


def require_same_on_disc(path: Path, image: eib.Image, vib_id: str, real: bytes) -> None:
    """The disc has the VIB's payload as a module, and its exact descriptor and signature."""
    members = ar_members(real)
    vib = image.vibs_by_id[vib_id]
    with open_iso(path, where=str(path), limits=eib.ReadLimits()) as disc:
        names = {module.local_name for module in eib.boot_modules(image) if module.vib == vib}
        assert len(names) == len(vib.payloads)
        on_disc = {disc.read(name.upper(), max_bytes=1 << 30) for name in names}
        database = disc.read("IMGDB.TGZ", max_bytes=1 << 30)
    assert on_disc == {members[payload.name] for payload in vib.payloads}
    with tarfile.open(fileobj=io.BytesIO(database), mode="r:gz") as archive:
        files = ((member.name, archive.extractfile(member)) for member in archive if f"/{vib.name}-" in member.name)
        kept = {name.rpartition(".")[2]: file.read() for name, file in files if file is not None}
    assert kept["orig"] == members["descriptor.xml"]
    assert kept.get("sig", b"") == members["sig.pkcs7"]


@pytest.mark.parametrize(
    ("bundles", "components", "level"),
    [
        pytest.param({RKN: RKN_VIB}, ["RKN-DRPY-Agent"], eib.AcceptanceLevel.PARTNER, id="a signed agent"),
        pytest.param({THGPIO: THGPIO_VIB}, ["thgpio"], eib.AcceptanceLevel.COMMUNITY, id="a community driver"),
        pytest.param(
            {RKN: RKN_VIB, THGPIO: THGPIO_VIB},
            ["RKN-DRPY-Agent", "thgpio"],
            eib.AcceptanceLevel.COMMUNITY,
            id="both",
        ),
    ],
)
def test_real_components_go_on_an_image_and_come_back(
    realdata: Path, tmp_path: Path, bundles: dict[str, str], components: list[str], level: eib.AcceptanceLevel
) -> None:
    with eib.open_depot(U3G, *(realdata / bundle for bundle in bundles)) as depot:
        assert depot.catalog.findings == ()
        image = eib.compose(depot.catalog, base_image=VERSION, components=components)
        assert eib.validate(image, depot.catalog).findings == ()
        assert image.acceptance_level is level
        eib.export_bundle(image, depot, tmp_path / "custom.zip")
        eib.export_iso(image, depot, tmp_path / "custom.iso")
    spec = image.spec
    assert spec is not None
    for output in ("custom.zip", "custom.iso"):
        with eib.open_depot(tmp_path / output) as again:
            for bundle, vib_id in bundles.items():
                written, real = read_vib(again, vib_id), vib_bytes(realdata / bundle)
                assert list(ar_members(written).items()) == list(ar_members(real).items())
                # A disc keeps what is in a VIB, not the headers of the archive around it.
                assert written == real or output == "custom.iso"
                (vib,) = again.catalog.vibs_by_id[vib_id]
                assert again.read_vib_head(vib).is_signed == (vib_id == RKN_VIB)
    with eib.open_depot(tmp_path / "custom.zip") as again:
        same = eib.compose(again.catalog, spec)
        assert same.digest == image.digest
        assert {e.component.name for e in same.components if e.source is eib.ComponentSource.USER} == set(components)
        eib.export_bundle(same, again, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "custom.zip").read_bytes()
    for bundle, vib_id in bundles.items():
        require_same_on_disc(tmp_path / "custom.iso", image, vib_id, vib_bytes(realdata / bundle))


def test_the_signed_agent_is_refused_on_8_0_by_its_own_bounds(realdata: Path, tmp_path: Path) -> None:
    """It depends on esx-version >= 6.5.0 and << 7.1.0; waiving that is the caller's business."""
    with eib.open_depot(ESXI_8, realdata / RKN) as depot:
        image = eib.compose(depot.catalog, base_image="8.0.3-0.0.24022510", components=["RKN-DRPY-Agent"])
        report = eib.validate(image, depot.catalog)
        with pytest.raises(eib.IncompatibleImageError) as caught:
            eib.export_bundle(image, depot, tmp_path / "out.zip", report=report)
        assert not (tmp_path / "out.zip").exists()
        result = eib.export_bundle(image, depot, tmp_path / "out.zip", report=report, allow=["missing-dependency"])
    dependency = [finding for finding in report.errors if finding.code == "missing-dependency"]
    assert [finding.items for finding in dependency] == [(RKN_VIB, "esx-version << 7.1.0")]
    assert {finding.code for finding in caught.value.findings} == {"missing-dependency"}
    assert result.waived == tuple(dependency)
    with eib.open_depot(tmp_path / "out.zip") as again:
        assert read_vib(again, RKN_VIB) == vib_bytes(realdata / RKN)


@pytest.mark.parametrize("wanted", [THGPIO, OTHER_THGPIO])
def test_two_real_builds_of_one_version_need_a_choice(realdata: Path, tmp_path: Path, wanted: str) -> None:
    """Their maker built them more than once without a new version."""
    paths = [realdata / THGPIO, realdata / OTHER_THGPIO]
    with eib.open_depot(U3G, *paths) as depot:
        assert [(f.code, f.items) for f in depot.catalog.findings] == [("vib-content-differs", (THGPIO_VIB,))]
        unchosen = eib.compose(depot.catalog, base_image=VERSION, components=["thgpio"])
        assert [f.code for f in eib.validate(unchosen, depot.catalog).errors] == ["vib-content-differs"]
        image = eib.compose(depot.catalog, base_image=VERSION, components=["thgpio"], prefer=[str(realdata / wanted)])
        assert eib.validate(image, depot.catalog).is_valid
        eib.export_bundle(image, depot, tmp_path / "out.zip")
    with eib.open_depot(tmp_path / "out.zip") as again:
        assert read_vib(again, THGPIO_VIB) == vib_bytes(realdata / wanted)


@pytest.mark.parametrize(("file", "vib_id"), STAND_ALONE.items(), ids=list(STAND_ALONE.values()))
def test_real_vibs_without_component_go_along_with_a_profile(
    realdata: Path, tmp_path: Path, file: str, vib_id: str
) -> None:
    """As ImageBuilder does it: a profile, and one VIB more. What metadata does not tell is measured."""
    real = vib_bytes(realdata / file)
    with eib.open_depot(U3G, realdata / file) as depot:
        base = depot.catalog.profile(PROFILE)
        profile = attrs.evolve(base, name=f"{PROFILE}-more", vibs=[*base.vibs, eib.ProfileVib(vib_id=vib_id)])
        image = eib.image_from_profile(depot.catalog, profile)
        assert eib.validate(image, depot.catalog).findings == ()
        eib.export_bundle(image, depot, tmp_path / "custom.zip")
        eib.export_iso(image, depot, tmp_path / "custom.iso")
    with eib.open_depot(tmp_path / "custom.zip") as again:
        (vib,) = again.catalog.vibs_by_id[vib_id]
        assert read_vib(again, vib_id) == real
        assert vib.file is not None
        assert (vib.file.sha256, vib.file.size_bytes) == (hashlib.sha256(real).hexdigest(), len(real))
        assert vib_id in again.catalog.profile(profile.name).vib_ids
    require_same_on_disc(tmp_path / "custom.iso", image, vib_id, real)
