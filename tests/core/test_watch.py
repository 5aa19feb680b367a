"""Following a workspace: nothing that changes is missed, and what cannot be followed is scanned."""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from milepost import api
from milepost.checkpoints import inotify, keeper
from milepost.checkpoints.watch import Watch
from tests.core.test_snapshots import sh
from tests.tree import fingerprint

_DEADLINE_S = 20.0


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come")
        time.sleep(0.005)


def watch_of(workspace: api.Workspace) -> Watch:
    return workspace.checkpoints._store._looking.watch


@pytest.fixture
def watching(project: Path) -> Iterator[api.Workspace]:
    """The project with a first point, followed and level: from here on nothing is scanned."""
    opened = api.open_workspace(str(project), actor="user:test")
    opened.watch()
    opened.checkpoints.save()
    until(lambda: watch_of(opened) is not None and watch_of(opened).is_level, "the watch")
    yield opened
    opened.close()


def changed(workspace: api.Workspace) -> set[str]:
    """What the next point finds, taken without a scan; it is what a scan finds."""
    before = workspace.checkpoints.page(limit=1)[0].id
    assert watch_of(workspace).is_level
    after = workspace.checkpoints.save().id
    found = {change.path for change in workspace.checkpoints.diff(before, after).changes}
    watch_of(workspace).distrust()
    assert workspace.checkpoints.save().files_changed == 0
    return found


_CHANGES = {
    "written": ("echo b > f", {"f"}),
    "appended": ("echo b >> d/g", {"d/g"}),
    "made": ("echo b > new", {"new"}),
    "deleted": ("rm d/g", {"d/g"}),
    "renamed": ("mv f z", {"f", "z"}),
    "mode": ("chmod 700 f", {"f"}),
    "folder mode": ("chmod 700 d", {"d"}),
    "times only": ("touch f", set()),
    "folders made and filled at once": (
        "mkdir -p n/m/o; echo 1 > n/m/o/p; echo 2 > n/q", {"n", "n/m", "n/m/o", "n/m/o/p", "n/q"},
    ),
    "a new folder moved before it was seen": (
        "mkdir -p n/m; mv d n/m/d; echo x > n/m/d/new",
        {"n", "n/m", "d", "d/g", "n/m/d", "n/m/d/g", "n/m/d/new"},
    ),
    "folder moved away and back, changed there": (
        "mv d ../aside; echo x > ../aside/g; mv ../aside d", {"d/g"},
    ),
    "folders swapped": (
        "mkdir e; echo e > e/h; mv d t; mv e d; mv t e; echo 2 > e/g; echo 3 > d/h",
        {"d/g", "d/h", "e", "e/g"},
    ),
    "folder deleted": ("rm -r d", {"d", "d/g"}),
    "folder becomes file": ("rm -r d; echo d > d", {"d", "d/g"}),
    "file becomes folder": ("rm f; mkdir f; echo g > f/g", {"f", "f/g"}),
    "folder becomes link": ("mv d e; ln -s e d", {"d", "d/g", "e", "e/g"}),
    "link that loops": ("ln -s loop loop; ln -s . here", {"loop", "here"}),
    "rule takes a file out": ("echo f > .gitignore", {"f", ".gitignore"}),
    "what is ignored": ("echo '*.log' > .gitignore; echo x > a.log", {".gitignore"}),
    "inside what is never covered": ("mkdir node_modules; echo x > node_modules/f", set()),
    "many": ("mkdir m; for i in $(seq 500); do echo $i > m/$i; done",
             {"m", *(f"m/{number}" for number in range(1, 501))}),
}  # fmt: skip


@pytest.mark.parametrize("name", _CHANGES)
def test_a_point_without_a_scan_finds_what_changed(
    project: Path, watching: api.Workspace, name: str
) -> None:
    sh(project, "echo a > f; mkdir d; echo a > d/g; sleep 0.01")
    changed(watching)
    watching.checkpoints.save()
    command, expected = _CHANGES[name]
    sh(project, command)
    assert changed(watching) == expected


def test_the_list_of_covered_files_is_that_of_a_scan_and_makes_no_point(
    project: Path, watching: api.Workspace
) -> None:
    store = watching.checkpoints._store
    points = watching.checkpoints.page(limit=1)[0].id
    steps = (
        "echo 1 > a; mkdir -p d/e; echo 2 > d/e/b; ln -s a link", "mv d g; rm a; echo 3 > new",
        "echo new > .gitignore", "rm .gitignore; rm -r g", "mkdir x; echo 4 > x/y; mv x z",
    )  # fmt: skip
    for step in steps:
        sh(project, step)
        followed = store.covered()
        assert watch_of(watching).is_level
        scanned = api.open_workspace(str(project), actor="user:test")
        assert followed == scanned.checkpoints._store.covered()
        scanned.close()
        assert store.covered() == followed
    assert watching.checkpoints.page(limit=1)[0].id == points
    assert watching.checkpoints.save().files_changed > 0


def test_a_folder_that_a_rule_hid_is_followed_once_it_is_back(
    project: Path, watching: api.Workspace
) -> None:
    sh(project, "echo out/ > .gitignore; mkdir -p out/deep; echo 1 > out/deep/f")
    assert changed(watching) == {".gitignore"}
    sh(project, "rm .gitignore")
    assert changed(watching) == {".gitignore", "out", "out/deep", "out/deep/f"}
    sh(project, "echo 2 > out/deep/f")
    assert changed(watching) == {"out/deep/f"}


def test_the_rules_in_the_git_folder_count_as_soon_as_they_change(
    project: Path, watching: api.Workspace
) -> None:
    sh(project, "echo 1 > f; mkdir -p .git/info")
    watching.checkpoints.save()
    sh(project, "echo f > .git/info/exclude")
    assert changed(watching) == {"f"}
    sh(project, "echo > .git/info/exclude; echo 2 > f")
    assert changed(watching) == {"f"}


def test_a_write_through_another_name_outside_is_found(
    project: Path, watching: api.Workspace, tmp_path: Path
) -> None:
    sh(project, "echo a > f; ln f ../outside")
    changed(watching)
    (tmp_path / "outside").write_text("b", "utf-8")
    assert changed(watching) == {"f"}


def test_a_write_through_a_memory_map_is_found_when_the_file_is_closed(
    project: Path, watching: api.Workspace
) -> None:
    sh(project, "seq 5000 > f")
    changed(watching)
    with (project / "f").open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[0:1] = b"X"
    assert changed(watching) == {"f"}


def test_a_queue_that_overflowed_is_not_believed_and_nothing_is_lost(
    project: Path, watching: api.Workspace
) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text("ascii"))
    sh(project, "echo a > f; echo a > g")
    watching.checkpoints.save()
    watch = watch_of(watching)
    with watch._guard:  # the keeper cannot drain, as on a machine that is too busy
        for _ in range(limit // 2 + 1000):
            # Two names in turn, or the kernel would merge the changes into one.
            os.utime(project / "f")
            os.utime(project / "g")
        (project / "last").write_text("seen by nobody", "utf-8")
        watch.drain()
        assert not watch.is_level
    assert watching.checkpoints.save().files_changed == 1


def test_what_changed_between_two_processes_is_neither_missed_nor_doubled(
    project: Path, watching: api.Workspace
) -> None:
    other = api.open_workspace(str(project), actor="user:other")
    sh(project, "echo 1 > f; mkdir d; echo 1 > d/g")
    assert other.checkpoints.save().files_changed == 3
    assert watching.checkpoints.save().files_changed == 0
    sh(project, "echo 2 > f; rm -r d")
    other.checkpoints.save()
    sh(project, "echo 3 > f")
    assert watching.checkpoints.save().files_changed == 1
    other.close()


def test_a_point_that_fails_forgets_no_change(project: Path, watching: api.Workspace) -> None:
    sh(project, "echo 1 > f")
    store = watching.checkpoints._store
    with (
        pytest.raises(ZeroDivisionError),
        store.exclusive(),
        store._looking.look(store.database.identity()),
    ):
        raise ZeroDivisionError
    assert changed(watching) == {"f"}


def test_a_point_after_the_data_was_wiped_or_damaged_is_whole(
    project: Path, watching: api.Workspace
) -> None:
    sh(project, "echo 1 > f; echo 1 > g")
    watching.checkpoints.save()
    other = api.open_workspace(str(project), actor="user:other")
    other.data.wipe()
    sh(project, "echo 2 > f")
    assert watching.checkpoints.save().files_total == 3
    database = Path(watching.project.data_dir) / "snapshots.db"
    watching.checkpoints._store.database.close()
    database.write_bytes(b"damaged" * 2000)
    database.with_name("snapshots.db-wal").unlink(missing_ok=True)
    sh(project, "echo 3 > f")
    try:
        point = watching.checkpoints.save()
    except api.WorldError:
        point = watching.checkpoints.save()
    assert point.files_total == 3
    other.close()


def test_a_file_that_is_open_for_writing_is_kept_named_and_looked_at_again(
    project: Path, watching: api.Workspace
) -> None:
    with (project / "log").open("wb", buffering=0) as file:
        file.write(b"half")
        point = watching.checkpoints.save()
        assert "log" in {item.path for item in point.not_covered}
        file.write(b" and whole")
    point = watching.checkpoints.save()
    assert "log" not in {item.path for item in point.not_covered}
    (project / "log").unlink()
    watching.checkpoints.restore(point.id)
    assert (project / "log").read_bytes() == b"half and whole"


def test_what_the_system_did_not_tell_is_found_by_the_check(
    project: Path, watching: api.Workspace
) -> None:
    sh(project, "echo a > f; echo a > g; sleep 0.05")
    changed(watching)
    watch_of(watching).take()
    sh(project, "echo b > f; rm g; mkdir d; echo x > d/h")
    watch_of(watching).take()  # what was told is thrown away, as if it had not been
    store = watching.checkpoints._store
    store._keeper._check()
    assert store._looking.missed_by_events == 4
    assert any("without the system telling" in notice for notice in watching.notices())
    assert watching.checkpoints.save().files_changed == 4


def test_a_project_that_is_moved_is_scanned_from_then_on_and_that_is_told(
    project: Path, watching: api.Workspace, tmp_path: Path
) -> None:
    project.rename(tmp_path / "moved")
    told: list[str] = []
    until(lambda: told.extend(watching.notices()) or told, "the notice")
    assert "no longer followed: the project's folder was moved" in told[0]
    (tmp_path / "moved").rename(project)
    sh(project, "echo 1 > f")
    assert watching.checkpoints.save().files_changed == 1


def test_where_the_limit_of_watches_is_reached_all_is_scanned_and_that_is_told(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inotify.Inotify, "add", _no_space)
    opened = api.open_workspace(str(project), actor="user:test")
    opened.watch()
    told: list[str] = []
    until(lambda: told.extend(opened.notices()) or told, "the notice")
    assert "max_user_watches" in told[0]
    assert "each scans the whole project" in told[0]
    sh(project, "echo 1 > f")
    assert opened.checkpoints.save().files_total == 2
    opened.close()


def _no_space(self: inotify.Inotify, path: bytes) -> int:
    raise inotify.Unwatchable("the limit of inotify watches is reached; raise max_user_watches")


def test_only_file_systems_that_report_everything_are_believed(tmp_path: Path) -> None:
    assert inotify.reports_changes(os.fsencode(tmp_path))
    assert not inotify.reports_changes(b"/proc")
    with pytest.raises(inotify.Unwatchable, match="does not report"):
        Watch(b"/proc")


def test_the_first_point_of_a_large_project_finds_its_contents_read_ahead(project: Path) -> None:
    sh(project, "mkdir d; for i in $(seq 900); do seq $i > d/$i; done; sleep 0.05")
    opened = api.open_workspace(str(project), actor="user:test")
    progress: list[tuple[int, int]] = []
    opened.watch(lambda done, total: progress.append((done, total)))
    until(lambda: progress and progress[-1][0] == progress[-1][1], "the reading ahead")
    assert progress[-1] == (901, 901)
    assert opened.checkpoints.page() == ()
    assert opened.checkpoints.save().files_total == 901
    before = fingerprint(project)
    shutil.rmtree(project / "d")
    opened.checkpoints.restore(1)
    assert fingerprint(project) == before
    opened.close()


def test_a_point_asked_for_while_contents_are_read_ahead_is_whole(project: Path) -> None:
    sh(project, "mkdir d; for i in $(seq 900); do seq $i > d/$i; done")
    opened = api.open_workspace(str(project), actor="user:test")
    opened.watch()
    assert opened.checkpoints.save().files_total == 901
    sh(project, "echo x > d/5")
    assert opened.checkpoints.save().files_changed == 1
    opened.close()


def test_what_is_acknowledged_is_on_the_disk_a_moment_later(
    project: Path, watching: api.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = watching.checkpoints._store
    until(lambda: not store._keeper._has_commits, "the sync of what was before")
    synced: list[bool] = []
    real = store.database.barrier
    monkeypatch.setattr(store.database, "barrier", lambda: (real(), synced.append(True)))
    began = time.monotonic()
    watching.checkpoints.save()
    until(lambda: synced, "the sync")
    assert time.monotonic() - began < keeper.PAUSE_S + _DEADLINE_S


def test_old_contents_are_packed_against_newer_ones_in_a_quiet_moment_and_read_back(
    project: Path, watching: api.Workspace
) -> None:
    trees: dict[int, str] = {}
    for number in range(25):
        sh(project, f"seq 3000 > f; echo {number} >> f; seq {number} > g")
        trees[watching.checkpoints.save().id] = (project / "f").read_text("ascii")
    store = watching.checkpoints._store
    packed = watching.checkpoints.size().packed_bytes
    store._keeper._tidy()
    assert watching.checkpoints.size().packed_bytes < packed / 3
    with store.database.reading() as connection:
        (deltas,) = connection.execute("SELECT count(*) FROM blob WHERE encoding = 2").fetchone()
    assert deltas >= 20
    for point, content in trees.items():
        watching.checkpoints.restore(point, paths=["f"])
        assert (project / "f").read_text("ascii") == content


def test_contents_that_come_and_go_are_never_packed_in_a_circle(
    project: Path, watching: api.Workspace
) -> None:
    points: list[int] = []
    for number in range(12):
        sh(project, f"seq {2000 + number % 3} > f")
        points.append(watching.checkpoints.save().id)
        watching.checkpoints._store._keeper._tidy()
    for number, point in enumerate(points):
        watching.checkpoints.restore(point)
        last = (project / "f").read_text("ascii").split()[-1]
        assert last == str(2000 + number % 3)


def test_a_watch_gives_its_descriptors_back(project: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        opened = api.open_workspace(str(project), actor="user:test")
        opened.watch()
        opened.checkpoints.save()
        opened.close()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_project_reached_through_a_link_is_followed(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project)
    opened = api.open_workspace(str(tmp_path / "link"), actor="user:test")
    opened.watch()
    opened.checkpoints.save()
    until(lambda: watch_of(opened) is not None and watch_of(opened).is_level, "the watch")
    subprocess.run(["/bin/sh", "-c", "echo 1 > link/f"], cwd=tmp_path, check=True, timeout=20)
    assert changed(opened) == {"f"}
    opened.close()
