"""A run with a real model, so small that only the form of what it says can be looked at.

The name keeps it out of the suite: `make model` brings the model (130 MB) and runs this.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.api.models import provider_of
from milepost.config.models import ModelChoice
from milepost.providers.message import Finished, Message, Request, Text, TextDelta

_ROOT = Path(__file__).parents[2]
_PYTHON = _ROOT / ".tools" / "model" / "bin" / "python"
_TOOLS = {
    "read", "write", "edit", "find", "grep", "shell", "note", "memory_search", "memory_save",
    "history_search", "task_add", "task_set",
}  # fmt: skip


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    child = subprocess.Popen(
        [_PYTHON, _ROOT / "tests" / "model" / "server.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    # It is loaded in two seconds; a server that dies ends the line.
    address = child.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:")
    yield f"{address}/v1"
    child.communicate(timeout=60)


def _milepost(folder: Path, url: str, *words: str) -> str:
    variables = {
        "OPENAI_BASE_URL": url,
        "MILEPOST_VECTORS": "off",
        "MILEPOST_WORKER_CALLS": "json",
        "MILEPOST_WORKER_WINDOW_TOKENS": "8192",
        "MILEPOST_WORKER_OUTPUT_TOKENS": "256",
    }
    done = subprocess.run(
        [sys.executable, "-m", "milepost", *words],
        cwd=folder, env={**os.environ, **variables}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert not done.stderr
    return done.stdout


def test_it_works_step_by_step_and_its_session_goes_on(project: Path, url: str) -> None:
    (project / "shop.py").write_text("def add(a, b):\n    return a + b\n", "utf-8")
    words = ("run", "--model", "openai:smol", "--json")
    told = _milepost(project, url, *words, "Read shop.py and say what add does.", "--max-steps=2")
    events = [json.loads(line) for line in told.splitlines()]
    assert events[-1]["state"] in {"met", "not_met", "budget"}, events[-1]
    # The form leaves it no other tools, and arguments that can be read.
    calls = [event for event in events if event["kind"] == "call_began"]
    assert {call["tool"] for call in calls} <= _TOOLS
    refused = [event.get("text", "") for event in events if event["kind"] == "call_ended"]
    assert not any("no JSON object" in text or "there is no tool" in text for text in refused)
    steps = [event for event in events if event["kind"] == "step_ended"]
    assert steps
    assert all(step["input_tokens"] > 100 and step["output_tokens"] > 0 for step in steps)
    session, limit = events[-1]["session"], f"--max-steps={len(steps) + 1}"
    again = _milepost(project, url, *words, "Go on.", "--resume", session, limit)
    outcome = json.loads(again.splitlines()[-1])
    assert (outcome["session"], outcome["steps"]) == (session, len(steps) + 1), outcome
    (row,) = json.loads(_milepost(project, url, "usage", "--json"))
    assert (row["requests"], row["estimated"]) == (outcome["steps"], 0)


def test_it_streams_stops_at_once_when_it_is_cancelled_and_answers_again(url: str) -> None:
    provider = provider_of(ModelChoice("openai", "smol", url))

    def asked(tokens: int) -> Request:
        words = Message("user", (Text("Tell me a long story of a fox."),))
        return Request((words,), max_output_tokens=tokens)

    async def told() -> float:
        begun = asyncio.Event()

        async def listen() -> None:
            async for event in provider.stream(asked(2_000)):
                if isinstance(event, TextDelta):
                    begun.set()

        task = asyncio.create_task(listen())
        async with asyncio.timeout(60):
            await begun.wait()
        began = time.monotonic()
        task.cancel()
        await asyncio.wait([task])
        took_s = time.monotonic() - began
        assert task.cancelled()
        events = [event async for event in provider.stream(asked(12))]
        await provider.close()
        assert sum(isinstance(event, TextDelta) for event in events) > 3
        last = events[-1]
        assert isinstance(last, Finished)
        assert (last.reply.stop, last.reply.usage.output_tokens) == ("length", 12)
        assert not last.reply.usage.is_estimate
        return took_s

    assert asyncio.run(told()) < 0.5
