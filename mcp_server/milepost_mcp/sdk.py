"""`milepost mcp --check`: what the official SDK sees of this server.

The server starts as an agent would start it, the SDK's client connects in both eras, and what it
sees is printed. This is how a person finds out whether a silent agent or the server is at fault.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from importlib.util import find_spec

# A loaded machine included; an agent gives up long before.
_TIMEOUT_S = 30.0


def check(project: str | None) -> int:
    """Connect as a client in both eras; the exit code is 1 when that fails."""
    if not is_installed("the check"):
        return 1
    return asyncio.run(_check(project))


def is_installed(what: str) -> bool:
    """Whether the SDK is there; if not, say that `what` needs it."""
    if find_spec("mcp") is not None:
        return True
    print(f'milepost: {what} needs the MCP SDK; pip install "milepost[mcp]"', file=sys.stderr)
    return False


async def _check(project: str | None) -> int:
    from mcp import Client, StdioServerParameters  # noqa: PLC0415

    arguments = ["-m", "milepost_mcp.command", *(("--project", project) if project else ())]
    command = StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ))
    for mode in ("legacy", "2026-07-28"):
        started = time.perf_counter()
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                async with Client(command, mode=mode) as client:
                    tools = (await client.list_tools()).tools
        except Exception as error:  # noqa: BLE001  (whatever the SDK raises is the finding)
            print(f"FAIL {mode}: {type(error).__name__}: {error}")
            return 1
        took = (time.perf_counter() - started) * 1000
        names = ", ".join(tool.name for tool in tools)
        print(f"ok   {mode}: {len(tools)} tools in {took:.0f} ms: {names}")
    return 0
