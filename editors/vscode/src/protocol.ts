// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

export const PROTOCOL_VERSION = 1;
export const CHAT_VERSION = 1;

export type AnyEntryKind = "context" | "rule" | "decision" | "knowledge" | "note";

export type Block = TextBlock | FileBlock | MemoryBlock | DiagnosticBlock;

export type CallOutput = CallContent | CallDiff;

export type CallStatus = "pending" | "in_progress" | "completed" | "failed";

export type EntryKind = "context" | "rule" | "decision" | "knowledge";

export type HunkState = "open" | "accepted" | "rejected";

export type Mode = "build" | "plan" | "compose";

export type ProposalState = "open" | "accepted" | "rejected" | "stale";

export type Scope = "project" | "worktree" | "session" | "task" | "global";

export type StopReason = "end_turn" | "not_met" | "budget" | "max_tokens" | "refusal" | "cancelled" | "error";

export type ToolKind = "read" | "edit" | "search" | "execute" | "think" | "other";

export type Update = UserMessageChunk | AgentMessageChunk | AgentThoughtChunk | AgentMessageReset | ToolCall | ToolCallUpdate | Plan | MemoryRecall | CheckpointMade | GoalVerdict | UsageUpdate | SessionInfoUpdate | Notice | TurnEnded;

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
 * A piece of the answer.
 */
export interface AgentMessageChunk {
  content: TextBlock;
  sessionUpdate: "agent_message_chunk";
}

/**
 * What was said since the last step does not count, and why.
 */
export interface AgentMessageReset {
  reason: string;
  sessionUpdate: "agent_message_reset";
}

/**
 * A piece of what the model thought aloud.
 */
export interface AgentThoughtChunk {
  content: TextBlock;
  sessionUpdate: "agent_thought_chunk";
}

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
 * Without `question` the code is explained. Without a model, memory answers alone.
 */
export interface AskArguments {
  uri: string;
  range: Range;
  question?: string | null;
}

/**
 * What is worth knowing at the beginning of a task, as `text` of `tokens` tokens, never more than
 * `budgetTokens`. `leftOut` names the first of `leftOutTotal` entries that are not in it, `files`
 * the rules files of which something is not used.
 */
export interface Brief {
  text: string;
  tokens: number;
  budgetTokens: number;
  entries: BriefEntry[];
  leftOut: Omission[];
  leftOutTotal: number;
  files: RulesFile[];
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
 * An entry of a brief. `group` is rules, task or background.
 */
export interface BriefEntry {
  entry: Entry;
  group: string;
  isShortened: boolean;
}

/**
 * The restore points around a tool call.
 */
export interface CallCheckpoints {
  before: number | null;
  after: number | null;
}

/**
 * Output of a tool call.
 */
export interface CallContent {
  content: TextBlock;
  type: "content";
}

/**
 * A file that a tool call changed; null for a text that was not there, or is gone.
 */
export interface CallDiff {
  uri: string;
  oldText: string | null;
  newText: string | null;
  type: "diff";
}

/**
 * A place that a tool call is about; `line` is zero-based.
 */
export interface CallLocation {
  uri: string;
  line: number | null;
}

/**
 * The session whose turn is to end, whichever process runs it. With `turnId` only if it is that
 * one: another editor's may have ended, and the next begun, before this is heard.
 */
export interface CancelChatParams {
  sessionId: string;
  turnId?: string | null;
}

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
 * A chat's document.
 */
export interface ChatPage {
  uri: string;
  sessionId: string;
}

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
 * Something that Milepost can see for itself. `command` is the line that says it; `kind` is
 * command, tests, file, no file, text, match, prints, json, clean or committed. What is run must
 * end with `expectExit` within `timeoutS` seconds.
 */
export interface Check {
  command: string;
  expectExit: number;
  timeoutS: number;
  kind: string;
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
 * `label` is free text that helps to find the point again.
 */
export interface CheckpointArguments {
  label?: string;
  uri?: string | null;
}

/**
 * `uri` is the project's root, `newest` its newest restore point.
 */
export interface CheckpointDidChange {
  uri: string;
  newest: number | null;
}

/**
 * The changes, and as much of their unified diff as is worth reading.
 */
export interface CheckpointDiff {
  changes: Change[];
  text: string;
}

/**
 * A restore point was made.
 */
export interface CheckpointMade {
  checkpointId: number;
  label: string;
  sessionUpdate: "checkpoint";
}

/**
 * Part of the restore points; `nextOffset` is null at the end.
 */
export interface CheckpointPage {
  checkpoints: Checkpoint[];
  nextOffset: number | null;
}

/**
 * `chat`: send me `milepost/chat/update`. `permissions`: ask me by `milepost/permission/request`
 * instead of `window/showMessageRequest`. `proposals`: I show edits hunk by hunk, tell me of
 * them. `memory`: tell me what happens elsewhere; only false says no. `quiet`: I show the results
 * of commands myself, so no `window/showMessage` and no document for them; questions and warnings
 * still come.
 */
export interface ClientAnnouncement {
  chat?: boolean;
  permissions?: boolean;
  proposals?: boolean;
  memory?: boolean;
  quiet?: boolean;
}

/**
 * The selection, or an empty range in what is meant.
 */
export interface CodeArguments {
  uri: string;
  range: Range;
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
 * Without `hunks`, all that are open.
 */
export interface DecideProposalParams {
  proposalId: string;
  hunks?: string[] | null;
  uri?: string | null;
}

/**
 * The session that is to go, with its notes.
 */
export interface DeleteSessionParams {
  sessionId: string;
  uri?: string | null;
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
 * A diagnostic of the editor; `severity` is LSP's number.
 */
export interface DiagnosticBlock {
  uri: string;
  range: Range;
  message: string;
  severity?: number | null;
  source?: string | null;
  code?: string | number | null;
  type: "diagnostic";
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

/**
 * What a question to a model took; `costUsd` is None when the price is not known.
 */
export interface Effort {
  model: string;
  inputTokens: number;
  outputTokens: number;
  costUsd: number | null;
}

/**
 * One remembered thing. `kind` is context, rule, decision, knowledge or note; `status` is stated,
 * confirmed, unverified or superseded; `scope` is project, worktree, session, task or global, and
 * `within` names the worktree, session or task. `doubts` say why the entry is suspect: code that
 * it is about (`anchors`) has changed since it was last confirmed. `moved` tells of code that
 * only moved, and where to, which makes nothing suspect. `masked` names the kinds of secrets that
 * stand as placeholders in what was just saved. `version` names the words: given back with a
 * change, it has the change refused when the words have become others meanwhile. `age` is how
 * long ago it was made, in words. A `source` such as `file:AGENTS.md:12` is an agents' own file:
 * such an entry is read only, and its `anchors` are the paths that it counts for.
 */
export interface Entry {
  id: string;
  text: string;
  kind: string;
  status: string;
  scope: string;
  source: string;
  createdAt: string | null;
  anchors: string[];
  supersededBy: string | null;
  doubts: string[];
  masked: string[];
  version: string;
  within: string;
  age: string | null;
  moved: string[];
}

/**
 * Part of the entries in file order; `nextOffset` is None at the end.
 */
export interface EntryPage {
  entries: Entry[];
  total: number;
  nextOffset: number | null;
}

/**
 * The file that an entry stands in, and its first line, zero-based.
 */
export interface EntryPlace {
  uri: string;
  line: number;
}

/**
 * What Milepost saw when it looked at a check. `exitCode` is None when the command was stopped or
 * nothing was run. `problem` says what speaks against the check; `results` are the counts of a
 * test run, and how they were had; `sandbox` names what held the command, if one was run.
 */
export interface Evidence {
  id: string;
  command: string;
  exitCode: number | null;
  passed: boolean;
  timedOut: boolean;
  durationMs: number;
  outputTail: string;
  outputBytes: number;
  outputSha256: string;
  treeHash: string;
  startedAt: string;
  reused: boolean;
  problem: string | null;
  results: string;
  sandbox: string;
}

/**
 * A document, or its `range`; `text` overrides what stands there. Unsaved buffers count as they
 * stand.
 */
export interface FileBlock {
  uri: string;
  range?: Range | null;
  text?: string | null;
  type: "file";
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
 * Up to, not including, `turnId`; without it, all.
 */
export interface ForkSessionParams {
  sessionId: string;
  turnId?: string | null;
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
 * A condition for "done". `state` is active, paused, blocked, budget-limited, met or abandoned;
 * `verdict` is the newest one, or None before the first verification. A budget of None has no
 * limit. `notAllowed` are commands that an agent brought and the user has not allowed.
 */
export interface Goal {
  id: string;
  condition: string;
  checks: Check[];
  state: string;
  source: string;
  createdAt: string;
  verdict: string | null;
  maxVerifications: number | null;
  maxSeconds: number | null;
  notAllowed: string[];
}

/**
 * The goal that is meant.
 */
export interface GoalArguments {
  goalId: string;
  uri?: string | null;
}

/**
 * `uri` is the project's root.
 */
export interface GoalDidChange {
  uri: string;
}

/**
 * The goals, newest first.
 */
export interface GoalList {
  goals: Goal[];
}

/**
 * What was found when "done" was looked at.
 */
export interface GoalVerdict {
  goalId: string | null;
  verdict: string;
  reason: string;
  sessionUpdate: "goal_verdict";
}

/**
 * A search result: higher `score` is better, comparable within one search only. Of an entry that
 * `isShortened` only the beginning fitted the budget.
 */
export interface Hit {
  entry: Entry;
  score: number;
  isShortened: boolean;
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
 * With `uri` the proposals of that document, or of the project whose folder it is.
 */
export interface ListProposalsParams {
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
 * An entry of memory.
 */
export interface MemoryBlock {
  id: string;
  type: "memory";
}

/**
 * A change of memory. `action` is add, update, supersede, forget, import, follow (anchors after
 * code that moved), undo, edit (by hand), back to a restore point, or move with where from or to;
 * `undoes` is the change that this one took back, `undoneBy` the one that took this one back.
 */
export interface MemoryChange {
  id: number;
  at: string;
  actor: string;
  action: string;
  undoes: number | null;
  undoneBy: number | null;
  revisions: Revision[];
}

/**
 * `changed` counts the entries that came, went or read differently since the last notice.
 */
export interface MemoryDidChange {
  uri: string;
  changed: number;
}

/**
 * What memory had to say.
 */
export interface MemoryRecall {
  entries: RecalledEntry[];
  sessionUpdate: "memory_recall";
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
 * A path that a snapshot leaves out, and why.
 */
export interface NotCovered {
  path: string;
  reason: string;
}

/**
 * An empty object, where there is nothing to say.
 */
export type Nothing = Record<string, never>;

/**
 * Something that the user should know.
 */
export interface Notice {
  level: "info" | "warning" | "error";
  text: string;
  sessionUpdate: "notice";
}

/**
 * An entry that is not in a brief, and why.
 */
export interface Omission {
  id: string;
  why: string;
}

/**
 * The chat as a Markdown document, for clients without a panel: that of a session, or a new one.
 */
export interface OpenChatArguments {
  sessionId?: string | null;
  uri?: string | null;
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

/**
 * A pinned point is kept when old ones are forgotten.
 */
export interface PinCheckpointArguments {
  id: number;
  pinned?: boolean;
  uri?: string | null;
}

/**
 * The whole plan, as it stands now.
 */
export interface Plan {
  entries: PlanEntry[];
  sessionUpdate: "plan";
}

/**
 * A step of a plan: a task, by its id.
 */
export interface PlanEntry {
  id: string;
  content: string;
  status: CallStatus;
}

/**
 * LSP's position: zero-based, `character` in the units agreed at initialize.
 */
export interface Position {
  line: number;
  character: number;
}

/**
 * Without `sessionId` a session begins. `@memory words` and `@file:path` in a text are resolved
 * by the server.
 */
export interface PromptParams {
  prompt: Block[];
  sessionId?: string | null;
  mode?: Mode | null;
  model?: string | null;
  uri?: string | null;
  workDoneToken?: string | number | null;
}

/**
 * How the turn ended, in one sentence too. A cancelled turn is a result, and keeps what was said.
 */
export interface PromptResult {
  sessionId: string;
  turnId: string;
  stopReason: StopReason;
  message: string;
  usage: Usage;
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
 * LSP's range, `end` excluded.
 */
export interface Range {
  start: Position;
  end: Position;
}

/**
 * `uri` is that of a `milepost:` document.
 */
export interface ReadDocumentArguments {
  uri: string;
}

/**
 * An entry of memory that was given to the model, and where it stands (`line` zero-based); null
 * where it has no file.
 */
export interface RecalledEntry {
  id: string;
  text: string;
  scope: string;
  status: string;
  uri: string | null;
  line: number | null;
}

/**
 * Does the restore again that was taken back.
 */
export interface RedoArguments {
  uri?: string | null;
}

/**
 * A path, or the name of something else, that a restore left alone, and why.
 */
export interface Refusal {
  path: string;
  reason: string;
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
 * A title for people.
 */
export interface RenameSessionParams {
  sessionId: string;
  title: string;
  uri?: string | null;
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

/**
 * One entry before and after a change: None before it was there, None after it was gone.
 */
export interface Revision {
  before: Entry | null;
  after: Entry | null;
}

/**
 * A file of agents' own rules that was found. `when` says when its rules count; of its `rules`,
 * `repeated` stand elsewhere too; `notes` say what of it is not used, and why.
 */
export interface RulesFile {
  path: string;
  readBy: string;
  scope: string;
  size: number;
  tokens: number;
  rules: number;
  repeated: number;
  isUsed: boolean;
  when: string;
  notes: string[];
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
 * What a search found, and over how many entries it looked; `advice` is set when it found nothing
 * and says how to widen. `leftOut` more were found and did not fit the budget. `warnings` are
 * sentences on files that need a person.
 */
export interface SearchResult {
  query: string;
  hits: Hit[];
  entriesSearched: number;
  scopes: string[];
  advice: string | null;
  leftOut: number;
  warnings: string[];
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
 * The versions of this page that the server speaks: all of it, and the chat.
 */
export interface ServerAnnouncement {
  protocol: number;
  chat: number;
}

/**
 * The session has another title.
 */
export interface SessionInfoUpdate {
  title: string;
  sessionUpdate: "session_info_update";
}

/**
 * A page, and how many there are.
 */
export interface SessionPage {
  sessions: ChatSession[];
  total: number;
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
 * Something that was to judge the work and was changed since the goal was set. `kind` is tests,
 * skipped, configuration, checker, environment or baseline; `isAccepted` tells that the user
 * takes it for an honest change.
 */
export interface Sign {
  id: string;
  kind: string;
  words: string;
  isAccepted: boolean;
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
 * `uri` is a document or a folder.
 */
export interface StatusArguments {
  uri?: string | null;
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

/**
 * Stops the answer that is being written into a chat's document, `uri`.
 */
export interface StopChatArguments {
  uri: string;
}

/**
 * Plain words, or Markdown where a model wrote them.
 */
export interface TextBlock {
  text: string;
  type: "text";
}

/**
 * A tool call begins. `subject` is what it is about: a path, a command line.
 */
export interface ToolCall {
  toolCallId: string;
  title: string;
  kind: ToolKind;
  status: CallStatus;
  tool: string;
  subject: string;
  locations: CallLocation[];
  sessionUpdate: "tool_call";
}

/**
 * A tool call went on or ended. `proposalId` names its edits, to keep or to take back.
 */
export interface ToolCallUpdate {
  toolCallId: string;
  status: CallStatus;
  content: CallOutput[];
  checkpoints: CallCheckpoints;
  proposalId: string | null;
  sessionUpdate: "tool_call_update";
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
 * The same words with which the prompt is answered, for who did not send it. `stopReason` is as
 * there.
 */
export interface TurnEnded {
  stopReason: string;
  message: string;
  usage: Usage;
  sessionUpdate: "turn_ended";
}

/**
 * An update and where it belongs.
 */
export interface TurnUpdate {
  turnId: string;
  seq: number;
  update: Update;
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
 * `seq` grows by one per session, so that a client sees that it missed nothing.
 */
export interface UpdateParams {
  sessionId: string;
  turnId: string;
  seq: number;
  update: Update;
}

/**
 * What a turn took; `costUsd` is null when a price is not known.
 */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  costUsd: number | null;
}

/**
 * What the turn took so far; `windowShare` of 1 is a full window.
 */
export interface UsageUpdate {
  inputTokens: number;
  outputTokens: number;
  costUsd: number | null;
  windowShare: number;
  step: number;
  sessionUpdate: "usage_update";
}

/**
 * What the user said: for the other editors of the session, and on load.
 */
export interface UserMessageChunk {
  content: TextBlock;
  sessionUpdate: "user_message_chunk";
}

/**
 * `verdict` is met, not_met, impossible or unverifiable; `missing` says what it lacks to be met.
 */
export interface Verdict {
  goal: Goal;
  verdict: string;
  reason: string;
  missing: string[];
  evidence: Evidence[];
  signs: Sign[];
}

/**
 * Without `goalId`, the newest active goal; `fresh` runs checks whose evidence still holds.
 */
export interface VerifyGoalArguments {
  goalId?: string | null;
  fresh?: boolean;
  uri?: string | null;
}

export interface ClientRequests {
  "milepost/chat/prompt": { params: PromptParams; result: PromptResult };
  "milepost/session/list": { params: ListSessionsParams; result: SessionPage };
  "milepost/session/load": { params: LoadSessionParams; result: Transcript };
  "milepost/session/fork": { params: ForkSessionParams; result: ChatSession };
  "milepost/session/rename": { params: RenameSessionParams; result: ChatSession };
  "milepost/session/delete": { params: DeleteSessionParams; result: Nothing };
  "milepost/proposal/list": { params: ListProposalsParams; result: ProposalList };
  "milepost/proposal/accept": { params: DecideProposalParams; result: Proposal };
  "milepost/proposal/reject": { params: DecideProposalParams; result: Proposal };
}

export interface ServerRequests {
  "milepost/permission/request": { params: PermissionParams; result: PermissionOutcome };
}

export interface ClientNotifications {
  "milepost/chat/cancel": CancelChatParams;
}

export interface ServerNotifications {
  "milepost/chat/update": UpdateParams;
  "milepost/proposal/didChange": ProposalDidChange;
  "milepost/memory/didChange": MemoryDidChange;
  "milepost/checkpoint/didChange": CheckpointDidChange;
  "milepost/goal/didChange": GoalDidChange;
  "milepost/status/didChange": StatusDidChange;
}

export interface Commands {
  "milepost.memory.remember": { argument: RememberArguments; result: Entry };
  "milepost.memory.about": { argument: AboutArguments; result: Known };
  "milepost.memory.list": { argument: ListArguments; result: EntryPage };
  "milepost.memory.search": { argument: SearchArguments; result: SearchResult };
  "milepost.memory.brief": { argument: BriefArguments; result: Brief };
  "milepost.memory.edit": { argument: EditArguments; result: Entry };
  "milepost.memory.locate": { argument: LocateArguments; result: EntryPlace };
  "milepost.memory.forget": { argument: ForgetArguments; result: Entry };
  "milepost.memory.confirm": { argument: ConfirmArguments; result: Entry };
  "milepost.memory.log": { argument: LogArguments; result: MemoryChange[] };
  "milepost.memory.undo": { argument: UndoMemoryArguments; result: MemoryChange };
  "milepost.checkpoint.save": { argument: CheckpointArguments; result: Checkpoint };
  "milepost.checkpoint.list": { argument: ListCheckpointsArguments; result: CheckpointPage };
  "milepost.checkpoint.diff": { argument: DiffCheckpointsArguments; result: CheckpointDiff };
  "milepost.checkpoint.pin": { argument: PinCheckpointArguments; result: Checkpoint };
  "milepost.checkpoint.name": { argument: NameCheckpointArguments; result: Checkpoint };
  "milepost.checkpoint.goBack": { argument: GoBackArguments; result: Restore | null };
  "milepost.checkpoint.undo": { argument: UndoArguments; result: Restore };
  "milepost.checkpoint.redo": { argument: RedoArguments; result: Restore };
  "milepost.goal.set": { argument: SetGoalArguments; result: Goal };
  "milepost.goal.verify": { argument: VerifyGoalArguments; result: Verdict };
  "milepost.goal.list": { argument: ListGoalsArguments; result: GoalList };
  "milepost.goal.propose": { argument: ProposeChecksArguments; result: ProposedChecks };
  "milepost.goal.pause": { argument: GoalArguments; result: Goal };
  "milepost.goal.resume": { argument: GoalArguments; result: Goal };
  "milepost.goal.abandon": { argument: GoalArguments; result: Goal };
  "milepost.goal.setBudget": { argument: SetGoalBudgetArguments; result: Goal };
  "milepost.goal.allow": { argument: GoalArguments; result: Goal };
  "milepost.goal.signs": { argument: GoalArguments; result: Sign[] };
  "milepost.goal.acceptChanges": { argument: AcceptGoalChangesArguments; result: Sign[] };
  "milepost.chat.open": { argument: OpenChatArguments; result: ChatPage };
  "milepost.chat.send": { argument: SendChatArguments; result: ChatPage };
  "milepost.chat.stop": { argument: StopChatArguments; result: ChatPage };
  "milepost.assist.ask": { argument: AskArguments; result: Answer };
  "milepost.assist.explain": { argument: DiagnosticArguments; result: Answer };
  "milepost.assist.fix": { argument: DiagnosticArguments; result: Edited };
  "milepost.assist.document": { argument: CodeArguments; result: Edited };
  "milepost.assist.test": { argument: CodeArguments; result: Edited };
  "milepost.proposal.accept": { argument: DecideProposalParams; result: Proposal };
  "milepost.proposal.reject": { argument: DecideProposalParams; result: Proposal };
  "milepost.status": { argument: StatusArguments; result: Status };
  "milepost.document.read": { argument: ReadDocumentArguments; result: DocumentText };
}
