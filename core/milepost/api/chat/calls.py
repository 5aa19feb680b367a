"""How a tool call is shown: its kind, its title, and what it made of the files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from milepost.api.chat import views
from milepost.base.errors import MilepostError
from milepost.permissions import wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from milepost.checkpoints.rows import State
    from milepost.checkpoints.store import SnapshotStore

# What a panel shows of a call: a line for its title, a screen or two for what came of it. The model
# got the whole, and the transcript has it.
_TITLE_CHARS = 120
_TEXT_CHARS = 6_000

# A diff of a larger file is no longer read in a panel; it stands in the restore points.
_DIFF_BYTES = 200_000

# A command may touch thousands of files.
_DIFFS = 20

_KINDS: dict[str, views.ToolKind] = {
    "read": "read", "write": "edit", "edit": "edit", "find": "search", "grep": "search",
    "memory_search": "search", "history_search": "search", "shell": "execute", "note": "think",
    "task_add": "think", "task_set": "think", "task_list": "think", "memory_save": "think",
}  # fmt: skip

_VERBS = {
    "read": "Read", "write": "Write", "edit": "Edit", "find": "Find files", "grep": "Search in",
    "memory_search": "Search memory:", "history_search": "Search history:", "shell": "Run",
    "note": "Note", "task_add": "Add the task", "task_set": "Move the task on:",
    "task_list": "Look at the tasks", "memory_save": "Remember",
}  # fmt: skip

# The argument that tells what a call is about, the first that it has.
_ABOUT = ("path", "command", "files", "pattern", "query", "title", "id", "text")

_WITH_PATHS = frozenset({"read", "write", "edit"})

# Whose changes between the points around a command are not the command's.
_OTHERS = frozenset({"user", "other"})


def shown(call_id: str, tool: str, subject: str, status: views.CallStatus) -> views.CallShown:
    """A call as it is shown."""
    return views.CallShown(
        call_id=call_id,
        title=title_of(tool, subject),
        kind=_KINDS.get(tool, "other"),
        status=status,
        tool=tool,
        subject=subject[:_TEXT_CHARS],
        places=(views.CallPlace(subject),) if tool in _WITH_PATHS and subject else (),
    )


def title_of(tool: str, subject: str) -> str:
    """What a call does, in a line."""
    words = " ".join(f"{_VERBS.get(tool, tool)} {subject}".split())
    return words if len(words) <= _TITLE_CHARS else f"{words[: _TITLE_CHARS - 1]}…"


def answers(tool: str) -> tuple[views.PermissionOption, ...]:
    """What may be said to a call of the tool that needs permission."""
    always = "Yes, always in this chat"
    return (
        views.PermissionOption("allow_once", "Yes", "allow_once", wording.ONCE),
        views.PermissionOption("allow_always", always, "allow_always", wording.of_always(tool)),
        views.PermissionOption("reject_once", "No", "reject_once", wording.NO),
    )


def subject_of(tool: str, arguments: Mapping[str, object] | None) -> str:
    """What a call of before was about, from its arguments."""
    if tool == "grep":
        return str((arguments or {}).get("files", "*"))
    return str(next((arguments[name] for name in _ABOUT if name in arguments), "")) if (
        arguments
    ) else ""  # fmt: skip


def ended(
    call_id: str,
    text: str,
    *,
    failed: bool,
    diffs: tuple[views.FileDiff, ...] = (),
    points: tuple[int | None, int | None] = (None, None),
) -> views.CallUpdate:
    """What came of a call."""
    if len(text) > _TEXT_CHARS:
        half, left_out = _TEXT_CHARS // 2, len(text) - _TEXT_CHARS
        text = f"{text[:half]}\n… ({left_out:,} characters) …\n{text[-half:]}"
    return views.CallUpdate(call_id, "failed" if failed else "completed", text, diffs, *points)


def diffs_between(
    snapshots: SnapshotStore, before: int | None, after: int | None, paths: Sequence[str]
) -> tuple[views.FileDiff, ...]:
    """What the files were before and after a call, as its restore points have them: those that it
    named, else all that changed and that nobody else is known to have changed."""
    if before is None or after is None or before == after:
        return ()
    try:
        changed = snapshots.between(before, after)
        hands = {} if paths else snapshots.hands(before, after)
        wanted = {os.fsencode(path) for path in paths} or {
            name for name in changed if hands.get(name) not in _OTHERS
        }
        found: list[views.FileDiff] = []
        for name in sorted(wanted & changed.keys())[:_DIFFS]:
            old, new = (_text(snapshots, state) for state in changed[name])
            if old is not _NO_TEXT and new is not _NO_TEXT:
                found.append(views.FileDiff(os.fsdecode(name), old, new))
    except MilepostError:
        # The points are gone or damaged; what was said of the call still stands.
        return ()
    return tuple(found)


# Stands for a file of which no text can be shown.
_NO_TEXT = "\0"


def _text(snapshots: SnapshotStore, state: State) -> str | None:
    if state.mode is None or state.blob is None:
        return None
    data = snapshots.content(state.blob)
    if len(data) > _DIFF_BYTES or b"\0" in data:
        return _NO_TEXT
    return data.decode("utf-8", "replace")
