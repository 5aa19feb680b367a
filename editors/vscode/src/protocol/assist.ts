// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

import type { Effort } from "./assist_views.ts";
import type { Range } from "./places.ts";
import type { Proposal } from "./proposals.ts";

/**
 * Without `question` the code is explained. Without a model, memory answers alone.
 */
export interface AskArguments {
  uri: string;
  range: Range;
  question?: string | null;
}

/**
 * The selection, or an empty range in what is meant.
 */
export interface CodeArguments {
  uri: string;
  range: Range;
}

/**
 * A diagnostic as the editor has it; `severity` is LSP's number.
 */
export interface DiagnosticArguments {
  uri: string;
  range: Range;
  message: string;
  severity?: number | null;
  source?: string | null;
  code?: string | number | null;
}

/**
 * A model's edit: a `proposal` to decide on for clients that announced proposals; for the others,
 * and for a file that is new, it is in the document (`isApplied`), where the editor can undo it.
 */
export interface Edited {
  uri: string;
  proposal: Proposal | null;
  isApplied: boolean;
  words: string;
  effort: Effort;
}
