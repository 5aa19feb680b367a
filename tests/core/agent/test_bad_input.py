"""Models and tools that misbehave: the user hears of it, and the session stays whole."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from pathlib import Path

import pytest

from milepost.agent import events
from milepost.config.sandbox import sandbox_of
from milepost.config.tables import SandboxSettings
from milepost.permissions.rules import Rule
from milepost.providers.catalogue import Model
from milepost.providers.http import HttpProvider, Patience
from milepost.providers.openai import ChatCompletions
from milepost.providers.scripted import Turn
from milepost.tools.shell import Shell
from tests.core.agent.workshop import Workshop
from tests.core.model_server import Act, ModelServer, broken_off, endless, openai_reply, silence

_PATIENCE = Patience(first_event_s=0.5, silence_s=0.5, whole_s=20.0, first_pause_s=0.01)

_MODELS: dict[str, tuple[list[Act], str, str]] = {
    "nonsense": ([broken_off("no object")] * 5, "error", "no JSON object"),
    "huge": ([endless(b"data: " + b"x" * 1_000_000)], "error", "more than a reply can hold"),
    "empty": ([openai_reply("")] * 20, "not_met", "says nothing any more"),
    "never": ([silence()] * 5, "error", "did not finish within"),
}


@pytest.mark.parametrize("name", list(_MODELS))
def test_a_model_that_misbehaves_ends_the_run_with_a_sentence(tmp_path: Path, name: str) -> None:
    acts, state, words = _MODELS[name]
    with ModelServer(acts) as server:
        provider = HttpProvider(Model("m"), ChatCompletions(), server.url, patience=_PATIENCE)
        workshop = Workshop(tmp_path, provider=provider)

        async def work() -> tuple[str, str]:
            outcome = await workshop.agent.work("Go.")
            await provider.close()
            return outcome.state, outcome.reason

        found, reason = asyncio.run(work())
    assert found == state
    assert words in reason
    # What the user said is there, and the session goes on with a model that answers.
    assert workshop.kinds()[0] == "user"
    with ModelServer([openai_reply("I am here.")]) as server:
        provider = HttpProvider(Model("m"), ChatCompletions(), server.url, patience=_PATIENCE)
        again = Workshop(tmp_path, provider=provider, session=workshop.session)

        async def go_on() -> str:
            await again.agent.resume()
            outcome = await again.agent.work(None)
            await provider.close()
            return outcome.words

        assert asyncio.run(go_on()) == "I am here."
    workshop.close()
    again.close()


_COMMANDS: dict[str, tuple[dict[str, object], str, bool]] = {
    "prints a gigabyte": ({"command": "head -c 1000000000 /dev/zero"}, "bytes left out", False),
    "hangs": ({"command": "sleep 600", "timeout_s": 1}, "killed after 1 seconds", True),
    "leaves a child": ({"command": "sleep 600 & echo left"}, "left", False),
    "reads its input": ({"command": "cat; echo read"}, "read", False),
}


def _shell(workshop_root: Path, outputs: Path) -> Shell:
    hold = sandbox_of(workshop_root, SandboxSettings())
    return Shell(workshop_root, outputs, str, hold, lambda: dict(os.environ))


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_a_command_that_misbehaves_ends_in_time_and_the_worker_goes_on(
    tmp_path: Path, name: str
) -> None:
    arguments, words, failed = _COMMANDS[name]
    root = tmp_path / "root"
    root.mkdir()
    workshop = Workshop(
        tmp_path,
        [Turn(calls=(("shell", arguments),)), Turn("I saw it.")],
        more_tools=[_shell(root, tmp_path / "outputs")],
        rules=[Rule("allow", "*")],
    )
    began = time.monotonic()
    outcome = asyncio.run(workshop.agent.work("Run it."))
    assert (outcome.state, outcome.words) == ("met", "I saw it.")
    assert time.monotonic() - began < 120
    (ended,) = (event for event in workshop.events if isinstance(event, events.CallEnded))
    assert words in ended.text
    assert ended.failed is failed
    assert len(ended.text) < 20_000
    assert workshop.kinds() == ["user", "assistant", "began", "result", "assistant"]
    kept = sum(path.stat().st_size for path in (tmp_path / "outputs").glob("*"))
    assert kept <= 9 * 1024 * 1024
    workshop.close()


# A mark that no other process's words have, and each child in a session of its own, with a child.
_STORM = "for i in $(seq 200); do setsid sh -c 'sleep {mark} & sleep {mark}' & done; "


def _alive(mark: str) -> list[str]:
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        # It may end while we look.
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return [words for words in found if f"sleep {mark}" in words]


@pytest.mark.parametrize(
    ("end", "timeout_s", "words"),
    [("echo stormed", 120, "stormed"), ("wait", 3, "killed after 3 seconds")],
    ids=["leaves them", "waits for them"],
)
def test_a_storm_of_children_is_over_when_the_call_is(
    tmp_path: Path, end: str, timeout_s: int, words: str
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    mark = f"600.{os.getpid()}{timeout_s}"
    call = ("shell", {"command": _STORM.format(mark=mark) + end, "timeout_s": timeout_s})
    seen: list[int] = []

    def look(storm: threading.Event) -> None:
        while not storm.wait(0.01):
            seen.append(len(_alive(mark)))

    over = threading.Event()
    watcher = threading.Thread(target=look, args=(over,))
    workshop = Workshop(
        tmp_path,
        [Turn(calls=(call,)), Turn("It is over.")],
        more_tools=[_shell(root, tmp_path / "outputs")],
        rules=[Rule("allow", "*")],
    )
    watcher.start()
    outcome = asyncio.run(workshop.agent.work("Storm."))
    left = _alive(mark)
    over.set()
    watcher.join()
    assert left == []
    assert max(seen) > 0
    assert outcome.words == "It is over."
    (ended,) = (event for event in workshop.events if isinstance(event, events.CallEnded))
    assert words in ended.text
    workshop.close()
