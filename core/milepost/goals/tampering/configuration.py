"""Signs in what tells runners and linters what to do: their settings, scripts, CI, hooks."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from typing import TYPE_CHECKING, cast

from milepost.goals.commands import fault_of
from milepost.goals.manifests import recipes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from milepost.goals.tampering.change import Change, Sign

_RUNNER_FILES = re.compile(
    r"(?:\.?pytest\.ini|\.?pytest\.toml|tox\.ini|tox\.toml|noxfile\.py|jest\.config\.\w+|"
    r"vitest\.config\.\w+|vitest\.workspace\.\w+|\.mocharc\.?\w*|\.taprc|nextest\.toml|"
    r"CTestCustom\.cmake|CTestTestfile\.cmake|nose2?\.cfg|unittest\.cfg)"
)
_LINTER_FILES = re.compile(
    r"(?:\.?ruff\.toml|\.flake8|\.pylintrc|pylintrc|\.?mypy\.ini|pyrightconfig\.json|"
    r"\.eslintrc\.?\w*|eslint\.config\.\w+|\.eslintignore|biome\.jsonc?|\.prettierrc\.?\w*|"
    r"\.prettierignore|tsconfig\.?[\w.]*\.json|\.?clippy\.toml|\.golangci\.\w+|\.rubocop\.yml)"
)
_CI_FILES = re.compile(
    r"\.github/workflows/[^/]+|\.gitlab-ci\.yml|\.circleci/config\.yml|azure-pipelines\.yml|"
    r"Jenkinsfile|\.travis\.yml|bitbucket-pipelines\.yml|\.ci/.*"
)
_BUILD_FILES = re.compile(r"(?:CMakeLists\.txt|build\.gradle(?:\.kts)?|pom\.xml|Cargo\.toml)")

# In a build file or CI, lines about tests that may not go, and switches that may not come.
_ABOUT_TESTS = re.compile(r"test|check|lint|verify|pytest|junit|surefire", re.IGNORECASE)
_SWITCHES = re.compile(
    r"skipTests|maven\.test\.skip|testFailureIgnore|ignoreFailures|continue-on-error:\s*true|"
    r"allow_failure:\s*true|\|\|\s*(?:true|:|exit 0)|WILL_FAIL|DISABLED|enabled\s*=?\s*false|"
    r"autotests\s*=\s*false|test\s*=\s*false|harness\s*=\s*false|if:\s*false|exclude"
)

# What a new configuration may not bring: a choice among the tests.
_CHOOSING = re.compile(
    r"-k\b|-m\b|--deselect|--ignore|-p\b|testpaths|norecursedirs|python_(?:files|classes|functions)|"
    r"collect_ignore|exclude|testMatch|testPathIgnore|testRegex|include|grep|passWithNoTests|"
    r"--pass-with-no-tests|--maxfail|continue-on-collection-errors"
)

# Modules that, in the project's root, stand before those that the runner means; and files that
# Python runs at every start.
_SHADOWING = re.compile(
    r"(?:pytest|_pytest|unittest|pluggy|tox|nox|coverage)(?:\.py|/.*)|"
    r"(?:.*/)?(?:sitecustomize|usercustomize)\.py|(?:.*/)?[^/]+\.pth"
)


def configuration_signs(
    changes: Iterable[Change], *, texts: str, gates_tests: bool
) -> Iterator[Sign]:
    """The signs in configuration. `texts` are the commands of the goal and the scripts that they
    run; linters' settings count when they are named there."""
    linters = re.findall(
        r"\b(?:ruff|flake8|pylint|mypy|pyright|eslint|tsc|biome|prettier|clippy|golangci|rubocop)\b",
        texts,
    )
    for change in changes:
        name = change.path.rpartition("/")[2]
        if _SHADOWING.fullmatch(change.path) and change.new is not None:
            yield change.sign("environment", f"{change.path} takes part in every run of Python")
        elif linters and _LINTER_FILES.fullmatch(name):
            yield change.sign("configuration", f"the linter's settings in {change.path} changed")
        elif name == "pyproject.toml":
            wanted = ["pytest", "tox", "nox", "hatch", *linters] if gates_tests else linters
            yield from _of_sections(change, lambda text, w=wanted: _toml_tools(text, w))
        elif name == "setup.cfg":
            yield from _of_sections(change, _ini_sections)
        elif name == "package.json":
            yield from _of_package(change)
        elif name in {"Makefile", "makefile", "GNUmakefile"} and re.search(r"\bg?make\b", texts):
            yield from _of_makefile(change, texts)
        elif gates_tests and _RUNNER_FILES.fullmatch(name):
            yield from _of_sections(change, lambda text: text.strip() or None)
        elif gates_tests and (_BUILD_FILES.fullmatch(name) or _CI_FILES.fullmatch(change.path)):
            yield from _of_lines(change)


def _of_sections(change: Change, read: Callable[[str], object]) -> Iterator[Sign]:
    """A sign when what `read` takes from the file differs. Where there was nothing, only a choice
    among tests counts: a project may get its first configuration."""
    before, after = read(change.old_text), read(change.new_text)
    if before == after:
        return
    if before is None and not _CHOOSING.search(json.dumps(after, default=str)):
        return
    yield change.sign("configuration", f"the settings of tests or linters in {change.path} changed")


def _toml_tools(text: str, wanted: Iterable[str]) -> object:
    try:
        tools = tomllib.loads(text).get("tool", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    chosen = {name: tools[name] for name in wanted if name in tools}
    return chosen or None


def _ini_sections(text: str) -> object:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return text
    names = [name for name in parser.sections() if re.match(r"tool:pytest|flake8|mypy|tox", name)]
    return {name: dict(parser[name]) for name in names} or None


def _of_package(change: Change) -> Iterator[Sign]:
    before, after = _package(change.old_text), _package(change.new_text)
    for name, text in after.items():
        fault = fault_of(text) if isinstance(text, str) else None
        if fault is not None and before.get(name) != text:
            yield change.sign("configuration", f"the script {name} in {change.path}: {fault}")
    changed = [name for name in before if before[name] != after.get(name)]
    if changed:
        words = f"{', '.join(changed)} in {change.path} changed"
        yield change.sign("configuration", words)


def _package(text: str) -> dict[str, object]:
    """What in a package.json decides about tests and linters."""
    try:
        content: object = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {"the whole": text}
    if not isinstance(content, dict):
        return {}
    package = cast("dict[str, object]", content)
    scripts = package.get("scripts")
    found: dict[str, object] = {
        name: package[name]
        for name in ("jest", "vitest", "mocha", "ava", "tap", "eslintConfig")
        if name in package
    }
    if isinstance(scripts, dict):
        named = cast("dict[str, object]", scripts)
        found.update({name: named[name] for name in named if _ABOUT_TESTS.search(name)})
    return found


def _of_makefile(change: Change, texts: str) -> Iterator[Sign]:
    if change.old is None:
        return
    before, after = recipes(change.old_text), recipes(change.new_text)
    named = [name for name in before if re.search(rf"\bmake\b[^;&|]*\s{re.escape(name)}\b", texts)]
    for name in named or list(before)[:1]:
        if before[name] != after.get(name):
            yield change.sign("configuration", f"the target {name} of {change.path} changed")
    settings = [_settings(text) for text in (change.old_text, change.new_text)]
    if not set(settings[0]) <= set(settings[1]):
        yield change.sign("configuration", f"a variable of {change.path} changed")


def _settings(makefile: str) -> list[str]:
    return re.findall(r"^[A-Za-z_]\w*\s*[:?+!]?=.*$", makefile, re.MULTILINE)


def _of_lines(change: Change) -> Iterator[Sign]:
    gone = next((line for line in change.removed_lines() if _ABOUT_TESTS.search(line)), None)
    if gone is not None:
        yield change.sign("configuration", f"in {change.path}, `{gone[:60]}` is gone")
    come = next((line for line in change.added_lines() if _SWITCHES.search(line)), None)
    if come is not None:
        yield change.sign("configuration", f"in {change.path}, `{come[:60]}` is new")
