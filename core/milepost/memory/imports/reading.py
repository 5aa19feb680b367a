"""What a reader gives: candidates for entries, what it left out and why; and files read with care.

A source belongs to another tool or to the user. It is opened for reading only, and what is wrong
with a part of it is told in a sentence while the rest goes on.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from milepost.base.errors import UserError, WorldError
from milepost.memory.entry import MAX_TEXT_CHARS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

# A memory as text is written and read by people; this is a shelf of books, and cut into entries
# it takes a hundred times as much of our memory.
MAX_FILE_BYTES = 4 * 1024 * 1024

# One line of JSON that holds an entity with a thousand long observations.
MAX_LINE_BYTES = 4 * 1024 * 1024

# A folder with more notes than this is no memory folder. Its subfolders are looked into, but not
# theirs: someone may name a whole disk.
MAX_FILES = 2_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may become an entry. `where` tells a person where it stands in the source; the rest is
    set where the source knows it, in words of ours."""

    text: str
    where: str
    created_at: str | None = None
    kind: str = "knowledge"
    status: str | None = None
    id: str | None = None
    source: str | None = None
    anchors: tuple[str, ...] = ()
    superseded_by: str | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was not taken, where it stands, and why."""

    where: str
    why: str


@dataclass(slots=True)
class Reading:
    """What one or more readers found, in the order of the source."""

    files: list[str] = field(default_factory=list[str])
    candidates: list[Candidate] = field(default_factory=list[Candidate])
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])

    def leave_out(self, where: str, why: str) -> None:
        """Note what is not taken."""
        self.left_out.append(LeftOut(where, why))


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: its path, its text, and when it was written last."""

    path: Path
    text: str
    written_at: str


def read_text(path: Path, *, inside: Path | None = None) -> Source:
    """The text of a plain file. `inside` is the folder that it must really be in, whatever links
    lead there. Raises UserError when it is anything else, too large, or no text."""
    with opened(path, inside=inside) as file:
        content = file.read(MAX_FILE_BYTES + 1)
        written = os.fstat(file.fileno()).st_mtime
    if len(content) > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 1024**2
        raise UserError(f"{path} is larger than {limit} MiB; import a part of it")
    if b"\0" in content:
        raise UserError(f"{path} is no text; name the file in which the memory is")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8; convert it first") from None
    return Source(path, text.replace("\r\n", "\n"), stamp(written))


def read_lines(path: Path, reading: Reading) -> Iterator[tuple[str, str]]:
    """Each line that is not blank, with where it stands, of a file of any length. A line that is
    too long or no text is left out."""
    with opened(path) as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            where = f"{path.name}:{number}"
            if len(line) > MAX_LINE_BYTES:
                reading.leave_out(where, f"the line is longer than {MAX_LINE_BYTES // 1024**2} MiB")
                _skip_line(file)
                continue
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError:
                reading.leave_out(where, "the line is not UTF-8")
                continue
            if text:
                yield where, text


@contextlib.contextmanager
def opened(path: Path, *, inside: Path | None = None) -> Generator[BinaryIO]:
    """A plain file, opened for reading and nothing else. Raises UserError."""
    try:
        if inside is not None and not path.resolve().is_relative_to(inside.resolve()):
            raise UserError(f"{path} is a link that leads out of {inside}; name its target instead")
        # Without waiting: opening a pipe would hang until someone writes.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        message = f"cannot read {path} ({error.strerror})"
        raise UserError(f"{message}; check the name and the rights") from error
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise UserError(f"{path} is no plain file; name the file in which the memory is")
        try:
            yield file
        except OSError as error:
            raise WorldError(f"cannot read {path} ({error.strerror})") from error


def pieces(text: str) -> list[str]:
    """`text` in parts that an entry can hold, cut where it hurts least: between paragraphs, else
    between lines, else between sentences or words."""
    parts: list[str] = []
    rest = text.strip()
    while len(rest) > MAX_TEXT_CHARS:
        head = rest[:MAX_TEXT_CHARS]
        # Not before the half: a heading alone would be a poor entry.
        cuts = (head.rfind(mark, MAX_TEXT_CHARS // 2) for mark in ("\n\n", "\n", ". ", " "))
        at = next((cut + 1 for cut in cuts if cut > 0), MAX_TEXT_CHARS)
        parts.append(rest[:at].strip())
        rest = rest[at:].strip()
    return [*parts, rest] if rest else parts


def stamp(seconds: float) -> str:
    """A file's time as Milepost writes times."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _skip_line(file: BinaryIO) -> None:
    while (line := file.readline(MAX_LINE_BYTES)) and not line.endswith(b"\n"):
        pass
