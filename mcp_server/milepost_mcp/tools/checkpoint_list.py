"""`checkpoint_list`: the restore points, and what changed since one."""

from __future__ import annotations

from milepost.api import UserError
from milepost_mcp.convert import changes_data, changes_text, checkpoint_data, checkpoint_text
from milepost_mcp.limits import MAX_REPLY_CHARS
from milepost_mcp.tools.tool import Call, Flag, Number, Reply, Text, Tool


def _run(call: Call) -> Reply:
    start, end = call.arguments.optional_number("diff"), call.arguments.optional_number("to")
    path = call.arguments.text("path")
    if start is not None and path is not None:
        return _patch(call, start, end, path)
    if start is not None:
        diff = call.workspace.checkpoints.diff(start, end)
        until = "now" if end is None else f"point {end}"
        head = f"{len(diff.changes)} paths differ from point {start} to {until}"
        text = f"{head}\n{changes_text(diff.changes)}" if diff.changes else head
        return Reply(text, {"from": start, "to": until, "changes": changes_data(diff.changes)})
    if end is not None or path is not None:
        raise UserError("to and path go with diff; give the point to compare from")
    points = call.workspace.checkpoints.page(
        limit=call.arguments.number("limit", 20),
        before=call.arguments.optional_number("before"),
        has_looked=call.arguments.flag("all"),
    )
    lines = [checkpoint_text(point) for point in points] or ["There is no restore point."]
    return Reply("\n".join(lines), {"checkpoints": [checkpoint_data(point) for point in points]})


def _patch(call: Call, start: int, end: int | None, path: str) -> Reply:
    patch = call.workspace.checkpoints.patch(start, end, path)
    if len(patch) > MAX_REPLY_CHARS:
        cut = len(patch) - MAX_REPLY_CHARS
        patch = f"{patch[:MAX_REPLY_CHARS]}\n... ({cut} characters more)"
    return Reply(patch, {"path": path, "patch": patch})


TOOL = Tool(
    name="checkpoint_list",
    title="List and compare restore points",
    words="List restore points, newest first; with diff (a point's id), files changed since it, "
    "up to point to or now; with path, that file's diff.",
    parameters=(
        Number("limit", most=60),
        Number("before", "older than this id"),
        Number("diff"),
        Number("to"),
        Text("path"),
        Flag("all"),
    ),
    run=_run,
    is_read_only=True,
    is_slow=True,
)
