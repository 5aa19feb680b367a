"""The kinds of failure. A message is one sentence or two: what is wrong, and what to do next.

Anything raised that is not a MilepostError is a bug of ours; the servers turn it into a short
apology with a log, in one place each.
"""

from __future__ import annotations


class MilepostError(Exception):
    """Base of all failures that have words for the user."""


class UserError(MilepostError):
    """The caller can fix it: a wrong argument, an unknown id, a folder that is no project."""


class ConflictError(UserError):
    """What the caller wants to change has changed since they saw it; `now` is what it reads."""

    def __init__(self, message: str, now: str) -> None:
        super().__init__(message)
        self.now = now


class WorldError(MilepostError):
    """The outside failed: a full disk, a lock that is never released, a file we may not read."""


class Stopped(MilepostError):  # noqa: N818  (a cancelled call is no error to its caller)
    """The caller cancelled the work; nothing is left running."""
