# ruff: noqa: INP001  (a script beside a picture, in no package)
"""An agent for the picture: saves one entry through the real `milepost-mcp`.

python agent.py ABOUT TEXT
"""

from __future__ import annotations

import asyncio
import os
import sys

from mcp import Client, StdioServerParameters
from mcp.types import Implementation


async def main(about: str, text: str) -> None:
    server = StdioServerParameters(command="milepost-mcp", env=dict(os.environ), cwd=".")
    async with Client(server, client_info=Implementation(name="agent", version="1")) as client:
        reply = await client.call_tool("memory_save", {"text": text, "about": [about]})
    if reply.is_error:
        sys.exit(f"memory_save failed: {reply.content}")


asyncio.run(main(*sys.argv[1:]))
