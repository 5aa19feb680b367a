"""Who is connected, and the project that is served to them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from milepost.api import plain_name
from milepost_mcp.guard import object_of
from milepost_mcp.runs import Runs

if TYPE_CHECKING:
    from milepost.api import Entry, Workspace


# More entries than an agent reads in a session of days; each costs a hundred bytes.
MAX_SEEN = 20_000


class Seen:
    """Which words of which entries this client was shown, so that it cannot overwrite others."""

    def __init__(self) -> None:
        self._versions: OrderedDict[str, str] = OrderedDict()
        self._guard = threading.Lock()

    def note(self, entry: Entry) -> None:
        """The client is being shown this entry."""
        with self._guard:
            self._versions[entry.id] = entry.version
            self._versions.move_to_end(entry.id)
            if len(self._versions) > MAX_SEEN:
                self._versions.popitem(last=False)

    def version(self, entry_id: str) -> str | None:
        """The version of the words that it was shown last; None when it was shown none."""
        with self._guard:
            return self._versions.get(entry_id)


class Session:
    """One connection: its client's name, and its workspace, opened at the first call.

    `runs` are shared by the sessions of a server that are about one project.
    """

    def __init__(self, project: str | None, runs: Runs | None = None) -> None:
        self._project = project
        self._client = "unknown"
        self._workspace: Workspace | None = None
        self._name: str | None = None
        self.seen = Seen()
        # Commands that its user was asked about and did not allow.
        self.refused: set[str] = set()
        self._opened: list[Workspace] = []
        self.runs = Runs() if runs is None else runs
        self._guard = threading.Lock()

    def introduce(self, client_info: object) -> None:
        """Take note of the client's name, which goes into the source of what it saves."""
        info = object_of(client_info) or {}
        name = plain_name(str(info.get("name", "")))
        if name:
            self._client = name

    def workspace(self) -> Workspace:
        """The project. Raises UserError when none is named and the folder here is none."""
        from milepost.api import open_workspace  # noqa: PLC0415  (nobody has called a tool yet)

        actor = f"mcp:{self._client}"
        with self._guard:
            if self._workspace is None or self._workspace.actor != actor:
                # The notes stay one session's when a client tells its name late.
                self._workspace = open_workspace(self._project, actor=actor, session=self._name)
                self._name = self._workspace.session
                self._workspace.watch()
                self._opened.append(self._workspace)
            return self._workspace

    def close(self) -> None:
        """Stop following the project, with everything on the disk."""
        with self._guard:
            for workspace in self._opened:
                workspace.close()
            self._opened.clear()
            self._workspace = None
