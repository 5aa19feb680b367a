"""Where Milepost keeps its data. Nothing is written into the user's project unless asked."""

from __future__ import annotations

import os
from pathlib import Path


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
