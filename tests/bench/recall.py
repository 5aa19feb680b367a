"""Whether the search room finds what is asked for, and how fast, beside four other engines.

And what the models of `milepost[static]` and `milepost[semantic]` add to it, and what they cost.

Quality on sets that no one here wrote (`../shared/data`, whose README tells where they are from)
and on our own questions over the memory of a made-up project (`recall_probe`): the share of the
relevant documents among the first five and ten, and the mean reciprocal rank of the first one.
Speed from a thousand entries to a million, in CPU time.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import _recall_models, _recall_speed, _recall_tantivy
from tests.bench._recall_engines import Doc, Engine, MilepostSemantic, engines
from tests.bench._report import Report, main

_PROBE = Path(__file__).parent / "recall_probe"
_SHARED = Path(__file__).parents[3] / "shared" / "data"
_SHARED_SETS = ("cosqa", "files_pytest", "files_sqlfluff", "locomo")

# The sentence model reads some forty pieces of code a second: more documents are for the long run.
_QUICK_DOCS = 500

# The categories of the probe set in which a question says a name, a sign or a number that stands in
# the text: here nothing may be missed.
_LITERAL_AND_CODE = ("names", "paths", "flags", "errors", "numbers")


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the ids that answer it."""

    text: str
    relevant: frozenset[str]
    category: str
    scope: str
    now: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """How well one question was answered."""

    recall5: float
    recall10: float
    mrr: float


def run(quick: bool) -> Report:
    """The whole benchmark."""
    report = Report("recall")
    shared = _shared_sets(report)
    for folder in (_PROBE, *shared):
        _compare(report, folder, quick)
    _average(report, [folder.name for folder in shared])
    _recall_models.measure(report, [doc.text for doc in _read(_PROBE)[0][""]])
    _recall_speed.measure(report, (1_000, 10_000, 100_000) + (() if quick else (1_000_000,)))
    _recall_tantivy.measure(report, 10_000 if quick else 100_000)
    return report


def _shared_sets(report: Report) -> list[Path]:
    """The sets that are there, known or not; those known and not there are told."""
    missing = [name for name in _SHARED_SETS if not (_SHARED / name / "docs.jsonl").is_file()]
    report.skipped += [f"skipped {name}: there is no {_SHARED / name}" for name in missing]
    return sorted(path.parent for path in _SHARED.glob("*/docs.jsonl"))


def _compare(report: Report, folder: Path, quick: bool) -> None:
    docs, questions = _read(folder)
    figures = report.sets[folder.name] = {}
    for engine in engines():
        if quick and engine is MilepostSemantic and sum(map(len, docs.values())) > _QUICK_DOCS:
            report.skipped.append(f"skipped {engine.name} on {folder.name}: not with --quick")
            continue
        scopes = {scope: engine(of_scope) for scope, of_scope in docs.items()}
        answered = [_answered(scopes[question.scope], question) for question in questions]
        figures[engine.name] = _means(answered)
        if folder == _PROBE:
            _by_category(report, engine.name, questions, answered)


def _read(folder: Path) -> tuple[dict[str, list[Doc]], list[Question]]:
    """The documents by scope, which is as a table each, and the questions."""
    docs: defaultdict[str, list[Doc]] = defaultdict(list)
    for line in (folder / "docs.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        docs[row.get("scope", "")].append(
            Doc(row["id"], row["text"], row.get("title", ""), row.get("ts"), row.get("session", ""))
        )
    rows = map(json.loads, (folder / "queries.jsonl").read_text("utf-8").splitlines())
    questions = [
        Question(
            row["text"], frozenset(row["rel"]), row["cat"], row.get("scope", ""), row.get("ts")
        )
        for row in rows
    ]
    return docs, questions


def _answered(engine: Engine, question: Question) -> Figures:
    found = engine.search(question.text, question.now)
    places = [place for place, id_ in enumerate(found, 1) if id_ in question.relevant]
    return Figures(
        recall5=sum(place <= 5 for place in places) / len(question.relevant),
        recall10=sum(place <= 10 for place in places) / len(question.relevant),
        mrr=1 / places[0] if places else 0.0,
    )


def _by_category(
    report: Report, engine: str, questions: Sequence[Question], answered: Sequence[Figures]
) -> None:
    """The probe set once more, the categories apart, and the part that asks by the letter."""
    of: defaultdict[str, list[Figures]] = defaultdict(list)
    for question, figures in zip(questions, answered, strict=True):
        of[f"recall_probe/{question.category}"].append(figures)
        if question.category in _LITERAL_AND_CODE:
            of["recall_probe/literal_and_code"].append(figures)
    for name, of_category in of.items():
        report.sets.setdefault(name, {})[engine] = _means(of_category)


def _average(report: Report, names: Sequence[str]) -> None:
    """The mean over the sets that no one here wrote, of every engine that was asked all of them."""
    if not names:
        return
    figures = [report.sets[name] for name in names]
    asked = [name for name in figures[0] if all(name in of_set for of_set in figures)]
    report.sets["macro"] = {
        name: {
            figure: round(sum(of_set[name][figure] for of_set in figures) / len(figures), 4)
            for figure in figures[0][name]
        }
        for name in asked
    }


def _means(answered: Sequence[Figures]) -> dict[str, float]:
    return {
        name: round(sum(getattr(one, name) for one in answered) / len(answered), 4)
        for name in ("recall5", "recall10", "mrr")
    }


if __name__ == "__main__":
    main(run)
