"""Making vectors in the background, so that nobody waits for a model.

One thread for a workspace. It begins with the first search, loads the model, fills in the rows that
have no vector, and then waits to be told of new ones. Until the model is there, searches get None
and answer by words; a row that has no vector yet is ranked by words too. What a process that died
left undone, the next one finds: the rows themselves tell what is missing.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

from milepost.base.errors import WorldError
from milepost.search import vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost.base.sqlite import Database
    from milepost.search.vectors import Embedder, Missing

# How long closing waits for a batch or a model half loaded; both take tenths of a second. The
# thread looks before each step whether it should end, and never touches a closed database.
_CLOSING_S = 2.0

# How long the end of the process waits for the same: longer, because native code that comes back to
# an interpreter which is gone aborts the process, and a machine under load takes seconds for it.
_EXITING_S = 30.0

# How far the thread stands back for requests: a first run over a large memory takes minutes.
_NICENESS = 10


class Embedding:
    """Vectors for the rows of some tables. `load` brings the model; it is called in the thread."""

    def __init__(self, load: Callable[[], Embedder]) -> None:
        self._load = load
        self._embedder: Embedder | None = None
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()
        self._awake = threading.Event()
        self._ending = threading.Event()
        self._at_exit: Callable[[], None] = _nothing_to_end
        self._tables: list[_Table] = []
        self.failure: str | None = None

    def serve(self, database: Database) -> None:
        """Fill in this database's table too."""
        self._tables.append(_Table(database))

    def embedder(self) -> Embedder | None:
        """The model, if it is ready; else it is on its way when this returns, which is at once."""
        if self._thread is None and self.failure is None:
            self._begin()
        return self._embedder

    def wake(self) -> None:
        """Say that rows were added. They get their vectors soon, or at the first search."""
        self._awake.set()

    def close(self) -> None:
        """End the thread; the next search begins another."""
        with self._guard:
            thread, self._thread = self._thread, None
            self._ending.set()
            self._awake.set()
        if thread is not None:
            thread.join(_CLOSING_S)
            if not thread.is_alive():
                atexit.unregister(self._at_exit)

    def _begin(self) -> None:
        with self._guard:
            if self._thread is None:
                self._ending, self._awake = threading.Event(), threading.Event()
                self._awake.set()
                # A daemon, so that a model which hangs cannot keep a server alive for ever.
                self._thread = threading.Thread(
                    target=self._run,
                    args=(self._ending, self._awake),
                    name="milepost-vectors",
                    daemon=True,
                )
                self._at_exit = partial(_end, self._thread, self._ending, self._awake)
                atexit.register(self._at_exit)
                self._thread.start()

    def _run(self, ending: threading.Event, awake: threading.Event) -> None:
        try:
            embedder = self._load()
        except WorldError as error:
            self.failure = str(error)
            return
        self._embedder = embedder
        _stand_back()
        while True:
            awake.wait()
            awake.clear()
            for table in self._tables:
                # A database that cannot be used now is looked at again with the next rows; whoever
                # asks it something hears why.
                with contextlib.suppress(WorldError):
                    table.fill(embedder, ending)
            if ending.is_set():
                return


class _Table:
    """One table whose rows get vectors."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_known_whole = False

    def fill(self, embedder: Embedder, ending: threading.Event) -> None:
        """Make what is missing, from the newest row back. Once all of a table was looked through,
        the first window without a gap ends it: new rows are the newest."""
        below: int | None = None
        while not ending.is_set() and below != 0:
            with self._database.reading() as connection:
                rows, below = vectors.missing(connection, embedder.model, below)
            if not rows and self._is_known_whole:
                return
            self._make(rows, embedder, ending)
        self._is_known_whole = self._is_known_whole or below == 0

    def _make(self, rows: list[Missing], embedder: Embedder, ending: threading.Event) -> None:
        for start in range(0, len(rows), embedder.batch):
            batch = rows[start : start + embedder.batch]
            made = embedder.embed([row.text for row in batch])
            if ending.is_set():
                return
            with self._database.writing() as connection:
                vectors.keep(connection, embedder.model, batch, made)


def _end(thread: threading.Thread, ending: threading.Event, awake: threading.Event) -> None:
    ending.set()
    awake.set()
    thread.join(_EXITING_S)


def _nothing_to_end() -> None:
    """What stands there before the first thread."""


def _stand_back() -> None:
    """Let this thread run when nobody else wants to; only Linux counts niceness by the thread."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
