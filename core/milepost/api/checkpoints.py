"""Restore points as the guests see them."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from milepost.api import point_views as views
from milepost.api.differences import between, changes_of
from milepost.api.parts import CONVERSATION, FILES, MEMORY, Part, Way, parts_in, parts_of
from milepost.base.errors import UserError
from milepost.checkpoints import actions, restore, retention
from milepost.checkpoints.names import shown
from milepost.checkpoints.patch import patch
from milepost.checkpoints.restore import Wish
from milepost.checkpoints.rows import ABSENT, LOOKED, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from milepost.api.returning import Returning
    from milepost.checkpoints.rows import Snapshot
    from milepost.checkpoints.store import SnapshotStore

MAX_PAGE = 200

MAX_NAME_CHARS = 80

# More of a diff than this is not read, and an editor is slow to show it.
MAX_PATCH_CHARS = 500_000
# As much of what the user says as tells the turn from others in a list.
MAX_TURN_CHARS = 100


class Checkpoints:
    """The restore points of a workspace."""

    def __init__(
        self, store: SnapshotStore, actor: str, session: str, returning: Callable[[], Returning]
    ) -> None:
        """`returning` goes back in what stands beside the files; it is made when it is needed."""
        self._store = store
        self._actor = actor
        self._session = session
        self._returning = returning

    def within(self, session: str) -> Checkpoints:
        """The same points for someone at work in another session than the workspace's: how far
        that session was is kept with the points that are made here."""
        return Checkpoints(self._store, self._actor, session, self._returning)

    def save(self, label: str = "", *, mine: bool = False) -> views.Checkpoint:
        """Make a restore point of the files as they are. A kill does not undo it when this
        returns.

        With `mine`, what changed since this caller's last point is its own work; that is believed
        when nobody else made a point in between.
        """
        with self._store.exclusive():
            hand = self._hand() if mine and self._is_last() else "unknown"
            request = Request(self._actor, label, session=self._session, hand=hand)
            return self._checkpoint(self._store.take(request))

    def turn(self, words: str) -> views.Checkpoint:
        """Make a restore point because the user says something, before anything comes of it;
        `words` are what the user says."""
        label = _one_line(words) or "the user's turn"
        request = Request(self._actor, label, kind="turn", session=self._session)
        with self._store.exclusive():
            return self._checkpoint(self._store.take(request))

    def begin(self, label: str = "", *, actor: str | None = None) -> views.Action:
        """Make a restore point before something changes files; `finish` it afterwards. `actor` is
        who does it, if not the caller: an agent's name begins with `agent:`."""
        actor = actor or self._actor
        with self._store.exclusive():
            action, before = actions.begin(
                self._store,
                label or "before an action",
                actor=actor,
                hand=_hand_of(actor),
                session=self._session,
            )
        return views.Action(action, before.id)

    def finish(self, action_id: int, label: str = "") -> views.Diff:
        """Make the restore point after an action, and say what it changed: that is the actor's,
        unless somebody else was at work too. Raises UserError when no such action is under way."""
        with self._store.exclusive():
            before, after = actions.finish(
                self._store,
                action_id,
                label or "after an action",
                actor=self._actor,
                session=self._session,
            )
        return views.Diff(before, after.id, between(self._store, before, after.id))

    def written_by_user(self, path: str) -> None:
        """The user's editor has written this file (relative to the root)."""
        actions.claim(self._store, _name(path), hand="user")

    def name(self, checkpoint_id: int, name: str) -> views.Checkpoint:
        """Give a point a name, or with an empty one take it away. A named point is kept for good.
        Raises UserError when another has it."""
        if name.isdigit() or len(name) > MAX_NAME_CHARS or not name.isprintable():
            raise UserError(
                f"a name is at most {MAX_NAME_CHARS} printable characters and no number"
            )
        with self._store.exclusive():
            pinned = self._store.get(checkpoint_id).pinned
            marked = self._store.mark(checkpoint_id, name=name.strip() or None, pinned=pinned)
        return self._checkpoint(marked)

    def pin(self, checkpoint_id: int, *, pinned: bool = True) -> views.Checkpoint:
        """Keep a point for good, or no longer."""
        with self._store.exclusive():
            name = self._store.get(checkpoint_id).name
            marked = self._store.mark(checkpoint_id, name=name, pinned=pinned)
        return self._checkpoint(marked)

    def find(self, reference: str) -> views.Checkpoint:
        """The point with this id or name. Raises UserError when there is none."""
        if reference.isascii() and reference.isdigit():
            return self.get(int(reference))
        return self._checkpoint(self._store.named(reference))

    def prune(
        self,
        *,
        age_s: float | None = None,
        count: int | None = None,
        max_bytes: int | None = None,
    ) -> int:
        """Forget the points that are older than `age_s`, beyond the newest `count`, or whose
        contents take more than `max_bytes`; without any of these, what is forgotten by itself in
        time. Pinned and named points stay, and the newest twenty. How many went."""
        if age_s is None and count is None and max_bytes is None:
            limits = retention.DEFAULT
        else:
            limits = retention.Limits(age_s, count, max_bytes)
        with self._store.exclusive():
            return retention.forget(self._store, limits)

    def size(self) -> views.StoreSize:
        """What the restore points take."""
        return views.StoreSize(*self._store.size())

    def page(
        self,
        *,
        limit: int = 20,
        before: int | None = None,
        offset: int = 0,
        has_looked: bool = False,
    ) -> tuple[views.Checkpoint, ...]:
        """The newest restore points first; those older than `before`, when given. With
        `has_looked` also those that were only made because somebody looked: at a diff, a preview or
        a goal."""
        limit, offset = max(1, min(limit, MAX_PAGE)), max(0, offset)
        found = self._store.page(limit, before, offset, has_looked=has_looked)
        return tuple(map(self._checkpoint, found))

    def mark(self) -> views.PointsMark:
        """How many points are listed and which is the newest; other than before as soon as one was
        made, named, pinned or forgotten, by whomever."""
        return views.PointsMark(*self._store.marked())

    def get(self, checkpoint_id: int) -> views.Checkpoint:
        """One restore point. Raises UserError when there is none with this id."""
        return self._checkpoint(self._store.get(checkpoint_id))

    def diff(self, from_id: int, to_id: int | None = None) -> views.Diff:
        """How the files differ from one point to another, or to now."""
        with self._store.exclusive():
            end = self._end(from_id, to_id)
        changes = between(self._store, from_id, end)
        return views.Diff(from_id, to_id, changes)

    def patch(self, from_id: int, to_id: int | None, path: str) -> str:
        """The unified diff of one file from one point to another, or to now."""
        name = _name(path)
        with self._store.exclusive():
            end = self._end(from_id, to_id)
        states = (self._store.state_at(from_id, name), self._store.state_at(end, name))
        if states == (ABSENT, ABSENT):
            raise UserError(f"{path} is at neither point; see the diff for the paths there are")
        return patch(self._store, name, *states)

    def patches(
        self, from_id: int, to_id: int | None = None, *, path: str | None = None
    ) -> tuple[views.Diff, str]:
        """What differs from one point to another, or to now, and the unified diffs of it, cut with
        a word where they get longer than anyone reads. Of one file or folder with `path`."""
        wanted = None if path is None else _name(path)
        with self._store.exclusive():
            end = self._end(from_id, to_id)
        backwards = end < from_id
        ends = {
            name: both
            for name, both in sorted(
                self._store.between(min(from_id, end), max(from_id, end)).items()
            )
            if wanted is None or name == wanted or name.startswith(wanted + b"/")
        }
        changes = changes_of(
            (
                (name, new, old) if backwards else (name, old, new)
                for name, (old, new) in ends.items()
            ),
            self._store.hands(min(from_id, end), max(from_id, end)),
        )
        parts: list[str] = []
        size = 0
        for count, (name, (old, new)) in enumerate(ends.items()):
            if stat.S_ISDIR(old.mode or new.mode or 0):
                continue
            if size > MAX_PATCH_CHARS:
                parts.append(f"(and {len(ends) - count} more differ)\n")
                break
            part = patch(self._store, name, *((new, old) if backwards else (old, new)))
            parts.append(part)
            size += len(part)
        return views.Diff(from_id, to_id, changes), "".join(parts)

    def text_at(self, checkpoint_id: int, path: str) -> str:
        """A file's text as it was at a point; what is not UTF-8 in it is shown as escapes. Raises
        UserError when it was not there, or its content was not kept."""
        name = _name(path)
        state = self._store.state_at(self._store.get(checkpoint_id).id, name)
        if state.mode is None or stat.S_ISDIR(state.mode):
            raise UserError(f"{path} was no file at restore point {checkpoint_id}")
        if state.blob is None:
            raise UserError(f"the content of {path} was not kept at restore point {checkpoint_id}")
        return self._store.content(state.blob).decode("utf-8", "backslashreplace")

    def preview(
        self,
        checkpoint_id: int,
        *,
        paths: Sequence[str] = (),
        only_by_agents: bool = False,
        what: str = "files",
    ) -> views.Restore:
        """What a restore would do; nothing is touched. Its `plan` goes into `restore`."""
        wish = Wish(checkpoint_id, _names(paths), only_by_agents=only_by_agents)
        with self._store.exclusive():
            outcome, parts = self._plan(wish, parts_of(what), only_looks=True)
        return _restore(outcome, parts, applied=False, undo_id=None)

    def restore(
        self,
        checkpoint_id: int,
        *,
        paths: Sequence[str] = (),
        plan: str | None = None,
        force: bool = False,
        only_by_agents: bool = False,
        what: str = "files",
    ) -> views.Restore:
        """Bring the files back to a point, or `what` is named: files, memory, conversation, tasks,
        goal, several of them with commas between, or all.

        With the `plan` of a preview, what changed since that preview is refused unless `force`.
        With `only_by_agents`, only what agents are known to have changed is taken back, and what
        others changed after them is refused. An agent takes back what the user has remembered only
        with `force`, and never a goal of the user's. What was there is kept as a point of its own:
        `undo_id`."""
        since = None if plan is None else self._seen_by(plan)
        wish = Wish(checkpoint_id, _names(paths), since, force, only_by_agents)
        return self._restore(wish, parts_of(what))

    def undo(self) -> views.Restore:
        """Take the newest restore back with all its parts, and nothing else: what changed since the
        restore is refused. Twice is redo. Raises UserError when there was no restore."""
        last = self._store.newest_restore()
        if last is None or last.before is None:
            raise UserError("there is no restore to take back")
        touched = tuple(self._store.between(last.before, last.id))
        if not touched and not last.parts:
            raise UserError("the newest restore changed nothing, so there is nothing to take back")
        kind = "restored" if last.kind == "undone" else "undone"
        wish = Wish(
            last.before, touched, since=last.id, kind=kind, files=bool(touched),
            session=last.session,
        )  # fmt: skip
        return self._restore(wish, parts_in(last), undone=last)

    def redo(self) -> views.Restore:
        """Do again the restore that was undone last. Raises UserError when the newest restore was
        no undo."""
        last = self._store.newest_restore()
        if last is None or last.kind != "undone":
            raise UserError("the newest restore was not undone, so there is nothing to redo")
        return self.undo()

    def _restore(
        self, wish: Wish, wanted: frozenset[str], undone: Snapshot | None = None
    ) -> views.Restore:
        with self._store.exclusive():
            outcome, parts = self._plan(wish, wanted, undone)
            restore.apply(self._store, outcome, lambda: self._returning().apply(parts))
        return _restore(outcome, parts, applied=True, undo_id=outcome.now.id)

    def _plan(
        self,
        wish: Wish,
        wanted: frozenset[str],
        undone: Snapshot | None = None,
        *,
        only_looks: bool = False,
    ) -> tuple[restore.Outcome, list[Part]]:
        """What going back does to the files and beside them."""
        plan = partial(restore.plan, self._store, actor=self._actor, only_looks=only_looks)
        if wanted == frozenset({FILES}):
            wish = replace(wish, session=self._session)
            return plan(wish), []
        if undone is None:
            wish = self._wider(wish, wanted)
        outcome = plan(wish)
        looked = None if wish.force or wish.since is None else self._store.beside(wish.since)
        is_agents = not self._actor.startswith("user:") and not wish.force
        way = Way(
            outcome.target,
            self._store.beside(wish.target_id),
            looked,
            only_agents=wish.only_by_agents or is_agents,
            undone=undone,
        )
        return outcome, self._returning().plan(wanted, way)

    def _wider(self, wish: Wish, wanted: frozenset[str]) -> Wish:
        """A wish for files made one for other parts, with files or without. Raises UserError when
        the point does not have what is wanted."""
        if wish.paths:
            raise UserError("paths go with files alone; leave them out, or restore files only")
        if wish.only_by_agents and wanted - {FILES, MEMORY}:
            raise UserError("only files and memory can be restored as far as agents changed them")
        self._store.get(wish.target_id)
        then = self._store.beside(wish.target_id)
        if wanted == frozenset({CONVERSATION}) and (then is None or not then.position):
            raise UserError(f"restore point {wish.target_id} was not made in a conversation")
        wish = replace(wish, files=FILES in wanted, session=then.session if then else "")
        memory = self._returning().memory_in_repository
        if wish.files or MEMORY not in wanted or memory is None:
            return wish
        name = os.fsencode(memory.relative_to(self._store.root))
        if self._store.state_at(wish.target_id, name) == ABSENT and not memory.exists():
            return wish
        return replace(wish, files=True, paths=(name,))

    def _hand(self) -> str:
        return _hand_of(self._actor)

    def _is_last(self) -> bool:
        points = self._store.page(1, None)
        return bool(points) and (points[0].actor, points[0].session) == (
            self._actor, self._session
        )  # fmt: skip

    def _end(self, from_id: int, to_id: int | None) -> int:
        """The id of the later end of a diff; a snapshot of now when there is none."""
        self._store.get(from_id)
        if to_id is not None:
            return self._store.get(to_id).id
        now = self._store.seen("seen by a diff", self._actor, kind=LOOKED)
        return now.id

    def _checkpoint(self, snapshot: Snapshot) -> views.Checkpoint:
        return views.Checkpoint(
            id=snapshot.id,
            label=snapshot.label,
            actor=snapshot.actor,
            created_at=snapshot.at,
            files_changed=snapshot.files_changed,
            files_total=snapshot.files_total,
            tree_hash=snapshot.tree_hash,
            not_covered=_not_covered(self._store.left_out(snapshot.id)),
            not_covered_total=snapshot.left_out_total,
            name=snapshot.name,
            pinned=snapshot.pinned,
            kind=snapshot.kind,
            session=snapshot.session,
        )

    def _seen_by(self, plan: str) -> int:
        if not plan.isascii() or not plan.isdigit() or len(plan) > 18:
            raise UserError("the plan is not one that a preview returned; preview again")
        return self._store.get(int(plan)).id


@lru_cache(maxsize=4)
def _not_covered(named: tuple[tuple[str, str], ...]) -> tuple[views.NotCovered, ...]:
    """Nearly all points leave out the same."""
    return tuple(views.NotCovered(*pair) for pair in named)


def _hand_of(actor: str) -> str:
    """Whose hands an actor's are: the servers and the terminal name users and agents apart."""
    return "user" if actor.startswith("user:") else "agent"


def _names(paths: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(map(_name, paths))


def _name(path: str) -> bytes:
    """A path as a caller gives it, as bytes relative to the root."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or not parts or "\0" in path:
        raise UserError(f"{path!r} is not a path inside the project; give it relative to the root")
    try:
        return os.fsencode("/".join(parts))
    except UnicodeEncodeError:
        raise UserError("a path holds half of a surrogate pair; send whole characters") from None


def _restore(
    outcome: restore.Outcome, parts: list[Part], *, applied: bool, undo_id: int | None
) -> views.Restore:
    refused = [views.Refusal(shown(name), reason) for name, reason in outcome.refused]
    return views.Restore(
        checkpoint_id=outcome.target.id,
        applied=applied,
        changes=changes_of(
            ((step.name, step.now, step.then) for step in outcome.steps), outcome.by
        ),
        refused=(*refused, *(each for part in parts for each in part.refused)),
        undo_id=undo_id,
        plan=str(outcome.now.id),
        beside=tuple(change for part in parts for change in part.changes),
    )


def _one_line(words: str) -> str:
    """The first words of what was said, as a label can hold them."""
    printable = "".join(char if char.isprintable() else " " for char in words)
    line = " ".join(printable.split())
    return line if len(line) <= MAX_TURN_CHARS else line[: MAX_TURN_CHARS - 1] + "…"
