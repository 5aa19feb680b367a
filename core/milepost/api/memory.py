"""Memory as the guests see it: all scopes as one.

A session's notes are a channel to write into: agents add to them and take out what must not stay,
and only a person changes them.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from milepost.api import views
from milepost.api.brief import DEFAULT_TOKENS, Known, checked_budget, compose, relative
from milepost.api.found import advice, is_anchored, is_at, merged, renamed, within
from milepost.api.moves import Moves
from milepost.api.rules import Rules
from milepost.api.showing import outline_of, shown, shown_change
from milepost.api.upkeep import Upkeep, conflicts
from milepost.base.errors import UserError
from milepost.memory import document as documents
from milepost.memory.edits import no_such_entry
from milepost.memory.entry import from_block

if TYPE_CHECKING:
    from collections.abc import Iterable

    from milepost.api.masking import Masking
    from milepost.api.scopes import Scopes
    from milepost.config.projects import ProjectPaths
    from milepost.memory.entry import Entry
    from milepost.memory.rules.book import RuleBook
    from milepost.memory.store import MemoryStore
    from milepost.redaction.redactor import Redacted

# More results than this are no longer read; whoever wants all asks for pages.
MAX_RESULTS = 100

# Of so many entries that say nearly the same an agent is told; more are one more of a mould.
_MAX_SIMILAR = 3


class Memory(Upkeep):
    """What is remembered. Ids are those of entries, whichever scope they are in."""

    def __init__(
        self,
        scopes: Scopes,
        actor: str,
        masking: Masking,
        resolved: ProjectPaths,
        books: tuple[RuleBook, ...],
        project: views.Project,
    ) -> None:
        """`books` are the rules in agents' own files, of which nothing is ever changed."""
        super().__init__(scopes)
        self._rules = Rules(books)
        self._project = project
        self._actor = actor
        self._masking = masking
        self._moves = Moves(scopes, actor, masking, resolved)

    def add(
        self,
        text: str,
        *,
        kind: str = "knowledge",
        scope: str | None = None,
        session: str | None = None,
        task: str | None = None,
        status: str = "unverified",
        anchors: tuple[str, ...] = (),
        actor: str | None = None,
    ) -> views.Entry:
        """Remember `text`, for the project unless a scope, session or task is named. `anchors` are
        paths in the project, or path#symbol; `actor` is whose words they are, when they are not the
        caller's. Durable when this returns. Raises UserError when an
        argument is wrong."""
        store = self._scopes.find(scope, session, task)
        words = self._masking.redact(text)
        entry = store.add(words.text, kind, status, actor or self._actor, tuple(anchors))
        return self._saved(store, entry, words)

    def add_compared(
        self,
        text: str,
        *,
        kind: str = "knowledge",
        scope: str | None = None,
        session: str | None = None,
        task: str | None = None,
        status: str = "unverified",
        anchors: tuple[str, ...] = (),
    ) -> tuple[views.Entry, tuple[views.Entry, ...]]:
        """`add`, and other entries of the same memory that say nearly the same, which may be worth
        superseding or forgetting."""
        store = self._scopes.find(scope, session, task)
        words = self._masking.redact(text)
        entry, similar = store.add_compared(words.text, kind, status, self._actor, tuple(anchors))
        shown_too = tuple(self._entry(store, other) for other in similar[:_MAX_SIMILAR])
        return self._saved(store, entry, words), shown_too

    def update(
        self,
        entry_id: str,
        *,
        text: str | None = None,
        kind: str | None = None,
        status: str | None = None,
        scope: str | None = None,
        session: str | None = None,
        task: str | None = None,
        version: str | None = None,
    ) -> views.Entry:
        """Change what is given of an entry, and move it when a scope, session or task is. It keeps
        its id, unless another entry has that there. Raises UserError when there is no such entry,
        and ConflictError, with nothing changed, when `version` is that of other words than stand
        there now. Only a person may say of words that are there already that a person said them."""
        if status == "stated" and text is None and not self._actor.startswith("user:"):
            message = "only the user can say that words which are there already are theirs"
            raise UserError(f"{message}; use status confirmed, or give the user's own words")
        words = None if text is None else self._masking.redact(text)
        store = self._home(entry_id)
        if scope or session or task:
            target = self._scopes.find(scope, session, task)
            moved = self._moves.move(entry_id, store, target)
            if words is None and kind is None and status is None:
                return self._entry(target, moved)
            store, entry_id = target, moved.id
        self._check_may_change(store)
        changed = words and words.text
        entry = store.update(
            entry_id, self._actor, text=changed, kind=kind, status=status, version=version
        )
        return self._saved(store, entry, words)

    def supersede(
        self, entry_id: str, text: str, *, kind: str | None = None, version: str | None = None
    ) -> views.Entry:
        """Put a new entry in the place of an old one, which stays in the file, marked and hidden
        from searches. Returns the new one. `version` is as for `update`."""
        words = self._masking.redact(text)
        store = self._home(entry_id)
        self._check_may_change(store)
        new = store.supersede(entry_id, words.text, kind, self._actor, version)
        return self._saved(store, new, words)

    def forget(self, entry_id: str, *, version: str | None = None) -> views.Entry:
        """Take an entry out of the file. Returns what it was. `version` is as for `update`."""
        store = self._home(entry_id)
        return self._entry(store, store.forget(entry_id, self._actor, version))

    def log(
        self,
        *,
        scope: str | None = None,
        session: str | None = None,
        task: str | None = None,
        entry_id: str | None = None,
        limit: int = 20,
    ) -> tuple[views.MemoryChange, ...]:
        """The newest changes of a scope's memory, by whomever; those of one entry with its id."""
        store = self._scopes.find(scope, session, task)
        if not store.exists():
            return ()
        store.refresh()
        changes = store.revisions.page(max(1, min(limit, MAX_RESULTS)), entry_id)
        return tuple(map(shown_change, changes))

    def undo(
        self,
        change_id: int | None = None,
        *,
        scope: str | None = None,
        session: str | None = None,
        task: str | None = None,
    ) -> views.MemoryChange:
        """Take a change back: the newest that was not taken back, or the one with this id; to redo
        it, undo the undo by its id. What a move brought to another scope comes back from there.
        Raises UserError when an entry has changed since."""
        store = self._scopes.find(scope, session, task)
        return shown_change(self._moves.undo(store, change_id))

    def get(self, entry_id: str) -> views.Entry:
        """The entry with this id. Raises UserError when there is none."""
        store = self._scopes.holding(entry_id)
        found = None if store is None else store.get(entry_id)
        if found is not None:
            return self._entry(store, found)
        rule = self._rules.get(entry_id)
        if rule is None:
            raise UserError(no_such_entry(entry_id))
        return self._entry(None, rule.entry)

    def locate(self, entry_id: str) -> views.Location:
        """Where an entry stands. Raises UserError when there is none."""
        store = self._scopes.holding(entry_id)
        span = None if store is None else store.span(entry_id)
        if store is not None and span is not None:
            return views.Location(str(store.path), span.line, span.end_line)
        rule = self._rules.get(entry_id)
        if rule is None:
            raise UserError(no_such_entry(entry_id))
        return views.Location(str(rule.file), rule.line, rule.end_line)

    def page(
        self,
        *,
        scope: str | None = None,
        session: str | None = None,
        task: str | None = None,
        kind: str | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> views.EntryPage:
        """Part of all entries, in file order, the project's before those of other scopes; then
        those of agents' own rules files."""
        found: list[tuple[MemoryStore | None, Entry]] = [
            (store, entry)
            for store in self._scopes.in_play(scope, session, task)
            for entry in store.all()
            if kind in (None, entry.kind)
        ]
        found += [(None, rule.entry) for rule in self._rules.all(scope=scope, kind=kind)]
        offset, limit = max(0, offset), max(1, min(limit, MAX_RESULTS))
        end = offset + limit
        page = tuple(self._entry(store, entry) for store, entry in found[offset:end])
        return views.EntryPage(page, len(found), end if end < len(found) else None)

    def search(  # noqa: PLR0913  (each narrows or widens, and callers give one or two)
        self,
        query: str,
        *,
        kind: str | None = None,
        scope: str | None = None,
        session: str | None = None,
        task: str | None = None,
        limit: int = 10,
        include_superseded: bool = False,
        elsewhere: bool = False,
        budget_tokens: int | None = None,
        is_use: bool = True,
    ) -> views.SearchResult:
        """The entries that answer `query`, best first; plain words, in any language.

        Searched is what is in play, and the session or task that is named; with `elsewhere` also
        all other sessions, tasks and worktrees of the project. With a budget as many entries as
        fit, the last one shortened where it must be. What is found counts as used, unless it is
        only looked up in a view.
        """
        stores = self._scopes.in_play(scope, session, task)
        if elsewhere and scope is None:
            stores = self._scopes.kept()
        found = [
            (store, store.search(query, kind=kind, include_superseded=include_superseded))
            for store in stores
        ]
        rules = self._rules.search(query, scope=scope, kind=kind)
        best = merged(query, [*found, *((None, hits) for hits in rules)])
        best = best[: max(1, min(limit, MAX_RESULTS))]
        if budget_tokens is None:
            hits = [
                views.Hit(self._entry(store, entry), round(score, 3))
                for score, store, entry in best
            ]
            left_out = 0
        else:
            hits, left_out = within(best, budget_tokens, self._entry)
        if is_use:
            _note_uses((store, entry) for _, store, entry in best[: len(hits)])
        searched = sum(store.count() for store in stores)
        searched += len(self._rules.all(scope=scope, kind=None))
        return views.SearchResult(
            query=query,
            hits=tuple(hits),
            entries_searched=searched,
            scopes=tuple(store.label for store in stores),
            advice=None if best else advice(searched, kind=kind, scope=scope),
            left_out=left_out,
            warnings=conflicts(stores),
        )

    def at(self, text: str, line: int, *, scope: str) -> views.Entry | None:
        """The entry on a zero-based line of the text of a memory file, such as an unsaved buffer's,
        in the words that it has there. `scope` is as `scope_of` tells it."""
        store = self._scopes.labelled(scope)
        start = 0
        for _ in range(line):
            start = text.find("\n", start) + 1
            if not start:
                return None
        for found in documents.each_entry(text):
            if found.block.start <= start < found.block.end:
                return self._entry(store, from_block(found, store.scope))
        return None

    def changes_of(self, entry_id: str, *, scope: str | None = None) -> int:
        """How often an entry was changed, its adding included; 0 when it was never seen to be."""
        stores = self._scopes.in_play(scope, None, None)
        return sum(store.revisions.count(entry_id) for store in stores)

    def brief(
        self,
        about: str | None = None,
        path: str | None = None,
        budget_tokens: int = DEFAULT_TOKENS,
    ) -> views.Brief:
        """What is worth knowing at the beginning of a task, in at most so many tokens: what a task
        `about` these words needs, in the file or folder `path`. Raises UserError when the path is
        not in the project, or the budget is none."""
        budget_tokens = checked_budget(budget_tokens)
        place = None if path is None else relative(path, self._project.root)
        files = self._rules.files(place)
        hits = (
            self.search(about, limit=MAX_RESULTS, is_use=False).hits
            if about and about.strip()
            else ()
        )
        best = max((hit.score for hit in hits), default=1.0) or 1.0
        scores = {hit.entry.id: min(1.0, hit.score / best) for hit in hits}
        # What a move that was cut short left in two places is one.
        homes = {
            entry.id: (store, entry)
            for store in self._scopes.in_play(None, None, None)
            for entry in store.all()
            if entry.status != "superseded"
        }
        known = [
            Known(entry, 1.0 if is_at(entry, place) else scores.get(entry.id, 0.0))
            for _, entry in homes.values()
        ]
        known += self._rules.known(scores, place)

        def viewed(entry: Entry) -> views.Entry:
            store, _ = homes.get(entry.id, (None, entry))
            return self._entry(store, entry)

        is_about = bool(hits) or place is not None
        brief = compose(self._project.name, known, files, budget_tokens, viewed, is_about=is_about)
        given = (each.entry.id for each in brief.entries)
        _note_uses(homes[entry_id] for entry_id in given if entry_id in homes)
        return brief

    def rules_files(self, path: str | None = None) -> tuple[views.RulesFile, ...]:
        """The files of agents' own rules that were found, those above `path` too, with what of them
        is used, and why the rest is not."""
        return self._rules.files(None if path is None else relative(path, self._project.root))

    def about(
        self, symbol: str, *, path: str | None = None, limit: int = 5
    ) -> tuple[views.Entry, ...]:
        """Entries that name `symbol` as it is written. When `path` is given, those that are
        anchored to it there come first."""
        if not symbol.strip():
            return ()
        stores = self._scopes.in_play(None, None, None)
        found: list[tuple[MemoryStore | None, Entry]] = [
            (store, entry) for store in stores for entry in store.naming(symbol)
        ]
        if path is not None:
            was_here = {anchor for store in stores for anchor in store.former_anchors(path, symbol)}
            found += renamed(stores, was_here, symbol, {entry.id for _, entry in found})
            found.sort(key=lambda pair: not is_anchored(pair[1], path, symbol, was_here))
        found += [(None, rule.entry) for rule in self._rules.naming(symbol, path)]
        return tuple(self._entry(store, entry) for store, entry in found[:limit])

    def file(
        self, scope: str | None = None, *, session: str | None = None, task: str | None = None
    ) -> str:
        """The absolute path of a scope's memory file, which may not exist yet."""
        return str(self._scopes.find(scope, session, task).path)

    def label(
        self, scope: str | None = None, *, session: str | None = None, task: str | None = None
    ) -> str:
        """The memory that is meant in one word or two, such as `task T1`, which every `scope` here
        takes too. Raises UserError when there can be none."""
        return self._scopes.find(scope, session, task).label

    def files_by_scope(self) -> tuple[tuple[str, str], ...]:
        """Each scope that is in play by itself, with the absolute path of its memory file."""
        return tuple((store.scope, str(store.path)) for store in self._scopes.own())

    def files(self) -> tuple[str, ...]:
        """The absolute paths of the memory files that are in play, whether they exist or not, and
        of all others of the project that do."""
        return self._scopes.files()

    def scope_of(self, path: str) -> str | None:
        """Which memory this is the file of, such as `project` or `task T1`; None when of none."""
        return self._scopes.scope_of(path)

    def outline(self, text: str) -> tuple[views.OutlineItem, ...]:
        """The headings and entries of a memory file's text, such as an unsaved buffer's."""
        return tuple(outline_of(documents.parse_text(text)))

    def suspects(self, *, limit: int = MAX_RESULTS) -> tuple[views.Entry, ...]:
        """The entries that are suspect or whose code moved, in file order. Code that is gone is
        searched for until it is found or given up, which may take seconds."""
        found: list[views.Entry] = []
        for store in self._scopes.kept():
            store.find_lost()
            anchored = (e for e in store.all() if e.anchors and not e.superseded_by)
            looked = (self._entry(store, entry) for entry in anchored)
            found.extend(entry for entry in looked if entry.doubts or entry.moved)
        return tuple(found[:limit])

    def follow(self) -> views.MemoryChange | None:
        """Rewrite the anchors of the project's entries whose code moved without a change. It is
        one change and can be undone; None when there is nothing to rewrite."""
        change = self._scopes.one("project", "").follow(self._actor)
        return None if change is None else shown_change(change)

    def relocate(self, location: str) -> views.Relocation:
        """Move the project's memory to `user`, the data folder, or `repo`, the repository, and set
        that for the project. Entries are copied before anything goes, and a copy of the file that
        they were in is kept. Raises UserError when it is there already."""
        return self._moves.relocate(location)

    def _check_may_change(self, store: MemoryStore) -> None:
        if store.scope == "session" and not self._actor.startswith("user:"):
            message = "the notes of a session are added to and not changed"
            raise UserError(f"{message}; add a note, move this one to another scope, or forget it")

    def _home(self, entry_id: str) -> MemoryStore:
        """The memory in which an entry can be changed. Raises UserError when there is none."""
        store = self._scopes.holding(entry_id)
        if store is None:
            self._rules.refuse_change(entry_id)
            raise UserError(no_such_entry(entry_id))
        return store

    def _entry(self, store: MemoryStore | None, entry: Entry) -> views.Entry:
        """`entry` as guests see it; without a store it is a rule of an agents' own file."""
        if store is None:
            return shown(entry, self._masking)
        return shown(entry, self._masking, store.looks(entry), store.within)

    def _saved(self, store: MemoryStore, entry: Entry, words: Redacted | None) -> views.Entry:
        """The entry with what was masked in the words that were given for it."""
        shown = self._entry(store, entry)
        if words is None or not words.found:
            return shown
        kinds = dict.fromkeys(found.kind for found in words.found)
        return dataclasses.replace(shown, masked=tuple(kinds))


def _note_uses(given: Iterable[tuple[MemoryStore | None, Entry]]) -> None:
    for store, entry in given:
        if store is not None:
            store.index.uses.add((entry.id,))
