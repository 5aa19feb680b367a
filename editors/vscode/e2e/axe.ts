/** Looks with axe for what keeps somebody from reading or using a page. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Frame } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** The page lets through what is behind it, which axe cannot see: the side bar. */
const ON_ITS_GROUND = `(async () => {
  const { style } = document.body;
  style.background = getComputedStyle(document.body).getPropertyValue("--vscode-sideBar-background");
  try {
    return (await axe.run()).violations;
  } finally {
    style.background = "";
  }
})()`;

/** Each fault in a few lines; none is as it should be. */
export async function faults(frame: Frame): Promise<string[]> {
  await frame.evaluate(AXE);
  const violations = (await frame.evaluate(ON_ITS_GROUND)) as Violation[];
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}\n${failureSummary ?? ""}`,
    ),
  );
}
