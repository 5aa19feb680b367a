"""Shell commands that destroy what no restore point brings back, told by reading them.

This is a net, not a wall: a shell can hide anything from a reader, and the sandbox is the wall.
What cannot be read with confidence counts as dangerous, because asking once too often costs a
keystroke. Source of the grammar: POSIX Shell Command Language, sections 2.2 and 2.10, as far as it
takes to see which programs run with which arguments.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Commands within commands beyond this are a puzzle, not a command.
_MAX_DEPTH = 6

_OPERATORS = frozenset({"|", "||", "&&", ";", "&", "|&", ";;", "(", ")", "{", "}", "!"})
_WORDS = frozenset({"if", "then", "elif", "else", "fi", "do", "done", "while", "until", "time"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_REDIRECTION = re.compile(r"\d*(>\||>>|>&|&>>|&>|>|<<<|<<-|<<|<>|<)")
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)|`([^`]*)`")

# Programs that run the command that follows them.
_PREFIXES = frozenset({"env", "nohup", "command", "exec", "nice", "stdbuf", "setsid", "builtin"})
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish"})
_INTERPRETERS = frozenset({"python", "python3", "node", "perl", "ruby", "php"})
_ROOTS = frozenset({"/", "/*", "~", "~/", "~/*", "$HOME", "$HOME/*", ".", "./", "*", "..", "../*"})


@dataclass(frozen=True, slots=True)
class _Command:
    """A simple command: its program without the folder, and its arguments."""

    program: str
    arguments: tuple[str, ...]

    def has(self, *flags: str) -> bool:
        """Whether one of the flags is among the arguments, also joined with others (`-rf`)."""
        for argument in self.arguments:
            if argument in flags or argument.partition("=")[0] in flags:
                return True
            if re.fullmatch(r"-[A-Za-z]{2,}", argument) and any(
                len(flag) == 2 and flag[1] in argument[1:] for flag in flags
            ):
                return True
        return False

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments that are no options."""
        return tuple(word for word in self.arguments if not word.startswith("-"))

    def begins(self, *words: str) -> bool:
        """Whether the arguments that are no options begin with `words`."""
        return self.words[: len(words)] == words


def dangers(text: str) -> tuple[str, ...]:
    """Why the command should not run without being asked for; empty when nothing speaks against
    it."""
    return tuple(dict.fromkeys(_dangers(text, 0)))


def _dangers(text: str, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        yield "it is nested too deeply to be read"
        return
    for found in _SUBSTITUTION.finditer(text):
        yield from _dangers(found.group(1) or found.group(2) or "", depth + 1)
    try:
        tokens = _tokens(text)
    except ValueError:
        yield "it cannot be read with confidence"
        return
    pipeline: list[str] = []
    for is_piped, simple in _simple(tokens):
        command, targets = _read(simple)
        for target in targets:
            if target.startswith("/dev/") and target not in {
                "/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty",
            }:  # fmt: skip
                yield f"it writes to the device {target}"
        if command is None:
            continue
        yield from _of_command(command, depth)
        if is_piped and command.program in _SHELLS | _INTERPRETERS and not command.words:
            source = pipeline[-1] if pipeline else ""
            if source in {"curl", "wget", "fetch", "base64"}:
                yield f"it runs what {source} brings"
        pipeline.append(command.program)


def _tokens(text: str) -> list[str]:
    """Words and operators. Raises ValueError when quotes do not match."""
    lines = text.replace("\\\n", " ").replace("\n", " ; ")
    reader = shlex.shlex(lines, posix=True, punctuation_chars="();&|")
    reader.whitespace_split = True
    reader.commenters = ""
    return list(reader)


def _simple(tokens: list[str]) -> Iterator[tuple[bool, list[str]]]:
    """The simple commands, each with whether a pipe leads into it."""
    words: list[str] = []
    is_piped = False
    for token in tokens:
        is_operator = token in _OPERATORS or set(token) <= set("();&|")
        if not is_operator and not (not words and token in _WORDS):
            words.append(token)
            continue
        if words:
            yield is_piped, words
        words = []
        is_piped = token in {"|", "|&"}
    if words:
        yield is_piped, words


def _read(words: list[str]) -> tuple[_Command | None, list[str]]:
    """The command among its words, and what it writes into by redirection."""
    targets: list[str] = []
    rest: list[str] = []
    is_target = False
    for word in words:
        found = _REDIRECTION.match(word)
        if is_target:
            targets.append(word)
            is_target = False
        elif found is None:
            rest.append(word)
        elif ">" in found.group():
            target = word[found.end() :]
            is_target = not target
            targets += [target] if target else []
        else:
            is_target = found.end() == len(word)
    while rest and (_ASSIGNMENT.match(rest[0]) or _name(rest[0]) in _PREFIXES):
        rest.pop(0)
        while rest and rest[0].startswith("-"):
            rest.pop(0)
    if not rest:
        return None, targets
    return _Command(_name(rest[0]), tuple(rest[1:])), targets


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _of_command(command: _Command, depth: int) -> Iterator[str]:
    program = command.program
    if "$" in program or "`" in program:
        yield "which program it runs is only known when it runs"
    check = _CHECKS.get(program)
    if check is not None:
        reason = check(command)
        if reason:
            yield reason
    if program in _SHELLS and command.has("-c"):
        for word in command.words:
            yield from _dangers(word, depth + 1)
    inner = _inner(command)
    if inner:
        yield from _dangers(shlex.join(inner), depth + 1)


def _inner(command: _Command) -> list[str]:
    """The command that `command` runs in its turn."""
    words = list(command.arguments)
    if command.program in {"sudo", "doas", "timeout", "xargs", "parallel", "watch"}:
        while words and (words[0].startswith("-") or re.fullmatch(r"[\d.]+[smhd]?", words[0])):
            words.pop(0)
        return words
    if command.program == "find":
        for flag in ("-exec", "-execdir", "-ok", "-okdir"):
            if flag in words:
                return [word for word in words[words.index(flag) + 1 :] if word not in {";", "+"}]
    return []


def _rm(command: _Command) -> str | None:
    if command.has("-r", "-R", "--recursive"):
        return "it deletes folders with all that is in them"
    if any(word in _ROOTS or "*" in word for word in command.words):
        return "it deletes whatever a pattern matches"
    if any(word.startswith(("/", "~", "$HOME", "..")) for word in command.words):
        return "it deletes files outside the project"
    return None


def _git(command: _Command) -> str | None:
    for words, flags, reason in _GIT:
        if command.begins(*words) and (not flags or command.has(*flags)):
            return reason
    if command.begins("push") and any(word.startswith("+") for word in command.words[1:]):
        return "it overwrites the history that others have"
    if command.begins("checkout") and ("--" in command.arguments or "." in command.words):
        return "it throws away changes that are not committed"
    return None


_GIT: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (("push",), ("--force", "-f", "--force-with-lease", "--mirror", "--delete", "-d"),
     "it overwrites the history that others have"),
    (("reset",), ("--hard", "--merge"), "it throws away changes that are not committed"),
    (("clean",), ("-f", "--force", "-x", "-d"), "it deletes files that git does not know"),
    (("restore",), (), "it throws away changes that are not committed"),
    (("branch",), ("-D", "--delete"), "it deletes a branch"),
    (("stash", "drop"), (), "it throws stashed changes away"),
    (("stash", "clear"), (), "it throws stashed changes away"),
    (("filter-branch",), (), "it rewrites history"),
    (("rebase",), (), "it rewrites history"),
    (("reflog", "expire"), (), "it deletes the way back to lost commits"),
    (("gc",), ("--prune",), "it deletes the way back to lost commits"),
    (("worktree", "remove"), (), "it deletes a worktree"),
    (("config",), ("--global", "--system"), "it changes git for all projects"),
)  # fmt: skip


def _always(reason: str) -> Callable[[_Command], str | None]:
    return lambda _: reason


def _flagged(reason: str, *flags: str) -> Callable[[_Command], str | None]:
    return lambda command: reason if command.has(*flags) else None


def _worded(reason: str, *beginnings: tuple[str, ...]) -> Callable[[_Command], str | None]:
    return lambda command: (
        reason if any(command.begins(*beginning) for beginning in beginnings) else None
    )


def _sql(command: _Command) -> str | None:
    text = " ".join(command.arguments).upper()
    if re.search(r"\b(DROP|TRUNCATE)\b|\bDELETE\s+FROM\b(?!.*\bWHERE\b)", text):
        return "it deletes from a database"
    return None


_PUBLISHES = "it publishes something for everyone to see"
_FOREIGN = "it changes or deletes what runs elsewhere"
_SYSTEM = "it changes the machine, not the project"
_PROCESSES = "it ends processes that may not be its own"

_CHECKS: dict[str, Callable[[_Command], str | None]] = {
    "rm": _rm,
    "rmdir": _flagged("it deletes folders", "-p", "--parents"),
    "unlink": _rm,
    "shred": _always("it makes files unreadable"),
    "truncate": _always("it empties files"),
    "dd": lambda command: (
        "it overwrites a file or a device"
        if any(word.startswith("of=") for word in command.arguments)
        else None
    ),
    "mkfs": _always(_SYSTEM), "fdisk": _always(_SYSTEM), "parted": _always(_SYSTEM),
    "find": _flagged("it deletes what it finds", "-delete"),
    "rsync": _flagged("it deletes at the other end", "--delete", "--delete-after"),
    "git": _git,
    "sudo": _always("it runs as the administrator"),
    "su": _always("it runs as another user"),
    "doas": _always("it runs as the administrator"),
    "chmod": _flagged("it changes modes of whole folders", "-R", "--recursive"),
    "chown": _always("it changes owners"),
    "kill": _flagged(_PROCESSES, "-9", "-KILL", "-SIGKILL"),
    "killall": _always(_PROCESSES), "pkill": _always(_PROCESSES),
    "shutdown": _always(_SYSTEM), "reboot": _always(_SYSTEM), "halt": _always(_SYSTEM),
    "systemctl": _always(_SYSTEM), "service": _always(_SYSTEM), "launchctl": _always(_SYSTEM),
    "mount": _always(_SYSTEM), "umount": _always(_SYSTEM), "iptables": _always(_SYSTEM),
    "crontab": _always(_SYSTEM), "apt": _always(_SYSTEM), "apt-get": _always(_SYSTEM),
    "dnf": _always(_SYSTEM), "yum": _always(_SYSTEM), "pacman": _always(_SYSTEM),
    "eval": _always("what it runs is only known when it runs"),
    "npm": _worded(_PUBLISHES, ("publish",), ("unpublish",)),
    "pnpm": _worded(_PUBLISHES, ("publish",)),
    "yarn": _worded(_PUBLISHES, ("publish",), ("npm", "publish")),
    "cargo": _worded(_PUBLISHES, ("publish",), ("yank",)),
    "gem": _worded(_PUBLISHES, ("push",)),
    "twine": _worded(_PUBLISHES, ("upload",)),
    "uv": _worded(_PUBLISHES, ("publish",)),
    "poetry": _worded(_PUBLISHES, ("publish",)),
    "docker": _worded(
        _FOREIGN, ("system", "prune"), ("volume", "rm"), ("volume", "prune"), ("rm",), ("rmi",),
        ("push",), ("compose", "down"),
    ),
    "kubectl": _worded(
        _FOREIGN, ("delete",), ("apply",), ("scale",), ("drain",), ("replace",), ("patch",)
    ),
    "helm": _worded(_FOREIGN, ("uninstall",), ("delete",), ("upgrade",), ("rollback",)),
    "terraform": _worded(_FOREIGN, ("destroy",), ("apply",), ("state", "rm")),
    "aws": lambda command: (
        _FOREIGN
        if re.search(r"(^|[ -])(rm|rb|delete|terminate|remove|put)\b", " ".join(command.words))
        else None
    ),
    "gcloud": lambda command: _FOREIGN if "delete" in command.words else None,
    "gh": lambda command: (
        _FOREIGN if {"delete", "merge", "close", "archive"} & set(command.words) else None
    ),
    "psql": _sql, "mysql": _sql, "sqlite3": _sql, "mongo": _sql, "mongosh": _sql,
    "dropdb": _always("it deletes a database"),
    "redis-cli": lambda command: (
        "it deletes from a database"
        if {"FLUSHALL", "FLUSHDB"} & {word.upper() for word in command.words}
        else None
    ),
}  # fmt: skip
