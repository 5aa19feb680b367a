"""The memories that Codex distils from its sessions: a handbook and a summary.

The handbook, MEMORY.md, is cut into task groups. Each says in `applies_to: cwd=...` where it holds;
its lists of preferences, knowledge and failures are facts, the rest leads to session logs. The
summary begins with a line `v1`, and what it knows of the user holds everywhere.
Source: the templates in codex-rs/memories of the repository openai/codex.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.memory import document as documents
from milepost.memory.imports.reading import Candidate, pieces, read_text

if TYPE_CHECKING:
    from milepost.memory.imports.reading import Reading

_FACTS = ("user preferences", "reusable knowledge", "failures and how to do differently")
_PROFILE = ("user profile", "user preferences", "general tips")

_FOLDERS = re.compile(r"cwd\s*=\s*([^;]+)")
_FOLDER = re.compile(r"(?:~|/)[^\s,;`'\"]*")
_REFERENCE = re.compile(r"(?:\s*\[Task \d+\])+\s*$")


def read_handbook(path: Path, reading: Reading, root: Path) -> None:
    """Read the facts of the task groups that hold in the project at `root`."""
    source = read_text(path)
    reading.files.append(str(path))
    document = documents.parse_text(source.text)
    words = {entry.block.start: entry.text for entry in document.entries}
    group, is_elsewhere = "", False
    line, last = 1, 0
    for block in document.blocks:
        line += source.text.count("\n", last, block.start)
        last = block.start
        where = f"{path.name}:{line}"
        if block.kind == "heading" and block.level == 1:
            group, is_elsewhere = block.title, False
        text = words.get(block.start)
        if text is None:
            continue
        if not block.section:
            if (folders := _elsewhere(text, root)) and not is_elsewhere:
                is_elsewhere = True
                reading.leave_out(where, f"{group or 'a task group'} is about {folders}")
        elif block.section.lower() in _FACTS and not is_elsewhere:
            for part in pieces(_REFERENCE.sub("", text)):
                reading.candidates.append(Candidate(part, where, source.written_at))


def read_summary(path: Path, reading: Reading) -> None:
    """Read what the summary knows of the user and tells for every session."""
    source = read_text(path)
    reading.files.append(str(path))
    document = documents.parse_text(source.text)
    line, last = 1, 0
    for entry in document.entries:
        line += source.text.count("\n", last, entry.block.start)
        last = entry.block.start
        where = f"{path.name}:{line}"
        if entry.block.section.lower() in _PROFILE:
            for part in pieces(entry.text):
                reading.candidates.append(Candidate(part, where, source.written_at))
        elif entry.block.section:
            reading.leave_out(where, "it leads to other files of Codex")


def _elsewhere(text: str, root: Path) -> str:
    """The folders for which a task group holds, when the project is none of them."""
    found = _FOLDERS.search(text)
    folders = _FOLDER.findall(found[1]) if found else []
    return (
        "" if not folders or any(_is_near(each, root) for each in folders) else ", ".join(folders)
    )


def _is_near(folder: str, root: Path) -> bool:
    """Whether one of the two holds the other. A folder below home is compared by its end."""
    if folder.startswith("~"):
        return root.as_posix().endswith(folder.removeprefix("~").rstrip("/"))
    named = Path(os.path.normpath(folder))
    return named == root or named in root.parents or root in named.parents
