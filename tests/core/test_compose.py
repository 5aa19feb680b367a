"""`milepost run --mode compose`: five phases, each with eyes and hands of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
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


def _calling(tool: str, **arguments: str) -> dict[str, Any]:
    return {"calls": [{"tool": tool, "arguments": arguments}]}


_TURNS: dict[str, list[dict[str, Any]]] = {
    "spec": [{"say": "SPEC"}],
    "plan": [_calling("task_add", title="Mend add"), {"say": "PLAN"}],
    "implement": [_calling(_READ[0], **_READ[1]), _calling(_MEND[0], **_MEND[1]), {"say": "BUILT"}],
    "verify": [_calling("conclude", verdict="pass", reason="it ran"), {"say": "Verified."}],
    "review": [_calling("conclude", verdict="pass", reason="it adds"), {"say": "Passed."}],
}


def _turns(*, verified_by_model: bool) -> list[tuple[str, dict[str, Any]]]:
    """All turns with their phases; a goal's check needs none to verify."""
    kept = (name for name in _TURNS if verified_by_model or name != "verify")
    return [(name, turn) for name in kept for turn in _TURNS[name]]


def _script(folder: Path, turns: list[tuple[str, dict[str, Any]]], *more: dict[str, Any]) -> str:
    script = folder.parent / "script.jsonl"
    lines = [json.dumps(turn) for turn in (*(turn for _, turn in turns), *more)]
    script.write_text("\n".join(lines), "utf-8")
    return f"scripted:{script}"


def _killed(child: subprocess.Popen[str], folder: Path) -> str:
    """Kill it; the session that it leaves behind."""
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=30)
    listed = _milepost(folder, "session", "list", "--json").communicate(timeout=60)[0]
    return json.loads(listed)[0]["id"]


def _resumed(folder: Path, session: str, model: str) -> list[dict[str, Any]]:
    child = _milepost(folder, "run", "--resume", session, "--json", "--model", model)
    output, errors = child.communicate(timeout=120)
    assert not errors
    events = [json.loads(line) for line in output.splitlines()]
    assert events[-1]["state"] == "met", events[-1]
    assert (folder / "shop.py").read_text("utf-8") == _BROKEN.replace("a - b", "a + b")
    # The plan's task was added once.
    told = _milepost(folder, "session", "export", session).communicate(timeout=60)[0]
    assert told.count("Added T1.") == 1
    assert "Added T2." not in told
    return events


@pytest.mark.parametrize(
    ("phase", "done"), [("spec", 0), ("plan", 1), ("implement", 2), ("verify", 1), ("review", 1)]
)
def test_a_composition_that_is_killed_in_a_phase_goes_on_in_that_phase(
    shop: Path, phase: str, done: int
) -> None:
    """`done` turns of the phase are over when the process is killed."""
    turns = _turns(verified_by_model=phase == "verify")
    cut = [name for name, _ in turns].index(phase) + done
    words = ["run", "Make add add.", "--mode", "compose", "--json"]
    words += [] if phase == "verify" else ["--check", _CHECK]
    child = _milepost(shop, *words, "--model", _script(shop, turns[:cut], {"hang": True}))
    assert child.stdout is not None
    steps = 0
    for line in child.stdout:
        event = json.loads(line)
        steps += event["kind"] == "step_ended"
        if steps == cut and (done or event.get("subject") == phase):
            break
    session = _killed(child, shop)
    events = _resumed(shop, session, _script(shop, turns[cut:]))
    assert events[-1]["steps"] == len(turns)
    names = ["spec", "plan", "implement", "verify", "review"]
    assert _phases(events) == names[names.index(phase) :]


def test_a_composition_that_is_killed_while_a_check_runs_verifies_again(shop: Path) -> None:
    held = (
        "import pathlib, time\n"
        "if pathlib.Path('hold').exists():\n"
        "    pathlib.Path('holding').touch()\n"
        "    time.sleep(600)\n"
    )
    with (shop / "check.py").open("a", encoding="utf-8") as file:
        file.write(held)
    (shop / "hold").touch()
    turns = _turns(verified_by_model=False)
    cut = [name for name, _ in turns].index("review")
    words = ("run", "Make add add.", "--mode", "compose", "--json", "--check", _CHECK)
    child = _milepost(shop, *words, "--model", _script(shop, turns[:cut], {"hang": True}))
    end = time.monotonic() + 60
    while not (shop / "holding").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    session = _killed(child, shop)
    (shop / "hold").unlink()
    events = _resumed(shop, session, _script(shop, turns[cut:]))
    assert events[-1]["steps"] == len(turns)
    assert _phases(events) == ["verify", "review"]
    assert [event["text"].split(":")[0] for event in events if event["kind"] == "judged"] == ["met"]
