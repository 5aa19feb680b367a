"""The sessions of the worker as the guests see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.api import run_views

if TYPE_CHECKING:
    from collections.abc import Iterator

    from milepost.history.transcript import Session, Transcripts


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
