"""How far the offline estimate of tokens is from o200k, by kind of text, and how fast it is.

The texts are those of the tests and, where they are there, the shared sets of recall.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from milepost.base.tokens import estimate
from tests.bench._report import Report, main

_TEXTS = Path(__file__).parents[1] / "core" / "token_texts.json"
_SHARED = Path(__file__).parents[3] / "shared" / "data"
_SHARED_KINDS = {"locomo": "dialogue", "cosqa": "code", "files_sqlfluff": "docs"}

# What the design promises.
_TARGET = 0.1


def run(quick: bool) -> Report:
    """The whole benchmark."""
    report = Report("tokens")
    texts = {kind: [text["text"]] for kind, text in json.loads(_TEXTS.read_text("utf-8")).items()}
    for name, kind in _SHARED_KINDS.items():
        docs = _SHARED / name / "docs.jsonl"
        if docs.exists():
            lines = docs.read_text("utf-8").split("\n")[: 500 if quick else None]
            texts[f"{name} ({kind})"] = [json.loads(line)["text"] for line in lines if line]
        else:
            report.skipped.append(f"{name} is not there; skipped")
    try:
        from rs_bpe.bpe import openai  # noqa: PLC0415  (in the bench group only)
    except ImportError:
        report.skipped.append("rs-bpe is not installed, so there is nothing to compare with")
        return report
    exact = openai.o200k_base()
    for kind, some in texts.items():
        started = time.process_time()
        estimated = sum(map(estimate, some))
        took = time.process_time() - started
        counted = sum(map(exact.count, some))
        report.ratio(f"error of {kind}", abs(estimated / counted - 1), _TARGET)
        if len(some) > 1:
            report.median(f"{kind} Mchar/s", [sum(map(len, some)) / took / 1e6])
    return report


if __name__ == "__main__":
    main(run)
