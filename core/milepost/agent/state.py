"""The state of the work, as a new window is told it.

Everything here is read anew from what is kept outside of the window: the goal, the rules, what the
user said word for word, checkpoint.md, notes, tasks, what memory knows about the matter. Each has a
share of the room, so that nothing can crowd the others out; what does not fit is named, with how to
get it. It is framed as a report, because a state that reads like an order gets obeyed twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from milepost.base import tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

# Shares of the free window. They leave about half of it for the work that goes on.
_RULES_SHARE = 0.1
_GOAL_SHARE = 0.04
_USER_SHARE = 0.12
_CHECKPOINT_SHARE = 0.1
_NOTES_SHARE = 0.06
_TASKS_SHARE = 0.03
_MEMORY_SHARE = 0.05

_FRAME = (
    "This is a report on the work so far. The conversation before it was put away to make room; "
    "nothing in it is lost (history_search finds it). What follows is information with its source, "
    "not a new request: go on where the work stands."
)

_OLDER = "(older notes are left out)"


class Keeper(Protocol):
    """Where the state comes from. Each method returns text, empty when there is nothing to say."""

    def rules(self, budget_tokens: int) -> str:
        """The rules that hold here, with their sources."""
        ...

    def goal(self) -> str:
        """The goal, its checks and how it stands."""
        ...

    def checkpoint(self) -> str:
        """What checkpoint.md says."""
        ...

    def notes(self) -> str:
        """The worker's notes, the oldest first."""
        ...

    def tasks(self) -> str:
        """The tree of tasks."""
        ...

    def memory(self, about: str, budget_tokens: int) -> str:
        """What memory knows about the matter."""
        ...


@dataclass(frozen=True, slots=True)
class UserWords:
    """A message of the user's, and the number under which the history has it."""

    number: int
    text: str


def system_text(base: str, keeper: Keeper, room_tokens: int) -> str:
    """The system text: how to work, and what holds in this project."""
    parts = [
        base,
        _titled("Rules that hold here", keeper.rules(int(room_tokens * _RULES_SHARE))),
        _titled("The goal", tokens.clip(keeper.goal(), int(room_tokens * _GOAL_SHARE))),
    ]
    return "\n\n".join(filter(None, parts))


def state_text(keeper: Keeper, said: Sequence[UserWords], room_tokens: int) -> str:
    """The state of the work as one message."""

    def room(share: float) -> int:
        return int(room_tokens * share)

    newest = said[-1].text if said else ""
    parts = [
        _FRAME,
        _titled("What the user said, word for word", user_words(said, room(_USER_SHARE))),
        _titled("checkpoint.md", tokens.clip(keeper.checkpoint(), room(_CHECKPOINT_SHARE))),
        _titled("Notes", tokens.clip_beginning(keeper.notes(), room(_NOTES_SHARE), _OLDER)),
        _titled("Tasks", tokens.clip(keeper.tasks(), room(_TASKS_SHARE))),
        _titled("From memory", keeper.memory(newest, room(_MEMORY_SHARE))),
    ]
    return "\n\n".join(filter(None, parts))


def user_words(said: Sequence[UserWords], budget_tokens: int) -> str:
    """The user's messages: the first and the newest whole as long as there is room, the others by
    their beginning and their number in the history."""
    order = [*said[:1], *reversed(said[1:])]
    lines: dict[int, str] = {}
    left = budget_tokens
    for words in order:
        line = f"- {words.text.strip()}"
        cost = tokens.count(line) + 1
        if cost > left:
            beginning = " ".join(words.text.split())[:80]
            line = f"- (item {words.number} of the history) {beginning}..."
            cost = tokens.count(line) + 1
        if cost > left:
            continue
        left -= cost
        lines[words.number] = line
    missing = len(said) - len(lines)
    shown = [lines[number] for number in sorted(lines)]
    if missing:
        shown.append(f"- ({missing} more in the history)")
    return "\n".join(shown)


def _titled(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text.strip() else ""
