"""textDocument/didOpen, didChange and didClose: for whichever features want to hear of them.

pygls keeps the documents itself, before these are called, and takes one handler for each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost_lsp.features.feature import Desk

    Hear = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DocumentEvents:
    """Who hears of what, by the document's URI."""

    on_open: list[Hear] = field(default_factory=list["Hear"])
    on_change: list[Hear] = field(default_factory=list["Hear"])
    on_close: list[Hear] = field(default_factory=list["Hear"])
    on_save: list[Hear] = field(default_factory=list["Hear"])


def register(desk: Desk) -> DocumentEvents:
    """Registers the notifications; `did_save.py` tells of saves."""
    events = DocumentEvents()

    @desk.server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        for call in events.on_open:
            call(params.text_document.uri)

    @desk.server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        for call in events.on_change:
            call(params.text_document.uri)

    @desk.server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        for call in events.on_close:
            call(params.text_document.uri)

    return events
