import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { COMPLETE, findServer, inEnvironment, type Places } from "../../src/server/finding.ts";

describe("finding the server", { skip: process.platform === "win32" }, () => {
  let root = "";

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "finding-"));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  function program(path: string, prints = "milepost-lsp 1.2.3"): string {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\necho "${prints}"\n`);
    chmodSync(file, 0o755);
    return file;
  }

  function places(more: Partial<Places> = {}): Places {
    return {
      setting: "",
      folders: [join(root, "project")],
      pathVariable: join(root, "bin"),
      managed: join(root, "managed"),
      platform: process.platform,
      ...more,
    };
  }

  test("a project's own environment comes before the PATH, the PATH before our own", async () => {
    const managed = program("managed/bin/milepost-lsp");
    // It was not made to its end.
    assert.equal((await findServer(places())).found, undefined);
    writeFileSync(join(root, "managed", COMPLETE), "");
    assert.deepEqual((await findServer(places())).found, {
      command: managed,
      origin: "managed",
      version: "1.2.3",
    });
    const onPath = program("bin/milepost-lsp");
    assert.equal((await findServer(places())).found?.command, onPath);
    const own = program("project/.venv/bin/milepost-lsp");
    assert.equal((await findServer(places())).found?.command, own);
  });

  test("what the setting names is used, and nothing else in its place", async () => {
    program("bin/milepost-lsp");
    const named = program("project/tools/lsp");
    const setting = "${workspaceFolder}/tools/lsp";
    assert.deepEqual((await findServer(places({ setting }))).found, {
      command: named,
      origin: "setting",
      version: "1.2.3",
    });
    const missing = await findServer(places({ setting: "/nowhere/lsp" }));
    assert.equal(missing.found, undefined);
    assert.deepEqual(missing.problems, [
      "The setting milepost.server.path names /nowhere/lsp, which is no program.",
    ]);
  });

  test("a program of that name that is something else is passed over, and told of", async () => {
    const other = program("project/.venv/bin/milepost-lsp", "another thing 1.0");
    const right = program("bin/milepost-lsp");
    const { found, problems } = await findServer(places());
    assert.equal(found?.command, right);
    assert.deepEqual(problems, [`${other} does not start: it is another program`]);
  });

  test("relative folders of the PATH are not looked into", async () => {
    program("project/bin/milepost-lsp");
    const { found } = await findServer(places({ pathVariable: "bin:./bin:" }));
    assert.equal(found, undefined);
  });

  test("on Windows an environment keeps its programs elsewhere", () => {
    assert.match(inEnvironment("C:/env", "milepost-lsp", "win32"), /Scripts.milepost-lsp\.exe$/);
  });
});
