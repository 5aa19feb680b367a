"""workspace/symbol: searches memory, in all projects that are open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from milepost import api
from milepost_lsp import markdown
from milepost_lsp.features.document_symbol import NAME_CHARS

if TYPE_CHECKING:
    from milepost_lsp.features.feature import Desk

# A list to choose from; a longer one is narrowed by typing on.
LIMIT = 30


def register(desk: Desk) -> None:
    """Registers the request."""

    @desk.server.feature(types.WORKSPACE_SYMBOL)
    async def workspace_symbol(
        params: types.WorkspaceSymbolParams,
    ) -> list[types.SymbolInformation] | None:
        # Of nothing a client asks for everything, which would be all of memory.
        if not params.query.strip():
            return None
        found: list[types.SymbolInformation] = []
        for space in await desk.session.open_all():
            try:
                found += await desk.session.run(_found, space, params.query)
            except api.MilepostError as error:
                desk.stay_silent(error)
        return found


def _found(space: api.Workspace, query: str) -> list[types.SymbolInformation]:
    hits = space.memory.search(query, limit=LIMIT, is_use=False).hits
    places = [(hit.entry, space.memory.locate(hit.entry.id)) for hit in hits]
    return [
        types.SymbolInformation(
            location=types.Location(
                Path(place.path).as_uri(),
                # Columns would be counted in units of a file that is not read here.
                types.Range(types.Position(place.line, 0), types.Position(place.end_line, 0)),
            ),
            name=markdown.short(entry.text, NAME_CHARS),
            kind=types.SymbolKind.String,
            container_name=f"memory of {space.project.name}: {entry.kind}",
        )
        for entry, place in places
    ]
