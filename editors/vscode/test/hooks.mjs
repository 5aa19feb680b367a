// Lets Node load the extension's TypeScript, and a stand-in where it asks for VS Code.
//
// The stand-in has every name that VS Code's API has, so that whatever loads finds it; what each
// name does is in vscode.ts.

import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";

const STAND_IN = "stand-in:vscode";
const typings = new URL("../node_modules/@types/vscode/index.d.ts", import.meta.url);
const inside = new URL("./vscode.ts", import.meta.url).href;

function standIn() {
  const found = readFileSync(typings, "utf8").matchAll(
    /^\texport (?:abstract )?(?:class|enum|namespace|const) (\w+)/gm,
  );
  const names = [...new Set([...found].map((match) => match[1]))];
  return [
    `import { api } from ${JSON.stringify(inside)};`,
    ...names.map((name) => `export const ${name} = api.${name};`),
  ].join("\n");
}

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "vscode") {
      return { url: STAND_IN, format: "module", shortCircuit: true };
    }
    return next(specifier, context);
  },
  load(url, context, next) {
    if (url === STAND_IN) {
      return { format: "module", source: standIn(), shortCircuit: true };
    }
    if (!url.endsWith(".ts")) {
      return next(url, context);
    }
    const path = fileURLToPath(url);
    const { code } = transformSync(readFileSync(path, "utf8"), {
      loader: "ts",
      format: "esm",
      sourcefile: path,
      sourcemap: "inline",
      target: "node22",
    });
    return { format: "module", source: code, shortCircuit: true };
  },
});
