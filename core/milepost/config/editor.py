"""Which editor the user wants in a terminal: `VISUAL`, else `EDITOR`."""

from __future__ import annotations

import os
import shlex

from milepost.base.errors import UserError


def command() -> tuple[str, ...]:
    """The editor's command with its arguments. Raises UserError when none is named."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        words = shlex.split(named)
    except ValueError as error:
        raise UserError(f"VISUAL or EDITOR is {named!r}, which is no command ({error})") from error
    if not words:
        raise UserError("no editor is named; set VISUAL or EDITOR, for instance EDITOR=vi")
    return tuple(words)
