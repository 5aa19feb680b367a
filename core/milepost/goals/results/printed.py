"""The counts in what a runner printed, for runners that can be asked for nothing better.

Whatever the project's code prints stands in the same stream, so these readers are strict: where one
run prints one summary, two of them mean that one may be forged, and the counts are unclear. Runners
that print a summary for each part (cargo, Maven, tox) are added up.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeVar, cast

from milepost.goals.results.counts import Counts
from milepost.goals.results.reports import Unclear

if TYPE_CHECKING:
    from collections.abc import Callable

_Found = TypeVar("_Found")

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

# "3 passed", "2 skipped" and the like, as most runners list them.
_PART = re.compile(r"(\d{1,9}) ([a-z]+)")

_WORDS = {
    "passed": "passed", "passing": "passed", "pass": "passed",
    "failed": "failed", "failing": "failed", "fail": "failed", "error": "failed",
    "errors": "failed", "cancelled": "failed",
    "skipped": "skipped", "pending": "skipped", "ignored": "skipped", "todo": "skipped",
    "xfailed": "xfailed", "deselected": "deselected", "xpassed": "passed",
}  # fmt: skip


def read_printed(runner: str, output: bytes) -> Counts:
    """The counts in the output of `runner`. Raises Unclear when there are none, or two."""
    reader = _READERS.get(runner)
    if reader is None:
        raise Unclear(f"nobody knows how {runner} prints its results")
    return reader(_ANSI.sub("", output.decode("utf-8", "replace")).replace("\r\n", "\n"))


def _unittest(text: str) -> Counts:
    """Source: unittest.runner.TextTestRunner.run."""
    found = re.findall(
        r"^Ran (\d{1,9}) tests? in [\d.]+s\n\n?^(?:OK|FAILED|NO TESTS RAN)(?: \(([^)\n]*)\))?$",
        text,
        re.MULTILINE,
    )
    ran, details = _only(found)
    named = {name: int(number) for name, number in re.findall(r"([a-z][a-z ]*)=(\d{1,9})", details)}
    bad = ("failures", "errors", "unexpected successes")
    failed = sum(named.get(name, 0) for name in bad)
    skipped, expected = named.get("skipped", 0), named.get("expected failures", 0)
    return Counts(max(0, int(ran) - failed - skipped - expected), failed, skipped, expected)


def _pytest(text: str) -> Counts:
    return _listed(_only(_pytest_summaries(text)))


def _several_pytests(text: str) -> Counts:
    """tox and nox run pytest once for each environment."""
    return sum(map(_listed, _some(_pytest_summaries(text))), Counts())


def _pytest_summaries(text: str) -> list[str]:
    """Source: _pytest.terminal, the last line with and without -q."""
    pattern = r"^=* ?((?:no tests ran|\d{1,9} [a-z]+(?:, \d{1,9} [a-z]+)*)) in [\d.]+s.*$"
    return re.findall(pattern, text, re.MULTILINE)


def _node(text: str) -> Counts:
    """Source: node's TAP and spec reporters, whose last lines agree but for the sign."""
    found = re.findall(
        r"^(?:#|ℹ) (tests|pass|fail|cancelled|skipped|todo) (\d{1,9})$",  # noqa: RUF001
        text,
        re.MULTILINE,
    )
    numbers = {name: int(number) for name, number in found}
    if not found:
        raise Unclear("the output holds no summary of tests")
    if len(found) != len(numbers) or not {"tests", "pass", "fail"} <= numbers.keys():
        raise Unclear("the output holds more than one summary of tests")
    return Counts(
        numbers["pass"],
        numbers["fail"] + numbers.get("cancelled", 0),
        numbers.get("skipped", 0) + numbers.get("todo", 0),
    )


def _jest(text: str) -> Counts:
    return _listed(_only(re.findall(r"^Tests: +(.*), \d{1,9} total$", text, re.MULTILINE)))


def _vitest(text: str) -> Counts:
    pattern = r"^ *Tests +(.*?)(?: *\(\d{1,9}\))?$"
    return _listed(_only(re.findall(pattern, text, re.MULTILINE)))


def _mocha(text: str) -> Counts:
    found = re.findall(r"^ +(\d{1,9} (?:passing|failing|pending))\b", text, re.MULTILINE)
    words = [part.split()[1] for part in found]
    if "passing" not in words:
        raise Unclear("the output holds no summary of tests")
    if len(set(words)) != len(words):
        raise Unclear("the output holds more than one summary of tests")
    return _listed(", ".join(found))


def _cargo(text: str) -> Counts:
    """Source: libtest's last line of each test binary, and nextest's of all."""
    nextest = re.findall(
        r"^ *Summary \[.*?\] +\d{1,9} tests? run: (.*)$", text, re.MULTILINE
    )  # fmt: skip
    if nextest:
        return _listed(_only(nextest))
    found = re.findall(
        r"^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; "
        r"\d+ measured; (\d+) filtered out",
        text,
        re.MULTILINE,
    )
    rows = (tuple(map(int, row)) for row in _some(found))
    return sum((Counts(row[0], row[1], row[2], 0, row[3]) for row in rows), Counts())


def _go(text: str) -> Counts:
    """Source: `go doc test2json`; and `go test -v`, whose results begin a line."""
    ended: list[str] = []
    failed_packages = 0
    for line in text.splitlines():
        if line.startswith("{"):
            event = _event(line)
            if event.get("Test"):
                ended.append(str(event.get("Action")))
            elif event.get("Action") == "fail":
                failed_packages += 1
        elif match := re.match(r"--- (PASS|FAIL|SKIP): ", line):
            ended.append(match[1].lower())
    counts = Counts(ended.count("pass"), ended.count("fail"), ended.count("skip"))
    if not counts.collected and not failed_packages:
        raise Unclear("the output holds no results of tests")
    # A package that does not compile fails without a test that does.
    return counts if counts.failed else counts + Counts(failed=failed_packages)


def _maven(text: str) -> Counts:
    """Source: Surefire's totals; the lines of single classes end with the time that they took."""
    found = re.findall(
        r"^(?:\[\w+\] )?Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)$",
        text,
        re.MULTILINE,
    )
    total = Counts()
    for row in _some(found):
        run, failures, errors, skipped = map(int, row)
        failed = failures + errors
        total += Counts(max(0, run - failed - skipped), failed, skipped)
    return total


def _ctest(text: str) -> Counts:
    pattern = r"^\d{1,3}% tests passed, (\d{1,9}) tests? failed out of (\d{1,9})$"
    failed, total = map(int, _only(re.findall(pattern, text, re.MULTILINE)))
    # Disabled tests are not in the total, skipped ones are.
    skipped, disabled = (
        len(re.findall(rf"^\s+\d+ - .* \({word}\)$", text, re.MULTILINE))
        for word in ("Skipped", "Disabled")
    )
    return Counts(max(0, total - failed - skipped), failed, skipped + disabled)


def _listed(parts: str) -> Counts:
    """The counts in a list such as `1 failed, 2 passed`."""
    totals: dict[str, int] = {}
    for number, word in _PART.findall(parts):
        if word in _WORDS:
            totals[_WORDS[word]] = totals.get(_WORDS[word], 0) + int(number)
    return Counts(**totals)


def _event(line: str) -> dict[str, object]:
    try:
        event: object = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", event) if isinstance(event, dict) else {}


def _only(found: list[_Found]) -> _Found:
    if len(found) > 1:
        raise Unclear("the output holds more than one summary of tests; run one suite a check")
    return _some(found)[0]


def _some(found: list[_Found]) -> list[_Found]:
    if not found:
        raise Unclear("the output holds no summary of tests")
    return found


_READERS: dict[str, Callable[[str], Counts]] = {
    "pytest": _pytest,
    "unittest": _unittest,
    "tox": _several_pytests,
    "nox": _several_pytests,
    "vitest": _vitest,
    "jest": _jest,
    "mocha": _mocha,
    "node": _node,
    "cargo": _cargo,
    "go": _go,
    "maven": _maven,
    "gradle": _maven,
    "ctest": _ctest,
}
