"""Going back to a point, without ever destroying work.

A restore looks at the workspace first and stores what it finds, so that it can be taken back. It
touches only what differs, checks each path once more right before it touches it, and leaves alone
whatever is not as it was stored: that path is refused, with its reason, and the rest goes on. A
restore that was cut short is simply repeated.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from milepost.base.errors import UserError
from milepost.checkpoints.hands import Hands, Refused, Step, is_removal
from milepost.checkpoints.names import above, shown
from milepost.checkpoints.rows import ABSENT, LOOKED, Request
from milepost.checkpoints.taking import Known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from milepost.checkpoints.rows import Row, Snapshot, State
    from milepost.checkpoints.spans import Span
    from milepost.checkpoints.store import SnapshotStore

_NOT_KEPT = "its content of that time was not kept (too large or not readable)"
_DAMAGED = "its stored content is damaged; an older or newer point may have it whole"
_FOREIGN = "it changed in the meantime; look at it, then preview again or force"
_NOT_ONLY_AGENTS = "someone else changed it after the agent; look at it, or restore it by its path"


@dataclass(slots=True)
class Outcome:
    """A restore planned or done: its steps, the paths it leaves alone, how to take it back, and
    whose the changes are that it takes back. `rows` is what the manifest says of the steps' paths,
    where they are to be carried out."""

    target: Snapshot
    now: Snapshot
    steps: list[Step]
    request: Request
    by: dict[bytes, str]
    refused: list[tuple[bytes, str]] = field(default_factory=list[tuple[bytes, str]])
    rows: dict[bytes, Row] = field(default_factory=dict[bytes, "Row"])


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to come back: all files of a point, or those below `paths`.

    `since` is the point that a preview saw: paths that changed after it are refused unless `force`.
    With `only_by_agents` the changes of agents are taken back, and nobody else's. Without `files`
    no file is touched: something else is to come back. `session` is whose restore it is.
    """

    target_id: int
    paths: tuple[bytes, ...] = ()
    since: int | None = None
    force: bool = False
    only_by_agents: bool = False
    kind: str = "restored"
    files: bool = True
    session: str = ""


def plan(store: SnapshotStore, wish: Wish, *, actor: str, only_looks: bool = False) -> Outcome:
    """What a restore would do; `only_looks` when it will not be carried out. Hold
    `store.exclusive()`. Raises UserError when a point or a path does not exist."""
    target = store.get(wish.target_id)
    if only_looks:
        label, kind = f"seen by a preview of going back to {target.id}", LOOKED
    else:
        label, kind = f"before going back to {target.id}", "automatic"
    with store.seeing(Request(actor, label, kind, session=wish.session)) as now:
        outcome = _planned(store, wish, target, now, actor)
        if not only_looks:
            # As long as we are in here the disk has something to do.
            outcome.rows = store.rows(step.name for step in outcome.steps)
    return outcome


def apply(store: SnapshotStore, outcome: Outcome, beside: Callable[[], str]) -> Snapshot:
    """Carry out a plan made under the same lock, and return the snapshot that it leaves behind.

    Paths that cannot be restored move from `steps` to `refused`. `beside` brings back what is to
    come back beside the files; what it returns is kept with the snapshot.
    """
    known = Known(store.database.identity(), outcome.rows)
    done: list[Step] = []
    with Hands(store.root, outcome.rows) as hands:
        _carry_out(outcome, hands, _contents(store, outcome.steps, known), done)
    outcome.steps[:] = done
    hashes = {blob: sha256 for sha256, blob in known.contents.items()}
    for step in done:
        if step.name in hands.written and step.then.blob is not None:
            known.written[step.name] = hands.written[step.name], hashes[step.then.blob]
    return store.take(outcome.request._replace(parts=beside()), known=known)


def _planned(
    store: SnapshotStore, wish: Wish, target: Snapshot, now: Snapshot, actor: str
) -> Outcome:
    span = store.span(target.id, now.id)
    chosen = _chosen(store, wish, now, span)
    label = f"went back to {target.id}"
    request = Request(
        actor, label, wish.kind, target.id, now.id, session=wish.session, hand="restore"
    )
    outcome = Outcome(target, now, [], request, span.hands)
    has_to_agree = wish.since is not None and not wish.force
    foreign = store.between(wish.since or 0, now.id) if has_to_agree else {}
    for name, choice in sorted(chosen.items()):
        reason = None
        if isinstance(choice, str):
            reason = choice
        elif choice.then == ABSENT and name in span.adopted:
            reason = "it was not covered at that point, so it may be older than the point"
        elif stat.S_ISREG(choice.then.mode or 0) and choice.then.blob is None:
            reason = _NOT_KEPT
        elif name in foreign:
            reason = _FOREIGN
        if reason is None and isinstance(choice, Step):
            outcome.steps.append(choice)
        else:
            outcome.refused.append((name, reason or ""))
    return outcome


def _carry_out(
    outcome: Outcome, hands: Hands, contents: Iterator[bytes | None], done: list[Step]
) -> None:
    removals = [step for step in outcome.steps if is_removal(step)]
    removed: set[bytes] = set()
    for step in sorted(removals, key=lambda step: -step.name.count(b"/")):
        if _done(outcome, step, hands.remove):
            removed.add(step.name)
    for step, data in zip(outcome.steps, contents, strict=True):
        if is_removal(step) and step.name not in removed:
            continue
        if data is None:
            outcome.refused.append((step.name, _DAMAGED))
        elif step.then == ABSENT or _done(outcome, step, partial(hands.make, data=data)):
            done.append(step)
    hands.finish_folders()


def _contents(store: SnapshotStore, steps: list[Step], known: Known) -> Iterator[bytes | None]:
    """What each step puts there, None when it is damaged; nothing for those that take away, or make
    a folder."""
    contents = store.contents([step.then.blob for step in steps if step.then.blob is not None])
    for step in steps:
        if step.then.blob is None:
            yield b""
        else:
            content = next(contents)
            if content is not None:
                known.contents[content.sha256] = content.blob
            yield content and content.data


def _chosen(store: SnapshotStore, wish: Wish, now: Snapshot, span: Span) -> dict[bytes, Step | str]:
    """The steps to the wanted states, or why there is none, by path."""
    chosen: dict[bytes, Step | str] = {}
    if not wish.files:
        return chosen
    if wish.only_by_agents:
        for name, chain in store.changes(wish.target_id, now.id).items():
            step = _by_agents(name, chain)
            if step is not None:
                chosen[name] = step
    else:
        for name, (then, present) in span.ends().items():
            chosen[name] = Step(name, present, then)
    if not wish.paths:
        return chosen
    wanted = set(wish.paths)
    covered = {place for name in chosen for place in (name, *above(name))}
    for path in wanted - covered:
        if all(store.state_at(point, path) == ABSENT for point in (wish.target_id, now.id)):
            raise UserError(f"no covered file or folder {shown(path)} exists now or at that point")
    return {
        name: choice
        for name, choice in chosen.items()
        if not wanted.isdisjoint((name, *above(name)))
    }


def _by_agents(name: bytes, chain: list[tuple[State, State, str]]) -> Step | str | None:
    """Back to what was there before the agents' last changes, if nobody came after them."""
    if chain[0][0] == chain[-1][1] or all(hand != "agent" for _, _, hand in chain):
        return None
    later = 0
    while later < len(chain) and chain[-1 - later][2] == "agent":
        later += 1
    if later == 0:
        return _NOT_ONLY_AGENTS
    then, present = chain[len(chain) - later][0], chain[-1][1]
    return None if then == present else Step(name, present, then)


def _done(outcome: Outcome, step: Step, act: Callable[[Step], None]) -> bool:
    """Whether `act` did its step; when it could not, the path is refused with the reason."""
    try:
        act(step)
    except Refused as refusal:
        outcome.refused.append((step.name, str(refusal)))
        return False
    except OSError as error:
        outcome.refused.append((step.name, f"the system refused ({error.strerror})"))
        return False
    return True
