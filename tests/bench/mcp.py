"""The MCP server against a bare server of the SDK and npm's server-memory.

Cold start: CPU and wall from process start to the answer to `tools/list`, over stdio, of the
installed console script. Idle: memory after that. Save and search: one client, one call at a time,
on a store of many entries. Two writers: two servers on one store, the acknowledged entries that the
store then lacks.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench._report import Report, main

_ROOT = Path(__file__).parents[2]
_SERVER_MEMORY = _ROOT / "tests/npm/node_modules/@modelcontextprotocol/server-memory/dist/index.js"
_OURS = [str(Path(sys.executable).with_name("milepost-mcp"))]
_BARE = [sys.executable, "-c", """
from mcp.server import MCPServer
server = MCPServer("bare", version="1")
@server.tool()
def echo(text: str) -> str:
    return text
server.run("stdio")
"""]  # fmt: skip

# A server that has not done all that is asked of it by then hangs.
_LONGEST_S = 900.0

_WORDS = tuple(
    re.findall(
        r"\w+",
        "cache pool retry token schema index worker queue port timeout build deploy test fixture "
        "parser socket thread lock migration payload header cookie session router handler module",
    )
)


class Client:
    """A raw client of one server process."""

    def __init__(self, command: list[str], cwd: Path, environment: dict[str, str]) -> None:
        self._child = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **environment},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._limit = threading.Timer(_LONGEST_S, self._child.kill)
        self._limit.daemon = True
        self._limit.start()
        self._next_id = 0
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}}
        self.request("initialize", {**hello, "clientInfo": {"name": "bench", "version": "1"}})
        self._send({"method": "notifications/initialized"})

    def request(self, method: str, params: object) -> dict[str, object]:
        """Send a request and wait for its answer."""
        self._next_id += 1
        self._send({"id": self._next_id, "method": method, "params": params})
        # Read here: to have it from another thread would take as long as many an answer.
        for line in self._child.stdout:
            message: dict[str, object] = json.loads(line)
            if "id" in message:
                return message
        raise SystemExit(f"the server ended before it answered {method}")

    def call(self, tool: str, arguments: dict[str, object]) -> float:
        """Call a tool; how many milliseconds until its answer. It must not be an error."""
        started = time.perf_counter()
        answer = self.request("tools/call", {"name": tool, "arguments": arguments})
        took_ms = (time.perf_counter() - started) * 1000
        assert "result" in answer, answer
        assert not answer["result"].get("isError"), answer
        return took_ms

    def rss_mib(self) -> float:
        """What the server's process takes of memory now."""
        pages = int(Path(f"/proc/{self._child.pid}/statm").read_text("utf-8").split()[1])
        return pages * resource.getpagesize() / 1024**2

    def close(self) -> None:
        """End the server."""
        self._child.stdin.close()
        self._child.wait(30)
        self._limit.cancel()
        self._child.stdout.close()

    def _send(self, message: dict[str, object]) -> None:
        self._child.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self._child.stdin.flush()


def run(quick: bool) -> Report:
    """The whole benchmark."""
    report = Report("mcp")
    _cold_start(report, rounds=5 if quick else 15)
    _rss_idle(report)
    samples = 20 if quick else 60
    if not quick:
        _save_and_search(report, entries=1_000, samples=samples, name="_1k")
    medians = _save_and_search(report, entries=1_000 if quick else 10_000, samples=samples)
    report.ratio("save_p50_10k", medians["save"] / medians["save_theirs"], 0.1)
    report.ratio("search_p50_10k", medians["search"] / medians["search_theirs"], 0.25)
    _two_writers(report, writes=50 if quick else 200)
    return report


def _cold_start(report: Report, rounds: int) -> None:
    messages = [
        {"id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"},
        }},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
    ]  # fmt: skip
    data = "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in messages)
    cpu: dict[str, list[float]] = {"ours": [], "bare": []}
    wall: dict[str, list[float]] = {"ours": [], "bare": []}
    with _project() as (project, environment):
        for _ in range(rounds):
            for name, command in (("ours", _OURS), ("bare", _BARE)):
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                started = time.perf_counter()
                subprocess.run(
                    command, input=data.encode(), cwd=project, check=True, capture_output=True,
                    env={**os.environ, **environment}, timeout=60,
                )  # fmt: skip
                wall[name].append((time.perf_counter() - started) * 1000)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                cpu[name].append(used * 1000)
    report.median("wall_to_tools_list_and_exit_ms", wall["ours"])
    report.median("wall_to_tools_list_and_exit_bare_sdk_ms", wall["bare"])
    ours = report.median("cpu_to_tools_list_ms", cpu["ours"])
    bare = report.median("cpu_to_tools_list_bare_sdk_ms", cpu["bare"])
    report.ratio("cpu_to_tools_list", ours / bare, 0.1)


def _rss_idle(report: Report) -> None:
    """What each takes of memory when it has listed its tools and nothing more."""
    if not Path("/proc/self/statm").exists():
        return
    with _project() as (project, environment):
        theirs = _server_memory(project, [])
        for name, (command, cwd, variables) in (
            ("ours", (_OURS, project, environment)),
            ("bare_sdk", (_BARE, project, environment)),
            ("theirs", theirs),
        ):
            client = Client(command, cwd, variables)
            client.request("tools/list", {})
            report.median(f"rss_idle_{name}_mib", [client.rss_mib()])
            client.close()


def _save_and_search(
    report: Report, entries: int, samples: int, name: str = ""
) -> dict[str, float]:
    notes = [_note(number) for number in range(entries)]
    wanted = random.Random(5).sample(range(entries), samples)
    with _project() as (project, environment):
        _fill_ours(project, environment, notes)
        ours, theirs = Client(_OURS, project, environment), Client(*_server_memory(project, notes))
        times: dict[str, list[float]] = {
            "save": [], "save_theirs": [], "search": [], "search_theirs": []
        }  # fmt: skip
        ours.call("memory_search", {"query": "warm"})
        theirs.call("search_nodes", {"query": "warm"})
        for sample, number in enumerate(wanted):
            text = _note(entries + sample)
            times["save"].append(ours.call("memory_save", {"text": text}))
            entity = {"name": f"new{sample}", "entityType": "note", "observations": [text]}
            times["save_theirs"].append(theirs.call("create_entities", {"entities": [entity]}))
            # One rare word: the only kind of question that server-memory answers at all.
            question = {"query": f"code{number}x"}
            times["search"].append(ours.call("memory_search", question))
            times["search_theirs"].append(theirs.call("search_nodes", question))
        ours.close()
        theirs.close()
    for kind, values in times.items():
        report.median(f"{kind}{name}_p95_ms", [statistics.quantiles(values, n=20)[18]])
    return {kind: report.median(f"{kind}{name}_p50_ms", values) for kind, values in times.items()}


def _two_writers(report: Report, writes: int) -> None:
    with _project() as (project, environment):
        clients = [Client(_OURS, project, environment) for _ in range(2)]

        def write(name: str, client: Client) -> None:
            for number in range(writes):
                client.call("memory_save", {"text": f"{name} wrote {number}"})

        threads = [
            threading.Thread(target=write, args=(f"client {number}", client))
            for number, client in enumerate(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for client in clients:
            client.close()
        (memory,) = Path(environment["MILEPOST_HOME"]).glob("projects/*/MEMORY.md")
        kept = memory.read_text("utf-8").count("\n- client ")
    report.ratio("two_writers_lost", 2 * writes - kept, 0)


@contextmanager
def _project() -> Iterator[tuple[Path, dict[str, str]]]:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        (project / ".milepost").mkdir(parents=True)
        # What is measured is the plain installation; `recall` tells what the models cost. Another
        # scanner's rules are compiled for seconds when a home is new.
        plain = {"MILEPOST_VECTORS": "off", "MILEPOST_SECRETS": "own"}
        yield project, {"MILEPOST_HOME": str(Path(folder) / "home"), **plain}


def _note(number: int) -> str:
    rng = random.Random(number)
    words = " ".join(rng.choice(_WORDS) for _ in range(12))
    return f"The {words} has code{number}x since release {number % 97}."


def _fill_ours(project: Path, environment: dict[str, str], notes: list[str]) -> None:
    """Write the memory file as a person or a copy would; the server finds it and indexes it."""
    client = Client(_OURS, project, environment)
    client.call("memory_save", {"text": "the first entry makes the file"})
    client.close()
    (memory,) = Path(environment["MILEPOST_HOME"]).glob("projects/*/MEMORY.md")
    lines = (
        f"- {note} <!-- milepost id=n{number:09d} status=unverified source=bench -->\n"
        for number, note in enumerate(notes)
    )
    with memory.open("a", encoding="utf-8") as file:
        file.writelines(lines)


def _server_memory(project: Path, notes: list[str]) -> tuple[list[str], Path, dict[str, str]]:
    store = project.parent / "memory.jsonl"
    with store.open("w", encoding="utf-8") as file:
        for number, note in enumerate(notes):
            entity = {"name": f"n{number}", "entityType": "note", "observations": [note]}
            file.write(json.dumps({"type": "entity", **entity}) + "\n")
    node = _ROOT / ".tools" / "node" / "bin" / "node"
    return [str(node), str(_SERVER_MEMORY)], project, {"MEMORY_FILE_PATH": str(store)}


if __name__ == "__main__":
    main(run)
