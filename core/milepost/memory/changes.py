"""What a change does to a draft: entries put in, altered, taken out, and all of it taken back.

An entry is changed in its neighbourhood, which copies all bytes each time; the thousand that an
import adds and its undo takes back go in and out of the whole document in one go.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from milepost.base.errors import UserError, WorldError
from milepost.memory import document as documents
from milepost.memory import entry as entries
from milepost.memory.entry import SECTIONS
from milepost.memory.revisions import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from milepost.memory.document import Document, EntryBlock
    from milepost.memory.draft import Draft
    from milepost.memory.entry import Entry, Scope


def add(draft: Draft, entry: Entry, words: str | None = None) -> Step:
    """Put `entry` at the end of its section, in these `words` if given."""
    text = entry.text if words is None else words
    section = SECTIONS.get(entry.kind, entry.kind)
    if not draft.add(section, text, entries.to_metadata(entry)):
        raise _swallowed(entry.id)
    return Step(None, entry)


def with_all_added(document: Document, added: Iterable[Entry]) -> Document:
    """The document with many entries at the end of their sections.

    Raises WorldError unless each can be read back.
    """
    return with_all_under(
        document, [(SECTIONS.get(entry.kind, entry.kind), entry) for entry in added]
    )


def with_all_under(document: Document, added: Iterable[tuple[str, Entry]]) -> Document:
    """`with_all_added`, each entry at the end of the section that is named with it."""
    by_section: dict[str, list[tuple[str, dict[str, str]]]] = {}
    wanted: dict[str, str] = {}
    for section, entry in added:
        by_section.setdefault(section, []).append((entry.text, entries.to_metadata(entry)))
        wanted[entry.id] = entry.text
    for section, items in by_section.items():
        document = documents.with_entries(document, section, items)
    found = {each.id: each.text for each in document.entries if each.id in wanted}
    for entry_id, text in wanted.items():
        if found.get(entry_id) != text:
            raise _swallowed(entry_id)
    return document


def change(draft: Draft, entry: Entry, words: str) -> None:
    """Change an entry to `entry` in these `words`."""
    if not draft.change(entry.id, words, entries.to_metadata(entry)):
        raise _swallowed(entry.id)


def take_back(
    draft: Draft, steps: Sequence[Step], scope: Scope, mask: Callable[[str], str]
) -> None:
    """Take a change's steps back. Raises UserError unless each entry is as its step left it."""
    adds = all(step.before is None for step in steps)
    takes = all(step.after is None for step in steps)
    if len(steps) > 1 and (adds or takes):
        document = draft.whole()
        found = {each.id: each for each in document.entries}
        for step in steps:
            _check_left(found.get(step.entry_id), step, scope, mask)
        if takes:
            draft.put(with_all_added(document, [step.before for step in steps if step.before]))
        else:
            gone = [found[step.entry_id] for step in steps]
            draft.put(documents.without_all(document, gone))
        return
    for step in reversed(steps):
        _check_left(draft.find(step.entry_id), step, scope, mask)
        _take_step_back(draft, step.before, step.after)


def changed_since(
    draft: Draft, steps: Iterable[Step], scope: Scope, mask: Callable[[str], str]
) -> set[str]:
    """The ids of the entries that are not as these steps left them."""
    changed: set[str] = set()
    for step in steps:
        try:
            _check_left(draft.find(step.entry_id), step, scope, mask)
        except UserError:
            changed.add(step.entry_id)
    return changed


def reads_back(entry: Entry) -> bool:
    """Whether an entry with this text reads back from a file as it was written. One that ends in a
    comment of ours does not, nor does one that opens a comment and never closes it."""
    item = documents.render_item(entry.text, entries.to_metadata(entry))
    found = documents.parse_text(item).entries
    return len(found) == 1 and (found[0].id, found[0].text) == (entry.id, entry.text)


def _take_step_back(draft: Draft, before: Entry | None, after: Entry | None) -> None:
    if before is not None and after is not None and before.kind == after.kind:
        change(draft, before, before.text)
        return
    if after is not None:
        draft.remove(after.id)
    if before is not None:
        add(draft, before)


def _check_left(
    found: EntryBlock | None, step: Step, scope: Scope, mask: Callable[[str], str]
) -> None:
    now = None if found is None else entries.from_block(found, scope)
    if now is not None:
        now = replace(now, text=mask(now.text))
    if now != step.after:
        message = f"entry {step.entry_id} has changed since"
        raise UserError(f"{message}; take its later changes back first, or edit it")


def _swallowed(entry_id: str) -> WorldError:
    """Better to refuse than to lose an entry."""
    message = f"the memory file has a comment or a fence that is never closed near {entry_id}"
    return WorldError(f"{message}, so the entry would be lost in it; close it and try again")
