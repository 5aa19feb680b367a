"""`milepost run` when something misbehaves, from the outside: what a person sees is one clear
sentence and the right exit code; nothing is lost, and nothing is left running.

What a model or a tool can do to the loop alone is in agent/test_bad_input.py.
"""

from __future__ import annotations

import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from itertools import repeat
from pathlib import Path

import pytest

from tests.core.model_server import (
    Act,
    Connection,
    ModelServer,
    anthropic_reply,
    endless,
    openai_reply,
    silence,
)
from tests.processes import at_work, like_any_user

_SAID = ("run", "Do it.", "--allow", "allow shell *")


def _start(
    folder: Path,
    server: ModelServer,
    *more: str,
    kind: str = "openai",
    before: Callable[[], None] | None = None,
    stdout: int = subprocess.PIPE,
    **variables: str,
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "milepost", *_SAID, "--model", f"{kind}:m", *more],
        cwd=folder,
        env={**os.environ, f"{kind.upper()}_BASE_URL": server.url, **variables},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,  # noqa: PLW1509  (it makes a system call and touches nothing else)
    )


def _ended(child: subprocess.Popen[str], folder: Path, code: int) -> tuple[str, str]:
    """What it printed, after it ended with this code and left nothing behind."""
    output, errors = child.communicate(timeout=120)
    output = output or ""
    assert child.returncode == code, output + errors
    assert "Traceback" not in output + errors
    assert at_work(folder) == []
    return output, errors


def _run(
    folder: Path, acts: Iterable[Act], *more: str, code: int = 0, **options: object
) -> tuple[str, str]:
    with ModelServer(acts) as server:
        return _ended(_start(folder, server, *more, **options), folder, code)  # type: ignore[arg-type]


def _again(folder: Path) -> str:
    """What it prints when the session goes on with a model that answers."""
    listed = [sys.executable, "-m", "milepost", "session", "list", "--json"]
    found = json.loads(subprocess.check_output(listed, cwd=folder, timeout=60))
    with ModelServer([openai_reply("I am here.")] * 3) as server:
        child = _start(folder, server, "--resume", found[0]["id"])
        return _ended(child, folder, 0)[0]


def _raw(*arguments: str, name: str = "read") -> Act:
    """A reply whose calls have these arguments, to the letter."""

    async def act(connection: Connection) -> None:
        await connection.head()
        for index, text in enumerate(arguments):
            function = {"name": name, "arguments": text}
            call = {"index": index, "id": f"c{index}", "function": function}
            await connection.event({"choices": [{"delta": {"tool_calls": [call]}}]})
        await connection.event({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
        await connection.raw("data: [DONE]\n\n")

    return act


_READ = ("read", {"path": "README.md"})
_OK = openai_reply("I see.")


@pytest.mark.parametrize(
    ("acts", "code", "says"),
    [
        ([endless(b"data: " + b"x" * 1_000_000)], 1, "error: m sent more than a reply can hold"),
        (repeat(openai_reply("")), 3, "not_met: the worker says nothing any more"),
        (repeat(openai_reply(think="Hm. " * 9)), 3, "not_met: the worker says nothing any more"),
        (repeat(openai_reply(calls=(_READ,))), 3, "not_met: the worker goes round in circles"),
        ([_raw(*['{"path": "README.md"}'] * 5_000)], 1, "error: m sent a tool call out of bounds"),
    ],
    ids=["huge", "empty", "only thoughts", "the same for ever", "thousands of calls"],
)
def test_a_model_that_is_of_no_use_ends_the_run_and_the_session_goes_on(
    project: Path, acts: Iterable[Act], code: int, says: str
) -> None:
    output, errors = _run(project, acts, code=code)
    assert output.splitlines()[-1].startswith(says)
    assert not errors
    assert "I am here." in _again(project)


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (openai_reply(calls=(("fly" * 900, {"to": "moon"}),)), "there is no tool 'flyfly"),
        (openai_reply(calls=(("read", {"path": ["a"]}),)), "path must be text"),
        (openai_reply(calls=(("read", {"where": "a"}),)), "there is no argument 'where'"),
        (openai_reply(calls=(("shell", {"command": None}),)), "command must be text"),
        (_raw('{"path": "READ'), "the arguments are no JSON object (cut off?)"),
        (_raw('["README.md"]'), "the arguments are no JSON object"),
        (_raw('{"path":' * 100_000), "the arguments are no JSON object"),
    ],
    ids=["unknown", "type", "name", "null", "truncated", "list", "deep"],
)
def test_a_wrong_call_is_answered_and_the_run_goes_on(project: Path, act: Act, says: str) -> None:
    output, errors = _run(project, [act, *[_OK] * 5])
    assert f"  failed: {says}" in output
    assert "met: the worker is through" in output
    assert not errors


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_of_five_hundred_calls_at_once_some_are_run_and_the_rest_is_told(
    project: Path, kind: str
) -> None:
    reply = {"openai": openai_reply, "anthropic": anthropic_reply}[kind]
    calls = tuple(("write", {"path": f"new/{n}", "text": "x"}) for n in range(500))
    output, _ = _run(project, [reply(calls=calls), *[reply("I see.")] * 5], kind=kind)
    assert len(list((project / "new").iterdir())) == 128
    assert output.count("not run, because only 128 calls are run at once") == 372
    assert "met: the worker is through" in output


def test_words_that_are_longer_than_the_window_do_not_end_the_session(project: Path) -> None:
    long = openai_reply("word " * 60_000)
    output, _ = _run(project, [long, *[_OK] * 5])
    assert "met: the worker is through" in output
    assert "I am here." in _again(project)


def test_what_others_say_moves_no_cursor_and_renames_no_window(project: Path) -> None:
    evil = "\x1b[2J\x1b]0;mine\x07\x9b2J\u202e"
    calls = (("shell", {"command": f"printf '{evil}'"}),)
    output, _ = _run(project, [openai_reply(evil, calls=calls), openai_reply("Ha.\r\nHa.")])
    assert r"\x1b[2J\x1b]0;mine\x07\x9b2J\u202e" in output
    assert "Ha.\nHa.\n" in output
    assert not set("\x1b\x07\r\x9b\u202e") & set(output)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("exec 1>&- 2>&-; sleep 0.2; echo made > made.txt", "It ended well and printed nothing."),
        ("echo x > /dev/tty || echo there is none", "/dev/tty"),
        (
            "setsid sh -c 'trap \"\" TERM HUP; sleep 600' >/dev/null 2>&1 </dev/null & echo left",
            "left",
        ),
        ("kill -9 $PPID; sleep 600", "failed: "),
    ],
    ids=["shuts its output", "wants the terminal", "forks a daemon", "kills its parent"],
)
def test_a_command_that_misbehaves_is_over_with_its_call(
    project: Path, command: str, says: str
) -> None:
    output, errors = _run(project, [openai_reply(calls=(("shell", {"command": command}),)), _OK])
    assert says in output
    assert "met: the worker is through" in output
    assert not errors


async def _half_said(connection: Connection) -> None:
    await silence({"choices": [{"delta": {"content": "I will "}}]})(connection)


_SLEEP = ("shell", {"command": "trap '' INT TERM; touch begun; sleep 600; sleep 600"})
_CHECKED = ("--check", "command: touch begun; sleep 600")


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("acts", "more", "asked"),
    [
        ([silence()], (), 1),
        ([_half_said], (), 1),
        ([openai_reply(calls=(_SLEEP,))], (), 0),
        ([openai_reply("Done.")], _CHECKED, 0),
        ([openai_reply("Done."), silence()], ("--judge",), 2),
    ],
    ids=["waits for an answer", "hears one", "runs a command", "verifies", "waits for a judge"],
)
def test_whoever_presses_ctrl_c_is_out_at_once_and_can_go_on(
    project: Path, acts: list[Act], more: tuple[str, ...], asked: int, times: int
) -> None:
    variables = {}
    if more == ("--judge",):
        words = [sys.executable, "-m", "milepost", "goal", "set", "it is good", "--yes"]
        subprocess.run(words, cwd=project, check=True, timeout=60, capture_output=True)
        more, variables = (), {"MILEPOST_JUDGE": "openai:judge"}
    with ModelServer(acts) as server:
        child = _start(project, server, *more, **variables)
        deadline = time.monotonic() + 60
        while not ((project / "begun").exists() or (asked and len(server.asked) == asked)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        began = time.monotonic()
        for _ in range(times):
            child.send_signal(signal.SIGINT)
        output, errors = _ended(child, project, 130)
        assert time.monotonic() - began < 20
    if times == 1:
        assert "cancelled: it was cancelled. Session " in output
    else:
        # Whichever came first: the end of the one, or the other.
        assert "cancelled: it was cancelled" in output or "--resume` goes on with it" in errors
    if more != _CHECKED and not variables:
        assert "I am here." in _again(project)


def test_a_reader_that_goes_away_ends_the_run_without_a_word(project: Path) -> None:
    acts = [openai_reply("one\ntwo\n", calls=(_READ,)), openai_reply("more\n" * 200)]
    with ModelServer(acts) as server:
        words = [sys.executable, "-m", "milepost", *_SAID, "--model", "openai:m"]
        piped = f"{shlex.join(words)} | head -1; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", piped],
            cwd=project,
            env={**os.environ, "OPENAI_BASE_URL": server.url},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stdout, done.stderr) == (1, "one\n", "")
    assert "I am here." in _again(project)


def test_an_output_that_takes_no_more_is_told_in_a_sentence(project: Path) -> None:
    with ModelServer([_OK]) as server, Path("/dev/full").open("w", encoding="utf-8") as full:
        child = _start(project, server, stdout=full.fileno())
        _, errors = _ended(child, project, 1)
    assert errors == (
        "milepost: cannot print (No space left on device); look at where the output goes\n"
    )
    assert "I am here." in _again(project)


_LARGE = openai_reply(calls=(("write", {"path": "large.txt", "text": "x" * 300_000}),))


@pytest.mark.parametrize("limit_bytes", [8_192, 204_800], ids=["at once", "on the way"])
def test_a_full_disk_is_told_in_a_sentence_and_nothing_is_lost(
    project: Path, limit_bytes: int
) -> None:
    """A file that may not grow is refused like one for which there is no room."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    output, errors = _run(project, [_LARGE, *[_OK] * 5], code=1, before=limited)
    if limit_bytes > 100_000:
        assert "failed: cannot use large.txt (File too large); files may not grow" in output
    assert "check the disk" in errors
    assert len(errors.strip().splitlines()) == 1
    # Not even half of it.
    assert [path.name for path in project.iterdir() if path.name != ".git"] == ["README.md"]
    output, errors = _run(project, [_LARGE, *[_OK] * 5])
    assert (project / "large.txt").stat().st_size == 300_000
    assert not errors


def test_a_project_that_may_not_be_written_can_be_read(project: Path) -> None:
    everything = [project, *project.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    write = openai_reply(calls=(("write", {"path": "new.txt", "text": "x"}),))
    try:
        acts = [write, openai_reply(calls=(_READ,)), _OK]
        output, errors = _run(project, acts, before=like_any_user)
    finally:
        for path in everything:
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert "failed: cannot use new.txt (Permission denied); look who may" in output
    assert "# A project" in output
    assert "met: the worker is through" in output
    assert not errors


def test_the_help_is_there_in_the_narrowest_terminal() -> None:
    for columns in ("20", "1"):
        done = subprocess.run(
            [sys.executable, "-m", "milepost", "run", "--help"],
            env={**os.environ, "COLUMNS": columns},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "--max-steps" in done.stdout
