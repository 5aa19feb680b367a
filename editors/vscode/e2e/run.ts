/** `make e2e`: tells the stories to a real VS Code, `--times N` times, and says how long it took. */

import { existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { Editor, ROOT } from "./editor.ts";
import { Newcomer } from "./newcomer.ts";
import { FILES } from "./shop.ts";
import { Story } from "./story.ts";

const VSIX = join(import.meta.dirname, "../dist/milepost.vsix");
const BIN = join(ROOT, ".venv/bin");

/** Each opens an editor of its own, and tells what happens in it. */
const STORIES: Record<string, () => Promise<void>> = { shop, newcomer };

/** Somebody who has the server, and a model. */
function shop(): Promise<void> {
  const editor = new Editor("shop", { PATH: process.env.PATH });
  const model = join(editor.folder, "demo");
  writeFileSync(model, "");
  const settings = {
    "milepost.server.path": join(BIN, "milepost-lsp"),
    "milepost.model": `scripted:${model}`,
  };
  return told(editor, async () => {
    await editor.open({ vsix: VSIX, files: FILES, settings, status: "shop" });
    await new Story(editor, model, join(BIN, "milepost")).tell();
  });
}

/** Somebody who has Python and a package index, and nothing of ours. */
function newcomer(): Promise<void> {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const without = folders.filter((folder) => !existsSync(join(folder, "milepost-lsp")));
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("MILEPOST_"));
  const environment = { ...Object.fromEntries(others), PATH: without.join(delimiter) };
  const editor = new Editor("newcomer", environment);
  return told(editor, async () => {
    const status = "The server is not installed";
    await editor.open({ vsix: VSIX, files: FILES, settings: {}, status });
    await new Newcomer(editor).tell();
  });
}

async function told(editor: Editor, tell: () => Promise<void>): Promise<void> {
  try {
    await tell();
  } catch (error) {
    await editor.picture("failed").catch(() => {});
    await editor.close("everything");
    const where = [editor.folder, ...editor.logs].join("\n  ");
    process.stderr.write(`e2e: what is left of it:\n  ${where}\n`);
    throw error;
  }
  await editor.close("nothing");
}

const { values } = parseArgs({
  options: { times: { type: "string", default: "1" }, story: { type: "string" } },
});
const times = Number(values.times);
for (let time = 1; time <= times; time++) {
  for (const [name, tell] of Object.entries(STORIES)) {
    if (values.story === undefined || values.story === name) {
      const began = performance.now();
      await tell();
      const seconds = Math.round((performance.now() - began) / 1_000);
      process.stdout.write(`e2e: told ${name}, ${time} of ${times}, in ${seconds} s\n`);
    }
  }
}
