"""`memory_get`: one entry whole, or all of them page by page."""

from __future__ import annotations

from milepost_mcp.convert import entry_data, entry_text
from milepost_mcp.limits import MAX_REPLY_CHARS
from milepost_mcp.tools.memory_search import KINDS, SCOPES
from milepost_mcp.tools.tool import Call, Number, Reply, Text, Tool


def _run(call: Call) -> Reply:
    entry_id = call.arguments.text("id")
    if entry_id is not None:
        entry = call.workspace.memory.get(entry_id)
        place = call.workspace.memory.locate(entry_id)
        at = f"{place.path}:{place.line + 1}"
        data = {**entry_data(entry, whole=True), "at": at}
        return Reply(f"{entry_text(entry, whole=True)}\nat {at}", data)
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
    words="Read one entry whole by id, or without id all entries in file order, page by page.",
    parameters=(
        Text("id"),
        Text("kind", choices=KINDS),
        Text("scope", choices=SCOPES),
        Number("offset", least=0),
        Number("limit", most=100),
    ),
    run=_run,
    is_read_only=True,
)
