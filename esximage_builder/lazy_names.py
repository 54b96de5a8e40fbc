"""The names of a package, each loaded from its home when it is first used.

The package itself and the folders that outsiders import from share it, so that importing one of
them loads nothing else. What is loaded is guarded first: see ``arguments``.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["lazy_names"]


def lazy_names(
    package: str, homes: Mapping[str, tuple[str, ...]]
) -> tuple[list[str], Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__all__``, ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: Its ``__name__``.
        homes: Names by the module that they come from, seen from the outermost package.
    """
    home_of = {name: home for home, names in homes.items() for name in names}
    root = package.partition(".")[0]

    def load(name: str) -> object:
        home = home_of.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(f"{root}.{home}")
        importlib.import_module(f"{root}.arguments").guard_loaded(root, homes)
        value: object = getattr(module, name)
        vars(sys.modules[package])[name] = value
        return value

    def names() -> list[str]:
        # Without the modules that happen to be loaded: completion offers what is public.
        own = (name for name in vars(sys.modules[package]) if name.startswith("__"))
        return sorted({*own, *home_of})

    return sorted(home_of), load, names
