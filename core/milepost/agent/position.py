"""Where a composition stands, read from the transcript of its session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost.history.item import Item


@dataclass(frozen=True, slots=True)
class Ended:
    """A phase that ended, with its last words; `verdict` is done, pass or back."""

    phase: str
    words: str
    verdict: str
    reason: str


@dataclass(slots=True)
class Position:
    """Where a composition stands: the phases that ended, the one that is open, and since when."""

    ended: list[Ended]
    open_phase: str | None = None
    open_since: int = 0
    has_begun: bool = False
    decided: tuple[str, str] | None = None
    mark: int | None = None

    @property
    def rounds(self) -> int:
        """How often the work was built."""
        return sum(one.phase == "implement" for one in self.ended)

    def handed(self, phase: str) -> str:
        """What a phase left behind; empty when it has not ended."""
        return next((one.words for one in reversed(self.ended) if one.phase == phase), "")


def position_of(items: Sequence[Item]) -> Position:
    """Where the newest composition among these items stands."""
    found = Position([])
    for item in items:
        data = item.data
        match item.kind:
            case "composed":
                found = Position([])
            case "phase":
                found.open_phase, found.open_since = data["phase"], item.number
                found.mark = data["mark"] or found.mark
                found.has_begun, found.decided = False, None
            case "phase_ended":
                found.ended.append(
                    Ended(data["phase"], data["words"], data["verdict"], data["reason"])
                )
                found.open_phase = None
            case "concluded":
                found.decided = data["verdict"], data["reason"]
            case "assistant" | "nudge":
                found.has_begun = True
            case _:
                pass
    return found
