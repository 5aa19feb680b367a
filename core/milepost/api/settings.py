"""The settings as the guests see them. No project need be sound to ask for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from milepost.api import views
from milepost.config import projects, settings

if TYPE_CHECKING:
    from milepost.config.settings import Value


def settings_in_force(explicit: str | None = None) -> tuple[views.Setting, ...]:
    """Every setting with its value and where it comes from. Raises UserError for a settings file
    that is wrong: where, what is wrong, and what is allowed."""
    root = projects.resolve(explicit).root
    return tuple(
        views.Setting(one.key.name, _toml(one.value), one.origin)
        for one in settings.effective(root)
    )


def settings_files(explicit: str | None = None) -> tuple[str, str]:
    """The absolute paths of the user's own settings file and of the project's."""
    own, theirs = settings.files(projects.resolve(explicit).root)
    return str(own), str(theirs)


def _toml(value: Value) -> str:
    # JSON's strings, numbers and lists of strings are TOML's too.
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
