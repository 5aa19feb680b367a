"""Running a command as if it had been started directly: its own input and output, the signals that
were meant for it, and its exit code.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from milepost.cli.terminal import tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

# As shells answer for a command that is not there, or may not be run.
_NOT_FOUND, _NOT_RUN = 127, 126

# What people and supervisors send to end a program or to talk to it.
_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH")

# A terminal sends these to all that run in front of it, so the command has them already.
_FROM_TERMINAL = ("SIGINT", "SIGQUIT", "SIGWINCH")


def run_between(words: Sequence[str]) -> int:
    """Run the command to its end, which has no time limit, and return its exit code; 128 and the
    signal's number when a signal ended it."""
    child: subprocess.Popen[bytes] | None = None
    waiting: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if signal.Signals(number).name in _FROM_TERMINAL and _is_in_front():
            return
        if child is None:
            waiting.append(number)
        else:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(number)

    numbers = [getattr(signal, name) for name in _FORWARDED if hasattr(signal, name)]
    before = {number: signal.signal(number, forward) for number in numbers}
    try:
        try:
            child = subprocess.Popen(list(words))
        except OSError as error:
            tell(f"cannot run {words[0]} ({error.strerror})")
            return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUN
        for number in waiting:
            child.send_signal(number)
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code


def _is_in_front() -> bool:
    """Whether a terminal sends its signals to our process group, and so to the command."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
