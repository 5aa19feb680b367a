"""`edit`: a part of a file's text, replaced exactly."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.tools.files import mark_of
from milepost.tools.tool import Arguments, Effect, Planned, Result, flag, schema, words

if TYPE_CHECKING:
    import threading

    from milepost.tools.files import Files
    from milepost.tools.seen import Seen

# The nearest text is looked for among this many lines; more would take seconds.
_MAX_COMPARED_LINES = 5_000

# Below this likeness the nearest text is another one, and showing it would mislead.
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class _Change:
    """A file, what it was seen to hold, what it will hold, and the lines that change."""

    name: str
    seen: str
    data: bytes
    lines: list[int]


class Edit:
    """Replaces text that stands in a file exactly once, or everywhere."""

    name = "edit"
    effect: Effect = "writes"
    description = (
        "Replace a part of a file that you have read. `old` must stand in the file exactly, "
        "blanks and indentation included, and once, unless `all` is true; give enough of the lines "
        "around it. The numbers that read shows are not part of the text."
    )
    parameters = schema(
        {
            "path": words("relative to the project's root"),
            "old": words("the text as it stands there"),
            "new": words("the text that takes its place"),
        },
        {"all": flag("replace it wherever it stands")},
    )

    def __init__(self, files: Files, seen: Seen) -> None:
        self._files = files
        self._seen = seen

    def subject(self, arguments: Arguments) -> str:
        """The path."""
        return self._files.relative(arguments.text("path"))

    def mark(self, arguments: Arguments) -> str | None:
        """What the file holds now."""
        return self._files.mark(arguments.text("path"))

    def planned(self, arguments: Arguments) -> Planned:
        """The file with the part replaced."""
        change = self._change(arguments)
        return Planned(change.seen, mark_of(change.data))

    def settle(self, arguments: Arguments, planned: Planned) -> None:
        """The file holds what it was to hold."""
        self._seen.note(self._files.relative(arguments.text("path")), planned.after)

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Replace."""
        del stop
        change = self._change(arguments)
        written = self._files.write(arguments.text("path"), change.data, seen=change.seen)
        self._seen.note(change.name, written.mark)
        places = ", ".join(map(str, change.lines[:10]))
        text = f"Replaced {len(change.lines)} in {change.name} (line {places})."
        return Result(text, paths=(change.name,))

    def _change(self, arguments: Arguments) -> _Change:
        path = arguments.text("path")
        name = self._files.relative(path)
        content = self._files.read(path)
        if self._seen.mark(name) is None:
            raise UserError(f"{path} was not read yet; read it before you change it")
        # Bytes that are no UTF-8 ride along unchanged.
        text = content.data.decode("utf-8", "surrogateescape")
        old, new = arguments.text("old"), arguments.text("new")
        if "\r\n" in text and "\r" not in old:
            # The model sees lines without their ends.
            old, new = old.replace("\n", "\r\n"), new.replace("\n", "\r\n")
        if not old or old == new:
            raise UserError("`old` is empty or the same as `new`; nothing is to be replaced")
        lines = _lines_of(text, old)
        if not lines:
            raise UserError(_not_found(path, text, old))
        if len(lines) > 1 and not arguments.flag("all"):
            places = ", ".join(map(str, lines[:10]))
            raise UserError(
                f"`old` stands {len(lines)} times in {path} (lines {places});"
                " give more of the lines around it, or set all"
            )
        data = text.replace(old, new).encode("utf-8", "surrogateescape")
        return _Change(name, content.mark, data, lines)


def _lines_of(text: str, part: str) -> list[int]:
    """The numbers of the lines on which `part` begins."""
    found: list[int] = []
    at = text.find(part)
    while at >= 0:
        found.append(text.count("\n", 0, at) + 1)
        at = text.find(part, at + len(part))
    return found


def _not_found(path: str, text: str, old: str) -> str:
    """What to say when the text is not there, with the nearest there is."""
    message = f"`old` does not stand in {path}"
    lines = text.split("\n")
    wanted = old.strip("\n").split("\n")
    if len(lines) > _MAX_COMPARED_LINES or len(wanted) > 200:
        return f"{message}; read the part that you want to change again"
    first = wanted[0].strip()
    near = difflib.get_close_matches(first, [line.strip() for line in lines], 1, _ALIKE)
    if not first or not near:
        return f"{message}, nor anything like it; read the file again"
    number = next(at for at, line in enumerate(lines, 1) if line.strip() == near[0])
    return f"{message}; the nearest is at line {number}: {lines[number - 1][:200]!r}"
