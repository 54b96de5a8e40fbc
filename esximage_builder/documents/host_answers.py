"""What commands of ``esxcli`` tell of a host, each answer by itself a host of which little is known.

Which command an answer is of is seen from its fields, so that nobody has to name files by rules.

* ``software component list`` tells components; so does ``component get``, with the VIBs of each.
* ``software vib list`` and ``vib get`` tell VIBs.
* ``software baseimage get`` and ``addon get`` tell these two, ``profile get`` the VIBs of a profile.
* ``system version get`` tells the base image of a host from 7.0 on: version, patch and build are its
  version's parts (inferred; so is that the component ``ESXi`` has the base image's version).
* ``hardware platform get`` tells vendor, model and id of the server, ``system hostname get`` the name.

Source: docs/formats.md#esxcli-output.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import attrs

from esximage_builder.documents.esxcli import EsxcliOutput, EsxcliRecord, field_name
from esximage_builder.errors import InvalidFieldError, MalformedDocumentError, VersionSyntaxError
from esximage_builder.models.host import BASE_COMPONENT, Host, HostComponent, HostFacts, HostPart, HostVib
from esximage_builder.models.spec import AddOnReference
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion, VibVersion
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["host_of_answer"]

_Version = TypeVar("_Version", ComponentVersion, VibVersion, BaseImageVersion, AddOnVersion)


def host_of_answer(output: EsxcliOutput, *, where: str) -> Host:
    """Return what one answer tells; its name is empty unless the answer has it.

    Args:
        output: The answer.
        where: How to name it in errors.

    Raises:
        MalformedDocumentError: It is of a command that tells nothing of this.
        InvalidFieldError: A version or a level is none.
    """
    host = _by_fields(output, where)
    prompt = _PROMPT_NAME.match(output.prompt)
    return attrs.evolve(host, name=prompt["name"]) if prompt and not host.name else host


_PROMPT_NAME = re.compile(r"\[\w+@(?P<name>[^:\]\s]+)")


def _by_fields(output: EsxcliOutput, where: str) -> Host:
    records = output.records or tuple(_headless(output.rows))
    first = records[0] if records else EsxcliRecord("", {})
    for keys, read in _READERS:
        if keys <= first.fields.keys():
            return read(records, where)
    raise MalformedDocumentError(
        "this answer tells nothing of what is installed" if records else "this is no output of esxcli",
        where=where,
        found=", ".join(first.fields) or (output.rows[0] if output.rows else "nothing"),
        expected="software component list, vib list, baseimage get, addon get, system version get and the like",
        hint="save each with: esxcli --formatter=json software component list > components.json",
    )


_LEVEL_WORDS = "|".join(level.display for level in AcceptanceLevel)
_VIB_ROW = re.compile(
    rf"(?P<name>\S+)\s+(?P<version>\S+)\s+(?P<vendor>\S.*?)\s+(?P<acceptancelevel>{_LEVEL_WORDS})"
    r"\s+(?P<installdate>\d{4}-\d\d-\d\d)(?:\s+(?P<platforms>\S.*))?"
)
_COMPONENT_ROW = re.compile(
    r"(?P<name>\S+)\s{2,}(?P<displayname>\S.*?)\s{2,}(?P<version>\S+)\s{2,}(?P<displayversion>\S.*?)\s{2,}"
    rf"(?P<vendor>\S.*?)\s{{2,}}(?P<creationdate>\d\d-\d\d-\d{{4}})\s+(?P<acceptancelevel>{_LEVEL_WORDS})"
    r"(?:\s+(?P<platforms>\S.*))?"
)


def _headless(rows: Iterable[str]) -> Iterator[EsxcliRecord]:
    """Read rows whose header was lost, as ``grep`` loses it; both lists have marks that no other has."""
    for row in rows:
        found = _COMPONENT_ROW.fullmatch(row.strip()) or _VIB_ROW.fullmatch(row.strip())
        if found is not None:
            yield EsxcliRecord("", {name: (text,) for name, text in found.groupdict().items() if text})


# Components and VIBs


def _component_list(records: Iterable[EsxcliRecord], where: str) -> Host:
    components = tuple(
        HostComponent(
            name=record.text("name"),
            version=_version(ComponentVersion, record, where),
            platforms=record.listed("platforms"),
        )
        for record in records
        if record.text("name")
    )
    base = next((part.version.text for part in components if part.name == BASE_COMPONENT), "")
    told = {HostPart.COMPONENTS}
    if base:
        told.add(HostPart.BASE_IMAGE)
    return Host(
        name="",
        components=sorted(components, key=lambda part: part.name),
        base_image=_parsed(BaseImageVersion, base, where) if base else None,
        told=told,
    )


def _vib_list(records: Iterable[EsxcliRecord], where: str) -> Host:
    vibs = [_vib(record, where) for record in records if record.text("name")]
    return Host(name="", vibs=sorted(vibs, key=lambda vib: vib.name), told=[HostPart.VIBS])


def _vib(record: EsxcliRecord, where: str) -> HostVib:
    return HostVib(
        name=record.text("name"),
        version=_version(VibVersion, record, where),
        vendor=record.text("vendor"),
        acceptance_level=_level(record, where),
        platforms=record.listed("platforms"),
        is_live_removable=record.flag("liveremoveallowed"),
        needs_maintenance_mode=record.flag("maintenancemoderequired"),
    )


def _level(record: EsxcliRecord, where: str) -> AcceptanceLevel | None:
    text = record.text("acceptancelevel")
    if not text:
        return None
    try:
        return AcceptanceLevel.from_text(text)
    except ValueError:
        raise InvalidFieldError(
            "this is no acceptance level",
            where=f"{where}#{record.text('name')}",
            found=repr(text)[:60],
            expected=", ".join(level.display for level in AcceptanceLevel),
        ) from None


def _version(kind: type[_Version], record: EsxcliRecord, where: str) -> _Version:
    return _parsed(kind, record.text("version"), f"{where}#{record.text('name') or record.heading}")


def _parsed(kind: type[_Version], text: str, where: str) -> _Version:
    try:
        return kind(text)
    except VersionSyntaxError as error:
        raise InvalidFieldError(
            str(error.args[0]).splitlines()[0], where=where, found=repr(text)[:60], expected=error.expected
        ) from error


# Release units


def _unit(records: Iterable[EsxcliRecord], where: str) -> Host:
    """Read a base image or an add-on: their answers differ by the name alone."""
    record = next(iter(records))
    name = record.text("name") or record.heading.partition(":")[0]
    if name == BASE_COMPONENT:
        return Host(name="", base_image=_version(BaseImageVersion, record, where), told=[HostPart.BASE_IMAGE])
    reference = AddOnReference(name, _version(AddOnVersion, record, where))
    return Host(name="", add_on=reference, told=[HostPart.ADD_ON])


def _profile(records: Iterable[EsxcliRecord], where: str) -> Host:
    record = next(iter(records))
    vibs = [_vib_of_id(item, where) for item in record.listed("vibs")]
    return Host(name="", vibs=sorted(vibs, key=lambda vib: vib.name), told=[HostPart.VIBS])


def _vib_of_id(text: str, where: str) -> HostVib:
    """Read ``VMW_bootbank_net_1.0-1``, or ``net 1.0-1`` as newer hosts write it."""
    found = re.fullmatch(r"(?P<vendor>.+?)_(?:bootbank|locker|meta)_(?P<name>.+)_(?P<version>[^_]+)", text)
    if found is not None:
        version = _parsed(VibVersion, found["version"], f"{where}#{text}")
        return HostVib(name=found["name"], version=version, vendor=found["vendor"])
    name, _, version_text = text.partition(" ")
    return HostVib(name=name, version=_parsed(VibVersion, version_text.strip(), f"{where}#{text}"))


# The system


def _system_version(records: Iterable[EsxcliRecord], where: str) -> Host:
    record = next(iter(records))
    version, patch = record.text("version"), record.text("patch")
    build = re.search(r"\d+", record.text("build"))
    if build is None or not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise InvalidFieldError(
            "this names no ESXi version",
            where=where,
            found=f"{version} {record.text('build')}",
            expected="7.0.3 and a build",
        )
    if int(version.partition(".")[0]) < _FIRST_BASE_IMAGE or not patch.isdigit():
        return Host(name="", told=[])
    text = f"{version}-0.{patch}.{build[0]}"
    return Host(name="", base_image=_parsed(BaseImageVersion, text, where), told=[HostPart.BASE_IMAGE])


_FIRST_BASE_IMAGE = 7


def _platform(records: Iterable[EsxcliRecord], _: str) -> Host:
    record = next(iter(records))
    digits = re.findall(r"0x([0-9a-fA-F]{1,2})\b", record.text("uuid"))
    uuid = "".join(digit.zfill(2) for digit in digits).lower() if digits else record.text("uuid").lower()
    facts = HostFacts(vendor=record.text("vendorname"), model=record.text("productname"), uuid=_dashed(uuid))
    return Host(name="", facts=facts, told=[])


def _dashed(uuid: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{32}", uuid):
        return uuid
    return "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))


def _host_name(records: Iterable[EsxcliRecord], _: str) -> Host:
    record = next(iter(records))
    return Host(name=record.text("fullyqualifieddomainname", "hostname"), told=[])


_READERS: tuple[tuple[frozenset[str], Callable[[tuple[EsxcliRecord, ...], str], Host]], ...] = tuple(
    (frozenset(map(field_name, keys)), read)
    for keys, read in (
        (("Name", "Version", "Display Version", "VIBs"), _component_list),
        (("Name", "Version", "Components"), _unit),
        (("Name", "Version", "Display Version", "Release Date"), _unit),
        (("Name", "Version", "Display Version"), _component_list),
        (("Name", "Stateless Ready", "VIBs"), _profile),
        (("Name", "Version", "Acceptance Level"), _vib_list),
        (("Product", "Version", "Build"), _system_version),
        (("Product Name", "Vendor Name"), _platform),
        (("Host Name", "Domain Name"), _host_name),
    )
)
