"""The demo's stage: a temporary folder with the project under git, a home and a data folder.

Everything the demo starts gets this home and this data folder, so a run neither sees nor touches
the user's own, and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.tree import Stamp, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator


# What the project's .gitignore names and its tests make: no snapshot covers it.
MADE_BY_TESTS = frozenset({"__pycache__", ".pytest_cache"})
BUNDLED = Path(__file__).with_name("project")
SCRIPTS = Path(sys.executable).parent
# A server notices at once that its client is gone.
PATIENCE_S = 5.0
TEST_COMMAND = "python -m pytest -q"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything is, and the environment that everything gets."""

    folder: Path
    project: Path
    data: Path
    environment: dict[str, str]

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the project, as a person or an agent would."""
        return subprocess.run(
            ["/bin/sh", "-euc", command],
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def files(self) -> dict[str, Stamp]:
        """The project as it is now, without .git and what its tests make."""
        return fingerprint(self.project, leave_out=MADE_BY_TESTS | {".git"})

    def git(self) -> dict[str, Stamp]:
        """The project's .git as it is now, to the last byte."""
        return fingerprint(self.project / ".git")

    def memory_file(self) -> Path:
        """The project's MEMORY.md, found without asking Milepost."""
        (found,) = self.data.glob("projects/*/MEMORY.md")
        return found

    def wait_for_the_end(self) -> list[int]:
        """Until everything that was started here has ended; what is still there at a deadline."""
        deadline = time.monotonic() + PATIENCE_S
        while (running := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.01)
        return running

    def processes(self) -> list[int]:
        """Everything that runs with this stage's data folder; empty where /proc is not there."""
        mark = f"MILEPOST_HOME={self.data}".encode()
        found: list[int] = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in entry.read_bytes().split(b"\0"):
                    found.append(int(entry.parent.name))
        return found


@contextlib.contextmanager
def open_stage() -> Iterator[Stage]:
    """A stage with the bundled project committed to a new repository; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="milepost-demo-") as name:
        folder = Path(name).resolve()
        stage = _lay_out(folder)
        try:
            yield stage
        finally:
            for process in stage.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)


def _lay_out(folder: Path) -> Stage:
    project = folder / "hourglass"
    shutil.copytree(
        BUNDLED, project, symlinks=True, ignore=shutil.ignore_patterns(*MADE_BY_TESTS, "invoices")
    )
    # A folder's mode is not in git; a restore has to know it all the same.
    (project / "docs").chmod(0o750)
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    stage = Stage(folder, project, folder / "data", _environment(folder))
    for command in ("git init --quiet", "git add --all", "git commit --quiet --message Hourglass"):
        done = stage.shell(command)
        if done.returncode:
            raise RuntimeError(f"`{command}` failed: {done.stdout}")
    return stage


def _environment(folder: Path) -> dict[str, str]:
    """A clean environment: no settings of pytest, git, Python or Milepost leak in."""
    home = folder / "home"
    return {
        "PATH": f"{SCRIPTS}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(home),
        "TMPDIR": str(folder / "tmp"),
        "XDG_STATE_HOME": str(folder / "tmp"),  # Neovim's log
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "MILEPOST_HOME": str(folder / "data"),
        # The project's tests need no plugin; those of our own environment would slow them down.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Demo",
        "GIT_AUTHOR_EMAIL": "demo@localhost",
        "GIT_COMMITTER_NAME": "Demo",
        "GIT_COMMITTER_EMAIL": "demo@localhost",
    }
