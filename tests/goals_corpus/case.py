"""One case: a project as it was when the goal was set, what was done then, and the right verdict.

A case is data and is played by the real verifier on real files, with real commands and real git.
Files are given by path; None deletes one. Commands run in the project by /bin/sh.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from milepost import api

GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com",
}  # fmt: skip

Files = Mapping[str, str | None]


@dataclass(frozen=True)
class Case:
    """`wanted` is the right verdict, `refused` when the goal should not be set at all; `says`
    stands in its reason or in what is missing."""

    name: str
    checks: tuple[str, ...]
    wanted: str
    before: Files = field(default_factory=dict)
    work: Files = field(default_factory=dict)
    run: str = ""
    says: str = ""
    git: bool = False
    verifications: int = 1
    timeout_s: float = 20


@dataclass(frozen=True)
class Result:
    """What the verifier said."""

    case: Case
    verdict: str
    words: str

    @property
    def is_false_met(self) -> bool:
        """Whether work that is not done was called done."""
        return self.verdict == "met" and self.case.wanted != "met"

    @property
    def is_false_block(self) -> bool:
        """Whether work that is done was not called done."""
        return self.verdict != "met" and self.case.wanted == "met"


def play(case: Case, folder: Path) -> Result:
    """Play `case` in a new folder. MILEPOST_HOME must lead away from the user's data."""
    project = folder / "project"
    project.mkdir(parents=True)
    write(project, {".milepost/.keep": "", **case.before})
    if case.git:
        shell(project, "git init -q -b main && git add -A && git commit -qm Begin")
    workspace = api.open_workspace(str(project), actor="user:corpus")
    try:
        try:
            goal = workspace.goals.set(case.name, checks=case.checks, timeout_s=case.timeout_s)
        except api.UserError as error:
            return Result(case, "refused", str(error))
        write(project, case.work)
        if case.run:
            shell(project, case.run)
        for _ in range(case.verifications):
            found = workspace.goals.verify(goal.id, fresh=case.verifications > 1)
        words = "\n".join([found.reason, *found.missing])
        return Result(case, found.verdict, words)
    finally:
        workspace.close()


def write(project: Path, files: Files) -> None:
    """Write or delete files."""
    for name, content in files.items():
        path = project / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        if content.startswith("#!"):
            path.chmod(0o755)


def shell(project: Path, command: str) -> None:
    """Run a command of the case."""
    subprocess.run(
        command, shell=True, cwd=project, env={**os.environ, **GIT}, check=True,
        capture_output=True, timeout=60,
    )  # fmt: skip
