"""Entries, changes and outlines as guests see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.api import views
from milepost.base.clock import ago
from milepost.memory import document as documents
from milepost.memory.anchors import bare
from milepost.memory.entry import version_of

if TYPE_CHECKING:
    from milepost.api.masking import Masking
    from milepost.memory.anchors import Look
    from milepost.memory.document import Document
    from milepost.memory.entry import Entry
    from milepost.memory.revisions import Change


def shown(
    entry: Entry, masking: Masking, looks: tuple[tuple[str, Look], ...] = (), within: str = ""
) -> views.Entry:
    """The entry as guests see it, with what became of the code that it is about."""
    # A person may have written a secret into the file; it goes no further than that.
    text = masking.text(entry.text)
    doubts = tuple(look.doubt for _, look in looks if look.doubt)
    moved = tuple(f"{anchor} moved to {look.moved_to}" for anchor, look in looks if look.moved_to)
    return _entry(entry, text, doubts=doubts, moved=moved, version=version_of(text), within=within)


def shown_change(change: Change) -> views.MemoryChange:
    """A change of memory as guests see it."""
    return views.MemoryChange(
        id=change.id,
        at=change.at,
        actor=change.actor,
        action=change.action,
        undoes=change.undoes,
        undone_by=change.undone_by,
        revisions=tuple(
            views.Revision(
                step.before and _entry(step.before, step.before.text),
                step.after and _entry(step.after, step.after.text),
            )
            for step in change.steps
        ),
    )


def outline_of(document: Document) -> list[views.OutlineItem]:
    """The headings and entries of a memory file, in its order."""
    entries = {entry.block.start: entry for entry in document.entries}
    items: list[views.OutlineItem] = []
    line = 0
    last = 0
    for block in document.blocks:
        line += document.text.count("\n", last, block.start)
        last = block.start
        end_line = line + max(1, document.text.count("\n", block.start, block.end))
        entry = entries.get(block.start)
        if block.kind == "heading":
            items.append(views.OutlineItem(block.level, block.title, line, end_line, None))
        elif entry is not None:
            title = documents.visible(entry.text.split("\n", 1)[0])
            items.append(views.OutlineItem(0, title, line, end_line, entry.id))
    return items


def _entry(
    entry: Entry,
    text: str,
    *,
    doubts: tuple[str, ...] = (),
    moved: tuple[str, ...] = (),
    version: str = "",
    within: str = "",
) -> views.Entry:
    return views.Entry(
        id=entry.id,
        text=text,
        kind=entry.kind,
        status=entry.status,
        scope=entry.scope,
        source=entry.source,
        created_at=entry.created_at,
        anchors=tuple(map(bare, entry.anchors)),
        superseded_by=entry.superseded_by,
        doubts=doubts,
        version=version,
        within=within,
        age=ago(entry.created_at),
        moved=moved,
    )
