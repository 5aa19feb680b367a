"""What every feature is given, and the two ways a request may end without an answer."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost import api
from milepost_lsp.editor import Editor, path_of
from milepost_lsp.guard import GuardedServer, words_for

if TYPE_CHECKING:
    from milepost_lsp.chat.pages import Pages
    from milepost_lsp.chat.talk import Talk
    from milepost_lsp.proposals import Proposals
    from milepost_lsp.session import Home, Session

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """One client's server, session, editor and proposals."""

    server: GuardedServer
    session: Session
    editor: Editor
    proposals: Proposals
    talk: Talk
    pages: Pages

    async def project(self, uri: str | None, *, session: str | None = None) -> api.Workspace:
        """The project that a request is about: that of a document or folder, or the one that has a
        session, or the only one. Raises UserError."""
        if uri is not None:
            path = path_of(uri)
            home = await self.session.home(path) if path else None
            if home is None:
                raise api.UserError(f"no open project holds {uri}: name a file inside a project")
            return home.workspace
        if session is not None:
            spaces = await self.session.open_all()
            for space in spaces if len(spaces) > 1 else ():
                with contextlib.suppress(api.UserError):
                    await self.session.run(space.chat().session, session)
                    return space
        return await self.session.only_workspace()

    async def home(self, uri: str) -> Home | None:
        """The project of a document; None where there is none, which is said once."""
        path = path_of(uri)
        if path is None:
            return None
        try:
            return await self.session.home(path)
        except api.MilepostError as error:
            self.stay_silent(error)
            return None

    def stay_silent(self, error: api.MilepostError) -> None:
        """For what an editor asks by itself, such as a hover: the reason is said once.

        An error in the answer would be a toast at every move of the mouse.
        """
        log.info("answered with nothing: %s", error)
        self.editor.say_once(f"Milepost: {words_for(error)[1]}")
