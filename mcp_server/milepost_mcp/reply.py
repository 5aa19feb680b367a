"""What a tool answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """What a tool answers, twice: some clients show the model only the text, others only the
    data, so each must say everything."""

    text: str
    data: dict[str, object]
