// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

import type { HunkState, ProposalState } from "./aliases.ts";

/**
 * Without `hunks`, all that are open.
 */
export interface DecideProposalParams {
  proposalId: string;
  hunks?: string[] | null;
  uri?: string | null;
}

/**
 * Lines of `oldText` and the lines of `newText` that take their place, zero-based.
 */
export interface Hunk {
  id: string;
  oldStart: number;
  oldLines: number;
  newStart: number;
  newLines: number;
  state: HunkState;
}

/**
 * With `uri` the proposals of that document, or of the project whose folder it is.
 */
export interface ListProposalsParams {
  uri?: string | null;
}

/**
 * An edit of one document. With `isApplied` (the chat's worker did it) accepting a hunk keeps it
 * and rejecting puts the old lines back; without (a code action) accepting writes it. `state` is
 * open while a hunk is; then accepted when any hunk was, else rejected; stale when the document
 * moved on so that no open hunk fits.
 */
export interface Proposal {
  id: string;
  uri: string;
  title: string;
  origin: "chat" | "action";
  sessionId: string | null;
  isApplied: boolean;
  state: ProposalState;
  oldText: string;
  newText: string;
  hunks: Hunk[];
}

/**
 * The proposal as it is now.
 */
export interface ProposalDidChange {
  proposal: Proposal;
}

/**
 * Those that the server still knows, oldest first.
 */
export interface ProposalList {
  proposals: Proposal[];
}
