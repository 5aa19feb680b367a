"""Work-done progress that the user can stop, for clients that show it; silent for the others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    import threading
    from concurrent.futures import Future

    from pygls.lsp.server import LanguageServer

log = logging.getLogger(__name__)

# A client that does not answer the wish for a progress bar must not hold up the work.
CREATE_TIMEOUT_S = 2.0

Report = Callable[[int, int, str], None]


@contextlib.asynccontextmanager
async def progress(
    server: LanguageServer,
    title: str,
    *,
    token: types.ProgressToken | None,
    may_create: bool,
    stop: threading.Event,
) -> AsyncGenerator[Report]:
    """Shows `title` until the block ends; sets `stop` when the user cancels it.

    `token` is the client's, when the request brought one. What it yields may be called from any
    thread with steps done, steps in all, and what is being done.
    """
    shown = server.work_done_progress
    loop = asyncio.get_running_loop()
    if token is None and may_create:
        token = await _create(server)
    if token is None:
        yield lambda _done, _total, _what: None
        return

    def report(done: int, total: int, what: str) -> None:
        value = types.WorkDoneProgressReport(
            message=what[:100], percentage=min(100, 100 * done // total) if total else None
        )
        loop.call_soon_threadsafe(shown.report, token, value)

    shown.begin(token, types.WorkDoneProgressBegin(title, cancellable=True, percentage=0))
    # pygls keeps a future for each token and cancels it when the client asks to stop.
    tokens = cast("dict[types.ProgressToken, Future[None]]", shown.tokens)  # pyright: ignore[reportUnknownMemberType]
    tokens[token].add_done_callback(lambda _: stop.set())
    try:
        yield report
    finally:
        shown.end(token, types.WorkDoneProgressEnd())
        tokens.pop(token, None)  # pygls never does, and the table would only grow


async def _create(server: LanguageServer) -> types.ProgressToken | None:
    token = f"milepost-{secrets.token_hex(8)}"
    try:
        wish = types.WorkDoneProgressCreateParams(token)
        async with asyncio.timeout(CREATE_TIMEOUT_S):
            await server.window_work_done_progress_create_async(wish)
    except (TimeoutError, JsonRpcException) as error:
        log.warning("the client made no progress bar: %s", error)
        return None
    return token
