"""Sessions, word for word: every message, tool call and result, append-only.

An item is kept whole, compressed when it is long; what people ask for later (what was said, what
tools were asked to do, what went wrong) is in a lean full-text index, bulk output is not. Opening
costs the same whatever lies in the file, so years of sessions do not slow a start.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.clock import unix_time, utc_now
from milepost.base.errors import UserError
from milepost.base.ids import looks_like_id, new_id
from milepost.base.sqlite import Database
from milepost.history import taken, turns
from milepost.history.item import ITEM_COLUMNS, Item, item_of, packed
from milepost.search import table
from milepost.search.engine import Only
from milepost.search.ranking import WORK

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_MIGRATIONS = (
    table.SCHEMA
    + """
    CREATE TABLE session (
        id TEXT PRIMARY KEY, title TEXT NOT NULL, actor TEXT NOT NULL, state TEXT NOT NULL,
        created_at TEXT NOT NULL, updated_at TEXT NOT NULL, forked_from TEXT
    ) STRICT;
    CREATE TABLE item (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        session TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        at TEXT NOT NULL, kind TEXT NOT NULL, is_compressed INTEGER NOT NULL, data BLOB NOT NULL
    ) STRICT;
    CREATE INDEX item_session ON item (session, number);
    """,
    table.GONE_SCHEMA,
    "ALTER TABLE session ADD COLUMN mode TEXT NOT NULL DEFAULT 'build';",
    taken.SCHEMA,
    turns.SCHEMA,
)

# The kind of an item that says that its session went back; see `in_force`.
WENT_BACK = "went_back"

# The kind of an item that holds what the user asks for before it is said to the model; see
# `unheard`.
ASKED = "asked"

# What the index takes of one item: a question finds a long message by its beginning, too.
_INDEXED_CHARS = 8_000

_MAX_TITLE_CHARS = 200


@dataclass(frozen=True, slots=True)
class Session:
    """A session: `state` is running (a turn is under way, unless its process died), active or
    ended; `mode` is that of its newest turn."""

    id: str
    title: str
    actor: str
    state: str
    created_at: str
    updated_at: str
    forked_from: str | None
    mode: str = "build"


class Transcripts:
    """The sessions of one project."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(
            folder / "sessions.db",
            _MIGRATIONS,
            durability="NORMAL",
            loss="The sessions up to now are in that file only; memory and restore points are "
            "whole.",
        )
        self._counts = table.TermCounts()
        self.taken = taken.Taken(self.database)
        self.turns = turns.Turns(self.database)

    def create(
        self,
        title: str,
        actor: str,
        *,
        session_id: str | None = None,
        mode: str = "build",
        items: Iterable[tuple[str, Mapping[str, object]]] = (),
    ) -> Session:
        """A new active session with these items, each a kind and its data. Raises UserError when
        the id is taken or none."""
        session_id = new_id() if session_id is None else _checked_id(session_id)
        now = utc_now()
        session = Session(session_id, _title(title), actor, "active", now, now, None, mode)
        with self.database.writing() as connection:
            if _session(connection, session_id) is not None:
                raise UserError(f"there is a session {session_id} already; resume it")
            _insert(connection, session)
            for kind, data in items:
                _append(connection, session_id, now, kind, data)
        return session

    def get(self, session_id: str) -> Session:
        """One session. Raises UserError when there is none with this id."""
        with self.database.reading() as connection:
            found = _session(connection, session_id)
        if found is None:
            raise UserError("there is no session with that id; list the sessions to see them")
        return found

    def page(self, limit: int, offset: int = 0) -> list[Session]:
        """The sessions, the one that was worked on last first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM session ORDER BY updated_at DESC, rowid DESC "  # noqa: S608
                "LIMIT ? OFFSET ?",
                (limit, offset),
            ).fetchall()
        return [Session(*row) for row in rows]

    def count(self) -> int:
        """How many sessions there are."""
        with self.database.reading() as connection:
            return connection.execute("SELECT count(*) FROM session").fetchone()[0]

    def set_state(self, session_id: str, state: str, *, mode: str | None = None) -> None:
        """Say how a session stands, and in which mode it is."""
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE session SET state = ?, mode = coalesce(?, mode), updated_at = ? "
                "WHERE id = ?",
                (state, mode, utc_now(), session_id),
            )

    def rename(self, session_id: str, title: str) -> Session:
        """Give a session another title. Raises UserError."""
        self.get(session_id)
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE session SET title = ? WHERE id = ?", (_title(title), session_id)
            )
        return self.get(session_id)

    def append(
        self, session_id: str, kind: str, data: Mapping[str, object], *, words: str = ""
    ) -> int:
        """Add an item and return its number. `words` is what it is found by later; nothing when
        it should not be found. A kill right after loses nothing."""
        at = utc_now()
        with self.database.writing() as connection:
            number = _append(connection, session_id, at, kind, data)
            connection.execute("UPDATE session SET updated_at = ? WHERE id = ?", (at, session_id))
            if words.strip():
                said = words[:_INDEXED_CHARS].encode("utf-8", "replace").decode().replace("\0", " ")
                text = table.Text(kind, said, unix_time(at), session_id, number)
                table.put(connection, number, text)
        return number

    def items(self, session_id: str, *, after: int = 0, limit: int = -1) -> list[Item]:
        """The items of a session that come after the number `after`; all of them, or `limit`."""
        with self.database.reading() as connection:
            rows = connection.execute(
                f"SELECT {ITEM_COLUMNS} FROM item WHERE session = ? AND number > ? "  # noqa: S608
                "ORDER BY number LIMIT ?",
                (session_id, after, limit),
            ).fetchall()
        return [item_of(row) for row in rows]

    def newest(self, session_id: str, limit: int) -> list[Item]:
        """The last items that count of a session, in their order."""
        if self._has_gone_back(session_id):
            return self.in_force(session_id)[-limit:]
        with self.database.reading() as connection:
            rows = connection.execute(
                f"SELECT {ITEM_COLUMNS} FROM item WHERE session = ? ORDER BY number DESC LIMIT ?",  # noqa: S608
                (session_id, limit),
            ).fetchall()
        return [item_of(row) for row in reversed(rows)]

    def last_of(self, session_id: str, kind: str, *, before: int) -> int | None:
        """The number of the newest item that counts of a kind, before the item `before`."""
        if self._has_gone_back(session_id):
            found = self.in_force(session_id, until=before - 1)
            return max((item.number for item in found if item.kind == kind), default=None)
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT max(number) FROM item WHERE session = ? AND kind = ? AND number < ?",
                (session_id, kind, before),
            ).fetchone()
        return row[0]

    def newest_of(self, session_id: str, kind: str, limit: int) -> list[Item]:
        """The last items of a kind, the newest first, whether they count or not."""
        with self.database.reading() as connection:
            rows = connection.execute(
                f"SELECT {ITEM_COLUMNS} FROM item WHERE session = ? AND kind = ? "  # noqa: S608
                "ORDER BY number DESC LIMIT ?",
                (session_id, kind, limit),
            ).fetchall()
        return [item_of(row) for row in rows]

    def unheard(self, session_id: str) -> str | None:
        """What the user asked for last, when the process that was to say it to the model died
        before it did."""
        with self.database.reading() as connection:
            row = connection.execute(
                f"SELECT {ITEM_COLUMNS} FROM item WHERE session = ? AND kind IN (?, 'user') "  # noqa: S608
                "ORDER BY number DESC LIMIT 1",
                (session_id, ASKED),
            ).fetchone()
        return None if row is None or row[3] != ASKED else item_of(row).data["text"]

    def in_force(self, session_id: str, *, until: int | None = None) -> list[Item]:
        """The items that count: what was said and done after a point to which the session went back
        does not, until it goes forth again. With `until`, as it was after that item."""
        items = self.items(session_id)
        # An item follows the one that was the last in force; going back makes an older one that.
        before: dict[int, int] = {}
        last_after = {0: 0}
        last = 0
        for item in items:
            if until is not None and item.number > until:
                break
            if item.kind == WENT_BACK:
                last = last_after.get(item.data["to"], last)
            else:
                before[item.number] = last
                last = item.number
            last_after[item.number] = last
        counting: set[int] = set()
        while last:
            counting.add(last)
            last = before[last]
        return [item for item in items if item.number in counting]

    def position(self, session_id: str) -> int:
        """The number of the newest item of a session; 0 when it has none, or there is no such
        session."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT max(number) FROM item WHERE session = ?", (session_id,)
            ).fetchone()
        return row[0] or 0

    def _has_gone_back(self, session_id: str) -> bool:
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT 1 FROM item WHERE session = ? AND kind = ? LIMIT 1", (session_id, WENT_BACK)
            ).fetchone()
        return row is not None

    def go_back(self, session_id: str, position: int) -> int:
        """Let only that count which counted when `position` was the newest item; nothing is
        deleted. The number of the item that says so."""
        return self.append(session_id, WENT_BACK, {"to": position})

    def around(self, number: int, *, before: int = 5, after: int = 5) -> list[Item]:
        """An item with those of its session that stand before and after it. Raises UserError when
        there is no such item."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT session FROM item WHERE number = ?", (number,)
            ).fetchone()
            if row is None:
                raise UserError(f"there is no item {number}; a search has the numbers")
            earlier = connection.execute(
                f"SELECT {ITEM_COLUMNS} FROM item WHERE session = ? AND number < ? "  # noqa: S608
                "ORDER BY number DESC LIMIT ?",
                (row[0], number, before),
            ).fetchall()
        later = self.items(row[0], after=number - 1, limit=after + 1)
        return [*map(item_of, reversed(earlier)), *later]

    def search(
        self, question: str, limit: int, *, session_id: str | None = None
    ) -> list[tuple[float, Item]]:
        """The items that answer `question`, best first, of one session or of all."""
        with self.database.reading() as connection:
            ranked = table.search(
                connection,
                question,
                WORK,
                self._counts,
                only=Only("(:session IS NULL OR doc.session = :session)", {"session": session_id}),
            )[:limit]
            found: list[tuple[float, Item]] = []
            for number, score in ranked:
                row = connection.execute(
                    f"SELECT {ITEM_COLUMNS} FROM item WHERE number = ?",  # noqa: S608
                    (number,),
                ).fetchone()
                found.append((score, item_of(row)))
        return found

    def fork(self, session_id: str, actor: str, *, until: int | None = None) -> Session:
        """A new session that begins as a copy of what counts in another, up to the item `until`."""
        origin = self.get(session_id)
        now = utc_now()
        made = Session(new_id(), origin.title, actor, "active", now, now, origin.id, origin.mode)
        counting = self.in_force(session_id, until=until)
        with self.database.writing() as connection:
            _insert(connection, made)
            connection.executemany(
                "INSERT INTO item (session, at, kind, is_compressed, data) "
                "SELECT ?, at, kind, is_compressed, data FROM item WHERE number = ?",
                ((made.id, item.number) for item in counting if item.kind != ASKED),
            )
        return made

    def export(self, session_id: str) -> Iterator[str]:
        """The session as JSON lines: itself first, then its items. Raises UserError."""
        session = self.get(session_id)
        fields = {name: getattr(session, name) for name in Session.__slots__}
        yield json.dumps({"session": fields}, ensure_ascii=False)
        last = 0
        while page := self.items(session_id, after=last, limit=200):
            for item in page:
                shown = {"number": item.number, "at": item.at, "kind": item.kind}
                yield json.dumps({**shown, "data": item.data}, ensure_ascii=False)
            last = page[-1].number

    def delete(self, session_id: str) -> None:
        """Delete a session with all that was said in it. Raises UserError."""
        self.get(session_id)
        with self.database.writing() as connection:
            numbers = connection.execute(
                "SELECT rowid FROM doc WHERE session = ?", (session_id,)
            ).fetchall()
            for (number,) in numbers:
                table.remove(connection, number)
            connection.execute("DELETE FROM item WHERE session = ?", (session_id,))
            connection.execute("DELETE FROM session WHERE id = ?", (session_id,))


_COLUMNS = "id, title, actor, state, created_at, updated_at, forked_from, mode"


def _session(connection: sqlite3.Connection, session_id: str) -> Session | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM session WHERE id = ?",  # noqa: S608
        (session_id.encode("utf-8", "replace").decode(),),
    ).fetchone()
    return None if row is None else Session(*row)


def _insert(connection: sqlite3.Connection, session: Session) -> None:
    connection.execute(
        f"INSERT INTO session ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            session.id, session.title, session.actor, session.state, session.created_at,
            session.updated_at, session.forked_from, session.mode,
        ),
    )  # fmt: skip


def _append(
    connection: sqlite3.Connection, session_id: str, at: str, kind: str, data: Mapping[str, object]
) -> int:
    is_compressed, body = packed(data)
    cursor = connection.execute(
        "INSERT INTO item (session, at, kind, is_compressed, data) VALUES (?, ?, ?, ?, ?)",
        (session_id, at, kind, is_compressed, body),
    )
    return cursor.lastrowid or 0


def _title(title: str) -> str:
    text = " ".join(title.split()).encode("utf-8", "backslashreplace").decode()
    return text[:_MAX_TITLE_CHARS] or "(no title)"


def _checked_id(session_id: str) -> str:
    if not looks_like_id(session_id):
        raise UserError("a session's id is letters and digits; leave it out to get a new one")
    return session_id
