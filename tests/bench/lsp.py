"""The language server against a bare pygls server and python-lsp-server.

Cold start: CPU and wall from process start to the answer to `initialize`, over stdio, with the
capabilities of a real editor. Latency: hover and code actions on a project of many files, of which
each has an entry that is about it, one request at a time; the bare server answers with a constant.
Fifty files are asked about in turns; then, for reading, as many words as there are samples, each
for the first time. Growth: memory after many edits of an open document, against memory before them,
each when nothing is under way any more. Idle: CPU over a stretch in which nothing happens.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from milepost import api
from tests.bench._report import Report, main
from tests.lsp.client import CAPABILITIES, Client, at, span

_HELLO = [sys.executable, "-c", """
from lsprotocol import types
from pygls.lsp.server import LanguageServer
server = LanguageServer("hello", "1")
@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(params: types.HoverParams) -> types.Hover:
    return types.Hover("hello")
@server.feature(types.TEXT_DOCUMENT_CODE_ACTION)
def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
    return [types.CodeAction("hello", command=types.Command("hello", "hello"))]
server.start_io()
"""]  # fmt: skip
_PYLSP = [sys.executable, "-m", "pylsp"]

# What VS Code and Neovim announce, as far as it decides what a server has to build.
_EDITOR: dict[str, Any] = {
    **CAPABILITIES,
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True},
        "workspaceFolders": True,
        "symbol": {"symbolKind": {"valueSet": list(range(1, 27))}},
        "codeLens": {"refreshSupport": True},
        "inlayHint": {"refreshSupport": True},
    },
    "textDocument": {
        **CAPABILITIES["textDocument"],
        "synchronization": {"didSave": True, "willSave": True, "willSaveWaitUntil": True},
        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": []}},
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix"]}},
            "dataSupport": True,
        },
        "publishDiagnostics": {"relatedInformation": True, "versionSupport": True},
        "rename": {"prepareSupport": True},
    },
}

_IDLE_S = 10.0

# What is done in the background begins a fifth of a second after the last edit.
_REST_S = 1.0
_AT_REST_WITHIN_S = 60.0


def run(quick: bool) -> Report:
    """The whole benchmark."""
    report = Report("lsp")
    count, edits, samples = (1_000, 2_000, 300) if quick else (10_000, 10_000, 1_000)
    with tempfile.TemporaryDirectory() as scratch:
        home, root = Path(scratch, "home"), Path(scratch, "shop")
        os.environ["MILEPOST_HOME"] = str(home)
        os.environ["MILEPOST_VECTORS"] = "off"
        # The plain installation: a second scanner compiles its rules in the background for seconds.
        os.environ["MILEPOST_SECRETS"] = "own"
        _make(root, count)
        _cold_start(report, root, rounds=5 if quick else 15)
        _latency(report, root, count, samples)
        _growth(report, root, edits)
    return report


def _make(root: Path, count: int) -> None:
    """A project of many files, and an entry about a function in each."""
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'shop'\n", encoding="utf-8")
    for number in range(count):
        folder = root / f"part{number // 100}"
        folder.mkdir(exist_ok=True)
        (folder / f"m{number}.py").write_text(
            f"def total_{number}(order):\n    return sum(order.cents) + {number}\n\n\n"
            f"def ship_{number}(order):\n    return total_{number}(order) > {number}\n",
            encoding="utf-8",
        )
    workspace = api.open_workspace(str(root), actor="user:bench")
    try:
        memory = Path(workspace.memory.file())
        workspace.memory.add("The first entry.")
        lines = [
            f"- `total_{number}` keeps part {number} of the orders exact to the cent. "
            f"<!-- milepost id=e{number:09d} status=stated source=user:bench "
            f"at=2026-01-01T00:00:00Z anchors=part{number // 100}/m{number}.py%23total_{number} -->"
            for number in range(count)
        ]
        with memory.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        workspace.memory.refresh()
        workspace.checkpoints.save("the beginning")
    finally:
        workspace.close()


def _cold_start(report: Report, root: Path, rounds: int) -> None:
    """In turns, so that a busy machine is busy for all."""
    servers: dict[str, list[str] | None] = {"milepost": None, "pygls": _HELLO}
    if importlib.util.find_spec("pylsp") is None:
        report.skipped.append("python-lsp-server is not installed; `make bench` brings it")
    else:
        servers["pylsp"] = _PYLSP
    cpu_s: dict[str, list[float]] = {name: [] for name in servers}
    wall_s: dict[str, list[float]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name, command in servers.items():
            began = time.perf_counter()
            client = Client(root, command=command)
            _initialize(client, root)
            wall_s[name].append(time.perf_counter() - began)
            cpu_s[name].append(_cpu_s(client.process.pid))
            _leave(client)
    for name in servers:
        report.median(f"{name}_start_cpu_ms", [1000 * each for each in cpu_s[name]])
        report.median(f"{name}_start_wall_ms", [1000 * each for each in wall_s[name]])
    ours, bare = (statistics.median(cpu_s[name]) for name in ("milepost", "pygls"))
    report.ratio("cpu_to_initialize", ours / bare, 0.6)


def _latency(report: Report, root: Path, count: int, samples: int) -> None:
    """Hover and code actions of both servers, in turns of a hundred."""
    clients = {"milepost": Client(root), "pygls": Client(root, command=_HELLO)}
    took: dict[tuple[str, str], list[float]] = {}
    try:
        for client in clients.values():
            _initialize(client, root)
            client.notify("initialized", {})
        numbers = [index * count // 50 for index in range(50)]
        files = [root / f"part{number // 100}/m{number}.py" for number in numbers]
        for client in clients.values():
            for file in files:
                client.open(file)
            # The first of each kind builds what all others use.
            for kind in ("hover", "code_action"):
                _ask(client, kind, files[0].as_uri())
        for begin in range(0, samples, 100):
            for name, client in clients.items():
                for kind in ("hover", "code_action"):
                    for index in range(begin, min(begin + 100, samples)):
                        uri = files[index % len(files)].as_uri()
                        took.setdefault((name, kind), []).append(_ask(client, kind, uri))
        _first(clients, root, samples, took)
        for (name, kind), seconds in took.items():
            report.median(f"{name}_{kind}_p50_ms", [1000 * each for each in seconds])
            report.medians[f"{name}_{kind}_p95_ms"] = round(1000 * _p95(seconds), 4)
        for kind in ("hover", "code_action"):
            ours, bare = (_p95(took[name, kind]) for name in clients)
            report.ratio(f"{kind}_p95", ours / bare, 3.0)
    finally:
        for client in clients.values():
            _leave(client)


def _first(
    clients: dict[str, Client],
    root: Path,
    samples: int,
    took: dict[tuple[str, str], list[float]],
) -> None:
    """Hovers over words that were never asked about, in turns."""
    words = "".join(f"total_{number}(order)\n" for number in range(samples))
    for client in clients.values():
        client.open(root / "words.py", words)
        _rest(client)
    uri = (root / "words.py").as_uri()
    for begin in range(0, samples, 100):
        for name, client in clients.items():
            for line in range(begin, min(begin + 100, samples)):
                took.setdefault((name, "first_hover"), []).append(_ask(client, "hover", uri, line))


def _growth(report: Report, root: Path, edits: int) -> None:
    """Memory over many edits, and the processor when there are none any more."""
    client = Client(root)
    try:
        _initialize(client, root)
        client.notify("initialized", {})
        file = root / "part0/m0.py"
        uri = client.open(file)
        _edit(client, uri, edits // 10)
        _rest(client)
        before = _rss_mib(client.process.pid)
        _edit(client, uri, edits)
        _rest(client)
        after = _rss_mib(client.process.pid)
        report.medians["rss_before_mib"] = round(before, 2)
        report.medians["rss_after_mib"] = round(after, 2)
        report.ratio("rss_growth", after / before, 1.05)
        began = _cpu_s(client.process.pid)
        time.sleep(_IDLE_S)
        report.medians["idle_cpu_ms_per_s"] = round(
            1000 * (_cpu_s(client.process.pid) - began) / _IDLE_S, 3
        )
    finally:
        _leave(client)


def _edit(client: Client, uri: str, edits: int) -> None:
    """Types one letter and takes it back, asking for a hover now and then, as an editor does."""
    for number in range(edits):
        is_typed = number % 2 == 0
        change = {
            "range": span((4, 0), (4, 0 if is_typed else 1)), "text": "x" if is_typed else "",
        }  # fmt: skip
        params = {
            "textDocument": {"uri": uri, "version": number + 2}, "contentChanges": [change],
        }  # fmt: skip
        client.notify("textDocument/didChange", params)
        if number % 50 == 0:
            client.hover(uri, 0, 6)
    client.hover(uri, 0, 6)
    client.received.clear()


def _rest(client: Client) -> None:
    """Waits until what was set off, such as the look at what was opened, has come to an end: until
    the server used no processor for a while."""
    deadline = time.monotonic() + _AT_REST_WITHIN_S
    used_s = -1.0
    while used_s != (used_s := _cpu_s(client.process.pid)):
        assert time.monotonic() < deadline, "the server does not come to rest"
        time.sleep(_REST_S)


def _ask(client: Client, kind: str, uri: str, line: int = 0) -> float:
    """How many seconds an answer takes; there must be one."""
    began = time.perf_counter()
    if kind == "hover":
        answer = client.request("textDocument/hover", at(uri, line, 6))
    else:
        params = {
            "textDocument": {"uri": uri},
            "range": span((0, 6), (0, 6)),
            "context": {"diagnostics": [], "triggerKind": 2},
        }
        answer = client.request("textDocument/codeAction", params)
    took = time.perf_counter() - began
    assert answer, (kind, uri)
    return took


def _initialize(client: Client, root: Path) -> None:
    client.request(
        "initialize",
        {
            "processId": os.getpid(),
            "rootUri": root.as_uri(),
            "capabilities": _EDITOR,
            "workspaceFolders": [{"uri": root.as_uri(), "name": root.name}],
        },
        timeout=120,
    )


def _leave(client: Client) -> None:
    client.process.kill()
    client.wait_exit()


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return pages * resource.getpagesize() / 1024**2


if __name__ == "__main__":
    main(run)
