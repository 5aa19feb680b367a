"""Runs one command on behalf of a process that may die, and leaves nothing of it behind.

Started as a program of its own, with a socket as its standard input: the leash. When the other end
of the leash is closed, by will or because its process was killed, the command and all its
descendants are killed. On Linux it adopts orphans, so that a child which left the command's
process group and session is found as well. How the command ended is said on the leash.

It imports nothing of Milepost, so that `python -I -S` starts it in a few milliseconds.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import select
import signal
import sys
import time

_LEASH = 0

# Source: prctl(2).
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

# Killed processes end at once unless the kernel holds them in a device; we do not wait for those.
_SWEEP_S = 5.0
_SWEEP_POLL_S = 0.005


def main(words: list[str]) -> int:
    """Run `words` and say on the leash `exit N` or `signal N`."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    wake, bell = os.pipe()
    for end in (wake, bell):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(bell)
    child = os.fork()
    if child == 0:
        _become(words)
    status = _follow(child, wake)
    _sweep(child)
    if status is not None:
        code = os.waitstatus_to_exitcode(status)
        said = f"exit {code}\n" if code >= 0 else f"signal {-code}\n"
        with contextlib.suppress(OSError):
            os.write(_LEASH, said.encode())
    return 0


def _become(words: list[str]) -> None:
    """The command, in a session of its own, with nothing to read."""
    os.setsid()
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if words[0] == "--landlock":
        words = _held(words)
    try:
        os.execvp(words[0], words)  # noqa: S606  (a shell is what we are given)
    except OSError as error:
        os.write(2, f"cannot run {words[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _held(words: list[str]) -> list[str]:
    """Take rights away, as the words before `--` say; those behind it. A command that cannot be
    held is not run."""
    split = words.index("--")
    try:
        sys.path.insert(0, os.path.join(os.path.dirname(__file__), "sandbox"))  # noqa: PTH118, PTH120
        importlib.import_module("landlock").restrict(words[1:split])
    except Exception as error:  # noqa: BLE001  (whatever it is, the command must not run)
        os.write(2, f"the sandbox could not be set up, so nothing was run: {error}\n".encode())
        os._exit(126)
    return words[split + 1 :]


def _follow(child: int, wake: int) -> int | None:
    """Wait until the command has ended; None when the leash was let go before that."""
    while True:
        ready, _, _ = select.select([_LEASH, wake], [], [])
        if wake in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 512)
            while (ended := _ended()) is not None:
                if ended[0] == child:
                    return ended[1]
        if _LEASH in ready and not os.read(_LEASH, 64):
            return None


def _sweep(group: int) -> None:
    """Kill what is left of the command: its group, and every orphan that came to us."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    deadline = time.monotonic() + _SWEEP_S
    while time.monotonic() < deadline:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        for pid in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_SWEEP_POLL_S)


def _ended() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def _children() -> list[int]:
    """The processes whose parent we are. Source of the format: proc(5), stat."""
    found: list[int] = []
    me = os.getpid()
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):  # noqa: PTH208  (pathlib would double the start's cost)
            if name.isdecimal():
                with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    fields = file.read().rpartition(b")")[2].split()
                    if int(fields[1]) == me:
                        found.append(int(name))
    return found


def _prctl(option: int, value: int) -> None:
    """Ask Linux for it; elsewhere the process group is all that we can kill."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
