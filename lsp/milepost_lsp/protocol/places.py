"""Places in documents, in LSP's own shapes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """LSP's position: zero-based, `character` in the units agreed at initialize."""

    line: int
    character: int


@dataclass(frozen=True, slots=True)
class Range:
    """LSP's range, `end` excluded."""

    start: Position
    end: Position
