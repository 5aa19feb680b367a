// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

import type { Block, Mode, StopReason, Update } from "./aliases.ts";
import type { Range } from "./places.ts";
import type { Usage } from "./updates.ts";

/**
 * The session whose turn is to end, whichever process runs it. With `turnId` only if it is that
 * one: another editor's may have ended, and the next begun, before this is heard.
 */
export interface CancelChatParams {
  sessionId: string;
  turnId?: string | null;
}

/**
 * A diagnostic of the editor; `severity` is LSP's number.
 */
export interface DiagnosticBlock {
  uri: string;
  range: Range;
  message: string;
  severity?: number | null;
  source?: string | null;
  code?: string | number | null;
  type: "diagnostic";
}

/**
 * A document, or its `range`; `text` overrides what stands there. Unsaved buffers count as they
 * stand.
 */
export interface FileBlock {
  uri: string;
  range?: Range | null;
  text?: string | null;
  type: "file";
}

/**
 * An entry of memory.
 */
export interface MemoryBlock {
  id: string;
  type: "memory";
}

/**
 * Without `sessionId` a session begins. `@memory words` and `@file:path` in a text are resolved
 * by the server.
 */
export interface PromptParams {
  prompt: Block[];
  sessionId?: string | null;
  mode?: Mode | null;
  model?: string | null;
  uri?: string | null;
  workDoneToken?: string | number | null;
}

/**
 * How the turn ended, in one sentence too. A cancelled turn is a result, and keeps what was said.
 */
export interface PromptResult {
  sessionId: string;
  turnId: string;
  stopReason: StopReason;
  message: string;
  usage: Usage;
}

/**
 * `seq` grows by one per session, so that a client sees that it missed nothing.
 */
export interface UpdateParams {
  sessionId: string;
  turnId: string;
  seq: number;
  update: Update;
}
