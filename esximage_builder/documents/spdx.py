"""Bills of materials in SPDX JSON, version 2.3.

This is the only module that knows ``spdx-tools``, which comes with the optional extra
``sbom``; importing it without raises ``MissingExtraError``.

Source: docs/reproducible.md#bills-of-materials.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esximage_builder.containers.json_document import render_json
from esximage_builder.errors import MissingExtraError
from esximage_builder.models.sbom import SbomKind

try:
    from spdx_tools.spdx.jsonschema.document_converter import DocumentConverter
    from spdx_tools.spdx.model import (
        Actor,
        ActorType,
        Checksum,
        ChecksumAlgorithm,
        CreationInfo,
        Document,
        ExternalPackageRef,
        ExternalPackageRefCategory,
        Package,
        PackagePurpose,
        Relationship,
        RelationshipType,
        SpdxNoAssertion,
    )
except ImportError as error:
    raise MissingExtraError(
        "bills of materials in SPDX need the library spdx-tools",
        hint="pip install esximage-builder[sbom]",
    ) from error

if TYPE_CHECKING:
    from esximage_builder.models.sbom import Sbom, SbomItem

__all__ = ["render_spdx"]

_DOCUMENT_ID = "SPDXRef-DOCUMENT"
_NAMESPACE = "urn:uuid:"
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9.-]")


def render_spdx(sbom: Sbom) -> bytes:
    """Return the document as JSON; the same bytes for the same bill."""
    everything = (sbom.image, *sbom.items)
    ids = _spdx_ids(everything)
    document = Document(
        CreationInfo(
            spdx_version="SPDX-2.3",
            spdx_id=_DOCUMENT_ID,
            name=sbom.image.name,
            document_namespace=f"{_NAMESPACE}{sbom.serial}",
            creators=[Actor(ActorType.TOOL, "esximage_builder")],
            created=sbom.created_at,
        ),
        packages=[_package(item, ids[item.ref]) for item in everything],
        relationships=[
            Relationship(_DOCUMENT_ID, RelationshipType.DESCRIBES, ids[sbom.image.ref]),
            *(
                Relationship(ids[item.ref], RelationshipType.CONTAINS, ids[ref])
                for item in everything
                for ref in item.contains
            ),
        ],
    )
    converter = DocumentConverter()  # type: ignore[no-untyped-call] # the library types most, not this
    return render_json(converter.convert(document))


def _spdx_ids(items: tuple[SbomItem, ...]) -> dict[str, str]:
    """Return an id for each ``ref``: letters, digits, ``.`` and ``-`` only, numbered where two would be one."""
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for item in items:
        base = f"SPDXRef-{_NOT_IN_IDS.sub('-', item.ref)}"
        spdx_id, number = base, 1
        while spdx_id in taken:
            number += 1
            spdx_id = f"{base}-{number}"
        taken.add(spdx_id)
        ids[item.ref] = spdx_id
    return ids


def _package(item: SbomItem, spdx_id: str) -> Package:
    facts = [("kind", item.kind.value), *item.facts]
    return Package(
        spdx_id,
        item.name,
        SpdxNoAssertion(),
        version=item.version or None,
        supplier=_supplier(item.vendor),
        files_analyzed=False,
        checksums=[Checksum(ChecksumAlgorithm.SHA256, item.sha256)] if item.sha256 else None,
        license_concluded=SpdxNoAssertion(),
        license_declared=SpdxNoAssertion(),
        copyright_text=SpdxNoAssertion(),
        summary=item.summary or None,
        comment="\n".join(f"{name}: {text}" for name, text in facts),
        external_references=[_package_url(item)] if item.purl else None,
        primary_package_purpose=_purpose(item),
    )


def _supplier(vendor: str) -> Actor | SpdxNoAssertion:
    """Return the vendor as an organization: on one line, and without round brackets, which hold an address."""
    name = " ".join(vendor.split()).replace("(", "[").replace(")", "]")
    return Actor(ActorType.ORGANIZATION, name) if name else SpdxNoAssertion()


def _package_url(item: SbomItem) -> ExternalPackageRef:
    return ExternalPackageRef(ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", item.purl)


def _purpose(item: SbomItem) -> PackagePurpose:
    """Return what it is for; ``OPERATING_SYSTEM`` would fit, but editions of the schema spell it differently."""
    is_installed_whole = item.kind in (SbomKind.IMAGE, SbomKind.VIB)
    return PackagePurpose.INSTALL if is_installed_whole else PackagePurpose.OTHER
