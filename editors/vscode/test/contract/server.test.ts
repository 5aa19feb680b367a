import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as vscode from "vscode";
import { listed } from "../../src/checkpoints/tree.ts";
import { searched } from "../../src/memory/search.ts";
import { type MemoryNode, MemoryTree } from "../../src/memory/tree.ts";
import { CurrentProject } from "../../src/project.ts";
import type { Entry, MemoryDidChange } from "../../src/protocol.ts";
import { Server, type ServerState } from "../../src/server/server.ts";
import { desk } from "../vscode.ts";
import { makeProject, SERVER, type TestProject, until } from "./project.ts";

describe("the client and the real server", () => {
  let project: TestProject;
  let server: Server;
  let current: CurrentProject;
  const states: ServerState[] = [];

  before(async () => {
    project = makeProject();
    current = new CurrentProject();
    const log = vscode.window.createOutputChannel("Milepost", { log: true });
    server = new Server(log, () => {});
    server.onDidChangeState((state) => states.push(state));
    await server.start({ command: SERVER, origin: "setting", version: "" }, {});
    assert.deepEqual(states, ["starting", "running"], desk.log.join("\n"));
  });

  after(async () => {
    await server.stop();
    project.remove();
  });

  const remember = (text: string): Promise<Entry> =>
    server.command("milepost.memory.remember", current.about({ text, kind: "rule" }));

  test("an entry is remembered, found, edited, forgotten, and brought back", async () => {
    const entry = await remember("Amounts are integer cents.");
    const found = await searched(server, current, "cents");
    assert.deepEqual(
      found.map((each) => each.id),
      [entry.id],
    );
    const changed = await server.command(
      "milepost.memory.edit",
      current.about({ id: entry.id, version: entry.version, text: "Amounts are cents." }),
    );
    assert.equal(changed.text, "Amounts are cents.");
    await assert.rejects(
      server.command(
        "milepost.memory.forget",
        current.about({ id: entry.id, version: entry.version }),
      ),
      "the words that were seen are others by now",
    );
    await server.command("milepost.memory.forget", current.about({ id: entry.id }));
    const undone = await server.command("milepost.memory.undo", current.about({}));
    assert.equal(undone.revisions[0]?.after?.text, "Amounts are cents.");
  });

  test("the tree has the scope, the section and the entry", async () => {
    await remember("Tabs break the parser.");
    const tree = new MemoryTree(server, current);
    const walk = async (node?: MemoryNode): Promise<string[]> => {
      const label = node ? [String(tree.getTreeItem(node).label)] : [];
      const below = await Promise.all((await tree.getChildren(node)).map(walk));
      return [...label, ...below.flat()];
    };
    const shown = await walk();
    assert.deepEqual(shown.slice(0, 2), ["Project", "Rules"]);
    assert.ok(shown.includes("Tabs break the parser."));
    tree.dispose();
  });

  test("a change in a terminal is told within a second", async () => {
    const told: MemoryDidChange[] = [];
    const listening = server.onNotification("milepost/memory/didChange", (each) => told.push(each));
    const milepost = join(dirname(SERVER), "milepost");
    execFileSync(milepost, ["memory", "add", "From a terminal"], { cwd: project.root });
    const written = Date.now();
    await until("the notice", () => told.length > 0);
    assert.ok(Date.now() - written < 1_000, `${Date.now() - written} ms`);
    listening.dispose();
  });

  test("a restore point is saved, compared, named, and restored", async () => {
    const saved = await server.command(
      "milepost.checkpoint.save",
      current.about({ label: "before" }),
    );
    writeFileSync(join(project.root, "shop.py"), "gone = 1\n");
    const { changes } = await server.command(
      "milepost.checkpoint.diff",
      current.about({ from: saved.id }),
    );
    assert.deepEqual(
      changes.map((each) => [each.path, each.kind]),
      [["shop.py", "modified"]],
    );
    await server.command("milepost.checkpoint.name", current.about({ id: saved.id, name: "good" }));
    const { checkpoints } = await listed(server, current, 100);
    assert.equal(checkpoints.find((point) => point.id === saved.id)?.name, "good");
    const done = await server.command(
      "milepost.checkpoint.goBack",
      current.about({ id: saved.id, apply: true }),
    );
    assert.equal(done?.changes.length, 1);
  });

  test("a goal is verified with progress, and a verification can be stopped", async () => {
    await server.command(
      "milepost.goal.set",
      current.about({ condition: "It works", checks: ["test -f shop.py"] }),
    );
    const steps: number[] = [];
    const listening = server.onProgress("v1", ({ percentage }) => steps.push(percentage ?? -1));
    const never = new vscode.CancellationTokenSource();
    const verdict = await server.command("milepost.goal.verify", current.about({}), {
      workDoneToken: "v1",
      stop: never.token,
    });
    assert.equal(verdict.verdict, "met");
    assert.ok(steps.length > 0);
    listening.dispose();

    const { id } = await server.command(
      "milepost.goal.set",
      current.about({ condition: "It waits", checks: ["sleep 60"] }),
    );
    const stop = new vscode.CancellationTokenSource();
    const begun = Date.now();
    const waiting = server.command("milepost.goal.verify", current.about({ goalId: id }), {
      workDoneToken: "v2",
      stop: stop.token,
    });
    const running = server.onProgress("v2", () => stop.cancel());
    await assert.rejects(waiting);
    assert.ok(Date.now() - begun < 30_000);
    running.dispose();
  });

  test("what cannot be done is refused with a sentence", async () => {
    await assert.rejects(
      server.command("milepost.memory.forget", current.about({ id: "nothing" })),
      /nothing/,
    );
  });

  test("a server that is killed is started again, and its listeners hear it", async () => {
    states.length = 0;
    const told: MemoryDidChange[] = [];
    server.onNotification("milepost/memory/didChange", (each) => told.push(each));
    execFileSync("kill", ["-9", String(server.processId)]);
    await until("the server to be back", () => states.at(-1) === "running");
    assert.deepEqual(states, ["restarting", "running"]);
    await remember("After the crash");
    await until("the notice", () => told.length > 0);
  });
});
