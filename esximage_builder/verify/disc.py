"""Would a server boot this disc and its installer find everything?

Strict where a server or the installer is, and fair to discs that others wrote or packed anew:
what only looks different is no finding, what is not surely known to matter is a warning. A
question whose subject is missing is not asked, and says why.

Source: docs/formats.md#boot-cfg, docs/formats.md#boot-layout, docs/formats.md#disc-layout.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.containers.boot_info_table import is_boot_info_table_right, is_rest_usual
from esximage_builder.containers.cms import require_anchors
from esximage_builder.containers.disc_stick import stick_of
from esximage_builder.containers.iso9660_reader import IsoReader, open_iso
from esximage_builder.depot.sniff import FileKind
from esximage_builder.disc_files import (
    BIOS_LOADER,
    BOOT_CFG,
    EFI_BOOT_CFG,
    EFI_LOADER,
    ISOLINUX_CFG,
)
from esximage_builder.documents.boot_cfg import BootCfg, parse_boot_cfg
from esximage_builder.documents.isolinux_cfg import parse_isolinux_cfg
from esximage_builder.errors import EsxImageError
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadBudget, ReadLimits
from esximage_builder.verify.checklist import Certainty, Checklist, Question, require_kind
from esximage_builder.verify.disc_bytes import disc_unreadable
from esximage_builder.verify.disc_image import NO_BOOT_CFG, Booted, check_installed
from esximage_builder.verify.disc_menu import check_menu
from esximage_builder.verify.disc_volume import check_catalog, check_volume
from esximage_builder.verify.signed import signer_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set as AbstractSet

    from esximage_builder.findings import Finding
    from esximage_builder.verify.checklist import Verification

__all__ = ["verify_disc", "verify_iso"]

_NEEDED = {"bios": (ISOLINUX_CFG, BIOS_LOADER), "efi": (EFI_LOADER,)}
_SHOWN = 5
_QUESTIONS = (
    Question("disc", "is it a sound ISO9660 disc?"),
    Question("boot-entries", "does it boot with BIOS and UEFI?"),
    Question("boot-files", "is what the boot loaders load there?"),
    Question("boot-info-table", "does the BIOS loader know where it is on the disc?"),
    Question("names", "are all names upper case?", Certainty.INFERRED),
    Question("boot-cfg", "are both boot.cfg files there, and equal?"),
    Question("modules", "is every file there that boot.cfg names?"),
    Question("image-database", "does the disc have an image database?"),
    Question("documents", "can every document of the disc be read, and every reserved VIB?"),
    Question("image-profile", "does the disc have one image profile only?", Certainty.INFERRED),
    Question("upgrade", "do upgrade folder, label and boot menu speak of the image that the disc installs?"),
    Question("vibs", "is every VIB of the profile there?"),
    Question("module-order", "are the modules those of the image, in the stock order?"),
    Question("build", "does boot.cfg name the image's build?"),
    Question("signatures", "are VIBs from partner level up signed, and does each signature cover its VIB ({signer})?"),
    Question("archives", "are the archives whole that the boot loader loads?"),
    Question("files", "does every file belong to the image?", Certainty.INFERRED),
    Question("bytes", "are all payloads there, and what their checksums say ({depth})?"),
    Question("stick", "which firmware boots it from a stick, written as it is?"),
)


def verify_iso(
    path: str | Path, *, deep: bool = True, limits: ReadLimits | None = None, anchors: bytes | None = None
) -> Verification:
    """Verify an installer disc.

    Args:
        path: The ISO.
        deep: Unpack payloads and check those checksums too; False checks stored bytes only.
        limits: Upper bounds; None takes the defaults.
        anchors: Certificates to trust, in PEM; None asks of signatures only what they cover.

    Returns:
        Checks with findings; damage is a finding, not an exception.

    Raises:
        NotADepotError: The file is no ISO at all.
        SourceUnreadableError: It is missing or cannot be read.
        ModelError: ``anchors`` are no certificates.
        MissingExtraError: ``anchors`` need the extra ``signatures``, which is not installed.
    """
    require_anchors(anchors)
    bounds = limits or ReadLimits()
    require_kind(path, FileKind.ISO)
    return verify_disc(Path(path), where=str(path), deep=deep, limits=bounds, anchors=anchors)


def verify_disc(
    source: Path | BinaryIO, *, where: str, deep: bool, limits: ReadLimits, anchors: bytes | None = None
) -> Verification:
    """Verify an installer disc, which is opened once; as ``verify_iso``.

    Args:
        source: Its path, or a seekable binary stream that the caller closes.
        where: How to name it.
        deep: Unpack payloads too.
        limits: Upper bounds.
        anchors: Certificates to trust.
    """
    checks = Checklist(where, _questions(deep=deep, anchors=anchors))
    with contextlib.ExitStack() as stack:
        try:
            disc = stack.enter_context(open_iso(source, where=where, limits=limits))
        except EsxImageError as error:
            problem = make_finding("disc-damaged", error.message, cause=error.found, remedy=error.hint)
            checks.answer("disc", [problem])
            checks.leave_unasked("the disc cannot be read")
            return checks.result("iso")
        checks.answer("disc", check_volume(disc, limits))
        _tell_of_stick(disc, checks)
        has_table = _check_boot_entries(disc, checks, limits)
        checks.answer("names", _lower_case_names(disc))
        boot_cfgs = _check_boot_cfg(disc, checks, limits)
        boot_cfg = next(iter(boot_cfgs.values()), None)
        booted = Booted(
            disc=disc,
            boot_cfg=boot_cfg,
            has_table=has_table,
            named=frozenset(_named(boot_cfgs)),
            budget=ReadBudget(limits, disc.size_bytes),
            anchors=anchors,
        )
        check_installed(booted, checks, stack, limits, deep=deep)
    return checks.result("iso")


def _questions(*, deep: bool, anchors: bytes | None) -> Iterator[Question]:
    words = {"depth": "stored and unpacked" if deep else "stored", "signer": signer_words(anchors)}
    for question in _QUESTIONS:
        yield attrs.evolve(question, text=question.text.format(**words))


# How the disc boots


def _lower_case_names(disc: IsoReader) -> list[Finding]:
    """Look at the names as they stand in directory records; the reader gives them in upper case."""
    try:
        names = list(disc.recorded_names())
    except EsxImageError as error:
        return [disc_unreadable("the directories", error)]
    lower = tuple(name.decode("latin-1").partition(";")[0] for name in names if name != name.upper())
    if not lower:
        return []
    message = f"{len(lower)} names are not upper case; some boot loaders will not find them"
    return [make_finding("name-not-upper-case", message, items=lower[:_SHOWN])]


def _tell_of_stick(disc: IsoReader, checks: Checklist) -> None:
    """Answer what the partition table says; no disc needs one."""
    try:
        checks.answer("stick", said=f"{stick_of(disc)}")
    except EsxImageError as error:
        checks.answer("stick", [disc_unreadable("the system area", error)])


def _check_boot_entries(disc: IsoReader, checks: Checklist, limits: ReadLimits) -> bool | None:
    """Check boot catalog and loaders; say whether the BIOS loader's table is right, None without one."""
    bootable = [entry for entry in disc.boot_entries if entry.is_bootable]
    platforms = {entry.platform for entry in bootable}
    problems = [
        make_finding(
            "boot-entry-missing",
            f"the disc has no boot entry for {shown}",
            items=(platform,),
            severity=Severity.WARNING,
        )
        for platform, shown in (("bios", "BIOS"), ("efi", "UEFI"))
        if platform not in platforms
    ]
    if not platforms & _NEEDED.keys():
        problems = [
            make_finding(
                "boot-entry-missing", "the disc does not boot at all", items=("bios", "efi"), severity=Severity.ERROR
            )
        ]
    problems += [
        make_finding(
            "boot-entry-emulated",
            f"the boot entry for {entry.platform} emulates a floppy or hard disk",
            items=(entry.platform,),
            cause="the disc was packed without `-no-emul-boot`",
        )
        for entry in bootable
        if entry.is_emulated and entry.platform in _NEEDED
    ]
    checks.answer("boot-entries", [*problems, *check_catalog(disc)])
    _check_boot_files(disc, platforms, checks, limits)
    return _check_boot_info_table(disc, checks, limits)


def _check_boot_files(disc: IsoReader, platforms: AbstractSet[str], checks: Checklist, limits: ReadLimits) -> None:
    """Check what the loaders load whose platforms have a boot entry."""
    needed = [path for platform in sorted(platforms & _NEEDED.keys()) for path in _NEEDED[platform]]
    files: list[Finding] = []
    if "bios" in platforms and ISOLINUX_CFG in disc.files:
        try:
            menu = parse_isolinux_cfg(
                disc.read(ISOLINUX_CFG, max_bytes=limits.document_bytes), max_bytes=limits.document_bytes
            )
            needed += [menu.menu_program.upper()] if menu.menu_program else []
            files += check_menu(menu)
        except EsxImageError as error:
            files.append(disc_unreadable(ISOLINUX_CFG, error))
    files += [
        make_finding("boot-file-missing", f"{path} is not there", items=(path,))
        for path in dict.fromkeys(needed)
        if path not in disc.files
    ]
    why_not = "" if needed else "the disc has no boot entry, so nothing loads a loader"
    checks.answer("boot-files", files, why_not=why_not)


def _check_boot_info_table(disc: IsoReader, checks: Checklist, limits: ReadLimits) -> bool | None:
    """The table in the BIOS loader is expected: its values are checked, not that it is there."""
    loader = next((entry for entry in disc.boot_entries if entry.platform == "bios" and entry.path is not None), None)
    if loader is None or loader.path is None:
        checks.answer("boot-info-table", why_not="the disc has no boot entry for BIOS that leads to a file")
        return None
    try:
        content = disc.read(loader.path, max_bytes=limits.loader_bytes)
    except EsxImageError as error:
        checks.answer("boot-info-table", [disc_unreadable(loader.path, error)])
        return False
    is_right = is_boot_info_table_right(content, offset=loader.offset)
    problem = make_finding(
        "boot-info-table-wrong",
        f"the boot information table of {loader.path} does not say where it is",
        items=(loader.path,),
        cause="the disc was packed without `-boot-info-table`, or the loader is damaged",
        remedy="build the disc anew; copying files to another disc breaks the table",
    )
    unusual = make_finding(
        "disc-unusual",
        f"the reserved bytes of the boot information table of {loader.path} are not zero",
        items=(loader.path,),
    )
    told = [] if is_rest_usual(content) else [unusual]
    checks.answer("boot-info-table", told if is_right else [problem])
    return is_right


def _check_boot_cfg(disc: IsoReader, checks: Checklist, limits: ReadLimits) -> dict[str, BootCfg]:
    """Check both ``boot.cfg``, and return those that can be read, that for BIOS first."""
    found: dict[str, BootCfg] = {}
    problems = []
    has_efi = any(entry.platform == "efi" for entry in disc.boot_entries)
    for path in (BOOT_CFG, EFI_BOOT_CFG):
        if path not in disc.files:
            message = f"{path} is not there"
            is_needed = path == BOOT_CFG or has_efi
            problems.append(
                make_finding("boot-cfg-missing", message, items=(path,), severity=Severity.ERROR)
                if is_needed
                else make_finding("boot-cfg-missing", message, items=(path,), severity=Severity.WARNING)
            )
            continue
        try:
            content = disc.read(path, max_bytes=limits.document_bytes)
            problems += _control_characters(path, content)
            found[path] = parse_boot_cfg(content, where=f"{disc.where}!{path}", max_bytes=limits.document_bytes)
        except EsxImageError as error:
            message = f"{path} cannot be read: {error.message}"
            problems.append(make_finding("boot-cfg-damaged", message, items=(path,), cause=error.found))
    if len(set(found.values())) > 1:
        problems.append(
            make_finding(
                "boot-cfg-differs",
                "the two boot.cfg files differ: BIOS and UEFI hosts will boot differently",
                items=tuple(found),
                remedy="change both when you change one",
            )
        )
    read = " and ".join(found)
    why_not = f"{read} alone could be read, so there was nothing to compare it with" if found else NO_BOOT_CFG
    checks.answer("boot-cfg", problems, why_not="" if len(found) > 1 else why_not)
    missing = [problem for path, boot_cfg in found.items() for problem in _missing_files(disc, boot_cfg, path)]
    checks.answer("modules", missing, why_not=_why_no_modules(disc, found))
    return found


def _control_characters(path: str, content: bytes) -> Iterator[Finding]:
    """Loaders end a text at the first of these, or do not; nobody can say what such a file tells them."""
    if found := re.search(rb"[^\t-\r -\xff]", content):
        message = f"{path} has a control character"
        yield make_finding("boot-cfg-damaged", message, items=(path,), cause=f"{found[0]!r} at byte {found.start()}")


def _named(boot_cfgs: Mapping[str, BootCfg]) -> Iterator[str]:
    """Yield the paths that ``boot.cfg`` names, in upper case: modules and kickstart files."""
    for path, boot_cfg in boot_cfgs.items():
        for name in (boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)):
            yield _path_on_disc(name, boot_cfg, path)
        yield from (script.upper() for script in _kickstart_files(boot_cfg))


def _kickstart_files(boot_cfg: BootCfg) -> list[str]:
    return re.findall(r"(?:^|\s)ks=cdrom:/*(\S+)", boot_cfg.kernelopt)


def _why_no_modules(disc: IsoReader, found: dict[str, BootCfg]) -> str:
    unread = [path for path in (BOOT_CFG, EFI_BOOT_CFG) if path in disc.files and path not in found]
    if not found:
        return NO_BOOT_CFG
    return f"not of {unread[0]}, which cannot be read" if unread else ""


def _missing_files(disc: IsoReader, boot_cfg: BootCfg, path: str) -> Iterator[Finding]:
    if not boot_cfg.kernel:
        yield make_finding("boot-module-missing", f"{path} names no kernel", items=(path,))
    for name in (boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)):
        if name and _path_on_disc(name, boot_cfg, path) not in disc.files:
            yield make_finding("boot-module-missing", f"{path} names {name}, which is not there", items=(name,))
    for script in _kickstart_files(boot_cfg):
        if script.upper() not in disc.files:
            yield make_finding("kickstart-not-on-disc", f"{path} names {script}, which is not there", items=(script,))
        elif script != script.upper():
            message = f"{path} names {script}, the disc has {script.upper()}"
            yield (
                make_finding("kickstart-path-case", message, items=(script,), severity=Severity.WARNING)
                if disc.has_rock_ridge
                else make_finding("kickstart-path-case", message, items=(script,), severity=Severity.ERROR)
            )


def _path_on_disc(name: str, boot_cfg: BootCfg, path: str) -> str:
    """Return where the loader looks for a file: below the prefix, without one beside ``boot.cfg`` or from the root."""
    folder = boot_cfg.prefix or PurePosixPath(path).parent
    below = name.lstrip("/") if boot_cfg.prefix else name
    return str(PurePosixPath(folder, below)).strip("/").upper()
