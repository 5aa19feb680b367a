/** `make e2e`: tells the story to a real VS Code, `--times N` times, and says how long it took. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Editor, ROOT } from "./editor.ts";
import { FILES } from "./shop.ts";
import { Story } from "./story.ts";

const VSIX = join(import.meta.dirname, "../dist/milepost.vsix");
const BIN = join(ROOT, ".venv/bin");

async function tell(): Promise<void> {
  const editor = new Editor("shop");
  const model = join(editor.folder, "demo");
  writeFileSync(model, "");
  const settings = {
    "milepost.server.path": join(BIN, "milepost-lsp"),
    "milepost.model": `scripted:${model}`,
  };
  try {
    await editor.open({ vsix: VSIX, files: FILES, settings });
    await new Story(editor, model, join(BIN, "milepost")).tell();
  } catch (error) {
    await editor.picture("failed").catch(() => {});
    process.stderr.write(`${await editor.log()}\n`);
    throw error;
  } finally {
    await editor.close();
  }
}

const { values } = parseArgs({ options: { times: { type: "string", default: "1" } } });
const times = Number(values.times);
for (let time = 1; time <= times; time++) {
  const began = performance.now();
  await tell();
  const seconds = Math.round((performance.now() - began) / 1_000);
  process.stdout.write(`e2e: told ${time} of ${times}, in ${seconds} s\n`);
}
