// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

import type { Update } from "./aliases.ts";

/**
 * A session. It is running while a turn is, in whatever process.
 */
export interface ChatSession {
  sessionId: string;
  title: string;
  state: "running" | "active" | "ended";
  createdAt: string;
  updatedAt: string;
  mode: string;
}

/**
 * The session that is to go, with its notes.
 */
export interface DeleteSessionParams {
  sessionId: string;
  uri?: string | null;
}

/**
 * Up to, not including, `turnId`; without it, all.
 */
export interface ForkSessionParams {
  sessionId: string;
  turnId?: string | null;
  uri?: string | null;
}

/**
 * A page of the sessions, newest first.
 */
export interface ListSessionsParams {
  uri?: string | null;
  limit?: number;
  offset?: number;
}

/**
 * `limit` is of updates, the newest.
 */
export interface LoadSessionParams {
  sessionId: string;
  uri?: string | null;
  limit?: number | null;
}

/**
 * A title for people.
 */
export interface RenameSessionParams {
  sessionId: string;
  title: string;
  uri?: string | null;
}

/**
 * A page, and how many there are.
 */
export interface SessionPage {
  sessions: ChatSession[];
  total: number;
}

/**
 * What was said and done; `isCut` when the beginning is missing.
 */
export interface Transcript {
  session: ChatSession;
  updates: TurnUpdate[];
  isCut: boolean;
}

/**
 * An update and where it belongs.
 */
export interface TurnUpdate {
  turnId: string;
  seq: number;
  update: Update;
}
