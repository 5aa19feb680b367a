"""The resources: memory, restore points and goals as documents that a person attaches to a chat.

milepost://memory/{scope}      what is remembered, in the order of the file
milepost://checkpoints/{id}    a restore point, and what had changed by then
milepost://goals/{id}          a goal with its checks, and where it stands
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from milepost_mcp.convert import changes_text, checkpoint_text, entry_text, goal_text
from milepost_mcp.guard import printable
from milepost_mcp.limits import MAX_LISTED, MAX_RESOURCE_CHARS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from milepost.api import Workspace
    from milepost_mcp.session import Seen

MEMORY = "milepost://memory/{scope}"
CHECKPOINT = "milepost://checkpoints/{id}"
GOAL = "milepost://goals/{id}"

TEMPLATES = (MEMORY, CHECKPOINT, GOAL)

_URI = re.compile(r"milepost://(memory|checkpoints|goals)/([A-Za-z0-9_.-]{1,100})")
_MIME = "text/plain"


class NoResourceError(Exception):
    """There is no such resource; the message says what there is."""

    def __init__(self, uri: str, message: str) -> None:
        super().__init__(message)
        self.uri = uri


def listed(workspace: Workspace) -> list[dict[str, object]]:
    """Memory by scope, the newest restore points, and the goals that are pursued, as
    `resources/list` shows them. All others are there by their templates."""
    found = [
        _resource(f"memory/{scope}", f"Memory: {scope}", "what is remembered")
        for scope, _ in workspace.memory.files_by_scope()
    ]
    found += [
        _resource(f"goals/{goal.id}", f"Goal: {_line(goal.condition)}", goal.state)
        for goal in workspace.goals.page(MAX_LISTED)
        if goal.state == "active"
    ]
    found += [
        _resource(
            f"checkpoints/{point.id}",
            f"Restore point {point.id}: {_line(point.label or 'no label')}",
            point.created_at,
        )
        for point in workspace.checkpoints.page(limit=MAX_LISTED)
    ]
    return found


def templates() -> list[dict[str, object]]:
    """The templates as `resources/templates/list` shows them."""
    return [
        _template(MEMORY, "memory", "What is remembered in a scope."),
        _template(CHECKPOINT, "checkpoint", "A restore point, and what had changed by then."),
        _template(GOAL, "goal", "A goal, its checks, and where it stands."),
    ]


def uri_of(params: Mapping[str, object]) -> str:
    """The URI of a request. Raises NoResourceError when it names none of ours."""
    uri = params.get("uri")
    uri = uri if isinstance(uri, str) else ""
    parted(uri)
    return uri


def read(workspace: Workspace, uri: str, seen: Seen | None = None) -> dict[str, object]:
    """The contents of a resource, as `resources/read` gives them; `seen` learns which entries'
    words were shown. Raises NoResourceError when there is none, MilepostError when it cannot be
    read."""
    from milepost.api import UserError  # noqa: PLC0415  (nobody has asked yet)

    kind, name = parted(uri)
    try:
        text = _READERS[kind](workspace, name, seen)
    except UserError as error:
        raise NoResourceError(printable(uri, 200), str(error)) from error
    return {"uri": uri, "mimeType": _MIME, "text": text}


def parted(uri: str) -> tuple[str, str]:
    """The kind and the name in a resource's URI. Raises NoResourceError when it is none of ours."""
    found = _URI.fullmatch(uri)
    if found is None:
        shown, known = printable(uri, 200), ", ".join(TEMPLATES)
        raise NoResourceError(shown, f"there is no resource {shown!r}; there are {known}")
    return found[1], found[2]


def _memory(workspace: Workspace, scope: str, seen: Seen | None) -> str:
    lines: list[str] = []
    size, offset, total = 0, 0, 0
    while offset is not None and size < MAX_RESOURCE_CHARS:
        page = workspace.memory.page(scope=scope, offset=offset, limit=100)
        offset, total = page.next_offset, page.total
        for entry in page.entries:
            line = entry_text(entry, whole=True)
            if size + len(line) > MAX_RESOURCE_CHARS:
                size = MAX_RESOURCE_CHARS
                break
            lines.append(line)
            size += len(line)
            if seen is not None:
                seen.note(entry)
    count = len(lines)
    if count < total:
        lines.append(f"{total - count} more of {total} entries: memory_search finds them")
    else:
        lines.append(f"{total} entries in all")
    return "\n".join(lines)


def _checkpoint(workspace: Workspace, name: str, _seen: Seen | None) -> str:
    from milepost.api import UserError  # noqa: PLC0415  (nobody has asked yet)

    if not name.isdecimal() or len(name) > 15:
        raise UserError(f"a restore point's id is a whole number, not {name!r}")
    point = workspace.checkpoints.get(int(name))
    before = workspace.checkpoints.page(limit=1, before=point.id)
    text = checkpoint_text(point)
    if not before:
        return f"{text}\nIt is the oldest that is kept."
    changes = workspace.checkpoints.diff(before[0].id, point.id).changes
    return f"{text}\nSince point {before[0].id}:\n{changes_text(changes) or '  nothing changed'}"


def _goal(workspace: Workspace, name: str, _seen: Seen | None) -> str:
    goal = workspace.goals.get(name)
    return f"{goal_text(goal)}\nLast verdict: {goal.verdict or 'none yet'}"


_READERS: dict[str, Callable[[Workspace, str, Seen | None], str]] = {
    "memory": _memory,
    "checkpoints": _checkpoint,
    "goals": _goal,
}


def _resource(path: str, title: str, words: str) -> dict[str, object]:
    return {
        "uri": f"milepost://{path}",
        "name": path,
        "title": title,
        "description": words,
        "mimeType": _MIME,
    }


def _template(uri: str, name: str, words: str) -> dict[str, object]:
    return {
        "uriTemplate": uri,
        "name": name,
        "description": words,
        "mimeType": _MIME,
    }


def _line(text: str) -> str:
    return printable(" ".join(text.split()), 80)
