"""The chat as a Markdown document, for editors that have no panel for it.

Each session can have one, `chat.md` in its folder. It is a view: the transcript is the truth, and
the page is written anew from it when it is opened. While a turn runs, what is said is appended to
the buffer by versioned edits, so that the user can scroll, undo and write elsewhere meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from milepost import api
from milepost_lsp.chat.cancelling import Cancelling
from milepost_lsp.chat.script import Script, line_of_question, question_in
from milepost_lsp.editor import path_of

if TYPE_CHECKING:
    from milepost_lsp.chat.talk import Talk
    from milepost_lsp.editor import Editor
    from milepost_lsp.session import Session

log = logging.getLogger(__name__)

NAME = "chat.md"

# Often enough to read along, and each edit is a step in the editor's own undo.
BATCH_S = 0.1

# A person who types fast changes the document between any two of our edits; after so many refusals
# in a row the page is given up, and the transcript has what it lacks.
ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Page:
    """A chat's document: the project, the session, and the URI."""

    space: api.Workspace
    session: str
    uri: str


class Pages:
    """The chat documents of one client."""

    def __init__(self, editor: Editor, session: Session, talk: Talk) -> None:
        self._editor = editor
        self._session = session
        self._talk = talk
        self._running: dict[str, Cancelling] = {}

    async def open(self, space: api.Workspace, session: str | None) -> Page:
        """Shows the document of a session, or of one that begins with its first question. Raises
        UserError."""
        chat = await self._session.run(space.chat)
        page = _page(space, session or chat.new_id())
        if self._editor.text(page.uri) is None:
            script = Script(Path(space.project.root))
            events = (await self._session.run(chat.load, session)).events if session else ()
            await self._editor.write(page_path(page), script.whole(events))
        if not await self._editor.show_file(page_path(page)):
            self._editor.say(f"Milepost wrote the chat to {page_path(page)}")
        return page

    async def find(self, uri: str) -> Page | None:
        """The chat whose document this is."""
        path = path_of(uri)
        if path is None or os.path.basename(path) != NAME:  # noqa: PTH119  (asked of every document)
            return None
        # A client may show a file that lies outside of its folders in a server of its own.
        for space in await self._session.open_all():
            sessions = Path(space.project.data_dir) / "sessions"
            if Path(path).parent.parent in (sessions, Path(os.path.realpath(sessions))):  # noqa: ASYNC240  (a folder of ours, local)
                return Page(space, Path(path).parent.name, uri)
        return None

    def is_running(self, page: Page) -> bool:
        """Whether an answer is being written into it."""
        return page.session in self._running

    def question_line(self, page: Page) -> int | None:
        """The line where a question stands that can be sent."""
        text = self._editor.text(page.uri)
        if text is None or self.is_running(page):
            return None
        return line_of_question(text.source)

    def send(self, page: Page, mode: str | None, model: str | None) -> None:
        """Sends what stands below the last “You”; the answer comes into the document. Raises
        UserError."""
        text = self._editor.text(page.uri)
        if text is None:
            raise api.UserError("the chat is not open in the editor; open it, then send")
        if self.is_running(page):
            raise api.UserError("Milepost is still answering; wait for it, or stop it")
        question = question_in(text.source)
        if not question:
            raise api.UserError("there is nothing to send; write something below the last “You”")
        self._running[page.session] = Cancelling()
        self._session.spawn(self._answer(page, text.source, question, mode, model))

    def stop(self, page: Page) -> bool:
        """Stops the answer; whether there was one."""
        cancelling = self._running.get(page.session)
        if cancelling is not None:
            cancelling.set()
        return cancelling is not None

    async def _answer(
        self, page: Page, text: str, question: str, mode: str | None, model: str | None
    ) -> None:
        script = Script(Path(page.space.project.root))
        writer = _Writer(self._editor, page.uri)
        writer.add(script.answer(text))
        cancelling = self._running[page.session]
        title = "Milepost is answering"
        try:
            chat = await self._session.run(page.space.chat)
            is_new = not await self._session.run(chat.has, page.session)
            async with self._editor.progress(title, token=None, stop=cancelling):
                await self._talk.prompt(
                    page.space,
                    [api.TextBlock(question)],
                    session=None if is_new else page.session,
                    new=page.session if is_new else None,
                    mode=mode or "build",
                    model=model,
                    hear=lambda event: writer.add(script.piece(event.update)),
                    begun=lambda turn: cancelling.call(turn.cancel),
                )
        except api.MilepostError as error:
            writer.add(script.piece(api.ChatNotice("error", str(error))))
        finally:
            self._running.pop(page.session, None)
            writer.add(script.question())
            await writer.close()


def page_path(page: Page) -> Path:
    """The file of a chat's document."""
    return Path(page.space.project.data_dir) / "sessions" / page.session / NAME


def _page(space: api.Workspace, session: str) -> Page:
    path = Path(space.project.data_dir) / "sessions" / session / NAME
    return Page(space, session, path.as_uri())


class _Writer:
    """Appends to a document that is open, in batches, while it is open."""

    def __init__(self, editor: Editor, uri: str) -> None:
        self._editor = editor
        self._uri = uri
        self._pending: list[str] = []
        self._is_closing = False
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def add(self, text: str) -> None:
        """Append this soon."""
        if text:
            self._pending.append(text)
            self._wake.set()

    async def close(self) -> None:
        """Append the rest."""
        self._is_closing = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        while not (self._is_closing and not self._pending):
            await self._wake.wait()
            self._wake.clear()
            if not self._is_closing:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BATCH_S):
                        await self._closing()
            text = "".join(self._pending)
            self._pending.clear()
            if text and not await self._append(text):
                return

    async def _closing(self) -> None:
        while not self._is_closing:
            await self._wake.wait()
            self._wake.clear()

    async def _append(self, text: str) -> bool:
        for _ in range(ATTEMPTS):
            now, version = self._editor.text(self._uri), self._editor.version(self._uri)
            if now is None:
                log.info("the chat's page was closed; its transcript goes on")
                return False
            end = now.end
            edit = types.TextEdit(types.Range(end, end), text)
            try:
                await self._editor.apply_edits(self._uri, version, [edit])
            except api.UserError as error:
                log.info("an edit of the chat's page was refused: %s", error)
                await asyncio.sleep(BATCH_S / 2)
            else:
                return True
        return False
