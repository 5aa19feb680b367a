"""MEMORY.md on disk: read once, written durably, shared with every other process and the user.

Processes of ours take the lock; a person who edits by hand takes none. So whoever writes says on
what they based it, and nothing is written over a file that has become another one meanwhile.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base import files
from milepost.base.errors import WorldError
from milepost.memory import document as documents

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from milepost.memory.document import Document

# Hand edits come seconds apart; a file that changes this often while we look has another cause.
ATTEMPTS = 5

# A memory that is larger is no memory; reading it would stop the server.
MAX_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Read:
    """The file as it was read: its signature (None: there was none) and its document."""

    signature: files.Signature | None
    document: Document


class MemoryFile:
    """One MEMORY.md."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = path.with_name(f"{path.name}.lock")
        self._last: Read | None = None
        self._guard = threading.Lock()

    def locked(self) -> AbstractContextManager[None]:
        """The lock under which the file is changed."""
        return files.locked(self._lock)

    def signature(self) -> files.Signature | None:
        """What tells whether the file is the one last read."""
        return files.signature(self.path)

    def read(self) -> Read:
        """The file as it is now, from memory when it is the one last read.

        Raises WorldError when it cannot be read.
        """
        now = self.signature()
        with self._guard:
            if self._last is not None and self._last.signature == now:
                return self._last
        return self._keep(self._read_anew())

    def content(self) -> str:
        """The file's text as it is now, without looking for its blocks. Raises WorldError."""
        return self._read_text()[1]

    def replace(self, base: Read, document: Document) -> Read | None:
        """Write `document`, made from `base`. None, and nothing written, when the file is another
        one by now. Hold the lock. The signature of what is returned is None when someone wrote
        again right after."""
        try:
            written = files.replace_durably(self.path, document.to_bytes(), base.signature)
        except files.ChangedMeanwhileError:
            return None
        return self._keep(Read(written, document))

    def append(self, base: Read, document: Document, addition: str) -> Read | None:
        """Add `addition` to the end of `base`, which makes it `document`. None when the file does
        not end with it then, because someone wrote meanwhile. Hold the lock."""
        if base.signature is None:
            return None
        written = files.append_durably(self.path, addition.encode("utf-8"), base.signature)
        return None if written is None else self._keep(Read(written, document))

    def give_up(self) -> WorldError:
        """The error for a file that never holds still."""
        return WorldError(f"{self.path} keeps changing; find out what writes it and try again")

    def _keep(self, read: Read) -> Read:
        with self._guard:
            self._last = read if read.signature is not None else None
        return read

    def _read_anew(self) -> Read:
        signature, text = self._read_text()
        return Read(signature, documents.parse_text(text))

    def _read_text(self) -> tuple[files.Signature | None, str]:
        for _ in range(ATTEMPTS):
            before = self.signature()
            if before is None:
                return None, ""
            if before.size > MAX_BYTES:
                message = f"{self.path} is larger than {MAX_BYTES // 1024**2} MiB"
                raise WorldError(f"{message}; move what is no memory out of it")
            try:
                data = self.path.read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                message = f"cannot read {self.path} ({error.strerror}); check its owner and mode"
                raise WorldError(message) from error
            if self.signature() == before:
                return before, documents.decoded(data)
        raise self.give_up()
