// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

import type { Entry } from "./views.ts";

/**
 * An answer in the model's words, and the entries that it was given. Without a model there are no
 * words, and `effort` is None: the entries are the answer.
 */
export interface Answer {
  words: string;
  entries: Entry[];
  effort: Effort | null;
}

/**
 * What a question to a model took; `costUsd` is None when the price is not known.
 */
export interface Effort {
  model: string;
  inputTokens: number;
  outputTokens: number;
  costUsd: number | null;
}
