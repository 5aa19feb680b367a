"""`find`: files by their paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost.tools.tool import Arguments, Effect, Result, schema, words

if TYPE_CHECKING:
    import threading

    from milepost.tools.files import Files

# A list that is longer is not read; a narrower pattern is.
_MAX_FOUND = 200


class Find:
    """Finds files that are not ignored."""

    name = "find"
    effect: Effect = "reads"
    description = (
        "Find files by a pattern as in .gitignore: `*.py` anywhere, `src/**/test_*.py` below src. "
        "Ignored files are left out."
    )
    parameters = schema({"pattern": words("such as *.py or docs/**/*.md")}, {})

    def __init__(self, files: Files) -> None:
        self._files = files

    def subject(self, arguments: Arguments) -> str:
        """The pattern."""
        return arguments.text("pattern")

    def run(self, arguments: Arguments, stop: threading.Event) -> Result:
        """The paths, sorted."""
        del stop
        found = sorted(matching(self._files, arguments.text("pattern")))
        if not found:
            return Result("No file has such a path.")
        shown = "\n".join(found[:_MAX_FOUND])
        more = len(found) - _MAX_FOUND
        return Result(f"{shown}\n(and {more} more; narrow the pattern)" if more > 0 else shown)


def matching(files: Files, pattern: str) -> list[str]:
    """The covered files whose paths match a pattern of gitignore(5)."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  (most starts never look for files)

    spec = GitIgnoreSpec.from_lines([pattern.removeprefix("./")])
    return list(spec.match_files(files.covered()))
