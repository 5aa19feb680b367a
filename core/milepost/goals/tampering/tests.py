"""Signs in the tests themselves: tests that went, assertions that changed, skips that came."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from milepost.goals.tampering.python_tests import losses

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from milepost.goals.tampering.change import Change, Sign

_TEST_FOLDERS = re.compile(
    r"(?:^|/)(?:tests?|__tests__|testing|specs?|e2e|__snapshots__|testdata)/"
)
_TEST_NAMES = re.compile(
    r"(?:test_[^/]*|[^/]*_tests?|[^/]*_spec|conftest|test)\.\w+|[^/]*\.(?:test|spec)\.\w+|"
    r"[^/]*Tests?\.(?:java|kt|scala|cs|swift|groovy)"
)

# Words for people; nothing runs them.
_PROSE = (".md", ".rst", ".txt.license")

_SKIPS = re.compile(
    r"pytest\.skip|mark\.skip|skipif|xfail|importorskip|unittest\.skip|\bskip(?:If|Unless|Test)\b|"
    r"SkipTest|expectedFailure|\.(?:skip|only|todo|failing|skipIf|runIf)\s*\(|"
    r"\b(?:xit|xtest|xdescribe|fit|fdescribe)\s*\(|\b(?:skip|todo|only)\s*:\s*(?:true|['\"])|"
    r"#\[ignore|\bt\.Skip|testing\.Short|@Disabled|@Ignore|Assume\.|assumeTrue|GTEST_SKIP|DISABLED_"
)

# What lets test code decide about other tests, the exit code, or the report.
_REACHING = re.compile(
    r"os\._exit|sys\.exit|process\.exit|os\.Exit|std::process::exit|\batexit\b|pytest\.exit|"
    r"pytest_(?:collection|runtest|ignore|session|pyfunc|configure|unconfigure|report|plugins|"
    r"cmdline|load|itemcollected|deselected|make|generate|assertrepr|terminal|exception)\w*|"
    r"collect_ignore|exitstatus|\bload_tests\b|__test__|autouse|sys\.modules|\bbuiltins\b|"
    r"hookimpl|hookwrapper|setUpModule|TestResult|TextTestRunner|_pytest\b|__eq__"
)

# Lines that may come and go freely.
_FREE = re.compile(
    r"import\b|from\b.*\bimport\b|use\b|package\b|#include|//|/?\*|#(?!\[)|[{}()\];,]*$"
)


def is_test(path: str) -> bool:
    """Whether the file belongs to the tests, by its place or its name."""
    name = path.rpartition("/")[2]
    return bool(_TEST_FOLDERS.search(path) or _TEST_NAMES.fullmatch(name))


def test_signs(changes: Sequence[Change]) -> Iterator[Sign]:
    """The signs in test files, data of tests, and tests inside Rust sources."""
    moved = {change.new for change in changes if change.old is None and is_test(change.path)}
    elsewhere = [
        change.new_text
        for change in changes
        if is_test(change.path) and change.path.endswith(".py")
    ]
    for change in changes:
        if is_test(change.path) and not change.path.endswith(_PROSE):
            if change.old is not None and change.new is None and change.old in moved:
                continue
            yield from _of_file(change, elsewhere)
        elif change.path.endswith(".rs") and "#[cfg(test)]" in change.old_text:
            yield from _of_lines(_inner_tests(change))


def _of_file(change: Change, elsewhere: Sequence[str]) -> Iterator[Sign]:
    if change.old is not None and change.new is None:
        yield from _of_deleted(change, elsewhere)
        return
    if change.path.endswith(".py"):
        others = [text for text in elsewhere if text != change.new_text]
        lost = losses(change.old_text, change.new_text, others)
        if lost is None:
            yield from _of_lines(change)
            return
        for words in lost:
            yield change.sign("tests", f"in {change.path}, {words}")
        yield from _of_added(change)
    elif _is_code(change.path):
        yield from _of_lines(change)
    elif change.old is not None:
        yield change.sign("tests", f"{change.path}, which the tests may compare with, was changed")


def _of_deleted(change: Change, elsewhere: Sequence[str]) -> Iterator[Sign]:
    if change.path.endswith(".py"):
        lost = losses(change.old_text, "", elsewhere)
        if lost == []:
            return
    if (change.old or b"").strip():
        yield change.sign("tests", f"{change.path} was deleted")


def _of_lines(change: Change) -> Iterator[Sign]:
    """For languages that we do not parse: which lines are gone."""
    gone = [line for line in change.removed_lines() if not _FREE.match(line)]
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        yield change.sign("tests", f"in {change.path}, `{gone[0][:60]}`{more} is gone")
    yield from _of_added(change)


def _of_added(change: Change) -> Iterator[Sign]:
    added = change.added_lines()
    for kind, pattern, words in (
        ("skipped", _SKIPS, "takes a test out of play"),
        ("tests", _REACHING, "reaches beyond a single test"),
    ):
        line = next((line for line in added if pattern.search(line)), None)
        if line is not None:
            yield change.sign(kind, f"in {change.path}, the new `{line[:60]}` {words}")


def _inner_tests(change: Change) -> Change:
    """The part of a Rust source that is its tests."""
    parts = [
        None if content is None else content.partition(b"#[cfg(test)]")[2]
        for content in (change.old, change.new)
    ]
    return type(change)(change.path, *parts)


def _is_code(path: str) -> bool:
    return bool(
        re.search(r"\.(?:[cm]?[jt]sx?|rs|go|java|kts?|scala|groovy|rb|php|c|cc|cpp|cxx|h|hpp|cs|"
                  r"swift|sh|bash|bats|ex|exs|pl|lua|dart|vue|svelte)$", path)
    )  # fmt: skip
