/**
 * Markdown as elements. What a model writes is data: HTML in it stays text, pictures become links,
 * and links go only to the web and to files, and only when they are clicked.
 */

import { Lexer, type MarkedToken, type Token, type Tokens } from "marked";
import { button, h, iconButton } from "./elements.ts";

export interface MarkdownActions {
  copy(text: string): void;
  insert(text: string): void;
  follow(href: string): void;
}

/** A text that grows: blocks that did not change since the last time keep their elements. */
export class MarkdownText {
  readonly element = h("div", { class: "markdown" });
  private drawn: string[] = [];

  constructor(private readonly actions: MarkdownActions) {}

  show(text: string): void {
    const blocks = new Lexer({ gfm: true }).lex(text).filter((token) => token.type !== "space");
    let same = 0;
    while (same < blocks.length && this.drawn[same] === blocks[same]?.raw) {
      same += 1;
    }
    while (this.element.childNodes.length > same) {
      this.element.lastChild?.remove();
    }
    for (const token of blocks.slice(same)) {
      this.element.append(block(token, this.actions));
    }
    this.drawn = blocks.map((token) => token.raw);
  }
}

function block(token: Token, actions: MarkdownActions): Node {
  const known = token as MarkedToken;
  switch (known.type) {
    case "heading": {
      // The page has a heading of its own above all of them.
      const tag = `h${Math.min(6, known.depth + 2)}` as "h3";
      return h(tag, {}, ...inlines(known.tokens, actions));
    }
    case "paragraph":
      return h("p", {}, ...inlines(known.tokens, actions));
    case "code":
      return codeBlock(known.text, known.lang ?? "", actions);
    case "blockquote":
      return h("blockquote", {}, ...known.tokens.map((each) => block(each, actions)));
    case "list":
      return list(known, actions);
    case "table":
      return table(known, actions);
    case "hr":
      return h("hr");
    case "text":
      return h("span", {}, ...inlines(known.tokens ?? [known], actions));
    default:
      // HTML, link definitions, and whatever a later version of the grammar brings.
      return document.createTextNode(known.raw);
  }
}

function codeBlock(text: string, info: string, actions: MarkdownActions): HTMLElement {
  const language = info.split(/\s/, 1)[0] ?? "";
  return h(
    "figure",
    { class: "code" },
    h(
      "figcaption",
      {},
      h("span", {}, language || "text"),
      iconButton("copy", "Copy", () => actions.copy(text)),
      iconButton("insert", "Insert at cursor", () => actions.insert(text)),
    ),
    h("pre", { tabindex: "0" }, h("code", {}, text)),
  );
}

function list(token: Tokens.List, actions: MarkdownActions): HTMLElement {
  const items = token.items.map((item) => {
    const body = item.tokens
      .filter((each) => each.type !== "checkbox" && each.type !== "space")
      .map((each) => block(each, actions));
    const box =
      item.task &&
      h("input", {
        type: "checkbox",
        disabled: true,
        checked: item.checked === true,
        "aria-label": item.checked ? "Done" : "Not done",
      });
    return h("li", { class: item.task ? "task" : undefined } as { class?: string }, box, ...body);
  });
  if (!token.ordered) {
    return h("ul", {}, ...items);
  }
  return h("ol", { start: String(token.start || 1) }, ...items);
}

function table(token: Tokens.Table, actions: MarkdownActions): HTMLElement {
  const row = (cells: Tokens.TableCell[], tag: "th" | "td"): HTMLElement =>
    h("tr", {}, ...cells.map((cell) => h(tag, {}, ...inlines(cell.tokens, actions))));
  return h(
    "div",
    { class: "table" },
    h(
      "table",
      {},
      h("thead", {}, row(token.header, "th")),
      h("tbody", {}, ...token.rows.map((cells) => row(cells, "td"))),
    ),
  );
}

function inlines(tokens: Token[], actions: MarkdownActions): Node[] {
  return tokens.map((token) => inline(token as MarkedToken, actions));
}

function inline(token: MarkedToken, actions: MarkdownActions): Node {
  switch (token.type) {
    case "strong":
      return h("strong", {}, ...inlines(token.tokens, actions));
    case "em":
      return h("em", {}, ...inlines(token.tokens, actions));
    case "del":
      return h("del", {}, ...inlines(token.tokens, actions));
    case "codespan":
      return h("code", {}, token.text);
    case "br":
      return h("br");
    case "link":
      return link(token.href, inlines(token.tokens, actions), actions);
    case "image":
      return link(token.href, [document.createTextNode(token.text || token.href)], actions);
    case "escape":
      return document.createTextNode(token.text);
    case "text":
      return token.tokens
        ? h("span", {}, ...inlines(token.tokens, actions))
        : document.createTextNode(token.text);
    default:
      return document.createTextNode(token.raw);
  }
}

/** Something to click where it may be followed, else the words alone. */
function link(href: string, words: Node[], actions: MarkdownActions): Node {
  if (!/^https?:\/\//i.test(href)) {
    return h("span", {}, ...words);
  }
  const made = button("", () => actions.follow(href), { class: "link", title: href });
  made.append(...words);
  return made;
}
