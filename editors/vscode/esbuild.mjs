// Bundles the extension and the chat's page into dist/; `--watch` does it again at each change.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import esbuild from "esbuild";

const here = import.meta.dirname;

function builds(folder) {
  const shared = {
    absWorkingDir: here,
    bundle: true,
    minify: true,
    logLevel: "warning",
    legalComments: "eof",
  };
  return [
    {
      ...shared,
      entryPoints: ["src/extension.ts"],
      outfile: join(folder, "extension.cjs"),
      platform: "node",
      format: "cjs",
      target: "node20",
      external: ["vscode"],
    },
    {
      ...shared,
      entryPoints: { chat: "src/webview/main.ts", "chat-style": "src/webview/chat.css" },
      outdir: folder,
      platform: "browser",
      format: "iife",
      target: "es2023",
    },
  ];
}

/** Bundles into a folder. */
export async function bundle(folder) {
  await Promise.all(builds(folder).map((each) => esbuild.build(each)));
}

async function watch(folder) {
  const contexts = await Promise.all(builds(folder).map((each) => esbuild.context(each)));
  await Promise.all(contexts.map((each) => each.watch()));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const dist = join(here, "dist");
  await (process.argv.includes("--watch") ? watch(dist) : bundle(dist));
}
