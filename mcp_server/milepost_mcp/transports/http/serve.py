"""`milepost mcp --http`: bind, serve, and end well."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from milepost.api import UserError, WorldError, open_workspace
from milepost_mcp.limits import (
    EXIT_GRACE_S,
    MAX_CONNECTIONS,
    MAX_MESSAGE_BYTES,
    MAX_SESSIONS,
    SESSION_IDLE_S,
)
from milepost_mcp.transports.http.addresses import PATH, Addresses
from milepost_mcp.transports.http.app import App
from milepost_mcp.transports.http.clients import Clients
from milepost_mcp.transports.http.protocol import Protocol
from milepost_mcp.transports.http.tokens import tokens_in

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")

# Connections that wait to be accepted.
_BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Options:
    """What `milepost mcp --http` was given."""

    project: str | None
    host: str
    port: int
    token_file: str | None
    is_any_project: bool
    hosts: tuple[str, ...]


def serve(options: Options) -> int:
    """Serve until SIGTERM or SIGINT. Raises UserError for options that do not go together,
    WorldError when the address cannot be had."""
    is_loopback = _is_loopback(options.host)
    if not is_loopback and options.token_file is None:
        raise UserError(
            f"{options.host} can be reached from other machines, so a token is needed: give "
            "--token-file, or serve on 127.0.0.1"
        )
    tokens = None if options.token_file is None else tokens_in(options.token_file)
    with contextlib.closing(_bound(options.host, options.port)) as bound:
        _log_to_stderr()
        shown = f"[{options.host}]" if ":" in options.host else options.host
        _say(f"serving MCP at http://{shown}:{bound.getsockname()[1]}{PATH}")
        if not is_loopback:
            _say("the traffic is not encrypted: whoever can read it can read the token too")
        clients = Clients()
        protocol = Protocol(clients)
        manager = StreamableHTTPSessionManager(
            protocol.server,
            max_request_body_size=MAX_MESSAGE_BYTES,
            max_sessions=MAX_SESSIONS,
            session_idle_timeout=SESSION_IDLE_S,
        )
        addresses = Addresses(_default(options.project), is_any=options.is_any_project)
        app = App(manager, clients, addresses, tokens, _hosts(options))
        asyncio.run(_serve(app, manager, protocol, bound))
        clients.close()
    return 0


async def _serve(
    app: App, manager: StreamableHTTPSessionManager, protocol: Protocol, bound: socket.socket
) -> None:
    async with manager.run():
        await _Server(app, protocol).serve(sockets=[bound])
    protocol.close()


class _Server(uvicorn.Server):
    """uvicorn, told how our requests end: streams at once, calls after a grace."""

    def __init__(self, app: App, protocol: Protocol) -> None:
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            limit_concurrency=MAX_CONNECTIONS,
            # The grace for calls to end by themselves, then as much for them to be stopped.
            timeout_graceful_shutdown=round(2 * EXIT_GRACE_S),
        )
        super().__init__(config)
        self._app = app
        self._protocol = protocol

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """End at the first signal, and without any grace at the second."""
        loop = asyncio.get_running_loop()

        def handle(_signal: int, _frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._end)

        handled = (signal.SIGINT, signal.SIGTERM)
        before = {each: signal.signal(each, handle) for each in handled}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _end(self) -> None:
        if self.should_exit:
            self.force_exit = True
            self._protocol.stop_calls()
            return
        self.should_exit = True
        self._protocol.end_listening()
        self._app.end_streams()
        asyncio.get_running_loop().call_later(EXIT_GRACE_S, self._protocol.stop_calls)


def _default(named: str | None) -> str | None:
    """The folder of the project that is named, or that is here; None when there is none here,
    which clients are told when they call."""
    try:
        return open_workspace(named, actor="mcp:http").project.root
    except UserError:
        if named is not None:
            raise
        return None


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(_BACKLOG)  # whoever reads our first line may connect at once
    except (OSError, OverflowError) as error:
        bound.close()
        raise WorldError(f"cannot listen on {host}, port {port} ({error}); name others") from error
    return bound


def _hosts(options: Options) -> tuple[str, ...]:
    """The names in a Host header under which we are meant."""
    own = f"[{options.host}]" if ":" in options.host else options.host
    return tuple(dict.fromkeys((*_LOOPBACK_NAMES, own, socket.gethostname(), *options.hosts)))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _log_to_stderr() -> None:
    """What libraries say, from warnings on; none of them logs headers."""
    logging.basicConfig(level=logging.WARNING, format="milepost: %(message)s")


def _say(words: str) -> None:
    print(f"milepost: {words}", file=sys.stderr, flush=True)  # noqa: T201
