// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

/**
 * How one path differs: `kind` is added, modified, deleted, mode or type; `by` is whose the
 * difference is: agent, user, restore, other (the user's or another process's), several, or
 * unknown.
 */
export interface Change {
  path: string;
  kind: string;
  by: string;
}

/**
 * A restore point. `filesChanged` counts against the listed point before it. One that is pinned,
 * or has a name, is kept when old points are forgotten. `kind` is saved, automatic, turn (of the
 * user's), before or after (an action), restored, undone, or seen (made because somebody looked,
 * and not listed by itself); `session` is whose it is.
 */
export interface Checkpoint {
  id: number;
  label: string;
  actor: string;
  createdAt: string;
  filesChanged: number;
  filesTotal: number;
  treeHash: string;
  notCovered: NotCovered[];
  notCoveredTotal: number;
  name: string | null;
  pinned: boolean;
  kind: string;
  session: string;
}

/**
 * A path that a snapshot leaves out, and why.
 */
export interface NotCovered {
  path: string;
  reason: string;
}

/**
 * What a restore does beside the files: `part` is memory, conversation, tasks or goal, `what`
 * says in words what is meant; `kind` is added (it comes back), modified or deleted (it goes),
 * and `by` who changed it last, where that is known.
 */
export interface PartChange {
  part: string;
  what: string;
  kind: string;
  by: string;
}

/**
 * A path, or the name of something else, that a restore left alone, and why.
 */
export interface Refusal {
  path: string;
  reason: string;
}

/**
 * A restore, previewed (`applied` False) or done. `changes` are what it does to the files
 * (`added` comes back, `deleted` goes), `beside` what it does to the rest. `undoId` is the point
 * that takes the restore back.
 */
export interface Restore {
  checkpointId: number;
  applied: boolean;
  changes: Change[];
  refused: Refusal[];
  undoId: number | null;
  plan: string;
  beside: PartChange[];
}
