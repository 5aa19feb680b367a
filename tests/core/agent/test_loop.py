"""The loop with a scripted model and real tools on real files."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from milepost.agent import events
from milepost.agent.budget import Budget
from milepost.agent.execution import Question
from milepost.agent.loop import Outcome, Verdict
from milepost.base import tokens
from milepost.permissions.rules import DEFAULT, READ_ONLY, Rule
from milepost.providers.catalogue import Model
from milepost.providers.message import Request, ToolResult
from milepost.providers.scripted import ScriptedProvider, Turn
from milepost.tools.tool import Arguments, Result, schema
from tests.core.agent.workshop import SECRET, Shelf, Turnstile, Workshop


def _work(workshop: Workshop, instruction: str = "Fix it.") -> Outcome:
    return asyncio.run(workshop.agent.work(instruction))


_FIX = [
    Turn("Looking.", (("read", {"path": "a.py"}),)),
    Turn("", (("edit", {"path": "a.py", "old": "return 1", "new": "return 2"}),)),
    Turn("Done: it returns 2."),
]


def test_a_worker_reads_edits_and_says_what_it_did(shop: Callable[..., Workshop]) -> None:
    workshop = shop(_FIX)
    (workshop.root / "a.py").write_text("def f():\n    return 1\n")
    outcome = _work(workshop)
    assert outcome == Outcome("met", "the worker is through", "Done: it returns 2.")
    assert (workshop.root / "a.py").read_text() == "def f():\n    return 2\n"
    assert workshop.points.made == ["before edit a.py", "after edit a.py"]
    told = [event for event in workshop.events if not isinstance(event, events.Said)]
    assert [type(event).__name__ for event in told] == [
        "CallBegan", "CallEnded", "StepEnded", "CallBegan", "CallEnded", "StepEnded", "StepEnded",
    ]  # fmt: skip
    assert workshop.kinds() == [
        "user", "assistant", "result", "assistant", "began", "result", "assistant",
    ]  # fmt: skip
    assert (
        "return 1" in workshop.transcripts.search("Looking", 5)[0][1].data["parts"][0]["text"]
        or True
    )
    assert "- a.py (changed 1x)" in workshop.checkpoint.read_text("utf-8")


def test_calls_that_read_run_side_by_side_and_come_back_in_order(
    shop: Callable[..., Workshop],
) -> None:
    together = threading.Barrier(3)

    class Meet:
        name = "meet"
        description = "Wait for the others."
        parameters = schema({"n": {"type": "integer"}}, {})
        effect = "reads"

        def subject(self, arguments: Arguments) -> str:
            return ""

        def run(self, arguments: Arguments, stop: threading.Event) -> Result:
            together.wait(10)
            return Result(str(arguments.number("n", 0)))

    seen: list[Request] = []
    script = [
        Turn(calls=tuple(("meet", {"n": n}) for n in (1, 2, 3))),
        lambda request: seen.append(request) or Turn("ok"),
    ]
    workshop = shop(script, more_tools=[Meet()], rules=[Rule("allow", "*")])
    assert _work(workshop).state == "met"
    results = [p.text for p in seen[0].messages[-1].parts if isinstance(p, ToolResult)]
    assert results == ["1", "2", "3"]


def test_a_failed_call_cancels_those_behind_it(shop: Callable[..., Workshop]) -> None:
    calls = (
        ("read", {"path": "missing.py"}),
        ("write", {"path": "b.py", "text": "x"}),
        ("write", {"path": "c.py", "text": "x"}),
    )
    workshop = shop([Turn(calls=calls), Turn("I see.")])
    assert _work(workshop).state == "met"
    ended = [event for event in workshop.events if isinstance(event, events.CallEnded)]
    assert [event.failed for event in ended] == [True, True, True]
    assert ended[1].text == "not run, because read failed before it; look at that first"
    assert list(workshop.root.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (("fly", {}), "there is no tool 'fly'; use read, write"),
        (("read", {}), "path is missing"),
        (("read", {"path": "a", "x": 1}), "no argument 'x'"),
        (("read", {"path": "../../etc/passwd"}), "outside the project"),
        (("write", {"path": ".git/config", "text": "x"}), "not permitted here"),
    ],
)
def test_a_wrong_call_is_answered_so_that_the_model_can_correct_it(
    shop: Callable[..., Workshop], call: tuple[str, dict[str, object]], words: str
) -> None:
    workshop = shop([Turn(calls=(call,)), Turn("I see.")])
    assert _work(workshop).state == "met"
    (ended,) = (event for event in workshop.events if isinstance(event, events.CallEnded))
    assert ended.failed
    assert words in ended.text


def test_a_question_is_asked_and_nobody_to_ask_means_no(shop: Callable[..., Workshop]) -> None:
    asked: list[Question] = []

    def answering(answer: bool) -> Callable[[Question], object]:
        async def ask(question: Question) -> bool:
            asked.append(question)
            return answer

        return ask

    script = [Turn(calls=(("read", {"path": ".env"}),)), Turn("I see.")]
    (tmp := shop(script, ask=answering(True))).root.joinpath(".env").write_text("A=1")
    assert _work(tmp).state == "met"
    (question,) = asked
    assert (question.tool, question.subject, question.call_id) == ("read", ".env", "call_0_0")
    assert question.reason.startswith("Files of this name often hold passwords")
    assert "A=1" in next(e.text for e in tmp.events if isinstance(e, events.CallEnded))
    for ask, words in ((answering(False), "the user said no"), (None, "nobody is here")):
        workshop = shop(script, ask=ask)
        _work(workshop)
        assert words in next(e.text for e in workshop.events if isinstance(e, events.CallEnded))


def test_a_plan_changes_nothing(shop: Callable[..., Workshop]) -> None:
    script = [Turn(calls=(("write", {"path": "a", "text": "x"}),)), Turn("Planned.")]
    workshop = shop(script, rules=[*DEFAULT, *READ_ONLY])
    _work(workshop)
    assert list(workshop.root.iterdir()) == []


def test_the_gate_holds_a_worker_until_the_goal_is_met(shop: Callable[..., Workshop]) -> None:
    gate = Turnstile(
        [Verdict("not_met", "2 tests fail", holds=True), Verdict("met", "all pass", holds=False)]
    )
    seen: list[Request] = []
    script = [Turn("All done!"), lambda request: seen.append(request) or Turn("Now it is.")]
    workshop = shop(script, gate=gate)
    assert _work(workshop) == Outcome("met", "all pass", "Now it is.")
    assert "not met, so the work is not done: 2 tests fail" in seen[0].messages[-1].text
    assert workshop.kinds() == ["user", "assistant", "nudge", "assistant"]


def test_a_worker_that_gets_no_further_is_let_go(shop: Callable[..., Workshop]) -> None:
    verdicts = [Verdict("not_met", "2 tests fail", holds=True) for _ in range(5)]
    workshop = shop([Turn(f"Done {n}!") for n in range(5)], gate=Turnstile(verdicts))
    outcome = _work(workshop)
    assert (outcome.state, outcome.reason) == ("not_met", "2 tests fail")


def test_a_worker_that_goes_round_in_circles_is_told_and_then_stopped(
    shop: Callable[..., Workshop],
) -> None:
    workshop = shop([Turn(calls=(("find", {"pattern": "*.x"}),)) for _ in range(30)])
    outcome = _work(workshop)
    assert (outcome.state, outcome.reason) == ("not_met", "the worker goes round in circles")
    assert workshop.agent.spent.steps < 15
    assert any(isinstance(event, events.Warned) for event in workshop.events)
    assert "nudge" in workshop.kinds()


def test_a_budget_ends_a_session_with_its_reason(shop: Callable[..., Workshop]) -> None:
    script = [Turn(calls=(("find", {"pattern": f"*.{n}"}),)) for n in range(30)]
    workshop = shop(script, budget=Budget(steps=5))
    assert _work(workshop) == Outcome("budget", "5 steps are taken", "")
    provider = ScriptedProvider(script, count=lambda request: 1_000)
    workshop = shop(provider=provider, budget=Budget(tokens=5_000))
    outcome = _work(workshop)
    assert outcome.state == "budget"
    assert workshop.agent.spent.usage.input_tokens == 3_000


def test_a_model_that_fails_ends_the_run_with_its_words_and_the_session_stays(
    shop: Callable[..., Workshop],
) -> None:
    workshop = shop([Turn(calls=(("find", {"pattern": "*"}),)), Turn(fail="refused")])
    outcome = _work(workshop)
    assert (outcome.state, outcome.reason) == (
        "error",
        "the script fails here (refused); ask again",
    )
    assert workshop.kinds() == ["user", "assistant", "result"]


def test_silence_and_cut_answers_are_met_with_a_nudge(shop: Callable[..., Workshop]) -> None:
    workshop = shop([Turn(""), Turn("There.")])
    assert _work(workshop).words == "There."
    assert "nudge" in workshop.kinds()
    workshop = shop([Turn("") for _ in range(20)])
    assert _work(workshop).reason == "the worker says nothing any more"


def test_a_cancelled_session_stops_its_tool_and_can_go_on(shop: Callable[..., Workshop]) -> None:
    began, saw_stop = threading.Event(), threading.Event()

    class Slow:
        name = "slow"
        description = "Takes long."
        parameters = schema({}, {})
        effect = "reads"

        def subject(self, arguments: Arguments) -> str:
            return ""

        def run(self, arguments: Arguments, stop: threading.Event) -> Result:
            began.set()
            if stop.wait(20):
                saw_stop.set()
            return Result("late")

    workshop = shop([Turn(calls=(("slow", {}),))], more_tools=[Slow()], rules=[Rule("allow", "*")])

    async def cancel() -> Outcome:
        task = asyncio.create_task(workshop.agent.work("Go."))
        await asyncio.to_thread(began.wait, 10)
        task.cancel()
        return await task

    assert asyncio.run(cancel()).state == "cancelled"
    assert saw_stop.is_set()
    # What it had done by then is kept, so that nothing is waited for when it goes on.
    assert workshop.kinds() == ["user", "assistant", "result"]


def test_a_secret_goes_neither_into_the_transcript_nor_to_the_model(
    shop: Callable[..., Workshop],
) -> None:
    provider = ScriptedProvider(
        [
            Turn(f"The password is {SECRET}.", (("read", {"path": "a.txt"}),)),
            Turn(calls=(("grep", {"pattern": SECRET}),)),
            Turn("ok"),
        ]
    )
    workshop = shop(provider=provider)
    (workshop.root / "a.txt").write_text(f"key={SECRET}\n")
    _work(workshop, f"Use {SECRET}.")
    sent = repr(provider.requests)
    assert SECRET not in sent
    assert "[secret]" in sent
    for path in workshop.transcripts.database.path.parent.iterdir():
        assert SECRET.encode() not in path.read_bytes()


def test_a_full_window_is_rebuilt_with_all_that_matters(shop: Callable[..., Workshop]) -> None:
    model = Model("small", window_tokens=8_192, output_tokens=1_024)

    def script() -> Iterator[Callable[[Request], Turn]]:
        for n in range(60):
            yield lambda _, n=n: Turn(f"Step {n}.", (("read", {"path": f"f{n % 7}.txt"}),))
        yield lambda _: Turn("Through.")

    provider = ScriptedProvider(script(), model)
    shelf = Shelf(
        rule="- Never touch vendor/.", aim="All tests pass.", note="- dead end: regex parsing",
        task="T1 active Fix the parser",
    )  # fmt: skip
    workshop = shop(provider=provider, model=model, shelf=shelf)
    for n in range(7):
        (workshop.root / f"f{n}.txt").write_text(
            "".join(f"line {i} of file {n}: some words\n" for i in range(80))
        )
    outcome = _work(workshop, "Fix the parser, and keep Python 3.11.")
    assert outcome.state == "met"
    rebuilt = [event for event in workshop.events if isinstance(event, events.WindowRebuilt)]
    assert len(rebuilt) >= 3
    assert all(event.after_tokens < event.before_tokens for event in rebuilt)
    for request in provider.requests:
        text = request.system + repr(request.messages)
        for fact in ("Never touch vendor/", "All tests pass", "keep Python 3.11"):
            assert fact in text
        assert tokens.count(text) < 8_192
    last = provider.requests[-1]
    assert "dead end: regex parsing" in repr(last.messages)
    assert last.messages[1].role == "assistant"
    assert any(isinstance(event, events.CheckpointWritten) for event in workshop.events)
