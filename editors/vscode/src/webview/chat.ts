/** The chat's page: what was said, what waits for an answer, and where one writes. */

import type { Mode, Obstacle, PermissionShown, ToHost, ToPage } from "../chat/messages.ts";
import { NOT_HEARD } from "../chat/outbox.ts";
import { type Item, Transcript } from "../chat/transcript.ts";
import type { Proposal } from "../protocol.ts";
import { Composer } from "./composer.ts";
import type { Desk, Drawing } from "./desk.ts";
import { button, h } from "./elements.ts";
import { drawEmpty, drawObstacle } from "./empty.ts";
import { draw } from "./items.ts";
import type { MarkdownActions } from "./markdown.ts";
import { drawQuestion } from "./question.ts";
import { type OnItsWay, Sending } from "./sending.ts";
import { Speaker } from "./speaking.ts";
import { spentWords } from "./spent.ts";
import { ToolCard } from "./tools.ts";

/** What outlives the page when it is hidden or loaded anew; the rest comes from the server. */
export interface Kept {
  readonly draft: string;
  readonly mode: Mode | undefined;
  readonly open: readonly string[];
  readonly closed: readonly string[];
  /** A message of before that is being edited, to be sent again. */
  readonly editing?: { readonly turnId: string; readonly text: string } | undefined;
  /** A message that was sent, and of which nothing is known yet. */
  readonly sending?: OnItsWay | undefined;
}

const NOTHING_KEPT: Kept = { draft: "", mode: undefined, open: [], closed: [] };
/** Within so many pixels of the end, one is at the end. */
const NEAR_END = 32;

export class ChatPage implements Desk {
  private readonly transcript = new Transcript();
  private readonly drawn = new Map<string, { item: Item; drawing: Drawing }>();
  private readonly proposals = new Map<string, Proposal>();
  private readonly open: Set<string>;
  private readonly closed: Set<string>;
  private readonly log = h("div", {
    class: "log",
    role: "log",
    "aria-label": "Chat",
    // What is said is read out by `speaker`, not word by word.
    "aria-live": "off",
    tabindex: "0",
  });
  private readonly questions = h("div", {
    class: "questions",
    role: "region",
    "aria-label": "Questions",
    "aria-live": "assertive",
  });
  private readonly obstacle = h("div", { class: "obstacle", role: "status", hidden: true });
  private readonly failure = h("div", { class: "notice error", role: "alert", hidden: true });
  private readonly latest = button("↓ Latest", () => this.toEnd(), {
    class: "latest",
    hidden: true,
  });
  private readonly spent = h("div", {
    class: "spent",
    role: "note",
    "aria-label": "Tokens and cost",
  });
  private readonly speaker = new Speaker();
  private isRunning = false;
  private readonly composer: Composer;
  private readonly working = h(
    "div",
    { class: "working", role: "status", hidden: true },
    "Working…",
  );
  private wasAtEnd = true;
  /** The log's, as it was last seen. */
  private height = 0;
  private keptMode: Mode | undefined;
  private editing: Kept["editing"];
  private readonly sending = new Sending((id) => this.hear({ is: "failed", id, text: NOT_HEARD }));
  /** What was given back; it may turn out to have been taken after all. */
  private givenBack: OnItsWay | undefined;
  /** Undefined until it is known, empty when there is none. */
  private model: string | undefined;
  readonly markdown: MarkdownActions = {
    copy: (text) => this.post({ is: "copy", text }),
    insert: (text) => this.post({ is: "insert", text }),
    follow: (href) => this.post({ is: "link", href }),
  };

  constructor(
    root: HTMLElement,
    readonly post: (message: ToHost) => void,
    private readonly keep: (kept: Kept) => void,
    kept: Kept = NOTHING_KEPT,
  ) {
    this.open = new Set(kept.open);
    this.closed = new Set(kept.closed);
    this.keptMode = kept.mode;
    this.composer = new Composer(
      (message) => this.post(message),
      (text) => this.send({ id: crypto.randomUUID(), text }),
      () => {
        this.keptMode = this.composer.mode;
        this.save();
      },
    );
    this.composer.text = kept.draft;
    this.editing = kept.editing;
    this.log.append(this.sending.element);
    if (kept.sending) {
      this.sending.begin(kept.sending);
    }
    this.log.addEventListener("scroll", () => {
      // In a view that has just become smaller, nobody has scrolled away from the end.
      if (this.log.clientHeight === this.height) {
        this.wasAtEnd = this.isAtEnd();
      }
      this.showLatest();
    });
    // Who reads the end reads on there when the view gets smaller.
    new ResizeObserver(() => {
      this.height = this.log.clientHeight;
      if (this.wasAtEnd) {
        this.toEnd();
      }
    }).observe(this.log);
    root.replaceChildren(
      h("h1", { class: "unseen" }, "Milepost chat"),
      this.log,
      this.latest,
      this.working,
      this.questions,
      this.failure,
      this.obstacle,
      this.composer.element,
      this.spent,
      this.speaker.element,
    );
    this.showEmpty();
  }

  /** Asks the extension for everything. */
  ready(): void {
    this.post({ is: "ready", sending: this.sending.current?.id });
  }

  hear(message: ToPage): void {
    switch (message.is) {
      case "heard":
        this.sending.heard(message.id);
        break;
      case "taken":
        this.taken(message.id);
        break;
      case "reset":
        this.reset(message.updates.length > 0 && message.isCut);
        for (const told of message.updates) {
          this.transcript.apply(told);
        }
        this.speaker.passOver(this.transcript.items);
        this.redraw();
        this.toEnd();
        break;
      case "updates":
        for (const told of message.updates) {
          this.transcript.apply(told);
        }
        this.redraw();
        break;
      case "running":
        this.running(message.isRunning);
        break;
      case "failed":
        this.failure.textContent = message.text;
        this.failure.hidden = false;
        this.giveBack(message.id);
        break;
      case "permissions":
        this.ask(message.requests);
        break;
      case "proposals":
        this.propose(message.proposals);
        break;
      case "chips":
        this.composer.showChips(message.chips, message.suggested);
        break;
      case "completions":
        this.composer.showRows(message.query, message.rows);
        break;
      case "obstacle":
        this.showObstacle(message.obstacle);
        break;
      case "settings":
        this.composer.sendOnEnter = message.sendOnEnter;
        this.composer.mode = this.keptMode ?? message.mode;
        this.model = message.model;
        this.showEmpty();
        this.showSpent();
        break;
      case "focus":
        this.composer.focus();
    }
  }

  edited(turnId: string): string | undefined {
    return this.editing?.turnId === turnId ? this.editing.text : undefined;
  }

  edit(turnId: string, text: string | undefined): void {
    this.editing = text === undefined ? undefined : { turnId, text };
    this.save();
  }

  resend(turnId: string, text: string): boolean {
    return this.send({ id: crypto.randomUUID(), turnId, text });
  }

  proposal(id: string): Proposal | undefined {
    return this.proposals.get(id);
  }

  folded(key: string, summary: HTMLElement, ...body: Node[]): HTMLDetailsElement {
    const details = h("details", { open: this.open.has(key) }, h("summary", {}, summary), ...body);
    details.addEventListener("toggle", () => {
      const [now, other] = details.open ? [this.open, this.closed] : [this.closed, this.open];
      now.add(key);
      other.delete(key);
      this.save();
    });
    return details;
  }

  private reset(isCut: boolean): void {
    this.transcript.clear();
    this.drawn.clear();
    // What was given back is told of until it is sent again.
    this.failure.hidden ||= this.givenBack === undefined && this.editing === undefined;
    this.log.replaceChildren(this.sending.element);
    if (isCut) {
      this.log.prepend(h("div", { class: "notice info" }, "What was said before is not shown."));
    }
  }

  private redraw(): void {
    const wasAtEnd = this.isAtEnd();
    const items = this.transcript.items;
    const now = new Set(items.map((item) => item.key));
    for (const [key, { drawing }] of this.drawn) {
      if (!now.has(key)) {
        drawing.element.remove();
        this.drawn.delete(key);
      }
    }
    for (const item of items) {
      this.drawItem(item);
    }
    this.showEmpty();
    this.showSpent();
    this.speak();
    if (wasAtEnd) {
      this.toEnd();
    }
    this.showLatest();
  }

  private speak(): void {
    const text = ({ key }: Item): string => this.drawn.get(key)?.drawing.element.innerText ?? "";
    this.speaker.follow(this.transcript.items, this.isRunning, text);
  }

  private drawItem(item: Item): void {
    const known = this.drawn.get(item.key);
    if (known?.item === item) {
      return;
    }
    const drawing = known?.drawing ?? draw(item, this);
    drawing.show(item);
    if (item.is === "tool" && drawing instanceof ToolCard) {
      this.unfold(item.key, item.proposalId ?? undefined, drawing);
    }
    this.drawn.set(item.key, { item, drawing });
    if (!known) {
      this.sending.element.before(drawing.element);
    }
  }

  private propose(proposals: readonly Proposal[]): void {
    const changed = new Set(proposals.map((each) => each.id));
    for (const proposal of proposals) {
      this.proposals.set(proposal.id, proposal);
    }
    const wasAtEnd = this.isAtEnd();
    for (const { item, drawing } of this.drawn.values()) {
      if (item.is === "tool" && changed.has(item.proposalId ?? "") && drawing instanceof ToolCard) {
        drawing.redraw();
        this.unfold(item.key, item.proposalId, drawing);
      }
    }
    if (wasAtEnd) {
      this.toEnd();
    }
  }

  /** What waits for a verdict is shown, unless the user folded it. */
  private unfold(key: string, proposalId: string | undefined, { element }: ToolCard): void {
    const proposal = proposalId === undefined ? undefined : this.proposals.get(proposalId);
    if (proposal?.state === "open" && !this.closed.has(key)) {
      element.open = true;
    }
  }

  private running(isRunning: boolean): void {
    this.isRunning = isRunning;
    this.composer.running(isRunning);
    this.speak();
    this.working.hidden = !isRunning;
  }

  private ask(requests: readonly PermissionShown[]): void {
    const wasAtEnd = this.isAtEnd();
    this.questions.replaceChildren(...requests.map((request) => drawQuestion(request, this.post)));
    if (wasAtEnd) {
      this.toEnd();
    }
  }

  private showObstacle(obstacle: Obstacle | undefined): void {
    this.obstacle.hidden = obstacle === undefined;
    this.composer.element.hidden = obstacle !== undefined;
    if (obstacle) {
      this.obstacle.replaceChildren(...drawObstacle(obstacle, this.post));
    }
  }

  private showEmpty(): void {
    const shown = this.log.querySelector(".empty");
    if (this.transcript.items.length > 0 || this.sending.current) {
      shown?.remove();
      return;
    }
    const empty = drawEmpty(this.model, this.post);
    if (shown) {
      shown.replaceWith(empty);
    } else {
      this.log.prepend(empty);
    }
  }

  private showSpent(): void {
    this.spent.textContent = spentWords(this.model ?? "", this.transcript.spent);
    this.spent.title = this.model ?? "";
    this.spent.hidden = !this.spent.textContent;
  }

  private isAtEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  private toEnd(): void {
    // What stands in an empty chat is read from its beginning.
    this.log.scrollTop = this.transcript.items.length > 0 ? this.log.scrollHeight : 0;
    this.showLatest();
  }

  private showLatest(): void {
    this.latest.hidden = this.transcript.items.length === 0 || this.isAtEnd();
  }

  private send(message: OnItsWay): boolean {
    if (this.sending.current) {
      return false;
    }
    const { id, text, turnId } = message;
    const { mode } = this.composer;
    this.failure.hidden = true;
    this.givenBack = undefined;
    this.sending.begin(message);
    this.save();
    this.showEmpty();
    // Who sends wants to see what comes of it, wherever they were reading.
    this.toEnd();
    this.post(
      turnId === undefined
        ? { is: "send", id, text, mode }
        : { is: "resend", id, turnId, text, mode },
    );
    return true;
  }

  private taken(id: string): void {
    this.sending.end(id);
    if (this.givenBack?.id === id && this.composer.text === this.givenBack.text) {
      this.composer.text = "";
      this.failure.hidden = true;
    }
    this.save();
  }

  /** Puts what was not sent back to where it was written, beside what is written there by now. */
  private giveBack(id: string | undefined): void {
    const message = id === undefined ? undefined : this.sending.end(id);
    if (!message) {
      return;
    }
    const { text, turnId } = message;
    const first = this.transcript.items.find(
      (item) => item.is === "user" && item.turnId === turnId,
    );
    const place = first && this.drawn.get(first.key);
    if (place && turnId !== undefined && this.editing === undefined) {
      this.editing = { turnId, text };
      place.drawing.show(place.item);
    } else {
      const { text: written } = this.composer;
      this.composer.text = written.trim() ? `${text}\n\n${written}` : text;
      this.givenBack = message;
    }
    this.showEmpty();
    this.save();
  }

  private save(): void {
    this.keep({
      draft: this.composer.text,
      mode: this.keptMode,
      open: [...this.open].slice(-200),
      closed: [...this.closed].slice(-200),
      editing: this.editing,
      sending: this.sending.current,
    });
  }
}
