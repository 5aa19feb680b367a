/** How entries are laid out in the tree: by scope, then by section. Knows nothing of VS Code. */

import type { Entry } from "../protocol.ts";

export interface Section {
  readonly scope: string;
  readonly title: string;
  readonly entries: readonly Entry[];
}

export interface ScopeGroup {
  readonly scope: string;
  readonly title: string;
  readonly sections: readonly Section[];
  readonly total: number;
}

const SCOPES: Record<string, string> = {
  project: "Project",
  worktree: "This Worktree",
  session: "Session",
  task: "Task",
  global: "All Projects",
  files: "Rules Files",
};

/** In the order of the headings of MEMORY.md. */
const KINDS: Record<string, string> = {
  context: "Project Context",
  rule: "Rules",
  decision: "Architecture Decisions",
  knowledge: "Discovered Knowledge",
  note: "Notes",
};

/** The scopes that have entries, each with those of its sections that have some. */
export function outline(entries: readonly Entry[]): ScopeGroup[] {
  const byScope = new Map<string, Entry[]>();
  for (const entry of entries) {
    const scope = scopeOf(entry);
    byScope.set(scope, [...(byScope.get(scope) ?? []), entry]);
  }
  return [...byScope].map(([scope, those]) => {
    const [name = "", within] = scope.split(" ", 2);
    const base = SCOPES[name] ?? name;
    const sections = Object.entries(KINDS)
      .map(([kind, title]) => ({ scope, title, entries: those.filter((e) => e.kind === kind) }))
      .filter((section) => section.entries.length > 0);
    return { scope, title: within ? `${base} ${within}` : base, sections, total: those.length };
  });
}

/** A file of agents' own rules: its entries are read only. */
export function isOfRulesFile(entry: Entry): boolean {
  return entry.source.startsWith("file:");
}

/** Whether a person has still to say that it holds. */
export function isDoubtful(entry: Entry): boolean {
  return !isOfRulesFile(entry) && (entry.status === "unverified" || entry.doubts.length > 0);
}

/** `path` and zero-based `line` of an entry of a rules file. */
export function placeInRulesFile(entry: Entry): { path: string; line: number } | undefined {
  const found = /^file:(.+):(\d+)$/.exec(entry.source);
  return found?.[1] ? { path: found[1], line: Number(found[2]) - 1 } : undefined;
}

/** Where an entry comes from and how far it is trusted, a fact a line. */
export function provenance(entry: Entry): string[] {
  const facts = [`${entry.status}, by ${entry.source}${entry.age ? `, ${entry.age}` : ""}`];
  if (entry.anchors.length > 0) {
    facts.push(`about ${entry.anchors.join(", ")}`);
  }
  for (const doubt of entry.doubts) {
    facts.push(`suspect: ${doubt}`);
  }
  for (const move of entry.moved) {
    facts.push(`moved: ${move}`);
  }
  if (entry.supersededBy) {
    facts.push(`superseded by ${entry.supersededBy}`);
  }
  facts.push(`id ${entry.id}`);
  return facts;
}

function scopeOf(entry: Entry): string {
  if (isOfRulesFile(entry)) {
    return "files";
  }
  const named = entry.scope === "session" || entry.scope === "task";
  return named && entry.within ? `${entry.scope} ${entry.within}` : entry.scope;
}
