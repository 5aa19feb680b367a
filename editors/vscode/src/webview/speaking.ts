/**
 * What is read out to somebody who does not see the page: whole messages, and what is being done.
 *
 * Words stream in many times a second, so the log is no live region. A message is spoken when the
 * next thing follows it, or the turn has ended.
 */

import type { Item } from "../chat/transcript.ts";
import { h } from "./elements.ts";

/** What is longer is read in the log, where one can go back and leave things out. */
const SPOKEN_CHARS = 1_500;
/** So many stay, for a screen reader that is still at the first. */
const KEPT = 20;

export class Speaker {
  readonly element = h("div", { class: "unseen", role: "status", "aria-label": "What is said" });
  private readonly spoken = new Set<string>();

  /** Says what is whole by now; `text` is how an item reads. */
  follow(items: readonly Item[], isRunning: boolean, text: (item: Item) => string): void {
    for (const [place, item] of items.entries()) {
      const isWhole = item.is !== "agent" || place < items.length - 1 || !isRunning;
      if (isWhole && !this.spoken.has(item.key)) {
        this.spoken.add(item.key);
        this.say(wordsOf(item, text));
      }
    }
  }

  /** Passes over what stands there already, as when a chat of before is shown. */
  passOver(items: readonly Item[]): void {
    this.element.replaceChildren();
    this.spoken.clear();
    for (const item of items) {
      this.spoken.add(item.key);
    }
  }

  private say(words: string): void {
    if (words) {
      const shown = words.length > SPOKEN_CHARS ? `${words.slice(0, SPOKEN_CHARS)}…` : words;
      this.element.append(h("p", {}, shown));
      if (this.element.childElementCount > KEPT) {
        this.element.firstElementChild?.remove();
      }
    }
  }
}

/** Thoughts and restore points are for whoever looks for them; errors speak for themselves. */
function wordsOf(item: Item, text: (item: Item) => string): string {
  switch (item.is) {
    case "agent":
    case "verdict":
      return text(item);
    case "tool":
      return item.call.title;
    case "end":
      return text(item);
    default:
      return "";
  }
}
