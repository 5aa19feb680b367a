"""`write`: a file's whole text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.tools.files import mark_of
from milepost.tools.tool import Arguments, Effect, Planned, Result, schema, words

if TYPE_CHECKING:
    import threading

    from milepost.tools.files import Files
    from milepost.tools.seen import Seen


class Write:
    """Makes a file, or replaces one that was read."""

    name = "write"
    effect: Effect = "writes"
    description = (
        "Make a file, or replace the whole text of one that you have read. To change a part of a "
        "file, use edit. Folders are made as needed."
    )
    parameters = schema(
        {"path": words("relative to the project's root"), "text": words("the whole text")}, {}
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
        """The text in place of what is there."""
        return Planned(self.mark(arguments), mark_of(arguments.text("text").encode("utf-8")))

    def settle(self, arguments: Arguments, planned: Planned) -> None:
        """The file holds what it was to hold."""
        self._seen.note(self._files.relative(arguments.text("path")), planned.after)

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Write."""
        del stop
        path = arguments.text("path")
        name = self._files.relative(path)
        if name == "." or path.endswith("/"):
            raise UserError(f"{path} is a folder; name a file in it")
        is_there = self.mark(arguments) is not None
        seen = self._seen.mark(name) if is_there else None
        if is_there and seen is None:
            raise UserError(f"{path} is there already; read it before you replace it")
        written = self._files.write(path, arguments.text("text").encode("utf-8"), seen=seen)
        self._seen.note(name, written.mark)
        lines = arguments.text("text").count("\n") + 1
        return Result(
            f"{'Replaced' if is_there else 'Made'} {name} ({lines} lines).", paths=(name,)
        )
