/** What every drawing may use: the wire to the extension, and what was folded open. */

import type { ToHost } from "../chat/messages.ts";
import type { Item } from "../chat/transcript.ts";
import type { Proposal } from "../protocol.ts";
import type { MarkdownActions } from "./markdown.ts";

export interface Drawing {
  readonly element: HTMLElement;
  show(item: Item): void;
}

export interface Desk {
  post(message: ToHost): void;
  /** What the user has made of the message of this turn so far, to send it again. */
  edited(turnId: string): string | undefined;
  /** Keeps that, or forgets it. */
  edit(turnId: string, text: string | undefined): void;
  /** Sends it again, as it was edited; false when that is not possible now. */
  resend(turnId: string, text: string): boolean;
  proposal(id: string): Proposal | undefined;
  readonly markdown: MarkdownActions;
  /** Something that can be opened, and stays as the user left it. */
  folded(key: string, summary: HTMLElement, ...body: Node[]): HTMLDetailsElement;
}
