"""The server, put together: one for each client."""

from __future__ import annotations

from milepost import __version__
from milepost_lsp.chat.pages import Pages
from milepost_lsp.chat.talk import Talk
from milepost_lsp.editor import Editor
from milepost_lsp.features import (
    chat,
    code_action,
    code_action_resolve,
    code_lens,
    did_save,
    document_symbol,
    execute_command,
    hover,
    initialize,
    proposal,
    sessions,
    text_document_content,
)
from milepost_lsp.features.feature import Desk
from milepost_lsp.features.memory_did_change import MemoryWatch
from milepost_lsp.features.project_did_change import ProjectWatch
from milepost_lsp.features.watching import Watching
from milepost_lsp.guard import GuardedProtocol, GuardedServer
from milepost_lsp.proposals import Proposals
from milepost_lsp.session import Session


class MilepostServer(GuardedServer):
    """A server with the session it serves."""

    def __init__(self, project: str | None) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            "milepost", __version__, protocol_cls=GuardedProtocol
        )
        self.session = Session(explicit=project)
        self.editor = Editor(self, self.session)
        self.proposals = Proposals(self.editor, self.session)
        self.talk = Talk(self.editor, self.session, self.proposals)
        self.pages = Pages(self.editor, self.session, self.talk)

    async def release(self) -> bool:
        """Ends the session's work."""
        self.talk.close()
        return await self.session.close()


def build_server(project: str | None = None) -> MilepostServer:
    """A server for one client. `project` serves that folder, whatever the client shows."""
    server = MilepostServer(project)
    desk = Desk(server, server.session, server.editor, server.proposals, server.talk, server.pages)
    watching = Watching(desk)
    watching.add(MemoryWatch(desk))
    watching.add(ProjectWatch(desk, text_document_content.register(desk)))
    initialize.register(desk, watching)
    hover.register(desk)
    code_action.register(desk)
    code_action_resolve.register(desk)
    execute_command.register(desk)
    document_symbol.register(desk)
    did_save.register(desk)
    proposal.register(desk)
    chat.register(desk)
    code_lens.register(desk)
    sessions.register(desk)
    return server
