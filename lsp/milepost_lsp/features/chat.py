"""milepost/chat/prompt and milepost/chat/cancel: a turn of the chat, answered at its end."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from milepost import api
from milepost_lsp.chat import wire
from milepost_lsp.chat.cancelling import Cancelling
from milepost_lsp.protocol import chat

if TYPE_CHECKING:
    from milepost_lsp.features.feature import Desk

log = logging.getLogger(__name__)


def register(desk: Desk) -> None:
    """Registers both."""

    async def prompt(params: chat.PromptParams) -> chat.PromptResult:
        space = await desk.project(params.uri, session=params.session_id)
        stop = Cancelling()
        token = params.work_done_token
        shown = desk.editor.progress("Milepost is at work", token=token, stop=stop)
        async with shown if token is not None else contextlib.nullcontext():
            result = await desk.talk.prompt(
                space,
                wire.blocks_of(params.prompt),
                session=params.session_id,
                mode=params.mode or "build",
                model=params.model,
                begun=lambda turn: stop.call(turn.cancel),
            )
        return wire.result_of(result)

    def cancel(params: chat.CancelChatParams) -> None:
        if not desk.talk.cancel(params.session_id, params.turn_id):
            desk.session.spawn(stop_elsewhere(params.session_id, params.turn_id))

    async def stop_elsewhere(session: str, turn: str | None) -> None:
        try:
            space = await desk.project(None, session=session)
            conversations = await desk.session.run(space.chat)
            is_heard = await desk.session.run(conversations.stop, session, turn)
        except api.MilepostError as error:
            log.info("no turn was stopped: %s", error)
        else:
            log.info("another's turn was stopped" if is_heard else "there was no turn to stop")

    desk.server.add_request(chat.PROMPT, prompt)
    desk.server.add_notification(chat.CANCEL, cancel)
