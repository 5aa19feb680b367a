"""Processes found by what they were told: in a sandbox they know themselves by other numbers."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path

_PR_CAPBSET_DROP = 24
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2

# Seconds that no other `sleep` on this machine is told to sleep.
LONG = f"600.{os.getpid()}"


def sleeping() -> list[int]:
    """The processes that run `sleep` for LONG seconds."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_bytes() == f"sleep\0{LONG}\0".encode():
                found.append(int(folder.name))
    return found


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


def at_work(root: Path) -> list[str]:
    """The processes that have their working folder in `root`, as they were called."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cwd").readlink().is_relative_to(root):
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append(words.decode("utf-8", "replace"))
    return found


def like_any_user() -> None:
    """Let modes hold for root, too: capabilities(7). To be called in a child before it begins."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
            assert libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0
