"""Answers that come at once or not at all, for callers that must not wait.

A server's event loop may ask for what is in memory, and must not wait for a database, a lock, or
the content of a file. What would wait says so first, by `will_wait`; inside of `at_once` that gives
the call up, with nothing changed, and the caller asks again on a thread. To look whether files are
as they were is no waiting: it is how an answer from memory is known to hold.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_may_wait = ContextVar("may_wait", default=True)


class WouldWait(Exception):  # noqa: N818  (no failure: ask again where waiting is allowed)
    """The answer is not in memory."""


@contextlib.contextmanager
def at_once() -> Generator[None]:
    """Nothing inside waits: WouldWait is raised instead."""
    token = _may_wait.set(False)
    try:
        yield
    finally:
        _may_wait.reset(token)


def will_wait() -> None:
    """Say that what follows may wait. Raises WouldWait where nothing may."""
    if not _may_wait.get():
        raise WouldWait
