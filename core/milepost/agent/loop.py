"""The loop: ask the model, run its tools, and again, until the goal lets it stop.

A session is one object of this class and one transcript. It can be cancelled at any point, and be
taken up again by another process. Whoever watches gets events; whoever must not be lost is in the
transcript.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from milepost.agent.budget import Spent
from milepost.agent.events import Judged, Said, StepEnded, TookBack, Warned, WindowRebuilt
from milepost.agent.repetition import Repetition
from milepost.agent.state import state_text, system_text
from milepost.providers.message import (
    Finished,
    Message,
    Restarted,
    TextDelta,
    ThoughtDelta,
    Tool,
)
from milepost.providers.provider import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from milepost.agent.budget import Budget, Taken
    from milepost.agent.events import Event
    from milepost.agent.execution import Execution
    from milepost.agent.record import Record
    from milepost.agent.scribe import Scribe
    from milepost.agent.state import Keeper
    from milepost.agent.window import Window
    from milepost.providers.message import Reply, ToolCall, ToolResult
    from milepost.providers.provider import Provider
    from milepost.tools import tool as tools

# How often the gate sends a worker back with the same reason before it is taken to be stuck.
_SAME_VERDICT = 3

# A conversation that the server finds too long after all is made shorter so often.
_SHORTENED = 2

# What a worker is told whose answer has no end: it was too long, or its session was stopped in it.
_CUT_OFF = {
    "length": "Your answer was cut off at its limit. Go on, in smaller pieces.",
    "broken_off": "Your answer broke off before its end. Go on.",
}

_SILENT = "You ended your turn without a word and without a tool. Go on, or say what is the matter."


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: `met` (the goal, or no goal and the worker is through), `not_met` (it gave
    up, or goes round in circles), `budget`, `error` or `cancelled`."""

    state: Literal["met", "not_met", "budget", "error", "cancelled"]
    reason: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found. `holds` says that the worker may not stop, for `reason`; `taken` is what
    a judge took."""

    verdict: str
    reason: str
    holds: bool
    taken: tuple[Taken, ...] = ()


class Gate(Protocol):
    """Decides whether the worker may stop."""

    async def look(self) -> Verdict | None:
        """Verify the goal; None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session is made of."""

    provider: Provider
    window: Window
    execution: Execution
    record: Record
    keeper: Keeper
    scribe: Scribe
    gate: Gate
    system: str
    tell: Callable[[Event], None]
    budget: Budget


def count(verdict: Verdict, spent: Spent, record: Record) -> None:
    """Count what a verdict took as the session's."""
    for each in verdict.taken:
        spent.add(each.usage, each.cost_usd)
        record.took("judge", each.model, each.usage, each.cost_usd)


def offered(hands: Iterable[tools.Tool]) -> tuple[Tool, ...]:
    """The tools as a model is told of them."""
    return tuple(Tool(tool.name, tool.description, tool.parameters) for tool in hands)


class Agent:
    """The worker of one session."""

    def __init__(self, parts: Parts, spent: Spent | None = None) -> None:
        """`spent` is what the session took so far, where somebody else counts it; otherwise it is
        counted here."""
        self._counts_past = spent is None
        self._parts = parts
        self._record = parts.record
        self._window = parts.window
        self._repetition = Repetition()
        self.spent = spent or Spent()
        self._words = ""
        self._closing: tuple[Message, str] | None = None
        self._window.set_system(self._system())

    async def work(self, instruction: str | None) -> Outcome:
        """Work on what the user says (None: go on where the session stands) until it is done."""
        try:
            if instruction is not None:
                self._closing = None
                self._window.add(self._record.user(instruction), self._record.last)
            return await self._until_done()
        except ModelError as error:
            return Outcome("error", str(error), self._words)
        except asyncio.CancelledError:
            return Outcome("cancelled", "it was cancelled", self._words)
        finally:
            await self._parts.scribe.finish()

    async def resume(self) -> None:
        """Take up a session that another process began: fill the window and finish what its last
        reply had asked for. A reply that asked for nothing is not asked for again: the next `work`
        goes on from it, unless something is said before."""
        past = self._record.load()
        if past.was_rebuilt:
            self._window.rebuild(self._system(), self._state())
        for number, message in past.messages:
            self._window.add(message, number)
        if self._counts_past:
            self.spent.take(past)
        await self._run(past.open_calls)
        self._closing = past.closing

    def nudge(self, text: str) -> None:
        """Tell the worker something that is not the user's word."""
        self._closing = None
        self._window.add(self._record.nudge(text), self._record.last)

    async def _until_done(self) -> Outcome:
        verdicts: list[str] = []
        while True:
            limit = self.spent.exceeded(self._parts.budget)
            if limit is not None:
                return Outcome("budget", limit, self._words)
            message, stop = self._closing or await self._step()
            self._closing = None
            if message.calls:
                if self._goes_round():
                    return Outcome("not_met", "the worker goes round in circles", self._words)
                continue
            if stop in _CUT_OFF:
                self.nudge(_CUT_OFF[stop])
                continue
            if not message.text.strip():
                if self._goes_round():
                    return Outcome("not_met", "the worker says nothing any more", self._words)
                self.nudge(_SILENT)
                continue
            self._words = message.text
            verdict = await self._parts.gate.look()
            if verdict is None:
                return Outcome("met", "the worker is through", self._words)
            count(verdict, self.spent, self._record)
            self._parts.tell(Judged(verdict.verdict, verdict.reason))
            if not verdict.holds:
                state = "met" if verdict.verdict == "met" else "not_met"
                return Outcome(state, verdict.reason, self._words)
            verdicts.append(verdict.reason)
            if verdicts[-_SAME_VERDICT:] == [verdict.reason] * _SAME_VERDICT:
                return Outcome("not_met", verdict.reason, self._words)
            self.nudge(f"The goal is not met, so the work is not done: {verdict.reason}")

    async def _step(self) -> tuple[Message, str]:
        """Ask once, and run what the answer asks for; the answer, and why it ended."""
        await self._make_room()
        reply = await self._ask()
        message = self._record.reply(reply, self._parts.provider.model.name)
        self.spent.steps += 1
        self.spent.add(reply.usage, reply.cost_usd)
        self._window.correct(reply.usage)
        self._window.add(message, self._record.last)
        results = await self._run(message.calls)
        self._repetition.note(message, tuple(result.text for result in results))
        self._parts.tell(
            StepEnded(self.spent.steps, reply.usage, reply.cost_usd, self._window.share)
        )
        if self._window.is_due():
            self._parts.scribe.start(self.spent)
        return message, reply.stop

    async def _run(self, calls: tuple[ToolCall, ...]) -> tuple[ToolResult, ...]:
        results = await self._parts.execution.run(calls)
        if results:
            self._window.add(Message("user", results), self._record.last)
        return results

    async def _ask(self) -> Reply:
        """The model's answer. A conversation that the server finds too long is made shorter."""
        for attempt in range(_SHORTENED + 1):
            try:
                return await self._answer()
            except ModelError as error:
                if error.kind != "too_long" or attempt == _SHORTENED:
                    raise
                await self._rebuild()
        raise AssertionError  # the last attempt returns or raises

    async def _answer(self) -> Reply:
        said: list[str] = []
        try:
            async for event in self._parts.provider.stream(self._window.request()):
                match event:
                    case TextDelta(text):
                        said.append(text)
                        self._parts.tell(Said(text))
                    case ThoughtDelta(text):
                        self._parts.tell(Said(text, is_thought=True))
                    case Restarted(reason):
                        said.clear()
                        self._parts.tell(TookBack(reason))
                    case Finished(reply):
                        return reply
                    case _:
                        pass
        except (ModelError, asyncio.CancelledError):
            self._record.broken_off("".join(said))
            raise
        raise ModelError("the model ended its reply in the middle; ask again", "nonsense")

    async def _make_room(self) -> None:
        if self._window.must_be_rebuilt():
            await self._rebuild()
        if self._window.share > 1:
            room = self._window.usable_tokens
            message = f"what must be in the window does not fit into {room:,} tokens"
            raise ModelError(f"{message}; use a model with a larger one", "too_long")

    async def _rebuild(self) -> None:
        before = self._window.tokens
        await self._parts.scribe.be_level(self.spent)
        self._record.rebuilt(self._window.rebuild(self._system(), self._state()))
        self._parts.tell(WindowRebuilt(before, self._window.tokens))

    def _system(self) -> str:
        return system_text(self._parts.system, self._parts.keeper, self._window.free_tokens)

    def _state(self) -> str:
        return state_text(self._parts.keeper, self._record.said, self._window.free_tokens)

    def _goes_round(self) -> bool:
        """Whether the worker goes round in circles though it was told."""
        sign = self._repetition.sign()
        if sign is None:
            return False
        if self._repetition.is_beyond_help():
            return True
        self._parts.tell(Warned(f"the worker may be going round in circles: {sign}"))
        self.nudge(
            f"You may be going round in circles: {sign}. Step back: say what you know, what you "
            "tried, and choose another way, or say that it cannot be done and why."
        )
        return False
