/** The status bar item: the goal, its budget, the newest checkpoint, and what went wrong. */

import * as vscode from "vscode";
import { counted, when } from "./checkpoints/tree.ts";
import { limits } from "./goals/standing.ts";
import type { CurrentProject } from "./project.ts";
import type { Status } from "./protocol.ts";
import type { ServerState, Wire } from "./server/server.ts";

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "milepost.status",
    vscode.StatusBarAlignment.Left,
    10,
  );
  private status: Status | undefined;
  private readonly listening: vscode.Disposable;
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly wire: Wire,
    private readonly project: CurrentProject,
  ) {
    this.item.name = "Milepost";
    this.listening = vscode.Disposable.from(
      this.item,
      wire.onDidChangeState(() => this.look()),
      wire.onNotification("milepost/status/didChange", (told) => {
        if (told.uri === undefined || isSame(told.uri, project.folder)) {
          this.status = told.status;
          this.show();
        }
      }),
      project.onDidChange(() => this.look()),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("milepost.statusBar")) {
          this.show();
        }
      }),
    );
    this.show();
  }

  /** The chat's model, empty when none is configured, undefined as long as that is not known. */
  get model(): string | undefined {
    return this.status && (this.status.model ?? "");
  }

  /** The project's id, which `milepost:` documents are named by. */
  async projectId(): Promise<string> {
    if (!this.status) {
      await this.look();
    }
    if (!this.status) {
      throw new Error("Milepost's server does not tell which project this is.");
    }
    return this.status.project.id;
  }

  /** Asks the server. */
  async look(): Promise<void> {
    this.status = undefined;
    if (this.wire.state === "running" && this.project.uri) {
      this.status = await this.wire
        .command("milepost.status", this.project.about({}))
        .catch(() => undefined);
    }
    this.show();
  }

  dispose(): void {
    this.changed.dispose();
    this.listening.dispose();
  }

  private show(): void {
    this.changed.fire();
    const isWanted = vscode.workspace.getConfiguration("milepost").get("statusBar", true);
    if (!isWanted || !this.project.uri) {
      this.item.hide();
      return;
    }
    const shown = statusLine(this.wire.state, this.status);
    this.item.text = shown.text;
    this.item.command = shown.command ?? "milepost.showMenu";
    this.item.tooltip = shown.facts.join("\n");
    this.item.accessibilityInformation = { label: `Milepost: ${shown.facts.join(", ")}` };
    this.item.backgroundColor = shown.isWrong
      ? new vscode.ThemeColor("statusBarItem.warningBackground")
      : undefined;
    this.item.show();
  }
}

export interface StatusLine {
  readonly text: string;
  readonly facts: readonly string[];
  readonly isWrong: boolean;
  /** What a click does, when not what it always does. */
  readonly command?: string;
}

const WAITS: Partial<Record<ServerState, string>> = {
  installing: "The server is being installed",
  restarting: "The server stopped, and is being started again",
};

const GOAL_ICONS: Record<string, string> = {
  paused: "$(debug-pause)",
  blocked: "$(error)",
  "budget-limited": "$(watch)",
};

/** What the item says. */
export function statusLine(state: ServerState, status: Status | undefined): StatusLine {
  if (state === "missing" || state === "failed") {
    const [fact, command] =
      state === "missing"
        ? ["The server is not installed: click to install it", "milepost.installServer"]
        : ["The server has stopped: click to start it again", "milepost.restartServer"];
    return { text: "$(warning) Milepost", facts: [fact], isWrong: true, command };
  }
  if (state !== "running" || !status) {
    const fact = WAITS[state] ?? "The server is starting";
    return { text: "$(loading~spin) Milepost", facts: [fact], isWrong: false };
  }
  const facts: string[] = [status.project.name];
  const parts: string[] = [];
  if (status.running.length > 0) {
    parts.push("$(loading~spin)");
    facts.push(`${counted(status.running.length, "chat")} at work`);
  }
  const { goal, checkpoint } = status;
  if (goal) {
    parts.push(`${GOAL_ICONS[goal.state] ?? "$(target)"} ${short(goal.condition)}`);
    facts.push(`Goal (${goal.state}): ${goal.condition}`, ...budget(goal));
  }
  if (checkpoint) {
    parts.push(`$(history) #${checkpoint.id}`);
    const label = checkpoint.label ? ` ${checkpoint.label}` : "";
    facts.push(`Newest checkpoint: #${checkpoint.id}${label}, ${when(checkpoint.createdAt)}`);
  }
  if (status.checkpointError) {
    parts.unshift("$(warning)");
    facts.push(`The last checkpoint failed: ${status.checkpointError}`);
  }
  if (status.model) {
    facts.push(`Model: ${status.model}`);
  }
  const text = parts.length > 0 ? parts.join(" ") : "$(milestone) Milepost";
  return { text, facts, isWrong: status.checkpointError !== null };
}

function budget(goal: NonNullable<Status["goal"]>): string[] {
  const found = limits(goal);
  return found.length > 0 ? [`Budget: ${found.join(", ")}`] : [];
}

function short(words: string): string {
  const line = words.split("\n", 1)[0] ?? "";
  return line.length > 32 ? `${line.slice(0, 31)}…` : line;
}

function isSame(uri: string, folder: vscode.Uri | undefined): boolean {
  return folder !== undefined && vscode.Uri.parse(uri).fsPath === folder.fsPath;
}
