/** A tool call: folded, with its diff; the hunks of its proposal can be judged one by one. */

import { type Item, isRunning, type ToolItem } from "../chat/transcript.ts";
import type { CallOutput, Hunk, Proposal } from "../protocol.ts";
import type { Desk, Drawing } from "./desk.ts";
import { counted, drawLines, hunkLines, patchLines } from "./diff.ts";
import { button, h, type IconName, icon } from "./elements.ts";
import { drawPieces } from "./question.ts";

/** A longer output is kept by the server, and its end is in the chat's own words. */
const OUTPUT_CHARS = 8_000;

const STATUS_ICONS: Record<string, IconName> = {
  pending: "dot",
  in_progress: "dot",
  completed: "check",
  failed: "close",
};

export class ToolCard implements Drawing {
  readonly element: HTMLDetailsElement;
  private readonly summary = h("span", { class: "summary" });
  private readonly body = h("div", { class: "body" });
  private item: ToolItem;

  constructor(
    item: ToolItem,
    private readonly desk: Desk,
  ) {
    this.item = item;
    this.element = desk.folded(item.key, this.summary, this.body);
    this.element.classList.add("item", "tool");
  }

  show(item: Item): void {
    if (item.is === "tool") {
      this.item = item;
      this.redraw();
    }
  }

  /** Draws again, because a proposal has changed. */
  redraw(): void {
    const { item } = this;
    const { call } = item;
    const proposal =
      item.proposalId === undefined ? undefined : this.desk.proposal(item.proposalId);
    const isBusy = isRunning(item);
    this.element.classList.toggle("busy", isBusy);
    this.element.classList.toggle("failed", call.status === "failed");
    this.summary.replaceChildren(
      icon(STATUS_ICONS[call.status] ?? "dot"),
      h("span", { class: "title" }, ...drawPieces(call.title)),
      h("span", { class: "faint" }, counts(item, proposal)),
      h("span", { class: "unseen" }, `, ${call.status.replace("_", " ")}`),
    );
    this.body.replaceChildren(
      ...this.places(),
      ...(proposal ? [this.proposal(proposal)] : []),
      ...item.content
        .filter((each) => !(proposal && each.type === "diff"))
        .map((each) => this.content(each)),
      ...this.points(),
    );
  }

  private places(): HTMLElement[] {
    return this.item.call.locations.map(({ uri, line }) =>
      button(
        nameOf(uri) + (line === null ? "" : `:${line + 1}`),
        () => this.desk.post({ is: "open", uri, line }),
        { class: "link", title: uri },
      ),
    );
  }

  private content(content: CallOutput): HTMLElement {
    if (content.type === "content") {
      const { text } = content.content;
      const end = text.length > OUTPUT_CHARS ? `…${text.slice(-OUTPUT_CHARS)}` : text;
      return h("pre", { class: "output", tabindex: "0" }, end);
    }
    const { uri, oldText, newText } = content;
    const lines = patchLines(oldText ?? "", newText ?? "");
    return h(
      "div",
      { class: "change" },
      h(
        "div",
        { class: "bar" },
        h("span", {}, nameOf(uri)),
        button("Open Diff", () => this.desk.post({ is: "diff", uri, oldText, newText }), {
          class: "link",
        }),
      ),
      drawLines(lines),
    );
  }

  private proposal(proposal: Proposal): HTMLElement {
    const { id } = proposal;
    const isOpen = proposal.state === "open";
    const judge = (verdict: "accept" | "reject"): void =>
      this.desk.post({ is: "judge", id, hunks: undefined, verdict });
    return h(
      "div",
      { class: "change", role: "group", "aria-label": `Changes of ${nameOf(proposal.uri)}` },
      h(
        "div",
        { class: "bar" },
        h("span", {}, nameOf(proposal.uri)),
        !isOpen && h("span", { class: `badge ${proposal.state}` }, proposal.state),
        button("Open Diff", () => this.desk.post({ is: "proposal", id }), { class: "link" }),
        isOpen && button("Accept All", () => judge("accept"), { class: "accept" }),
        isOpen && button("Reject All", () => judge("reject"), { class: "reject" }),
      ),
      ...proposal.hunks.map((hunk, number) => this.hunk(proposal, hunk, number)),
    );
  }

  private hunk(proposal: Proposal, hunk: Hunk, number: number): HTMLElement {
    const isOpen = proposal.state === "open" && hunk.state === "open";
    const judge = (verdict: "accept" | "reject"): void =>
      this.desk.post({ is: "judge", id: proposal.id, hunks: [hunk.id], verdict });
    const words = `change ${number + 1} of ${proposal.hunks.length}`;
    return h(
      "div",
      { class: `hunk ${hunk.state}` },
      h(
        "div",
        { class: "bar" },
        h("span", { class: "faint" }, `line ${hunk.newStart + 1}`),
        !isOpen && hunk.state !== "open" && h("span", { class: `badge ${hunk.state}` }, hunk.state),
        isOpen &&
          button("Accept", () => judge("accept"), {
            class: "accept",
            "aria-label": `Accept ${words}`,
          }),
        isOpen &&
          button("Reject", () => judge("reject"), {
            class: "reject",
            "aria-label": `Reject ${words}`,
          }),
      ),
      drawLines(hunkLines(proposal, hunk)),
    );
  }

  private points(): HTMLElement[] {
    const { before, after } = this.item.checkpoints;
    if (before === null) {
      return [];
    }
    const link = (title: string, id: number, wish: "preview" | "restore"): HTMLElement =>
      button(title, () => this.desk.post({ is: "point", id, wish }), { class: "link" });
    return [
      h(
        "div",
        { class: "point" },
        icon("flag"),
        h(
          "span",
          { class: "label" },
          after === null ? `before: #${before}` : `before: #${before}, after: #${after}`,
        ),
        link("Preview", before, "preview"),
        link("Go Back", before, "restore"),
      ),
    ];
  }
}

function counts(item: ToolItem, proposal: Proposal | undefined): string {
  const lines = proposal
    ? proposal.hunks.flatMap((hunk) => hunkLines(proposal, hunk))
    : item.content.flatMap((each) =>
        each.type === "diff" ? patchLines(each.oldText ?? "", each.newText ?? "") : [],
      );
  const { added, removed } = counted(lines);
  return added + removed > 0 ? ` +${added} −${removed}` : "";
}

/** The file's own name. */
function nameOf(uri: string): string {
  return decodeURIComponent(uri.slice(uri.lastIndexOf("/") + 1));
}
