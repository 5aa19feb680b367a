"""Restore points: everything comes back byte for byte, and nothing is ever destroyed."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from milepost import api
from tests.conftest import git
from tests.tree import fingerprint


def sh(folder: Path, command: str) -> None:
    subprocess.run(["/bin/sh", "-ec", command], cwd=folder, check=True, timeout=60)


# Each case: how the project is made, and what then happens to it.
_CASES = {
    "modified": ("echo a > f", "echo b > f"),
    "appended": ("seq 1000 > f", "echo more >> f"),
    "deleted": ("echo a > f", "rm f"),
    "added": ("true", "echo a > f"),
    "added in new folders": ("true", "mkdir -p a/b/c; echo a > a/b/c/f"),
    "folder deleted": ("mkdir -p a/b; echo a > a/b/f; echo b > a/g", "rm -r a"),
    "renamed": ("echo a > f", "mv f g"),
    "folder renamed": ("mkdir a; seq 100 > a/f", "mv a b"),
    "binary": ("head -c 3000 /dev/urandom > f", "head -c 2000 /dev/urandom > f"),
    "emptied": ("echo a > f", ": > f"),
    "crlf": ("printf 'a\\r\\nb\\r\\n' > f", "printf 'a\\nb\\n' > f"),
    "attributes and filters": (
        "printf '*.txt text eol=crlf ident\\n' > .gitattributes; printf 'a\\n$Id$\\n' > f.txt",
        "printf 'b\\n' > f.txt",
    ),
    "exec bit": ("echo a > f; chmod 755 f", "chmod 644 f"),
    "mode 0600": ("echo a > f; chmod 600 f", "chmod 644 f; echo b > f"),
    "read-only": ("echo a > f; chmod 444 f", "rm -f f"),
    "folder mode": ("mkdir a; chmod 750 a; echo a > a/f", "chmod 700 a"),
    "link": ("echo a > f; ln -s f l", "ln -sf g l"),
    "dangling link": ("ln -s nowhere l", "rm l"),
    "link to a folder": ("mkdir a; ln -s a l", "rm l; mkdir l; echo x > l/f"),
    "link outside": ("ln -s /etc l", "rm l"),
    "file becomes folder": ("echo a > f", "rm f; mkdir f; echo b > f/g"),
    "folder becomes file": ("mkdir f; echo b > f/g", "rm -r f; echo a > f"),
    "file becomes link": ("echo a > f; echo g > g", "rm f; ln -s g f"),
    "empty folder": ("mkdir a", "rmdir a"),
    "empty folders within": ("mkdir -p a/b/c a/d", "rm -r a"),
    "hard links": ("echo a > f; ln f g", "echo b > f"),
    "odd names": (
        "echo a > 'a b'; echo a > \"q'\\\"q\"; echo a > 'n\nl'; echo a > ./-dash; echo a > 'é漢'",
        "rm -- 'a b' ./-dash; echo b > 'n\nl'",
    ),
    "names that differ in case": ("echo a > F; echo b > f", "rm F"),
    "nested repository": (
        "mkdir sub; cd sub; git init -q; echo a > f",
        "cd sub; echo b > f; echo c > g",
    ),
    "swapped files": ("echo a > f; echo b > g", "mv f t; mv g f; mv t g"),
    "same size and time": (
        "echo a > f; touch -d '2020-01-01' f",
        "echo b > f; touch -d '2020-01-01' f",
    ),
    "absolute link": ("ln -s /etc/hostname l", "ln -sfn /etc/passwd l"),
    "link that loops": ("ln -s l l; ln -s . here", "rm l; echo a > l"),
    "link becomes file": ("echo a > f; ln -s f l", "rm l; echo b > l"),
    "hard links taken apart": ("echo a > f; ln f g; ln f h", "rm f; echo c > f; echo d >> g"),
    "read-only changed": ("echo a > f; chmod 444 f", "rm -f f; echo b > f; chmod 400 f"),
    "read-only folder": (
        "mkdir a; echo 1 > a/f; chmod 555 a",
        "chmod 755 a; echo 2 > a/f; echo 3 > a/g; chmod 555 a",
    ),
    "set-group-id folder": ("mkdir a; chmod 2775 a", "chmod 755 a"),
    "executable rewritten": ("printf '#!/bin/sh\n' > f; chmod 755 f", "echo x >> f"),
    "grown and shrunk": ("seq 3000 > f; echo 1 > g", "echo 1 > f; seq 3000 > g"),
    "sparse": ("truncate -s 3M f; echo a >> f", "truncate -s 1M f"),
    "folder becomes link": ("mkdir a b; echo 1 > a/f", "rm -r a; ln -s b a"),
    "folders swapped": ("mkdir a b; echo 1 > a/f; echo 2 > b/f", "mv a t; mv b a; mv t b"),
    "submodule": (
        """git init -q ../lib; cd ../lib; echo a > f; git add f
        git -c user.name=a -c user.email=a@b commit -qm a; cd ../project
        git -c protocol.file.allow=always submodule add -q ../lib lib""",
        "echo b > lib/f; echo c > lib/g; rm .gitmodules",
    ),
    "odd bytes": (
        "echo a > \"$(printf 'caf\\351')\"; mkdir \"$(printf 'd\\377')\"",
        "rm \"$(printf 'caf\\351')\"; echo b > \"$(printf 'd\\377/x\\001')\"",
    ),
    "many files": (
        "for i in $(seq 300); do echo $i > f$i; done",
        "for i in $(seq 1 2 300); do rm f$i; done; for i in $(seq 2 2 300); do echo x >> f$i; done",
    ),
}


@pytest.mark.parametrize("name", _CASES)
@pytest.mark.parametrize("is_watched", [False, True], ids=["scanned", "watched"])
def test_the_tree_comes_back_exactly_and_the_restore_can_be_undone_and_redone(
    project: Path, workspace: api.Workspace, name: str, is_watched: bool
) -> None:
    before, after = _CASES[name]
    if is_watched:
        workspace.watch()
    sh(project, before)
    point = workspace.checkpoints.save("good")
    good = fingerprint(project)
    sh(project, after)
    broken = fingerprint(project)
    assert broken != good

    preview = workspace.checkpoints.preview(point.id)
    assert fingerprint(project) == broken
    done = workspace.checkpoints.restore(point.id, plan=preview.plan)
    assert done.refused == ()
    assert done.changes == preview.changes
    assert fingerprint(project) == good

    assert workspace.checkpoints.undo().refused == ()
    assert fingerprint(project) == broken
    assert workspace.checkpoints.redo().refused == ()
    assert fingerprint(project) == good


def test_a_name_that_is_not_utf8_comes_back(project: Path, workspace: api.Workspace) -> None:
    odd = os.path.join(os.fsencode(project), b"caf\xe9")
    Path(os.fsdecode(odd)).write_bytes(b"a")
    point = workspace.checkpoints.save()
    os.unlink(odd)
    (change,) = workspace.checkpoints.restore(point.id).changes
    assert change.path == "caf\\xe9"
    assert Path(os.fsdecode(odd)).read_bytes() == b"a"


def test_the_users_git_is_untouched(project: Path, workspace: api.Workspace) -> None:
    sh(project, "echo a > f; git add f; echo b > f")
    git_before = fingerprint(project / ".git", leave_out=())
    point = workspace.checkpoints.save()
    sh(project, "rm f README.md; echo new > g")
    workspace.checkpoints.diff(point.id)
    workspace.checkpoints.restore(point.id)
    workspace.checkpoints.undo()
    assert fingerprint(project / ".git", leave_out=()) == git_before


def test_no_hook_filter_or_configuration_of_the_repository_runs(
    project: Path, workspace: api.Workspace, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    git(project, "config", "filter.evil.clean", f"touch {mark}; cat")
    git(project, "config", "filter.evil.smudge", f"touch {mark}; cat")
    git(project, "config", "core.fsmonitor", f"touch {mark}")
    sh(project, "printf '* filter=evil\\n' > .gitattributes; echo a > f")
    point = workspace.checkpoints.save()
    sh(project, "rm f")
    workspace.checkpoints.restore(point.id)
    assert not mark.exists()


def test_what_is_ignored_secret_large_or_no_file_is_left_out_and_named(
    project: Path, workspace: api.Workspace
) -> None:
    sh(
        project,
        "printf '*.log\\nout/\\n!keep.log\\n' > .gitignore; echo a > a.log; echo a > keep.log;"
        "mkdir out node_modules sub; echo a > out/f; echo a > node_modules/f;"
        "echo 'inner' > sub/.gitignore; echo a > sub/inner; echo a > inner;"
        "echo 'S=1' > .env; echo 'S=' > .env.example; echo k > id_rsa; echo p > id_rsa.pub;"
        "mkfifo pipe; head -c 9000000 /dev/zero > large",
    )
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(project / "socket"))
    try:
        point = workspace.checkpoints.save()
    finally:
        listener.close()
    left_out = {item.path: item.reason for item in point.not_covered}
    assert left_out == {
        ".git": "version control's own",
        ".env": "may hold secrets by its name",
        "id_rsa": "may hold secrets by its name",
        "a.log": "ignored",
        "out": "ignored",
        "sub/inner": "ignored",
        "node_modules": "a folder that tools fill again",
        "large": "larger than 8 MiB",
        "pipe": "a socket, pipe or device",
        "socket": "a socket, pipe or device",
    }
    sh(project, "rm -rf node_modules out .env large sub; echo b > a.log; echo b > keep.log")
    done = workspace.checkpoints.restore(point.id)
    assert {change.path for change in done.changes} == {"sub", "sub/.gitignore", "keep.log"}
    assert [item.path for item in done.refused] == ["large"]
    assert (project / "a.log").read_text() == "b\n"


def test_a_restore_never_deletes_what_only_a_changed_rule_brought_in(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo notes > .gitignore; echo mine > notes")
    point = workspace.checkpoints.save()
    sh(project, ": > .gitignore")
    workspace.checkpoints.save()
    done = workspace.checkpoints.restore(point.id)
    assert (project / "notes").read_text() == "mine\n"
    assert [item.path for item in done.refused] == ["notes"]


def test_what_was_made_in_the_same_step_as_a_rule_is_still_known_to_be_new(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "mkdir sub; echo '*.log' > sub/.gitignore; echo 1 > sub/old.log")
    point = workspace.checkpoints.save()
    good = fingerprint(project)
    sh(project, "echo '*.tmp' > .gitignore; echo '!old.log' >> sub/.gitignore; echo 1 > sub/new")
    done = workspace.checkpoints.restore(point.id)
    assert [item.path for item in done.refused] == ["sub/old.log"]
    assert fingerprint(project) == good


def test_a_rule_file_is_covered_even_where_it_ignores_itself(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "mkdir sub; echo '*' > sub/.gitignore; echo mine > sub/f")
    point = workspace.checkpoints.save()
    sh(project, "rm sub/.gitignore")
    workspace.checkpoints.save()
    workspace.checkpoints.restore(point.id)
    assert (project / "sub" / "f").read_text() == "mine\n"
    assert (project / "sub" / ".gitignore").read_text() == "*\n"


def test_a_file_that_a_rule_took_out_of_sight_is_not_overwritten(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo old > f")
    point = workspace.checkpoints.save()
    sh(project, "echo f > .gitignore; echo precious > f")
    done = workspace.checkpoints.restore(point.id)
    assert (project / "f").read_text() == "precious\n"
    assert [item.path for item in done.refused] == ["f"]


def test_what_changed_after_the_preview_is_left_alone_unless_forced(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo a > f; echo a > g")
    point = workspace.checkpoints.save()
    sh(project, "echo b > f; echo b > g")
    preview = workspace.checkpoints.preview(point.id)
    sh(project, "echo 'by other hands' > g")
    done = workspace.checkpoints.restore(point.id, plan=preview.plan)
    assert [item.path for item in done.refused] == ["g"]
    assert ((project / "f").read_text(), (project / "g").read_text()) == ("a\n", "by other hands\n")
    workspace.checkpoints.restore(point.id, plan=preview.plan, force=True)
    assert (project / "g").read_text() == "a\n"
    workspace.checkpoints.undo()
    assert (project / "g").read_text() == "by other hands\n"


def test_an_undo_takes_back_the_restore_and_nothing_that_came_after(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo a > f")
    point = workspace.checkpoints.save()
    sh(project, "echo b > f")
    workspace.checkpoints.restore(point.id)
    sh(project, "echo later > g")
    workspace.checkpoints.undo()
    assert ((project / "f").read_text(), (project / "g").read_text()) == ("b\n", "later\n")


def test_only_the_named_files_and_folders_come_back(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "mkdir a b; echo 1 > a/f; echo 1 > b/f; echo 1 > ab")
    point = workspace.checkpoints.save()
    sh(project, "echo 2 > a/f; echo 2 > b/f; echo 2 > ab; rm -r a")
    done = workspace.checkpoints.restore(point.id, paths=["a"])
    assert [change.path for change in done.changes] == ["a", "a/f"]
    assert (project / "ab").read_text() == "2\n"
    with pytest.raises(api.UserError, match="nothing"):
        workspace.checkpoints.restore(point.id, paths=["nothing"])


def test_a_link_put_in_the_way_does_not_lead_a_restore_outside(
    project: Path, workspace: api.Workspace, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_text("theirs", "utf-8")
    sh(project, "mkdir a; echo 1 > a/f")
    point = workspace.checkpoints.save()
    sh(project, f"rm -r a; ln -s {outside} a")
    workspace.checkpoints.restore(point.id)
    assert (outside / "f").read_text() == "theirs"
    assert (project / "a" / "f").read_text() == "1\n"
    assert not (project / "a").is_symlink()


def test_a_restore_touches_only_what_differs(project: Path, workspace: api.Workspace) -> None:
    sh(project, "for i in 1 2 3; do echo $i > f$i; touch -d 2020-01-01 f$i; done")
    point = workspace.checkpoints.save()
    untouched = (project / "f1").stat()
    sh(project, "echo x > f3")
    workspace.checkpoints.restore(point.id)
    after = (project / "f1").stat()
    assert (after.st_ino, after.st_ctime_ns) == (untouched.st_ino, untouched.st_ctime_ns)


def test_an_unreadable_file_is_reported_and_the_rest_is_kept(
    project: Path, workspace: api.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sh(project, "echo a > f; echo secret > locked")
    real = os.open

    def guarded(path: bytes, *rest: int, **named: int) -> int:
        if os.fsencode(path).endswith(b"/locked"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **named)

    monkeypatch.setattr(os, "open", guarded)
    point = workspace.checkpoints.save()
    monkeypatch.undo()
    assert {"locked"} == {item.path for item in point.not_covered} - {".git"}
    sh(project, "rm f")
    workspace.checkpoints.restore(point.id)
    assert (project / "f").read_text() == "a\n"


def test_two_points_are_compared_in_both_directions(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo a > f; echo x > gone; chmod 644 f")
    first = workspace.checkpoints.save()
    sh(project, "echo b > f; rm gone; echo y > new; chmod 755 README.md")
    second = workspace.checkpoints.save()
    forth = workspace.checkpoints.diff(first.id, second.id)
    assert [(change.path, change.kind) for change in forth.changes] == [
        ("README.md", "mode"), ("f", "modified"), ("gone", "deleted"), ("new", "added")
    ]  # fmt: skip
    back = workspace.checkpoints.diff(second.id, first.id)
    assert [change.kind for change in back.changes] == ["mode", "modified", "added", "deleted"]
    patch = workspace.checkpoints.patch(first.id, second.id, "f")
    assert patch.split("\n")[3:5] == ["-a", "+b"]


def test_equal_trees_have_equal_hashes_and_one_byte_makes_another(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo a > f")
    first = workspace.checkpoints.save()
    sh(project, "echo b > f")
    second = workspace.checkpoints.save()
    workspace.checkpoints.restore(first.id)
    third = workspace.checkpoints.save()
    assert first.tree_hash == third.tree_hash
    assert first.tree_hash != second.tree_hash


def test_a_folder_without_git_is_covered_too(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "f").write_text("a", "utf-8")
    workspace = api.open_workspace(str(folder), actor="user:test")
    point = workspace.checkpoints.save()
    (folder / "f").write_text("b", "utf-8")
    workspace.checkpoints.restore(point.id)
    assert (folder / "f").read_text("utf-8") == "a"


def test_worktrees_share_a_project_and_keep_restore_points_of_their_own(
    project: Path, workspace: api.Workspace, tmp_path: Path
) -> None:
    git(project, "worktree", "add", "-q", str(tmp_path / "tree"))
    other = api.open_workspace(str(tmp_path / "tree"), actor="user:test")
    assert other.project.id == workspace.project.id
    workspace.memory.add("shared by both", kind="rule")
    assert other.memory.search("shared").hits
    workspace.checkpoints.save("main")
    assert other.checkpoints.page() == ()


def test_damaged_content_is_refused_by_its_path_and_the_rest_is_restored(
    project: Path, workspace: api.Workspace
) -> None:
    sh(project, "echo a > before; seq 1000 > f; echo a > later")
    point = workspace.checkpoints.save()
    sh(project, "echo b > before; echo b > f; rm later; echo b > new")
    with workspace.checkpoints._store.database.writing() as connection:
        connection.execute("UPDATE blob SET data = zeroblob(length(data)) WHERE size > 1000")
    done = workspace.checkpoints.restore(point.id)
    ((path, reason),) = [(each.path, each.reason) for each in done.refused]
    assert path == "f"
    assert "damaged" in reason
    assert [(project / name).read_text() for name in ("before", "f", "later")] == [
        "a\n", "b\n", "a\n",
    ]  # fmt: skip
    assert not (project / "new").exists()
    workspace.checkpoints.undo()
    assert (project / "before").read_text() == "b\n"


@pytest.mark.parametrize(
    "call",
    [
        lambda points: points.get(99),
        lambda points: points.restore(99),
        lambda points: points.restore(10**30),
        lambda points: points.diff(1, 99),
        lambda points: points.patch(1, None, "../x"),
        lambda points: points.patch(1, None, "/etc/passwd"),
        lambda points: points.restore(1, plan="x"),
        lambda points: points.restore(1, paths=["\ud800"]),
        lambda points: points.save("two\nlines"),
        lambda points: points.undo(),
        lambda points: points.redo(),
        lambda points: points.name(1, "12"),
        lambda points: points.name(99, "good"),
        lambda points: points.pin(99),
        lambda points: points.find("nothing of this name"),
        lambda points: points.finish(99),
        lambda points: points.written_by_user("../x"),
    ],
)
def test_a_wrong_argument_gets_a_sentence_and_changes_nothing(
    project: Path, workspace: api.Workspace, call: Callable[[object], object]
) -> None:
    workspace.checkpoints.save()
    before = fingerprint(project)
    with pytest.raises(api.UserError):
        call(workspace.checkpoints)
    assert fingerprint(project) == before
