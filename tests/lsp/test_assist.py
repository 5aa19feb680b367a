"""A model's help in the editor: when it is offered, how an edit comes, and when it is refused."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from milepost_lsp.actions.write_tests import file_of_tests, is_test
from tests.core.model_server import ModelServer, openai_reply, silence
from tests.lsp.client import EDITING, Client, ServerError, edited, span

FIX = "Milepost: fix “Wrong sign”"
EXPLAIN = "Milepost: explain “Wrong sign”"
DOCUMENT = "Milepost: write documentation for `ship`"
TESTS = "Milepost: write tests for `ship`"
RETURN = ((6, 4), (6, 27))
WRONG = {"range": span(*RETURN), "message": "Wrong sign", "severity": 1, "source": "ty", "code": -7}
BETTER = openai_reply("Mended.", calls=(("replace", {"old": "> 0", "new": ">= 0"}),))


@pytest.fixture
def started(connect, project):
    """Starts servers with a model that plays acts."""

    @contextmanager
    def start(*acts: Any, announced: Any = None, capabilities: Any = None):
        with ModelServer(acts) as model:
            env = {"MILEPOST_MODEL": "openai:m", "OPENAI_BASE_URL": model.url}
            client = connect(env=env)
            known = EDITING if capabilities is None else capabilities
            client.initialize(
                project, capabilities={**known, "experimental": {"milepost": announced}}
            )
            yield client, model

    return start


def fix_at(client: Client, uri: str) -> dict[str, Any]:
    actions = client.actions(uri, *RETURN, diagnostics=[WRONG], only=["quickfix"])
    return next(action for action in actions if action["title"] == FIX)


def test_without_a_model_a_diagnostic_is_explained_from_memory_and_nothing_is_fixed(
    client, project, other
):
    other.memory.add("`ship` also ships free orders.", kind="rule")
    uri = client.open(project / "shop.py")
    found = client.actions(uri, *RETURN, diagnostics=[WRONG], only=["quickfix"])
    assert [each["title"] for each in found] == [EXPLAIN]
    assert found[0]["diagnostics"][0]["message"] == "Wrong sign"
    answer = client.apply(found[0])
    assert (answer["words"], answer["effort"]) == ("", None)
    assert [entry["text"] for entry in answer["entries"]] == ["`ship` also ships free orders."]
    assert not {DOCUMENT, TESTS} & set(client.titles(uri, (5, 5)))
    shown = client.got("window/showDocument")[-1]["params"]["uri"]
    text = Path(shown.removeprefix("file://")).read_text(encoding="utf-8")
    assert "No model is configured" in text
    with pytest.raises(ServerError, match="no model is configured"):
        client.command("milepost.assist.fix", {"uri": uri, "range": span(*RETURN), "message": "x"})


def test_a_fix_is_made_when_it_is_chosen_and_can_be_looked_at_first(started, project, other):
    with started(BETTER) as (client, model):
        uri = client.open(project / "shop.py")
        # What the model is shown is the buffer, saved or not.
        client.type(uri, "# unsaved\n" + client.documents[uri])
        action = client.actions(
            uri, (7, 4), diagnostics=[{**WRONG, "range": span((7, 4), (7, 27))}]
        )[0]
        assert action["title"] == FIX
        assert action["kind"] == "quickfix.milepost.assist.fix"
        assert action["tags"] == [1]
        assert "command" not in action
        assert "edit" not in action
        assert model.asked == []
        edit = client.request("codeAction/resolve", action)["edit"]
        change = edit["documentChanges"][0]
        assert change["textDocument"] == {"uri": uri, "version": 2}
        assert {each["annotationId"] for each in change["edits"]} == {"milepost"}
        assert edit["changeAnnotations"]["milepost"]["needsConfirmation"] is True
        after = edited(client.documents[uri], change["edits"])
        assert after == client.documents[uri].replace("> 0", ">= 0")
        sent = json.dumps(model.asked[0].body)
        assert "# unsaved" in sent
        assert "the error of ty (-7) on line 8: Wrong sign" in sent
    done = other.history.search("assist fix").events[0]
    assert '"inputTokens"' in done.reply


def test_a_fix_is_refused_when_the_document_moved_on(started, project):
    with started(BETTER, BETTER) as (client, model):
        uri = client.open(project / "shop.py")
        action = fix_at(client, uri)
        client.type(uri, "# typed\n" + client.documents[uri])
        with pytest.raises(ServerError, match="changed since the menu was opened") as error:
            client.request("codeAction/resolve", action)
        assert error.value.code == -32803
        assert model.asked == []


def test_a_fix_is_refused_when_the_document_moves_on_while_the_model_works(started, project):
    typed = threading.Event()

    async def act(connection):
        client.type(uri, "# typed\n" + client.documents[uri])
        client.request("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
        typed.set()
        await BETTER(connection)

    with started(act) as (client, _):
        uri = client.open(project / "shop.py")
        with pytest.raises(ServerError, match="changed while the model was at work"):
            client.request("codeAction/resolve", fix_at(client, uri))
        assert typed.is_set()


@pytest.mark.parametrize("by", ["request", "progress"])
def test_a_cancelled_fix_hangs_up_on_the_model(started, project, by):
    with started(silence()) as (client, model):
        uri = client.open(project / "shop.py")
        running = client.start("codeAction/resolve", fix_at(client, uri))
        client.wait_until(lambda: bool(model.connections), "a question to the model")
        begun = client.wait_for("$/progress")
        assert begun["value"]["cancellable"] is True
        if by == "request":
            client.notify("$/cancelRequest", {"id": running})
        else:
            client.notify("window/workDoneProgress/cancel", {"token": begun["token"]})
        with pytest.raises(ServerError) as error:
            client.answer_to(running, timeout=10)
        assert error.value.code == -32800
        assert model.connections[0].gone.wait(10)


def test_an_edit_that_is_none_is_refused_in_a_sentence(started, project):
    acts = [openai_reply("It is fine."), openai_reply(calls=(("replace", {"old": "q"}),))]
    with started(*acts) as (client, _):
        uri = client.open(project / "shop.py")
        for why in ("proposed no edit: It is fine.", "not in the form"):
            with pytest.raises(ServerError, match=why) as error:
                client.request("codeAction/resolve", fix_at(client, uri))
            assert error.value.code == -32803


def test_malformed_data_is_refused(started, project):
    with started() as (client, _):
        uri = client.open(project / "shop.py")
        action = fix_at(client, uri)
        action["data"]["argument"] = {"uri": 5}
        with pytest.raises(ServerError) as error:
            client.request("codeAction/resolve", action)
        assert error.value.code == -32602


def test_who_knows_proposals_decides_hunk_by_hunk(started, project):
    calls = (
        ("replace", {"old": "def total(order):", "new": "def total(order: Order):"}),
        ("replace", {"old": "> 0", "new": ">= 0"}),
    )
    announced = {"proposals": True}
    with started(openai_reply(calls=calls), announced=announced) as (client, _):
        uri = client.open(project / "shop.py")
        before = client.documents[uri]
        made = client.choose(fix_at(client, uri))
        told = client.wait_for("milepost/proposal/didChange")["proposal"]
        assert told == made["proposal"]
        assert [hunk["state"] for hunk in told["hunks"]] == ["open", "open"]
        assert client.documents[uri] == before
        listed = client.request("milepost/proposal/list", {"uri": uri})["proposals"]
        assert listed == [told]
        where = {"proposalId": told["id"], "hunks": ["h2"]}
        after = client.request("milepost/proposal/accept", where)
        assert client.documents[uri] == before.replace("> 0", ">= 0")
        # The other one, by the menu where it stands.
        title = "Milepost: reject this change (“Fix “Wrong sign””)"
        reject = next(a for a in client.actions(uri, (0, 0)) if a["title"] == title)
        assert client.choose(reject)["state"] == "accepted"
        assert after["state"] == "open"
        with pytest.raises(ServerError, match="decided on already") as error:
            client.request("milepost/proposal/accept", {"proposalId": told["id"]})
        assert error.value.code == -32803
        with pytest.raises(ServerError) as error:
            client.request("milepost/proposal/accept", {"proposalId": 5})
        assert error.value.code == -32602


def test_a_client_that_resolves_nothing_runs_a_command_and_gets_a_plain_edit(started, project):
    plain = {"workspace": {"applyEdit": True}}
    with started(BETTER, capabilities=plain) as (client, _):
        uri = client.open(project / "shop.py")
        action = fix_at(client, uri)
        assert "data" not in action
        assert "tags" not in action
        assert client.choose(action)["isApplied"] is True
        assert "return total(order) >= 0" in client.documents[uri]


def test_documentation_and_tests_are_offered_for_a_definition_by_hand_only(started, project):
    with started() as (client, _):
        uri = client.open(project / "shop.py")
        assert {DOCUMENT, TESTS} <= set(client.titles(uri, (5, 5)))
        for place in ((5, 5), (6, 15), (3, 0)):
            assert not [
                title for title in client.titles(uri, place, invoked=False) if "write" in title
            ]
        assert not [title for title in client.titles(uri, (6, 15)) if "write" in title]


def test_tests_go_into_a_file_of_their_own(started, project):
    test = "from shop import ship\n\n\ndef test_ship(): ..."
    with started(openai_reply(calls=(("append", {"text": test}),))) as (client, model):
        uri = client.open(project / "shop.py")
        action = next(a for a in client.actions(uri, (5, 5)) if a["title"] == TESTS)
        client.choose(action)
        made = (project / "test_shop.py").as_uri()
        assert client.documents[made] == test + "\n"
        assert "return total(order) > 0" in json.dumps(model.asked[0].body)


@pytest.mark.parametrize(
    ("there", "path", "where"),
    [
        ((), "shop.py", "test_shop.py"),
        (("tests/x.py",), "shop.py", "tests/test_shop.py"),
        (("tests/core/test_shop.py",), "core/shop.py", "tests/core/test_shop.py"),
        (("tests/test_shop.py",), "src/lib/shop.py", "tests/test_shop.py"),
        (("src/lib/test_shop.py",), "src/lib/shop.py", "src/lib/test_shop.py"),
        ((), "web/shop.ts", "web/shop.test.ts"),
        (("web/__tests__/x",), "web/shop.ts", "web/__tests__/shop.test.ts"),
        ((), "pkg/shop.go", "pkg/shop_test.go"),
    ],
)
def test_where_tests_are(tmp_path, there, path, where):
    for each in there:
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).touch()
    assert file_of_tests(str(tmp_path), path) == where
    assert is_test(where)
    assert not is_test(path)
