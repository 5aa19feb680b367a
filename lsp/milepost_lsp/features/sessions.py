"""milepost/session/*: the sessions of the chat, listed, loaded, forked, renamed, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp.chat import wire
from milepost_lsp.protocol import sessions
from milepost_lsp.protocol.message import Nothing

if TYPE_CHECKING:
    from milepost_lsp.features.feature import Desk


def register(desk: Desk) -> None:
    """Registers the requests."""
    run = desk.session.run

    async def list_sessions(params: sessions.ListSessionsParams) -> sessions.SessionPage:
        chat = await run((await desk.project(params.uri)).chat)
        page = await run(chat.sessions, params.limit, params.offset)
        return sessions.SessionPage(tuple(map(wire.session_of, page.sessions)), page.total)

    async def load(params: sessions.LoadSessionParams) -> sessions.Transcript:
        space = await desk.project(params.uri, session=params.session_id)
        return await desk.talk.load(space, params.session_id, params.limit)

    async def fork(params: sessions.ForkSessionParams) -> sessions.ChatSession:
        chat = await run((await desk.project(params.uri, session=params.session_id)).chat)
        return wire.session_of(await run(chat.fork, params.session_id, params.turn_id))

    async def rename(params: sessions.RenameSessionParams) -> sessions.ChatSession:
        chat = await run((await desk.project(params.uri, session=params.session_id)).chat)
        return wire.session_of(await run(chat.rename, params.session_id, params.title))

    async def delete(params: sessions.DeleteSessionParams) -> Nothing:
        space = await desk.project(params.uri, session=params.session_id)
        chat = await run(space.chat)
        await run(chat.delete, params.session_id)
        desk.talk.forget(space, params.session_id)
        return Nothing()

    desk.server.add_request(sessions.LIST, list_sessions)
    desk.server.add_request(sessions.LOAD, load)
    desk.server.add_request(sessions.FORK, fork)
    desk.server.add_request(sessions.RENAME, rename)
    desk.server.add_request(sessions.DELETE, delete)
