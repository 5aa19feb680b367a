"""An agent's side: the real `milepost-mcp` as a child, and the SDK's client that talks to it.

The client lives on an event loop of its own in a thread, so that the story reads top down.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any

from anyio.from_thread import start_blocking_portal
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.demo.stage import SCRIPTS
from tests.demo.steps import StepError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from anyio.from_thread import BlockingPortal

    from tests.demo.stage import Stage

# A goal's check runs a test suite; every other call answers in milliseconds.
CALL_TIMEOUT_S = 60.0

# The shell becomes the server, so the process id that it wrote is the server's.
_NOTE_PID = 'echo $$ >"$1"; shift; exec "$@"'


class Agent:
    """A connected client and the server that it started."""

    def __init__(self, client: Client, portal: BlockingPortal, pid_file: Path) -> None:
        self.client = client
        self.portal = portal
        self._pid_file = pid_file

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured reply of a tool; StepError with its words when it says it failed."""
        return self.portal.call(call, self.client, tool, arguments)

    def tools(self) -> list[str]:
        listed = self.portal.call(self.client.list_tools)
        return [tool.name for tool in listed.tools]

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        os.kill(int(self._pid_file.read_text(encoding="ascii")), signal.SIGKILL)


@contextlib.contextmanager
def start_agent(stage: Stage) -> Iterator[Agent]:
    """A new server and a client that has shaken hands with it; both are gone at the end."""
    pid_file = stage.folder / "tmp" / "server.pid"
    with (
        start_blocking_portal() as portal,
        (stage.folder / "tmp" / "server.err").open("a", encoding="utf-8") as errors,
    ):
        transport = stdio_client(server(stage, pid_file), errlog=errors)
        client = Client(transport, read_timeout_seconds=CALL_TIMEOUT_S)
        with portal.wrap_async_context_manager(client):
            yield Agent(client, portal, pid_file)


def server(stage: Stage, pid_file: Path) -> StdioServerParameters:
    """How to start the console script in the project, as an agent's configuration would."""
    return StdioServerParameters(
        command="/bin/sh",
        args=["-c", _NOTE_PID, "sh", str(pid_file), str(SCRIPTS / "milepost-mcp")],
        env=stage.environment,
        cwd=stage.project,
    )


async def call(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """One call on the client's own loop."""
    reply = await client.call_tool(tool, arguments)
    words = "\n".join(getattr(part, "text", "") for part in reply.content)
    if reply.is_error:
        raise StepError(f"{tool} failed: {words}")
    if reply.structured_content is None:
        raise StepError(f"{tool} answered without structured content: {words}")
    return reply.structured_content
