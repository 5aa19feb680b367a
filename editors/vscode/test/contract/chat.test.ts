import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as vscode from "vscode";
import { Conversation } from "../../src/chat/conversation.ts";
import { Transcript } from "../../src/chat/transcript.ts";
import { CurrentProject } from "../../src/project.ts";
import type { PermissionParams, Proposal, UpdateParams } from "../../src/protocol.ts";
import { Server } from "../../src/server/server.ts";
import { makeProject, SERVER, type TestProject, until } from "./project.ts";

const READ = { tool: "read", arguments: { path: "shop.py" } };
const EDIT = {
  tool: "edit",
  arguments: { path: "shop.py", old: "sum(order.cents)", new: "sum(order.cents) + 1" },
};
const SHELL = { tool: "shell", arguments: { command: "echo ran > ran.txt" } };

describe("a chat with the real server", () => {
  let project: TestProject;
  let server: Server;
  let current: CurrentProject;
  let conversation: Conversation;
  let isRunning = false;
  const proposals: Proposal[] = [];
  const asked: PermissionParams[] = [];

  before(async () => {
    project = makeProject();
    current = new CurrentProject();
    const log = vscode.window.createOutputChannel("Milepost", { log: true });
    server = new Server(log, () => {});
    const listener = {
      reset: () => {},
      updates: () => {},
      running: (now: boolean) => {
        isRunning = now;
      },
    };
    conversation = new Conversation(server, listener, () => {});
    server.onNotification("milepost/chat/update", (told) => conversation.hear(told));
    server.onNotification("milepost/proposal/didChange", ({ proposal }) => {
      proposals.push(proposal);
    });
    server.onRequest("milepost/permission/request", async (params) => {
      asked.push(params);
      const once = params.options.find((option) => option.kind === "allow_once");
      return once ? { outcome: "selected", optionId: once.optionId } : { outcome: "cancelled" };
    });
    const model = { MILEPOST_MODEL: `scripted:${join(project.home, "..", "model.jsonl")}` };
    await server.start({ command: SERVER, origin: "setting", version: "" }, model);
  });

  after(async () => {
    await server.stop();
    project.remove();
  });

  const play = (...lines: object[]): void =>
    writeFileSync(
      join(project.home, "..", "model.jsonl"),
      lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    );
  const prompt = (text: string) => conversation.prompt({ text, blocks: [], mode: "build" });
  const shown = (told: readonly UpdateParams[] = conversation.told): Transcript => {
    const transcript = new Transcript();
    for (const each of told) {
      transcript.apply(each);
    }
    return transcript;
  };
  const said = (is: string): string[] =>
    shown().items.flatMap((item) => (item.is === is && "text" in item ? [item.text] : []));

  test("words and tool calls stream in order, and an edit becomes a proposal", async () => {
    play({ say: "I look.", calls: [READ] }, { say: "I edit.", calls: [EDIT] }, { say: "Done." });
    const result = await prompt("Mend it");
    assert.equal(result.stopReason, "end_turn");
    assert.equal(result.sessionId, conversation.sessionId);
    assert.deepEqual(said("user"), ["Mend it"]);
    assert.deepEqual(said("agent"), ["I look.", "I edit.", "Done."]);
    const numbers = conversation.told.map((each) => each.seq).filter(Number.isInteger);
    assert.deepEqual(
      numbers,
      numbers.map((_, place) => (numbers[0] ?? 0) + place),
    );
    const edit = shown().items.find((item) => item.is === "tool" && item.call.tool === "edit");
    assert.ok(edit?.is === "tool");
    assert.equal(edit.call.status, "completed");
    assert.ok(edit.checkpoints.before !== null && edit.checkpoints.after !== null);
    const proposal = proposals.find((each) => each.id === edit.proposalId);
    assert.equal(proposal?.isApplied, true);
    assert.equal(proposal?.hunks.length, 1);
    const accepted = await server.request("milepost/proposal/accept", {
      proposalId: proposal?.id ?? "",
      ...current.about({}),
    });
    assert.equal(accepted.state, "accepted");
    assert.match(readFileSync(join(project.root, "shop.py"), "utf8"), /\+ 1/);
  });

  test("a turn that is stopped is a result, and keeps what was said", async () => {
    play({ say: "I look again.", calls: [READ] }, { hang: true });
    const going = prompt("Is that all?");
    await until("the words", () => said("agent").includes("I look again."));
    await conversation.cancel();
    const result = await going;
    assert.equal(result.stopReason, "cancelled");
    assert.equal(isRunning, false);
    assert.ok(said("agent").includes("I look again."));
  });

  test("what needs permission is asked for, with options, and done when allowed", async () => {
    play({ say: "I run it.", calls: [SHELL] }, { say: "It ran." });
    await prompt("Run it");
    const question = asked.at(-1);
    assert.equal(question?.subject, "echo ran > ran.txt");
    assert.equal(question?.sessionId, conversation.sessionId);
    assert.equal(readFileSync(join(project.root, "ran.txt"), "utf8"), "ran\n");
  });

  test("a session is loaded as it was seen", async () => {
    const { sessionId } = conversation;
    assert.ok(sessionId);
    const spoken = [said("user"), said("agent")];
    await conversation.load(sessionId, current.uri);
    assert.deepEqual([said("user"), said("agent")], spoken);
    assert.equal(conversation.isRunning, false);
    assert.ok(conversation.title);
  });

  test("a chat is forked before a turn, renamed, listed and deleted", async () => {
    const from = conversation.sessionId ?? "";
    const turn = shown().items.find((item) => item.is === "user" && item.text === "Run it");
    await conversation.forkBefore(turn?.turnId ?? "");
    assert.notEqual(conversation.sessionId, from);
    assert.deepEqual(said("user"), ["Mend it", "Is that all?"]);
    const sessionId = conversation.sessionId ?? "";
    await server.request("milepost/session/rename", current.about({ sessionId, title: "Other" }));
    const list = async (): Promise<string[]> => {
      const { sessions } = await server.request("milepost/session/list", current.about({}));
      return sessions.map((session) => session.title);
    };
    assert.ok((await list()).includes("Other"));
    await server.request("milepost/session/delete", current.about({ sessionId }));
    assert.ok(!(await list()).includes("Other"));
  });

  test("when the server is killed, a prompt that it had not begun says what to do", async () => {
    conversation.begin(current.uri);
    play({ hang: true });
    let isTaken = false;
    const onTaken = (): void => {
      isTaken = true;
    };
    const going = conversation.prompt({ text: "Lost?", blocks: [], mode: "build", onTaken });
    // It is sent before this, and read after it.
    await new Promise(setImmediate);
    process.kill(server.processId ?? 0, "SIGKILL");
    await assert.rejects(going, /ended before it answered: try again/);
    assert.equal(isTaken, false);
    assert.equal(conversation.isRunning, false);
    await until("another server", () => server.state === "running");
    play({ say: "Not lost." });
    await prompt("Again");
    assert.deepEqual(said("agent"), ["Not lost."]);
  });
});
