/** The parts of a chat that are not spoken: plan, recall, restore points, verdicts, notices. */

import type { EndItem, Item, Speech } from "../chat/transcript.ts";
import type { Desk, Drawing } from "./desk.ts";
import { button, h, type IconName, icon, iconButton } from "./elements.ts";
import { MarkdownText } from "./markdown.ts";
import { ToolCard } from "./tools.ts";

type OneOf<Is extends Item["is"]> = Extract<Item, { is: Is }>;

/** Draws an item; what comes back can show a later state of it. */
export function draw(item: Item, desk: Desk): Drawing {
  switch (item.is) {
    case "user":
      return new UserMessage(item, desk);
    case "agent":
      return new AgentMessage(desk);
    case "thought":
      return new Thought(item, desk);
    case "tool":
      return new ToolCard(item, desk);
    case "plan":
      return once(drawPlan);
    case "recall":
      return once((each) => drawRecall(each as OneOf<"recall">, desk));
    case "checkpoint":
      return once((each) => drawPoint(each as OneOf<"checkpoint">, desk));
    case "verdict":
      return once(drawVerdict);
    case "notice":
      return once(drawNotice);
    case "end":
      return once(drawEnd);
  }
}

/** Something small that is drawn anew when it changes. */
function once(drawItem: (item: never) => HTMLElement): Drawing {
  const element = h("div", { class: "item" });
  return {
    element,
    show(item) {
      element.replaceChildren(drawItem(item as never));
    },
  };
}

class UserMessage implements Drawing {
  readonly element: HTMLElement;
  private text = "";

  constructor(
    item: Speech,
    private readonly desk: Desk,
  ) {
    this.element = h("div", { class: "item user", role: "article", "aria-label": "You" });
    this.turnId = item.turnId;
  }

  private readonly turnId: string;

  show(item: Item): void {
    if (item.is === "user") {
      this.text = item.text;
      this.draw();
    }
  }

  private draw(): void {
    const edited = this.desk.edited(this.turnId);
    if (edited === undefined) {
      this.element.replaceChildren(
        h("div", { class: "words" }, this.text),
        iconButton("edit", "Edit and resend", () => this.edit()),
      );
    } else {
      this.drawField(edited);
    }
  }

  private edit(): void {
    this.desk.edit(this.turnId, this.text);
    this.draw();
    this.element.querySelector("textarea")?.focus();
  }

  private giveUp(): void {
    this.desk.edit(this.turnId, undefined);
    this.draw();
    this.element.querySelector("button")?.focus();
  }

  private drawField(text: string): void {
    const field = h("textarea", { "aria-label": "Edit the message", rows: "3" });
    field.value = text;
    const send = (): void => {
      const words = field.value.trim();
      if (words && this.desk.resend(this.turnId, words)) {
        this.desk.edit(this.turnId, undefined);
        this.draw();
      }
    };
    field.addEventListener("input", () => this.desk.edit(this.turnId, field.value));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        this.giveUp();
      } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        send();
      }
    });
    const buttons = h(
      "div",
      { class: "buttons" },
      button("Resend", send, { class: "primary" }),
      button("Cancel", () => this.giveUp()),
    );
    this.element.replaceChildren(field, buttons);
  }
}

class AgentMessage implements Drawing {
  readonly element = h("div", { class: "item agent", role: "article", "aria-label": "Milepost" });
  private readonly text: MarkdownText;

  constructor(desk: Desk) {
    this.text = new MarkdownText(desk.markdown);
    this.element.append(this.text.element);
  }

  show(item: Item): void {
    if (item.is === "agent") {
      this.text.show(item.text);
    }
  }
}

class Thought implements Drawing {
  readonly element: HTMLDetailsElement;
  private readonly words = h("div", { class: "words" });

  constructor(item: Item, desk: Desk) {
    this.element = desk.folded(item.key, h("span", {}, "Thinking"), this.words);
    this.element.classList.add("item", "thought");
  }

  show(item: Item): void {
    if (item.is === "thought") {
      this.words.textContent = item.text;
    }
  }
}

const PLAN_ICONS: Record<string, IconName> = {
  pending: "dot",
  in_progress: "send",
  completed: "check",
  failed: "close",
};

function drawPlan({ entries }: OneOf<"plan">): HTMLElement {
  const rows = entries.map((entry) =>
    h(
      "li",
      { class: `step ${entry.status}` },
      icon(PLAN_ICONS[entry.status] ?? "dot"),
      h("span", {}, entry.content),
      h("span", { class: "unseen" }, `, ${entry.status.replace("_", " ")}`),
    ),
  );
  return h(
    "section",
    { class: "card plan", "aria-label": "Plan" },
    h("h2", {}, "Plan"),
    h("ol", {}, ...rows),
  );
}

function drawRecall({ key, entries }: OneOf<"recall">, desk: Desk): HTMLElement {
  const rows = entries.map((entry) => {
    const { text, scope, status, uri, line } = entry;
    const what = { title: `${scope}, ${status}` };
    const row =
      uri === null
        ? h("span", what, text)
        : button(text, () => desk.post({ is: "open", uri, line }), { ...what, class: "link" });
    return h("li", {}, row, h("span", { class: "faint" }, ` ${scope}, ${status}`));
  });
  const count = `${entries.length} ${entries.length === 1 ? "memory" : "memories"} recalled`;
  const summary = h("span", { class: "with-icon" }, icon("memory"), count);
  return desk.folded(key, summary, h("ul", {}, ...rows));
}

function drawPoint({ id, label }: OneOf<"checkpoint">, desk: Desk): HTMLElement {
  return h(
    "div",
    { class: "point" },
    icon("flag"),
    h("span", { class: "label", title: label }, `#${id} ${label}`),
    button("Preview", () => desk.post({ is: "point", id, wish: "preview" }), { class: "link" }),
    button("Restore", () => desk.post({ is: "point", id, wish: "restore" }), { class: "link" }),
  );
}

const VERDICTS: Record<string, string> = {
  met: "Met",
  not_met: "Not met",
  impossible: "Impossible",
  unverifiable: "Cannot be verified",
};

function drawVerdict({ verdict, reason }: OneOf<"verdict">): HTMLElement {
  const isMet = verdict === "met";
  return h(
    "div",
    { class: `verdict ${isMet ? "good" : "bad"}` },
    icon(isMet ? "check" : "close"),
    h("strong", {}, VERDICTS[verdict] ?? verdict),
    h("span", {}, reason),
  );
}

function drawNotice({ level, text }: OneOf<"notice">): HTMLElement {
  return h("div", { class: `notice ${level}`, role: level === "error" ? "alert" : "note" }, text);
}

const ENDS: Record<string, string> = {
  cancelled: "Stopped",
  not_met: "Not done",
  budget: "The budget is used up",
  max_tokens: "The reply was cut: it became too long",
  refusal: "The model declined",
  error: "The turn failed",
};

function drawEnd({ stopReason, message }: EndItem): HTMLElement {
  const words = ENDS[stopReason];
  if (!words) {
    return h("span", { class: "unseen" }, "The turn has ended.");
  }
  const level = stopReason === "error" ? "error" : "info";
  // Who stopped it knows why.
  const more = message && stopReason !== "cancelled" ? `: ${message}` : "";
  return h("div", { class: `notice ${level}`, role: "note" }, `${words}${more}`);
}
