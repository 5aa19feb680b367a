"""What client and server say of themselves in `initialize`, under `experimental.milepost`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientAnnouncement:
    """`chat`: send me `milepost/chat/update`. `permissions`: ask me by
    `milepost/permission/request` instead of `window/showMessageRequest`. `proposals`: I show edits
    hunk by hunk, tell me of them. `memory`: tell me what happens elsewhere; only false says no.
    `quiet`: I show the results of commands myself, so no `window/showMessage` and no document for
    them; questions and warnings still come."""

    chat: bool = False
    permissions: bool = False
    proposals: bool = False
    memory: bool = True
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class ServerAnnouncement:
    """The versions of this page that the server speaks: all of it, and the chat."""

    protocol: int
    chat: int
