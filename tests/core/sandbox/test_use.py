"""The sandbox in use: the folders of a user and a project, checks, workers' commands, `doctor`."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from milepost import api
from milepost.base.errors import UserError
from milepost.config import settings
from milepost.config.sandbox import limits, sandbox_of
from milepost.config.tables import SandboxSettings
from milepost.permissions.rules import DEFAULT, parse
from milepost.permissions.variables import withheld
from milepost.tools.shell import Shell
from milepost.tools.tool import Result, checked
from tests.conftest import git


@pytest.fixture
def user(outside: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that lies where commands may not write."""
    folder = outside / "user"
    for name in (".ssh", ".cache", "work"):
        (folder / name).mkdir(parents=True)
    (folder / ".ssh" / "id_ed25519").write_text("the private key", "utf-8")
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CACHE_HOME", "UV_CACHE_DIR", "PIP_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def work(user: Path) -> Path:
    """A project in that home."""
    git(user / "work", "init", "-q")
    return user / "work"


@pytest.fixture
def opened(work: Path) -> api.Workspace:
    """It, opened."""
    found = api.open_workspace(str(work), actor="user:test")
    yield found
    found.close()


def verdict(opened: api.Workspace, *lines: str) -> api.Verdict:
    return opened.goals.verify(opened.goals.set("it works", checks=lines).id)


def test_a_check_that_writes_outside_is_told_why_it_failed_and_how_to_allow_it(
    opened: api.Workspace, user: Path, home: Path
) -> None:
    found = verdict(opened, "touch ~/made")
    assert (found.verdict, found.evidence[0].sandbox) == ("not_met", "bubblewrap")
    assert f"the sandbox kept it from writing {user}/made" in found.missing[0]
    assert f"sandbox.write in {home}/config.toml" in found.missing[0]
    assert not (user / "made").exists()


def test_what_the_user_allows_is_allowed_and_old_evidence_does_not_count(
    work: Path, home: Path, user: Path
) -> None:
    def verified(goal: str | None) -> api.Verdict:
        opened = api.open_workspace(str(work), actor="user:test")
        try:
            made = goal or opened.goals.set("it works", checks=("touch ~/out/made",)).id
            return opened.goals.verify(made)
        finally:
            opened.close()

    (user / "out").mkdir()
    first = verified(None)
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text('[sandbox]\nwrite = ["~/out"]\n', "utf-8")
    second = verified(first.goal.id)
    assert (first.verdict, second.verdict) == ("not_met", "met")
    assert not second.evidence[0].reused
    assert (user / "out" / "made").exists()


def test_a_check_cannot_read_keys_nor_what_milepost_keeps(
    opened: api.Workspace, user: Path, home: Path
) -> None:
    found = verdict(opened, "cat ~/.ssh/id_ed25519", f"ls {home}/projects/*")
    assert found.verdict == "not_met"
    assert "the private key" not in found.evidence[0].output_tail
    assert f"the sandbox hides {user}/.ssh/id_ed25519" in found.missing[0]
    assert not found.evidence[1].passed


def test_tools_may_fill_their_caches(opened: api.Workspace, work: Path, user: Path) -> None:
    (work / "go.mod").write_text("module x\n", "utf-8")
    (work / "package.json").write_text("{}", "utf-8")
    found = verdict(
        opened, "mkdir -p ~/.cache/pip/x && touch ~/.cache/pip/x/y", "mkdir ~/go/pkg/mod",
        "npm config get cache && npm cache verify", "touch ~/.profile || test ! -e ~/.profile",
    )  # fmt: skip
    assert found.verdict == "met", found.missing
    assert (user / ".cache" / "pip" / "x" / "y").exists()


def test_switched_off_it_is_off_and_the_evidence_says_so(
    opened: api.Workspace, work: Path, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILEPOST_SANDBOX", "off")
    free = api.open_workspace(str(work), actor="user:test")
    try:
        found = verdict(free, "touch ~/made")
    finally:
        free.close()
    assert (found.verdict, found.evidence[0].sandbox) == ("met", "off")
    assert (user / "made").exists()


def test_a_network_that_is_shut_is_shut_for_checks(
    work: Path, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / ".milepost").mkdir()
    (work / ".milepost" / "config.toml").write_text('[sandbox]\nnetwork = "off"\n', "utf-8")
    shut = api.open_workspace(str(work), actor="user:test")
    try:
        found = verdict(
            shut,
            f"{sys.executable} -c \"import socket; socket.create_connection(('192.0.2.1', 9), 5)\"",
        )
    finally:
        shut.close()
    assert found.verdict == "not_met"
    assert "keeps it from the network" in found.missing[0]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('method = "off"', "method"), ('method = "auto"', "method"), ('network = "on"', "network"),
        ('write = ["/etc"]', "write"), ('read = ["~/.ssh"]', "read"),
    ],
)  # fmt: skip
def test_a_projects_file_cannot_loosen_it(work: Path, home: Path, text: str, key: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text('[sandbox]\nnetwork = "off"\n', "utf-8")
    (work / ".milepost").mkdir()
    (work / ".milepost" / "config.toml").write_text(f"[sandbox]\n{text}\n", "utf-8")
    with pytest.raises(UserError, match=rf"a project may .*: sandbox\.{key}"):
        settings.load(work)


def test_a_projects_file_may_hide_more_and_takes_nothing_away(work: Path, home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text('[sandbox]\nhide = ["~/mine"]\n', "utf-8")
    (work / ".milepost").mkdir()
    (work / ".milepost" / "config.toml").write_text('[sandbox]\nhide = ["fixtures"]\n', "utf-8")
    assert settings.load(work).sandbox.hide == ("~/mine", "fixtures")


def test_git_works_in_a_linked_worktree(work: Path, user: Path, outside: Path) -> None:
    git(work, "commit", "--allow-empty", "-qm", "Begin")
    linked = outside / "linked"
    git(work, "worktree", "add", "-q", str(linked))
    assert str(work / ".git") in limits(linked, SandboxSettings()).writable
    opened = api.open_workspace(str(linked), actor="user:test")
    try:
        commit = "git -c user.name=A -c user.email=a@b.c commit --allow-empty -qm More"
        found = verdict(opened, commit)
    finally:
        opened.close()
    assert found.verdict == "met", found.missing


def test_a_file_that_passes_for_git_opens_nothing(work: Path, user: Path, outside: Path) -> None:
    fake = outside / "fake"
    fake.mkdir()
    (user / ".ssh" / "commondir").write_text("..", "utf-8")
    for told in (user / ".ssh", user, user / ".ssh" / "x"):
        (fake / ".git").write_text(f"gitdir: {told}\n", "utf-8")
        found = limits(fake, SandboxSettings()).writable
        assert str(user) not in found
        assert str(user / ".ssh") not in found


def test_a_variable_that_means_the_home_is_no_cache(
    user: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOCACHE", str(user))
    monkeypatch.setenv("YARN_CACHE_FOLDER", str(user / ".cache"))
    found = limits(work, SandboxSettings())
    assert str(user) not in found.writable
    assert str(user / ".cache") in found.writable


def run(work: Path, outputs: Path, command: str, variables: dict[str, str]) -> Result:
    hold = sandbox_of(work, SandboxSettings(), (str(outputs),))
    tool = Shell(work, outputs, str, hold, lambda: variables)
    return tool.run(checked(tool, {"command": command}), threading.Event())


def test_a_workers_command_is_held_and_told_why_and_reads_its_own_long_output(
    work: Path, user: Path, home: Path
) -> None:
    outputs = home / "sessions" / "outputs"
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(user)}
    refused = run(work, outputs, "echo x > ~/made", variables)
    assert refused.failed
    assert f"Note: the sandbox kept it from writing {user}/made" in refused.text
    run(work, outputs, "seq 1 100000", variables)
    (kept,) = outputs.iterdir()
    assert run(work, outputs, f"head -n 2 {kept}", variables).text == "1\n2"
    assert run(work, outputs, f"echo x > {kept}", variables).failed


def test_variables_that_hold_secrets_are_kept_from_workers_unless_a_rule_names_them() -> None:
    names = ("PATH", "HOME", "OPENAI_API_KEY", "GITHUB_TOKEN", "DB_PASSWORD", "SSH_AUTH_SOCK")
    secret = {"OPENAI_API_KEY", "GITHUB_TOKEN", "DB_PASSWORD"}
    assert withheld(names, DEFAULT) == secret
    rules = (*DEFAULT, parse("allow variable GITHUB_TOKEN"), parse("deny variable SSH_*"))
    assert withheld(names, rules) == (secret - {"GITHUB_TOKEN"}) | {"SSH_AUTH_SOCK"}


def test_doctor_says_what_holds_and_what_that_does_not_cover(
    opened: api.Workspace, work: Path
) -> None:
    words = [sys.executable, "-m", "milepost", "doctor", "--json", "--project", str(work)]
    found = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    (line,) = (each for each in json.loads(found.stdout) if each["topic"] == "sandbox")
    assert line["is_ok"] is True
    assert line["words"].startswith("bubblewrap; with network; not covered: sockets")
