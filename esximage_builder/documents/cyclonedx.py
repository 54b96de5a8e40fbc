"""Bills of materials in CycloneDX JSON, version 1.6.

This is the only module that knows ``cyclonedx-python-lib``, which comes with the optional
extra ``sbom``; importing it without raises ``MissingExtraError``.

Source: docs/reproducible.md#bills-of-materials.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from esximage_builder.containers.json_document import render_json
from esximage_builder.errors import MissingExtraError
from esximage_builder.models.sbom import SbomKind

try:
    from cyclonedx.model import HashAlgorithm, HashType, Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentScope, ComponentType
    from cyclonedx.model.contact import OrganizationalEntity
    from cyclonedx.model.dependency import Dependency
    from cyclonedx.model.tool import ToolRepository
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL
except ImportError as error:
    raise MissingExtraError(
        "bills of materials in CycloneDX need the library cyclonedx-python-lib",
        hint="pip install esximage-builder[sbom]",
    ) from error

if TYPE_CHECKING:
    from esximage_builder.models.sbom import Sbom, SbomItem

__all__ = ["render_cyclonedx"]

_NAMESPACE = "esximage"


def render_cyclonedx(sbom: Sbom) -> bytes:
    """Return the document as JSON; the same bytes for the same bill."""
    image = _component(sbom.image)
    components = {item.ref: _component(item) for item in sbom.items}
    tool = Component(name="esximage_builder", type=ComponentType.APPLICATION, bom_ref="tool:esximage_builder")
    bom = Bom(
        serial_number=sbom.serial,
        metadata=BomMetaData(timestamp=sbom.created_at, component=image, tools=ToolRepository(components=[tool])),
        components=components.values(),
        dependencies=[
            Dependency(
                ref=component.bom_ref,
                dependencies=[Dependency(ref=components[ref].bom_ref) for ref in item.contains],
            )
            for item, component in zip((sbom.image, *sbom.items), (image, *components.values()), strict=True)
        ],
    )
    return render_json(json.loads(JsonV1Dot6(bom).output_as_string()))


def _component(item: SbomItem) -> Component:
    facts = [("kind", item.kind.value), *item.facts]
    return Component(
        name=item.name,
        type=_type(item),
        bom_ref=item.ref,
        version=item.version or None,
        supplier=OrganizationalEntity(name=item.vendor) if item.vendor else None,
        description=item.summary or None,
        scope=None if item.kind is SbomKind.IMAGE else _scope(item),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=item.sha256)] if item.sha256 else (),
        purl=PackageURL.from_string(item.purl) if item.purl else None,
        properties=[Property(name=f"{_NAMESPACE}:{name}", value=text) for name, text in facts],
    )


def _scope(item: SbomItem) -> ComponentScope:
    """Return ``excluded`` for what never runs; the standard's word for what is only documented."""
    return ComponentScope.EXCLUDED if item.is_reserved else ComponentScope.REQUIRED


def _type(item: SbomItem) -> ComponentType:
    if item.kind in (SbomKind.IMAGE, SbomKind.BASE_IMAGE):
        return ComponentType.OPERATING_SYSTEM
    return ComponentType.DEVICE_DRIVER if item.is_driver else ComponentType.APPLICATION
