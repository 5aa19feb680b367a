import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  askBudget,
  askGoal,
  askSigns,
  mayRun,
  wrongCondition,
  wrongLimit,
} from "../../src/goals/questions.ts";
import type { Check, Sign } from "../../src/protocol.ts";
import { desk } from "../vscode.ts";
import { goal } from "./goals.ts";

const SIGNS: Sign[] = ["test_shop.py lost 2 tests", "pyproject.toml deselects a test"].map(
  (words, number) => ({ id: `s${number}`, kind: "tests", words, isAccepted: false }),
);

beforeEach(() => desk.clear());

const nothing = async (): Promise<Check[]> => [];

test("a limit is a number above 0 or nothing", () => {
  for (const text of ["", "  ", "1", " 20 "]) {
    assert.equal(wrongLimit(text, "whole"), undefined, text);
  }
  for (const text of ["0", "-1", "1.5", "many", "1e999", "Infinity"]) {
    assert.match(wrongLimit(text, "whole") ?? "", /whole number above 0/, text);
  }
  assert.equal(wrongLimit("1.5", "any"), undefined);
  assert.match(wrongLimit("0", "any") ?? "", /number above 0/);
});

test("a condition has words, and not too many", () => {
  assert.match(wrongCondition("  ") ?? "", /sentence/);
  assert.match(wrongCondition("x".repeat(2_001)) ?? "", /2000/);
  assert.equal(wrongCondition("It works"), undefined);
});

test("a budget has both limits; Escape at either leaves it", async () => {
  desk.answers.push("3", "");
  assert.deepEqual(await askBudget(goal()), { maxVerifications: 3, maxSeconds: null });
  desk.answers.push("3");
  assert.equal(await askBudget(goal()), undefined);
  assert.equal(await askBudget(goal()), undefined);
});

test("a goal may have no check; Escape sets none", async () => {
  desk.answers.push(" It works ", " make test ;; file: done.txt ;; ");
  const wanted = { condition: "It works", checks: ["make test", "file: done.txt"] };
  assert.deepEqual(await askGoal(nothing), wanted);
  desk.answers.push("It works", "");
  assert.deepEqual(await askGoal(nothing), { condition: "It works", checks: [] });
  desk.answers.push("It works");
  assert.equal(await askGoal(nothing), undefined);
});

test("the very commands are shown, and only the button allows them", async () => {
  const waiting = goal({ source: "mcp:helper", notAllowed: ["make test", "./lint.sh"] });
  desk.answers.push(undefined);
  assert.equal(await mayRun(waiting), false);
  assert.match(desk.messages[0] ?? "", /^Allow what helper wants to run\?[\s\S]*make test\n/);
  assert.match(desk.messages[0] ?? "", /\n\.\/lint\.sh\n/);
  desk.answers.push("Allow");
  assert.equal(await mayRun(waiting), true);
});

test("of several changes some are chosen, and those are confirmed in their words", async () => {
  const [first, second] = SIGNS;
  desk.answers.push(first?.words, "Accept");
  assert.deepEqual(await askSigns(goal(), SIGNS), ["s0"]);
  assert.match(desk.messages[0] ?? "", /^Accept this change\?[\s\S]*lost 2 tests/);
  assert.doesNotMatch(desk.messages[0] ?? "", /deselects/);
  desk.answers.push(`${first?.words}\n${second?.words}`, undefined);
  assert.equal(await askSigns(goal(), SIGNS), undefined);
  assert.match(desk.messages[1] ?? "", /^Accept these 2 changes\?[\s\S]*deselects/);
});

test("one change is not chosen first, and none chosen accepts none", async () => {
  desk.answers.push("Accept");
  assert.deepEqual(await askSigns(goal(), SIGNS.slice(0, 1)), ["s0"]);
  desk.answers.push("");
  assert.equal(await askSigns(goal(), SIGNS), undefined);
});

test("proposed checks are taken or left, and others written beside them", async () => {
  const lines = ["tests: python3 -m unittest", "git: committed"];
  const propose = async (condition: string): Promise<Check[]> => {
    assert.equal(condition, "Tests pass, and it is committed");
    return lines.map((command) => ({ command, kind: "tests", expectExit: 0, timeoutS: 300 }));
  };
  desk.answers.push(" Tests pass, and it is committed ", lines.join("\n"));
  assert.deepEqual((await askGoal(propose))?.checks, lines);
  const own = "$(edit) Write another…";
  desk.answers.push("Tests pass, and it is committed", `${lines[1]}\n${own}`, "make lint");
  assert.deepEqual((await askGoal(propose))?.checks, ["git: committed", "make lint"]);
  // Escape where another is written sets nothing.
  desk.answers.push("Tests pass, and it is committed", own);
  assert.equal(await askGoal(propose), undefined);
});
