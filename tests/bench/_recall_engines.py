"""The search engines that `recall` compares: each is built over documents and answers with ids.

All get the same documents. What differs is what this benchmark is about: how the text is cut into
terms, what is asked of the terms, and what decides the order.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import bm25s
import tantivy

from milepost.search import models, table, vectors
from milepost.search.ranking import FACTS, WORK
from milepost.search.terms import stems

_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a about am an and any are as at be been but by can could did do does doing for from had "
        "has have how i if in into is it its me my of on or our shall should so some such than "
        "that the their them then there these they this those to us was we were what when where "
        "which who whom why will with would you your",
    )
)
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")

# How deep an answer is read: recall is judged at 5 and 10, the reciprocal rank in all of it.
DEPTH = 100


@dataclass(frozen=True, slots=True)
class Doc:
    """What is to be found."""

    id: str
    text: str
    title: str = ""
    ts: float | None = None
    session: str = ""


class Engine(Protocol):
    """Documents, searchable; `now` is the moment of the question, where the set knows it."""

    name: ClassVar[str]

    def __init__(self, docs: Sequence[Doc]) -> None: ...

    def search(self, question: str, now: float | None) -> list[str]:
        """The ids, best first."""
        ...


class Milepost:
    """Our search room as the product uses it: as the history where the documents are a record with
    sessions or times, as the memory otherwise."""

    name = "milepost"
    model: ClassVar[models.Model | None] = None

    def __init__(self, docs: Sequence[Doc]) -> None:
        self._ids = [doc.id for doc in docs]
        self._profile = WORK if any(doc.session or doc.ts for doc in docs) else FACTS
        self._counts = table.TermCounts()
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.executescript(table.SCHEMA)
        places: defaultdict[str, int] = defaultdict(int)
        for doc in docs:
            places[doc.session] += 1
            text = table.Text(doc.title, doc.text, doc.ts, doc.session, places[doc.session])
            table.put(self._connection, None, text)
        self._embedder = None if self.model is None else models.load(self.model)
        if self._embedder is not None:
            self._connection.executescript(vectors.SCHEMA)
            embed_all(self._connection, self._embedder)

    def search(self, question: str, now: float | None) -> list[str]:
        ranked = table.search(
            self._connection, question, self._profile, self._counts,
            now=now, embedder=self._embedder,
        )  # fmt: skip
        return [self._ids[rowid - 1] for rowid, _ in ranked[:DEPTH]]


class MilepostStatic(Milepost):
    """The same with the vectors of `milepost[static]`."""

    name = "milepost+static"
    model = "static"


class MilepostSemantic(Milepost):
    """The same with the vectors of `milepost[semantic]`."""

    name = "milepost+semantic"
    model = "semantic"


class MimoCode:
    """FTS5 as MiMo Code asks it: unicode61 and any of the question's words, stop words and all. Its
    rows are whole files; here it gets a document as a row, which is kinder to it."""

    name = "mimo"

    def __init__(self, docs: Sequence[Doc]) -> None:
        self._ids = [doc.id for doc in docs]
        self._connection = sqlite3.connect(":memory:")
        self._connection.execute("CREATE VIRTUAL TABLE file USING fts5(x, tokenize='unicode61')")
        self._connection.executemany(
            "INSERT INTO file VALUES (?)", ((f"{doc.title}\n{doc.text}",) for doc in docs)
        )

    def search(self, question: str, now: float | None) -> list[str]:
        return _matching(self._connection, self._ids, re.findall(r"\w+", question))


class PorterFts5:
    """FTS5 with what its documentation offers: porter, stop words out, the parts of camelCase names
    in a column, bm25 as it is."""

    name = "fts5"

    def __init__(self, docs: Sequence[Doc]) -> None:
        self._ids = [doc.id for doc in docs]
        self._connection = sqlite3.connect(":memory:")
        self._connection.execute(
            "CREATE VIRTUAL TABLE file USING fts5(title, body, parts, tokenize='porter unicode61')"
        )
        self._connection.executemany(
            "INSERT INTO file VALUES (?, ?, ?)",
            ((doc.title, doc.text, _parts(_whole(doc))) for doc in docs),
        )

    def search(self, question: str, now: float | None) -> list[str]:
        return _matching(self._connection, self._ids, _terms(question))


class Tantivy:
    """tantivy's BM25 over the terms of `fts5`."""

    name = "tantivy"

    def __init__(self, docs: Sequence[Doc]) -> None:
        self._ids = [doc.id for doc in docs]
        schema = tantivy.SchemaBuilder()
        schema.add_integer_field("row", stored=True)
        schema.add_text_field("body", tokenizer_name="whitespace")
        self._folder = tempfile.TemporaryDirectory()
        self._index = tantivy.Index(schema.build(), path=self._folder.name)
        writer = self._index.writer(heap_size=50_000_000, num_threads=1)
        for row, doc in enumerate(docs):
            writer.add_document(tantivy.Document(row=row, body=" ".join(_stemmed(_whole(doc)))))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()
        self._schema = self._index.schema

    def search(self, question: str, now: float | None) -> list[str]:
        asked = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "body", stem))
            for stem in dict.fromkeys(_asked(question))
        ]
        found = self._searcher.search(tantivy.Query.boolean_query(asked), DEPTH)
        return [self._ids[self._searcher.doc(place)["row"][0]] for _, place in found.hits]


class Bm25s:
    """bm25s over the terms of `fts5`."""

    name = "bm25s"

    def __init__(self, docs: Sequence[Doc]) -> None:
        self._ids = [doc.id for doc in docs]
        self._index = bm25s.BM25()
        corpus = [_stemmed(_whole(doc)) for doc in docs]
        self._index.index(corpus, show_progress=False)

    def search(self, question: str, now: float | None) -> list[str]:
        asked = list(dict.fromkeys(_asked(question)))
        if not asked:
            return []
        rows, scores = self._index.retrieve(
            [asked], k=min(DEPTH, len(self._ids)), show_progress=False
        )
        return [self._ids[row] for row, score in zip(rows[0], scores[0], strict=True) if score > 0]


_LEXICAL: tuple[type[Engine], ...] = (Milepost, MimoCode, PorterFts5, Tantivy, Bm25s)


def engines() -> tuple[type[Engine], ...]:
    """Those of which everything is installed."""
    with_model = (MilepostStatic, MilepostSemantic)
    return (*_LEXICAL, *(one for one in with_model if models.chosen(one.model) == one.model))


def embed_all(connection: sqlite3.Connection, embedder: vectors.Embedder) -> None:
    """Give every row its vector, as the product does in the background."""
    below: int | None = None
    while below != 0:
        rows, below = vectors.missing(connection, embedder.model, below)
        if rows:
            made = embedder.embed([row.text for row in rows])
            vectors.keep(connection, embedder.model, rows, made)


def _matching(connection: sqlite3.Connection, ids: list[str], words: Sequence[str]) -> list[str]:
    if not words:
        return []
    rows = connection.execute(
        f"SELECT rowid FROM file WHERE file MATCH ? ORDER BY rank LIMIT {DEPTH}",
        (" OR ".join(f'"{word}"' for word in words),),
    )
    return [ids[rowid - 1] for (rowid,) in rows]


def _whole(doc: Doc) -> str:
    return f"{doc.title}\n{doc.text}" if doc.title else doc.text


def _stemmed(text: str) -> list[str]:
    words = f"{text} {_parts(text)}".split()
    return [stem for word in words for stem in stems(word)]


def _asked(question: str) -> list[str]:
    return [stem for term in _terms(question) for stem in stems(term)]


def _terms(question: str) -> list[str]:
    words = re.findall(r"\w+", question)
    content = [word for word in words if word.lower() not in _STOP_WORDS] or words
    found = (term for word in content for term in (word.lower(), *_parts(word).split()))
    return list(dict.fromkeys(found))


def _parts(text: str) -> str:
    """The parts of compound names, each once."""
    found: dict[str, None] = {}
    for word in re.findall(r"\w+", text):
        parts = _PART.findall(word)
        if len(parts) > 1:
            found.update((part.lower(), None) for part in parts)
    return " ".join(found)
