"""`milepost mcp` with the conformance suite's own tools, prompts and resources beside ours.

The suite calls these by name. What our tools could answer too is declared here as ours are; what
they never answer comes from conformance_fixtures.py (images, sound, results that ask) and
conformance_questions.py (requests to the client, in the handshake era).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from milepost.api import UserError, Workspace
from milepost_mcp import prompts, resources
from milepost_mcp.answers import Answers, Waiter
from milepost_mcp.command import main
from milepost_mcp.prompts import Prompt
from milepost_mcp.session import Seen
from milepost_mcp.tools import TOOLS
from milepost_mcp.tools.tool import Call, Reply, Tool
from milepost_mcp.transports.http import clients, serve

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.mcp import conformance_fixtures as fixtures
from tests.mcp.conformance_questions import QUESTIONS, AskingProtocol

_SCHEME = "test://"


def _simple_text(_call: Call) -> Reply:
    return Reply("This is a simple text response for testing.", {})


def _error(_call: Call) -> Reply:
    raise UserError("This tool intentionally returns an error for testing")


def _progress(call: Call) -> Reply:
    for position in range(3):
        call.progress(position, 3, "a step")
        # Steps that follow at once are told as one; the suite wants to see each.
        call.stop.wait(0.2)
    return Reply("done", {})


def _simple_prompt(_workspace: Workspace, _arguments: Mapping[str, str]) -> str:
    return "This is a simple prompt for testing."


def _prompt_with_arguments(_workspace: Workspace, arguments: Mapping[str, str]) -> str:
    return f"Prompt with arguments: arg1='{arguments['arg1']}', arg2='{arguments['arg2']}'"


def _read(_workspace: Workspace, name: str, _seen: Seen | None) -> str:
    if name in ("static-text", "watched-resource"):
        return "This is the content of the static text resource."
    if name.startswith("template/"):
        return f"Data for ID: {name.split('/')[1]}"
    raise UserError(f"there is no {name}")


_own_parted = resources.parted


def _parted(uri: str) -> tuple[str, str]:
    return ("test", uri.removeprefix(_SCHEME)) if uri.startswith(_SCHEME) else _own_parted(uri)


@dataclass(frozen=True, slots=True)
class _Fixture:
    """A tool that answers by itself; bound to the whole request when it is called."""

    name: str
    params: Mapping[str, object] = field(default_factory=dict[str, object])
    is_slow: bool = False

    def definition(self) -> dict[str, object]:
        return fixtures.definition(self.name)


class _FixtureAnswers(Answers):
    """Our answers, and those of the suite's fixtures."""

    def tool(self, params: Mapping[str, object]) -> Tool:
        found = super().tool(params)
        return _Fixture(found.name, params) if isinstance(found, _Fixture) else found

    def call(
        self,
        tool: Tool,
        arguments: object,
        waiter: Waiter,
        send: Callable[[dict[str, object]], None],
    ) -> None:
        if isinstance(tool, _Fixture):
            send(fixtures.TOOLS[tool.name](tool.params))
        else:
            super().call(tool, arguments, waiter, send)

    def answer(
        self, method: str, params: Mapping[str, object], *, is_modern: bool
    ) -> dict[str, object]:
        if method == "prompts/get" and params.get("name") in fixtures.PROMPTS:
            return fixtures.PROMPTS[str(params["name"])](params)
        if method == "resources/read" and params.get("uri") in fixtures.RESOURCES:
            hints = {"ttlMs": 0, "cacheScope": "private"} if is_modern else {}
            return {"contents": [fixtures.RESOURCES[str(params["uri"])]], **hints}
        return super().answer(method, params, is_modern=is_modern)


clients.Answers = _FixtureAnswers
serve.Protocol = AskingProtocol
TOOLS.update({name: _Fixture(name) for name in (*fixtures.TOOLS, *QUESTIONS)})

for _tool in (
    Tool("test_simple_text", "Text", "Answers with text.", _simple_text),
    Tool("test_error_handling", "Error", "Fails.", _error),
    Tool("test_tool_with_progress", "Progress", "Takes steps.", _progress, is_slow=True),
):
    TOOLS[_tool.name] = _tool
for _prompt in (
    Prompt("test_simple_prompt", "Simple", "Takes nothing.", {}, _simple_prompt),
    Prompt(
        "test_prompt_with_arguments", "With arguments", "Takes two.",
        {"arg1": "the first", "arg2": "the second"}, _prompt_with_arguments,
    ),
):  # fmt: skip
    prompts._PROMPTS[_prompt.name] = _prompt
resources._READERS["test"] = _read
resources.parted = _parted

if __name__ == "__main__":
    sys.exit(main())
