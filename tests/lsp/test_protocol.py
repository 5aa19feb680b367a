"""The contract with the editors: what is generated from it, and what its reader takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from milepost_lsp.actions.registry import ACTIONS
from milepost_lsp.arguments import ArgumentError, read_message
from milepost_lsp.convert import to_json
from milepost_lsp.generate.files import expected, write
from milepost_lsp.protocol import chat, permissions, proposals
from milepost_lsp.protocol.catalogue import COMMANDS, SUBJECTS
from milepost_lsp.protocol.message import Request

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/protocol.schema.json").read_text(encoding="utf-8"))

# What a client sends: the parameters of its messages, the arguments of commands, and its answers.
SENT = {
    message.params: SCHEMA["messages"][message.method]["params"]
    for subject in SUBJECTS
    for message in subject.messages
    if message.sender == "client"
} | {command.arguments: SCHEMA["commands"][command.name]["argument"] for command in COMMANDS}

# A loaded machine draws slowly; that is no fault of the shapes.
FEW = settings(max_examples=25)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@pytest.fixture(autouse=True, scope="module")
def plain_values():
    """Numbers and texts as JSON and files can hold them."""
    st.register_type_strategy(str, TEXT)
    st.register_type_strategy(int, st.integers(0, 2**31 - 1))
    st.register_type_strategy(float, st.floats(0.1, 1e6))


def test_what_is_generated_from_the_contract_is_not_stale_and_nothing_else_lies_there():
    made = expected(ROOT)
    for name, text in made.items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, f"{name}: run make protocol"
    there = (ROOT / "editors/vscode/src/protocol").iterdir()
    assert {str(path.relative_to(ROOT)) for path in there} <= made.keys()


def test_the_generator_writes_only_what_is_stale(tmp_path):
    (tmp_path / "docs").mkdir()
    page = "Prose.\n<!-- generated: permissions -->\nold\n<!-- end -->\nMore prose.\n"
    (tmp_path / "docs/protocol.md").write_text(page, encoding="utf-8")
    assert len(write(tmp_path)) == len(expected(tmp_path))
    assert write(tmp_path) == []
    written = (tmp_path / "docs/protocol.md").read_text(encoding="utf-8")
    assert "`milepost/permission/request`" in written
    assert written.startswith("Prose.\n")
    assert written.endswith("More prose.\n")
    assert "old" not in written


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_every_message_and_every_action_is_in_the_contract():
    by_name = {command.name: command for command in COMMANDS}
    assert len(by_name) == len(COMMANDS)
    for action in ACTIONS:
        assert by_name[action.command].arguments is action.arguments
    for subject in SUBJECTS:
        for message in subject.messages:
            assert message.method.startswith("milepost/")
            assert message.summary.endswith(".")


@FEW
@given(st.data())
@pytest.mark.parametrize("shape", SENT, ids=lambda shape: shape.__name__)
def test_what_a_client_may_send_by_the_schema_is_read_as_it_was_meant(shape, data):
    meant = data.draw(st.from_type(shape))
    sent = json.loads(json.dumps(to_json(meant)))
    validator(SENT[shape]).validate(sent)
    assert read_message(shape, sent) == meant


@FEW
@given(st.data())
@pytest.mark.parametrize("shape", SENT, ids=lambda shape: shape.__name__)
def test_what_the_schema_forbids_is_refused_and_what_is_left_out_has_its_default(shape, data):
    sent: dict[str, Any] = json.loads(json.dumps(to_json(data.draw(st.from_type(shape)))))
    junk = st.one_of(st.none(), st.booleans(), st.just("x"), st.just([1]), st.just({"a": 1}))
    for name in data.draw(st.sets(st.sampled_from([*sent, "unheardOf"]), min_size=1)):
        if data.draw(st.booleans()):
            sent.pop(name, None)
        else:
            sent[name] = data.draw(junk)
    if validator(SENT[shape]).is_valid(sent):
        read_message(shape, sent)
    else:
        with pytest.raises(ArgumentError):
            read_message(shape, sent)


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ({"text": "x"}, "`prompt[0].type` must be one of text, file, memory, diagnostic"),
        ({"type": "picture"}, "`prompt[0].type` must be one of text, file, memory, diagnostic"),
        ({"type": "memory"}, "`prompt[0].id` is missing"),
        ("hello", "`prompt[0]` must be an object"),
        ({"type": "text", "text": "\ud800"}, "`prompt[0].text` has a lone surrogate"),
    ],
)
def test_a_block_that_is_none_is_refused_by_its_place(block, fault):
    with pytest.raises(ArgumentError) as error:
        read_message(chat.PromptParams, {"prompt": [block]})
    assert str(error.value).startswith(fault)


@pytest.mark.parametrize("answer", [None, {}, [], "yes", {"outcome": "maybe"}])
def test_an_answer_that_is_none_is_refused(answer):
    with pytest.raises(ArgumentError):
        read_message(permissions.PermissionOutcome, answer)


def test_a_code_of_a_diagnostic_may_be_a_text_or_a_number():
    for code in ("E501", 501, None):
        place = {"line": 0, "character": 0}
        block = {"type": "diagnostic", "uri": "file:///x", "range": {"start": place, "end": place}}
        read = read_message(
            chat.PromptParams, {"prompt": [{**block, "message": "m", "code": code}]}
        )
        assert read.prompt[0] == chat.DiagnosticBlock(
            "file:///x", read.prompt[0].range, "m", code=code
        )


def test_requests_are_answered_and_notifications_are_not():
    assert isinstance(proposals.LIST, Request)
    assert not isinstance(proposals.DID_CHANGE, Request)


def validator(kind: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**kind, "$defs": SCHEMA["$defs"]})
