/** The Chat view on the extension's side: between the page and the server. */

import * as vscode from "vscode";
import type { CurrentProject } from "../project.ts";
import type { Proposals } from "../proposals/proposals.ts";
import type { Entry, UpdateParams } from "../protocol.ts";
import { type Wire, words } from "../server/server.ts";
import { insertAtCursor, showPlace } from "../showing.ts";
import type { StatusBar } from "../status.ts";
import { Attachments } from "./attachments.ts";
import { Conversation, type Listener } from "./conversation.ts";
import type { Mode, ToHost, ToPage } from "./messages.ts";
import { obstacleOf } from "./obstacle.ts";
import { pageHtml } from "./page.ts";
import { Permissions } from "./permissions.ts";
import { Sessions } from "./sessions.ts";

/** Chunks that arrive together are drawn together. */
const BATCH_MS = 25;

/** What a click in the chat does elsewhere. */
export interface Elsewhere {
  previewCheckpoint(id: number): Promise<void>;
  restoreCheckpoint(id: number): Promise<void>;
  compareTexts(uri: string, oldText: string, newText: string): Promise<void>;
}

export class ChatView implements vscode.WebviewViewProvider, Listener, vscode.Disposable {
  private view: vscode.WebviewView | undefined;
  private isReady = false;
  private batch: UpdateParams[] = [];
  private timer: NodeJS.Timeout | undefined;
  readonly attachments: Attachments;
  private readonly permissions: Permissions;
  private readonly conversation: Conversation;
  private readonly sessions: Sessions;
  private readonly listening: vscode.Disposable;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly wire: Wire,
    private readonly project: CurrentProject,
    private readonly proposals: Proposals,
    private readonly status: StatusBar,
    private readonly elsewhere: Elsewhere,
  ) {
    this.attachments = new Attachments(wire, project);
    this.permissions = new Permissions(wire, (id) => this.isSeen(id));
    this.conversation = new Conversation(wire, this, (sessionId) => {
      void context.workspaceState.update(this.memoryKey(), sessionId);
    });
    this.sessions = new Sessions(wire, project, this.conversation);
    this.listening = vscode.Disposable.from(
      this.attachments,
      this.permissions,
      this.attachments.onDidChange(() => this.showChips()),
      this.permissions.onDidChange(() => this.showPermissions()),
      proposals.onDidChange((proposal) => this.say({ is: "proposals", proposals: [proposal] })),
      wire.onNotification("milepost/chat/update", (told) => this.conversation.hear(told)),
      wire.onDidChangeState(() => this.afterServerChange()),
      project.onDidChange(() => this.loadLast()),
      status.onDidChange(() => this.showSettings()),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("milepost")) {
          this.showSettings();
        }
      }),
    );
  }

  register(on: (name: string, run: (...args: never[]) => unknown) => void): void {
    const current = (): { sessionId: string; title: string } | undefined => {
      const { sessionId, title } = this.conversation;
      return sessionId === undefined ? undefined : { sessionId, title };
    };
    on("milepost.openChat", () => this.open());
    on("milepost.newChat", async () => {
      this.conversation.clear();
      await this.open();
    });
    on("milepost.listChats", () => this.sessions.pick());
    on("milepost.stopChat", () => this.conversation.cancel());
    on("milepost.renameChat", async () => {
      const session = current();
      await (session && this.sessions.rename(session));
    });
    on("milepost.deleteChat", async () => {
      const session = current();
      await (session && this.sessions.delete(session));
    });
    on("milepost.addToChat", async () => {
      const editor = vscode.window.activeTextEditor;
      if (editor) {
        this.attachments.addSelection(editor);
      }
      await this.open();
    });
    on("milepost.addFileToChat", async (uri: vscode.Uri) => {
      this.attachments.addFile(uri);
      await this.open();
    });
  }

  async attachEntry(entry: Entry): Promise<void> {
    this.attachments.addEntry(entry);
    await this.open();
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    this.isReady = false;
    const { extensionUri } = this.context;
    view.webview.options = {
      enableScripts: true,
      localResourceRoots: [vscode.Uri.joinPath(extensionUri, "dist")],
    };
    view.webview.onDidReceiveMessage((message: ToHost) => this.hear(message));
    view.onDidDispose(() => {
      this.view = undefined;
      this.isReady = false;
    });
    view.webview.html = pageHtml(view.webview, extensionUri);
  }

  // What the conversation tells.

  reset({ sessionId, title, told, isCut }: Conversation): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.batch = [];
    this.say({ is: "reset", sessionId, title, updates: told, isCut });
    this.showTitle();
    this.showPermissions();
  }

  updates(updates: readonly UpdateParams[]): void {
    this.batch.push(...updates);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.say({ is: "updates", updates: this.batch });
      this.batch = [];
      this.showTitle();
    }, BATCH_MS);
  }

  running(isRunning: boolean): void {
    void vscode.commands.executeCommand("setContext", "milepost.chatRunning", isRunning);
    this.say({ is: "running", isRunning });
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.listening.dispose();
  }

  private async hear(message: ToHost): Promise<void> {
    try {
      await this.answer(message);
    } catch (error) {
      this.say({ is: "failed", text: words(error) });
    }
  }

  private async answer(message: ToHost): Promise<void> {
    switch (message.is) {
      case "ready":
        return this.showAll();
      case "send":
        return this.send(message.text, message.mode);
      case "resend":
        await this.conversation.forkBefore(message.turnId, this.project.uri);
        return this.send(message.text, message.mode);
      case "stop":
        return this.conversation.cancel();
      case "copy":
        return vscode.env.clipboard.writeText(message.text);
      case "insert":
        return insertAtCursor(message.text);
      case "open":
        return showPlace(vscode.Uri.parse(message.uri), message.line ?? 0);
      case "link":
        await vscode.env.openExternal(vscode.Uri.parse(message.href));
        return;
      case "diff":
        return this.elsewhere.compareTexts(
          message.uri,
          message.oldText ?? "",
          message.newText ?? "",
        );
      case "proposal":
        return this.proposals.show(message.id);
      case "judge":
        return this.proposals.judge(message.id, message.verdict, message.hunks);
      case "permit":
        return this.permissions.answer(message.requestId, message.optionId);
      case "complete":
        this.say({
          is: "completions",
          query: message.query,
          rows: await this.attachments.complete(message.query),
        });
        return;
      case "attach":
        return this.attachments.choose(message.id);
      case "attachMore":
        return this.attachMore();
      case "detach":
        return this.attachments.remove(message.id);
      case "point":
        return message.wish === "preview"
          ? this.elsewhere.previewCheckpoint(message.id)
          : this.elsewhere.restoreCheckpoint(message.id);
      case "command":
        // The page may only do what its buttons are for.
        if (message.command.startsWith("milepost.")) {
          await vscode.commands.executeCommand(message.command);
        }
    }
  }

  private async send(text: string, mode: Mode): Promise<void> {
    const { blocks, giveBack } = this.attachments.take();
    try {
      await this.conversation.prompt({ text, blocks, mode, uri: this.project.uri });
    } catch (error) {
      giveBack();
      this.say({ is: "failed", text: words(error), draft: text });
    }
  }

  /** The native list for whoever does not know of `@`. */
  private async attachMore(): Promise<void> {
    const files = await vscode.window.showOpenDialog({
      canSelectMany: true,
      openLabel: "Add to Chat",
      ...(this.project.folder ? { defaultUri: this.project.folder } : {}),
    });
    for (const uri of files ?? []) {
      this.attachments.addFile(uri);
    }
  }

  private async open(): Promise<void> {
    await vscode.commands.executeCommand("milepost.chat.focus");
    this.say({ is: "focus" });
  }

  private isSeen(sessionId: string): boolean {
    return this.view?.visible === true && this.conversation.sessionId === sessionId;
  }

  private async afterServerChange(): Promise<void> {
    this.showObstacle();
    if (this.wire.state === "running") {
      await this.loadLast();
    }
  }

  /** The session of before: the window was loaded anew, or the server was started again. */
  private async loadLast(): Promise<void> {
    const last = this.context.workspaceState.get<string>(this.memoryKey());
    if (last === undefined || this.wire.state !== "running") {
      this.conversation.clear();
      return;
    }
    try {
      await this.conversation.load(last, this.project.uri);
    } catch {
      // It was deleted elsewhere.
      this.conversation.clear();
    }
  }

  private memoryKey(): string {
    return `chat ${this.project.uri ?? ""}`;
  }

  private showAll(): void {
    this.isReady = true;
    this.reset(this.conversation);
    this.running(this.conversation.isRunning);
    this.say({ is: "proposals", proposals: this.proposals.all });
    this.showChips();
    this.showSettings();
    this.showObstacle();
  }

  private showTitle(): void {
    if (this.view) {
      this.view.description = this.conversation.title;
    }
  }

  private showChips(): void {
    const { chips, suggested } = this.attachments;
    this.say({ is: "chips", chips, suggested });
  }

  private showPermissions(): void {
    const requests = this.permissions.of(this.conversation.sessionId);
    this.say({ is: "permissions", requests });
  }

  private showSettings(): void {
    const settings = vscode.workspace.getConfiguration("milepost");
    this.say({
      is: "settings",
      sendOnEnter: settings.get("chat.sendOnEnter", true),
      mode: settings.get<Mode>("chat.mode", "build"),
      model: this.status.model,
    });
  }

  private showObstacle(): void {
    this.say({
      is: "obstacle",
      obstacle: obstacleOf(this.wire.state, this.project.uri !== undefined),
    });
  }

  private say(message: ToPage): void {
    if (this.isReady) {
      void this.view?.webview.postMessage(message);
    }
  }
}
