"""The first inputs of each target, made from the fixtures and by our own writers.

They are the same on every run: fixed dates, and no other source than this repository.
"""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import importlib
import io
import struct
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz.host_seeds import DEVICES, DRIVER_MAPS, ESXCLI_ANSWERS, HOSTS
from support.document_builders import BulletinBuilder, DepotBuilder, VibBuilder, element, profile_document
from support.small_images import DPU_VIB, base_vibs, write_base_depot

import esximage_builder as eib
from esximage_builder.containers.ar import render_ar
from esximage_builder.containers.cms import sign_detached
from esximage_builder.containers.gzip import stored_gzip
from esximage_builder.containers.iso9660 import IsoFile, lay_out_iso
from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.containers.partition_table import FAT32, Partition, render_boot_record
from esximage_builder.containers.tar_gz import render_tgz
from esximage_builder.containers.vmtar import render_vmtar
from esximage_builder.containers.zip_writer import render_zip
from esximage_builder.documents.vib_description import render_vib_description

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["seeds_of"]

_FIXTURES: Final = Path(__file__).parents[2] / "fixtures"
_DEPOTS: Final = _FIXTURES / "depots"
_WHEN: Final = dt.datetime(2024, 1, 31, tzinfo=dt.UTC)
_VERSION: Final = "8.0.3-0.0.24022510"
_LIMITS: Final = eib.ReadLimits()
_PROJECT: Final = b"""depots = ["a/*.zip"]
lock = "image.lock"
[image]
base = "8.0U3"
components = ["a:1", "b"]
[boot]
tools = false
pxe-hosts = { "00:11" = "c=2" }
"""
_KICKSTART: Final = (
    b"vmaccepteula\ninstall --firstdisk --overwritevmfs\nrootpw --iscrypted x\nnetwork --bootproto=dhcp\nreboot\n"
)

_RICH_VIB: Final = VibBuilder(
    is_pretty=True,
    relationships={
        "depends": element("constraint", name="esx-version", relation=">=", version="8.0.0"),
        "conflicts": element("constraint", name="other"),
        "provides": element("provide", name="acme", version="1.0"),
    },
    payload_attributes={"boot-order": "10"},
).with_appended("<!-- c --><acme-x><in/></acme-x>")


def seeds_of(target: str) -> list[bytes]:
    """Return the first inputs of a target; the same ones each time."""
    return _SEEDS[target]()


@functools.cache
def _depot_documents() -> dict[str, list[bytes]]:
    """Documents of the fixture depots by kind: the two shortest and the middle one of each."""
    found: dict[str, list[bytes]] = {}
    for path in sorted(_DEPOTS.glob("*.zip")):
        for name, data in _members_of(path.read_bytes()).items():
            if name.endswith("metadata.zip"):
                for inner, document in _members_of(data).items():
                    found.setdefault(inner.rpartition("/")[0] or inner, []).append(document)
            elif name.endswith(".xml"):
                found.setdefault(name, []).append(data)
    return {kind: _few(documents) for kind, documents in found.items()}


def _members_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist() if not info.filename.endswith(".vib")}


def _few(documents: list[bytes]) -> list[bytes]:
    by_length = sorted(set(documents), key=lambda document: (len(document), document))
    return [*by_length[:2], *by_length[len(by_length) // 2 :][:1]]


def _documents(*kinds: str) -> Callable[[], list[bytes]]:
    def make() -> list[bytes]:
        documents = _depot_documents()
        return [document for kind in kinds for document in documents.get(kind, [])]

    return make


@functools.cache
def _small_depot() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "depot.zip")
        vibs = base_vibs(_VERSION, kernel=bytes(2000), bios_loader=bytes(range(256)) * 4, efi_image=bytes(2048))
        write_base_depot(path, _VERSION, vibs)
        return path.read_bytes()


@functools.cache
def _outputs() -> dict[str, bytes]:
    """Disc, bundle and lock of a small image."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "depot.zip").write_bytes(_small_depot())
        with eib.open_depot(folder / "depot.zip") as depot:
            image = eib.compose(depot.catalog, base_image=_VERSION)
            eib.export_iso(image, depot, folder / "disc.iso", kickstart=_KICKSTART)
            eib.export_bundle(image, depot, folder / "bundle.zip")
            eib.write_lock(image, depot, folder / "lock.json")
        return {path.name: path.read_bytes() for path in folder.iterdir()}


@functools.cache
def _disc_files() -> dict[str, bytes]:
    with open_iso(io.BytesIO(_outputs()["disc.iso"]), where="disc.iso", limits=_LIMITS) as disc:
        return {path: disc.read(path, max_bytes=1 << 24) for path in disc.files}


def _boot_cfgs() -> list[bytes]:
    return [data for path, data in _disc_files().items() if path.endswith("BOOT.CFG")] + [
        b"bootstate=0\nkernel=b.b00\n"
    ]


def _image_databases() -> list[bytes]:
    return [data for path, data in _disc_files().items() if path == "IMGDB.TGZ"]


def _small_discs() -> list[bytes]:
    files = [
        IsoFile(path="ISOLINUX.BIN", content=bytes(range(256)) * 3),
        IsoFile(path="EFI/BOOT/BOOT.CFG", content=b"x"),
        IsoFile(path="EMPTY", content=b""),
    ]
    discs = []
    for names in ([], files):
        layout = lay_out_iso(
            names, volume_id="X", bios_boot="ISOLINUX.BIN" if names else None, efi_boot=None, timestamp=_WHEN
        )
        disc = io.BytesIO()
        layout.write_skeleton(disc)
        discs.append(disc.getvalue())
    return discs


def _sticks() -> list[bytes]:
    """Sticks much smaller than FAT32 allows, with a file, a folder and an empty file."""
    boot = bytearray(512)
    struct.pack_into("<HBHB", boot, 11, 512, 1, 1, 1)
    struct.pack_into("<II4xI", boot, 32, 20, 1, 2)
    boot[82:90] = b"FAT32   "
    end = 0x0FFFFFFF
    table = struct.pack("<8I", end, end, end, end, 5, end, 0, 0).ljust(512, b"\0")
    root = _fat_entry(b"ESXI", 0x08, 0, 0) + _fat_entry(b"EFI", 0x10, 3, 0) + _fat_entry(b"EMPTY", 0x20, 0, 0)
    folder = _fat_entry(b".", 0x10, 3, 0) + _fat_entry(b"BOOT    CFG", 0x20, 4, 600)
    data = b"".join(part.ljust(512, b"\0") for part in (root, folder, b"x" * 600))
    partition = Partition(kind=FAT32, first_sector=1, sectors=20)
    stick = render_boot_record([partition], signature=1) + bytes(boot) + table + data
    return [stick.ljust(21 * 512, b"\0")]


def _fat_entry(name: bytes, kind: int, cluster: int, size_bytes: int) -> bytes:
    return struct.pack("<11sB8xHHHHI", name.ljust(11), kind, 0, 0, 0, cluster, size_bytes)


def _vmtars() -> list[bytes]:
    files = {"bin/a": b"hello", "etc/empty": b"", "lib/" + "n" * 90: b"x" * 700}
    return [
        render_vmtar(files),
        render_vmtar(files, alignment=4096, with_folders=True),
        render_vmtar({}),
        _unpacked(render_tgz(files.items())),
    ]


def _unpacked(data: bytes) -> bytes:
    return gzip.decompress(data)


def _gzips() -> list[bytes]:
    plain = render_tgz([("a/b.txt", b"hello"), ("n" * 120, b"x")], deflate=True)
    return [stored_gzip(b"hello"), stored_gzip(b""), plain, render_tgz([]), plain + stored_gzip(b"more") + bytes(9)]


def _signatures() -> list[bytes]:
    keys = _FIXTURES / "keys"
    key, certificate = (keys / f"TEST-ONLY-{name}.pem" for name in ("key", "certificate"))
    signed = sign_detached(
        b"<vib/>", key_pem=key.read_bytes(), certificate_pem=certificate.read_bytes(), signed_at=_WHEN
    )
    return [signed, signed + signed, b""]


def _keys() -> list[bytes]:
    keys = _FIXTURES / "keys"
    return [b"".join(path.read_bytes() for path in sorted(keys.glob("*.pem")))]


def _zstd_frames() -> list[bytes]:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            zstd = importlib.import_module(name)
        except ImportError:
            continue
        return [zstd.compress(b""), zstd.compress(b"hello " * 50), zstd.compress(b"a") + zstd.compress(b"b")]
    return [b"\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello"]


def _vibs() -> list[bytes]:
    loose = (_DEPOTS / "homelab-tweaks-1.0.0-1.vib").read_bytes()
    return [loose, _RICH_VIB.vib(), render_ar([("descriptor.xml", b"<vib/>"), ("sig.pkcs7", b"")])]


def _zips() -> list[bytes]:
    return [
        render_zip([("index.xml", b"<x/>"), ("a/b", b"y" * 100)]),
        render_zip([("index.xml", b"<x/>"), ("a/b", b"y" * 100)], deflate=True),
        render_zip([]),
    ]


def _depots() -> list[bytes]:
    rich = (
        DepotBuilder(response_bulletins=(BulletinBuilder.of(_RICH_VIB).with_(id="legacy", component=None),))
        .with_vibs(_RICH_VIB, VibBuilder(name="other"))
        .with_metadata_file("profiles/p.xml", profile_document(vib_ids=[_RICH_VIB.id]))
        .with_metadata_file("addons/a.json", b'{"releaseID":"ACME:1.0","components":{"Acme-net-acme":"1.0"}}')
    )
    flux = (_DEPOTS / "Acme-flux_1.0.0-1OEM.900.1.0.24000000.zip").read_bytes()
    return [rich.zip(), rich.zip(method=0), flux, *_vibs(), render_zip([("depot.zip", rich.zip())])]


def _words() -> list[bytes]:
    return [
        b"2024-01-31T00:00:00.000001+00:00\n2024-01-31T00:00:00Z\na/b.xml\n../x\nBOOT.CFG;1\n",
        b"baseimages/x.json\naddOns/\nEFI/BOOT/BOOTX64.EFI\nKS_CUST.CFG\nvar/db/esximg\n",
    ]


_SEEDS: Final[dict[str, Callable[[], list[bytes]]]] = {
    "ar": _vibs,
    "boot_info_table": lambda: [bytes(range(256)), bytes(64), b""],
    "cms": _signatures,
    "cms_signing": _keys,
    "gzip": _gzips,
    "iso_layout": lambda: [b"A.TXT\nEFI/BOOT/BOOT.CFG\nS.V00", b""],
    "iso_reader": _small_discs,
    "json": lambda: [b'{"a":[1,2.5,null,true,"\\u00e9"],"b":{"c":""}}', b"{}"],
    "tar_gz": lambda: [*_gzips(), *_image_databases()],
    "tar_head": lambda: [*_gzips(), *_vmtars()],
    "vmtar": _vmtars,
    "xml": lambda: [_RICH_VIB.metadata(), b"<vib a='1'>true<x name='n'>5</x><!--c-->z</vib>"],
    "xml_raw": lambda: [b"<a b='c'>d<e/></a>", b"text"],
    "zip": _zips,
    "zstd": _zstd_frames,
    "boot_cfg": _boot_cfgs,
    "bulletin": _documents("bulletins"),
    "index": _documents("index.xml"),
    "vendor_index": _documents("vendor-index.xml"),
    "image_profile": _documents("profiles"),
    "kickstart": lambda: [_KICKSTART, b"ks=cdrom:/KS.CFG nofb\nKS.CFG BOOT.CFG"],
    "lock_file": lambda: [_outputs()["lock.json"]],
    "metadata_response": _documents("vmware.xml"),
    "release_unit": _documents("baseimages", "addons", "solutions", "manifests"),
    "software_spec": lambda: [path.read_bytes() for path in sorted((_FIXTURES / "specs").glob("*.json"))],
    "vib_head": _vibs,
    "vib_payloads": _vibs,
    "vib_descriptor": lambda: [_RICH_VIB.metadata(), *_depot_documents()["vibs"]],
    "words": _words,
    "open_depot": _depots,
    "read_image_database": _image_databases,
    "verify_bundle": lambda: [*_depots()[:3], _outputs()["bundle.zip"]],
    "verify_iso": lambda: [_outputs()["disc.iso"], *_small_discs()],
    "verify_vib": _vibs,
    "vib_metadata": lambda: [_RICH_VIB.metadata(), *_depot_documents()["vibs"]],
    "toml": lambda: [b'name = "a"\n[x]\ny = [1, 2.5, true, 2024-01-31]\n'],
    "file_tree": _vmtars,
    "vib_description": lambda: [render_vib_description(DPU_VIB.vib)],
    "project_file": lambda: [_PROJECT],
    "esxcli": lambda: ESXCLI_ANSWERS,
    "host_inventory": lambda: HOSTS,
    "pci_list": lambda: DEVICES,
    "driver_map": lambda: DRIVER_MAPS,
    "json_value": lambda: [b'[1, {"a": null}]', b'"x"'],
    "extract_vib": _vmtars,
    "isolinux_cfg": lambda: [data for path, data in _disc_files().items() if path == "ISOLINUX.CFG"],
    "disc_account": _small_discs,
    "stick": _sticks,
}
