import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Permissions } from "../../src/chat/permissions.ts";
import type { PermissionOutcome, PermissionParams } from "../../src/protocol.ts";
import { desk } from "../vscode.ts";

const OPTIONS: PermissionParams["options"] = [
  { optionId: "once", name: "Yes", kind: "allow_once", meaning: "" },
  { optionId: "no", name: "No", kind: "reject_once", meaning: "" },
];

let ask: (title: string, subject: string) => Promise<PermissionOutcome>;

beforeEach(() => {
  desk.clear();
  const wire = {
    onRequest: (
      _: string,
      handler: (params: PermissionParams, token: object) => Promise<PermissionOutcome>,
    ) => {
      ask = (title, subject) =>
        handler(
          {
            sessionId: "s",
            turnId: "t",
            toolCallId: "c",
            title,
            subject,
            reason: "",
            options: OPTIONS,
          },
          { onCancellationRequested: () => ({ dispose: () => {} }) },
        );
      return { dispose: () => {} };
    },
    onDidChangeState: () => ({ dispose: () => {} }),
  };
  // Nobody sees the chat.
  new Permissions(wire as never, () => false);
});

test("where the chat is not seen, a message asks, and its answer counts", async () => {
  desk.answers.push("Yes");
  assert.deepEqual(await ask("Run make", "make"), { outcome: "selected", optionId: "once" });
  assert.deepEqual(desk.messages, ["Milepost asks: Run make?"]);
});

test("a message that does not show the whole takes a no, and no yes", async () => {
  desk.answers.push("No");
  const no = { outcome: "selected", optionId: "no" };
  assert.deepEqual(await ask("Run echo fine; …", "echo fine; rm -rf ~"), no);
  desk.answers.push("Yes");
  let isAnswered = false;
  ask("Run a\u202e b", "a\u202e  b").then(() => {
    isAnswered = true;
  });
  await new Promise(setImmediate);
  assert.equal(isAnswered, false);
  assert.equal(desk.messages.at(-1), "Milepost asks: Run a\\u202e b?");
  desk.answers.push("Show All of It");
  void ask("Run c …", "c d");
  await new Promise(setImmediate);
  assert.equal(desk.ran.at(-1)?.command, "milepost.chat.focus");
});
