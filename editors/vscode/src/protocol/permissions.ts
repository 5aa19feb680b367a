// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

/**
 * One of the answers there are; `meaning` says in a sentence what follows from it.
 */
export interface PermissionOption {
  optionId: string;
  name: string;
  kind: "allow_once" | "allow_always" | "reject_once";
  meaning: string;
}

/**
 * What the user chose, if they did.
 */
export interface PermissionOutcome {
  outcome: "selected" | "cancelled";
  optionId?: string | null;
}

/**
 * What is to be done, and why it is asked.
 */
export interface PermissionParams {
  sessionId: string;
  turnId: string;
  toolCallId: string;
  title: string;
  subject: string;
  reason: string;
  options: PermissionOption[];
}
