// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

import type { DiagnosticBlock, FileBlock, MemoryBlock } from "./chat.ts";
import type { AgentMessageChunk, AgentMessageReset, AgentThoughtChunk, CallContent, CallDiff, CheckpointMade, GoalVerdict, MemoryRecall, Notice, Plan, SessionInfoUpdate, TextBlock, ToolCall, ToolCallUpdate, TurnEnded, UsageUpdate, UserMessageChunk } from "./updates.ts";

export type AnyEntryKind = "context" | "rule" | "decision" | "knowledge" | "note";

export type Block = TextBlock | FileBlock | MemoryBlock | DiagnosticBlock;

export type CallOutput = CallContent | CallDiff;

export type CallStatus = "pending" | "in_progress" | "completed" | "failed";

export type EntryKind = "context" | "rule" | "decision" | "knowledge";

export type HunkState = "open" | "accepted" | "rejected";

export type Mode = "build" | "plan" | "compose";

export type ProposalState = "open" | "accepted" | "rejected" | "stale";

export type Scope = "project" | "worktree" | "session" | "task" | "global";

export type StopReason = "end_turn" | "not_met" | "budget" | "max_tokens" | "refusal" | "cancelled" | "error";

export type ToolKind = "read" | "edit" | "search" | "execute" | "think" | "other";

export type Update = UserMessageChunk | AgentMessageChunk | AgentThoughtChunk | AgentMessageReset | ToolCall | ToolCallUpdate | Plan | MemoryRecall | CheckpointMade | GoalVerdict | UsageUpdate | SessionInfoUpdate | Notice | TurnEnded;
