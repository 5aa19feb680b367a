/** Changes of a file as lines, of a proposal or of a tool call. */

import { structuredPatch } from "diff";
import type { Hunk, Proposal } from "../protocol.ts";
import { h } from "./elements.ts";

/** A longer one is looked at in the editor. */
const LINES_SHOWN = 120;

export interface Lines {
  readonly removed: number;
  readonly added: number;
}

/** Lines as a unified diff has them, each with its mark. */
export function drawLines(lines: readonly string[]): HTMLElement {
  const shown = lines.slice(0, LINES_SHOWN).map((line) => {
    const mark = line[0] ?? " ";
    const kind = mark === "+" ? "added" : mark === "-" ? "removed" : "same";
    return h("div", { class: `line ${kind}` }, line || " ");
  });
  const more = lines.length - LINES_SHOWN;
  if (more > 0) {
    shown.push(h("div", { class: "line cut" }, `${more} more lines`));
  }
  return h("pre", { class: "diff", tabindex: "0" }, ...shown);
}

/** A hunk of a proposal: the lines that go and those that come. */
export function hunkLines(proposal: Proposal, hunk: Hunk): string[] {
  const cut = (text: string, start: number, count: number, mark: string): string[] =>
    text
      .split("\n")
      .slice(start, start + count)
      .map((line) => mark + line);
  return [
    ...cut(proposal.oldText, hunk.oldStart, hunk.oldLines, "-"),
    ...cut(proposal.newText, hunk.newStart, hunk.newLines, "+"),
  ];
}

/** What lies between two texts, with two lines around each change. */
export function patchLines(oldText: string, newText: string): string[] {
  const { hunks } = structuredPatch("a", "b", oldText, newText, "", "", {
    context: 2,
    timeout: 500,
  }) ?? { hunks: [] };
  return hunks.flatMap((hunk, number) => [...(number > 0 ? ["  …"] : []), ...hunk.lines]);
}

export function counted(lines: readonly string[]): Lines {
  return {
    removed: lines.filter((line) => line.startsWith("-")).length,
    added: lines.filter((line) => line.startsWith("+")).length,
  };
}
