"""How one file differs between two points, as a unified diff."""

from __future__ import annotations

import difflib
import stat
from typing import TYPE_CHECKING

from milepost.checkpoints.names import shown as name_shown

if TYPE_CHECKING:
    from milepost.checkpoints.rows import State
    from milepost.checkpoints.store import SnapshotStore

# git's own rule: a NUL among the first 8,000 bytes makes a file binary.
_BINARY_PROBE_BYTES = 8_000

# difflib's time grows with the square of the lines; beyond this a diff is not read either.
_MAX_LINES = 20_000


def patch(store: SnapshotStore, name: bytes, then: State, now: State) -> str:
    """The unified diff from `then` to `now`; one sentence where there can be none."""
    shown = name_shown(name)
    if then == now:
        return f"{shown} does not differ.\n"
    old, new = _text(store, then), _text(store, now)
    if old is None or new is None:
        return f"{shown} differs; it is binary, very long, or its content was not kept.\n"
    lines = difflib.unified_diff(
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        f"a/{shown}" if then.mode is not None else "/dev/null",
        f"b/{shown}" if now.mode is not None else "/dev/null",
    )
    head = "" if then.mode == now.mode else f"mode {_mode(then)} -> {_mode(now)}\n"
    ended = (
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
    return head + "".join(ended)


def _mode(state: State) -> str:
    return "none" if state.mode is None else f"{state.mode:o}"


def _text(store: SnapshotStore, state: State) -> str | None:
    if state.mode is None or stat.S_ISDIR(state.mode):
        return ""
    if state.blob is None:
        return None
    data = store.content(state.blob)
    if b"\0" in data[:_BINARY_PROBE_BYTES] or data.count(b"\n") > _MAX_LINES:
        return None
    return data.decode("utf-8", "backslashreplace")
