"""What a disc installs: its image database, its image profile, and the files that hold its VIBs.

Source: docs/formats.md#disc-layout, docs/formats.md#boot-layout.
"""

from __future__ import annotations

import functools
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.containers.iso9660_reader import IsoReader
from esximage_builder.depot.disc import is_installer_disc
from esximage_builder.depot.merge import merge_sources
from esximage_builder.depot.source import SourceContents, read_disc
from esximage_builder.disc_files import IMAGE_DATABASE, ISOLINUX_CFG, UPGRADE_PROFILE
from esximage_builder.documents.boot_cfg import BootCfg
from esximage_builder.documents.image_profile import parse_image_profile
from esximage_builder.documents.isolinux_cfg import parse_isolinux_cfg
from esximage_builder.documents.vib_archive import read_vib_head
from esximage_builder.errors import EsxImageError, SourceUnreadableError
from esximage_builder.rules.boot_layout import boot_modules, generation_of
from esximage_builder.rules.profile_image import image_from_profile
from esximage_builder.streams.blocks import counted_stream
from esximage_builder.verify.disc_bytes import check_archives, check_disc_bytes, disc_unreadable
from esximage_builder.verify.disc_menu import check_menu_words, menu_lines
from esximage_builder.verify.disc_strangers import check_strangers
from esximage_builder.verify.disc_upgrade import check_label, check_upgrade, has_upgrade_folder
from esximage_builder.verify.signed import SignedVibs
from esximage_builder.vocabulary import PayloadType

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Iterator, Sequence

    from esximage_builder.depot.source import VibLocation
    from esximage_builder.findings import Finding
    from esximage_builder.limits import ReadBudget, ReadLimits
    from esximage_builder.models.image import Image
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.vib import Vib
    from esximage_builder.verify.checklist import Checklist

__all__ = ["NO_BOOT_CFG", "Booted", "check_installed"]

_SHOWN = 5
NO_BOOT_CFG = "no boot.cfg could be read"
_NO_PROFILE = "the disc has no image profile that lists VIBs"


@final
@attrs.frozen(kw_only=True)
class Booted:
    """An opened disc, and what is known of how it boots.

    Attributes:
        disc: The disc.
        boot_cfg: The one for BIOS, else the one for UEFI; None if neither can be read.
        has_table: Whether the table in the BIOS loader is right; None without such a loader.
        named: Paths that the boot menu and both ``boot.cfg`` name, in upper case.
        budget: Charged with all that is read and unpacked.
        anchors: Certificates to trust, in PEM; None asks for no trust.
    """

    disc: IsoReader
    boot_cfg: BootCfg | None
    has_table: bool | None
    named: frozenset[str]
    budget: ReadBudget = attrs.field(eq=False)
    anchors: bytes | None = None


def check_installed(
    booted: Booted, checks: Checklist, stack: contextlib.ExitStack, limits: ReadLimits, *, deep: bool
) -> None:
    """Answer all questions that are left: about the image database, and what stands by it."""
    contents = _check_database(booted.disc, checks, stack, booted.budget)
    images = [] if contents is None else _check_image(booted, contents, checks, limits)
    _check_archives(booted, images, checks, is_read=contents is not None)
    if contents is not None:
        _check_upgrade(booted, contents, images, checks, limits)
        _check_files(booted, contents, checks)
        _check_bytes(booted, contents, checks, deep=deep)
    checks.leave_unasked("the image database is missing or cannot be read")


def _check_database(
    disc: IsoReader, checks: Checklist, stack: contextlib.ExitStack, budget: ReadBudget
) -> SourceContents | None:
    """Check that the image database can be read, and return what the disc holds."""
    problems = []
    contents = None
    if is_installer_disc(disc):
        try:
            contents = read_disc(disc, stack=stack, limits=budget.limits, budget=budget)
        except EsxImageError as error:
            message = f"IMGDB.TGZ cannot be read: {error.message}"
            problems.append(make_finding("image-database-damaged", message, cause=error.found, where=error.where))
    else:
        problems.append(
            make_finding("image-database-missing", f"{IMAGE_DATABASE} is not there", items=(IMAGE_DATABASE,))
        )
    if contents is not None and not contents.profiles:
        problems.append(make_finding("image-profile-missing", "the image database has no image profile"))
    problems += [
        make_finding("image-profile-empty", f"image profile {profile.name} lists no VIB", items=(profile.name,))
        for profile in (() if contents is None else dict.fromkeys(contents.profiles))
        if not profile.vibs
    ]
    checks.answer("image-database", problems)
    if contents is not None:
        checks.answer("documents", contents.unread)
    return contents


def _check_image(booted: Booted, contents: SourceContents, checks: Checklist, limits: ReadLimits) -> list[Image]:
    """Compare the image profile with the VIBs and with ``boot.cfg``; return the images that were judged."""
    catalog, _ = merge_sources([contents], budget=booted.budget)
    profiles = _judged_profiles(booted.disc, contents, checks, limits)
    images = [image_from_profile(catalog, profile) for profile in profiles if profile.vibs]
    checks.answer("vibs", _of_each(_missing_vibs, images), why_not="" if images else _NO_PROFILE)
    if booted.boot_cfg is None or not images:
        why_not = NO_BOOT_CFG if booted.boot_cfg is None else _NO_PROFILE
        checks.answer("module-order", why_not=why_not)
        checks.answer("build", why_not=why_not)
    else:
        _check_against_boot_cfg(images, booted.boot_cfg, checks)
    _check_signatures(booted, contents, checks)
    return images


def _check_against_boot_cfg(images: Sequence[Image], boot_cfg: BootCfg, checks: Checklist) -> None:
    """Compare what is judged by the generation of an ESXi version, which must be known."""
    unknown = "".join(f"; that of {image.name} is not known" for image in images if image.esxi_version is None)
    known = [image for image in images if image.esxi_version is not None]
    order = _of_each(functools.partial(_module_order, boot_cfg), images) if len(known) == len(images) else []
    checks.answer("module-order", order, why_not=f"it depends on the ESXi version{unknown}" if unknown else "")
    named = [image for image in known if generation_of(image.esxi_version).has_build]
    build = _of_each(functools.partial(_other_build, boot_cfg), named)
    why_not = "discs before 7.0 name no build" if known else f"it depends on the ESXi version{unknown}"
    checks.answer("build", build, why_not="" if len(named) == len(images) else why_not)


def _check_signatures(booted: Booted, contents: SourceContents, checks: Checklist) -> None:
    """Look for signatures; VIBs that are damaged are named here where the check of bytes is not asked."""
    damaged: list[Finding] = []
    signed = SignedVibs(booted.anchors)
    problems = list(_look_at_signatures(contents, signed, damaged, booted.budget))
    if not _names_files(contents):
        problems += damaged
    why_not = f"not of {len(damaged)} VIBs, which are damaged" if damaged else ""
    signed.answer(checks, "signatures", problems, why_not=why_not if contents.vibs else "the disc has no VIB")


def _check_archives(booted: Booted, images: Sequence[Image], checks: Checklist, *, is_read: bool) -> None:
    """Read the archives to their ends that reading the disc as a depot does not read, and look for all others."""
    versions = [image.esxi_version for image in images if image.esxi_version is not None]
    lines = () if booted.boot_cfg is None else booted.boot_cfg.modules
    loaded = {PurePosixPath(line.file_name).name.upper() for line in lines}
    expected = {name.upper() for version in versions for name in generation_of(version).archives}
    why_not = "" if versions or lines else "neither boot.cfg nor an ESXi version says which there are"
    findings = check_archives(
        booted.disc, booted.budget, loaded=loaded, expected=expected, with_vib_archives=not is_read
    )
    checks.answer("archives", findings, why_not=why_not)


def _check_upgrade(
    booted: Booted, contents: SourceContents, images: Sequence[Image], checks: Checklist, limits: ReadLimits
) -> None:
    """Compare the upgrade folder, the label and the boot menu's words with the images that were judged."""
    profiles = [image.profile for image in images if image.profile is not None]
    if not profiles:
        checks.answer("upgrade", why_not=_NO_PROFILE)
        return
    findings = list(check_label(booted.disc, profiles))
    findings += _menu_words(booted.disc, profiles, limits)
    has_folder = has_upgrade_folder(booted.disc)
    if has_folder:
        findings += check_upgrade(booted.disc, contents, profiles, booted.budget)
    checks.answer("upgrade", findings, why_not="" if has_folder else "the disc has no upgrade folder")


def _menu_words(disc: IsoReader, profiles: Sequence[ImageProfile], limits: ReadLimits) -> list[Finding]:
    """Compare the boot menu with that of each image; one that is too large was told of already."""
    if ISOLINUX_CFG not in disc.files or disc.entry(ISOLINUX_CFG).size_bytes > limits.document_bytes:
        return []
    try:
        data = disc.read(ISOLINUX_CFG, max_bytes=limits.document_bytes)
    except EsxImageError as error:
        return [disc_unreadable(ISOLINUX_CFG, error)]
    menu, lines = parse_isolinux_cfg(data, max_bytes=limits.document_bytes), menu_lines(data)
    found = [list(check_menu_words(lines, menu, profile.name)) for profile in profiles]
    return min(found, key=len)


def _check_files(booted: Booted, contents: SourceContents, checks: Checklist) -> None:
    if not _names_files(contents):
        checks.answer("files", why_not="without an image profile nobody knows the names that payloads have on the disc")
        return
    checks.answer("files", check_strangers(booted.disc, contents, named=booted.named))


def _names_files(contents: SourceContents) -> bool:
    """Tell whether a profile says what the files of payloads are called."""
    return any(profile.vibs for profile in contents.profiles)


def _check_bytes(booted: Booted, contents: SourceContents, checks: Checklist, *, deep: bool) -> None:
    if not _names_files(contents):
        checks.answer("bytes", why_not="without an image profile nobody knows the names that payloads have on the disc")
        return
    damage = check_disc_bytes(contents, booted.boot_cfg, budget=booted.budget, deep=deep, has_table=booted.has_table)
    checks.answer("bytes", damage, why_not="" if contents.vibs else "the disc has no VIB")


def _judged_profiles(
    disc: IsoReader, contents: SourceContents, checks: Checklist, limits: ReadLimits
) -> list[ImageProfile]:
    """Return the image profile to judge by: of several the one that the upgrade folder names, else all."""
    profiles = list(dict.fromkeys(contents.profiles))
    if len(profiles) < 2:  # noqa: PLR2004 - one is none too many
        checks.answer("image-profile", why_not="" if profiles else "the image database has no image profile")
        return profiles
    name, why_not = _upgrade_profile_name(disc, limits)
    named = [profile for profile in profiles if profile.name == name]
    said = f"{UPGRADE_PROFILE} names {name}, which was judged" if named else "all of them were judged"
    problem = make_finding(
        "several-image-profiles",
        f"the image database has {len(profiles)} image profiles; {said}",
        items=tuple(profile.name for profile in profiles),
        cause="" if named else why_not or f"{UPGRADE_PROFILE} names {name}, which is none of them",
    )
    checks.answer("image-profile", [problem])
    return named or profiles


def _upgrade_profile_name(disc: IsoReader, limits: ReadLimits) -> tuple[str, str]:
    """Return the name of the profile in the upgrade folder; else an empty one, and why."""
    if UPGRADE_PROFILE not in disc.files:
        return "", f"{UPGRADE_PROFILE} is not there, and nothing else names one"
    try:
        data = disc.read(UPGRADE_PROFILE, max_bytes=limits.document_bytes)
        where = f"{disc.where}!{UPGRADE_PROFILE}"
        return parse_image_profile(data, where=where, max_bytes=limits.document_bytes).name, ""
    except EsxImageError as error:
        return "", f"{UPGRADE_PROFILE} cannot be read: {error.message}"


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


def _look_at_signatures(
    contents: SourceContents, signed: SignedVibs, damaged: list[Finding], budget: ReadBudget
) -> Iterator[Finding]:
    """Collect signatures; yield what could not be read, and put what is damaged into its list."""
    for vib, location in contents.vibs:
        try:
            with location.tree.open(location.path) as source:
                counted = counted_stream(source, budget, where=location.where)
                head = read_vib_head(counted, where=location.where, limits=budget.limits)
        except SourceUnreadableError as error:
            yield disc_unreadable(f"the signature of {vib.id}", error)
            continue
        except EsxImageError as error:
            damaged.append(_damaged_vib(vib, location, error))
            continue
        signed.add(vib, head, where=location.where)


def _damaged_vib(vib: Vib, location: VibLocation, error: EsxImageError) -> Finding:
    return make_finding("vib-damaged", error.message, items=(vib.id,), cause=error.found, where=location.where)


def _module_order(boot_cfg: BootCfg, image: Image) -> Iterator[Finding]:
    profile_vibs = image.profile.vibs if image.profile is not None else ()
    names = {(entry.vib_id, payload): local for entry in profile_vibs for payload, local in entry.local_names}
    expected = [names.get((module.vib.id, module.payload.name), module.local_name) for module in boot_modules(image)]
    expected += generation_of(image.esxi_version).archives
    named = [boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)]
    found = [PurePosixPath(name).name.lower() for name in named]
    left_out = [name for name in expected if name.lower() not in found]
    yield from _other_kernel(boot_cfg, image, expected)
    known = {name.lower() for name in (*expected, *names.values())}
    if added := [name for name in found if name and name not in known]:
        message = f"boot.cfg loads what no VIB of the image brings: {', '.join(added[:_SHOWN])}"
        yield make_finding("boot-module-added", message, items=tuple(added))
    if left_out:
        shown = ", ".join(left_out[:_SHOWN])
        yield make_finding("boot-module-left-out", f"boot.cfg does not load {shown}", items=tuple(left_out))
    wanted = [name.lower() for name in expected if name.lower() in found]
    if [name for name in found if name in set(wanted)] != wanted:
        yield make_finding("boot-module-order", "boot.cfg loads its modules in another order")


def _other_kernel(boot_cfg: BootCfg, image: Image, names: Sequence[str]) -> Iterator[Finding]:
    """Compare the kernel with the payloads that can be one; the rest of the list is loaded behind it."""
    kernel = PurePosixPath(boot_cfg.kernel).name.lower()
    modules = zip(boot_modules(image), names, strict=False)
    kernels = [name.lower() for module, name in modules if module.payload.type == PayloadType.BOOT]
    if kernel and kernels and kernel not in kernels:
        message = f"boot.cfg starts {kernel} as the kernel, that of the image is {kernels[0]}"
        yield make_finding("boot-kernel-differs", message, items=(kernel, kernels[0]))


def _other_build(boot_cfg: BootCfg, image: Image) -> Iterator[Finding]:
    expected = "" if image.esxi_version is None else image.esxi_version.text
    if boot_cfg.build != expected:
        message = f"boot.cfg says build {boot_cfg.build or '(none)'}, the image is {expected}"
        yield make_finding("boot-cfg-build-differs", message, items=(boot_cfg.build, expected))
