"""workspace/executeCommand: reads the arguments, runs the action's command, keeps a record."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from milepost import api
from milepost_lsp.actions.action import Action, Call
from milepost_lsp.actions.registry import ACTIONS, COMMANDS
from milepost_lsp.arguments import ArgumentError, read_arguments
from milepost_lsp.convert import to_json

if TYPE_CHECKING:
    from milepost_lsp.features.feature import Desk
    from milepost_lsp.protocol import Json

log = logging.getLogger(__name__)


def register(desk: Desk) -> None:
    """Registers the command of every action, and those of clients' own views."""
    for action in (*ACTIONS, *COMMANDS):
        _register_command(desk, action)


def _register_command(desk: Desk, action: Action[Any]) -> None:
    async def command(params: types.ExecuteCommandParams) -> Json:
        try:
            arguments = read_arguments(action.arguments, params.arguments)
        except ArgumentError as error:
            raise ArgumentError(f"{action.command}: {error}") from error
        call = Call(desk.editor, desk.session, desk.proposals, desk.pages, params.work_done_token)
        try:
            answer = to_json(await action.run(call, arguments))
        except ArgumentError as error:
            raise ArgumentError(f"{action.command}: {error}") from error
        except api.Stopped:
            raise
        except api.MilepostError as error:
            if action.is_recorded:
                await record(desk, action.command, arguments, str(error), failed=True)
            raise
        if action.is_recorded:
            await record(desk, action.command, arguments, json.dumps(answer), failed=False)
        return answer

    desk.server.add_command(action.command, command)


async def record(desk: Desk, command: str, arguments: Json, reply: str, *, failed: bool) -> None:
    """Puts the command into the project's history, and passes on what the core has to say."""
    request = json.dumps(to_json(arguments))
    call = Call(desk.editor, desk.session, desk.proposals, desk.pages)
    try:
        workspace = await call.workspace(arguments.uri)
        await desk.session.run(workspace.history.record, command, request, reply, failed=failed)
        notices = await desk.session.run(workspace.notices)
    except api.MilepostError as error:
        # What was done is done; that it is not in the history does not undo it.
        log.warning("no record of %s: %s", command, error)
        return
    for notice in notices:
        desk.editor.say(notice, types.MessageType.Warning)
