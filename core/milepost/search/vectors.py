"""Vectors of texts, kept beside their rows, and how near they are to a question.

A vector only moves a row among the candidates that hold the question's words: to score every row
instead found nothing more (measured), so there is no vector index, only some bytes a row. The table
can be made again at any time. Each row names the model that made it; another model's row counts as
missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

SCHEMA = """
    CREATE TABLE doc_vector (
        rowid INTEGER PRIMARY KEY, model TEXT NOT NULL, vector BLOB NOT NULL
    ) STRICT;
    CREATE TRIGGER doc_vector_gone AFTER DELETE ON doc BEGIN
        DELETE FROM doc_vector WHERE rowid = old.rowid;
    END;
"""

# So many rows are looked through at once for those without a vector.
_WINDOW_ROWS = 1_000


class Embedder(Protocol):
    """A model that makes vectors of texts. `model` names it and the form of its vectors; `weight`
    is what a cosine is worth beside the best word match; `batch` texts take about 50 ms."""

    model: str
    weight: float
    batch: int

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A row of numbers for each text."""
        ...


@dataclass(frozen=True, slots=True)
class Missing:
    """A row without a vector."""

    rowid: int
    title: str
    body: str

    @property
    def text(self) -> str:
        """What a vector is made of."""
        return f"{self.title}\n{self.body}" if self.title else self.body


def missing(
    connection: sqlite3.Connection, model: str, below: int | None
) -> tuple[list[Missing], int]:
    """The rows without a vector of `model` among the next window of rowids under `below` (None:
    among the newest), newest first, and where the window ends; 0 when no row is left."""
    if below is None:
        (newest,) = connection.execute("SELECT max(rowid) FROM doc").fetchone()
        below = int(newest or 0) + 1
    end = max(0, below - _WINDOW_ROWS)
    rows = connection.execute(
        "SELECT rowid, title, body FROM doc WHERE rowid >= ? AND rowid < ? AND NOT EXISTS "
        "(SELECT 1 FROM doc_vector WHERE doc_vector.rowid = doc.rowid AND model = ?) "
        "ORDER BY rowid DESC",
        (end, below, model),
    )
    return [Missing(*row) for row in rows], end


def keep(
    connection: sqlite3.Connection,
    model: str,
    rows: Sequence[Missing],
    vectors: NDArray[np.float32],
) -> None:
    """Keep the vectors of `rows`. A row that was changed or taken out meanwhile is passed over: its
    rowid may by now be that of another text."""
    connection.executemany(
        "INSERT OR REPLACE INTO doc_vector (rowid, model, vector) "
        "SELECT rowid, ?, ? FROM doc WHERE rowid = ? AND title = ? AND body = ?",
        (
            (model, vector, row.rowid, row.title, row.body)
            for row, vector in zip(rows, _packed(vectors), strict=True)
        ),
    )


def nearness(
    connection: sqlite3.Connection, embedder: Embedder, question: str, rowids: Sequence[int]
) -> dict[int, float]:
    """What each row gains or loses by its meaning: the weighed cosine with the question, less the
    mean of the rows. Rows without a vector are left out."""
    import numpy as np  # noqa: PLC0415  (only the extras bring numpy)

    rows = connection.execute(
        "SELECT rowid, vector FROM doc_vector WHERE model = ? "
        "AND rowid IN (SELECT value FROM json_each(?))",
        (embedder.model, json.dumps(list(rowids))),
    ).fetchall()
    if not rows:
        return {}
    joined = b"".join(vector for _, vector in rows)
    vectors = np.frombuffer(joined, np.int8).reshape(len(rows), -1).astype(np.float32)
    # A tokenizer takes no half of a surrogate pair; no row holds one either.
    asked = embedder.embed([question.encode("utf-8", "replace").decode()])[0]
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(asked)
    cosines = vectors @ asked / np.maximum(lengths, 1e-9)
    gains = embedder.weight * (cosines - cosines.mean())
    return {rowid: float(gain) for (rowid, _), gain in zip(rows, gains, strict=True)}


def _packed(vectors: NDArray[np.float32]) -> list[bytes]:
    """Each vector in one byte a number, which moves a cosine by less than a hundredth."""
    import numpy as np  # noqa: PLC0415  (see above)

    largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    return [row.tobytes() for row in np.rint(vectors * (127 / largest)).astype(np.int8)]
