"""Verify goal: runs the checks of the active goal and says what Milepost saw.

The work goes on beside every other request, with progress that can be stopped; both that and
`$/cancelRequest` end the running command. The verdict is the command's result and a message.

An example, which is also this file's test:

    ‸x = 1

    goal      It works. $ test -d .
    offered   Milepost: verify goal “It works.”
    said      Met: “It works.”: the check ended as expected
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from milepost_lsp import markdown
from milepost_lsp.actions.action import PROJECT_KIND, Action, Call, Place, offer
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from milepost import api


def offers(place: Place) -> list[types.CodeAction]:
    """One, in the menu that the user opened, when a goal is active."""
    if not place.is_invoked:
        return []
    active = next((goal for goal in place.workspace.goals.page() if goal.state == "active"), None)
    if active is None:
        return []
    title = f"verify goal “{markdown.short(active.condition, 40)}”"
    argument = {"goalId": active.id, "uri": place.uri}
    return [offer(title, commands.VERIFY_GOAL, argument, kind=PROJECT_KIND)]


async def run(call: Call, arguments: commands.VerifyGoalArguments) -> api.Verdict:
    """Verifies, and answers with the verdict."""
    workspace = await call.workspace(arguments.uri)
    goal = await call.session.run(workspace.goals.get, arguments.goal_id)
    title = f"Verifying “{markdown.short(goal.condition, 40)}”"
    async with call.stoppable(title) as (stop, report):
        verdict = await call.session.run_long(
            workspace.goals.verify, goal.id, fresh=arguments.fresh, stop=stop, progress=report
        )
    for notice in workspace.notices():
        call.editor.say_once(notice)
    is_met = verdict.verdict == "met"
    why = "; ".join((verdict.reason, *verdict.missing))
    call.editor.report(
        f"{markdown.verdict_words(verdict.verdict)}: “{markdown.short(goal.condition)}”: {why}",
        types.MessageType.Info if is_met else types.MessageType.Warning,
    )
    if not is_met:
        await call.editor.show(workspace, "verdict", markdown.verdict(verdict))
    return verdict


ACTION = Action(commands.VERIFY_GOAL, commands.VerifyGoalArguments, run, offers)
