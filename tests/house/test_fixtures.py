"""The fixtures are what their README says: reproducible, small, and in the shape of real depots.

Nothing here uses the rules of the library: dependencies, versions and checksums are worked out
again, slowly, so that rule tests may rest on these depots.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.stock_modules import STOCK_MODULES

from esximage_builder.containers.vmtar import parse_vmtar
from esximage_builder.depot.opening import Depot, open_depot
from esximage_builder.documents.software_spec import parse_software_spec
from esximage_builder.documents.vib_archive import iter_payloads
from esximage_builder.errors import NotInDepotError
from esximage_builder.export.iso import export_iso
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.constraint import Constraint
from esximage_builder.models.vib import Vib
from esximage_builder.rules.boot_layout import boot_modules, local_names
from esximage_builder.rules.compose import compose
from esximage_builder.vocabulary import AcceptanceLevel, Relation

FIXTURES = Path(__file__).parents[2] / "fixtures"
DEPOTS = sorted((FIXTURES / "depots").iterdir())
SPECS = sorted((FIXTURES / "specs").iterdir())
BASES = {
    "7.0.2-0.0.17867351": "VMware-ESXi-7.0U2a-17867351-depot.zip",
    "7.0.3-0.40.19898904": "VMware-ESXi-7.0U3e-19898904-depot.zip",
    "7.0.3-0.50.20036589": "VMware-ESXi-7.0U3f-20036589-depot.zip",
    "7.0.3-0.55.20328353": "VMware-ESXi-7.0U3g-20328353-depot.zip",
    "8.0.3-0.0.24022510": "VMware-ESXi-8.0U3-24022510-depot.zip",
}
each_base = pytest.mark.parametrize(("version", "file_name"), BASES.items(), ids=list(BASES))
each_depot = pytest.mark.parametrize("path", DEPOTS, ids=lambda path: path.name)


def open_base(file_name: str) -> Depot:
    return open_depot(FIXTURES / "depots" / file_name)


def open_all() -> Depot:
    return open_depot(*DEPOTS)


# Making them


def test_making_them_anew_gives_the_same_bytes() -> None:
    """A fixture that nobody can make again proves nothing."""
    result = subprocess.run(
        [sys.executable, str(FIXTURES / "make_fixtures.py"), "--check"], capture_output=True, text=True, check=False
    )

    assert (result.returncode, result.stdout) == (0, "30 files are the same, byte for byte\n"), result.stderr


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in FIXTURES.rglob("*") if path.is_file()) < 5_000_000


def test_the_keys_say_that_they_are_for_tests_only() -> None:
    for path in (FIXTURES / "keys").iterdir():
        assert path.name.startswith("TEST-ONLY-")
        assert path.read_bytes().startswith(b"TEST ONLY: ")


# Opening them


@each_depot
def test_each_opens_without_findings(path: Path) -> None:
    with open_depot(path) as depot:
        assert depot.catalog.findings == ()
        assert depot.catalog.vibs


def test_all_open_together_without_findings() -> None:
    """What several depots hold is the same in all of them."""
    with open_all() as depot:
        assert depot.catalog.findings == ()
        assert len(depot.catalog.base_images) == 5
        assert len(depot.catalog.add_ons) == 4


# Base images


@each_base
def test_a_base_image_has_the_shape_of_a_real_one(version: str, file_name: str) -> None:
    with open_base(file_name) as depot:
        catalog = depot.catalog
        (base,) = catalog.base_images

        assert base.version.text == version
        assert {str(reference) for reference in base.components} == {item.id for item in catalog.components}
        assert len(catalog.components) >= 40
        assert len(catalog.vibs) >= 60
        assert sum(len(component.vib_ids) > 1 for component in catalog.components) >= 5
        assert {vib.name for vib in catalog.vibs if vib.overlay} == {"esx-xserver", "gc"}
        assert [vib.name for vib in catalog.vibs if vib.type == "locker"] == ["tools-light"]
        assert {vib.acceptance_level for vib in catalog.vibs} == {AcceptanceLevel.CERTIFIED}
        listed = [vib_id for component in catalog.components for vib_id in component.vib_ids]
        assert sorted(listed) == sorted(vib.id for vib in catalog.vibs)
        (esx_base,) = (vib for vib in catalog.vibs if vib.name == "esx-base")
        assert esx_base.version.text == version


@each_base
def test_vibs_for_data_processing_units_begin_with_8_0(version: str, file_name: str) -> None:
    """No real 7.0 image has one."""
    with open_base(file_name) as depot:
        units = [vib.name for vib in depot.catalog.vibs if not vib.is_for_host]

    assert len(units) == (14 if version.startswith("8.0") else 0)


def test_7_0_u2_calls_its_driver_i40enu_and_7_0_u3_takes_the_name_back() -> None:
    """One driver under two names: before, between and after."""
    drivers = {}
    for version, file_name in BASES.items():
        with open_base(file_name) as depot:
            catalog = depot.catalog
        (component,) = (item for item in catalog.components if item.name.startswith("Intel-i40en"))
        (vib_id,) = component.vib_ids
        (vib,) = catalog.vibs_by_id[vib_id]
        drivers[version[:5]] = (component.name, vib.name, [str(constraint) for constraint in vib.replaces])

    assert drivers == {
        "7.0.2": ("Intel-i40enu", "i40enu", []),
        "7.0.3": ("Intel-i40en", "i40en", ["i40enu"]),
        "8.0.3": ("Intel-i40en", "i40en", []),
    }


@pytest.mark.parametrize("version", STOCK_MODULES)
def test_what_boots_stands_in_the_order_of_the_stock_disc(version: str) -> None:
    """A fixture has fewer VIBs than the real image, but none that the real image has not."""
    with open_base(BASES[version]) as depot:
        image = compose(depot.catalog, base_image=version)
    found = [module.local_name for module in boot_modules(image)]

    assert found == [name for name in STOCK_MODULES[version] if name in found]
    assert len(found) > 75


@each_base
@pytest.mark.parametrize("with_add_on", [False, True], ids=["alone", "with add-on"])
def test_a_disc_opened_alone_gives_the_image_again(
    version: str,
    file_name: str,
    with_add_on: bool,  # noqa: FBT001 - a case of the table
    tmp_path: Path,
) -> None:
    """Nothing of a base image or its add-on is lost on the disc, and the disc of the disc is the disc."""
    del file_name
    with open_all() as depot:
        fitting = [unit for unit in depot.catalog.add_ons if version.startswith(unit.supported_base_images[0])]
        newest = max(fitting, key=lambda unit: unit.version)
        add_on = (newest.name, newest.version.text) if with_add_on else None
        image = compose(depot.catalog, base_image=version, add_on=add_on)
        result = export_iso(image, depot, tmp_path / "custom.iso")
    with open_depot(tmp_path / "custom.iso") as depot:
        again = compose(depot.catalog, base_image=version, add_on=add_on)
        export_iso(again, depot, tmp_path / "again.iso")

    assert [finding.code for finding in result.findings] == ["boots-as-stick"]
    assert again.digest == image.digest
    assert again == image
    assert (tmp_path / "again.iso").read_bytes() == (tmp_path / "custom.iso").read_bytes()


@each_base
def test_the_profiles_hold_all_vibs_and_the_local_names_of_the_rule(version: str, file_name: str) -> None:
    del version
    with open_base(file_name) as depot:
        catalog = depot.catalog
        without_tools, standard = catalog.profiles
        all_ids = {vib.id for vib in catalog.vibs}

        assert set(standard.vib_ids) == all_ids
        assert {vib_id.split("_")[2] for vib_id in all_ids - set(without_tools.vib_ids)} == {"tools-light"}
        for profile in catalog.profiles:
            stated = {(vib.vib_id, payload): local for vib in profile.vibs for payload, local in vib.local_names}
            vibs = [catalog.vibs_by_id[vib_id][0] for vib_id in profile.vib_ids]
            assert stated == local_names(vib for vib in vibs if vib.is_for_host)


def test_local_names_collide_as_they_do_in_real_images() -> None:
    with open_base(BASES["7.0.3-0.55.20328353"]) as depot:
        profile = depot.catalog.profile("ESXi-7.0U3g-20328353-standard")
        names = {
            f"{vib.vib_id.split('_')[2]}/{payload}": local for vib in profile.vibs for payload, local in vib.local_names
        }

    wanted = {
        "lsi-msgpt2/lsi-msgp": "lsi_msgp.v00",
        "lsi-msgpt3/lsi-msgp": "lsi_msgp.v02",
        "lsi-msgpt35/lsi-msgp": "lsi_msgp.v01",
        "nvmxnet3-ens/nvmxnet3": "nvmxnet3.v00",
        "nvmxnet3/nvmxnet3": "nvmxnet3.v01",
        "esx-base/features": "features.gz",
        "esx-base/BOOTx64.EFI": "bootx64..b00",
        "esx-base/safeboot.c32": "safeboot.b00",
        "esx-base/safeboot.efi": "safeboot.b01",
        "esx-base/efiboot.img": "efiboot..e00",
        "esx-base/osl.txt": "osl.txt.t00",
        "esx-base/metadata.xml": "metadata.u00",
        "tools-light/tools": "tools.t00",
        "esx-xserver/xorg": "xorg.v00",
    }
    assert {key: names.get(key) for key in wanted} == wanted


def key_of(text: str) -> list[list[tuple[int, int, str]]]:
    """Order of versions, written again: runs of digits are numbers and sort after letters."""
    return [
        [(1, int(run), "") if run.isdigit() else (0, 0, run) for run in re.findall(r"\d+|\D+", piece)]
        for piece in text.split(".")
    ]


def is_met(constraint: Constraint, offered: str) -> bool:
    assert constraint.version is not None
    wanted_version, _, wanted_release = constraint.version.text.partition("-")
    version, _, release = offered.partition("-")
    have, want = [key_of(version)], [key_of(wanted_version)]
    if wanted_release:
        have.append(key_of(release))
        want.append(key_of(wanted_release))
    return {
        Relation.LESS: have < want,
        Relation.LESS_EQUAL: have <= want,
        Relation.EQUAL: have == want,
        Relation.GREATER_EQUAL: have >= want,
        Relation.GREATER: have > want,
    }[constraint.relation or Relation.EQUAL]


def unmet(constraints: list[tuple[str, Constraint]], vibs: tuple[Vib, ...]) -> list[str]:
    offers: dict[str, list[str | None]] = {}
    for vib in vibs:
        offers.setdefault(vib.name, []).append(vib.version.text)
        for item in vib.provides:
            offers.setdefault(item.name, []).append(None if item.version is None else item.version.text)
    return [
        f"{vib_name}: {constraint}"
        for vib_name, constraint in constraints
        if not any(
            constraint.version is None or (version is not None and is_met(constraint, version))
            for version in offers.get(constraint.name, [])
        )
    ]


@each_base
def test_every_dependency_is_met_inside_and_no_conflict_is(version: str, file_name: str) -> None:
    del version
    with open_base(file_name) as depot:
        vibs = depot.catalog.vibs
    depends = [(vib.name, constraint) for vib in vibs for constraint in vib.depends]
    conflicts = [(vib.name, constraint) for vib in vibs for constraint in vib.conflicts]

    assert len(depends) > 60
    assert unmet(depends, vibs) == []
    assert len(conflicts) >= 2
    assert unmet(conflicts, vibs) == [f"{name}: {constraint}" for name, constraint in conflicts]


@each_base
def test_no_file_stands_in_two_vibs(version: str, file_name: str) -> None:
    del version
    with open_base(file_name) as depot:
        files = [file for vib in depot.catalog.vibs for file in vib.files or ()]

    assert len(files) == len(set(files))


def test_patches_of_one_train_share_most_of_their_vibs() -> None:
    with open_base(BASES["7.0.3-0.50.20036589"]) as older, open_base(BASES["7.0.3-0.55.20328353"]) as newer:
        shared = {vib.fingerprint for vib in older.catalog.vibs} & {vib.fingerprint for vib in newer.catalog.vibs}

    assert len(shared) >= 45


# Bytes


@each_depot
def test_every_payload_is_what_its_descriptor_says(path: Path) -> None:
    with open_depot(path) as depot:
        for vib in depot.catalog.vibs:
            with depot.open_vib(vib) as source:
                for payload, stream, size_bytes in iter_payloads(source, vib, where=vib.id, limits=depot.limits):
                    data = stream.read()
                    is_packed = payload.type in ("boot", "vgz", "tgz")
                    full = gzip.decompress(data) if is_packed else data
                    assert size_bytes == payload.size_bytes
                    assert payload.checksum("sha-256") == hashlib.sha256(data).hexdigest()
                    assert len(payload.checksums) == (3 if is_packed else 1)
                    if is_packed:
                        assert payload.checksum("sha-256", "gunzip") == hashlib.sha256(full).hexdigest()
                        assert payload.checksum("sha-1", "gunzip") == hashlib.sha1(full).hexdigest()  # noqa: S324
                        assert payload.uncompressed_size_bytes in (None, len(full))
                    if payload.type == "vgz":
                        assert {entry.name for entry in parse_vmtar(full, where=vib.id)} <= set(vib.files or ())


@each_depot
def test_vibs_are_signed_unless_they_are_community_ones(path: Path) -> None:
    with open_depot(path) as depot:
        for vib in depot.catalog.vibs:
            is_signed = depot.read_vib_head(vib).is_signed
            assert is_signed == (vib.acceptance_level > AcceptanceLevel.COMMUNITY), vib.id


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("file_name", ["VMware-ESXi-7.0U3g-20328353-depot.zip", "ACME-driver-pack.zip"])
def test_openssl_takes_a_signature(file_name: str, tmp_path: Path) -> None:
    with open_base(file_name) as depot:
        head = depot.read_vib_head(depot.catalog.vibs[0])
    (tmp_path / "descriptor.xml").write_bytes(head.descriptor)
    (tmp_path / "sig.pkcs7").write_bytes(head.signature)

    command = "openssl cms -verify -binary -inform PEM -noverify -in sig.pkcs7 -content descriptor.xml -out out.xml"
    result = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out.xml").read_bytes() == head.descriptor


# Add-ons


def base_of(add_on: AddOn, bases: tuple[BaseImage, ...]) -> BaseImage:
    """The newest base image that the add-on says it supports."""
    (prefix,) = add_on.supported_base_images
    return max((base for base in bases if base.version.text.startswith(prefix)), key=lambda base: base.version)


def test_each_add_on_raises_adds_and_removes() -> None:
    with open_all() as depot:
        catalog = depot.catalog
    for add_on in catalog.add_ons:
        below = {item.name: item for item in base_of(add_on, catalog.base_images).components}
        raised = [item for item in add_on.components if item.name in below]

        assert raised
        assert all(item.version > below[item.name].version for item in raised)
        assert any(item.name not in below for item in add_on.components)
        assert set(add_on.removed_components) == {"HPE-hpv2-hpsa-plugin"}
        assert set(add_on.removed_components) <= set(below)
        (agent,) = (item for item in add_on.components if item.name == "Acme-Agent")
        assert len(catalog.component(agent.name, agent.version.text).vib_ids) == 4


def test_an_add_on_depot_holds_the_add_on_alone() -> None:
    for path in DEPOTS:
        if path.name.startswith("ACME-ESXi-Addon"):
            with open_depot(path) as depot:
                (add_on,) = depot.catalog.add_ons
                assert depot.catalog.base_images == ()
                assert [item.reference for item in depot.catalog.components] == list(add_on.components)
                assert {vib.acceptance_level for vib in depot.catalog.vibs} == {
                    AcceptanceLevel.PARTNER,
                    AcceptanceLevel.ACCEPTED,
                }


def test_from_a08_to_a09_some_components_rise_and_none_falls() -> None:
    with open_all() as depot:
        older, newer = (depot.catalog.add_on("ACME-AddOn", f"703.20328353.{letter}") for letter in ("A08", "A09"))
    pairs = list(zip(older.components, newer.components, strict=True))

    assert all(first.name == second.name and not second.version < first.version for first, second in pairs)
    assert [first.name for first, second in pairs if first.version < second.version] == [
        "Acme-Agent",
        "Acme-oem-build",
        "Broadcom-bnxt-Net-RoCE",
    ]
    assert older.removed_components == newer.removed_components


@each_base
def test_with_its_add_on_every_dependency_is_still_met(version: str, file_name: str) -> None:
    del file_name
    with open_all() as depot:
        catalog = depot.catalog
    base = catalog.base_image(version)
    for add_on in catalog.add_ons:
        if not version.startswith(add_on.supported_base_images[0]):
            continue
        effective = {item.name: item for item in base.components if item.name not in add_on.removed_components}
        effective |= {item.name: item for item in add_on.components}
        vibs = tuple(
            catalog.vibs_by_id[vib_id][0]
            for item in effective.values()
            for vib_id in catalog.component(item.name, item.version.text).vib_ids
        )
        assert unmet([(vib.name, constraint) for vib in vibs for constraint in vib.depends], vibs) == []
        assert len({vib.name for vib in vibs}) == len(vibs)


# Drivers, the community VIB, the old depot


def test_one_driver_depends_on_what_no_base_image_has() -> None:
    with open_all() as depot:
        catalog = depot.catalog
    (flux,) = (vib for vib in catalog.vibs if vib.name == "acme-flux")

    assert unmet([(flux.name, constraint) for constraint in flux.depends], catalog.vibs) == [
        "acme-flux: vmkapi_9_9_0_0"
    ]


def test_one_driver_is_newer_and_one_older_than_every_base_image_brings() -> None:
    with open_all() as depot:
        versions = [item.version.text for item in depot.catalog.components_by_name["Intel-i40en"]]

    assert versions == [
        "1.8.1.16-1vmw.700.1.0.15843807",
        "1.11.1.31-1vmw.703.0.20.19193900",
        "1.11.4.6-1vmw.803.0.0.24022510",
        "2.8.4.0-1OEM.700.1.0.15843807",
    ]


def test_the_driver_pack_holds_two_depots_one_level_down() -> None:
    with open_base("ACME-driver-pack.zip") as depot:
        assert [item.name for item in depot.catalog.components] == ["Broadcom-lsi-mr3", "Intel-icen"]


def test_the_loose_vib_is_a_community_one_in_no_component() -> None:
    with open_base("homelab-tweaks-1.0.0-1.vib") as depot:
        assert [vib.id for vib in depot.catalog.vibs] == ["HomeLab_bootbank_homelab-tweaks_1.0.0-1"]
        assert depot.catalog.components == ()


def test_the_old_depot_has_a_profile_and_a_bulletin_but_no_components() -> None:
    with open_base("VMware-ESXi-6.7.0-8169922-depot.zip") as depot:
        catalog = depot.catalog
        (profile,) = catalog.profiles
        (bulletin,) = catalog.bulletins

        assert profile.name == "ESXi-6.7.0-8169922-standard"
        assert profile.bulletin_ids == ()
        assert (catalog.components, catalog.base_images) == ((), ())
        assert set(bulletin.vib_ids) == set(profile.vib_ids) == {vib.id for vib in catalog.vibs}
        assert len(catalog.vibs) == 12
        depends = [(vib.name, constraint) for vib in catalog.vibs for constraint in vib.depends]
        assert unmet(depends, catalog.vibs) == []


# Specs


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_each_spec_names_what_the_depots_hold(path: Path) -> None:
    spec = parse_software_spec(path.read_bytes(), where=path.name)
    with open_all() as depot:
        catalog = depot.catalog
    if path.name == "image_alias.json":
        assert spec.base_image == "7.0U3f"
        with pytest.raises(NotInDepotError):
            catalog.base_image(spec.base_image)
        return
    base = catalog.base_image(spec.base_image)
    if spec.add_on is not None:
        catalog.add_on(spec.add_on.name, spec.add_on.version.text)
    for name, version in spec.components:
        assert name in catalog.components_by_name
        if version is not None:
            catalog.component(name, version.text)
    assert set(spec.removed_components) <= {item.name for item in base.components}


def test_specs_have_the_form_of_vlcm_and_one_of_them_a_byte_order_mark() -> None:
    plain = (FIXTURES / "specs" / "image_u3f_a08_i40en.json").read_bytes()
    marked = (FIXTURES / "specs" / "image_u3f_a08_i40en_bom.json").read_bytes()
    document = json.loads(plain)

    assert marked == b"\xef\xbb\xbf" + plain
    assert list(document) == ["base_image", "add_on", "components", "hardware_support", "solutions"]
    assert document["hardware_support"] is None


# The script itself


def test_a_changed_fixture_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were compare() to say nothing, --check would pass whatever lies in the folder."""
    monkeypatch.syspath_prepend(str(FIXTURES.parent))
    from fixtures.make_fixtures import compare

    for folder, names in (("made", ("a", "b", "c")), ("kept", ("b", "c", "d"))):
        for name in names:
            path = tmp_path / folder / "depots" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{folder if name == 'c' else name}".encode())

    assert compare(tmp_path / "made", tmp_path / "kept") == [
        "missing: depots/a",
        "left over: depots/d",
        "differs: depots/c",
    ]


def test_nothing_in_them_is_compressed_by_a_library() -> None:
    """Deflated bytes differ between zlib versions; stored ones cannot."""
    with open_base("VMware-ESXi-7.0U3g-20328353-depot.zip") as depot:
        vib = next(vib for vib in depot.catalog.vibs if vib.name == "esx-base")
        with depot.open_vib(vib) as source:
            data = io.BytesIO(source.read())
        for payload, stream, _ in iter_payloads(data, vib, where=vib.id, limits=depot.limits):
            if payload.type == "vgz":
                assert stream.read(11)[10] == 1  # the only block: final, type 0, stored
