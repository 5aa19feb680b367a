"""What a code action is made of: when it is offered, and what its command does.

The kinds. What is about the place (the selection, the symbol) has a kind of its own, `milepost`,
which editors list with the rest and no "fix all" or "on save" setting ever applies. What is about
the whole project is `source.milepost`: editors keep `source` actions out of the light bulb, and
they are offered only when the user opened the menu or asked for that kind, or else every line
would have a light bulb.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lsprotocol import types

from milepost import api
from milepost_lsp.editor import Editor, path_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from milepost_lsp.chat.pages import Pages
    from milepost_lsp.proposals import Place as Proposed
    from milepost_lsp.proposals import Proposals
    from milepost_lsp.session import Home, Session
    from milepost_lsp.text import Text

A = TypeVar("A")

PLACE_KIND = "milepost"
PROJECT_KIND = "source.milepost"


class Place:
    """Where the menu was opened, and what an offer may look at."""

    def __init__(
        self,
        home: Home,
        uri: str,
        text: Text,
        span: types.Range,
        *,
        is_invoked: bool,
        has_restored: bool,
        has_chat: bool = False,
        proposed: Sequence[Proposed] = (),
    ) -> None:
        self.workspace = home.workspace
        self.path = home.path
        self.is_memory = home.is_memory
        self.memory_scope = home.memory_scope
        self.uri = uri
        self.text = text
        self.span = span
        self.is_invoked = is_invoked
        self.has_restored = has_restored
        self.has_chat = has_chat
        self._proposed = proposed

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
    def suspects(self) -> tuple[api.Entry, ...]:
        """In code the entries anchored to the symbol under the cursor that are in doubt."""
        if not self.symbol or self.path is None or self.is_memory:
            return ()
        anchor = f"{self.path}#{self.symbol}"
        known = self.workspace.memory.about(self.symbol, path=self.path)
        return tuple(entry for entry in known if entry.doubts and anchor in entry.anchors)

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
        return {
            "start": {"line": self.span.start.line, "character": self.span.start.character},
            "end": {"line": self.span.end.line, "character": self.span.end.character},
        }


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


@dataclass(frozen=True, slots=True)
class Action(Generic[A]):
    """A command, the shape of its arguments, and when the menu offers it."""

    command: str
    arguments: type[A]
    run: Callable[[Call, A], Awaitable[Any]]
    # Runs on a thread of the session: it may ask the core.
    offers: Callable[[Place], Sequence[types.CodeAction]] = lambda _: ()
    # Whether the history tells of it. What a client's view asks for by itself is nobody's deed.
    is_recorded: bool = True


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
