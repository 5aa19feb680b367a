/** Words on their way: shown until they are taken, and never forgotten before. */

import { h } from "./elements.ts";

/**
 * The extension says at once that it heard a message, unless it is being started; that takes
 * seconds on a slow machine. Who has waited so long wants to know.
 */
const HEARD_WITHIN_MS = 15_000;

/** What the page keeps of a message. `turnId` is of the one that was edited. */
export interface OnItsWay {
  readonly id: string;
  readonly text: string;
  readonly turnId?: string | undefined;
}

export class Sending {
  readonly element = h("div", { class: "sending", hidden: true });
  private message: OnItsWay | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly onSilence: (id: string) => void) {}

  get current(): OnItsWay | undefined {
    return this.message;
  }

  begin(message: OnItsWay): void {
    this.message = message;
    this.element.hidden = false;
    const words = h("div", { class: "words" }, message.text);
    this.element.replaceChildren(
      h("div", { class: "item user" }, words, h("div", { class: "faint" }, "Sending…")),
    );
    this.timer = setTimeout(() => this.onSilence(message.id), HEARD_WITHIN_MS);
  }

  heard(id: string): void {
    if (this.message?.id === id) {
      clearTimeout(this.timer);
    }
  }

  /** Ends it, if it is this one; what comes back is what was on its way. */
  end(id: string): OnItsWay | undefined {
    const { message } = this;
    if (message?.id !== id) {
      return undefined;
    }
    clearTimeout(this.timer);
    this.message = undefined;
    this.element.hidden = true;
    this.element.replaceChildren();
    return message;
  }
}
