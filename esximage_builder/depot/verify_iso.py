"""Would a server boot this disc and its installer find everything?"""

from __future__ import annotations

import contextlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from esximage_builder.depot.disc import is_installer_disc
from esximage_builder.depot.opening import Depot, open_depot
from esximage_builder.depot.payload_checks import check_vib
from esximage_builder.depot.sniff import FileKind, not_a_depot, sniff
from esximage_builder.depot.verification import Certainty, Checklist
from esximage_builder.errors import DepotError, EsxImageError, NotInDepotError
from esximage_builder.formats.boot_cfg import BootCfg, parse_boot_cfg
from esximage_builder.formats.iso9660 import with_boot_info_table
from esximage_builder.formats.iso9660_reader import IsoReader, open_iso
from esximage_builder.limits import ReadLimits
from esximage_builder.rules.boot_layout import boot_modules, generation_of
from esximage_builder.rules.compose import image_from_profile
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from esximage_builder.depot.verification import Verification
    from esximage_builder.findings import Finding

__all__ = ["verify_iso"]

_BOOT_CFGS = ("BOOT.CFG", "EFI/BOOT/BOOT.CFG")
_BIOS_LOADER = "ISOLINUX.BIN"
_NEEDED = {"bios": ("ISOLINUX.CFG", "MBOOT.C32"), "efi": ("EFI/BOOT/BOOTX64.EFI",)}


def verify_iso(path: str | Path, *, deep: bool = True, limits: ReadLimits | None = None) -> Verification:
    """Verify an installer disc.

    Args:
        path: The ISO.
        deep: Unpack payloads and check those checksums too; False checks stored bytes only.
        limits: Upper bounds; None takes the defaults.

    Returns:
        Checks with findings; damage is a finding, not an exception.

    Raises:
        NotADepotError: The file is no ISO at all.
        SourceUnreadableError: It is missing or cannot be read.
    """
    bounds = limits or ReadLimits()
    sniffed = sniff(path)
    if sniffed.kind is not FileKind.ISO:
        raise not_a_depot(sniffed, str(path))
    checks = Checklist(str(path))
    with contextlib.ExitStack() as stack:
        try:
            disc = stack.enter_context(open_iso(Path(path), where=str(path), limits=bounds))
        except DepotError as error:
            problem = checks.problem("disc-damaged", error.message, remedy=error.hint)
            checks.ask("disc", "is it a sound ISO9660 disc?", Certainty.CONFIRMED, [problem])
            return checks.result("iso")
        checks.ask("disc", "is it a sound ISO9660 disc?", Certainty.CONFIRMED)
        _check_boot_entries(disc, checks)
        boot_cfg = _check_boot_cfg(disc, checks, bounds)
        _check_database(Path(path), disc, boot_cfg, checks, deep=deep, limits=bounds)
    return checks.result("iso")


def _check_boot_entries(disc: IsoReader, checks: Checklist) -> None:
    platforms = {entry.platform for entry in disc.boot_entries if entry.is_bootable}
    missing = [
        checks.problem(
            "boot-entry-missing", f"the disc has no boot entry for {shown}", items=(platform,), is_error=False
        )
        for platform, shown in (("bios", "BIOS"), ("efi", "UEFI"))
        if platform not in platforms
    ]
    if not platforms:
        missing.append(checks.problem("boot-entry-missing", "the disc does not boot at all"))
    checks.ask("boot-entries", "does it boot with BIOS and UEFI?", Certainty.CONFIRMED, missing)
    absent = [
        checks.problem("boot-file-missing", f"{path} is not there", items=(path,))
        for platform in sorted(platforms & _NEEDED.keys())
        for path in _NEEDED[platform]
        if path not in disc.files
    ]
    checks.ask("boot-files", "is what the boot loaders load there?", Certainty.CONFIRMED, absent)
    upper = [path for path in disc.files if path != path.upper()]
    names = [checks.problem("name-not-upper-case", f"{len(upper)} names are not upper case", items=tuple(upper[:5]))]
    checks.ask("names", "are all names upper case?", Certainty.INFERRED, names if upper else [])
    _check_boot_info_table(disc, checks)


def _check_boot_info_table(disc: IsoReader, checks: Checklist) -> None:
    """The table in the BIOS loader is expected: its values are checked, not that it is there."""
    loader = next((entry for entry in disc.boot_entries if entry.platform == "bios" and entry.path is not None), None)
    if loader is None or loader.path is None:
        return
    content = disc.read(loader.path, max_bytes=ReadLimits().document_bytes)
    is_right = len(content) >= _INFO_TABLE_END and with_boot_info_table(content, offset=loader.offset) == content
    problem = checks.problem(
        "boot-info-table-wrong",
        f"the boot information table of {loader.path} does not say where it is",
        items=(loader.path,),
        remedy="build the disc anew; copying files to another disc breaks the table",
    )
    question = "does the BIOS loader know where it is on the disc?"
    checks.ask("boot-info-table", question, Certainty.CONFIRMED, [] if is_right else [problem])


_INFO_TABLE_END = 64


def _check_boot_cfg(disc: IsoReader, checks: Checklist, limits: ReadLimits) -> BootCfg | None:
    contents: dict[str, bytes] = {}
    problems = []
    for path in _BOOT_CFGS:
        try:
            contents[path] = disc.read(path, max_bytes=limits.document_bytes)
        except EsxImageError as error:
            problems.append(checks.problem("boot-cfg-missing", f"{path}: {error.message}", items=(path,)))
    if len(set(contents.values())) > 1:
        problems.append(
            checks.problem(
                "boot-cfg-differs",
                "the two boot.cfg files differ: BIOS and UEFI hosts will boot differently",
                items=_BOOT_CFGS,
                remedy="change both when you change one",
            )
        )
    checks.ask("boot-cfg", "are both boot.cfg files there, and equal?", Certainty.CONFIRMED, problems)
    boot_cfg = None
    missing = []
    try:
        for path, content in contents.items():
            boot_cfg = parse_boot_cfg(content, where=f"{disc.where}!{path}")
            missing += _missing_modules(disc, boot_cfg, path, checks)
    except DepotError as error:
        missing.append(checks.problem("boot-cfg-damaged", error.message, items=(error.where,)))
    checks.ask("modules", "is every file there that boot.cfg names?", Certainty.CONFIRMED, missing)
    return boot_cfg


def _missing_modules(disc: IsoReader, boot_cfg: BootCfg, path: str, checks: Checklist) -> list[Finding]:
    named = [boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)]
    absent = [name for name in named if name.strip("/").upper() not in disc.files]
    options = [word.partition("=")[2] for word in boot_cfg.kernelopt.split() if word.startswith("ks=cdrom:")]
    scripts = [option.removeprefix("cdrom:/") for option in options]
    absent += [script for script in scripts if script not in disc.files]
    return [
        checks.problem("boot-module-missing", f"{path} names {name}, which is not there", items=(name,))
        for name in absent
    ]


def _check_database(
    path: Path, disc: IsoReader, boot_cfg: BootCfg | None, checks: Checklist, *, deep: bool, limits: ReadLimits
) -> None:
    question = "does the disc have an image database?"
    if not is_installer_disc(disc):
        problem = checks.problem("image-database-missing", "IMGDB.TGZ is not there", items=("IMGDB.TGZ",))
        checks.ask("image-database", question, Certainty.CONFIRMED, [problem])
        return
    with open_depot(path, limits=limits, strict=False) as depot:
        unread = [f for f in depot.catalog.findings if f.code in ("unreadable-document", "unreadable-source")]
        if not depot.catalog.profiles:
            unread.append(checks.problem("image-profile-missing", "the database has no image profile"))
        if checks.ask("image-database", question, Certainty.CONFIRMED, unread):
            _check_image(depot, boot_cfg, checks, deep=deep)


def _check_image(depot: Depot, boot_cfg: BootCfg | None, checks: Checklist, *, deep: bool) -> None:
    image = image_from_profile(depot.catalog, depot.catalog.profiles[0])
    missing = [
        checks.problem(
            "vib-missing", f"the profile lists {entry.vib_id}, which the database lacks", items=(entry.vib_id,)
        )
        for entry in image.missing_vibs
    ]
    checks.ask("vibs", "is every VIB of the profile in the database?", Certainty.CONFIRMED, missing)
    unsigned = [
        checks.problem("signature-missing", f"{vib.id} claims to be {vib.acceptance_level.display} but is not signed")
        for vib in image.host_vibs
        if vib.acceptance_level >= AcceptanceLevel.PARTNER and not depot.read_vib_head(vib).is_signed
    ]
    checks.ask("signatures", "are VIBs from partner level up signed?", Certainty.CONFIRMED, unsigned)
    if boot_cfg is not None:
        _check_module_order(depot, boot_cfg, checks)
    damage: list[Finding] = []
    for vib in depot.catalog.vibs:
        try:
            with depot.open_vib(vib) as source:
                damage += check_vib(vib, source, where=depot.where_is(vib), limits=depot.limits, deep=deep)
        except (DepotError, NotInDepotError) as error:
            damage.append(checks.problem("payload-missing", error.message, items=(vib.id,)))
    depth = "stored and unpacked" if deep else "stored"
    checks.ask("bytes", f"are all payloads what their checksums say ({depth})?", Certainty.CONFIRMED, damage)


def _check_module_order(depot: Depot, boot_cfg: BootCfg, checks: Checklist) -> None:
    image = image_from_profile(depot.catalog, depot.catalog.profiles[0])
    names = (
        {(entry.vib_id, payload): local for entry in image.profile.vibs for payload, local in entry.local_names}
        if image.profile is not None
        else {}
    )
    expected = [names.get((module.vib.id, module.payload.name), module.local_name) for module in boot_modules(image)]
    expected += generation_of(image.esxi_version).archives
    named = [boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)]
    found = [PurePosixPath(name).name.lower() for name in named]
    problems = []
    left_out = [name for name in expected if name not in found]
    if left_out:
        message = f"boot.cfg does not load {', '.join(left_out[:5])}"
        problems.append(checks.problem("boot-module-left-out", message, items=tuple(left_out), is_error=False))
    common = [name for name in found if name in set(expected)]
    if common != [name for name in expected if name in set(found)]:
        problems.append(
            checks.problem("boot-module-order", "boot.cfg loads its modules in another order", is_error=False)
        )
    question = "are the modules those of the image, in the stock order?"
    checks.ask("module-order", question, Certainty.CONFIRMED, problems)
