"""What the text of a shell command tells: can it fail at all, and whose exit code is it?

A check whose exit code is swallowed proves nothing: `pytest || true`, `pytest; echo done` and
`pytest | tee log` end with 0 whatever the tests do. The first two are refused when a goal is set.
The pipe is run with `pipefail` by a shell that has it.

This reads the common forms, not the whole language. Where a command holds loops or conditions, only
its end is judged.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

# Where a shell with `pipefail` may be. A plain /bin/sh may have it or not; bash always does.
_BASHES = ("/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash", "/opt/homebrew/bin/bash")

_SEPARATORS = frozenset({";", "&", "\n"})
_OPERATORS = re.compile(r"[;&|\n]+")

# They end with 0 whatever happened before.
_NEVER_FAILING = frozenset({"true", ":", "echo", "printf"})

# They stand before what counts and need not be looked at: they set the scene, or only talk.
_SCENERY = _NEVER_FAILING | {
    "cd", "export", "set", "unset", "source", ".", "trap", "umask", "ulimit", "mkdir", "date",
    "local", "readonly", "shift", "rm", "touch", "pushd", "popd", "sleep", "wait",
}  # fmt: skip

_COMPOUND = frozenset(
    {"if", "then", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "{", "}",
     "(", ")", "function", "select"}
)  # fmt: skip

# Characters for private use, which no command holds.
_HIDDEN = {ord(char): chr(0xE000 + index) for index, char in enumerate(";&|<>()\n#")}
_SHOWN = {ord(hidden): chr(char) for char, hidden in _HIDDEN.items()}

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)


def fault_of(command: str) -> str | None:
    """Why the exit code of `command` proves nothing, as a sentence; None when it may prove
    something."""
    parts = _parts(command)
    if not parts:
        return "it is empty"
    if parts[-1] == "&":
        return "it ends with `&`, so nobody waits for it; take that away"
    while parts and parts[-1] in _SEPARATORS:
        parts.pop()
    last = _last(parts)
    before = parts[len(parts) - len(last) - 1] if len(parts) > len(last) else None
    if _never_fails(last):
        if before == "||":
            shown = _shown(last)
            return f"it ends with `|| {shown}`, so it cannot fail; take that away"
        if before == "|":
            return None
        return f"`{_shown(last)}` cannot fail; let the last command decide"
    return _swallowed(parts)


def has_pipe(command: str) -> bool:
    """Whether the exit code of something in `command` goes lost in a pipe."""
    return any(part in {"|", "|&"} for part in _parts(command))


def shell_for(command: str) -> tuple[str, ...] | None:
    """The shell that runs `command` so that no failure is swallowed; None when there is none."""
    if not has_pipe(command):
        return ("/bin/sh",)
    for bash in _BASHES:
        if Path(bash).exists():
            return (bash, "-o", "pipefail")
    return None


def simple_commands(command: str) -> list[list[str]]:
    """The words of each simple command in it, without variables set before it."""
    found: list[list[str]] = [[]]
    for part in _parts(command):
        # `done` and the like mean something only where a command begins.
        if _OPERATORS.fullmatch(part) or part in "()" or (part in _COMPOUND and not found[-1]):
            found.append([])
        elif found[-1] or not _ASSIGNMENT.fullmatch(part):
            found[-1].append(part)
    return [[word.translate(_SHOWN) for word in words] for words in found if words]


def is_simple(command: str) -> bool:
    """Whether it is one command, to which arguments can be added at its end."""
    parts = _parts(command)
    return bool(parts) and not any(_OPERATORS.fullmatch(part) or part in "<>()" for part in parts)


def _parts(command: str) -> list[str]:
    lexer = shlex.shlex(_hidden(command.strip()), posix=True, punctuation_chars=";&|<>()\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        return [_operator(part) for part in lexer]
    except ValueError:
        return []


def _hidden(command: str) -> str:
    """The command with other characters for the operators that stand in quotes or behind a
    backslash: shlex takes quotes away and then could not tell them from the real ones."""
    found: list[str] = []
    quote = ""
    is_escaped = False
    for char in command:
        is_literal = is_escaped or (quote and char != quote)
        found.append(char.translate(_HIDDEN) if is_literal else char)
        if is_escaped:
            is_escaped = False
        elif char == "\\" and quote != "'":
            is_escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
    return "".join(found)


def _operator(part: str) -> str:
    """Line ends around an operator mean nothing; of several separators one counts."""
    if not _OPERATORS.fullmatch(part):
        return part
    bare = part.strip("\n") or "\n"
    return bare if bare in {"&&", "||", "|", "|&", "&", "\n"} else ";"


def _shown(words: list[str]) -> str:
    return " ".join(words).translate(_SHOWN)


def _last(parts: list[str]) -> list[str]:
    """The last simple command."""
    start = next((i for i in reversed(range(len(parts))) if _OPERATORS.fullmatch(parts[i])), -1)
    return parts[start + 1 :]


def _never_fails(words: list[str]) -> bool:
    bare = [word for word in words if not _ASSIGNMENT.fullmatch(word)]
    return not bare or bare[0] in _NEVER_FAILING or bare[:2] in (["exit", "0"], ["return", "0"])


def _swallowed(parts: list[str]) -> str | None:
    """The sentence about a command in the middle whose failure nobody sees."""
    starts = [part for above, part in zip([";", *parts], parts, strict=False)
              if _OPERATORS.fullmatch(above) or part in {"(", ")"}]  # fmt: skip
    if _COMPOUND.intersection(starts) or _sets_errexit(parts):
        return None
    current: list[str] = []
    for part in parts:
        if part not in _SEPARATORS:
            current.append(part)
            continue
        words = [word for word in _last(current) if not _ASSIGNMENT.fullmatch(word)]
        if words and words[0] not in _SCENERY:
            shown = _shown(words)
            return f"whether `{shown}` fails is not seen, as `;` goes on; join with `&&` instead"
        current = []
    return None


def _sets_errexit(parts: list[str]) -> bool:
    return parts[0] == "set" and len(parts) > 1 and bool(re.fullmatch(r"-\w*e\w*", parts[1]))
