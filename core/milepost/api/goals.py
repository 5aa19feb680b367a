"""Goals as the guests see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.api import goal_views, views
from milepost.api.judging import judge_of, judge_tried
from milepost.base.errors import UserError
from milepost.checkpoints.rows import LOOKED
from milepost.goals.check import DEFAULT_TIMEOUT_S
from milepost.goals.goal import Budget, checked_condition, is_user, sound_budget
from milepost.goals.proposals import of_test, proposals
from milepost.goals.setting import read_checks
from milepost.goals.tampering.signs import signs_of
from milepost.goals.verify import Verifier

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection, Sequence

    from milepost.api.masking import Masking
    from milepost.api.takings import Took
    from milepost.base.sandbox.choice import Sandbox
    from milepost.checkpoints.store import SnapshotStore
    from milepost.goals.check import Check
    from milepost.goals.evidence import Evidence
    from milepost.goals.goal import Goal
    from milepost.goals.ledger import Ledger
    from milepost.goals.tampering.change import Sign
    from milepost.providers.message import Usage

    Progress = Callable[[int, int, str], None]

MAX_PAGE = 200


class Goals:
    """The goals of a project, verified on the workspace that is open."""

    def __init__(
        self,
        ledger: Ledger,
        snapshots: SnapshotStore,
        actor: str,
        masking: Masking,
        environment: Callable[[], str],
        sandbox: Callable[[], Sandbox],
        judge: str,
        took: Took,
    ) -> None:
        self._ledger = ledger
        self._snapshots = snapshots
        self._verifier = Verifier(
            ledger,
            snapshots,
            actor,
            mask=masking.text,
            environment=environment,
            sandbox=sandbox,
            judge=lambda: judge_of(judge, took) if judge else None,
        )
        self._actor = actor
        self._judge = judge
        self._took = took

    def set(
        self,
        condition: str,
        *,
        checks: Sequence[str] = (),
        timeout_s: float = DEFAULT_TIMEOUT_S,
        max_verifications: int | None = None,
        max_seconds: float | None = None,
        consent: Collection[str] = (),
        stop: threading.Event | None = None,
        progress: Progress | None = None,
    ) -> views.Goal:
        """Set a goal. Each check is a line, as goals/check.py says; a plain one is a shell command,
        run in the project's root, that must end with 0 within `timeout_s` seconds.

        A check that runs tests is run now, so that later runs can be compared with what there was;
        not when the command needs a consent that it has not got; `consent` are commands that the
        user allowed for this once. Raises UserError when an argument
        is wrong; Stopped when `stop` was set, and then the goal is there without that comparison.
        """
        words = checked_condition(condition)
        made = read_checks(tuple(checks), timeout_s, self._snapshots.root)
        budget = sound_budget(Budget(max_verifications, max_seconds))
        start = self._verifier.start(made)
        goal = self._ledger.add(words, made, self._actor, start, budget)
        if not set(self._verifier.missing_consent(goal)).difference(consent):
            self._verifier.take_baselines(goal, consent=consent, stop=stop, progress=progress)
        return self._view(goal)

    def read(
        self, checks: Sequence[str], timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> tuple[views.Check, ...]:
        """What `set` would make of these lines. Raises UserError when one is wrong."""
        return tuple(map(_check, read_checks(checks, timeout_s, self._snapshots.root)))

    def proposals(
        self, condition: str, timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> tuple[views.Check, ...]:
        """The checks that the words seem to ask for in this project, for the user to take, change
        or leave. Nothing is run."""
        found = proposals(checked_condition(condition), self._snapshots.root, timeout_s)
        return tuple(map(_check, found))

    def check_of_test(self, path: str, name: str) -> str | None:
        """The line of a check that runs one test, by its file and its qualified name; None where
        the project's runner takes no such name."""
        return of_test(path, name, self._snapshots.root)

    def page(self, limit: int = 20) -> tuple[views.Goal, ...]:
        """The newest goals first."""
        return tuple(map(self._view, self._ledger.page(max(1, min(limit, MAX_PAGE)))))

    def mark(self) -> tuple[int, ...]:
        """Other than before as soon as a goal was set, verified, moved, or got another budget, by
        whomever."""
        return self._ledger.mark()

    def get(self, goal_id: str | None = None) -> views.Goal:
        """A goal; without an id the newest active one. Raises UserError when there is none."""
        return self._view(self._find(goal_id))

    def evidence(self, goal_id: str | None = None, limit: int = 20) -> tuple[views.Evidence, ...]:
        """What was seen for a goal at any time, the newest first: the ledger that its verdicts
        stand on."""
        goal = self._find(goal_id)
        found = self._ledger.evidence.page(goal, max(1, min(limit, MAX_PAGE)))
        return tuple(map(_evidence, found))

    def pause(self, goal_id: str | None = None) -> views.Goal:
        """Let a goal rest. Raises UserError when its state does not allow it."""
        return self._view(self._ledger.move(self._find(goal_id), "pause", self._actor))

    def resume(self, goal_id: str) -> views.Goal:
        """Take a goal up again; one that was abandoned only if the user does."""
        return self._view(self._ledger.move(self._find(goal_id), "resume", self._actor))

    def abandon(self, goal_id: str) -> views.Goal:
        """Give a goal up. Its evidence stays."""
        return self._view(self._ledger.move(self._find(goal_id), "abandon", self._actor))

    def set_budget(
        self, goal_id: str, *, max_verifications: int | None, max_seconds: float | None
    ) -> views.Goal:
        """Say how often, and for how many seconds in all, a goal may be verified; only the user
        may."""
        budget = sound_budget(Budget(max_verifications, max_seconds))
        return self._view(self._ledger.set_budget(self._find(goal_id), budget, self._actor))

    def allow(
        self,
        goal_id: str | None = None,
        *,
        stop: threading.Event | None = None,
        progress: Progress | None = None,
    ) -> views.Goal:
        """Allow the commands of a goal that an agent set, in this project, from now on."""
        self._require_user("allow commands")
        goal = self._find(goal_id)
        self._ledger.allow(self._verifier.missing_consent(goal), self._actor)
        self._verifier.take_baselines(goal, stop=stop, progress=progress)
        return self._view(goal)

    def allow_command(self, command: str) -> None:
        """Allow agents to have this very command run in this project."""
        self._require_user("allow commands")
        self._ledger.allow((command.strip(),), self._actor)

    def not_allowed(
        self, checks: Sequence[str], timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> tuple[str, ...]:
        """The commands in these lines that the caller may not have run. Raises UserError when a
        line is wrong."""
        if is_user(self._actor):
            return ()
        return self._verifier.not_allowed(
            read_checks(tuple(checks), timeout_s, self._snapshots.root)
        )

    def agreed(self, commands: Sequence[str]) -> None:
        """Enter that the user, asked through the caller, allowed these commands from now on."""
        self._ledger.allow(tuple(commands), f"user:asked by {self._actor}")

    def disallow_command(self, command: str) -> bool:
        """Take that back. Whether it was allowed."""
        self._require_user("take an allowance back")
        return self._ledger.disallow(command.strip())

    def allowed_commands(self) -> tuple[str, ...]:
        """The commands that agents may have run in this project."""
        return self._ledger.allowed()

    def accept_changes(
        self, goal_id: str | None = None, sign_ids: Sequence[str] = ()
    ) -> tuple[views.Sign, ...]:
        """Take changes of what judges the work for honest: those with these ids, or without ids all
        that there are now. The user's alone. Raises UserError when there is no such sign."""
        self._require_user("accept changes of what judges the work")
        goal = self._find(goal_id)
        signs = {sign.id: sign.words for sign in self._signs(goal)}
        unknown = [sign_id for sign_id in sign_ids if sign_id not in signs]
        if unknown:
            raise UserError(f"there is no sign {unknown[0]} now; verify the goal to see them")
        chosen = {key: words for key, words in signs.items() if not sign_ids or key in sign_ids}
        self._ledger.accept(goal, chosen, self._actor)
        return self.signs(goal.id)

    def signs(self, goal_id: str | None = None) -> tuple[views.Sign, ...]:
        """What was to judge the work and was changed since the goal was set. Nothing is run."""
        goal = self._find(goal_id)
        accepted = self._ledger.accepted(goal)
        return tuple(
            views.Sign(sign.id, sign.kind, sign.words, sign.id in accepted)
            for sign in self._signs(goal)
        )

    def verify(
        self,
        goal_id: str | None = None,
        *,
        fresh: bool = False,
        consent: Collection[str] = (),
        judge: str | None = None,
        offered: Callable[[str], str] | None = None,
        stop: threading.Event | None = None,
        progress: Progress | None = None,
        took: Took | None = None,
    ) -> views.Verdict:
        """Look at the checks and say what follows; without an id for the newest active goal.

        `fresh` runs checks again even where evidence for this very state exists. `progress` is
        called before each check with its position, their number and its line. `consent` are
        commands that the user allowed for this once. What no check decides is judged by the model
        `judge`, else by the one that is set, else by what answers a text with a text: `offered`.
        Whoever counts what that takes gives `took`; otherwise it is entered here. Raises Stopped
        when `stop` was set: the running command is killed with all its children. Raises UserError
        when the goal's state or budget does not allow it, or a command needs the user's consent.
        """
        goal = self._find(goal_id)
        named = judge or (self._judge if took else None)
        chosen = judge_of(named, took or self._took) if named else None
        if chosen is None and offered is not None and not self._judge:
            from milepost.goals.model_judge import OfferedJudge  # noqa: PLC0415  (it loads providers)

            chosen = OfferedJudge(offered)
        verdict = self._verifier.verify(
            goal, fresh=fresh, consent=consent, judge=chosen, stop=stop, progress=progress
        )
        accepted = self._ledger.accepted(goal)
        return views.Verdict(
            goal=self._view(verdict.goal),
            verdict=verdict.verdict,
            reason=verdict.reason,
            missing=verdict.missing,
            evidence=tuple(map(_evidence, verdict.evidence)),
            signs=tuple(
                views.Sign(sign.id, sign.kind, sign.words, sign.id in accepted)
                for sign in verdict.signs
            ),
        )

    def judge_took(self, model: str, usage: Usage, cost_usd: float | None) -> None:
        """Enter what a judge took that nobody counts any more."""
        self._took(model, usage, cost_usd)

    def judge_tried(
        self, named: str | None = None, progress: Progress | None = None
    ) -> goal_views.JudgeTrial:
        """Try a model as a judge, as `api.judge_tried` does; what it takes is counted here."""
        return judge_tried(named, progress, self._took)

    def _signs(self, goal: Goal) -> tuple[Sign, ...]:
        with self._snapshots.exclusive():
            self._snapshots.seen("seen by a look at a goal", self._actor, kind=LOOKED)
        start = self._ledger.start_of(goal, str(self._snapshots.root))
        return signs_of(goal, start, self._snapshots)

    def _require_user(self, what: str) -> None:
        if not is_user(self._actor):
            raise UserError(f"only the user may {what}; ask them to do it in a terminal")

    def _find(self, goal_id: str | None) -> Goal:
        return self._ledger.newest() if goal_id is None else self._ledger.get(goal_id)

    def _view(self, goal: Goal) -> views.Goal:
        return views.Goal(
            id=goal.id,
            condition=goal.condition,
            checks=tuple(map(_check, goal.checks)),
            state=goal.state,
            source=goal.source,
            created_at=goal.created_at,
            verdict=goal.verdict,
            max_verifications=goal.budget.verifications,
            max_seconds=goal.budget.seconds,
            not_allowed=self._verifier.missing_consent(goal),
        )


def _check(check: Check) -> views.Check:
    return views.Check(check.label, check.expect_exit, check.timeout_s, check.kind)


def _evidence(evidence: Evidence) -> views.Evidence:
    results = f"{evidence.counts.words} ({evidence.how})" if evidence.counts else ""
    return views.Evidence(
        id=evidence.id,
        command=evidence.check.label,
        exit_code=evidence.exit_code,
        passed=evidence.passed,
        timed_out=evidence.timed_out,
        duration_ms=evidence.duration_ms,
        output_tail=evidence.output_tail.decode("utf-8", "backslashreplace"),
        output_bytes=evidence.output_bytes,
        output_sha256=evidence.output_sha256,
        tree_hash=evidence.tree_hash,
        started_at=evidence.started_at,
        reused=evidence.reused,
        problem=evidence.problem,
        results=results,
        sandbox=evidence.sandbox,
    )
