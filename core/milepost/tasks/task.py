"""A task and its states."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from milepost.base.errors import UserError
from milepost.base.unicode import fits_utf8

State = Literal["open", "active", "blocked", "done", "dropped"]
STATES: tuple[State, ...] = ("open", "active", "blocked", "done", "dropped")

# States after which nothing is left to do.
ENDED = frozenset({"done", "dropped"})

_ID = re.compile(r"T[1-9][0-9]{0,4}(\.[1-9][0-9]{0,2}){0,7}")

# A title is a line in a list; what takes more words is acceptance, or a note in progress.md.
MAX_TITLE_CHARS = 200
MAX_WORDS_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Task:
    """One task. `id` says where it stands in the tree: T2.1 is the first part of T2. `after` are
    the tasks that must have ended before it; `acceptance` says when it is done, and `evidence`
    what showed that it is."""

    id: str
    title: str
    state: State
    session: str
    created_at: str
    after: tuple[str, ...] = ()
    acceptance: str = ""
    evidence: str = ""

    @property
    def parent(self) -> str | None:
        """The id of the task that this is a part of."""
        return parent_of(self.id)

    @property
    def order(self) -> tuple[int, ...]:
        """What sorts tasks as a person reads them: T2 before T10, T2.1 after T2."""
        return order_of(self.id)


def parent_of(task_id: str) -> str | None:
    """The id of the task that `task_id` is a part of."""
    return task_id.rpartition(".")[0] or None


def order_of(task_id: str) -> tuple[int, ...]:
    """What sorts task ids as a person reads them."""
    return tuple(map(int, task_id[1:].split(".")))


def checked_id(task_id: str) -> str:
    """`task_id` if it is of the form T1.2. Raises UserError."""
    if not _ID.fullmatch(task_id):
        shown = task_id.encode("utf-8", "backslashreplace").decode()[:60]
        raise UserError(f"{shown!r} is no task; tasks are named like T1 or T1.2")
    return task_id


def checked_words(text: str, what: str, limit: int) -> str:
    """`text` on one line, without blanks around it. Raises UserError when it is too long or not
    text."""
    words = " ".join(text.split())
    if len(words) > limit:
        raise UserError(f"the {what} has {len(words)} characters and may have {limit}; shorten it")
    if "\0" in words or not fits_utf8(words):
        message = f"the {what} holds a NUL or half of a surrogate pair (an emoji cut in two?)"
        raise UserError(f"{message}; send whole characters")
    return words
