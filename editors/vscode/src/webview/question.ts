/** A call that waits for a person's word. It shows the whole of what is asked, and as it is. */

import type { PermissionShown, ToHost } from "../chat/messages.ts";
import { pieces } from "../disguise.ts";
import { button, h } from "./elements.ts";

/** More lines, or a longer one, may have an end that is out of sight at first. */
const LINES_AT_ONCE = 6;
const CHARS_AT_ONCE = 300;

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
  // A short one stands in the title already.
  const isShort = title.includes(subject);
  const whole = isShort ? [] : [drawSubject(subject), drawSize(subject)];
  const hasMarks = pieces(title + subject).some((piece) => piece.isMark);
  return h(
    "section",
    { class: "card question", role: "group", "aria-label": "Permission" },
    h("strong", { class: isShort ? "asked whole" : "asked" }, ...drawPieces(title), "?"),
    ...whole,
    hasMarks &&
      h(
        "p",
        { class: "notice warning" },
        "It holds characters that cannot be seen or that change how the rest looks. They stand here as ",
        drawMark("\\u…"),
        " in frames.",
      ),
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

/** A text in which nothing is hidden: a framed mark stands for each character that would be. */
export function drawPieces(text: string): (string | HTMLElement)[] {
  return pieces(text).map((piece) => (piece.isMark ? drawMark(piece.text) : piece.text));
}

function drawMark(name: string): HTMLElement {
  return h("span", { class: "mark" }, name);
}

function drawSubject(subject: string): HTMLElement {
  const label = "All of what is to be done";
  return h(
    "pre",
    { class: "subject", tabindex: "0", role: "region", "aria-label": label },
    ...drawPieces(subject),
  );
}

function drawSize(subject: string): HTMLElement | undefined {
  const lines = subject.split("\n").length;
  if (lines <= LINES_AT_ONCE && subject.length <= CHARS_AT_ONCE) {
    return undefined;
  }
  const size = `${lines.toLocaleString("en")} ${lines === 1 ? "line" : "lines"}, ${subject.length.toLocaleString("en")} characters`;
  return h("p", { class: "faint" }, `${size}: scroll to see all of it.`);
}
