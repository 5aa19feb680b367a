/**
 * What became of the message that the page sent last, for a page that was made anew meanwhile.
 *
 * Words are always in one place at least: in the page that wrote them, which keeps them until it
 * hears that they are taken, or in the session.
 */

import type { Message, ToPage } from "./messages.ts";

/** What a page is told when nobody here knows of its message. */
export const NOT_HEARD =
  "The message did not arrive, so it is back in the field: send it again, please.";

type State = { is: "heard" } | { is: "taken" } | { is: "failed"; why: string };

export class Outbox {
  private last: { readonly id: string; state: State } | undefined;

  constructor(private readonly say: (message: ToPage) => void) {}

  heard({ id }: Message): void {
    this.last = { id, state: { is: "heard" } };
    this.tell(id);
  }

  taken({ id }: Message): void {
    this.settle(id, { is: "taken" });
  }

  failed({ id }: Message, why: string): void {
    this.settle(id, { is: "failed", why });
  }

  isTaken({ id }: Message): boolean {
    return this.last?.id === id && this.last.state.is === "taken";
  }

  /** Answers a page that does not know what became of its message. */
  tell(id: string): void {
    const state = this.last?.id === id ? this.last.state : undefined;
    if (state?.is === "heard" || state?.is === "taken") {
      this.say({ is: state.is, id });
    } else {
      this.say({ is: "failed", id, text: state?.why ?? NOT_HEARD });
    }
  }

  private settle(id: string, state: State): void {
    // A turn that was taken, and fails afterwards, stands in the session.
    if (this.last?.id === id && this.last.state.is === "heard") {
      this.last.state = state;
      this.tell(id);
    }
  }
}
