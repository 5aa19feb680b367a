"""`goal_verify`: run a goal's checks and say what follows."""

from __future__ import annotations

from milepost_mcp.convert import evidence_data, evidence_text, goal_data
from milepost_mcp.tools.tool import Call, Flag, Reply, Text, Tool


def _run(call: Call) -> Reply:
    verdict = call.workspace.goals.verify(
        call.arguments.text("id"),
        fresh=call.arguments.flag("fresh"),
        stop=call.stop,
        progress=call.progress,
    )
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
    words="Before you say that work is done: run the goal's checks and get a verdict (met, "
    "not_met, impossible, unverifiable) from what Milepost saw, not from what anyone claims. "
    "Without id, the newest active goal.",
    parameters=(Text("id"), Flag("fresh", "run again even on an unchanged tree")),
    run=_run,
    # A check is any command, so the host should treat a call as it treats a shell.
    is_destructive=True,
    is_open_world=True,
    is_slow=True,
)
