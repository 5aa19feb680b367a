"""textDocument/publishDiagnostics: what is wrong with entries, in the open memory files and, where
code changed that an entry is about, on the code; and what is odd about a checkpoint.md.

A document is looked at in the background a moment after it was opened or changed, when a memory
changed, and when code was saved that an entry is about, by whomever. What was found is kept, so
that lenses and hints are answered from it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from milepost import api
from milepost_lsp import markdown
from milepost_lsp.features import summary
from milepost_lsp.features.watching import concerns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from milepost_lsp.features.document_events import DocumentEvents
    from milepost_lsp.features.feature import Desk
    from milepost_lsp.features.watching import Changed
    from milepost_lsp.session import Home
    from milepost_lsp.text import Text

log = logging.getLogger(__name__)

# A person who types pauses longer than this at the end of a word, and never notices it.
SETTLE_S = 0.2
# Each takes a watch on its folder; a project with more files that entries are about is told of the
# rest when its editor saves them.
MOST_FILES = 2_000
# An editor shows some dozen; more make it slow.
MOST_DIAGNOSTICS = 500

_SEVERITIES = {
    "suspect": types.DiagnosticSeverity.Warning,
    "contradiction": types.DiagnosticSeverity.Warning,
    "secret": types.DiagnosticSeverity.Warning,
    "duplicate": types.DiagnosticSeverity.Information,
    "gone": types.DiagnosticSeverity.Information,
    "missing": types.DiagnosticSeverity.Information,
    "repeated": types.DiagnosticSeverity.Information,
    "unknown": types.DiagnosticSeverity.Information,
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in code that entries are about: its line and columns in code points."""

    line: int
    start: int
    end: int
    entries: tuple[api.Entry, ...]


@dataclass(frozen=True, slots=True)
class Inspected:
    """What was found in one version of a document: in a memory file entries and findings, in code
    the marks, in a checkpoint.md what is odd and what could be remembered."""

    source: str
    entries: tuple[api.PlacedEntry, ...] = ()
    findings: tuple[api.Finding, ...] = ()
    marks: tuple[Mark, ...] = ()
    oddities: tuple[summary.Odd, ...] = ()
    to_remember: tuple[api.SummaryItem, ...] = ()


class Inspector:
    """Looks at the open documents of one client."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._found: dict[str, Inspected] = {}
        # The documents for which something was published, with what.
        self._published: dict[str, list[types.Diagnostic]] = {}
        self._due: set[str] = set()
        self._wake = asyncio.Event()
        self._anchored: frozenset[str] = frozenset()

    # As a listener of the watch

    def files(self) -> set[str]:
        """The files that entries are about."""
        found: set[str] = set()
        for space in self._desk.session.opened:
            try:
                found.update(space.inspection.anchored_files(most=MOST_FILES))
            except api.MilepostError as error:
                log.warning("%s", error)
        self._anchored = frozenset(found)
        return found

    async def begin(self, space: api.Workspace) -> None:
        """Nothing is known of a project before a document of it is open."""

    async def look(self, changed: Changed) -> None:
        """Looks anew at the documents, when code changed that entries are about."""
        if changed is None or any(concerns(path, self._anchored) for path in changed):
            self.look_at_all()

    async def memory_changed(self, _path: str) -> None:
        """A memory file changed."""
        self.look_at_all()

    # As a feature

    def look_at_all(self) -> None:
        """Looks anew at every open document."""
        self._due.update(self._desk.editor.open_uris())
        self._wake.set()

    def look_at(self, uri: str) -> None:
        """Looks at a document soon."""
        self._due.add(uri)
        self._wake.set()

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self._due.discard(uri)
        self._found.pop(uri, None)
        if self._published.pop(uri, None):
            self._publish(uri, [], None)

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(SETTLE_S)
            self._wake.clear()
            due, self._due = self._due, set()
            has_news = False
            for uri in due:
                try:
                    has_news |= await self._inspect(uri)
                except api.MilepostError as error:
                    self._desk.stay_silent(error)
                except Exception:
                    log.exception("a look at a document failed")
            if has_news:
                self._refresh()

    async def inspected(self, uri: str) -> tuple[Inspected, Text, Home] | None:
        """What is found in a document as it stands; None when it is none of a project."""
        text, home = self._desk.editor.text(uri), await self._desk.home(uri)
        if text is None or home is None:
            return None
        known = self._found.get(uri)
        if known is None or known.source != text.source:
            known = await self._look_at(uri, home, text)
        return known, text, home

    async def _look_at(self, uri: str, home: Home, text: Text) -> Inspected:
        found = await self._desk.session.run_long(_look_at, home, text.source)
        if self._desk.editor.text(uri) is not None:
            self._found[uri] = found
        return found

    async def _inspect(self, uri: str) -> bool:
        """Looks at a document and publishes what was found; whether it is other than before."""
        text, home = self._desk.editor.text(uri), await self._desk.home(uri)
        if text is None or home is None:
            # Its folder was removed.
            is_news = uri in self._found
            self.forget(uri)
            return is_news
        before = self._found.get(uri)
        inspected = await self._look_at(uri, home, text)
        diagnostics: list[types.Diagnostic] = []
        if self._desk.editor.options.inspection.diagnostics:
            if home.is_memory:
                diagnostics = self._of_memory(uri, inspected, text)
            elif home.summary_session is not None:
                diagnostics = _of_summary(inspected, text)
            else:
                diagnostics = _of_code(inspected, text)
        now = self._desk.editor.text(uri)
        if now is None or now.source != inspected.source:
            return False  # it has moved on and is looked at again
        if diagnostics != self._published.get(uri, []):
            self._published[uri] = diagnostics
            self._publish(uri, diagnostics, self._desk.editor.version(uri))
        return before != inspected

    def _of_memory(self, uri: str, inspected: Inspected, text: Text) -> list[types.Diagnostic]:
        has_relations = self._desk.editor.relates_diagnostics
        return [
            types.Diagnostic(
                range=_entry_range(text, each),
                message=each.message,
                severity=_SEVERITIES[each.kind],
                code=each.kind,
                source="milepost",
                data={"id": each.entry_id},
                related_information=[
                    types.DiagnosticRelatedInformation(
                        types.Location(uri, _line_range(text, each.other_line)), "the other entry"
                    )
                ]
                if has_relations and each.other_line is not None
                else None,
            )
            for each in inspected.findings[:MOST_DIAGNOSTICS]
        ]

    def _publish(self, uri: str, diagnostics: list[types.Diagnostic], version: int | None) -> None:
        self._desk.server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, diagnostics, version)
        )

    def _refresh(self) -> None:
        """Has the client ask anew for what is drawn from the same findings."""
        lenses, hints = self._desk.editor.refreshes
        if lenses:
            self._desk.session.spawn(_ask(self._desk.server.workspace_code_lens_refresh_async))
        if hints:
            self._desk.session.spawn(_ask(self._desk.server.workspace_inlay_hint_refresh_async))


def register(desk: Desk, documents: DocumentEvents) -> Inspector:
    """Has it hear of the documents."""
    inspector = Inspector(desk)
    documents.on_open.append(inspector.look_at)
    documents.on_change.append(inspector.look_at)
    documents.on_close.append(inspector.forget)
    documents.on_save.append(lambda _: inspector.look_at_all())
    return inspector


def _look_at(home: Home, source: str) -> Inspected:
    inspection = home.workspace.inspection
    if home.memory_scope is not None:
        findings = inspection.findings(source, home.memory_scope)
        return Inspected(source, inspection.entries(source), findings)
    if home.summary_session is not None:
        odd = summary.oddities(home, source)
        return Inspected(source, oddities=odd, to_remember=summary.to_remember(home, source))
    if home.path is None:
        return Inspected(source)
    by_place: dict[tuple[int, int, int], list[api.Entry]] = {}
    for entry in inspection.about_file(home.path):
        for anchor in entry.anchors:
            path, _, symbol = anchor.partition("#")
            if path == home.path:
                place = api.symbol_place(source, path, symbol) if symbol else None
                by_place.setdefault(place or (0, 0, 0), []).append(entry)
    marks = (Mark(*place, tuple(entries)) for place, entries in sorted(by_place.items()))
    return Inspected(source, marks=tuple(marks))


def _of_summary(inspected: Inspected, text: Text) -> list[types.Diagnostic]:
    """A diagnostic on each oddity."""

    def end(odd: summary.Odd) -> types.Position:
        if odd.end is None:
            return text.end_of_line(odd.end_line)
        return text.position(odd.end_line, odd.end)

    return [
        types.Diagnostic(
            range=types.Range(text.position(odd.line, odd.start), end(odd)),
            message=odd.message,
            severity=_SEVERITIES[odd.kind],
            code=odd.kind,
            source="milepost",
        )
        for odd in inspected.oddities
    ][:MOST_DIAGNOSTICS]


def _of_code(inspected: Inspected, text: Text) -> list[types.Diagnostic]:
    """A hint on each symbol that a suspect entry is about."""
    return [
        types.Diagnostic(
            range=types.Range(
                text.position(mark.line, mark.start), text.position(mark.line, mark.end)
            ),
            message=f"Milepost remembers of this: “{markdown.short(entry.text)}”. "
            f"Does it still hold? {entry.doubts[0]}",
            severity=types.DiagnosticSeverity.Hint,
            code="suspect",
            source="milepost",
            data={"id": entry.id},
        )
        for mark in inspected.marks
        for entry in mark.entries
        if entry.doubts
    ][:MOST_DIAGNOSTICS]


def _entry_range(text: Text, finding: api.Finding) -> types.Range:
    last = max(finding.line, finding.end_line - 1)
    return types.Range(text.position(finding.line, 0), text.end_of_line(last))


def _line_range(text: Text, line: int | None) -> types.Range:
    return types.Range(text.position(line or 0, 0), text.end_of_line(line or 0))


async def _ask(refresh: Callable[[None], Awaitable[None]]) -> None:
    try:
        await refresh(None)
    except JsonRpcException as error:
        log.info("the client did not ask anew: %s", error)
