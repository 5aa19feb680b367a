"""milepost/chat/prompt and milepost/chat/cancel: a turn of the chat, answered at its end."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from milepost_lsp.chat import wire
from milepost_lsp.protocol import chat

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost_lsp.features.feature import Desk


def register(desk: Desk) -> None:
    """Registers both."""

    async def prompt(params: chat.PromptParams) -> chat.PromptResult:
        space = await desk.project(params.uri, session=params.session_id)
        stop = _Cancelling()
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
        desk.talk.cancel(params.session_id)

    desk.server.add_request(chat.PROMPT, prompt)
    desk.server.add_notification(chat.CANCEL, cancel)


class _Cancelling(threading.Event):
    """An event that calls when it is set; the user may have stopped before there is whom to."""

    def __init__(self) -> None:
        super().__init__()
        self._callback: Callable[[], None] | None = None

    def call(self, callback: Callable[[], None]) -> None:
        """Call this when the event is set, at once when it is already."""
        self._callback = callback
        if self.is_set():
            callback()

    def set(self) -> None:
        """As ever."""
        super().set()
        if self._callback is not None:
            self._callback()
