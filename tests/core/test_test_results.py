"""The counts of a test run are read from what real runners wrote, and nothing else passes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.goals.manifests import recipes
from milepost.goals.results.counts import Counts, shortfall
from milepost.goals.results.printed import read_printed
from milepost.goals.results.reports import Unclear, read_jest, read_junit
from milepost.goals.results.runners import Runner, asking, counted, runner_in

# Written by the runners themselves, on tests of which each ends in its own way.
OUTPUTS = Path(__file__).parent / "runner_outputs"

FOUR = Counts(passed=1, failed=1, skipped=2)

numbers = st.integers(0, 10_000)
RUNNERS = (
    "pytest", "unittest", "tox", "nox", "vitest", "jest", "mocha", "node", "cargo", "go", "maven",
    "gradle", "ctest",
)  # fmt: skip

GO_JSON = """\
{"Action":"start","Package":"x"}
{"Action":"run","Package":"x","Test":"TestA"}
{"Action":"output","Package":"x","Test":"TestA","Output":"--- PASS: TestLie (0.00s)\\n"}
{"Action":"pass","Package":"x","Test":"TestA","Elapsed":0}
{"Action":"skip","Package":"x","Test":"TestB","Elapsed":0}
{"Action":"fail","Package":"x","Test":"TestC","Elapsed":0}
{"Action":"fail","Package":"x","Elapsed":0.01}
"""

MAVEN = """\
[INFO] Running com.example.ShopTest
[ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 1, Time elapsed: 0.05 s <<< FAILURE!
[INFO] Results:
[ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 1
[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0
"""

NEXTEST = "     Summary [   0.012s] 3 tests run: 2 passed, 1 failed, 1 skipped\n"


@pytest.mark.parametrize(
    ("runner", "name", "wanted"),
    [
        ("pytest", "pytest.txt", Counts(2, 2, 1, 1, 1)),
        ("tox", "pytest.txt", Counts(2, 2, 1, 1, 1)),
        ("unittest", "unittest.txt", Counts(1, 3, 1, 1)),
        ("node", "node_tap.txt", FOUR),
        ("node", "node_spec.txt", FOUR),
        ("vitest", "vitest.txt", FOUR),
        ("jest", "jest.txt", FOUR),
        ("mocha", "mocha.txt", FOUR),
        ("ctest", "ctest.txt", FOUR),
        ("cargo", "cargo.txt", Counts(2, 1, 1)),
    ],
)
def test_what_a_runner_printed_is_counted(runner: str, name: str, wanted: Counts) -> None:
    assert read_printed(runner, (OUTPUTS / name).read_bytes()) == wanted


@pytest.mark.parametrize(
    ("runner", "text", "wanted"),
    [
        ("go", GO_JSON, Counts(1, 1, 1)),
        ("go", '{"Action":"fail","Package":"x"}\n', Counts(failed=1)),
        ("go", "--- PASS: TestA (0.00s)\n--- SKIP: TestB (0.00s)\nPASS\n", Counts(1, 0, 1)),
        ("maven", MAVEN, Counts(3, 1, 1)),
        ("cargo", NEXTEST, Counts(2, 1, 1)),
        ("pytest", "3 passed, 1 skipped in 0.12s\n", Counts(3, 0, 1)),
        ("pytest", "\x1b[32m\x1b[1m1 passed\x1b[0m\x1b[32m in 0.01s\x1b[0m\n", Counts(1)),
        ("unittest", "Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", Counts()),
    ],
)
def test_other_forms_are_counted_too(runner: str, text: str, wanted: Counts) -> None:
    assert read_printed(runner, text.encode()) == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("pytest.xml", Counts(2, 2, 1, 1)), ("vitest.xml", FOUR), ("node.xml", FOUR),
     ("ctest.xml", FOUR)],
)  # fmt: skip
def test_a_junit_report_is_counted(name: str, wanted: Counts) -> None:
    assert read_junit((OUTPUTS / name).read_bytes()) == wanted


def test_jests_own_report_is_counted() -> None:
    assert read_jest((OUTPUTS / "jest.json").read_bytes()) == FOUR


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_word_of_success_is_no_summary(runner: str) -> None:
    for text in ("", "100 passed\n", "All tests passed!\nOK\n", "PASS\n", "tests: 5\n"):
        with pytest.raises(Unclear):
            read_printed(runner, text.encode())


@pytest.mark.parametrize("runner", ["pytest", "unittest", "vitest", "jest", "node", "mocha"])
def test_two_summaries_mean_that_one_may_be_forged(runner: str) -> None:
    name = {"node": "node_tap"}.get(runner, runner)
    output = (OUTPUTS / f"{name}.txt").read_bytes()
    with pytest.raises(Unclear, match="more than one"):
        read_printed(runner, output + output)


@given(st.sampled_from(RUNNERS), st.binary(max_size=2_000))
def test_no_output_breaks_a_reader(runner: str, output: bytes) -> None:
    try:
        found = read_printed(runner, output)
    except Unclear:
        return
    assert min(found.passed, found.failed, found.skipped, found.xfailed) >= 0


@given(st.binary(max_size=500))
def test_no_report_breaks_a_reader(data: bytes) -> None:
    for read in (read_junit, read_jest):
        try:
            read(data)
        except Unclear:
            continue


@given(numbers, numbers, numbers, numbers)
def test_a_summary_of_pytest_reads_back(passed: int, failed: int, skipped: int, out: int) -> None:
    text = f"= {failed} failed, {passed} passed, {skipped} skipped, {out} deselected in 1.02s ==\n"
    assert read_printed("pytest", text.encode()) == Counts(passed, failed, skipped, 0, out)


@given(st.lists(st.sampled_from(["pass", "failure", "error", "skipped"]), max_size=30))
def test_a_junit_report_reads_back(ends: list[str]) -> None:
    cases = "".join(
        "<testcase/>" if end == "pass" else f"<testcase><{end}/></testcase>" for end in ends
    )
    found = read_junit(f"<testsuites><testsuite>{cases}</testsuite></testsuites>".encode())
    bad = ends.count("failure") + ends.count("error")
    assert found == Counts(ends.count("pass"), bad, ends.count("skipped"))


@pytest.mark.parametrize(
    "data",
    [b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', b"<html/>", b"", b"<testsuite>", b"\xff\xfe",
     b'<?xml version="1.0" encoding="no-such"?><testsuite/>'],
)  # fmt: skip
def test_what_is_no_report_is_refused(data: bytes) -> None:
    with pytest.raises(Unclear):
        read_junit(data)


@pytest.mark.parametrize(
    "data",
    [b"[]", b"{}", b'{"numPassedTests": -1}', b'{"numPassedTests": true}', b"[" * 100_000],
)
def test_what_is_no_jest_report_is_refused(data: bytes) -> None:
    with pytest.raises(Unclear):
        read_jest(data)


@pytest.mark.parametrize(
    ("found", "baseline", "says"),
    [
        (Counts(3), Counts(2, 1), None),
        (Counts(3, skipped=1), Counts(2, 1, skipped=1), None),
        (Counts(3), None, None),
        (Counts(2, 1), Counts(2, 1), "1 of 3 tests failed"),
        (Counts(), None, "no test was run"),
        (Counts(skipped=2), Counts(skipped=2), "no test passed"),
        (Counts(2), Counts(2, 1), "2 tests were run, but 3"),
        (Counts(2, skipped=1), Counts(2, 1), "1 tests were skipped, but 0"),
        (Counts(2, xfailed=1), Counts(2, 1), "expected to fail"),
        (Counts(3, deselected=1), Counts(3), "deselected"),
        (Counts(3, skipped=1), None, "as far as Milepost knows"),
    ],
)
def test_counts_are_compared_with_those_of_the_beginning(
    found: Counts, baseline: Counts | None, says: str | None
) -> None:
    why = shortfall(found, baseline)
    assert (why is None) if says is None else says in (why or "")


MANIFESTS = {
    "package.json": json.dumps({"scripts": {"test": "vitest run", "test:unit": "node --test"}}),
    "Makefile": "all: test\n\ntest: build\n\t@python3 -m pytest\n\nloop:\n\tmake loop\n",
}


@pytest.mark.parametrize(
    ("command", "name", "via"),
    [
        ("pytest -q", "pytest", ""),
        ("cd a && CI=1 python3 -m pytest", "pytest", ""),
        ("uv run --frozen pytest", "pytest", ""),
        ("python -W error -m unittest", "unittest", ""),
        ("python manage.py test", "unittest", ""),
        ("npx vitest run", "vitest", ""),
        ("npm test", "vitest", "npm"),
        ("npm run test:unit", "node", "npm"),
        ("pnpm test:unit", "node", "pnpm"),
        ("make test", "pytest", "make"),
        ("cargo test --all", "cargo", ""),
        ("go test ./...", "go", ""),
        ("./mvnw -B test", "maven", ""),
        ("./gradlew test", "gradle", ""),
        ("cmake --build build && ctest --test-dir build", "ctest", ""),
    ],
)
def test_the_runner_in_a_command_is_known(
    tmp_path: Path, command: str, name: str, via: str
) -> None:
    for path, text in MANIFESTS.items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    assert runner_in(command, tmp_path) == Runner(name, via)


@pytest.mark.parametrize(
    "command",
    ["pytest --version", "cat pytest", "npm run x", "npm ci", "make loop", "make", "'", ""],
)
def test_what_runs_no_tests_is_no_runner(tmp_path: Path, command: str) -> None:
    for path, text in MANIFESTS.items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    assert runner_in(command, tmp_path) is None


def test_pytest_writes_its_report_where_it_is_asked_to(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_a(): pass\n", encoding="utf-8")
    command = f"{sys.executable} -m pytest -q -p no:cacheprovider"
    asked = asking(Runner("pytest"), command, tmp_path)
    words = ["/bin/sh", "-c", asked.command]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)
    found = counted(Runner("pytest"), asked, done.stdout, tmp_path, 0)
    assert found == (Counts(1), "from the report that pytest wrote")


def test_a_report_that_gradle_wrote_earlier_is_not_believed(tmp_path: Path) -> None:
    report = tmp_path / "build" / "test-results" / "test" / "TEST-a.xml"
    report.parent.mkdir(parents=True)
    report.write_text("<testsuite><testcase/></testsuite>", encoding="utf-8")
    asked = asking(Runner("gradle"), "gradle test", tmp_path)
    written = report.stat().st_mtime_ns
    found = counted(Runner("gradle"), asked, b"", tmp_path, written)
    assert found == (Counts(1), "from 1 reports that gradle wrote during the run")
    with pytest.raises(Unclear, match="no new report"):
        counted(Runner("gradle"), asked, b"BUILD SUCCESSFUL", tmp_path, written + 1)


def test_a_makefile_is_read_by_target() -> None:
    text = "A := 1\nall: a b\n\na b: c\n\t@echo 1 \\\n  2\n\t-false\n.PHONY: all\n"
    ran = "echo 1    2\nfalse || true\n"
    assert recipes(text) == {"all": "", "a": ran, "b": ran}
