"""One run in a project of its own, which can be killed and looked at."""

from __future__ import annotations

import bisect
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from milepost import api
from milepost.base.confined import TEMPORARY_PREFIX
from milepost.base.files import HeldError, locked
from tests.conftest import git
from tests.killing.process import PATIENCE_S, Process
from tests.killing.story import CHECK, INSTRUCTION, RAN, STEPS, Model, Tree, beginning, changes
from tests.killing.tally import Tally
from tests.killing.transcript import calls_of, cut_short, difference, items_of, replies, rows, told
from tests.processes import at_work
from tests.tree import Stamp, differences, fingerprint

# A small window, so that the writer of checkpoint.md is at work often and the window is rebuilt.
_WINDOW_TOKENS = 12_000

_GONE_S = 15.0


@dataclass
class Timeline:
    """When the steps of a run ended, in seconds from its beginning, when its first event came, and
    when it was over."""

    first_s: float = 0.0
    steps_s: list[float] = field(default_factory=list)
    end_s: float = 0.0

    def moment(self, share: float) -> tuple[int, float]:
        """A moment of the run, as a share of its length: after how many steps, and how much
        later."""
        at_s = share * self.end_s
        steps = bisect.bisect(self.steps_s, at_s)
        return steps, at_s - (self.steps_s[steps - 1] if steps else 0.0)


class Victim:
    """One run in a project of its own."""

    def __init__(self, root: Path, model: Model, url: str) -> None:
        self.root = root
        self._model = model
        self._url = url
        self._allow = ("--allow", "allow shell *", "--allow", "allow unsandboxed")
        for name, data in beginning().items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        git(root, "init", "-q")
        opened = api.open_workspace(str(root), actor="user:drill")
        self._data = Path(opened.project.data_dir)
        opened.close()

    def through(self) -> Timeline:
        """Let it run, or go on, to its end."""
        run = self._start()
        with run:
            code = run.child.wait(PATIENCE_S)
            run.over.wait(PATIENCE_S)
        timeline = Timeline(run.first_s, run.steps_s, time.monotonic() - run.began)
        if code or run.last.get("state") != "met":
            raise AssertionError(f"ended with {code} {run.last}: {self._errors()}")
        return timeline

    def killed(
        self, moment: tuple[int, float], timeline: Timeline, tally: Tally, *, sooner: float = 1.0
    ) -> bool:
        """Let it run, or go on, and kill it at a moment, whose part after the last step is waited
        for so many times `sooner`. False when it was over before."""
        steps, later_s = moment
        before = replies(self._transcript)
        with self._start() as run:
            if steps > before:
                run.wait_for_step(steps)
            else:
                later_s += timeline.first_s if before else 0.0
            with suppress(subprocess.TimeoutExpired):
                run.child.wait(later_s / sooner)
                return False
            busy = tuple(self._model.busy)
            run.child.send_signal(signal.SIGKILL)
            run.child.wait(PATIENCE_S)
        tally.kills += 1
        tally.within_an_answer += "worker" in busy
        tally.within_the_writer += "writer" in busy
        self._look(tally)
        return True

    def judge(self, unbroken: Victim, kills: int) -> Tally:
        """What is wrong with it, now that it is through."""
        tally = Tally()
        differing = differences(unbroken.stamps(), self.stamps())
        if differing or _tree(self.root) != changes()[-1][1]:
            tally.wrong_trees += 1
            self._tell(f"the tree is another: {differing[:5]}")
        items = items_of(self._transcript)
        expected, found = told(items_of(unbroken._transcript)), told(items)
        excused = cut_short(expected, found)
        if excused is None or excused > kills:
            tally.wrong_histories += 1
            self._tell(f"the history is another: {difference(expected, found)}")
        results = [data["call"] for kind, data in items if kind == "result"]
        asked = [call["id"] for call in calls_of(items)]
        tally.lost_calls += len(set(asked) - set(results))
        tally.repeated_calls += len(results) - len(set(results))
        self._count_effects(items, tally)
        if "Traceback" in self._errors():
            tally.wrong_histories += 1
            self._tell(self._errors())
        self._see_it_sound(tally)
        return tally

    def stamps(self) -> dict[str, Stamp]:
        """What stands in the project."""
        return fingerprint(self.root, leave_out=(".git", RAN))

    @property
    def _transcript(self) -> Path:
        return self._data / "sessions.db"

    def _start(self) -> Process:
        self._model.transcript = self._transcript
        sessions = rows(self._transcript, "SELECT id FROM session")
        model = ("--model", "openai:m", "--json")
        words = (INSTRUCTION, "--check", CHECK)
        if sessions:
            words = ("--resume", sessions[0][0])
        elif rows(self._data / "milepost.db", "SELECT 1 FROM goal"):
            # It was killed between the goal and the session.
            words = (INSTRUCTION,)
        environment = {
            **os.environ,
            "OPENAI_BASE_URL": self._url,
            "MILEPOST_VECTORS": "off",
            "MILEPOST_WORKER_WINDOW_TOKENS": str(_WINDOW_TOKENS),
        }
        with self._errors_path.open("ab") as errors:
            child = subprocess.Popen(
                [sys.executable, "-m", "milepost", "run", *words, *model, *self._allow],
                cwd=self.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        return Process(child)

    def _look(self, tally: Tally) -> None:
        """What is there right after a kill."""
        if not self._data.exists():
            return
        items = items_of(self._transcript)
        calls = calls_of(items)
        ended = {data["call"] for kind, data in items if kind == "result"}
        begun = {data["call"] for kind, data in items if kind == "began"}
        tally.within_a_call += any(call["id"] not in ended for call in calls)
        open_calls = begun - ended
        tally.within_a_write += any(
            call["id"] in open_calls and call["name"] in {"write", "edit"} for call in calls
        )
        tally.within_the_verification += replies(self._transcript) > STEPS
        self._see_it_sound(tally)
        done = [call for call in calls if call["id"] in ended and call["name"] in {"write", "edit"}]
        with self._aside():
            if (fault := self._fault_of_point(len(done))) is not None:
                tally.wrong_points += 1
                self._tell(fault)

    def _see_it_sound(self, tally: Tally) -> None:
        """Nobody works on, nobody holds a lock, and every database is whole."""
        held = [path for path in self._data.rglob("*.lock") if _is_held(path)]
        left = _left(self.root)
        if held or left:
            tally.left_behind += 1
            self._tell(f"left behind: {held} {left}")
        for path in sorted(self._data.rglob("*.db")):
            if (found := rows(path, "PRAGMA integrity_check")) != [("ok",)]:
                tally.unsound_databases += 1
                self._tell(f"{path.name} is not sound: {found[:3]}")

    def _fault_of_point(self, done: int) -> str | None:
        """What is wrong with the newest restore point, when so many changes had ended: it must come
        back byte by byte."""
        workspace = api.open_workspace(str(self.root), actor="user:drill")
        try:
            points = workspace.checkpoints.page(limit=1)
            if not points:
                return None if not done else "there is no restore point"
            trees = [beginning(), *(tree for _, tree in changes())]
            names = [name for name, _ in changes()]
            expected = [trees[done]]
            if done < len(names) and points[0].label == f"after {names[done]}":
                expected = [trees[done + 1]]
            elif points[0].kind == "turn":
                # It is made before what the kill left open is looked at.
                expected = trees[done : done + 2]
            restored = workspace.checkpoints.restore(points[0].id)
            found = _tree(self.root)
        finally:
            workspace.close()
        if found in expected:
            return None
        wrong = sorted(name for name, data in found.items() if expected[0].get(name) != data)
        wrong += sorted(expected[0].keys() - found.keys())
        return (
            f"point {points[0].id} ({points[0].label}) is not as after {done} changes: {wrong[:5]};"
            f" refused {restored.refused}"
        )

    @contextmanager
    def _aside(self) -> Generator[None]:
        """Work on a copy of project and data that stands in their place."""
        moved = {path: path.with_name(f"{path.name}.aside") for path in (self.root, self._data)}
        for path, aside in moved.items():
            path.rename(aside)
            shutil.copytree(aside, path, symlinks=True)
        try:
            yield
        finally:
            for path, aside in moved.items():
                shutil.rmtree(path)
                aside.rename(path)

    def _count_effects(self, items: list[tuple[str, dict[str, Any]]], tally: Tally) -> None:
        """Count what was done twice, and what is said to have been done and was not."""
        ran = (self.root / RAN).read_text("utf-8").split()
        tally.repeated_calls += len(ran) - len(set(ran))
        good = {data["call"] for kind, data in items if kind == "result" and not data["failed"]}
        done = [call for call in calls_of(items) if call["id"] in good]
        commands = [json.loads(c["arguments"])["command"] for c in done if c["name"] == "shell"]
        tally.lost_calls += len({command.split()[1] for command in commands} - set(ran))
        titles = [row[0] for row in rows(self._data / "tasks.db", "SELECT title FROM task")]
        notes = next(self._data.glob("sessions/*/notes.md")).read_text("utf-8")
        for tool, key, kept in (("task_add", "title", titles), ("note", "text", notes.split("\n"))):
            for call in done:
                if call["name"] == tool:
                    wanted = json.loads(call["arguments"])[key]
                    times = sum(line.lstrip("- ").split(" <!--")[0] == wanted for line in kept)
                    tally.lost_calls += not times
                    tally.repeated_calls += max(0, times - 1)

    @property
    def _errors_path(self) -> Path:
        return self.root.with_name(f"{self.root.name}.errors")

    def _errors(self) -> str:
        return self._errors_path.read_text("utf-8", errors="replace")

    def _tell(self, fault: str) -> None:
        print(f"{self.root.name}: {fault}", file=sys.stderr)


def _tree(root: Path) -> Tree:
    """The files as a restore point sees them: without what is ignored, and without the half of a
    write that a kill left behind, which the next one takes up."""
    return {
        name: path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
        and not path.name.startswith(TEMPORARY_PREFIX.decode())
        and not (name := path.relative_to(root).as_posix()).startswith((".git/", RAN))
    }


def _is_held(path: Path) -> bool:
    try:
        with locked(path, timeout_s=0):
            return False
    except HeldError:
        return True


def _left(root: Path) -> list[str]:
    """The processes that still work in the project after a moment's grace."""
    end = time.monotonic() + _GONE_S
    while (found := at_work(root)) and time.monotonic() < end:
        time.sleep(0.02)
    return found
