"""The door: every HTTP request passes here before the SDK sees it.

In this order: is it meant for us (Host, Origin), where does it go, who sends it, which project is
it about. What is turned away is told in a sentence, and nothing of it is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import JSONResponse

from milepost import __version__
from milepost.api import MilepostError
from milepost_mcp.transports.http.addresses import PATH
from milepost_mcp.transports.http.protocol import FOLDER, HOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.types import Receive, Scope, Send

    from milepost_mcp.transports.http.addresses import Addresses
    from milepost_mcp.transports.http.clients import Clients
    from milepost_mcp.transports.http.tokens import Tokens

_HEALTH = "/healthz"


class App:
    """The ASGI application. `hosts` are the names under which clients may address us, and from
    which web pages may."""

    def __init__(
        self,
        manager: StreamableHTTPSessionManager,
        clients: Clients,
        addresses: Addresses,
        tokens: Tokens | None,
        hosts: Sequence[str],
    ) -> None:
        self._manager = manager
        self._clients = clients
        self._addresses = addresses
        self._tokens = tokens
        self._security = TransportSecurityMiddleware(_settings(hosts))
        self._streams: set[anyio.CancelScope] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        answer = await self._security.validate_request(request) or self._turned_away(request)
        if answer is not None:
            await answer(scope, receive, send)
            return
        try:
            # Two small files are looked at, so this does not hold the loop up.
            scope[FOLDER] = self._addresses.folder(request.url.path, request.headers)
        except MilepostError as error:
            await _refusal(404, str(error))(scope, receive, send)
            return
        if request.method == "GET":
            await self._stream(scope, receive, send)
            return
        await self._manager.handle_request(scope, receive, send)
        session = request.headers.get("mcp-session-id")
        if request.method == "DELETE" and session:
            self._clients.end(session)

    def end_streams(self) -> None:
        """End the streams that sessions hold open, which would never end by themselves."""
        for stream in list(self._streams):
            stream.cancel()

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.CancelScope() as stream:
            self._streams.add(stream)
            try:
                await self._manager.handle_request(scope, receive, send)
            finally:
                self._streams.discard(stream)

    def _turned_away(self, request: Request) -> JSONResponse | None:
        """The answer to a request that does not go to the protocol; None when it may."""
        path = request.url.path
        if path == _HEALTH:
            return JSONResponse({"status": "ok", "name": "milepost", "version": __version__})
        if path != PATH and not path.startswith(f"{PATH}/"):
            return _refusal(404, f"there is nothing here; the server is at {PATH}")
        if self._tokens is None:
            return None
        holder = self._tokens.holder(request.headers.get("authorization"))
        if holder is None:
            challenge = {"www-authenticate": "Bearer"}
            return _refusal(401, "give a token of the server's token file", challenge)
        request.scope[HOLDER] = holder
        # The SDK lets a session be used only with the token that began it.
        access = AccessToken(token="", client_id=holder, scopes=[])
        request.scope["user"] = AuthenticatedUser(access)
        return None


def _settings(hosts: Sequence[str]) -> TransportSecuritySettings:
    return TransportSecuritySettings(
        allowed_hosts=[name for host in hosts for name in (host, f"{host}:*")],
        allowed_origins=[
            name
            for host in hosts
            for scheme in ("http", "https")
            for name in (f"{scheme}://{host}", f"{scheme}://{host}:*")
        ],
    )


def _refusal(status: int, words: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": words}, status, headers)
