"""Follows sessions that other processes write: a look at the files' signatures, and the items that
are new.

The transcript is the one thing that all processes share. The kernel says when something was written
beside it, so that a chat that is open costs nothing while nobody speaks; where it cannot, two stat
calls a few times a second do. The database is asked only when its files have changed.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.api.chat import views
from milepost.api.folder_watch import FolderWatch
from milepost.base.errors import MilepostError, UserError, WorldError
from milepost.base.files import signature

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from milepost.api.chat.replay import Replay
    from milepost.history.transcript import Transcripts

# A message of another editor's is shown within this time, which is less than a person notices. What
# is written in a burst, as a turn does, is looked at once.
_LOOK_S = 0.25

# Where the kernel tells of every change, this is only for what it may have lost.
_WATCHED_LOOK_S = 60.0

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
        self._ear: _Ear | None = None

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
            if self._thread is None:
                self._ear = ear = _Ear(self._transcripts.database.path.parent)
                self._thread = threading.Thread(
                    target=self._run, args=(ear,), name="chat-tail", daemon=True
                )
                self._thread.start()
            elif self._ear is not None:
                self._ear.wake()

    def unfollow(self, session: str) -> None:
        """Tell no more of a session."""
        with self._guard:
            self._followed.pop(session, None)

    def pause(self, session: str) -> None:
        """A turn of our own begins, which tells for itself; what stands there by now is told."""
        with self._guard:
            followed = self._followed.get(session)
            if followed is not None:
                self._tell(session, followed)
                followed.is_ours = True

    def go_on(self, session: str) -> None:
        """The turn is over; everything that it wrote was told."""
        position = self._transcripts.position(session)
        with self._guard:
            followed = self._followed.get(session)
            if followed is not None:
                followed.is_ours = False
                followed.last = max(followed.last, position)

    def close(self) -> None:
        """Stop; following a session starts anew."""
        with self._guard:
            self._followed.clear()
            thread, ear = self._thread, self._ear
            if ear is not None:
                ear.wake()
        if thread is not None:
            thread.join()

    def _run(self, ear: _Ear) -> None:
        path = self._transcripts.database.path
        files = (path, path.with_name(f"{path.name}-wal"))
        seen: object = None
        # Something may have been written before we listened.
        is_woken = True
        while True:
            with self._guard:
                if not self._followed:
                    self._thread = self._ear = None
                    ear.close()
                    return
            now = tuple(map(signature, files))
            if is_woken or now != seen:
                seen = now
                self._look()
            is_woken = ear.wait()

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


class _Ear:
    """Waits until something is written in a folder, for some time, or to be woken."""

    def __init__(self, folder: Path) -> None:
        self._reading, self._writing = os.pipe()
        self._watch: FolderWatch | None = None
        self._patience_s = _LOOK_S
        # Without a queue of the kernel's, looking now and then does.
        with contextlib.suppress(WorldError):
            self._watch = FolderWatch()
            self._watch.watch([str(folder)])
            self._patience_s = _WATCHED_LOOK_S if self._watch.is_reliable else _LOOK_S

    def wake(self) -> None:
        """End the wait."""
        os.write(self._writing, b"\0")

    def wait(self) -> bool:
        """Return when it is time to look; whether somebody woke us."""
        handles = [self._reading] if self._watch is None else [self._reading, self._watch.handle]
        ready, _, _ = select.select(handles, [], [], self._patience_s)
        if self._reading in ready:
            os.read(self._reading, 4_096)
            return True
        if ready and self._watch is not None:
            # The rest of a burst comes with its beginning; who wants us to end is heard at once.
            select.select([self._reading], [], [], _LOOK_S)
            self._watch.changed()
        return False

    def close(self) -> None:
        """Give the descriptors back."""
        if self._watch is not None:
            self._watch.close()
        os.close(self._reading)
        os.close(self._writing)
