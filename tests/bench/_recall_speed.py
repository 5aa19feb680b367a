"""The speed part of `recall`: saving, searching, building and opening at growing sizes.

Entries are drawn from a vocabulary whose n-th word is n times rarer than the first, as in any
natural text; without the very common and the very rare words, every engine is fast.
"""

from __future__ import annotations

import itertools
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from milepost.base.sqlite import Database
from milepost.search import table
from milepost.search.ranking import FACTS
from tests.bench._report import Report

_STOP_WORDS = [
    "the",
    "of",
    "and",
    "to",
    "a",
    "in",
    "is",
    "it",
    "that",
    "for",
    "was",
    "on",
    "with",
    "as",
    "be",
    "at",
    "by",
    "this",
    "had",
    "not",
    "are",
]
_VOCABULARY = 60_000
_MEAN_WORDS = 35
_ROUNDS = 200

# Opens a table, asks it once, and tells its CPU in ms and its growth in MB; what the interpreter
# had done before is not counted.
_FRESH = """
import sys, time, resource
sys.path.insert(0, {root!r})
def rss(): return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6
import sqlite3, pathlib
before, memory = time.process_time(), rss()
from milepost.base.sqlite import Database
from milepost.search import table
from milepost.search.ranking import FACTS
database = Database(pathlib.Path({path!r}), (table.SCHEMA,), durability="NORMAL", loss="")
with database.reading() as connection:
    assert table.search(connection, {question!r}, FACTS, table.TermCounts())
print((time.process_time() - before) * 1000, rss() - memory)
"""


def measure(report: Report, sizes: tuple[int, ...]) -> None:
    """Note the CPU of each action at each size, and what growing costs a search."""
    p95: dict[int, float] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            p95[size] = _at(report, Path(folder) / "index.db", size)
    report.ratio("search_p95_100k_over_1k", p95[100_000] / p95[1_000], 20)


def _at(report: Report, path: Path, size: int) -> float:
    name = f"{size // 1_000}k"
    database = Database(path, (table.SCHEMA,), durability="NORMAL", loss="")
    texts = Texts(seed=size)
    known = sorted(random.Random(3).sample(range(size), _ROUNDS))
    questions: list[str] = []
    started = time.process_time()
    drawing = 0.0
    with database.writing() as connection:
        for number in range(size):
            before = time.process_time()
            text = texts.draw()
            if number == known[len(questions)] if len(questions) < _ROUNDS else False:
                questions.append(texts.question(text))
            drawing += time.process_time() - before
            table.put(connection, None, table.Text("", text))
    building = time.process_time() - started - drawing
    report.median(f"build_{name}_docs_per_cpu_s", [size / building])
    _note(report, f"save_{name}", _saving(database, texts))
    searching, found = _searching(database, questions, known)
    _note(report, f"search_{name}", searching)
    report.median(f"search_{name}_found_in_ten", [found])
    misspelt = [texts.misspelt(question) for question in questions]
    _note(report, f"search_misspelt_{name}", _searching(database, misspelt, known)[0])
    database.close()
    cpu, memory = zip(*(_fresh(path, question) for question in questions[:5]), strict=True)
    report.median(f"open_and_ask_{name}_cpu_ms", cpu)
    report.median(f"open_and_ask_{name}_mb", memory)
    return report.medians[f"search_{name}_p95_cpu_ms"]


class Texts:
    """Entries and questions, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        syllables = [
            a + b for a in "bcdfghklmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "en")
        ]
        names = random.Random(1)
        words = [
            "".join(names.choices(syllables, k=2 + names.randrange(3))) for _ in range(_VOCABULARY)
        ]
        self._words = _STOP_WORDS + words
        self._weights = list(
            itertools.accumulate(1 / (rank + 2.7) for rank in range(len(self._words)))
        )

    def draw(self) -> str:
        """An entry of some 35 words."""
        count = max(6, round(self._random.expovariate(1 / _MEAN_WORDS)))
        return " ".join(self._random.choices(self._words, cum_weights=self._weights, k=count))

    def question(self, text: str) -> str:
        """Five of an entry's words, and three stop words."""
        content = [word for word in text.split() if word not in _STOP_WORDS] or text.split()
        return " ".join(
            [*self._random.choices(content, k=5), *self._random.choices(_STOP_WORDS, k=3)]
        )

    def misspelt(self, question: str) -> str:
        """The question with two letters exchanged in its longest word."""
        word = max(question.split(), key=len)
        at = len(word) // 2
        return question.replace(word, word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :])


def _saving(database: Database, texts: Texts) -> Iterator[float]:
    for _ in range(_ROUNDS):
        text = texts.draw()
        started = time.process_time()
        with database.writing() as connection:
            table.put(connection, None, table.Text("", text))
        yield (time.process_time() - started) * 1000


def _searching(
    database: Database, questions: list[str], known: list[int]
) -> tuple[list[float], float]:
    """The milliseconds of each search, and the share of entries that came among the first ten."""
    counts = table.TermCounts()
    times: list[float] = []
    found = 0
    with database.reading() as connection:
        for question, number in zip(questions, known, strict=True):
            started = time.process_time()
            ranked = table.search(connection, question, FACTS, counts)
            times.append((time.process_time() - started) * 1000)
            found += number + 1 in [rowid for rowid, _ in ranked[:10]]
    return times, found / len(questions)


def _note(report: Report, name: str, samples: Iterator[float] | list[float]) -> None:
    samples = list(samples)
    report.median(f"{name}_p50_cpu_ms", samples)
    report.median(f"{name}_p95_cpu_ms", [statistics.quantiles(samples, n=20)[-1]])


def _fresh(path: Path, question: str) -> tuple[float, float]:
    root = str(Path(__file__).parents[2] / "core")
    script = _FRESH.format(root=root, path=str(path), question=question)
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    cpu, memory = done.stdout.split()
    return float(cpu), float(memory)
