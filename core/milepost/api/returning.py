"""Going back in what stands beside the files: memory, tasks, goals, the conversation.

Each part is planned first, so that a preview tells what a restore does; what others changed after
the preview, or after a restore that is taken back, is named and stays unless the caller insists.
What is taken away is in the part's own log or in the point made before, so all of it comes back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from milepost.api import point_views as views
from milepost.api.parts import CONVERSATION, GOAL, MEMORY, PARTS, TASKS, Part, kept_by
from milepost.api.sessions import at_work
from milepost.api.standing import read_summary
from milepost.base.errors import MilepostError, UserError
from milepost.base.files import write_durably
from milepost.goals import standing as goals_standing
from milepost.goals.goal import is_user
from milepost.memory.past import Turned, turned_since
from milepost.memory.reader import BY_HAND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from milepost.api.masking import Masking
    from milepost.api.parts import Way
    from milepost.api.scopes import Scopes
    from milepost.api.standing import Standing
    from milepost.checkpoints.beside import Beside
    from milepost.checkpoints.rows import Snapshot
    from milepost.goals.ledger import Ledger
    from milepost.history.transcript import Transcripts
    from milepost.memory.revisions import Step
    from milepost.memory.store import MemoryStore
    from milepost.tasks.store import TaskStore

_MEANWHILE = "changed in the meantime; look at it, then preview again or force"
_ANOTHERS = "the user, or someone else's hand, changed it since; force takes that back too"
_NOT_KEPT = "was not kept with this point"

# As much of an entry, task or goal as tells it from others.
_WORDS = 80

# The result of a call stands right behind what the call itself noted.
_RESULT_WITHIN = 20


class Returning:
    """Goes back in what stands beside the files of one workspace."""

    def __init__(
        self,
        standing: Standing,
        scopes: Scopes,
        ledger: Ledger,
        transcripts: Callable[[], Transcripts],
        tasks: Callable[[], TaskStore],
        actor: str,
        masking: Masking,
    ) -> None:
        self.standing = standing
        self._scopes = scopes
        self._ledger = ledger
        self._transcripts = transcripts
        self._tasks = tasks
        self._actor = actor
        self._masking = masking

    @property
    def memory_in_repository(self) -> Path | None:
        """The path of the memory that lies among the project's files, which goes back with them."""
        store = self._scopes.one("project", "")
        return store.path if store.is_in_repository else None

    def plan(self, wanted: frozenset[str], way: Way) -> list[Part]:
        """What going back does, part by part."""
        planners = {
            MEMORY: self._memory, TASKS: self._task_tree, GOAL: self._goals,
            CONVERSATION: self._conversation,
        }  # fmt: skip
        chosen = [name for name in PARTS if name in wanted and name in planners]
        if way.then is None:
            missing = [views.Refusal(name, _NOT_KEPT) for name in chosen]
            return [Part(each.path, refused=[each]) for each in missing]
        return [planners[name](way, way.then) for name in chosen]

    def apply(self, parts: list[Part]) -> str:
        """Go back; what is kept of it for an undo. A part that fails is refused."""
        kept: dict[str, object] = {}
        for part in parts:
            if not part.changes:
                continue
            try:
                kept[part.name] = part.apply()
            except MilepostError as error:
                part.refused.append(views.Refusal(part.name, str(error)))
                part.changes.clear()
        return json.dumps(kept) if kept else ""

    def _memory(self, way: Way, then: Beside) -> Part:
        part = Part(MEMORY)
        steps: dict[MemoryStore, list[Step]] = {}
        for store, turned in self._turned(way, then, part):
            reason = self._objection(way, store, turned)
            name = _entry_name(turned.entry_id, store.label)
            if reason is not None:
                part.refused.append(views.Refusal(name, reason))
                continue
            steps.setdefault(store, []).append(turned.step)
            entry = turned.then or turned.now
            words = "" if entry is None else self._masking.text(entry.text)
            kind = _kind(turned.now, turned.then)
            part.changes.append(
                views.PartChange(MEMORY, f"{name}: {_short(words)}", kind, turned.actors[-1])
            )

        def apply() -> dict[str, int]:
            done: dict[str, int] = {}
            for store, chosen in steps.items():
                change, left = store.go_back(chosen, self._actor, f"back to point {way.point.id}")
                if change is not None:
                    done[store.label] = change.id
                for entry_id in sorted(left):
                    name = _entry_name(entry_id, store.label)
                    part.refused.append(views.Refusal(name, _MEANWHILE))
            return done

        part.apply = apply
        return part

    def _turned(self, way: Way, then: Beside, part: Part) -> Iterator[tuple[MemoryStore, Turned]]:
        """The entries that going back changes, with their memories. What holds across projects is
        no project's to take back, and is left out."""
        if way.undone is not None:
            yield from self._turned_by(way.undone)
            return
        for label, number in then.memory:
            store = self._scopes.labelled(label)
            if store.scope == "global" or not store.exists():
                continue
            try:
                for turned in turned_since(store, number, way.point.at):
                    yield store, turned
            except UserError as error:
                part.refused.append(views.Refusal(f"the {label} memory", str(error)))

    def _turned_by(self, undone: Snapshot) -> Iterator[tuple[MemoryStore, Turned]]:
        """What a restore did to memory, to be taken back."""
        for label, number in kept_by(undone).get(MEMORY, {}).items():
            store = self._scopes.labelled(label)
            store.refresh()
            changed = {
                step.entry_id: later
                for later in store.revisions.since(number)
                for step in later.steps
            }
            change = store.revisions.get(number)
            for step in change.steps:
                last = changed.get(step.entry_id, change)
                turned = Turned(step.entry_id, step.before, step.after, (last.actor,), last.id)
                yield store, turned

    def _objection(self, way: Way, store: MemoryStore, turned: Turned) -> str | None:
        """Why an entry stays as it is."""
        if way.undone is not None:
            number = kept_by(way.undone)[MEMORY][store.label]
            return _MEANWHILE if turned.last > number else None
        if way.since is not None and turned.last > dict(way.since.memory).get(store.label, 0):
            return _MEANWHILE
        is_others = any(is_user(actor) or actor == BY_HAND for actor in turned.actors)
        return _ANOTHERS if way.only_agents and is_others else None

    def _task_tree(self, way: Way, then: Beside) -> Part:
        part = Part(TASKS)
        now = self.standing.now(then.session).tasks
        if then.tasks is None or now is None:
            part.refused.append(views.Refusal("the tasks", _NOT_KEPT))
            return part
        if way.since is not None and way.since.tasks != now:
            part.refused.append(views.Refusal("the tasks", _MEANWHILE))
            return part
        old, new = _by_id(then.tasks), _by_id(now)
        for task in sorted(old.keys() | new.keys()):
            if old.get(task) != new.get(task):
                title = (old.get(task) or new.get(task) or {}).get("title", "")
                kind = _kind(new.get(task), old.get(task))
                part.changes.append(views.PartChange(TASKS, f"{task} {_short(title)}", kind))
        tree, expected = then.tasks.decode(), now.decode()
        part.apply = lambda: self._tasks().load(tree, expected=expected)
        return part

    def _goals(self, way: Way, then: Beside) -> Part:
        part = Part(GOAL)
        if then.goals is None:
            part.refused.append(views.Refusal("the goals", _NOT_KEPT))
            return part
        seen = None if way.since is None else _rows_by_id(way.since.goals)
        chosen: list[goals_standing.Turn] = []
        is_undo = way.undone is not None
        now = _rows_by_id(goals_standing.dump(self._ledger))
        for turn in goals_standing.turns(self._ledger, then.goals, self._actor, is_undo=is_undo):
            name = f"goal {turn.goal.id}"
            is_changed = seen is not None and seen.get(turn.goal.id) != now.get(turn.goal.id)
            reason = turn.reason or (_MEANWHILE if is_changed else None)
            if reason is not None:
                part.refused.append(views.Refusal(name, reason))
                continue
            chosen.append(turn)
            words = f"{name}: {turn.goal.state} -> {turn.state}, {_short(turn.goal.condition)}"
            part.changes.append(views.PartChange(GOAL, words, "modified"))

        def apply() -> bool:
            goals_standing.go_back(self._ledger, chosen, self._actor)
            return True

        part.apply = apply
        return part

    def _conversation(self, way: Way, then: Beside) -> Part:
        part = Part(CONVERSATION)
        if not then.position:
            return part  # nothing was said yet, or it was said elsewhere
        transcripts, session = self._transcripts(), then.session
        name = f"session {session}"
        now = self.standing.now(session)
        since = way.since if way.since is not None and way.since.session == session else None
        if since is not None and since.position != now.position:
            part.refused.append(views.Refusal(name, _MEANWHILE))
            return part
        position = _position(transcripts, way.point, then)
        then_items = {item.number for item in transcripts.in_force(session, until=position)}
        now_items = {item.number for item in transcripts.in_force(session)}
        away, back = len(now_items - then_items), len(then_items - now_items)
        if away:
            words = f"{name}: {away} items are put away"
            part.changes.append(views.PartChange(CONVERSATION, words, "deleted"))
        if back:
            words = f"{name}: {back} items come back"
            part.changes.append(views.PartChange(CONVERSATION, words, "added"))
        if now.summary != then.summary:
            words = f"{name}: checkpoint.md"
            kind = _kind(now.summary, then.summary)
            part.changes.append(views.PartChange(CONVERSATION, words, kind))

        def apply() -> bool:
            with at_work(self.standing.summary_path(session).parent):
                if away or back:
                    transcripts.go_back(session, position)
                self._put_summary(then)
            return True

        part.apply = apply
        return part

    def _put_summary(self, then: Beside) -> None:
        path = self.standing.summary_path(then.session)
        if read_summary(path) == then.summary:
            return
        if then.summary is None:
            path.unlink(missing_ok=True)
        else:
            write_durably(path, then.summary)


def _position(transcripts: Transcripts, point: Snapshot, then: Beside) -> int:
    """Up to where the conversation is of that point: the point after a call is made before the
    call's result is written down."""
    if point.kind == "after":
        for item in transcripts.items(then.session, after=then.position, limit=_RESULT_WITHIN):
            if item.kind == "result" and point.id in item.data["points"]:
                return item.number
    return then.position


def _by_id(dumped: bytes) -> dict[str, dict[str, Any]]:
    return {task["id"]: task for task in cast("list[dict[str, Any]]", json.loads(dumped))}


def _rows_by_id(dumped: bytes | None) -> dict[str, list[object]]:
    rows = cast("list[list[Any]]", json.loads(dumped or b"[]"))
    return {row[0]: row[1:] for row in rows}


def _kind(now: object, then: object) -> str:
    """What becomes of something that is `now` and was something else `then`."""
    if now is None:
        return "added"
    return "deleted" if then is None else "modified"


def _entry_name(entry_id: str, label: str) -> str:
    return f"entry {entry_id} ({label})"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WORDS else line[: _WORDS - 1] + "…"
