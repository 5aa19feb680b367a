"""workspace/textDocumentContent: the `milepost:` documents (see `archive.py`).

pygls does not announce it, so `guard.py` does. A document that a client has read is read again when
what it shows may be other than before.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from milepost_lsp import archive

if TYPE_CHECKING:
    from milepost_lsp.features.feature import Desk

log = logging.getLogger(__name__)

# A person has a few of them open; of older ones nobody is told any more.
_FOLLOWED = 50


class Shown:
    """The documents that the client has read, and that may change."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # A dictionary for its order: the one that was read last is last.
        self._uris: dict[str, None] = {}

    def add(self, uri: str) -> None:
        """The client has read this one."""
        self._uris.pop(uri, None)
        self._uris[uri] = None
        while len(self._uris) > _FOLLOWED:
            del self._uris[next(iter(self._uris))]

    def refresh(self, project_id: str, kind: str) -> None:
        """What documents of this kind say may be other than before."""
        if not self._desk.editor.refreshes_contents:
            return
        for uri in tuple(self._uris):
            whose, what, rest = archive.parted(uri)
            is_of_now = kind == "diffs" and not rest.endswith("..now")
            if whose == project_id.lower() and what == kind and not is_of_now:
                self._desk.session.spawn(self._ask(uri))

    async def _ask(self, uri: str) -> None:
        wish = types.TextDocumentContentRefreshParams(uri)
        try:
            await self._desk.server.workspace_text_document_content_refresh_async(wish)
        except JsonRpcException as error:
            log.info("the client did not read %s again: %s", uri, error)


def register(desk: Desk) -> Shown:
    """Registers the request."""
    shown = Shown(desk)

    @desk.server.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT)
    async def text_document_content(
        params: types.TextDocumentContentParams,
    ) -> types.TextDocumentContentResult:
        text = await archive.read(desk.session, desk.proposals, params.uri)
        shown.add(params.uri)
        return types.TextDocumentContentResult(text)

    return shown
