"""What follows an acknowledged change of a memory and need not be waited for.

The file holds the change, durably, before anything is handed over here; and the file's lock goes
along and is let go of when all is level. So whoever looks next, in this process or another, waits
for the little that is left, and never sees an index that is behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.base.waiting import will_wait

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable
    from concurrent.futures import Future, ThreadPoolExecutor


class Later:
    """The work that one memory's last change has left to do."""

    def __init__(self, *, is_on: bool) -> None:
        """Unless it `is_on`, all is done at once: a process that ends with its answer would have to
        wait for it anyway."""
        self._is_on = is_on
        self._executor: ThreadPoolExecutor | None = None
        self._last: Future[None] | None = None

    def do(self, work: Callable[[], object], lock: contextlib.ExitStack) -> None:
        """Do `work`, then let go of the `lock`, which the caller holds."""
        if not self._is_on:
            _done(work, lock)
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


def _done(work: Callable[[], object], lock: contextlib.ExitStack) -> None:
    with lock:
        work()
