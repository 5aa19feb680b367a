"""The user's consent to commands that an agent brought, asked for through the agent's client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_mcp.peer import consent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from milepost_mcp.tools.tool import Call


def allowed(call: Call, commands: Sequence[str], condition: str) -> tuple[str, ...]:
    """Those of `commands`, none of which is allowed yet, that may be run for this once: all when
    the user says so, else none. What they allow for always is entered."""
    if not commands:
        return ()
    answer = consent(
        call.peer,
        commands,
        condition=condition,
        project=call.workspace.project.root,
        refused=call.refused,
        stop=call.stop,
    )
    if answer == "always":
        call.workspace.goals.agreed(commands)
    return tuple(commands) if answer in {"once", "always"} else ()
