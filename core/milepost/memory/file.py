"""MEMORY.md on disk: read when needed, written durably, shared with other processes and people.

Processes of ours take the lock; a person who edits by hand takes none. So whoever writes says on
what they based it, and nothing is written over a file that has become another one meanwhile.

The file of a team lies in their repository, as an ordinary file. Only the file does: its lock stays
with our data, and a link that leads out of the project is refused at every use, because a checkout
may bring one at any time.
"""

from __future__ import annotations

import stat
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base import files
from milepost.base.errors import WorldError
from milepost.base.waiting import will_wait
from milepost.memory import document as documents

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from milepost.memory.document import Document

# Hand edits come seconds apart; a file that changes this often while we look has another cause.
ATTEMPTS = 5

# A million entries are some 300 MB. A memory that is larger is no memory; reading it would stop the
# server.
MAX_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Read:
    """The file as it was read: its signature (None: there was none) and its bytes."""

    signature: files.Signature | None
    data: bytes


class MemoryFile:
    """One MEMORY.md."""

    def __init__(self, path: Path, lock: Path, *, repository: Path | None = None) -> None:
        """`repository` is the root of the user's project when the file lies in it."""
        self.path = path
        self.repository = repository
        self._lock = lock
        self._last: tuple[files.Signature, Document] | None = None
        self._guard = threading.Lock()

    def locked(self) -> AbstractContextManager[None]:
        """The lock under which the file is changed."""
        return files.locked(self._lock)

    def signature(self) -> files.Signature | None:
        """What tells whether the file is the one last read. Raises UserError for a link that leads
        out of the user's project."""
        if self.repository is not None:
            files.confined(self.path, self.repository)
        return files.signature(self.path)

    def document(self) -> tuple[files.Signature | None, Document]:
        """The file as it is now, cut into blocks, from memory when it is the one that was last cut.

        Raises WorldError when it cannot be read.
        """
        now = self.signature()
        with self._guard:
            if self._last is not None and self._last[0] == now:
                return self._last
        read = self.read()
        document = documents.parse(read.data)
        with self._guard:
            self._last = None if read.signature is None else (read.signature, document)
        return read.signature, document

    def end(self, start: int, signature: files.Signature) -> bytes | None:
        """The bytes from `start` on; None when the file is not the one with this signature."""
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                data = file.read(signature.size - start + 1)
        except OSError:
            return None
        return data if self.signature() == signature else None

    def replace(self, base: Read, data: bytes) -> files.Signature | None:
        """Write `data`, made from `base`; its signature. Hold the lock.

        Raises ChangedMeanwhileError, and nothing is written, when the file is another one by now.
        None when someone wrote again right after.
        """
        is_ordinary = self.repository is not None
        if self.repository is not None:
            self._make_folder(self.repository)
        written = files.replace_durably(self.path, data, base.signature, is_ordinary=is_ordinary)
        self._forget()
        return written

    def append(
        self, base: files.Signature, addition: bytes, meanwhile: Callable[[], object]
    ) -> files.Signature | None:
        """Add `addition` to the end of the file with the signature `base`; the new signature. None
        when the file does not end with it then, because someone wrote meanwhile. Hold the lock.
        `meanwhile` is done while the disk takes it in."""
        written = files.append_durably(self.path, addition, base, meanwhile)
        self._forget()
        return written

    def put_aside(self, aside: Path) -> Path | None:
        """Rename the file to `aside`, or copy it there when it is the user's; None when there is
        no file."""
        with self.locked():
            if self.signature() is None:
                return None
            if self.repository is None:
                self.path.rename(aside)
            else:
                files.write_durably(aside, self.path.read_bytes())
        return aside

    def give_up(self) -> WorldError:
        """The error for a file that never holds still."""
        return WorldError(f"{self.path} keeps changing; find out what writes it and try again")

    def read(self) -> Read:
        """The file as it is now. Raises WorldError when it cannot be read."""
        will_wait()
        for _ in range(ATTEMPTS):
            before = self.signature()
            if before is None:
                return Read(None, b"")
            if before.size > MAX_BYTES:
                message = f"{self.path} is larger than {MAX_BYTES // 1024**2} MiB"
                raise WorldError(f"{message}; move what is no memory out of it")
            try:
                # A pipe or a device has no size, and no end.
                if not stat.S_ISREG(self.path.stat().st_mode):
                    raise WorldError(f"{self.path} is no plain file; put one in its place")
                data = self.path.read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                message = f"cannot read {self.path} ({error.strerror}); check its owner and mode"
                raise WorldError(message) from error
            if self.signature() == before:
                return Read(before, data)
        raise self.give_up()

    def _make_folder(self, repository: Path) -> None:
        files.confined(self.path, repository)
        try:
            self.path.parent.mkdir(exist_ok=True)
        except OSError as error:
            message = f"cannot make the folder {self.path.parent} ({error.strerror})"
            raise WorldError(f"{message}; check its owner and its disk") from error

    def _forget(self) -> None:
        """Let go of what was cut: it is of the file before, and may be large."""
        with self._guard:
            self._last = None
