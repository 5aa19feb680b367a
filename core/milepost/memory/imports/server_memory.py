"""The store of `@modelcontextprotocol/server-memory`: a graph as JSON lines.

A line is an entity with its observations, or a relation between two entities. Each observation and
each relation is a candidate.
Source: the lines that version 2026.8.31 of the npm package writes.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, cast

from milepost.memory.imports.reading import Candidate, opened, pieces, read_lines, stamp

if TYPE_CHECKING:
    from pathlib import Path

    from milepost.memory.imports.reading import Reading


def read(path: Path, reading: Reading) -> None:
    """Read a store. Lines that are no part of a graph are left out."""
    with opened(path) as file:
        written_at = stamp(os.fstat(file.fileno()).st_mtime)
    reading.files.append(str(path))
    for where, line in read_lines(path, reading):
        try:
            item: Any = json.loads(line)
        except (ValueError, RecursionError):
            reading.leave_out(where, "the line is no JSON")
            continue
        texts = _texts(cast("dict[str, Any]", item)) if isinstance(item, dict) else None
        if texts is None:
            reading.leave_out(where, "the line is no entity and no relation")
        elif not texts:
            reading.leave_out(where, "the entity has no observations")
        for text in texts or ():
            for part in pieces(text):
                reading.candidates.append(Candidate(part, where, written_at))


def _texts(item: dict[str, Any]) -> list[str] | None:
    """The statements of one line; None when it is no part of a graph."""
    if item.get("type") == "entity":
        name, kind, observations = (
            item.get("name"), item.get("entityType"), item.get("observations")
        )  # fmt: skip
        if not isinstance(name, str) or not isinstance(observations, list):
            return None
        about = f"{name} ({kind})" if isinstance(kind, str) and kind else name
        said = [each for each in cast("list[Any]", observations) if isinstance(each, str)]
        return [f"{about}: {each.strip()}" for each in said if each.strip()]
    if item.get("type") == "relation":
        parts = [item.get(key) for key in ("from", "relationType", "to")]
        words = [part for part in parts if isinstance(part, str)]
        return [" ".join(words)] if len(words) == len(parts) else None
    return None
