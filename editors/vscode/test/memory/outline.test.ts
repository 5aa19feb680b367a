import assert from "node:assert/strict";
import { test } from "node:test";
import { isDoubtful, outline, placeInRulesFile, provenance } from "../../src/memory/outline.ts";
import { entry } from "../entries.ts";

test("entries lie under their scope and section, and empty ones are left out", () => {
  const groups = outline([
    entry({ kind: "knowledge" }),
    entry({ kind: "rule" }),
    entry({ scope: "task", within: "T1.2" }),
    entry({ source: "file:AGENTS.md:12" }),
  ]);
  assert.deepEqual(
    groups.map((group) => [group.title, group.sections.map((section) => section.title)]),
    [
      ["Project", ["Rules", "Discovered Knowledge"]],
      ["Task T1.2", ["Rules"]],
      ["Rules Files", ["Rules"]],
    ],
  );
});

test("an entry of a rules file has its place, counted from zero", () => {
  assert.deepEqual(placeInRulesFile(entry({ source: "file:docs/a:b.md:12" })), {
    path: "docs/a:b.md",
    line: 11,
  });
  assert.equal(placeInRulesFile(entry()), undefined);
});

test("what nobody confirmed and what became suspect can be confirmed", () => {
  assert.equal(isDoubtful(entry()), false);
  assert.equal(isDoubtful(entry({ status: "unverified" })), true);
  assert.equal(isDoubtful(entry({ doubts: ["shop.py#total changed"] })), true);
  assert.equal(isDoubtful(entry({ status: "unverified", source: "file:AGENTS.md:1" })), false);
});

test("provenance says who, when, about what, and why it is suspect", () => {
  const facts = provenance(entry({ anchors: ["shop.py#total"], doubts: ["it changed"] }));
  assert.deepEqual(facts, [
    "stated, by user:ann, 2 days ago",
    "about shop.py#total",
    "suspect: it changed",
    "id a1",
  ]);
});
