"""What tells the boot loaders what to do: ``boot.cfg``, boot menus, and scripts for the network.

``boot.cfg`` stands in two places, always the same; a loader takes names from the folder of its ``boot.cfg`` if
that has no prefix, so a network boot tree without one has it at the root only. Of a network boot tree,
PXELINUX reads ``pxelinux.cfg/default`` and iPXE ``boot.ipxe``; ordinary iPXE cannot run ``mboot.c32``, so its
script goes on with PXELINUX, or says what is missing.

Source: docs/formats.md#boot-cfg, docs/formats.md#boot-menu, docs/formats.md#network-boot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.disc_files import (
    BIOS_LOADER,
    BOOT_CFG,
    EFI_BOOT_CFG,
    EFI_LOADER,
    IPXE_SCRIPT,
    ISOLINUX_CFG,
    KICKSTART_FILE,
    NETWORK_EFI_LOADER,
    PXELINUX,
    PXELINUX_FOLDER,
    SYSLINUX_CFG,
)
from esximage_builder.documents.boot_cfg import BootCfg, BootModuleLine, render_boot_cfg
from esximage_builder.documents.isolinux_cfg import MENU_PROGRAM, render_isolinux_cfg, render_pxelinux_cfg
from esximage_builder.rules.boot_layout import generation_of
from esximage_builder.vocabulary import DISC_OPTION, INSTALLER_OPTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.export.disc_options import DiscOptions, NetworkHost
    from esximage_builder.models.image import Image

__all__ = ["boot_texts"]

_STICK_PARTITION = 1
_KICKSTART = "ks="
_READING_SECONDS = 10
"""How long a message stays before the firmware clears the screen."""


def boot_texts(
    image: Image, names: tuple[str, ...], options: DiscOptions, *, loaders: frozenset[str]
) -> list[tuple[str, bytes]]:
    """Return path and content of every text that a boot loader or the installer reads.

    Args:
        image: What boots.
        names: Of its modules, the kernel first.
        options: What the caller chose.
        loaders: Paths of the boot loaders that are there.
    """
    boot_cfg = render_boot_cfg(_boot_cfg(image, names, options))
    texts = [(BOOT_CFG, boot_cfg)]
    if options.network_prefix != "":
        texts.append((EFI_BOOT_CFG, boot_cfg))
    if options.is_network:
        texts += _network_texts(image, names, options, loaders)
    elif options.is_stick:
        texts.append((SYSLINUX_CFG, _boot_menu(image, partition=_STICK_PARTITION)))
    else:
        texts.append((ISOLINUX_CFG, _boot_menu(image)))
    if options.kickstart is not None:
        texts.append((KICKSTART_FILE, options.kickstart))
    return texts


def _boot_cfg(image: Image, names: tuple[str, ...], options: DiscOptions, host: NetworkHost | None = None) -> BootCfg:
    generation = generation_of(image.esxi_version)
    version = image.esxi_version
    slash = "" if options.is_network else "/"
    kernel, *modules = names
    return BootCfg(
        prefix=options.network_prefix or "",
        kernel=f"{slash}{kernel}",
        kernelopt=_kernelopt(generation.kernelopt, options, host),
        modules=[BootModuleLine(f"{slash}{name}") for name in (*modules, *generation.archives)],
        build=version.text if version is not None and generation.has_build else "",
    )


def _kernelopt(stock: str, options: DiscOptions, host: NetworkHost | None) -> str:
    """Return the kernel options: the stock ones that apply, the kickstart file, the caller's, the host's."""
    dropped = set() if options.is_disc else {DISC_OPTION}
    dropped |= set() if options.with_installer else {INSTALLER_OPTION}
    place = options.kickstart_place
    words = [word for word in stock.split() if word not in dropped]
    words += [*([] if place is None else [place.option]), *options.kernel_options.split()]
    own = host.kernel_options.split() if host is not None else []
    if any(word.startswith(_KICKSTART) for word in own):
        words = [word for word in words if not word.startswith(_KICKSTART)]
    return " ".join([*words, *own])


def _boot_menu(image: Image, *, partition: int | None = None) -> bytes:
    has_menu = any(payload.name.lower() == MENU_PROGRAM for vib in image.host_vibs for payload in vib.payloads)
    return render_isolinux_cfg(image.name, has_menu=has_menu, partition=partition)


def _network_texts(
    image: Image, names: tuple[str, ...], options: DiscOptions, loaders: frozenset[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield what only a network boot tree has."""
    yield IPXE_SCRIPT, _ipxe_script(options, loaders)
    if BIOS_LOADER in loaders:
        yield f"{PXELINUX_FOLDER}/DEFAULT", render_pxelinux_cfg(BOOT_CFG.lower())
    for host in options.hosts:
        folder = host.folder.upper()
        yield f"{folder}/{BOOT_CFG}", render_boot_cfg(_boot_cfg(image, names, options, host))
        if BIOS_LOADER in loaders:
            yield f"{PXELINUX_FOLDER}/{folder}", render_pxelinux_cfg(f"{folder}/{BOOT_CFG}".lower())


def _ipxe_script(options: DiscOptions, loaders: frozenset[str]) -> bytes:
    """Return the script that starts the right loader; names are relative to the script, unless there is an address."""
    prefix = options.network_prefix or ""
    folder = f"{prefix}/" if "://" in prefix else ""
    config = "${config}" if options.hosts else BOOT_CFG.lower()
    lines = ["#!ipxe", *_chosen_config(options.hosts), "iseq ${platform} efi && goto efi || goto bios", ":bios"]
    lines += _ipxe_bios(folder) if BIOS_LOADER in loaders else _no_loader("BIOS")
    lines += [":efi"]
    if EFI_LOADER in loaders:
        lines += [f"kernel {folder}{NETWORK_EFI_LOADER.lower()} -c {folder}{config}", "boot"]
    else:
        lines += _no_loader("UEFI")
    return ("\n".join(lines) + "\n").encode()


def _chosen_config(hosts: Iterable[NetworkHost]) -> Iterator[str]:
    """Yield what chooses the file of the host that runs the script."""
    for number, host in enumerate(hosts):
        if not number:
            yield f"set config {BOOT_CFG.lower()}"
        yield f"iseq ${{mac}} {host.mac} && set config {host.folder}/{BOOT_CFG.lower()} ||"


def _ipxe_bios(folder: str) -> list[str]:
    """Return how a BIOS goes on: PXELINUX finds its files beside the script, or where it is told."""
    told = [f"set 210:string {folder}"] if folder else []
    return [
        *told,
        f"chain {folder}{PXELINUX.lower()} || goto missing",
        "exit",
        ":missing",
        f"echo BIOS needs {PXELINUX.lower()} of Syslinux 3.86 beside {IPXE_SCRIPT.lower()}, or UEFI instead of BIOS.",
        f"echo iPXE itself runs {BIOS_LOADER.lower()} only where it was built with IMAGE_COMBOOT.",
        f"sleep {_READING_SECONDS} ||",
        "exit 1",
    ]


def _no_loader(firmware: str) -> list[str]:
    return [f"echo This image has no loader for {firmware}", f"sleep {_READING_SECONDS} ||", "exit 1"]
