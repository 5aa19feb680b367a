/** What the chat's page and the extension say to each other. */

import type { PermissionParams, Proposal, UpdateParams } from "../protocol.ts";

export type Mode = "build" | "plan" | "compose";

/** Something that goes with a message, shown as a chip. */
export interface Chip {
  readonly id: string;
  readonly kind: "file" | "selection" | "diagnostic" | "memory";
  readonly label: string;
  readonly detail: string;
}

/** A row of the list that `@` opens. */
export interface Completion {
  readonly id: string;
  readonly kind: Chip["kind"];
  readonly label: string;
  readonly detail: string;
}

export interface PermissionShown extends PermissionParams {
  readonly requestId: string;
}

/** What the page shows in place of the composer when nobody can answer. */
export interface Obstacle {
  readonly text: string;
  readonly actions: readonly { readonly title: string; readonly command: string }[];
}

export type ToPage =
  | {
      readonly is: "reset";
      readonly sessionId: string | undefined;
      readonly title: string;
      readonly updates: readonly UpdateParams[];
      readonly isCut: boolean;
    }
  | { readonly is: "updates"; readonly updates: readonly UpdateParams[] }
  | { readonly is: "running"; readonly isRunning: boolean }
  /** The extension has the message, and will say what became of it. */
  | { readonly is: "heard"; readonly id: string }
  /** The message is in the session, and stands in the updates that were told before. */
  | { readonly is: "taken"; readonly id: string }
  /** `id` is the message's that was not sent, and is to be given back to whoever wrote it. */
  | { readonly is: "failed"; readonly text: string; readonly id?: string }
  | { readonly is: "permissions"; readonly requests: readonly PermissionShown[] }
  | { readonly is: "proposals"; readonly proposals: readonly Proposal[] }
  | { readonly is: "chips"; readonly chips: readonly Chip[]; readonly suggested: Chip | undefined }
  | { readonly is: "completions"; readonly query: string; readonly rows: readonly Completion[] }
  | { readonly is: "obstacle"; readonly obstacle: Obstacle | undefined }
  | {
      readonly is: "settings";
      readonly sendOnEnter: boolean;
      readonly mode: Mode;
      /** Empty when there is none, undefined as long as the server has not said. */
      readonly model: string | undefined;
    }
  | { readonly is: "focus" };

/** Words on their way. The page keeps them until they are taken. */
export interface Message {
  readonly id: string;
  readonly text: string;
  readonly mode: Mode;
}

export type ToHost =
  /** `sending` is the message that the page before had sent, and had no word of. */
  | { readonly is: "ready"; readonly sending: string | undefined }
  | ({ readonly is: "send" } & Message)
  | ({ readonly is: "resend"; readonly turnId: string } & Message)
  | { readonly is: "stop" }
  | { readonly is: "copy"; readonly text: string }
  | { readonly is: "insert"; readonly text: string }
  | { readonly is: "open"; readonly uri: string; readonly line: number | null }
  | { readonly is: "link"; readonly href: string }
  | {
      readonly is: "diff";
      readonly uri: string;
      readonly oldText: string | null;
      readonly newText: string | null;
    }
  | { readonly is: "proposal"; readonly id: string }
  | {
      readonly is: "judge";
      readonly id: string;
      readonly hunks: string[] | undefined;
      readonly verdict: "accept" | "reject";
    }
  | { readonly is: "permit"; readonly requestId: string; readonly optionId: string | undefined }
  | { readonly is: "complete"; readonly query: string }
  | { readonly is: "attach"; readonly id: string }
  | { readonly is: "attachMore" }
  | { readonly is: "detach"; readonly id: string }
  | { readonly is: "point"; readonly id: number; readonly wish: "preview" | "restore" }
  | { readonly is: "command"; readonly command: string };
