/** A document without a browser, and the chat's page in it. */

import { Window } from "happy-dom";
import type { ToHost } from "../../src/chat/messages.ts";
import { ChatPage, type Kept } from "../../src/webview/chat.ts";

export interface Shown {
  readonly page: ChatPage;
  readonly root: HTMLElement;
  readonly said: ToHost[];
  readonly kept: Kept[];
}

export function open(
  kept?: Kept,
  say: (message: ToHost) => void = () => {},
  keep: (state: Kept) => void = () => {},
): Shown {
  const window = new Window();
  const { Event, ResizeObserver } = window;
  Object.assign(globalThis, { window, document: window.document, Event, ResizeObserver });
  const root = document.createElement("div");
  document.body.append(root);
  const said: ToHost[] = [];
  const saved: Kept[] = [];
  const page = new ChatPage(
    root,
    (message) => {
      said.push(message);
      say(message);
    },
    (state) => {
      saved.push(state);
      keep(state);
    },
    kept,
  );
  return { page, root, said, kept: saved };
}

export function key(element: Element, name: string, more: object = {}): void {
  const { KeyboardEvent } = globalThis.window;
  element.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, ...more }));
}

export function click(root: ParentNode, words: string): void {
  const found = [...root.querySelectorAll("button")].find(
    (each) => each.textContent === words || each.title === words,
  );
  if (!found) {
    throw new Error(`there is no button ${words}`);
  }
  found.click();
}

export function type(root: ParentNode, text: string): HTMLTextAreaElement {
  const field = root.querySelector("textarea");
  if (!field) {
    throw new Error("there is no field");
  }
  field.value = text;
  field.setSelectionRange(text.length, text.length);
  field.dispatchEvent(new Event("input"));
  return field;
}
