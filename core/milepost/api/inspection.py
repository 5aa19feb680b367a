"""Memory as an editor shows it: what stands where in a memory file's text, what is wrong with it,
and which entries are about a file of the project."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from milepost.api import views
from milepost.api.showing import shown
from milepost.base.symbols import definition_of, definitions, last_name
from milepost.memory import document as documents
from milepost.memory.anchors import bare
from milepost.memory.entry import from_block
from milepost.memory.inspection import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from milepost.api.masking import Masking
    from milepost.api.scopes import Scopes
    from milepost.checkpoints.store import SnapshotStore
    from milepost.memory.anchors import Look
    from milepost.memory.document import EntryBlock
    from milepost.memory.entry import Entry
    from milepost.memory.store import MemoryStore

_ANCHORS = re.compile(r"(?<= anchors=)[^ \t>]+")

# Texts that were looked through for secrets are not looked through again; a hash of each is kept.
_MAX_LOOKED_THROUGH = 50_000

# A list of files is good for as long as somebody types one path.
_LIST_GOOD_S = 10.0

# How much of another entry's words names it.
_NAMED_CHARS = 60

_WORDS = {
    "duplicate": "says nearly the same as “{}”: keep one of them",
    "contradiction": "contradicts “{}”: one of them does not hold",
}


class Inspection:
    """Looks at the memories of one workspace for an editor; nothing is changed."""

    def __init__(
        self, scopes: Scopes, masking: Masking, snapshots: SnapshotStore, data_dir: Path
    ) -> None:
        self._scopes = scopes
        self._masking = masking
        self._snapshots = snapshots
        self._data_dir = data_dir
        self._root = Path(snapshots.root)
        self._secrets: dict[int, tuple[str, ...]] = {}
        self._listed: tuple[float, tuple[str, ...]] = (0.0, ())

    def entries(self, text: str) -> tuple[views.PlacedEntry, ...]:
        """The entries of a memory file's text, such as an unsaved buffer's, in its order."""
        return tuple(
            views.PlacedEntry(
                id=block.id,
                line=line,
                end_line=end_line,
                status="superseded"
                if "superseded-by" in block.metadata
                else block.metadata.get("status", "stated"),
                superseded_by=block.metadata.get("superseded-by"),
                anchors=tuple(_anchors(text, block, line)),
            )
            for block, line, end_line in _placed(text)
        )

    def findings(self, text: str, scope: str) -> tuple[views.Finding, ...]:
        """What is wrong in a memory file's text: entries whose code changed, near duplicates,
        contradictions, secrets. `scope` is as `memory.scope_of` tells it. It may take seconds in a
        very large memory."""
        store = self._scopes.labelled(scope)
        placed = list(_placed(text))
        entries = [from_block(block, store.scope) for block, _, _ in placed]
        found = [
            views.Finding(entry.id, kind, message, line, end_line)
            for entry, (_, line, end_line) in zip(entries, placed, strict=True)
            for kind, message in self._of_one(store, entry)
        ]
        for pair in pairs(entries):
            for here, there in ((pair.first, pair.second), (pair.second, pair.first)):
                _, line, end_line = placed[here]
                named = " ".join(self._masking.text(entries[there].text).split())
                message = _WORDS[pair.kind].format(named[:_NAMED_CHARS])
                other_line = placed[there][1]
                found.append(
                    views.Finding(entries[here].id, pair.kind, message, line, end_line, other_line)
                )
        return tuple(sorted(found, key=lambda each: each.line))

    def about_file(self, path: str) -> tuple[views.Entry, ...]:
        """The entries that are about a file of the project (relative to its root), with what became
        of the code."""
        return tuple(
            shown(entry, self._masking, store.looks(entry), store.within)
            for store in self._scopes.in_play(None, None, None)
            for entry in store.anchored(path)
        )

    def anchored_files(self, *, most: int) -> tuple[str, ...]:
        """The absolute paths of the files that entries are about; of very many the first."""
        stores = self._scopes.in_play(None, None, None)
        paths = {path for store in stores for path in store.anchor_paths(most)}
        return tuple(str(self._root / path) for path in sorted(paths)[:most])

    def files(self) -> tuple[str, ...]:
        """The project's files that are not ignored, relative to its root, as of a moment ago."""
        until, paths = self._listed
        if time.monotonic() > until:
            paths = tuple(sorted(self._snapshots.covered()))
            self._listed = (time.monotonic() + _LIST_GOOD_S, paths)
        return paths

    def tasks(self) -> tuple[tuple[str, str, str], ...]:
        """The id, the state and the title of each task, in the order of the tree."""
        from milepost.tasks.store import TaskStore  # noqa: PLC0415  (most callers want none)

        if not (self._data_dir / "tasks.db").exists():
            return ()
        store = TaskStore(self._data_dir)
        try:
            return tuple((task.id, task.state, task.title) for task in store.all())
        finally:
            store.database.close()

    def uses(self, scope: str) -> dict[str, int]:
        """How often each entry of a memory was given out by a search or in a brief, as far as that
        was counted."""
        return self._scopes.labelled(scope).index.uses.counts()

    def _of_one(self, store: MemoryStore, entry: Entry) -> Iterator[tuple[str, str]]:
        if entry.superseded_by is None and entry.anchors:
            for _, look in _looks(store, entry):
                if look.doubt:
                    yield "suspect", look.doubt
        for kind in self._kinds(entry.text):
            yield "secret", f"holds a secret ({kind}): take it out, and change it where it counts"

    def _kinds(self, text: str) -> tuple[str, ...]:
        """The kinds of secrets in a text; asked once for each text."""
        key = hash(text)
        if key not in self._secrets:
            if len(self._secrets) >= _MAX_LOOKED_THROUGH:
                self._secrets.clear()
            found = self._masking.redact(text).found
            self._secrets[key] = tuple(dict.fromkeys(each.kind for each in found))
        return self._secrets[key]


def symbol_place(text: str, path: str, symbol: str) -> tuple[int, int, int] | None:
    """The zero-based line and the columns at which a definition's name stands in a file's text;
    None when there is no such definition."""
    found = definition_of(definitions(text, path), symbol)
    if found is None:
        return None
    name = re.compile(rf"(?<!\w){re.escape(last_name(symbol))}(?!\w)")
    for number, line in enumerate(text.split("\n")[found.start : found.end], found.start):
        if match := name.search(line):
            return number, match.start(), match.end()
    return found.start, 0, 0


def _looks(store: MemoryStore, entry: Entry) -> tuple[tuple[str, Look], ...]:
    """What became of the code of an entry in a buffer. Where the file's own entry is about the same
    code, its stamps count: the buffer may not have heard yet that it was confirmed."""
    kept = store.get(entry.id)
    if kept is None:
        return ()
    is_same = tuple(map(bare, kept.anchors)) == tuple(map(bare, entry.anchors))
    return store.looks(kept if is_same else entry)


def _placed(text: str) -> Iterator[tuple[EntryBlock, int, int]]:
    """Each entry with its first line, and the line after its last."""
    line = last = 0
    for block in documents.each_entry(text):
        start, end = block.block.start, block.block.end
        line += text.count("\n", last, start)
        last = start
        yield block, line, line + max(1, text[start:end].rstrip("\n").count("\n") + 1)


def _anchors(text: str, block: EntryBlock, line: int) -> Iterator[tuple[str, int, int, int]]:
    """Each anchor of an entry, with its line and columns."""
    if "anchors" not in block.metadata:
        return
    source = text[block.block.start : block.block.end].rstrip()
    comment = source.rfind("<!--")
    found = _ANCHORS.search(source, max(0, comment))
    if comment < 0 or found is None:
        return
    at = line + source.count("\n", 0, found.start())
    column = found.start() - (source.rfind("\n", 0, found.start()) + 1)
    for raw in re.split("(%0A)", found[0], flags=re.IGNORECASE):
        if raw.upper() != "%0A" and raw:
            yield bare(unquote(raw)), at, column, column + len(raw)
        column += len(raw)
