import assert from "node:assert/strict";
import { test } from "node:test";
import { Transcript } from "../../src/chat/transcript.ts";
import type { Update } from "../../src/protocol.ts";
import { agent, call, callUpdate, ended, thought, updates, used, user } from "./updates.ts";

function transcript(...list: Update[]): Transcript {
  const made = new Transcript();
  for (const told of updates(list)) {
    made.apply(told);
  }
  return made;
}

function kinds(made: Transcript): string[] {
  return made.items.map((item) => item.is);
}

test("chunks of one speaker are one message", () => {
  const made = transcript(user("Hi"), thought("hm"), agent("Hel"), agent("lo"));
  assert.deepEqual(
    made.items.map((item) => "text" in item && [item.is, item.text]),
    [
      ["user", "Hi"],
      ["thought", "hm"],
      ["agent", "Hello"],
    ],
  );
});

test("a message that goes on after a tool call is another one", () => {
  assert.deepEqual(kinds(transcript(agent("a"), call("c"), agent("b"))), [
    "agent",
    "tool",
    "agent",
  ]);
});

test("what was taken back is gone, and what came before the last step stays", () => {
  const reset: Update = { sessionUpdate: "agent_message_reset", reason: "not met" };
  const made = transcript(user("Hi"), agent("one"), call("c"), thought("x"), agent("Done."), reset);
  assert.deepEqual(kinds(made), ["user", "agent", "tool"]);
});

test("a tool call takes its status, output and proposal from its updates", () => {
  const content = [{ type: "content" as const, content: { type: "text" as const, text: "ok" } }];
  const made = transcript(
    call("c"),
    callUpdate("c", { content, proposalId: "p1", checkpoints: { before: 1, after: 2 } }),
    callUpdate("another"),
  );
  const [item] = made.items;
  assert.ok(item?.is === "tool");
  assert.equal(item.call.status, "completed");
  assert.deepEqual(item.content, content);
  assert.equal(item.proposalId, "p1");
  assert.deepEqual(item.checkpoints, { before: 1, after: 2 });
});

test("items that did not change are the same objects, so that nothing is drawn twice", () => {
  const made = transcript(user("Hi"), agent("a"));
  const [before] = made.items;
  for (const told of updates([agent("b")], { from: 3 })) {
    made.apply(told);
  }
  assert.equal(made.items[0], before);
  assert.equal(made.items.length, 2);
});

test("the plan of a turn stands where it was first shown", () => {
  const plan = (status: "pending" | "completed"): Update => ({
    sessionUpdate: "plan",
    entries: [{ id: "T1", content: "Mend it", status }],
  });
  const made = transcript(plan("pending"), agent("a"), plan("completed"));
  assert.deepEqual(kinds(made), ["plan", "agent"]);
  const [item] = made.items;
  assert.ok(item?.is === "plan");
  assert.equal(item.entries[0]?.status, "completed");
});

test("a call that was running when the turn ended has failed", () => {
  const made = transcript(call("c"), ended("cancelled"));
  const [item] = made.items;
  assert.ok(item?.is === "tool");
  assert.equal(item.call.status, "failed");
});

test("what was spent is that of the turns before and of the one that runs", () => {
  const made = transcript(used(600, 0.005), ended());
  assert.deepEqual(made.spent, {
    inputTokens: 1_000,
    outputTokens: 50,
    costUsd: 0.01,
    windowShare: 0.25,
  });
  for (const told of updates([used(300)], { turnId: "t2", from: 3 })) {
    made.apply(told);
  }
  assert.equal(made.spent.inputTokens, 1_300);
  assert.equal(made.spent.costUsd, 0.01);
});
