"""The editor at the other end: its open documents, what it can do, and what we say to it.

Everything here runs on the loop's thread.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import uuid
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import unquote

from lsprotocol import types
from pygls import uris
from pygls.exceptions import JsonRpcException

from milepost import api
from milepost_lsp.arguments import ArgumentError, read_message
from milepost_lsp.convert import to_json
from milepost_lsp.options import Options
from milepost_lsp.progress import Report, progress
from milepost_lsp.protocol.announcing import ClientAnnouncement
from milepost_lsp.view_files import write_whole

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from pygls.lsp.server import LanguageServer
    from pygls.workspace import PositionCodec

    from milepost_lsp.documents import Document
    from milepost_lsp.protocol.message import Needs, Notification, Request
    from milepost_lsp.session import Session
    from milepost_lsp.text import Text

P = TypeVar("P")
R = TypeVar("R")

log = logging.getLogger(__name__)

# A person reads a question, goes for a coffee and comes back. After that the question is stale.
ASK_TIMEOUT_S = 600.0
# What fits in a toast or on an editor's message line without a "press enter" prompt.
MESSAGE_CHARS = 400
# A line of a log that is longer is a dump.
LOG_CHARS = 2_000
# A file larger than this is not read for a selection: no editor sends one it has not opened.
MAX_FILE_BYTES = 10_000_000
# An edit is applied at once, unless the client shows it to the user first.
APPLY_TIMEOUT_S = 120.0
# The one mark of an edit that is to be shown before it is made.
_NOTE_ID = "milepost"
# How long the news of an edit may take after the client said that it is done: Neovim collects
# changes for 150 ms.
APPLIED_WITHIN_S = 5.0


class Editor:
    """One client."""

    def __init__(self, server: LanguageServer, session: Session) -> None:
        self._server = server
        self._session = session
        self._said: set[str] = set()
        # What the user has set in the editor; defaults until it is known.
        self.options = Options()

    # What it can do

    @property
    def announced(self) -> ClientAnnouncement | None:
        """What the client said under `capabilities.experimental.milepost`, None if nothing."""
        experimental = self._server.client_capabilities.experimental
        if not isinstance(experimental, dict):
            return None
        ours: Any = cast("dict[str, Any]", experimental).get("milepost")
        if not ours and not isinstance(ours, dict):
            return None
        said = cast("dict[str, Any]", ours) if isinstance(ours, dict) else {}
        names = [field.name for field in fields(ClientAnnouncement)]
        # What is no boolean is taken for not said: a capability is no place to fail.
        known = {name: said[name] for name in names if isinstance(said.get(name), bool)}
        return ClientAnnouncement(**known)

    def knows(self, needs: Needs | None) -> bool:
        """Whether the client announced that it knows such messages."""
        announced = self.announced
        return announced is not None and (needs is None or getattr(announced, needs))

    @property
    def is_quiet(self) -> bool:
        """Whether the client shows the commands' results itself."""
        return self.announced is not None and self.announced.quiet

    @property
    def shows_markdown(self) -> bool:
        """Whether a hover may be Markdown."""
        document = self._server.client_capabilities.text_document
        hover = document.hover if document else None
        formats = hover.content_format if hover else None
        return types.MarkupKind.Markdown in formats if formats else False

    @property
    def nests_symbols(self) -> bool:
        """Whether document symbols may have children."""
        document = self._server.client_capabilities.text_document
        symbols = document.document_symbol if document else None
        return bool(symbols and symbols.hierarchical_document_symbol_support)

    @property
    def shows_progress(self) -> bool:
        """Whether we may create work-done progress."""
        window = self._server.client_capabilities.window
        return bool(window and window.work_done_progress)

    @property
    def refreshes_contents(self) -> bool:
        """Whether the client shows the `milepost:` documents by `workspace/textDocumentContent`."""
        workspace = self._server.client_capabilities.workspace
        return bool(workspace and workspace.text_document_content)

    @property
    def opens_ours(self) -> bool:
        """Whether the client follows a link to a `milepost:` document."""
        return self.announced is not None or self.refreshes_contents

    @property
    def pulls_configuration(self) -> bool:
        """Whether the client can be asked for what the user has set."""
        workspace = self._server.client_capabilities.workspace
        return bool(workspace and workspace.configuration)

    @property
    def registers_configuration(self) -> bool:
        """Whether the client tells of changed settings when it is asked to."""
        workspace = self._server.client_capabilities.workspace
        changes = workspace.did_change_configuration if workspace else None
        return bool(changes and changes.dynamic_registration)

    @property
    def takes_versioned_edits(self) -> bool:
        """Whether an edit of documents may say which versions it is for."""
        workspace = self._server.client_capabilities.workspace
        edit = workspace.workspace_edit if workspace else None
        return bool(edit and edit.document_changes)

    @property
    def shows_link_tooltips(self) -> bool:
        """Whether a link may say what it leads to."""
        document = self._server.client_capabilities.text_document
        links = document.document_link if document else None
        return bool(links and links.tooltip_support)

    @property
    def relates_diagnostics(self) -> bool:
        """Whether a diagnostic may point at another place."""
        document = self._server.client_capabilities.text_document
        published = document.publish_diagnostics if document else None
        return bool(published and published.related_information)

    @property
    def refreshes(self) -> tuple[bool, bool]:
        """Whether the client asks anew for lenses, and for hints in code, when it is told to."""
        workspace = self._server.client_capabilities.workspace
        lens = workspace.code_lens if workspace else None
        hint = workspace.inlay_hint if workspace else None
        return bool(lens and lens.refresh_support), bool(hint and hint.refresh_support)

    @property
    def _shows_documents(self) -> bool:
        window = self._server.client_capabilities.window
        return bool(window and window.show_document and window.show_document.support)

    @property
    def resolves_edits(self) -> bool:
        """Whether a code action may leave its edit for `codeAction/resolve`."""
        actions = self._code_actions
        lazily = actions.resolve_support if actions else None
        return bool(actions and actions.data_support and lazily and "edit" in lazily.properties)

    @property
    def tags_models(self) -> bool:
        """Whether a code action may be tagged as made by a model."""
        support = self._code_actions.tag_support if self._code_actions else None
        return bool(support and types.CodeActionTag.LlmGenerated in support.value_set)

    @property
    def creates_files(self) -> bool:
        """Whether an edit may make a file."""
        edit = self._edits
        known = edit.resource_operations if edit else None
        return self._versions_edits and types.ResourceOperationKind.Create in (known or ())

    @property
    def _code_actions(self) -> types.CodeActionClientCapabilities | None:
        document = self._server.client_capabilities.text_document
        return document.code_action if document else None

    @property
    def _edits(self) -> types.WorkspaceEditClientCapabilities | None:
        workspace = self._server.client_capabilities.workspace
        return workspace.workspace_edit if workspace else None

    @property
    def _versions_edits(self) -> bool:
        """Whether an edit may say which version of a document it is for."""
        return bool(self._edits and self._edits.document_changes)

    @property
    def _annotates_edits(self) -> bool:
        """Whether the client asks the user about edits that are marked so."""
        return bool(self._edits and self._edits.change_annotation_support)

    @property
    def _applies_edits(self) -> bool:
        workspace = self._server.client_capabilities.workspace
        return bool(workspace and workspace.apply_edit)

    # Its documents

    @property
    def codec(self) -> PositionCodec:
        """The units in which the client counts characters."""
        return self._server.workspace.position_codec

    def text(self, uri: str) -> Text | None:
        """An open document as it stands in the buffer, saved or not."""
        document = self._server.workspace.text_documents.get(unquote(uri))
        # The server's workspace makes no others.
        return cast("Document", document).text if document else None

    def version(self, uri: str) -> int | None:
        """The version of an open document; None when it is not open."""
        document = self._server.workspace.text_documents.get(unquote(uri))
        return document.version if document else None

    def open_uris(self) -> tuple[str, ...]:
        """The URIs of the open documents, as the client spells them."""
        return tuple(each.uri for each in self._server.workspace.text_documents.values())

    def buffers(self) -> dict[str, str]:
        """The open documents' text by the real path of their file."""
        return {
            os.path.realpath(path): document.source
            for uri, document in self._server.workspace.text_documents.items()
            if (path := path_of(uri))
        }

    def edit_of(
        self,
        uri: str,
        version: int | None,
        edits: Sequence[types.TextEdit],
        *,
        creates: bool = False,
        note: types.ChangeAnnotation | None = None,
    ) -> types.WorkspaceEdit:
        """Changes of one document, good for that version only where the client can tell. `creates`
        makes the file first; with a `note`, a client that can asks before it makes them."""
        if not self._versions_edits:
            return types.WorkspaceEdit(changes={uri: list(edits)})
        made: list[Any] = [types.CreateFile(uri)] if creates else []
        document = types.OptionalVersionedTextDocumentIdentifier(uri, version)
        if note is None or not self._annotates_edits:
            made.append(types.TextDocumentEdit(document, list(edits)))
            return types.WorkspaceEdit(document_changes=made)
        noted = [types.AnnotatedTextEdit(_NOTE_ID, each.range, each.new_text) for each in edits]
        made.append(types.TextDocumentEdit(document, noted))
        return types.WorkspaceEdit(document_changes=made, change_annotations={_NOTE_ID: note})

    async def apply_edits(
        self,
        uri: str,
        version: int | None,
        edits: Sequence[types.TextEdit],
        *,
        creates: bool = False,
    ) -> None:
        """Has the client change a document, and returns when the change is there to be seen.

        Raises UserError when it did not change it, for example because it has moved on.
        """
        if not self._applies_edits:
            raise api.UserError("this editor lets no server change a document")
        if version is not None and version != self.version(uri):
            raise api.UserError("the document has just been changed; try again")
        # Without a label: Neovim writes each into its message area.
        wish = types.ApplyWorkspaceEditParams(self.edit_of(uri, version, edits, creates=creates))
        try:
            async with asyncio.timeout(APPLY_TIMEOUT_S):
                answer = await self._server.workspace_apply_edit_async(wish)
        except (TimeoutError, JsonRpcException) as error:
            raise api.UserError(f"the editor did not change the document: {error}") from error
        if not answer.applied:
            why = f" ({answer.failure_reason})" if answer.failure_reason else ""
            raise api.UserError(f"the editor did not change the document{why}; try again")
        if version is not None and not await self._moves_on(uri, version):
            # Neovim says so of an edit for a version that it no longer has.
            raise api.UserError("the editor did not change the document; try again")

    async def _moves_on(self, uri: str, version: int) -> bool:
        deadline = asyncio.get_running_loop().time() + APPLIED_WITHIN_S
        while self.version(uri) == version:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True

    def buffer(self, path: str) -> str | None:
        """The text of a file as it stands in the buffer; None when it is not open. From any
        thread."""
        for uri, document in tuple(self._server.workspace.text_documents.items()):
            if _real_path(uri) == path:
                return document.source
        return None

    # What we say

    def say(self, message: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """Shows one line to the user."""
        line = " ".join(message.split())
        if len(line) > MESSAGE_CHARS:
            line = line[: MESSAGE_CHARS - 1] + "…"
        self._server.window_show_message(types.ShowMessageParams(kind, line))

    def report(self, message: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """Says what a command did, unless the client shows that itself."""
        if not self.is_quiet:
            self.say(message, kind)

    def say_once(self, message: str) -> None:
        """Warns of what will not change by itself; hovering again does not say it again."""
        if message not in self._said:
            self._said.add(message)
            self.say(message, types.MessageType.Warning)

    def log(self, message: str, kind: types.MessageType = types.MessageType.Log) -> None:
        """Writes a line to the client's log of this server, cut where it is long."""
        message = message[:LOG_CHARS]
        self._server.window_log_message(types.LogMessageParams(kind, message))

    def notify(self, notification: Notification[P], params: P) -> None:
        """Sends a message of ours, to a client that announced that it knows it."""
        if self.knows(notification.needs):
            self._server.protocol.notify(notification.method, to_json(params))

    async def request(self, request: Request[P, R], params: P) -> R | None:
        """Asks the client by a request of ours; None when it has no answer that can be read.

        Ask `knows` first. Who stops waiting takes the question back.
        """
        msg_id = str(uuid.uuid4())
        answer = self._server.protocol.send_request_async(request.method, to_json(params), msg_id)
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                raw = await answer
            return read_message(request.result, raw)
        except (TimeoutError, asyncio.CancelledError) as error:
            withdrawn = types.CancelParams(id=msg_id)
            self._server.protocol.notify(types.CANCEL_REQUEST, withdrawn)
            if isinstance(error, asyncio.CancelledError):
                raise
        except (JsonRpcException, ArgumentError) as error:
            log.warning("no answer to %s: %s", request.method, error)
        return None

    def progress(
        self, title: str, *, token: types.ProgressToken | None, stop: threading.Event
    ) -> AbstractAsyncContextManager[Report]:
        """Work-done progress (see `progress.py`), where the client shows it."""
        return progress(self._server, title, token=token, may_create=self.shows_progress, stop=stop)

    async def ask(self, question: str, answers: Sequence[str]) -> str | None:
        """Has the user choose; None when they do not, or the client cannot ask."""
        request = self._server.window_show_message_request_async(
            types.ShowMessageRequestParams(
                types.MessageType.Info,
                question,
                [types.MessageActionItem(title=answer) for answer in answers],
            )
        )
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                chosen = await request
        except (TimeoutError, JsonRpcException):
            log.warning("the question was not answered: %s", question)
            return None
        return chosen.title if chosen and chosen.title in answers else None

    async def show(self, workspace: api.Workspace, name: str, markdown: str) -> None:
        """Shows a longer text as a document, unless the client shows results itself.

        The document lies in the project's data folder under a fixed name, so that there are never
        more of them than kinds.
        """
        if self.is_quiet:
            return
        path = Path(workspace.project.data_dir) / "views" / f"{name}.md"
        await self.write(path, markdown)
        if not await self.show_file(path):
            self.say(f"Milepost wrote it to {path}")

    async def write(self, path: Path, text: str) -> None:
        """Writes a document of ours, whole."""
        await self._session.run(write_whole, path, text)

    async def show_file(self, path: Path) -> bool:
        """Has the client show a file; whether it does."""
        uri = uris.from_fs_path(str(path))
        if self._shows_documents and uri:
            shown = types.ShowDocumentParams(uri, take_focus=True)
            try:
                async with asyncio.timeout(ASK_TIMEOUT_S):
                    result = await self._server.window_show_document_async(shown)
            except (TimeoutError, JsonRpcException):
                log.warning("the client did not show %s", path)
            else:
                return result.success
        return False


@functools.lru_cache(maxsize=1024)
def _real_path(uri: str) -> str | None:
    path = path_of(uri)
    return None if path is None else os.path.realpath(path)


@functools.lru_cache(maxsize=1024)
def path_of(uri: str) -> str | None:
    """The file that a URI names; None for documents that are no files."""
    path = uris.to_fs_path(uri)
    return path if path and "\0" not in path else None


def read_file(path: str) -> str | None:
    """A document that no editor has open; None when it cannot be read as text."""
    try:
        if Path(path).stat().st_size > MAX_FILE_BYTES:
            return None
        with Path(path).open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, ValueError):
        return None
