"""The installer disc: what stands on it, where, in which order, byte for byte; and when it is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import struct
import tarfile
from typing import TYPE_CHECKING, final

import attrs
import pytest
from support.changed_depots import (
    DEPOTS,
    SPECS,
    ar_members,
    edit_zip,
    in_metadata,
    left_in,
    needs,
    payload_sizes_in,
    render_vib,
    run,
    xml,
    zip_members,
)
from support.small_images import DPU_VIB, base_vibs, small_vib, write_base_depot

import esximage_builder as eib
from esximage_builder.authoring.vib import AuthoredPayload, raw_payload, vgz_payload
from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.documents.boot_cfg import BootCfg, parse_boot_cfg
from esximage_builder.documents.image_profile import parse_image_profile
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor
from esximage_builder.errors import ModelError
from esximage_builder.export.disc_options import DiscOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from esximage_builder.authoring.vib import AuthoredVib
    from esximage_builder.containers.iso9660_reader import BootEntry

VERSION = "7.0.3-0.55.20328353"
KICKSTART = b"vmaccepteula\ninstall --firstdisk --overwritevmfs\nrootpw --iscrypted x\nreboot\n"
MODULE_TYPES = ("boot", "vgz", "tgz", "vzstd")


@final
@attrs.frozen(kw_only=True)
class Case:
    """A disc of one generation, and what must be seen of it."""

    depots: tuple[str, ...]
    spec: str = ""
    components: tuple[str, ...] = ()
    profile: str = ""
    first_modules: str
    archives: str
    kernelopt: str
    build: str


_70_HEAD = "jumpstrt.gz useropts.gz features.gz k.b00 uc_intel.b00 uc_amd.b00 uc_hygon.b00 procfs.b00"
CASES = {
    "6.7": Case(
        depots=("VMware-ESXi-6.7.0-8169922-depot.zip",),
        profile="ESXi-6.7.0-8169922-standard",
        first_modules="jumpstrt.gz useropts.gz features.gz k.b00 chardevs.b00 user.b00 procfs.b00 uc_intel.b00 "
        "uc_amd.b00 vmx.v00 vim.v00 sb.v00 s.v00",
        archives="imgdb.tgz imgpayld.tgz",
        kernelopt="cdromBoot runweasel",
        build="",
    ),
    "7.0U2a": Case(
        depots=("VMware-ESXi-7.0U2a-17867351-depot.zip", "ACME-ESXi-Addon-702.17867351.A03-depot.zip"),
        spec="image_u2a_a03.json",
        first_modules=f"{_70_HEAD} vmx.v00 vim.v00 tpm.v00 sb.v00 s.v00",
        archives="imgdb.tgz basemisc.tgz resvibs.tgz imgpayld.tgz",
        kernelopt="cdromBoot runweasel",
        build="7.0.2-0.0.17867351",
    ),
    "7.0U3g": Case(
        depots=("VMware-ESXi-7.0U3g-20328353-depot.zip", "ACME-ESXi-Addon-703.20328353.A08-depot.zip"),
        spec="image_u3g_a08.json",
        first_modules=f"{_70_HEAD} vmx.v00 vim.v00 tpm.v00 sb.v00 s.v00",
        archives="imgdb.tgz basemisc.tgz resvibs.tgz imgpayld.tgz",
        kernelopt="cdromBoot runweasel",
        build="7.0.3-0.55.20328353",
    ),
    "8.0U3": Case(
        depots=(
            "VMware-ESXi-8.0U3-24022510-depot.zip",
            "ACME-ESXi-Addon-803.24022510.A02-depot.zip",
            "Acme-dpu-tools_1.2.0-1OEM.803.0.0.24022510.zip",
        ),
        spec="image_8u3_a02.json",
        components=("Acme-dpu-tools",),
        first_modules=f"{_70_HEAD} vmx.v00 vim.v00 tpm.v00 sb.v00 s.v00",
        archives="imgdb.tgz basemisc.tgz resvibs.tgz esxiodpt.tgz imgpayld.tgz",
        kernelopt="runweasel cdromBoot",
        build="8.0.3-0.0.24022510",
    ),
}


@final
@attrs.frozen(kw_only=True)
class Disc:
    """A written disc, the image on it and the depots it was made of."""

    path: Path
    image: eib.Image
    depot: eib.Depot
    result: eib.ExportResult
    case: Case

    def read(self, name: str) -> bytes:
        with open_iso(self.path, where="disc", limits=eib.ReadLimits()) as disc:
            return disc.read(name, max_bytes=1 << 30)

    @property
    def names(self) -> tuple[str, ...]:
        with open_iso(self.path, where="disc", limits=eib.ReadLimits()) as disc:
            return tuple(disc.files)

    @property
    def boot_cfg(self) -> BootCfg:
        return parse_boot_cfg(self.read("BOOT.CFG"), where="BOOT.CFG")

    def tgz(self, name: str) -> dict[str, bytes]:
        """The regular files of an archive, by Python's own module."""
        with tarfile.open(fileobj=io.BytesIO(self.read(name)), mode="r:gz") as archive:
            files = ((member.name, archive.extractfile(member)) for member in archive if member.isfile())
            return {path: file.read() for path, file in files if file is not None}

    def vib(self, vib: eib.Vib) -> dict[str, bytes]:
        """The members of a VIB, from its depot."""
        with self.depot.open_vib(vib) as source:
            return ar_members(source.read())


def compose_case(case: Case, depot: eib.Depot) -> eib.Image:
    if case.profile:
        return eib.image_from_profile(depot.catalog, case.profile)
    spec = eib.read_software_spec(SPECS / case.spec)
    wanted = [(name, None) for name in case.components]
    return eib.compose(depot.catalog, attrs.evolve(spec, components=[*spec.components, *wanted]))


@pytest.fixture(scope="module", params=CASES.values(), ids=list(CASES))
def disc(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disc]:
    case: Case = request.param
    target = tmp_path_factory.mktemp("disc") / "custom.iso"
    with eib.open_depot(*(DEPOTS / name for name in case.depots)) as depot:
        image = compose_case(case, depot)
        result = eib.export_iso(image, depot, target)
        yield Disc(path=target, image=image, depot=depot, result=result, case=case)


# The disc as others see it


def own_boot_entries(path: Path) -> tuple[BootEntry, ...]:
    with open_iso(path, where="disc", limits=eib.ReadLimits()) as disc:
        return disc.boot_entries


@needs("xorriso")
def test_xorriso_sees_both_boot_entries_where_we_do(disc: Disc) -> None:
    said = run("xorriso", "-indev", disc.path, "-report_el_torito", "plain")
    columns = r"\s+(\d)\s+(\S+)\s+(\S)\s+(\S+)\s+\S+\s+\S+\s+(\d+)\s+(\d+)"
    images = re.findall(rf"^El Torito boot img :{columns}", said, re.MULTILINE)
    paths = dict(re.findall(r"^El Torito img path :\s+(\d)\s+(\S+)", said, re.MULTILINE))
    entries = own_boot_entries(disc.path)

    assert [(number, platform, bootable, emulation) for number, platform, bootable, emulation, _, _ in images] == [
        ("1", "BIOS", "y", "none"),
        ("2", "UEFI", "y", "none"),
    ]
    assert paths == {"1": "/ISOLINUX.BIN", "2": "/EFIBOOT.IMG"}
    assert re.search(r"^El Torito img opts :\s+1\s+boot-info-table", said, re.MULTILINE)
    assert [entry.platform for entry in entries] == ["bios", "efi"]
    assert [f"/{entry.path}" for entry in entries] == list(paths.values())
    assert [(entry.load_sectors, entry.offset) for entry in entries] == [
        (int(sectors), 2048 * int(block)) for *_, sectors, block in images
    ]
    assert [entry.is_default for entry in entries] == [True, False]
    assert entries[0].load_sectors == 4
    assert not any(entry.is_emulated for entry in entries)


@needs("xorriso", "sfdisk")
def test_other_tools_see_the_partition_over_the_uefi_loader(disc: Disc) -> None:
    assert "No errors detected" in run("sfdisk", "--verify", disc.path)
    (found,) = json.loads(run("sfdisk", "--json", disc.path))["partitiontable"]["partitions"]
    (loader,) = [entry for entry in own_boot_entries(disc.path) if entry.platform == "efi"]
    assert (found["type"], 512 * found["start"]) == ("ef", loader.offset)
    assert 512 * found["size"] >= len(disc.read("EFIBOOT.IMG"))
    said = run("xorriso", "-indev", disc.path, "-report_system_area", "plain")
    assert re.search(rf"^MBR partition\s*:\s+1\s+0x00\s+0xef\s+{found['start']}\s+{found['size']}$", said, re.MULTILINE)


@needs("isoinfo")
def test_isoinfo_sees_the_default_entry_and_no_extensions(disc: Disc) -> None:
    said = run("isoinfo", "-d", "-i", disc.path)
    default = own_boot_entries(disc.path)[0]

    assert "NO Joliet present" in said
    assert "NO Rock Ridge present" in said
    assert "Arch 0 (x86)" in said
    assert "Boot media 0 (No Emulation Boot)" in said
    assert "Nsect 4" in said
    block = re.search(r"Bootoff \S+ (\d+)", said)
    assert block is not None
    assert 2048 * int(block[1]) == default.offset
    volume = re.search(r"^Volume id: (.*)$", said, re.MULTILINE)
    assert volume is not None
    assert volume[1] == re.sub(r"[^A-Z0-9_.-]", "_", disc.image.name.upper())[:32]
    size = re.search(r"^Volume size is: (\d+)", said, re.MULTILINE)
    assert size is not None
    assert 2048 * int(size[1]) == disc.path.stat().st_size == disc.result.size_bytes


@needs("xorriso", "isoinfo", "bsdtar", "7z")
def test_other_tools_list_the_disc_without_a_warning(disc: Disc) -> None:
    commands = (
        ("xorriso", "-report_about", "WARNING", "-indev", disc.path, "-check_media", "--", "-find", "/"),
        ("isoinfo", "-f", "-i", disc.path),
        ("bsdtar", "-tf", disc.path),
        ("7z", "t", disc.path),
    )
    said = {str(command[0]): run(*command) for command in commands}

    for text in said.values():
        assert not re.search("warning|error|failure|sorry|truncat", text, re.IGNORECASE), text
    for text in (said["xorriso"], said["bsdtar"], said["isoinfo"].replace(";1", "").replace(".\n", "\n")):
        found = {line.strip("'").removeprefix("/") for line in text.splitlines()}
        assert set(disc.names) <= found
    assert "Everything is Ok" in said["7z"]
    assert f"Files: {len(disc.names) + 2}\n" in said["7z"], "it counts the two boot images once more"


@needs("bsdtar")
def test_other_tools_read_the_same_bytes(disc: Disc, tmp_path: Path) -> None:
    run("bsdtar", "-xf", disc.path, "-C", tmp_path)
    for name in disc.names:
        assert (tmp_path / name).read_bytes() == disc.read(name), name


def test_names_are_upper_case_8_3(disc: Disc) -> None:
    for name in disc.names:
        for part in name.split("/"):
            assert re.fullmatch(r"[A-Z0-9_]{1,8}(\.[A-Z0-9_]{1,3})?", part), name
    with open_iso(disc.path, where="disc", limits=eib.ReadLimits()) as opened:
        assert not opened.has_joliet
        assert not opened.has_rock_ridge


# What boots


def test_both_boot_cfg_are_one_and_say_what_the_generation_says(disc: Disc) -> None:
    boot_cfg = disc.boot_cfg
    assert disc.read("EFI/BOOT/BOOT.CFG") == disc.read("BOOT.CFG")
    assert boot_cfg.kernel == "/b.b00"
    assert boot_cfg.kernelopt == disc.case.kernelopt
    assert boot_cfg.build == disc.case.build
    assert (boot_cfg.bootstate, boot_cfg.title, boot_cfg.timeout_seconds, boot_cfg.prefix, boot_cfg.updated) == (
        0,
        "Loading ESXi installer",
        5,
        "",
        0,
    )
    keys = [line.partition("=")[0] for line in disc.read("BOOT.CFG").decode().splitlines()]
    assert keys == ["bootstate", "title", "timeout", "prefix", "kernel", "kernelopt", "modules", "build", "updated"]
    assert [finding.code for finding in disc.result.findings] == ["boots-as-stick"]


def expected_modules(image: eib.Image) -> list[tuple[eib.Vib, eib.Payload]]:
    """Every module but the kernel, in order, by the rule as docs/formats.md words it."""
    found = []
    for vib in (entry.vib for entry in image.vibs):
        lines = {platform.product_line for platform in vib.software_platforms}
        if lines == {"esxio"}:
            continue
        found += [(vib, payload) for payload in vib.payloads if payload.type in MODULE_TYPES]

    def key(entry: tuple[eib.Vib, eib.Payload]) -> tuple[object, ...]:
        vib, payload = entry
        has_order = payload.boot_order is not None
        is_descending = has_order and payload.type != "boot"
        name = tuple(-ord(letter) for letter in payload.name.ljust(16, "\0")) if is_descending else payload.name
        rank = (vib.overlay, payload.type != "boot", payload.boot_order if has_order else 1 << 40)
        return (*rank, vib.id, name)

    ordered = sorted(found, key=key)
    assert (ordered[0][1].name, ordered[0][1].type) == ("b", "boot")
    return ordered[1:]


def test_modules_stand_in_the_order_of_stock_discs(disc: Disc) -> None:
    names = [module.file_name.strip("/") for module in disc.boot_cfg.modules]
    archives = disc.case.archives.split()
    modules = expected_modules(disc.image)
    head = disc.case.first_modules.split()

    assert names[: len(head)] == head
    assert names[-len(archives) :] == archives
    assert len(names) == len(modules) + len(archives)
    assert len(set(names)) == len(names)
    for (vib, payload), name in zip(modules, names, strict=False):
        stem = re.sub(r"[^a-z0-9]", "_", payload.name.lower())[:8]
        assert name == payload.vfat_name or name.startswith(f"{stem}.{payload.type[0]}"), (vib.id, payload.name)
    overlays = [name for (vib, _), name in zip(modules, names, strict=False) if vib.overlay]
    assert "xorg.v00" in overlays
    assert names[-len(archives) - len(overlays) : -len(archives)] == overlays


def test_vibs_for_data_processing_units_are_no_modules(disc: Disc) -> None:
    units = [entry.vib for entry in disc.image.vibs if not entry.vib.is_for_host]
    modules = {module.file_name.partition(".")[0].strip("/") for module in disc.boot_cfg.modules}
    theirs = {payload.name for vib in units for payload in vib.payloads}
    only_theirs = theirs - {payload.name for vib in disc.image.host_vibs for payload in vib.payloads}

    assert bool(units) == ("esxiodpt.tgz" in disc.case.archives)
    assert modules.isdisjoint(re.sub(r"[^a-z0-9]", "_", name)[:8] for name in only_theirs)


def test_every_module_is_on_disc_byte_for_byte(disc: Disc) -> None:
    """Each one's bytes are those in the VIB, and their sha-256 is that of the depot's metadata."""
    described = {
        root.findtext("name"): root
        for name in disc.case.depots
        for path, data in zip_members(zip_members(DEPOTS / name)["metadata.zip"]).items()
        if path.startswith("vibs/")
        for root in (xml(data),)
    }
    names = [disc.boot_cfg.kernel, *(module.file_name for module in disc.boot_cfg.modules)]
    kernel = next(
        (entry.vib, payload)
        for entry in disc.image.vibs
        if entry.vib.name == "esx-base"
        for payload in entry.vib.payloads
        if payload.name == "b"
    )
    modules = [kernel, *expected_modules(disc.image)]
    for (vib, payload), name in zip(modules, names, strict=False):
        on_disc = disc.read(name.strip("/").upper())
        stated = [
            checksum.text
            for checksum in described[vib.name].findall(f"payloads/payload[@name='{payload.name}']/checksum")
            if checksum.get("checksum-type") == "sha-256" and checksum.get("verify-process") is None
        ]
        assert on_disc == disc.vib(vib)[payload.name], name
        if len(disc.case.depots) == 1 or vib.vendor == "VMware":
            assert stated == [hashlib.sha256(on_disc).hexdigest()], name
        assert payload.checksum("sha-256") == hashlib.sha256(on_disc).hexdigest()


def test_loaders_and_texts_keep_their_real_names(disc: Disc) -> None:
    base = disc.image.base_vib
    assert base is not None
    payloads = disc.vib(base)
    places = {
        "EFIBOOT.IMG": "efiboot.img",
        "MBOOT.C32": "mboot.c32",
        "MENU.C32": "menu.c32",
        "SAFEBOOT.C32": "safeboot.c32",
        "EFI/BOOT/BOOTX64.EFI": "BOOTx64.EFI",
        "README": "README",
        "OSL.TXT": "osl.txt",
        "UPGRADE/ESXIMAGE.ZIP": "esximage.zip",
        "UPGRADE/METADATA.XML": "metadata.xml",
        "UPGRADE/PRECHECK.PY": "precheck.py",
        "UPGRADE/PREP.PY": "prep.py",
    }
    places |= {f"EFI/BOOT/{name.upper()}": name for name in ("BOOTIA32.EFI", "crypto64.efi") if name in payloads}
    for path, name in places.items():
        assert disc.read(path) == payloads[name], path
    others = {"BOOT.CFG", "EFI/BOOT/BOOT.CFG", "BOOT.CAT", "ISOLINUX.BIN", "ISOLINUX.CFG"}
    modules = {
        name.strip("/").upper() for name in (disc.boot_cfg.kernel, *(m.file_name for m in disc.boot_cfg.modules))
    }
    assert set(disc.names) == {*places, *others, *modules, "UPGRADE/METADATA.ZIP", "UPGRADE/PROFILE.XML"}


def test_the_bios_loader_has_its_table_and_is_whole_otherwise(disc: Disc) -> None:
    """On disc its bytes 8 to 63 say where it is; imgpayld.tgz has it as it was shipped."""
    base = disc.image.base_vib
    assert base is not None
    shipped, on_disc = disc.vib(base)["isolinux.bin"], disc.read("ISOLINUX.BIN")
    words = struct.unpack(f"<{(len(shipped) - 64) // 4}I", shipped[64:])

    assert on_disc[:8] == shipped[:8]
    assert on_disc[64:] == shipped[64:]
    assert struct.unpack("<IIII", on_disc[8:24]) == (
        16,
        own_boot_entries(disc.path)[0].offset // 2048,
        len(shipped),
        sum(words) & 0xFFFFFFFF,
    )
    assert on_disc[24:64] == bytes(40)
    assert shipped in disc.tgz("IMGPAYLD.TGZ").values()


def test_isolinux_starts_mboot_with_boot_cfg(disc: Disc) -> None:
    lines = [line.strip() for line in disc.read("ISOLINUX.CFG").decode().splitlines()]
    assert lines[0] == "DEFAULT menu.c32"
    assert lines[lines.index("KERNEL mboot.c32") :][:2] == ["KERNEL mboot.c32", "APPEND -c boot.cfg"]
    assert any(disc.image.name in line for line in lines)


# The generated archives


def test_imgdb_holds_what_secure_boot_and_the_installer_read(disc: Disc) -> None:
    files = disc.tgz("IMGDB.TGZ")
    stems = {}
    for name, data in files.items():
        if name.startswith("var/db/esximg/vibs/") and name.endswith(".xml"):
            vib = parse_vib_descriptor(data, where=name, max_bytes=len(data))
            stems[vib.id] = (name, vib)

    assert set(stems) == {vib.id for vib in disc.image.host_vibs}
    for vib in disc.image.host_vibs:
        name, normalised = stems[vib.id]
        inside = disc.vib(vib)
        assert files[f"{name}.orig"] == inside["descriptor.xml"]
        assert files.get(f"{name}.sig", b"") == inside["sig.pkcs7"]
        assert normalised == vib
        assert normalised.file is None, "facts about the .vib file belong to depots only"


def test_imgdb_holds_profile_components_and_units(disc: Disc) -> None:
    files = disc.tgz("IMGDB.TGZ")
    folders: dict[str, set[str]] = {}
    for name in files:
        folder, _, base = name.removeprefix("var/db/esximg/").partition("/")
        folders.setdefault(folder, set()).add(base)

    assert folders["profiles"] == {disc.image.name}
    assert folders.get("bulletins", set()) == {f"{e.component.bulletin.id}.xml" for e in disc.image.components}
    assert folders.get("reservedComponents", set()) == {
        f"{component.bulletin.id}.xml" for component in disc.image.reserved_components
    }
    assert len(folders.get("baseimages", ())) == (disc.image.base_image is not None)
    assert len(folders.get("addons", ())) == (disc.image.add_on is not None)


def test_the_profiles_local_names_are_those_on_disc(disc: Disc) -> None:
    """The installer finds each payload by the name that the profile gives it."""
    data = disc.tgz("IMGDB.TGZ")[f"var/db/esximg/profiles/{disc.image.name}"]
    profile = parse_image_profile(data, where="profile", max_bytes=len(data))
    names = {(entry.vib_id, payload): local for entry in profile.vibs for payload, local in entry.local_names}

    assert disc.read("UPGRADE/PROFILE.XML") == data
    assert set(profile.vib_ids) == {vib.id for vib in disc.image.host_vibs}
    assert profile.acceptance_level is disc.image.acceptance_level
    for vib in disc.image.host_vibs:
        inside = disc.vib(vib)
        for payload in vib.payloads:
            if payload.type in MODULE_TYPES:
                assert disc.read(names[vib.id, payload.name].upper()) == inside[payload.name]
    assert len(set(names.values())) == len(names)


def test_imgpayld_holds_what_the_installer_writes_to_disk(disc: Disc) -> None:
    """All payloads that are no tardisks, the kernel and boot modules a second time among them."""
    files = disc.tgz("IMGPAYLD.TGZ")
    expected = {}
    for vib in disc.image.host_vibs:
        inside = disc.vib(vib)
        for payload in vib.payloads:
            if payload.type not in ("vgz", "tgz", "vzstd"):
                expected[payload.type, hashlib.sha256(inside[payload.name]).hexdigest()] = payload.name
    found = {
        (name.removeprefix("var/db/payloads/").partition("/")[0], hashlib.sha256(data).hexdigest())
        for name, data in files.items()
    }
    assert found == set(expected)
    assert files["var/db/payloads/boot/b.b00"] == disc.read("B.B00")
    assert files["var/db/payloads/eltorito_image_efi/efiboot..e00"] == disc.read("EFIBOOT.IMG")


def test_resvibs_holds_the_reserved_vibs(disc: Disc) -> None:
    if "resvibs.tgz" not in disc.case.archives:
        assert "RESVIBS.TGZ" not in disc.names
        return
    files = disc.tgz("RESVIBS.TGZ")
    assert len(disc.image.reserved_vibs) > 1
    assert {name.rpartition("/")[2] for name in files} == {f"{e.vib.id}.vib" for e in disc.image.reserved_vibs}
    for entry in disc.image.reserved_vibs:
        with disc.depot.open_vib(entry.vib) as source:
            assert files[f"var/db/esximg/reservedVibs/{entry.vib.id}.vib"] == source.read()
    assert disc.tgz("BASEMISC.TGZ") == {}


def test_esxiodpt_is_a_depot_of_the_vibs_for_units(disc: Disc, tmp_path: Path) -> None:
    if "esxiodpt.tgz" not in disc.case.archives:
        assert "ESXIODPT.TGZ" not in disc.names
        return
    for name, data in disc.tgz("ESXIODPT.TGZ").items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    units = {entry.vib for entry in disc.image.vibs if not entry.vib.is_for_host}
    with eib.open_depot(tmp_path) as depot:
        assert set(depot.catalog.vibs) == units
        assert depot.catalog.findings == ()
        assert "acme-dpu-tools-esxio" in {vib.name for vib in depot.catalog.vibs}
        for vib in depot.catalog.vibs:
            with depot.open_vib(vib) as mine, disc.depot.open_vib(vib) as theirs:
                assert mine.read() == theirs.read()
    assert {entry.findtext("productId") for entry in xml((tmp_path / "vendor-index.xml").read_bytes())} == {"esxio"}


def test_upgrade_metadata_has_exactly_one_profile(disc: Disc) -> None:
    members = zip_members(disc.read("UPGRADE/METADATA.ZIP"))
    profiles = [data for name, data in members.items() if name.startswith("profiles/")]
    assert profiles == [disc.read("UPGRADE/PROFILE.XML")]
    assert {"vendor-index.xml", "vmware.xml"} <= set(members)
    described = {xml(data).findtext("name") for name, data in members.items() if name.startswith("vibs/")}
    assert described == {vib.name for vib in disc.image.host_vibs}


@pytest.mark.parametrize("name", ["IMGDB.TGZ", "IMGPAYLD.TGZ"])
def test_archives_are_stored_not_compressed(disc: Disc, name: str) -> None:
    """No zlib version shows in them: they are a few bytes longer than what they hold."""
    data = disc.read(name)
    assert data[:2] == b"\x1f\x8b"
    assert data[4:8] == bytes(4)
    assert 0 < len(data) - len(gzip.decompress(data)) < 32 + len(data) // 1000


# The same bytes every time


def test_two_runs_give_the_same_bytes(disc: Disc, tmp_path: Path) -> None:
    with eib.open_depot(*(DEPOTS / name for name in reversed(disc.case.depots))) as depot:
        eib.export_iso(compose_case(disc.case, depot), depot, tmp_path / "again.iso")
    assert (tmp_path / "again.iso").read_bytes() == disc.path.read_bytes()


def test_the_disc_of_a_bundle_is_the_disc_of_its_depots(disc: Disc, tmp_path: Path) -> None:
    """Nothing that a disc needs is lost in a bundle."""
    eib.export_bundle(disc.image, disc.depot, tmp_path / "custom.zip")
    with eib.open_depot(tmp_path / "custom.zip") as depot:
        eib.export_iso(compose_case(disc.case, depot), depot, tmp_path / "again.iso")
    assert (tmp_path / "again.iso").read_bytes() == disc.path.read_bytes()


def test_the_disc_opens_as_a_depot_with_the_same_vibs(disc: Disc) -> None:
    """A disc holds all that its VIBs were made of, reserved ones too."""
    with eib.open_depot(disc.path) as depot:
        has_reserved = "resvibs.tgz" in disc.case.archives
        on_disc = list(disc.image.all_vibs) if has_reserved else list(disc.image.host_vibs)
        assert sorted(depot.catalog.vibs, key=lambda vib: vib.id) == sorted(on_disc, key=lambda vib: vib.id)
        sources = {vib.id: vib for vib in on_disc}
        for vib in depot.catalog.vibs:
            with depot.open_vib(vib) as mine, disc.depot.open_vib(sources[vib.id]) as theirs:
                assert mine.read() == theirs.read(), vib.id


def test_the_disc_of_a_disc_is_the_same_disc(disc: Disc, tmp_path: Path) -> None:
    """A disc that is opened alone holds all that its image was composed of."""
    with eib.open_depot(disc.path) as depot:
        image = compose_case(disc.case, depot)
        assert image.digest == disc.image.digest
        assert eib.validate(image, depot.catalog).errors == ()
        eib.export_iso(image, depot, tmp_path / "again.iso")
    assert (tmp_path / "again.iso").read_bytes() == disc.path.read_bytes()


def test_source_date_epoch_dates_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    with eib.open_depot(DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip") as depot:
        eib.export_iso(eib.compose(depot.catalog, base_image=VERSION), depot, tmp_path / "out.iso")
    data = (tmp_path / "out.iso").read_bytes()
    assert data[16 * 2048 + 813 : 16 * 2048 + 829] == b"2020091312264000"
    with open_iso(io.BytesIO(data), where="disc", limits=eib.ReadLimits()) as disc:
        archive = disc.read("IMGDB.TGZ", max_bytes=1 << 30)
        assert b"2020-09-13T12:26:40" in disc.read("UPGRADE/PROFILE.XML", max_bytes=1 << 20)
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        assert {member.mtime for member in opened} == {1600000000}


# Small images, each with one thing of its own


@final
@attrs.frozen(kw_only=True)
class Workshop:
    """Makes small depots and discs in a folder."""

    folder: Path

    def depot(self, *extra: AuthoredVib, bios: bytes | None = bytes(4096), efi: bytes | None = bytes(4096)) -> Path:
        path = self.folder / "base.zip"
        vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=bios, efi_image=efi)
        write_base_depot(path, VERSION, [*vibs, *extra], overwrite=True)
        return path

    @property
    def target(self) -> Path:
        target = self.folder / "out" / "custom.iso"
        target.parent.mkdir(exist_ok=True)
        return target

    def export(
        self,
        depot_path: Path,
        *,
        allow: tuple[str, ...] = (),
        kickstart: str | Path | bytes | None = None,
        kernel_options: str = "",
    ) -> eib.ExportResult:
        """Export into the target, whatever was exported there before."""
        with eib.open_depot(depot_path) as depot:
            image = eib.compose(depot.catalog, base_image=VERSION)
            return eib.export_iso(
                image,
                depot,
                self.target,
                overwrite=True,
                allow=allow,
                kickstart=kickstart,
                kernel_options=kernel_options,
            )

    def read(self, name: str) -> bytes:
        with open_iso(self.target, where="disc", limits=eib.ReadLimits()) as disc:
            return disc.read(name, max_bytes=1 << 30)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(folder=tmp_path)


@pytest.mark.parametrize(
    ("bios", "efi", "platforms", "missing"),
    [
        pytest.param(bytes(4096), bytes(4096), ["bios", "efi"], [], id="both"),
        pytest.param(None, bytes(4096), ["efi"], ["BIOS"], id="no BIOS loader"),
        pytest.param(bytes(4096), None, ["bios"], ["UEFI"], id="no UEFI loader"),
        pytest.param(None, None, [], ["BIOS", "UEFI"], id="neither"),
    ],
)
def test_a_missing_loader_is_a_finding_and_no_error(
    workshop: Workshop, bios: bytes | None, efi: bytes | None, platforms: list[str], missing: list[str]
) -> None:
    """No loader is invented; an image for one firmware is none the worse for it."""
    path = workshop.depot(bios=bios, efi=efi)
    with eib.open_depot(path) as depot:
        report = eib.validate(eib.compose(depot.catalog, base_image=VERSION), depot.catalog)
    workshop.export(path)

    found = [finding for finding in report.findings if finding.code == "boot-loader-missing"]
    assert [finding.message.partition("no ")[2].split()[0] for finding in found] == missing
    assert {finding.severity for finding in found} <= {eib.Severity.WARNING}
    assert report.is_valid
    entries = own_boot_entries(workshop.target)
    assert [entry.platform for entry in entries] == platforms
    assert [entry.is_default for entry in entries] == [True, False][: len(platforms)]
    with open_iso(workshop.target, where="disc", limits=eib.ReadLimits()) as disc:
        assert ("BOOT.CAT" in disc.files) == bool(platforms)
        assert ("ISOLINUX.BIN" in disc.files) == (bios is not None)


@needs("isoinfo")
def test_isoinfo_agrees_on_a_disc_for_uefi_only(workshop: Workshop) -> None:
    workshop.export(workshop.depot(bios=None))
    said = run("isoinfo", "-d", "-i", workshop.target)
    assert "Arch 239 (Unknown Arch)" in said
    assert "Bootid 88 (bootable)" in said


def test_another_vib_brings_no_loader_in_the_base_images_place(workshop: Workshop) -> None:
    """Its id sorts before that of esx-base; what boots is the base image's all the same."""
    other = small_vib(
        "boot-kit",
        "1.0-1",
        (
            raw_payload("isolinux.bin", b"\1" * 4096, type="boot_iso_bios"),
            raw_payload("efiboot.img", b"\1" * 4096, type="eltorito_image_efi"),
            raw_payload("BOOTx64.EFI", b"\1" * 64, type="boot_loader_efi"),
            raw_payload("osl.txt", b"\1", type="text"),
        ),
    )
    workshop.export(workshop.depot(other))
    assert workshop.read("ISOLINUX.BIN")[64:] == bytes(4096 - 64)
    assert workshop.read("EFIBOOT.IMG") == bytes(4096)
    assert workshop.read("OSL.TXT") == b"An invented licence.\n"
    assert b"\1" not in workshop.read("EFI/BOOT/BOOTX64.EFI")[:8]


def test_a_disc_without_place_for_units_says_what_it_leaves_out(workshop: Workshop) -> None:
    """No stock image before 8.0 has VIBs for them, and no archive of such a disc takes those that somebody adds."""
    before = workshop.export(workshop.depot()).findings
    (finding,) = set(workshop.export(workshop.depot(DPU_VIB)).findings) - set(before)
    assert (finding.code, finding.severity) == ("dpu-vibs-left-out", eib.Severity.INFO)
    assert finding.items == (DPU_VIB.vib.id,)
    with open_iso(workshop.target, where="disc", limits=eib.ReadLimits()) as disc:
        assert not {"ESXIODPT.TGZ", "FORDPUS.V00"} & set(disc.files)


@pytest.mark.parametrize("form", ["bytes", "path", "text"])
def test_a_kickstart_file_goes_on_the_disc_and_into_both_boot_cfg(workshop: Workshop, form: str) -> None:
    path = workshop.folder / "my kickstart.cfg"
    path.write_bytes(KICKSTART)
    forms: dict[str, str | Path | bytes] = {"bytes": KICKSTART, "path": path, "text": str(path)}
    result = workshop.export(workshop.depot(), kickstart=forms[form])

    assert workshop.read("KS_CUST.CFG") == KICKSTART
    assert workshop.read("BOOT.CFG") == workshop.read("EFI/BOOT/BOOT.CFG")
    boot_cfg = parse_boot_cfg(workshop.read("BOOT.CFG"), where="BOOT.CFG")
    assert boot_cfg.kernelopt == "cdromBoot runweasel ks=cdrom:/KS_CUST.CFG"
    assert result.waived == ()


def test_without_a_kickstart_file_there_is_none(workshop: Workshop) -> None:
    workshop.export(workshop.depot())
    with open_iso(workshop.target, where="disc", limits=eib.ReadLimits()) as disc:
        assert "KS_CUST.CFG" not in disc.files
    assert b"ks=" not in workshop.read("BOOT.CFG")


def test_kernel_options_are_appended(workshop: Workshop) -> None:
    workshop.export(workshop.depot(), kernel_options="  systemMediaSize=small ")
    boot_cfg = parse_boot_cfg(workshop.read("BOOT.CFG"), where="BOOT.CFG")
    assert boot_cfg.kernelopt == "cdromBoot runweasel systemMediaSize=small"


@pytest.mark.parametrize("options", ["a\0b", "ks=cdrom:/x\x1b[2J", "quiet\u202e", "a\x7f"])
def test_kernel_options_that_nobody_can_see_are_refused(options: str) -> None:
    """A loader would cut the options there, or a console show something else."""
    with pytest.raises(ModelError, match="no boot loader takes"):
        DiscOptions(kernel_options=options)


@pytest.mark.parametrize(
    "options", ["a\nkernel=/evil", "a\r\nkernel=/evil", "a\u2028kernel=/evil", "a\x0bkernel=/evil"]
)
def test_kernel_options_cannot_smuggle_a_line_in(workshop: Workshop, options: str) -> None:
    workshop.export(workshop.depot(), kernel_options=options)
    lines = workshop.read("BOOT.CFG").decode().splitlines()
    assert [line for line in lines if line.startswith("kernel=")] == ["kernel=/b.b00"]
    assert "kernelopt=cdromBoot runweasel a kernel=/evil" in lines


@pytest.mark.parametrize("name", ["a\nAPPEND -c evil.cfg", "a\r\nAPPEND -c evil.cfg", "a\u2028APPEND -c evil.cfg"])
def test_the_images_name_cannot_smuggle_a_command_in(tmp_path: Path, name: str) -> None:
    with eib.open_depot(DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip") as depot:
        image = eib.compose(depot.catalog, base_image=VERSION, name=name)
        eib.export_iso(image, depot, tmp_path / "out.iso")
    with open_iso(tmp_path / "out.iso", where="disc", limits=eib.ReadLimits()) as disc:
        lines = disc.read("ISOLINUX.CFG", max_bytes=1 << 20).decode().splitlines()
    assert [line.strip() for line in lines if line.strip().startswith("APPEND")] == ["APPEND -c boot.cfg"]


@pytest.mark.parametrize("vibs", [("tools-light", "bnxtnet"), ()], ids=["no kernel", "no VIB"])
def test_an_image_without_kernel_makes_no_disc_even_if_waived(tmp_path: Path, vibs: tuple[str, ...]) -> None:
    """There is nothing that could boot; a bundle need not."""
    with eib.open_depot(DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip") as depot:
        whole = depot.catalog.profile("ESXi-7.0U3g-20328353-standard")
        kept = [entry for entry in whole.vibs if any(f"_{name}_" in entry.vib_id for name in vibs)]
        image = eib.image_from_profile(depot.catalog, attrs.evolve(whole, vibs=kept))
        codes = [finding.code for finding in eib.validate(image).errors]
        assert "no-bootable-base" in codes
        with pytest.raises(eib.IncompatibleImageError, match="no kernel"):
            eib.export_iso(image, depot, tmp_path / "out.iso", allow=codes)
        assert left_in(tmp_path) == {}
        eib.export_bundle(image, depot, tmp_path / "out.zip", allow=codes)
    assert len([name for name in zip_members(tmp_path / "out.zip") if name.endswith(".vib")]) == len(kept)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"# install --firstdisk\nreboot\n", id="only in a comment"),
        pytest.param(b"rootpw install\n", id="not as a command"),
        pytest.param(b"\xff\xfei\0n\0s\0t\0a\0l\0l\0", id="UTF-16"),
    ],
)
def test_a_kickstart_file_that_installs_nothing_is_refused_unless_allowed(workshop: Workshop, script: bytes) -> None:
    path = workshop.depot()
    with pytest.raises(eib.IncompatibleImageError, match="kickstart file has errors") as caught:
        workshop.export(path, kickstart=script)
    assert [finding.code for finding in caught.value.findings] == ["kickstart-no-install"]
    assert left_in(workshop.target.parent) == {}

    result = workshop.export(path, kickstart=script, allow=("kickstart-no-install",))
    assert [finding.code for finding in result.waived] == ["kickstart-no-install"]
    assert workshop.read("KS_CUST.CFG") == script


def test_a_kickstart_file_with_windows_line_ends_is_a_warning(workshop: Workshop) -> None:
    result = workshop.export(workshop.depot(), kickstart=KICKSTART.replace(b"\n", b"\r\n"))
    assert [(finding.code, finding.severity) for finding in result.findings if finding.where] == [
        ("kickstart-line-ends", eib.Severity.WARNING)
    ]


def test_a_kickstart_file_that_is_not_there_is_our_error(workshop: Workshop) -> None:
    path = workshop.depot()
    for missing in (workshop.folder / "none.cfg", workshop.folder):
        with pytest.raises(eib.SourceUnreadableError, match="the file cannot be read") as caught:
            workshop.export(path, kickstart=missing)
        assert caught.value.where == str(missing)
    assert left_in(workshop.target.parent) == {}


# Names


def odd(name: str, *, vfat_name: str = "", kind: str = "") -> AuthoredPayload:
    """A payload with a name that our own maker would not always take."""
    made = vgz_payload(name, {f"odd/of {name}": name.encode()}) if not kind else raw_payload(name, b"odd", type=kind)
    return attrs.evolve(made, payload=attrs.evolve(made.payload, vfat_name=vfat_name))


@pytest.mark.parametrize(
    ("payloads", "mapped"),
    [
        pytest.param([odd("a.b.c")], {"a.b.c": "A_B_C.V00"}, id="dots"),
        pytest.param([odd("A+B")], {}, id="the local-name rule does it already"),
        pytest.param([odd("a.b"), odd("a+b"), odd("a_b")], {"a.b": "A_B0.V00"}, id="taken after mapping"),
        pytest.param([odd("...")], {"...": "___.V00"}, id="dots only"),
        pytest.param([odd("x", vfat_name="Über uns.gzip")], {"x": "_BER_UNS.GZI"}, id="fixed name with anything"),
        pytest.param([odd("x", vfat_name="../../etc/pw")], {"x": "____.___"}, id="fixed name that is a path"),
        pytest.param([odd("x", vfat_name="a --- b")], {"x": "A_____B"}, id="fixed name with the separator"),
        pytest.param([odd("x", vfat_name="boot.cfg")], {"x": "BOOT0.CFG"}, id="name of our own file"),
        pytest.param([odd("x", vfat_name="ks_cust.cfg")], {"x": "KS_CUST0.CFG"}, id="name of the kickstart file"),
        pytest.param([odd("x", vfat_name="imgdb.tgz")], {"x": "IMGDB0.TGZ"}, id="name of an archive"),
        pytest.param([odd("x", vfat_name="efi")], {"x": "EFI0"}, id="name of a folder"),
        pytest.param([odd("x", vfat_name="mboot.c32")], {"x": "MBOOT0.C32"}, id="name of a loader"),
        pytest.param([odd("x", vfat_name="osl.txt")], {"x": "OSL0.TXT"}, id="name of a text"),
        pytest.param(
            [odd("x", vfat_name="z.gz"), odd("y", vfat_name="z.gz")], {"x": "Z0.GZ", "y": "Z0.GZ"}, id="one name twice"
        ),
        pytest.param([odd("efi", kind="text"), odd("upgrade", kind="text")], {}, id="texts named like folders"),
    ],
)
def test_names_that_no_disc_can_hold_are_mapped_everywhere_alike(
    workshop: Workshop, payloads: list[AuthoredPayload], mapped: dict[str, str]
) -> None:
    """On disc, in both boot.cfg, in the profile: one name of its own for each, and a finding."""
    probe = small_vib("probe", "1.0-1", tuple(payloads))
    result = workshop.export(workshop.depot(probe))
    said = {f.items[1]: f.items[2].upper() for f in result.findings if f.items[0] == probe.vib.id}

    if len(payloads) > len(mapped) == 1:
        assert len(said) == 1
    elif "x" in mapped and "y" in mapped:
        assert set(said) < {"x", "y"}
    else:
        assert list(said) == list(mapped)
    assert {finding.code for finding in result.findings} == {"local-name-mapped", "boots-as-stick"}
    with open_iso(workshop.target, where="disc", limits=eib.ReadLimits()) as disc:
        files = set(disc.files)
        boot_cfg = parse_boot_cfg(disc.read("EFI/BOOT/BOOT.CFG", max_bytes=1 << 20), where="BOOT.CFG")
        profile_data = disc.read("UPGRADE/PROFILE.XML", max_bytes=1 << 20)
    listed = [boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)]
    profile = parse_image_profile(profile_data, where="profile", max_bytes=1 << 20)
    names = {(entry.vib_id, payload): local for entry in profile.vibs for payload, local in entry.local_names}
    assert all(re.fullmatch(r"(EFI/BOOT/|UPGRADE/)?[A-Z0-9_]{1,8}(\.[A-Z0-9_]{1,3})?", name) for name in files)
    assert len(set(listed)) == len(listed)
    assert {name.strip("/").upper() for name in listed} <= files
    for made in payloads:
        if made.payload.type == "vgz":
            local = names[probe.vib.id, made.payload.name]
            assert f"/{local}" in listed
            assert workshop.read(local.upper()) == made.data
            assert said.get(made.payload.name, local.upper()) == local.upper()


def test_a_hundred_payloads_of_one_stem_all_have_their_own_name(workshop: Workshop) -> None:
    payloads = tuple(vgz_payload(f"manyfold{number}", {f"m/{number}": b"m"}) for number in range(105))
    workshop.export(workshop.depot(small_vib("many", "1.0-1", payloads)))
    with open_iso(workshop.target, where="disc", limits=eib.ReadLimits()) as disc:
        assert sum(name.startswith("MANYFOL") for name in disc.files) == 105


# Refused rather than wrong


def spoil_payload(vib_name: str, payload_name: str, change: Callable[[bytes], bytes]) -> Callable[[str, bytes], bytes]:
    def edit(name: str, data: bytes) -> bytes:
        if not name.startswith(f"vib20/{vib_name}/"):
            return data
        members = ar_members(data)
        members[payload_name] = change(members[payload_name])
        return render_vib(members)

    return edit


@pytest.mark.parametrize("old", [None, b"an older disc"], ids=["no target", "old target"])
@pytest.mark.parametrize(
    ("payload", "change", "allow"),
    [
        pytest.param("vim", lambda data: bytes([data[0] ^ 1]) + data[1:], (), id="one bit of a module"),
        pytest.param("b", lambda data: data[:-1] + b"\x55", (), id="last byte of the kernel"),
        pytest.param("isolinux.bin", lambda data: b"\1" + data[1:], (), id="the BIOS loader"),
        pytest.param("precheck.py", lambda data: b"P" + data[1:], (), id="an upgrade script"),
        pytest.param("vim", lambda data: data[:-4], ("vib-size-differs",), id="shorter"),
        pytest.param("vim", lambda data: data + b"more", ("vib-size-differs",), id="longer"),
        pytest.param("vim", lambda _: b"", ("vib-size-differs",), id="empty"),
    ],
)
def test_a_corrupt_payload_is_refused(
    workshop: Workshop,
    payload: str,
    change: Callable[[bytes], bytes],
    allow: tuple[str, ...],
    old: bytes | None,
) -> None:
    path = edit_zip(workshop.depot(), workshop.folder / "corrupt.zip", spoil_payload("esx-base", payload, change))
    if old is not None:
        workshop.target.write_bytes(old)
    with pytest.raises(eib.ChecksumMismatchError) as caught:
        workshop.export(path, allow=allow)
    assert caught.value.where == f"VMware_bootbank_esx-base_{VERSION}!{payload}"
    assert caught.value.found != caught.value.expected
    assert left_in(workshop.target.parent) == ({} if old is None else {"custom.iso": old})


def test_a_vib_without_a_payload_that_it_names_is_refused(workshop: Workshop) -> None:
    def edit(name: str, data: bytes) -> bytes:
        if not name.startswith("vib20/esx-base/"):
            return data
        return render_vib({key: value for key, value in ar_members(data).items() if key != "vim"})

    path = edit_zip(workshop.depot(), workshop.folder / "corrupt.zip", edit)
    with pytest.raises(eib.MalformedDocumentError, match="lacks payloads") as caught:
        workshop.export(path, allow=("vib-size-differs",))
    assert caught.value.found == "no member vim"
    assert left_in(workshop.target.parent) == {}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        pytest.param(b"<name>odd-driver<", b"<name>add-driver<", "ACM_bootbank_add-driver", id="another name"),
        pytest.param(b'size="', b'size="1', "another payloads", id="another size"),
        pytest.param(b'name="odd.name"', b'name="add.name"', "another payloads", id="another payload"),
        pytest.param(b">community<", b">certified<", "another acceptance level", id="another acceptance level"),
        pytest.param(
            b"<depends/>", b'<depends><constraint name="x"/></depends>', "another depends", id="another dependency"
        ),
        pytest.param(b"<overlay>false<", b"<overlay>true<", "another overlay", id="suddenly an overlay"),
    ],
)
def test_a_vib_whose_descriptor_is_not_that_of_the_metadata_is_refused(
    workshop: Workshop, old: bytes, new: bytes, found: str
) -> None:
    """What was composed and judged by the metadata is not what a host would read in the VIB."""

    def edit(name: str, data: bytes) -> bytes:
        if not name.startswith("vib20/odd-driver/"):
            return data
        members = ar_members(data)
        assert old in members["descriptor.xml"]
        members["descriptor.xml"] = members["descriptor.xml"].replace(old, new, 1)
        return render_vib(members)

    path = edit_zip(workshop.depot(), workshop.folder / "edited.zip", edit)
    with pytest.raises(eib.ChecksumMismatchError, match="descriptor in the VIB is not") as caught:
        workshop.export(path, allow=("vib-size-differs",))
    assert caught.value.where == "ACM_bootbank_odd-driver_1.0-1vmw.703.0.1"
    assert caught.value.found.startswith(found)
    assert left_in(workshop.target.parent) == {}


@pytest.mark.parametrize(
    ("vib", "payload", "error"),
    [
        pytest.param("esx-base", "isolinux.bin", eib.LimitExceededError, id="BIOS loader"),
        pytest.param("esx-base", "efiboot.img", eib.LimitExceededError, id="UEFI loader"),
        pytest.param("odd-driver", "odd.name", eib.LimitExceededError, id="module"),
    ],
)
def test_a_descriptor_that_claims_a_petabyte_is_refused_before_anything_is_laid_out(
    workshop: Workshop, vib: str, payload: str, error: type[eib.EsxImageError]
) -> None:
    def claim(descriptor: bytes) -> bytes:
        size = payload_sizes_in(descriptor)[payload]
        pattern = rf'(<payload [^>]*name="{re.escape(payload)}"[^>]* size=")({size})"'.encode()
        claimed, count = re.subn(pattern, rb'\g<1>1000000000000000"', descriptor)
        assert count == 1
        return claimed

    def edit(name: str, data: bytes) -> bytes:
        if not name.startswith(f"vib20/{vib}/"):
            return data
        members = ar_members(data)
        return render_vib(members | {"descriptor.xml": claim(members["descriptor.xml"])})

    path = edit_zip(workshop.depot(), workshop.folder / "a.zip", edit)
    edit_zip(
        path,
        workshop.folder / "huge.zip",
        in_metadata(lambda name, data: claim(data) if name.startswith(f"vibs/{vib}-") else data),
    )
    with pytest.raises(error, match=f"payload {payload} is larger than the limit"):
        workshop.export(workshop.folder / "huge.zip", allow=("vib-size-differs",))
    assert left_in(workshop.target.parent) == {}


def test_a_payload_without_a_stated_size_is_refused(workshop: Workshop) -> None:
    def strip(descriptor: bytes) -> bytes:
        return re.sub(rb' size="\d+"', b"", descriptor)

    def edit(name: str, data: bytes) -> bytes:
        if not name.startswith("vib20/odd-driver/"):
            return data
        members = ar_members(data)
        return render_vib(members | {"descriptor.xml": strip(members["descriptor.xml"])})

    path = edit_zip(workshop.depot(), workshop.folder / "a.zip", edit)
    edit_zip(
        path,
        workshop.folder / "unbuilt.zip",
        in_metadata(lambda name, data: strip(data) if name.startswith("vibs/odd-driver-") else data),
    )
    with pytest.raises(eib.InvalidFieldError, match="does not tell the size"):
        workshop.export(workshop.folder / "unbuilt.zip", allow=("vib-size-differs",))


def test_an_image_with_errors_is_refused_and_a_waived_one_says_so(tmp_path: Path) -> None:
    depots = (DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip", DEPOTS / "Acme-flux_1.0.0-1OEM.900.1.0.24000000.zip")
    with eib.open_depot(*depots) as depot:
        image = eib.compose(depot.catalog, eib.read_software_spec(SPECS / "image_u3g_unsatisfiable.json"))
        with pytest.raises(eib.IncompatibleImageError) as caught:
            eib.export_iso(image, depot, tmp_path / "out.iso", allow=["conflict"])
        assert left_in(tmp_path) == {}
        result = eib.export_iso(image, depot, tmp_path / "out.iso", allow=["missing-dependency"])
    (finding,) = caught.value.findings
    assert finding.code == "missing-dependency"
    assert finding.items == ("ACM_bootbank_acme-flux_1.0.0-1OEM.900.1.0.24000000", "vmkapi_9_9_0_0")
    assert result.waived == (finding,)


def test_a_report_of_ones_own_keeps_its_stricter_errors(tmp_path: Path) -> None:
    """A minimum acceptance level is known to the report only."""
    with eib.open_depot(DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip", *DEPOTS.glob("*A08*")) as depot:
        image = eib.compose(depot.catalog, eib.read_software_spec(SPECS / "image_u3g_a08.json"))
        report = eib.validate(image, depot.catalog, minimum_acceptance=eib.AcceptanceLevel.CERTIFIED)
        with pytest.raises(eib.IncompatibleImageError) as caught:
            eib.export_iso(image, depot, tmp_path / "out.iso", report=report)
    assert {finding.code for finding in caught.value.findings} == {"acceptance-too-low"}
    assert left_in(tmp_path) == {}
