"""One story with the capabilities of each editor, told by pytest-lsp, which also checks that
nothing is sent that the editor did not say it can take."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types
from pytest_lsp import (
    ClientServerConfig,
    LanguageClient,
    client_capabilities,
    make_test_lsp_client,
)

SERVER = [str(Path(sys.executable).with_name("milepost-lsp"))]
TIMEOUT_S = 30.0

MINIMAL = types.ClientCapabilities()
EDITORS = {
    "neovim": lambda: client_capabilities("neovim@v0.11"),
    "vscode": lambda: client_capabilities("visual-studio-code"),
    "minimal": lambda: MINIMAL,
}


@pytest_asyncio.fixture(params=list(EDITORS))
async def editor(request, project) -> AsyncIterator[LanguageClient]:
    client = await ClientServerConfig(server_command=SERVER, client_factory=made).start()
    folder = types.WorkspaceFolder(project.as_uri(), project.name)
    await client.initialize_session(
        types.InitializeParams(
            capabilities=EDITORS[request.param](),
            root_uri=project.as_uri(),
            workspace_folders=[folder],
        )
    )
    yield client
    await client.shutdown_session()
    await client.stop()


@pytest.mark.asyncio
async def test_an_entry_is_seen_doubted_confirmed_and_gone_back_to(editor, project, other):
    """Remember what a function promises, change the function, look, confirm, undo; and go back."""
    code = project / "shop.py"
    uri = opened(editor, code, "python")
    await run(editor, "milepost.checkpoint.save", {"label": "before"})
    actions = await editor.text_document_code_action_async(
        types.CodeActionParams(
            types.TextDocumentIdentifier(uri),
            types.Range(types.Position(0, 4), types.Position(0, 9)),
            types.CodeActionContext([], trigger_kind=types.CodeActionTriggerKind.Invoked),
        )
    )
    assert any("remember selection" in action.title for action in actions)
    entry = await run(
        editor,
        "milepost.memory.remember",
        {"text": "`total` is exact to the cent.", "anchors": ["shop.py#total"], "uri": uri},
    )
    assert entry["status"] == "stated"
    hover = await editor.text_document_hover_async(
        types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(0, 5))
    )
    assert "exact to the cent" in hover.contents.value
    memory = opened(editor, Path(other.memory.file()), "markdown")
    document = types.TextDocumentIdentifier(memory)

    code.write_text(
        code.read_text(encoding="utf-8").replace("order.cents", "order.dollars"), encoding="utf-8"
    )
    editor.text_document_did_save(
        types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri))
    )
    await until(lambda: codes(editor, memory) == ["suspect"])
    lenses = await editor.text_document_code_lens_async(types.CodeLensParams(document))
    assert [lens.command.title for lens in lenses][-2:] == ["confirm", "forget"]
    confirm = lenses[-2].command
    await run(editor, confirm.command, *confirm.arguments)
    await until(lambda: codes(editor, memory) == [])

    links = await editor.text_document_document_link_async(types.DocumentLinkParams(document))
    target = await editor.document_link_resolve_async(links[0])
    assert target.target == f"{uri}#L1"
    symbols = await editor.text_document_document_symbol_async(types.DocumentSymbolParams(document))
    assert symbols
    assert await editor.text_document_folding_range_async(types.FoldingRangeParams(document))
    found = await editor.workspace_symbol_async(types.WorkspaceSymbolParams("exact cent"))
    assert [symbol.name for symbol in found] == ["`total` is exact to the cent."]

    done = await run(editor, "milepost.checkpoint.goBack", {"id": 1, "apply": True, "uri": uri})
    assert [change["path"] for change in done["changes"]] == ["shop.py"]
    assert "order.cents" in code.read_text(encoding="utf-8")
    undone = await run(editor, "milepost.memory.undo", {"uri": uri})
    assert undone["action"] == "undo"


def made() -> LanguageClient:
    """pytest-lsp's client, which also asks anew when it is told to, as these editors do."""
    client = make_test_lsp_client()
    for method in (
        types.WORKSPACE_INLAY_HINT_REFRESH,
        types.WORKSPACE_CODE_LENS_REFRESH,
        types.CLIENT_REGISTER_CAPABILITY,
    ):

        @client.feature(method)
        def agreed(*_: object) -> None:
            """Nothing is kept here that would be old."""

    return client


def opened(editor: LanguageClient, path: Path, language: str) -> str:
    text = path.read_text(encoding="utf-8")
    item = types.TextDocumentItem(path.as_uri(), language, 1, text)
    editor.text_document_did_open(types.DidOpenTextDocumentParams(item))
    return path.as_uri()


async def run(editor: LanguageClient, command: str, *arguments: object):
    answer = await editor.workspace_execute_command_async(
        types.ExecuteCommandParams(command, list(arguments))
    )
    return plain(answer)


def plain(value):
    """What pygls' client made a named tuple of, as a dictionary again."""
    if hasattr(value, "_asdict"):
        return {key: plain(each) for key, each in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def codes(editor: LanguageClient, uri: str) -> list[str]:
    return [each.code for each in editor.diagnostics.get(uri, [])]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not condition():  # noqa: ASYNC110  (the client sets no event for it)
            await asyncio.sleep(0.02)
