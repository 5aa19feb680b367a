"""The faces of restore points, each spoken to from the outside, with one vocabulary for a story.

What a face does not have (MCP names and pins nothing, an editor has no `prune`) it leaves to the
terminal, which is always at hand beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol, Self

from tests.lsp.client import Client
from tests.mcp.wire import Wire

Json = dict[str, Any]


class Face(Protocol):
    """What a story can ask for."""

    def save(self, label: str) -> int: ...
    def labels(self) -> list[str]: ...
    def differing(self, start: int, end: int | None = None) -> set[str]: ...
    def patch(self, start: int, path: str) -> str: ...
    def preview(self, point: int, what: str) -> Json: ...
    def restore(self, point: int, what: str, plan: str | None = None) -> Json: ...
    def undo(self) -> Json: ...
    def redo(self) -> Json: ...
    def pin(self, point: int) -> None: ...
    def name(self, point: int, name: str) -> None: ...
    def close(self) -> None: ...


class Terminal:
    """`milepost checkpoint`, a process for every word."""

    def __init__(self, project: Path) -> None:
        self._project = project

    def run(self, *words: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "milepost", "checkpoint", *words, "--json"],
            cwd=self._project,
            env=dict(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def save(self, label: str) -> int:
        return self.run("save", label)["id"]

    def labels(self) -> list[str]:
        return [point["label"] for point in self.run("list")]

    def differing(self, start: int, end: int | None = None) -> set[str]:
        words = [str(start)] if end is None else [str(start), str(end)]
        return {change["path"] for change in self.run("diff", *words)["changes"]}

    def patch(self, start: int, path: str) -> str:
        return self.run("diff", str(start), "--path", path)

    def preview(self, point: int, what: str) -> Json:
        return self.run("preview", str(point), "--what", what)

    def restore(self, point: int, what: str, plan: str | None = None) -> Json:
        # The terminal plans and acts in one go; a plan of before cannot be given to it.
        return self.run("restore", str(point), "--what", what, "--yes")

    def undo(self) -> Json:
        return self.run("undo")

    def redo(self) -> Json:
        return self.run("redo")

    def pin(self, point: int) -> None:
        self.run("pin", str(point))

    def name(self, point: int, name: str) -> None:
        self.run("name", str(point), name)

    def close(self) -> None:
        """Nothing stays open."""


class Agent(Terminal):
    """An agent over MCP; the user at its side names and pins."""

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self._wire = Wire(project).__enter__()

    def save(self, label: str) -> int:
        return self._wire.done("checkpoint_save", label=label)["id"]

    def labels(self) -> list[str]:
        return [each["label"] for each in self._wire.done("checkpoint_list")["checkpoints"]]

    def differing(self, start: int, end: int | None = None) -> set[str]:
        until = {} if end is None else {"to": end}
        changes = self._wire.done("checkpoint_list", diff=start, **until)["changes"]
        return {path for paths in changes.values() if isinstance(paths, list) for path in paths}

    def patch(self, start: int, path: str) -> str:
        return self._wire.done("checkpoint_list", diff=start, path=path)["patch"]

    def preview(self, point: int, what: str) -> Json:
        return self._wire.done("checkpoint_restore", id=point, what=what)

    def restore(self, point: int, what: str, plan: str | None = None) -> Json:
        plans = {} if plan is None else {"plan": plan}
        return self._wire.done("checkpoint_restore", id=point, what=what, apply=True, **plans)

    def undo(self) -> Json:
        return self._wire.done("checkpoint_restore", undo=True)

    def close(self) -> None:
        self._wire.__exit__(None, None, None)


class Editor(Terminal):
    """An editor over LSP."""

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self._client = Client(project)
        self._client.initialize(project)

    def _do(self, command: str, **arguments: Any) -> Any:
        return self._client.command(f"milepost.checkpoint.{command}", arguments)

    def save(self, label: str) -> int:
        return self._do("save", label=label)["id"]

    def labels(self) -> list[str]:
        return [point["label"] for point in self._do("list")["checkpoints"]]

    def differing(self, start: int, end: int | None = None) -> set[str]:
        until = {} if end is None else {"to": end}
        changes = self._do("diff", **{"from": start}, **until)["changes"]
        return {change["path"] for change in changes}

    def patch(self, start: int, path: str) -> str:
        return self._do("diff", **{"from": start}, path=path)["text"]

    def preview(self, point: int, what: str) -> Json:
        return self._do("goBack", id=point, what=what, apply=False)

    def restore(self, point: int, what: str, plan: str | None = None) -> Json:
        return self._do("goBack", id=point, what=what, apply=True)

    def undo(self) -> Json:
        return self._do("undo")

    def redo(self) -> Json:
        return self._do("redo")

    def pin(self, point: int) -> None:
        self._do("pin", id=point)

    def name(self, point: int, name: str) -> None:
        self._do("name", id=point, name=name)

    def close(self) -> None:
        self._client.close()


class Opened:
    """A face that is closed at the end of a story."""

    def __init__(self, face: Face) -> None:
        self.face = face

    def __enter__(self) -> Face:
        return self.face

    def __exit__(self, *_: object) -> None:
        self.face.close()

    @classmethod
    def on(cls, kind: str, project: Path) -> Self:
        """The face of this name on a project."""
        return cls({"terminal": Terminal, "agent": Agent, "editor": Editor}[kind](project))
