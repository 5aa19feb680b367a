import assert from "node:assert/strict";
import { test } from "node:test";
import type { Status } from "../src/protocol.ts";
import { statusLine } from "../src/status.ts";

const QUIET: Status = {
  project: { id: "shop-1", name: "shop", root: "/shop" },
  goal: null,
  checkpoint: null,
  checkpointError: null,
  model: null,
  running: [],
};

test("a quiet project has the name alone", () => {
  assert.deepEqual(statusLine("running", QUIET), {
    text: "$(milestone) Milepost",
    facts: ["shop"],
    isWrong: false,
  });
});

test("the goal, its budget and the newest checkpoint are told", () => {
  const goal = {
    id: "g1",
    condition: "The tests pass",
    state: "active",
    maxVerifications: 1,
    maxSeconds: null,
  };
  const checkpoint = { id: 7, label: "before", createdAt: new Date().toISOString() };
  const line = statusLine("running", { ...QUIET, goal, checkpoint });
  assert.equal(line.text, "$(target) The tests pass $(history) #7");
  assert.ok(line.facts.includes("Budget: 1 verification"));
  assert.ok(line.facts.includes("Goal (active): The tests pass"));
});

test("a checkpoint that failed is a warning, with its reason", () => {
  const line = statusLine("running", { ...QUIET, checkpointError: "the disk is full" });
  assert.equal(line.isWrong, true);
  assert.ok(line.facts.includes("The last checkpoint failed: the disk is full"));
});

test("a server that is missing, has stopped or starts is told from one that runs", () => {
  assert.equal(statusLine("missing", undefined).isWrong, true);
  assert.equal(statusLine("failed", undefined).isWrong, true);
  assert.equal(statusLine("missing", undefined).command, "milepost.installServer");
  assert.equal(statusLine("failed", undefined).command, "milepost.restartServer");
  assert.match(statusLine("starting", undefined).text, /spin/);
  assert.deepEqual(statusLine("installing", undefined).facts, ["The server is being installed"]);
});
