"""The network boot tree: what stands in it, what boot.cfg says, and when it is refused.

That it boots is tried in ``tests/boot``.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import attrs
import pytest
from support import boot_harness
from support.boot_cfg_reader import named_files
from support.bootable_images import KICKSTART
from support.changed_depots import DEPOTS, ar_members, edit_zip, render_vib
from support.small_images import base_vibs, small_vib, write_base_depot

import esximage_builder as eib
from esximage_builder.authoring.vib import boot_payload, raw_payload, tgz_payload, vgz_payload
from esximage_builder.cli import app as cli
from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.documents.boot_cfg import BootCfg, parse_boot_cfg

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

    def write(self, medium: str, **options: Any) -> eib.ExportResult:
        """Write the disc, or the tree as it will stand on a web server."""
        return self.export_iso(**options) if medium == "disc" else self.export(prefix=ADDRESS, **options)

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
    assert tree.keys() - disc.keys() == {"mboot.efi", "boot.ipxe", "pxelinux.cfg/default"}
    assert {name for name in tree.keys() & disc.keys() if tree[name] != disc[name]} == {
        "boot.cfg",
        "efi/boot/boot.cfg",
    }
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
        *([f"set 210:string {folder}"] if folder else []),
        f"chain {folder}pxelinux.0 || goto missing",
        "exit",
        ":missing",
        "echo BIOS needs pxelinux.0 of Syslinux 3.86 beside boot.ipxe, or UEFI instead of BIOS.",
        "echo iPXE itself runs mboot.c32 only where it was built with IMAGE_COMBOOT.",
        "sleep 10 ||",
        "exit 1",
        ":efi",
        f"kernel {folder}mboot.efi -c {folder}boot.cfg",
        "boot",
    ]


@pytest.mark.parametrize(
    ("kept", "missing"),
    [pytest.param("boot_com32_bios", "UEFI", id="BIOS only"), pytest.param("boot_loader_efi", "BIOS", id="UEFI only")],
)
def test_the_ipxe_script_says_which_loader_there_is_none_of(tmp_path: Path, kept: str, missing: str) -> None:
    name = {"boot_com32_bios": "mboot.c32", "boot_loader_efi": "BOOTx64.EFI"}[kept]
    base = small_vib(
        "esx-base", VERSION, (boot_payload("b", b"kernel", boot_order=10), raw_payload(name, b"loader", type=kept))
    )
    workshop = make_workshop(tmp_path, [base])
    with workshop.depot:
        workshop.export()
    script = workshop.files["boot.ipxe"].decode()
    assert f"echo This image has no loader for {missing}\nsleep 10 ||\nexit 1\n" in script
    assert script.count("kernel ") + script.count("chain ") == 1
    assert {"mboot.c32", "mboot.efi"} & workshop.files.keys() == {"mboot.efi" if missing == "BIOS" else "mboot.c32"}


# Variants


def test_without_tools_the_tree_has_no_locker_vib(workshop: Workshop) -> None:
    workshop.export(with_tools=False)
    assert "tools.t00" not in workshop.files
    assert not any("tools" in str(module) for module in workshop.boot_cfg.modules)


@pytest.mark.parametrize("medium", ["disc", "tree"])
def test_without_the_installer_esxi_itself_boots(workshop: Workshop, medium: str) -> None:
    if medium == "tree":
        workshop.export(with_installer=False)
        files, boot_cfg = workshop.files, workshop.boot_cfg
    else:
        workshop.export_iso(with_installer=False)
        files = {name.lower(): data for name, data in workshop.disc_files.items()}
        boot_cfg = parse_boot_cfg(files["boot.cfg"], where="disc")
    assert "runweasel" not in boot_cfg.kernelopt
    assert not [name for name in files if name.startswith(("weaselin", "upgrade/"))]
    assert not any("weasel" in str(module) for module in boot_cfg.modules)


def test_with_the_installer_it_is_a_module(workshop: Workshop) -> None:
    workshop.export()
    assert "weaselin.t00" in [module.file_name for module in workshop.boot_cfg.modules]


def test_a_name_that_only_the_tree_has_is_kept_free(tmp_path: Path) -> None:
    """A module named as the copy of the UEFI loader is mapped; on a disc it keeps its name."""
    odd = small_vib("odd", "1.0-1", (vgz_payload("odd", {"a": b"module"}, vfat_name="mboot.efi"),))
    workshop = make_workshop(tmp_path, [VIBS[0], odd])
    with workshop.depot:
        result = workshop.export()
        workshop.export_iso()
    assert workshop.files["mboot.efi"] == workshop.files["efi/boot/bootx64.efi"]
    assert [finding.code for finding in result.findings] == ["local-name-mapped", "network-loaders"]
    assert "MBOOT.EFI" in workshop.disc_files


# Kernel options and kickstart files; both exports take them alike

each_medium = pytest.mark.parametrize("medium", ["tree", "disc"])


def codes(result: eib.ExportResult) -> list[str]:
    usual = {"local-name-mapped", "network-loaders", "boots-as-stick", "kickstart-needs"}
    return [finding.code for finding in result.findings if finding.code not in usual]


@each_medium
def test_kernel_options_are_added_only_when_asked_for_and_named(workshop: Workshop, medium: str) -> None:
    asked = workshop.write(medium, kernel_options=" allowLegacyCPU=true  systemMediaSize=small")
    added = [finding for finding in asked.findings if finding.code == "kernel-options-added"]
    assert [(finding.severity, finding.items) for finding in added] == [
        (eib.Severity.INFO, ("allowLegacyCPU=true", "systemMediaSize=small"))
    ]
    report = eib.render_text_report(workshop.image, eib.validate(workshop.image), results=[asked])
    assert "kernel-options-added: kernel options that no stock disc has: allowLegacyCPU=true" in report


@each_medium
def test_unasked_there_is_no_option_beyond_the_stock_ones(workshop: Workshop, medium: str) -> None:
    assert codes(workshop.write(medium)) == []
    data = workshop.files["boot.cfg"] if workshop.target.exists() else workshop.disc_files["BOOT.CFG"]
    assert set(parse_boot_cfg(data, where="boot.cfg").kernelopt.split()) <= {"runweasel", "cdromBoot"}


def test_kernel_options_stand_after_the_stock_ones(workshop: Workshop) -> None:
    workshop.export(kernel_options="ks=http://server/ks.cfg\nkernel=/evil")
    assert workshop.boot_cfg.kernelopt == "runweasel ks=http://server/ks.cfg kernel=/evil"
    assert workshop.boot_cfg.kernel == "b.b00"


def test_a_kickstart_file_goes_where_the_prefix_says(workshop: Workshop) -> None:
    result = workshop.export(kickstart=KICKSTART, prefix=f"{ADDRESS}/")
    assert workshop.files["ks_cust.cfg"] == KICKSTART
    assert workshop.boot_cfg.kernelopt == f"runweasel ks={ADDRESS}/ks_cust.cfg"
    assert codes(result) == []


@pytest.mark.parametrize("prefix", ["", "/esxi", "tftp://server/esxi"])
def test_a_kickstart_file_without_an_address_is_refused(workshop: Workshop, prefix: str) -> None:
    with pytest.raises(eib.ModelError, match="needs an address as prefix, or one for the file"):
        workshop.export(kickstart=KICKSTART, prefix=prefix)
    assert workshop.left == []


@each_medium
def test_a_kickstart_file_without_the_installer_is_refused(workshop: Workshop, medium: str) -> None:
    with pytest.raises(eib.ModelError, match="without the installer"):
        workshop.write(medium, kickstart=KICKSTART, with_installer=False)
    assert workshop.left == []


@each_medium
def test_a_kickstart_file_that_installs_nothing_is_refused_unless_allowed(workshop: Workshop, medium: str) -> None:
    with pytest.raises(eib.IncompatibleImageError, match="kickstart file has errors"):
        workshop.write(medium, kickstart=b"reboot\n")
    result = workshop.write(medium, kickstart=b"reboot\n", allow=["kickstart-no-install"])
    assert [finding.code for finding in result.waived] == ["kickstart-no-install"]


@each_medium
@pytest.mark.parametrize(
    ("kickstart", "options", "code_of"),
    [
        pytest.param(None, "ks=cdrom:/KS.CFG", ["kickstart-not-on-disc"] * 2, id="nowhere"),
        pytest.param(None, "ks=cdrom:/osl.txt", ["kickstart-not-on-disc", "kickstart-path-case"], id="lower case"),
        pytest.param(None, "ks=cdrom:/OSL.TXT", ["kickstart-not-on-disc", ""], id="on the disc only"),
        pytest.param(KICKSTART, "ks=http://other/ks.cfg", ["kickstart-named-twice"] * 2, id="twice"),
        pytest.param(None, "ks=http://other/ks.cfg", ["", ""], id="elsewhere"),
        pytest.param(None, "ks=usb", ["", ""], id="on a stick"),
    ],
)
def test_a_ks_option_that_leads_nowhere_is_refused_unless_allowed(
    workshop: Workshop, medium: str, kickstart: bytes | None, options: str, code_of: list[str]
) -> None:
    code = code_of[medium == "disc"]
    arguments = {"kickstart": kickstart, "kernel_options": options}
    if code:
        with pytest.raises(
            eib.IncompatibleImageError, match="kernel options have errors, nothing is written"
        ) as caught:
            workshop.write(medium, **arguments)
        assert [finding.code for finding in caught.value.findings] == [code]
        assert not workshop.target.exists()
        assert not (workshop.folder / "out.iso").exists()
    result = workshop.write(medium, **arguments, allow=[code] * bool(code))
    assert [finding.code for finding in result.waived] == [code] * bool(code)
    assert codes(result) == ["kernel-options-added"]


# What must boot has a kernel, whatever is waived


NO_KERNEL = small_vib("esx-base", VERSION, (vgz_payload("s", {"bin/s": b"s"}, boot_order=100),))
KERNEL_IN_AN_OVERLAY = small_vib("esx-base", VERSION, (boot_payload("b", b"kernel", boot_order=10),), overlay=True)


@each_medium
@pytest.mark.parametrize(
    "base", [pytest.param(NO_KERNEL, id="no kernel"), pytest.param(KERNEL_IN_AN_OVERLAY, id="kernel in an overlay")]
)
def test_a_driver_never_becomes_the_kernel(tmp_path: Path, medium: str, base: AuthoredVib) -> None:
    workshop = make_workshop(tmp_path, [base, *VIBS[1:]])
    with workshop.depot:
        allow = [finding.code for finding in eib.validate(workshop.image, workshop.depot.catalog).errors]
        with pytest.raises(eib.IncompatibleImageError, match="no kernel and would not boot") as caught:
            workshop.write(medium, allow=[*allow, "no-bootable-base"])
        assert [finding.code for finding in caught.value.findings] == ["no-bootable-base"]
        assert workshop.left == []
        assert not (tmp_path / "out.iso").exists()
        eib.export_bundle(workshop.image, workshop.depot, tmp_path / "out.zip", allow=[*allow, "no-bootable-base"])


# The target folder


def test_a_folder_that_is_empty_is_taken(workshop: Workshop) -> None:
    workshop.target.mkdir()
    result = workshop.export()
    assert result.path == workshop.target
    assert result.image_digest == workshop.image.digest
    assert result.size_bytes == sum(map(len, workshop.files.values()))
    assert [path.name for path in workshop.target.parent.iterdir()] == ["tree"]


def test_files_and_folders_have_the_usual_modes(workshop: Workshop) -> None:
    """A server runs as another user; a temporary folder is born private."""
    (workshop.folder / "usual").mkdir()
    (workshop.folder / "usual" / "file").touch()
    workshop.export()
    for ours, usual in ((".", "."), ("efi", "."), ("boot.cfg", "file"), ("mboot.efi", "file")):
        assert (workshop.target / ours).stat().st_mode == (workshop.folder / "usual" / usual).stat().st_mode


def test_two_runs_give_the_same_bytes(workshop: Workshop) -> None:
    workshop.export(prefix=ADDRESS, kickstart=KICKSTART)
    again = attrs.evolve(workshop, folder=workshop.folder / "again")
    again.target.parent.mkdir(parents=True)
    again.export(prefix=ADDRESS, kickstart=KICKSTART)
    assert again.files == workshop.files


def a_file(target: Path) -> None:
    target.write_bytes(b"old")


def a_folder_with_a_file(target: Path) -> None:
    target.mkdir()
    (target / ".hidden").write_bytes(b"old")


def a_link_to_a_folder(target: Path) -> None:
    (target.parent / "elsewhere").mkdir()
    target.symlink_to(target.parent / "elsewhere", target_is_directory=True)


@pytest.mark.parametrize("put", [a_file, a_folder_with_a_file, a_link_to_a_folder], ids=lambda put: put.__name__)
def test_what_is_there_already_is_left_alone(workshop: Workshop, put: Callable[[Path], None]) -> None:
    put(workshop.target)
    before = workshop.left
    with pytest.raises(eib.ExportError, match="the target is there already") as caught:
        workshop.export()
    assert caught.value.where == str(workshop.target)
    assert workshop.left == before


@pytest.mark.parametrize("name", ["missing/tree", "a\0b", "file/tree", "n" * 300])
def test_an_impossible_target_is_our_error(workshop: Workshop, name: str) -> None:
    (workshop.target.parent / "file").touch()
    with pytest.raises(eib.ExportError):
        eib.export_pxe(workshop.image, workshop.depot, workshop.target.parent / name)
    assert workshop.left == ["file"]


# Faults


def test_a_full_disk_at_any_file_leaves_nothing(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    count = fails_at = 0

    def fsync(_handle: int) -> None:
        nonlocal count
        count += 1
        if count > fails_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        for fails_at in (0, 1, 2, 5, 10, 15, 20):  # noqa: B007 - fsync reads it
            count = 0
            with pytest.raises(eib.ExportError, match="No space left on device"):
                workshop.export(prefix="/esxi")
            assert workshop.left == []
    workshop.export(prefix="/esxi")
    assert len(workshop.files) > 20


def test_an_interrupt_at_any_progress_leaves_nothing(workshop: Workshop) -> None:
    calls: list[int] = []
    workshop.export(progress=lambda _stage, done, _total: calls.append(done))
    for stop_at in (calls[0], calls[len(calls) // 2], calls[-1]):

        def stop(_stage: str, done: int, _total: int, *, at: int = stop_at) -> None:
            if done >= at:
                raise KeyboardInterrupt

        other = attrs.evolve(workshop, folder=workshop.folder / f"stopped {stop_at}")
        other.target.parent.mkdir(parents=True)
        with pytest.raises(KeyboardInterrupt):
            other.export(progress=stop)
        assert other.left == []


def test_progress_rises_to_the_total(workshop: Workshop) -> None:
    calls: list[tuple[int, int]] = []
    workshop.export(progress=lambda _stage, done, total: calls.append((done, total)))
    done = [count for count, _ in calls]
    total = calls[-1][1]
    assert done == sorted(done)
    assert {total for _, total in calls} == {total}
    assert done[-2] == done[-1] == total > 0


def test_a_target_that_appears_meanwhile_is_left_alone(workshop: Workshop) -> None:
    def put(_stage: str, _done: int, _total: int) -> None:
        workshop.target.mkdir(exist_ok=True)
        (workshop.target / "mine").touch()

    with pytest.raises(eib.ExportError):
        workshop.export(progress=put)
    assert workshop.left == ["tree", "tree/mine"]


@pytest.mark.parametrize("payload", ["k", "BOOTx64.EFI", "s"])
def test_a_payload_with_other_bytes_is_refused(workshop: Workshop, payload: str) -> None:
    def damage(name: str, data: bytes) -> bytes:
        if not name.endswith(".vib") or "esx-base" not in name:
            return data
        members = ar_members(data)
        members[payload] = bytes([members[payload][0] ^ 1]) + members[payload][1:]
        return render_vib(members)

    damaged = edit_zip(workshop.folder / "base.zip", workshop.folder / "damaged.zip", damage)
    with eib.open_depot(damaged) as depot, pytest.raises(eib.ChecksumMismatchError):
        eib.export_pxe(workshop.image, depot, workshop.target)
    assert workshop.left == []


def test_an_image_with_errors_is_refused_and_a_waived_one_says_so(tmp_path: Path) -> None:
    names = ("VMware-ESXi-7.0U3g-20328353-depot.zip", "Acme-flux_1.0.0-1OEM.900.1.0.24000000.zip")
    with eib.open_depot(*(DEPOTS / name for name in names)) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION, components={"Acme-flux": None})
        with pytest.raises(eib.IncompatibleImageError):
            eib.export_pxe(image, depot, tmp_path / "tree")
        assert not (tmp_path / "tree").exists()
        result = eib.export_pxe(image, depot, tmp_path / "tree", allow=["missing-dependency"])
    assert [finding.code for finding in result.waived] == ["missing-dependency"]


# The command line


def build(workshop: Workshop, *arguments: str | Path) -> int:
    base = ("build", "--depot", workshop.folder / "base.zip", "--base", VERSION)
    return cli.main([str(argument) for argument in (*base, *arguments)])


def test_the_command_line_passes_every_choice_to_tree_and_disc(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    kickstart = workshop.folder / "ks.cfg"
    kickstart.write_bytes(KICKSTART)
    code = build(
        workshop,
        *("--pxe", workshop.target, "--pxe-prefix", ADDRESS, "--iso", workshop.folder / "out.iso"),
        *("--kickstart", kickstart, "--kernel-option", "a=1", "--kernel-option", "b", "--without-tools"),
    )
    assert code == 0
    disc = workshop.disc_files
    on_disc = parse_boot_cfg(disc["BOOT.CFG"], where="disc")
    assert on_disc.kernelopt == "cdromBoot runweasel ks=cdrom:/KS_CUST.CFG a=1 b"
    assert workshop.boot_cfg.kernelopt == f"runweasel ks={ADDRESS}/ks_cust.cfg a=1 b"
    assert workshop.boot_cfg.prefix == ADDRESS
    assert disc["KS_CUST.CFG"] == workshop.files["ks_cust.cfg"] == KICKSTART
    assert not {"tools.t00", "TOOLS.T00"} & {*disc, *workshop.files}
    assert capsys.readouterr().out.count("kernel-options-added") == 2


def test_the_command_line_leaves_the_installer_off(workshop: Workshop) -> None:
    assert build(workshop, "--pxe", workshop.target, "--without-installer") == 0
    assert workshop.boot_cfg.kernelopt == ""
    assert "weaselin.t00" not in workshop.files


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--pxe-prefix", "/esxi"], "--pxe-prefix goes with --pxe only", id="prefix without tree"),
        pytest.param(["--pxe", "out/x", "--iso", "out/x"], "name one file", id="one place for two"),
    ],
)
def test_the_command_line_refuses_what_cannot_be_meant(
    workshop: Workshop,
    arguments: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(workshop.folder)
    assert build(workshop, *arguments) == 2
    assert says in capsys.readouterr().err
    assert workshop.left == []


# It boots


@pytest.mark.parametrize(
    ("prefix", "name", "expected"),
    [
        pytest.param("", "b.b00", "(tftp,10.0.2.2)/here/b.b00", id="beside boot.cfg"),
        pytest.param("esxi", "b.b00", "(tftp,10.0.2.2)/esxi/b.b00", id="relative to the root"),
        pytest.param("/esxi/", "b.b00", "(tftp,10.0.2.2)/esxi/b.b00", id="absolute"),
        pytest.param("/esxi", "/b.b00", "(tftp,10.0.2.2)/b.b00", id="name with a slash"),
        pytest.param("http://server:8080/a/b", "b.b00", "(http,server:8080)/a/b/b.b00", id="address"),
        pytest.param("tftp://server", "b.b00", "(tftp,server)/b.b00", id="address of a root"),
    ],
)
def test_the_harness_finds_files_as_the_loader_does(prefix: str, name: str, expected: str) -> None:
    text = f"kernel={name}\nprefix={prefix}\nmodules={name} x --- {name}\n"
    lines = boot_harness.grub_network_script(text, folder="/here").splitlines()
    assert [line for line in lines if expected in line] == [
        f"multiboot '{expected}' {name}",
        f"module --nounzip '{expected}' {name} x",
        f"module --nounzip '{expected}' {name}",
    ]
    assert named_files(text) == [name, name]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("modules=a", "no kernel", id="no kernel"),
        pytest.param("kernel=b.b00\nprefix=nfs://server/", "cannot load from", id="a scheme that GRUB has not"),
    ],
)
def test_the_harness_refuses_what_it_cannot_boot(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        boot_harness.grub_network_script(text, folder="/")


# Which loader can load it, and where the kickstart file is


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        pytest.param("", "no prefix: TFTP yes, iPXE yes, HTTP Boot yes", id="none"),
        pytest.param("/esxi", "prefix /esxi: TFTP yes, iPXE unknown, HTTP Boot no", id="path"),
        pytest.param(ADDRESS, f"prefix {ADDRESS}: TFTP no, iPXE yes, HTTP Boot yes", id="HTTP"),
        pytest.param("https://s/x", "prefix https://s/x: TFTP no, iPXE unknown, HTTP Boot yes", id="HTTPS"),
        pytest.param("tftp://s/x", "prefix tftp://s/x: TFTP unknown, iPXE yes, HTTP Boot no", id="TFTP"),
        pytest.param("nfs://s/x", "prefix nfs://s/x: TFTP no, iPXE unknown, HTTP Boot no", id="another"),
    ],
)
def test_a_finding_says_who_can_load_the_tree(workshop: Workshop, prefix: str, expected: str) -> None:
    result = workshop.export(prefix=prefix)
    (finding,) = [finding for finding in result.findings if finding.code == "network-loaders"]
    assert (finding.message, finding.severity) == (expected, eib.Severity.INFO)
    assert finding.cause


def test_a_kickstart_file_may_have_an_address_of_its_own(workshop: Workshop) -> None:
    """Over TFTP the modules are relative, and the installer reads its file by HTTP."""
    result = workshop.export(kickstart=KICKSTART, kickstart_address=f"{ADDRESS}/ks_cust.cfg")
    assert workshop.files["ks_cust.cfg"] == KICKSTART
    assert workshop.boot_cfg.prefix == ""
    assert workshop.boot_cfg.kernelopt == f"runweasel ks={ADDRESS}/ks_cust.cfg"
    (needs,) = [finding for finding in result.findings if finding.code == "kickstart-needs"]
    assert "needs a web server" in needs.message


def test_an_address_alone_points_to_a_file_elsewhere(workshop: Workshop) -> None:
    workshop.export(kickstart_address="ks=nfs://server/ks/a.cfg")
    assert "ks_cust.cfg" not in workshop.files
    assert workshop.boot_cfg.kernelopt == "runweasel ks=nfs://server/ks/a.cfg"


@each_medium
def test_an_address_beside_an_option_is_one_too_many(workshop: Workshop, medium: str) -> None:
    with pytest.raises(eib.IncompatibleImageError) as caught:
        workshop.write(medium, kickstart_address="usb:/KS.CFG", kernel_options="ks=usb")
    assert [finding.code for finding in caught.value.findings] == ["kickstart-named-twice"]


def test_an_address_on_a_disc_must_lead_somewhere(workshop: Workshop) -> None:
    with pytest.raises(eib.IncompatibleImageError) as caught:
        workshop.export_iso(kickstart=KICKSTART, kickstart_address="cdrom:/OTHER.CFG")
    assert [finding.code for finding in caught.value.findings] == ["kickstart-not-on-disc"]
    with pytest.raises(eib.IncompatibleImageError) as caught:
        workshop.export(kickstart_address="cdrom:/KS_CUST.CFG")
    assert [finding.code for finding in caught.value.findings] == ["kickstart-not-on-disc"]
    workshop.export_iso(kickstart=KICKSTART, kickstart_address="cdrom:/KS_CUST.CFG")


def test_an_address_without_the_installer_is_refused(workshop: Workshop) -> None:
    with pytest.raises(eib.ModelError, match="without the installer"):
        workshop.export(kickstart_address=f"{ADDRESS}/ks.cfg", with_installer=False)


# PXELINUX, and hosts with a boot.cfg of their own


def test_pxelinux_starts_mboot_beside_itself(workshop: Workshop) -> None:
    workshop.export()
    assert workshop.files["pxelinux.cfg/default"].decode().splitlines() == [
        "DEFAULT install",
        "NOHALT 1",
        "LABEL install",
        "  KERNEL mboot.c32",
        "  APPEND -c boot.cfg",
        "  IPAPPEND 2",
    ]


HOSTS = {
    "00-50-56-0A-0B-0C": "ks=http://server/one.cfg",
    "00:50:56:01:02:03": "netdevice=vmnic1",
}


def test_a_host_gets_the_boot_cfg_that_its_loader_looks_for(workshop: Workshop) -> None:
    common = "http://server/all.cfg"
    workshop.export(prefix="/esxi", hosts=HOSTS, kickstart_address=common, kernel_options="a=b")
    one = parse_boot_cfg(workshop.files["01-00-50-56-0a-0b-0c/boot.cfg"])
    other = parse_boot_cfg(workshop.files["01-00-50-56-01-02-03/boot.cfg"])
    assert one.kernelopt == "runweasel a=b ks=http://server/one.cfg"
    assert other.kernelopt == f"runweasel ks={common} a=b netdevice=vmnic1"
    assert workshop.boot_cfg.kernelopt == f"runweasel ks={common} a=b"
    assert attrs.evolve(one, kernelopt="") == attrs.evolve(workshop.boot_cfg, kernelopt="")
    assert one.prefix == "/esxi"
    pxelinux = workshop.files["pxelinux.cfg/01-00-50-56-0a-0b-0c"].decode()
    assert "APPEND -c 01-00-50-56-0a-0b-0c/boot.cfg\n" in pxelinux
    script = workshop.files["boot.ipxe"].decode().splitlines()
    assert script[1:4] == [
        "set config boot.cfg",
        "iseq ${mac} 00:50:56:01:02:03 && set config 01-00-50-56-01-02-03/boot.cfg ||",
        "iseq ${mac} 00:50:56:0a:0b:0c && set config 01-00-50-56-0a-0b-0c/boot.cfg ||",
    ]
    assert "kernel mboot.efi -c ${config}" in script


@pytest.mark.parametrize(
    ("hosts", "prefix", "match"),
    [
        pytest.param({"00:50:56:01:02": ""}, "/esxi", "no MAC address", id="too short"),
        pytest.param({"../../etc": ""}, "/esxi", "no MAC address", id="a path"),
        pytest.param({"00:50:56:01:02:03": "", "00-50-56-01-02-03": ""}, "/esxi", "twice", id="twice"),
        pytest.param({"00:50:56:01:02:03": ""}, "", "need a prefix", id="no prefix"),
        pytest.param({"00:50:56:01:02:03": "a\0b"}, "/esxi", "characters", id="a control character"),
    ],
)
def test_hosts_that_cannot_be_are_refused(workshop: Workshop, hosts: dict[str, str], prefix: str, match: str) -> None:
    with pytest.raises(eib.ModelError, match=match):
        workshop.export(prefix=prefix, hosts=hosts)
    assert workshop.left == []
