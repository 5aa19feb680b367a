"""What requests to models took: in the sessions of a project, where it stands beside what was said,
and outside of them, such as for a judge, where it has a table of its own that only grows.
"""

from __future__ import annotations

import heapq
import json
from operator import attrgetter
from typing import TYPE_CHECKING

from milepost.base.clock import utc_now
from milepost.history.item import Item, item_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from milepost.base.sqlite import Database

SCHEMA = """
    CREATE TABLE taken (
        number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, actor TEXT NOT NULL,
        model TEXT NOT NULL, usage TEXT NOT NULL, cost_usd REAL
    ) STRICT;
"""


class Taken:
    """What was taken in one project."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, actor: str, model: str, usage: Mapping[str, object], cost_usd: float | None
    ) -> None:
        """Enter what a request took that belongs to no session."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO taken (at, actor, model, usage, cost_usd) VALUES (?, ?, ?, ?, ?)",
                (utc_now(), actor, model, json.dumps(usage), cost_usd),
            )

    def all(self) -> Iterator[Item]:
        """All that tells what requests took, in the order of time: replies, what others than the
        worker asked a model for, and what belongs to no session, whose session has no name. What a
        fork copied is its origin's."""
        return heapq.merge(self._in_sessions(), self._outside(), key=attrgetter("at"))

    def _in_sessions(self) -> Iterator[Item]:
        last = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(
                    "SELECT item.number, item.session, item.at, item.kind, is_compressed, data "
                    "FROM item JOIN session ON session.id = item.session WHERE item.number > ? "
                    "AND item.kind IN ('assistant', 'took') "
                    "AND (forked_from IS NULL OR item.at >= created_at) "
                    "ORDER BY item.number LIMIT 200",
                    (last,),
                ).fetchall()
            if not rows:
                return
            yield from map(item_of, rows)
            last = rows[-1][0]

    def _outside(self) -> Iterator[Item]:
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT number, at, actor, model, usage, cost_usd FROM taken ORDER BY number"
            ).fetchall()
        for number, at, actor, model, usage, cost_usd in rows:
            data = {"actor": actor, "model": model, "usage": json.loads(usage)}
            yield Item(number, "", at, "took", {**data, "cost_usd": cost_usd})
