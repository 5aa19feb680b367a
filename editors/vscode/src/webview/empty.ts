/** What stands in a chat in which nothing was said yet, and where nobody can say anything. */

import type { Obstacle, ToHost } from "../chat/messages.ts";
import { button, h } from "./elements.ts";

const WORDS =
  "A worker with a model of yours: it remembers, every change can be taken back, and it is done when the checks pass.";

/** `model` is empty when none is named, undefined as long as that is not known. */
export function drawEmpty(model: string | undefined, post: (message: ToHost) => void): HTMLElement {
  const name = (): void => post({ is: "command", command: "milepost.openSettings" });
  const without = "No model is named yet, so the chat answers from memory and history. ";
  return h(
    "div",
    { class: "empty" },
    h("p", {}, WORDS),
    model === "" && h("p", {}, without, button("Name a Model", name, { class: "link" })),
  );
}

export function drawObstacle(
  { text, actions }: Obstacle,
  post: (message: ToHost) => void,
): HTMLElement[] {
  const buttons = actions.map(({ title, command }, number) =>
    button(title, () => post({ is: "command", command }), { class: number === 0 ? "primary" : "" }),
  );
  return [h("p", {}, text), h("div", { class: "buttons" }, ...buttons)];
}
