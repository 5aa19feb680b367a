"""Landlock: a process that takes rights away from itself, and with them from all its children.

Run by the supervisor (see ../supervisor.py) in the process that becomes the command, so it costs no
process of its own; for that it imports nothing of Milepost. Landlock knows allowances
only: what is to be hidden is hidden by allowing everything beside it, from the root down.

Source of the numbers and rules: landlock(7), and linux/landlock.h.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys

TYPE_CHECKING = False  # as in typing, which costs more to import than all that is done here
if TYPE_CHECKING:
    from collections.abc import Iterator

    from milepost.base.sandbox.limits import Limits

NAME = "landlock"

# Before the third version a file outside could be cut to nothing, before the fourth TCP was free.
_LEAST_ABI = 3
_NETWORK_ABI = 4
_SCOPE_ABI = 6

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_GET_VERSION = 1
_BENEATH = 1
_SET_NO_NEW_PRIVILEGES = 38
_DROP_FROM_BOUNDING_SET = 24
_CAPABILITIES = 64  # as many as the kernel's masks have bits

_WRITE_FILE, _READ_FILE, _TRUNCATE = 1 << 1, 1 << 2, 1 << 14
# To remove and make entries of any kind, and to move them between folders.
_CHANGE_FOLDERS = sum(1 << bit for bit in range(4, 14))
_WRITE = _WRITE_FILE | _TRUNCATE | _CHANGE_FOLDERS
_FOR_FILES = _WRITE_FILE | _READ_FILE | _TRUNCATE
_TCP = 0b11
_OUTSIDE_SOCKETS_AND_SIGNALS = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def fault(limits: Limits) -> str | None:
    """Why this kernel cannot hold a command within `limits`; None when it seems to be able to."""
    if sys.platform != "linux":
        return "it is Linux's"
    version = _version()
    if version < 1:
        return "this kernel has none, or it is switched off"
    if version < _LEAST_ABI:
        return f"this kernel has version {version} of it, which lets files outside be cut"
    if version < _NETWORK_ABI and not limits.has_network:
        return f"this kernel has version {version} of it, which cannot deny the network"
    return None


def wrapped(words: list[str], limits: Limits) -> list[str]:
    """`words` for the supervisor, which calls `restrict` with what stands before them."""
    from milepost.base.sandbox.limits import DEVICES, OF_ROOT  # noqa: PLC0415  (as told above)

    devices = map(os.path.realpath, DEVICES)
    options = [word for path in (*devices, *limits.writable) for word in ("--write", path)]
    options += [word for path in limits.hidden for word in ("--hide", path)]
    options += [word for path in limits.shown for word in ("--show", path)]
    options += [word for number in OF_ROOT.values() for word in ("--keep", str(number))]
    if not limits.has_network:
        options.append("--no-network")
    return ["--landlock", *options, "--", *words]


def gaps(limits: Limits) -> tuple[str, ...]:
    """What commands can do within `limits` all the same."""
    found = ["the names of hidden files may be listed", "modes and times of files may be changed"]
    found.append("sockets in the file system may be spoken to")
    if not limits.has_network:
        found.append("UDP is not held back")
    if _version() < _SCOPE_ABI:
        found.append("other processes of yours may be sent signals")
    bare = [
        path
        for path in limits.hidden
        if any(_is_below(path, folder) for folder in limits.writable) and os.path.exists(path)  # noqa: PTH110
    ]
    found += [f"{path} is not hidden, as it lies where commands may write" for path in bare]
    return tuple(found)


def restrict(options: list[str]) -> None:
    """Take away from this process what the options of `wrapped` do not allow, for good. Raises
    OSError when the kernel refuses."""
    given: dict[str, list[str]] = {"--write": [], "--hide": [], "--show": [], "--keep": []}
    words = iter(options)
    has_network = True
    for option in words:
        if option == "--no-network":
            has_network = False
        else:
            given[option].append(next(words))
    version = _version()
    hidden = [path for path in given["--hide"] if os.path.lexists(path)]
    handled = _WRITE | (_READ_FILE if hidden else 0)
    ruleset = _Ruleset(
        handled,
        0 if has_network or version < _NETWORK_ABI else _TCP,
        _OUTSIDE_SOCKETS_AND_SIGNALS if version >= _SCOPE_ABI else 0,
    )
    size = 24 if version >= _SCOPE_ABI else 16 if version >= _NETWORK_ABI else 8
    held = _syscall(_CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    for path in given["--write"]:
        _allow(held, path, handled)
    if hidden:
        for path in given["--show"]:
            _allow(held, path, _READ_FILE)
        for path in _beside(hidden):
            _allow(held, path, _READ_FILE)
    _drop_powers(set(map(int, given["--keep"])))
    if _prctl(_SET_NO_NEW_PRIVILEGES, 1):
        raise OSError(ctypes.get_errno(), "prctl")
    _syscall(_RESTRICT_SELF, held, 0)
    os.close(held)


def _drop_powers(kept: set[int]) -> None:
    """Let the programs that come have no power of root's but these; who is not root has none that
    could be dropped. Source: capabilities(7), the bounding set."""
    for number in set(range(_CAPABILITIES)) - kept:
        _prctl(_DROP_FROM_BOUNDING_SET, number)


def _prctl(option: int, value: int) -> int:
    result: int = ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
    return result


def _allow(held: int, path: str, access: int) -> None:
    """Allow it at `path` and below; a path that is gone or closed to us needs no rule."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISLNK(mode):
            return
        rule = _Beneath(access if stat.S_ISDIR(mode) else access & _FOR_FILES, handle)
        _syscall(_ADD_RULE, held, _BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(handle)


def _beside(hidden: list[str], folder: str = "/") -> Iterator[str]:
    """The fewest paths below `folder` that hold everything in it but what is hidden."""
    for path in _entries(hidden, folder):
        if path in hidden:
            continue
        if any(_is_below(each, path) for each in hidden):
            yield from _beside(hidden, path)
        else:
            yield path


def _entries(hidden: list[str], folder: str) -> list[str]:
    """What lies in a folder, links left out: what they lead to is allowed, or not, where it stands.
    Of a folder that may be passed through but not listed, the ways to what is hidden."""
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if not entry.is_symlink()]
    except OSError:
        start = folder.rstrip("/") + "/"
        inner = {path[len(start) :].partition("/")[0] for path in hidden if path.startswith(start)}
        return [start + name for name in sorted(inner)]


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _version() -> int:
    try:
        return _syscall(_CREATE_RULESET, None, 0, _GET_VERSION)
    except (OSError, AttributeError):
        return 0


def _syscall(number: int, *arguments: object) -> int:
    result: int = ctypes.CDLL(None, use_errno=True).syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "landlock")
    return result
