"""Composing: a piece of work in five phases, spec, plan, implement, verify, review.

Each phase is the same loop with words, permissions and a window of its own, filled from what is
kept: the user's words, rules, notes, tasks, and what the phases before it handed on. So the one
that reviews knows nothing of what the one that built thought of its work. Verify and review may
send the work back to implement, so many times. Where a composition stands is in the transcript, so
that another process goes on where this one was killed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from milepost.agent.budget import Spent
from milepost.agent.conclude import Conclude
from milepost.agent.events import Judged, PhaseBegan, PhaseEnded, Warned
from milepost.agent.loop import Outcome, count
from milepost.agent.phases import PHASES, Phase
from milepost.agent.position import Position, position_of
from milepost.base import tokens
from milepost.base.errors import MilepostError

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost.agent.events import Event
    from milepost.agent.loop import Agent, Gate
    from milepost.agent.record import Record

# How often the work is built before it is given up: once, and again after being sent back.
MOST_ROUNDS = 4

# How often a phase that has to decide and does not is reminded of it.
_REMINDERS = 2

# What spec and plan take of a window each, and the changes that a review looks at.
_HANDED_SHARE = 0.08
_CHANGES_SHARE = 0.25

_UNDECIDED = "Decide with the conclude tool; words alone do not count."


class Changes(Protocol):
    """What was changed since a moment."""

    def mark(self) -> int:
        """A moment to compare with later. Raises MilepostError."""
        ...

    def since(self, mark: int, budget_tokens: int) -> str:
        """What is other than it was then, as a diff. Raises MilepostError."""
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """What a phase is made with: its system text, and the tool by which it decides, if it does."""

    phase: Phase
    system: str
    conclude: Conclude | None
    spent: Spent


class Composition:
    """The phases of one session; it works and resumes as a loop does."""

    def __init__(
        self,
        record: Record,
        make: Callable[[Made], Agent],
        gate: Gate,
        changes: Changes,
        window_tokens: int,
        tell: Callable[[Event], None],
    ) -> None:
        """`make` puts a phase's loop together."""
        self.spent = Spent()
        self._record = record
        self._make = make
        self._gate = gate
        self._changes = changes
        self._window_tokens = window_tokens
        self._tell = tell
        self._position = Position([])
        self._agent: Agent | None = None
        self._words = ""

    async def resume(self) -> None:
        """Take up a session: of a phase that is open, what its last reply asked for is finished."""
        past = self._record.load()
        self.spent.take(past)
        self._position = position_of(self._record.items())
        if self._position.open_phase is not None:
            self._tell(PhaseBegan(self._position.open_phase, self._position.rounds + 1))
            self._agent = self._phase(PHASES[self._position.open_phase])
            await self._agent.resume()

    async def work(self, instruction: str | None) -> Outcome:
        """Work on what the user says (None: go on) through all phases."""
        if instruction is not None and self._agent is None:
            self._record.user(instruction)
            instruction = None
        try:
            return await self._through(instruction)
        except asyncio.CancelledError:
            return Outcome("cancelled", "it was cancelled", self._words)

    async def _through(self, instruction: str | None) -> Outcome:
        while True:
            phase = self._next()
            if isinstance(phase, Outcome):
                self._record.note("composed", {"state": phase.state, "reason": phase.reason})
                return phase
            if phase.name != self._position.open_phase:
                self._open(phase)
            outcome = await self._run(phase, instruction)
            if outcome is not None:
                return outcome
            instruction, self._agent = None, None
            self._position = position_of(self._record.items())

    def _next(self) -> Phase | Outcome:
        """The phase that is open, or comes next; how it ended when none does."""
        position = self._position
        if position.open_phase is not None:
            return PHASES[position.open_phase]
        if not position.ended:
            return PHASES["spec"]
        last = position.ended[-1]
        if last.verdict != "back":
            after = PHASES[last.phase].after
            return PHASES[after] if after else Outcome("met", last.reason, self._words)
        if position.rounds >= MOST_ROUNDS:
            reason = f"sent back {MOST_ROUNDS} times, the last time by {last.phase}: {last.reason}"
            return Outcome("not_met", reason, self._words)
        return PHASES["implement"]

    def _open(self, phase: Phase) -> None:
        mark = self._position.mark
        if phase.name == "implement" and mark is None:
            mark = self._mark()
        number = self._record.begin_phase(phase.name, mark, is_fresh=phase.name != "spec")
        self._position.open_phase, self._position.open_since = phase.name, number
        self._position.has_begun, self._position.decided = False, None
        self._position.mark = mark
        self._tell(PhaseBegan(phase.name, self._position.rounds + 1))

    async def _run(self, phase: Phase, instruction: str | None) -> Outcome | None:
        """Go through a phase; an outcome when the composition ends in it."""
        if phase.name == "verify":
            verdict = await self._gate.look()
            if verdict is not None:
                count(verdict, self.spent, self._record)
                self._tell(Judged(verdict.verdict, verdict.reason))
                if not verdict.holds and verdict.verdict != "met":
                    return Outcome("not_met", verdict.reason, self._words)
                how = "back" if verdict.holds else "pass"
                self._end(phase, f"{verdict.verdict}: {verdict.reason}", how, verdict.reason)
                return None
        if self._agent is None:
            self._agent = self._phase(phase)
            await self._agent.resume()
        outcome = await self._worked(phase, self._agent, instruction)
        if outcome.state != "met":
            return outcome
        verdict_words = self._decision(phase)
        if verdict_words is None:
            return Outcome("not_met", f"{phase.name} came to no decision", outcome.words)
        self._words = outcome.words
        self._end(phase, outcome.words, *verdict_words)
        return None

    async def _worked(self, phase: Phase, agent: Agent, instruction: str | None) -> Outcome:
        if not self._position.has_begun:
            agent.nudge(self._begin_words(phase))
        outcome = await agent.work(instruction)
        for _ in range(_REMINDERS):
            if outcome.state != "met" or self._decision(phase) is not None:
                break
            agent.nudge(_UNDECIDED)
            outcome = await agent.work(None)
        return outcome

    def _decision(self, phase: Phase) -> tuple[str, str] | None:
        if not phase.decides:
            return "done", ""
        return position_of(self._record.items(self._position.open_since - 1)).decided

    def _end(self, phase: Phase, said: str, verdict: str, reason: str) -> None:
        data = {"phase": phase.name, "words": said, "verdict": verdict, "reason": reason}
        self._record.note("phase_ended", data)
        self._tell(PhaseEnded(phase.name, verdict, reason))

    def _phase(self, phase: Phase) -> Agent:
        conclude = Conclude(self._record) if phase.decides else None
        room = int(self._window_tokens * _HANDED_SHARE)
        handed = [
            f"## The {name}, as it was agreed\n\n{tokens.clip(text, room)}"
            for name in phase.sees
            if (text := self._position.handed(name))
        ]
        return self._make(Made(phase, "\n\n".join([phase.words, *handed]), conclude, self.spent))

    def _begin_words(self, phase: Phase) -> str:
        """What a phase is told first."""
        last = self._position.ended[-1] if self._position.ended else None
        lines = [phase.begins]
        if phase.name == "implement" and last is not None and last.verdict == "back":
            lines.append(f"The work was sent back by {last.phase}: {last.reason}")
        if phase.name == "review" and self._position.mark is not None:
            room = int(self._window_tokens * _CHANGES_SHARE)
            changed = self._changed(self._position.mark, room)
            lines.append(f"What was found when it was verified: {self._position.handed('verify')}")
            lines.append(f"What was changed:\n\n{changed}")
        return "\n\n".join(lines)

    def _mark(self) -> int | None:
        try:
            return self._changes.mark()
        except MilepostError as error:
            self._tell(Warned(f"the review will not see what was changed: {error}"))
            return None

    def _changed(self, mark: int, room_tokens: int) -> str:
        try:
            return self._changes.since(mark, room_tokens)
        except MilepostError as error:
            return f"(what was changed cannot be shown: {error})"
