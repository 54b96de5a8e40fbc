"""``boot.cfg`` as the boot tests read it: a parser of their own, which shares no code with the library."""

from __future__ import annotations

__all__ = ["boot_cfg_keys", "boot_loads", "named_files"]


def boot_cfg_keys(text: str) -> dict[str, str]:
    """Return the value of each key, in lower case."""
    lines = [line.strip() for line in text.splitlines()]
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {key.strip().lower(): " ".join(value.split()) for key, _, value in pairs}


def boot_loads(keys: dict[str, str]) -> list[tuple[str, str]]:
    """Return name and arguments of the kernel and of every module, in their order."""
    items = [item.strip().partition(" ") for item in keys.get("modules", "").split("---") if item.strip()]
    return [(keys.get("kernel", ""), keys.get("kernelopt", "")), *((name, arguments) for name, _, arguments in items)]


def named_files(text: str) -> list[str]:
    """Return the file names of ``modules=``, in their order."""
    return [name for name, _ in boot_loads(boot_cfg_keys(text))[1:]]
