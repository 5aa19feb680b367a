"""Where Milepost keeps its data. Nothing is written into the user's project unless asked."""

from __future__ import annotations

import os
import re
from pathlib import Path

from milepost.base.errors import UserError

# An id becomes the name of a folder, on every platform the same: no separator, no leading dot or
# dash, nothing that Windows takes for a device or drops at the end.
_SESSION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?", re.ASCII)
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE | re.ASCII)

# A tree of tasks that is deeper or wider than this is no plan that anyone could follow.
_TASK = re.compile(r"T[1-9]\d{0,4}(?:\.[1-9]\d{0,4}){0,7}", re.ASCII)


def home() -> Path:
    """The data folder: `MILEPOST_HOME`, else the platform's user data directory."""
    override = os.environ.get("MILEPOST_HOME")
    if override:
        return Path(override).expanduser().absolute()
    import platformdirs  # noqa: PLC0415  (most starts have MILEPOST_HOME or never need a path)

    return Path(platformdirs.user_data_dir("milepost", appauthor=False))


def project_dir(project_id: str) -> Path:
    """The data folder of one project."""
    return home() / "projects" / project_id


def global_dir() -> Path:
    """The data folder of what holds across projects."""
    return home() / "global"


def checked_session(session: str) -> str:
    """`session` if it can be the name of a folder. Raises UserError."""
    if _SESSION.fullmatch(session) is None or _DEVICE.fullmatch(session):
        message = f"{_shown(session)} cannot name a session; use at most 64 letters, digits"
        raise UserError(
            f"{message}, dots, dashes and underscores, beginning with a letter or digit"
        )
    return session


def checked_task(task: str) -> str:
    """`task` if it is a task's id. Raises UserError."""
    if _TASK.fullmatch(task) is None:
        raise UserError(f"{_shown(task)} is not a task's id; they are like T1, or T1.2 below it")
    return task


def _shown(text: str) -> str:
    return repr(text.encode("utf-8", "backslashreplace").decode()[:80])
