"""The memory of one scope: a Markdown file that holds the truth, and the index beside it.

A change takes the file's lock, reads the file if it is not the one last read, replaces one span of
it, writes it durably, and brings the index level. What was acknowledged is in the file; a process
killed in between leaves at worst an index that is behind, which the next reader notices by the
file's signature. A person who edits by hand takes no lock: a change that finds the file changed
under its hands reads it again and starts over.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from milepost.base import files
from milepost.base.clock import utc_now
from milepost.base.errors import UserError, WorldError
from milepost.base.ids import looks_like_id, new_id
from milepost.memory import document as documents
from milepost.memory import entry as entries
from milepost.memory.entry import SECTIONS, Entry, Scope
from milepost.memory.index import Index

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from milepost.memory.document import Document, EntryBlock

# Hand edits come seconds apart; a file that changes this often while we write has another cause.
_ATTEMPTS = 5

# A memory that is larger is no memory; reading it would stop the server.
MAX_FILE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Span:
    """Where an entry stands: zero-based lines, `end_line` excluded."""

    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class _Changed:
    """A changed document, what to tell the caller, and the entries that are new in it or differ.

    `touched` is empty when only a comparison of the whole can tell.
    """

    document: Document
    entry: Entry
    touched: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was read: its signature (None: there was none) and its document."""

    signature: files.Signature | None
    document: Document


class MemoryStore:
    """The entries of one MEMORY.md."""

    def __init__(self, folder: Path, scope: Scope, title: str) -> None:
        self.path = folder / "MEMORY.md"
        self.scope: Scope = scope
        self._title = title
        self._lock = folder / "MEMORY.md.lock"
        self.index = Index(folder / "index.db", scope)
        self._last: _Read | None = None
        self._guard = threading.Lock()

    def add(
        self, text: str, kind: str, status: str, source: str, anchors: tuple[str, ...]
    ) -> Entry:
        """Remember `text`. Durable when this returns.

        Raises UserError when an argument is not as `entry` wants it, WorldError when the file
        cannot be written.
        """
        added = Entry(
            id=new_id(),
            text=documents.normalized(entries.checked_text(text)),
            kind=entries.checked_kind(kind),
            status=entries.checked_status(status),
            scope=self.scope,
            source=source,
            created_at=utc_now(),
            anchors=entries.checked_anchors(anchors),
            superseded_by=None,
        )

        def change(document: Document) -> _Changed:
            return _Changed(_with_added(document, added), added, (added,))

        files.make_private_dir(self.path.parent)
        with files.locked(self._lock):
            if self._append(added):
                return added
            return self._change(change)

    def update(
        self, entry_id: str, *, text: str | None, kind: str | None, status: str | None
    ) -> Entry:
        """Change what is given of an entry; a new kind moves it to that kind's section.

        Raises UserError when there is no such entry or an argument is wrong.
        """
        words = None if text is None else documents.normalized(entries.checked_text(text))
        kind = None if kind is None else entries.checked_kind(kind)
        status = None if status is None else entries.checked_status(status)

        def change(document: Document) -> _Changed:
            found = self._required(document, entry_id)
            old = entries.from_block(found, self.scope)
            new = replace(
                old,
                text=words or found.text,
                kind=kind or old.kind,
                status=status or old.status,
            )
            if new.kind != old.kind:
                changed = _with_added(documents.without(document, found), new)
            else:
                changed = _with_changed(document, found, new)
            shown = replace(new, text=documents.visible(new.text))
            return _Changed(changed, shown, (shown,))

        return self._change_alone(change)

    def supersede(self, entry_id: str, text: str, kind: str | None, source: str) -> Entry:
        """Add `text` in place of an entry, which stays in the file, marked and out of searches.

        Raises UserError when there is no such entry or the text is wrong.
        """
        words = documents.normalized(entries.checked_text(text))
        kind = None if kind is None else entries.checked_kind(kind)
        successor = new_id()

        def change(document: Document) -> _Changed:
            found = self._required(document, entry_id)
            old = entries.from_block(found, self.scope)
            if old.superseded_by:
                message = f"entry {entry_id} was superseded by {old.superseded_by}"
                raise UserError(f"{message}; supersede that one instead")
            known_kind = old.kind if old.kind in SECTIONS else "knowledge"
            new = Entry(
                id=successor,
                text=words,
                kind=kind or known_kind,
                status="stated" if source.startswith("user:") else "unverified",
                scope=self.scope,
                source=source,
                created_at=utc_now(),
                anchors=old.anchors,
                superseded_by=None,
            )
            marked = replace(old, text=found.text, superseded_by=successor)
            changed = _with_added(_with_changed(document, found, marked), new)
            shown = replace(marked, text=old.text, status="superseded")
            return _Changed(changed, new, (shown, new))

        return self._change_alone(change)

    def forget(self, entry_id: str) -> Entry:
        """Take an entry out of the file, and return what it was. Raises UserError."""

        def change(document: Document) -> _Changed:
            found = self._required(document, entry_id)
            return _Changed(
                documents.without(document, found), entries.from_block(found, self.scope)
            )

        return self._change_alone(change)

    def get(self, entry_id: str) -> Entry | None:
        """The entry with this id."""
        found = self._read().document.find(entry_id)
        return None if found is None else entries.from_block(found, self.scope)

    def span(self, entry_id: str) -> Span | None:
        """Where the entry with this id stands."""
        document = self._read().document
        found = document.find(entry_id)
        if found is None:
            return None
        last = document.line_of(max(found.block.start, found.block.end - 1))
        return Span(document.line_of(found.block.start), last + 1)

    def all(self) -> list[Entry]:
        """Every entry, in file order."""
        return [entries.from_block(found, self.scope) for found in self._read().document.entries]

    def search(
        self, question: str, *, kind: str | None, include_superseded: bool
    ) -> list[tuple[float, Entry]]:
        """The entries that hold a word of `question`, best first, with scores."""
        self.refresh()
        return self.index.search(question, kind=kind, include_superseded=include_superseded)

    def naming(self, symbol: str) -> list[Entry]:
        """Entries whose text or anchors hold `symbol` as a word, best first."""
        self.refresh()
        return self.index.naming(symbol)

    def count(self) -> int:
        """How many entries there are."""
        self.refresh()
        return self.index.count()

    def refresh(self) -> int:
        """Bring the index level with the file; how many entries were new, changed or gone."""
        if self.index.is_level(files.signature(self.path)):
            return 0
        read = self._read()
        found = (entries.from_block(block, self.scope) for block in read.document.entries)
        return self.index.bring_level(read.signature, found)

    def counts(self) -> tuple[int, int]:
        """How many rows the index has, and how many entries the file; they should be equal."""
        return self.count(), len(self._read().document.entries)

    def _append(self, entry: Entry) -> bool:
        """Add an entry whose place is the very end of the file, which is where most go: at a cost
        that does not grow with the file. False when its place is elsewhere."""
        read = self._read()
        appended = documents.with_last_entry(
            read.document, SECTIONS[entry.kind], entry.text, entries.to_metadata(entry)
        )
        if appended is None or read.signature is None:
            return False
        document, item = appended
        _verified(document.entries[-1], entry)
        written = files.append_durably(self.path, item.encode("utf-8"), read.signature)
        if written is None:
            return self.get(entry.id) is not None
        self._wrote(read.signature, _Read(written, document), (entry,))
        return True

    def _change_alone(self, change: Callable[[Document], _Changed]) -> Entry:
        files.make_private_dir(self.path.parent)
        with files.locked(self._lock):
            return self._change(change)

    def _change(self, change: Callable[[Document], _Changed]) -> Entry:
        """Rewrite the file with `change` made to it, while the lock is held."""
        for _ in range(_ATTEMPTS):
            read = self._read()
            document = read.document
            if read.signature is None:
                document = documents.parse_text(_template(self._title))
            changed = change(document)
            if files.signature(self.path) != read.signature:
                continue
            written = files.write_durably(self.path, changed.document.to_bytes())
            self._wrote(read.signature, _Read(written, changed.document), changed.touched)
            return changed.entry
        raise WorldError(f"{self.path} keeps changing; find out what writes it and try again")

    def _wrote(
        self, before: files.Signature | None, written: _Read, touched: tuple[Entry, ...]
    ) -> None:
        """Take note of what the file now is, unless someone has already written again."""
        with self._guard:
            self._last = None if written.signature is None else written
        self._bring_index_level(before, written.signature, touched)

    def _bring_index_level(
        self,
        before: files.Signature | None,
        after: files.Signature | None,
        touched: tuple[Entry, ...],
    ) -> None:
        # The file is written, so the change is kept whatever happens here; a failing index is
        # brought level, or put aside, by the next reader.
        with contextlib.suppress(WorldError):
            if before and after and touched and self.index.put(before, after, touched):
                return
            self.refresh()

    def _read(self) -> _Read:
        """The file as it is now, from memory when its signature is the one last read."""
        now = files.signature(self.path)
        with self._guard:
            if self._last is not None and self._last.signature == now:
                return self._last
        read = self._read_anew()
        with self._guard:
            self._last = read
        return read

    def _read_anew(self) -> _Read:
        for _ in range(_ATTEMPTS):
            before = files.signature(self.path)
            if before is None:
                return _Read(None, documents.parse_text(""))
            if before.size > MAX_FILE_BYTES:
                message = f"{self.path} is larger than {MAX_FILE_BYTES // 1024**2} MiB"
                raise WorldError(f"{message}; move what is no memory out of it")
            try:
                data = self.path.read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                message = f"cannot read {self.path} ({error.strerror}); check its owner and mode"
                raise WorldError(message) from error
            if files.signature(self.path) == before:
                return _Read(before, documents.parse(data))
        raise WorldError(f"{self.path} keeps changing; find out what writes it and try again")

    def _required(self, document: Document, entry_id: str) -> EntryBlock:
        found = document.find(entry_id)
        if found is None:
            raise UserError(no_such_entry(entry_id))
        return found


def no_such_entry(entry_id: str) -> str:
    """The sentence for an id that names nothing."""
    shown = entry_id.encode("utf-8", "backslashreplace").decode()[:40]
    if not looks_like_id(entry_id):
        return f"{shown!r} is not an id; ids come with every entry that a search or a list returns"
    return f"there is no entry {shown}; search again, it may have been edited or forgotten"


def _with_added(document: Document, entry: Entry) -> Document:
    changed = documents.with_entry(
        document, SECTIONS.get(entry.kind, entry.kind), entry.text, entries.to_metadata(entry)
    )
    _verified(changed.find(entry.id), entry)
    return changed


def _with_changed(document: Document, found: EntryBlock, entry: Entry) -> Document:
    changed = documents.with_changed(document, found, entry.text, entries.to_metadata(entry))
    _verified(changed.find(entry.id), entry)
    return changed


def _verified(found: EntryBlock | None, entry: Entry) -> None:
    """Raise unless the entry can be read back: better to refuse than to lose it."""
    if found is None or found.text != entry.text:
        message = "the memory file has a comment or a fence that is never closed"
        raise WorldError(f"{message}, so the entry would be lost in it; close it and try again")


def _template(title: str) -> str:
    sections = "\n".join(f"## {section}\n" for section in SECTIONS.values())
    return (
        f"# {title}\n\n"
        "<!-- What Milepost remembers. Edit it as you like: a list item or a paragraph is an\n"
        "     entry, and the comment behind one says where it came from. -->\n\n"
        f"{sections}"
    )
