"""`read`: a file's lines, or what is in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.tools.tool import Arguments, Effect, Result, count, schema, words

if TYPE_CHECKING:
    import threading

    from milepost.tools.files import Files
    from milepost.tools.seen import Seen

# About 8,000 tokens: a model reads on where it needs more.
_MAX_LINES = 1_000
_MAX_CHARS = 32_000

# Longer lines are minified or generated, and nobody edits them by hand.
_MAX_LINE_CHARS = 1_000


class Read:
    """Reads, and remembers what was seen, which is what `edit` and `write` go by."""

    name = "read"
    effect: Effect = "reads"
    description = (
        "Read a file of the project, or list a folder. Lines come with their numbers, which are "
        "not part of the text. Read a file before you change it."
    )
    parameters = schema(
        {"path": words("relative to the project's root")},
        {
            "offset": count("first line to show"),
            "limit": count(f"how many lines, at most {_MAX_LINES}"),
        },
    )

    def __init__(self, files: Files, seen: Seen) -> None:
        self._files = files
        self._seen = seen

    def subject(self, arguments: Arguments) -> str:
        """The path."""
        return arguments.text("path")

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """The lines that are asked for."""
        del stop
        path = arguments.text("path")
        if self._files.is_folder(path):
            return Result("\n".join(self._files.names(path)) or "The folder is empty.")
        content = self._files.read(path)
        self._seen.note(self._files.relative(path), content.mark)
        if b"\0" in content.data[:8_192]:
            raise UserError(f"{path} is binary ({len(content.data):,} bytes); it has no lines")
        lines = content.data.decode("utf-8", "replace").split("\n")
        if lines[-1] == "":
            lines.pop()
        first = arguments.number("offset", 1)
        if first > max(1, len(lines)):
            raise UserError(f"{path} has {len(lines)} lines; read from one of them")
        limit = min(arguments.number("limit", _MAX_LINES), _MAX_LINES)
        shown: list[str] = []
        size = 0
        for number, line in enumerate(lines[first - 1 : first - 1 + limit], first):
            text = f"{number:>6}\t{_short(line.removesuffix(chr(13)))}"
            size += len(text) + 1
            if size > _MAX_CHARS and shown:
                break
            shown.append(text)
        last = first + len(shown) - 1
        if first > 1 or last < len(lines):
            shown.append(f"(lines {first} to {last} of {len(lines)})")
        return Result("\n".join(shown) or "The file is empty.")


def _short(line: str) -> str:
    if len(line) <= _MAX_LINE_CHARS:
        return line
    return f"{line[:_MAX_LINE_CHARS]}... ({len(line) - _MAX_LINE_CHARS} characters more)"
