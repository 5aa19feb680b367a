"""What a change does to a document: entries put in, altered, taken out, and all of it taken back.

Changing one entry cuts the whole document anew, which is right for one and far too slow for the
thousand that an import adds and its undo takes back; those go in and out in one go.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from milepost.base.errors import UserError, WorldError
from milepost.memory import document as documents
from milepost.memory import entry as entries
from milepost.memory.entry import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from milepost.memory.document import Document, EntryBlock
    from milepost.memory.entry import Entry, Scope
    from milepost.memory.revisions import Step


def with_added(document: Document, entry: Entry, words: str | None = None) -> Document:
    """The document with `entry` at the end of its section, in these `words` if given."""
    text = entry.text if words is None else words
    section = SECTIONS.get(entry.kind, entry.kind)
    changed = documents.with_entry(document, section, text, entries.to_metadata(entry))
    verify(changed.find(entry.id), entry.id, text)
    return changed


def with_all_added(document: Document, added: Iterable[Entry]) -> Document:
    """The document with many entries at the end of their sections. Raises as `verify` does."""
    by_section: dict[str, list[tuple[str, dict[str, str]]]] = {}
    wanted: dict[str, str] = {}
    for entry in added:
        section = SECTIONS.get(entry.kind, entry.kind)
        by_section.setdefault(section, []).append((entry.text, entries.to_metadata(entry)))
        wanted[entry.id] = entry.text
    for section, items in by_section.items():
        document = documents.with_entries(document, section, items)
    found = {each.id: each for each in document.entries if each.id in wanted}
    for entry_id, text in wanted.items():
        verify(found.get(entry_id), entry_id, text)
    return document


def with_changed(document: Document, found: EntryBlock, entry: Entry, words: str) -> Document:
    """The document with the entry `found` changed to `entry` in these `words`."""
    changed = documents.with_changed(document, found, words, entries.to_metadata(entry))
    verify(changed.find(entry.id), entry.id, words)
    return changed


def with_taken_back(
    document: Document, steps: Sequence[Step], scope: Scope, mask: Callable[[str], str]
) -> Document:
    """The document with a change's steps taken back. Raises UserError unless each entry is as its
    step left it."""
    adds = all(step.before is None for step in steps)
    takes = all(step.after is None for step in steps)
    if len(steps) > 1 and (adds or takes):
        found = {each.id: each for each in document.entries}
        for step in steps:
            _check_left(found.get(step.entry_id), step, scope, mask)
        if takes:
            return with_all_added(document, [step.before for step in steps if step.before])
        return documents.without_all(document, [found[step.entry_id] for step in steps])
    for step in reversed(steps):
        document = _with_step_back(document, step, scope, mask)
    return document


def verify(found: EntryBlock | None, entry_id: str, words: str) -> None:
    """Raise WorldError unless the entry can be read back: better to refuse than to lose it."""
    if found is None or found.text != words:
        message = f"the memory file has a comment or a fence that is never closed near {entry_id}"
        raise WorldError(f"{message}, so the entry would be lost in it; close it and try again")


def reads_back(entry: Entry) -> bool:
    """Whether an entry with this text reads back from a file as it was written. One that ends in a
    comment of ours does not, nor does one that opens a comment and never closes it."""
    item = documents.render_item(entry.text, entries.to_metadata(entry))
    found = documents.parse_text(item).entries
    return len(found) == 1 and (found[0].id, found[0].text) == (entry.id, entry.text)


def _with_step_back(
    document: Document, step: Step, scope: Scope, mask: Callable[[str], str]
) -> Document:
    found = document.find(step.entry_id)
    _check_left(found, step, scope, mask)
    if found is None and step.before is not None:
        return with_added(document, step.before)
    if found is None:
        return document
    if step.before is None:
        return documents.without(document, found)
    if step.after is not None and step.before.kind != step.after.kind:
        return with_added(documents.without(document, found), step.before)
    return with_changed(document, found, step.before, step.before.text)


def _check_left(
    found: EntryBlock | None, step: Step, scope: Scope, mask: Callable[[str], str]
) -> None:
    now = None if found is None else entries.from_block(found, scope)
    if now is not None:
        now = replace(now, text=mask(now.text))
    if now != step.after:
        message = f"entry {step.entry_id} has changed since"
        raise UserError(f"{message}; take its later changes back first, or edit it")
