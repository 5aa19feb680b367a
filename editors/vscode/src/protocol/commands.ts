// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

import type { AnyEntryKind, EntryKind, Mode, Scope } from "./aliases.ts";
import type { Range } from "./places.ts";
import type { Change, Checkpoint } from "./point_views.ts";
import type { Check, Entry, Goal } from "./views.ts";

/**
 * `uri` is the document in which the symbol was seen.
 */
export interface AboutArguments {
  symbol: string;
  uri?: string | null;
}

/**
 * The signs, by the ids of a verdict, that are taken for honest changes; without any, all that
 * there are now.
 */
export interface AcceptGoalChangesArguments {
  goalId: string;
  signs?: string[];
  uri?: string | null;
}

/**
 * `about` is the task in plain words, `uri` the document that it is about.
 */
export interface BriefArguments {
  about?: string | null;
  budgetTokens?: number;
  uri?: string | null;
}

/**
 * A chat's document.
 */
export interface ChatPage {
  uri: string;
  sessionId: string;
}

/**
 * `label` is free text that helps to find the point again.
 */
export interface CheckpointArguments {
  label?: string;
  uri?: string | null;
}

/**
 * The changes, and as much of their unified diff as is worth reading.
 */
export interface CheckpointDiff {
  changes: Change[];
  text: string;
}

/**
 * Part of the restore points; `nextOffset` is null at the end.
 */
export interface CheckpointPage {
  checkpoints: Checkpoint[];
  nextOffset: number | null;
}

/**
 * As for forgetting.
 */
export interface ConfirmArguments {
  id: string;
  version?: string | null;
  uri?: string | null;
}

/**
 * From a restore point to another one, or to the files as they are now; of one `path`, or of all.
 */
export interface DiffCheckpointsArguments {
  from: number;
  to?: number | null;
  path?: string | null;
  uri?: string | null;
}

/**
 * What a `milepost:` document says.
 */
export interface DocumentText {
  text: string;
}

/**
 * `version` is that of the words that the user saw, and when they are others by now, nothing is
 * changed.
 */
export interface EditArguments {
  id: string;
  text: string;
  version?: string | null;
  uri?: string | null;
}

/**
 * The file that an entry stands in, and its first line, zero-based.
 */
export interface EntryPlace {
  uri: string;
  line: number;
}

/**
 * `id` is an entry's, as search, list or a document symbol gave it; `version` is that of the
 * words that the user saw, and when they are others by now, nothing is changed.
 */
export interface ForgetArguments {
  id: string;
  version?: string | null;
  uri?: string | null;
}

/**
 * Without `id` the user is asked which point; without `apply` the user is asked whether. `apply`
 * false answers with the preview and asks nothing. `what` is files, memory, conversation, tasks,
 * goal, several of them with commas between, or all.
 */
export interface GoBackArguments {
  id?: number | null;
  apply?: boolean | null;
  paths?: string[];
  force?: boolean;
  what?: string;
  uri?: string | null;
}

/**
 * The goal that is meant.
 */
export interface GoalArguments {
  goalId: string;
  uri?: string | null;
}

/**
 * The goals, newest first.
 */
export interface GoalList {
  goals: Goal[];
}

/**
 * What memory knows about a symbol.
 */
export interface Known {
  symbol: string;
  entries: Entry[];
}

/**
 * A page of the entries in file order.
 */
export interface ListArguments {
  kind?: AnyEntryKind | null;
  scope?: Scope | null;
  session?: string | null;
  task?: string | null;
  offset?: number;
  limit?: number;
  uri?: string | null;
}

/**
 * A page of the restore points, newest first; with `all` also those that were only made because
 * somebody looked at a diff, a preview or a goal.
 */
export interface ListCheckpointsArguments {
  limit?: number;
  offset?: number;
  uri?: string | null;
  all?: boolean;
}

/**
 * `uri` is a document or a folder.
 */
export interface ListGoalsArguments {
  uri?: string | null;
}

/**
 * `id` is an entry's.
 */
export interface LocateArguments {
  id: string;
  uri?: string | null;
}

/**
 * The newest changes of a memory; those of one entry with its `id`. `scope` may name one of
 * several, such as `task T1`.
 */
export interface LogArguments {
  id?: string | null;
  scope?: string;
  limit?: number;
  uri?: string | null;
}

/**
 * A named point is kept when old ones are forgotten.
 */
export interface NameCheckpointArguments {
  id: number;
  name: string;
  uri?: string | null;
}

/**
 * The chat as a Markdown document, for clients without a panel: that of a session, or a new one.
 */
export interface OpenChatArguments {
  sessionId?: string | null;
  uri?: string | null;
}

/**
 * A pinned point is kept when old ones are forgotten.
 */
export interface PinCheckpointArguments {
  id: number;
  pinned?: boolean;
  uri?: string | null;
}

/**
 * The words of a goal that is not set yet.
 */
export interface ProposeChecksArguments {
  condition: string;
  uri?: string | null;
}

/**
 * What the words seem to ask for in this project, for the user to take, change or leave; nothing
 * was run.
 */
export interface ProposedChecks {
  checks: Check[];
}

/**
 * `uri` is that of a `milepost:` document.
 */
export interface ReadDocumentArguments {
  uri: string;
}

/**
 * Does the restore again that was taken back.
 */
export interface RedoArguments {
  uri?: string | null;
}

/**
 * Either `text`, or `uri` with `range` to take the text from a document's buffer.
 */
export interface RememberArguments {
  text?: string | null;
  uri?: string | null;
  range?: Range | null;
  kind?: EntryKind;
  scope?: Scope | null;
  session?: string | null;
  task?: string | null;
  anchors?: string[] | null;
}

/**
 * `query` is plain words.
 */
export interface SearchArguments {
  query: string;
  kind?: AnyEntryKind | null;
  scope?: Scope | null;
  limit?: number;
  uri?: string | null;
}

/**
 * Sends what stands below the last “You” of a chat's document, `uri`; the answer is appended by
 * `workspace/applyEdit`.
 */
export interface SendChatArguments {
  uri: string;
  mode?: Mode | null;
  model?: string | null;
}

/**
 * Either `condition`, or `uri` with `range` to take it from a document's buffer. In text taken
 * from a buffer, a line that starts with `$ ` is a check.
 */
export interface SetGoalArguments {
  condition?: string | null;
  checks?: string[];
  timeoutS?: number;
  uri?: string | null;
  range?: Range | null;
}

/**
 * How often, and for how many seconds in all, the goal may be verified; null is no limit.
 */
export interface SetGoalBudgetArguments {
  goalId: string;
  maxVerifications?: number | null;
  maxSeconds?: number | null;
  uri?: string | null;
}

/**
 * `uri` is a document or a folder.
 */
export interface StatusArguments {
  uri?: string | null;
}

/**
 * Stops the answer that is being written into a chat's document, `uri`.
 */
export interface StopChatArguments {
  uri: string;
}

/**
 * Takes the newest restore back.
 */
export interface UndoArguments {
  uri?: string | null;
}

/**
 * Without `change`, the newest that was not taken back. `scope` is as for the log.
 */
export interface UndoMemoryArguments {
  change?: number | null;
  scope?: string;
  uri?: string | null;
}

/**
 * Without `goalId`, the newest active goal; `fresh` runs checks whose evidence still holds.
 */
export interface VerifyGoalArguments {
  goalId?: string | null;
  fresh?: boolean;
  uri?: string | null;
}
