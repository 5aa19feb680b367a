"""The cost part of `recall`: what each model takes to load, to keep, to ask and to feed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from milepost.search import models
from tests.bench._report import Report

# Loads a model in a process of its own and tells what that took.
_FRESH = """
import json, resource, statistics, sys, time
sys.path.insert(0, {root!r})
def rss(): return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6
from milepost.search import models
texts = json.load(sys.stdin)
before, started = rss(), time.perf_counter()
model = models.load({model!r})
found = {{"load_ms": (time.perf_counter() - started) * 1000}}
model.embed(texts[:1])
asked = []
for text in texts[:100]:
    started = time.perf_counter()
    model.embed([text[:60]])
    asked.append((time.perf_counter() - started) * 1000)
found["query_p50_ms"] = statistics.median(asked)
started = time.perf_counter()
for text in texts:
    model.embed([text])
found["texts_per_s"] = len(texts) / (time.perf_counter() - started)
found["rss_mb"] = rss() - before
print(json.dumps(found))
"""


def measure(report: Report, texts: list[str]) -> None:
    """Note the cost of each model that is installed, on `texts`."""
    for model in ("static", "semantic"):
        if models.chosen(model) != model:
            report.skipped.append(f'skipped {model}: install "milepost[{model}]"')
            continue
        root = str(Path(__file__).parents[2] / "core")
        done = subprocess.run(
            [sys.executable, "-c", _FRESH.format(root=root, model=model)],
            check=True, capture_output=True, text=True, input=json.dumps(texts),
        )  # fmt: skip
        for name, value in json.loads(done.stdout).items():
            report.median(f"{model}_{name}", [value])
