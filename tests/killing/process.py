"""A process of `milepost run --json`, and what it tells as it goes."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from typing import Any, Self

# Longer than any run, on a machine that is busy with other things.
PATIENCE_S = 240.0


class Process:
    """A process at work, and what it told."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self.child = child
        self.began = time.monotonic()
        self.first_s = 0.0
        self.steps_s: list[float] = []
        self.last: dict[str, Any] = {}
        self.over = threading.Event()
        self._step = 0
        self._told = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        self.child.stdout.close()

    def wait_for_step(self, step: int) -> None:
        """Until this step has ended, or the process."""
        with self._told:
            assert self._told.wait_for(lambda: self._step >= step or self.over.is_set(), PATIENCE_S)

    def _read(self) -> None:
        for line in self.child.stdout:
            if not line.endswith(b"\n"):
                break
            event = json.loads(line)
            with self._told:
                at_s = time.monotonic() - self.began
                self.first_s = self.first_s or at_s
                if event["kind"] == "step_ended":
                    self._step = event["step"]
                    self.steps_s.append(at_s)
                self.last = event
                self._told.notify_all()
        with self._told:
            self.over.set()
            self._told.notify_all()
