"""Kingfisher's rules stand behind our own: what only they know is masked like the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from milepost import api
from milepost.redaction.redactor import Redactor
from milepost.redaction.second_opinion import SecondOpinion
from tests.core.redaction_corpus.drawing import Draw
from tests.core.redaction_corpus.negatives import negatives

# The form of a 1Password secret key, which our own rules do not know.
_ONLY_THEIRS = "A3-" + "QW7B3P-DKHX4PY8GPA-N0RLY-KEI2I-IAANN"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled rules; to compile them takes seconds."""
    folder = tmp_path_factory.mktemp("rules")
    SecondOpinion(folder).load()
    return folder


@pytest.fixture
def second(cache: Path) -> SecondOpinion:
    """The rules, loaded."""
    opinion = SecondOpinion(cache)
    opinion.load()
    return opinion


@pytest.fixture
def asked(home: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second opinion is wanted, and its rules are compiled."""
    monkeypatch.delenv("MILEPOST_SECRETS")
    shutil.copytree(cache, home / "kingfisher")


def test_a_secret_that_only_they_know_gets_our_placeholder(second: SecondOpinion) -> None:
    text = f"naïve \U0001f511 the key is {_ONLY_THEIRS} since May \ud800"
    assert Redactor(b"k").redact(text).text == text
    redacted = Redactor(b"k", second=second).redact(text)
    (found,) = redacted.found
    assert found.kind == "key-1password-secret-key"
    assert redacted.text == text.replace(_ONLY_THEIRS, found.placeholder)
    assert Redactor(b"k", second=second).redact(redacted.text).text == redacted.text


def test_where_both_find_a_secret_ours_names_it(second: SecondOpinion) -> None:
    text = "use gh" + "p_" + Draw(5).alnum(36) + " here"
    assert Redactor(b"k", second=second).redact(text) == Redactor(b"k").redact(text)


def test_what_only_looks_like_a_secret_stays(second: SecondOpinion) -> None:
    for text in negatives(1):
        assert second.find(text) == []


def test_until_the_rules_are_there_our_own_stand_alone(cache: Path) -> None:
    opinion = SecondOpinion(cache)
    assert opinion.find(_ONLY_THEIRS) == []
    for thread in threading.enumerate():
        if thread.name == "milepost-secrets":
            thread.join(60)
    assert len(opinion.find(_ONLY_THEIRS)) == 1


@pytest.mark.usefixtures("asked")
def test_a_scan_finds_what_people_wrote_into_the_memory_and_where(project: Path) -> None:
    workspace = api.open_workspace(str(project), actor="user:test", is_brief=True)
    workspace.memory.add("the first entry makes the file")
    assert workspace.data.scan().found == ()
    (memory,) = Path(workspace.project.data_dir).glob("MEMORY.md")
    lines = memory.read_text("utf-8").count("\n")
    with memory.open("a", encoding="utf-8") as file:
        file.write(f"- the key is {_ONLY_THEIRS}\n")
    scan = workspace.data.scan()
    assert scan.has_second_opinion
    assert [one.place for one in scan.found] == [f"MEMORY.md line {lines + 1}"]
    assert _ONLY_THEIRS not in repr(scan)
    workspace.close()


def test_a_scan_goes_by_our_own_rules_where_no_other_is_wanted(workspace: api.Workspace) -> None:
    workspace.memory.add("the first entry makes the file")
    (memory,) = Path(workspace.project.data_dir).glob("MEMORY.md")
    ours = "gh" + "p_" + Draw(5).alnum(36)
    with memory.open("a", encoding="utf-8") as file:
        file.write(f"- {_ONLY_THEIRS}\n- {ours}\n")
    scan = workspace.data.scan()
    assert not scan.has_second_opinion
    assert [one.kind for one in scan.found] == ["github"]


@pytest.mark.usefixtures("asked")
def test_a_brief_process_loads_no_rules_and_a_long_one_does(project: Path) -> None:
    brief = api.open_workspace(str(project), actor="user:test", is_brief=True)
    before = set(threading.enumerate())
    brief.memory.add("one thing")
    assert set(threading.enumerate()) <= before
    brief.close()
    long = api.open_workspace(str(project), actor="user:test")
    long.memory.add("another thing")
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
    kept = long.memory.add(f"the key is {_ONLY_THEIRS}")
    assert _ONLY_THEIRS not in kept.text
    assert len(kept.masked) == 1
    long.close()


@pytest.mark.usefixtures("asked")
def test_a_process_that_ends_while_the_rules_load_ends_cleanly(project: Path) -> None:
    script = (
        "from milepost import api\n"
        f"api.open_workspace({str(project)!r}, actor='user:test').memory.add('a car')\n"
    )
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", script], check=False, env=dict(os.environ),
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")


def test_another_word_than_own_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILEPOST_SECRETS", "off")
    with pytest.raises(api.UserError, match="set it to own"):
        api.open_workspace(str(project), actor="user:test")
