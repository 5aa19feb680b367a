"""The state of the work, as a new window is told it.

Everything here is read anew from what is kept outside of the window: the goal, the rules, what the
user said word for word, checkpoint.md, notes, tasks, what memory knows about the matter. Each has a
share of the room, so that nothing can crowd the others out; what does not fit is named, with how to
get it. It is framed as a report, because a state that reads like an order gets obeyed twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from milepost.agent.directions import directions, is_lasting
from milepost.base import tokens
from milepost.checkpoints import summary

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

_OLDER = "(some notes are left out; history_search finds them)"

# What a message that is only referred to shows of itself, and what the reference takes.
_BEGINNING_CHARS = 80
_REFERENCE_TOKENS = 12

# A section's title. What the user said, notes and tasks stand in the state by themselves.
_HEADING_TOKENS = 8
_CHECKPOINT_ORDER = (
    "next_action", "constraints", "dead_ends", "current_work", "errors", "decisions", "knowledge",
    "files", "commands", "runtime",
)  # fmt: skip


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
        _titled("checkpoint.md", checkpoint_text(keeper.checkpoint(), room(_CHECKPOINT_SHARE))),
        _titled("Notes", notes_text(keeper.notes(), room(_NOTES_SHARE))),
        _titled("Tasks", tokens.clip(keeper.tasks(), room(_TASKS_SHARE))),
        _titled("From memory", keeper.memory(newest, room(_MEMORY_SHARE))),
    ]
    return "\n\n".join(filter(None, parts))


def user_words(said: Sequence[UserWords], budget_tokens: int) -> str:
    """The user's messages, as far as there is room: the first and the newest, what every one of
    them directs, then the others whole, the newest first, then by their beginning and their number
    in the history."""
    room = _Room(budget_tokens)
    order = [*said[:1], *reversed(said[1:])]
    for words in order[:2]:
        if not room.take(words.number, f"- {words.text.strip()}", budget_tokens // 2):
            share = budget_tokens // (1 + len(order[:2]))
            begun = tokens.clip(words.text.strip(), share - _REFERENCE_TOKENS)
            room.take(words.number, f"- (item {words.number} of the history) {begun}")
    for words in order:
        told = " ".join(directions(words.text))
        if told:
            part = f"- (from item {words.number} of the history) {told}"
            room.take(words.number, min(part, f"- {words.text.strip()}", key=len))
    for words in order:
        room.take(words.number, f"- {words.text.strip()}")
    for words in order:
        if words.number not in room.lines:
            beginning = " ".join(words.text.split())[:_BEGINNING_CHARS]
            room.take(words.number, f"- (item {words.number} of the history) {beginning}...")
    shown = [room.lines[number] for number in sorted(room.lines)]
    missing = len(said) - len(shown)
    if missing:
        shown.append(f"- ({missing} more in the history)")
    return "\n".join(shown)


def notes_text(notes: str, budget_tokens: int) -> str:
    """The notes that fit: those that hold for the whole session before those that only tell where
    the work stood, of each kind the newest first; in the order in which they were made."""
    lines = notes.strip("\n").split("\n")
    if tokens.count(notes) <= budget_tokens:
        return notes
    room = _Room(budget_tokens - tokens.count(_OLDER) - 1)
    for wanted in (True, False):
        for at in range(len(lines) - 1, -1, -1):
            if is_lasting(lines[at]) is wanted:
                room.take(at, lines[at])
    return "\n".join([_OLDER, *(room.lines[at] for at in sorted(room.lines))])


def checkpoint_text(text: str, budget_tokens: int) -> str:
    """What checkpoint.md says beside what the state tells by itself. No section crowds the others
    out; what one leaves free is the next one's."""
    told = summary.parse(text)
    parts: list[str] = []
    left = budget_tokens
    for key in _CHECKPOINT_ORDER:
        if not told.get(key):
            continue
        body = tokens.clip(told.get(key), min(left, budget_tokens // 3) - _HEADING_TOKENS)
        if body:
            parts.append(f"{summary.TITLES[key]}:\n{body}")
            left -= tokens.count(parts[-1]) + 1
    if told.other.strip():
        parts.append(tokens.clip(told.other, left))
    return "\n\n".join(filter(None, parts))


class _Room:
    """Lines by number, as many as there is room for; a longer one takes the place of a shorter."""

    def __init__(self, budget_tokens: int) -> None:
        self.lines: dict[int, str] = {}
        self._left = budget_tokens

    def take(self, number: int, line: str, most_tokens: int | None = None) -> bool:
        """Take a line in if it fits (and is of at most so many tokens); whether the line with this
        number now says as much."""
        if number in self.lines and len(self.lines[number]) >= len(line):
            return True
        old = self.lines.get(number)
        free = self._left + (0 if old is None else tokens.count(old) + 1)
        cost = tokens.count(line) + 1
        if cost > free or (most_tokens is not None and cost > most_tokens):
            return False
        self._left = free - cost
        self.lines[number] = line
        return True


def _titled(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text.strip() else ""
