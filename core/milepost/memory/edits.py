"""Changes of a memory's draft, each with what it does to which entry; nothing is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from milepost.base.errors import ConflictError, UserError
from milepost.base.ids import looks_like_id, new_id
from milepost.memory import changes
from milepost.memory import entry as entries
from milepost.memory.entry import SECTIONS, Entry, Scope
from milepost.memory.revisions import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from milepost.memory.document import EntryBlock
    from milepost.memory.draft import Draft


def required(
    draft: Draft, entry_id: str, scope: Scope, version: str | None, mask: Callable[[str], str]
) -> EntryBlock:
    """The entry with this id. Raises UserError when there is none, ConflictError when its words
    have another version than is given."""
    found = draft.find(entry_id)
    if found is None:
        raise UserError(no_such_entry(entry_id))
    if version is not None:
        now = mask(entries.from_block(found, scope).text)
        if entries.version_of(now) != version:
            message = f"entry {entry_id} has changed since you saw it, so it was left as it is"
            raise ConflictError(f"{message}; it now reads:\n{now}", now)
    return found


def added(draft: Draft, entry: Entry) -> tuple[Step, ...]:
    """An entry at the end of its section."""
    changes.add(draft, entry)
    return (Step(None, entry),)


def imported(draft: Draft, taken: Sequence[Entry]) -> tuple[Step, ...]:
    """Entries that were taken over from elsewhere added, as they are."""
    document = draft.whole()
    # Someone else may be taking the same things over at this moment.
    there = {each.text for each in document.entries} & {entry.text for entry in taken}
    fresh = [entry for entry in taken if entry.text not in there]
    draft.put(changes.with_all_added(document, fresh))
    return tuple(Step(None, entry) for entry in fresh)


def superseded(draft: Draft, found: EntryBlock, old: Entry, new: Entry) -> tuple[Step, ...]:
    """`new` in the place of `old`, which stays, marked. Raises UserError when it is marked."""
    if old.superseded_by:
        message = f"entry {old.id} was superseded by {old.superseded_by}"
        raise UserError(f"{message}; supersede that one instead")
    marked = replace(old, superseded_by=new.id, status="superseded")
    changes.change(draft, marked, found.text)
    return (Step(old, marked), *added(draft, new))


def received(draft: Draft, entry: Entry, scope: Scope) -> tuple[Step, ...]:
    """An entry of another scope added to this one, under its id unless another entry has that."""
    found = draft.find(entry.id)
    here = None if found is None else entries.from_block(found, scope)
    kind = entry.kind if entry.kind in SECTIONS else "knowledge"
    new = replace(entry, scope=scope, kind=kind)
    if here is not None:
        if here.text == entry.text:
            # A move that was cut short has brought it here already.
            return (Step(here, here),)
        new = replace(new, id=new_id())
    return added(draft, new)


def adopted(draft: Draft, found: list[tuple[str, Entry]]) -> tuple[Step, ...]:
    """The entries of another file added, each under its heading, but for those that are here."""
    document = draft.whole()
    known = {entry.id for entry in document.entries}
    fresh = [
        (section or SECTIONS["knowledge"], entry)
        for section, entry in found
        if entry.id not in known
    ]
    draft.put(changes.with_all_under(document, fresh))
    return tuple(Step(None, entry) for _, entry in fresh)


def taken_back(
    draft: Draft, steps: Sequence[Step], scope: Scope, mask: Callable[[str], str]
) -> tuple[Step, ...]:
    """A change's steps taken back. Raises UserError when an entry is not as they left it."""
    changes.take_back(draft, steps, scope, mask)
    return tuple(Step(step.after, step.before) for step in reversed(steps))


def conflict_words(path: Path, line: int) -> str:
    """The sentence for a merge that git left undone, but for its end."""
    return f"{path} has an unresolved merge conflict at line {line}; resolve it in an editor"


def no_such_entry(entry_id: str) -> str:
    """The sentence for an id that names nothing."""
    shown = entry_id.encode("utf-8", "backslashreplace").decode()[:40]
    if not looks_like_id(entry_id):
        return f"{shown!r} is not an id; ids come with every entry that a search or a list returns"
    return f"there is no entry {shown}; search again, it may have been edited or forgotten"


def template(title: str, scope: Scope) -> bytes:
    """A memory file in which nothing is remembered yet."""
    if scope in ("session", "task"):
        # Written in passing: a section is made when something comes into it.
        return f"# {title}\n".encode()
    sections = "\n".join(f"## {section}\n" for section in SECTIONS.values())
    return (
        f"# {title}\n\n"
        "<!-- What Milepost remembers. Edit it as you like: a list item or a paragraph is an\n"
        "     entry, and the comment behind one says where it came from. -->\n\n"
        f"{sections}"
    ).encode()
