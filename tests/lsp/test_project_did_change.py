"""What another process does with restore points and goals shows in the editor within a second."""

from __future__ import annotations

import contextlib
import time

from tests.lsp.client import ANNOUNCED
from tests.lsp.test_memory_did_change import cpu_s

POINTS = "milepost/checkpoint/didChange"
GOALS = "milepost/goal/didChange"
STATUS = "milepost/status/didChange"


def test_a_point_of_another_process_is_told_with_the_new_status(connect, project, other):
    client = connect()
    begin(client, project)
    point = other.checkpoints.save("by an agent")
    told = client.wait_for(POINTS)
    assert told == {"uri": project.as_uri(), "newest": point.id}
    status = client.wait_for(STATUS)
    assert status["uri"] == project.as_uri()
    assert status["status"]["checkpoint"]["label"] == "by an agent"


def test_a_name_and_a_pin_are_told_too(connect, project, other):
    client = connect()
    begin(client, project)
    point = other.checkpoints.save()
    client.wait_for(POINTS)
    other.checkpoints.name(point.id, "before the rewrite")
    client.wait_until(lambda: len(client.got(POINTS)) == 2, "a notice of the name")
    other.checkpoints.pin(point.id)
    client.wait_until(lambda: len(client.got(POINTS)) == 3, "a notice of the pin")


def test_a_goal_that_is_set_met_and_given_up_elsewhere_is_told(connect, project, other):
    client = connect()
    begin(client, project)
    goal = other.goals.set("It works.")
    assert client.wait_for(GOALS) == {"uri": project.as_uri()}
    wanted = client.wait_for(STATUS, lambda told: told["status"]["goal"] is not None)
    assert wanted["status"]["goal"]["id"] == goal.id
    other.goals.abandon(goal.id)
    client.wait_until(lambda: len(client.got(GOALS)) >= 2, "a notice that it was given up")
    client.wait_for(STATUS, lambda told: told["status"]["goal"] is None)


def test_it_is_told_within_a_second(connect, project, other):
    client = connect()
    begin(client, project)
    other.checkpoints.save()  # the first reads every file
    client.wait_for(POINTS)
    took: list[float] = []
    for count in range(2, 7):
        (project / "shop.py").write_text(f"x = {count}\n", encoding="utf-8")
        other.checkpoints.save()
        began = time.monotonic()
        client.wait_until(lambda wanted=count: len(client.got(POINTS)) >= wanted, "a notice")
        took.append(time.monotonic() - began)
    assert sorted(took)[2] < 1.0


def test_a_client_that_announced_nothing_is_told_nothing(client, other):
    client.command("milepost.status", {})
    other.checkpoints.save()
    other.goals.set("It works.")
    client.wait_until(
        lambda: client.command("milepost.status", {})["goal"] is not None, "the goal to show"
    )
    assert client.got(POINTS) + client.got(GOALS) + client.got(STATUS) == []


def test_an_idle_server_uses_no_processor(connect, project, other):
    client = connect()
    begin(client, project)
    other.checkpoints.save()
    client.wait_for(POINTS)
    # Messages that never come: the wait is the measurement.
    with contextlib.suppress(TimeoutError):
        client.wait_until(lambda: False, "the restore point's aftermath", timeout=2)
    before = cpu_s(client.process.pid)
    with contextlib.suppress(TimeoutError):
        client.wait_until(lambda: False, "nothing", timeout=4)
    assert cpu_s(client.process.pid) - before <= 0.02


def begin(client, project) -> None:
    client.initialize(project, capabilities=ANNOUNCED)
    client.command("milepost.status", {})
