import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "..");
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const { contributes } = manifest;
const declared: string[] = contributes.commands.map((each: { command: string }) => each.command);

const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.startsWith("protocol"))
  .map((name) => readFileSync(join(ROOT, "src", name), "utf8"))
  .join("\n");
const registered = [...sources.matchAll(/\bon\(\s*"(milepost\.\w+)"/g)].map((match) => match[1]);

test("every declared command is registered, and has a title and the product's name", () => {
  assert.deepEqual(
    declared.filter((name) => !registered.includes(name)),
    [],
  );
  for (const { title, category } of contributes.commands) {
    assert.ok(title);
    assert.equal(category, "Milepost");
  }
});

test("menus, keys, welcome texts and the walkthrough name only commands that there are", () => {
  const text = JSON.stringify(contributes);
  const named = [...text.matchAll(/"command":"(milepost\.\w+)"|command:(milepost\.\w+)/g)].map(
    (match) => match[1] ?? match[2],
  );
  assert.deepEqual(
    named.filter((name) => !declared.includes(name ?? "")),
    [],
  );
});

test("no command of the editor has the name of one of the server's", () => {
  const ofServer = [
    ...readFileSync(join(ROOT, "src/protocol/messages.ts"), "utf8").matchAll(
      /^ {2}"(milepost\.[\w.]+)":/gm,
    ),
  ].map((match) => match[1]);
  assert.ok(ofServer.length > 20);
  assert.deepEqual(
    registered.filter((name) => ofServer.includes(name)),
    [],
  );
});

test("every setting is described, and the README lists it", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  for (const [name, setting] of Object.entries<Record<string, string>>(
    contributes.configuration.properties,
  )) {
    assert.ok(setting.description ?? setting.markdownDescription, name);
    if (name !== "milepost.trace.server") {
      assert.ok(readme.includes(`\`${name}\``), `${name} is not in the README`);
    }
  }
});

test("every file that the manifest names is there", () => {
  const named = [...JSON.stringify(manifest).matchAll(/"(media\/[^"]+)"/g)].map((m) => m[1] ?? "");
  for (const name of named) {
    assert.ok(readFileSync(join(ROOT, name)).length > 0);
  }
});

test("the extension has the version of the product", () => {
  const core = readFileSync(join(ROOT, "../../core/milepost/__init__.py"), "utf8");
  assert.equal(manifest.version, /__version__ = "(.+)"/.exec(core)?.[1]);
});
