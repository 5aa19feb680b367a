"""The revisions of a memory: every change of an entry, by whom, and what it was before.

A change may touch several entries (superseding marks the old one and adds the new one); its steps
share a number and are undone together. What a person changes by hand is found when the index is
brought level, and is a change by `file`. The log is beside the truth, not part of it: a kill
between the two leaves a change that is then recorded as one by `file`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from milepost.base.clock import utc_now
from milepost.base.errors import UserError
from milepost.base.sqlite import Database
from milepost.memory.entry import Entry, as_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

# The action of a change that took entries over from another store.
IMPORT = "import"

_MIGRATIONS = (
    """
    CREATE TABLE change (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
        undoes INTEGER REFERENCES change
    ) STRICT;
    CREATE INDEX change_undoes ON change (undoes);
    CREATE TABLE step (
        change INTEGER NOT NULL REFERENCES change, position INTEGER NOT NULL,
        entry TEXT NOT NULL, before TEXT, after TEXT,
        PRIMARY KEY (change, position)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX step_entry ON step (entry, change);
    """,
    "ALTER TABLE change ADD COLUMN head TEXT NOT NULL DEFAULT '';",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One entry before and after: None before it was there, None after it was gone."""

    before: Entry | None
    after: Entry | None

    @property
    def entry_id(self) -> str:
        """The id of the entry, which a change never changes."""
        entry = self.before or self.after
        if entry is None:
            raise ValueError("a step has a before or an after")
        return entry.id


@dataclass(frozen=True, slots=True)
class Change:
    """What was done at once. `undoes` is the change that this one took back, `undone_by` the one
    that took this one back. `head` is what git had checked out then, where the memory is a file of
    the repository, and empty elsewhere."""

    id: int
    at: str
    actor: str
    action: str
    undoes: int | None
    undone_by: int | None
    steps: tuple[Step, ...]
    head: str = ""


class RevisionLog:
    """The changes of one memory."""

    def __init__(self, path: Path, mask: Callable[[str], str]) -> None:
        self._mask = mask
        self.database = Database(
            path,
            _MIGRATIONS,
            durability="NORMAL",
            loss="Earlier versions of entries are in that file only; the memory itself is whole.",
        )

    def record(
        self,
        action: str,
        actor: str,
        steps: Iterable[Step],
        *,
        undoes: int | None = None,
        head: str = "",
    ) -> int:
        """Enter a change and return its number."""
        with self.database.writing() as connection:
            cursor = connection.execute(
                "INSERT INTO change (at, actor, action, undoes, head) VALUES (?, ?, ?, ?, ?)",
                (utc_now(), actor, action, undoes, head),
            )
            number = cursor.lastrowid or 0
            connection.executemany(
                "INSERT INTO step VALUES (?, ?, ?, ?, ?)",
                (
                    (
                        number,
                        position,
                        step.entry_id,
                        self._packed(step.before),
                        self._packed(step.after),
                    )
                    for position, step in enumerate(steps)
                ),
            )
        return number

    def _packed(self, entry: Entry | None) -> str | None:
        if entry is None:
            return None
        kept = replace(entry, text=self._mask(entry.text))
        return json.dumps(as_fields(kept), ensure_ascii=False)

    def page(self, limit: int, entry_id: str | None) -> list[Change]:
        """The newest changes first; those of one entry when its id is given."""
        with self.database.reading() as connection:
            numbers = connection.execute(
                "SELECT id FROM change WHERE ?1 IS NULL OR id IN "
                "(SELECT change FROM step WHERE entry = ?1) ORDER BY id DESC LIMIT ?2",
                (entry_id, limit),
            ).fetchall()
        return [self.get(row[0]) for row in numbers]

    def get(self, number: int) -> Change:
        """A change. Raises UserError when there is none of this number."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT id, at, actor, action, undoes, "
                "(SELECT max(id) FROM change AS later WHERE later.undoes = change.id), head "
                "FROM change WHERE id = ?",
                (min(number, 2**62),),
            ).fetchone()
            if row is None:
                raise UserError(f"there is no change {number}; list the changes to see them")
            steps = connection.execute(
                "SELECT before, after FROM step WHERE change = ? ORDER BY position", (row[0],)
            ).fetchall()
        made = tuple(Step(_unpacked(before), _unpacked(after)) for before, after in steps)
        return Change(*row[:-1], steps=made, head=row[-1])

    def newest(self) -> int:
        """The number of the newest change, 0 when there is none."""
        if not self.database.path.exists():
            return 0
        with self.database.reading() as connection:
            return int(connection.execute("SELECT coalesce(max(id), 0) FROM change").fetchone()[0])

    def since(self, number: int) -> list[Change]:
        """The changes after this one, the oldest first; all of them for 0."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM change WHERE id > ? ORDER BY id", (number,)
            ).fetchall()
        return [self.get(row[0]) for row in rows]

    def count(self, entry_id: str) -> int:
        """How many changes of an entry there are."""
        with self.database.reading() as connection:
            found = connection.execute("SELECT count(*) FROM step WHERE entry = ?", (entry_id,))
            return int(found.fetchone()[0])

    def imported(self) -> set[str]:
        """The texts that imports added, unless the import was taken back: whoever edited or forgot
        one since does not want it a second time."""
        undone: set[int] = set()
        with self.database.reading() as connection:
            # Newest first: an undo that was itself taken back has undone nothing.
            undos = connection.execute(
                "SELECT id, undoes FROM change WHERE undoes IS NOT NULL ORDER BY id DESC"
            )
            for number, undoes in undos:
                if number not in undone:
                    undone.add(undoes)
            rows = connection.execute(
                "SELECT change.id, json_extract(after, '$.text') FROM step "
                "JOIN change ON change.id = step.change WHERE action = ? AND after IS NOT NULL",
                (IMPORT,),
            )
            return {text for number, text in rows if number not in undone}

    def newest_to_undo(self, head: str) -> Change:
        """The newest change of this head that is no undo and was not undone. Raises UserError."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT id FROM change WHERE undoes IS NULL AND head = ? AND NOT EXISTS "
                "(SELECT 1 FROM change AS later WHERE later.undoes = change.id) "
                "ORDER BY id DESC LIMIT 1",
                (head,),
            ).fetchone()
        if row is None:
            raise UserError("there is no change of memory to take back")
        return self.get(row[0])


def _unpacked(stored: str | None) -> Entry | None:
    if stored is None:
        return None
    fields: dict[str, Any] = json.loads(stored)
    fields["anchors"] = tuple(fields["anchors"])
    return Entry(**fields)
