"""Would a server boot this disc and its installer find everything?

Strict where a server or the installer is, and fair to discs that others wrote or packed anew:
what only looks different is no finding, what is not surely known to matter is a warning.

Source: docs/formats.md#boot-cfg, docs/formats.md#boot-layout, docs/formats.md#disc-layout.
"""

from __future__ import annotations

import contextlib
import functools
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.containers.boot_info_table import is_boot_info_table_right
from esximage_builder.containers.iso9660_reader import IsoReader, open_iso
from esximage_builder.depot.disc import is_installer_disc
from esximage_builder.depot.merge import merge_sources
from esximage_builder.depot.sniff import FileKind
from esximage_builder.depot.source import SourceContents, read_disc
from esximage_builder.disc_files import (
    BIOS_LOADER,
    BOOT_CFG,
    EFI_BOOT_CFG,
    EFI_LOADER,
    IMAGE_DATABASE,
    ISOLINUX_CFG,
    UPGRADE_FOLDER,
)
from esximage_builder.documents.boot_cfg import BootCfg, parse_boot_cfg
from esximage_builder.documents.image_profile import parse_image_profile
from esximage_builder.documents.vib_archive import read_vib_head
from esximage_builder.errors import EsxImageError, SourceUnreadableError
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadBudget, ReadLimits
from esximage_builder.rules.boot_layout import boot_modules, generation_of
from esximage_builder.rules.compose import image_from_profile
from esximage_builder.verify.checklist import Certainty, Checklist, require_kind
from esximage_builder.verify.disc_bytes import check_archives, check_disc_bytes
from esximage_builder.verify.vib import check_signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.image import Image
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.verify.checklist import Verification

__all__ = ["verify_disc", "verify_iso"]

_UPGRADE_PROFILE = f"{UPGRADE_FOLDER}/PROFILE.XML"
_NEEDED = {"bios": (ISOLINUX_CFG, BIOS_LOADER), "efi": (EFI_LOADER,)}
_SHOWN = 5


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
    require_kind(path, FileKind.ISO)
    return verify_disc(Path(path), where=str(path), deep=deep, limits=bounds)


def verify_disc(source: Path | BinaryIO, *, where: str, deep: bool, limits: ReadLimits) -> Verification:
    """Verify an installer disc, which is opened once; as ``verify_iso``.

    Args:
        source: Its path, or a seekable binary stream that the caller closes.
        where: How to name it.
        deep: Unpack payloads too.
        limits: Upper bounds.
    """
    checks = Checklist(where)
    with contextlib.ExitStack() as stack:
        try:
            disc = stack.enter_context(open_iso(source, where=where, limits=limits))
        except EsxImageError as error:
            problem = make_finding("disc-damaged", error.message, cause=error.found, remedy=error.hint)
            checks.ask("disc", "is it a sound ISO9660 disc?", Certainty.CONFIRMED, [problem])
            return checks.result("iso")
        checks.ask("disc", "is it a sound ISO9660 disc?", Certainty.CONFIRMED)
        has_table = _check_boot_entries(disc, checks, limits)
        checks.ask("names", "are all names upper case?", Certainty.INFERRED, _lower_case_names(disc))
        boot_cfg = _check_boot_cfg(disc, checks, limits)
        contents = _check_database(disc, checks, stack, limits)
        if contents is not None:
            _check_image(disc, contents, boot_cfg, checks, limits)
            question = "are the archives whole that the boot loader loads?"
            checks.ask("archives", question, Certainty.CONFIRMED, check_archives(disc, limits))
        if contents is not None and contents.profiles:  # without a profile nobody knows the files' names
            depth = "stored and unpacked" if deep else "stored"
            damage = check_disc_bytes(contents, boot_cfg, limits=limits, deep=deep, has_table=has_table)
            question = f"are all payloads there, and what their checksums say ({depth})?"
            checks.ask("bytes", question, Certainty.CONFIRMED, damage)
    return checks.result("iso")


# How the disc boots


def _lower_case_names(disc: IsoReader) -> list[Finding]:
    """Look at the names as they stand in directory records; the reader gives them in upper case."""
    try:
        names = list(disc.recorded_names())
    except EsxImageError as error:
        return [_unreadable("the directories", error)]
    lower = tuple(name.decode("latin-1").partition(";")[0] for name in names if name != name.upper())
    if not lower:
        return []
    message = f"{len(lower)} names are not upper case; some boot loaders will not find them"
    return [make_finding("name-not-upper-case", message, items=lower[:_SHOWN])]


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
    checks.ask("boot-entries", "does it boot with BIOS and UEFI?", Certainty.CONFIRMED, problems)
    needed = [path for platform in sorted(platforms & _NEEDED.keys()) for path in _NEEDED[platform]]
    files = []
    if "bios" in platforms and ISOLINUX_CFG in disc.files:
        try:
            needed += _menu_files(disc, limits)
        except EsxImageError as error:
            files.append(_unreadable(ISOLINUX_CFG, error))
    files += [
        make_finding("boot-file-missing", f"{path} is not there", items=(path,))
        for path in dict.fromkeys(needed)
        if path not in disc.files
    ]
    checks.ask("boot-files", "is what the boot loaders load there?", Certainty.CONFIRMED, files)
    return _check_boot_info_table(disc, checks, limits)


def _menu_files(disc: IsoReader, limits: ReadLimits) -> list[str]:
    """Return the menu program that ``isolinux.cfg`` starts, by its name on the disc."""
    text = disc.read(ISOLINUX_CFG, max_bytes=limits.document_bytes).decode("utf-8", errors="replace")
    return [name.upper() for name in re.findall(r"(?im)^\s*(?:default|ui)\s+/?(\w+\.c32)\s*$", text)]


def _check_boot_info_table(disc: IsoReader, checks: Checklist, limits: ReadLimits) -> bool | None:
    """The table in the BIOS loader is expected: its values are checked, not that it is there."""
    loader = next((entry for entry in disc.boot_entries if entry.platform == "bios" and entry.path is not None), None)
    if loader is None or loader.path is None:
        return None
    try:
        content = disc.read(loader.path, max_bytes=limits.document_bytes)
        is_right = is_boot_info_table_right(content, offset=loader.offset)
    except EsxImageError:
        is_right = False
    problem = make_finding(
        "boot-info-table-wrong",
        f"the boot information table of {loader.path} does not say where it is",
        items=(loader.path,),
        cause="the disc was packed without `-boot-info-table`, or the loader is damaged",
        remedy="build the disc anew; copying files to another disc breaks the table",
    )
    question = "does the BIOS loader know where it is on the disc?"
    checks.ask("boot-info-table", question, Certainty.CONFIRMED, [] if is_right else [problem])
    return is_right


def _check_boot_cfg(disc: IsoReader, checks: Checklist, limits: ReadLimits) -> BootCfg | None:
    """Check both ``boot.cfg``, and return the one for BIOS, else the one for UEFI."""
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
    checks.ask("boot-cfg", "are both boot.cfg files there, and equal?", Certainty.CONFIRMED, problems)
    missing = [problem for path, boot_cfg in found.items() for problem in _missing_files(disc, boot_cfg, path)]
    checks.ask("modules", "is every file there that boot.cfg names?", Certainty.CONFIRMED, missing)
    return next(iter(found.values()), None)


def _missing_files(disc: IsoReader, boot_cfg: BootCfg, path: str) -> Iterator[Finding]:
    if not boot_cfg.kernel:
        yield make_finding("boot-module-missing", f"{path} names no kernel", items=(path,))
    for name in (boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)):
        if name and _path_on_disc(name, boot_cfg, path) not in disc.files:
            yield make_finding("boot-module-missing", f"{path} names {name}, which is not there", items=(name,))
    for script in re.findall(r"(?:^|\s)ks=cdrom:/*(\S+)", boot_cfg.kernelopt):
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


# What it installs


def _check_database(
    disc: IsoReader, checks: Checklist, stack: contextlib.ExitStack, limits: ReadLimits
) -> SourceContents | None:
    """Check that the image database can be read, and return what the disc holds."""
    problems = []
    contents = None
    if is_installer_disc(disc):
        try:
            contents = read_disc(disc, stack=stack, limits=limits, budget=ReadBudget(limits))
        except EsxImageError as error:
            message = f"IMGDB.TGZ cannot be read: {error.message}"
            problems.append(make_finding("image-database-damaged", message, cause=error.found, where=error.where))
    else:
        problems.append(
            make_finding("image-database-missing", f"{IMAGE_DATABASE} is not there", items=(IMAGE_DATABASE,))
        )
    if contents is not None and not contents.profiles:
        problems.append(make_finding("image-profile-missing", "the image database has no image profile"))
    checks.ask("image-database", "does the disc have an image database?", Certainty.CONFIRMED, problems)
    if contents is not None:
        unread = [
            make_finding("unreadable-document", error.message, cause=error.found, remedy=error.hint, where=error.where)
            for error in contents.errors
        ]
        question = "can every document of the disc be read, and every reserved VIB?"
        checks.ask("documents", question, Certainty.CONFIRMED, unread)
    return contents


def _check_image(
    disc: IsoReader, contents: SourceContents, boot_cfg: BootCfg | None, checks: Checklist, limits: ReadLimits
) -> None:
    """Compare the image profile with the VIBs and with ``boot.cfg``."""
    catalog, _ = merge_sources([contents])
    profiles = _judged_profiles(disc, contents, checks, limits)
    images = [image_from_profile(catalog, profile) for profile in profiles]
    if images:
        question = "is every VIB of the profile there?"
        checks.ask("vibs", question, Certainty.CONFIRMED, _of_each(_missing_vibs, images))
    if images and boot_cfg is not None:
        question = "are the modules those of the image, in the stock order?"
        order = _of_each(functools.partial(_module_order, boot_cfg), images)
        checks.ask("module-order", question, Certainty.CONFIRMED, order)
        build = _of_each(functools.partial(_other_build, boot_cfg), images)
        checks.ask("build", "does boot.cfg name the image's build?", Certainty.CONFIRMED, build)
    unsigned = _signature_findings(contents, limits)
    checks.ask("signatures", "are VIBs from partner level up signed?", Certainty.CONFIRMED, unsigned)


def _judged_profiles(
    disc: IsoReader, contents: SourceContents, checks: Checklist, limits: ReadLimits
) -> list[ImageProfile]:
    """Return the image profile to judge by: of several the one that the upgrade folder names, else all."""
    profiles = list(dict.fromkeys(contents.profiles))
    if len(profiles) < 2:  # noqa: PLR2004 - one is none too many
        return profiles
    name, why_not = _upgrade_profile_name(disc, limits)
    named = [profile for profile in profiles if profile.name == name]
    said = f"{_UPGRADE_PROFILE} names {name}, which was judged" if named else "all of them were judged"
    problem = make_finding(
        "several-image-profiles",
        f"the image database has {len(profiles)} image profiles; {said}",
        items=tuple(profile.name for profile in profiles),
        cause="" if named else why_not or f"{_UPGRADE_PROFILE} names {name}, which is none of them",
    )
    checks.ask("image-profile", "does the disc have one image profile only?", Certainty.INFERRED, [problem])
    return named or profiles


def _upgrade_profile_name(disc: IsoReader, limits: ReadLimits) -> tuple[str, str]:
    """Return the name of the profile in the upgrade folder; else an empty one, and why."""
    if _UPGRADE_PROFILE not in disc.files:
        return "", f"{_UPGRADE_PROFILE} is not there, and nothing else names one"
    try:
        data = disc.read(_UPGRADE_PROFILE, max_bytes=limits.document_bytes)
        where = f"{disc.where}!{_UPGRADE_PROFILE}"
        return parse_image_profile(data, where=where, max_bytes=limits.document_bytes).name, ""
    except EsxImageError as error:
        return "", f"{_UPGRADE_PROFILE} cannot be read: {error.message}"


def _of_each(check: Callable[[Image], Iterator[Finding]], images: Sequence[Image]) -> list[Finding]:
    """Return what a check finds about each image; of several, each finding says by which profile."""
    if len(images) == 1:
        return list(check(images[0]))
    return [
        attrs.evolve(finding, cause=finding.cause or f"judged by the image profile {image.name}")
        for image in images
        for finding in check(image)
    ]


def _missing_vibs(image: Image) -> Iterator[Finding]:
    for entry in image.missing_vibs:
        message = f"the profile lists {entry.vib_id}, which the disc lacks"
        yield make_finding("vib-missing", message, items=(entry.vib_id,), facts={"vib": entry.vib_id})


def _signature_findings(contents: SourceContents, limits: ReadLimits) -> Iterator[Finding]:
    for vib, location in contents.vibs:
        try:
            with location.tree.open(location.path) as source:
                is_signed = read_vib_head(source, where=location.where, limits=limits).is_signed
        except SourceUnreadableError as error:
            yield _unreadable(f"the signature of {vib.id}", error)
            continue
        except EsxImageError:
            continue  # the check of bytes words it
        yield from check_signed(vib, is_signed=is_signed, where=location.where)


def _module_order(boot_cfg: BootCfg, image: Image) -> Iterator[Finding]:
    profile_vibs = image.profile.vibs if image.profile is not None else ()
    names = {(entry.vib_id, payload): local for entry in profile_vibs for payload, local in entry.local_names}
    expected = [names.get((module.vib.id, module.payload.name), module.local_name) for module in boot_modules(image)]
    expected += generation_of(image.esxi_version).archives
    named = [boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)]
    found = [PurePosixPath(name).name.lower() for name in named]
    left_out = [name for name in expected if name.lower() not in found]
    if left_out:
        shown = ", ".join(left_out[:_SHOWN])
        yield make_finding("boot-module-left-out", f"boot.cfg does not load {shown}", items=tuple(left_out))
    wanted = [name.lower() for name in expected if name.lower() in found]
    if [name for name in found if name in set(wanted)] != wanted:
        yield make_finding("boot-module-order", "boot.cfg loads its modules in another order")


def _other_build(boot_cfg: BootCfg, image: Image) -> Iterator[Finding]:
    version = image.esxi_version
    expected = version.text if version is not None and generation_of(version).has_build else ""
    if expected and boot_cfg.build != expected:
        message = f"boot.cfg says build {boot_cfg.build or '(none)'}, the image is {expected}"
        yield make_finding("boot-cfg-build-differs", message, items=(boot_cfg.build, expected))


def _unreadable(what: str, error: EsxImageError) -> Finding:
    return make_finding(
        "disc-unreadable",
        f"{what} cannot be read: {error.message}",
        cause=error.found,
        remedy=error.hint,
        where=error.where,
    )
