"""Open a chat: a Markdown document to write in, for editors without a panel for it.

An example, which is also this file's test:

    ‸x = 1

    offered   Milepost: open a chat
    shown     A chat with Milepost
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost import api
from milepost_lsp.actions.action import PROJECT_KIND, Action, Call, Place, offer
from milepost_lsp.protocol import commands

if TYPE_CHECKING:
    from lsprotocol import types

    from milepost_lsp.chat.pages import Page


def offers(place: Place) -> list[types.CodeAction]:
    """One, in the menu that the user opened, where the client has no chat of its own."""
    if not place.is_invoked or place.has_chat:
        return []
    return [offer("open a chat", commands.OPEN_CHAT, {"uri": place.uri}, kind=PROJECT_KIND)]


async def run(call: Call, arguments: commands.OpenChatArguments) -> commands.ChatPage:
    """Shows the document, and answers with it."""
    workspace = await call.workspace(arguments.uri)
    page = await call.pages.open(workspace, arguments.session_id)
    return commands.ChatPage(page.uri, page.session)


async def _send(call: Call, arguments: commands.SendChatArguments) -> commands.ChatPage:
    """Answers at once; what Milepost says comes into the document."""
    page = await _page(call, arguments.uri)
    call.pages.send(page, arguments.mode, arguments.model)
    return commands.ChatPage(page.uri, page.session)


async def _stop(call: Call, arguments: commands.StopChatArguments) -> commands.ChatPage:
    page = await _page(call, arguments.uri)
    chat = await call.session.run(page.space.chat)
    if not call.pages.stop(page) and not await call.session.run(chat.stop, page.session):
        raise api.UserError("Milepost is not answering; there is nothing to stop")
    return commands.ChatPage(page.uri, page.session)


def on_page(page: Page, *, is_running: bool) -> list[types.CodeAction]:
    """What the menu has on a chat's document."""
    argument = {"uri": page.uri}
    if is_running:
        return [offer("stop the answer", commands.STOP_CHAT, argument)]
    return [offer("send to Milepost", commands.SEND_CHAT, argument)]


async def _page(call: Call, uri: str) -> Page:
    page = await call.pages.find(uri)
    if page is None:
        raise api.UserError(f"{uri} is no chat; open one with `{commands.OPEN_CHAT}`")
    return page


ACTION = Action(commands.OPEN_CHAT, commands.OpenChatArguments, run, offers, is_recorded=False)
SEND = Action(commands.SEND_CHAT, commands.SendChatArguments, _send, is_recorded=False)
STOP = Action(commands.STOP_CHAT, commands.StopChatArguments, _stop, is_recorded=False)
