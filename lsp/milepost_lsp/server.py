"""The server, put together: the handlers of everything that is answered after `initialize`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp.chat.pages import Pages
from milepost_lsp.chat.talk import Talk
from milepost_lsp.editor import Editor
from milepost_lsp.features import (
    baseline,
    chat,
    code_action,
    code_action_resolve,
    code_lens,
    completion,
    configuration,
    did_save,
    document_events,
    document_link,
    document_symbol,
    execute_command,
    folding_range,
    hover,
    initialize,
    inlay_hint,
    inspection,
    proposal,
    rename,
    sessions,
    text_document_content,
    workspace_symbol,
)
from milepost_lsp.features.feature import Desk
from milepost_lsp.features.memory_did_change import MemoryWatch
from milepost_lsp.features.project_did_change import ProjectWatch
from milepost_lsp.features.watching import Watching
from milepost_lsp.proposals import Proposals

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost_lsp.guard import GuardedServer
    from milepost_lsp.session import Session


def furnish(server: GuardedServer, session: Session) -> Callable[[], None]:
    """Registers all handlers with the server of one client. Returns what ends their work."""
    editor = Editor(server, session)
    proposals = Proposals(editor, session)
    talk = Talk(editor, session, proposals)
    desk = Desk(server, session, editor, proposals, talk, Pages(editor, session, talk))
    documents = document_events.register(desk)
    inspector = inspection.register(desk, documents)
    settings = configuration.register(desk)
    settings.on_change.append(inspector.look_at_all)
    memory = MemoryWatch(desk)
    memory.on_change.append(inspector.memory_changed)
    watching = Watching(desk)
    watching.add(memory)
    watching.add(ProjectWatch(desk, text_document_content.register(desk)))
    watching.add(inspector)
    baseline.register(desk)
    initialize.register(desk, watching, settings, inspector)
    hover.register(desk)
    code_action.register(desk)
    code_action_resolve.register(desk)
    execute_command.register(desk)
    document_symbol.register(desk)
    proposal.register(desk)
    chat.register(desk)
    sessions.register(desk)
    did_save.register(desk, documents)
    folding_range.register(desk)
    document_link.register(desk)
    completion.register(desk)
    code_lens.register(desk, inspector)
    inlay_hint.register(desk, inspector)
    rename.register(desk)
    workspace_symbol.register(desk)
    return talk.close
