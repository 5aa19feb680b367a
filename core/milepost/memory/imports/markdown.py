"""Markdown that people and agents keep as memory: each list item or paragraph is a candidate.

What stands between entries and cannot be one (a fence, a table, a quote) goes with the entry above
it, because that is what it explains. The heading goes before the words, because an item such as
"always use it" says nothing without it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.memory import document as documents
from milepost.memory.blocks import RULE
from milepost.memory.entry import SECTIONS
from milepost.memory.imports.reading import Candidate, pieces, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from milepost.memory.imports.reading import Reading, Source

_KINDS = {section.lower(): kind for kind, section in SECTIONS.items()}

# Headings that only say that what follows is memory.
_BARE = {*_KINDS, "gemini added memories", "memory", "memories", "notes"}

# Claude Code's and Gemini CLI's way of taking another file in.
_INCLUDE = re.compile(r"@\S+")


@dataclass(slots=True)
class Passage:
    """An entry with what belongs to it: its heading, its words, and its line counted from 1."""

    heading: str
    words: str
    line: int


def read(path: Path, reading: Reading, *, inside: Path | None = None) -> None:
    """Read one Markdown file."""
    source = read_text(path, inside=inside)
    reading.files.append(str(path))
    take(source, source.text, reading)


def take(source: Source, text: str, reading: Reading) -> None:
    """Take the passages of `text`, which is the source's or a part of it."""
    for passage in passages(text, source.path.name, reading):
        where = f"{source.path.name}:{passage.line}"
        heading = passage.heading.strip()
        if _INCLUDE.fullmatch(passage.words):
            reading.leave_out(where, f"it takes in another file ({passage.words}); import that too")
            continue
        is_bare = heading.lower() in _BARE or not heading
        kind = _KINDS.get(heading.lower(), "knowledge")
        words = passage.words if is_bare else f"{heading}:{_after_colon(passage.words)}"
        for part in pieces(words):
            reading.candidates.append(Candidate(part, where, source.written_at, kind))


def passages(text: str, name: str, reading: Reading) -> Iterator[Passage]:
    """The passages of a Markdown text; comments and front matter are left out."""
    document = documents.parse_text(text)
    entries = {entry.block.start: entry.text for entry in document.entries}
    open_passage: Passage | None = None
    line, last, end = 1, 0, 0
    for block in document.blocks:
        line += text.count("\n", last, block.start)
        last = block.start
        raw = text[block.start : block.end].rstrip()
        if not raw or RULE.match(raw):
            continue
        if block.kind == "other" and (why := _why_not(block.start, raw)):
            reading.leave_out(f"{name}:{line}", why)
            continue
        if block.kind == "other" and open_passage is not None:
            open_passage.words += ("\n" if end == block.start else "\n\n") + raw
            end = block.end
            continue
        if open_passage is not None:
            yield open_passage
            open_passage = None
        if block.kind == "heading":
            continue
        open_passage = Passage(block.section, entries.get(block.start, raw), line)
        end = block.end
    if open_passage is not None:
        yield open_passage


def _why_not(start: int, raw: str) -> str | None:
    if raw.lstrip().startswith("<!--"):
        return "it is a comment"
    if start == 0 and raw.startswith("---"):
        return "it is front matter"
    return None


def _after_colon(words: str) -> str:
    """Words after a heading: on a line of their own when they begin with a fence or a table."""
    return f"\n{words}" if words.startswith(("```", "~~~", "|", ">")) else f" {words}"
