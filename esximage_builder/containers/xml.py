"""XML in and out: the only importer of lxml.

Documents come as bounded bytes; a document type is refused, since entities would lose or
leak text; comments and processing instructions are dropped. Elements never leave
``formats``; getters name the place of what is missing or wrong.
"""

from __future__ import annotations

import codecs
import io
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from lxml import etree

from esximage_builder.containers.dates import parse_time
from esximage_builder.errors import InvalidFieldError, LimitExceededError, MalformedDocumentError, ModelError
from esximage_builder.limits import require_few_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

__all__ = [
    "XmlElement",
    "add_element",
    "add_raw",
    "attribute",
    "boolean",
    "child_elements",
    "children_by_tag",
    "integer",
    "invalid_field",
    "iterate_children",
    "new_element",
    "parse_any_xml",
    "parse_xml",
    "place",
    "raw_text",
    "render_xml",
    "require_child",
    "require_text",
    "text_of",
    "time_of",
    "unknown_children",
]

XmlElement = etree._Element  # noqa: SLF001 - lxml gives its element class no public name

_DECLARED_CODING = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_TAG = "<a b='c'/>"
_SHIFTED = b"+ADw-"  # a tag's first letter in UTF-7, and five plain letters elsewhere

_OPTIONS: dict[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "dtd_validation": False,
    "attribute_defaults": False,
    "huge_tree": False,
    "recover": False,
    "remove_comments": True,
    "remove_pis": True,
}

_SHARED_TEXT = 40
"""Characters of a text that is kept once for all documents: names, vendors, types, flags and versions repeat."""

_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})


def parse_xml(data: bytes, *, where: str, root: str, max_bytes: int) -> XmlElement:
    """Parse one document and check the name of its root element.

    Args:
        data: The whole document.
        where: How to name it in errors.
        root: The name that the root element must have.
        max_bytes: Upper bound for ``data``.

    Raises:
        LimitExceededError: Longer than ``max_bytes``.
        MalformedDocumentError: No well-formed XML, a document type, or another root element.
    """
    element = parse_any_xml(data, where=where, max_bytes=max_bytes, what=f"<{root}> document")
    _require_root(element, root, where=where)
    return element


def iterate_children(data: bytes, *, where: str, root: str, tag: str, max_bytes: int) -> Iterator[XmlElement]:
    """Yield the root's children of one name; each is emptied when the next is asked for.

    A long document is never in memory whole. What is wrong behind a child is raised after it was yielded.

    Args:
        data: The whole document.
        where: How to name it in errors.
        root: The name that the root element must have.
        tag: The name of the children.
        max_bytes: Upper bound for ``data``.

    Raises:
        LimitExceededError: Longer than ``max_bytes``.
        MalformedDocumentError: No well-formed XML, a document type, or another root element.
    """
    what = f"<{root}> document"
    _require_parsable(data, where=where, max_bytes=max_bytes)
    parsed = etree.iterparse(io.BytesIO(data), events=("end",), tag=tag, **_OPTIONS)
    top: XmlElement | None = None
    try:
        for _, element in parsed:
            if top is None:
                top = element.getroottree().getroot()
                _require_no_doctype(top, where=where, what=what)
                _require_root(top, root, where=where)
            if element.getparent() is top:
                yield element
                element.clear()
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _not_well_formed(error, data, where=where, what=what) from error
    if top is None and parsed.root is not None:
        _require_no_doctype(parsed.root, where=where, what=what)
        _require_root(parsed.root, root, where=where)


def parse_any_xml(data: bytes, *, where: str, max_bytes: int, what: str = "XML document") -> XmlElement:
    """Parse one document of any root element.

    Args:
        data: The whole document.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``.
        what: What it should be, for errors.

    Raises:
        LimitExceededError: Longer than ``max_bytes``.
        MalformedDocumentError: No well-formed XML, or a document type.
    """
    _require_parsable(data, where=where, max_bytes=max_bytes)
    try:
        element: XmlElement = etree.fromstring(data, etree.XMLParser(**_OPTIONS))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _not_well_formed(error, data, where=where, what=what) from error
    _require_no_doctype(element, where=where, what=what)
    return element


def _require_parsable(data: bytes, *, where: str, max_bytes: int) -> None:
    """Refuse what would cost too much, before it is parsed."""
    if len(data) > max_bytes:
        raise LimitExceededError(
            "the document is larger than the limit",
            where=where,
            found=f"{len(data)} bytes",
            expected=f"at most {max_bytes} bytes",
        )
    _require_known_coding(data, where=where)
    require_few_parts(data, max_bytes=max_bytes, where=where)


def _not_well_formed(error: Exception, data: bytes, *, where: str, what: str) -> MalformedDocumentError:
    return MalformedDocumentError(
        f"this is no well-formed XML: {error}",
        where=where,
        found=_beginning(data),
        expected=f"a {what}",
        hint="the file was damaged or is something else: get it again from its publisher",
    )


def _require_no_doctype(element: XmlElement, *, where: str, what: str) -> None:
    doctype = element.getroottree().docinfo.doctype
    if doctype:
        raise MalformedDocumentError(
            "the document has a DOCTYPE, which no ESXi metadata has",
            where=where,
            found=doctype,
            expected=f"a plain {what}",
            hint="do not trust this file",
        )


def _require_root(element: XmlElement, root: str, *, where: str) -> None:
    if element.tag != root:
        raise MalformedDocumentError(
            f"the document is no <{root}>", where=where, found=f"<{element.tag!s}>", expected=f"<{root}>"
        )


def _require_known_coding(data: bytes, *, where: str) -> None:
    """Refuse a coding in which tags do not look like tags: nobody could tell how large the document will be."""
    declared = _DECLARED_CODING.match(data.removeprefix(codecs.BOM_UTF8))
    if declared is None:
        return
    name = declared[1].decode("ascii")
    try:
        is_plain = _TAG.encode(name).endswith(_TAG.encode("ascii")) and _SHIFTED.decode(name) == _SHIFTED.decode(
            "ascii"
        )
    except (LookupError, UnicodeError):
        is_plain = False
    if not is_plain and not name.lower().startswith(("utf-16", "utf16")):
        raise MalformedDocumentError(
            "the document is in an encoding that no ESXi metadata is in",
            where=where,
            found=name,
            expected="UTF-8, or ASCII",
            hint="do not trust this file",
        )


def _beginning(data: bytes) -> str:
    return "nothing" if not data else repr(bytes(data[:40]))


def place(element: XmlElement, where: str) -> str:
    """Return where the element stands: ``file.xml:12 <vib>/payloads/payload[2]``."""
    tree = element.getroottree()
    path = str(tree.getpath(element)).lstrip("/")
    head, _, rest = path.partition("/")
    return f"{where}:{element.sourceline or 1} <{head}>" + (f"/{rest}" if rest else "")


def invalid_field(element: XmlElement, message: str, *, where: str, found: str = "", expected: str = "") -> NoReturn:
    """Raise the error for a wrong value in ``element``.

    Raises:
        InvalidFieldError: Always.
    """
    raise InvalidFieldError(message, where=place(element, where), found=found, expected=expected)


def child_elements(element: XmlElement) -> Iterator[XmlElement]:
    """Yield the child elements; entity nodes cannot occur without a document type."""
    return iter(element.iterchildren(etree.Element))


def children_by_tag(element: XmlElement, *, where: str, known: frozenset[str] | None = None) -> dict[str, XmlElement]:
    """Return the children by name; each name may occur once.

    Args:
        element: Their parent.
        where: How to name the document in errors.
        known: Names that may occur once; what others mean is not known, so they may repeat.
            None stands for all names.

    Raises:
        InvalidFieldError: A name occurs twice.
    """
    children: dict[str, XmlElement] = {}
    for child in element:
        tag = str(child.tag)
        if tag in children and (known is None or tag in known):
            invalid_field(child, f"<{tag}> occurs twice", where=where)
        children[tag] = child
    return children


def require_child(children: Mapping[str, XmlElement], tag: str, *, of: XmlElement, where: str) -> XmlElement:
    """Return the child of that name.

    Raises:
        InvalidFieldError: There is none.
    """
    child = children.get(tag)
    if child is None:
        invalid_field(of, f"<{tag}> is missing", where=where, expected=f"a <{tag}> element")
    return child


def text_of(element: XmlElement | None, default: str = "") -> str:
    """Return the text without blanks at its ends; ``default`` if there is no element."""
    if element is None:
        return default
    text = element.text
    return _kept_once(text.strip()) if text else ""


def _kept_once(text: str) -> str:
    return sys.intern(text) if len(text) <= _SHARED_TEXT else text


def require_text(children: Mapping[str, XmlElement], tag: str, *, of: XmlElement, where: str) -> str:
    """Return the text of the child of that name.

    Raises:
        InvalidFieldError: There is no such child, or it is empty.
    """
    child = require_child(children, tag, of=of, where=where)
    text = text_of(child)
    if not text:
        invalid_field(child, f"<{tag}> is empty", where=where, expected="some text")
    return text


def time_of(element: XmlElement | None, *, where: str) -> datetime | None:
    """Return the time that the text spells; None if there is no element or no text.

    Raises:
        InvalidFieldError: No time of a known form.
    """
    if element is None:
        return None
    try:
        return parse_time(text_of(element), where=where)
    except InvalidFieldError as error:
        # The place costs a walk over the document, so it is only looked up now.
        return invalid_field(element, error.message, where=where, found=error.found, expected=error.expected)


def boolean(element: XmlElement | None, *, where: str, default: bool = False) -> bool:
    """Return the truth value of the text; ``default`` if there is no element or no text.

    Raises:
        InvalidFieldError: Neither ``true`` nor ``false``.
    """
    text = text_of(element).lower()
    if element is None or not text:
        return default
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    return invalid_field(element, "this is no truth value", where=where, found=repr(text), expected="true or false")


def attribute(element: XmlElement, name: str, *, where: str) -> str:
    """Return the attribute's text.

    Raises:
        InvalidFieldError: It is missing or empty.
    """
    value = element.get(name)
    if not value:
        invalid_field(element, f"the attribute {name} is missing", where=where, expected=f'{name}="..."')
    return _kept_once(value)


def integer(element: XmlElement, text: str | None, *, where: str, of: str) -> int | None:
    """Return the number that ``text`` spells; None if there is no text.

    Raises:
        InvalidFieldError: Not a whole number of at most 18 digits, or negative.
    """
    if text is None or not text.strip():
        return None
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_DIGITS):
        invalid_field(element, f"{of} is no number", where=where, found=repr(text)[:80], expected="a whole number")
    return int(digits)


_MAX_DIGITS = 18


def raw_text(element: XmlElement) -> str:
    """Return the element as XML text, for keeping what we do not know."""
    return etree.tostring(element, encoding="unicode", with_tail=False)


def unknown_children(children: Iterable[XmlElement], known: frozenset[str]) -> tuple[str, ...]:
    """Return those whose name is not known, as XML text."""
    return tuple(raw_text(child) for child in children if child.tag not in known)


def new_element(tag: str, text: str | None = None, attributes: Mapping[str, str] | None = None) -> XmlElement:
    """Return a new element.

    Raises:
        ModelError: A text holds characters that XML cannot carry.
    """
    element = etree.Element(tag)
    _fill(element, text, attributes)
    return element


def add_element(
    parent: XmlElement, tag: str, text: str | None = None, attributes: Mapping[str, str] | None = None
) -> XmlElement:
    """Append a new element to ``parent`` and return it.

    Raises:
        ModelError: A text holds characters that XML cannot carry.
    """
    element = etree.SubElement(parent, tag)
    _fill(element, text, attributes)
    return element


def _fill(element: XmlElement, text: str | None, attributes: Mapping[str, str] | None) -> None:
    try:
        if text:
            element.text = text
        for name, value in (attributes or {}).items():
            element.set(name, value)
    except (ValueError, UnicodeEncodeError) as error:
        raise ModelError(
            f"<{element.tag!s}> cannot be written: {error}", found=repr(text or attributes)[:120]
        ) from error


def add_raw(parent: XmlElement, raw: str) -> None:
    """Append an element that ``raw_text`` gave.

    Raises:
        ModelError: The text is no XML element.
    """
    try:
        parent.append(etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True)))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ModelError(f"this is no XML element: {error}", found=repr(raw)[:120]) from error


def render_xml(root: XmlElement, *, pretty: bool = False) -> bytes:
    """Return the document as ESXi's own files have it: ASCII, no declaration.

    Names, unlike texts, cannot be escaped: a document with others than ASCII ones (only kept
    unknown elements may have them) becomes UTF-8.

    Args:
        root: The root element.
        pretty: Two-space indent and a final line end (index files) instead of one line.
    """
    if pretty:
        etree.indent(root, space="  ")
    names = (name for element in root.iter(etree.Element) for name in (str(element.tag), *map(str, element.keys())))
    encoding = "ascii" if all(name.isascii() for name in names) else "utf-8"
    data = etree.tostring(root, encoding=encoding, xml_declaration=False)
    return data + b"\n" if pretty else data
