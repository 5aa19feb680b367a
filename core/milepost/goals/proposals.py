"""From plain words to proposed checks, by looking at manifests: nothing is run, no model is asked.

"All tests pass and the code is committed" in a project with a Cargo.toml proposes
`tests: cargo test` and `git: committed`. A proposal counts only once the user takes it.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from milepost.goals.check import Check, read_check
from milepost.goals.commands import fault_of
from milepost.goals.manifests import npm_script, recipes, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What `npm init` writes where no test is.
_NPM_PLACEHOLDER = "no test specified"

_TESTS = re.compile(
    r"\b(?:tests?|specs?|suite|test-suite)\b|\bpytest\b|\bunittests?\b|\bis green\b", re.IGNORECASE
)
_LINT = re.compile(
    r"\blint\w*\b|\bruff\b|\bflake8\b|\beslint\b|\bclippy\b|\bcode style\b|\bvet\b", re.IGNORECASE
)
_TYPES = re.compile(r"\btype[- ]?check\w*|\btypes?\b|\bmypy\b|\bpyright\b|\btsc\b", re.IGNORECASE)
_BUILD = re.compile(r"\bbuilds?\b|\bcompil\w+|\bpackages?\b", re.IGNORECASE)
_COMMITTED = re.compile(r"\bcommitt?(?:ed|s)?\b|\bchecked in\b", re.IGNORECASE)
_CLEAN = re.compile(r"\b(?:working tree|git status|git) is clean\b|\bnothing uncommitted\b",
                    re.IGNORECASE)  # fmt: skip
_THERE = re.compile(
    r"(?:file )?[`'\"]?([\w][\w./-]*\.\w{1,8}|[A-Z][A-Z_]{3,})[`'\"]? (?:exists|is there)\b"
)


def proposals(condition: str, root: Path, timeout_s: float) -> tuple[Check, ...]:
    """The checks that `condition` seems to ask for in the project at `root`."""
    lines: list[str] = []
    for pattern, propose in (
        (_TESTS, _tests), (_LINT, _lint), (_TYPES, _types), (_BUILD, _build),
    ):  # fmt: skip
        if pattern.search(condition):
            lines += propose(root)
    lines += [f"file: {match[1]}" for match in _THERE.finditer(condition)]
    if _COMMITTED.search(condition):
        lines.append("git: committed")
    elif _CLEAN.search(condition):
        lines.append("git: clean")
    return tuple(read_check(line, timeout_s) for line in dict.fromkeys(lines))


def of_test(path: str, name: str, root: Path) -> str | None:
    """The line of a check that runs one test of the project at `root`, by its file and its
    qualified name; None where the project's runner takes no such name."""
    if not path.endswith(".py"):
        return None
    for line in _python_tests(root):
        if "pytest" in line:
            return f"{line} {shlex.quote('::'.join((path, *name.split('.'))))}"
        if "unittest" in line:
            return f"{line} -k {shlex.quote(name.rpartition('.')[2])}"
    return None


def _tests(root: Path) -> Iterator[str]:
    before = len(found := [*_python_tests(root), *_node_script(root, "test")])
    if (root / "Cargo.toml").exists():
        found.append("tests: cargo test")
    if (root / "go.mod").exists():
        found.append("tests: go test ./...")
    if (root / "pom.xml").exists():
        found.append(f"tests: {_wrapper(root, 'mvnw', 'mvn')} -B test")
    if _has_gradle(root):
        found.append(f"tests: {_wrapper(root, 'gradlew', 'gradle')} test")
    if "enable_testing" in text_of(root / "CMakeLists.txt"):
        found.append("tests: cmake -S . -B build && cmake --build build && ctest --test-dir build")
    if len(found) == before == 0:
        for target in ("test", "tests", "check"):
            if target in _targets(root):
                found.append(f"make {target}")
                break
    yield from found


def _python_tests(root: Path) -> Iterator[str]:
    start = _python_start(root)
    settings = text_of(root / "pyproject.toml")
    uses_pytest = (
        (root / "pytest.ini").exists()
        or (root / "conftest.py").exists()
        or (root / "tests" / "conftest.py").exists()
        or "[tool:pytest]" in text_of(root / "setup.cfg")
        or "[pytest]" in text_of(root / "tox.ini")
        or re.search(r"\bpytest\b", settings + _requirements(root)) is not None
    )
    files = [*sorted(root.glob("test_*.py"))[:20], *sorted(root.glob("test*/**/test_*.py"))[:20]]
    if uses_pytest:
        yield f"tests: {start}python3 -m pytest" if not start else f"tests: {start}pytest"
    elif "[testenv" in text_of(root / "tox.ini"):
        yield "tests: tox"
    elif (root / "noxfile.py").exists():
        yield "tests: nox"
    elif files:
        is_unittest = any("unittest" in text_of(path) for path in files)
        is_package = (root / "tests" / "__init__.py").exists() or files[0].parent == root
        where = "" if is_package else f" -s {files[0].parent.relative_to(root).as_posix()}"
        runner = f"unittest discover{where}" if is_unittest else "pytest"
        yield f"tests: {start}python3 -m {runner}"


def _lint(root: Path) -> Iterator[str]:
    start, settings = _python_start(root), text_of(root / "pyproject.toml")
    found = list(_node_script(root, "lint"))
    if "[tool.ruff" in settings or (root / "ruff.toml").exists() or (root / ".ruff.toml").exists():
        found.append(f"command: {start}ruff check")
    if (root / ".flake8").exists() or "[flake8]" in text_of(root / "setup.cfg"):
        found.append(f"command: {start}flake8")
    if (root / "Cargo.toml").exists():
        found.append("command: cargo clippy --all-targets -- -D warnings")
    if (root / "go.mod").exists():
        found.append("command: go vet ./...")
    if not found and any(root.glob("eslint.config.*")):
        found.append("command: npx eslint .")
    if not found and "lint" in _targets(root):
        found.append("command: make lint")
    yield from found


def _types(root: Path) -> Iterator[str]:
    start, settings = _python_start(root), text_of(root / "pyproject.toml")
    found = [*_node_script(root, "typecheck"), *_node_script(root, "type-check")]
    if "[tool.mypy" in settings or (root / "mypy.ini").exists():
        found.append(f"command: {start}mypy .")
    if "[tool.pyright" in settings or (root / "pyrightconfig.json").exists():
        found.append(f"command: {start}pyright")
    if not found and (root / "tsconfig.json").exists():
        found.append("command: npx tsc --noEmit")
    yield from found


def _build(root: Path) -> Iterator[str]:
    found = list(_node_script(root, "build"))
    if (root / "Cargo.toml").exists():
        found.append("command: cargo build")
    if (root / "go.mod").exists():
        found.append("command: go build ./...")
    if (root / "pom.xml").exists():
        found.append(f"command: {_wrapper(root, 'mvnw', 'mvn')} -B package")
    if _has_gradle(root):
        found.append(f"command: {_wrapper(root, 'gradlew', 'gradle')} assemble")
    if (root / "CMakeLists.txt").exists():
        found.append("command: cmake -S . -B build && cmake --build build")
    if not found and (targets := _targets(root)):
        found.append("command: make build" if "build" in targets else "command: make")
    yield from found


def _node_script(root: Path, name: str) -> Iterator[str]:
    script = npm_script(root, name)
    if not script or _NPM_PLACEHOLDER in script or fault_of(script) is not None:
        return
    tool = "npm"
    for lock, manager in (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun")):
        if (root / lock).exists():
            tool = manager
    yield f"{tool} test" if name == "test" and tool != "bun" else f"{tool} run {name}"


def _python_start(root: Path) -> str:
    for lock, start in (("uv.lock", "uv run "), ("poetry.lock", "poetry run ")):
        if (root / lock).exists():
            return start
    return ""


def _requirements(root: Path) -> str:
    return "".join(map(text_of, sorted(root.glob("requirements*.txt"))[:10]))


def _targets(root: Path) -> list[str]:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        found = recipes(text_of(root / name))
        if found:
            return list(found)
    return []


def _wrapper(root: Path, script: str, program: str) -> str:
    return f"./{script}" if (root / script).exists() else program


def _has_gradle(root: Path) -> bool:
    return any((root / name).exists() for name in ("build.gradle", "build.gradle.kts"))
