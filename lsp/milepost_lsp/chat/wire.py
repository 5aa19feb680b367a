"""The core's views of a chat in the words of the wire, and a prompt's blocks the other way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from milepost import api
from milepost_lsp.editor import path_of
from milepost_lsp.protocol import chat, permissions, sessions, updates

if TYPE_CHECKING:
    from collections.abc import Sequence

_SEVERITIES = {1: "error", 2: "warning", 3: "information", 4: "hint"}


def blocks_of(prompt: Sequence[chat.Block]) -> list[api.Block]:
    """A prompt for the core. Raises UserError when a document is no file."""
    return [_block(block) for block in prompt]


def _block(block: chat.Block) -> api.Block:
    match block:
        case updates.TextBlock():
            return api.TextBlock(block.text)
        case chat.FileBlock():
            path = _path(block.uri)
            if block.range is None:
                return api.FileBlock(path, text=block.text)
            span = block.range
            # A selection that ends at the beginning of a line does not hold that line.
            last = span.end.line + (1 if span.end.character or span.end == span.start else 0)
            return api.FileBlock(path, span.start.line, last, block.text)
        case chat.MemoryBlock():
            return api.MemoryBlock(block.id)
        case chat.DiagnosticBlock():
            return api.DiagnosticBlock(
                _path(block.uri),
                block.range.start.line,
                block.range.end.line,
                block.message,
                _SEVERITIES.get(block.severity or 0, ""),
                block.source or "",
                "" if block.code is None else str(block.code),
            )


def _path(uri: str) -> str:
    path = path_of(uri)
    if path is None:
        raise api.UserError(f"{uri[:200]} is no file; attach its text as words")
    return path


def update_of(  # noqa: C901, PLR0911, PLR0912  (a line for each kind)
    update: api.ChatUpdate, root: Path, proposal_id: str | None = None
) -> updates.Update:
    """What happened in a turn. `root` is the folder of the project; `proposal_id` names the edits
    of a call, to be decided on."""
    match update:
        case api.UserChunk(text):
            return updates.UserMessageChunk(updates.TextBlock(text))
        case api.AgentChunk(text):
            return updates.AgentMessageChunk(updates.TextBlock(text))
        case api.ThoughtChunk(text):
            return updates.AgentThoughtChunk(updates.TextBlock(text))
        case api.MessageReset(reason):
            return updates.AgentMessageReset(reason)
        case api.CallShown():
            return _call(update, root)
        case api.CallUpdate():
            return _call_update(update, root, proposal_id)
        case api.Plan(entries):
            steps = (updates.PlanEntry(each.id, each.content, each.status) for each in entries)
            return updates.Plan(tuple(steps))
        case api.MemoryRecall(entries):
            return updates.MemoryRecall(tuple(map(_recalled, entries)))
        case api.PointMade(checkpoint_id, label):
            return updates.CheckpointMade(checkpoint_id, label)
        case api.GoalJudged(goal_id, verdict, reason):
            return updates.GoalVerdict(goal_id, verdict, reason)
        case api.UsageUpdate(usage, window_share, step):
            taken = usage.input_tokens, usage.output_tokens, usage.cost_usd
            return updates.UsageUpdate(*taken, window_share, step)
        case api.TitleSet(title):
            return updates.SessionInfoUpdate(title)
        case api.ChatNotice(level, text):
            return updates.Notice(level, text)
        case api.TurnEnded(stop_reason, message, usage):
            return updates.TurnEnded(stop_reason, message, usage_of(usage))


def usage_of(usage: api.TurnUsage) -> updates.Usage:
    """What a turn took."""
    return updates.Usage(usage.input_tokens, usage.output_tokens, usage.cost_usd)


def result_of(result: api.TurnResult) -> chat.PromptResult:
    """How a turn ended."""
    return chat.PromptResult(
        result.session,
        result.turn,
        result.stop_reason,
        result.message,
        usage_of(result.usage),
    )


def session_of(session: api.ChatSession) -> sessions.ChatSession:
    """A session."""
    return sessions.ChatSession(
        session.id,
        session.title,
        session.state,
        session.created_at,
        session.updated_at,
        session.mode,
    )


def permission_of(request: api.PermissionRequest) -> permissions.PermissionParams:
    """A question for the user's permission."""
    return permissions.PermissionParams(
        request.session,
        request.turn,
        request.call_id,
        request.title,
        request.subject,
        request.reason,
        tuple(
            permissions.PermissionOption(option.id, option.name, option.kind, option.meaning)
            for option in request.options
        ),
    )


def _call(call: api.CallShown, root: Path) -> updates.ToolCall:
    return updates.ToolCall(
        call.call_id,
        call.title,
        call.kind,
        call.status,
        call.tool,
        call.subject,
        tuple(
            updates.CallLocation((root / place.path).as_uri(), place.line) for place in call.places
        ),
    )


def _call_update(
    update: api.CallUpdate, root: Path, proposal_id: str | None
) -> updates.ToolCallUpdate:
    content: list[updates.CallOutput] = []
    if update.text:
        content.append(updates.CallContent(updates.TextBlock(update.text)))
    content += [
        updates.CallDiff((root / diff.path).as_uri(), diff.old, diff.new) for diff in update.diffs
    ]
    return updates.ToolCallUpdate(
        update.call_id,
        update.status,
        tuple(content),
        updates.CallCheckpoints(update.before_id, update.after_id),
        proposal_id,
    )


def _recalled(entry: api.Recalled) -> updates.RecalledEntry:
    uri = Path(entry.path).as_uri()
    return updates.RecalledEntry(entry.id, entry.text, entry.scope, entry.status, uri, entry.line)
