"""The server as it answers `initialize`: it says what there is, and loads it with the next message.

An editor waits for that answer before it goes on, and most of what we do is needed only later. So
what the answer announces stands here as a table; `server.py` brings the handlers. A test compares
the two. Decision 0027 tells what this saves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from milepost import __version__
from milepost_lsp.guard import GuardedProtocol, GuardedServer
from milepost_lsp.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

# The requests and notifications by which a client learns what it may send, with their options.
FEATURES: dict[str, Any] = {
    types.TEXT_DOCUMENT_DID_OPEN: None,
    types.TEXT_DOCUMENT_DID_CHANGE: None,
    types.TEXT_DOCUMENT_DID_CLOSE: None,
    types.TEXT_DOCUMENT_DID_SAVE: None,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: None,
    types.TEXT_DOCUMENT_HOVER: None,
    types.TEXT_DOCUMENT_CODE_ACTION: types.CodeActionOptions(
        code_action_kinds=["milepost", "source.milepost", "quickfix.milepost"],
        resolve_provider=True,
    ),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: None,
    types.TEXT_DOCUMENT_FOLDING_RANGE: None,
    types.TEXT_DOCUMENT_DOCUMENT_LINK: types.DocumentLinkOptions(resolve_provider=True),
    types.TEXT_DOCUMENT_COMPLETION: types.CompletionOptions(
        trigger_characters=["@", ":", "/", "=", "#"]
    ),
    types.TEXT_DOCUMENT_CODE_LENS: types.CodeLensOptions(),
    types.TEXT_DOCUMENT_INLAY_HINT: None,
    types.TEXT_DOCUMENT_RENAME: types.RenameOptions(prepare_provider=True),
    types.WORKSPACE_SYMBOL: None,
}

# The commands of workspace/executeCommand.
COMMANDS = (
    "milepost.proposal.accept",
    "milepost.proposal.reject",
    "milepost.assist.fix",
    "milepost.assist.explain",
    "milepost.assist.ask",
    "milepost.assist.document",
    "milepost.assist.test",
    "milepost.memory.remember",
    "milepost.memory.about",
    "milepost.memory.confirm",
    "milepost.memory.forget",
    "milepost.memory.log",
    "milepost.goal.set",
    "milepost.goal.verify",
    "milepost.checkpoint.save",
    "milepost.checkpoint.goBack",
    "milepost.checkpoint.undo",
    "milepost.memory.undo",
    "milepost.memory.list",
    "milepost.memory.brief",
    "milepost.chat.open",
    "milepost.status",
    "milepost.memory.search",
    "milepost.memory.edit",
    "milepost.memory.locate",
    "milepost.checkpoint.list",
    "milepost.checkpoint.diff",
    "milepost.checkpoint.pin",
    "milepost.checkpoint.name",
    "milepost.checkpoint.redo",
    "milepost.goal.list",
    "milepost.goal.propose",
    "milepost.goal.pause",
    "milepost.goal.resume",
    "milepost.goal.abandon",
    "milepost.goal.setBudget",
    "milepost.goal.allow",
    "milepost.goal.signs",
    "milepost.goal.acceptChanges",
    "milepost.document.read",
    "milepost.chat.send",
    "milepost.chat.stop",
)


class EarlyServer(GuardedServer):
    """A server with the session it serves; `furnish` brings all the rest."""

    def __init__(self, project: str | None) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            "milepost", __version__, protocol_cls=GuardedProtocol
        )
        self.session = Session(explicit=project)
        self._close_rest: Callable[[], None] | None = None
        for method, options in FEATURES.items():
            self.feature(method, options)(_not_yet)
        for name in COMMANDS:
            self.command(name)(_not_yet)

    def furnish(self) -> None:
        """Puts the handlers in the place of the table's entries."""
        from milepost_lsp.server import furnish  # noqa: PLC0415  (this is what is put off)

        manager: Any = self.protocol.fm
        for known in (manager.features, manager.feature_options, manager.commands):
            known.clear()
        self._close_rest = furnish(self, self.session)

    async def release(self) -> bool:
        """Ends the session's work."""
        if self._close_rest is not None:
            self._close_rest()
        return await self.session.close()


def build_server(project: str | None = None) -> EarlyServer:
    """A server for one client. `project` serves that folder, whatever the client shows."""
    return EarlyServer(project)


def _not_yet(_: object) -> None:
    """Stands for a handler while the client is told of it."""
