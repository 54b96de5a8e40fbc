"""Where the program begins: the rest is loaded under guard, so that an early Ctrl-C prints no traceback."""

from __future__ import annotations

__all__ = ["main"]

_EXIT_INTERRUPTED = 130  # as in ``cli.output``, which may not be loaded yet


def main() -> int:
    """Run the command line with the arguments of the process and return its exit code."""
    try:
        from esximage_builder.cli.app import main as run  # noqa: PLC0415 - what the guard is for

        return run()
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
