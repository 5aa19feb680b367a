"""`checkpoint_save`: make a restore point."""

from __future__ import annotations

from milepost_mcp.convert import checkpoint_data, checkpoint_text
from milepost_mcp.tools.tool import Call, Flag, Reply, Text, Tool

# Enough to see what kind of thing is missing; all are counted.
_NAMED = 10


def _run(call: Call) -> Reply:
    point = call.workspace.checkpoints.save(
        call.arguments.text("label") or "", mine=call.arguments.flag("mine")
    )
    named = point.not_covered[:_NAMED]
    data = checkpoint_data(point)
    data["not_covered_paths"] = [f"{item.path} ({item.reason})" for item in named]
    text = f"Restore point {checkpoint_text(point)}"
    if named:
        paths = ", ".join(f"{item.path} ({item.reason})" for item in named)
        more = point.not_covered_total - len(named)
        text += f"\nNot covered: {paths}" + (f" and {more} more" if more > 0 else "")
    return Reply(text, data)


TOOL = Tool(
    name="checkpoint_save",
    title="Save a restore point",
    words="Save the files as a restore point (outside git). Call it before risky edits or "
    "commands, and when something works.",
    parameters=(Text("label"), Flag("mine", "I made what changed")),
    run=_run,
    is_slow=True,
)
