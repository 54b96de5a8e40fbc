"""What ``esxcli`` prints: tables, blocks of keys, and the formatters json, xml and csv.

Whatever the form, there come records of fields. A field's name is what all forms agree on: its
letters and digits in small letters, so ``Acceptance Level`` and ``AcceptanceLevel`` are one.

People paste texts, so they are read as they arrive: with the prompt and the command, with no-break
spaces, with the indentation lost, with columns one blank apart. Where header and dashes of a table
are lost too, ``rows`` keeps the lines, and the reader of that command knows what they mean.

Source: docs/formats.md#esxcli-output.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from typing import TYPE_CHECKING, Any, final

import attrs

from esximage_builder.containers.json_document import parse_json
from esximage_builder.containers.xml import XmlElement, child_elements, parse_any_xml
from esximage_builder.errors import LimitExceededError, MalformedDocumentError
from esximage_builder.limits import DOCUMENT_BYTES
from esximage_builder.models.fields import as_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["EsxcliOutput", "EsxcliRecord", "field_name", "parse_esxcli"]


def field_name(caption: str) -> str:
    """Return what a caption is called in every form: ``SubVendor ID`` and ``SubVendorID`` are ``subvendorid``."""
    return re.sub(r"[^0-9a-z]", "", caption.lower())


@final
@attrs.frozen(eq=False)
class EsxcliRecord:
    """One thing that was listed.

    Attributes:
        heading: What stands above a block of keys: a VIB id, a PCI address; empty in other forms.
        fields: By ``field_name``. A list is the texts of its items; a single text is a list of one.
    """

    heading: str
    fields: Mapping[str, tuple[str, ...]]

    def text(self, *names: str) -> str:
        """Return the first of these fields that is not empty; empty if none is."""
        return next((text for name in names if (text := ", ".join(self.fields.get(name, ())).strip())), "")

    def listed(self, name: str) -> tuple[str, ...]:
        """Return the items of a list; in texts they stand on one line, parted by commas."""
        parts = (part.strip() for text in self.fields.get(name, ()) for part in text.split(","))
        return tuple(part for part in parts if part)

    def flag(self, name: str) -> bool | None:
        """Return a yes or no; None if it is not there or is neither."""
        return _FLAGS.get(self.text(name).lower())


_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@final
@attrs.frozen(kw_only=True, eq=False)
class EsxcliOutput:
    """All that was printed.

    Attributes:
        command: As it stands behind the prompt, from ``esxcli`` on; empty if it does not.
        prompt: What stands before it: ``[root@esx1:~] ``.
        records: What was listed; of a table whose header is there, its rows.
        rows: Lines that are no field and under no header: rows of a table that lost it.
    """

    command: str = ""
    prompt: str = ""
    records: tuple[EsxcliRecord, ...] = attrs.field(default=(), converter=as_tuple)
    rows: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)


def parse_esxcli(data: bytes, *, where: str = "esxcli.txt", max_bytes: int = DOCUMENT_BYTES) -> EsxcliOutput:
    """Read what a command of ``esxcli`` printed, whatever its formatter.

    Args:
        data: All that was printed, or pasted.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``.

    Raises:
        LimitExceededError: Longer than ``max_bytes``.
        MalformedDocumentError: It is damaged, empty, or an error that the host printed.
    """
    if len(data) > max_bytes:
        raise LimitExceededError(
            "the output is larger than the limit", where=where, found=f"{len(data)} bytes", expected=f"{max_bytes}"
        )
    text = _decoded(data)
    start = text.lstrip()[:1]
    if start == "<":
        records = _xml_records(text.strip().encode(), where, max_bytes)
        return EsxcliOutput(records=records)
    if start == "{" or (start == "[" and not _PROMPT.match(text.lstrip())):
        if _ERROR.match(text.lstrip()):
            raise _refused(text, where)
        document = parse_json(text.encode(), where=where, max_bytes=max_bytes, expected="output of --formatter=json")
        return EsxcliOutput(records=tuple(_json_records(document, where)))
    if _ERROR.search(text) and not _TITLE_DASHES.search(text):
        raise _refused(text, where)
    return _text_output(text, where)


_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def _decoded(data: bytes) -> str:
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    return data.decode(encoding, errors="replace").replace("\u00a0", " ").replace("\r\n", "\n")


_PROMPT = re.compile(r"(?:\[[^\]\n]*[@:][^\]\n]*\]\s*|[^\s#$]*[~\]]\s*[#$]\s*|[#$>]\s+)?(?P<command>esxcli\b.*)")
_ERROR = re.compile(r"^\s*\[(?P<kind>[A-Z]\w*Error)\]\s*$", re.MULTILINE)
_TITLE_DASHES = re.compile(r"^\s*-{2,}(?:\s+-{2,})*\s*$", re.MULTILINE)


def _refused(text: str, where: str) -> MalformedDocumentError:
    """Return the error for what a host prints when it could not do as it was told."""
    found = _ERROR.search(text)
    assert found is not None  # noqa: S101 - whoever calls has looked
    said = " ".join(text[found.end() :].split())
    return MalformedDocumentError(
        f"the host printed an error instead of an answer: {said}"[:300].rstrip(": "),
        where=where,
        found=found["kind"],
        expected="the output of a command that succeeded",
        hint="run the command again on the host and keep what it prints",
    )


def _not_esxcli(where: str, found: str) -> MalformedDocumentError:
    return MalformedDocumentError(
        "this is no output of esxcli",
        where=where,
        found=found[:80].encode("ascii", "backslashreplace").decode(),
        expected="a table, a block of keys, or what --formatter=json, xml or csv gives",
        hint="save it with: esxcli --formatter=json software component list > components.json",
    )


# JSON


def _json_records(document: object, where: str) -> Iterator[EsxcliRecord]:
    entries = document if isinstance(document, list) else [document]
    for entry in entries:
        if not isinstance(entry, dict):
            raise _not_esxcli(where, repr(entry))
        yield EsxcliRecord("", {field_name(key): _texts(value) for key, value in entry.items()})


def _texts(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - any value of JSON
    if value is None or value == "":
        return ()
    if isinstance(value, list):
        return tuple(text for item in value for text in _texts(item))
    if isinstance(value, dict):
        return tuple(text for item in value.values() for text in _texts(item))
    return (str(value),)


# XML: that of --formatter=xml, and that of the API


def _xml_records(data: bytes, where: str, max_bytes: int) -> tuple[EsxcliRecord, ...]:
    top = parse_any_xml(data, where=where, max_bytes=max_bytes)
    structures = [element for element in top.iter() if _local(element) in ("structure", "DataObject")]
    if not structures and _local(top) == "obj":
        structures = [top]
    if not structures and _local(top) not in ("output", "obj"):
        raise _not_esxcli(where, f"<{_local(top)}>")
    return tuple(EsxcliRecord("", _xml_fields(element)) for element in structures)


def _xml_fields(structure: XmlElement) -> dict[str, tuple[str, ...]]:
    fields: dict[str, tuple[str, ...]] = {}
    for child in child_elements(structure):
        name = field_name(child.get("name") or _local(child))
        texts = tuple(text.strip() for text in child.itertext() if text.strip())
        fields[name] = (*fields.get(name, ()), *texts)
    return fields


def _local(element: XmlElement) -> str:
    return str(element.tag).rpartition("}")[2]


# text and CSV


def _text_output(text: str, where: str) -> EsxcliOutput:
    (prompt, command), lines = _without_command(text.expandtabs().split("\n"))
    output = EsxcliOutput(command=command, prompt=prompt)
    if not any(line.strip() for line in lines):
        raise _not_esxcli(where, "nothing" if not command else f"only the command {command}")
    first = next(line for line in lines if line.strip())
    if _is_csv_header(first):
        return attrs.evolve(output, records=_csv_records(lines, where))
    dashes = next((number for number, line in enumerate(lines) if number and _TITLE_DASHES.match(line)), None)
    if dashes is not None:
        return attrs.evolve(output, records=_table_records(lines, dashes))
    records, rows = _blocks(lines)
    return attrs.evolve(output, records=records, rows=rows)


def _without_command(lines: list[str]) -> tuple[tuple[str, str], list[str]]:
    """Part the line with prompt and command from what follows."""
    said = ("", "")
    kept = []
    for line in lines:
        found = _PROMPT.fullmatch(line.strip())
        if found is None:
            kept.append(line)
        elif not said[1]:
            said = (line.strip()[: found.start("command")], found["command"].strip())
    return said, kept


_CSV_HEADER = re.compile(r'"?[A-Z]\w*"?(?:,"?[A-Z]\w*"?)+,?')


def _is_csv_header(line: str) -> bool:
    return _CSV_HEADER.fullmatch(line.strip()) is not None


def _csv_records(lines: Iterable[str], where: str) -> tuple[EsxcliRecord, ...]:
    try:
        header, *rows = csv.reader(
            io.StringIO("\n".join(line for line in lines if line.strip())), skipinitialspace=True
        )
    except csv.Error as error:
        raise MalformedDocumentError(
            "the CSV is damaged",
            where=where,
            found=str(error),
            hint="let esxcli write it again, or use --formatter=json",
        ) from error
    captions = [field_name(caption) for caption in header]
    return tuple(
        EsxcliRecord(
            "",
            {name: (value,) for name, value in zip(captions, row, strict=False) if name and value},
        )
        for row in rows
    )


def _table_records(lines: list[str], dashes: int) -> tuple[EsxcliRecord, ...]:
    """Read a table by where its dashes stand; by its words where the columns are one blank apart."""
    spans = [(found.start(), found.end()) for found in re.finditer(r"-+", lines[dashes])]
    edges = [start for start, _ in spans] + [None]
    rows = [line for line in lines[dashes + 1 :] if line.strip() and not _TITLE_DASHES.match(line)]
    header = lines[dashes - 1]
    parts = _by_edges(header, edges)
    captions = _captions_by_words(header, len(spans)) if parts is None else [field_name(part) for part in parts]
    records = []
    for line in rows:
        cells = _by_edges(line, edges)
        if parts is None or cells is None or not _has_level(cells, captions):
            cells = _cells_by_words(line, captions)
        records.append(
            EsxcliRecord("", {name: (cell,) for name, cell in zip(captions, cells, strict=False) if name and cell})
        )
    return tuple(records)


def _by_edges(line: str, edges: list[int | None]) -> list[str] | None:
    """Cut a line where the dashes begin; None if something stands across such a place."""
    if not _is_parted(line, edges):
        return None
    return [line[start:end].strip() for start, end in itertools.pairwise(edges)]


def _has_level(cells: list[str], captions: list[str]) -> bool:
    """Whether the acceptance level, if there is such a column, is one."""
    found = [cell for caption, cell in zip(captions, cells, strict=False) if caption == "acceptancelevel"]
    return all(cell in _LEVELS for cell in found)


def _is_parted(line: str, edges: list[int | None]) -> bool:
    """Whether a blank, or nothing, stands before each column but the first."""
    return all(edge is None or edge >= len(line) or not line[edge - 1 : edge].strip() for edge in edges[1:])


_KNOWN_CAPTIONS = (
    "Name", "Display Name", "Version", "Display Version", "Vendor", "Acceptance Level", "Install Date",
    "Creation Date", "Creation Time", "Modification Time", "Release Date", "Release ID", "Platforms", "Status", "ID",
)  # fmt: skip


def _captions_by_words(header: str, count: int) -> list[str]:
    pattern = "|".join(sorted(map(re.escape, _KNOWN_CAPTIONS), key=len, reverse=True))
    found = [field_name(caption) for caption in re.findall(pattern, " ".join(header.split()))]
    return found if len(found) == count else [field_name(word) for word in header.split()]


def _cells_by_words(line: str, captions: list[str]) -> list[str]:
    wide = [cell for cell in re.split(r"\s{2,}", line.strip()) if cell]
    if len(wide) == len(captions):
        return wide
    words = line.split()
    if len(words) == len(captions):
        return words
    return _cells_by_meaning(words, captions)


_LEVELS = frozenset({"VMwareCertified", "VMwareAccepted", "PartnerSupported", "CommunitySupported"})
_DATE = re.compile(r"\d{4}-\d\d-\d\d\S*|\d\d-\d\d-\d{4}")
_FULL_VERSION = re.compile(r"v?\d\S*-\d\S*")


def _cells_by_meaning(words: list[str], captions: list[str]) -> list[str]:
    """Part a row whose blanks are single, by what only one column can hold: level, date, full version."""
    cells = dict.fromkeys(captions, "")
    left = list(words)
    cells[captions[0]] = left.pop(0) if left else ""
    marks: dict[str, Callable[[str], object]] = {
        "acceptancelevel": lambda word: word in _LEVELS,
        "installdate": _DATE.fullmatch,
        "creationdate": _DATE.fullmatch,
        "version": _FULL_VERSION.fullmatch,
    }
    places: dict[str, int] = {}
    for name in captions[1:]:
        test = marks.get(name)
        found = next((at for at, word in enumerate(left) if test and test(word) and at not in places.values()), None)
        if found is not None:
            places[name] = found
    return _between(cells, captions, left, places)


def _between(cells: dict[str, str], captions: list[str], words: list[str], places: Mapping[str, int]) -> list[str]:
    """Give the words between two known places to the columns between them; the last of those gets what is over."""
    start = 0
    waiting: list[str] = []
    for name in (*captions[1:], None):
        end = len(words) if name is None else places.get(name)
        if name is not None and end is None:
            waiting.append(name)
            continue
        assert end is not None  # noqa: S101 - for the type checker
        between = words[start:end]
        for number, column in enumerate(waiting):
            most = len(between) - (len(waiting) - number - 1)
            taken = between[: most if number == len(waiting) - 1 else 1]
            cells[column] = " ".join(taken)
            between = between[len(taken) :]
        waiting = []
        if name is not None:
            cells[name] = words[end]
            start = end + 1
    return [cells[caption] for caption in captions]


_KEY_VALUE = re.compile(r"\s*(?P<key>[A-Za-z][\w /()-]*?)\s*:(?:\s+(?P<value>.*))?")


def _blocks(lines: Iterable[str]) -> tuple[tuple[EsxcliRecord, ...], tuple[str, ...]]:
    """Read blocks of ``Key: value``; a heading, or a key that comes back, begins the next one."""
    blocks: list[tuple[str, dict[str, tuple[str, ...]]]] = []
    rows: list[str] = []
    heading = ""
    for line in lines:
        found = _KEY_VALUE.fullmatch(line)
        if found is None:
            if line.strip():
                heading = line.strip()
                rows.append(line.rstrip())
            continue
        name, value = field_name(found["key"]), (found["value"] or "").strip()
        if heading or not blocks or name in blocks[-1][1]:
            blocks.append((heading, {}))
            if heading:
                rows.pop()
            heading = ""
        blocks[-1][1][name] = (value,) if value else ()
    return tuple(EsxcliRecord(heading, fields) for heading, fields in blocks), tuple(rows)
