import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { presenter } from "../src/presenting.ts";
import { entry } from "./entries.ts";
import { desk } from "./vscode.ts";

const present = presenter();

beforeEach(() => desk.clear());

const shown = async (): Promise<string> => {
  await new Promise(setImmediate);
  return desk.documents.join("\n");
};

test("what was remembered by a code action is said", () => {
  present("milepost.memory.remember", entry({ text: "Use uv" }));
  assert.deepEqual(desk.messages, ["Remembered: Use uv"]);
});

test("an answer is a document, with what memory knows as text that stays data", async () => {
  const entries = [entry({ text: "# Not a heading" })];
  present("milepost.assist.ask", { words: "It adds.", entries, effort: null });
  assert.match(await shown(), /^It adds\.\n\n## What memory knows of it\n\n {4}# Not a heading\n/);
});

test("an edit is said only if it is not proposed, for proposals show themselves", () => {
  const edited = { uri: "", isApplied: true, effort: {}, words: "Documented it." };
  present("milepost.assist.document", { ...edited, proposal: {} });
  present("milepost.assist.document", { ...edited, proposal: null });
  assert.deepEqual(desk.messages, ["Documented it."]);
});

test("a restore point that nobody chose is not spoken of", () => {
  present("milepost.checkpoint.goBack", null);
  present("milepost.memory.remember", undefined);
  assert.deepEqual(desk.messages, []);
});

test("a command of a later server that answers with a text has it shown", async () => {
  present("milepost.later.thing", { text: "News." });
  assert.equal(await shown(), "News.");
});
