"""What a worker's session keeps outside of its window, and what stands around it.

Memory, notes, tasks and the goal as the loop asks for them; restore points around its changes; the
gate that the goal holds. Everything is read anew each time, so that what others change meanwhile is
seen.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from milepost.agent import loop
from milepost.agent.budget import Taken
from milepost.agent.execution import Begun, to_its_end
from milepost.agent.recall import outline
from milepost.api.brief import LEAST_TOKENS, MOST_TOKENS
from milepost.base import tokens
from milepost.base.errors import MilepostError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from milepost.api.views import Entry
    from milepost.api.workspace import Workspace
    from milepost.history.transcript import Transcripts
    from milepost.providers.message import Usage
    from milepost.tasks.store import TaskStore

_ACTOR = "agent:milepost"

# What the worker is told when something was kept.
_REMEMBERED = "Remembered as {id}."
_NOTED = "Noted."

# As much of a command as tells it from others in a list of points.
_LABEL_CHARS = 100

# What a worker's search of memory may return, and how much of history.
_SEARCH_TOKENS = 1_500
_HISTORY_HITS = 8
_HISTORY_CHARS = 600


# Less of a diff tells nothing.
_LEAST_DIFF_TOKENS = 60


class Shelf:
    """What is kept outside of the window, and what stands around it: memory, goal, points."""

    def __init__(
        self,
        workspace: Workspace,
        transcripts: Transcripts,
        tasks: TaskStore,
        session: str,
        folder: Path,
        goal_id: str | None,
        holds: Callable[[], bool] = lambda: True,
    ) -> None:
        """`holds` tells whether the goal holds the worker at this moment."""
        self._workspace = workspace
        self._points = workspace.checkpoints.within(session)
        self._transcripts = transcripts
        self._tasks = tasks
        self._session = session
        self._folder = folder
        self._goal_id = goal_id
        self._holds = holds

    def rules(self, budget_tokens: int) -> str:
        """What holds in the project, with sources, as a brief quotes it."""
        return self._brief(None, budget_tokens)

    def goal(self) -> str:
        """The goal, its checks and how it stands."""
        if self._goal_id is None:
            return ""
        goal = self._workspace.goals.get(self._goal_id)
        return "\n".join([goal.condition, *(f"- check: {check.command}" for check in goal.checks)])

    def checkpoint(self) -> str:
        """What checkpoint.md says."""
        try:
            return (self._folder / "checkpoint.md").read_text("utf-8", errors="replace")
        except OSError:
            return ""

    def notes(self) -> str:
        """The notes of the session, the oldest first."""
        page = self._workspace.memory.page(scope="session", session=self._session, limit=100)
        return "\n".join(f"- {entry.text}" for entry in page.entries)

    def tasks(self) -> str:
        """The tree of tasks."""
        return outline(self._tasks.all())

    def memory(self, about: str, budget_tokens: int) -> str:
        """What memory knows about the matter."""
        return self._brief(about, budget_tokens)

    def search(self, query: str) -> str:
        """Search memory, in words."""
        found = self._workspace.memory.search(query, budget_tokens=_SEARCH_TOKENS)
        lines = [
            f"[{hit.entry.id}] {hit.entry.kind}, {hit.entry.status}, by {hit.entry.source}:"
            f" {hit.entry.text}"
            for hit in found.hits
        ]
        return "\n".join(lines) or f"Nothing found: {found.advice}."

    def save(self, text: str, kind: str) -> str:
        """Remember something beyond this session."""
        entry = self._workspace.memory.add(text, kind=kind, actor=_ACTOR)
        return _REMEMBERED.format(id=entry.id)

    def saved(self, text: str) -> str | None:
        """What `save` said, if this is remembered."""
        entry = self._there(text, None)
        return None if entry is None else _REMEMBERED.format(id=entry.id)

    def note(self, text: str) -> str:
        """Note something down for the rest of this session."""
        self._workspace.memory.add(text, scope="session", session=self._session, actor=_ACTOR)
        return _NOTED

    def noted(self, text: str) -> str | None:
        """What `note` said, if this was noted."""
        return None if self._there(text, "session") is None else _NOTED

    def history(self, query: str) -> str:
        """What was said and done, in words."""
        found = self._transcripts.search(query, _HISTORY_HITS)
        lines = [
            f"[{item.number}] {item.at} session {item.session}, {item.kind}:"
            f" {' '.join(str(item.data).split())[:_HISTORY_CHARS]}"
            for _, item in found
        ]
        return "\n".join(lines) or "Nothing was said or done about that."

    def begin(self, label: str) -> Begun:
        """A restore point before a change of the worker's, which is an agent's and not the user's
        though the user started it."""
        action = self._points.begin(_one_line(label), actor=_ACTOR)
        return Begun(action.id, action.before_id)

    def finish(self, begun: Begun, label: str) -> int:
        """The restore point after the change."""
        after = self._points.finish(begun.action, _one_line(label)).to_id
        return begun.before if after is None else after

    def mark(self) -> int:
        """A moment to compare with later: a restore point."""
        return self._points.save("before it is built").id

    def since(self, mark: int, budget_tokens: int) -> str:
        """What is other than it was at a moment: the files, and as much of their diffs as fits."""
        points = self._points
        now = points.save("as it is reviewed").id
        changes = points.diff(mark, now).changes
        lines = [f"{change.kind} {change.path}" for change in changes]
        text = tokens.clip("\n".join(lines) or "No file was changed.", budget_tokens // 3)
        for change in changes:
            left = budget_tokens - tokens.count(text)
            if left < _LEAST_DIFF_TOKENS:
                break
            text += "\n\n" + tokens.clip(points.patch(mark, now, change.path), left - 2)
        return text

    async def look(self) -> loop.Verdict | None:
        """Verify the goal, on a thread; when we are cancelled, what it runs is stopped."""
        if self._goal_id is None or not self._holds():
            return None
        stop, goals, taken = threading.Event(), self._workspace.goals, list[Taken]()

        def took(model: str, usage: Usage, cost_usd: float | None) -> None:
            # A judge that was stopped may still answer, when nobody counts any more.
            if stop.is_set():
                goals.judge_took(model, usage, cost_usd)
            else:
                taken.append(Taken(model, usage, cost_usd))

        verified = asyncio.to_thread(goals.verify, self._goal_id, stop=stop, took=took)
        try:
            verdict, is_cancelled = await to_its_end(verified, stop)
            if is_cancelled:
                raise asyncio.CancelledError
        except MilepostError as error:
            if stop.is_set():
                raise asyncio.CancelledError from error
            return loop.Verdict("unverifiable", str(error), holds=False, taken=tuple(taken))
        finally:
            for each in taken if stop.is_set() else ():
                goals.judge_took(each.model, each.usage, each.cost_usd)
        lacking = "; ".join(verdict.missing)
        reason = f"{verdict.reason} ({lacking})" if lacking else verdict.reason
        is_held = verdict.verdict == "not_met"
        return loop.Verdict(verdict.verdict, reason, holds=is_held, taken=tuple(taken))

    def _there(self, text: str, scope: str | None) -> Entry | None:
        """An entry of the worker's with these very words."""
        session = self._session if scope else None
        found = self._workspace.memory.search(text, scope=scope, session=session, is_use=False)
        words = text.split()
        entries = (hit.entry for hit in found.hits)
        return next((e for e in entries if e.source == _ACTOR and e.text.split() == words), None)

    def _brief(self, about: str | None, budget_tokens: int) -> str:
        if budget_tokens < LEAST_TOKENS:
            return ""
        brief = self._workspace.memory.brief(about, None, min(budget_tokens, MOST_TOKENS))
        return brief.text if brief.entries else ""


def _one_line(label: str) -> str:
    """A label that a restore point can have; a command may have many lines."""
    printable = "".join(char if char.isprintable() else " " for char in label)
    return printable[:_LABEL_CHARS]
