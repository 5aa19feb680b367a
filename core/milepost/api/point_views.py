"""What the guests see of restore points: frozen plain values, as all views."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NotCovered:
    """A path that a snapshot leaves out, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A restore point. `files_changed` counts against the listed point before it. One that is
    pinned, or has a name, is kept when old points are forgotten. `kind` is saved, automatic, turn
    (of the user's), before or after (an action), restored, undone, or seen (made because somebody
    looked, and not listed by itself); `session` is whose it is."""

    id: int
    label: str
    actor: str
    created_at: str
    files_changed: int
    files_total: int
    tree_hash: str
    not_covered: tuple[NotCovered, ...]
    not_covered_total: int
    name: str | None
    pinned: bool
    kind: str = "saved"
    session: str = ""


@dataclass(frozen=True, slots=True)
class PointsMark:
    """What tells whether there are other restore points than before: the id of the newest, how many
    are listed, and which of them are kept for good, in whatever form."""

    newest: int | None
    total: int
    kept: tuple[tuple[int, str | None], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """How one path differs: `kind` is added, modified, deleted, mode or type; `by` is whose the
    difference is: agent, user, restore, other (the user's or another process's), several, or
    unknown."""

    path: str
    kind: str
    by: str = "unknown"


@dataclass(frozen=True, slots=True)
class Diff:
    """The changes from one point to another (`to_id` None: to the files as they are now)."""

    from_id: int
    to_id: int | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that changes files, with a restore point before it. `id` ends it."""

    id: int
    before_id: int


@dataclass(frozen=True, slots=True)
class StoreSize:
    """What restore points take: their number, the contents they share, as files and as packed, and
    the bytes on the disk."""

    points: int
    contents: int
    content_bytes: int
    packed_bytes: int
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A path, or the name of something else, that a restore left alone, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class PartChange:
    """What a restore does beside the files: `part` is memory, conversation, tasks or goal, `what`
    says in words what is meant; `kind` is added (it comes back), modified or deleted (it goes), and
    `by` who changed it last, where that is known."""

    part: str
    what: str
    kind: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore, previewed (`applied` False) or done. `changes` are what it does to the files
    (`added` comes back, `deleted` goes), `beside` what it does to the rest. `undo_id` is the point
    that takes the restore back."""

    checkpoint_id: int
    applied: bool
    changes: tuple[Change, ...]
    refused: tuple[Refusal, ...]
    undo_id: int | None
    plan: str
    beside: tuple[PartChange, ...] = ()
