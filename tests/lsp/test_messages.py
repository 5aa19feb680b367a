"""Messages of ours through the guard: typed parameters, clean refusals, real cancelling."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from milepost import api
from milepost_lsp.protocol.message import Notification, Request
from tests.lsp.peer import Peer


@dataclass(frozen=True, slots=True)
class Question:
    type_name: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Reply:
    said_words: tuple[str, ...]


ASK = Request("milepost/test/ask", Question, Reply, "Asks.")
TELL = Notification("milepost/test/tell", Question, "Tells.", sender="client")
ASK_BACK = Request("milepost/test/askBack", Question, Reply, "Asks the client.", sender="server")
TELL_BACK = Notification("milepost/test/tellBack", Reply, "Tells the client.", needs="chat")


class AskedPeer(Peer):
    """A server that takes the messages above."""

    def __init__(self, announced: Any = None, **more: Any) -> None:
        super().__init__(announced, **more)
        self.heard: list[Question] = []
        self.began = asyncio.Event()
        self.server.add_request(ASK, self._reply)
        self.server.add_notification(TELL, self.heard.append)

    async def _reply(self, question: Question) -> Reply:
        if question.type_name == "wait":
            self.began.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return Reply(("cancelled",))
        if question.type_name == "show":
            stop = threading.Event()
            async with self.editor.progress("Showing", token=None, stop=stop):
                await asyncio.Event().wait()
        if question.type_name == "fail":
            raise api.UserError("this cannot be: do that")
        return Reply((question.type_name,) * question.times)

    async def ask(self, params: Any) -> dict[str, Any]:
        self.send(ASK.method, params, msg_id=1)
        return await self.answer(1)


@pytest_asyncio.fixture
async def peer() -> AskedPeer:
    return AskedPeer({"chat": True})


@pytest.mark.asyncio
async def test_parameters_come_typed_and_the_answer_goes_in_camel_case(peer):
    answer = await peer.ask({"typeName": "class", "times": 2})
    assert answer["result"] == {"saidWords": ["class", "class"]}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({}, "`typeName` is missing"),
        (None, "`typeName` is missing"),
        ([], "it must be one JSON object"),
        ("x", "it must be one JSON object"),
        ({"typeName": "x", "class": 1, "a-b": 2}, "`class` is not an argument"),
        ({"type_name": "1x"}, "`type_name` is not an argument"),
        ({"typeName": "x", "times": "2"}, "`times` must be a whole number"),
    ],
)
async def test_defect_3_wrong_parameters_are_refused_in_one_sentence(peer, params, sentence):
    error = (await peer.ask(params))["error"]
    assert error["code"] == -32602
    assert error["message"].startswith(f"milepost/test/ask: {sentence}")


@pytest.mark.asyncio
async def test_what_cannot_be_done_is_answered_with_its_sentence(peer):
    error = (await peer.ask({"typeName": "fail"}))["error"]
    assert error == {"code": -32803, "message": "this cannot be: do that"}


@pytest.mark.asyncio
async def test_a_cancelled_request_may_answer_all_the_same(peer):
    peer.send(ASK.method, {"typeName": "wait"}, msg_id=7)
    await peer.began.wait()
    peer.send("$/cancelRequest", {"id": 7})
    assert (await peer.answer(7))["result"] == {"saidWords": ["cancelled"]}


@pytest.mark.asyncio
@pytest.mark.parametrize("turns_of_the_loop", range(6))
async def test_a_cancel_that_comes_with_the_consent_to_a_progress_bar_counts(turns_of_the_loop):
    peer = AskedPeer(capabilities={"window": {"workDoneProgress": True}})
    peer.send(ASK.method, {"typeName": "show"}, msg_id=8)
    wish = await peer.wait_for(lambda m: m.get("method") == "window/workDoneProgress/create")
    peer.take({"jsonrpc": "2.0", "id": wish["id"], "result": None})
    for _ in range(turns_of_the_loop):
        await asyncio.sleep(0)
    peer.send("$/cancelRequest", {"id": 8})
    assert (await peer.answer(8))["error"]["code"] == -32800


@pytest.mark.asyncio
async def test_a_notification_is_read_and_a_malformed_one_passed_over(peer):
    peer.send(TELL.method, {"typeName": "a"})
    peer.send(TELL.method, {"typeName": 5})
    peer.send(TELL.method, {"typeName": "b"})
    assert [each.type_name for each in peer.heard] == ["a", "b"]
    peer.send(TELL.method, {"typeName": "c"}, msg_id=3)
    assert (await peer.answer(3))["error"]["code"] == -32602


@pytest.mark.asyncio
async def test_the_clients_answer_is_read_into_its_shape_or_is_none(peer):
    for result, expected in (
        ({"result": {"saidWords": ["x"]}}, Reply(("x",))),
        ({"result": {"saidWords": 5}}, None),
        ({"result": None}, None),
        ({"error": {"code": -1, "message": "no"}}, None),
    ):
        peer.got.clear()
        asking = asyncio.create_task(peer.editor.request(ASK_BACK, Question("q")))
        sent = await peer.wait_for(lambda message: message.get("method") == ASK_BACK.method)
        assert sent["params"] == {"typeName": "q", "times": 1}
        peer.take({"jsonrpc": "2.0", "id": sent["id"], **result})
        assert await asking == expected


@pytest.mark.asyncio
async def test_who_stops_waiting_takes_the_question_back(peer):
    asking = asyncio.create_task(peer.editor.request(ASK_BACK, Question("q")))
    sent = await peer.wait_for(lambda message: message.get("method") == ASK_BACK.method)
    asking.cancel()
    withdrawn = await peer.wait_for(lambda message: message.get("method") == "$/cancelRequest")
    assert withdrawn["params"] == {"id": sent["id"]}
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("announced", "is_told"),
    [
        ({"chat": True}, True),
        ({"chat": False}, False),
        ({"chat": "yes"}, False),
        ({}, False),
        (True, False),
        (None, False),
    ],
)
async def test_a_client_is_told_only_what_it_announced(announced, is_told):
    peer = AskedPeer(announced)
    await peer.answer(0)
    peer.editor.notify(TELL_BACK, Reply(("x",)))
    assert any(each.get("method") == TELL_BACK.method for each in peer.got) is is_told


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("announced", "knows"),
    [({}, True), (True, True), ({"memory": False}, False), (False, False), (None, False)],
)
async def test_memory_is_told_to_who_announced_anything_and_did_not_say_no(announced, knows):
    peer = AskedPeer(announced)
    await peer.answer(0)
    assert peer.editor.knows("memory") is knows
