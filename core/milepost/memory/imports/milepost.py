"""An export of Milepost's own, as JSON lines of any length or as one JSON object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from milepost.base.errors import UserError
from milepost.memory import exchange
from milepost.memory.imports.reading import read_lines, read_text

if TYPE_CHECKING:
    from pathlib import Path

    from milepost.memory.imports.reading import Reading


def read(path: Path, reading: Reading) -> None:
    """Read an export. Raises UserError when the file is none, or one of another version."""
    lines = read_lines(path, reading)
    where, line = next(lines, ("", ""))
    first = _decoded(line)
    if first is None or (exchange.is_header(first) and "entries" in first):
        _read_object(path, reading)
        return
    if not exchange.is_header(first):
        raise _no_export(path)
    reading.files.append(str(path))
    for where, line in lines:
        _take(_decoded(line), where, reading)


def is_export(line: str) -> bool:
    """Whether a file that begins with this line is an export."""
    return f'"{exchange.NAME}"' in line


def _read_object(path: Path, reading: Reading) -> None:
    whole = _decoded(read_text(path).text)
    if not exchange.is_header(whole) or not isinstance(whole.get("entries"), list):
        raise _no_export(path)
    reading.files.append(str(path))
    for number, item in enumerate(whole["entries"], 1):
        _take(item, f"entry {number}", reading)


def _take(item: object, where: str, reading: Reading) -> None:
    found = exchange.candidate(item, where)
    if isinstance(found, str):
        reading.leave_out(where, found)
    else:
        reading.candidates.append(found)


def _decoded(text: str) -> Any:  # noqa: ANN401  (it is whatever the file holds)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _no_export(path: Path) -> UserError:
    return UserError(f"{path} is no export of Milepost's; name another format with --from")
