"""What tantivy would cost and bring in FTS5's place, behind the seam of `search/engine.py`.

It is given the terms that FTS5 makes, and hands out as many candidates; nothing is ranked on its
side. A save is measured until a search can find the entry, which takes a commit. See decision 0017.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import tantivy

from milepost.search import table
from milepost.search.ranking import FACTS
from milepost.search.terms import stems_of_each, terms, tokens
from tests.bench._recall_speed import Texts
from tests.bench._report import Report

_CANDIDATES = 150
_QUESTIONS = 200
_SAVES = 40
_HEAP_BYTES = 100_000_000


def measure(report: Report, size: int) -> None:
    """Search and save of both, on the same entries and questions."""
    texts = Texts(seed=size)
    known = set(random.Random(3).sample(range(size), _QUESTIONS))
    with tempfile.TemporaryDirectory() as folder, closing(_table(Path(folder))) as connection:
        index, writer = _index(Path(folder))
        questions: list[str] = []
        connection.execute("BEGIN")
        filling = table.Filling(connection)
        for number in range(size):
            text = texts.draw()
            if number in known:
                questions.append(texts.question(text))
            filling.put(table.Text("", text))
            _add(writer, number + 1, text)
        filling.finish()
        connection.execute("COMMIT")
        writer.commit()
        index.reload()
        searcher, counts = index.searcher(), table.TermCounts()

        def by_tantivy(question: str) -> object:
            stems = {stem for each in stems_of_each(terms(question)) for stem in each}
            asked = [
                (tantivy.Occur.Should, tantivy.Query.term_query(index.schema, "body", stem))
                for stem in stems
            ]
            found = searcher.search(tantivy.Query.boolean_query(asked), _CANDIDATES)
            return [searcher.doc(place)["row"][0] for _, place in found.hits]

        def by_fts5(question: str) -> object:
            return table.search(connection, question, FACTS, counts)

        def save_tantivy(text: str) -> object:
            _add(writer, size + 1, text)
            writer.commit()
            index.reload()
            return index.searcher()

        def save_fts5(text: str) -> object:
            connection.execute("BEGIN IMMEDIATE")
            table.put(connection, None, table.Text("", text))
            return connection.execute("COMMIT")

        name = f"{size // 1_000}k"
        saved = [texts.draw() for _ in range(_SAVES)]
        _note(report, f"tantivy_search_{name}", by_tantivy, questions)
        _note(report, f"fts5_search_{name}", by_fts5, questions)
        _note(report, f"tantivy_save_{name}", save_tantivy, saved)
        _note(report, f"fts5_save_{name}", save_fts5, saved)
        writer.wait_merging_threads()


def _table(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "fts5.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.executescript(table.SCHEMA)
    return connection


def _index(folder: Path) -> tuple[tantivy.Index, tantivy.IndexWriter]:
    schema = tantivy.SchemaBuilder()
    schema.add_integer_field("row", stored=True)
    schema.add_text_field("body", tokenizer_name="whitespace")
    index = tantivy.Index(schema.build(), path=str(folder))
    return index, index.writer(heap_size=_HEAP_BYTES, num_threads=1)


def _add(writer: tantivy.IndexWriter, row: int, text: str) -> None:
    writer.add_document(tantivy.Document(row=row, body=" ".join(tokens(text))))


def _note(report: Report, name: str, act: Callable[[str], object], texts: list[str]) -> None:
    samples: list[float] = []
    for text in texts:
        started = time.process_time()
        act(text)
        samples.append((time.process_time() - started) * 1000)
    report.median(f"{name}_p50_cpu_ms", samples)
    report.median(f"{name}_p95_cpu_ms", [statistics.quantiles(samples, n=20)[-1]])
