"""``boot.cfg``, which tells the boot loader what to load.

Read as the boot loader reads it: ``key=value`` lines, blanks around ``=`` and runs of blanks
do not matter, ``#`` starts a comment line, keys in any case, unknown keys are kept. A line
without ``=`` is passed over, modules are split at ``---`` with or without blanks around it, and a
number that is left empty is 0. Written with the stock ISO's keys in its order.

Source: docs/formats.md#boot-cfg (the open-source boot loader's parser).
"""

from __future__ import annotations

import re
from typing import final

import attrs

from esximage_builder.disc_files import BOOT_CFG
from esximage_builder.errors import LimitExceededError, MalformedDocumentError, ModelError
from esximage_builder.limits import DOCUMENT_BYTES
from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown

__all__ = ["BootCfg", "BootModuleLine", "parse_boot_cfg", "render_boot_cfg"]

_FILE_NAME = BOOT_CFG.lower()
_SEPARATOR = " --- "
_DEFAULT_TIMEOUT = 5
_BLANKS = " \t\r\v\f"  # what C takes for blank; Python's own methods go further, and split lines at more
_RUN_OF_BLANKS = re.compile(f"[{_BLANKS}]+")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_KNOWN = frozenset({"bootstate", "title", "timeout", "prefix", "kernel", "kernelopt", "modules", "build", "updated"})


@final
@attrs.frozen(repr=False)
class BootModuleLine(Shown):
    """One item of ``modules=``: a file name with or without options.

    Attributes:
        file_name: As it stands there, with a leading slash on the ISO.
        options: What follows the name; nearly always empty.
    """

    file_name: str
    options: str = ""

    def __str__(self) -> str:
        return f"{self.file_name} {self.options}" if self.options else self.file_name


@final
@attrs.frozen(kw_only=True, repr=False)
class BootCfg(Shown):
    """What ``boot.cfg`` says.

    Attributes:
        bootstate: 0 valid, 1 upgrading, 2 dirty, 3 invalid; None if the key is missing.
        title: Shown while loading.
        timeout_seconds: Before booting by itself.
        prefix: Put before every file name; empty on the ISO.
        kernel: File name; with a leading slash on the ISO.
        kernelopt: Options for the kernel, as one text.
        modules: In loading order.
        build: ``8.0.3-0.0.24022510``; empty up to 6.7.
        updated: Counter; 0 on an ISO.
        extra: Other keys, lower case, with their text.
    """

    bootstate: int | None = 0
    title: str = "Loading ESXi installer"
    timeout_seconds: int = 5
    prefix: str = ""
    kernel: str = ""
    kernelopt: str = ""
    modules: tuple[BootModuleLine, ...] = attrs.field(default=(), converter=as_tuple)
    build: str = ""
    updated: int = 0
    extra: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=as_tuple)


def parse_boot_cfg(data: bytes, *, where: str = _FILE_NAME, max_bytes: int = DOCUMENT_BYTES) -> BootCfg:
    """Read a ``boot.cfg``, of a disc, a network boot tree or a host.

    Args:
        data: The whole file.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``; that of ``ReadLimits`` if nothing else is said.

    Raises:
        MalformedDocumentError: A number that is none.
        LimitExceededError: Longer than ``max_bytes``.
    """
    if len(data) > max_bytes:
        raise LimitExceededError(
            "boot.cfg is larger than the limit", where=where, found=f"{len(data)} bytes", expected=f"{max_bytes} bytes"
        )
    fields: dict[str, str] = {}
    for raw in data.decode("utf-8", errors="replace").split("\n"):
        line = raw.strip(_BLANKS)
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        name = key.strip(_BLANKS)
        if not equals or not _KEY.fullmatch(name):
            continue
        fields[name.lower()] = " ".join(part for part in _RUN_OF_BLANKS.split(value) if part)
    return BootCfg(
        bootstate=_number(fields, "bootstate", where) if "bootstate" in fields else None,
        title=fields.get("title", ""),
        timeout_seconds=_number(fields, "timeout", where) if "timeout" in fields else _DEFAULT_TIMEOUT,
        prefix=fields.get("prefix", ""),
        kernel=fields.get("kernel", ""),
        kernelopt=fields.get("kernelopt", ""),
        modules=_modules(fields.get("modules", "")),
        build=fields.get("build", ""),
        updated=_number(fields, "updated", where),
        extra=[(key, value) for key, value in fields.items() if key not in _KNOWN],
    )


def _number(fields: dict[str, str], key: str, where: str) -> int:
    text = fields.get(key, "")
    if not text:
        return 0
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise MalformedDocumentError(f"{key} is no number", where=where, found=repr(text)[:80], expected="a number")
    return int(text)


def _modules(text: str) -> tuple[BootModuleLine, ...]:
    items = (item.strip(_BLANKS) for item in text.split(_SEPARATOR.strip(_BLANKS)))
    parts = (item.partition(" ") for item in items if item)
    return tuple(BootModuleLine(name, options.strip(_BLANKS)) for name, _, options in parts)


def render_boot_cfg(boot_cfg: BootCfg) -> bytes:
    """Write a ``boot.cfg`` with the stock ISO's keys in its order, other keys last.

    Args:
        boot_cfg: What it shall say.

    Returns:
        The whole file; comments and other spellings of a file that was read are not kept.

    Raises:
        ModelError: A text holds a line break, which would begin another key.
    """
    lines = [] if boot_cfg.bootstate is None else [f"bootstate={boot_cfg.bootstate}"]
    lines += [
        f"title={boot_cfg.title}",
        f"timeout={boot_cfg.timeout_seconds}",
        f"prefix={boot_cfg.prefix}",
        f"kernel={boot_cfg.kernel}",
        f"kernelopt={boot_cfg.kernelopt}",
        f"modules={_SEPARATOR.join(str(module) for module in boot_cfg.modules)}",
        f"build={boot_cfg.build}",
        f"updated={boot_cfg.updated}",
    ]
    lines += [f"{key}={value}" for key, value in boot_cfg.extra]
    for line in lines:
        if line.splitlines() != [line]:
            raise ModelError("boot.cfg cannot hold a line break", found=repr(line)[:80], expected="one line per key")
    return ("\n".join(lines) + "\n").encode()
