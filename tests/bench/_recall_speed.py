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

from milepost.memory.store import MemoryStore
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

# So many of the entries stand in a section before the last one.
_RULES_EVERY = 50

# A change in the middle writes the whole file; of large ones, a few are enough.
_REWRITES, _FEW_REWRITES = 100, 20
_LARGE = 100_000

# Opens a memory, asks it once, and tells its CPU in ms and its growth in MB; what the interpreter
# had done before is not counted.
_FRESH = """
import sys, time, resource
sys.path.insert(0, {root!r})
def rss(): return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6
import sqlite3, pathlib
before, memory = time.process_time(), rss()
from milepost.memory.store import MemoryStore
store = MemoryStore(pathlib.Path({folder!r}), "project", "x")
assert store.search({question!r}, kind=None, include_superseded=False)
print((time.process_time() - before) * 1000, rss() - memory)
"""


def measure(report: Report, sizes: tuple[int, ...]) -> None:
    """Note the CPU of each action at each size, and what growing costs a search and a save."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            _at(report, Path(folder), size)
    for name, target in (("search", 20), ("save", 2), ("save_rule", 2)):
        for size in sizes:
            if size >= _LARGE:
                shown = "1m" if size == 1_000_000 else f"{size // 1_000}k"
                report.ratio(f"{name}_p95_{shown}_over_1k", _grown(report, name, size), target)
    # Whoever changes the middle of a file writes it whole; this says what that costs.
    report.median("forget_p95_growth", [_grown(report, "forget", max(sizes))])


def _grown(report: Report, name: str, size: int) -> float:
    """The p95 at this size over that at the smallest."""
    p95 = report.medians[f"{name}_{size // 1_000}k_p95_cpu_ms"]
    return p95 / report.medians[f"{name}_1k_p95_cpu_ms"]


def _at(report: Report, folder: Path, size: int) -> None:
    name = f"{size // 1_000}k"
    texts = Texts(seed=size)
    known = sorted(random.Random(3).sample(range(size), _ROUNDS))
    questions = _written(folder / "MEMORY.md", texts, size, set(known))
    store = MemoryStore(folder, "project", "x")
    started = time.process_time()
    store.refresh()
    report.median(f"build_{name}_docs_per_cpu_s", [size / (time.process_time() - started)])
    # What was built holds the whole file; a save and a search should not need that.
    store = MemoryStore(folder, "project", "x")
    _note(report, f"save_{name}", _saving(store, texts, "knowledge", _ROUNDS))
    _note(report, f"save_rule_{name}", _saving_in_turns(store, texts))
    searching, found = _searching(store, questions, known)
    _note(report, f"search_{name}", searching)
    report.median(f"search_{name}_found_in_ten", [found])
    misspelt = [texts.misspelt(question) for question in questions]
    _note(report, f"search_misspelt_{name}", _searching(store, misspelt, known)[0])
    rewrites = _FEW_REWRITES if size >= _LARGE else _REWRITES
    _note(report, f"forget_{name}", _forgetting(store, known[:rewrites]))
    cpu, memory = zip(*(_fresh(folder, question) for question in questions[-5:]), strict=True)
    report.median(f"open_and_ask_{name}_cpu_ms", cpu)
    report.median(f"open_and_ask_{name}_mb", memory)


def _written(path: Path, texts: Texts, size: int, known: set[int]) -> list[str]:
    """Write a memory file of so many entries; the questions for those that are `known`."""
    questions: list[str] = []
    rules = size // _RULES_EVERY
    with path.open("w", encoding="utf-8") as file:
        file.write("# Memory\n\n## Rules\n\n")
        for number in range(size):
            if number == rules:
                file.write("\n## Discovered knowledge\n\n")
            text = texts.draw()
            file.write(f"- {text} <!-- milepost id={_id(number)} status=stated -->\n")
            if number in known:
                questions.append(texts.question(text))
    return questions


def _id(number: int) -> str:
    return f"n{number:07d}"


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


def _saving(store: MemoryStore, texts: Texts, kind: str, rounds: int) -> Iterator[float]:
    """The milliseconds of each save, with the look for near-duplicates that a client's save has."""
    for _ in range(rounds):
        text = texts.draw()
        started = time.process_time()
        store.add_compared(text, kind, "stated", "bench", ())
        yield (time.process_time() - started) * 1000


def _saving_in_turns(store: MemoryStore, texts: Texts) -> Iterator[float]:
    """The milliseconds of saves into a section before the last one, where the last was written to
    just before."""
    for _ in range(_ROUNDS // 2):
        yield from _saving(store, texts, "rule", 1)
        store.add(texts.draw(), "knowledge", "stated", "bench", ())


def _forgetting(store: MemoryStore, known: list[int]) -> Iterator[float]:
    for number in known:
        started = time.process_time()
        store.forget(_id(number), "bench")
        yield (time.process_time() - started) * 1000


def _searching(
    store: MemoryStore, questions: list[str], known: list[int]
) -> tuple[list[float], float]:
    """The milliseconds of each search, and the share of entries that came among the first ten."""
    times: list[float] = []
    found = 0
    for question, number in zip(questions, known, strict=True):
        started = time.process_time()
        ranked = store.search(question, kind=None, include_superseded=False)
        times.append((time.process_time() - started) * 1000)
        found += _id(number) in [entry.id for _, entry in ranked[:10]]
    return times, found / len(questions)


def _note(report: Report, name: str, samples: Iterator[float] | list[float]) -> None:
    samples = list(samples)
    report.median(f"{name}_p50_cpu_ms", samples)
    report.median(f"{name}_p95_cpu_ms", [statistics.quantiles(samples, n=20)[-1]])


def _fresh(folder: Path, question: str) -> tuple[float, float]:
    root = str(Path(__file__).parents[2] / "core")
    script = _FRESH.format(root=root, folder=str(folder), question=question)
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    cpu, memory = done.stdout.split()
    return float(cpu), float(memory)
