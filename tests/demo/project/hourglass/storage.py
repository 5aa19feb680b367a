"""Sheets on disk. A sheet is replaced in one step, so a crash leaves the old one or the new."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hourglass.model import Entry
from hourglass.parser import parse, render
from hourglass.rates import Rates


def load(path: Path) -> list[Entry]:
    """The entries of a sheet; a sheet that does not exist yet is empty."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return list(parse(text.splitlines()))


def append(path: Path, entry: Entry) -> None:
    """Add an entry and keep what is there as it is, comments included."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    if text and not text.endswith("\n"):
        text += "\n"
    _replace(path, text + render(entry) + "\n")


def save(path: Path, entries: Iterable[Entry]) -> None:
    """Write a sheet anew, in order."""
    _replace(path, "".join(render(entry) + "\n" for entry in sorted(entries)))


def load_rates(path: Path) -> Rates:
    with path.open(encoding="utf-8", newline="") as lines:
        return Rates.read(lines)


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
