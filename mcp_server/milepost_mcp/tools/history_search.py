"""`history_search`: what was done in the project, by any agent, editor or terminal."""

from __future__ import annotations

from milepost_mcp.convert import snippet
from milepost_mcp.tools.tool import Call, Number, Reply, Text, Tool


def _run(call: Call) -> Reply:
    found = call.workspace.history.search(
        call.arguments.text("query") or "", limit=call.arguments.number("limit", 10)
    )
    searched = f"{found.events_searched} events searched"
    data: dict[str, object] = {
        "events": [
            {
                "at": event.at,
                "actor": event.actor,
                "session": event.session,
                "action": event.action,
                "request": snippet(event.request),
                "reply": snippet(event.reply),
                "failed": event.failed,
            }
            for event in found.events
        ],
        "events_searched": found.events_searched,
    }
    if found.advice:
        return Reply(f"Nothing found: {found.advice}.", {**data, "advice": found.advice})
    lines = [
        f"{event.at} {event.actor} ({event.session}) {'FAILED ' if event.failed else ''}"
        f"{event.action} {snippet(event.request)}\n  -> "
        + snippet(event.reply).replace("\n", "\n     ")
        for event in found.events
    ]
    return Reply("\n".join([*lines, searched]), data)


TOOL = Tool(
    name="history_search",
    title="Search history",
    words="Search what was done in this project in earlier sessions, by any agent or editor: "
    "calls with their requests and results. Without query, the newest.",
    parameters=(Text("query"), Number("limit", "default 10", most=15)),
    run=_run,
    is_read_only=True,
)
