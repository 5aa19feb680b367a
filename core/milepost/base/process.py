"""Commands run to their end: bounded in time and output, with no child left behind.

Each command runs under a supervisor (see supervisor.py) that we hold by a leash. When the limit or
the caller's stop comes, when the command ends, or when we are killed ourselves, the supervisor
kills whatever is left of it, also what went into a session of its own. A command that ends while a
grandchild still holds the output open does not keep us waiting.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.base.errors import Stopped, WorldError

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from milepost.base.sandbox.choice import Sandbox

# What is kept of a command's output, from its end: failures are told at the end, and 16 KiB hold
# the summary of any test runner we know.
TAIL_BYTES = 16 * 1024

# How often a silent command is looked at for the caller's stop.
_POLL_S = 0.05

# How long output that is already in the pipe may take to arrive once the command has ended.
_DRAIN_S = 0.5

# How long the supervisor may take to kill everything before we kill it.
_SWEEP_S = 8.0

_CHUNK_BYTES = 64 * 1024

_SUPERVISOR = Path(__file__).with_name("supervisor.py")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended. `exit_code` is None when it was killed at its limit, and negative
    (-signal) when a signal ended it. `output` is the end of stdout and stderr as they came, as much
    as the caller asked for, and `tail` the end of that."""

    exit_code: int | None
    timed_out: bool
    duration_ms: int
    output: bytes
    output_bytes: int
    output_sha256: str

    @property
    def tail(self) -> bytes:
        """What is kept for reading."""
        return self.output[-TAIL_BYTES:]


def run_shell(
    command: str,
    *,
    cwd: Path,
    timeout_s: float,
    stop: threading.Event | None = None,
    shell: tuple[str, ...] = ("/bin/sh",),
    keep_bytes: int = TAIL_BYTES,
    sandbox: Sandbox | None = None,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run `command` with `shell` in `cwd`, held by `sandbox`, in `environment` (without one, our
    own).

    Raises WorldError when no shell can be started there, Stopped when `stop` was set (everything
    that the command started is dead by then).
    """
    started = time.monotonic()
    words = [*shell, "-c", command]
    if sandbox is not None:
        words = sandbox.wrapped(words)
    ours, theirs = socket.socketpair()
    with ours:
        try:
            with theirs:
                child = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(_SUPERVISOR), *words],
                    cwd=cwd,
                    env=environment,
                    stdin=theirs.fileno(),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise WorldError(f"cannot start a shell in {cwd} ({error.strerror})") from error
        output = _Output(max(keep_bytes, TAIL_BYTES))
        try:
            said = _follow(child, ours, output, started + timeout_s, stop)
        finally:
            ours.close()
            _end(child)
    return Outcome(
        exit_code=None if said is None else _exit_code(said),
        timed_out=said is None,
        duration_ms=round((time.monotonic() - started) * 1000),
        output=bytes(output.kept),
        output_bytes=output.size,
        output_sha256=output.digest.hexdigest(),
    )


class _Output:
    """The end of what a command printed, and the size and hash of all of it."""

    def __init__(self, keep_bytes: int) -> None:
        self.kept = bytearray()
        self.size = 0
        self.digest = hashlib.sha256()
        self._keep_bytes = keep_bytes

    def take(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.digest.update(chunk)
        self.kept += chunk
        if len(self.kept) > self._keep_bytes:
            del self.kept[: -self._keep_bytes]


def _follow(
    child: subprocess.Popen[bytes],
    leash: socket.socket,
    output: _Output,
    deadline: float,
    stop: threading.Event | None,
) -> bytes | None:
    """Read until the command has ended. What the supervisor said of its end; None when the
    command's time ran out first."""
    assert child.stdout is not None  # noqa: S101  (we asked for the pipe)
    pipe = child.stdout.fileno()
    os.set_blocking(pipe, False)
    said = b""
    drain_until: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        selector.register(leash, selectors.EVENT_READ)
        while True:
            if stop is not None and stop.is_set():
                raise Stopped("the command was stopped; nothing of it is left running")
            now = time.monotonic()
            if drain_until is not None:
                if pipe not in selector.get_map() or now > drain_until:
                    return said
            elif now > deadline:
                return None
            for key, _ in selector.select(_POLL_S):
                if key.fileobj is leash:
                    chunk = leash.recv(64)
                    said += chunk
                    if not chunk:
                        selector.unregister(leash)
                        drain_until = time.monotonic() + _DRAIN_S
                elif chunk := os.read(pipe, _CHUNK_BYTES):
                    output.take(chunk)
                else:
                    selector.unregister(pipe)


def _exit_code(said: bytes) -> int:
    """The exit code that the supervisor told; it counts as killed when it could tell nothing."""
    how, _, number = said.partition(b" ")
    if not number.strip().isdigit():
        return -signal.SIGKILL
    return int(number) if how == b"exit" else -int(number)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Wait until the supervisor, whose leash is let go, has swept up; then it is gone too."""
    try:
        child.wait(_SWEEP_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.stdout is not None:
        child.stdout.close()
