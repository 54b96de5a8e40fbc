"""Files of less than a megabyte that ask for as much as they can: memory, time, or disk.

Each is put together of bytes here, never by the library's own writers.
"""

from __future__ import annotations

import functools
import io
import random
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

import pycdlib
from support.document_builders import (
    BulletinBuilder,
    DepotBuilder,
    VibBuilder,
    element,
    profile_document,
    wrapped,
    zip_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "COSTLY_DATABASES",
    "COSTLY_DEPOTS",
    "COSTLY_DISCS",
    "COSTLY_DOCUMENTS",
    "COSTLY_VIBS",
    "MOST_BYTES",
    "topped_up",
]

MOST_BYTES = 1_000_000
_MIB = 1024 * 1024


def metadata_only(documents: Mapping[str, bytes]) -> bytes:
    """A depot with a metadata zip of these documents and nothing else."""
    return zip_bytes({"metadata.zip": zip_bytes(documents)}, method=zipfile.ZIP_STORED)


def numbered(folder: str, count: int, make: Callable[[int], bytes], suffix: str = "xml") -> dict[str, bytes]:
    return {f"{folder}/{number}.{suffix}": make(number) for number in range(count)}


def padded(document: bytes, size: int) -> bytes:
    """The document with blanks behind it."""
    return document + b" " * (size - len(document))


def broken_documents() -> bytes:
    """Documents of many bytes each of which cannot be read."""
    return metadata_only(numbered("vibs", 64, lambda _: padded(b"<vib>", 4 * _MIB)))


def wrong_documents() -> bytes:
    """Well-formed documents of many elements each of which lacks what it needs."""
    return metadata_only(numbered("vibs", 60, lambda _: wrapped("vib", ["<a/>" * 300_000]).encode()))


def many_broken_documents() -> bytes:
    return metadata_only(numbered("bulletins", 6_500, lambda _: b"<"))


def double_broken_documents() -> bytes:
    """A metadata zip that is packed twice, so that a small file has very many documents."""
    inner = zip_bytes(numbered("vibs", 60_000, lambda _: b""), method=zipfile.ZIP_STORED)
    return zip_bytes({"metadata.zip": inner})


def empty_members(count: int = 160_000) -> bytes:
    """A depot in a depot: the inner one has very many empty files, and is packed once more."""
    inner = zip_bytes({**{f"{n:06}": b"" for n in range(count)}, "metadata.zip": b""}, method=zipfile.ZIP_STORED)
    return zip_bytes({"a.zip": inner})


def empty_vibs() -> bytes:
    inner = zip_bytes({f"{n:05}.vib": b"" for n in range(60_000)}, method=zipfile.ZIP_STORED)
    return zip_bytes({"a.zip": inner})


def empty_metadata_members() -> bytes:
    """Metadata of kinds nobody reads."""
    inner = zip_bytes({f"other/{n:06}": b"" for n in range(140_000)}, method=zipfile.ZIP_STORED)
    return zip_bytes({"metadata.zip": inner})


def many_zips() -> bytes:
    """Very many depots in one, each with as many files as fit."""
    inner = zip_bytes({f"{n:04}": b"" for n in range(2_000)} | {"x.vib": b""}, method=zipfile.ZIP_STORED)
    return zip_bytes({f"{n:03}.zip": inner for n in range(70)})


def swollen_document() -> bytes:
    return metadata_only({"vibs/a.xml": wrapped("vib", ["<a/>" * 1_900_000]).encode()})


def swollen_attributes() -> bytes:
    attributes = "".join(f' a{n}=""' for n in range(400_000))
    return metadata_only({"vibs/a.xml": f"<vib{attributes}/>".encode()})


def swollen_ebcdic() -> bytes:
    """One byte an element letter in a coding where a tag does not begin with the usual byte."""
    text = '<?xml version="1.0" encoding="IBM037"?><vib>' + "<a/>" * 1_900_000 + "</vib>"
    return metadata_only({"vibs/a.xml": text.encode("cp037")})


def swollen_json() -> bytes:
    return metadata_only({"baseimages/a.json": b'{"a":[' + b"[]," * 2_700_000 + b"[]]}"})


def described(documents: Mapping[str, bytes]) -> bytes:
    """A depot with these descriptions of VIBs, all of which are said to be one small file."""
    return zip_bytes({"metadata.zip": zip_bytes(documents), "a.vib": VibBuilder().vib()}, method=zipfile.ZIP_STORED)


def at_one_file(number: int) -> VibBuilder:
    """One of many VIBs that are said to be one file."""
    return VibBuilder(name=f"v{number}", file_elements={"relative-path": "<relative-path>a.vib</relative-path>"})


def short_names(count: int) -> list[str]:
    """Names that are all different and do not take much."""
    return [f"{number:x}" for number in range(count)]


def payload_elements() -> bytes:
    """Sound VIBs with very many payloads each."""
    payloads = wrapped("payloads", [f'<payload name="{name}" type="a"/>' for name in short_names(4_000)])
    return described(numbered("vibs", 55, lambda n: at_one_file(n).with_element("payloads", payloads).metadata()))


def file_lists() -> bytes:
    """Sound VIBs with very long lists of files."""
    files = wrapped("file-list", [f"<file>{name}</file>" for name in short_names(5_000)])
    return described(numbered("vibs", 65, lambda n: at_one_file(n).with_element("file-list", files).metadata()))


def relations() -> bytes:
    """Sound VIBs that depend on very much."""
    named = "".join(f'<constraint name="{name}"/>' for name in short_names(5_000))
    links = wrapped("relationships", [wrapped("depends", [named])])
    return described(numbered("vibs", 45, lambda n: at_one_file(n).with_element("relationships", links).metadata()))


def many_vibs() -> bytes:
    """As many described VIBs as fit."""
    return described(numbered("vibs", 1_250, lambda n: at_one_file(n).metadata()))


def smallest_vibs() -> bytes:
    """VIBs with as little as one needs."""
    tags = ("summary", "description", "release-date", "urls", "relationships", "software-tags", "system-requires")
    more = ("file-list", "payloads", "cimom-restart", "stateless-ready", "overlay", "packed-size", "checksum")
    return described(numbered("vibs", 2_400, lambda n: at_one_file(n).without(*tags, *more).metadata()))


def missing_vibs() -> bytes:
    """VIBs that the depot describes and does not have."""
    return metadata_only(numbered("vibs", 1_300, lambda n: VibBuilder(name=f"v{n}").metadata()))


def bulletins_of_vibs() -> bytes:
    """Bulletins that list very many VIBs, none of which is there."""
    ids = tuple(f"A_a_b_{name}" for name in short_names(6_000))
    return metadata_only(numbered("bulletins", 55, lambda n: BulletinBuilder(id=f"b{n}", vib_ids=ids).document()))


def units_of_components() -> bytes:
    """Release units with very many components each, as they are and as a solution has them."""
    listed = ",".join(f'"{name}":"1"' for name in short_names(10_000))
    unit = '{"nameSpec":{"name":"a%d"},"versionSpec":{"version":"1.0-%d"},"components":{%s},"vendor":"A"}'
    return metadata_only(
        numbered("addons", 17, lambda n: (unit % (n, n, listed)).encode(), "json")
        | numbered("manifests", 17, lambda n: (unit % (n, n, listed)).encode(), "json")
    )


def one_id_many_vibs() -> bytes:
    """One VIB id with very many contents, all of them there."""
    builder = VibBuilder()
    documents = numbered(
        "vibs", 1_250, lambda n: builder.with_element("summary", element("summary", f"{n}")).metadata()
    )
    vib = {builder.relative_path: builder.vib()}
    return zip_bytes({"metadata.zip": zip_bytes(documents), **vib}, method=zipfile.ZIP_STORED)


def one_bulletin_many_contents() -> bytes:
    return metadata_only(
        numbered("bulletins", 1_900, lambda n: BulletinBuilder(vib_ids=(f"A_bootbank_v_{n}",)).document())
    )


def long_lists_of_vibs() -> bytes:
    """Profiles that list very many VIBs, none of which is there."""
    ids = [f"A_bootbank_v_{n}" for n in range(8_000)]
    return metadata_only(numbered("profiles", 30, lambda n: profile_document(f"p{n}", vib_ids=ids)))


def indexes() -> bytes:
    """An index of very many vendors."""
    vendor = (
        "<vendor><name>A</name><code>ACM</code><indexfile>{0}.xml</indexfile><relativePath>{0}</relativePath></vendor>"
    )
    return zip_bytes({"index.xml": wrapped("vendorList", [vendor.format(n) for n in range(80_000)]).encode()})


def gzip_bomb(size: int = 8 * 1024 * _MIB, members: int = 1) -> bytes:
    """Zeros, packed as tightly as gzip can."""
    return gzip_of_zeros(size // members) * members


@functools.cache
def gzip_of_zeros(size: int) -> bytes:
    """One gzip member of so many zeros, made without holding them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(_MIB)
    return b"".join([*(packer.compress(block) for _ in range(size // _MIB)), packer.flush()])


def bomb_vib(name: str = "bomb", payload: bytes | None = None, **attributes: str) -> VibBuilder:
    payload = gzip_of_zeros(900 * _MIB) if payload is None else payload
    return VibBuilder(name=name, payload=payload, payload_attributes=attributes)


def payload_bomb() -> bytes:
    """A payload that unpacks to a thousand times its size."""
    return DepotBuilder(vibs=(bomb_vib(),)).zip()


def packed_payload_bomb() -> bytes:
    """The same, and what is packed is packed again by the zip around it."""
    payload = gzip_of_zeros(64 * _MIB) * 3000
    return DepotBuilder(vibs=(bomb_vib(payload=payload),)).zip()


def bombs_together() -> bytes:
    """Many payloads, none of them too much by itself."""
    payload = gzip_of_zeros(60 * _MIB)
    return DepotBuilder(vibs=tuple(bomb_vib(f"b{n}", payload) for n in range(14))).zip()


def zip_member_bomb() -> bytes:
    """A file that no metadata names, of zeros."""
    return DepotBuilder().with_file("other/zeros.bin", bytes(900 * _MIB)).zip()


def loose_vib_bombs() -> bytes:
    """VIBs by themselves, each with a descriptor that is long and packs well."""
    builder = VibBuilder()
    description = element("description", "x" * (7 * _MIB))
    return zip_bytes(
        {f"v{n}.vib": builder.with_(name=f"v{n}").with_element("description", description).vib() for n in range(100)}
    )


def tgz(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def database_of_one_id() -> bytes:
    """An image database with one VIB id and very many descriptors."""
    builder = VibBuilder()
    head = "var/db/esximg/"
    vibs = {
        f"{head}vibs/{n}.xml": builder.with_element("summary", element("summary", f"{n}")).descriptor()
        for n in range(20_000)
    }
    return tgz({**vibs, f"{head}profiles/p.xml": profile_document(vib_ids=[builder.id])})


def database_of_nothing() -> bytes:
    """An image database of very many empty files."""
    head = "var/db/esximg/"
    return tgz({f"{head}profiles/p.xml": b"<", **{f"{head}vibs/{n}.xml": b"" for n in range(190_000)}})


def noise(size: int) -> bytes:
    """Bytes that no packer makes smaller, the same every time."""
    return random.Random(size).randbytes(size)


def checksums() -> bytes:
    """One payload with very many checksums, each of which would be computed."""
    listed = "".join(element("checksum", f"{n:064x}", checksum_type="sha-256") for n in range(20_000))
    payload = gzip_of_zeros(60 * _MIB)
    xml = f'<payloads><payload name="netacme" type="vgz" size="{len(payload)}">{listed}</payload></payloads>'
    return DepotBuilder(vibs=(VibBuilder(payload=payload).with_element("payloads", xml),)).zip()


def one_file_many_vibs() -> bytes:
    """Very many VIBs that are all said to be one file, and that is long."""
    builder = VibBuilder(payload=bytes(150 * _MIB))
    documents = numbered(
        "vibs",
        1_000,
        lambda n: (
            VibBuilder(name=f"v{n}", folder="", file_elements={"relative-path": element("relative-path", "a.vib")})
            .with_element("packed-size", "")
            .metadata()
        ),
    )
    return zip_bytes({"metadata.zip": zip_bytes(documents), "a.vib": builder.vib()})


def one_head_many_digests() -> bytes:
    """One VIB with very many digests: their heads, which are one, would be read for each."""
    long = VibBuilder(folder="").with_element("description", element("description", "x" * (7 * _MIB)))
    short = VibBuilder(folder="")
    documents = numbered(
        "vibs",
        1_250,
        lambda n: short.with_(
            file_elements={
                "relative-path": element("relative-path", "a.vib"),
                "packed-size": "",
                "checksum": element("checksum", f"{n:064x}", checksum_type="sha-256"),
            }
        ).metadata(),
    )
    return zip_bytes({"metadata.zip": zip_bytes(documents), "a.vib": long.vib()})


def many_members_in_vibs() -> bytes:
    """VIBs with very many members that no descriptor names."""
    member = f"{{:<16}}{0:<12}{0:<6}{0:<6}{0:<8}{0:<10}`\n"
    rest = "".join(member.format(f"m{n}") for n in range(40_000)).encode()
    return zip_bytes({f"v{n}.vib": VibBuilder(name=f"v{n}").vib() + rest for n in range(8)})


def many_folders() -> bytes:
    """An index of very many vendors, each in a folder of its own, and very many VIBs."""
    vendors = "".join(
        f"<vendor><name>A</name><code>ACM</code><indexfile>i.xml</indexfile><relativePath>f{n}</relativePath></vendor>"
        for n in range(40_000)
    )
    metadata = zip_bytes(numbered("vibs", 700, lambda n: VibBuilder(name=f"v{n}").metadata()))
    return zip_bytes({"index.xml": f"<vendorList>{vendors}</vendorList>".encode(), "f1/metadata.zip": metadata})


def topped_up(data: bytes) -> bytes:
    """The zip with so much noise in it that it is as long as a file may be, and is allowed the most."""
    room = MOST_BYTES - len(data) - 1_000
    if room < 0:
        return data
    target = io.BytesIO(data)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("noise.bin", noise(room))
    return target.getvalue()


COSTLY_DEPOTS: Mapping[str, Callable[[], bytes]] = {
    make.__name__: make
    for make in (
        broken_documents,
        wrong_documents,
        many_broken_documents,
        double_broken_documents,
        empty_members,
        empty_vibs,
        empty_metadata_members,
        many_zips,
        swollen_document,
        swollen_attributes,
        swollen_ebcdic,
        swollen_json,
        payload_elements,
        file_lists,
        relations,
        many_vibs,
        smallest_vibs,
        missing_vibs,
        one_id_many_vibs,
        one_bulletin_many_contents,
        long_lists_of_vibs,
        bulletins_of_vibs,
        units_of_components,
        indexes,
        payload_bomb,
        packed_payload_bomb,
        bombs_together,
        zip_member_bomb,
        loose_vib_bombs,
        checksums,
        one_file_many_vibs,
        one_head_many_digests,
        many_members_in_vibs,
        many_folders,
    )
}
COSTLY_DATABASES: Mapping[str, Callable[[], bytes]] = {
    make.__name__: make for make in (database_of_one_id, database_of_nothing)
}
_DATABASE = "var/db/esximg/"


def disc(files: Mapping[str, bytes]) -> bytes:
    """A disc that does not boot, with these files in its root."""
    image, target = pycdlib.PyCdlib(), io.BytesIO()
    image.new(interchange_level=3)
    for name, data in files.items():
        image.add_fp(io.BytesIO(data), len(data), iso_path=f"/{name};1")
    image.write_fp(target)
    image.close()
    return target.getvalue()


def database(vibs: Mapping[str, bytes], *profiles: bytes) -> bytes:
    """``IMGDB.TGZ`` of these documents."""
    listed = {f"{_DATABASE}profiles/{n}.xml": data for n, data in enumerate(profiles)}
    return tgz({**{f"{_DATABASE}{name}": data for name, data in vibs.items()}, **listed})


def disc_of_one_id() -> bytes:
    """One VIB id with very many descriptors."""
    builder = VibBuilder()
    vibs = numbered("vibs", 6_000, lambda n: builder.with_element("summary", element("summary", f"{n}")).descriptor())
    return disc({"IMGDB.TGZ": database(vibs, profile_document(vib_ids=[builder.id]))})


def disc_of_one_file() -> bytes:
    """Very many VIBs with payloads of one name, which is that of a long file."""
    vibs = numbered("vibs", 3_000, lambda n: VibBuilder(name=f"v{n}", payload_name="a").descriptor())
    profile = profile_document(vib_ids=[VibBuilder(name=f"v{n}").id for n in range(3_000)])
    return disc({"IMGDB.TGZ": database(vibs, profile), "A.V00": noise(700_000)})


def disc_of_archives() -> bytes:
    """Archives that unpack to very much."""
    zeros = tgz({"a.vib": bytes(110 * _MIB), "b.vib": bytes(110 * _MIB)})
    builder = VibBuilder()
    imgdb = database({"vibs/a.xml": builder.descriptor()}, profile_document(vib_ids=[builder.id]))
    names = ("RESVIBS.TGZ", "ESXIODPT.TGZ", "IMGPAYLD.TGZ", "ESXIMISC.TGZ")
    return disc({"IMGDB.TGZ": imgdb, **dict.fromkeys(names, zeros)})


def disc_of_profiles() -> bytes:
    """Very many image profiles over very many VIBs."""
    vibs = numbered("vibs", 1_500, lambda n: VibBuilder(name=f"v{n}").descriptor())
    ids = [VibBuilder(name=f"v{n}").id for n in range(1_500)]
    profiles = [profile_document(f"p{n}", vib_ids=ids[n % 1000 : n % 1000 + 3]) for n in range(2_500)]
    return disc({"IMGDB.TGZ": database(vibs, *profiles), "ISOLINUX.CFG": b"LABEL a\n" * 10_000 + b"e" * 300_000})


def disc_of_upgrades() -> bytes:
    """The upgrade folder's metadata has very many bulletins of one id, and so has the image database."""
    bulletins = {
        f"{folder}bulletins/{n}.xml": BulletinBuilder(vib_ids=(f"A_bootbank_v_{n}",)).document()
        for n in range(2_500)
        for folder in ("",)
    }
    builder = VibBuilder()
    imgdb = database({"vibs/a.xml": builder.descriptor(), **bulletins}, profile_document(vib_ids=[builder.id]))
    image, target = pycdlib.PyCdlib(), io.BytesIO()
    image.new(interchange_level=3)
    image.add_directory("/UPGRADE")
    metadata = zip_bytes(dict(list(bulletins.items())[:1_000]))
    for name, data in {"IMGDB.TGZ": imgdb, "UPGRADE/METADATA.ZIP": metadata}.items():
        image.add_fp(io.BytesIO(data), len(data), iso_path=f"/{name};1")
    image.write_fp(target)
    image.close()
    return target.getvalue()


def disc_of_files() -> bytes:
    """As many files as fit."""
    return disc({f"F{n:06}.B": b"" for n in range(13_000)})


def _filled(text: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """The text as often as it fits."""
    return before + text * ((MOST_BYTES - len(before) - len(after)) // len(text)) + after


COSTLY_DOCUMENTS: Mapping[tuple[str, str], Callable[[], bytes]] = {
    (name, call): functools.partial(_filled, *parts)
    for call in ("eib.read_software_spec(path)", "eib.read_lock(path)", "eib.read_host(path)", "eib.read_devices(path)")
    for name, parts in {
        "lists.json": (b"[],", b"[", b"[]]"),
        "objects.json": (b'{"a":1},', b'{"a":[', b"{}]}"),
        "numbers.json": (b"1,", b"[", b"1]"),
        "lines.txt": (b"a\n",),
        "words.txt": (b"a: b\n",),
        "devices.txt": (b"0000:00:00.0 0200: 8086:1521\n",),
        "elements.xml": (b"<a/>", b"<output>", b"</output>"),
    }.items()
}
COSTLY_VIBS: Mapping[str, Callable[[], bytes]] = {
    "payload-bomb": lambda: bomb_vib().vib(),
    "elements": lambda: VibBuilder().with_element("file-list", wrapped("file-list", ["<file/>" * 130_000])).vib(),
}
COSTLY_DISCS: Mapping[str, Callable[[], bytes]] = {
    make.__name__: make
    for make in (
        disc_of_one_id,
        disc_of_one_file,
        disc_of_archives,
        disc_of_profiles,
        disc_of_upgrades,
        disc_of_files,
    )
}
