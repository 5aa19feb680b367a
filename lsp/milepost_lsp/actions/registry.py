"""All actions, in the order in which a menu shows them: what is about the place comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from milepost_lsp.actions import (
    about,
    brief,
    checkpoint,
    confirm,
    entry_log,
    forget,
    go_back,
    list_memory,
    remember,
    set_goal,
    undo,
    undo_memory,
    verify_goal,
)

if TYPE_CHECKING:
    from milepost_lsp.actions.action import Action

ACTIONS: tuple[Action[Any], ...] = (
    remember.ACTION,
    about.ACTION,
    confirm.ACTION,
    forget.ACTION,
    entry_log.ACTION,
    set_goal.ACTION,
    verify_goal.ACTION,
    checkpoint.ACTION,
    go_back.ACTION,
    undo.ACTION,
    undo_memory.ACTION,
    list_memory.ACTION,
    brief.ACTION,
)
