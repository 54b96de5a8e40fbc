# Types of the names; __init__.py says where they live.
from esximage_builder.authoring.component import author_component as author_component
from esximage_builder.authoring.depot import (
    AuthoredVibStore as AuthoredVibStore,
    write_authored_depot as write_authored_depot,
)
from esximage_builder.authoring.release_unit import (
    author_add_on as author_add_on,
    author_base_image as author_base_image,
)
from esximage_builder.authoring.vib import (
    AuthoredPayload as AuthoredPayload,
    AuthoredVib as AuthoredVib,
    VibSigner as VibSigner,
    author_vib as author_vib,
    boot_payload as boot_payload,
    raw_payload as raw_payload,
    tgz_payload as tgz_payload,
    vgz_payload as vgz_payload,
)
from esximage_builder.documents.depot_index import MetadataEntry as MetadataEntry
from esximage_builder.versions import short_version as short_version
