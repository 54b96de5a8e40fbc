"""Valid documents, VIBs and depots from defaults, each of them to be bent in one place.

The bytes are put together from texts here and never by the library's own writers, so that a
test of reading does not lean on the code for writing. Builders are values: ``with_`` and its
kin return a changed copy, ``without`` one that lacks something.
"""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final
from xml.sax.saxutils import escape, quoteattr

import attrs

from esximage_builder.containers.cms import sign_detached

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEYS = Path(__file__).parents[2] / "fixtures" / "keys"
SIGNED_AT = datetime(2024, 5, 1, tzinfo=UTC)


@functools.cache
def signature_over(descriptor: bytes) -> bytes:
    """A signature by the test key that covers a descriptor."""
    key, certificate = (KEYS / f"TEST-ONLY-{name}.pem" for name in ("key", "certificate"))
    return sign_detached(
        descriptor, key_pem=key.read_bytes(), certificate_pem=certificate.read_bytes(), signed_at=SIGNED_AT
    )


_RELATIONSHIPS = ("depends", "conflicts", "replaces", "provides", "compatibleWith")
_FLAGS = ("live-install-allowed", "live-remove-allowed", "cimom-restart", "stateless-ready", "overlay")


def element(tag: str, text: str = "", **attributes: str) -> str:
    """One element as XML text; ``_`` in attribute names stands for ``-``."""
    pairs = "".join(f" {name.replace('_', '-')}={quoteattr(value)}" for name, value in attributes.items())
    return f"<{tag}{pairs}>{escape(text)}</{tag}>" if text else f"<{tag}{pairs}/>"


def wrapped(tag: str, inside: Iterable[str]) -> str:
    return f"<{tag}>{''.join(inside)}</{tag}>"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def indented(document: str) -> str:
    """The document with a line end between its elements, as pretty-printing tools leave it."""
    return document.replace("><", ">\n  <") + "\n"


@final
@attrs.frozen(kw_only=True)
class VibBuilder:
    """A ``.vib`` file, its descriptor and the copy of it that a depot holds.

    ``elements`` replaces elements of the descriptor by name with XML text, ``missing`` leaves
    them out, ``appended`` is put before the end tag.
    """

    name: str = "net-acme"
    version: str = "1.0.0-1OEM.703.0.0.18644231"
    vendor: str = "ACM"
    type: str = "bootbank"
    acceptance_level: str = "partner"
    relationships: Mapping[str, str] = attrs.field(factory=dict)
    payload_name: str = "netacme"
    payload: bytes = b"payload bytes of net-acme"
    payload_attributes: Mapping[str, str] = attrs.field(factory=dict)
    signature: bytes | None = None
    elements: Mapping[str, str] = attrs.field(factory=dict)
    missing: frozenset[str] = frozenset()
    appended: str = ""
    is_pretty: bool = False
    file_elements: Mapping[str, str] = attrs.field(factory=dict)
    folder: str | None = None
    has_slashes: bool = False
    mode: str = "0"

    def with_(self, **changes: Any) -> Self:
        return attrs.evolve(self, **changes)

    def with_element(self, tag: str, xml: str) -> Self:
        """Put ``xml`` where the descriptor has ``tag``."""
        return attrs.evolve(self, elements={**self.elements, tag: xml})

    def with_appended(self, xml: str) -> Self:
        return attrs.evolve(self, appended=self.appended + xml)

    def without(self, *tags: str) -> Self:
        """Leave elements of the descriptor, or of what the depot adds to it, out."""
        return attrs.evolve(self, missing=self.missing | set(tags))

    @property
    def id(self) -> str:
        return f"{self.vendor}_{self.type}_{self.name}_{self.version}"

    @property
    def relative_path(self) -> str:
        folder = f"vib20/{self.name}/" if self.folder is None else self.folder
        return f"{folder}{self.id}.vib"

    def _parts(self) -> dict[str, str]:
        return {
            "type": element("type", self.type),
            "name": element("name", self.name),
            "version": element("version", self.version),
            "vendor": element("vendor", self.vendor),
            "summary": element("summary", "Acme NIC driver"),
            "description": element("description", "Driver for all Acme NICs"),
            "release-date": element("release-date", "2024-01-31T00:00:00.000001+00:00"),
            "urls": wrapped("urls", [element("url", "https://acme.example/kb/1", key="KB1")]),
            "relationships": wrapped(
                "relationships", (wrapped(tag, [self.relationships.get(tag, "")]) for tag in _RELATIONSHIPS)
            ),
            "software-tags": wrapped("software-tags", [element("tag", "driver"), element("tag", "module")]),
            "relative-path": "",
            "packed-size": "",
            "checksum": "",
            "system-requires": wrapped("system-requires", [element("maintenance-mode", "true")]),
            "file-list": wrapped("file-list", [element("file", f"usr/lib/vmware/vmkmod/{self.payload_name}")]),
            "acceptance-level": element("acceptance-level", self.acceptance_level),
            **{tag: element(tag, "false") for tag in _FLAGS},
            "payloads": wrapped("payloads", [self._payload()]),
        }

    def _payload(self) -> str:
        attributes = {"name": self.payload_name, "type": "vgz", "size": str(len(self.payload))}
        checksum = element("checksum", sha256(self.payload), checksum_type="sha-256")
        pairs = "".join(
            f" {name}={quoteattr(value)}" for name, value in {**attributes, **self.payload_attributes}.items()
        )
        return f"<payload{pairs}>{checksum}</payload>"

    def _document(self, file_parts: Mapping[str, str]) -> bytes:
        parts = {**self._parts(), **file_parts, **self.elements}
        inside = "".join(xml for tag, xml in parts.items() if tag not in self.missing)
        document = f'<vib version="5.0">{inside}{self.appended}</vib>'
        return (indented(document) if self.is_pretty else document).encode()

    @property
    def signed_with(self) -> bytes:
        """The signature in the file: one that covers the descriptor, if none was given."""
        return signature_over(self.descriptor()) if self.signature is None else self.signature

    def descriptor(self) -> bytes:
        """``descriptor.xml`` as it lies in the ``.vib``."""
        return self._document({})

    def metadata(self) -> bytes:
        """``vibs/*.xml`` of a depot: the descriptor and what is known of the file."""
        vib = self.vib()
        parts = {
            "relative-path": element("relative-path", self.relative_path),
            "packed-size": element("packed-size", str(len(vib))),
            "checksum": element("checksum", sha256(vib), checksum_type="sha-256"),
        }
        return self._document({**parts, **self.file_elements})

    def vib(self) -> bytes:
        """The ``.vib`` file."""
        members = (
            ("descriptor.xml", self.descriptor()),
            ("sig.pkcs7", self.signed_with),
            (self.payload_name, self.payload),
        )
        return b"!<arch>\n" + b"".join(self._member(name, data) for name, data in members)

    def _member(self, name: str, data: bytes) -> bytes:
        shown = f"{name}/" if self.has_slashes else name
        header = f"{shown:<16}{0:<12}{0:<6}{0:<6}{self.mode:<8}{len(data):<10}`\n"
        return header.encode("ascii") + data + b"\n" * (len(data) % 2)


@final
@attrs.frozen(kw_only=True)
class BulletinBuilder:
    """A bulletin; with ``component`` (name and version) a component."""

    id: str = "Acme-net_1.0.0-1"
    component: tuple[str, str] | None = ("Acme-net", "1.0.0-1OEM.703.0.0.18644231")
    vib_ids: tuple[str, ...] = ()
    elements: Mapping[str, str] = attrs.field(factory=dict)
    missing: frozenset[str] = frozenset()

    @classmethod
    def of(cls, vib: VibBuilder, **changes: Any) -> BulletinBuilder:
        """The component that brings one VIB."""
        name = f"Acme-{vib.name}"
        defaults: dict[str, Any] = {
            "id": f"{name}_{vib.version}",
            "component": (name, vib.version),
            "vib_ids": (vib.id,),
        }
        return cls(**{**defaults, **changes})

    def with_(self, **changes: Any) -> Self:
        return attrs.evolve(self, **changes)

    def with_element(self, tag: str, xml: str) -> Self:
        return attrs.evolve(self, elements={**self.elements, tag: xml})

    def without(self, *tags: str) -> Self:
        return attrs.evolve(self, missing=self.missing | set(tags))

    def text(self, *, vib_records: bool = False) -> str:
        """The element; with ``vib_records`` as ``vmware.xml`` has it."""
        vib_list = "".join(
            wrapped("vib", [element("vibVersion", "1.4.5"), element("vibID", vib_id), element("name", "x")])
            if vib_records
            else element("vibID", vib_id)
            for vib_id in self.vib_ids
        )
        parts = {
            "id": element("id", self.id),
            "vendor": element("vendor", "Acme"),
            "summary": element("summary", "Acme NIC driver"),
            "severity": element("severity", "general"),
            "category": element("category", "bugfix"),
            "urgency": element("urgency", "critical"),
            "releaseType": element("releaseType", "extension"),
            "description": element("description", "Driver for all Acme NICs"),
            "kbUrl": element("kbUrl", "https://acme.example/kb/1"),
            "contact": element("contact", "support@acme.example"),
        }
        if self.component is not None:
            name, version = self.component
            parts["componentNameSpec"] = element("componentNameSpec", name=name, uiString="Acme NIC driver")
            parts["componentVersionSpec"] = element("componentVersionSpec", version=version, uiString="1.0.0")
        parts["releaseDate"] = element("releaseDate", "2024-01-31T00:00:00+00:00")
        platform = element("softwarePlatform", locale="", productLineID="embeddedEsx", version="7.*")
        parts["platforms"] = wrapped("platforms", [platform])
        parts["vibList"] = wrapped("vibList", [vib_list])
        inside = (xml for tag, xml in {**parts, **self.elements}.items() if tag not in self.missing)
        return wrapped("bulletin", inside)

    def document(self) -> bytes:
        return self.text().encode()


def profile_document(name: str = "ACME-ESXi-703", *, vib_ids: Iterable[str] = (), inside: str = "") -> bytes:
    """``profiles/*.xml``."""
    vibs = (
        wrapped(
            "vib", [element("vib-id", vib_id), wrapped("payloads", [element("payload", "a.v00", payload_name="a")])]
        )
        for vib_id in vib_ids
    )
    return wrapped(
        "imageprofile",
        [
            element("name", name),
            element("creator", "Acme"),
            element("profileID", "0123456789abcdef0123456789abcdef"),
            element("creationtime", "2024-01-31T00:00:00.000001+00:00"),
            element("modifiedtime", "2024-02-01T00:00:00.000001+00:00"),
            element("serialno", "1"),
            element("readonly", "true"),
            wrapped("viblist", vibs),
            element("acceptancelevel", "partner"),
            inside,
        ],
    ).encode()


def zip_bytes(members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive by Python's own writer, the same bytes every time."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_STORED if name.endswith("/") else method
            archive.writestr(info, data)
    return target.getvalue()


@final
@attrs.frozen(kw_only=True)
class DepotBuilder:
    """An offline bundle: by default one VIB and its component.

    ``bulletins`` None makes one component for each VIB. ``files`` and ``metadata_files`` add
    or replace members of the outer archive and of the metadata zip; ``missing`` drops them.
    """

    vibs: tuple[VibBuilder, ...] = (VibBuilder(),)
    bulletins: tuple[BulletinBuilder, ...] | None = None
    response_bulletins: tuple[BulletinBuilder, ...] = ()
    metadata_name: str = "metadata.zip"
    products: tuple[tuple[str, str], ...] = (("embeddedEsx", "7.*"),)
    vendor_name: str = "Acme"
    files: Mapping[str, bytes] = attrs.field(factory=dict)
    metadata_files: Mapping[str, bytes] = attrs.field(factory=dict)
    missing: frozenset[str] = frozenset()
    root: str = ""

    def with_(self, **changes: Any) -> Self:
        return attrs.evolve(self, **changes)

    def with_vibs(self, *vibs: VibBuilder) -> Self:
        return attrs.evolve(self, vibs=vibs)

    def with_bulletins(self, *bulletins: BulletinBuilder) -> Self:
        return attrs.evolve(self, bulletins=bulletins)

    def with_file(self, path: str, data: bytes) -> Self:
        return attrs.evolve(self, files={**self.files, path: data})

    def with_metadata_file(self, path: str, data: bytes) -> Self:
        return attrs.evolve(self, metadata_files={**self.metadata_files, path: data})

    def without(self, *paths: str) -> Self:
        """Leave members of either archive out."""
        return attrs.evolve(self, missing=self.missing | set(paths))

    def index(self) -> bytes:
        content = [element("name", "VMware ESX"), element("type", "http://www.vmware.com/depotmanagement/esx")]
        vendor = [
            element("name", self.vendor_name),
            element("code", "ACM"),
            element("indexfile", "vendor-index.xml"),
            element("patchUrl"),
            element("relativePath"),
            wrapped("content", content),
        ]
        return indented(wrapped("vendorList", [wrapped("vendor", vendor)])).encode()

    def vendor_index(self) -> bytes:
        entries = (
            wrapped(
                "metadata",
                [
                    element("productId", product),
                    element("version", version),
                    element("locale"),
                    element("url", self.metadata_name),
                    element("channelName", "default"),
                ],
            )
            for product, version in self.products
        )
        return indented(wrapped("metaList", entries)).encode()

    def response(self) -> bytes:
        bulletins = (bulletin.text(vib_records=True) for bulletin in self.response_bulletins)
        head = [element("version", "3.0"), element("timestamp", "2024-01-31T00:00:00.000001")]
        return indented(wrapped("metadataResponse", [*head, *bulletins])).encode()

    def metadata_members(self) -> dict[str, bytes]:
        bulletins = self.bulletins
        if bulletins is None:
            bulletins = tuple(BulletinBuilder.of(vib) for vib in self.vibs)
        members = {"vmware.xml": self.response(), "vendor-index.xml": self.vendor_index()}
        members |= {f"vibs/{vib.name}--{number}.xml": vib.metadata() for number, vib in enumerate(self.vibs, start=1)}
        members |= {f"bulletins/{bulletin.id}.xml": bulletin.document() for bulletin in bulletins}
        return {path: data for path, data in {**members, **self.metadata_files}.items() if path not in self.missing}

    def members(self) -> dict[str, bytes]:
        """All files of the bundle."""
        members = {
            "index.xml": self.index(),
            "vendor-index.xml": self.vendor_index(),
            self.metadata_name: zip_bytes(self.metadata_members()),
        }
        members |= {vib.relative_path: vib.vib() for vib in self.vibs}
        kept = {path: data for path, data in {**members, **self.files}.items() if path not in self.missing}
        return {f"{self.root}{path}": data for path, data in kept.items()}

    def zip(self, *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
        return zip_bytes(self.members(), method=method)

    def write(self, path: Path) -> Path:
        """Write the bundle as a zip."""
        path.write_bytes(self.zip())
        return path

    def unpack(self, folder: Path) -> Path:
        """Write the bundle as a folder."""
        for path, data in self.members().items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return folder
