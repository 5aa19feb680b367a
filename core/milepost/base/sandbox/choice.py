"""Which method holds commands on this machine: the first that really held a trial command.

That a program is installed says little: a kernel, a container or a security module may refuse it.
So each is tried once in a process, when the first command is to run.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from milepost.base.errors import WorldError
from milepost.base.process import run_shell
from milepost.base.sandbox import bubblewrap, landlock, seatbelt
from milepost.base.sandbox.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

OFF = "off"
NONE = "none"


class Method(Protocol):
    """A way of holding commands: one of the modules beside this one."""

    def fault(self, limits: Limits) -> str | None:
        """Why it cannot be had; None when it is worth a trial."""
        ...

    def wrapped(self, words: list[str], limits: Limits) -> list[str]:
        """What runs `words` within `limits`."""
        ...

    def gaps(self, limits: Limits) -> tuple[str, ...]:
        """What it does not hold back, each as a clause."""
        ...


# The one that hides most and knows of no versions comes first.
_METHODS: dict[str, Method] = {
    bubblewrap.NAME: bubblewrap,
    landlock.NAME: landlock,
    seatbelt.NAME: seatbelt,
}

METHODS = tuple(_METHODS)

# A trial takes milliseconds; a machine that is this slow is in trouble.
_TRIAL_S = 20.0
_HELD = 42

# Reads what is hidden, writes where it may not, writes where it may.
_TRIAL = (
    "cat hidden/file && exit 1; (echo x > closed/file) && exit 2;"
    f" echo x > open/file || exit 3; exit {_HELD}"
)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What commands are held by, and within what. `name` is a method's, `off` when the user wants
    none, `none` when there is none here; `why` says why it is not another one."""

    name: str
    limits: Limits
    why: str = ""

    @property
    def holds(self) -> bool:
        """Whether commands are held at all."""
        return self.name in _METHODS

    @property
    def gaps(self) -> tuple[str, ...]:
        """What commands can do all the same, each as a clause."""
        return _METHODS[self.name].gaps(self.limits) if self.holds else ()

    def wrapped(self, words: Iterable[str]) -> list[str]:
        """What runs `words` within the limits."""
        return _METHODS[self.name].wrapped(list(words), self.limits) if self.holds else list(words)


def choose(asked: str, limits: Limits) -> Sandbox:
    """The sandbox that is asked for: a method's name, `off`, or `auto` for the best there is.

    Raises WorldError when a method that is asked for by its name does not work here.
    """
    if asked == OFF:
        return Sandbox(OFF, limits, "it is switched off")
    faults: list[str] = []
    for name in METHODS if asked == "auto" else (asked,):
        fault = _METHODS[name].fault(limits) or _tried(name, has_network=limits.has_network)
        if fault is None:
            return Sandbox(name, limits, "; ".join(faults))
        faults.append(f"{name}: {fault}")
    if asked == "auto":
        return Sandbox(NONE, limits, "; ".join(faults))
    message = f"the sandbox that is set does not work here ({faults[0]})"
    raise WorldError(f"{message}; mend that, or set sandbox.method to another")


@cache
def _tried(name: str, *, has_network: bool) -> str | None:
    """Why a trial command was not held; None when it was."""
    with tempfile.TemporaryDirectory(prefix="milepost-trial-") as made:
        folder = Path(made).resolve()
        for inner in ("hidden", "closed", "open"):
            (folder / inner).mkdir()
        (folder / "hidden" / "file").touch()
        limits = Limits((str(folder / "open"),), (str(folder / "hidden"),), (), has_network)
        ended = run_shell(_TRIAL, cwd=folder, timeout_s=_TRIAL_S, sandbox=Sandbox(name, limits))
    if ended.exit_code == _HELD:
        return None
    said = ended.tail.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return f"a trial was not held ({said[:200] or f'exit code {ended.exit_code}'})"
