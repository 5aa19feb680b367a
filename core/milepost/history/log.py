"""The log of a project: every tool call, editor command and CLI command, append-only.

Requests and replies are kept whole up to a bound; a lean full-text index covers what people ask
for: the action, the request, and the reply when it failed. Bulk output is kept but not indexed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.base.clock import unix_time, utc_now
from milepost.base.sqlite import Database
from milepost.search import table, vectors
from milepost.search.ranking import WORK

if TYPE_CHECKING:
    from pathlib import Path

    from milepost.search.embedding import Embedding

_MIGRATIONS = (
    table.SCHEMA
    + """
    CREATE TABLE event (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL, session TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
        request TEXT NOT NULL, reply TEXT NOT NULL, failed INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX event_session ON event (session);
    """,
    vectors.SCHEMA,
)

_COLUMNS = "id, at, session, actor, action, request, reply, failed"

# Larger than any reply the servers send; a request as large is a file, and lies in the project.
MAX_BODY_CHARS = 64_000


@dataclass(frozen=True, slots=True)
class Event:
    """One action: who asked for what in which session, and what came of it."""

    id: int
    at: str
    session: str
    actor: str
    action: str
    request: str
    reply: str
    failed: bool


class HistoryLog:
    """The events of one project."""

    def __init__(self, folder: Path, embedding: Embedding | None = None) -> None:
        self.database = Database(
            folder / "history.db",
            _MIGRATIONS,
            durability="NORMAL",
            loss="The history up to now is in that file only; memory and restore points are whole.",
        )
        self._counts = table.TermCounts()
        self._embedding = embedding
        if embedding is not None:
            embedding.serve(self.database)

    def record(
        self, *, session: str, actor: str, action: str, request: str, reply: str, failed: bool
    ) -> None:
        """Append an event. A kill right after loses nothing, a power cut perhaps the last ones."""
        request, reply = _bounded(request), _bounded(reply)
        at = utc_now()
        with self.database.writing() as connection:
            cursor = connection.execute(
                "INSERT INTO event (at, session, actor, action, request, reply, failed) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (at, session, actor, action, request, reply, failed),
            )
            event_id = cursor.lastrowid or 0
            words = f"{request} {reply}" if failed else request
            table.put(
                connection, event_id, table.Text(action, words, unix_time(at), session, event_id)
            )
        if self._embedding is not None:
            self._embedding.wake()

    def search(self, question: str, limit: int) -> list[Event]:
        """The events that answer `question`, best first; for no question the newest."""
        with self.database.reading() as connection:
            if question.strip():
                embedder = self._embedding and self._embedding.embedder()
                ranked = table.search(connection, question, WORK, self._counts, embedder=embedder)[
                    :limit
                ]
                rows = [
                    connection.execute(
                        f"SELECT {_COLUMNS} FROM event WHERE id = ?",  # noqa: S608
                        (rowid,),
                    ).fetchone()
                    for rowid, _ in ranked
                ]
            else:
                rows = connection.execute(
                    f"SELECT {_COLUMNS} FROM event ORDER BY id DESC LIMIT ?",  # noqa: S608
                    (limit,),
                ).fetchall()
        return [Event(*row[:7], failed=bool(row[7])) for row in rows]

    def count(self) -> int:
        """How many events there are."""
        with self.database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def _bounded(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
    if len(text) <= MAX_BODY_CHARS:
        return text
    return f"{text[:MAX_BODY_CHARS]}... ({len(text) - MAX_BODY_CHARS} characters more)"
