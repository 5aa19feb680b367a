"""The `milepost:` documents, by the request of LSP and by the command for clients without it."""

from __future__ import annotations

import json

import pytest

from milepost_lsp import archive
from tests.lsp.client import ANNOUNCED, ServerError

CONTENT = "workspace/textDocumentContent"
REFRESH = "workspace/textDocumentContent/refresh"
SHOWS = {**ANNOUNCED, "workspace": {"textDocumentContent": {"dynamicRegistration": False}}}


def test_the_capability_is_announced(connect, project):
    capabilities = connect().initialize(project)
    assert capabilities["workspace"]["textDocumentContent"] == {"schemes": ["milepost"]}


def test_a_restore_point_reads_as_what_it_changed(client, project, other):
    other.checkpoints.save("first")
    (project / "shop.py").write_text("x = 1\n", encoding="utf-8")
    point = other.checkpoints.save("second [one](http://x)")
    text = read(client, archive.uri_of(other, "checkpoints", str(point.id)))
    assert text.startswith(f"# Restore point {point.id} second \\[one\\](http://x)")
    assert "- modified: shop.py" in text
    assert "It is the oldest" in read(client, archive.uri_of(other, "checkpoints", "1"))


def test_a_file_reads_as_it_was(client, project, other):
    odd = "sub folder/ünï#?.txt"
    (project / "sub folder").mkdir()
    (project / odd).write_text("then 🎉\n", encoding="utf-8")
    point = other.checkpoints.save()
    (project / odd).write_text("now\n", encoding="utf-8")
    assert read(client, archive.uri_of(other, "checkpoints", str(point.id), "files", odd)) == (
        "then 🎉\n"
    )
    with pytest.raises(ServerError) as error:
        read(client, archive.uri_of(other, "checkpoints", str(point.id), "files", "no.py"))
    assert error.value.code == -32803


def test_a_diff_reads_as_one_text(client, project, other):
    first = other.checkpoints.save()
    (project / "shop.py").write_text("x = 1\n", encoding="utf-8")
    second = other.checkpoints.save()
    between = read(client, archive.uri_of(other, "diffs", f"{first.id}..{second.id}"))
    assert "+x = 1\n" in between
    assert read(client, archive.uri_of(other, "diffs", f"{first.id}..now")) == between
    assert read(client, archive.uri_of(other, "diffs", f"{second.id}..now")) == "Nothing differs.\n"


def test_a_goal_reads_with_its_checks(client, other):
    goal = other.goals.set("Totals\n```\nare exact.", checks=["test -d ."])
    text = read(client, archive.uri_of(other, "goals", goal.id))
    assert "````text\nTotals\n```\nare exact.\n````" in text
    assert "command: test -d ." in text
    assert "not verified yet" in text


def test_a_goal_reads_with_what_was_seen_of_it(client, other, project):
    goal = client.command(
        "milepost.goal.set", {"condition": "It says so.", "checks": ["echo seen; exit 3"]}
    )
    client.command("milepost.goal.verify", {"goalId": goal["id"]})
    text = read(client, archive.uri_of(other, "goals", goal["id"]))
    assert "## failed: exit code 3" in text
    assert "```text\n$ echo seen; exit 3\n```" in text
    assert "```text\nseen\n```" in text


def test_a_session_reads_as_what_was_said(connect, project, other, tmp_path):
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"say": "The total is exact."}), encoding="utf-8")
    told = other.worker().run(
        "Look at the total.", model=f"scripted:{script}", tell=lambda event: None
    )
    client = connect()
    client.initialize(project)
    text = read(client, archive.uri_of(other, "sessions", told.session))
    assert "# Look at the total." in text
    assert "The total is exact." in text


@pytest.mark.parametrize(
    "uri",
    [
        "milepost:",
        "milepost://",
        "milepost://ID",
        "milepost://ID/checkpoints",
        "milepost://ID/checkpoints/",
        "milepost://ID/checkpoints/one",
        "milepost://ID/checkpoints/1/files/",
        "milepost://ID/checkpoints/99999",
        "milepost://ID/checkpoints/1/files/../../etc/passwd",
        "milepost://ID/checkpoints/1/files//etc/passwd",
        "milepost://ID/diffs/1..",
        "milepost://ID/diffs/1..now/files/%00",
        "milepost://ID/goals/none",
        "milepost://ID/sessions/..%2F..%2Fetc",
        "milepost://ID/secrets/1",
        "milepost://nobody/checkpoints/1",
        "milepost://[/checkpoints/1",
        "file:///etc/passwd",
        "x" * 9000,
    ],
)
def test_what_is_no_document_is_refused_with_a_sentence(client, other, uri):
    other.checkpoints.save()
    asked = {"uri": uri.replace("ID", other.project.id)}
    for request in (
        lambda: client.request(CONTENT, asked),
        lambda: client.command("milepost.document.read", asked),
    ):
        with pytest.raises(ServerError) as error:
            request()
        assert error.value.code == -32803
        assert "Traceback" not in error.value.message


def test_a_document_that_was_read_is_read_again_when_it_changes(connect, project, other):
    client = connect()
    client.initialize(project, capabilities=SHOWS)
    goal = other.goals.set("It works.")
    uri = archive.uri_of(other, "goals", goal.id)
    assert "active" in client.request(CONTENT, {"uri": uri})["text"]
    other.goals.pause(goal.id)
    assert client.wait_for(REFRESH) == {"uri": uri}
    assert "paused" in client.request(CONTENT, {"uri": uri})["text"]


def read(client, uri: str) -> str:
    """The text, which both ways must give."""
    text = client.request(CONTENT, {"uri": uri})["text"]
    assert client.command("milepost.document.read", {"uri": uri}) == {"text": text}
    return text
