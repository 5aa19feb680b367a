"""A chat with a scripted model, for the tests: what it told, and short words for its blocks."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from milepost import api

U = TypeVar("U")


def script(folder: Path, *turns: dict[str, Any]) -> str:
    """A model that plays these turns, one for each request."""
    path = folder / "script.jsonl"
    path.write_text("\n".join(map(json.dumps, turns)), encoding="utf-8")
    return f"scripted:{path}"


def calling(tool: str, say: str = "", **arguments: object) -> dict[str, Any]:
    """A turn of a script that calls a tool."""
    return {"say": say, "calls": [{"tool": tool, "arguments": arguments}]}


def lasting() -> tuple[str, str]:
    """A command that starts a child and stays, and the word by which both are known among all
    processes: in a sandbox they have other numbers."""
    nap = f"60.{time.time_ns()}"
    return f"sleep {nap} & touch began; sleep {nap}", nap


def is_alive(word: str) -> bool:
    """Whether any process has this word in its command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if word.encode() in path.read_bytes():
                return True
    return False


@dataclass
class Watcher:
    """Hears a chat, and answers what it is asked with the next of `answers`."""

    answers: list[str | None] = field(default_factory=list)
    events: list[api.ChatEvent] = field(default_factory=list)
    asked: list[api.PermissionRequest] = field(default_factory=list)
    waiting: list[Future[str | None]] = field(default_factory=list)

    def tell(self, event: api.ChatEvent) -> None:
        self.events.append(event)

    def ask(self, request: api.PermissionRequest) -> Future[str | None]:
        self.asked.append(request)
        future: Future[str | None] = Future()
        if self.answers:
            future.set_result(self.answers.pop(0))
        else:
            self.waiting.append(future)
        return future

    def all(self, kind: type[U]) -> list[U]:
        """The updates of a kind."""
        return of(self.events, kind)

    @property
    def said(self) -> str:
        return "".join(chunk.text for chunk in self.all(api.AgentChunk))


def of(events: Sequence[api.ChatEvent], kind: type[U]) -> list[U]:
    return [event.update for event in events if isinstance(event.update, kind)]


def say(
    workspace: api.Workspace,
    words: str,
    model: str | None = None,
    *more: api.TextBlock | api.FileBlock | api.MemoryBlock | api.DiagnosticBlock,
    watcher: Watcher | None = None,
    **options: Any,
) -> tuple[api.TurnResult, Watcher]:
    """Run a turn."""
    watcher = watcher or Watcher()
    turn = workspace.chat().turn(
        [api.TextBlock(words), *more], tell=watcher.tell, ask=watcher.ask, model=model, **options
    )
    return turn.run(), watcher
