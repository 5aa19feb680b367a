"""milepost/checkpoint/didChange, milepost/goal/didChange and milepost/status/didChange: what other
processes on this machine did in an open project, or this one.

The databases say what changed; `watching.py` says when to ask them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from milepost_lsp.actions.status import status_of
from milepost_lsp.protocol import status

if TYPE_CHECKING:
    from milepost import api
    from milepost_lsp.features.feature import Desk
    from milepost_lsp.features.text_document_content import Shown
    from milepost_lsp.features.watching import Changed


@dataclass(frozen=True, slots=True)
class _Known:
    """A project as the client knows it."""

    points: api.PointsMark
    goals: tuple[int, ...]
    status: status.Status


class ProjectWatch:
    """Looks at the restore points, goals and status of all projects that are open."""

    def __init__(self, desk: Desk, shown: Shown) -> None:
        self._desk = desk
        self._shown = shown
        self._known: dict[str, _Known] = {}

    def files(self) -> set[str]:
        """The databases of the projects."""
        return {path for space in self._desk.session.opened for path in space.watched()}

    async def begin(self, space: api.Workspace) -> None:
        """Takes what the project holds as known."""
        self._known[space.project.root] = await self._desk.session.run(self._look_at, space)

    async def look(self, changed: Changed) -> None:  # noqa: ARG002  (asking costs as little)
        """Tells of what is other than before."""
        for space in self._desk.session.opened:
            now = await self._desk.session.run(self._look_at, space)
            before = self._known.setdefault(space.project.root, now)
            self._known[space.project.root] = now
            if now != before:
                self._tell(space, before, now)

    def _look_at(self, space: api.Workspace) -> _Known:
        return _Known(
            space.checkpoints.mark(), space.goals.mark(), status_of(self._desk.session, space)
        )

    def _tell(self, space: api.Workspace, before: _Known, now: _Known) -> None:
        root = Path(space.project.root).as_uri()
        notify = self._desk.editor.notify
        if now.points != before.points:
            told = status.CheckpointDidChange(root, now.points.newest)
            notify(status.CHECKPOINT_DID_CHANGE, told)
            self._shown.refresh(space.project.id, "checkpoints")
            self._shown.refresh(space.project.id, "diffs")
        if now.goals != before.goals:
            notify(status.GOAL_DID_CHANGE, status.GoalDidChange(root))
            self._shown.refresh(space.project.id, "goals")
        if now.status != before.status:
            notify(status.STATUS_DID_CHANGE, status.StatusDidChange(root, now.status))
