/** An entry of memory, with what a test says of it. */

import type { Entry } from "../src/protocol.ts";

export function entry(more: Partial<Entry> = {}): Entry {
  return {
    id: "a1",
    text: "Use uv",
    kind: "rule",
    status: "stated",
    scope: "project",
    source: "user:ann",
    createdAt: null,
    anchors: [],
    supersededBy: null,
    doubts: [],
    masked: [],
    version: "v1",
    within: "",
    age: "2 days ago",
    moved: [],
    ...more,
  };
}
