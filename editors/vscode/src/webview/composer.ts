/** Where one writes: the field, the chips, the list that `@` opens, and send or stop. */

import type { Chip, Completion, Mode, ToHost } from "../chat/messages.ts";
import { button, h, iconButton } from "./elements.ts";

const MODES: Record<Mode, string> = { build: "Build", plan: "Plan", compose: "Compose" };

export class Composer {
  readonly element: HTMLElement;
  private readonly chips = h("div", { class: "chips" });
  private readonly rows = h("ul", {
    class: "rows",
    role: "listbox",
    id: "rows",
    "aria-label": "Files and memory",
    hidden: true,
  });
  private readonly field = h("textarea", {
    "aria-label": "Message to Milepost",
    placeholder: "Ask, or say what is to be done. @ adds files and memory.",
    rows: "3",
    "aria-haspopup": "listbox",
    "aria-controls": "rows",
    "aria-autocomplete": "list",
  });
  private readonly send = iconButton("send", "Send", () => this.submit());
  private readonly stop = iconButton("stop", "Stop", () => this.post({ is: "stop" }));
  private readonly choice = h("select", { "aria-label": "Mode" });
  private shown: readonly Completion[] = [];
  private chosen = 0;
  private isRunning = false;
  sendOnEnter = true;

  constructor(
    private readonly post: (message: ToHost) => void,
    /** Sends it; false when that is not possible now. */
    private readonly dispatch: (text: string) => boolean,
    private readonly changed: () => void,
  ) {
    for (const [mode, title] of Object.entries(MODES)) {
      this.choice.append(h("option", { value: mode }, title));
    }
    this.choice.addEventListener("change", changed);
    this.send.classList.add("primary");
    this.stop.classList.add("primary", "stop");
    this.field.addEventListener("input", () => this.typed());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("blur", () => this.close());
    this.element = h(
      "form",
      { class: "composer" },
      this.rows,
      this.chips,
      this.field,
      h(
        "div",
        { class: "bar" },
        iconButton("add", "Add files", () => post({ is: "attachMore" })),
        this.choice,
        h("span", { class: "space" }),
        this.stop,
        this.send,
      ),
    );
    this.element.addEventListener("submit", (event) => event.preventDefault());
    this.running(false);
  }

  get text(): string {
    return this.field.value;
  }

  set text(text: string) {
    this.field.value = text;
    this.fit();
  }

  get mode(): Mode {
    return this.choice.value as Mode;
  }

  set mode(mode: Mode) {
    this.choice.value = mode;
  }

  focus(): void {
    this.field.focus();
  }

  running(isRunning: boolean): void {
    this.isRunning = isRunning;
    this.stop.hidden = !isRunning;
    this.send.hidden = isRunning;
  }

  showChips(chips: readonly Chip[], suggested: Chip | undefined): void {
    const fixed = chips.map((chip) =>
      h(
        "span",
        { class: `chip ${chip.kind}`, role: "listitem", title: chip.detail },
        h("span", { class: "label" }, chip.label),
        iconButton("close", `Remove ${chip.label}`, () => this.post({ is: "detach", id: chip.id })),
      ),
    );
    const offered =
      suggested &&
      button(`+ ${suggested.label}`, () => this.post({ is: "attach", id: suggested.id }), {
        class: "chip suggested",
        title: `Add ${suggested.detail}`,
      });
    const list = h("div", { class: "list", role: "list", "aria-label": "Context" }, ...fixed);
    this.chips.replaceChildren(...(fixed.length > 0 ? [list] : []), ...(offered ? [offered] : []));
  }

  /** The rows for what was typed behind `@`, unless something else was typed since. */
  showRows(query: string, rows: readonly Completion[]): void {
    if (this.query() !== query) {
      return;
    }
    this.shown = rows;
    this.chosen = 0;
    this.drawRows();
  }

  private submit(): void {
    const text = this.field.value.trim();
    if (!text || this.isRunning || !this.dispatch(text)) {
      return;
    }
    this.text = "";
    this.close();
    this.changed();
  }

  private typed(): void {
    this.fit();
    this.changed();
    const query = this.query();
    if (query === undefined) {
      this.close();
    } else {
      this.post({ is: "complete", query });
    }
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing) {
      return;
    }
    if (!this.rows.hidden && this.keyInRows(event)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const wantsSend = this.sendOnEnter ? !event.shiftKey : event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && wantsSend) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape" && this.isRunning) {
      this.post({ is: "stop" });
    }
  }

  private keyInRows({ key }: KeyboardEvent): boolean {
    switch (key) {
      case "ArrowDown":
      case "ArrowUp": {
        const step = key === "ArrowDown" ? 1 : -1;
        this.chosen = (this.chosen + step + this.shown.length) % this.shown.length;
        this.drawRows();
        return true;
      }
      case "Enter":
      case "Tab":
        this.choose(this.shown[this.chosen]);
        return true;
      case "Escape":
        this.close();
        return true;
      default:
        return false;
    }
  }

  /** Attaches it in place of the words that found it. */
  private choose(row: Completion | undefined): void {
    const query = this.query();
    if (!row || query === undefined) {
      return;
    }
    const caret = this.field.selectionStart;
    const start = caret - query.length - 1;
    this.text = this.field.value.slice(0, start) + this.field.value.slice(caret);
    this.field.setSelectionRange(start, start);
    this.post({ is: "attach", id: row.id });
    this.close();
    this.changed();
  }

  /** What stands behind the `@` that the caret is in, or undefined. */
  private query(): string | undefined {
    const before = this.field.value.slice(0, this.field.selectionStart);
    return /(?:^|\s)@((?:memory )?[^\s@]*)$/.exec(before)?.[1];
  }

  private close(): void {
    this.shown = [];
    this.drawRows();
  }

  private drawRows(): void {
    const rows = this.shown.map((row, number) => {
      const isChosen = number === this.chosen;
      const drawn = h(
        "li",
        {
          role: "option",
          id: `row-${number}`,
          "aria-selected": String(isChosen),
          class: isChosen ? "chosen" : "",
        },
        h("span", { class: "label" }, row.label),
        h("span", { class: "faint" }, ` ${row.kind === "memory" ? "memory · " : ""}${row.detail}`),
      );
      // Before the field loses its focus, and with it the caret.
      drawn.addEventListener("mousedown", (event) => {
        event.preventDefault();
        this.choose(row);
      });
      return drawn;
    });
    this.rows.replaceChildren(...rows);
    this.rows.hidden = rows.length === 0;
    this.field.setAttribute("aria-activedescendant", rows.length > 0 ? `row-${this.chosen}` : "");
    rows[this.chosen]?.scrollIntoView({ block: "nearest" });
  }

  /** As high as its text, within what the style allows. */
  private fit(): void {
    this.field.style.height = "auto";
    // A field that is not shown yet has no height.
    if (this.field.scrollHeight > 0) {
      this.field.style.height = `${this.field.scrollHeight + 2}px`;
    }
  }
}
