"""What an import would add: candidates checked, masked and compared with what is there.

Nothing that a file says makes a rule of it or has it trusted: it is unverified knowledge, unless
the person who imports it says that it is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from milepost.base.clock import utc_now
from milepost.base.errors import UserError
from milepost.base.ids import new_id
from milepost.memory import changes
from milepost.memory import document as documents
from milepost.memory import entry as entries
from milepost.memory.entry import STATUSES, Entry
from milepost.memory.imports.reading import LeftOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost.memory.entry import Scope
    from milepost.memory.imports.reading import Candidate, Reading
    from milepost.memory.store import MemoryStore

# Near-duplicates are looked for among the first so many, with a search each: a person reads a few
# dozen of them, and the rest of a large import should not wait.
_COMPARED = 300


@dataclass(frozen=True, slots=True)
class Terms:
    """How an import is to be taken: `source` names the tool, `kind` overrides what the reader
    found, and `is_stated` is the user's word that the contents are theirs."""

    scope: Scope
    source: str
    is_stated: bool
    kind: str | None = None


@dataclass(slots=True)
class Plan:
    """What would be added, what not and why, and what nearly says the same as another entry."""

    added: list[Entry] = field(default_factory=list[Entry])
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])
    near: list[tuple[Entry, Entry]] = field(default_factory=list["tuple[Entry, Entry]"])
    masked: int = 0


class _Known:
    """What is there already, or was, or comes with this import."""

    def __init__(self, store: MemoryStore) -> None:
        self.ids: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        for entry in store.each():
            self.ids.setdefault(entry.text, entry.id)
            self.texts[entry.id] = entry.text
        self.fresh: set[str] = set()
        self._before = store.revisions.imported()

    def why_not(self, candidate: Candidate, text: str) -> str | None:
        """Why a candidate is not added although it could be; None when it is."""
        if candidate.id in self.texts:
            is_same = self.texts[candidate.id] == text
            other = f"entry {candidate.id} stands there with other words, and stays as it is"
            return f"it is there already as {candidate.id}" if is_same else other
        if text in self.ids:
            return f"it is there already as {self.ids[text]}"
        # An export brings its ids along, so two entries of one text are two.
        if text in self.fresh and candidate.id is None:
            return "the source says it twice"
        if text in self._before:
            return "it was imported before, and has been changed or forgotten since"
        return None


def planned(
    reading: Reading,
    store: MemoryStore,
    terms: Terms,
    *,
    taken_ids: set[str],
    redact: Callable[[str], tuple[str, bool]],
) -> Plan:
    """The plan for `reading` into `store`. `taken_ids` are those of entries in other scopes;
    `redact` gives a text without its secrets, and whether there were any."""
    plan = Plan(left_out=list(reading.left_out))
    known = _Known(store)
    scopes = {each.scope for each in reading.candidates}
    instead: dict[str, str] = {}
    for candidate in reading.candidates:
        if len(scopes) > 1 and candidate.scope not in (None, terms.scope):
            why = f"it belongs to {candidate.scope} memory; import it with --scope"
            plan.left_out.append(LeftOut(candidate.where, why))
            continue
        text, was_masked = redact(documents.normalized(candidate.text))
        entry, why = _entry(candidate, text, terms)
        why = why or known.why_not(candidate, text)
        if entry is None or why:
            if candidate.id and text in known.ids:
                instead[candidate.id] = known.ids[text]
            plan.left_out.append(LeftOut(candidate.where, why or "it cannot be kept"))
            continue
        if entry.id in taken_ids:
            entry = replace(entry, id=new_id())
            instead[candidate.id or ""] = entry.id
        plan.masked += was_masked
        known.fresh.add(entry.text)
        known.texts[entry.id] = entry.text
        plan.added.append(entry)
    plan.added = [
        replace(entry, superseded_by=instead.get(entry.superseded_by or "", entry.superseded_by))
        for entry in plan.added
    ]
    for entry in plan.added[:_COMPARED]:
        plan.near += [(entry, other) for other in store.similar(entry.text, entry.id)[:1]]
    return plan


def _entry(candidate: Candidate, text: str, terms: Terms) -> tuple[Entry | None, str | None]:
    """The entry that a candidate becomes, or why it becomes none."""
    try:
        entries.checked_text(text)
    except UserError as error:
        return None, str(error)
    entry = Entry(
        id=candidate.id or new_id(),
        text=text,
        kind=_kind(candidate, terms),
        status=_status(candidate, terms),
        scope=terms.scope,
        source=(candidate.source if terms.is_stated else None) or terms.source,
        created_at=candidate.created_at or (None if candidate.id else utc_now()),
        anchors=candidate.anchors,
        superseded_by=candidate.superseded_by,
    )
    return (entry, None) if changes.reads_back(entry) else (None, "it would not read back whole")


def _kind(candidate: Candidate, terms: Terms) -> str:
    if terms.kind is not None:
        return terms.kind
    is_rule = candidate.kind == "rule" and not terms.is_stated
    return "knowledge" if is_rule else candidate.kind


def _status(candidate: Candidate, terms: Terms) -> str:
    if candidate.superseded_by:
        return "superseded"
    if not terms.is_stated:
        return "unverified"
    if candidate.id is None:
        return "stated"
    return candidate.status if candidate.status in STATUSES else "unverified"
