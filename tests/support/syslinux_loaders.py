"""PXELINUX and SYSLINUX for the boot tests: they run themselves and read what the library wrote for them.

For ESXi's ``mboot.c32`` stands the program of that name of Syslinux, which takes no ``boot.cfg``: the line that hands
it one is replaced by what that file says. It unpacks modules in gzip form.

Needs the Debian packages pxelinux, syslinux-common, and for sticks syslinux and mtools.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from support.boot_cfg_reader import boot_cfg_keys, boot_loads

__all__ = ["missing_pxelinux", "missing_syslinux", "prefix_of", "put_pxelinux", "put_syslinux"]

_PXELINUX = (Path("/usr/lib/PXELINUX"), Path("/usr/share/syslinux"), Path("/usr/lib/syslinux"))
_MODULES = (Path("/usr/lib/syslinux/modules/bios"), Path("/usr/share/syslinux"))
_BOOT_CODE = (Path("/usr/lib/SYSLINUX"), Path("/usr/share/syslinux"))
_BOOT_CODE_BYTES = 440
_NEEDED = ("ldlinux.c32", "libcom32.c32", "mboot.c32")
_FOR_MENU = ("menu.c32", "libutil.c32")
_CONFIG = re.compile(r"^  APPEND -c (?P<path>\S+).*$", re.MULTILINE)
_PARTITION_BYTES = 1 << 20


def missing_pxelinux() -> list[str]:
    """Return the Debian packages to install before PXELINUX can run; empty if all is there."""
    wanted = {"pxelinux": (_PXELINUX, "pxelinux.0"), "syslinux-common": (_MODULES, "mboot.c32")}
    return [package for package, (folders, name) in wanted.items() if not _found(folders, name)]


def missing_syslinux() -> list[str]:
    """Return the Debian packages to install before SYSLINUX can be put on a stick; empty if all is there."""
    is_there = shutil.which("syslinux") and _found(_BOOT_CODE, "mbr.bin")
    missing = [] if is_there else ["syslinux"]
    return missing + ([] if _found(_MODULES, "mboot.c32") else ["syslinux-common"])


def put_pxelinux(served: Path) -> None:
    """Put PXELINUX beside the files of a network boot tree."""
    for name, folders in (("pxelinux.0", _PXELINUX), *((name, _MODULES) for name in _NEEDED)):
        shutil.copyfile(_file(folders, name), served / name)
    for config in (served / "pxelinux.cfg").iterdir():
        text, count = _CONFIG.subn(lambda found: _append(served / found["path"]), config.read_text(encoding="ascii"))
        assert count == 1, text
        config.write_text(f"SERIAL 0 115200\n{text}", encoding="utf-8")


def put_syslinux(stick: Path, boot_cfg: str, work: Path) -> None:
    """Make a stick image boot with a BIOS, as its owner would: boot code, SYSLINUX, and its programs.

    Args:
        stick: The image, a plain file.
        boot_cfg: What stands on it.
        work: A folder for files of its own.
    """
    assert stick.is_file()
    _run("syslinux", "-t", str(_PARTITION_BYTES), "--install", str(stick))
    code = _file(_BOOT_CODE, "mbr.bin").read_bytes()[:_BOOT_CODE_BYTES]
    with stick.open("r+b") as file:
        file.write(code)
    drive = f"{stick}@@{_PARTITION_BYTES}"
    config = work / "syslinux.cfg"
    _run("mcopy", "-n", "-i", drive, "::/SYSLINUX.CFG", str(config))
    text, count = _CONFIG.subn(f"  APPEND {_arguments(boot_cfg)}", config.read_text(encoding="utf-8"))
    assert count == 1, text
    config.write_text(f"SERIAL 0 115200\n{text.replace('TIMEOUT 80', 'TIMEOUT 10')}", encoding="utf-8")
    programs = (str(_file(_MODULES, name)) for name in (*_NEEDED, *_FOR_MENU))
    _run("mcopy", "-o", "-i", drive, str(config), *programs, "::/")


def prefix_of(boot_cfg: str) -> str:
    """Return the prefix as PXELINUX takes it, for which a path on the server begins with two colons."""
    prefix = boot_cfg_keys(boot_cfg).get("prefix", "")
    if not prefix:
        return ""
    return f"{prefix}/" if "://" in prefix else f"::/{prefix.strip('/')}/"


def _append(boot_cfg: Path) -> str:
    return f"  APPEND {_arguments(boot_cfg.read_text(encoding='utf-8'))}"


def _arguments(boot_cfg: str) -> str:
    """Return what ``boot.cfg`` says as Syslinux's ``mboot.c32`` takes it."""
    prefix = prefix_of(boot_cfg)
    return " --- ".join(f"{prefix}{name} {rest}".strip() for name, rest in boot_loads(boot_cfg_keys(boot_cfg)))


def _found(folders: tuple[Path, ...], name: str) -> Path | None:
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def _file(folders: tuple[Path, ...], name: str) -> Path:
    found = _found(folders, name)
    assert found is not None, f"no {name} found: install pxelinux, syslinux and syslinux-common"
    return found


def _run(*command: str) -> None:
    done = subprocess.run(command, env=os.environ | {"MTOOLSRC": os.devnull}, capture_output=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.decode(errors='replace')}"
