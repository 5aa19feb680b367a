"""The command `milepost-lsp`: its options, and what it says when it cannot serve."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from milepost import __version__
from tests.lsp.client import SERVER


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SERVER, *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_version(project):
    done = run("--version", cwd=project)
    assert (done.returncode, done.stdout) == (0, f"milepost-lsp {__version__}\n")


def test_milepost_lsp_is_the_same_command(project):
    program = Path(SERVER[0]).with_name("milepost")
    done = subprocess.run(
        [program, "lsp", "--version"], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"milepost-lsp {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--tcp", "0.0.0.0:7333"), "only loopback addresses"),
        (("--tcp", "example.org:80"), "is not HOST:PORT"),
        (("--tcp", "127.0.0.1"), "is not HOST:PORT"),
        (("--tcp", "127.0.0.1:99999"), "is no port"),
        (("--project", "no/such/folder"), "there is no folder"),
        (("--log-file", "/proc/no/log.txt"), "cannot write the log file"),
        (("--stdio", "--tcp", "127.0.0.1:0"), "not allowed with"),
    ],
)
def test_what_it_cannot_do_is_one_sentence_and_exit_2(project, arguments, sentence):
    done = run(*arguments, cwd=project)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_missing_extra_is_one_sentence_and_exit_2(project):
    code = """
        import sys
        sys.modules["pygls"] = None
        from milepost_lsp.command import main
        sys.exit(main([]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert 'pip install "milepost[lsp]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_the_command_loads_nothing_heavy(project):
    code = "import sys, milepost_lsp.command; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert not {"pygls", "lsprotocol", "watchfiles", "sqlite3"} & set(done.stdout.split())


@pytest.mark.parametrize("is_file", [True, False])
def test_messages_are_taken_from_a_file_or_a_socket_as_from_a_pipe(project, tmp_path, is_file):
    wanted = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize(project)},
        {"jsonrpc": "2.0", "id": 2, "method": "shutdown"},
        {"jsonrpc": "2.0", "method": "exit"},
    ]
    bodies = [json.dumps(message).encode() for message in wanted]
    whole = b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)
    ours, theirs = socket.socketpair()
    with ours, theirs, (tmp_path / "messages").open("w+b") as file:
        (file if is_file else ours.makefile("wb", buffering=0)).write(whole)
        file.seek(0)
        stdin = file if is_file else theirs
        done = subprocess.run(
            SERVER, cwd=project, stdin=stdin, capture_output=True, timeout=60, check=True
        )
    assert done.stdout.count(b'"result"') == 2
    assert done.stderr == b""


def test_over_tcp_each_client_is_served_and_a_web_page_is_not(project):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [*SERVER, "--tcp", f"127.0.0.1:{port}", "--log-file", str(project / "log.txt")],
        cwd=project,
    )
    try:
        for _ in range(2):
            with connected(port) as wire:
                assert "capabilities" in ask(wire, "initialize", initialize(project))
                assert ask(wire, "shutdown") is None
        with connected(port) as wire:
            body = b'{"jsonrpc": "2.0", "id": 1, "method": "initialize"}'
            wire.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            assert wire.recv(100) == b""
        with connected(port) as wire:
            assert "capabilities" in ask(wire, "initialize", initialize(project))
    finally:
        server.terminate()
        assert server.wait(10) == 0


def connected(port: int) -> socket.socket:
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        except ConnectionRefusedError:
            # It listens when it listens; there is nothing else to wait for.
            assert time.monotonic() < deadline


def ask(wire: socket.socket, method: str, params=None):
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    body = json.dumps({k: v for k, v in message.items() if v is not None}).encode()
    wire.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    with wire.makefile("rb") as stream:
        length = 0
        while header := stream.readline().strip():
            name, _, value = header.partition(b":")
            length = int(value) if name == b"Content-Length" else length
        return json.loads(stream.read(length))["result"]


def initialize(project: Path):
    folder = {"uri": project.as_uri(), "name": "shop"}
    return {"processId": None, "rootUri": None, "capabilities": {}, "workspaceFolders": [folder]}
