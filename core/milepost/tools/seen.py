"""What a session has seen of the project's files: a change goes by what was read."""

from __future__ import annotations

import threading


class Seen:
    """The marks of files as they were last read or written in this session."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}
        self._new: dict[str, str] = {}
        self._guard = threading.Lock()

    def note(self, name: str, mark: str) -> None:
        """The file `name` was seen to hold what has this mark."""
        with self._guard:
            self._marks[name] = self._new[name] = mark

    def take_new(self) -> dict[str, str]:
        """What was noted since this was last asked, for whoever keeps it."""
        with self._guard:
            new, self._new = self._new, {}
        return new

    def mark(self, name: str) -> str | None:
        """The mark of what was seen; None when it was never read."""
        return self._marks.get(name)
