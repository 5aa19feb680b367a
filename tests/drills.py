"""The drills of the restore points: bursts of changes with restores between them by two processes,
and processes killed in the middle of a snapshot or a restore.

`python -m tests.drills WORKER` is the second process; it does what stdin says, a line each.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from milepost import api
from milepost.checkpoints.content import read
from milepost.checkpoints.coverage import Coverage
from milepost.checkpoints.rows import rows_below
from milepost.checkpoints.scan import scan
from milepost.config.tables import MAX_FILE_BYTES
from tests.bursts import Bursts
from tests.tree import Stamp, differences, fingerprint

_WORKER_S = 120.0


@dataclass
class Tally:
    """What a drill did, and what went wrong in it."""

    bursts: int = 0
    restores: int = 0
    kills: int = 0
    acknowledged: int = 0
    wrong: int = 0
    inexact: int = 0
    lost: int = 0


class Worker:
    """Another process on the same project."""

    def __init__(self, root: Path) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.drills", "obey", str(root)],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def do(self, *words: object) -> int:
        """Let it `save`, `restore ID` or `undo`; the number that it answers."""
        self._child.stdin.write(json.dumps(words).encode() + b"\n")
        self._child.stdin.flush()
        return json.loads(self._child.stdout.readline())

    def close(self) -> None:
        self._child.stdin.close()
        self._child.wait(_WORKER_S)
        self._child.stdout.close()


def fuzz(root: Path, seed: int, bursts: int, *, with_rules: bool) -> Tally:
    """Bursts, snapshots and restores in turn by this process and another, both of which watch. Each
    snapshot is compared with the tree, byte for byte; each restore with the tree of its point."""
    tally = Tally()
    (root / ".git").mkdir(parents=True)
    hands = Bursts(root, seed, with_rules=with_rules)
    hands.fill(40)
    chance = random.Random(seed)
    trees: dict[int, dict[str, Stamp]] = {}
    here = api.open_workspace(str(root), actor="user:here")
    here.watch()
    there = Worker(root)
    try:
        for _ in range(bursts):
            hands.burst()
            tally.bursts += 1
            saved = here.checkpoints.save().id if chance.random() < 0.5 else there.do("save")
            tally.wrong += _is_wrong(here, root)
            trees[saved] = fingerprint(root)
            if chance.random() < 0.35:
                _go_back(here, there, chance.choice(list(trees)), trees, chance, tally, with_rules)
                tally.wrong += _is_wrong(here, root)
    finally:
        there.close()
        here.close()
    return tally


def _go_back(
    here: api.Workspace,
    there: Worker,
    target: int,
    trees: dict[int, dict[str, Stamp]],
    chance: random.Random,
    tally: Tally,
    with_rules: bool,
) -> None:
    root = Path(here.project.root)
    before = fingerprint(root)
    if chance.random() < 0.5:
        changed = len(here.checkpoints.restore(target).changes)
    else:
        changed = there.do("restore", target)
    tally.restores += 1
    # What a rule takes out of sight is left alone, so that trees may rightly differ by it.
    found = [] if with_rules else differences(trees[target], fingerprint(root))
    if changed and chance.random() < 0.5:
        if chance.random() < 0.5:
            here.checkpoints.undo()
        else:
            there.do("undo")
        tally.restores += 1
        found += [] if with_rules else differences(before, fingerprint(root))
    if found:
        tally.inexact += 1
        print(f"point {target}: {found[:5]}", file=sys.stderr)


def _is_wrong(workspace: api.Workspace, root: Path) -> bool:
    """Whether the newest snapshot is not what is there."""
    store = workspace.checkpoints._store
    found = scan(Coverage(os.fsencode(root))).found
    with store.database.reading() as connection:
        manifest = rows_below(connection, b"")
    wrong = set(found.keys() ^ manifest.keys())
    for path, info in found.items():
        row = manifest.get(path)
        if row is None or row.mode != info.st_mode:
            wrong.add(path)
        elif row.blob is not None:
            content = read(os.path.join(os.fsencode(root), path), info, MAX_FILE_BYTES)
            if content is None or content.sha256 != row.sha256:
                wrong.add(path)
    if wrong:
        print(f"the snapshot is wrong about {sorted(wrong)[:5]}", file=sys.stderr)
    return bool(wrong)


def kill(root: Path, seed: int, kills: int) -> Tally:
    """Kill a process that snapshots and restores, again and again. What it acknowledged must be
    there afterwards, and a restore that was cut short must come out exact when it is repeated."""
    tally = Tally()
    (root / ".git").mkdir(parents=True)
    Bursts(root, seed, with_rules=False).fill(150)
    chance = random.Random(seed)
    known: dict[int, str] = {}
    for number in range(kills):
        known.update(_killed(root, seed + number, chance, tally))
        workspace = api.open_workspace(str(root), actor="user:after")
        kept = {point.id for point in _all_points(workspace)}
        tally.lost += len(known.keys() - kept)
        target = chance.choice(sorted(known)[-6:])
        workspace.checkpoints.restore(target)
        tally.restores += 1
        if digest(root) != known[target]:
            tally.inexact += 1
            print(f"kill {number}: point {target} did not come back", file=sys.stderr)
        workspace.close()
        with closing(sqlite3.connect(Path(workspace.project.data_dir) / "snapshots.db")) as base:
            tally.wrong += base.execute("PRAGMA integrity_check").fetchone()[0] != "ok"
    tally.acknowledged = len(known)
    return tally


def _killed(root: Path, seed: int, chance: random.Random, tally: Tally) -> dict[int, str]:
    """Run the victim and kill it; what it acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.drills", "suffer", str(root), str(seed)],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
    )
    # The first line tells that it is at work. The moment after it is the drill's chance.
    lines = [child.stdout.readline()]
    try:
        child.wait(chance.uniform(0.0, 0.4))
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.wait(_WORKER_S)
    tally.kills += 1
    lines += child.stdout.read().splitlines(keepends=True)
    child.stdout.close()
    return dict(json.loads(line) for line in lines if line.endswith(b"\n"))


def _all_points(workspace: api.Workspace) -> list[api.Checkpoint]:
    found: list[api.Checkpoint] = []
    while page := workspace.checkpoints.page(limit=200, before=found[-1].id if found else None):
        found += page
    return found


def digest(root: Path) -> str:
    """The hash of a folder's fingerprint."""
    return hashlib.sha256(repr(sorted(fingerprint(root).items())).encode()).hexdigest()


def _obey(root: Path) -> None:
    workspace = api.open_workspace(str(root), actor="agent:there")
    workspace.watch()
    for line in sys.stdin:
        match json.loads(line):
            case ["save"]:
                answer = workspace.checkpoints.save().id
            case ["restore", int(point)]:
                answer = len(workspace.checkpoints.restore(point).changes)
            case _:
                answer = len(workspace.checkpoints.undo().changes)
        print(json.dumps(answer), flush=True)
    workspace.close()


def _suffer(root: Path, seed: int) -> None:
    chance = random.Random(seed)
    workspace = api.open_workspace(str(root), actor="agent:victim")
    workspace.watch()
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    points: list[int] = []
    while True:
        for path in chance.sample(files, min(20, len(files))):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{chance.random()}\n" * chance.randrange(400), encoding="utf-8")
        before = digest(root)
        points.append(workspace.checkpoints.save().id)
        print(json.dumps((points[-1], before)), flush=True)
        workspace.checkpoints.restore(chance.choice(points))


if __name__ == "__main__":
    if sys.argv[1] == "obey":
        _obey(Path(sys.argv[2]))
    else:
        _suffer(Path(sys.argv[2]), int(sys.argv[3]))
