"""The demo's record: each step with its time and what was seen, and the table at the end.

Plain text for 80 columns; colour only where a person looks at a terminal.
"""

from __future__ import annotations

import os
import sys
import textwrap
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


WIDTH = 80
_TITLE_WIDTH = 46

_GREEN, _RED, _DIM, _BOLD, _PLAIN = "\033[32m", "\033[31m", "\033[2m", "\033[1m", "\033[0m"


class StepError(Exception):
    """A step did not end as it says."""


def expect(condition: object, otherwise: str) -> None:
    """Raises StepError with what was seen instead, unless the condition holds."""
    if not condition:
        raise StepError(otherwise)


@dataclass(slots=True)
class Step:
    """One step: notes are what was seen, `result` is the table's word for it."""

    number: int
    title: str
    notes: list[str] = field(default_factory=list)
    result: str = ""
    seconds: float = 0.0
    failed: bool = False

    def note(self, text: str) -> None:
        self.notes.append(text)


class Steps:
    """All steps of a run, printed as they happen."""

    def __init__(self) -> None:
        self.done: list[Step] = []
        self.is_finished = False
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._began = time.monotonic()

    @property
    def failed(self) -> bool:
        return any(step.failed for step in self.done)

    def title(self, text: str, note: str) -> None:
        print(f"{self._paint(_BOLD, text)}\n{self._paint(_DIM, note)}\n", flush=True)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Time a step and print it. A failure is printed and goes on to the caller as StepError."""
        step = Step(len(self.done) + 1, title)
        self.done.append(step)
        head = f"{step.number:2}  {title}"
        print(head.ljust(WIDTH - 8), end="", flush=True)
        began = time.monotonic()
        try:
            yield step
        except BaseException as error:
            step.failed = True
            step.result = "FAILED"
            step.note(f"FAILED: {error or type(error).__name__}")
            if not isinstance(error, StepError):
                traceback.print_exc()
            raise
        finally:
            step.seconds = time.monotonic() - began
            print(self._paint(_DIM, f"{step.seconds:6.2f} s"))
            for note in step.notes:
                shown = textwrap.indent(_wrap(note), "    ")
                print(self._paint(_RED if step.failed else _PLAIN, shown))
            print(flush=True)

    def table(self) -> None:
        """What was done, how long it took and what came of it."""
        rule = self._paint(_DIM, "-" * WIDTH)
        heads = f" {'#':>2}  {'step':<{_TITLE_WIDTH}}{'seconds':>8}   result"
        print(f"{rule}\n{self._paint(_BOLD, heads)}\n{rule}")
        for step in self.done:
            result = self._paint(_RED if step.failed else _GREEN, step.result)
            print(f" {step.number:2}  {step.title:<{_TITLE_WIDTH}}{step.seconds:8.2f}   {result}")
        total = time.monotonic() - self._began
        if self.is_finished and not self.failed:
            words = self._paint(_GREEN, "every step is as it says")
        else:
            words = self._paint(_RED, "the story broke off")
        print(f"{rule}\n     {'in all':<{_TITLE_WIDTH}}{total:8.2f}\n\n     {words}", flush=True)

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colour and colour != _PLAIN else text


def _wrap(text: str) -> str:
    """Long lines folded, short ones left alone: output of tools keeps its own breaks."""
    lines = text.splitlines() or [""]
    return "\n".join(textwrap.fill(line, WIDTH - 4, subsequent_indent="  ") for line in lines)
