"""What was taken away from Python tests, read from their syntax: layout and comments are free.

New tests, and statements added to old ones, are what honest work brings. A statement of an old test
that is gone or reads differently is for the user to judge.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Function = ast.FunctionDef | ast.AsyncFunctionDef

# Statements that, added to an old test, can take the rest of it out of play.
_DISARMING_NAMES = ("skip", "xfail", "importorskip", "patch", "monkeypatch", "exit", "_exit")


def units(text: str) -> dict[str, list[ast.stmt]] | None:
    """The definitions and statements of a module by name; None when it is no Python. Everything
    without a name stands under its own text."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: dict[str, list[ast.stmt]] = {}
    for name, statement in _units(tree.body, ""):
        found.setdefault(name, []).append(statement)
    return found


def losses(old: str, new: str, elsewhere: Iterable[str]) -> list[str] | None:
    """What the tests in `old` lost in `new`, as clauses; None when one of them is no Python.
    `elsewhere` are other files where a test may have moved to."""
    before, after = units(old), units(new)
    if before is None or after is None:
        return None
    moved = {_dump(item) for text in elsewhere for items in (units(text) or {}).values()
             for item in items}  # fmt: skip
    found: list[str] = []
    for name, statements in before.items():
        now = after.get(name, [])
        if len(now) > len(statements):
            found.append(f"`{name}` is defined a second time, which hides the first")
        for statement, counterpart in zip(statements, [*now, *[None] * len(statements)],
                                          strict=False):  # fmt: skip
            if counterpart is None:
                if _dump(statement) not in moved:
                    found.append(f"`{_short(name)}` is gone")
            elif not _holds(statement, counterpart):
                found.append(f"`{_short(name)}` reads differently")
    return found


def _units(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.stmt]]:
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass) or _is_text(statement):
            continue
        if isinstance(statement, ast.ClassDef):
            yield from _units(statement.body, f"{prefix}{statement.name}.")
            header = ast.ClassDef(
                statement.name, statement.bases, statement.keywords, [], statement.decorator_list
            )
            yield f"{prefix}{statement.name}", header
        elif isinstance(statement, _Function):
            yield f"{prefix}{statement.name}", statement
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield prefix + ", ".join(map(ast.unparse, targets)), statement
        else:
            yield prefix + ast.unparse(statement), statement


def _holds(old: ast.stmt, new: ast.stmt) -> bool:
    """Whether `new` says all that `old` said, in the same order, and adds nothing that disarms."""
    if _dump(old) == _dump(new):
        return True
    if isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef):
        same = list(map(ast.dump, old.bases)) == list(map(ast.dump, new.bases))
        return same and _marks(old) == _marks(new)
    if not (isinstance(old, _Function) and isinstance(new, _Function)):
        return False
    if ast.dump(old.args) != ast.dump(new.args) or _marks(old) != _marks(new):
        return False
    wanted = [_dump(item) for item in old.body if not _is_text(item)]
    for statement in new.body:
        if wanted and _dump(statement) == wanted[0]:
            wanted.pop(0)
        elif _disarms(statement):
            return False
    return not wanted


def _marks(item: _Function | ast.ClassDef) -> list[str]:
    """The decorators; without those that take a test out of play, as these may go. That none came
    is looked at elsewhere."""
    names = ("skip", "xfail", "expectedFailure")
    decorators = map(ast.dump, item.decorator_list)
    return [text for text in decorators if not any(name in text for name in names)]


def _disarms(statement: ast.stmt) -> bool:
    for node in ast.walk(statement):
        if isinstance(node, ast.Return | ast.Raise | ast.Yield):
            return True
        name = getattr(node, "attr", None) or getattr(node, "id", None)
        if isinstance(name, str) and any(part in name.lower() for part in _DISARMING_NAMES):
            return True
    # An old local name that is given another value turns an assertion around.
    return isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete)


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _dump(node: ast.AST) -> str:
    return ast.dump(node)


def _short(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= 60 else line[:57] + "..."
