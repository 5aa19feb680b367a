// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

import type { CallOutput, CallStatus, ToolKind } from "./aliases.ts";

/**
 * A piece of the answer.
 */
export interface AgentMessageChunk {
  content: TextBlock;
  sessionUpdate: "agent_message_chunk";
}

/**
 * What was said since the last step does not count, and why.
 */
export interface AgentMessageReset {
  reason: string;
  sessionUpdate: "agent_message_reset";
}

/**
 * A piece of what the model thought aloud.
 */
export interface AgentThoughtChunk {
  content: TextBlock;
  sessionUpdate: "agent_thought_chunk";
}

/**
 * The restore points around a tool call.
 */
export interface CallCheckpoints {
  before: number | null;
  after: number | null;
}

/**
 * Output of a tool call.
 */
export interface CallContent {
  content: TextBlock;
  type: "content";
}

/**
 * A file that a tool call changed; null for a text that was not there, or is gone.
 */
export interface CallDiff {
  uri: string;
  oldText: string | null;
  newText: string | null;
  type: "diff";
}

/**
 * A place that a tool call is about; `line` is zero-based.
 */
export interface CallLocation {
  uri: string;
  line: number | null;
}

/**
 * A restore point was made.
 */
export interface CheckpointMade {
  checkpointId: number;
  label: string;
  sessionUpdate: "checkpoint";
}

/**
 * What was found when "done" was looked at.
 */
export interface GoalVerdict {
  goalId: string | null;
  verdict: string;
  reason: string;
  sessionUpdate: "goal_verdict";
}

/**
 * What memory had to say.
 */
export interface MemoryRecall {
  entries: RecalledEntry[];
  sessionUpdate: "memory_recall";
}

/**
 * Something that the user should know.
 */
export interface Notice {
  level: "info" | "warning" | "error";
  text: string;
  sessionUpdate: "notice";
}

/**
 * The whole plan, as it stands now.
 */
export interface Plan {
  entries: PlanEntry[];
  sessionUpdate: "plan";
}

/**
 * A step of a plan: a task, by its id.
 */
export interface PlanEntry {
  id: string;
  content: string;
  status: CallStatus;
}

/**
 * An entry of memory that was given to the model, and where it stands (`line` zero-based); null
 * where it has no file.
 */
export interface RecalledEntry {
  id: string;
  text: string;
  scope: string;
  status: string;
  uri: string | null;
  line: number | null;
}

/**
 * The session has another title.
 */
export interface SessionInfoUpdate {
  title: string;
  sessionUpdate: "session_info_update";
}

/**
 * Plain words, or Markdown where a model wrote them.
 */
export interface TextBlock {
  text: string;
  type: "text";
}

/**
 * A tool call begins. `subject` is what it is about: a path, a command line.
 */
export interface ToolCall {
  toolCallId: string;
  title: string;
  kind: ToolKind;
  status: CallStatus;
  tool: string;
  subject: string;
  locations: CallLocation[];
  sessionUpdate: "tool_call";
}

/**
 * A tool call went on or ended. `proposalId` names its edits, to keep or to take back.
 */
export interface ToolCallUpdate {
  toolCallId: string;
  status: CallStatus;
  content: CallOutput[];
  checkpoints: CallCheckpoints;
  proposalId: string | null;
  sessionUpdate: "tool_call_update";
}

/**
 * The same words with which the prompt is answered, for who did not send it. `stopReason` is as
 * there.
 */
export interface TurnEnded {
  stopReason: string;
  message: string;
  usage: Usage;
  sessionUpdate: "turn_ended";
}

/**
 * What a turn took; `costUsd` is null when a price is not known.
 */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  costUsd: number | null;
}

/**
 * What the turn took so far; `windowShare` of 1 is a full window.
 */
export interface UsageUpdate {
  inputTokens: number;
  outputTokens: number;
  costUsd: number | null;
  windowShare: number;
  step: number;
  sessionUpdate: "usage_update";
}

/**
 * What the user said: for the other editors of the session, and on load.
 */
export interface UserMessageChunk {
  content: TextBlock;
  sessionUpdate: "user_message_chunk";
}
