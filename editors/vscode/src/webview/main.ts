/** Where the page begins: ties it to VS Code. */

import type { ToPage } from "../chat/messages.ts";
import { ChatPage, type Kept } from "./chat.ts";

interface VsCode {
  postMessage(message: unknown): void;
  getState(): Kept | undefined;
  setState(state: Kept): void;
}

declare function acquireVsCodeApi(): VsCode;

const vscode = acquireVsCodeApi();
const root = document.getElementById("chat");
if (root) {
  const page = new ChatPage(
    root,
    (message) => vscode.postMessage(message),
    (kept) => vscode.setState(kept),
    vscode.getState(),
  );
  window.addEventListener("message", (event: MessageEvent<ToPage>) => page.hear(event.data));
  page.ready();
}
