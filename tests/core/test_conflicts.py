"""Who changes an entry changes the words that they saw: nobody's words go unseen."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from milepost import api
from milepost.memory import document as documents
from milepost.memory.store import MemoryStore

# Reads the entry, thinks, and changes what it read; what it replaced, it has seen.
_AGENT = """
import sys
from pathlib import Path
from milepost.base.errors import MilepostError
from milepost.memory.entry import version_of
from milepost.memory.store import MemoryStore
folder, name, entry_id, count = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
store = MemoryStore(folder, "project", "x")
for number in range(count):
    seen = store.get(entry_id)
    try:
        store.update(entry_id, name, text=f"{name} {number}", kind=None, status=None,
                     version=version_of(seen.text))
        print(f"replaced\\t{seen.text}", flush=True)
    except MilepostError:
        print("refused\\t", flush=True)
"""


def by_hand(workspace: api.Workspace, old: str, new: str) -> None:
    path = Path(workspace.memory.file())
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


@pytest.mark.parametrize("change", ["update", "confirm", "supersede", "forget"])
def test_a_change_of_words_that_were_not_seen_is_refused_and_shows_them(
    workspace: api.Workspace, change: str
) -> None:
    memory = workspace.memory
    entry = memory.add("the port is 1", status="stated")
    by_hand(workspace, "the port is 1", "the port is 2, says Ann")
    before = Path(memory.file()).read_bytes()
    calls = {
        "update": lambda version: memory.update(entry.id, text="the port is 3", version=version),
        "confirm": lambda version: memory.update(entry.id, status="confirmed", version=version),
        "supersede": lambda version: memory.supersede(entry.id, "none", version=version),
        "forget": lambda version: memory.forget(entry.id, version=version),
    }
    with pytest.raises(api.ConflictError, match="the port is 2, says Ann") as refusal:
        calls[change](entry.version)
    assert refusal.value.now == "the port is 2, says Ann"
    assert Path(memory.file()).read_bytes() == before
    calls[change](memory.get(entry.id).version)
    assert Path(memory.file()).read_bytes() != before


def test_a_change_elsewhere_is_no_conflict(workspace: api.Workspace) -> None:
    entry = workspace.memory.add("one")
    workspace.memory.update(entry.id, kind="rule", status="confirmed")
    workspace.memory.add("two")
    changed = workspace.memory.update(entry.id, text="one, put better", version=entry.version)
    assert changed.kind == "rule"


def test_a_secret_that_a_person_wrote_is_no_conflict_with_its_placeholder(
    workspace: api.Workspace,
) -> None:
    token = "ghp_" + "q7Zr2mX9" + "bT4kLw8s" + "VnE3cYh6" + "uJd1aPfGk5Ho"
    entry = workspace.memory.add("the token")
    by_hand(workspace, "the token", f"the token {token}")
    seen = workspace.memory.get(entry.id)
    assert token not in seen.text
    workspace.memory.update(entry.id, status="confirmed", version=seen.version)
    with pytest.raises(api.ConflictError) as refusal:
        workspace.memory.forget(entry.id, version=entry.version)
    assert token not in str(refusal.value)


def test_new_words_are_trusted_as_far_as_who_wrote_them(
    project: Path, workspace: api.Workspace
) -> None:
    agent = api.open_workspace(str(project), actor="mcp:codex").memory
    entry = workspace.memory.add("Ann said this", status="stated")
    changed = agent.update(entry.id, text="the agent says that")
    assert (changed.status, changed.source) == ("unverified", "mcp:codex")
    with pytest.raises(api.UserError, match="only the user"):
        agent.update(entry.id, status="stated")
    assert agent.update(entry.id, status="confirmed").status == "confirmed"
    assert agent.update(entry.id, text="Ann says so now", status="stated").status == "stated"
    corrected = workspace.memory.update(entry.id, text="Ann said this, really")
    assert (corrected.status, corrected.source) == ("stated", "user:test")


def test_between_three_processes_and_a_person_no_words_are_overwritten_unseen(
    tmp_path: Path,
) -> None:
    store = MemoryStore(tmp_path, "project", "x")
    entry = store.add("the first words", "knowledge", "unverified", "t", ())
    by_person, seen_by_person = [], set()
    lines: list[str] = []
    with ExitStack() as stack:
        one, *others = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _AGENT, str(tmp_path), name, entry.id, "60"],
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for name in ("one", "two", "three")
        ]
        # A person edits each time that the first agent has done something: as an editor does it,
        # with the file that was read, whole, and without asking anyone.
        for number, line in enumerate(one.stdout):
            lines.append(line)
            read = store.path.read_text("utf-8")
            (now,) = [each.text for each in documents.parse_text(read).entries]
            seen_by_person.add(now)
            by_person.append(f"a person wrote {number}")
            beside = tmp_path / "beside"
            beside.write_text(read.replace(f"- {now} <!--", f"- {by_person[-1]} <!--"), "utf-8")
            beside.replace(store.path)
        lines += [line for agent in others for line in agent.stdout]
    assert [agent.returncode for agent in (one, *others)] == [0, 0, 0]
    said = [line.rstrip("\n").split("\t") for line in lines]
    assert len(said) == 180
    seen_by_agents = {text for word, text in said if word == "replaced"}
    last = store.get(entry.id).text
    assert set(by_person) <= seen_by_agents | seen_by_person | {last}
    # The agents did get somewhere, and were refused now and then.
    assert seen_by_agents & set(by_person)
