"""Which entries an action at a place is about.

In a memory file it is the one under the cursor, in the words of the buffer. In code it is those
that are anchored to the symbol under the cursor and suspect: only they ask for something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from milepost_lsp import markdown

if TYPE_CHECKING:
    from milepost import api
    from milepost_lsp.actions.action import Place

# As many as a menu can hold beside everything else that is in it.
_MOST = 3


def entries_at(place: Place) -> tuple[api.Entry, ...]:
    """The entry under the cursor, or the suspect ones of the symbol there."""
    if place.is_ours:
        return (place.entry,) if place.entry else ()
    return place.suspects[:_MOST]


def named(place: Place, entry: api.Entry) -> str:
    """How a title names the entry: in a memory file the cursor does."""
    return "this entry" if place.is_ours else f"“{markdown.short(entry.text, 40)}”"


def argument(place: Place, entry: api.Entry) -> dict[str, Any]:
    """What a command needs to change the entry that was shown, and no other words."""
    return {"id": entry.id, "version": entry.version, "uri": place.uri}
