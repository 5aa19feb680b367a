"""How often each entry was given out: by a search, or in a brief.

Giving out only counts in memory; a thread enters the counts into the index a while later, and
closing does. So a search writes nothing, and a process that is killed loses a few counts.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from typing import TYPE_CHECKING

from milepost.base.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from milepost.base.sqlite import Database

SCHEMA = """
    CREATE TABLE used (id TEXT PRIMARY KEY, times INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

# Long enough that a burst of searches is one write, short enough that a lens is about right.
_DELAY_S = 2.0


class Uses:
    """The counts of one memory file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: Counter[str] = Counter()
        self._guard = threading.Lock()
        self._timer: threading.Timer | None = None

    def add(self, entry_ids: Iterable[str]) -> None:
        """These were given out once more."""
        with self._guard:
            self._waiting.update(entry_ids)
            if self._waiting and self._timer is None:
                self._timer = threading.Timer(_DELAY_S, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Enter what was counted. What cannot be entered is let go: it is no more than a hint."""
        with self._guard:
            timer, self._timer = self._timer, None
            counted, self._waiting = self._waiting, Counter()
        if timer is not None:
            timer.cancel()
        if not counted or not self._database.path.exists():
            return
        with contextlib.suppress(WorldError), self._database.writing() as connection:
            connection.executemany(
                "INSERT INTO used VALUES (?, ?) "
                "ON CONFLICT (id) DO UPDATE SET times = times + excluded.times",
                counted.items(),
            )

    def counts(self) -> dict[str, int]:
        """How often each entry was given out that ever was."""
        if not self._database.path.exists():
            return {}
        with self._database.reading() as connection:
            known = dict(connection.execute("SELECT id, times FROM used").fetchall())
        with self._guard:
            return dict(Counter(known) + self._waiting)
