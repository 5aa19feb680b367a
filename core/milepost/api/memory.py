"""Memory as the guests see it: the project's own and the one across projects, as one."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from milepost.api import views
from milepost.api.brief import DEFAULT_TOKENS, Known, checked_budget, compose, relative
from milepost.api.found import merged, within
from milepost.api.rules import Rules
from milepost.base.clock import ago
from milepost.base.errors import UserError, WorldError
from milepost.base.symbols import last_name
from milepost.memory import document as documents
from milepost.memory.anchors import bare
from milepost.memory.entry import SCOPES, from_block, version_of
from milepost.memory.store import no_such_entry

if TYPE_CHECKING:
    from milepost.api.masking import Masking
    from milepost.memory.anchors import Look
    from milepost.memory.document import Document
    from milepost.memory.entry import Entry
    from milepost.memory.revisions import Change
    from milepost.memory.rules.book import RuleBook
    from milepost.memory.store import MemoryStore
    from milepost.redaction.redactor import Redacted

# More results than this are no longer read; whoever wants all asks for pages.
MAX_RESULTS = 100


class Memory:
    """What is remembered. Ids are those of entries, whichever scope they are in."""

    def __init__(
        self,
        stores: tuple[MemoryStore, ...],
        actor: str,
        masking: Masking,
        books: tuple[RuleBook, ...] = (),
        project: views.Project | None = None,
    ) -> None:
        """`books` are the rules in agents' own files, of which nothing is ever changed."""
        self._stores = stores
        self._rules = Rules(books)
        self._project = project
        self._actor = actor
        self._masking = masking

    def add(
        self,
        text: str,
        *,
        kind: str = "knowledge",
        scope: str = "project",
        status: str = "unverified",
        anchors: tuple[str, ...] = (),
    ) -> views.Entry:
        """Remember `text`. `anchors` are paths in the project, or path#symbol. Durable when this
        returns. Raises UserError when an argument is wrong."""
        (store,) = self._scoped(scope)
        words = self._masking.redact(text)
        entry = store.add(words.text, kind, status, self._actor, tuple(anchors))
        return self._saved(entry, words)

    def update(
        self,
        entry_id: str,
        *,
        text: str | None = None,
        kind: str | None = None,
        status: str | None = None,
        version: str | None = None,
    ) -> views.Entry:
        """Change what is given of an entry. Raises UserError when there is no such entry, and
        ConflictError, with nothing changed, when `version` is that of other words than stand there
        now. Only a person may say of words that are there already that a person said them."""
        if status == "stated" and text is None and not self._actor.startswith("user:"):
            message = "only the user can say that words which are there already are theirs"
            raise UserError(f"{message}; use status confirmed, or give the user's own words")
        store = self._store_of(entry_id)
        words = None if text is None else self._masking.redact(text)
        changed = words and words.text
        entry = store.update(
            entry_id, self._actor, text=changed, kind=kind, status=status, version=version
        )
        return self._saved(entry, words)

    def supersede(
        self, entry_id: str, text: str, *, kind: str | None = None, version: str | None = None
    ) -> views.Entry:
        """Put a new entry in the place of an old one, which stays in the file, marked and hidden
        from searches. Returns the new one. `version` is as for `update`."""
        words = self._masking.redact(text)
        store = self._store_of(entry_id)
        new = store.supersede(entry_id, words.text, kind, self._actor, version)
        return self._saved(new, words)

    def forget(self, entry_id: str, *, version: str | None = None) -> views.Entry:
        """Take an entry out of the file. Returns what it was. `version` is as for `update`."""
        return self._entry(self._store_of(entry_id).forget(entry_id, self._actor, version))

    def log(
        self, *, scope: str = "project", entry_id: str | None = None, limit: int = 20
    ) -> tuple[views.MemoryChange, ...]:
        """The newest changes of a scope's memory, by whomever; those of one entry with its id."""
        (store,) = self._scoped(scope)
        store.refresh()
        changes = store.revisions.page(max(1, min(limit, MAX_RESULTS)), entry_id)
        return tuple(map(_change, changes))

    def undo(self, change_id: int | None = None, *, scope: str = "project") -> views.MemoryChange:
        """Take a change back: the newest that was not taken back, or the one with this id; to redo
        it, undo the undo by its id. Raises UserError when an entry has changed since."""
        (store,) = self._scoped(scope)
        return _change(store.undo(change_id, self._actor))

    def get(self, entry_id: str) -> views.Entry:
        """The entry with this id. Raises UserError when there is none."""
        for store in self._stores:
            found = store.get(entry_id)
            if found is not None:
                return self._entry(found)
        rule = self._rules.get(entry_id)
        if rule is None:
            raise UserError(no_such_entry(entry_id))
        return self._entry(rule.entry)

    def locate(self, entry_id: str) -> views.Location:
        """Where an entry stands. Raises UserError when there is none."""
        for store in self._stores:
            span = store.span(entry_id)
            if span is not None:
                return views.Location(str(store.path), span.line, span.end_line)
        rule = self._rules.get(entry_id)
        if rule is None:
            raise UserError(no_such_entry(entry_id))
        return views.Location(str(rule.file), rule.line, rule.end_line)

    def page(
        self,
        *,
        scope: str | None = None,
        kind: str | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> views.EntryPage:
        """Part of all entries, in file order, the project's before the global ones; then those of
        agents' own rules files."""
        found = [
            entry
            for store in self._scoped(scope)
            for entry in store.all()
            if kind in (None, entry.kind)
        ]
        found += [rule.entry for rule in self._rules.all(scope=scope, kind=kind)]
        offset, limit = max(0, offset), max(1, min(limit, MAX_RESULTS))
        end = offset + limit
        page = tuple(map(self._entry, found[offset:end]))
        return views.EntryPage(page, len(found), end if end < len(found) else None)

    def search(
        self,
        query: str,
        *,
        kind: str | None = None,
        scope: str | None = None,
        limit: int = 10,
        include_superseded: bool = False,
        budget_tokens: int | None = None,
    ) -> views.SearchResult:
        """The entries that answer `query`, best first; plain words, in any language. With a budget
        as many of them as fit, the last one shortened where it must be."""
        stores = self._scoped(scope)
        found = [
            store.search(query, kind=kind, include_superseded=include_superseded)
            for store in stores
        ]
        best = merged(query, [*found, *self._rules.search(query, scope=scope, kind=kind)])
        best = best[: max(1, min(limit, MAX_RESULTS))]
        if budget_tokens is None:
            hits, left_out = (
                [views.Hit(self._entry(one), round(score, 3)) for score, one in best],
                0,
            )
        else:
            hits, left_out = within(best, budget_tokens, self._entry)
        searched = sum(store.count() for store in stores)
        searched += len(self._rules.all(scope=scope, kind=None))
        return views.SearchResult(
            query=query,
            hits=tuple(hits),
            entries_searched=searched,
            scopes=tuple(store.scope for store in stores),
            advice=None if best else _advice(searched, kind=kind, scope=scope),
            left_out=left_out,
        )

    def at(self, text: str, line: int, *, scope: str) -> views.Entry | None:
        """The entry on a zero-based line of the text of a scope's memory file, such as an unsaved
        buffer's, in the words that it has there."""
        (store,) = self._scoped(scope)
        start = 0
        for _ in range(line):
            start = text.find("\n", start) + 1
            if not start:
                return None
        for found in documents.each_entry(text):
            if found.block.start <= start < found.block.end:
                return self._entry(from_block(found, store.scope))
        return None

    def changes_of(self, entry_id: str) -> int:
        """How often an entry was changed, its adding included; 0 when it was never seen to be."""
        return sum(store.revisions.count(entry_id) for store in self._stores)

    def brief(
        self,
        about: str | None = None,
        path: str | None = None,
        budget_tokens: int = DEFAULT_TOKENS,
    ) -> views.Brief:
        """What is worth knowing at the beginning of a task, in at most so many tokens: what a task
        `about` these words needs, in the file or folder `path`. Raises UserError when the path is
        not in the project, or the budget is none."""
        assert self._project is not None  # noqa: S101  (a workspace gives it)
        budget_tokens = checked_budget(budget_tokens)
        place = None if path is None else relative(path, self._project.root)
        files = self._rules.files(place)
        hits = self.search(about, limit=MAX_RESULTS).hits if about and about.strip() else ()
        best = max((hit.score for hit in hits), default=1.0) or 1.0
        scores = {hit.entry.id: min(1.0, hit.score / best) for hit in hits}
        known = [
            Known(entry, 1.0 if _is_at(entry, place) else scores.get(entry.id, 0.0))
            for store in self._stores
            for entry in store.all()
            if entry.status != "superseded"
        ]
        known += self._rules.known(scores, place)
        is_about = bool(hits) or place is not None
        return compose(
            self._project.name, known, files, budget_tokens, self._entry, is_about=is_about
        )

    def rules_files(self, path: str | None = None) -> tuple[views.RulesFile, ...]:
        """The files of agents' own rules that were found, those above `path` too, with what of them
        is used, and why the rest is not."""
        assert self._project is not None  # noqa: S101  (as above)
        return self._rules.files(None if path is None else relative(path, self._project.root))

    def about(
        self, symbol: str, *, path: str | None = None, limit: int = 5
    ) -> tuple[views.Entry, ...]:
        """Entries that name `symbol` as it is written. When `path` is given, those that are
        anchored to it there come first."""
        if not symbol.strip():
            return ()
        found = [entry for store in self._stores for entry in store.naming(symbol)]
        if path is not None:
            was_here = {
                anchor for store in self._stores for anchor in store.former_anchors(path, symbol)
            }
            # Entries about a symbol that was renamed name it as it was.
            names = {last_name(anchor.partition("#")[2]) for anchor in was_here} - {symbol, ""}
            known = {entry.id for entry in found}
            for entry in (
                e for store in self._stores for name in names for e in store.naming(name)
            ):
                if entry.id not in known and was_here.intersection(map(bare, entry.anchors)):
                    known.add(entry.id)
                    found.append(entry)
            found.sort(key=lambda entry: not _is_anchored(entry, path, symbol, was_here))
        found += [rule.entry for rule in self._rules.naming(symbol, path)]
        return tuple(map(self._entry, found[:limit]))

    def similar(self, entry: views.Entry, *, limit: int = 3) -> tuple[views.Entry, ...]:
        """Other entries of its scope that say nearly the same as this one, which may be worth
        superseding or forgetting."""
        (store,) = self._scoped(entry.scope)
        return tuple(map(self._entry, store.similar(entry.text, entry.id)[:limit]))

    def file(self, scope: str = "project") -> str:
        """The absolute path of a scope's memory file, which may not exist yet."""
        (store,) = self._scoped(scope)
        return str(store.path)

    def files(self) -> tuple[str, ...]:
        """The absolute paths of all memory files."""
        return tuple(str(store.path) for store in self._stores)

    def files_by_scope(self) -> tuple[tuple[str, str], ...]:
        """Each scope with the absolute path of its memory file."""
        return tuple((store.scope, str(store.path)) for store in self._stores)

    def outline(self, text: str) -> tuple[views.OutlineItem, ...]:
        """The headings and entries of a memory file's text, such as an unsaved buffer's."""
        return tuple(_outline(documents.parse_text(text)))

    def refresh(self) -> int:
        """Bring the indexes level with the files; how many entries were new, changed or gone."""
        return sum(store.refresh() for store in self._stores)

    def clean(self, *, within_s: float | None = None) -> bool:
        """Wipe what was forgotten, or changed, out of the indexes. Whether that is done; when the
        time was not enough, or others are using an index, call again."""
        with contextlib.suppress(WorldError):
            cleaned = [store.index.clean(within_s=within_s) for store in self._stores]
            return all(cleaned)
        return False

    def check(self) -> tuple[str, ...]:
        """Compare files and indexes entry by entry; a sentence for each scope that differs."""
        return tuple(
            f"the index of {store.path} has {rows} rows for {entries} entries"
            for store in self._stores
            for rows, entries in [store.counts()]
            if rows != entries
        )

    def suspects(self, *, limit: int = MAX_RESULTS) -> tuple[views.Entry, ...]:
        """The entries that are suspect or whose code moved, in file order. Code that is gone is
        searched for until it is found or given up, which may take seconds."""
        found: list[views.Entry] = []
        for store in self._stores:
            store.find_lost()
            looked = map(self._entry, (e for e in store.all() if e.anchors and not e.superseded_by))
            found.extend(entry for entry in looked if entry.doubts or entry.moved)
        return tuple(found[:limit])

    def follow(self) -> views.MemoryChange | None:
        """Rewrite the anchors of the project's entries whose code moved without a change. It is
        one change and can be undone; None when there is nothing to rewrite."""
        (store,) = self._scoped("project")
        change = store.follow(self._actor)
        return None if change is None else _change(change)

    def _scoped(self, scope: str | None) -> tuple[MemoryStore, ...]:
        return scoped(self._stores, scope)

    def _entry(self, entry: Entry) -> views.Entry:
        """The entry with what makes it suspect."""
        (store,) = self._scoped(entry.scope)
        return shown(entry, self._masking, store.looks(entry))

    def _saved(self, entry: Entry, words: Redacted | None) -> views.Entry:
        """The entry with what was masked in the words that were given for it."""
        kinds = dict.fromkeys(found.kind for found in words.found) if words else ()
        return dataclasses.replace(self._entry(entry), masked=tuple(kinds))

    def _store_of(self, entry_id: str) -> MemoryStore:
        for store in self._stores:
            if store.get(entry_id) is not None:
                return store
        self._rules.refuse_change(entry_id)
        raise UserError(no_such_entry(entry_id))


def scoped(stores: tuple[MemoryStore, ...], scope: str | None) -> tuple[MemoryStore, ...]:
    """The stores of a scope; all of them for None. Raises UserError for a scope that is none."""
    if scope is None:
        return stores
    found = tuple(store for store in stores if store.scope == scope)
    if not found:
        raise UserError(f"there is no scope {scope!r}; use one of {', '.join(SCOPES)}")
    return found


def shown(entry: Entry, masking: Masking, looks: tuple[tuple[str, Look], ...] = ()) -> views.Entry:
    """The entry as guests see it, with what became of the code that it is about."""
    # A person may have written a secret into the file; it goes no further than that.
    text = masking.text(entry.text)
    version = version_of(text)
    doubts = tuple(look.doubt for _, look in looks if look.doubt)
    moved = tuple(f"{anchor} moved to {look.moved_to}" for anchor, look in looks if look.moved_to)
    plain = _entry(entry)
    return dataclasses.replace(plain, text=text, doubts=doubts, moved=moved, version=version)


def _is_anchored(entry: Entry, path: str, symbol: str, was_here: set[str]) -> bool:
    """Whether an entry is about this symbol in this file, by its anchors or by what became of
    their code."""
    for anchor in map(bare, entry.anchors):
        at, _, name = anchor.partition("#")
        if anchor in was_here or (at == path and symbol in (name, last_name(name))):
            return True
    return False


def _outline(document: Document) -> list[views.OutlineItem]:
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


def _advice(searched: int, *, kind: str | None, scope: str | None) -> str:
    if searched == 0:
        return "nothing is remembered here yet"
    narrowed = " without kind or scope" if kind or scope else ""
    return f"no entry of {searched} holds any of these words; try others{narrowed}"


def _change(change: Change) -> views.MemoryChange:
    return views.MemoryChange(
        id=change.id,
        at=change.at,
        actor=change.actor,
        action=change.action,
        undoes=change.undoes,
        undone_by=change.undone_by,
        revisions=tuple(
            views.Revision(
                step.before and _entry(step.before),
                step.after and _entry(step.after),
            )
            for step in change.steps
        ),
    )


def _entry(entry: Entry) -> views.Entry:
    return views.Entry(
        id=entry.id,
        text=entry.text,
        kind=entry.kind,
        status=entry.status,
        scope=entry.scope,
        source=entry.source,
        created_at=entry.created_at,
        anchors=tuple(map(bare, entry.anchors)),
        superseded_by=entry.superseded_by,
        age=ago(entry.created_at),
    )


def _is_at(entry: Entry, path: str | None) -> bool:
    """Whether an entry is anchored in this file or folder."""
    paths = (bare(anchor).partition("#")[0] for anchor in entry.anchors)
    return path is not None and any(f"{each}/".startswith(f"{path}/") for each in paths)
