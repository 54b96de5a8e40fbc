"""The network boot tree: what stands in it, what boot.cfg says, when it is refused, and that it boots."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, final

import attrs
import boot_harness
import pytest
from bootable import KICKSTART, arrivals_from_tree, network_tree
from edited import ar_members, edit_zip, render_vib
from images import base_vibs, small_vib, write_base_depot

import esximage_builder as eib
from esximage_builder.authoring.vib import raw_payload, tgz_payload
from esximage_builder.formats.boot_cfg import BootCfg, parse_boot_cfg
from esximage_builder.formats.iso9660_reader import open_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from esximage_builder.authoring.vib import AuthoredVib

VERSION = "7.0.3-0.55.20328353"
ADDRESS = "http://server/esxi"


def files_of(tree: Path) -> dict[str, bytes]:
    """Everything below a folder, hidden files too."""
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


@final
@attrs.frozen(kw_only=True)
class Workshop:
    """A small image and a folder for what is made of it."""

    folder: Path
    depot: eib.Depot
    image: eib.Image

    @property
    def target(self) -> Path:
        return self.folder / "out" / "tree"

    @property
    def left(self) -> list[str]:
        """What stands beside the tree and in it."""
        return sorted(path.relative_to(self.target.parent).as_posix() for path in self.target.parent.rglob("*"))

    def export(self, **options: Any) -> eib.ExportResult:
        return eib.export_pxe(self.image, self.depot, self.target, **options)

    def export_iso(self, **options: Any) -> eib.ExportResult:
        return eib.export_iso(self.image, self.depot, self.folder / "out.iso", **options)

    @property
    def files(self) -> dict[str, bytes]:
        return files_of(self.target)

    @property
    def boot_cfg(self) -> BootCfg:
        return parse_boot_cfg(self.files["boot.cfg"], where="boot.cfg")

    @property
    def disc_files(self) -> dict[str, bytes]:
        with open_iso(self.folder / "out.iso", where="disc", limits=eib.ReadLimits()) as disc:
            return {name: disc.read(name, max_bytes=1 << 30) for name in disc.files}


WEASEL = small_vib(
    "weaselin-installer", "1.0-1", (tgz_payload("weaselin", {"weasel/__init__": b"invented"}),), vendor="VMware"
)
_BASE_VIBS = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))
VIBS = [*_BASE_VIBS[:-1], WEASEL, _BASE_VIBS[-1]]


def make_workshop(folder: Path, vibs: list[AuthoredVib]) -> Workshop:
    path = folder / "base.zip"
    write_base_depot(path, VERSION, vibs)
    (folder / "out").mkdir()
    depot = eib.open_depot(path)
    return Workshop(folder=folder, depot=depot, image=eib.compose(depot.catalog, base_image=VERSION))


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = make_workshop(tmp_path, VIBS)
    with made.depot:
        yield made


# What stands in the tree


def test_the_tree_is_the_disc_in_lower_case_without_what_only_discs_have(workshop: Workshop) -> None:
    workshop.export(prefix="/esxi")
    workshop.export_iso()
    disc = {name.lower(): data for name, data in workshop.disc_files.items()}
    tree = workshop.files

    only_disc = {name for name in disc if name.startswith("upgrade/")}
    only_disc |= {"isolinux.cfg", "isolinux.bin", "efiboot.img", "boot.cat"}
    assert disc.keys() - tree.keys() == only_disc
    assert tree.keys() - disc.keys() == {"mboot.efi", "boot.ipxe"}
    assert {name for name in tree.keys() & disc.keys() if tree[name] != disc[name]} == {
        "boot.cfg", "efi/boot/boot.cfg", 
    }  # fmt: skip
    assert {"mboot.c32", "efi/boot/bootx64.efi", "osl.txt", "b.b00", "tools.t00", "imgdb.tgz"} <= tree.keys()
    assert all(name == name.lower() for name in tree)


def test_the_uefi_loader_stands_beside_boot_cfg_too(workshop: Workshop) -> None:
    workshop.export()
    files = workshop.files
    assert files["mboot.efi"] == files["efi/boot/bootx64.efi"] != b""


def test_boot_cfg_names_the_files_of_the_tree_without_slashes(workshop: Workshop) -> None:
    workshop.export(prefix="/esxi")
    workshop.export_iso()
    on_disc = parse_boot_cfg(workshop.disc_files["BOOT.CFG"], where="disc")
    boot_cfg = workshop.boot_cfg

    names = [boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)]
    assert names == [name.lstrip("/") for name in (on_disc.kernel, *(line.file_name for line in on_disc.modules))]
    assert set(names) <= workshop.files.keys()
    assert names[-4:] == ["imgdb.tgz", "basemisc.tgz", "resvibs.tgz", "imgpayld.tgz"]
    assert not any("/" in name for name in names)
    assert on_disc.kernelopt == "cdromBoot runweasel"
    assert boot_cfg.kernelopt == "runweasel"
    assert (boot_cfg.title, boot_cfg.timeout_seconds, boot_cfg.build) == ("Loading ESXi installer", 5, VERSION)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        pytest.param("esxi", "esxi", id="relative path"),
        pytest.param("/esxi/7.0u3g", "/esxi/7.0u3g", id="absolute path"),
        pytest.param("/", "/", id="root"),
        pytest.param("/esxi/", "/esxi", id="slash at the end"),
        pytest.param("  /esxi\n", "/esxi", id="blanks around"),
        pytest.param("http://server:8080/esxi", "http://server:8080/esxi", id="HTTP"),
        pytest.param("https://server/esxi//", "https://server/esxi", id="slashes at the end"),
        pytest.param("tftp://10.0.0.1/esxi", "tftp://10.0.0.1/esxi", id="TFTP"),
    ],
)
def test_with_a_prefix_both_boot_cfg_are_one(workshop: Workshop, prefix: str, expected: str) -> None:
    workshop.export(prefix=prefix)
    assert workshop.files["boot.cfg"] == workshop.files["efi/boot/boot.cfg"]
    assert workshop.boot_cfg.prefix == expected
    assert f"\nprefix={expected}\n".encode() in workshop.files["boot.cfg"]


@pytest.mark.parametrize("prefix", ["", " "])
def test_without_a_prefix_there_is_one_boot_cfg_beside_what_it_names(workshop: Workshop, prefix: str) -> None:
    """The loader takes names from the folder of its boot.cfg: the one in efi/boot would name nothing."""
    workshop.export(prefix=prefix)
    assert workshop.boot_cfg.prefix == ""
    assert sorted(name for name in workshop.files if name.startswith("efi/")) == ["efi/boot/bootx64.efi"]


@pytest.mark.parametrize("prefix", ["a b", "a\nkernel=evil", "a\tb", "a\u2028b", "a\0b", "a\x1b[2J"])
def test_a_prefix_that_the_loader_would_read_otherwise_is_refused(workshop: Workshop, prefix: str) -> None:
    with pytest.raises(eib.ModelError, match="prefix"):
        workshop.export(prefix=prefix)
    assert workshop.left == []


# iPXE


@pytest.mark.parametrize(
    ("prefix", "folder"),
    [
        pytest.param("", "", id="none"),
        pytest.param("/esxi", "", id="path"),
        pytest.param(ADDRESS, f"{ADDRESS}/", id="address"),
    ],
)
def test_the_ipxe_script_starts_the_loader_of_the_firmware(workshop: Workshop, prefix: str, folder: str) -> None:
    workshop.export(prefix=prefix)
    assert workshop.files["boot.ipxe"].decode().splitlines() == [
        "#!ipxe",
        "iseq ${platform} efi && goto efi || goto bios",
        ":bios",
        f"kernel {folder}mboot.c32 -c {folder}boot.cfg",
        "boot",
        ":efi",
        f"kernel {folder}mboot.efi -c {folder}boot.cfg",
        "boot",
    ]


def without_payloads(vibs: list[AuthoredVib], *names: str) -> list[AuthoredVib]:
    """The same depot whose esx-base has other payloads for those names."""
    kernel = base_vibs(VERSION, kernel=b"kernel", bios_loader=None, efi_image=None)[0]
    kept = tuple(payload for payload in _payloads_of(kernel) if payload.name not in names)
    return [small_vib("esx-base", VERSION, kept, vendor="VMware"), *vibs[1:]]


def _payloads_of(vib: AuthoredVib) -> list[Any]:
    members = ar_members(vib.data)
    return [
        attrs.evolve(
            raw_payload(payload.name, members[payload.name], type=payload.type),
            **{
                key: value
                for key, value in {"boot_order": payload.boot_order, "vfat_name": payload.vfat_name}.items()
                if value
            },
        )
        for payload in vib.vib.payloads
    ]
