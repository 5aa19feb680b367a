"""Words for a person's terminal: printed, or said why not, and with nothing in them that the
terminal would obey.

What a worker says, what its commands print and how files are called come from others. An escape
sequence in them could clear the screen, rename the window, or make a question look like another.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

# Control characters but for tab and line feed, and the marks that turn the direction of writing
# round, shown as what they are. A carriage return only ends a line or writes over it.
_COMMANDS = (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F),
             *range(0x2066, 0x206A))  # fmt: skip
_SHOWN = {number: ascii(chr(number))[1:-1] for number in _COMMANDS} | {ord("\r"): ""}


def plain(text: str) -> str:
    """The text without anything that a terminal would obey."""
    return text if text.isascii() and text.isprintable() else text.translate(_SHOWN)


def tell(words: str) -> None:
    """Say something beside the answer, on stderr."""
    # Where stderr is closed, `print` would take stdout for it.
    if sys.stderr is not None:
        print(f"milepost: {plain(words)}", file=sys.stderr)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person is at a stream of this process. One that was closed is None."""
    return stream is not None and stream.isatty()


def ask(question: str) -> str:
    """What whoever is at the terminal answers, in small letters; nothing where nobody does."""
    print(f"{plain(question)} ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower()


def agrees(question: str) -> bool:
    """Whether whoever is at the terminal says yes."""
    return ask(f"{question} [y/N]") in {"y", "yes"}


def put(text: str, *, end: str = "\n") -> None:
    """Print. Raises WorldError when the output takes no more, and BrokenPipeError when nobody reads
    it any more."""
    try:
        print(text, end=end, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        from milepost import api  # noqa: PLC0415  (`milepost --help` needs none of it)

        let_go()
        message = f"cannot print ({error.strerror}); look at where the output goes"
        raise api.WorldError(message) from error


def let_go() -> None:
    """Print nothing any more: what Python still holds would fail once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
