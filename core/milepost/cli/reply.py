"""What a command answers: words for a person, data for a program, and an exit code."""

from __future__ import annotations

import dataclasses
import json
import sys
from dataclasses import dataclass

from milepost.cli.terminal import is_terminal, plain

FAILED = 1
USAGE = 2


@dataclass(frozen=True, slots=True)
class Reply:
    """`text` is printed, or with --json `data`, a view of the api or a tuple of them; neither when
    the command `has_printed` its answer itself."""

    text: str
    data: object
    code: int = 0
    has_printed: bool = False

    def as_json(self) -> str:
        """The data as one line of JSON; fields are named as in the api's views."""
        return json.dumps(self.data, default=_plain, ensure_ascii=False)


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as `1 file` and `2 files`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def say(position: int, total: int, doing: str) -> None:
    """Tell a person what is being done; a program reads the reply."""
    if is_terminal(sys.stderr):
        print(plain(f"[{position + 1}/{total}] {doing}"), file=sys.stderr)


def first_line(text: str) -> str:
    """The first line of an entry, marked when there are more."""
    first, _, rest = text.partition("\n")
    return f"{first} ..." if rest else first


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} is not a view")
