"""Who is connected, and the project that is served to them."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from milepost_mcp.guard import object_of

if TYPE_CHECKING:
    from milepost.api import Workspace

_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_NAME_CHARS = 40


class Session:
    """One connection: its client's name, and its workspace, opened at the first call."""

    def __init__(self, project: str | None) -> None:
        self._project = project
        self._client = "unknown"
        self._workspace: Workspace | None = None
        self._guard = threading.Lock()

    def introduce(self, client_info: object) -> None:
        """Take note of the client's name, which goes into the source of what it saves."""
        info = object_of(client_info) or {}
        name = _NAME.sub("-", str(info.get("name", "")))[:_MAX_NAME_CHARS].strip("-")
        if name:
            self._client = name

    def workspace(self) -> Workspace:
        """The project. Raises UserError when none is named and the folder here is none."""
        from milepost.api import open_workspace  # noqa: PLC0415  (nobody has called a tool yet)

        actor = f"mcp:{self._client}"
        with self._guard:
            if self._workspace is None or self._workspace.actor != actor:
                self._workspace = open_workspace(self._project, actor=actor)
            return self._workspace
