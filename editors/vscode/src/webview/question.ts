/** A call that waits for a person's word. */

import type { PermissionShown, ToHost } from "../chat/messages.ts";
import { button, h } from "./elements.ts";

export function drawQuestion(
  { requestId, title, subject, reason, options }: PermissionShown,
  post: (message: ToHost) => void,
): HTMLElement {
  const answers = options.map((option, number) =>
    button(option.name, () => post({ is: "permit", requestId, optionId: option.optionId }), {
      class: number === 0 ? "primary" : "",
      title: option.meaning,
    }),
  );
  const meanings = options.map((option) =>
    h("li", {}, h("strong", {}, option.name), `: ${option.meaning}`),
  );
  return h(
    "section",
    { class: "card question", role: "group", "aria-label": `Permission: ${title}` },
    h("strong", {}, `${title}?`),
    // A short one stands in the title already.
    title.includes(subject) ? undefined : h("pre", { tabindex: "0" }, subject),
    reason ? h("p", {}, reason) : undefined,
    h("div", { class: "buttons" }, ...answers),
    h(
      "details",
      {},
      h("summary", {}, h("span", {}, "What each answer means")),
      h("ul", {}, ...meanings),
    ),
  );
}
