/** What a session has used, as a line. */

import type { Spent } from "../chat/transcript.ts";

/** The model, tokens, cost and the window's share; what is not known is left out. */
export function spentWords(
  model: string,
  { inputTokens, outputTokens, costUsd, windowShare }: Spent,
): string {
  const parts = [
    ...(model ? [shortName(model)] : []),
    ...(inputTokens + outputTokens > 0
      ? [`${brief(inputTokens)} in`, `${brief(outputTokens)} out`]
      : []),
    ...(costUsd === null ? [] : [`$${costUsd.toFixed(costUsd < 0.1 ? 4 : 2)}`]),
    ...(windowShare > 0 ? [`window ${Math.round(windowShare * 100)} %`] : []),
  ];
  return parts.join(" · ");
}

/** A model's own name, without its kind and maker. */
function shortName(model: string): string {
  return model.slice(Math.max(model.lastIndexOf("/"), model.indexOf(":")) + 1);
}

/** 950, 1.2k, 34k, 1.2M. */
function brief(count: number): string {
  if (count < 1_000) {
    return String(count);
  }
  const [size, unit] = count < 1_000_000 ? [count / 1_000, "k"] : [count / 1_000_000, "M"];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)}${unit}`;
}
