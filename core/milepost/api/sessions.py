"""The sessions of the worker as the guests see them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from milepost.api import run_views
from milepost.base.errors import UserError
from milepost.base.files import HeldError, locked

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from milepost.history.transcript import Session, Transcripts


# Somebody who only looks whether a session is at work holds its lock for an instant.
_LOCK_S = 0.5


@contextlib.contextmanager
def at_work(folder: Path) -> Generator[None]:
    """Work in the session that has this folder, as the only one in all processes. Raises UserError
    when somebody does."""
    try:
        with locked(folder / "turn.lock", timeout_s=_LOCK_S):
            yield
    except HeldError as error:
        raise UserError(
            "this session is at work already, here or in another window;"
            " wait for it, cancel it, or fork it"
        ) from error


def is_at_work(folder: Path) -> bool:
    """Whether somebody works in the session that has this folder."""
    try:
        with locked(folder / "turn.lock", timeout_s=0):
            return False
    except HeldError:
        return True


class Sessions:
    """What was said and done in the sessions of one project."""

    def __init__(self, transcripts: Transcripts) -> None:
        self._transcripts = transcripts

    def page(self, limit: int = 20) -> tuple[run_views.WorkSession, ...]:
        """The sessions, the one that was worked on last first."""
        return tuple(map(_session, self._transcripts.page(limit)))

    def get(self, session_id: str) -> run_views.WorkSession:
        """One session. Raises UserError when there is none with this id."""
        return _session(self._transcripts.get(session_id))

    def export(self, session_id: str) -> Iterator[str]:
        """A session as JSON lines, word for word. Raises UserError."""
        return self._transcripts.export(session_id)

    def delete(self, session_id: str) -> None:
        """Delete a session with all that was said in it. Raises UserError."""
        self._transcripts.delete(session_id)


def _session(session: Session) -> run_views.WorkSession:
    return run_views.WorkSession(
        id=session.id,
        title=session.title,
        actor=session.actor,
        state=session.state,
        created_at=session.created_at,
        updated_at=session.updated_at,
    )
