"""A folder of notes with MEMORY.md as its index: the private memory of Claude Code and Gemini CLI.

MEMORY.md holds short facts and one line for each note beside it. A note of Claude Code has front
matter (`name`, `description`, and under `metadata` a `type` and when it was `modified`) and below
it one fact; a note without front matter is Markdown like any other.
Source: the folders that Claude Code 2.1 and Gemini CLI 0.61 write.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from milepost.base.clock import unix_time
from milepost.base.errors import UserError
from milepost.memory.imports import markdown
from milepost.memory.imports.reading import (
    MAX_FILES,
    Candidate,
    Reading,
    Source,
    pieces,
    read_text,
    stamp,
)

if TYPE_CHECKING:
    from pathlib import Path

_INDEX = "MEMORY.md"
_LINK = re.compile(r"\]\(\s*<?([^)>#]+\.md)")
_FIELD = re.compile(r"[ \t]*([A-Za-z_-]+):[ \t]*(.*)")
_BLOCK_SCALAR = re.compile(r"[>|][+-]?")


def read(folder: Path, reading: Reading, *, inside: Path | None = None) -> None:
    """Read the index and every note of the folder. A note that cannot be read is left out."""
    root = inside or folder
    found = (path for pattern in ("*.md", "*/*.md") for path in folder.glob(pattern))
    notes = sorted(path for path in found if path.name != _INDEX)
    if len(notes) > MAX_FILES:
        raise UserError(f"{folder} holds more than {MAX_FILES} notes; import them in parts")
    index = folder / _INDEX
    for path in ([index] if index.exists() else []) + notes:
        try:
            source = read_text(path, inside=root)
        except UserError as error:
            reading.leave_out(path.name, str(error))
            continue
        reading.files.append(str(path))
        if path == index:
            _take_index(source, {note.name for note in notes}, reading)
        else:
            _take_note(source, reading)


def _take_index(source: Source, names: set[str], reading: Reading) -> None:
    found = Reading()
    markdown.take(source, source.text, found)
    reading.left_out += found.left_out
    for candidate in found.candidates:
        links = [unquote(link).rsplit("/", 1)[-1] for link in _LINK.findall(candidate.text)]
        if links and all(link in names for link in links):
            why = f"it points to {', '.join(links)}, which is read itself"
            reading.leave_out(candidate.where, why)
        else:
            reading.candidates.append(candidate)


def _take_note(source: Source, reading: Reading) -> None:
    fields, body = _front_matter(source.text)
    if not fields:
        markdown.take(source, source.text, reading)
        return
    words = body.strip() or fields.get("description", "")
    if not words:
        reading.leave_out(source.path.name, "the note is empty")
        return
    modified = unix_time(fields.get("modified"))
    written_at = source.written_at if modified is None else stamp(modified)
    for part in pieces(words):
        reading.candidates.append(Candidate(part, source.path.name, written_at))


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """The fields of the front matter, nested ones too, and the text below it; no fields when there
    is none. Read is the YAML that the tools write: a field a line, and folded blocks."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return {}, text
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        return {}, text
    fields: dict[str, str] = {}
    folded: str | None = None
    for line in lines[1:end]:
        found = _FIELD.match(line)
        if folded is not None and line.startswith((" ", "\t")):
            fields[folded] = f"{fields[folded]} {line.strip()}".strip()
            continue
        folded = None
        if found:
            key, value = found[1], found[2].strip()
            if _BLOCK_SCALAR.fullmatch(value):
                folded, value = key, ""
            fields.setdefault(key, value.strip("\"'"))
    return fields, "\n".join(lines[end + 1 :])
