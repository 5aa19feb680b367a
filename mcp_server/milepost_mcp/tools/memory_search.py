"""`memory_search`: find what is remembered."""

from __future__ import annotations

from milepost_mcp.convert import entry_data, entry_text
from milepost_mcp.tools.tool import Call, Flag, Number, Reply, Text, Tool

KINDS = ("context", "rule", "decision", "knowledge")
SCOPES = ("project", "worktree", "session", "task", "global")


def _run(call: Call) -> Reply:
    budget = call.arguments.optional_number("budget_tokens")
    found = call.workspace.memory.search(
        call.arguments.required_text("query"),
        kind=call.arguments.text("kind"),
        scope=call.arguments.text("scope"),
        task=call.arguments.text("task"),
        limit=call.arguments.number("limit", 8),
        include_superseded=call.arguments.flag("include_superseded"),
        budget_tokens=budget,
    )
    is_whole = budget is not None
    searched = f"{found.entries_searched} entries searched ({', '.join(found.scopes)})"
    warned = "".join(f"\nWARNING: {warning}" for warning in found.warnings)
    data: dict[str, object] = {
        "hits": [
            {**entry_data(hit.entry, whole=is_whole), "score": hit.score} for hit in found.hits
        ],
        "entries_searched": found.entries_searched,
        "scopes": list(found.scopes),
    }
    if found.warnings:
        data["warnings"] = list(found.warnings)
    if found.advice:
        return Reply(
            f"Nothing found: {found.advice}. {searched}.{warned}", {**data, "advice": found.advice}
        )
    for hit in found.hits:
        call.seen.note(hit.entry)
    lines = [entry_text(hit.entry, whole=is_whole) for hit in found.hits]
    if found.left_out:
        data["left_out"] = found.left_out
        lines.append(f"{found.left_out} more did not fit; ask for more budget_tokens or narrower")
    return Reply("\n".join([*lines, searched]) + warned, data)


TOOL = Tool(
    name="memory_search",
    title="Search memory",
    words="Search what is remembered (rules, decisions, facts, context). "
    "Call it before you start a task or ask the user what they may have said. "
    "Plain words.",
    parameters=(
        Text("query", required=True),
        Text("kind", choices=KINDS),
        Text("scope", choices=SCOPES),
        Text("task"),
        Number("limit", most=25),
        Number("budget_tokens", most=50_000),
        Flag("include_superseded"),
    ),
    run=_run,
    is_read_only=True,
)
