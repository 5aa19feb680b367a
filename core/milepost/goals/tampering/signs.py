"""All signs of a goal: what changed since it was set in what is to judge the work.

They are found by comparing files with the restore point that was taken when the goal was set. A
sign is not a proof of bad intent: the user may accept it (`milepost goal accept-change`).
"""

from __future__ import annotations

import re
import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.base.ids import derived_id
from milepost.goals.check import RUNNING
from milepost.goals.commands import simple_commands
from milepost.goals.manifests import make_recipe, npm_script, script_of
from milepost.goals.surroundings import python_hooks
from milepost.goals.tampering.change import Change, Sign
from milepost.goals.tampering.configuration import configuration_signs
from milepost.goals.tampering.tests import is_test, test_signs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from milepost.checkpoints.rows import State
    from milepost.checkpoints.store import SnapshotStore
    from milepost.goals.goal import Goal
    from milepost.goals.ledger import Start

# More is not read one by one by anybody; the rest is counted.
MAX_SIGNS = 50

# What looks like a program that judges, among the programs that the project is itself.
_CHECKER = re.compile(r".*\.(?:sh|bash|bats|mk)|[^.]+|.*(?:check|verify|lint|valid|assert|gate).*")

_INTERPRETERS = re.compile(
    r"(?:ba|da|z|k)?sh|source|\.|(?:python|pypy)[\d.]*|node|deno|bun|ruby|perl|php|Rscript|exec|env"
)


def signs_of(goal: Goal, start: Start | None, snapshots: SnapshotStore) -> tuple[Sign, ...]:
    """The signs since `goal` was set; none for a goal that runs nothing."""
    running = [check for check in goal.checks if check.kind in RUNNING]
    if not running:
        return ()
    if start is None:
        return (_unknown(goal, "the goal was set in another worktree, or by an older Milepost"),)
    try:
        changes = _changes(snapshots, start.snapshot)
    except UserError:
        return (_unknown(goal, "the restore point of its beginning was pruned"),)
    root = snapshots.root
    texts = "\n".join(text for check in running for text in _texts(check.command, root, 0))
    gates_tests = any(check.kind == "tests" for check in running) or bool(
        re.search(r"test|spec", texts)
    )
    found: list[Sign] = [*_checker_signs(changes, texts)]
    if gates_tests:
        found += test_signs(changes)
    found += configuration_signs(changes, texts=texts, gates_tests=gates_tests)
    found += _hook_signs(start, root)
    return tuple(dict.fromkeys(found))[:MAX_SIGNS]


def _unknown(goal: Goal, why: str) -> Sign:
    words = f"what changed since the goal was set cannot be told: {why}; set it again"
    return Sign(derived_id(f"baseline\0{goal.id}", 0), "baseline", words)


def _changes(snapshots: SnapshotStore, since: int) -> list[Change]:
    snapshots.get(since)
    newest = snapshots.page(1, None)[0].id
    found: list[Change] = []
    for name, (old, new) in sorted(snapshots.between(since, newest).items()):
        was, now = (_content(snapshots, state) for state in (old, new))
        if was is not None or now is not None:
            found.append(Change(name.decode("utf-8", "backslashreplace"), was, now))
    return found


def _content(snapshots: SnapshotStore, state: State) -> bytes | None:
    """What a file held; a link is its target; a folder is nothing. A file that was too large to be
    kept is not empty, so it is given a content that no file has."""
    if state.mode is None or stat.S_ISDIR(state.mode):
        return None
    return b"\0not kept" if state.blob is None else snapshots.content(state.blob)


def _texts(command: str, root: Path, depth: int) -> Iterator[str]:
    """The command, and the scripts of package.json and the Makefile that it runs."""
    yield command
    if depth > 2:
        return
    for words in simple_commands(command):
        text: str | None = None
        if words[0] in {"make", "gmake"}:
            targets = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
            text = make_recipe(root, targets[0] if targets else None)
        elif script := script_of(words):
            text = npm_script(root, script)
        if text:
            yield from _texts(text, root, depth + 1)


def _checker_signs(changes: Sequence[Change], texts: str) -> Iterator[Sign]:
    """Scripts that a check runs, and that were changed or written since."""
    called = {
        PurePosixPath(word).as_posix()
        for line in texts.splitlines()
        for words in simple_commands(line)
        for word in _programs(words)
    }
    for change in changes:
        name = change.path.rpartition("/")[2]
        is_called = change.path in called
        if not is_called or not _CHECKER.fullmatch(name) or name in {"Makefile", "makefile"}:
            continue
        if is_test(change.path) and change.path.endswith(".py"):
            continue  # the rules for tests say it better
        if change.old is None:
            yield change.sign("checker", f"{change.path} was written after the goal was set")
        elif change.new is not None:
            yield change.sign("checker", f"{change.path}, which the check runs, was changed")


def _programs(words: list[str]) -> Iterator[str]:
    """The files that a simple command runs: itself, and what an interpreter is given."""
    yield words[0]
    if _INTERPRETERS.fullmatch(PurePosixPath(words[0]).name):
        yield from words[1:]


def _hook_signs(start: Start, root: Path) -> Iterator[Sign]:
    now = python_hooks(root)
    for path in sorted(now):
        if start.hooks.get(path) != now[path]:
            key = f"environment\0{path}\0{now[path]}"
            words = f"{path}, which Python runs at every start, is new or changed"
            yield Sign(derived_id(key, 0), "environment", words)
