"""What the user sets in the editor, typed, with the wrong key named once."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost_lsp.arguments import ArgumentError
from milepost_lsp.options import InspectionOptions, LogOptions, Options, read_options
from tests.lsp.client import ANNOUNCED

PULLS = {
    **ANNOUNCED,
    "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
}


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (None, Options()),
        ({}, Options()),
        ({"inspection": None, "log": {"level": None}}, Options()),
        ({"server": {"path": ["x"]}, "trace": 5}, Options()),
        ({"inspection": {"codeLenses": False}}, Options(InspectionOptions(code_lenses=False))),
        ({"log": {"level": "debug"}}, Options(log=LogOptions("debug"))),
    ],
)
def test_what_is_right_is_taken_and_other_keys_are_the_clients_own(given, options):
    assert read_options(given) == options


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (5, "`milepost` must be an object"),
        ({"inspection": []}, "`milepost.inspection` must be an object"),
        ({"inspection": {"codeLenses": "yes"}}, "`milepost.inspection.codeLenses` must be true"),
        ({"inspection": {"codeLens": True}}, "`milepost.inspection.codeLens` is not a setting"),
        ({"inspections": {}}, "did you mean `milepost.inspection`?"),
        ({"log": {"level": "loud"}}, "`milepost.log.level` must be one of"),
    ],
)
def test_what_is_wrong_is_named(given, named):
    with pytest.raises(ArgumentError) as error:
        read_options(given)
    assert named in str(error.value)


def test_a_client_is_asked_for_its_settings_and_asked_again_when_they_change(
    connect, project, other
):
    for _ in range(2):
        other.memory.search("port")
    other.memory.add("The port is 6432.")
    other.memory.search("port")
    other.close()
    client = connect()
    client.settings = {"inspection": {"codeLenses": False}}
    client.initialize(project, capabilities=PULLS)
    registered = client.wait_for("client/registerCapability")["registrations"][0]
    assert registered["method"] == "workspace/didChangeConfiguration"
    assert client.wait_for("workspace/configuration") == {"items": [{"section": "milepost"}]}
    uri = client.open(Path(other.memory.file()), language="markdown")
    client.wait_until(lambda: lenses(client, uri) is None, "no lenses")
    client.settings = {"inspection": {"codeLenses": "sure"}}
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    said = client.wait_for_message("`milepost.inspection.codeLenses` must be true or false")
    assert said.endswith("What was set before holds.")
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    client.settings = {}
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    client.wait_until(lambda: lenses(client, uri), "lenses")
    assert client.messages() == [said]


def test_a_client_that_cannot_be_asked_sends_its_settings(connect, project, other):
    other.memory.add("The port is 6432.")
    other.memory.search("port")
    other.close()
    client = connect()
    client.initialize(
        project, initializationOptions={"milepost": {"inspection": {"codeLenses": False}}}
    )
    uri = client.open(Path(other.memory.file()), language="markdown")
    assert lenses(client, uri) is None
    settings = {"editor": {}, "milepost": {"inspection": {"codeLenses": True}}}
    client.notify("workspace/didChangeConfiguration", {"settings": settings})
    assert lenses(client, uri)
    assert client.got("workspace/configuration") == []


def test_the_servers_log_shows_in_the_client_as_far_as_it_is_wanted(connect, project):
    client = connect()
    client.initialize(project, initializationOptions={"log": {"level": "warning"}})
    client.notify("textDocument/didOpen", {"textDocument": 5})
    line = client.wait_for("window/logMessage")
    assert line["type"] == 2
    assert "ignored a malformed textDocument/didOpen" in line["message"]
    quiet = {"milepost": {"log": {"level": "error"}}}
    client.notify("workspace/didChangeConfiguration", {"settings": quiet})
    client.request("workspace/symbol", {"query": ""})
    for _ in range(500):
        client.notify("textDocument/didOpen", {"textDocument": 5})
    client.request("workspace/symbol", {"query": ""})
    assert len(client.got("window/logMessage")) == 1


def test_a_log_that_repeats_itself_is_cut(connect, project):
    client = connect()
    client.initialize(project)
    for _ in range(1_000):
        client.notify("textDocument/didOpen", {"textDocument": 5})
    client.request("workspace/symbol", {"query": ""})
    lines = client.got("window/logMessage")
    assert len(lines) <= 100
    assert "--log-file" in lines[-1]["params"]["message"]


def lenses(client, uri: str):
    return client.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
