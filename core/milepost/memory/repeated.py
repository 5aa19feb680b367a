"""Headings that were written a second time, so that a save need not write a large file anew.

An entry for an earlier section of a large file goes to the end, under the heading of its section
once more. Every reader takes sections of one heading for one. Whoever cuts the whole file anyway
brings them together again: lines move, and nothing else is touched.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from milepost.memory import document as documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from milepost.memory.document import Document

# Stands below such a heading, so that a person is not left wondering, and a heading that a person
# wrote twice is left alone.
MARK = "<!-- Milepost: more of a section above; `milepost memory tidy` puts it there. -->"


@dataclass(frozen=True, slots=True)
class _Run:
    """A repeated heading with what stands under it: the span that goes, and what of it stays."""

    section: str
    start: int
    end: int
    lines: str


def render(document: Document, section: str, text: str, metadata: dict[str, str]) -> str:
    """What adds an item to `section` from the end of the document."""
    newline = document.newline
    lines = ("", f"## {section}", MARK, "", "")
    return newline.join(lines) + documents.render_item(text, metadata, newline)


def gathered(document: Document) -> Document | None:
    """The document with what stands under repeated headings at the end of its section. None when
    there are none, or when anything but the place of entries would be another."""
    runs = list(_runs(document)) if MARK in document.text else []
    if not runs:
        return None
    text = document.text
    for run in reversed(runs):
        text = text[: run.start] + text[run.end :]
    if runs[-1].end == len(document.text):
        text = text.removesuffix(document.newline)
    changed = documents.parse_text(text)
    for section in dict.fromkeys(run.section for run in runs):
        lines = "".join(run.lines for run in runs if run.section == section)
        changed = documents.with_lines(changed, section, lines)
    return changed if _is_the_same(document, changed, len(runs)) else None


def _runs(document: Document) -> Iterator[_Run]:
    blocks, text = document.blocks, document.text
    headings = [block.start for block in blocks if block.kind == "heading"]
    ends = dict(pairwise([*headings, len(text)]))
    known: set[str] = set()
    for block, below in pairwise(blocks):
        if block.kind != "heading":
            continue
        if block.section in known and text[below.start : below.end].strip() == MARK:
            end = ends[block.start]
            lines = text[below.end : end].strip("\r\n")
            lines = lines and lines + document.newline
            yield _Run(block.section, block.start, end, lines)
        known.add(block.section)


def _is_the_same(document: Document, changed: Document, runs: int) -> bool:
    """Whether the same entries stand in the same sections, and all else is there but the marks and
    the repeated headings."""
    gone = _others(document) - _others(changed)
    more = _others(changed) - _others(document)
    return _entries(document) == _entries(changed) and not more and gone.total() == 2 * runs


def _entries(document: Document) -> set[tuple[str, str, str, str]]:
    return {
        (entry.id, entry.block.section, entry.text, repr(entry.metadata))
        for entry in document.entries
    }


def _others(document: Document) -> Counter[str]:
    """Blocks that are no entries."""
    found = (
        document.text[block.start : block.end].strip()
        for block in document.blocks
        if block.kind != "entry"
    )
    return Counter(text for text in found if text)
