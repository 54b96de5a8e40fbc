"""Making VIBs, components, add-ons, base images and depots from files.

    from esximage_builder import authoring

    payload = authoring.vgz_payload("acme", {"opt/acme/readme": b"hello"})
    authored = authoring.author_vib(vib, [payload], signer=authoring.VibSigner(...))

Names are loaded when they are first used.
"""

from __future__ import annotations

from esximage_builder.lazy_names import lazy_names

# Where each name lives; __init__.pyi says the same to type checkers.
_HOMES = {
    "authoring.bundle": ("add_on_of", "components_of", "write_bundle"),
    "authoring.component": ("author_component",),
    "versions": ("short_version",),
    "authoring.depot": ("AuthoredVibStore", "write_authored_depot"),
    "authoring.extract": ("ExtractedVib", "extract_vib"),
    "authoring.level_paths": ("check_paths",),
    "authoring.vib_of_files": ("make_vib", "read_vib_description", "write_vib"),
    "authoring.release_unit": ("author_add_on", "author_base_image"),
    "authoring.payload_tree": ("tree_payload",),
    "authoring.vib": (
        "AuthoredPayload",
        "AuthoredVib",
        "VibSigner",
        "author_vib",
        "boot_payload",
        "raw_payload",
        "tgz_payload",
        "vgz_payload",
    ),
    "containers.file_tree": ("TreeEntry",),
    "containers.vmtar": ("EntryKind",),
    "documents.depot_index": ("MetadataEntry",),
    "documents.vib_description": ("PayloadPlan", "VibDescription", "parse_vib_description", "render_vib_description"),
}

__all__, __getattr__, __dir__ = lazy_names(__name__, _HOMES)
