"""Verification: look at the checks, see for ourselves, and say what follows.

The verdict comes from evidence alone, never from what anyone says about it:

- met: there are checks, nothing speaks against any of them, and nothing that judges was changed;
- not_met: something speaks against a check, or it ended differently in two runs;
- impossible: a check calls a program that this machine does not have, so that no change of the
  files can make it pass;
- unverifiable: there is nothing to see; or every check passed, but there are signs that what was
  to judge the work was changed by it, and the user has not accepted them.

Evidence is used again only while everything that can decide a check is the very same. A check that
changes the tree it runs on leaves evidence that counts once.
"""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.errors import Stopped, UserError
from milepost.base.repository import repository_around
from milepost.goals.check import RUNNING
from milepost.goals.collection import Collection, Means
from milepost.goals.evidence import NOT_FOUND
from milepost.goals.goal import after_verdict, is_user
from milepost.goals.judge import ask
from milepost.goals.ledger import Start
from milepost.goals.surroundings import python_hooks
from milepost.goals.tampering.signs import signs_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Container
    from pathlib import Path

    from milepost.base.sandbox.choice import Sandbox
    from milepost.checkpoints.store import SnapshotStore
    from milepost.goals.check import Check
    from milepost.goals.evidence import Evidence
    from milepost.goals.goal import Goal
    from milepost.goals.judge import Judge
    from milepost.goals.ledger import Ledger
    from milepost.goals.tampering.change import Sign


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from the evidence. `missing` names what not_met lacks, a line a check, and the
    signs that nobody accepted. `signs` are all of them."""

    goal: Goal
    verdict: str
    reason: str
    missing: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    signs: tuple[Sign, ...]


class ConsentNeeded(UserError):  # noqa: N818  (it asks for something)
    """An agent wants commands to be run that the user has not allowed."""

    def __init__(self, goal: Goal, commands: tuple[str, ...]) -> None:
        listed = "".join(f"\n  {command}" for command in commands)
        super().__init__(
            "this goal comes from an agent, and the user has not allowed its commands yet:"
            f"{listed}\nNothing was run. The user allows them by typing: "
            f"milepost goal allow {goal.id}"
        )
        self.commands = commands


class Verifier:
    """Verifies goals on the workspace at one root. `environment` gives the hash of what commands
    inherit from us; `mask` takes secrets out of their output; `sandbox` gives what holds them."""

    def __init__(
        self,
        ledger: Ledger,
        snapshots: SnapshotStore,
        actor: str,
        *,
        mask: Callable[[str], str],
        environment: Callable[[], str],
        sandbox: Callable[[], Sandbox],
        judge: Callable[[], Judge | None],
    ) -> None:
        self._means = Means(ledger, snapshots, actor, mask, environment, sandbox)
        self._ledger = ledger
        self._snapshots = snapshots
        self._root = snapshots.root
        self._actor = actor
        self._judge = judge

    def start(self, checks: tuple[Check, ...]) -> Start:
        """What the project is now, for a goal with these checks that is about to be set."""
        with self._snapshots.exclusive():
            snapshot = self._snapshots.seen("a goal was set", self._actor)
        # Reading git takes a process, so only where something depends on it.
        asks_git = any(check.kind == "committed" for check in checks)
        repository = repository_around(self._root) if asks_git else None
        head = repository.head() if repository else None
        return Start(
            str(self._root),
            snapshot.id,
            head.commit if head else None,
            head.branch if head else None,
            python_hooks(self._root),
        )

    def take_baselines(
        self,
        goal: Goal,
        *,
        consent: Container[str] = (),
        stop: threading.Event | None,
        progress: Callable[[int, int, str], None] | None,
    ) -> None:
        """Run the tests of a goal that was just set, to know how many there are; later runs are
        compared with that. What was seen is evidence like any other."""
        self._require_consent(goal, consent)
        wanted = [
            check
            for check in goal.checks
            if check.kind == "tests" and self._ledger.baseline(goal, check) is None
        ]
        if not wanted:
            return
        look = Collection(self._means, goal, fresh=True, stop=stop, is_first=True)
        for position, check in enumerate(wanted):
            if progress is not None:
                progress(position, len(wanted), f"{check.command} (to know how it is now)")
            look.evidence(check)
        look.end()

    def verify(
        self,
        goal: Goal,
        *,
        fresh: bool,
        consent: Container[str] = (),
        judge: Judge | None = None,
        stop: threading.Event | None,
        progress: Callable[[int, int, str], None] | None,
    ) -> Verdict:
        """Collect evidence for every check and enter the verdict. `consent` are commands that the
        user allowed for this once; `judge` is asked instead of the one that is set.

        With `fresh`, nothing is used again. Raises Stopped when `stop` is set; what was seen up to
        then stays in the ledger, and no verdict is entered. Raises UserError when the goal is in no
        state to be verified, and ConsentNeeded.
        """
        self._admit(goal)
        self._require_consent(goal, consent)
        look = Collection(self._means, goal, fresh=fresh, stop=stop)
        seen: list[Evidence] = []
        for position, check in enumerate(goal.checks):
            if stop is not None and stop.is_set():
                raise Stopped("the verification was stopped; no verdict was entered")
            if progress is not None:
                progress(position, len(goal.checks), check.label)
            seen.append(look.evidence(check))
        look.end()
        evidence = tuple(seen)
        signs = signs_of(goal, look.start, self._snapshots)
        verdict, reason, missing = self._conclude(goal, look, evidence, signs, judge, stop)
        state = after_verdict(goal, verdict)
        goal = self._ledger.add_verdict(goal, verdict, reason, evidence, state)
        return Verdict(goal, verdict, reason, missing, evidence, signs)

    def missing_consent(self, goal: Goal) -> tuple[str, ...]:
        """The commands of an agent's goal that nobody allowed."""
        return () if is_user(goal.source) else self.not_allowed(goal.checks)

    def not_allowed(self, checks: tuple[Check, ...]) -> tuple[str, ...]:
        """The commands of checks that an agent may not have run."""
        allowed = self._ledger.allowed()
        wanted = (check.command for check in checks if check.kind in RUNNING)
        return tuple(dict.fromkeys(command for command in wanted if command not in allowed))

    def _require_consent(self, goal: Goal, consent: Container[str]) -> None:
        missing = tuple(each for each in self.missing_consent(goal) if each not in consent)
        if missing:
            raise ConsentNeeded(goal, missing)

    def _admit(self, goal: Goal) -> None:
        if goal.state in {"paused", "abandoned"}:
            raise UserError(
                f"the goal is {goal.state}; milepost goal resume {goal.id} makes it active again"
            )
        times, seconds = self._ledger.evidence.spent(goal)
        limit = goal.budget
        is_over = (limit.verifications is not None and times >= limit.verifications) or (
            limit.seconds is not None and seconds >= limit.seconds
        )
        if is_over or goal.state == "budget-limited":
            if goal.state != "budget-limited":
                self._ledger.limit(goal)
            raise UserError(
                f"the goal's budget is used up: {times} verifications, {seconds:.0f} s; only the "
                f"user may raise it, with milepost goal budget {goal.id}"
            )

    def _conclude(
        self,
        goal: Goal,
        look: Collection,
        evidence: tuple[Evidence, ...],
        signs: tuple[Sign, ...],
        judge: Judge | None,
        stop: threading.Event | None,
    ) -> tuple[str, str, tuple[str, ...]]:
        if not goal.checks:
            judge, mask = judge or self._judge(), self._means.mask
            return ask(judge, goal, self._ledger, self._snapshots, look.start, mask, stop)
        accepted = self._ledger.accepted(goal)
        open_signs = [sign for sign in signs if sign.id not in accepted]
        doubts = tuple(f"{sign.words} (sign {sign.id})" for sign in open_signs)
        verdict, reason, missing = judge_checks(evidence, self._root)
        if verdict != "met":
            return verdict, reason, (*missing, *doubts)
        if look.flaky:
            named = ", ".join(f"`{check.label}`" for check in look.flaky)
            return "not_met", f"{named} is flaky: it ended differently on the very same files", ()
        if look.was_edited:
            return "not_met", "the files were edited while the goal was verified; verify again", ()
        if doubts:
            what = "that judges" if len(doubts) > 1 else "that judges the work"
            reason = f"every check passed, but something {what} was changed since the goal was set"
            hint = f"accept with: milepost goal accept-change {goal.id}"
            return "unverifiable", f"{reason}; if that is right, the user may {hint}", doubts
        if signs:
            who = ", ".join(sorted({accepted[sign.id] for sign in signs}))
            reason = f"{reason}; {len(signs)} changes of what judges it were accepted by {who}"
        return verdict, reason, ()


def judge_checks(evidence: tuple[Evidence, ...], root: Path) -> tuple[str, str, tuple[str, ...]]:
    """The verdict that the checks alone give, its reason in one sentence, and what is missing."""
    failed = tuple(item for item in evidence if not item.passed)
    if not failed:
        count = len(evidence)
        checks = "the check" if count == 1 else f"all {count} checks"
        return "met", f"{checks} ended as expected", ()
    missing = tuple(f"`{item.check.label}` {item.problem}" for item in failed)
    absent = [program for item in failed if (program := _absent_program(item, root))]
    if absent:
        named = ", ".join(dict.fromkeys(absent))
        reason = f"this machine has no program {named}; install it or change the check"
        return "impossible", reason, missing
    of = f"{len(failed)} of {len(evidence)} checks" if len(evidence) > 1 else "the check"
    return "not_met", f"{of} did not end as expected", missing


def _absent_program(evidence: Evidence, root: Path) -> str | None:
    """The program that the shell could not find, when no change of the project could provide it."""
    if evidence.exit_code != NOT_FOUND:
        return None
    try:
        words = shlex.split(evidence.check.command)
    except ValueError:
        return None
    program = next((word for word in words if "=" not in word), "")
    if not program or "/" in program or (root / program).exists() or shutil.which(program):
        return None
    return program
