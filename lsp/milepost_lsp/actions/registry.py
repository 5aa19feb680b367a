"""All actions, in the order in which a menu shows them: what is about the place comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from milepost_lsp.actions import (
    about,
    ask,
    brief,
    chat_page,
    checkpoint,
    confirm,
    decide,
    document,
    edit,
    entry_log,
    explain,
    fix,
    forget,
    go_back,
    goals,
    list_memory,
    locate,
    points,
    read_document,
    remember,
    search,
    set_goal,
    status,
    undo,
    undo_memory,
    verify_goal,
    write_tests,
)

if TYPE_CHECKING:
    from milepost_lsp.actions.action import Action

ACTIONS: tuple[Action[Any], ...] = (
    decide.ACCEPT,
    decide.REJECT,
    fix.ACTION,
    explain.ACTION,
    ask.ACTION,
    document.ACTION,
    write_tests.ACTION,
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
    chat_page.ACTION,
)

# Commands that no menu offers: a client's own views send them.
COMMANDS: tuple[Action[Any], ...] = (
    status.ACTION,
    search.ACTION,
    edit.ACTION,
    locate.ACTION,
    points.LIST,
    points.DIFF,
    points.PIN,
    points.NAME,
    points.REDO,
    goals.LIST,
    goals.PROPOSE,
    goals.PAUSE,
    goals.RESUME,
    goals.ABANDON,
    goals.SET_BUDGET,
    goals.ALLOW,
    goals.SIGNS,
    goals.ACCEPT_CHANGES,
    read_document.ACTION,
    chat_page.SEND,
    chat_page.STOP,
)
