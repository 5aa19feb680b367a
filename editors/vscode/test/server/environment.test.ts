import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findPython, type Installation, install } from "../../src/server/environment.ts";

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

  test("needs a Python, and another program is none", async () => {
    assert.equal(await findPython("/bin/sh", process.platform), undefined);
    assert.equal(await findPython("/nowhere/python", process.platform), undefined);
  });
});
