// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

/**
 * LSP's position: zero-based, `character` in the units agreed at initialize.
 */
export interface Position {
  line: number;
  character: number;
}

/**
 * LSP's range, `end` excluded.
 */
export interface Range {
  start: Position;
  end: Position;
}
