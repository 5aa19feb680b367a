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
import type { Message, Mode, ToHost, ToPage } from "./messages.ts";
import { obstacleOf } from "./obstacle.ts";
import { Outbox } from "./outbox.ts";
import { pageHtml } from "./page.ts";
import { Permissions } from "./permissions.ts";
import { type Named, Sessions } from "./sessions.ts";

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
  private readonly outbox = new Outbox((message) => this.say(message));
  private readonly listening: vscode.Disposable;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly wire: Wire,
    private readonly project: CurrentProject,
    private readonly proposals: Proposals,
    private readonly status: StatusBar,
    private readonly elsewhere: Elsewhere,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.attachments = new Attachments(wire, project);
    this.permissions = new Permissions(wire, (id) => this.isSeen(id));
    this.conversation = new Conversation(wire, this, (sessionId, uri) => {
      void context.workspaceState.update(memoryKey(uri), sessionId);
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
    const current = (): Named | undefined => {
      const { sessionId, title, uri } = this.conversation;
      return sessionId === undefined ? undefined : { sessionId, title, uri };
    };
    on("milepost.openChat", () => this.open());
    on("milepost.newChat", async () => {
      this.conversation.begin(this.project.uri);
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
      // The next one may be there already.
      if (this.view === view) {
        this.view = undefined;
        this.isReady = false;
      }
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
    this.timer ??= setTimeout(() => this.sayBatch(), BATCH_MS);
  }

  running(isRunning: boolean): void {
    void vscode.commands.executeCommand("setContext", "milepost.chatRunning", isRunning);
    // Who sees that a turn has ended sees all of it.
    this.sayBatch();
    this.say({ is: "running", isRunning });
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.listening.dispose();
  }

  private async hear(message: ToHost): Promise<void> {
    this.log.debug(`The page says ${message.is}${"id" in message ? ` ${message.id}` : ""}`);
    try {
      await this.answer(message);
    } catch (error) {
      this.say({ is: "failed", text: words(error) });
    }
  }

  private async answer(message: ToHost): Promise<void> {
    switch (message.is) {
      case "ready":
        this.showAll();
        if (message.sending !== undefined) {
          this.outbox.tell(message.sending);
        }
        return;
      case "send":
        return this.send(message);
      case "resend":
        return this.send(message, () => this.conversation.forkBefore(message.turnId));
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

  private async send(message: Message, before?: () => Promise<void>): Promise<void> {
    this.outbox.heard(message);
    let giveBack = (): void => {};
    try {
      await before?.();
      const attached = this.attachments.take();
      giveBack = attached.giveBack;
      const { blocks } = attached;
      const onTaken = (): void => {
        this.sayBatch();
        this.outbox.taken(message);
      };
      await this.conversation.prompt({ text: message.text, mode: message.mode, blocks, onTaken });
    } catch (error) {
      if (this.outbox.isTaken(message)) {
        this.say({ is: "failed", text: words(error) });
      } else {
        giveBack();
        this.outbox.failed(message, words(error));
      }
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
    const { uri } = this.project;
    if (this.conversation.isPrompting) {
      // Nobody's words are taken out of sight while they are worked on.
      return;
    }
    const last = this.context.workspaceState.get<string>(memoryKey(uri));
    if (last === undefined || this.wire.state !== "running") {
      this.conversation.clear(uri);
      return;
    }
    try {
      await this.conversation.load(last, uri);
    } catch (error) {
      this.log.warn(`The last chat could not be shown: ${words(error)}`);
    }
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

  private sayBatch(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.batch.length > 0) {
      this.say({ is: "updates", updates: this.batch });
      this.batch = [];
      this.showTitle();
    }
  }

  private say(message: ToPage): void {
    this.log.debug(`The page ${this.isReady ? "is told" : "is not there for"} ${message.is}`);
    if (this.isReady) {
      void this.view?.webview.postMessage(message);
    }
  }
}

function memoryKey(uri: string | undefined): string {
  return `chat ${uri ?? ""}`;
}
