"""The worker as the guests see it: an instruction in, events out, an outcome at the end."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from milepost.agent import loop
from milepost.agent.budget import Budget
from milepost.agent.events import Warned
from milepost.api import run_views
from milepost.api.assembly import MODES, Assembly, Guest
from milepost.api.models import provider_of
from milepost.api.sessions import at_work
from milepost.api.stopping import Stop
from milepost.api.watching import seen as seen_as_view
from milepost.base.errors import MilepostError, UserError
from milepost.config import models
from milepost.history.transcript import ASKED
from milepost.permissions import rules as permissions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from milepost.agent.events import Event
    from milepost.agent.execution import Question
    from milepost.api.masking import Masking
    from milepost.api.workspace import Workspace
    from milepost.history.transcript import Session, Transcripts

    Tell = Callable[[run_views.RunEvent], None]
    Ask = Callable[[run_views.Question], bool]
    _Given = dict[str, Any]

# The kind of an item that holds a session's limits.
_LIMITS = "budget"


class Worker:
    """The worker of one workspace."""

    def __init__(
        self,
        workspace: Workspace,
        transcripts: Transcripts,
        masking: Masking,
        assembly: Assembly,
    ) -> None:
        self._workspace = workspace
        self._transcripts = transcripts
        self._masking = masking
        self.agent, self.files, self._folder = assembly.agent, assembly.files, assembly.folder
        self._caution = assembly.caution

    def run(  # noqa: PLR0913  (what a user can say of a run, each with a default)
        self,
        instruction: str | None,
        *,
        model: str | None = None,
        mode: str | None = None,
        resume: str | None = None,
        allow: Sequence[str] = (),
        max_steps: int | None = None,
        max_tokens: int | None = None,
        max_cost_usd: float | None = None,
        goal_id: str | None = None,
        checks: Sequence[str] = (),
        tell: Tell,
        ask: Ask | None = None,
    ) -> run_views.RunOutcome:
        """Work on what the user says until it is done; blocks. With `resume` in a session of
        before, in its mode and within its limits, as far as no others are given. `allow` are
        permission rules of the user's; `goal_id` is the goal that holds the worker, and with
        `checks` it is a new one, which is met when they hold. `tell` hears what happens; `ask`
        answers what needs permission, and without it the answer is no. Raises UserError when an
        argument is wrong; a model that fails is an outcome.
        """
        if mode is not None and mode not in MODES:
            raise UserError(f"there is no mode {mode!r}; use one of {', '.join(MODES)}")
        if instruction is None and resume is None:
            raise UserError("there is nothing to do; say what, or which session to resume")
        provider = provider_of(models.working_model(model))
        rules = (*permissions.DEFAULT, *map(permissions.parse, allow))
        limited = {"steps": max_steps, "tokens": max_tokens, "cost_usd": max_cost_usd}
        given = {key: value for key, value in limited.items() if value is not None}
        goal_id = self._goal(instruction, checks, resume) if checks else goal_id
        session = self._session(instruction, resume, mode, given)

        def hear(event: Event) -> None:
            tell(seen_as_view(event))

        async def answered(question: Question) -> bool:
            asked = run_views.Question(question.tool, question.subject, question.reason)
            return ask is not None and await asyncio.to_thread(ask, asked)

        stop = Stop()
        with at_work(self._folder(session.id)), stop.heeded(self._transcripts, session.id):
            if resume is not None:
                instruction = self._asked(session.id, instruction)
            mode = mode or session.mode
            if mode == "plan":
                rules = (*rules, *permissions.READ_ONLY)
            limits = self._limits(session.id, given)
            guest = Guest(hear, answered if ask else None)
            agent = self.agent(session, provider, rules, limits, mode, goal_id, guest)

            async def work() -> loop.Outcome:
                if resume is not None:
                    await agent.resume()
                try:
                    return await agent.work(instruction)
                finally:
                    await provider.close()

            self._transcripts.set_state(session.id, "running", mode=mode)
            self._begin_turn(session.id, instruction, tell)
            caution = "" if mode == "plan" else self._caution()
            if caution:
                hear(Warned(caution))
            outcome = stop.run(work()) or loop.Outcome("cancelled", stop.words)
            if outcome.state == "cancelled":
                outcome = replace(outcome, reason=stop.words)
                if stop.by:
                    kept = {"level": "info", "text": f"The run ended: {stop.words}."}
                    self._transcripts.append(session.id, "notice", kept)
            self._transcripts.set_state(session.id, "ended")
        spent = agent.spent
        return run_views.RunOutcome(
            session=session.id,
            state=outcome.state,
            reason=outcome.reason,
            words=outcome.words,
            steps=spent.steps,
            input_tokens=spent.usage.input_tokens,
            output_tokens=spent.usage.output_tokens,
            cost_usd=spent.cost_usd if spent.is_cost_known else None,
        )

    def _begin_turn(self, session_id: str, instruction: str | None, tell: Tell) -> None:
        """A restore point before anything comes of what the user says."""
        words = "resumed" if instruction is None else self._masking.text(instruction)
        try:
            self._workspace.checkpoints.within(session_id).turn(words)
        except MilepostError as error:
            tell(seen_as_view(Warned(f"no restore point was made: {error}")))

    def _goal(self, instruction: str | None, checks: Sequence[str], resume: str | None) -> str:
        """A goal with these checks. All else that may be refused comes before it, and the session
        after it: a bad check must not leave one that is empty."""
        if resume is not None:
            self._transcripts.get(resume)
        return self._workspace.goals.set(instruction or "the checks pass", checks=checks).id

    def _session(
        self, instruction: str | None, resume: str | None, mode: str | None, given: _Given
    ) -> Session:
        """The session to work in; a new one is made with all that the user says of it. Raises
        UserError when there is none with this id."""
        if resume is not None:
            return self._transcripts.get(resume)
        words = self._masking.text(instruction or "")
        items: list[tuple[str, dict[str, object]]] = [(ASKED, {"text": words})]
        if given:
            items.append((_LIMITS, asdict(Budget(**given))))
        return self._transcripts.create(
            words,
            self._workspace.actor,
            session_id=self._workspace.session,
            mode=mode or "build",
            items=items,
        )

    def _asked(self, session: str, instruction: str | None) -> str | None:
        """What is to be said in a session of before: the instruction, which is kept from now on,
        or without one what no model has heard yet. Raises UserError when nothing was ever asked
        for."""
        if instruction is not None:
            words = self._masking.text(instruction)
            self._transcripts.append(session, ASKED, {"text": words})
            return instruction
        unheard = self._transcripts.unheard(session)
        heard = self._transcripts.last_of(session, "user", before=sys.maxsize)
        if unheard is None and heard is None:
            raise UserError("nothing was asked for in this session yet; say what is to be done")
        return unheard

    def _limits(self, session: str, given: _Given) -> Budget:
        """The limits of a session: those that the user gives now, else those given before."""
        before = Budget()
        found = self._transcripts.last_of(session, _LIMITS, before=sys.maxsize)
        if found is not None:
            before = Budget(**self._transcripts.items(session, after=found - 1, limit=1)[0].data)
        limits = replace(before, **given)
        if limits != before:
            self._transcripts.append(session, _LIMITS, asdict(limits))
        return limits
