"""What pages are made of: sections of blocks, before a painter gives them a form.

A block says what it is and never how it looks. Whoever tells of a value makes sections of it; whoever
paints a form knows blocks and no values. Texts are plain: a painter marks what its form would take for
itself, and puts every text on one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Answer", "Block", "Cause", "Facts", "Paragraph", "Section", "Table", "filled_sections"]


@final
@attrs.frozen
class Paragraph:
    """Running text.

    Attributes:
        text: One or more sentences.
        is_aside: True for what only explains a word; a short form leaves it out.
        label: If it is a verdict, its weight: ``ok``, or the label of a cause.
    """

    text: str
    is_aside: bool = attrs.field(default=False, kw_only=True)
    label: str = attrs.field(default="", kw_only=True)


@final
@attrs.frozen
class Facts:
    """Pairs of label and text.

    Attributes:
        pairs: Each as label and text.
        label: If they are a verdict, its weight, as of a paragraph.
    """

    pairs: tuple[tuple[str, str], ...] = attrs.field(converter=as_tuple)
    label: str = attrs.field(default="", kw_only=True)


@final
@attrs.frozen(kw_only=True)
class Table:
    """Rows of texts.

    Attributes:
        columns: Their heads.
        rows: Each as long as ``columns``.
        is_long: True for what few will read; may be folded.
    """

    columns: tuple[str, ...] = attrs.field(converter=as_tuple)
    rows: tuple[tuple[str, ...], ...] = attrs.field(converter=as_tuple)
    is_long: bool = False


@final
@attrs.frozen(kw_only=True)
class Cause:
    """Findings of one cause.

    Attributes:
        label: ``error``, ``warning``, ``info`` or ``waived``.
        code: Of the findings.
        headline: What is the matter.
        where: Source and place; empty if there is none, or the page is about it anyway.
        why: Empty if the headline says it all.
        items: What is concerned; empty for a single thing that the headline names.
        remedies: What to do.
    """

    label: str
    code: str
    headline: str
    where: str = ""
    why: str = ""
    items: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    remedies: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True)
class Answer:
    """A question that was asked, and what came of it.

    Attributes:
        verdict: ``ok``, ``warning``, ``FAILED`` or ``not asked``.
        question: In words.
        note: How sure the answer is.
        why: Why it could not be asked; empty if it was.
        causes: What speaks against it.
    """

    verdict: str
    question: str
    note: str
    why: str = ""
    causes: tuple[Cause, ...] = attrs.field(default=(), converter=as_tuple)


Block = Paragraph | Facts | Table | Cause | Answer


@final
@attrs.frozen
class Section:
    """A headline and what stands under it; blocks without headline have an empty one."""

    title: str
    blocks: tuple[Block, ...] = attrs.field(converter=as_tuple)


def filled_sections(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Return the sections that have something to say."""
    return tuple(section for section in sections if section.blocks)
