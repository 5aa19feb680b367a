"""What git knows is read without running anything of the repository's, and without a trace."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from milepost.api import UserError, WorldError
from milepost.base.repository import Head, Rename, Repository, repository_around
from tests.conftest import git


def repository(folder: Path) -> Repository:
    found = repository_around(folder)
    assert found is not None
    return found


def everything_in(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            path.stat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in folder.rglob("*")
    }


def test_a_folder_without_git_has_no_repository(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert repository_around(tmp_path / "plain") is None


def test_the_head_is_a_commit_and_a_branch(project: Path) -> None:
    branch = git(project, "symbolic-ref", "--short", "HEAD").strip()
    commit = git(project, "rev-parse", "HEAD").strip()
    assert repository(project).head() == Head(commit, branch, None, None, None)
    git(project, "checkout", "-qb", "feature/bär")
    assert repository(project).head().branch == "feature/bär"
    git(project, "checkout", "-q", "--detach")
    assert repository(project).head() == Head(commit, None, None, None, None)


def test_before_the_first_commit_there_is_a_branch_only(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "begin")
    (tmp_path / "a.txt").write_text("a", "utf-8")
    unborn = repository(tmp_path)
    assert unborn.head() == Head(None, "begin", None, None, None)
    assert unborn.status().untracked == ("a.txt",)
    with pytest.raises(UserError, match="no commit 'HEAD'"):
        unborn.blob("HEAD", "a.txt")


def test_ahead_and_behind_count_against_the_upstream(project: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(project), "clone")
    clone = tmp_path / "clone"
    git(clone, "commit", "-qm", "Mine", "--allow-empty")
    for subject in ("One", "Two"):
        git(project, "commit", "-qm", subject, "--allow-empty")
    git(clone, "fetch", "-q")
    head = repository(clone).head()
    assert (head.upstream, head.ahead, head.behind) == (f"origin/{head.branch}", 1, 2)


def test_the_status_tells_staged_changed_and_untracked_files_apart(project: Path) -> None:
    assert repository(project).status().is_clean
    (project / ".gitignore").write_text("*.log\n", "utf-8")
    git(project, "add", ".gitignore")
    (project / "README.md").write_text("changed\n", "utf-8")
    (project / "new").mkdir()
    (project / "new" / "file.py").write_text("", "utf-8")
    (project / "ignored.log").write_text("", "utf-8")
    (project / os.fsdecode(b"l\xe4rm.txt")).write_text("", "utf-8")
    status = repository(project / "new").status()
    assert not status.is_clean
    assert status.staged == (".gitignore",)
    assert status.unstaged == ("README.md",)
    assert status.untracked == (os.fsdecode(b"l\xe4rm.txt"), "new/file.py")
    assert status.total == 4


def test_a_long_status_is_counted_and_not_listed_whole(project: Path) -> None:
    for number in range(300):
        (project / f"{number:03}.txt").write_text("", "utf-8")
    status = repository(project).status()
    assert (status.total, len(status.untracked)) == (300, 200)


def test_a_blob_is_read_at_any_commit(project: Path) -> None:
    (project / "README.md").write_text("second\n", "utf-8")
    (project / "large.bin").write_bytes(b"x" * (3 << 20))
    git(project, "add", "-A")
    git(project, "commit", "-qm", "Second")
    found = repository(project)
    assert found.blob("HEAD", "README.md") == b"second\n"
    assert found.blob("HEAD~1", "README.md") == b"# A project\n"
    assert found.blob("HEAD~1", "missing.md") is None
    assert found.blob("HEAD", "large.bin") is None
    with pytest.raises(UserError, match="no commit 'nowhere'"):
        found.blob("nowhere", "README.md")


def test_renames_are_found_committed_or_not(project: Path) -> None:
    body = "".join(f"line {number}\n" for number in range(40))
    for name in ("a.py", "b.py", "c.py"):
        (project / name).write_text(f"# {name}\n{body}", "utf-8")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "Three")
    since = repository(project).head().commit
    assert since is not None
    git(project, "mv", "a.py", "moved.py")
    git(project, "commit", "-qm", "Move")
    (project / "pkg").mkdir()
    (project / "b.py").rename(project / "pkg" / "b.py")
    (project / "c.py").rename(project / "pkg" / "see.py")
    with (project / "pkg" / "see.py").open("a", encoding="utf-8") as file:
        file.write("more\n")
    renames = {rename.old: rename for rename in repository(project).renames(since)}
    assert renames["a.py"] == Rename("a.py", "moved.py", 100)
    assert renames["b.py"] == Rename("b.py", "pkg/b.py", 100)
    assert renames["c.py"].new == "pkg/see.py"
    assert 50 <= renames["c.py"].similarity < 100


def test_a_linked_worktree_and_a_submodule_are_repositories_of_their_own(
    project: Path, tmp_path: Path
) -> None:
    git(project, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    (tmp_path / "side" / "new.txt").write_text("", "utf-8")
    assert repository(tmp_path / "side").head().branch == "side"
    assert repository(tmp_path / "side").status().untracked == ("new.txt",)
    assert repository(project).status().is_clean
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(project), "sub")
    git(outer, "commit", "-qm", "Begin")
    assert repository(outer).status().is_clean
    (outer / "sub" / "README.md").write_text("changed\n", "utf-8")
    assert repository(outer / "sub").status().unstaged == ("README.md",)
    assert repository(outer).status().unstaged == ("sub",)


def test_a_bare_repository_has_commits_and_no_files(project: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(project), "bare.git")
    bare = repository(tmp_path / "bare.git")
    assert bare.head().commit == repository(project).head().commit
    assert bare.blob("HEAD", "README.md") == b"# A project\n"
    with pytest.raises(UserError, match="is bare"):
        bare.status()


def test_a_sha256_repository_is_said_to_be_unsupported(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    with pytest.raises(WorldError, match="sha256 names are not supported"):
        repository(tmp_path).head()


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".git/index", b"DIRC\0\0\0\2\xff\xff\xff\xffnonsense"),
        (".git/config", b"[core\nbroken"),
        (".git/HEAD", b"\0\xff nothing"),
        (".git", None),
    ],
)
def test_a_damaged_repository_is_said_and_harms_nothing(
    project: Path, path: str, content: bytes | None
) -> None:
    if content is None:
        (project / ".git").rename(project / "gone")
        content = b"gitdir: nowhere\n"
    (project / path).write_bytes(content)
    with pytest.raises(WorldError, match="the git repository at"):
        repository(project).status()
    assert (project / path).read_bytes() == content


def test_a_work_tree_elsewhere_is_not_read(project: Path, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    git(project, "config", "core.worktree", str(tmp_path / "private"))
    with pytest.raises(WorldError, match="puts its files elsewhere"):
        repository(project).status()


def test_a_repository_of_another_user_is_refused_unless_it_is_trusted(project: Path) -> None:
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "12345", str(project)], check=True, timeout=60)
        with pytest.raises(WorldError, match=r"--add safe\.directory"):
            repository(project).head()
        subprocess.run(["chown", "-R", "0", str(project)], check=True, timeout=60)
    assert repository(project).head().commit


def test_what_takes_too_long_is_stopped(project: Path) -> None:
    os.mkfifo(project / ".gitignore")
    (project / "a.txt").write_text("", "utf-8")
    with pytest.raises(WorldError, match=r"took over 1 s"):
        Repository(project, timeout_s=1.0).status()


def test_no_command_of_a_hostile_repository_is_run_and_nothing_is_written(
    project: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    command = f"touch {ran}; cat"
    (project / ".gitattributes").write_text("*.md filter=x diff=x merge=x\n", "utf-8")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "Attributes")
    hooks = project / ".git" / "evil"
    hooks.mkdir()
    for hook in ("pre-commit", "post-index-change", "reference-transaction", "post-checkout"):
        (hooks / hook).write_text(f"#!/bin/sh\n{command}\n", "utf-8")
        (hooks / hook).chmod(0o755)
    for key in (
        "core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass",
        "core.gitProxy", "filter.x.clean", "filter.x.smudge", "filter.x.process", "diff.external",
        "diff.x.command", "diff.x.textconv", "merge.x.driver", "credential.helper",
        "uploadpack.packObjectsHook", "gpg.program",
    ):  # fmt: skip
        git(project, "config", key, command)
    git(project, "config", "alias.status", f"!{command}")
    git(project, "config", "core.hooksPath", str(hooks))
    git(project, "config", "remote.origin.url", f"ext::sh -c {command!r}")
    (project / "README.md").write_text("# Changed, and a filter would see it\n", "utf-8")
    (project / "new.md").write_text("# A project\n", "utf-8")
    ran.unlink(missing_ok=True)
    before = everything_in(project)
    hostile = repository(project)
    status = hostile.status()
    assert (status.undecided, status.untracked) == (("README.md",), ("new.md",))
    assert not status.is_clean
    assert hostile.head().commit
    assert hostile.blob("HEAD", "README.md") == b"# A project\n"
    assert hostile.renames("HEAD") == ()
    assert not ran.exists()
    assert everything_in(project) == before
    git(project, "status")
    assert ran.exists(), "the trap would have caught git itself"


def test_an_index_that_is_out_of_date_is_not_refreshed(project: Path) -> None:
    os.utime(project / "README.md", (1, 1))
    before = everything_in(project)
    assert repository(project).status().is_clean
    assert everything_in(project) == before


def test_asking_for_a_repository_loads_no_git(project: Path) -> None:
    code = (
        "import pathlib, sys; from milepost.base.repository import repository_around; "
        f"assert repository_around(pathlib.Path({str(project)!r})); "
        "assert 'pygit2' not in sys.modules"
    )
    subprocess.run([os.sys.executable, "-c", code], check=True, timeout=60)
