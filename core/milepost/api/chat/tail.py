"""Follows sessions that other processes write: a look at the files' signatures, and the items that
are new.

The transcript is the one thing that all processes share. A look costs two stat calls, so it can be
taken several times a second; the database is asked only when something was written.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.api.chat import views
from milepost.base.errors import MilepostError, UserError
from milepost.base.files import signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost.api.chat.replay import Replay
    from milepost.history.transcript import Transcripts

# A message of another editor's is shown within this time, which is less than a person notices.
_LOOK_S = 0.25

# More chats than anyone has open; the one that was opened first is let go.
_MOST = 64


@dataclass(slots=True)
class _Followed:
    last: int
    title: str
    replay: Replay
    hear: Callable[[views.ChatEvent], None]
    is_ours: bool = False


class Tail:
    """Tells what becomes of sessions, from a thread that lives while there are any."""

    def __init__(self, transcripts: Transcripts) -> None:
        self._transcripts = transcripts
        self._followed: dict[str, _Followed] = {}
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._is_closed = False

    def follow(
        self,
        session: str,
        last: int,
        replay: Replay,
        hear: Callable[[views.ChatEvent], None],
        *,
        anew: bool = True,
    ) -> None:
        """Tell what comes after the item `last` from now on. A session that is followed already is
        followed from there when it is to be `anew`, else as it was. `hear` must not call back."""
        title = self._transcripts.get(session).title
        with self._guard:
            old = self._followed.pop(session, None)
            if old is not None and not anew:
                self._followed[session] = old
                return
            if len(self._followed) >= _MOST:
                del self._followed[next(iter(self._followed))]
            is_ours = old is not None and old.is_ours
            self._followed[session] = _Followed(last, title, replay, hear, is_ours)
            self._is_closed = False
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="chat-tail", daemon=True)
                self._thread.start()

    def unfollow(self, session: str) -> None:
        """Tell no more of a session."""
        with self._guard:
            self._followed.pop(session, None)

    def pause(self, session: str) -> None:
        """A turn of our own begins, which tells for itself."""
        with self._guard:
            if session in self._followed:
                self._followed[session].is_ours = True

    def go_on(self, session: str) -> None:
        """The turn is over; everything that it wrote was told."""
        newest = self._transcripts.newest(session, 1)
        with self._guard:
            followed = self._followed.get(session)
            if followed is not None:
                followed.is_ours = False
                followed.last = max(followed.last, newest[0].number if newest else 0)

    def close(self) -> None:
        """Stop; following a session starts anew."""
        with self._guard:
            self._followed.clear()
            self._is_closed = True
            thread, self._thread = self._thread, None
        self._wake.set()
        if thread is not None:
            thread.join()
        self._wake.clear()

    def _run(self) -> None:
        path = self._transcripts.database.path
        files = (path, path.with_name(f"{path.name}-wal"))
        seen: object = None
        while not self._wake.wait(_LOOK_S):
            with self._guard:
                if self._is_closed or not self._followed:
                    self._thread = None if not self._is_closed else self._thread
                    return
            now = tuple(map(signature, files))
            if now != seen:
                seen = now
                self._look()

    def _look(self) -> None:
        with self._guard:
            followed = [item for item in self._followed.items() if not item[1].is_ours]
            for session, each in followed:
                try:
                    self._tell(session, each)
                except UserError:
                    # It was deleted.
                    self._followed.pop(session, None)
                except MilepostError:
                    # The disk, for a moment; the next look tries again.
                    return

    def _tell(self, session: str, followed: _Followed) -> None:
        title = self._transcripts.get(session).title
        for item in self._transcripts.items(session, after=followed.last):
            for event in followed.replay.events(item):
                followed.hear(event)
            followed.last = item.number
        if title != followed.title:
            followed.title = title
            followed.hear(views.ChatEvent(session, followed.replay.turn, views.TitleSet(title)))
