"""Verification: run the checks, see for ourselves, and say what follows.

The verdict comes from evidence alone, never from what anyone says about it:

- met: there are checks, and every one ended in time with the expected exit code;
- not_met: a check ended otherwise, or ran out of time;
- impossible: a check calls a program that this machine does not have, so that no change of the
  files can make it pass;
- unverifiable: the goal has no check, so there is nothing that Milepost could see.

Evidence is used again only while the tree is the very same. A check that changes the tree it runs
on leaves evidence that counts once.
"""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from milepost.base.clock import utc_now
from milepost.base.errors import Stopped
from milepost.base.process import run_shell
from milepost.goals import bytecode

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from milepost.checkpoints.store import SnapshotStore
    from milepost.goals.goal import Check, Goal
    from milepost.goals.ledger import Evidence, Ledger

# What a POSIX shell returns for a command that it cannot find.
_NOT_FOUND = 127


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from the evidence. `missing` names what not_met lacks, a line a check."""

    goal: Goal
    verdict: str
    reason: str
    missing: tuple[str, ...]
    evidence: tuple[Evidence, ...]


class Verifier:
    """Verifies goals on the workspace at one root."""

    def __init__(
        self,
        ledger: Ledger,
        snapshots: SnapshotStore,
        actor: str,
        mask: Callable[[str], str],
    ) -> None:
        self._mask = mask
        self._ledger = ledger
        self._snapshots = snapshots
        self._actor = actor

    def verify(
        self,
        goal: Goal,
        *,
        fresh: bool,
        stop: threading.Event | None,
        progress: Callable[[int, int, str], None] | None,
    ) -> Verdict:
        """Collect evidence for every check and enter the verdict.

        With `fresh`, nothing is used again. Raises Stopped when `stop` is set; what was seen up to
        then stays in the ledger, and no verdict is entered.
        """
        seen: list[Evidence] = []
        for position, check in enumerate(goal.checks):
            if stop is not None and stop.is_set():
                raise Stopped("the verification was stopped; no verdict was entered")
            if progress is not None:
                progress(position, len(goal.checks), check.command)
            seen.append(self._evidence(goal, check, fresh=fresh, stop=stop))
        verdict, reason, missing = judge(goal, tuple(seen), self._snapshots.root)
        goal = self._ledger.add_verdict(goal, verdict, reason, tuple(seen))
        return Verdict(goal, verdict, reason, missing, tuple(seen))

    def _evidence(
        self, goal: Goal, check: Check, *, fresh: bool, stop: threading.Event | None
    ) -> Evidence:
        root = self._snapshots.root
        before = self._tree()
        if not fresh:
            known = self._ledger.reusable(goal, check, root=str(root), tree_hash=before)
            if known is not None:
                return known
        started_at = utc_now()
        with bytecode.trustworthy(root) as variables:
            outcome = run_shell(
                check.command,
                cwd=root,
                timeout_s=check.timeout_s,
                stop=stop,
                variables=variables,
            )
        after = self._tree()
        printed = outcome.tail.decode("utf-8", "backslashreplace")
        outcome = replace(outcome, tail=self._mask(printed).encode("utf-8"))
        return self._ledger.add_evidence(
            goal,
            check,
            outcome,
            root=str(root),
            started_at=started_at,
            tree_hash=after,
            is_settled=before == after,
        )

    def _tree(self) -> str:
        with self._snapshots.exclusive():
            snapshot = self._snapshots.seen("seen by a verification", self._actor)
        return snapshot.tree_hash


def judge(
    goal: Goal, evidence: tuple[Evidence, ...], root: Path
) -> tuple[str, str, tuple[str, ...]]:
    """The verdict, its reason in one sentence, and what is missing."""
    if not goal.checks:
        reason = "the goal has no check, so there is nothing to see; set it again with a command"
        return "unverifiable", reason, ()
    failed = tuple(item for item in evidence if not item.passed)
    if not failed:
        count = len(evidence)
        checks = "the check" if count == 1 else f"all {count} checks"
        return "met", f"{checks} ended as expected", ()
    absent = [program for item in failed if (program := _absent_program(item, root))]
    if absent:
        named = ", ".join(dict.fromkeys(absent))
        reason = f"this machine has no program {named}; install it or change the check"
        return "impossible", reason, tuple(map(_shortfall, failed))
    of = f"{len(failed)} of {len(evidence)} checks" if len(evidence) > 1 else "the check"
    return "not_met", f"{of} did not end as expected", tuple(map(_shortfall, failed))


def _shortfall(evidence: Evidence) -> str:
    check = evidence.check
    if evidence.timed_out:
        return f"`{check.command}` did not end within {check.timeout_s:g} s"
    expected = f"instead of {check.expect_exit}"
    code = evidence.exit_code
    if code is not None and code < 0:
        return f"`{check.command}` was ended by signal {-code} {expected}"
    return f"`{check.command}` ended with {code} {expected}"


def _absent_program(evidence: Evidence, root: Path) -> str | None:
    """The program that the shell could not find, when no change of the project could provide it."""
    if evidence.exit_code != _NOT_FOUND:
        return None
    try:
        words = shlex.split(evidence.check.command)
    except ValueError:
        return None
    program = next((word for word in words if "=" not in word), "")
    if not program or "/" in program or (root / program).exists() or shutil.which(program):
        return None
    return program
