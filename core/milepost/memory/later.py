"""What follows an acknowledged change of a memory and need not be waited for.

The file holds the change, durably, before anything is handed over here; and the file's lock goes
along and is let go of when all is level. So whoever looks next, in this process or another, waits
for the little that is left, and never sees an index that is behind.

A thread of its own does it, unless the caller does so when its answer is out (`following_here`): to
wake a thread costs as much as some of the work, and two threads get in each other's way.
"""

from __future__ import annotations

import contextlib
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

from milepost.base.waiting import will_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Future, ThreadPoolExecutor


class Later:
    """The work that one memory's last change has left to do."""

    def __init__(self, *, is_on: bool) -> None:
        """Unless it `is_on`, all is done at once: a process that ends with its answer would have to
        wait for it anyway."""
        self._is_on = is_on
        self._executor: ThreadPoolExecutor | None = None
        self._last: Future[None] | _Rest | None = None

    def do(self, work: Callable[[], object], lock: contextlib.ExitStack) -> None:
        """Do `work`, then let go of the `lock`, which the caller holds."""
        here = _here.get()
        if not self._is_on:
            _done(work, lock)
            return
        if here is not None:
            rest = self._last = _Rest(work, lock)
            here.append(rest)
            return
        if self._executor is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (only who stays)

            # The executor sees to it that the process does not end before the work has.
            self._executor = ThreadPoolExecutor(1, "milepost-index")
        try:
            self._last = self._executor.submit(_done, work, lock)
        except RuntimeError:
            # The interpreter is ending and starts no more work.
            _done(work, lock)

    def wait(self) -> None:
        """Return when nothing is left to do. A bug in what was done comes out here."""
        # Another memory's lock may be that of this file too, and this thread the one that has it.
        _do_here()
        last = self._last
        if last is None:
            return
        if not last.done():
            will_wait()
        try:
            last.result()
        finally:
            if self._last is last:
                self._last = None

    def close(self) -> None:
        """Wait, and let the thread go; the next work gets another."""
        self.wait()
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()


@contextlib.contextmanager
def following_here() -> Generator[Callable[[], None]]:
    """What changes made inside leave to do is done by the caller: whenever it calls what it is
    given, and at the end. Until then the changed files are locked, so it must not take long."""
    rests: list[_Rest] = []
    token = _here.set(rests)
    try:
        yield _do_here
    finally:
        _do_here()
        _here.reset(token)


class _Rest:
    """Work that is done once, by whoever needs that first."""

    def __init__(self, work: Callable[[], object], lock: contextlib.ExitStack) -> None:
        self._work = work
        self._lock = lock
        self._guard = threading.Lock()
        self._is_done = False
        self._failure: Exception | None = None

    def done(self) -> bool:
        return self._is_done

    def do(self) -> None:
        with self._guard:
            if not self._is_done:
                try:
                    _done(self._work, self._lock)
                except Exception as failure:  # noqa: BLE001  (raised for who asks for the result)
                    self._failure = failure
                finally:
                    self._is_done = True

    def result(self) -> None:
        self.do()
        if self._failure is not None:
            raise self._failure


_here: ContextVar[list[_Rest] | None] = ContextVar("here", default=None)


def _do_here() -> None:
    """Do what this thread has promised to do."""
    rests = _here.get()
    while rests:
        rests.pop(0).do()


def _done(work: Callable[[], object], lock: contextlib.ExitStack) -> None:
    with lock:
        work()
