"""textDocument/didSave: the user's editor wrote a file, so that what it holds is the user's.

Restore points tell the changes of agents from the user's by it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from lsprotocol import types

from milepost import api

if TYPE_CHECKING:
    from milepost_lsp.features.document_events import DocumentEvents
    from milepost_lsp.features.feature import Desk


def register(desk: Desk, documents: DocumentEvents) -> None:
    """Registers it; who else wants to hear of it does so by `documents`."""

    @desk.server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(params: types.DidSaveTextDocumentParams) -> None:
        await desk.proposals.look(params.text_document.uri)
        for call in documents.on_save:
            call(params.text_document.uri)
        home = await desk.home(params.text_document.uri)
        if home is None or home.path is None:
            return
        # A path that cannot be covered, or a store that cannot be written, is told by the next
        # restore point; a save is no place for it.
        with contextlib.suppress(api.MilepostError):
            await desk.session.run(home.workspace.checkpoints.written_by_user, home.path)
