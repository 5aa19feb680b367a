"""workspace/configuration and workspace/didChangeConfiguration: what is set in the editor.

A client that can be asked is asked; of one that cannot, what it sends along is taken, and what it
gave as `initializationOptions` counts until then. When something is wrong in it, the user is told
once which key, and what was in force stays so.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from milepost_lsp.arguments import ArgumentError
from milepost_lsp.options import SECTION, read_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost_lsp.features.feature import Desk
    from milepost_lsp.protocol import Json

log = logging.getLogger(__name__)

# A client that does not answer leaves what was in force.
ANSWER_S = 30.0


class Configuration:
    """The settings of one client."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # Called when the settings are other than before.
        self.on_change: list[Callable[[], None]] = []

    def begin(self, value: Json) -> None:
        """Takes what came with initialize."""
        self._take(_section(value))

    async def run(self) -> None:
        """Asks for the settings, and to be told when they change."""
        if self._desk.editor.registers_configuration:
            await self._register()
        await self.pull()

    async def pull(self) -> None:
        """Asks for the settings, where the client can be asked."""
        if not self._desk.editor.pulls_configuration:
            return
        wish = types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await self._desk.server.workspace_configuration_async(wish)
        except (TimeoutError, JsonRpcException) as error:
            log.warning("the client did not tell its settings: %s", error)
            return
        self._take(answer[0] if answer else None)

    def changed(self, value: Json) -> None:
        """Takes what a client sent along with the news of a change."""
        if not self._desk.editor.pulls_configuration:
            self._take(_section(value))

    def _take(self, value: Json) -> None:
        try:
            options = read_options(value)
        except ArgumentError as error:
            self._desk.editor.say_once(f"Milepost: {error}. What was set before holds.")
            return
        if options == self._desk.editor.options:
            return
        self._desk.editor.options = options
        for call in self.on_change:
            call()

    async def _register(self) -> None:
        wish = types.Registration(
            "milepost-configuration",
            types.WORKSPACE_DID_CHANGE_CONFIGURATION,
            types.DidChangeConfigurationRegistrationOptions(section=SECTION),
        )
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._desk.server.client_register_capability_async(
                    types.RegistrationParams([wish])
                )
        except (TimeoutError, JsonRpcException) as error:
            log.warning("the client will not tell of changed settings: %s", error)


def register(desk: Desk) -> Configuration:
    """Registers the notification."""
    configuration = Configuration(desk)

    @desk.server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        configuration.changed(params.settings)
        await configuration.pull()

    return configuration


def _section(value: Json) -> Json:
    """Our section of all settings; some clients send it alone."""
    if not isinstance(value, dict):
        return None
    settings = cast("dict[str, Any]", value)
    return settings.get(SECTION, settings)
