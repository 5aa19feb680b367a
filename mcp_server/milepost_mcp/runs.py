"""The runs: calls that go on in the server when their clients have stopped waiting for them.

Clients give a call up after a minute or five, and a test suite may take longer. So whoever has
waited for long gets the id of the run, asks again with it, and finds the run going on, or its
result. Runs live as long as their server.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from milepost_mcp.limits import EXIT_GRACE_S, MAX_RUNS, MAX_SLOW_CALLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost_mcp.reply import Reply

    Progress = Callable[[int, int, str], None]
    Work = Callable[[threading.Event, Progress], Reply]

# How soon a waiting call notices that it was cancelled.
_TURN_S = 0.1


class Run:
    """Work on a thread of its own, which outlives the calls that wait for it. `progress` is that of
    the first of them."""

    def __init__(self, work: Work, progress: Progress) -> None:
        self.id = os.urandom(5).hex()
        self.stop = threading.Event()
        self.ended = threading.Event()
        self._started = time.monotonic()
        self._work = work
        self._at: tuple[int, int, str] | None = None
        self._progress: Progress | None = progress
        self._reply: Reply | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def running_s(self) -> int:
        """For how long it has been going on."""
        return round(time.monotonic() - self._started)

    @property
    def doing(self) -> str:
        """What is being done."""
        if self._at is None:
            return "getting ready"
        position, total, doing = self._at
        return f"[{position + 1}/{total}] {doing}"

    def wait(self, limit_s: float, stop: threading.Event, progress: Progress) -> Reply | None:
        """The reply, or None when the run goes on after `limit_s`. Raises what the work raised.

        When `stop` is set the run is stopped: nobody calls off a verification that they still want.
        """
        if self._progress != progress:
            self._progress = progress
            if self._at is not None:
                progress(*self._at)
        deadline = time.monotonic() + limit_s
        while not self.ended.wait(_TURN_S):
            if stop.is_set():
                self.stop.set()
            elif time.monotonic() >= deadline:
                self._progress = None
                return None
        if self._error is not None:
            raise self._error
        return self._reply

    def join(self, limit_s: float) -> None:
        """Wait for its end."""
        self._thread.join(max(0.0, limit_s))

    def _run(self) -> None:
        try:
            self._reply = self._work(self.stop, self._step)
        except Exception as error:  # noqa: BLE001  (it is raised again in the call that waits)
            self._error = error
        finally:
            self.ended.set()

    def _step(self, position: int, total: int, doing: str) -> None:
        self._at = (position, total, doing)
        progress = self._progress
        if progress is not None:
            progress(position, total, doing)


class Runs:
    """The runs of one project in this server, the newest MAX_RUNS of them."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._guard = threading.Lock()

    def start(self, work: Work, progress: Progress) -> Run:
        """Begin a run. Raises UserError when too many go on already."""
        from milepost.api import UserError  # noqa: PLC0415  (not before the first call)

        with self._guard:
            going_on = [run for run in self._runs.values() if not run.ended.is_set()]
            if len(going_on) >= MAX_SLOW_CALLS:
                known = ", ".join(run.id for run in going_on)
                raise UserError(f"{len(going_on)} runs go on ({known}); wait for one of them")
            run = Run(work, progress)
            self._runs[run.id] = run
            while len(self._runs) > MAX_RUNS:
                # The oldest that is over; one that goes on is young enough to be asked for.
                over = next(key for key, old in self._runs.items() if old.ended.is_set())
                del self._runs[over]
            return run

    def get(self, run_id: str) -> Run:
        """The run with this id. Raises UserError when there is none."""
        from milepost.api import UserError  # noqa: PLC0415  (as above)

        with self._guard:
            run = self._runs.get(run_id)
        if run is None:
            message = "there is no such run here; runs end with the server that they were begun in"
            raise UserError(f"{message}, so verify again without run")
        return run

    def close(self) -> None:
        """Stop what goes on, and give it a moment to end."""
        with self._guard:
            runs = list(self._runs.values())
        for run in runs:
            run.stop.set()
        deadline = time.monotonic() + EXIT_GRACE_S
        for run in runs:
            run.join(deadline - time.monotonic())
