"""A memory as it is read: the entries of its file, and searches by an index that is kept level.

The store adds the changes to this. Whoever reads first after the file has changed, by whatever
hand, brings index and log level with it.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.errors import WorldError
from milepost.memory import document as documents
from milepost.memory import edits
from milepost.memory import entry as entries
from milepost.memory.anchors import Anchors, bare
from milepost.memory.draft import Draft
from milepost.memory.entry import SECTIONS
from milepost.memory.file import MemoryFile
from milepost.memory.index import Index, trust
from milepost.memory.index_rows import digest_of
from milepost.memory.later import Later
from milepost.memory.layout import layout_of, size_of
from milepost.memory.named import Named
from milepost.memory.revisions import RevisionLog, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from milepost.base.files import Signature
    from milepost.base.sqlite import Database
    from milepost.memory.anchors import Look
    from milepost.memory.entry import Entry, Scope
    from milepost.memory.file import Read
    from milepost.memory.layout import Layout
    from milepost.memory.repository import Repository
    from milepost.search.embedding import Embedding

# Who changed what was found changed in the file.
BY_HAND = "file"

# The notes of a session or task are cut quicker than their index is opened, and there may be many;
# any other file is asked by its index, at the same cost whatever its size.
_SMALL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Span:
    """Where an entry stands: zero-based lines, `end_line` excluded."""

    line: int
    end_line: int


class MemoryReader:
    """The entries of one memory file, to be read."""

    def __init__(  # noqa: PLR0913  (what a memory is made of, named at each call)
        self,
        folder: Path,
        scope: Scope,
        title: str,
        *,
        anchors: Anchors | None = None,
        mask: Callable[[str], str] = str,
        name: str = "MEMORY.md",
        within: str = "",
        repository: Repository | None = None,
        embedding: Embedding | None = None,
        stays: bool = False,
    ) -> None:
        """`mask` takes the secrets out of what a person wrote into the file, before index and
        revisions keep it; what callers add comes masked. `within` is the session, task or worktree
        of the scope. With a `repository` the file is the one in it; all else is in `folder`.
        A process that `stays` brings the index level after it has acknowledged a new entry."""
        self._anchors = anchors or Anchors(None)
        self.mask = mask
        self.folder = folder
        self.path = folder / name if repository is None else repository.path
        self.scope: Scope = scope
        self.within = within
        self._title = title
        self._later = Later(is_on=stays)
        self._repository = repository
        root = None if repository is None else repository.root
        self._file = MemoryFile(self.path, folder / f"{name}.lock", repository=root)
        self.index = Index(folder / "index.db", scope, mask, embedding)
        self.revisions = RevisionLog(folder / "revisions.db", mask)
        self._named: Named[Entry] = Named()

    @property
    def label(self) -> str:
        """The scope as people say it, such as `project` or `task T1`."""
        return f"{self.scope} {self.within}".strip()

    @property
    def is_in_repository(self) -> bool:
        """Whether the file is one of the user's project."""
        return self._repository is not None

    @property
    def databases(self) -> tuple[Database, ...]:
        """Its databases, which may not exist yet."""
        own = (self.index.database, self.revisions.database)
        return own if self._repository is None else (*own, self._repository.database)

    def exists(self) -> bool:
        """Whether anything was ever kept here; a file that is gone is still to be noticed."""
        return self._file.signature() is not None or self.index.database.path.exists()

    def conflict(self) -> int | None:
        """The line of a merge that git left undone in the file, counted from 1."""
        return None if self._repository is None else conflict_line(self._file.read().data)

    def get(self, entry_id: str) -> Entry | None:
        """The entry with this id."""
        signature = self._file.signature()
        if signature is None:
            return None
        is_note = self.scope in ("session", "task") and signature.size <= _SMALL_BYTES
        if not is_note:
            self.refresh()
            found = self.index.get(entry_id)
            return None if found is None else self._seen(found)
        block = self._file.document()[1].find(entry_id)
        return None if block is None else self._seen(entries.from_block(block, self.scope))

    def span(self, entry_id: str) -> Span | None:
        """Where the entry with this id stands."""
        if self.get(entry_id) is None:
            return None
        lines = self._draft(self._file.read()).lines_of(entry_id)
        if lines is not None:
            return Span(*lines)
        _, document = self._file.document()
        found = document.find(entry_id)
        if found is None:
            return None
        last = document.line_of(max(found.block.start, found.block.end - 1))
        return Span(document.line_of(found.block.start), last + 1)

    def all(self) -> list[Entry]:
        """Every entry, in file order."""
        found = self._file.document()[1].entries
        return self._all_seen([entries.from_block(block, self.scope) for block in found])

    def each(self) -> Iterator[Entry]:
        """Every entry in file order, one by one: a large memory is not held as objects."""
        if self._repository is not None:
            yield from self.all()
            return
        for block in documents.each_entry(self.content()):
            yield entries.from_block(block, self.scope)

    def sections(self) -> list[tuple[str, Entry]]:
        """Every entry with the heading that it stands under, in file order."""
        blocks = self._file.document()[1].entries
        return [
            (block.block.section, entry) for block, entry in zip(blocks, self.all(), strict=True)
        ]

    def content(self) -> str:
        """The file's text as of one moment; empty when there is no file."""
        if self._file.signature() is None:
            return ""
        with self._locked():
            return documents.decoded(self._file.read().data)

    def search(
        self, question: str, *, kind: str | None, include_superseded: bool
    ) -> list[tuple[float, Entry]]:
        """The entries that hold a word of `question`, best first, with scores."""
        self.refresh()
        found = self.index.search(question, kind=kind, include_superseded=include_superseded)
        if self._repository is None:
            return found
        seen = self._all_seen([entry for _, entry in found])
        weighed = [
            (score * trust(entry.status) / trust(raw.status), entry)
            for (score, raw), entry in zip(found, seen, strict=True)
        ]
        return sorted(weighed, key=lambda pair: -pair[0])

    def naming(self, symbol: str) -> list[Entry]:
        """Entries whose text or anchors hold `symbol` as a word, best first."""
        self._later.wait()
        signature = self._file.signature()
        known = self._named.get(signature, symbol)
        if known is not None:
            return self._all_seen(list(known))
        level, found = self.index.naming(symbol)
        if level != signature:
            self.refresh()
            level, found = self.index.naming(symbol)
        self._named.keep(level, symbol, found)
        return self._all_seen(found)

    def anchored(self, path: str) -> list[Entry]:
        """The entries that are about this file of the project."""
        self.refresh()
        return self._all_seen(self.index.anchored(path))

    def anchor_paths(self, most: int) -> set[str]:
        """The files that entries are about; of very many the first."""
        self.refresh()
        return self.index.anchor_paths(most)

    def similar(self, text: str, entry_id: str) -> list[Entry]:
        """The entries other than `entry_id` that say nearly the same as `text`."""
        self.refresh()
        return self._all_seen(self.index.similar(text, entry_id))

    def digests(self) -> dict[str, bytes]:
        """What tells each entry of the file from what it was before, by id."""
        signature = self._file.signature()
        if signature is not None and signature.size > _SMALL_BYTES:
            self.refresh()
            return self.index.digests()
        # There may be many small ones: none is kept, and none gets an index by being looked at.
        found = documents.parse(self._file.read().data).entries
        return {block.id: digest_of(entries.from_block(block, self.scope)) for block in found}

    def count(self) -> int:
        """How many entries there are."""
        self.refresh()
        return self.index.count()

    def counts(self) -> tuple[int, int]:
        """How many rows the index has, and how many entries the file; they should be equal."""
        return self.count(), len(self._file.document()[1].entries)

    def looks(self, entry: Entry) -> tuple[tuple[str, Look], ...]:
        """What became of the code that an entry is about, by its anchors without stamps."""
        return tuple((bare(anchor), self._anchors.look(anchor)) for anchor in entry.anchors)

    def find_lost(self) -> None:
        """Search for all code that is gone from where entries say, and wait until that is done."""
        self._anchors.prepare(anchor for entry in self.all() for anchor in entry.anchors)

    def former_anchors(self, path: str, symbol: str) -> tuple[str, ...]:
        """The anchors of old whose code is known to be at this symbol now."""
        return self._anchors.former(path, symbol)

    def refresh(self) -> int:
        """Bring the index level with the file; how many entries were new, changed or gone."""
        self._later.wait()
        if self.index.is_level(self._file.signature()):
            return 0
        # Under the lock, so that no change of ours is taken for one by hand.
        with self._locked():
            # Another process of ours may have been between its file and its index.
            is_level = self.index.is_level(self._file.signature())
            return 0 if is_level else self._bring_level()

    def close(self) -> None:
        """Finish what is left to do and close the databases."""
        self._later.close()
        self.index.uses.flush()
        for database in self.databases:
            database.close()

    def _locked(self) -> AbstractContextManager[None]:
        """The lock under which the file is changed."""
        # Our own last change may still hold it; to be told of its end is quicker than to look.
        self._later.wait()
        return self._file.locked()

    def _draft(self, base: Read) -> Draft:
        if base.signature is None:
            template = edits.template(self._title, self.scope)
            return Draft(template, SECTIONS.values(), None, self.index.known)
        layout = self._layout(base.signature)
        return Draft(base.data, SECTIONS.values(), layout, self.index.known)

    def _layout(self, signature: Signature | None) -> Layout | None:
        """What the index knows of the file; nothing when it cannot be asked: the file is the truth,
        and can be cut whole."""
        with contextlib.suppress(WorldError):
            return self.index.layout(signature)
        return None

    def _bring_level(self, recorded: set[str] | None = None) -> int:
        """Compare file and index whole; the lock is held. What differs and is not `recorded` was
        changed by hand."""
        signature, document = self._file.document()
        found = (
            (entries.from_block(block, self.scope), size_of(document, block))
            for block in document.entries
        )
        layout = layout_of(document, SECTIONS.values())
        differences = self.index.bring_level(signature, layout, found)
        if differences is None:
            return len(document.entries)
        steps = (Step(before, after) for before, after in differences)
        by_hand = [step for step in steps if step.entry_id not in (recorded or ())]
        # In a repository git brings entries and takes them away with every branch, and keeps the
        # log of that itself; what it did is not for us to take back.
        if by_hand and self._repository is None:
            with contextlib.suppress(WorldError):
                self.revisions.record("edit", BY_HAND, by_hand)
        return len(differences)

    def _seen(self, entry: Entry) -> Entry:
        return self._all_seen([entry])[0]

    def _all_seen(self, found: list[Entry]) -> list[Entry]:
        """The entries as they may be shown: what comes from a repository is trusted less."""
        return found if self._repository is None else self._repository.seen(found)


def conflict_line(data: bytes) -> int | None:
    """The line of a merge that git left undone in a memory file, counted from 1."""
    # Nearly always there is no mark anywhere, and looking for one is much cheaper than cutting.
    return documents.conflict_line(documents.parse(data)) if b"<<<<<<<" in data else None
