"""initialize and initialized: who the client is, which folders it shows, and when it dies."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING

from lsprotocol import types

from milepost_lsp.client_log import ClientLog
from milepost_lsp.editor import path_of

if TYPE_CHECKING:
    from milepost_lsp.features.configuration import Configuration
    from milepost_lsp.features.feature import Desk
    from milepost_lsp.features.inspection import Inspector
    from milepost_lsp.features.watching import Watching

log = logging.getLogger(__name__)

# Where the system cannot tell us that a process ended. EOF comes at once; this is for clients
# whose pipe someone else holds open.
POLL_S = 5.0


def register(
    desk: Desk, watch: Watching, configuration: Configuration, inspector: Inspector
) -> None:
    """Takes what the client said in initialize, which was answered; registers initialized, and the
    change of workspace folders."""
    server, session = desk.server, desk.session
    params = server.protocol.greeting
    session.on_open = watch.begin
    if params is not None:
        session.begin(params.client_info.name if params.client_info else None)
        session.set_folders(_folders(desk) or _root(params))
        configuration.begin(params.initialization_options)

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        if server.process_id is not None:
            session.spawn(_end_with(desk, server.process_id))
        _log_to_client(desk, configuration)
        session.spawn(configuration.run())
        session.spawn(watch.run())
        session.spawn(inspector.run())

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders_changed(_: types.DidChangeWorkspaceFoldersParams) -> None:
        session.set_folders(_folders(desk))
        watch.restart()


def _log_to_client(desk: Desk, configuration: Configuration) -> None:
    """Shows the log in the client's own, as far as the user wants to see it."""
    ours = logging.getLogger("milepost_lsp")
    handler = ClientLog(desk.editor.log)

    def set_level() -> None:
        level = desk.editor.options.log.level.upper()
        handler.setLevel(level)
        ours.setLevel(min(logging.INFO, handler.level))

    set_level()
    configuration.on_change.append(set_level)
    ours.addHandler(handler)
    desk.session.on_close.append(lambda: ours.removeHandler(handler))


def _folders(desk: Desk) -> list[str]:
    folders = desk.server.workspace.folders.values()
    return [path for folder in folders if (path := path_of(folder.uri))]


def _root(params: types.InitializeParams) -> list[str]:
    """The one folder of clients that are older than workspace folders."""
    path = path_of(params.root_uri) if params.root_uri else params.root_path
    return [path] if path else []


async def _end_with(desk: Desk, process_id: int) -> None:
    """Ends the server when the client's process dies, which pygls never looks at (defect 7)."""
    if sys.platform == "win32" or not _is_alive(process_id):
        # On Windows asking would kill it. A process we cannot see lives outside our container.
        return
    await _death_of(process_id)
    log.info("the client's process %d is gone", process_id)
    desk.server.protocol.end()


async def _death_of(process_id: int) -> None:
    if sys.platform == "linux":
        try:
            descriptor = os.pidfd_open(process_id)
        except OSError:
            log.debug("no pidfd for %d", process_id)
        else:
            await _readable(descriptor)
            return
    while _is_alive(process_id):  # noqa: ASYNC110  (nobody sets an event when it dies)
        await asyncio.sleep(POLL_S)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    dead = asyncio.Event()
    loop.add_reader(descriptor, dead.set)
    try:
        await dead.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _is_alive(process_id: int) -> bool:
    if process_id <= 0:
        return False
    try:
        os.kill(process_id, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
