"""Resources, completions and subscriptions over stdio, in the forms of both eras."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost import api
from tests.mcp.wire import MODERN_META, Wire

_TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"


def read(wire: Wire, uri: str) -> str:
    (content,) = wire.request("resources/read", {"uri": uri})["result"]["contents"]
    assert content["uri"] == uri
    return content["text"]


def test_memory_points_and_goals_are_listed_and_read(wire: Wire, project: Path) -> None:
    saved = wire.done("memory_save", text="Use uv, never pip", kind="rule")
    first = wire.done("checkpoint_save", label="it works")["id"]
    (project / "new").write_text("x", "utf-8")
    second = wire.done("checkpoint_save", label="and more")["id"]
    goal = wire.done("goal_set", condition="it is done", checks=["test -d ."])["id"]
    uris = [item["uri"] for item in wire.request("resources/list")["result"]["resources"]]
    assert {
        "milepost://memory/project", "milepost://memory/global", f"milepost://goals/{goal}",
        f"milepost://checkpoints/{first}", f"milepost://checkpoints/{second}",
    } <= set(uris)  # fmt: skip
    assert f"[{saved['id']}] rule" in read(wire, "milepost://memory/project")
    assert "0 entries" in read(wire, "milepost://memory/global")
    point = read(wire, f"milepost://checkpoints/{second}")
    assert "and more" in point
    assert "new" in point.split("Since point", 1)[1]
    assert "Last verdict: none yet" in read(wire, f"milepost://goals/{goal}")


def test_the_lists_of_the_modern_era_say_how_long_they_hold(wire: Wire) -> None:
    for method, name in (
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ):
        modern = wire.request(method, {"_meta": MODERN_META})["result"]
        assert {"ttlMs", "cacheScope", "resultType", name} <= modern.keys()
        assert wire.request(method)["result"].keys() == {name}


def test_a_long_memory_is_cut_and_says_how_much_more_there_is(wire: Wire) -> None:
    for number in range(8):
        wire.done("memory_save", text=f"{number} " + "long " * 1500)
    text = read(wire, "milepost://memory/project")
    assert len(text) < 41_000
    assert "more of 8 entries" in text


def test_a_secret_in_the_file_is_masked_in_the_resource(wire: Wire, project: Path) -> None:
    wire.done("memory_save", text="something")
    workspace = api.open_workspace(str(project), actor="user:test")
    with Path(workspace.memory.file()).open("a", encoding="utf-8") as file:
        file.write(f"- the token is {_TOKEN}\n")
    text = read(wire, "milepost://memory/project")
    assert "the token is" in text
    assert _TOKEN not in text


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"uri": 5},
        {"uri": "file:///etc/passwd"},
        {"uri": "milepost://memory/"},
        {"uri": "milepost://memory/../global"},
        {"uri": "milepost://memory/none"},
        {"uri": "milepost://checkpoints/99"},
        {"uri": "milepost://checkpoints/x"},
        {"uri": "milepost://checkpoints/" + "9" * 90},
        {"uri": "milepost://goals/abcd1234ef"},
        {"uri": "milepost://goals/\ud83d"},
    ],
)
def test_a_resource_that_is_not_there_is_refused_with_the_code_of_its_era(
    wire: Wire, params: dict[str, object]
) -> None:
    old = wire.request("resources/read", params)["error"]
    assert (old["code"], bool(old["message"])) == (-32002, True)
    assert (
        wire.request("resources/read", {**params, "_meta": MODERN_META})["error"]["code"] == -32602
    )


def test_ids_and_scopes_are_completed(wire: Wire) -> None:
    goal = wire.done("goal_set", condition="x", checks=["test -d ."])["id"]
    wire.done("checkpoint_save")

    def complete(uri: str, name: str, value: str) -> list[str]:
        params = {
            "ref": {"type": "ref/resource", "uri": uri},
            "argument": {"name": name, "value": value},
        }
        return wire.request("completion/complete", params)["result"]["completion"]["values"]

    scopes = ["project", "global", "worktree", "session"]
    assert complete("milepost://memory/{scope}", "scope", "") == scopes
    assert complete("milepost://memory/{scope}", "scope", "gl") == ["global"]
    assert complete("milepost://goals/{id}", "id", goal[:4]) == [goal]
    assert "1" in complete("milepost://checkpoints/{id}", "id", "")
    assert complete("milepost://checkpoints/{id}", "none", "") == []


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"ref": {"type": "ref/prompt", "name": "none"}, "argument": {"name": "x", "value": ""}},
        {"ref": {"type": "ref/resource", "uri": "x"}, "argument": {"name": "x", "value": ""}},
        {"ref": {"type": "ref/prompt", "name": "resume"}, "argument": {"name": "about"}},
        {"ref": [], "argument": {"name": "x", "value": ""}},
    ],
)
def test_a_completion_that_is_asked_for_wrongly_is_refused(wire: Wire, params: object) -> None:
    assert wire.request("completion/complete", params)["error"]["code"] == -32602


def test_a_subscriber_of_the_handshake_era_hears_of_changes_by_whomever(
    wire: Wire, project: Path
) -> None:
    uri = "milepost://memory/project"
    assert wire.request("resources/subscribe", {"uri": uri})["result"] == {}
    with Wire(project) as other:
        other.done("memory_save", text="from elsewhere")
        heard = wire.receive()
    assert heard["method"] == "notifications/resources/updated"
    assert heard["params"] == {"uri": uri}
    assert wire.request("resources/unsubscribe", {"uri": uri})["result"] == {}
    assert wire.request("resources/subscribe", {"uri": "x"})["error"]["code"] == -32002
    modern = {"uri": uri, "_meta": MODERN_META}
    assert wire.request("resources/subscribe", modern)["error"]["code"] == -32601


def test_a_listener_of_the_modern_era_hears_under_its_id_until_it_ends(
    wire: Wire, project: Path
) -> None:
    workspace = api.open_workspace(str(project), actor="user:test")
    goal = workspace.goals.set("x", checks=["test -d ."])
    uri = f"milepost://goals/{goal.id}"
    wanted = {"resourceSubscriptions": [uri], "toolsListChanged": True}
    params = {"notifications": wanted, "_meta": MODERN_META}
    wire.send({"jsonrpc": "2.0", "id": "s", "method": "subscriptions/listen", "params": params})
    meta = {"io.modelcontextprotocol/subscriptionId": "s"}
    granted = wire.receive()
    assert granted["method"] == "notifications/subscriptions/acknowledged"
    assert granted["params"] == {
        "notifications": {"resourceSubscriptions": [uri]}, "_meta": meta,
    }  # fmt: skip
    workspace.goals.abandon(goal.id)
    assert wire.receive()["params"] == {"uri": uri, "_meta": meta}
    # The end of the server is the end of the listening, and says so.
    wire.child.stdin.close()
    last = wire.receive()
    assert (last["id"], last["result"]["resultType"]) == ("s", "complete")
    assert last["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "s"
    workspace.close()


def test_hand_over_asks_for_what_the_next_one_needs_and_tells_where_the_work_stands(
    wire: Wire,
) -> None:
    wire.done("goal_set", condition="the tests pass", checks=["test -d ."])
    wire.done("checkpoint_save", label="half-way")
    params = {"name": "hand_over", "arguments": {"about": "the parser {0}"}}
    (message,) = wire.request("prompts/get", params)["result"]["messages"]
    text = message["content"]["text"]
    for words in ("the parser {0}", "the tests pass", "half-way", "goal_verify", "memory_save"):
        assert words in text
