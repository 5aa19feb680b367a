"""Processes found by what they were told: in a sandbox they know themselves by other numbers."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

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
