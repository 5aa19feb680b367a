/** How a goal stands, in words, and what a person may do with it as it stands. */

import type { Goal, Sign, Verdict } from "../protocol.ts";

/** What a menu offers; the goal's row says which of them apply. */
export type Deed =
  | "verify"
  | "allow"
  | "accept"
  | "budget"
  | "pause"
  | "resume"
  | "abandon"
  | "show";

const VERDICTS: Record<string, string> = {
  met: "met",
  not_met: "not met",
  impossible: "impossible",
  unverifiable: "cannot be verified",
};

/** What the server does with a goal in each state; anything else it refuses. */
const DEEDS: Record<string, readonly Deed[]> = {
  active: ["verify", "budget", "pause", "abandon"],
  blocked: ["verify", "budget", "pause", "resume", "abandon"],
  paused: ["budget", "resume", "abandon"],
  "budget-limited": ["budget", "abandon"],
  met: ["verify"],
  abandoned: ["resume"],
};

/** States in which nobody works on it, and somebody may again. */
const WAITING = new Set(["paused", "blocked", "budget-limited"]);

export function isWaiting(goal: Goal): boolean {
  return WAITING.has(goal.state);
}

export function isOpen(goal: Goal): boolean {
  return goal.state === "active" || isWaiting(goal);
}

/** How a goal stands, in words. */
export function standing(goal: Goal): string {
  const verdict = goal.verdict === null ? "not verified yet" : VERDICTS[goal.verdict];
  if (isOpen(goal) && goal.notAllowed.length > 0) {
    return `waits for you, ${verdict}`;
  }
  return goal.state === "active" || goal.state === "met"
    ? `${verdict}`
    : `${goal.state}, ${verdict}`;
}

/** What may be done now; `verdict` is the last one that was seen here, if any was. */
export function deeds(goal: Goal, verdict?: Verdict): Deed[] {
  return [
    ...(DEEDS[goal.state] ?? []),
    ...(isOpen(goal) && goal.notAllowed.length > 0 ? (["allow"] as const) : []),
    ...(mayBeChanged(goal, verdict) ? (["accept"] as const) : []),
    "show",
  ];
}

/** The signs that nobody took for honest. */
export function openSigns(signs: readonly Sign[]): Sign[] {
  return signs.filter((sign) => !sign.isAccepted);
}

/** The limits of a goal, each with its unit. */
export function limits(goal: {
  readonly maxVerifications: number | null;
  readonly maxSeconds: number | null;
}): string[] {
  const { maxVerifications: times, maxSeconds: seconds } = goal;
  return [
    ...(times === null ? [] : [`${times} verification${times === 1 ? "" : "s"}`]),
    ...(seconds === null ? [] : [`${seconds} s`]),
  ];
}

/** Whether something that judges it was changed, as far as is known without looking. */
function mayBeChanged(goal: Goal, verdict: Verdict | undefined): boolean {
  if (!isOpen(goal)) {
    return false;
  }
  return verdict ? openSigns(verdict.signs).length > 0 : goal.verdict === "unverifiable";
}
