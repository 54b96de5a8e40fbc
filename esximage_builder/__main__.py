"""``python -m esximage_builder`` is the command line ``esximage``."""

from __future__ import annotations

import sys

from esximage_builder.cli.start import main

if __name__ == "__main__":
    sys.exit(main())
