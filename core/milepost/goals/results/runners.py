"""Which test runner a command runs, and how to ask it for a report into a file of ours.

A report is asked for by an argument at the end of the command, or by the runner's own variable,
which also reaches it through make, npm or a script. The file lies in a fresh private folder, so
what is in it was written by this run. Where a runner can write no report, its output is read.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.goals.commands import is_simple, simple_commands
from milepost.goals.manifests import PACKAGE_MANAGERS, make_recipe, npm_script, script_of
from milepost.goals.results.printed import read_printed
from milepost.goals.results.reports import MAX_REPORT_BYTES, Unclear, read_jest, read_junit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from milepost.goals.results.counts import Counts

# A script that calls a script that calls ... ; deeper than this is nobody's test command.
_MAX_DEPTH = 4

_BY_PROGRAM = {
    "pytest": "pytest", "py.test": "pytest", "tox": "tox", "nox": "nox", "vitest": "vitest",
    "jest": "jest", "mocha": "mocha", "ctest": "ctest",
}  # fmt: skip

# Programs that only start another: `uv run pytest`, `npx vitest`, `poetry run pytest`.
_STARTERS = {"npx", "pnpx", "bunx", "uvx", "env", "time", "nice", "xvfb-run", "command", "exec"}
_STARTERS_THAT_RUN = {"uv", "poetry", "pdm", "hatch", "pipenv", "rye", "pnpm", "yarn", "npm", "bun"}

_JUNIT = "results.xml"
_JSON = "results.json"


@dataclass(frozen=True, slots=True)
class Runner:
    """A test runner as it was found in a command. `via` is the program that takes arguments for it
    (npm wants `--` before them), empty when the runner is called itself."""

    name: str
    via: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command as it is run: it writes `report` if all goes well."""

    command: str
    report: Path | None


def runner_in(command: str, root: Path) -> Runner | None:
    """The runner that `command` runs in the project at `root`, as far as manifests tell."""
    return _runner_in(command, root, 0)


def asking(runner: Runner, command: str, folder: Path) -> Asked:
    """`command`, made to leave a report in `folder`."""
    report = folder / (_JSON if runner.name == "jest" else _JUNIT)
    quoted = shlex.quote(str(report))
    match runner.name:
        case "pytest" | "tox" | "nox":
            return Asked(_exported("PYTEST_ADDOPTS", f"--junitxml={quoted}", command), report)
        case "node":
            options = (
                f"--test-reporter=junit --test-reporter-destination={quoted} "
                "--test-reporter=spec --test-reporter-destination=stdout"
            )
            return Asked(_exported("NODE_OPTIONS", options, command), report)
        case "vitest":
            options = f"--reporter=default --reporter=junit --outputFile.junit={quoted}"
        case "jest":
            options = f"--json --outputFile={quoted}"
        case "ctest":
            options = f"--output-junit {quoted}"
        case "go" if is_simple(command):
            return Asked(re.sub(r"\bgo test\b", "go test -json", command, count=1), None)
        case _:
            return Asked(command, None)
    if not is_simple(command):
        return Asked(command, None)
    dashes = " --" if runner.via == "npm" else ""
    return Asked(f"{command}{dashes} {options}", report)


def counted(
    runner: Runner, asked: Asked, output: bytes, root: Path, started_ns: int
) -> tuple[Counts, str]:
    """The counts of a run, and how they were had. Raises Unclear."""
    if asked.report is not None and asked.report.exists():
        read = read_jest if asked.report.name == _JSON else read_junit
        return read(_bounded(asked.report)), f"from the report that {runner.name} wrote"
    if asked.report is not None and runner.name == "pytest":
        # pytest always can; without a report it was ended early or told not to.
        raise Unclear("pytest wrote no report, so it did not end by itself or was kept from it")
    if runner.name in {"maven", "gradle"}:
        fresh = _fresh_reports(root, started_ns)
        if fresh:
            total = sum((read_junit(_bounded(path)) for path in fresh[1:]),
                        read_junit(_bounded(fresh[0])))  # fmt: skip
            return total, f"from {len(fresh)} reports that {runner.name} wrote during the run"
        if runner.name == "gradle":
            raise Unclear("gradle wrote no new report; let it run the tests again (--rerun-tasks)")
    return read_printed(runner.name, output), f"from what {runner.name} printed"


def _runner_in(text: str, root: Path, depth: int) -> Runner | None:
    folder = root
    for words in simple_commands(text):
        if words[0] == "cd" and len(words) > 1:
            folder = folder / words[1]
            continue
        found = _runner_of(words, folder, depth)
        if found is not None:
            return found
    return None


def _runner_of(words: list[str], root: Path, depth: int) -> Runner | None:  # noqa: PLR0911  (a line for each runner)
    words = list(_without_starters(words))
    if not words:
        return None
    program, rest = Path(words[0]).name, words[1:]
    if program in _BY_PROGRAM:
        is_told = not {"--version", "--help", "--collect-only", "--co", "list"}.intersection(rest)
        return Runner(_BY_PROGRAM[program]) if is_told else None
    if re.fullmatch(r"(?:python|pypy)[\d.]*", program):
        return _python(rest)
    match program:
        case "node" if "--test" in rest:
            return Runner("node")
        case "cargo" if {"test", "t", "nextest"}.intersection(rest[:2]):
            return Runner("cargo")
        case "go" if rest[:1] == ["test"]:
            return Runner("go")
        case "mvn" | "mvnw" if {"test", "verify", "package", "install"}.intersection(rest):
            return Runner("maven")
        case "gradle" | "gradlew" if any(word.endswith(("test", "check")) for word in rest):
            return Runner("gradle")
        case "make" | "gmake" if depth < _MAX_DEPTH:
            return _through(make_recipe(root, _target(rest)), root, depth, via="make")
        case _:
            script = script_of(words)
            text = npm_script(root, script) if script and depth < _MAX_DEPTH else None
            return _through(text, root, depth, via=program)


def _python(rest: list[str]) -> Runner | None:
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        rest = rest[2:] if rest[0] in {"-X", "-W"} else rest[1:]
    if rest[:1] == ["-m"] and len(rest) > 1:
        name = rest[1]
        if name in {"pytest", "tox", "nox", "unittest"}:
            return Runner(name)
        return None
    is_django = rest[:2] == ["manage.py", "test"]
    return Runner("unittest") if is_django else None


def _through(text: str | None, root: Path, depth: int, *, via: str) -> Runner | None:
    found = _runner_in(text, root, depth + 1) if text else None
    return None if found is None else Runner(found.name, found.via or via)


def _without_starters(words: list[str]) -> Iterator[str]:
    index = 0
    while index < len(words):
        name = Path(words[index]).name
        following = words[index + 1] if index + 1 < len(words) else ""
        if name in _STARTERS:
            index += 1
        elif name in _STARTERS_THAT_RUN and following in {"run", "exec", "dlx", "x"}:
            if name in PACKAGE_MANAGERS and following == "run":
                break
            index += 2
        else:
            break
        while index < len(words) and (words[index].startswith("-") or "=" in words[index]):
            index += 1
    yield from words[index:]


def _target(rest: list[str]) -> str | None:
    """The first target that make is given."""
    skips = False
    for word in rest:
        if skips:
            skips = False
        elif word in {"-C", "-f", "-j", "-I"}:
            skips = word != "-j"
        elif not word.startswith("-") and "=" not in word:
            return word
    return None


def _exported(name: str, value: str, command: str) -> str:
    """`command` with `value` added to a variable that the user may have set."""
    return f'export {name}="${{{name}:+${name} }}"{shlex.quote(value)}\n{command}'


def _fresh_reports(root: Path, started_ns: int) -> list[Path]:
    """Surefire's and Gradle's reports that were written since `started_ns`."""
    found: list[Path] = []
    for pattern in ("target/surefire-reports/TEST-*.xml", "build/test-results/*/TEST-*.xml"):
        for prefix in ("", "*/", "*/*/"):
            found += [
                path
                for path in root.glob(prefix + pattern)
                if not path.is_symlink() and path.stat().st_mtime_ns >= started_ns
            ]
    return sorted(found)


def _bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_REPORT_BYTES + 1)
    if len(data) > MAX_REPORT_BYTES:
        raise Unclear("the report is too large to be read")
    return data
