import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findPython, type Installation, install, Stopped } from "../../src/server/environment.ts";

/** A wheel of that name that needs nothing, so that nothing is fetched. */
const MAKE_WHEEL = `
import sys, zipfile
info = "milepost-9.9.dist-info/"
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("milepost_stand_in.py", "def main(): print('milepost-lsp 9.9')")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: milepost\\nVersion: 9.9\\nProvides-Extra: all\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(info + "entry_points.txt", "[console_scripts]\\nmilepost-lsp = milepost_stand_in:main\\n")
    wheel.writestr(info + "RECORD", "")
`;

describe("the server's own environment", { skip: process.platform === "win32" }, () => {
  let root = "";
  let python = "";
  let source = "";

  before(async () => {
    root = mkdtempSync(join(tmpdir(), "environment-"));
    python = (await findPython("", process.platform)) ?? "";
    source = join(root, "milepost-9.9-py3-none-any.whl");
    execFileSync(python, ["-c", MAKE_WHEEL, source]);
  });

  after(() => rmSync(root, { recursive: true }));

  function wish(more: Partial<Installation> = {}): Installation {
    return {
      python,
      folder: join(root, "server"),
      source,
      platform: process.platform,
      say: () => {},
      signal: new AbortController().signal,
      ...more,
    };
  }

  test("is made with a Python of the machine, and holds what the extension carries", async () => {
    const said: string[] = [];
    const command = await install(wish({ say: (line) => said.push(line) }));
    assert.equal(execFileSync(command, { encoding: "utf8" }), "milepost-lsp 9.9\n");
    assert.deepEqual(said[0], "Making an environment for the server");
  });

  test("is gone when the installation fails, and the reason is what was said last", async () => {
    const folder = join(root, "failed");
    const broken = join(root, "broken");
    const says = `mkdir -p "${folder}/bin"; echo one; echo "ERROR: no space left"; echo two; exit 3`;
    writeFileSync(broken, `#!/bin/sh\n${says}\n`, { mode: 0o755 });
    await assert.rejects(
      install(wish({ folder, python: broken })),
      /^Error: ERROR: no space left \(exit code 3\)/,
    );
    assert.equal(existsSync(folder), false);
  });

  test("is gone when the installation is stopped", async () => {
    const folder = join(root, "stopped");
    const abort = new AbortController();
    const going = install(wish({ folder, signal: abort.signal, say: () => abort.abort() }));
    await assert.rejects(going, /stopped/);
    assert.equal(existsSync(folder), false);
  });

  test("is not there when a step was stopped, and nothing that it had started lives on", async () => {
    const folder = join(root, "halfway");
    const slow = join(root, "slow");
    // As pip does, it starts another one, which would write on.
    const writes = `while true; do mkdir -p "${folder}/bin"; echo x > "${folder}/bin/$$"; done`;
    const says = `sh -c '${writes}' & echo "$!"; while true; do sleep 60; done`;
    writeFileSync(slow, `#!/bin/sh\n${says}\n`, { mode: 0o755 });
    const abort = new AbortController();
    let pid = 0;
    const say = (line: string): void => {
      if (/^\d+$/.test(line)) {
        pid = Number(line);
        abort.abort();
      }
    };
    await assert.rejects(
      install(wish({ folder, python: slow, signal: abort.signal, say })),
      Stopped,
    );
    // One that was ended may be kept by the system until somebody asks for how it ended.
    const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
    assert.match(stdout.trim(), /^(Z.*)?$/);
    assert.equal(existsSync(folder), false);
  });

  test("can be made after it was stopped, and one that is whole stays when another is not", async () => {
    const folder = join(root, "again");
    const stopAt = async (words: string): Promise<void> => {
      const abort = new AbortController();
      const say = (line: string): void => {
        if (line.startsWith(words)) {
          abort.abort();
        }
      };
      await assert.rejects(install(wish({ folder, signal: abort.signal, say })), Stopped);
    };
    // pip is at work, and the environment has its Python.
    await stopAt("Processing");
    assert.equal(existsSync(folder), false);
    const command = await install(wish({ folder }));
    await stopAt("Installing the server");
    assert.equal(execFileSync(command, { encoding: "utf8" }), "milepost-lsp 9.9\n");
    assert.deepEqual(
      readdirSync(root).filter((name) => name.startsWith("again")),
      ["again"],
    );
  });

  test("needs a Python, and another program is none", async () => {
    assert.equal(await findPython("/bin/sh", process.platform), undefined);
    assert.equal(await findPython("/nowhere/python", process.platform), undefined);
  });
});
