"""What stands beside the files of a project: looked at for every restore point, so looked at
cheaply.

What a database or a file holds is read anew only when the file system says that it was written.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from milepost.api.scopes import SESSIONS
from milepost.base.errors import MilepostError
from milepost.checkpoints.beside import Beside
from milepost.goals import standing as goals_standing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from milepost.api.scopes import Scopes
    from milepost.goals.ledger import Ledger
    from milepost.history.transcript import Transcripts
    from milepost.memory.store import MemoryStore
    from milepost.tasks.store import TaskStore

_T = TypeVar("_T")

# File systems with coarse clocks give one time to two writes this close together.
_RACY_NS = 20_000_000

# checkpoint.md is a page or two; what a person has grown beyond this is not ours to keep copies of.
MAX_SUMMARY_BYTES = 1024 * 1024

SUMMARY = "checkpoint.md"


class Standing:
    """What stands beside the files of one workspace."""

    def __init__(
        self,
        folder: Path,
        session: str,
        scopes: Scopes,
        ledger: Ledger,
        transcripts: Callable[[], Transcripts],
        tasks: Callable[[], TaskStore],
    ) -> None:
        """`folder` is the project's data folder, `session` the one of the workspace; `transcripts`
        and `tasks` open what most processes never need."""
        self._folder = folder
        self._session = session
        self._scopes = scopes
        self._transcripts = transcripts
        self._goals = _Looked(
            (str(ledger.database.path),), lambda: goals_standing.dump(ledger), b"[]"
        )
        self._task_tree = _Looked(
            (str(folder / "tasks.db"),), lambda: tasks().dump().encode(), b"[]"
        )
        self._stores: tuple[MemoryStore, ...] = ()
        self._memories: tuple[tuple[str, _Looked[int]], ...] = ()
        self._positions: dict[str, _Looked[int]] = {}
        self._summaries: dict[str, _Looked[bytes | None]] = {}

    def now(self, session: str) -> Beside:
        """What stands beside the files, for someone in a session (empty: the workspace's). What
        cannot be told is left out: a point of the files is worth having without it."""
        session = session or self._session
        return Beside(
            memory=self._memory(),
            session=session,
            position=self._position(session),
            tasks=_told(self._task_tree),
            goals=_told(self._goals),
            summary=self._summary(session),
        )

    def summary_path(self, session: str) -> Path:
        """Where the checkpoint.md of a session is, or would be."""
        return self._folder / SESSIONS / session / SUMMARY

    def _memory(self) -> tuple[tuple[str, int], ...]:
        stores = self._scopes.own()
        if stores != self._stores:
            # What lies in the repository is a file among the files.
            self._memories = tuple(
                (store.label, _memory_of(store)) for store in stores if not store.is_in_repository
            )
            self._stores = stores
        found = [(label, _told(looked)) for label, looked in self._memories]
        return tuple((label, number) for label, number in found if number is not None)

    def _position(self, session: str) -> int:
        if session not in self._positions:
            # One session at a time is worked on; those of before are not asked for again.
            self._positions.clear()
            paths = (str(self._folder / "sessions.db"),)
            self._positions[session] = _Looked(
                paths, lambda: self._transcripts().position(session), 0
            )
        return _told(self._positions[session]) or 0

    def _summary(self, session: str) -> bytes | None:
        if session not in self._summaries:
            self._summaries.clear()
            path = self.summary_path(session)
            self._summaries[session] = _Looked((str(path),), lambda: read_summary(path), None)
        return _told(self._summaries[session])


class _Looked(Generic[_T]):
    """A value that is looked up anew only when one of its files was written; `absent` while there
    is none of them."""

    def __init__(self, paths: tuple[str, ...], look: Callable[[], _T], absent: _T) -> None:
        self._paths = paths
        self._look = look
        self._absent = absent
        self._last: tuple[tuple[tuple[int, ...] | None, ...], _T] | None = None

    def value(self) -> _T:
        """The value as it is now. Raises as `look` does."""
        marks = tuple(map(_mark, self._paths))
        if self._last is not None and self._last[0] == marks:
            return self._last[1]
        value = self._look() if any(marks) else self._absent
        # What was written a moment ago may be written again at the very same time.
        newest = max((mark[0] for mark in marks if mark), default=0)
        is_settled = time.time_ns() - newest > _RACY_NS
        self._last = (marks, value) if is_settled else None
        return value


def read_summary(path: Path) -> bytes | None:
    """What checkpoint.md says; None when there is none, or it is no page of ours any more."""
    try:
        if path.stat().st_size > MAX_SUMMARY_BYTES:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _told(looked: _Looked[_T]) -> _T | None:
    try:
        return looked.value()
    except MilepostError:
        return None


def _memory_of(store: MemoryStore) -> _Looked[int]:
    def look() -> int:
        if not store.exists():
            return 0
        store.refresh()
        return store.revisions.newest()

    return _Looked((str(store.path), str(store.revisions.database.path)), look, 0)


def _mark(path: str) -> tuple[int, ...] | None:
    """What tells that a file was written; what is committed to a database goes to its log first."""
    # Most of what is asked for is not there, and an exception costs more than this question.
    if not os.access(path, os.F_OK):
        return None
    log = f"{path}-wal"
    if path.endswith(".db") and os.access(log, os.F_OK):
        path = log
    try:
        found = os.stat(path)  # noqa: PTH116  (a dozen a point, where a Path costs twice as much)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
