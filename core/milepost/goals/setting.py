"""From the lines that someone gave to the checks of a goal: what proves nothing is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.goals.check import MAX_CHECKS, RUNNING, Check, is_marked, read_check
from milepost.goals.commands import fault_of, shell_for, simple_commands
from milepost.goals.manifests import make_recipe, npm_script, script_of
from milepost.goals.results.runners import runner_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def read_checks(lines: Sequence[str], timeout_s: float, root: Path) -> tuple[Check, ...]:
    """The checks that `lines` say, in the project at `root`. A command that runs tests becomes a
    `tests` check. Raises UserError when a line is wrong, or its command could never fail."""
    if len(lines) > MAX_CHECKS:
        raise UserError(f"a goal has at most {MAX_CHECKS} checks; put several into one script")
    return tuple(_read(line, timeout_s, root) for line in lines)


def _read(line: str, timeout_s: float, root: Path) -> Check:
    check = read_check(line, timeout_s)
    if check.kind not in RUNNING:
        return check
    for what, text in _texts(check.command, root):
        fault = fault_of(text)
        if fault is not None:
            raise UserError(f"the exit code of {what} proves nothing: {fault}")
    if shell_for(check.command) is None:
        raise UserError(
            "a pipe swallows exit codes, and there is no bash here whose pipefail prevents that; "
            "write the output to a file instead"
        )
    runner = runner_in(check.command, root)
    if check.kind == "tests" and runner is None:
        raise UserError(
            f"`{check.command}` calls no test runner that Milepost knows how to count; "
            "without `tests:` its exit code counts"
        )
    if runner is not None and not is_marked(line):
        return replace(check, kind="tests")
    return check


def _texts(command: str, root: Path) -> Iterator[tuple[str, str]]:
    """The command, and the script or recipe that it runs, each with its name."""
    yield f"`{command}`", command
    for words in simple_commands(command):
        if name := script_of(words):
            text = npm_script(root, name)
            if text:
                yield f"the script {name} in package.json", text
        elif words[0] == "make" and len(words) > 1:
            recipe = make_recipe(root, words[-1]) or ""
            for line in recipe.splitlines():
                # make ends at the first line that fails, so only what a line swallows is lost.
                if runner_in(line, root) is not None:
                    yield f"the target {words[-1]} of the Makefile", line
