// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

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
 * An entry of a brief. `group` is rules, task or background.
 */
export interface BriefEntry {
  entry: Entry;
  group: string;
  isShortened: boolean;
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
 * A search result: higher `score` is better, comparable within one search only. Of an entry that
 * `isShortened` only the beginning fitted the budget.
 */
export interface Hit {
  entry: Entry;
  score: number;
  isShortened: boolean;
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
 * An entry that is not in a brief, and why.
 */
export interface Omission {
  id: string;
  why: string;
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
