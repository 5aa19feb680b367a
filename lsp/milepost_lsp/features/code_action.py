"""textDocument/codeAction: asks every action whether it has something to offer here.

All of them are commands, complete as they are, but those whose edit a model makes: where the client
can, it asks for that when the action is chosen (see `code_action_resolve.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from milepost import api
from milepost_lsp.actions import chat_page
from milepost_lsp.actions.action import FIX_KIND, PLACE_KIND, PROJECT_KIND, Place
from milepost_lsp.actions.registry import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost_lsp.features.feature import Desk


_KINDS = (PLACE_KIND, PROJECT_KIND, FIX_KIND)


def register(desk: Desk) -> None:
    """Registers the request."""
    options = types.CodeActionOptions(code_action_kinds=list(_KINDS), resolve_provider=True)

    @desk.server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        only = params.context.only
        if only is not None and not any(_may_hold_ours(kind) for kind in only):
            return []
        uri = params.text_document.uri
        page = await desk.pages.find(uri)
        if page is not None:
            return chat_page.on_page(page, is_running=desk.pages.is_running(page))
        text, home = desk.editor.text(uri), await desk.home(uri)
        if text is None or home is None:
            return []
        place = Place(
            home,
            uri,
            text,
            params.range,
            context=params.context,
            has_restored=home.workspace.project.root in desk.session.restored,
            proposed=desk.proposals.places(uri, text),
            editor=desk.editor,
        )
        try:
            offered = await desk.session.run_soon(_offers, place)
        except api.MilepostError as error:
            desk.stay_silent(error)
            return []
        return [each for each in offered if only is None or _is_wanted(each.kind or "", only)]


def _offers(place: Place) -> list[types.CodeAction]:
    return [each for action in ACTIONS for each in action.offers(place)]


def _may_hold_ours(kind: str) -> bool:
    return any(_holds(kind, ours) or _holds(ours, kind) for ours in _KINDS)


def _is_wanted(kind: str, only: Sequence[str]) -> bool:
    return any(_holds(wanted, kind) for wanted in only)


def _holds(kind: str, inner: str) -> bool:
    """Kinds are a hierarchy: `source` holds `source.milepost`; the empty kind holds all."""
    return kind in ("", inner) or inner.startswith(f"{kind}.")
