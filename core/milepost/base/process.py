"""Commands run to their end: bounded in time and output, with no child left behind.

Each command gets a process group of its own, no standard input, and a limit. When the limit or the
caller's stop comes, the whole group is killed. A command that ends while a grandchild still holds
the output open does not keep us waiting.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.errors import Stopped, WorldError

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from pathlib import Path

# What is kept of a command's output, from its end: failures are told at the end, and 16 KiB hold
# the summary of any test runner we know.
TAIL_BYTES = 16 * 1024

# How often a silent command is looked at for the caller's stop.
_POLL_S = 0.05

# How long output that is already in the pipe may take to arrive once the command has ended.
_DRAIN_S = 0.5

_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended. `exit_code` is None when it was killed at its limit, and negative
    (-signal) when a signal ended it. `tail` is the end of stdout and stderr, as they came."""

    exit_code: int | None
    timed_out: bool
    duration_ms: int
    tail: bytes
    output_bytes: int
    output_sha256: str


def run_shell(
    command: str,
    *,
    cwd: Path,
    timeout_s: float,
    stop: threading.Event | None = None,
    variables: Mapping[str, str] | None = None,
) -> Outcome:
    """Run `command` with /bin/sh in `cwd`, in our own environment and `variables`.

    Raises WorldError when no shell can be started there, Stopped when `stop` was set (the group
    is dead by then).
    """
    started = time.monotonic()
    try:
        child = subprocess.Popen(
            [*_setting(variables or {}), "/bin/sh", "-c", command],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise WorldError(f"cannot start a shell in {cwd} ({error.strerror})") from error
    output = _Output()
    try:
        timed_out = _follow(child, output, started + timeout_s, stop)
    finally:
        _kill_group(child)
        if child.stdout is not None:
            child.stdout.close()
    return Outcome(
        exit_code=None if timed_out else child.returncode,
        timed_out=timed_out,
        duration_ms=round((time.monotonic() - started) * 1000),
        tail=bytes(output.tail),
        output_bytes=output.size,
        output_sha256=output.digest.hexdigest(),
    )


def _setting(variables: Mapping[str, str]) -> list[str]:
    if not variables:
        return []
    return ["/usr/bin/env", *(f"{name}={value}" for name, value in variables.items())]


class _Output:
    """The end of what a command printed, and the size and hash of all of it."""

    def __init__(self) -> None:
        self.tail = bytearray()
        self.size = 0
        self.digest = hashlib.sha256()

    def take(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.digest.update(chunk)
        self.tail += chunk
        if len(self.tail) > TAIL_BYTES:
            del self.tail[:-TAIL_BYTES]


def _follow(
    child: subprocess.Popen[bytes],
    output: _Output,
    deadline: float,
    stop: threading.Event | None,
) -> bool:
    """Read until the command has ended; True when its time ran out first."""
    assert child.stdout is not None  # noqa: S101  (we asked for the pipe)
    pipe = child.stdout.fileno()
    os.set_blocking(pipe, False)
    drain_until: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        is_open = True
        while True:
            if stop is not None and stop.is_set():
                raise Stopped("the command was stopped; nothing of it is left running")
            now = time.monotonic()
            if drain_until is None and _has_ended(child):
                _kill_group(child)
                drain_until = now + _DRAIN_S
            if drain_until is not None:
                if not is_open or now > drain_until:
                    return False
            elif now > deadline:
                return True
            if not is_open:
                time.sleep(_POLL_S / 10)
                continue
            if selector.select(_POLL_S):
                chunk = os.read(pipe, _CHUNK_BYTES)
                if chunk:
                    output.take(chunk)
                else:
                    selector.unregister(pipe)
                    is_open = False


def _has_ended(child: subprocess.Popen[bytes]) -> bool:
    """Whether the command is over, without reaping it: until then its number, which is also its
    group's, cannot be given to a stranger."""
    if child.returncode is not None:
        return True
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """End what the command started, then the command, once; the group outlives its leader."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
