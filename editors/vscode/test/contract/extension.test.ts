import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { URI } from "vscode-uri";
import { bundle } from "../../esbuild.mjs";
import { desk } from "../vscode.ts";
import { makeProject, SERVER, type TestProject, until } from "./project.ts";

interface Extension {
  activate(context: unknown): void;
  deactivate(): Promise<void>;
}

describe("the bundled extension", () => {
  let project: TestProject;
  let folder = "";
  let extension: Extension;
  const subscriptions: { dispose(): void }[] = [];

  before(async () => {
    project = makeProject();
    folder = mkdtempSync(join(tmpdir(), "bundle-"));
    await bundle(folder);
    extension = createRequire(import.meta.url)(join(folder, "extension.cjs"));
  });

  after(async () => {
    await extension.deactivate();
    project.remove();
    rmSync(folder, { recursive: true });
  });

  const run = (name: string, ...args: unknown[]): unknown => desk.commands.get(name)?.(...args);
  const state = (): unknown =>
    desk.ran.findLast((each) => each.args[0] === "milepost.server")?.args[1];

  test("without a server it is active at once, and says what is missing", async () => {
    desk.settings.set("milepost.server.path", join(folder, "nothing"));
    extension.activate({
      subscriptions,
      extensionPath: folder,
      extensionUri: URI.file(folder),
      globalStorageUri: URI.file(join(folder, "storage")),
      workspaceState: { get: () => undefined, update: async () => {} },
    });
    await until("the message", () => desk.messages.length > 0);
    assert.match(desk.messages[0] ?? "", /names .*nothing, which is no program/);
    assert.equal(state(), "missing");
  });

  test("a build without the server's wheel says how to have one", async () => {
    await run("milepost.installServer");
    assert.match(desk.messages.at(-1) ?? "", /carries no server/);
  });

  test("with the server it remembers, confirms, forgets and takes back", async () => {
    desk.settings.set("milepost.server.path", SERVER);
    await run("milepost.restartServer");
    assert.equal(state(), "running");
    desk.answers.push("Amounts are cents.", "Rule");
    await run("milepost.addMemory");
    const path = (): string =>
      readFileSync(
        /file:\S+?MEMORY\.md|\/\S+?MEMORY\.md/.exec(desk.log.join("\n"))?.[0] ?? "",
        "utf8",
      );
    await until("the log to name the file", () => /MEMORY\.md/.test(desk.log.join("\n")));
    assert.match(path(), /Amounts are cents\. <!-- .*status=stated source=user:stand-in/);
    const id = /id=(\w+)/.exec(path())?.[1];
    desk.answers.push("Undo");
    await run("milepost.forgetEntry", {
      entry: { id, text: "Amounts are cents.", scope: "project", within: "" },
    });
    assert.ok(desk.messages.includes("Forgot “Amounts are cents.”."));
    assert.match(path(), /Amounts are cents/);
  });

  test("a command that fails says so", async () => {
    await run("milepost.forgetEntry", { entry: { id: "nothing", text: "", scope: "project" } });
    assert.match(desk.messages.at(-1) ?? "", /nothing/);
  });

  test("a restore is confirmed with what it changes, and can be undone from its message", async () => {
    desk.answers.push("good");
    await run("milepost.saveCheckpoint");
    const point = { id: 1, name: null, label: "good" };
    await run("milepost.restoreCheckpoint", { point });
    assert.equal(desk.messages.at(-1), "Nothing differs from #1 good.");
    const file = join(project.root, "shop.py");
    writeFileSync(file, "gone = 1\n");
    desk.answers.push("Restore", "Undo");
    await run("milepost.restoreCheckpoint", { point });
    const [question, done] = desk.messages.slice(-3);
    assert.match(question ?? "", /Go back to #1 good\?\nchanges shop\.py/);
    assert.equal(done, "Went back to #1 good: 1 file changed.");
    assert.equal(desk.messages.at(-1), "Took back the restore: 1 file changed.");
    assert.equal(readFileSync(file, "utf8"), "gone = 1\n");
  });

  test("a no to the installation is taken for one, and the offer stays", async () => {
    mkdirSync(join(folder, "server"));
    writeFileSync(join(folder, "server", "milepost-0-py3-none-any.whl"), "no wheel");
    desk.answers.push(undefined);
    await run("milepost.installServer");
    assert.match(desk.messages.at(-2) ?? "", /^Install Milepost's server\?/);
    assert.match(desk.messages.at(-1) ?? "", /^Nothing was installed/);
    assert.ok(!existsSync(join(folder, "storage")));
    assert.equal(state(), "running");
  });

  test("when an installation fails it says why, and what was there serves on", async () => {
    desk.answers.push("Install");
    await run("milepost.installServer");
    assert.match(desk.messages.at(-1) ?? "", /was not installed: ERROR: .*whl/);
    const states = desk.ran.filter((each) => each.args[0] === "milepost.server");
    assert.deepEqual(
      states.slice(-4).map((each) => each.args[1]),
      ["installing", "stopped", "starting", "running"],
    );
    assert.ok(!existsSync(join(folder, "storage", "server")));
  });
});
