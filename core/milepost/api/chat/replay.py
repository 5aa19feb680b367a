"""A transcript as the events that it was made of, item by item.

The same events that were told while a turn ran, but in whole messages: for a session that is
loaded, and for an editor that looks on while another process works.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from milepost.api.chat import calls, views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from milepost.history.item import Item

    # The files before and after a call, by its restore points and paths.
    Diffs = Callable[[int | None, int | None, Sequence[str]], tuple[views.FileDiff, ...]]

# The tools after which the plan may read differently.
PLANNING = frozenset({"task_add", "task_set"})

BROKEN = "the process ended in the middle of this turn; say something to go on"


class Replay:
    """Turns the items of one session into events, in their order."""

    def __init__(
        self, session: str, diffs: Diffs, plan: Callable[[], views.Plan] | None, turn: str = ""
    ) -> None:
        """`plan` is told after it changed (None: not); `turn` is the one that the items begin
        in."""
        self._session = session
        self._diffs = diffs
        self._plan = plan
        self.turn = turn
        self.is_in_turn = False

    def events(self, item: Item) -> list[views.ChatEvent]:
        """What an item tells."""
        if item.kind == "user":
            self.turn = str(item.number)
            self.is_in_turn = True
        elif item.kind == "ended":
            self.is_in_turn = False
        return [views.ChatEvent(self._session, self.turn, update) for update in self._updates(item)]

    def end(self, state: str) -> list[views.ChatEvent]:
        """What is to be said after the last item of a session in this state: a turn that nobody
        runs any more is over."""
        if not self.is_in_turn or state == "running":
            return []
        self.is_in_turn = False
        ended = views.TurnEnded("error", BROKEN, views.TurnUsage())
        if state == "ended":
            ended = views.TurnEnded("end_turn", "", views.TurnUsage())
        return [views.ChatEvent(self._session, self.turn, ended)]

    def _updates(self, item: Item) -> Iterator[views.ChatUpdate]:
        data = item.data
        match item.kind:
            case "user":
                yield views.UserChunk(data["text"])
            case "assistant":
                yield from map(_part, data["parts"])
            case "result":
                before, after = data["points"]
                yield calls.ended(
                    data["call"],
                    data["text"],
                    failed=data["failed"],
                    diffs=self._diffs(before, after, data["paths"]),
                    points=(before, after),
                )
                if self._plan and data["tool"] in PLANNING and not data["failed"]:
                    yield self._plan()
            case "rebuilt":
                yield PUT_AWAY
            case "went_back":
                yield WENT_BACK
            case _:
                kept = from_data(item.kind, data)
                if kept is not None:
                    yield kept


PUT_AWAY = views.ChatNotice(
    "info", "The conversation was put away to make room; nothing of it is lost."
)


WENT_BACK = views.ChatNotice(
    "info", "The conversation went back to an earlier point; load it anew to see it as it is now."
)


def _part(part: dict[str, Any]) -> views.ChatUpdate:
    match part["type"]:
        case "Thought":
            return views.ThoughtChunk(part["text"])
        case "ToolCall":
            subject = calls.subject_of(part["name"], _object(part["arguments"]))
            return calls.shown(part["id"], part["name"], subject, "in_progress")
        case _:
            return views.AgentChunk(part["text"])


def _object(text: str) -> dict[str, object] | None:
    try:
        value: object = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def to_data(update: views.ChatUpdate) -> tuple[str, dict[str, object]] | None:
    """The kind and the data of the item by which an update is kept; None for one that the
    transcript has anyway."""
    match update:
        case views.MemoryRecall(entries):
            fields = views.Recalled.__slots__
            listed = [{name: getattr(entry, name) for name in fields} for entry in entries]
            return "recalled", {"entries": listed}
        case views.PointMade(checkpoint_id, label):
            return "point", {"id": checkpoint_id, "label": label}
        case views.GoalJudged(goal_id, verdict, reason):
            return "judged", {"goal": goal_id, "verdict": verdict, "reason": reason}
        case views.ChatNotice(level, text):
            return "notice", {"level": level, "text": text}
        case views.TurnEnded(stop_reason, message, usage):
            taken = {name: getattr(usage, name) for name in views.TurnUsage.__slots__}
            return "ended", {"stop": stop_reason, "message": message, "usage": taken}
        case _:
            return None


def from_data(kind: str, data: dict[str, Any]) -> views.ChatUpdate | None:
    """The update that was kept as an item of this kind."""
    match kind:
        case "recalled":
            return views.MemoryRecall(tuple(views.Recalled(**each) for each in data["entries"]))
        case "point":
            return views.PointMade(data["id"], data["label"])
        case "judged":
            return views.GoalJudged(data["goal"], data["verdict"], data["reason"])
        case "notice":
            return views.ChatNotice(data["level"], data["text"])
        case "ended":
            usage = views.TurnUsage(**data["usage"])
            return views.TurnEnded(data["stop"], data["message"], usage)
        case _:
            return None
