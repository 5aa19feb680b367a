import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Deed, deeds, limits, standing } from "../../src/goals/standing.ts";
import type { Sign } from "../../src/protocol.ts";
import { goal, verdict } from "./goals.ts";

const SIGN: Sign = { id: "s1", kind: "tests", words: "test_shop.py was edited", isAccepted: false };

test("what may be done follows from the state, as the server sees it", () => {
  const of = (state: string): Deed[] => deeds(goal({ state }));
  assert.deepEqual(of("active"), ["verify", "budget", "pause", "abandon", "show"]);
  assert.deepEqual(of("blocked"), ["verify", "budget", "pause", "resume", "abandon", "show"]);
  assert.deepEqual(of("paused"), ["budget", "resume", "abandon", "show"]);
  assert.deepEqual(of("budget-limited"), ["budget", "abandon", "show"]);
  assert.deepEqual(of("met"), ["verify", "show"]);
  assert.deepEqual(of("abandoned"), ["resume", "show"]);
  assert.deepEqual(of("of a later server"), ["show"]);
});

test("commands are allowed where some wait, and the goal says that it waits", () => {
  const waiting = goal({ notAllowed: ["make test"] });
  assert.ok(deeds(waiting).includes("allow"));
  assert.equal(standing(waiting), "waits for you, not verified yet");
  assert.ok(!deeds(goal({ notAllowed: ["make test"], state: "abandoned" })).includes("allow"));
});

test("changes are accepted where there are some, or may be some", () => {
  const doubtful = goal({ verdict: "unverifiable" });
  assert.ok(deeds(doubtful).includes("accept"));
  assert.ok(deeds(doubtful, verdict({ signs: [SIGN] })).includes("accept"));
  assert.ok(
    !deeds(doubtful, verdict({ signs: [{ ...SIGN, isAccepted: true }] })).includes("accept"),
  );
  assert.ok(!deeds(goal({ verdict: "not_met" })).includes("accept"));
  assert.ok(deeds(goal({ verdict: "not_met" }), verdict({ signs: [SIGN] })).includes("accept"));
});

test("limits have their units", () => {
  assert.deepEqual(limits(goal()), []);
  assert.deepEqual(limits(goal({ maxVerifications: 1, maxSeconds: 2.5 })), [
    "1 verification",
    "2.5 s",
  ]);
});

test("each row of the view has the items of what may be done with it, and no others", () => {
  const manifest = readFileSync(join(import.meta.dirname, "../../package.json"), "utf8");
  const items: { command: string; when: string }[] =
    JSON.parse(manifest).contributes.menus["view/item/context"];
  const offered = (row: string): Set<string> => {
    const ofGoals = items.filter(({ when }) => when.startsWith("view == milepost.goals"));
    const fitting = ofGoals.filter(({ when }) => {
      const pattern = /viewItem =~ \/(.+)\/$/.exec(when)?.[1];
      return new RegExp(pattern ?? assert.fail(when)).test(row);
    });
    return new Set(fitting.map(({ command }) => command));
  };
  const commands: Record<Deed, string> = {
    verify: "milepost.verifyGoal",
    allow: "milepost.allowGoal",
    accept: "milepost.acceptGoalChanges",
    budget: "milepost.setGoalBudget",
    pause: "milepost.pauseGoal",
    resume: "milepost.resumeGoal",
    abandon: "milepost.abandonGoal",
    show: "milepost.showGoal",
  };
  for (const [deed, command] of Object.entries(commands)) {
    assert.deepEqual(offered(`goal.${deed}`), new Set([command]));
  }
});
