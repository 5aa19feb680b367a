// Packs the extension into dist/milepost.vsix, or the file that is named, together with the wheel
// of the server that it can install.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createVSIX } from "@vscode/vsce";
import { bundle } from "./esbuild.mjs";

const here = import.meta.dirname;
const root = join(here, "../..");
const packagePath = resolve(process.argv[2] ?? join(here, "dist", "milepost.vsix"));

// What is packed is gathered first, so that nothing else can get in.
const stage = mkdtempSync(join(tmpdir(), "milepost-vsix-"));
try {
  for (const name of ["package.json", "README.md", "CHANGELOG.md", "LICENSE", "media"]) {
    cpSync(join(here, name), join(stage, name), { recursive: true });
  }
  rmSync(join(stage, "media/milepost-large.svg"));
  // Nothing is to be left out of what was gathered.
  writeFileSync(join(stage, ".vscodeignore"), "");
  await bundle(join(stage, "dist"));
  const uv = join(root, ".tools/uv/bin/uv");
  const wheel = ["build", "--quiet", "--wheel", "--out-dir", join(stage, "server"), root];
  execFileSync(uv, wheel, { stdio: "inherit" });
  rmSync(join(stage, "server/.gitignore"), { force: true });
  mkdirSync(dirname(packagePath), { recursive: true });
  await createVSIX({
    cwd: stage,
    packagePath,
    dependencies: false,
    allowMissingRepository: true,
  });
} finally {
  rmSync(stage, { recursive: true });
}
