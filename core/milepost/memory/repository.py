"""What is particular about a memory file that lies in the user's repository.

Whoever can write to the repository can write entries, and claim in them that a user stated or
confirmed them. So the words, kind, status and source of each entry that was written through
Milepost on this machine are known here by a hash, in the data folder; of any other entry the
status is at most `unverified`, and its source is told to be the repository's word. To confirm such
an entry is to write it here.

Several worktrees share what is known, because they share the user.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from milepost.base.sqlite import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from milepost.memory.entry import Entry

_MIGRATIONS = ("CREATE TABLE known (digest TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;",)

# Claims that only this machine's user can make good.
_CLAIMS = ("stated", "confirmed")


class Repository:
    """The user's repository as a place for memory. `head` tells what git has checked out."""

    def __init__(
        self,
        root: Path,
        path: Path,
        folder: Path,
        head: Callable[[], str],
        mask: Callable[[str], str] = str,
    ) -> None:
        self.root = root
        self._mask = mask
        self.path = path
        self.head = head
        self.database = Database(
            folder / "trust.db",
            _MIGRATIONS,
            durability="NORMAL",
            loss="The repository's entries count as unverified until they are confirmed again.",
        )

    def learn(self, written: Iterable[Entry]) -> None:
        """Take note that these entries were written here."""
        with self.database.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO known VALUES (?)",
                ((self._digest(entry),) for entry in written),
            )

    def seen(self, found: list[Entry]) -> list[Entry]:
        """The entries as far as they can be trusted."""
        digests = [self._digest(entry) for entry in found]
        known = self._known(digests)
        return [
            entry if digest in known else _doubted(entry)
            for entry, digest in zip(found, digests, strict=True)
        ]

    def _known(self, digests: list[str]) -> set[str]:
        if not self.database.path.exists():
            return set()
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT digest FROM known WHERE digest IN (SELECT value FROM json_each(?))",
                (json.dumps(digests),),
            ).fetchall()
        return {row[0] for row in rows}

    def _digest(self, entry: Entry) -> str:
        # The index has words without their secrets, the file may have them with.
        content = json.dumps((self._mask(entry.text), entry.kind, entry.status, entry.source))
        return hashlib.sha256(content.encode()).hexdigest()[:32]


def _doubted(entry: Entry) -> Entry:
    status = "unverified" if entry.status in _CLAIMS else entry.status
    return replace(entry, status=status, source=f"repository:{entry.source}")
