"""`memory_forget`: take an entry out."""

from __future__ import annotations

from milepost_mcp.convert import entry_data, entry_text
from milepost_mcp.tools.memory_get import unseen_shown
from milepost_mcp.tools.tool import Call, Reply, Text, Tool


def _run(call: Call) -> Reply:
    entry_id = call.arguments.required_text("id")
    with unseen_shown(call, entry_id):
        entry = call.workspace.memory.forget(entry_id, version=call.seen.version(entry_id))
    return Reply(f"Forgot {entry_text(entry, whole=True)}", entry_data(entry, whole=True))


TOOL = Tool(
    name="memory_forget",
    title="Forget an entry",
    words="Delete an entry that is wrong or unwanted; correct one with memory_save.",
    parameters=(Text("id", required=True),),
    run=_run,
    is_destructive=True,
)
