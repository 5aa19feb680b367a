"""When a rules file counts, by the front matter that Cursor, Copilot, Windsurf and others know.

Read is the little of YAML that such files use: `key: value`, lists in brackets, behind dashes, or
with commas and no brackets. It is no YAML: Cursor's own `globs: **/*.js, *.ts` is none either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Mode = Literal["always", "paths", "asked"]

_KEY = re.compile(r"([A-Za-z][\w-]*)[ \t]*:(?:[ \t]+(.*))?$")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)$")

# Keys that hold patterns: Cursor's and Roo's, Claude's and Cline's, Copilot's.
_PATTERN_KEYS = ("globs", "paths", "applyTo")

_EVERYTHING = frozenset({"**", "**/*", "*", "**/**"})

# `{a,b}` in a pattern multiplies; more of them is no pattern that a person wrote.
_MAX_PATTERNS = 64


@dataclass(frozen=True, slots=True)
class When:
    """When the rules of a file count: always, for paths that match one of `globs`, or when the task
    asks for what `description` says (or the file is named outright)."""

    mode: Mode
    globs: tuple[str, ...] = ()
    description: str = ""

    def holds_for(self, path: str) -> bool:
        """Whether they count for this path, relative to the project with forward slashes."""
        return self.mode == "always" or (bool(self.globs) and _matcher(self.globs)(path))


ALWAYS = When("always")


def read(text: str, *, is_asked_for: bool) -> When:
    """What the front matter of `text` says. `is_asked_for`: what one without any pattern means."""
    fields = _fields(text)
    globs = tuple(glob for key in _PATTERN_KEYS for glob in fields.get(key, ()))[:_MAX_PATTERNS]
    description = " ".join(fields.get("description", ()))
    trigger = "".join(fields.get("trigger", ()))
    if "".join(fields.get("alwaysApply", ())).lower() == "true" or trigger == "always_on":
        return ALWAYS
    if globs and not _EVERYTHING.intersection(globs):
        return When("paths", globs, description)
    if globs:
        return ALWAYS
    if trigger in ("manual", "model_decision") or (is_asked_for and not trigger):
        return When("asked", (), description)
    return ALWAYS


def _fields(text: str) -> dict[str, list[str]]:
    """The keys of the front matter with their values, each as a list."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return {}
    fields: dict[str, list[str]] = {}
    values: list[str] = []
    for line in lines[1:]:
        if line.rstrip() in ("---", "..."):
            return fields
        if key := _KEY.match(line.rstrip()):
            values = fields.setdefault(key.group(1), [])
            is_text = key.group(1) == "description"
            values.extend([key.group(2).strip("\"' ")] if is_text and key.group(2) else [])
            values.extend(() if is_text else _items(key.group(2) or ""))
        elif item := _ITEM.match(line.rstrip()):
            values.extend(_items(item.group(1)))
    return {}


def _items(value: str) -> Iterator[str]:
    """The items of a list with or without brackets, cut at commas outside of braces."""
    value = value.strip()
    if value.startswith("[") and value.endswith("]"):
        value = value[1:-1]
    for item in re.split(r",(?![^{}]*\})", value.strip("\"'") if "," not in value else value):
        if stripped := item.strip().strip("\"'").strip():
            yield stripped


@lru_cache(maxsize=256)
def _matcher(globs: tuple[str, ...]) -> _Matcher:
    return _Matcher(globs)


class _Matcher:
    def __init__(self, globs: tuple[str, ...]) -> None:
        from pathspec import GitIgnoreSpec  # noqa: PLC0415  (only where a pattern is asked)

        plain = (plain for glob in globs for plain in _without_braces(glob.removeprefix("./")))
        # A `!` would turn the pattern round, which no agent does.
        self._spec = GitIgnoreSpec.from_lines(
            each for _, each in zip(range(_MAX_PATTERNS), plain, strict=False)
            if not each.startswith(("!", "#"))
        )  # fmt: skip

    def __call__(self, path: str) -> bool:
        return self._spec.match_file(path)


def _without_braces(glob: str) -> Iterator[str]:
    """`*.{ts,tsx}` as `*.ts` and `*.tsx`."""
    braces = re.search(r"\{([^{}]*)\}", glob)
    if braces is None:
        yield glob
        return
    for choice in braces.group(1).split(","):
        yield from _without_braces(glob[: braces.start()] + choice + glob[braces.end() :])
