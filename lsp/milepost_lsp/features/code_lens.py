"""textDocument/codeLens: on a chat's document what sends the question, or stops the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from milepost_lsp.features.feature import Desk


def register(desk: Desk) -> None:
    """Registers the request."""

    @desk.server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions())
    async def code_lens(params: types.CodeLensParams) -> list[types.CodeLens]:
        uri = params.text_document.uri
        page = await desk.pages.find(uri)
        if page is None:
            return []
        if desk.pages.is_running(page):
            return [_lens("Stop the answer", commands.STOP_CHAT, uri, 0)]
        line = desk.pages.question_line(page)
        return [] if line is None else [_lens("Send to Milepost", commands.SEND_CHAT, uri, line)]


def _lens(title: str, command: str, uri: str, line: int) -> types.CodeLens:
    place = types.Range(types.Position(line, 0), types.Position(line, 0))
    return types.CodeLens(place, types.Command(title, command, arguments=[{"uri": uri}]))
