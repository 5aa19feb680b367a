"""`goal_verify`: run a goal's checks and say what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.api import UserError
from milepost_mcp.convert import evidence_data, evidence_text, goal_data
from milepost_mcp.limits import RUN_HANDLE_AFTER_S
from milepost_mcp.peer import sampler
from milepost_mcp.tools.consent import allowed
from milepost_mcp.tools.tool import Call, Flag, Reply, Text, Tool

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from milepost.api import Verdict


def _run(call: Call) -> Reply:
    goal_id, run_id = call.arguments.text("id"), call.arguments.text("run")
    fresh = call.arguments.flag("fresh")
    if run_id is not None and (goal_id is not None or fresh):
        raise UserError("give run alone to wait for a verification that goes on")

    goals = call.workspace.goals
    agreed: tuple[str, ...] = ()
    if run_id is None:
        goal = goals.get(goal_id)
        goal_id, agreed = goal.id, allowed(call, goal.not_allowed, goal.condition)

    def work(stop: threading.Event, progress: Callable[[int, int, str], None]) -> Reply:
        offered = sampler(call.peer, stop)
        return _verdict(
            goals.verify(
                goal_id,
                fresh=fresh,
                consent=agreed,
                offered=offered,
                stop=stop,
                progress=progress,
            )
        )

    run = call.runs.start(work, call.progress) if run_id is None else call.runs.get(run_id)
    reply = run.wait(RUN_HANDLE_AFTER_S, call.stop, call.progress)
    if reply is not None:
        return reply
    text = (
        f"No verdict yet: the verification goes on after {run.running_s} s, at {run.doing}. "
        f"Call goal_verify with run {run.id} to wait for it."
    )
    data: dict[str, object] = {
        "verdict": "none yet",
        "run": run.id,
        "running_s": run.running_s,
        "doing": run.doing,
    }
    return Reply(text, data)


def _verdict(verdict: Verdict) -> Reply:
    goal = verdict.goal
    lines = [f"{verdict.verdict}: {verdict.reason}.", f"Goal [{goal.id}] {goal.condition}"]
    lines += [f"missing: {line}" for line in verdict.missing]
    lines += map(evidence_text, verdict.evidence)
    changed = [sign.words for sign in verdict.signs if not sign.is_accepted]
    data: dict[str, object] = {
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "missing": list(verdict.missing),
        "goal": goal_data(goal),
        "evidence": [evidence_data(item) for item in verdict.evidence],
    }
    if changed:
        # The words for it are in `missing`; a program wants to tell it from failures.
        data["changed_since_set"] = changed
    return Reply("\n".join(lines), data)


TOOL = Tool(
    name="goal_verify",
    title="Verify a goal",
    words="Before you call work done: run the goal's checks and get a verdict (met, "
    "not_met, impossible, unverifiable) from what Milepost saw. Without id: the newest active. "
    "A long one gives a run: call again with it.",
    parameters=(
        Text("id"),
        Flag("fresh", "even if unchanged"),
        Text("run"),
    ),
    run=_run,
    # A check is any command, so the host should treat a call as it treats a shell.
    is_destructive=True,
    is_open_world=True,
    is_slow=True,
)
