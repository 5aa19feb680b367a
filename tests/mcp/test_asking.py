"""The user is asked through their client, and the client's model may judge: by the real SDK."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mcp_types
import pytest
from mcp import Client, StdioServerParameters

from milepost import api
from tests.mcp.http_server import HttpServer
from tests.mcp.wire import MODERN_META, Wire

pytestmark = pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning")


@dataclass
class User:
    """Answers as they are told, and remembers what they were asked."""

    answers: list[object]
    asked: list[str] = field(default_factory=list)

    async def elicit(self, _context: object, params: Any) -> mcp_types.ElicitResult:
        self.asked.append(params.message)
        answer = self.answers.pop(0)
        if answer in ("decline", "cancel"):
            return mcp_types.ElicitResult(action=answer)
        return mcp_types.ElicitResult(action="accept", content={"answer": answer})


@pytest.fixture(params=["stdio", "http"])
def target(request: pytest.FixtureRequest, project: Path) -> object:
    """The server, over either transport."""
    if request.param == "http":
        with HttpServer(project) as started:
            yield started.url
        return
    command = [sys.executable, "-m", "milepost_mcp.command", "--project", str(project)]
    yield StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))


@asynccontextmanager
async def connected(target: object, mode: str, **callbacks: object) -> AsyncIterator[Client]:
    async with Client(target, mode=mode, **callbacks) as client:
        yield client


def check(name: str) -> str:
    """A command that leaves a line for each time that it was run."""
    return f"test -f README.md && tee -a ran-{name}.txt < README.md"


def runs(project: Path, name: str) -> int:
    path = project / f"ran-{name}.txt"
    return len(path.read_text("utf-8").splitlines()) if path.exists() else 0


def runs_of_all(project: Path) -> int:
    return len(list(project.glob("ran-*")))


MODES = ("legacy", "2026-07-28")


@pytest.mark.asyncio
async def test_the_user_is_asked_with_the_very_command_and_allows_it_once(
    target: object, project: Path
) -> None:
    for mode in MODES:
        user = User(["once", "once"])
        async with connected(target, mode, elicitation_callback=user.elicit) as client:
            given = {"condition": f"it works in {mode}", "checks": [check(mode)]}
            assert not (await client.call_tool("goal_set", given)).is_error
            assert f"    {check(mode)}\n" in user.asked[0]
            assert f'"it works in {mode}"' in user.asked[0]
            assert str(project) in user.asked[0]
            found = await client.call_tool("goal_verify", {})
        assert found.structured_content["verdict"] == "met"
        assert len(user.asked) == 2
        assert runs(project, mode) == 1
    opened = api.open_workspace(str(project), actor="user:test")
    assert opened.goals.allowed_commands() == ()
    assert len(opened.goals.page()) == len(MODES)
    opened.close()


@pytest.mark.asyncio
async def test_what_is_allowed_always_is_not_asked_for_again(target: object, project: Path) -> None:
    for mode in MODES:
        user = User(["always"])
        async with connected(target, mode, elicitation_callback=user.elicit) as client:
            await client.call_tool("goal_set", {"condition": "it works", "checks": [check(mode)]})
            for fresh in (False, True):
                found = await client.call_tool("goal_verify", {"fresh": fresh})
                assert found.structured_content["verdict"] == "met"
    opened = api.open_workspace(str(project), actor="user:test")
    assert set(opened.goals.allowed_commands()) == set(map(check, MODES))
    opened.close()


@pytest.mark.asyncio
async def test_a_no_is_a_no_and_the_user_is_not_asked_again(target: object, project: Path) -> None:
    for mode in MODES:
        answers = ["no", "decline", "cancel", "perhaps"]
        user = User(list(answers))
        async with connected(target, mode, elicitation_callback=user.elicit) as client:
            for answer in answers:
                command = check(f"{mode}-{answer}")
                made = await client.call_tool("goal_set", {"condition": "x", "checks": [command]})
                assert made.structured_content["not_allowed"] == [command]
                refused = await client.call_tool("goal_verify", {})
                assert refused.is_error
                assert "milepost goal allow" in refused.content[0].text
        assert len(user.asked) == len(answers)
    assert runs_of_all(project) == 0


@pytest.mark.asyncio
async def test_a_client_that_offers_nothing_gets_the_refusal_that_says_how_to_allow(
    target: object, project: Path
) -> None:
    for mode in MODES:
        async with connected(target, mode) as client:
            await client.call_tool("goal_set", {"condition": "it works", "checks": [check(mode)]})
            refused = await client.call_tool("goal_verify", {})
            assert refused.is_error
            assert "milepost goal allow" in refused.content[0].text
            await client.call_tool("goal_set", {"condition": "nothing decides it"})
            found = await client.call_tool("goal_verify", {})
            assert found.structured_content["verdict"] == "unverifiable"
    assert runs_of_all(project) == 0


@pytest.mark.asyncio
async def test_the_model_of_a_client_judges_what_no_check_decides(
    target: object, project: Path
) -> None:
    asked: list[str] = []
    answers = [
        '{"verdict": "met", "reason": "it says so", "quotes": ["Install it with pip."]}',
        '{"verdict": "met", "reason": "it says so", "quotes": ["Install it with conda."]}',
        "I am sure that it is done.",
    ]

    async def sample(_context: object, params: Any) -> mcp_types.CreateMessageResult:
        asked.append(params.messages[0].content.text)
        content = mcp_types.TextContent(text=answers.pop(0))
        return mcp_types.CreateMessageResult(role="assistant", content=content, model="m")

    verdicts = []
    async with connected(target, "legacy", sampling_callback=sample) as client:
        await client.call_tool("goal_set", {"condition": "the guide tells how to install"})
        (project / "guide.md").write_text("Install it with pip.\npassword = 'hunter2-hunter2'\n")
        for _ in range(3):
            found = await client.call_tool("goal_verify", {})
            verdicts.append(found.structured_content["verdict"])
    assert verdicts == ["met", "unverifiable", "unverifiable"]
    assert "Install it with pip." in asked[0]
    assert "hunter2" not in asked[0]


def modern(wire: Wire, tool: str, arguments: object, **more: object) -> dict[str, Any]:
    meta = {**MODERN_META, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
    params = {"name": tool, "arguments": arguments, "_meta": meta, **more}
    return wire.request("tools/call", params)["result"]


def test_an_answer_to_another_question_is_none(wire: Wire, project: Path) -> None:
    first = modern(wire, "goal_set", {"condition": "a", "checks": ["test -d ."]})
    assert first["resultType"] == "input_required"
    ((key, asked),) = first["inputRequests"].items()
    assert asked["method"] == "elicitation/create"
    yes = {key: {"action": "accept", "content": {"answer": "always"}}}
    other = modern(wire, "goal_set", {"condition": "a", "checks": ["rm -f x"]}, inputResponses=yes)
    assert other["resultType"] == "input_required"
    assert list(other["inputRequests"]) != [key]
    for said in ("yes", {"action": "accept"}, {"action": "accept", "content": 1}):
        bad = {key: said}
        with Wire(project) as fresh:
            done = modern(
                fresh, "goal_set", {"condition": "a", "checks": ["test -d ."]}, inputResponses=bad
            )
            assert done["resultType"] == "complete"
            assert done["structuredContent"]["not_allowed"] == ["test -d ."]


def test_a_command_that_hides_what_it_is_is_shown_as_it_is(wire: Wire) -> None:
    command = "test -d .\u202e\x1b[2K"
    (asked,) = modern(wire, "goal_set", {"condition": "a\nb", "checks": [command]})[
        "inputRequests"
    ].values()
    message = asked["params"]["message"]
    assert "    test -d .\\u202e\\x1b[2K\n" in message
    assert '"a\\nb"' in message


def test_a_client_that_never_answers_is_not_waited_for_when_it_cancels(wire: Wire) -> None:
    wire.request(
        "initialize",
        {"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}}, "clientInfo": {}},
    )
    params = {"name": "goal_set", "arguments": {"condition": "a", "checks": ["test -d ."]}}
    wire.send({"jsonrpc": "2.0", "id": 77, "method": "tools/call", "params": params})
    question = wire.receive()
    assert question["method"] == "elicitation/create"
    wire.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 77}})
    assert wire.receive()["method"] == "notifications/cancelled"
    wire.send({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept"}})
    assert "tools" in wire.request("tools/list")["result"]


def test_a_client_that_shows_no_forms_is_not_asked(wire: Wire) -> None:
    wire.request(
        "initialize",
        {
            "protocolVersion": "2025-11-25",
            "capabilities": {"elicitation": {"url": {}}},
            "clientInfo": {},
        },
    )
    assert wire.done("goal_set", condition="a", checks=["test -d ."])["not_allowed"]
