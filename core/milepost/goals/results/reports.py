"""Reports that runners write into a file: JUnit XML, and Jest's JSON.

The formats: the `testsuite` and `testcase` elements that pytest, vitest, node, CTest, Surefire and
Gradle agree on; `jest --json`. A report comes from a process that ran the project's code, so it is
read as a stranger's: it may be large, deep, malformed or hostile.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast
from xml.etree import ElementTree as ET

from milepost.goals.results.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Iterable

# A hundred thousand test cases with their output; a larger report is no report.
MAX_REPORT_BYTES = 64 * 1024 * 1024


class Unclear(Exception):  # noqa: N818  (it is an answer: the counts cannot be told)
    """The results cannot be told; the words say why, as a clause."""


def read_junit(data: bytes) -> Counts:
    """The counts of a JUnit report. Raises Unclear when it is none."""
    # Entities are how a small XML file becomes a large one; no runner writes any.
    if re.search(rb"<!(?:DOCTYPE|ENTITY)", data):
        raise Unclear("the report defines entities, which no test runner does")
    try:
        root = ET.fromstring(data)  # noqa: S314  (no entities, and a bounded size)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Unclear(f"the report is no XML ({error})") from error
    if _name(root) not in {"testsuite", "testsuites"}:
        raise Unclear("the report is not in JUnit's form")
    return _sum(_case(case) for case in root.iter() if _name(case) == "testcase")


def read_jest(data: bytes) -> Counts:
    """The counts of `jest --json`. Raises Unclear when it is none."""
    try:
        report: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unclear("the report is no JSON") from error
    if not isinstance(report, dict):
        raise Unclear("the report is not in Jest's form")
    found = cast("dict[str, object]", report)
    # A suite that cannot be loaded has no tests, and fails all the same.
    names = (
        "numPassedTests", "numFailedTests", "numPendingTests", "numTodoTests",
        "numRuntimeErrorTestSuites",
    )  # fmt: skip
    numbers = [found.get(name, 0) for name in names]
    if "numPassedTests" not in found or not all(_is_count(number) for number in numbers):
        raise Unclear("the report is not in Jest's form")
    passed, failed, pending, todo, broken = cast("list[int]", numbers)
    return Counts(passed, failed + broken, pending + todo)


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts())


def _case(case: ET.Element) -> Counts:
    """One test. Source of `status`: the reports of CTest and GoogleTest."""
    kinds = {_name(child): child for child in case}
    status = case.get("status", "run")
    if "failure" in kinds or "error" in kinds or status == "fail":
        return Counts(failed=1)
    if "skipped" in kinds:
        is_expected = kinds["skipped"].get("type") == "pytest.xfail"
        return Counts(xfailed=1) if is_expected else Counts(skipped=1)
    if status in {"notrun", "disabled"}:
        return Counts(skipped=1)
    return Counts(passed=1)


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9
