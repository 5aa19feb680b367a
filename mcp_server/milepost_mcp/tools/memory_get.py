"""`memory_get`: one entry whole, or all of them page by page."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from milepost.api import ConflictError, UserError
from milepost_mcp.convert import entry_data, entry_text
from milepost_mcp.limits import MAX_REPLY_CHARS
from milepost_mcp.tools.memory_search import KINDS
from milepost_mcp.tools.tool import Call, Number, Reply, Text, Tool

if TYPE_CHECKING:
    from collections.abc import Generator

_TO_CONFIRM = (
    "Look at the code. If the entry still holds, call memory_save with its id and status "
    "confirmed; if not, with its id and a new text, or memory_forget."
)


@contextmanager
def unseen_shown(call: Call, entry_id: str) -> Generator[None]:
    """Around a change: when it is refused because the words are others by now, the refusal shows
    them, and the next try is made in their knowledge."""
    try:
        yield
    except ConflictError:
        with suppress(UserError):
            call.seen.note(call.workspace.memory.get(entry_id))
        raise


def _run(call: Call) -> Reply:
    entry_id = call.arguments.text("id")
    if entry_id is not None:
        entry = call.workspace.memory.get(entry_id)
        call.seen.note(entry)
        place = call.workspace.memory.locate(entry_id)
        at = f"{place.path}:{place.line + 1}"
        data = {**entry_data(entry, whole=True), "at": at}
        text = f"{entry_text(entry, whole=True)}\nat {at}"
        if entry.doubts:
            data["to_confirm"] = _TO_CONFIRM
            text += f"\n{_TO_CONFIRM}"
        return Reply(text, data)
    offset = call.arguments.number("offset", 0)
    page = call.workspace.memory.page(
        scope=call.arguments.text("scope"),
        kind=call.arguments.text("kind"),
        offset=offset,
        limit=call.arguments.number("limit", 50),
    )
    shown, size = 0, 0
    for entry in page.entries:
        size += len(entry.text) + 120
        if shown and size > MAX_REPLY_CHARS:
            break
        shown += 1
    next_offset = offset + shown if offset + shown < page.total else None
    entries = page.entries[:shown]
    for entry in entries:
        call.seen.note(entry)
    data: dict[str, object] = {
        "entries": [entry_data(entry, whole=True) for entry in entries],
        "total": page.total,
    }
    lines = [entry_text(entry, whole=True) for entry in entries]
    if next_offset is not None:
        data["next_offset"] = next_offset
        lines.append(f"{page.total} entries in all; go on with offset {next_offset}")
    else:
        lines.append(f"{page.total} entries in all")
    return Reply("\n".join(lines), data)


TOOL = Tool(
    name="memory_get",
    title="Read memory",
    words="Read one entry by id, or all of them page by page.",
    parameters=(
        Text("id"),
        Text("kind", choices=KINDS),
        Text("scope"),
        Number("offset", least=0),
        Number("limit", most=100),
    ),
    run=_run,
    is_read_only=True,
)
