"""One turn of a chat: what the user says goes in, events come out, a result at the end.

A turn holds the lock of its session, so that there is one at a time in all processes. It is written
down as it goes. It can be cancelled at any moment, from any thread; then what it had said stays,
and what it had begun has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from milepost.agent import events
from milepost.agent.budget import Budget
from milepost.agent.record import Record
from milepost.api.assembly import MODES, Guest
from milepost.api.chat import calls, replay, views
from milepost.api.chat.answer import answer
from milepost.api.chat.prompt import PromptReader
from milepost.api.models import provider_of
from milepost.api.sessions import at_work
from milepost.api.stopping import Stop
from milepost.base.errors import MilepostError, UserError
from milepost.config import models
from milepost.permissions import rules as permissions
from milepost.providers.message import Message, Reply, Text, Usage
from milepost.tools.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from milepost.agent.budget import Spent
    from milepost.agent.compose import Composition
    from milepost.agent.execution import Question
    from milepost.agent.loop import Agent, Outcome
    from milepost.api.chat.prompt import Prompt
    from milepost.api.masking import Masking
    from milepost.api.worker import Worker
    from milepost.api.workspace import Workspace
    from milepost.checkpoints.store import SnapshotStore
    from milepost.history.transcript import Session, Transcripts
    from milepost.providers.provider import Provider
    from milepost.tools.files import Buffers

    Tell = Callable[[views.ChatEvent], None]
    # The answer comes as the id of an option, or None; a turn that is cancelled cancels the future.
    Ask = Callable[[views.PermissionRequest], Future[str | None]]

_STOPS: dict[str, views.StopReason] = {
    "met": "end_turn", "not_met": "not_met", "budget": "budget", "error": "error",
}  # fmt: skip

# What may have changed files, after which the goal holds the turn.
_CHANGING = frozenset({"write", "edit", "shell"})

# An entry's id at the beginning of a line of what a search of memory answered.
_FOUND_ID = re.compile(r"^\[([\w-]+)\]", re.MULTILINE)

_TITLE_CHARS = 80


@dataclass(frozen=True, slots=True)
class Parts:
    """What turns of one project are made with."""

    workspace: Workspace
    worker: Worker
    transcripts: Transcripts
    snapshots: SnapshotStore
    masking: Masking
    plan: Callable[[], views.Plan]
    folder: Callable[[str], Path]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a guest wants of a turn: a session of before or (None) a new one, with the id `new` when
    it has one already, the blocks of the prompt, how to work, and who hears and answers."""

    session: str | None
    blocks: Sequence[views.Block]
    tell: Tell
    mode: str = "build"
    model: str | None = None
    ask: Ask | None = None
    buffers: Buffers | None = None
    new: str | None = None


@dataclass(slots=True)
class _Known:
    """What a session knows when a turn begins."""

    steps: int = 0
    reminded: set[str] = field(default_factory=set[str])
    allowed: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])


class Turn:
    """A turn that is to run, runs, or has run."""

    def __init__(
        self,
        parts: Parts,
        wish: Wish,
        begun: Callable[[Turn], None],
        ended: Callable[[Turn], None],
    ) -> None:
        """`begun` is told when the session is known and its lock is held, `ended` before it is let
        go."""
        self._parts = parts
        self._wish = wish
        self._begun = begun
        self._ended = ended
        self._stop = Stop(lambda: self._turn)
        self.session = wish.session or ""
        self._turn = ""
        self._known = _Known()
        self._shown: set[str] = set()
        self._has_changed = False
        self._goal_id: str | None = None
        self._spent: Callable[[], views.TurnUsage] = views.TurnUsage

    @property
    def has_begun(self) -> bool:
        """Whether what the user said is kept in the session."""
        return self._turn != ""

    @property
    def id(self) -> str:
        """The turn's id; empty before it has begun."""
        return self._turn

    def cancel(self) -> None:
        """End the turn as soon as can be; from any thread, at any time."""
        self._stop.want()

    def run(self) -> views.TurnResult:
        """Run to its end; blocks. Raises UserError when something about the wish is wrong or the
        session is at work already: then nothing has changed. A model that fails is a result."""
        wish = self._wish
        if wish.mode not in MODES:
            raise UserError(f"there is no mode {wish.mode!r}; use one of {', '.join(MODES)}")
        provider = None
        if models.is_named(wish.model):
            provider = provider_of(models.working_model(wish.model))
        reader = PromptReader(self._parts.workspace.memory, self._parts.worker.files(wish.buffers))
        if wish.session is None:
            prompt = reader.read(wish.blocks)
            session = self._new_session(prompt.words)
            with self._exclusive(session):
                return self._run(session, prompt, provider, is_new=True)
        session = self._parts.transcripts.get(wish.session)
        with self._exclusive(session):
            self._settle(session)
            prompt = reader.read(wish.blocks, self._known.reminded)
            return self._run(session, prompt, provider, is_new=False)

    @contextlib.contextmanager
    def _exclusive(self, session: Session) -> Generator[None]:
        self.session = session.id
        with (
            at_work(self._parts.folder(session.id)),
            self._stop.heeded(self._parts.transcripts, session.id),
        ):
            self._begun(self)
            try:
                yield
            finally:
                self._ended(self)

    def _new_session(self, words: str) -> Session:
        title = " ".join(self._parts.masking.text(words).split())
        if len(title) > _TITLE_CHARS:
            title = f"{title[: _TITLE_CHARS - 1]}…"
        actor, session_id = self._parts.workspace.actor, self._wish.new
        return self._parts.transcripts.create(title, actor, session_id=session_id)

    def _settle(self, session: Session) -> None:
        """Learn what the session knows; end a turn of before whose process died."""
        transcripts = self._parts.transcripts
        record = Record(transcripts, session.id, self._parts.masking.text, Seen())
        past = record.load()
        record.settle()
        is_open = False
        for item in transcripts.in_force(session.id):
            match item.kind:
                case "user":
                    is_open = True
                case "ended":
                    is_open = False
                case "recalled":
                    self._known.reminded.update(entry["id"] for entry in item.data["entries"])
                case "allowed":
                    self._known.allowed.add((item.data["tool"], item.data["subject"]))
                case _:
                    pass
        self._known.steps = len(past.taken)
        if is_open and session.state == "running":
            self._keep(views.TurnEnded("error", replay.BROKEN, views.TurnUsage()))

    def _run(
        self, session: Session, prompt: Prompt, provider: Provider | None, *, is_new: bool
    ) -> views.TurnResult:
        self._parts.transcripts.set_state(session.id, "running", mode=self._wish.mode)
        record = Record(self._parts.transcripts, session.id, self._parts.masking.text, Seen())
        point = self._point(session, prompt.words)
        record.user(prompt.words, prompt.attached, {"mode": self._wish.mode})
        self._turn = str(record.last)
        if is_new:
            self._tell(views.TitleSet(session.title))
        self._say(point)
        if prompt.recalled:
            self._say(views.MemoryRecall(prompt.recalled))
        try:
            if provider is None:
                self._answer_alone(record, prompt)
                ended = views.TurnEnded("end_turn", "no model is configured", views.TurnUsage())
            else:
                ended = self._work(session, provider)
        except MilepostError as error:
            ended = views.TurnEnded("error", str(error), self._spent())
        self._keep(ended)
        self._parts.transcripts.set_state(session.id, "active")
        self._tell(ended)
        return views.TurnResult(
            session.id, self._turn, ended.stop_reason, ended.message, ended.usage
        )

    def _point(self, session: Session, words: str) -> views.PointMade | views.ChatNotice:
        """Make the restore point to which the user can go back from this turn, before it is in the
        conversation; what to say of it."""
        try:
            points = self._parts.workspace.checkpoints.within(session.id)
            point = points.turn(self._parts.masking.text(words))
        except MilepostError as error:
            return views.ChatNotice("warning", f"no restore point was made: {error}")
        return views.PointMade(point.id, point.label)

    def _answer_alone(self, record: Record, prompt: Prompt) -> None:
        parts = self._parts
        text = answer(
            prompt.words,
            prompt.recalled,
            parts.workspace.history,
            parts.transcripts,
            int(self._turn),
        )
        said = Message("assistant", (Text(text),))
        record.reply(Reply(said, "end", Usage(is_estimate=True), 0.0))
        self._tell(views.AgentChunk(text))

    def _work(self, session: Session, provider: Provider) -> views.TurnEnded:
        wish = self._wish
        rules = (*permissions.DEFAULT, *(permissions.READ_ONLY if wish.mode == "plan" else ()))
        limits = Budget(steps=self._known.steps + Budget().steps)
        self._goal_id = self._active_goal() if wish.mode != "plan" else None
        agent = self._parts.worker.agent(
            session,
            provider,
            rules,
            limits,
            wish.mode,
            self._goal_id,
            Guest(
                self._hear,
                self._answered if wish.ask else None,
                # A question is answered and left at that; work that was begun must reach the goal.
                holds=lambda: self._has_changed,
                buffers=wish.buffers,
            ),
        )

        async def work() -> Outcome:
            try:
                await agent.resume()
                self._spent = _since(agent)
                return await agent.work(None)
            finally:
                await provider.close()

        outcome = self._stop.run(work())
        if outcome is None or outcome.state == "cancelled":
            return views.TurnEnded("cancelled", self._stop.words, self._spent())
        stop = "refusal" if self._is_refused() else _STOPS[outcome.state]
        return views.TurnEnded(stop, outcome.reason, self._spent())

    def _active_goal(self) -> str | None:
        goals = self._parts.workspace.goals.page()
        return next((goal.id for goal in goals if goal.state == "active"), None)

    def _is_refused(self) -> bool:
        """Whether the model would not answer."""
        newest = self._parts.transcripts.newest(self.session, 8)
        said = [item.data["stop"] for item in newest if item.kind == "assistant"]
        return bool(said) and said[-1] == "refused"

    # What the worker asks and tells

    async def _answered(self, question: Question) -> bool:
        """Whether the user allows a call; nobody's answer means no."""
        if (question.tool, question.subject) in self._known.allowed:
            return True
        assert self._wish.ask is not None  # noqa: S101  (else nobody is asked)
        shown = calls.shown(question.call_id, question.tool, question.subject, "pending")
        self._shown.add(question.call_id)
        self._tell(shown)
        future = self._wish.ask(
            views.PermissionRequest(
                session=self.session,
                turn=self._turn,
                call_id=question.call_id,
                title=shown.title,
                subject=question.subject,
                reason=question.reason,
                options=calls.answers(question.tool),
            )
        )
        waited = asyncio.wrap_future(future)
        try:
            await asyncio.wait([waited])
        except asyncio.CancelledError:
            waited.cancel()
            raise
        if waited.cancelled() or waited.exception() is not None:
            return False
        option = waited.result()
        if option == "allow_always":
            self._known.allowed.add((question.tool, question.subject))
            kept = {"tool": question.tool, "subject": self._parts.masking.text(question.subject)}
            self._parts.transcripts.append(self.session, "allowed", kept)
        return option in {"allow_once", "allow_always"}

    def _hear(self, event: events.Event) -> None:
        match event:
            case events.Said(text, is_thought):
                self._tell(views.ThoughtChunk(text) if is_thought else views.AgentChunk(text))
            case events.TookBack(reason):
                self._tell(views.MessageReset(reason))
            case events.CallBegan(call_id, tool, subject):
                self._has_changed = self._has_changed or tool in _CHANGING
                if call_id in self._shown:
                    self._tell(views.CallUpdate(call_id, "in_progress"))
                else:
                    self._shown.add(call_id)
                    self._tell(calls.shown(call_id, tool, subject, "in_progress"))
            case events.CallEnded():
                self._hear_end(event)
            case events.StepEnded(step, _, _, window_share):
                spent = self._spent()
                step -= self._known.steps
                self._tell(views.UsageUpdate(spent, round(window_share, 3), step))
            case events.WindowRebuilt():
                self._tell(replay.PUT_AWAY)
            case events.Warned() | events.PhaseBegan() | events.PhaseEnded():
                self._say(_notice(event))
            case events.Judged(verdict, reason):
                self._say(views.GoalJudged(self._goal_id, verdict, reason))
            case events.CheckpointWritten():
                pass

    def _hear_end(self, event: events.CallEnded) -> None:
        if event.call_id not in self._shown:
            # It was refused before it began.
            self._tell(calls.shown(event.call_id, event.tool, "", "failed"))
        points = event.before_id, event.after_id
        diffs = calls.diffs_between(self._parts.snapshots, *points, event.paths)
        self._tell(
            calls.ended(event.call_id, event.text, failed=event.failed, diffs=diffs, points=points)
        )
        if event.failed:
            return
        if event.tool in replay.PLANNING:
            self._tell(self._parts.plan())
        elif event.tool == "memory_search":
            self._say_found(event.text)

    def _say_found(self, text: str) -> None:
        """Show which entries a search of the worker's found."""
        reader = PromptReader(self._parts.workspace.memory, self._parts.worker.files())
        found: list[views.Recalled] = []
        for entry_id in dict.fromkeys(_FOUND_ID.findall(text)):
            # An entry may have been forgotten meanwhile.
            with contextlib.suppress(MilepostError):
                found.append(reader.located(self._parts.workspace.memory.get(entry_id)))
        if found:
            self._say(views.MemoryRecall(tuple(found)))

    def _say(self, update: views.ChatUpdate) -> None:
        """Tell what the transcript would not have otherwise, and keep it there."""
        self._keep(update)
        self._tell(update)

    def _keep(self, update: views.ChatUpdate) -> None:
        kept = replay.to_data(update)
        if kept is not None:
            self._parts.transcripts.append(self.session, *kept)

    def _tell(self, update: views.ChatUpdate) -> None:
        self._wish.tell(views.ChatEvent(self.session, self._turn, update))


def _notice(event: events.Warned | events.PhaseBegan | events.PhaseEnded) -> views.ChatNotice:
    match event:
        case events.Warned(text):
            return views.ChatNotice("warning", text)
        case events.PhaseBegan(name, _):
            return views.ChatNotice("info", f"phase: {name}")
        case events.PhaseEnded(name, verdict, reason):
            return views.ChatNotice("info", f"{name}: {verdict} {reason}".strip())


def _since(agent: Agent | Composition) -> Callable[[], views.TurnUsage]:
    """What the agent took from now on, whenever that is asked."""
    spent: Spent = agent.spent
    before, before_usd = spent.usage, spent.cost_usd

    def taken() -> views.TurnUsage:
        return views.TurnUsage(
            spent.usage.input_tokens - before.input_tokens,
            spent.usage.output_tokens - before.output_tokens,
            round(spent.cost_usd - before_usd, 6) if spent.is_cost_known else None,
        )

    return taken
