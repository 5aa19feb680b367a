"""codeAction/resolve: has a model make the edit of an action that was chosen.

VS Code sends back every action that has no edit, commands of anybody's too: those come back as they
are. Who changes their mind cancels the request or its progress.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types

from milepost import api
from milepost_lsp.actions.action import Action, Call
from milepost_lsp.actions.assisting import resolved
from milepost_lsp.actions.registry import ACTIONS
from milepost_lsp.arguments import ArgumentError, read_message
from milepost_lsp.convert import to_json
from milepost_lsp.features.execute_command import record

if TYPE_CHECKING:
    from milepost_lsp.features.feature import Desk
    from milepost_lsp.protocol import Json

_LAZY = {action.command: action for action in ACTIONS if action.edit is not None}


def register(desk: Desk) -> None:
    """Registers the request."""

    @desk.server.feature(types.CODE_ACTION_RESOLVE)
    async def code_action_resolve(params: types.CodeAction) -> types.CodeAction:
        raw: Json = params.data
        data = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
        action = _LAZY.get(str(data.get("command")))
        if action is None:
            return params
        try:
            arguments = read_message(action.arguments, data.get("argument"))
        except ArgumentError as error:
            raise ArgumentError(f"data.argument: {error}") from error
        params.edit = await _edit(desk, action, arguments, data.get("version"))
        return params


async def _edit(
    desk: Desk, action: Action[Any], arguments: Json, version: object
) -> types.WorkspaceEdit:
    call = Call(desk.editor, desk.session, desk.proposals, desk.pages)
    assert action.edit is not None  # noqa: S101  (the table above holds no other)
    wanted = await action.edit(call, arguments)
    if wanted.source.version != version:
        raise api.UserError(
            "the document was changed since the menu was opened; open it again and choose anew"
        )
    try:
        edit, rewrite = await resolved(call, wanted)
    except api.Stopped:
        raise
    except api.MilepostError as error:
        await record(desk, action.command, arguments, str(error), failed=True)
        raise
    reply = {"words": rewrite.words, "effort": to_json(rewrite.effort)}
    await record(desk, action.command, arguments, json.dumps(reply), failed=False)
    return edit
