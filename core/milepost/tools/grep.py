"""`grep`: lines by a regular expression."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from milepost.base.errors import Stopped, UserError
from milepost.tools.find import matching
from milepost.tools.tool import Arguments, Effect, Result, count, flag, schema, words

if TYPE_CHECKING:
    import threading

    from milepost.tools.files import Files

_MAX_LINES = 200
_MAX_LINE_CHARS = 300
_MAX_FILE_BYTES = 2 * 1024 * 1024

# Some ten thousand files are read in this time; a search that takes longer should be narrower.
_MAX_S = 20.0

# One line is matched in microseconds, unless the expression explodes on it.
_LINE_S = 0.5


class Grep:
    """Searches the files that are not ignored, line by line."""

    name = "grep"
    effect: Effect = "reads"
    description = (
        "Search the project's files for a regular expression (Python's), line by line. Ignored and "
        "binary files are left out. Answers `path:line: text`."
    )
    parameters = schema(
        {"pattern": words("regular expression")},
        {
            "files": words("only files that match this, such as *.py"),
            "ignore_case": flag("upper and lower case are the same"),
            "context": count("lines to show around each"),
        },
    )

    def __init__(self, files: Files) -> None:
        self._files = files

    def subject(self, arguments: Arguments) -> str:
        """The files that are searched."""
        return arguments.text("files", "*")

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """The lines that match, as many as can be read."""
        import regex  # noqa: PLC0415  (it has the time limit that the standard library lacks)

        pattern = arguments.text("pattern")
        flags = regex.IGNORECASE if arguments.flag("ignore_case") else 0
        try:
            wanted = regex.compile(pattern, flags)
        except regex.error as error:
            raise UserError(f"{pattern!r} is no regular expression ({error})") from error
        deadline = time.monotonic() + _MAX_S
        around = min(arguments.number("context", 0), 20)
        found: list[str] = []
        total = 0
        for path in sorted(matching(self._files, arguments.text("files", "*"))):
            if stop.is_set():
                raise Stopped("the search was stopped")
            if time.monotonic() > deadline:
                found.append(f"(stopped after {_MAX_S:g} s, at {path}; search fewer files)")
                break
            lines = self._lines(path)
            try:
                hits = [at for at, line in enumerate(lines) if wanted.search(line, timeout=_LINE_S)]
            except TimeoutError:
                message = f"{pattern!r} takes too long on a line of {path}"
                raise UserError(f"{message}; write it without nested repeats") from None
            total += len(hits)
            found += _shown(path, lines, hits, around)
        if not total:
            return Result("No line matches.")
        more = "" if len(found) <= _MAX_LINES else f"\n({total} lines match; narrow the search)"
        return Result("\n".join(found[:_MAX_LINES]) + more)

    def _lines(self, path: str) -> list[str]:
        try:
            data = self._files.read(path).data
        except UserError:
            return []
        if len(data) > _MAX_FILE_BYTES or b"\0" in data[:8_192]:
            return []
        return data.decode("utf-8", "replace").splitlines()


def _shown(path: str, lines: list[str], hits: list[int], around: int) -> list[str]:
    shown: dict[int, str] = {}
    for hit in hits:
        for at in range(max(0, hit - around), min(len(lines), hit + around + 1)):
            mark = ":" if at in hits else "-"
            shown[at] = f"{path}{mark}{at + 1}{mark} {lines[at][:_MAX_LINE_CHARS]}"
    return [shown[at] for at in sorted(shown)]
