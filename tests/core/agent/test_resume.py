"""A session whose process died in an awkward place goes on from that very place."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from milepost import api
from milepost.agent.loop import Verdict
from milepost.agent.recall import tools_for
from milepost.history.transcript import ASKED, Transcripts
from milepost.permissions.rules import Rule
from milepost.providers.message import Message, Reply, Text, ToolCall, Usage
from milepost.providers.scripted import ScriptedProvider, Turn
from milepost.tasks.store import TaskStore
from milepost.tools.tool import Arguments, Tool
from tests.core.agent.workshop import Turnstile, Workshop


def _reply(*parts: Text | ToolCall) -> Reply:
    return Reply(Message("assistant", parts), "tool_calls", Usage(is_estimate=True))


def _taken_up(workshop: Workshop, instruction: str | None = None) -> str:
    async def go_on() -> str:
        await workshop.agent.resume()
        return (await workshop.agent.work(instruction)).words

    return asyncio.run(go_on())


def test_the_last_words_are_not_asked_for_again_and_the_goal_is_looked_at(
    shop: Callable[..., Workshop],
) -> None:
    before = shop([Turn("Built.")])
    asyncio.run(before.agent.work("Build it."))
    met = Turnstile([Verdict("met", "all is well", holds=False)])
    after = shop([], session=before.session, gate=met)
    assert _taken_up(after) == "Built."
    assert met.verdicts == []
    assert isinstance(after.provider, ScriptedProvider)
    assert after.provider.requests == []
    # One that is not met goes on with the reason; and what the user says comes before all that.
    lacking = Turnstile([Verdict("not_met", "the test fails", holds=True)])
    third = shop([Turn("Now it is.")], session=before.session, gate=lacking)
    assert _taken_up(third) == "Now it is."
    assert "the test fails" in repr(third.provider.requests[0].messages[-1])
    fourth = shop([Turn("Hello.")], session=before.session)
    assert _taken_up(fourth, "Are you there?") == "Hello."


def test_an_answer_that_broke_off_is_gone_on_with(shop: Callable[..., Workshop]) -> None:
    before = shop()
    before.record.user("Tell me.")
    before.record.broken_off("The first thing is")
    after = shop([Turn("The first thing is the lexer.")], session=before.session)
    assert _taken_up(after) == "The first thing is the lexer."
    assert isinstance(after.provider, ScriptedProvider)
    last = after.provider.requests[0].messages[-1]
    assert last.role == "user"
    assert "broke off" in last.text


class _Notes:
    """Memory as a worker reaches it, in a list."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def search(self, query: str) -> str:
        return query

    def history(self, query: str) -> str:
        return query

    def save(self, text: str, kind: str) -> str:
        self.notes.append(f"{kind} {text}")
        return "Remembered."

    def saved(self, text: str) -> str | None:
        return next(("Remembered." for note in self.notes if note.endswith(text)), None)

    def note(self, text: str) -> str:
        self.notes.append(text)
        return "Noted."

    def noted(self, text: str) -> str | None:
        return "Noted." if text in self.notes else None


@pytest.mark.parametrize("was_done", [False, True], ids=["before it was done", "after"])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("note", {"text": "a dead end"}),
        ("memory_save", {"text": "the lexer is generated"}),
        ("task_add", {"title": "Mend  it", "parent": "T1"}),
    ],
)
def test_what_a_kill_left_between_doing_and_writing_down_is_there_once(
    shop: Callable[..., Workshop],
    tmp_path: Path,
    name: str,
    arguments: dict[str, object],
    was_done: bool,
) -> None:
    notes, tasks = _Notes(), TaskStore(tmp_path / "data")
    before = shop()
    tasks.add("All of it", session=before.session)
    hands: dict[str, Tool] = {tool.name: tool for tool in tools_for(notes, tasks, before.session)}
    before.record.user("Note it.")
    call = ToolCall("call_1", name, json.dumps(arguments))
    before.record.reply(_reply(call))
    before.record.begin(call, None, None)
    if was_done:
        hands[name].run(Arguments(arguments), threading.Event())
    after = shop(
        [Turn("Kept.")],
        session=before.session,
        more_tools=list(hands.values()),
        rules=[Rule("allow", "*")],
    )
    assert _taken_up(after) == "Kept."
    results = [i.data for i in after.transcripts.items(after.session) if i.kind == "result"]
    said = {"note": "Noted.", "memory_save": "Remembered.", "task_add": "Added T1.1."}[name]
    assert [(result["text"], result["failed"]) for result in results] == [(said, False)]
    assert len(notes.notes) + len(tasks.all()) == 2
    tasks.database.close()


def test_what_was_asked_for_and_not_heard_is_said_when_it_goes_on(
    project: Path, workspace: api.Workspace
) -> None:
    script = project.parent / "script.jsonl"
    script.write_text('{"calls": [{"tool": "write", "arguments": {"path": "a", "text": "a"}}]}\n'
                      '{"say": "Done."}\n', "utf-8")  # fmt: skip
    transcripts = Transcripts(Path(workspace.project.data_dir))
    asked = [(ASKED, {"text": "Write a"})]
    transcripts.create("Write a", "user:test", session_id="died", mode="plan", items=asked)
    transcripts.create("Nothing", "user:test", session_id="empty")

    def resumed(session: str, words: str | None = None) -> api.RunOutcome:
        return workspace.worker().run(
            words, model=f"scripted:{script}", resume=session, tell=lambda _: None
        )

    with pytest.raises(api.UserError, match="nothing was asked for"):
        resumed("empty")
    assert transcripts.fork("died", "user:test").forked_from == "died"
    # In the mode that it was begun in: nothing may be changed.
    assert resumed("died").words == "Done."
    assert not (project / "a").exists()
    kinds = [item.kind for item in transcripts.items("died")]
    assert kinds[:3] == ["asked", "user", "assistant"]
    resumed("died", "And now?")
    said = [item.data["text"] for item in transcripts.items("died") if item.kind == "user"]
    assert said == ["Write a", "And now?"]
    assert transcripts.unheard("died") is None
    transcripts.database.close()
