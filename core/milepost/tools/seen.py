"""What a session has seen of the project's files: a change goes by what was read."""

from __future__ import annotations


class Seen:
    """The marks of files as they were last read or written in this session."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}

    def note(self, name: str, mark: str) -> None:
        """The file `name` was seen to hold what has this mark."""
        self._marks[name] = mark

    def mark(self, name: str) -> str | None:
        """The mark of what was seen; None when it was never read."""
        return self._marks.get(name)
