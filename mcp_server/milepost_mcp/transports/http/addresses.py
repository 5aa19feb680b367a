"""The addresses of projects over HTTP.

    /mcp                  the project that the server was started in, or with --project
    /mcp/<project-id>     one that Milepost knows, by the id that `milepost doctor` shows
    Milepost-Project: DIR a folder, in a header, if the server was started with --any-project

Every client can be configured with a URL, and most with headers. Without --any-project a client
cannot make the server read a folder that Milepost was never used in.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from milepost.api import UserError, project_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/mcp"
HEADER = "milepost-project"


class Addresses:
    """Which folder a request is about. `default` is None for the folder around the current one."""

    def __init__(self, default: str | None, *, is_any: bool) -> None:
        self._default = default
        self._is_any = is_any

    def folder(self, path: str, headers: Mapping[str, str]) -> str | None:
        """The folder that is meant, None for the one the server was started in.

        Raises UserError for a project that is not known, or a folder that may not be named.
        """
        project_id = path.removeprefix(PATH).strip("/")
        named = headers.get(HEADER)
        if named is None:
            return project_folder(project_id) if project_id else self._default
        if not self._is_any:
            raise UserError("this server takes no folders; start it with --any-project")
        if project_id:
            raise UserError(f"name the project in the URL or in {HEADER}, not in both")
        folder = unquote(named)
        if "\0" in folder or not Path(folder).is_absolute() or not Path(folder).is_dir():
            raise UserError(f"{HEADER} must be the absolute path of a folder that is there")
        return os.path.realpath(folder)
