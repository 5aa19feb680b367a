"""The story that the demo tells, step by step; each step asserts what it says.

An agent (an MCP client) and a person (in Neovim) work on one project: they share a memory, a goal
and restore points, something breaks, and nothing is lost.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.demo.agent import Agent, start_agent
from tests.demo.crash import check_index, check_memory, write_until_killed
from tests.demo.stage import TEST_COMMAND
from tests.demo.steps import expect
from tests.tree import Stamp, differences, fingerprint

if TYPE_CHECKING:
    from tests.demo.editor import Editor
    from tests.demo.stage import Stage
    from tests.demo.steps import Steps

# The bug that ships with the project, the test that finds it, and the line that mends it.
FAILING_TEST = "test_the_last_day_belongs_to_its_month"
BUG = "return self.first <= day < self.last"
FIX = "return self.first <= day <= self.last"

RULE = "Work is billed in quarter hours, each entry rounded up."

# What a careless agent might do: edit, delete, add, move, change modes, replace a link.
ACCIDENT = r"""
sed -i 's/timedelta(days=1)/timedelta(hours=12)/' hourglass/model.py
rm hourglass/rates.py
mv hourglass/report.py hourglass/reports.py
rm -r docs tests/test_storage.py
mkdir -p notes/deep
echo 'remember to clean up' > notes/deep/todo.txt
head -c 3000 /dev/zero > 'notes/a name with spaces.bin'
chmod a-x scripts/month-end.sh
chmod 600 README.md
chmod 700 tests
rm sheets/current.txt
cp sheets/2026-03.txt sheets/current.txt
: > sheets/rates.csv
"""

CRASH_ROUNDS = 8
NEWS = "The harbour office closes at noon on Fridays."


@dataclass(slots=True)
class Story:
    """The cast, and what later steps need of earlier ones."""

    steps: Steps
    stage: Stage
    agent: Agent
    editor: Editor
    goal: str = ""
    point: int = 0
    sound: dict[str, Stamp] = field(default_factory=dict)
    broken: dict[str, Stamp] = field(default_factory=dict)
    git: dict[str, Stamp] = field(default_factory=dict)

    def tell(self) -> None:
        self.git = self.stage.git()
        self.remember_a_rule()
        self.set_a_goal()
        self.fix_the_bug()
        self.save_a_point()
        self.break_things()
        self.restore()
        self.undo_and_redo()
        self.verify_again()
        self.survive_kills()
        self.see_news()
        self.leave_git_alone()
        self.keep_to_oneself()

    def remember_a_rule(self) -> None:
        with self.steps.step("A rule from the editor, found over MCP") as step:
            self.editor.open("README.md")
            line = self.editor.find(RULE)
            said = self.editor.act("Milepost: remember selection as a rule", first=line, last=line)
            step.note(f"Neovim, on a line of README.md: {said}")
            found = self.agent.call("memory_search", query="how are hours rounded for billing")
            hits = [hit for hit in found["hits"] if RULE in hit["text"]]
            expect(len(hits) == 1, f"the search found {found['hits']}")
            hit = hits[0]
            step.note(
                f"memory_search: {hit['id']}, {hit['kind']}, {hit['status']}, {hit['source']}"
            )
            expect((hit["kind"], hit["status"]) == ("rule", "stated"), f"it is {hit}")
            step.result = "found"

    def set_a_goal(self) -> None:
        with self.steps.step("A goal set in the editor, verified: not met") as step:
            self.editor.open("goal.md")
            self.editor.type_lines("All tests pass", f"$ {TEST_COMMAND}")
            step.note(self.editor.act("Milepost: set selection as goal", first=0, last=1))
            said = self.editor.act("Milepost: verify goal")
            step.note(said)
            expect(said.startswith("Not met"), f"Neovim shows {said!r}")
            self.editor.wait_for_text(f"::{FAILING_TEST}")
            verdict = self.agent.call("goal_verify")
            self._expect_not_met(verdict)
            self.goal = verdict["goal"]["id"]
            tail = verdict["evidence"][0]["output_tail"]
            expect(f"::{FAILING_TEST}" in tail, f"the evidence does not name the test: {tail}")
            step.note("the evidence, in Neovim and over MCP, names " + FAILING_TEST)
            step.result = "not met"

    def fix_the_bug(self) -> None:
        with self.steps.step("The bug fixed in Neovim, verified: met") as step:
            self.editor.open("hourglass/model.py")
            self.editor.replace(BUG, FIX)
            step.note(f"- {BUG}\n+ {FIX}")
            said = self.editor.act("Milepost: verify goal")
            step.note(said)
            expect(said.startswith("Met"), f"Neovim shows {said!r}")
            verdict = self.agent.call("goal_verify", id=self.goal)
            expect(verdict["verdict"] == "met", f"it is {verdict['verdict']}: {verdict['reason']}")
            step.note(_evidence(verdict))
            step.result = "met"

    def save_a_point(self) -> None:
        with self.steps.step("A restore point saved over MCP") as step:
            self.sound = self.stage.files()
            saved = self.agent.call("checkpoint_save", label="All tests pass")
            self.point = saved["id"]
            count = sum(stamp.kind != "folder" for stamp in self.sound.values())
            expect(saved["files_total"] == count, f"{saved['files_total']} files, not {count}")
            step.note(f"restore point {self.point} holds {count} files")
            step.result = f"point {self.point}"

    def break_things(self) -> None:
        with self.steps.step("A shell command breaks things: not met") as step:
            done = self.stage.shell(ACCIDENT)
            expect(done.returncode == 0, f"the command failed: {done.stdout}")
            self.broken = self.stage.files()
            for line in differences(self.sound, self.broken):
                step.note(line)
            verdict = self.agent.call("goal_verify", id=self.goal)
            self._expect_not_met(verdict)
            step.note(_evidence(verdict))
            step.result = "not met"

    def restore(self) -> None:
        with self.steps.step("Restored: every byte and mode as it was") as step:
            preview = self.agent.call("checkpoint_restore", id=self.point)
            expect(not preview["applied"], "the preview was applied")
            expect(self.stage.files() == self.broken, "the preview touched a file")
            total = preview["changes"]["total"]
            step.note(f"the preview names {total} paths and touches none")
            done = self.agent.call(
                "checkpoint_restore", id=self.point, apply=True, plan=preview["plan"]
            )
            self._expect_restored(done)
            expect(done["changes"] == preview["changes"], "it did other than the preview said")
            self._expect_files(self.sound)
            step.note(f"{len(self.sound)} paths compared with the time of the restore point: equal")
            step.result = "byte for byte"

    def undo_and_redo(self) -> None:
        with self.steps.step("The restore undone, and redone") as step:
            self._expect_restored(self.agent.call("checkpoint_restore", undo=True))
            self._expect_files(self.broken)
            step.note("undo: the broken files are back, byte for byte")
            self._expect_restored(self.agent.call("checkpoint_restore", undo=True))
            self._expect_files(self.sound)
            step.note("undo of the undo: sound again")
            step.result = "both exact"

    def verify_again(self) -> None:
        with self.steps.step("The goal verified again: met") as step:
            verdict = self.agent.call("goal_verify", id=self.goal, fresh=True)
            expect(verdict["verdict"] == "met", f"it is {verdict['verdict']}: {verdict['reason']}")
            step.note(_evidence(verdict))
            step.result = "met"

    def survive_kills(self) -> None:
        with self.steps.step("SIGKILL in the middle of writes") as step:
            seed = random.SystemRandom().randrange(1_000_000)
            chance = random.Random(seed)
            step.note(f"{CRASH_ROUNDS} servers, each killed at a random moment (seed {seed})")
            rounds = [write_until_killed(self.stage, n, chance) for n in range(CRASH_ROUNDS)]
            acknowledged = sum(len(each.acknowledged) for each in rounds)
            memory = self.stage.memory_file()
            extra = check_memory(memory, rounds)
            with start_agent(self.stage) as witness:
                check_index(witness, rounds)
                found = witness.call("memory_search", query="Crash")
            entries = memory.read_text(encoding="utf-8").count("<!-- milepost id=")
            searched = found["entries_searched"]
            expect(searched == entries, f"{entries} entries in the file, {searched} in the index")
            step.note(
                f"{acknowledged} writes were acknowledged, and a new server has each exactly once; "
                f"{extra} came through unacknowledged; {entries} entries in the file and the index"
            )
            step.result = f"{acknowledged} of {acknowledged} kept"

    def see_news(self) -> None:
        with self.steps.step("An agent's entry appears in the editor") as step:
            process = self.editor.process_id()
            self.editor.open(str(self.stage.memory_file()))
            expect(NEWS not in self.editor.text(), "the entry is there already")
            began = time.monotonic()
            self.agent.call("memory_save", text=NEWS, kind="context")
            self.editor.wait_for_text(NEWS)
            seen = f"{(time.monotonic() - began) * 1000:.0f} ms"
            expect(self.editor.process_id() == process, "Neovim was started anew")
            step.note(f"MEMORY.md, open in Neovim, shows it {seen} after memory_save was called")
            step.result = f"after {seen}"

    def leave_git_alone(self) -> None:
        with self.steps.step("The user's .git is as it was") as step:
            changed = differences(self.git, self.stage.git())
            expect(not changed, f".git changed: {', '.join(changed)}")
            step.note(f"{len(self.git)} paths compared with the first commit: equal")
            step.result = "untouched"

    def keep_to_oneself(self) -> None:
        with self.steps.step("Milepost's files are for the user alone") as step:
            kept = fingerprint(self.stage.data)
            shared = [path for path, stamp in kept.items() if stamp.mode & 0o077]
            expect(not shared, f"others may look into {', '.join(shared)}")
            step.note(f"{len(kept)} files and folders, none with a right for others")
            step.result = "0600 and 0700"

    def _expect_restored(self, done: dict[str, Any]) -> None:
        expect(done["applied"], f"it was not applied: {done}")
        expect(not done["refused"], f"paths were refused: {done['refused']}")

    def _expect_files(self, wanted: dict[str, Stamp]) -> None:
        found = differences(wanted, self.stage.files())
        expect(not found, f"the files differ: {'; '.join(found)}")

    def _expect_not_met(self, verdict: dict[str, Any]) -> None:
        expect(verdict["verdict"] == "not_met", f"it is {verdict['verdict']}: {verdict['reason']}")
        evidence = verdict["evidence"][0]
        expect(evidence["command"] == TEST_COMMAND, f"the evidence is of {evidence['command']}")
        expect(evidence["exit_code"] not in (0, None), f"exit code {evidence['exit_code']}")


def _evidence(verdict: dict[str, Any]) -> str:
    """The evidence in one line; the end of the output of a check that failed is its summary."""
    seen = verdict["evidence"][0]
    words = f"evidence {seen['id']}: exit code {seen['exit_code']} after {seen['duration_ms']} ms"
    tail = seen.get("output_tail", "").strip()
    return f"{words}, {tail.splitlines()[-1]!r}" if tail else words
