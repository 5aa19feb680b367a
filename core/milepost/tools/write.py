"""`write`: a file's whole text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.tools.tool import Arguments, Effect, Result, schema, words

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

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """Write."""
        del stop
        path = arguments.text("path")
        name = self._files.relative(path)
        if name == "." or path.endswith("/"):
            raise UserError(f"{path} is a folder; name a file in it")
        data = arguments.text("text").encode("utf-8")
        there = self._files.mark(path)
        seen = self._seen.mark(name) if there is not None else None
        if there is not None and seen is None:
            raise UserError(f"{path} is there already; read it before you replace it")
        written = self._files.write(path, data, seen=seen)
        self._seen.note(name, written.mark)
        lines = arguments.text("text").count("\n") + 1
        did = "Replaced" if there is not None else "Made"
        return Result(f"{did} {name} ({lines} lines).", paths=(name,))
