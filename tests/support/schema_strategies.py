"""What the files' schema allows, as hypothesis strategies; nothing here asks our own readers.

Texts have no blanks at their ends, since readers drop those, and hold only characters that
XML 1.0 can carry. Constraints are shrunk towards the plain values of real files.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
from hypothesis import strategies as st

from esximage_builder.checksums import Checksum
from esximage_builder.documents.boot_cfg import BootCfg, BootModuleLine
from esximage_builder.documents.depot_index import MetadataEntry, VendorEntry
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.component import Bulletin, Component, ComponentReference
from esximage_builder.models.constraint import Constraint, Provide
from esximage_builder.models.hardware_support import HardwareSupport
from esximage_builder.models.image_profile import ImageProfile, ProfileVib
from esximage_builder.models.solution import Solution, SolutionComponent
from esximage_builder.models.spec import (
    AddOnReference,
    AlternativeImage,
    HardwareSupportReference,
    SoftwareSpec,
    SolutionReference,
)
from esximage_builder.models.vib import (
    HardwarePlatform,
    MaintenanceMode,
    Payload,
    SoftwarePlatform,
    Vib,
    VibFile,
)
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion, VibVersion
from esximage_builder.vocabulary import AcceptanceLevel, PayloadType, Relation

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

Strategy = st.SearchStrategy


def xml_text(*, min_size: int = 0) -> Strategy[str]:
    """Text that XML can carry, without blanks at its ends: every language, quotes, line ends."""
    letters = st.characters(
        exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff", include_characters="\t\n\r<>&\"'"
    )
    return st.text(letters, max_size=24).map(str.strip).filter(lambda text: len(text) >= min_size)


def raw_attributes() -> Strategy[str]:
    """Text of an attribute, whose outer blanks are kept."""
    letters = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    return st.text(letters, max_size=12)


def names() -> Strategy[str]:
    """Names of VIBs, vendors and components; underscores, dots and hyphens occur."""
    return st.text(_NAME_LETTERS, min_size=1, max_size=16)


def times() -> Strategy[datetime]:
    return st.datetimes(timezones=st.just(UTC))


def _number() -> Strategy[str]:
    return st.one_of(
        st.integers(0, 99).map(str), st.integers(0, 10**9).map(str), st.sampled_from(("0", "00", "01", "0200"))
    )


def version_texts() -> Strategy[str]:
    """Versions of VIBs and components as the grammar allows and real files have them."""
    word = st.sampled_from(("v", "vmw", "OEM", "a", "napi", "rc", "X", "E"))
    piece = st.lists(st.one_of(_number(), word), min_size=1, max_size=3).map("".join)
    dotted = st.lists(piece, min_size=1, max_size=5).map(".".join)
    return st.one_of(
        dotted,
        st.builds("{}-{}".format, dotted, dotted),
        st.sampled_from(("1.0.0-1OEM.700.1.0.15843807", "8.045a-napi", "v1.3-0", "2.4.5", "X.12.6.0", "0.1.0-1")),
    )


def versions() -> Strategy[VibVersion]:
    return version_texts().map(VibVersion)


def component_versions() -> Strategy[ComponentVersion]:
    return version_texts().map(ComponentVersion)


def add_on_versions() -> Strategy[AddOnVersion]:
    return st.one_of(
        version_texts(), st.sampled_from(("803.0.0.11.8.0-6", "703.20328353.A08", "703_23794027-A24", "LVO.803.12.1"))
    ).map(AddOnVersion)


def base_image_versions() -> Strategy[BaseImageVersion]:
    small = st.integers(0, 120)
    sign = st.sampled_from(("-", "."))
    build = st.integers(0, 10**8)
    legacy = st.builds("{}.{}.{}{}{}.{}.{}".format, small, small, small, sign, small, small, build)
    modern = st.builds("{}.{}.{}{}{}.{}".format, small, small, small, sign, _number(), build)
    return st.one_of(legacy, modern).map(BaseImageVersion)


def constraints() -> Strategy[Constraint]:
    return st.one_of(
        st.builds(Constraint, names()),
        st.builds(Constraint, names(), st.sampled_from(Relation), versions()),
    )


def provides() -> Strategy[Provide]:
    return st.builds(Provide, names(), st.none() | versions())


def few(items: Strategy[Any], *, max_size: int = 3) -> Strategy[tuple[Any, ...]]:
    return st.lists(items, max_size=max_size).map(tuple)


def hex_digits(length: int) -> Strategy[str]:
    return st.text("0123456789abcdef", min_size=length, max_size=length)


def checksums() -> Strategy[Checksum]:
    return st.builds(
        Checksum,
        st.sampled_from(("sha-256", "sha-1", "sha-256-gunzip1")),
        hex_digits(64),
        st.sampled_from(("", "gunzip", "txt-mle")),
    )


def sizes() -> Strategy[int | None]:
    return st.none() | st.integers(0, 10**18 - 1)


def payloads() -> Strategy[Payload]:
    return st.builds(
        Payload,
        name=names(),
        type=st.one_of(st.sampled_from(PayloadType).map(str), names()),
        size_bytes=sizes(),
        uncompressed_size_bytes=sizes(),
        boot_order=st.none() | st.integers(0, 999),
        vfat_name=st.sampled_from(("", "features.gz")),
        compression_option=st.sampled_from(("", "level=18")),
        checksums=few(checksums()),
        extra=st.dictionaries(st.sampled_from(("acme", "acme-flag")), raw_attributes(), max_size=2).map(
            lambda found: tuple(found.items())
        ),
    )


def software_platforms() -> Strategy[SoftwarePlatform]:
    return st.builds(
        SoftwarePlatform,
        st.sampled_from(("", "7.*", "8.0")),
        st.sampled_from(("embeddedEsx", "esxio", "")),
        st.just(""),
    )


def unknown_elements() -> Strategy[tuple[str, ...]]:
    """Elements that no one knows yet, as XML text; one may occur twice."""
    word = st.text("abcxyz", min_size=1, max_size=6)
    element = st.builds('<acme-{0} level="{1}"><inner>{1}</inner></acme-{0}>'.format, word, word)
    return few(st.one_of(element, word.map("<acme-{}/>".format)))


def vib_files() -> Strategy[VibFile]:
    return st.builds(
        VibFile,
        size_bytes=sizes(),
        sha256=st.just("") | hex_digits(64),
        relative_path=st.just("") | names().map("vib20/{}".format),
    )


def vibs() -> Strategy[Vib]:
    optional_flag = st.none() | st.booleans()
    return st.builds(
        Vib,
        type=st.sampled_from(("bootbank", "locker", "meta")),
        name=names(),
        version=versions(),
        vendor=names(),
        summary=xml_text(),
        description=xml_text(),
        released_at=st.none() | times(),
        urls=few(st.tuples(raw_attributes(), xml_text())),
        depends=few(constraints()),
        conflicts=few(constraints()),
        replaces=few(constraints()),
        provides=few(provides()),
        compatible_with=few(constraints(), max_size=1),
        tags=few(xml_text()),
        maintenance_mode=st.builds(MaintenanceMode, st.booleans(), optional_flag, optional_flag),
        hardware_platforms=few(st.builds(HardwarePlatform, names(), st.just("") | names())),
        software_platforms=few(software_platforms()),
        files=st.none() | few(names()),
        acceptance_level=st.sampled_from(AcceptanceLevel),
        live_install_allowed=st.booleans(),
        live_remove_allowed=st.booleans(),
        cimom_restart=st.booleans(),
        stateless_ready=st.booleans(),
        overlay=st.booleans(),
        payloads=st.lists(payloads(), max_size=3, unique_by=lambda payload: payload.name).map(tuple),
        schema_version=st.sampled_from(("5.0", "6.0", "6.5", "")),
        extra=unknown_elements(),
        file=st.none() | vib_files(),
    )


def bulletins() -> Strategy[Bulletin]:
    return st.builds(
        Bulletin,
        id=names(),
        vendor=xml_text(),
        summary=xml_text(),
        severity=st.sampled_from(("general", "important", "")),
        category=st.sampled_from(("security", "bugfix", "enhancement", "")),
        urgency=st.sampled_from(("critical", "Important", "")),
        release_type=st.sampled_from(("patch", "extension", "rollup", "")),
        description=xml_text(),
        kb_url=xml_text(),
        contact=xml_text(),
        released_at=st.none() | times(),
        platforms=few(software_platforms()),
        vib_ids=st.lists(names(), max_size=3, unique=True).map(tuple),
        extra=unknown_elements(),
    )


def components() -> Strategy[Component]:
    return st.builds(
        Component,
        name=names(),
        version=component_versions(),
        display_name=raw_attributes(),
        display_version=raw_attributes(),
        bulletin=bulletins(),
    )


def profiles() -> Strategy[ImageProfile]:
    vib = st.builds(ProfileVib, vib_id=names(), local_names=few(st.tuples(names(), xml_text())))
    return st.builds(
        ImageProfile,
        name=xml_text(min_size=1),
        creator=xml_text(),
        profile_id=st.just("") | hex_digits(32),
        created_at=st.none() | times(),
        modified_at=st.none() | times(),
        serial_number=st.integers(0, 10**9),
        description=xml_text(),
        read_only=st.booleans(),
        vibs=few(vib),
        acceptance_level=st.none() | st.sampled_from(AcceptanceLevel),
        bulletin_ids=few(names()),
        extra=unknown_elements(),
    )


def vendor_entries() -> Strategy[VendorEntry]:
    return st.builds(
        VendorEntry,
        name=xml_text(),
        code=names(),
        index_file=xml_text(min_size=1),
        relative_path=xml_text(),
        content_name=xml_text(),
        content_type=xml_text(),
    )


def metadata_entries() -> Strategy[MetadataEntry]:
    return st.builds(
        MetadataEntry,
        product_id=st.sampled_from(("embeddedEsx", "esxio", "")),
        version=st.sampled_from(("7.0", "7.*", "8.0.3-24449057", "")),
        url=xml_text(min_size=1),
        channel=xml_text(),
    )


def json_values() -> Strategy[Any]:
    """Any JSON value of some depth."""
    text = st.text(st.characters(codec="utf-8"), max_size=8)
    leaf = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), text)
    return st.recursive(leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3))


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def json_extras() -> Strategy[tuple[tuple[str, str], ...]]:
    """Keys that no one knows yet with their canonical values."""
    keys = st.text("abcxyz", max_size=6).map("x-acme-{}".format)
    return st.dictionaries(keys, json_values(), max_size=3).map(
        lambda found: tuple((key, canonical(value)) for key, value in found.items())
    )


def json_text(*, min_size: int = 0) -> Strategy[str]:
    """Text of a JSON document without blanks at its ends."""
    letters = st.characters(codec="utf-8")
    return st.text(letters, max_size=16).map(str.strip).filter(lambda text: len(text) >= min_size)


def _by_name(items: Strategy[Any], key: Callable[[Any], str]) -> Strategy[tuple[Any, ...]]:
    return st.lists(items, max_size=3, unique_by=key).map(lambda found: tuple(sorted(found, key=key)))


def references() -> Strategy[tuple[ComponentReference, ...]]:
    """Components with their versions, sorted; a name may have two versions."""
    reference = st.builds(ComponentReference, names(), component_versions())
    return st.lists(reference, max_size=4, unique_by=lambda item: (item.name, item.version.text)).map(
        lambda found: tuple(sorted(found, key=lambda item: (item.name, item.version.text)))
    )


def name_sets() -> Strategy[tuple[str, ...]]:
    return st.sets(names(), max_size=3).map(lambda found: tuple(sorted(found)))


def base_images() -> Strategy[BaseImage]:
    return st.builds(
        BaseImage,
        version=base_image_versions(),
        display_name=json_text(min_size=1),
        display_version=json_text(),
        vendor=json_text(),
        summary=json_text(),
        description=json_text(),
        category=json_text(),
        kb_url=json_text(),
        released_at=st.none() | times(),
        acceptance_level=st.none() | st.sampled_from(AcceptanceLevel),
        components=references(),
        quick_patch_versions=st.dictionaries(json_text(), json_text(), max_size=2).map(
            lambda found: tuple(sorted(found.items()))
        ),
        extra=json_extras(),
    )


def add_ons() -> Strategy[AddOn]:
    return st.builds(
        AddOn,
        name=json_text(min_size=1),
        version=add_on_versions(),
        display_name=json_text(),
        display_version=json_text(),
        vendor=json_text(),
        summary=json_text(),
        description=json_text(),
        category=json_text(),
        kb_url=json_text(),
        released_at=st.none() | times(),
        acceptance_level=st.none() | st.sampled_from(AcceptanceLevel),
        supported_base_images=name_sets(),
        components=references(),
        removed_components=name_sets(),
        extra=json_extras(),
    )


def hardware_support() -> Strategy[HardwareSupport]:
    return st.builds(
        HardwareSupport,
        name=json_text(min_size=1),
        version=add_on_versions(),
        vendor=json_text(),
        display_name=json_text(),
        released_at=st.none() | times(),
        components=references(),
        removed_components=name_sets(),
        supported_base_images=name_sets(),
        extra=json_extras(),
    )


def solutions() -> Strategy[Solution]:
    component = st.builds(SolutionComponent, names(), few(component_versions()))
    return st.builds(
        Solution,
        name=json_text(min_size=1),
        version=add_on_versions(),
        display_name=json_text(),
        display_version=json_text(),
        vendor=json_text(),
        components=_by_name(component, lambda item: item.name),
        extra=json_extras(),
    )


def release_units() -> Strategy[BaseImage | AddOn | HardwareSupport | Solution]:
    return st.one_of(base_images(), add_ons(), hardware_support(), solutions())


def software_specs() -> Strategy[SoftwareSpec]:
    """Specs with keys that no one knows at every place, and with alternative images."""
    alternatives = _by_name(_alternative_images(), lambda item: item.id)
    return st.builds(
        lambda spec, images: attrs.evolve(spec, alternative_images=images), _with_nested_keys(), alternatives
    )


def _alternative_images() -> Strategy[AlternativeImage]:
    criteria = st.dictionaries(
        st.sampled_from(("selection_type", "host_uuids", "host_hardware_spec", "x-acme")), json_values(), max_size=3
    )
    return st.builds(
        AlternativeImage,
        id=names(),
        spec=_with_nested_keys(),
        display_name=json_text(),
        selection_criteria=st.just("") | criteria.map(canonical),
    )


@st.composite
def _with_nested_keys(draw: st.DrawFn) -> SoftwareSpec:
    spec = draw(_plain_software_specs())
    places = ["/base_image", *(["/add_on"] if spec.add_on is not None else []), "/hardware_support"]
    places += [f"/components/{name}" for name, _ in spec.components]
    for solution in spec.solutions:
        places += [f"/solutions/{solution.name}/components/{index}" for index, _ in enumerate(solution.components)]
    extra = st.just(()) | st.just(()) | json_extras()
    return attrs.evolve(spec, nested_extra=[(place, *pair) for place in places for pair in draw(extra)])


def _plain_software_specs() -> Strategy[SoftwareSpec]:
    package = st.builds(
        HardwareSupportReference,
        manager=names(),
        package=json_text(min_size=1),
        version=json_text(),
        extra=json_extras(),
    )
    solution = st.builds(
        SolutionReference,
        name=names(),
        version=json_text(),
        components=few(json_text(min_size=1)),
        extra=json_extras(),
    )
    return st.builds(
        SoftwareSpec,
        base_image=json_text(min_size=1),
        add_on=st.none() | st.builds(AddOnReference, json_text(min_size=1), add_on_versions()),
        components=st.dictionaries(names(), st.none() | component_versions(), max_size=3).map(
            lambda found: tuple(found.items())
        ),
        removed_components=few(json_text()),
        hardware_support=_by_name(package, lambda item: item.manager),
        solutions=_by_name(solution, lambda item: item.name),
        extra=json_extras(),
    )


def _line(*, min_words: int = 0) -> Strategy[str]:
    """Words with one blank between them, as the boot loader merges blanks."""
    letters = st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc"))
    word = st.text(letters, min_size=1, max_size=8)
    return st.lists(word, min_size=min_words, max_size=3).map(" ".join)


def _is_one_item(text: str) -> bool:
    return "---" not in text.split()


def boot_cfgs() -> Strategy[BootCfg]:
    file_name = names().map("/{}".format)
    module = st.builds(BootModuleLine, file_name, _line().filter(_is_one_item))
    extra_key = st.text("abcxyz_", min_size=1, max_size=6).map("x{}".format)
    return st.builds(
        BootCfg,
        bootstate=st.none() | st.integers(0, 3),
        title=_line(),
        timeout_seconds=st.integers(-1, 10**9 - 1),
        prefix=_line(),
        kernel=_line(),
        kernelopt=_line(),
        modules=few(module, max_size=6),
        build=_line(),
        updated=st.integers(0, 10**9 - 1),
        extra=st.dictionaries(extra_key, _line(), max_size=2).map(lambda found: tuple(found.items())),
    )


def mangled(data: bytes) -> Strategy[bytes]:
    """Valid bytes after an accident: some bytes changed, cut out, doubled, or the end missing."""
    at = st.integers(0, max(0, len(data) - 1))

    def flip(changes: list[tuple[int, int]]) -> bytes:
        changed = bytearray(data)
        for position, value in changes:
            changed[position] = value
        return bytes(changed)

    span = st.tuples(at, st.integers(1, 64))
    return st.one_of(
        st.lists(st.tuples(at, st.integers(0, 255)), min_size=1, max_size=8).map(flip),
        at.map(lambda end: data[:end]),
        span.map(lambda cut: data[: cut[0]] + data[cut[0] + cut[1] :]),
        span.map(lambda part: data[: part[0]] + data[part[0] : part[0] + part[1]] * 2 + data[part[0] + part[1] :]),
    )
