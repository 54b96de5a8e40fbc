"""Signatures of VIBs that others made: intact and trusted by nobody, or none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import esximage_builder as eib
from esximage_builder.containers.ar import AR_MAGIC

if TYPE_CHECKING:
    from pathlib import Path


def depots_with_vibs(realdata: Path) -> list[Path]:
    paths = [path for path in sorted(realdata.rglob("*")) if path.is_file()]
    return [
        path for path in paths if (".vib" in path.name and path.read_bytes()[:8] == AR_MAGIC) or path.suffix == ".zip"
    ]


def test_signed_ones_are_intact_and_untrusted_and_the_others_unsigned(realdata: Path) -> None:
    """Nobody's signature is called trusted without a certificate to trust."""
    signed = unsigned = 0
    for path in depots_with_vibs(realdata):
        try:
            depot = eib.open_depot(path)
        except eib.EsxImageError:
            continue  # other zips
        with depot:
            for item in depot.verify():
                signatures = item.facts.signatures
                assert signatures is not None
                assert all(found.status is eib.SignatureStatus.INTACT for found in signatures), path
                assert all(found.trust is eib.Trust.NOT_ASKED for found in signatures), path
                signed, unsigned = signed + bool(signatures), unsigned + (not signatures)
    assert signed > 0
    assert unsigned > 0
