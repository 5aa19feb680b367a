/** A real project in a folder of its own, and the real server for it. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { URI } from "vscode-uri";
import { desk } from "../vscode.ts";

const ROOT = join(import.meta.dirname, "../../../..");

/** `MILEPOST_LSP` names another server than this checkout's. */
export const SERVER = process.env.MILEPOST_LSP ?? join(ROOT, ".venv/bin/milepost-lsp");

/** Longer than a start on a machine where every core is busy. */
const PATIENCE_MS = 30_000;

export interface TestProject {
  readonly root: string;
  readonly uri: string;
  readonly home: string;
  remove(): void;
}

export function makeProject(): TestProject {
  const folder = mkdtempSync(join(tmpdir(), "contract-"));
  const root = join(folder, "shop");
  mkdirSync(root);
  writeFileSync(join(root, "pyproject.toml"), "[project]\nname = 'shop'\n");
  writeFileSync(join(root, "shop.py"), "def total(order):\n    return sum(order.cents)\n");
  const home = join(folder, "home");
  process.env.MILEPOST_HOME = home;
  process.env.HOME = join(folder, "user");
  process.env.MILEPOST_VECTORS = "off";
  process.env.MILEPOST_SECRETS = "own";
  const uri = URI.file(root);
  desk.clear();
  desk.folders = [{ uri, name: "shop", index: 0 }];
  return {
    root,
    uri: uri.toString(),
    home,
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Looks again and again until it holds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > deadline) {
      throw new Error(`waited in vain for ${what}; said: ${desk.messages.join(" | ")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
