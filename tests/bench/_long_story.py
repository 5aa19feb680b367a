"""What happens in the long session of the benchmark: what the user says, what is planted, and what
the worker does at each step.

The worker is a script, so every engine sees the same traffic: it reads the code of this very
repository, logs of test runs and diffs, searches, writes reports, edits a list of changes and runs
commands. All of its tools are the product's own, on files of a project made for the run.
"""

from __future__ import annotations

import difflib
import random
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from milepost.base import tokens
from milepost.providers.scripted import Turn

_REPOSITORY = Path(__file__).parents[2]
_OUTPUTS = _REPOSITORY / "tests" / "core" / "runner_outputs"

# Drawn anew in every run, so that no file of ours holds what looks like a secret.
SECRET = "ghp_" + "".join(
    random.Random(41).choices("abcdefghjkmnpqrstuvwxyzABCDEFGH23456789", k=36)
)
SECRET_FILE = "config/local.ini"

REQUEST = "Give every project a search index of its own without losing a single entry"
CONSTRAINTS = (
    "The public function open_workspace must keep its signature",
    "Never change a file below legacy/adapters by hand",
    "Do not add a dependency that has no release of this year",
    "The migration must work on a database of version 3 as well",
    "Keep the start of the server below 80 milliseconds",
)
RULES = (
    "Commit messages are written in British English",
    "Every new module opens with one sentence that says what it is",
    "Use pathlib and never os.path in new code",
)
DEAD_ENDS = (
    "sqlite ATTACH for one file per project fails, because WAL files cannot be attached read only",
    "copying index.db while a writer is at work gives torn pages, even below a shared lock",
)

# The worker ends its turn at these steps, and the user says something.
_ANSWERED = {
    6: f"Yes, go on. {CONSTRAINTS[1]}. As a rule from now on: {RULES[0]}.",
    11: "This is what the last run in CI said:\n{log}\nIt uses the key {secret} for the forge.\n"
    f"{CONSTRAINTS[2]}. {CONSTRAINTS[3]}. And another rule: {RULES[1]}.",
    17: f"Good. {CONSTRAINTS[4]}. One more rule: {RULES[2]}.",
}
_SMALL_TALK = (
    "How far are you? Go on with the part that you named.",
    "That looks fine. Look at the readers next, and tell me when the tests of them run.",
    "I have to leave for a while; I will look at the diff tonight.",
    "The last report was hard to follow. Name the files first, then what you changed in them.",
)
_TALK_EVERY = 50

# The user states a rule for good at these steps, as `milepost memory add --kind rule` does.
RULE_STEPS = {4: RULES[0], 9: RULES[1], 14: RULES[2]}

_DEAD_END_STEPS = {8: DEAD_ENDS[0], 16: DEAD_ENDS[1]}

# The worker notes down where it stands.
_NOTE_EVERY = 36

# What a step of reading asks for at once, at most: about a source file.
_PIECE_TOKENS = 3_000

# A line of code or of a log, with the number that `read` puts before it.
_LINE_TOKENS = 13


@dataclass(frozen=True)
class Source:
    """A file that is read in pieces."""

    path: str
    lines: int


class Story:
    """One session of `steps` steps that each bring about `step_tokens` tokens."""

    def __init__(self, root: Path, steps: int, step_tokens: int) -> None:
        self.steps = steps
        self._step_tokens = step_tokens
        self._code, self._logs, self._diffs = _lay_out(root)
        self._log = (root / self._logs[0].path).read_text("utf-8")

    def opening(self) -> str:
        """The user's request."""
        return (
            f"{REQUEST}. {CONSTRAINTS[0]}. Read what there is first, write a report after each "
            "part, and keep CHANGES.md level. The tests are in tests/, the logs of CI in logs/."
        )

    def answer(self, step: int) -> str | None:
        """What the user says when the worker ends its turn at this step; None when it does not."""
        if step in _ANSWERED:
            return _ANSWERED[step].format(log=self._log[:1_500], secret=SECRET)
        if step >= 60 and step % _TALK_EVERY == 10 and step < self.steps:
            number = step // _TALK_EVERY
            pasted = f"\n{self._log[: 400 * (number % 4)]}" if number % 3 == 0 else ""
            return f"{_SMALL_TALK[number % len(_SMALL_TALK)]} This is message {number}.{pasted}"
        return None

    def turn(self, step: int) -> Turn:
        """What the worker does."""
        if step >= self.steps:
            return Turn("That was the last of it.")
        if self.answer(step) is not None:
            return Turn(f"I am through with part {step}. Shall I go on?")
        if step in _DEAD_END_STEPS:
            found = _DEAD_END_STEPS[step]
            return Turn(f"Dead end: {found}.", (("note", {"text": f"dead end: {found}"}),))
        if step % _NOTE_EVERY == 0:
            note = f"part {step // _NOTE_EVERY} of the readers is moved, the next is {step % 13}"
            return Turn("Noting where I stand.", (("note", {"text": note}),))
        if step in (5, 150):
            return Turn("Looking at the settings.", (("read", {"path": SECRET_FILE}),))
        return Turn(f"Step {step}: going on with part {step // 7}.", tuple(self._calls(step)))

    def _calls(self, step: int) -> list[tuple[str, dict[str, object]]]:
        match step % 20:
            case 5 | 15:
                text = self._log[: self._step_tokens] if step % 3 else "The part is done.\n" * 9
                path = f"reports/part-{step:04}.md"
                return [("write", {"path": path, "text": f"# Part {step}\n\n{text}"})]
            case 7 | 17:
                line = f"- part {step}: the readers of module {step % 13} were moved"
                edit = {"path": "CHANGES.md", "old": "(next)", "new": f"{line}\n(next)"}
                return [("read", {"path": "CHANGES.md", "limit": 5}), ("edit", edit)]
            case 0:
                name = self._logs[step // 20 % len(self._logs)].path
                return [("shell", {"command": f"cat {name} {SECRET_FILE}"})]
            case 2 | 9 | 13:
                return self._reading(self._logs, step)
            case 3 | 11 | 19:
                return self._reading(self._diffs, step)
            case 6:
                names = ("entry", "index", "lock", "reader")
                return [("grep", {"pattern": names[step % 4], "files": f"*{step % 9}*.py"})]
            case _:
                return self._reading(self._code, step)

    def _reading(self, sources: list[Source], step: int) -> list[tuple[str, dict[str, object]]]:
        calls: list[tuple[str, dict[str, object]]] = []
        left = self._step_tokens
        position = step * 7
        while left > 0 and len(calls) < 16:
            source = sources[position % len(sources)]
            lines = max(10, min(left, _PIECE_TOKENS) // _LINE_TOKENS)
            start = (step * 31) % max(1, source.lines - lines)
            calls.append(("read", {"path": source.path, "offset": start + 1, "limit": lines}))
            left -= min(lines, source.lines) * _LINE_TOKENS
            position += 1
        return calls


def _lay_out(root: Path) -> tuple[list[Source], list[Source], list[Source]]:
    """Make the project: real code, logs of real runners put together, diffs of the code."""
    files = sorted((_REPOSITORY / "core").rglob("*.py"))
    texts = {
        f"src/{number:03}_{path.name}": path.read_text("utf-8") for number, path in enumerate(files)
    }
    code = {name: text for name, text in texts.items() if text.count("\n") > 60}
    outputs = [path.read_text("utf-8") for path in sorted(_OUTPUTS.glob("*.txt"))]
    chance = random.Random(5)
    logs: dict[str, str] = {}
    for number in range(8):
        chosen = "\n".join(chance.choice(outputs) for _ in range(24))
        lines = [f"[{number:02}:{at % 60:02}] {line}" for at, line in enumerate(chosen.split("\n"))]
        logs[f"logs/run-{number:02}.txt"] = "\n".join(lines) + "\n"
    diffs = {
        f"diffs/change-{number:02}.diff": _diff(chance, list(code.values())) for number in range(8)
    }
    rest = {
        SECRET_FILE: f"[forge]\ntoken = {SECRET}\nretries = 3\n",
        "CHANGES.md": "# Changes\n\n(next)\n",
    }
    for name, text in {**code, **logs, **diffs, **rest}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    made = [[Source(name, text.count("\n")) for name, text in of.items()]
            for of in (code, logs, diffs)]  # fmt: skip
    return made[0], made[1], made[2]


def _diff(chance: random.Random, texts: list[str]) -> str:
    """A diff as long as a day's work: names changed, lines moved and taken out."""
    parts: list[str] = []
    for text in chance.sample(texts, 12):
        old = text.splitlines()
        new = [line.replace("self", "this") if chance.random() < 0.1 else line for line in old]
        del new[chance.randrange(len(new)) :][:5]
        parts += difflib.unified_diff(old, new, "a/src.py", "b/src.py", lineterm="")
    return "\n".join(parts) + "\n"


@lru_cache(maxsize=200_000)
def size_of(text: str) -> int:
    """Tokens of a text, remembered, because a request is mostly what the last one was."""
    return tokens.count(text)
