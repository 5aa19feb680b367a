// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

/**
 * An empty object, where there is nothing to say.
 */
export type Nothing = Record<string, never>;
