"""What a watch makes of mounts, in a mount namespace of its own; run by `test_mounts`.

An overlay is believed and must be exact. A file system that does not report everything (a queue of
messages here, for want of a network) is scanned every time: as the project itself, and as a folder
in it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from milepost import api

_DEADLINE_S = 30.0

_STEPS = (
    "echo changed > lower", "rm gone", "mv folder/inner folder/moved", "echo new > folder/new",
    "mkdir made; echo x > made/y", "mv made elsewhere", "chmod 600 kept", "rm -r folder",
)  # fmt: skip


def mount(kind: str, place: Path, *options: str) -> None:
    subprocess.run(["mount", "-t", kind, *options, kind, str(place)], check=True, timeout=20)


def until(condition: object, what: str) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} did not come")
        time.sleep(0.005)


def overlay(folder: Path) -> None:
    """A project on an overlay: each change is found without a scan, and a scan finds no other."""
    for name in ("lower", "upper", "work", "merged"):
        (folder / name).mkdir(parents=True)
    lower = folder / "lower"
    (lower / "folder").mkdir()
    for name in ("lower", "gone", "kept", "folder/inner"):
        (lower / name).write_text("first\n", "utf-8")
    layers = f"lowerdir={lower},upperdir={folder / 'upper'},workdir={folder / 'work'},userxattr"
    mount("overlay", folder / "merged", "-o", layers)
    workspace = api.open_workspace(str(folder / "merged"), actor="user:test")
    workspace.watch()
    first = workspace.checkpoints.save()
    store = workspace.checkpoints._store
    until(lambda: store._looking.watch is not None and store._looking.watch.is_level, "the watch")
    for step in _STEPS:
        subprocess.run(step, shell=True, cwd=folder / "merged", check=True, timeout=20)
        if not store._looking.watch.is_level or not workspace.checkpoints.save().files_changed:
            raise SystemExit(f"{step} was not followed")
        store._looking.watch.distrust()
        if workspace.checkpoints.save().files_changed:
            raise SystemExit(f"{step} was followed by half")
    workspace.checkpoints.restore(first.id)
    text = (folder / "merged" / "folder" / "inner").read_text("utf-8")
    if text != "first\n" or workspace.checkpoints.diff(first.id).changes:
        raise SystemExit("the overlay did not come back as it was")
    workspace.close()


def unreported(folder: Path) -> None:
    """A project, and a folder of one, on a file system that is not believed."""
    root = folder / "queues"
    root.mkdir(parents=True)
    mount("mqueue", root)
    workspace = api.open_workspace(str(root), actor="user:test")
    workspace.watch()
    workspace.checkpoints.save()
    until(lambda: any("cannot be followed" in told for told in workspace.notices()), "the notice")
    (root / "made").touch()
    if workspace.checkpoints.save().files_changed != 1:
        raise SystemExit("a new file was not found by a scan")
    workspace.close()

    project = folder / "project"
    (project / "inside").mkdir(parents=True)
    (project / "f").write_text("f\n", "utf-8")
    mount("mqueue", project / "inside")
    workspace = api.open_workspace(str(project), actor="user:test")
    workspace.watch()
    workspace.checkpoints.save()
    store = workspace.checkpoints._store
    until(lambda: store._looking.watch is not None and store._looking.watch.is_level, "the watch")
    (project / "inside" / "other").touch()
    diff = workspace.checkpoints.diff(1)
    if "inside/other" not in {change.path for change in diff.changes}:
        raise SystemExit(f"a file on the mount was missed: {diff}")
    workspace.close()


if __name__ == "__main__":
    overlay(Path(sys.argv[1]) / "overlay")
    unreported(Path(sys.argv[1]) / "unreported")
    print("exact")
