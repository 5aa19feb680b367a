"""`milepost acp`, with the protocol's own client library on the other side."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import acp
import pytest
from acp import schema

from tests.lsp.conftest import SHOP

MILEPOST = Path(sys.executable).with_name("milepost")

PATIENCE_S = 30.0

READ = {"tool": "read", "arguments": {"path": "shop.py"}}
EDIT = {"tool": "edit", "arguments": {"path": "shop.py", "old": "> 0", "new": ">= 0"}}


class Editor(acp.Client):
    """An editor that shows what it is told, answers questions, and has files open."""

    def __init__(self) -> None:
        self.updates: list[Any] = []
        self.questions: list[Any] = []
        self.answer: str | None = "allow_once"
        self.buffers: dict[str, str] = {}
        self.moved = asyncio.Event()

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        self.updates.append(update)
        self.moved.set()

    async def request_permission(self, session_id, tool_call, options, **_: Any) -> Any:
        self.questions.append((tool_call, options))
        if self.answer is None:
            return schema.RequestPermissionResponse(
                outcome=schema.DeniedOutcome(outcome="cancelled")
            )
        chosen = schema.AllowedOutcome(outcome="selected", option_id=self.answer)
        return schema.RequestPermissionResponse(outcome=chosen)

    async def read_text_file(self, path: str, session_id: str, **_: Any) -> Any:
        if path not in self.buffers:
            raise acp.RequestError.resource_not_found(path)
        return schema.ReadTextFileResponse(content=self.buffers[path])

    def words(self, kind: str = "agent_message_chunk") -> str:
        return "".join(
            update.content.text for update in self.updates if update.session_update == kind
        )

    def of(self, kind: str) -> list[Any]:
        return [update for update in self.updates if update.session_update == kind]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.moved.clear()
                await self.moved.wait()


Connect = Callable[..., AbstractAsyncContextManager[tuple[Any, Editor]]]


@pytest.fixture
def connect(project: Path, tmp_path: Path) -> Connect:
    """Starts `milepost acp` with a model that plays these turns."""

    @asynccontextmanager
    async def start(*turns: dict[str, object], model: str | None = None) -> AsyncGenerator[Any]:
        script = tmp_path / "script.jsonl"
        script.write_text("\n".join(map(json.dumps, turns)), encoding="utf-8")
        environment = {**os.environ, "MILEPOST_MODEL": model or f"scripted:{script}"}
        if not turns and model is None:
            del environment["MILEPOST_MODEL"]
        editor = Editor()
        started = acp.spawn_agent_process(
            editor, str(MILEPOST), "acp", env=environment, cwd=project
        )
        async with started as (agent, process):
            files = schema.FileSystemCapabilities(read_text_file=True)
            await agent.initialize(
                protocol_version=acp.PROTOCOL_VERSION,
                client_capabilities=schema.ClientCapabilities(fs=files),
                client_info=schema.Implementation(name="Test Editor", version="1"),
            )
            agent.process = process
            yield agent, editor

    return start


def say(*words: str) -> list[Any]:
    return [acp.text_block(each) for each in words]


async def new(agent: Any, project: Path) -> str:
    made = await agent.new_session(cwd=str(project), mcp_servers=[])
    return made.session_id


def call(tool: str, **arguments: object) -> dict[str, object]:
    return {"calls": [{"tool": tool, "arguments": arguments}]}


def test_it_says_what_it_can_do(connect, project):
    async def story() -> None:
        async with connect({"say": "Hi."}) as (agent, _):
            answer = await agent.initialize(protocol_version=99)
            assert answer.protocol_version == 1
            assert answer.agent_capabilities.load_session
            assert answer.agent_info.name == "milepost"
            made = await agent.new_session(cwd=str(project), mcp_servers=[])
            assert made.modes.current_mode_id == "build"
            assert {mode.id for mode in made.modes.available_modes} >= {"build", "plan"}

    asyncio.run(story())


def test_an_answer_streams_in_and_is_kept(connect, project, other):
    async def story() -> None:
        async with connect({"say": "It adds up the cents of an order.", "think": "Cents."}) as (
            agent,
            editor,
        ):
            session = await new(agent, project)
            answer = await agent.prompt(session_id=session, prompt=say("What does total do?"))
            assert answer.stop_reason == "end_turn"
            assert editor.words() == "It adds up the cents of an order."
            assert editor.words("agent_thought_chunk") == "Cents."
            listed = await agent.list_sessions(cwd=str(project))
            assert [each.title for each in listed.sessions] == ["What does total do?"]
        async with connect({"say": "Yes."}) as (agent, editor):
            await agent.load_session(cwd=str(project), session_id=session, mcp_servers=[])
            await editor.until(editor.words)
            assert editor.words("user_message_chunk") == "What does total do?"
            assert editor.words() == "It adds up the cents of an order."
            await agent.prompt(session_id=session, prompt=say("Sure?"))
            assert editor.words().endswith("Yes.")

    asyncio.run(story())
    assert other.chat().sessions().total == 1


def test_an_edit_is_shown_as_a_diff_with_a_restore_point_before(connect, project, other):
    edit = {"calls": [READ, EDIT]}

    async def story() -> None:
        async with connect(edit, {"say": "Done."}) as (agent, editor):
            session = await new(agent, project)
            await agent.prompt(session_id=session, prompt=say("Ship free orders."))
            begun = next(each for each in editor.of("tool_call") if each.kind == "edit")
            assert begun.locations[0].path == str(project / "shop.py")
            ended = editor.of("tool_call_update")[-1]
            assert ended.status == "completed"
            diff = next(part for part in ended.content if part.type == "diff")
            assert (diff.old_text, diff.new_text) == (SHOP, SHOP.replace("> 0", ">= 0"))

    asyncio.run(story())
    assert ">= 0" in (project / "shop.py").read_text(encoding="utf-8")
    assert other.checkpoints.page()


@pytest.mark.parametrize(
    ("answer", "is_run"), [("allow_once", True), ("reject_once", False), (None, False)]
)
def test_what_needs_permission_is_asked(connect, project, answer, is_run):
    (project / "build").mkdir()

    async def story() -> None:
        async with connect(call("shell", command="rm -rf build"), {"say": "So be it."}) as (
            agent,
            editor,
        ):
            editor.answer = answer
            session = await new(agent, project)
            await agent.prompt(session_id=session, prompt=say("Tidy up."))
            (asked, options), *_ = editor.questions
            assert "rm -rf build" in asked.title
            assert [option.kind for option in options] == [
                "allow_once",
                "allow_always",
                "reject_once",
            ]

    asyncio.run(story())
    assert (project / "build").exists() is not is_run


def test_a_prompt_that_another_process_answers_is_cancelled_there(connect, project):
    async def story() -> None:
        hang = {"say": "", "hang": True}
        async with connect(hang) as (agent, editor), connect(hang) as (other, _):
            session = await new(agent, project)
            prompt = asyncio.ensure_future(agent.prompt(session_id=session, prompt=say("Wait.")))
            await editor.until(lambda: editor.of("tool_call"))  # the restore point
            await other.load_session(cwd=str(project), session_id=session, mcp_servers=[])
            # Who closes a session of another process's leaves it at work.
            await other.close_session(session_id=session)
            await other.load_session(cwd=str(project), session_id=session, mcp_servers=[])
            assert not prompt.done()
            await other.cancel(session_id=session)
            async with asyncio.timeout(PATIENCE_S):
                answer = await prompt
            assert answer.stop_reason == "cancelled"

    asyncio.run(story())


@pytest.mark.parametrize("way", ["session/cancel", "$/cancel_request"])
def test_a_cancelled_prompt_ends_with_that_word_and_its_children_are_dead(connect, project, way):
    mark = project / "alive"

    async def story() -> None:
        slow = f"sh -c 'touch {mark}; sleep 300'"
        async with connect(call("shell", command=slow)) as (agent, editor):
            session = await new(agent, project)
            prompt = asyncio.ensure_future(agent.prompt(session_id=session, prompt=say("Wait.")))
            await until_there(mark)
            if way == "session/cancel":
                await agent.cancel(session_id=session)
            else:
                # The third request of the connection: initialize, session/new, this one.
                await agent._conn.send_notification(way, {"requestId": 2})
            async with asyncio.timeout(PATIENCE_S):
                answer = await prompt
            assert answer.stop_reason == "cancelled"
            assert editor.of("tool_call")[-1].kind == "execute"

    asyncio.run(story())
    assert "sleep 300" not in processes()


def test_what_is_not_saved_in_the_editor_is_what_the_model_reads(connect, project):
    async def story() -> None:
        async with connect(call("read", path="shop.py"), {"say": "Read."}) as (agent, editor):
            editor.buffers[str(project / "shop.py")] = "UNSAVED = True\n"
            session = await new(agent, project)
            await agent.prompt(session_id=session, prompt=say("Look."))
            told = editor.of("tool_call_update")[-1].content[0].content.text
            assert "UNSAVED = True" in told

    asyncio.run(story())


def test_files_go_along_as_links_and_as_texts(connect, project):
    link = acp.resource_link_block("shop.py", (project / "shop.py").as_uri())
    text = acp.resource_block(
        acp.embedded_text_resource((project / "new.py").as_uri(), "NEW = 1\n")
    )

    async def story() -> None:
        async with connect({"say": "Seen."}) as (agent, _):
            session = await new(agent, project)
            await agent.prompt(session_id=session, prompt=[*say("Compare."), link, text])

    asyncio.run(story())


def test_plan_mode_changes_nothing(connect, project):
    async def story() -> None:
        edit = {"calls": [READ, EDIT]}
        async with connect(edit, {"say": "I would change it."}) as (agent, editor):
            session = await new(agent, project)
            await agent.set_session_mode(session_id=session, mode_id="plan")
            await agent.prompt(session_id=session, prompt=say("Ship free orders."))
            assert editor.of("tool_call_update")[-1].status == "failed"

    asyncio.run(story())
    assert (project / "shop.py").read_text(encoding="utf-8") == SHOP


def test_without_a_model_memory_answers(connect, project, other):
    other.memory.add("The till opens at nine.")

    async def story() -> None:
        async with connect() as (agent, editor):
            session = await new(agent, project)
            answer = await agent.prompt(session_id=session, prompt=say("When does the till open?"))
            assert answer.stop_reason == "end_turn"
            assert "No model is configured" in editor.words()
            assert "The till opens at nine." in editor.words()
            assert any(each.title == "Remembered 1" for each in editor.of("tool_call"))

    asyncio.run(story())


def test_what_another_process_does_in_a_session_is_shown(connect, project):
    async def story() -> None:
        async with connect({"say": "One."}) as (agent, editor):
            session = await new(agent, project)
            await agent.prompt(session_id=session, prompt=say("Begin."))
            await agent.load_session(cwd=str(project), session_id=session, mcp_servers=[])
            async with connect({"say": "Two."}) as (second, _):
                await second.load_session(cwd=str(project), session_id=session, mcp_servers=[])
                await second.prompt(session_id=session, prompt=say("Go on."))
                await editor.until(lambda: "Two." in editor.words())

    asyncio.run(story())


def test_sessions_fork_close_and_go(connect, project):
    async def story() -> None:
        async with connect({"say": "One."}, {"say": "Two."}) as (agent, _):
            session = await new(agent, project)
            await agent.prompt(session_id=session, prompt=say("Begin."))
            forked = await agent.fork_session(session_id=session, cwd=str(project))
            await agent.prompt(session_id=forked.session_id, prompt=say("Go on."))
            assert len((await agent.list_sessions(cwd=str(project))).sessions) == 2
            await agent.close_session(session_id=forked.session_id)
            with pytest.raises(acp.RequestError, match="make or load one first"):
                await agent.prompt(session_id=forked.session_id, prompt=say("Hello?"))

    asyncio.run(story())


def test_an_empty_session_leaves_nothing_behind(connect, project, other):
    async def story() -> None:
        async with connect({"say": "One."}) as (agent, _):
            await new(agent, project)

    asyncio.run(story())
    assert other.chat().sessions().total == 0


def test_a_wrong_request_gets_a_sentence(connect, project):
    async def story() -> None:
        async with connect({"say": "One."}) as (agent, _):
            session = await new(agent, project)
            for asked, sentence in [
                (
                    lambda: agent.new_session(cwd="shop", mcp_servers=[]),
                    "cwd must be an absolute path",
                ),
                (lambda: agent.new_session(cwd="/", mcp_servers=[]), "can be a project"),
                (
                    lambda: agent.prompt(session_id="nope", prompt=say("x")),
                    "there is no session nope here",
                ),
                (lambda: agent.prompt(session_id=session, prompt=say("  ")), "nothing to answer"),
                (
                    lambda: agent.prompt(
                        session_id=session, prompt=[acp.image_block("QQ==", "image/png")]
                    ),
                    "Milepost takes text and files, not image",
                ),
                (
                    lambda: agent.set_session_mode(session_id=session, mode_id="fly"),
                    "no mode 'fly'",
                ),
                (
                    lambda: agent.load_session(cwd=str(project), session_id="nope", mcp_servers=[]),
                    "no session with that id",
                ),
            ]:
                with pytest.raises(acp.RequestError) as refused:
                    await asked()
                assert sentence in str(refused.value), sentence
            assert (await agent.prompt(session_id=session, prompt=say("Still?"))).stop_reason

    asyncio.run(story())


def test_nonsense_on_the_wire_is_answered_and_the_agent_goes_on(project):
    lines = [
        b"no json",
        b"[]",
        b'{"jsonrpc": "2.0", "id": 1, "method": 5}',
        b'{"jsonrpc": "2.0", "id": 2, "method": "dance"}',
        b'{"jsonrpc": "2.0", "id": 3, "method": "session/new", "params": [1]}',
        b'{"jsonrpc": "2.0", "id": 4, "method": "session/prompt", "params": {"sessionId": 7}}',
        b'{"jsonrpc": "2.0", "method": "session/cancel", "params": {}}',
        b'{"jsonrpc": "2.0", "id": 77, "result": {}}',
        b"[" * 100_000,
        b'{"jsonrpc": "2.0", "id": 5, "method": "initialize", "params": {"protocolVersion": 1}}',
    ]
    done = subprocess.run(
        [str(MILEPOST), "acp"], input=b"\n".join(lines) + b"\n", cwd=project,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    codes = {
        each["id"]: each["error"]["code"] for each in answers if each.get("id") and "error" in each
    }
    assert codes == {2: -32601, 3: -32602, 4: -32602}
    assert [each["error"]["code"] for each in answers if each["id"] is None] == [
        -32700,
        -32600,
        -32600,
        -32700,
    ]
    assert any(each["id"] == 5 and "result" in each for each in answers)
    assert done.returncode == 0
    assert done.stderr == b""


@pytest.mark.parametrize("how", ["eof", "sigterm"])
def test_leaving_in_mid_turn_ends_the_children_and_keeps_what_was_said(
    connect, project, other, how
):
    mark = project / "alive"

    async def story() -> None:
        slow = f"sh -c 'touch {mark}; sleep 300'"
        turn = {"say": "I begin.", **call("shell", command=slow)}
        async with connect(turn) as (agent, _):
            session = await new(agent, project)
            prompt = asyncio.ensure_future(agent.prompt(session_id=session, prompt=say("Wait.")))
            await until_there(mark)
            if how == "sigterm":
                agent.process.send_signal(signal.SIGTERM)
            else:
                agent.process.stdin.close()
            async with asyncio.timeout(PATIENCE_S):
                assert await agent.process.wait() == 0
            prompt.cancel()

    asyncio.run(story())
    assert "sleep 300" not in processes()
    page = other.chat().sessions()
    events = other.chat().load(page.sessions[0].id).events
    assert any(getattr(each.update, "text", "") == "I begin." for each in events)


async def until_there(path: Path) -> None:
    async with asyncio.timeout(PATIENCE_S):
        # Nobody sets an event when a child makes a file.
        while not path.exists():  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.02)


def processes() -> str:
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(command.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)
