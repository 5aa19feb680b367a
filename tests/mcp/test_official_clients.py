"""The official clients are the judges: the SDK's in each mode, and MCP Inspector's command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

_ROOT = Path(__file__).parents[2]
_INSPECTOR = _ROOT / "tests" / "npm" / "node_modules" / ".bin"


def server(project: Path) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "milepost", "mcp", "--project", str(project)],
        env=dict(os.environ),
    )


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])
async def test_the_sdks_client_saves_finds_and_goes_back(project: Path, mode: str) -> None:
    async with Client(server(project), mode=mode) as client:
        assert len((await client.list_tools()).tools) == 10
        saved = await client.call_tool("memory_save", {"text": "Use uv, never pip"})
        assert saved.is_error in (False, None)
        found = await client.call_tool("memory_search", {"query": "pip"})
        assert found.structured_content["hits"][0]["id"] == saved.structured_content["id"]
        point = await client.call_tool("checkpoint_save", {"label": "good"})
        (project / "README.md").unlink()
        arguments = {"id": point.structured_content["id"], "apply": True}
        await client.call_tool("checkpoint_restore", arguments)
        assert (project / "README.md").exists()
        wrong = await client.call_tool("memory_save", {"txt": "x"})
        assert wrong.is_error


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])
async def test_the_sdks_client_gets_a_brief_by_the_prompt(project: Path, mode: str) -> None:
    (project / "AGENTS.md").write_text("- Use pnpm here.\n", encoding="utf-8")
    async with Client(server(project), mode=mode) as client:
        names = [prompt.name for prompt in (await client.list_prompts()).prompts]
        assert names == ["resume", "hand_over"]
        got = await client.get_prompt("resume", {"about": "pnpm", "budget_tokens": "300"})
        (message,) = got.messages
        assert "| Use pnpm here." in message.content.text


def inspect(project: Path, *words: str) -> dict[str, object]:
    command = [
        str(_INSPECTOR / "mcp-inspector"), "--cli",
        sys.executable, "-m", "milepost", "mcp", "--project", str(project),
        *words, "--format", "json",
        # Inspector gives a server only what it is told to of its own environment.
        "-e", f"MILEPOST_HOME={os.environ['MILEPOST_HOME']}",
    ]  # fmt: skip
    node = _ROOT / ".tools" / "node" / "bin"
    environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, env=environment, capture_output=True, timeout=120, cwd=project, check=False
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return json.loads(done.stdout)["result"]


@pytest.mark.parametrize("era", ["legacy", "auto", "modern"])
def test_inspector_lists_the_tools_strictly_and_calls_one(project: Path, era: str) -> None:
    listed = inspect(project, "--method", "tools/list", "--strict", "--protocol-era", era)
    assert len(listed["tools"]) == 10
    prompts = inspect(project, "--method", "prompts/list", "--protocol-era", era)
    assert [prompt["name"] for prompt in prompts["prompts"]] == ["resume", "hand_over"]
    called = inspect(
        project, "--method", "tools/call", "--tool-name", "memory_save",
        "--tool-args-json", '{"text": "from Inspector"}', "--protocol-era", era,
    )  # fmt: skip
    assert called["structuredContent"]["text"] == "from Inspector"
