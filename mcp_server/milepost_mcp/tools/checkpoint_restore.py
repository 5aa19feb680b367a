"""`checkpoint_restore`: show what going back would do, or go back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.api import UserError
from milepost_mcp.convert import (
    changes_data,
    changes_text,
    part_change_text,
    part_changes_text,
    refusals_text,
)
from milepost_mcp.limits import MAX_PATHS
from milepost_mcp.tools.tool import Call, Flag, Number, Reply, Text, Texts, Tool

if TYPE_CHECKING:
    from milepost.api import Restore


def _run(call: Call) -> Reply:
    checkpoints = call.workspace.checkpoints
    point, plan = call.arguments.optional_number("id"), call.arguments.text("plan")
    paths, force = call.arguments.texts("paths"), call.arguments.flag("force")
    what = call.arguments.text("what") or "files"
    if call.arguments.flag("undo"):
        if point is not None or plan is not None or paths or what != "files":
            raise UserError("undo takes back the newest restore and goes with no other argument")
        return _reply(checkpoints.undo())
    if point is None:
        raise UserError("give the id of the point to go back to, or undo")
    only = call.arguments.flag("agents_only")
    if call.arguments.flag("apply"):
        return _reply(
            checkpoints.restore(
                point, paths=paths, plan=plan, force=force, only_by_agents=only, what=what
            )
        )
    return _reply(checkpoints.preview(point, paths=paths, only_by_agents=only, what=what))


def _reply(restore: Restore) -> Reply:
    did = "Restored" if restore.applied else "Preview, nothing was changed:"
    lines = [f"{did} {len(restore.changes)} paths from point {restore.checkpoint_id}"]
    if restore.changes:
        lines.append(changes_text(restore.changes))
    if restore.beside:
        lines.append(part_changes_text(restore.beside))
    if restore.refused:
        lines += [f"{len(restore.refused)} left alone:", refusals_text(restore.refused)]
    data: dict[str, object] = {
        "id": restore.checkpoint_id,
        "applied": restore.applied,
        "changes": changes_data(restore.changes),
        "refused": [f"{item.path}: {item.reason}" for item in restore.refused[:MAX_PATHS]],
        "refused_total": len(restore.refused),
    }
    if restore.beside:
        data["beside"] = [part_change_text(change) for change in restore.beside[:MAX_PATHS]]
        data["beside_total"] = len(restore.beside)
    if restore.applied:
        data["undo_id"] = restore.undo_id
        lines.append(f"undo takes it back (what was there is point {restore.undo_id})")
    else:
        data["plan"] = restore.plan
        lines.append(f"call again with apply and plan {restore.plan} to do it")
    return Reply("\n".join(lines), data)


TOOL = Tool(
    name="checkpoint_restore",
    title="Go back to a restore point",
    words="Go back to a restore point. Without apply it only previews and returns a plan; pass "
    "apply and that plan to do it: what changed since stays. undo takes the newest restore back.",
    parameters=(
        Number("id"),
        Flag("apply"),
        Text("plan"),
        Text("what", "files (default), memory, conversation, tasks, goal or all"),
        Texts("paths"),
        Flag("force"),
        Flag("agents_only"),
        Flag("undo"),
    ),
    run=_run,
    is_destructive=True,
    is_slow=True,
)
