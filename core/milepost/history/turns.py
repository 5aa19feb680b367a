"""The turns that run, and who wants one to end: a row that all processes see.

A turn that runs has a token of its own in its session's row, and a wish for its end is written
beside that token or not at all. So a wish that comes late never meets the next turn, and one that
was left by a process which died is gone when the next turn begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.ids import new_id

if TYPE_CHECKING:
    from milepost.base.sqlite import Database

SCHEMA = """
    ALTER TABLE session ADD COLUMN turn TEXT NOT NULL DEFAULT '';
    ALTER TABLE session ADD COLUMN stop_by TEXT NOT NULL DEFAULT '';
    ALTER TABLE session ADD COLUMN stop_turn TEXT NOT NULL DEFAULT '';
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants a turn to end: who, and which turn they saw (empty: whichever runs)."""

    by: str
    turn: str


class Turns:
    """The turns of one project's sessions, kept with the transcripts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, session: str) -> str:
        """A turn begins, in the one process that may run it. Its token."""
        token = new_id()
        self._set(session, token)
        return token

    def end(self, session: str) -> None:
        """The turn is over; nobody can want its end any more."""
        self._set(session, "")

    def token(self, session: str) -> str:
        """The token of the turn that runs, or whose process died; empty when there is none."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT turn FROM session WHERE id = ?", (session,)).fetchone()
        return row[0] if row else ""

    def ask_to_end(self, session: str, token: str, wish: Wish) -> bool:
        """Say that somebody wants the turn with this token to end; whether it is there still."""
        with self._database.writing() as connection:
            changed = connection.execute(
                "UPDATE session SET stop_by = ?, stop_turn = ? WHERE id = ? AND turn = ?",
                (wish.by, wish.turn, session, token),
            )
        return changed.rowcount > 0

    def wish(self, session: str, token: str) -> Wish | None:
        """Who wants the turn with this token to end; None when nobody does."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT stop_by, stop_turn FROM session WHERE id = ? AND turn = ?", (session, token)
            ).fetchone()
        return Wish(*row) if row and row[0] else None

    def _set(self, session: str, token: str) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE session SET turn = ?, stop_by = '', stop_turn = '' WHERE id = ?",
                (token, session),
            )
