"""Checks read back as they were written, and a command that cannot fail is no check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.base.errors import UserError
from milepost.goals import expressions
from milepost.goals.check import Check, read_check
from milepost.goals.commands import fault_of, is_simple, shell_for, simple_commands
from milepost.goals.proposals import proposals

words = st.text(st.characters(categories=["L", "N"], include_characters="-_./"), min_size=1).filter(
    lambda text: text.strip("./") == text
)

checks = st.one_of(
    st.builds(lambda w: Check("command", f"run {w}"), words),
    st.builds(lambda w: Check("tests", f"run {w}"), words),
    st.builds(lambda w, n: Check("command", f"run {w}", expect_exit=n), words, st.integers(1, 255)),
    st.builds(lambda w: Check("file", path=w), st.just("a/b.c")),
    st.builds(lambda w: Check("no file", path=w), st.just("b")),
    st.builds(lambda w: Check("text", path="a", wanted=w), words),
    st.builds(lambda w: Check("match", path="a", wanted=w), st.just(r"^a\s(b|c)$")),
    st.builds(lambda w: Check("prints", f"run {w}", wanted="x+"), words),
    st.builds(lambda w, n: Check("json", w, path="/a/0", wanted=str(n)), words, st.integers()),
    st.sampled_from([Check("clean"), Check("committed")]),
)


@given(checks, st.floats(0.1, 1_000))
def test_a_check_reads_back_as_it_was_written(check: Check, timeout_s: float) -> None:
    check = replace(check, timeout_s=timeout_s)
    assert read_check(check.words, timeout_s) == check


@given(st.text(max_size=200))
def test_any_line_is_a_check_or_refused_with_words(line: str) -> None:
    try:
        check = read_check(line)
    except UserError:
        return
    assert read_check(check.words) == check


def test_a_plain_line_is_a_command() -> None:
    for line in ("make test", "git status", "file x", "jq .a: b.json", "exit 3"):
        assert read_check(line) == Check("command", line)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "empty"),
        ("file:", "nothing"),
        ("file: ../x", "not inside"),
        ("file: /etc/passwd", "not inside"),
        ("text: a/../../b :: c", "not inside"),
        ("text: README", "PATH :: WHAT"),
        ("match: a :: (", "no regular expression"),
        ("prints: ( :: ls", "no regular expression"),
        ("json: a = 1 :: ls", "JSON pointer"),
        ("json: /a = x :: ls", "quotes"),
        ("json: /a :: ls", "JSON pointer"),
        ("git: pushed", "git: committed"),
        ("x" * 2_001, "2001 characters"),
    ],
)
def test_a_wrong_line_says_how_it_is_written(line: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        read_check(line)


@pytest.mark.parametrize(
    "command",
    ["true", ":", "echo ok", "exit 0", "A=1", "pytest || true", "pytest || echo failed", "pytest &",
     "pytest; true", "pytest; echo done", "pytest\ntrue", "pytest; ruff check", "(a) || :",
     "for t in *; do sh $t; done; true", "pytest || exit 0",
     "pytest && x || true;", "grep done x; ls"],
)  # fmt: skip
def test_a_command_that_cannot_fail_is_told_from_others(command: str) -> None:
    assert fault_of(command)


@pytest.mark.parametrize(
    "command",
    ["pytest", "cd a; pytest", "A=1 pytest", "pytest && ruff check", "pytest | tee log",
     "pytest || exit 1", "set -e; a; b", "echo go; exit 3", "test -f a", "! grep x y",
     "for t in *; do sh $t || exit 1; done", "if a; then b; fi", "python3 -c 'import a; a.b()'",
     "pytest -k 'a or b'", "grep -c '|| true' f", "grep ';' f",
     "awk --x='a; b' f", "grep a\\;b f", "make test;", "export A=1; . env; pytest"],
)  # fmt: skip
def test_a_command_that_can_fail_is_taken(command: str) -> None:
    assert fault_of(command) is None


@given(st.text(max_size=100))
def test_no_command_breaks_its_reader(command: str) -> None:
    fault_of(command)
    simple_commands(command)
    is_simple(command)


def test_words_of_the_shell_mean_something_only_where_a_command_begins() -> None:
    assert simple_commands("grep -q done state") == [["grep", "-q", "done", "state"]]
    loop = "for t in a b; do sh $t; done; A=1 (ls '|')"
    assert simple_commands(loop) == [["t", "in", "a", "b"], ["sh", "$t"], ["ls", "|"]]


def test_a_pipe_gets_a_shell_that_sees_every_part() -> None:
    assert shell_for("pytest") == ("/bin/sh",)
    assert shell_for("grep '|' x") == ("/bin/sh",)
    assert shell_for("pytest | tee log")[1:] == ("-o", "pipefail")


def test_a_search_that_never_ends_is_ended() -> None:
    assert expressions.found("^(a+)+$", "a" * 40 + "!", timeout_s=0.5) is None
    assert expressions.found("^b", "a\nb") is True
    assert expressions.found("^c", "a\nb") is False


PROJECTS: dict[str, dict[str, str]] = {
    "pytest": {"pyproject.toml": "[tool.pytest.ini_options]\n[tool.ruff]\n[tool.mypy]\n"},
    "uv": {"pyproject.toml": "[dependency-groups]\ndev = ['pytest']\n", "uv.lock": ""},
    "unittest": {"tests/test_a.py": "import unittest\n"},
    "tox": {"tox.ini": "[testenv]\n"},
    "nox": {"noxfile.py": ""},
    "node": {"package.json": '{"scripts": {"test": "vitest", "lint": "eslint .", "build": "x"}}',
             "pnpm-lock.yaml": "", "tsconfig.json": ""},
    "npm init": {"package.json": '{"scripts": {"test": "echo no test specified && exit 1"}}'},
    "rust": {"Cargo.toml": ""},
    "go": {"go.mod": ""},
    "maven": {"pom.xml": "", "mvnw": ""},
    "gradle": {"build.gradle.kts": ""},
    "cmake": {"CMakeLists.txt": "enable_testing()\n"},
    "make": {"Makefile": "all:\n\tcc a.c\n\ncheck:\n\t./a.out\n\nlint:\n\tsplint a.c\n"},
    "nothing": {"notes": ""},
}  # fmt: skip

DONE = "all tests pass and the code is committed"


@pytest.mark.parametrize(
    ("project", "condition", "wanted"),
    [
        ("pytest", DONE, ["tests: python3 -m pytest", "git: committed"]),
        ("pytest", "lint is clean", ["command: ruff check"]),
        ("pytest", "type-check passes", ["command: mypy ."]),
        ("uv", "pytest passes", ["tests: uv run pytest"]),
        ("unittest", "the suite is green", ["tests: python3 -m unittest discover -s tests"]),
        ("tox", "tests pass", ["tests: tox"]),
        ("nox", "tests pass", ["tests: nox"]),
        ("node", "tests and lint pass", ["command: pnpm test", "command: pnpm run lint"]),
        ("node", "it builds and types are right", ["command: npx tsc --noEmit",
                                                   "command: pnpm run build"]),
        ("npm init", "tests pass", []),
        ("rust", "tests pass, clippy is quiet, it builds",
         ["tests: cargo test", "command: cargo clippy --all-targets -- -D warnings",
          "command: cargo build"]),
        ("go", "tests pass", ["tests: go test ./..."]),
        ("maven", "tests pass", ["tests: ./mvnw -B test"]),
        ("gradle", "tests pass", ["tests: gradle test"]),
        ("cmake", "it compiles", ["command: cmake -S . -B build && cmake --build build"]),
        ("make", "tests pass and it builds", ["command: make check", "command: make"]),
        ("make", "lint is clean", ["command: make lint"]),
        ("nothing", DONE, ["git: committed"]),
        ("nothing", "docs/guide.md exists", ["file: docs/guide.md"]),
        ("nothing", "the git status is clean", ["git: clean"]),
        ("nothing", "it is beautiful", []),
    ],
)  # fmt: skip
def test_plain_words_become_proposals_by_what_the_project_has(
    tmp_path: Path, project: str, condition: str, wanted: list[str]
) -> None:
    for name, text in PROJECTS[project].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [check.words for check in proposals(condition, tmp_path, 60)] == wanted


@given(st.text(max_size=200))
def test_no_condition_breaks_the_proposals(condition: str) -> None:
    proposals(condition, Path(__file__).parent, 60)
