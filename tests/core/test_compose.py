"""`milepost run --mode compose`: five phases, each with eyes and hands of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.core.model_server import Act, ModelServer, openai_reply

_BROKEN = "def add(a, b):\n    return a - b\n"
_CHECK = f"{sys.executable} check.py"
_READ = ("read", {"path": "shop.py"})
_MEND = ("edit", {"path": "shop.py", "old": "a - b", "new": "a + b"})
_EXPLAIN = ("edit", {"path": "shop.py", "old": "    return", "new": "    # The sum.\n    return"})


@pytest.fixture
def shop(project: Path) -> Path:
    (project / "shop.py").write_text(_BROKEN, encoding="utf-8")
    (project / "check.py").write_text(
        "from shop import add\nassert add(2, 3) == 5, 'add is wrong'\n", encoding="utf-8"
    )
    return project


def _milepost(folder: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "milepost", *words],
        cwd=folder,
        env={**os.environ, "MILEPOST_VECTORS": "off", **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _composed(folder: Path, acts: list[Act], *more: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The events of a composition, and the bodies that its model was asked with, as text."""
    with ModelServer(acts) as server:
        child = _milepost(
            folder, "run", "Make add add.", "--model", "openai:m", "--mode", "compose", "--json",
            *more, OPENAI_BASE_URL=server.url,
        )  # fmt: skip
        output, errors = child.communicate(timeout=120)
        assert not errors
        asked = [json.dumps(asked.body, ensure_ascii=False) for asked in server.asked]
    return [json.loads(line) for line in output.splitlines()], asked


def _phases(events: list[dict[str, Any]]) -> list[str]:
    return [event["subject"] for event in events if event["kind"] == "phase_began"]


def test_work_goes_through_all_phases_and_is_sent_back_until_it_is_right(shop: Path) -> None:
    acts = [
        openai_reply(calls=(("write", {"path": "new.py", "text": "x"}),)),
        openai_reply("SPEC: the sum of two numbers."),
        openai_reply("Tasks.", calls=(("task_add", {"title": "Mend add"}),)),
        openai_reply("PLAN: change the sign."),
        openai_reply("I THINK IT IS PERFECT."),
        # Verified by the goal's check, and sent back.
        openai_reply(calls=(_READ, _MEND)),
        openai_reply("Now it adds."),
        openai_reply(calls=(("conclude", {"verdict": "back", "reason": "say what add does"}),)),
        openai_reply("Sent back."),
        openai_reply(calls=(_READ, _EXPLAIN)),
        openai_reply("Explained."),
        openai_reply("It is fine."),
        openai_reply(calls=(("conclude", {"verdict": "pass", "reason": "it adds"}),)),
        openai_reply("Passed."),
    ]
    events, asked = _composed(shop, acts, "--check", _CHECK)
    assert events[-1]["state"] == "met", events[-1]
    built = ["implement", "verify"]
    assert _phases(events) == ["spec", "plan", *built, *built, "review", *built, "review"]
    assert (shop / "shop.py").read_text("utf-8").endswith("# The sum.\n    return a + b\n")
    assert not (shop / "new.py").exists()
    judged = [event["text"] for event in events if event["kind"] == "judged"]
    assert [text.split(":")[0] for text in judged] == ["not_met", "met", "met"]
    plan, build, again, review, mend, reminded = (asked[at] for at in (2, 4, 5, 7, 9, 12))
    assert "SPEC: the sum of two numbers." in plan
    assert "PLAN: change the sign." in build
    assert "sent back by verify" in again
    assert "sent back by review: say what add does" in mend
    assert "conclude" in reminded
    # The reviewer sees what was asked for and what was changed, and none of the worker's words.
    assert "Make add add." in review
    assert "+    return a + b" in review
    assert "PERFECT" not in review
    assert "Now it adds" not in review
    offered = {tool["function"]["name"] for tool in json.loads(review)["tools"]}
    assert offered == {"read", "find", "grep", "memory_search", "conclude"}


def test_without_a_goal_somebody_else_verifies_and_may_change_nothing(shop: Path) -> None:
    acts = [
        openai_reply("SPEC"),
        openai_reply("PLAN"),
        openai_reply(calls=(_READ, _MEND)),
        openai_reply("BUILT"),
        openai_reply(calls=(("write", {"path": "shop.py", "text": "x"}),)),
        openai_reply(calls=(("shell", {"command": _CHECK}),)),
        openai_reply(calls=(("conclude", {"verdict": "fine", "reason": "ran it"}),)),
        openai_reply(calls=(("conclude", {"verdict": "pass", "reason": "check.py passes"}),)),
        openai_reply("Verified."),
        openai_reply(calls=(("conclude", {"verdict": "pass", "reason": "as it should be"}),)),
        openai_reply("Passed."),
    ]
    events, asked = _composed(shop, acts, "--allow", f"allow shell {_CHECK}")
    assert events[-1]["state"] == "met", events[-1]
    failed = [event["text"] for event in events if event.get("failed")]
    assert "not permitted here" in failed[0]
    assert "a verdict is one of pass, back" in failed[1]
    assert "BUILT" not in asked[4]
    ended = [event["text"] for event in events if event["kind"] == "phase_ended"]
    assert ended == ["done", "done", "done", "pass check.py passes", "pass as it should be"]


def test_work_that_is_always_sent_back_is_given_up_with_the_reason(shop: Path) -> None:
    acts = [openai_reply("SPEC"), openai_reply("PLAN")]
    acts += [openai_reply(f"Built {n}.") for n in range(4)]
    events, _ = _composed(shop, acts, "--check", _CHECK)
    assert events[-1]["state"] == "not_met"
    assert "sent back 4 times, the last time by verify" in events[-1]["reason"]


def test_a_review_that_does_not_decide_passes_nothing(shop: Path) -> None:
    acts = [
        openai_reply("SPEC"),
        openai_reply("PLAN"),
        openai_reply(calls=(_READ, _MEND)),
        openai_reply("BUILT"),
        *(openai_reply(f"Looks good to me {n}!") for n in range(3)),
    ]
    events, _ = _composed(shop, acts, "--check", _CHECK)
    assert (events[-1]["state"], events[-1]["reason"]) == (
        "not_met",
        "review came to no decision",
    )


_TURNS: dict[str, list[dict[str, Any]]] = {
    "spec": [{"say": "SPEC"}],
    "plan": [{"say": "PLAN"}],
    "implement": [
        {"calls": [{"tool": "read", "arguments": _READ[1]}]},
        {"calls": [{"tool": "edit", "arguments": _MEND[1]}]},
        {"say": "BUILT"},
    ],
    "review": [
        {
            "calls": [
                {"tool": "conclude", "arguments": {"verdict": "pass", "reason": "it adds"}},
            ]
        },
        {"say": "Passed."},
    ],
}


@pytest.mark.parametrize(
    ("phase", "done"), [("spec", 0), ("plan", 0), ("implement", 2), ("review", 1)]
)
def test_a_composition_that_is_killed_in_a_phase_goes_on_in_that_phase(
    shop: Path, phase: str, done: int
) -> None:
    """`done` turns of the phase are over when the process is killed."""
    turns = [(name, turn) for name, turns in _TURNS.items() for turn in turns]
    cut = [name for name, _ in turns].index(phase) + done
    script = shop.parent / "script.jsonl"

    def write(some: list[tuple[str, dict[str, Any]]], *more: dict[str, Any]) -> None:
        lines = [json.dumps(turn) for turn in (*(turn for _, turn in some), *more)]
        script.write_text("\n".join(lines), "utf-8")

    write(turns[:cut], {"hang": True})
    words = ("run", "Make add add.", "--mode", "compose", "--json", "--check", _CHECK)
    child = _milepost(shop, *words, "--model", f"scripted:{script}")
    assert child.stdout is not None
    steps = 0
    for line in child.stdout:
        event = json.loads(line)
        steps += event["kind"] == "step_ended"
        if steps == cut and (done or event.get("subject") == phase):
            break
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=30)
    listed = _milepost(shop, "session", "list", "--json").communicate(timeout=60)[0]
    session = json.loads(listed)[0]["id"]
    write(turns[cut:])
    resumed = _milepost(shop, "run", "--resume", session, "--json", "--model", f"scripted:{script}")
    output, errors = resumed.communicate(timeout=120)
    events = [json.loads(line) for line in output.splitlines()]
    assert not errors
    assert events[-1]["state"] == "met", events[-1]
    assert events[-1]["steps"] == len(turns)
    assert (shop / "shop.py").read_text("utf-8") == _BROKEN.replace("a - b", "a + b")
    names = ["spec", "plan", "implement", "verify", "review"]
    assert _phases(events) == names[names.index(phase) :]
