/** Updates as the server sends them, numbered. */

import type { ToolCall, ToolCallUpdate, Update, UpdateParams } from "../../src/protocol.ts";

export function updates(
  list: readonly Update[],
  { sessionId = "s1", turnId = "t1", from = 1 } = {},
): UpdateParams[] {
  return list.map((update, place) => ({ sessionId, turnId, seq: from + place, update }));
}

export function user(text: string): Update {
  return { sessionUpdate: "user_message_chunk", content: { type: "text", text } };
}

export function agent(text: string): Update {
  return { sessionUpdate: "agent_message_chunk", content: { type: "text", text } };
}

export function thought(text: string): Update {
  return { sessionUpdate: "agent_thought_chunk", content: { type: "text", text } };
}

export function call(toolCallId: string, more: Partial<ToolCall> = {}): ToolCall {
  return {
    sessionUpdate: "tool_call",
    toolCallId,
    title: "Edit shop.py",
    kind: "edit",
    status: "in_progress",
    tool: "edit",
    subject: "shop.py",
    locations: [{ uri: "file:///shop/shop.py", line: 2 }],
    ...more,
  };
}

export function callUpdate(toolCallId: string, more: Partial<ToolCallUpdate> = {}): ToolCallUpdate {
  return {
    sessionUpdate: "tool_call_update",
    toolCallId,
    status: "completed",
    content: [],
    checkpoints: { before: null, after: null },
    proposalId: null,
    ...more,
  };
}

export function ended(stopReason = "end_turn", message = ""): Update {
  const usage = { inputTokens: 1_000, outputTokens: 50, costUsd: 0.01 };
  return { sessionUpdate: "turn_ended", stopReason, message, usage };
}

export function used(inputTokens: number, costUsd: number | null = null): Update {
  return {
    sessionUpdate: "usage_update",
    inputTokens,
    outputTokens: 10,
    costUsd,
    windowShare: 0.25,
    step: 1,
  };
}
