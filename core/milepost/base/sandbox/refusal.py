"""Whether a command failed because it was held: read off what it printed.

No method tells what it refused, so this reads what programs print of it. A word of refusal counts
only beside a path that we could have written or read ourselves, and that the limits keep commands
from; one that names no path is told as a doubt.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from milepost.base.sandbox.limits import is_below

if TYPE_CHECKING:
    from pathlib import Path

    from milepost.base.sandbox.choice import Sandbox

What = Literal["write", "read", "network", "something"]

# What a refusal is called: by libc, by Node, by Java, by Rust.
_DENIED = re.compile(
    r"permission denied|read-only file system|operation not permitted|\bEACCES\b|\bEROFS\b"
    r"|\bEPERM\b|AccessDenied|os error (?:13|30)\b",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(
    r"network is unreachable|name resolution|could not resolve|ENETUNREACH|EAI_AGAIN|ENOTFOUND"
    r"|name or service not known|UnknownHostException|no such host",
    re.IGNORECASE,
)
_MISSING = re.compile(
    r"no such file|\bENOENT\b|FileNotFound|NoSuchFile|os error 2\b", re.IGNORECASE
)
_PATH = re.compile(r"(?<![\w.:/~-])(?:\.\.)?/[^\s'\"`:;,()\[\]<>]+")

# What is refused there is refused by other rules than ours.
_OF_THE_KERNEL = ("/proc", "/sys", "/dev")

# Programs that wrap errors name the path some lines before what was refused.
_LINES_BEFORE = 3

# A test run that fails for it says so often; the first ones tell enough.
_MAX_LINES = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a command was kept from; `path` is empty where it is not known."""

    what: What
    path: str = ""


def refusal(output: str, sandbox: Sandbox, root: Path) -> Refusal | None:
    """What in `output` looks as if the sandbox had refused it to a command in `root`."""
    if not sandbox.holds:
        return None
    lines = output.replace("\0", " ").splitlines()
    for line in [line for line in lines if _MISSING.search(line)][:_MAX_LINES]:
        for path in _paths(line, root, len(line)):
            if os.path.lexists(path) and _kept_from(path, sandbox) == "read":
                return Refusal("read", path)
    denials = [
        (at, found.start()) for at, line in enumerate(lines) if (found := _DENIED.search(line))
    ]
    is_in_doubt = False
    for at, place in denials[:_MAX_LINES]:
        before = reversed(lines[max(0, at - _LINES_BEFORE) : at])
        paths = _paths(lines[at], root, place)
        paths += [path for line in before for path in _paths(line, root, len(line))]
        for path in paths:
            what = _kept_from(path, sandbox)
            if what is not None:
                return Refusal(what, path)
        is_in_doubt = is_in_doubt or not paths
    if not sandbox.limits.has_network and (_UNREACHABLE.search(output) or is_in_doubt):
        return Refusal("network")
    return Refusal("something") if is_in_doubt else None


def _paths(line: str, root: Path, place: int) -> list[str]:
    """The paths in a line, the ones beside `place` first: a line may begin with the program's."""
    found = sorted(_PATH.finditer(line), key=lambda match: abs(match.end() - place))
    return [os.path.realpath(root / match[0].rstrip(".")) for match in found]


def _kept_from(path: str, sandbox: Sandbox) -> What | None:
    """What the limits keep from a path that we may use ourselves; None when it is not they."""
    limits = sandbox.limits
    if any(is_below(path, folder) for folder in limits.hidden):
        return "read" if not any(is_below(path, each) for each in limits.shown) else None
    if any(is_below(path, folder) for folder in (*limits.writable, *_OF_THE_KERNEL)):
        return None
    while not os.path.lexists(path):
        path = os.path.dirname(path)  # noqa: PTH120
    return "write" if os.access(path, os.W_OK) else None
