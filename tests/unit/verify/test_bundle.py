"""Verifying bundles: every missing element and every wrong byte is named, and real bundles get fair play."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, final

import attrs
import pytest
from support.changed_depots import DEPOTS, ar_members, render_vib, zip_members
from support.document_builders import signature_over
from support.small_images import base_vibs, write_base_depot
from support.written_images import GENERATIONS, put, written

import esximage_builder as eib
from esximage_builder.authoring.vib import vgz_payload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Members = dict[str, bytes]
    Edit = Callable[[Members], None]

RELEASE = "7.0U3g"
ESXCLI_CHECKS = (
    "archive", "index", "vendor-index", "metadata", "metadata-parts", "documents", "contents", "vibs", "vib-paths",
    "vib-checksums", "descriptors", "signatures", "bytes",
)  # fmt: skip
VLCM_ONLY = ("vendor-code", "content-type", "components", "release-units", "vcf-version")
ABOUT_METADATA = ("documents", "contents", "components", "release-units", "vibs")
ABOUT_VIBS = ("vib-paths", "vib-checksums", "descriptors", "signatures", "bytes")


def names_of(verification: eib.Verification) -> list[str]:
    return [check.name for check in verification.checks]


def codes_of(verification: eib.Verification) -> dict[str, set[str]]:
    """Check to the codes of its findings, of checks that have any."""
    return {check.name: {f.code for f in check.findings} for check in verification.checks if check.findings}


def unasked_in(verification: eib.Verification) -> set[str]:
    """Names of checks that could not be asked; each says why, and none of them is passed."""
    unasked = [check for check in verification.checks if not check.is_asked]
    assert all(check.why_not_asked and not check.is_passed for check in unasked)
    return {check.name for check in unasked}


# What is whole passes


@pytest.mark.parametrize("name", GENERATIONS)
def test_a_bundle_of_ours_passes_every_check_without_a_word(tmp_path: Path, name: str) -> None:
    generation = GENERATIONS[name]
    path = written(name).bundle_in(tmp_path)
    as_esxcli = eib.verify_bundle(path, kind="esxcli")
    verification = eib.verify_bundle(path, kind=generation.kind)

    assert as_esxcli.findings == verification.findings == ()
    assert as_esxcli.is_passed
    assert tuple(names_of(as_esxcli)) == ESXCLI_CHECKS
    if generation.kind == "vlcm":
        assert sorted(names_of(verification)) == sorted((*ESXCLI_CHECKS, *VLCM_ONLY))


@pytest.mark.parametrize("path", sorted(DEPOTS.glob("*.zip")), ids=lambda path: path.stem)
def test_every_fixture_depot_passes(path: Path) -> None:
    """But the zip of zips, which is a bundle to nobody but us, and 6.7, which has no components."""
    verification = eib.verify_bundle(path, kind="esxcli" if "6.7" in path.name else "vlcm")

    assert verification.is_passed is ("pack" not in path.name)
    if verification.is_passed:
        assert verification.findings == ()
    else:
        assert {"index-missing"} <= {f.code for f in verification.findings}


def test_a_bundle_without_reserved_vibs_is_partial(tmp_path: Path) -> None:
    with eib.open_depot(*GENERATIONS[RELEASE].paths) as depot:
        image = GENERATIONS[RELEASE].image(depot.catalog)
        eib.export_bundle(image, depot, tmp_path / "custom.zip", with_reserved=False)
    verification = eib.verify_bundle(tmp_path / "custom.zip")

    assert verification.is_passed
    assert codes_of(verification) == {"release-units": {"reserved-vibs-left-out"}}
    assert set(verification.findings[0].items) == {component.id for component in image.reserved_components}


def test_for_9_x_an_attribute_is_named_that_nobody_outside_knows(tmp_path: Path) -> None:
    version = "9.0.0-0.24755229"
    vibs = base_vibs(version, kernel=b"kernel", bios_loader=None, efi_image=b"efi" * 700)
    write_base_depot(tmp_path / "depot.zip", version, vibs)
    verification = eib.verify_bundle(tmp_path / "depot.zip")

    assert verification.is_passed
    assert codes_of(verification) == {"vcf-version": {"vcf-version-unknown"}}
    assert verification.checks[-1].certainty is eib.Certainty.INFERRED


# Each check sees its own damage


@functools.cache
def bundle_members() -> Members:
    return zip_members(written(RELEASE).bundle)


def zipped(members: Members) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


def with_members(*edits: Edit) -> bytes:
    members = dict(bundle_members())
    for edit in edits:
        edit(members)
    return zipped(members)


def drop(pattern: str) -> Edit:
    def edit(members: Members) -> None:
        found = [name for name in members if re.search(pattern, name)]
        assert found
        for name in found:
            del members[name]

    return edit


def change(pattern: str, to: Callable[[bytes], bytes]) -> Edit:
    """Change every member whose name matches; at least one must become another."""

    def edit(members: Members) -> None:
        changed = {name: to(data) for name, data in members.items() if re.search(pattern, name)}
        assert any(members[name] != data for name, data in changed.items())
        members.update(changed)

    return edit


def inside(*edits: Edit) -> Edit:
    """The same for the members of ``metadata.zip``."""

    def edit(members: Members) -> None:
        metadata = zip_members(members["metadata.zip"])
        for inner in edits:
            inner(metadata)
        members["metadata.zip"] = zipped(metadata)

    return edit


def sub(pattern: bytes, to: bytes, count: int = 1) -> Callable[[bytes], bytes]:
    return lambda data: re.sub(pattern, to, data, count=count, flags=re.DOTALL)


def with_second_entry(data: bytes) -> bytes:
    return re.sub(
        rb"(<metadata>.*?</metadata>)",
        lambda match: match[1] + match[1].replace(b"metadata.zip", b"more.zip"),
        data,
        count=1,
        flags=re.DOTALL,
    )


# ``vmware.xml`` names bulletins a second time.
DROP_BULLETINS = inside(drop("^bulletins/"), change(r"vmware\.xml", sub(rb"<bulletin>.*</bulletin>", b"")))


EMPTY_METADATA = inside(drop("/"), change(r"vmware\.xml", sub(rb"<bulletin>.*</bulletin>", b"")))


def drop_bulletin(name: bytes) -> Edit:
    inner = rb"<bulletin>\s*<id>" + name + rb"_(?:(?!</bulletin>).)*</bulletin>"
    return inside(drop(f"^bulletins/{name.decode()}_"), change(r"vmware\.xml", sub(inner, b"")))


def with_vib(change_members: Callable[[dict[str, bytes]], None], *, name: str = "ne1000") -> Edit:
    """Put another ``.vib`` in place of one, with the size and SHA-256 in the metadata that are its own."""

    def edit(members: Members) -> None:
        path = next(path for path in members if path.startswith(f"vib20/{name}/"))
        before = members[path]
        parts = ar_members(before)
        described = parts["descriptor.xml"]
        change_members(parts)
        if parts["descriptor.xml"] != described:
            parts["sig.pkcs7"] = signature_over(parts["descriptor.xml"])
        after = members[path] = render_vib(parts)
        assert before != after
        replace_facts(before, after)(members)

    return edit


def replace_facts(before: bytes, after: bytes) -> Edit:
    """Give the metadata of one VIB the digest and size of another file."""
    old, new = hashlib.sha256(before).hexdigest().encode(), hashlib.sha256(after).hexdigest().encode()

    def to(data: bytes) -> bytes:
        if old not in data:
            return data
        size = rb"(<packed-size>)%d(<)" % len(before)
        return re.sub(size, rb"\g<1>%d\2" % len(after), data).replace(old, new)

    return inside(change("^vibs/", to))


def with_payload(to: Callable[[bytes], bytes], *, sums: tuple[str, ...] = (), size: bool = True) -> Edit:
    """Change the one payload of a VIB; descriptor and metadata say what is asked for, the rest stays as it was.

    ``sums`` names which checksums become the new payload's: ``stored``, ``gunzip``.
    """

    def edit(members: Members) -> None:
        path = next(path for path in members if path.startswith("vib20/ne1000/"))
        parts = ar_members(members[path])
        name = list(parts)[2]
        before, after = parts[name], to(parts[name])
        assert before != after
        pairs = []
        if "stored" in sums:
            pairs.append((hashlib.sha256(before).hexdigest().encode(), hashlib.sha256(after).hexdigest().encode()))
        if size:
            pairs.append((b' size="%d"' % len(before), b' size="%d"' % len(after)))

        def describe(data: bytes) -> bytes:
            for old, new in pairs:
                data = data.replace(old, new)
            return data

        inside(change("^vibs/ne1000-", lambda data: describe(data) if pairs else data + b" "))(members)
        with_vib(lambda vib: vib.update({name: after, "descriptor.xml": describe(vib["descriptor.xml"])}))(members)

    return edit


def flip_last_data_byte(payload: bytes) -> bytes:
    """A gzip stream of other contents: one byte before the trailer, which the CRC no longer fits."""
    return payload[:-9] + bytes([payload[-9] ^ 0x55]) + payload[-8:]


def other_contents(payload: bytes) -> bytes:
    """A sound gzip stream of other contents, of the same length."""
    other = vgz_payload("ne1000", {"x": b"other"}).data
    assert other != payload
    return other


def with_extra_member(*, damaged: bool) -> bytes:
    data = with_members(lambda members: members.update({"notes.txt": b"an unread member"}))
    return data.replace(b"an unread member", b"an UNREAD member", 1) if damaged else data


def add_second_description(metadata: Members) -> None:
    name = next(name for name in metadata if name.startswith("vibs/ne1000-"))
    metadata["vibs/another.xml"] = metadata[name].replace(b"</summary>", b" as another tells it</summary>")


@final
@attrs.frozen(kw_only=True)
class Damage:
    """A bundle with one thing wrong, and what each check must say of it."""

    data: Callable[[], bytes]
    codes: dict[str, set[str]]
    is_passed: bool = False
    kind: str = "vlcm"
    unasked: tuple[str, ...] = ()
    """Checks that have nothing to look at, besides the one for ESXi 9."""


DAMAGES = {
    "cut short": Damage(
        data=lambda: written(RELEASE).bundle[:-500],
        codes={"archive": {"archive-damaged"}},
        unasked=(*ESXCLI_CHECKS[1:], *VLCM_ONLY),
    ),
    "no index": Damage(
        data=lambda: with_members(drop(r"^index\.xml")),
        codes={
            "index": {"index-missing"},
            "vendor-code": {"vendor-missing"},
            "vendor-index": {"vendor-index-missing"},
        },
        unasked=("content-type", "metadata", "metadata-parts"),
    ),
    "no vendor block": Damage(
        data=lambda: with_members(change(r"^index\.xml", sub(rb"<vendor>.*</vendor>", b""))),
        codes={
            "index": {"vendor-missing"},
            "vendor-code": {"vendor-missing"},
            "vendor-index": {"vendor-index-missing"},
            "vibs": {"vib-not-indexed"},
        },
        unasked=("content-type", "metadata", "metadata-parts", *ABOUT_METADATA, *ABOUT_VIBS),
    ),
    "vendor code of seven letters": Damage(
        data=lambda: with_members(change(r"^index\.xml", sub(rb"<code>.*</code>", b"<code>Unknown</code>"))),
        codes={"vendor-code": {"vendor-code-wrong"}},
    ),
    "vendor code with an umlaut": Damage(
        data=lambda: with_members(change(r"^index\.xml", sub(rb"<code>.*</code>", "<code>AÇM</code>".encode()))),
        codes={"vendor-code": {"vendor-code-wrong"}},
    ),
    "no vendor code": Damage(
        data=lambda: with_members(change(r"^index\.xml", sub(rb"<code>.*</code>", b""))),
        codes={"vendor-code": {"vendor-code-wrong"}},
    ),
    "other content type": Damage(
        data=lambda: with_members(change(r"^index\.xml", sub(rb"depotmanagement/esx", b"depotmanagement/other"))),
        codes={"content-type": {"content-type-wrong"}},
        is_passed=True,
    ),
    "no vendor index": Damage(
        data=lambda: with_members(drop(r"^vendor-index\.xml")),
        codes={"vendor-index": {"vendor-index-missing"}},
        unasked=("metadata", "metadata-parts"),
    ),
    "vendor index that cannot be read": Damage(
        data=lambda: with_members(change(r"^vendor-index\.xml", lambda data: data[:-9])),
        codes={"vendor-index": {"vendor-index-missing"}, "documents": {"unreadable-source"}},
        unasked=("metadata", "metadata-parts", *ABOUT_METADATA, *ABOUT_VIBS),
    ),
    "vendor index of nothing": Damage(
        data=lambda: with_members(change(r"^vendor-index\.xml", sub(rb"<metadata>.*</metadata>", b""))),
        codes={
            "vendor-index": {"vendor-index-missing"},
            "vibs": {"vib-not-indexed"},
        },
        unasked=("metadata", "metadata-parts", *ABOUT_METADATA, *ABOUT_VIBS),
    ),
    "no product": Damage(
        data=lambda: with_members(change(r"^vendor-index\.xml", sub(rb"<productId>.*?</productId>", b""))),
        codes={"vendor-index": {"product-missing"}},
    ),
    "no product version": Damage(
        data=lambda: with_members(change(r"^vendor-index\.xml", sub(rb"<version>.*?</version>", b""))),
        codes={"vendor-index": {"product-missing"}},
    ),
    "no metadata": Damage(
        data=lambda: with_members(drop(r"^metadata\.zip")),
        codes={
            "metadata": {"metadata-missing"},
            "vibs": {"vib-not-indexed"},
        },
        unasked=("metadata-parts", *ABOUT_METADATA, *ABOUT_VIBS),
    ),
    "one of two metadata zips not there": Damage(
        data=lambda: with_members(change(r"^vendor-index\.xml", with_second_entry)),
        codes={"metadata": {"metadata-missing"}},
        unasked=("metadata-parts",),
    ),
    "metadata of nothing": Damage(
        data=lambda: with_members(EMPTY_METADATA),
        codes={"documents": {"metadata-empty"}, "vibs": {"vib-not-indexed"}},
        unasked=(*ABOUT_METADATA, *ABOUT_VIBS),
    ),
    "metadata is no zip": Damage(
        data=lambda: with_members(change(r"^metadata\.zip", lambda data: data[:-100])),
        codes={
            "metadata-parts": {"metadata-damaged"},
            "documents": {"unreadable-document"},
            "vibs": {"vib-not-indexed"},
        },
        unasked=(*ABOUT_METADATA, *ABOUT_VIBS),
    ),
    "no vmware.xml": Damage(
        data=lambda: with_members(inside(drop(r"vmware\.xml"))), codes={"metadata-parts": {"metadata-part-missing"}}
    ),
    "no vendor index inside": Damage(
        data=lambda: with_members(inside(drop(r"vendor-index\.xml"))),
        codes={"metadata-parts": {"metadata-part-missing"}},
    ),
    "bulletin is no XML": Damage(
        data=lambda: with_members(inside(change("^bulletins/Intel-i40en", lambda data: data[:-5]))),
        codes={"documents": {"unreadable-document"}},
    ),
    "no component": Damage(
        data=lambda: with_members(DROP_BULLETINS),
        codes={"components": {"component-metadata-missing"}, "release-units": {"unit-component-missing"}},
    ),
    "component not there": Damage(
        data=lambda: with_members(drop_bulletin(b"Intel-i40en")),
        codes={"components": {"vib-without-component"}, "release-units": {"unit-component-missing"}},
    ),
    "VIB in no component": Damage(
        data=lambda: with_members(inside(change("^bulletins/Intel-i40en", sub(rb"<vibID>VMW", b"<vibID>XYZ")))),
        codes={"components": {"vib-without-component"}, "vibs": {"vib-missing"}},
    ),
    "VIB not described": Damage(
        data=lambda: with_members(inside(drop("^vibs/ne1000-"))), codes={"vibs": {"vib-missing", "vib-not-indexed"}}
    ),
    "VIB not there": Damage(
        data=lambda: with_members(drop("^vib20/ne1000/")), codes={"vibs": {"vib-missing", "vib-file-missing"}}
    ),
    "VIB elsewhere": Damage(
        data=lambda: with_members(lambda members: move(members, "vib20/ne1000/", "vib20/other/")),
        codes={"vib-paths": {"vib-path-wrong"}},
    ),
    "no path": Damage(
        data=lambda: with_members(inside(change("^vibs/ne1000-", sub(rb"<relative-path>.*</relative-path>", b"")))),
        codes={"vib-paths": {"vib-path-wrong"}},
    ),
    "no checksum of the VIB": Damage(
        data=lambda: with_members(
            inside(change("^vibs/ne1000-", sub(rb"(</packed-size>)<checksum .*?</checksum>", rb"\1")))
        ),
        codes={"vib-checksums": {"vib-checksum-missing"}},
    ),
    "described otherwise": Damage(
        data=lambda: with_members(inside(change("^vibs/ne1000-", sub(rb"<summary>", b"<summary>not ")))),
        codes={"descriptors": {"descriptor-differs"}},
    ),
    "not signed": Damage(
        data=lambda: with_members(with_vib(lambda vib: vib.update({"sig.pkcs7": b""}))),
        codes={"signatures": {"signature-missing"}},
    ),
    "described twice": Damage(
        data=lambda: with_members(inside(add_second_description)),
        codes={"contents": {"vib-content-differs"}, "descriptors": {"descriptor-differs"}},
    ),
    "no VIB at all": Damage(
        data=lambda: with_members(change("^vib20/ne1000/", lambda _: b"something else")),
        codes={"descriptors": {"vib-damaged"}, "bytes": {"vib-damaged", "vib-size-differs", "vib-checksum-differs"}},
        unasked=("signatures",),
    ),
    "VIB of another size": Damage(
        data=lambda: with_members(change("^vib20/ne1000/", lambda data: data[:-1])),
        codes={"bytes": {"vib-damaged", "vib-size-differs", "vib-checksum-differs"}},
    ),
    "wrong size of the VIB": Damage(
        data=lambda: with_members(
            inside(change("^vibs/ne1000-", sub(rb"<packed-size>\d+", b"<packed-size>7")))
        ),
        codes={"bytes": {"vib-size-differs"}},
    ),
    "wrong checksum of the VIB": Damage(
        data=lambda: with_members(
            inside(change("^vibs/ne1000-", sub(rb"(</packed-size><checksum [^>]*>)....", rb"\g<1>0000")))
        ),
        codes={"bytes": {"vib-checksum-differs"}},
    ),
    "payload of other contents": Damage(
        data=lambda: with_members(with_payload(other_contents)),
        codes={"bytes": {"payload-checksum-differs"}},
    ),
    "payload of other contents whose stored sum is right": Damage(
        data=lambda: with_members(with_payload(other_contents, sums=("stored",))),
        codes={"bytes": {"payload-checksum-differs"}},
    ),
    "payload that does not unpack and whose stored sum is right": Damage(
        data=lambda: with_members(with_payload(flip_last_data_byte, sums=("stored",))),
        codes={"bytes": {"payload-damaged"}},
    ),
    "payload of another size": Damage(
        data=lambda: with_members(with_payload(lambda data: data + bytes(2), sums=("stored",), size=False)),
        codes={"bytes": {"payload-size-differs"}},
    ),
    "another member damaged": Damage(
        data=lambda: with_extra_member(damaged=True), codes={"bytes": {"member-damaged"}}
    ),
}  # fmt: skip


def move(members: Members, start: str, to: str) -> None:
    for path in [path for path in members if path.startswith(start)]:
        members[path.replace(start, to)] = members.pop(path)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_seen_by_its_own_check_and_the_others_go_on(tmp_path: Path, damage: Damage) -> None:
    path = put(tmp_path / "custom.zip", damage.data())
    verification = eib.verify_bundle(path, kind=damage.kind)

    assert codes_of(verification) == damage.codes
    assert verification.is_passed is damage.is_passed
    assert set(names_of(verification)) == {*ESXCLI_CHECKS, *VLCM_ONLY}
    assert unasked_in(verification) == {*damage.unasked, "vcf-version"}
    for finding in verification.findings:
        assert finding.message
        assert finding.where


def test_every_check_of_a_bundle_was_seen_to_find_something() -> None:
    assert {name for damage in DAMAGES.values() for name in damage.codes} == {*ESXCLI_CHECKS, *VLCM_ONLY[:-1]}


def test_a_member_that_nobody_knows_is_no_finding(tmp_path: Path) -> None:
    assert eib.verify_bundle(put(tmp_path / "custom.zip", with_extra_member(damaged=False))).findings == ()


def test_a_depot_in_a_folder_of_its_own_is_followed(tmp_path: Path) -> None:
    """``relativePath`` of the index says where a vendor's files stand."""
    members = {f"acme/{name}": data for name, data in bundle_members().items() if name != "index.xml"}
    index = re.sub(
        rb"<relativePath ?/>|<relativePath></relativePath>",
        b"<relativePath>acme</relativePath>",
        bundle_members()["index.xml"],
    )
    assert b"acme" in index
    verification = eib.verify_bundle(put(tmp_path / "custom.zip", zipped({"index.xml": index, **members})))

    assert verification.findings == ()


# In a folder


def unpacked(folder: Path, members: Members) -> Path:
    for name, data in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("kind", ["vlcm", "esxcli"])
def test_an_unpacked_bundle_is_asked_all_but_whether_its_archive_is_sound(tmp_path: Path, kind: str) -> None:
    folder = unpacked(tmp_path / "depot", bundle_members())
    verification = eib.verify_bundle(folder, kind=kind)

    assert verification.findings == ()
    assert verification.is_passed
    assert unasked_in(verification) == {"archive"} | ({"vcf-version"} if kind == "vlcm" else set())
    assert next(check.why_not_asked for check in verification.checks) == "it is a folder"


@pytest.mark.parametrize(
    "name", ["no vendor index", "no metadata", "VIB not there", "payload of another size", "VIB elsewhere"]
)
def test_damage_of_an_unpacked_bundle_is_that_of_its_zip(tmp_path: Path, name: str) -> None:
    folder = unpacked(tmp_path / "depot", zip_members(DAMAGES[name].data()))

    assert codes_of(eib.verify_bundle(folder)) == DAMAGES[name].codes


def test_an_index_that_leads_out_of_the_folder_finds_nothing(tmp_path: Path) -> None:
    members = bundle_members() | {}
    index = members.pop("vendor-index.xml")
    put(tmp_path / "outside.xml", index)
    change(r"^index\.xml", sub(rb"<indexfile>.*</indexfile>", b"<indexfile>../outside.xml</indexfile>"))(members)
    verification = eib.verify_bundle(unpacked(tmp_path / "depot", members))

    assert "vendor-index-missing" in codes_of(verification)["vendor-index"]


# Release units


def unit(kind: str, unit_name: str, **fields: object) -> Edit:
    """Add a release unit of a kind to the metadata."""
    document = {"releaseID": f"{unit_name}:1.0", "vendor": "Acme", "releaseDate": "2024-01-01T00:00:00Z", **fields}
    return inside(lambda metadata: metadata.update({f"{kind}/{unit_name}.json": json.dumps(document).encode()}))


I40EN, NE1000 = "Intel-i40en", "Intel-ne1000"


@pytest.mark.parametrize("kind", ["addons", "solutions", "manifests"])
@pytest.mark.parametrize("base", [True, False], ids=["beside a base image", "without one"])
def test_every_release_unit_is_asked_for_its_components(tmp_path: Path, kind: str, *, base: bool) -> None:
    edits = [] if base else [inside(drop("^baseimages/"), drop("^profiles/"), drop("^addons/"))]
    there = eib.verify_bundle(
        put(tmp_path / "there.zip", with_members(*edits, unit(kind, "one", components={I40EN: version_of(I40EN)})))
    )
    lacking = eib.verify_bundle(
        put(tmp_path / "lacking.zip", with_members(*edits, unit(kind, "one", components={"Nobody": "1.0-1"})))
    )

    assert "release-units" not in {*codes_of(there), *unasked_in(there)}
    assert codes_of(lacking)["release-units"] == {"unit-component-missing"}
    assert [f.items for f in lacking.findings if f.code == "unit-component-missing"] == [("Nobody:1.0-1", "one:1.0")]


def version_of(name: str) -> str:
    with eib.open_depot(*GENERATIONS[RELEASE].paths) as depot:
        return depot.catalog.components_by_name[name][0].version.text


def test_a_solution_is_content_with_any_version_that_it_accepts(tmp_path: Path) -> None:
    accepted = unit("solutions", "one", components={I40EN: ["0.1-1", version_of(I40EN)], NE1000: None})
    refused = unit("solutions", "one", components={I40EN: ["0.1-1", "0.2-1"]})

    assert "release-units" not in codes_of(eib.verify_bundle(put(tmp_path / "a.zip", with_members(accepted))))
    verification = eib.verify_bundle(put(tmp_path / "b.zip", with_members(refused)))
    assert codes_of(verification)["release-units"] == {"unit-component-missing"}


def test_a_component_that_nothing_takes_the_place_of_fails_a_bundle_whose_profile_is_complete(tmp_path: Path) -> None:
    """A base image that lacks it cannot be imported; overridden ones that were left out are only told."""
    data = with_members(
        inside(
            change(
                "^baseimages/", lambda data: data.replace(b'"components": {', b'"components": {"Nobody": "1.0-1",', 1)
            )
        )
    )
    verification = eib.verify_bundle(put(tmp_path / "custom.zip", data))

    assert codes_of(verification) == {"release-units": {"unit-component-missing"}}
    assert not verification.is_passed


def test_esxi_9_is_told_by_its_base_vib_where_no_base_image_is_there(tmp_path: Path) -> None:
    version = "9.0.0-0.24755229"
    vibs = base_vibs(version, kernel=b"kernel", bios_loader=None, efi_image=b"efi" * 700)
    write_base_depot(tmp_path / "depot.zip", version, vibs)
    members = zip_members((tmp_path / "depot.zip").read_bytes())
    inside(drop("^baseimages/"))(members)
    verification = eib.verify_bundle(put(tmp_path / "custom.zip", zipped(members)))

    assert codes_of(verification)["vcf-version"] == {"vcf-version-unknown"}


def test_a_driver_bundle_is_not_asked_what_it_has_none_of() -> None:
    verification = eib.verify_bundle(DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip")

    assert verification.is_passed
    assert {check.name: check.why_not_asked for check in verification.not_asked} == {
        "release-units": "no profile, base image, add-on or other release unit lists a component",
        "vcf-version": "nothing in the bundle names its ESXi version",
    }


# The esxcli kind


def without_components(data: bytes) -> bytes:
    members = zip_members(data)
    DROP_BULLETINS(members)
    inside(drop("^(baseimages|addons)/"))(members)
    return zipped(members)


def test_a_bundle_of_the_esxcli_kind_passes_as_one_and_fails_for_vlcm_by_name(tmp_path: Path) -> None:
    """As ``Export-EsxImageProfile -ExportToBundle`` writes it: no vendor code, no component metadata."""
    data = without_components(written(RELEASE).bundle)
    members = zip_members(data)
    change(r"^index\.xml", sub(rb"<code>.*</code>", b"<code/>"))(members)
    inside(change("^profiles/", sub(rb"<bulletinlist>.*</bulletinlist>", b"")))(members)
    path = put(tmp_path / "profile.zip", zipped(members))

    assert eib.verify_bundle(path, kind="esxcli").findings == ()
    verification = eib.verify_bundle(path)
    assert not verification.is_passed
    assert codes_of(verification) == {
        "vendor-code": {"vendor-code-wrong"},
        "components": {"component-metadata-missing"},
    }
    assert unasked_in(verification) == {"release-units", "vcf-version"}


def test_a_profile_of_6_7_is_no_bundle_for_vlcm(tmp_path: Path) -> None:
    verification = eib.verify_bundle(written("6.7").bundle_in(tmp_path))

    assert codes_of(verification) == {"components": {"component-metadata-missing"}}


def test_stored_bytes_alone_can_be_asked_for(tmp_path: Path) -> None:
    path = put(tmp_path / "custom.zip", with_members(with_payload(other_contents, sums=("stored",))))

    assert not eib.verify_bundle(path).is_passed
    assert eib.verify_bundle(path, deep=False).is_passed


# Fair to others


def test_every_real_bundle_is_sound(realdata: Path) -> None:
    """They fail for vLCM at most, for want of a vendor code or of components."""
    paths = sorted((realdata / "bundles").rglob("*.zip"))
    assert len(paths) >= 5
    accepted = []
    for path in paths:
        as_esxcli = eib.verify_bundle(path, kind="esxcli")
        assert {f.code for f in as_esxcli.findings} <= {"certificate-expired"}, path.name
        verification = eib.verify_bundle(path)
        assert {f.code for f in verification.findings} <= {
            "vendor-code-wrong", "component-metadata-missing", "certificate-expired",
        }  # fmt: skip
        accepted += [path.name] if verification.is_passed else []
    assert accepted


# What cannot be verified


@pytest.mark.parametrize(
    ("data", "found", "hint"),
    [
        pytest.param(b"", "empty file", "download it again", id="empty"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer", "git lfs pull", id="pointer"),
        pytest.param(bytes(32769) + b"CD001" + bytes(4096), "ISO image", "verify_iso", id="iso"),
        pytest.param(b"!<arch>\n", "VIB", "verify_vib", id="vib"),
    ],
)
def test_what_is_no_zip_is_named(tmp_path: Path, data: bytes, found: str, hint: str) -> None:
    with pytest.raises(eib.NotADepotError, match="no zip archive") as caught:
        eib.verify_bundle(put(tmp_path / "custom.zip", data))

    assert caught.value.found == found
    assert hint in caught.value.hint


def test_a_zip_of_anything_fails_without_an_exception(tmp_path: Path) -> None:
    verification = eib.verify_bundle(put(tmp_path / "photos.zip", zipped({"holiday.jpg": b"\xff\xd8"})))

    assert not verification.is_passed
    assert {"index-missing", "vendor-missing", "unreadable-source"} <= {f.code for f in verification.findings}


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(eib.ModelError, match="no kind of bundle"):
        eib.verify_bundle(tmp_path / "custom.zip", kind="iso")


def test_limits_are_findings(tmp_path: Path) -> None:
    path = written(RELEASE).bundle_in(tmp_path)

    small = eib.verify_bundle(path, limits=eib.ReadLimits(payload_bytes=1000))
    assert codes_of(small) == {"bytes": {"payload-too-large"}}
    few = eib.verify_bundle(path, limits=eib.ReadLimits(member_count=10))
    assert codes_of(few) == {"archive": {"archive-damaged"}}
    tiny = eib.verify_bundle(path, limits=eib.ReadLimits(metadata_bytes=1000))
    assert not tiny.is_passed
    assert "metadata-damaged" in codes_of(tiny)["metadata-parts"]


# What a verification says


def test_a_verification_as_json_and_text_names_check_certainty_and_remedy(tmp_path: Path) -> None:
    path = put(tmp_path / "custom.zip", DAMAGES["vendor code of seven letters"].data())
    verification = eib.verify_bundle(path)
    document = eib.verification_as_dict(verification)

    assert (document["path"], document["kind"], document["passed"]) == (str(path), "vlcm", False)
    checks = document["checks"]
    assert isinstance(checks, list)
    (unasked,) = (check for check in checks if not check["asked"])
    assert (unasked["name"], unasked["passed"]) == ("vcf-version", False)
    assert unasked["why_not_asked"] == "nothing in the bundle is of ESXi 9"
    (failed,) = (check for check in checks if check["findings"])
    assert (failed["passed"], failed["asked"], failed["why_not_asked"]) == (False, True, "")
    assert (failed["name"], failed["certainty"]) == ("vendor-code", "confirmed")
    assert failed["findings"] == [eib.finding_as_dict(finding) for finding in verification.findings]
    text = eib.render_verification(verification)
    assert text.startswith(f"{path}: FAILED as vlcm, 1 of 18 questions not asked\n")
    assert "  [FAILED] has every vendor a code of three letters or digits? (confirmed)\n" in text
    assert "      [error] vendor-code-wrong: the vendor code is 'Unknown', not three letters or digits\n" in text
    assert "          try: write the bundle anew with a vendor code\n" in text
    assert "  [ok] is the content type that of ESXi depots? (inferred)\n" in text


def test_a_warning_is_shown_as_one(tmp_path: Path) -> None:
    path = put(tmp_path / "custom.zip", DAMAGES["other content type"].data())
    text = eib.render_verification(eib.verify_bundle(path))

    assert text.startswith(f"{path}: passed as vlcm, 1 of 18 questions not asked\n")
    assert (
        "  [not asked] is the vcfVersion attribute of 9.x there? (inferred)\n"
        "      why: nothing in the bundle is of ESXi 9\n"
    ) in text
    assert "  [warning] is the content type that of ESXi depots? (inferred)\n" in text


# Several at a time


def test_findings_do_not_depend_on_how_many_read(tmp_path: Path) -> None:
    """Damage is told in the order of the catalog, and progress comes out at the size of the VIBs."""
    members = bundle_members()
    for name in [name for name in members if name.endswith(".vib")][::2]:
        members[name] = members[name][:-200] + bytes(200)
    path = put(tmp_path / "bundle.zip", zipped(members))
    told: list[tuple[str, int, int]] = []
    found = [
        eib.verify_bundle(path, workers=workers, progress=lambda *step: told.append(step)).findings
        for workers in (1, 2, 5)
    ]
    assert len(found[0]) >= 4
    assert found[0] == found[1] == found[2]
    assert told[-1][1] == told[-1][2] > 0
    assert {stage for stage, _, _ in told} == {"verify"}


def test_which_payloads_are_too_much_together_does_not_depend_on_how_many_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share one bound; the one that reaches it is the same however many read."""
    path = put(tmp_path / "bundle.zip", zipped(bundle_members()))
    monkeypatch.setattr("esximage_builder.limits._FREE_UNPACKED", 60_000)
    limits = eib.ReadLimits(unpacked_ratio=0)
    found = [eib.verify_bundle(path, limits=limits, workers=workers).findings for workers in (1, 2, 5) for _ in "ab"]
    assert "payload-too-large" in {finding.code for finding in found[0]}
    assert all(findings == found[0] for findings in found)


@pytest.mark.parametrize("workers", [0, 65])
def test_so_many_cannot_work(workers: int) -> None:
    with pytest.raises(eib.ModelError, match="so many cannot work"):
        eib.verify_bundle("missing.zip", workers=workers)
