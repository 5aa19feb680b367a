"""A memory file that another process changes shows in the editor without a restart."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path

from milepost import api
from tests.lsp.client import ANNOUNCED

CHANGED = "milepost/memory/didChange"


def test_an_entry_of_another_process_is_told_and_shows(connect, project, other):
    client = connect()
    begin(client, project)
    uri = client.open(project / "shop.py")
    assert client.hover(uri, 0, 5) is None
    other.memory.add("`total` is in cents.")
    told = client.wait_for(CHANGED)
    assert told == {"uri": Path(other.memory.file()).as_uri(), "changed": 1}
    assert "in cents" in client.hover(uri, 0, 5)


def test_an_edit_by_hand_is_told_and_indexed(connect, project, other):
    other.memory.add("The port is 8080.")
    client = connect()
    begin(client, project)
    memory = Path(other.memory.file())
    text = memory.read_text(encoding="utf-8").replace("8080", "9090")
    wait_until_watched(client, other)
    memory.write_text(text, encoding="utf-8")
    client.wait_until(lambda: len(client.got(CHANGED)) >= 2, "a second notice")
    assert client.command("milepost.memory.list", {})["entries"][0]["text"] == "The port is 9090."


def test_in_a_large_file_too_the_entries_that_changed_are_counted(connect, project, other):
    memory = Path(other.memory.file())
    other.memory.add("The port is 8080.")
    with memory.open("a", encoding="utf-8") as file:
        file.writelines(
            f"- Fact {number} of many, and words about it.\n" for number in range(3_000)
        )
    client = connect()
    begin(client, project)
    wait_until_watched(client, other)
    client.received.clear()
    text = memory.read_text(encoding="utf-8")
    text = text.replace("8080", "9090").replace("Fact 7 ", "Fact VII ")
    memory.write_text(text + "- One more.\n", encoding="utf-8")
    # An entry without an id of its own is known by its words: the seventh went, and another came.
    assert client.wait_for(CHANGED)["changed"] == 4


def test_global_memory_and_folders_that_come_later_are_watched_too(connect, project, other):
    client = connect()
    begin(client, project)
    other.memory.add("Answer in English.", scope="global")
    file = Path(other.memory.file("global"))
    client.wait_for(CHANGED, lambda params: params["uri"] == file.as_uri())
    shutil.rmtree(file.parent)
    client.wait_until(
        lambda: (
            [m["params"]["changed"] for m in client.got(CHANGED)][-1:] == [1]
            and len(client.got(CHANGED)) == 2
        ),
        "a notice that it went",
    )
    file.parent.mkdir(exist_ok=True)
    file.write_text("## Rules\n\n- Answer in French.\n", encoding="utf-8")
    client.wait_until(lambda: len(client.got(CHANGED)) == 3, "a notice that it came back")


def test_a_client_that_announced_nothing_gets_a_line_in_its_log_only(client, other):
    client.command("milepost.memory.list", {})
    other.memory.add("Use uv.")
    line = client.wait_for("window/logMessage")["message"]
    assert line.startswith("memory changed: ")
    assert line.endswith("1 entry")
    assert client.got(CHANGED) == []


def test_two_editors_on_one_project_see_each_other(connect, project):
    first, second = connect(), connect()
    for client in (first, second):
        begin(client, project)
    first.command("milepost.memory.remember", {"text": "`ship` is slow."})
    second.wait_for(CHANGED)
    assert "is slow" in second.hover(second.open(project / "shop.py"), 5, 5)


def test_watching_costs_next_to_nothing(connect, project, other):
    """CPU of an idle server, counted by the kernel over a stretch of waiting."""
    client = connect()
    begin(client, project)
    wait_until_watched(client, other)
    if sys.platform != "linux":
        return
    before = cpu_s(client.process.pid)
    # Messages that never come: the wait is the measurement.
    with contextlib.suppress(TimeoutError):
        client.wait_until(lambda: False, "nothing", timeout=3)
    assert cpu_s(client.process.pid) - before < 0.15


def begin(client, project: Path) -> None:
    """Connects, and asks something: what happens after the answer is told."""
    client.initialize(project, capabilities=ANNOUNCED)
    client.command("milepost.memory.list", {})


def wait_until_watched(client, other: api.Workspace) -> None:
    other.memory.add("A first entry, to see that the watch is on.")
    client.wait_for(CHANGED)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
