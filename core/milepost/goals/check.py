"""What Milepost can see for itself, as typed data, and the one line in which a person writes it.

A check is written as a line, the same in the terminal, in an editor and over MCP. A line that
begins with none of the words below is a shell command that must end with 0, and one that runs tests
(see runners.py) is a `tests` check.

    tests: COMMAND                the tests pass, none fewer and none more skipped than at the start
    command: COMMAND              only the exit code counts, whatever the command runs
    exit N: COMMAND               ends with N
    file: PATH                    is there
    no file: PATH                 is not there
    text: PATH :: WORDS           the file holds these words
    match: PATH :: REGEX          the file holds a match of the expression
    prints: REGEX :: COMMAND      ends with 0, and its output holds a match
    json: POINTER = JSON :: COMMAND   ends with 0, and its output has that value there (RFC 6901)
    git: clean                    nothing is uncommitted
    git: committed                and the work is on the branch where the goal was set
"""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass, replace
from typing import Literal

from milepost.base.errors import UserError
from milepost.base.unicode import fits_utf8

Kind = Literal[
    "command", "tests", "file", "no file", "text", "match", "prints", "json", "clean", "committed"
]

# The kinds that run a command, which needs consent when an agent brought it.
RUNNING: frozenset[Kind] = frozenset({"command", "tests", "prints", "json"})

MAX_CHECKS = 20
MAX_LINE_CHARS = 2_000

# A full test suite of a large project; whoever needs longer says so.
DEFAULT_TIMEOUT_S = 300.0
MAX_TIMEOUT_S = 6 * 3600.0

_SEPARATOR = " :: "

_MARKED = re.compile(
    r"(?P<word>tests|command|file|no file|text|match|prints|json|git|exit (?P<code>-?\d{1,3}))"
    r":[ \t]*(?P<rest>.*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `path` is the file, or the JSON pointer; `wanted` the words, the expression or the
    JSON value. What a kind has no use for is empty."""

    kind: Kind
    command: str = ""
    path: str = ""
    wanted: str = ""
    expect_exit: int = 0
    timeout_s: float = DEFAULT_TIMEOUT_S

    @property
    def words(self) -> str:  # noqa: PLR0911  (a line for each kind)
        """The line that reads back as this check."""
        match self.kind:
            case "command" if self.expect_exit:
                return f"exit {self.expect_exit}: {self.command}"
            case "command" | "tests":
                return f"{self.kind}: {self.command}"
            case "file" | "no file":
                return f"{self.kind}: {self.path}"
            case "text" | "match":
                return f"{self.kind}: {self.path}{_SEPARATOR}{self.wanted}"
            case "prints":
                return f"prints: {self.wanted}{_SEPARATOR}{self.command}"
            case "json":
                return f"json: {self.path} = {self.wanted}{_SEPARATOR}{self.command}"
            case "clean" | "committed":
                return f"git: {self.kind}"

    @property
    def label(self) -> str:
        """What people read: a plain command as they would type it."""
        is_plain = self.kind in {"command", "tests"} and not self.expect_exit
        return self.command if is_plain else self.words


def read_check(line: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> Check:
    """The check that `line` says; a line without a mark is a `command`. Raises UserError, and says
    how it is written."""
    if not 0 < timeout_s <= MAX_TIMEOUT_S:
        raise UserError(f"a check's time limit is between 0 and {MAX_TIMEOUT_S:.0f} seconds")
    line = sound_text(line, "a check", MAX_LINE_CHARS)
    marked = _MARKED.fullmatch(line)
    check = Check("command", line) if marked is None else _marked(marked)
    return replace(check, timeout_s=timeout_s)


def is_marked(line: str) -> bool:
    """Whether the line says itself what kind of check it is."""
    return _MARKED.fullmatch(line.strip()) is not None


def sound_text(text: str, what: str, limit: int) -> str:
    """`text` without blank ends. Raises UserError when it is empty, too long or not text."""
    text = text.strip()
    if not text:
        raise UserError(f"{what} is empty; say what must hold")
    if len(text) > limit:
        raise UserError(f"{what} has {len(text)} characters; it may have {limit}")
    if "\0" in text or not fits_utf8(text):
        raise UserError(f"{what} holds a NUL or half of a surrogate pair; send whole characters")
    return text


def _marked(marked: re.Match[str]) -> Check:  # noqa: PLR0911  (as above)
    word, rest = marked["word"], marked["rest"].strip()
    if not rest:
        raise UserError(f"after `{word}:` there is nothing; say what must hold")
    match word:
        case "tests" | "command":
            return Check(word, rest)
        case "file" | "no file":
            return Check(word, path=_inside(rest))
        case "text" | "match":
            path, wanted = _halves(word, rest, "PATH", "WHAT")
            return Check(word, path=_inside(path), wanted=_expression(word, wanted))
        case "prints":
            wanted, command = _halves(word, rest, "REGEX", "COMMAND")
            return Check("prints", command, wanted=_expression("match", wanted))
        case "json":
            return _json(rest)
        case "git":
            if rest in ("clean", "committed"):
                return Check("clean" if rest == "clean" else "committed")
            raise UserError("a git check is `git: clean` or `git: committed`")
        case _:
            return Check("command", rest, expect_exit=int(marked["code"]))


def _json(rest: str) -> Check:
    where, command = _halves("json", rest, "POINTER = VALUE", "COMMAND")
    pointer, equals, value = where.partition(" = ")
    pointer, value = pointer.strip(), value.strip()
    if not equals or (pointer and not pointer.startswith("/")):
        raise UserError("a json check is `json: /a/0/b = VALUE :: COMMAND`, a JSON pointer first")
    try:
        json.loads(value)
    except ValueError as error:
        raise UserError(f"{value!r} is no JSON value; a string needs its quotes") from error
    return Check("json", command, path=pointer, wanted=value)


def _halves(word: str, rest: str, first: str, second: str) -> tuple[str, str]:
    left, separator, right = rest.partition(_SEPARATOR)
    if not separator or not left.strip() or not right.strip():
        raise UserError(f"it is written `{word}: {first}{_SEPARATOR}{second}`, blanks included")
    return left.strip(), right.strip()


def _inside(path: str) -> str:
    """The path, relative to the project's root and within it."""
    plain = posixpath.normpath(path)
    if plain.startswith(("/", "..")) or plain == ".":
        raise UserError(f"{path} is not inside the project; give it relative to the root")
    return plain


def _expression(word: str, wanted: str) -> str:
    if word == "match":
        try:
            re.compile(wanted)
        except (re.error, RecursionError, OverflowError) as error:
            raise UserError(f"{wanted!r} is no regular expression ({error})") from error
    return wanted
