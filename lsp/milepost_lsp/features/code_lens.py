"""textDocument/codeLens: in memory files how often an entry was given out, and what to do with one
whose code changed; on a checkpoint.md what could be remembered of it; on a chat's document what
sends the question, or stops the answer. Where there is nothing to say there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from milepost import api
from milepost_lsp import markdown
from milepost_lsp.features import summary
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from milepost_lsp.chat.pages import Page
    from milepost_lsp.features.feature import Desk
    from milepost_lsp.features.inspection import Inspected, Inspector
    from milepost_lsp.session import Home
    from milepost_lsp.text import Text

# More would fill the file rather than the margin.
MOST_LENSES = 1_000


def register(desk: Desk, inspector: Inspector) -> None:
    """Registers the request."""

    @desk.server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions())
    async def code_lens(params: types.CodeLensParams) -> list[types.CodeLens] | None:
        uri = params.text_document.uri
        page = await desk.pages.find(uri)
        if page is not None:
            return _of_chat(desk, page, uri)
        home = await desk.home(uri)
        if home is None or not desk.editor.options.inspection.code_lenses:
            return None
        try:
            if home.summary_session is not None:
                return _of_summary(desk, uri, await inspector.inspected(uri))
            if not home.is_memory:
                return None
            found = await inspector.inspected(uri)
            return found and await desk.session.run(_lenses, home, uri, found[0])
        except api.MilepostError as error:
            desk.stay_silent(error)
            return None


def _of_summary(
    desk: Desk, uri: str, found: tuple[Inspected, Text, Home] | None
) -> list[types.CodeLens] | None:
    if found is None:
        return None
    inspected, text, home = found
    has_chat = desk.editor.knows("chat")
    return summary.lenses(home, uri, text, inspected.to_remember, has_chat=has_chat)


def _of_chat(desk: Desk, page: Page, uri: str) -> list[types.CodeLens]:
    if desk.pages.is_running(page):
        return [_lens("Stop the answer", commands.STOP_CHAT, uri, 0)]
    line = desk.pages.question_line(page)
    return [] if line is None else [_lens("Send to Milepost", commands.SEND_CHAT, uri, line)]


def _lens(title: str, command: str, uri: str, line: int) -> types.CodeLens:
    place = types.Range(types.Position(line, 0), types.Position(line, 0))
    return types.CodeLens(place, types.Command(title, command, arguments=[{"uri": uri}]))


def _lenses(home: Home, uri: str, inspected: Inspected) -> list[types.CodeLens]:
    assert home.memory_scope is not None  # noqa: S101  (it is a memory file)
    uses = home.workspace.inspection.uses(home.memory_scope)
    doubts = {each.entry_id: each.message for each in inspected.findings if each.kind == "suspect"}
    lenses: list[types.CodeLens] = []
    for entry in inspected.entries:
        place = types.Range(types.Position(entry.line, 0), types.Position(entry.line, 0))
        about = {"id": entry.id, "uri": uri}

        def add(
            title: str,
            command: str,
            argument: dict[str, str],
            place: types.Range = place,
        ) -> None:
            lenses.append(
                types.CodeLens(place, types.Command(title, command, arguments=[argument]))
            )

        if times := uses.get(entry.id):
            title = f"used {markdown.count(times, 'time')}"
            add(title, commands.LOG, {**about, "scope": home.memory_scope})
        if doubt := doubts.get(entry.id):
            add(f"stale: {doubt}", commands.LOG, {**about, "scope": home.memory_scope})
            add("confirm", commands.CONFIRM, about)
            add("forget", commands.FORGET, about)
        if len(lenses) > MOST_LENSES:
            break
    return lenses[:MOST_LENSES]
