"""The sessions of the worker as the guests see them."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from milepost.api import run_views, session_words
from milepost.base.errors import UserError
from milepost.base.files import HeldError, locked

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from milepost.history.item import Item
    from milepost.history.transcript import Session, Transcripts


# What usage can be summed up by.
BY = ("day", "session", "model", "actor")

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

    def items(
        self, session_id: str, *, after: int = 0, limit: int = 200
    ) -> tuple[run_views.SessionItem, ...]:
        """A page of a session in words, behind the item `after`. Raises UserError."""
        self._transcripts.get(session_id)
        found = self._transcripts.items(session_id, after=after, limit=limit)
        return tuple(map(session_words.shown, found))

    def around(self, number: int, *, size: int = 5) -> tuple[run_views.SessionItem, ...]:
        """An item with as many before and after it. Raises UserError when there is none."""
        found = self._transcripts.around(number, before=size, after=size)
        return tuple(map(session_words.shown, found))

    def search(
        self, question: str, *, limit: int = 10, session_id: str | None = None
    ) -> tuple[run_views.SessionItem, ...]:
        """The items that answer a question, best first, of one session or of all."""
        found = self._transcripts.search(question, limit, session_id=session_id)
        return tuple(session_words.shown(item) for _, item in found)

    def usage(
        self, by: Sequence[str] = BY, *, session_id: str | None = None
    ) -> tuple[run_views.UsageRow, ...]:
        """What requests to models took, summed up by these of `BY`, in the order of time."""
        unknown = [key for key in by if key not in BY]
        if unknown:
            raise UserError(f"usage is not kept by {unknown[0]!r}; use some of {', '.join(BY)}")
        if session_id is not None:
            self._transcripts.get(session_id)
        sums: dict[tuple[str, ...], run_views.UsageRow] = {}
        for item in self._transcripts.taken.all():
            if session_id is None or item.session == session_id:
                row = _row(item, by)
                key = (row.day, row.session, row.model, row.actor)
                sums[key] = _sum(sums[key], row) if key in sums else row
        return tuple(sums.values())

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


def _row(item: Item, by: Sequence[str]) -> run_views.UsageRow:
    usage = item.data["usage"]
    keys = {
        "session": item.session,
        "model": item.data.get("model") or "unknown",
        "actor": item.data.get("actor", "worker"),
        "day": item.at[:10],
    }
    return run_views.UsageRow(
        **{key: value if key in by else "" for key, value in keys.items()},
        requests=1,
        estimated=int(usage["is_estimate"]),
        input_tokens=usage["input_tokens"],
        cache_read_tokens=usage["cache_read_tokens"],
        output_tokens=usage["output_tokens"],
        cost_usd=item.data["cost_usd"],
    )


def _sum(one: run_views.UsageRow, other: run_views.UsageRow) -> run_views.UsageRow:
    is_known = one.cost_usd is not None and other.cost_usd is not None
    return replace(
        one,
        requests=one.requests + other.requests,
        estimated=one.estimated + other.estimated,
        input_tokens=one.input_tokens + other.input_tokens,
        cache_read_tokens=one.cache_read_tokens + other.cache_read_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        cost_usd=(one.cost_usd or 0) + (other.cost_usd or 0) if is_known else None,
    )
