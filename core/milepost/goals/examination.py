"""Looking at one check: run its command, read its file, ask git; and say what speaks against it."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from milepost.base.process import TAIL_BYTES, run_shell
from milepost.base.repository import repository_around
from milepost.base.sandbox.refusal import refusal
from milepost.checkpoints.policy import reason_to_leave_out
from milepost.config.sandbox import advice
from milepost.config.secrets import environment
from milepost.goals import bytecode, expressions
from milepost.goals.check import RUNNING
from milepost.goals.commands import shell_for
from milepost.goals.results.reports import Unclear
from milepost.goals.results.runners import Asked, asking, counted, runner_in

if TYPE_CHECKING:
    import threading

    from milepost.base.process import Outcome
    from milepost.base.sandbox.choice import Sandbox
    from milepost.goals.check import Check
    from milepost.goals.ledger import Start
    from milepost.goals.results.counts import Counts

# A verbose run of a large suite. The counts stand at the end or in a report, so what is cut off is
# rarely missed, and where it is, that is said.
PARSED_BYTES = 8 * 1024 * 1024

# A file in which words are looked for.
_MAX_FILE_BYTES = 1024 * 1024

# Where refusals by the sandbox are looked for: a run that failed for one ends with it.
_REFUSALS_BYTES = 256 * 1024

# Runners whose printed results are spread over the whole output.
_SPREAD = frozenset({"go", "cargo", "maven", "tox", "nox"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at a check showed. `problem` is None when nothing speaks against it, as far as
    the look itself tells; what the counts mean beside a baseline is for the caller."""

    exit_code: int | None
    timed_out: bool
    duration_ms: int
    output: bytes
    output_bytes: int
    output_sha256: str
    problem: str | None
    counts: Counts | None = None
    how: str = ""


def examine(
    check: Check,
    root: Path,
    *,
    start: Start | None,
    timeout_s: float,
    stop: threading.Event | None,
    sandbox: Sandbox,
) -> Seen:
    """Look at `check` in the project at `root`; what it runs is held by `sandbox`. Raises Stopped,
    and WorldError when something that has nothing to do with the check fails."""
    if check.kind in RUNNING:
        return _run(check, root, timeout_s, stop, sandbox)
    started = time.monotonic()
    problem = _look(check, root, start)
    duration_ms = round((time.monotonic() - started) * 1000)
    return Seen(None, False, duration_ms, b"", 0, hashlib.sha256().hexdigest(), problem)  # noqa: FBT003


def _run(
    check: Check,
    root: Path,
    timeout_s: float,
    stop: threading.Event | None,
    sandbox: Sandbox,
) -> Seen:
    runner = runner_in(check.command, root) if check.kind == "tests" else None
    with (
        tempfile.TemporaryDirectory(prefix="milepost-report-") as folder,
        bytecode.trustworthy(root) as variables,
    ):
        asked = (
            asking(runner, check.command, Path(folder)) if runner else Asked(check.command, None)
        )
        started_ns = time.time_ns()
        outcome = run_shell(
            asked.command,
            cwd=root,
            timeout_s=timeout_s,
            stop=stop,
            shell=shell_for(check.command) or ("/bin/sh",),
            keep_bytes=TAIL_BYTES if check.kind == "command" else PARSED_BYTES,
            sandbox=sandbox,
            environment={**environment(), **variables},
        )
        problem, counts, how = _shortfall_of_run(check, outcome, timeout_s), None, ""
        if check.kind == "tests" and not outcome.timed_out:
            try:
                if runner is None:
                    raise Unclear("no known test runner is called there any more")
                if runner.name in _SPREAD and outcome.output_bytes > len(outcome.output):
                    raise Unclear("the output was too long to be counted")
                counts, how = counted(runner, asked, outcome.output, root, started_ns)
            except Unclear as error:
                problem = problem or f"ended with 0, but {error}"
    if problem is None:
        problem = _shortfall_of_output(check, outcome)
    elif held := _held(outcome, sandbox, root):
        problem = f"{problem}; {held}"
    return Seen(
        outcome.exit_code, outcome.timed_out, outcome.duration_ms, outcome.tail,
        outcome.output_bytes, outcome.output_sha256, problem, counts, how,
    )  # fmt: skip


def _held(outcome: Outcome, sandbox: Sandbox, root: Path) -> str | None:
    """What the sandbox seems to have to do with a failure, as a clause."""
    text = outcome.output[-_REFUSALS_BYTES:].decode("utf-8", "replace")
    found = refusal(text, sandbox, root)
    return None if found is None else advice(found, root)


def _shortfall_of_run(check: Check, outcome: Outcome, timeout_s: float) -> str | None:
    if outcome.timed_out:
        return f"did not end within {timeout_s:g} s"
    code, expected = outcome.exit_code, f"instead of {check.expect_exit}"
    if code == check.expect_exit:
        return None
    if code is not None and code < 0:
        return f"was ended by signal {-code} {expected}"
    return f"ended with {code} {expected}"


def _shortfall_of_output(check: Check, outcome: Outcome) -> str | None:
    text = outcome.output.decode("utf-8", "replace")
    if check.kind == "prints":
        return _unmatched(check.wanted, text, "its output")
    if check.kind == "json":
        try:
            value = _at(json.loads(text), check.path)
        except (ValueError, RecursionError):
            return "its output is no JSON"
        except LookupError:
            return f"its output has nothing at {check.path or 'the root'}"
        if _typed(value) != _typed(json.loads(check.wanted)):
            return f"at {check.path or 'the root'} its output has {json.dumps(value)[:80]}"
    return None


def _at(value: object, pointer: str) -> object:
    """The value that a JSON pointer means (RFC 6901). Raises LookupError."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = cast("dict[str, object]", value)[key]
        elif isinstance(value, list) and key.isdecimal():
            value = cast("list[object]", value)[int(key)]
        else:
            raise LookupError(key)
    return value


def _typed(value: object) -> str:
    """JSON text in one form: for Python, `true` equals 1."""
    return json.dumps(value, sort_keys=True)


def _look(check: Check, root: Path, start: Start | None) -> str | None:
    match check.kind:
        case "file":
            return None if (root / check.path).exists() else "the file is not there"
        case "no file":
            return "the file is there" if os.path.lexists(root / check.path) else None
        case "text" | "match":
            return _text_problem(check, root)
        case "clean":
            return _uncommitted(root)
        case _:
            return _uncommitted(root) or _off_course(root, start)


def _text_problem(check: Check, root: Path) -> str | None:
    path = root / check.path
    try:
        if not path.resolve().is_relative_to(root.resolve()):
            return "the path leads out of the project"
        if not path.is_file():
            return "the file is not there"
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        return f"the file cannot be read ({error.strerror})"
    if len(data) > _MAX_FILE_BYTES:
        return f"the file has more than {_MAX_FILE_BYTES} bytes"
    text = data.decode("utf-8", "replace")
    if check.kind == "match":
        return _unmatched(check.wanted, text, "the file")
    return None if check.wanted in text else "the file does not hold these words"


def _unmatched(pattern: str, text: str, what: str) -> str | None:
    is_there = expressions.found(pattern, text)
    if is_there is None:
        return f"searching {what} took more than {expressions.TIMEOUT_S:g} s and was stopped"
    return None if is_there else f"{what} holds no match"


def _uncommitted(root: Path) -> str | None:
    """What is not committed, as a clause. What tools fill again and what by its name holds secrets
    is nothing that anybody would commit."""
    repository = repository_around(root)
    if repository is None:
        return "the project is in no git repository"
    status = repository.status()
    listed = {*status.staged, *status.unstaged, *status.untracked, *status.undecided}
    mattering = sorted(path for path in listed if _matters(path))
    if mattering:
        more = f" and {len(mattering) - 1} more" if len(mattering) > 1 else ""
        return f"{mattering[0]}{more} not committed"
    named = (status.staged, status.unstaged, status.untracked, status.undecided)
    if status.total > sum(map(len, named)):
        return f"{status.total} paths are not committed"
    return None


def _matters(path: str) -> bool:
    parts = path.rstrip("/").encode("utf-8", "surrogateescape").split(b"/")
    folders, name = parts[:-1], parts[-1]
    is_folder = path.endswith("/")
    return all(reason_to_leave_out(part, is_dir=True) is None for part in folders) and (
        reason_to_leave_out(name, is_dir=is_folder) is None
    )


def _off_course(root: Path, start: Start | None) -> str | None:
    repository = repository_around(root)
    if repository is None or start is None:
        return "where git stood when the goal was set is not known; set it again"
    head = repository.head()
    if head.branch != start.branch:
        is_on = f"the branch {head.branch}" if head.branch else "no branch"
        return f"git is on {is_on}, but was on {start.branch or 'none'} when the goal was set"
    if head.commit == start.commit:
        return "nothing was committed since the goal was set"
    return None
