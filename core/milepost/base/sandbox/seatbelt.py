"""macOS's sandbox-exec, with a profile made for the command.

Written after the published profiles of macOS's own services. It has not been tried on a Mac; as
with every method, it is used only where a trial command was really held back.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from milepost.base.sandbox.limits import Limits

NAME = "seatbelt"

_PROGRAM = "/usr/bin/sandbox-exec"


def fault(limits: Limits) -> str | None:  # noqa: ARG001  (a method may say for which)
    """Why there is none; None when there is one."""
    if sys.platform != "darwin":
        return "it is macOS's"
    return None if Path(_PROGRAM).exists() else f"there is no {_PROGRAM}"


def wrapped(words: list[str], limits: Limits) -> list[str]:
    """The words that run `words` within `limits`."""
    return [_PROGRAM, "-p", profile(limits), *words]


def gaps(limits: Limits) -> tuple[str, ...]:  # noqa: ARG001  (as above)
    """What commands can do within `limits` all the same."""
    return ("macOS's services may be asked to do what the command may not",)


def profile(limits: Limits) -> str:
    """The profile in sandbox-exec's language; where several rules match, the last one counts."""
    lines = ["(version 1)", "(allow default)", "(deny file-write*)"]
    rules = dict.fromkeys(limits.hidden, "(deny file-read* file-write*")
    rules |= dict.fromkeys(limits.shown, "(allow file-read*")
    rules |= dict.fromkeys((*limits.writable, "/dev"), "(allow file-read* file-write*")
    lines += [f"{rules[path]} (subpath {_quoted(path)}))" for path in sorted(rules)]
    if not limits.has_network:
        lines += ["(deny network*)", "(allow network* (local unix))"]
    return "\n".join(lines)


def _quoted(path: str) -> str:
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
