# Types of the names; __init__.py says where they live.
from esximage_builder.authoring.bundle import (
    add_on_of as add_on_of,
    components_of as components_of,
    write_bundle as write_bundle,
)
from esximage_builder.authoring.component import author_component as author_component
from esximage_builder.authoring.depot import (
    AuthoredVibStore as AuthoredVibStore,
    write_authored_depot as write_authored_depot,
)
from esximage_builder.authoring.extract import ExtractedVib as ExtractedVib, extract_vib as extract_vib
from esximage_builder.authoring.level_paths import check_paths as check_paths
from esximage_builder.authoring.payload_tree import tree_payload as tree_payload
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
from esximage_builder.authoring.vib_of_files import (
    make_vib as make_vib,
    read_vib_description as read_vib_description,
    write_vib as write_vib,
)
from esximage_builder.containers.file_tree import TreeEntry as TreeEntry
from esximage_builder.containers.vmtar import EntryKind as EntryKind
from esximage_builder.documents.depot_index import MetadataEntry as MetadataEntry
from esximage_builder.documents.vib_description import (
    PayloadPlan as PayloadPlan,
    VibDescription as VibDescription,
    parse_vib_description as parse_vib_description,
    render_vib_description as render_vib_description,
)
from esximage_builder.versions import short_version as short_version
