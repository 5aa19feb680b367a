"""What a code action is made of: when it is offered, and what its command does.

The kinds. What is about the place (the selection, the symbol) has a kind of its own, `milepost`,
which editors list with the rest and no "fix all" or "on save" setting ever applies. What is about
the whole project is `source.milepost`: editors keep `source` actions out of the light bulb, and
they are offered only when the user opened the menu or asked for that kind, or else every line
would have a light bulb. What is about a diagnostic is `quickfix.milepost`: where there is one, the
editor has a light bulb anyway, and lists fixes beside the diagnostic too.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lsprotocol import types

from milepost import api
from milepost_lsp.convert import range_json
from milepost_lsp.editor import Editor, path_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from milepost_lsp.actions.assisting import Wanted
    from milepost_lsp.chat.pages import Pages
    from milepost_lsp.progress import Report
    from milepost_lsp.proposals import Place as Proposed
    from milepost_lsp.proposals import Proposals
    from milepost_lsp.session import Home, Session
    from milepost_lsp.text import Text

A = TypeVar("A")

PLACE_KIND = "milepost"
PROJECT_KIND = "source.milepost"
FIX_KIND = "quickfix.milepost"


class Place:
    """Where the menu was opened, and what an offer may look at."""

    def __init__(
        self,
        home: Home,
        uri: str,
        text: Text,
        span: types.Range,
        *,
        context: types.CodeActionContext,
        has_restored: bool,
        proposed: Sequence[Proposed] = (),
        editor: Editor,
    ) -> None:
        self._workspace = home.workspace
        self.path = home.path
        # Memory, or what is kept beside it: what is offered on code has no place there.
        self.is_ours = home.is_memory or home.summary_session is not None
        self._summary_session = home.summary_session
        self.memory_scope = home.memory_scope
        self.uri = uri
        self.text = text
        self.span = span
        # By hand; a client that asks for certain kinds has somebody who wants them.
        by_hand = context.trigger_kind == types.CodeActionTriggerKind.Invoked
        self.is_invoked = by_hand or context.only is not None
        self.has_restored = has_restored
        self.has_chat = editor.knows("chat")
        self.diagnostics = context.diagnostics
        self.version = editor.version(uri)
        # A client that decides hunk by hunk is sent a proposal, by the command.
        self.resolves_edits = editor.resolves_edits and not editor.knows("proposals")
        self.tags_models = editor.tags_models
        self._proposed = proposed

    @property
    def workspace(self) -> api.Workspace:
        """The project. To ask it something may take a while."""
        api.will_wait()
        return self._workspace

    @cached_property
    def selection(self) -> str:
        """The selected text; empty when there is none or it is blank."""
        selected = self.text.slice(self.span)
        return selected if selected.strip() else ""

    @cached_property
    def symbol(self) -> str | None:
        """The identifier under the cursor, or at the start of the selection."""
        found = self.text.word_at(self.span.start)
        return found[0] if found else None

    @cached_property
    def entry(self) -> api.Entry | None:
        """In a memory file the entry under the cursor, in the buffer's words."""
        if self.memory_scope is None:
            return None
        line = self.span.start.line
        return self.workspace.memory.at(self.text.source, line, scope=self.memory_scope)

    @cached_property
    def summary_item(self) -> api.SummaryItem | None:
        """In a checkpoint.md the item under the cursor."""
        if self._summary_session is None:
            return None
        line = self.span.start.line
        sections = self.workspace.summaries.sections(self.text.source)
        items = (item for section in sections for item in section.items)
        return next((item for item in items if item.line <= line < item.end_line), None)

    @cached_property
    def suspects(self) -> tuple[api.Entry, ...]:
        """In code the entries anchored to the symbol under the cursor that are in doubt."""
        if not self.symbol or self.path is None or self.is_ours:
            return ()
        # An anchor has the qualified name, the cursor stands on the last part of it.
        here = {(self.path, self.symbol)}
        return tuple(
            entry
            for entry in self.known
            if entry.doubts and here & {_path_and_name(anchor) for anchor in entry.anchors}
        )

    @cached_property
    def known(self) -> tuple[api.Entry, ...]:
        """What memory knows about the symbol under the cursor."""
        if not self.symbol:
            return ()
        # Asked of every place; mostly it is in memory.
        return self._workspace.memory.about(self.symbol, path=self.path)

    @cached_property
    def has_model(self) -> bool:
        """Whether there is a model to ask."""
        return self.workspace.model() is not None

    @cached_property
    def subject(self) -> str | None:
        """What code could be written about, as a title names it: the selection, or the definition
        that the cursor stands in the first line of."""
        if self.is_ours:
            return None
        if self.selection:
            return "the selection"
        return f"`{self.definition}`" if self.definition else None

    @cached_property
    def definition(self) -> str | None:
        """The qualified name of the definition whose own name the cursor is on."""
        line, path = self.span.start.line, self.path
        if not self.symbol or path is None or line >= len(self.text.lines):
            return None
        named = api.enclosing_symbol(self.text.lines, line, path)
        return named if named and named.rpartition(".")[2] == self.symbol else None

    @property
    def proposed(self) -> tuple[Proposed, ...]:
        """The open hunks of proposals that the cursor or the selection touches."""
        first, last = self.span.start.line, self.span.end.line
        return tuple(
            each
            for each in self._proposed
            if each.line <= last and first <= max(each.line, each.end_line - 1)
        )

    @property
    def span_json(self) -> dict[str, dict[str, int]]:
        """The selection as a command's `range`."""
        return range_json(self.span)

    def lines_json(self, line: int, end_line: int) -> dict[str, dict[str, int]]:
        """The same of the lines up to but not with `end_line`."""
        return range_json(self.text.whole_lines(line, end_line))


def _path_and_name(anchor: str) -> tuple[str, str]:
    path, _, symbol = anchor.partition("#")
    return path, symbol.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a command: the editor it speaks with, and the projects it may work on."""

    editor: Editor
    session: Session
    proposals: Proposals
    pages: Pages
    token: types.ProgressToken | None = None

    async def workspace(self, uri: str | None) -> api.Workspace:
        """The project of a document, or the only one when no document is named."""
        if uri is None:
            return await self.session.only_workspace()
        path = path_of(uri)
        home = await self.session.home(path) if path else None
        if home is None:
            raise api.UserError(f"no open project holds {uri}: name a file inside a project")
        return home.workspace

    @contextlib.asynccontextmanager
    async def stoppable(
        self, title: str | None
    ) -> AsyncGenerator[tuple[threading.Event, Report | None]]:
        """Around work that may take minutes: what is set when the request or its progress is
        cancelled, and where to report. Without a title there is no progress."""
        stop = threading.Event()
        try:
            if title is None:
                yield stop, None
            else:
                async with self.editor.progress(title, token=self.token, stop=stop) as report:
                    yield stop, report
        except asyncio.CancelledError:
            stop.set()
            raise


@dataclass(frozen=True, slots=True)
class Action(Generic[A]):
    """A command, the shape of its arguments, and when the menu offers it."""

    command: str
    arguments: type[A]
    run: Callable[[Call, A], Awaitable[Any]]
    # Runs on the loop while all that it asks for is in memory, or else on a thread of the session.
    offers: Callable[[Place], Sequence[types.CodeAction]] = lambda _: ()
    # Whether the history tells of it. What a client's view asks for by itself is nobody's deed.
    is_recorded: bool = True
    # Of an action whose edit a model makes: what it is asked for (see `assisting.py`).
    edit: Callable[[Call, A], Awaitable[Wanted]] | None = None


def offer(
    title: str, command: str, argument: dict[str, Any], *, kind: str = PLACE_KIND
) -> types.CodeAction:
    """A code action that runs a command. Its kind is `kind` with the command's own words."""
    title = f"Milepost: {title}"
    return types.CodeAction(
        title=title,
        kind=kind + command.removeprefix("milepost"),
        command=types.Command(title=title, command=command, arguments=[argument]),
    )
