// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

/**
 * `uri` is the project's root, `newest` its newest restore point.
 */
export interface CheckpointDidChange {
  uri: string;
  newest: number | null;
}

/**
 * `uri` is the project's root.
 */
export interface GoalDidChange {
  uri: string;
}

/**
 * `changed` counts the entries that came, went or read differently since the last notice.
 */
export interface MemoryDidChange {
  uri: string;
  changed: number;
}

/**
 * `model` is KIND:NAME, null when none is configured; `checkpointError` says why no restore point
 * could be made; `running` are sessions.
 */
export interface Status {
  project: StatusProject;
  goal: StatusGoal | null;
  checkpoint: StatusCheckpoint | null;
  checkpointError: string | null;
  model: string | null;
  running: string[];
}

/**
 * The newest restore point.
 */
export interface StatusCheckpoint {
  id: number;
  label: string;
  createdAt: string;
}

/**
 * `uri` is the project's root.
 */
export interface StatusDidChange {
  uri: string;
  status: Status;
}

/**
 * The newest goal that is not met or abandoned; a limit of null is none.
 */
export interface StatusGoal {
  id: string;
  condition: string;
  state: string;
  maxVerifications: number | null;
  maxSeconds: number | null;
}

/**
 * The project; `id` is the first part of its `milepost:` URIs.
 */
export interface StatusProject {
  id: string;
  name: string;
  root: string;
}
