/** A goal and a verdict, with what a test says of them. */

import type { Goal, Verdict } from "../../src/protocol.ts";

export function goal(more: Partial<Goal> = {}): Goal {
  return {
    id: "g1",
    condition: "The tests pass",
    checks: [],
    state: "active",
    source: "user:ann",
    createdAt: "",
    verdict: null,
    maxVerifications: null,
    maxSeconds: null,
    notAllowed: [],
    ...more,
  };
}

export function verdict(more: Partial<Verdict> = {}): Verdict {
  return {
    goal: goal(),
    verdict: "unverifiable",
    reason: "every check passed, but something was changed",
    missing: [],
    evidence: [],
    signs: [],
    ...more,
  };
}
