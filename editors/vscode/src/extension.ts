/** Where the extension begins: puts its parts together, and waits for nothing. */

import * as vscode from "vscode";
import { ChatView } from "./chat/view.ts";
import { CheckpointCommands } from "./checkpoints/commands.ts";
import { NOTHING } from "./checkpoints/documents.ts";
import { CheckpointTree } from "./checkpoints/tree.ts";
import { GoalCommands } from "./goals/commands.ts";
import { GoalTree } from "./goals/tree.ts";
import { MemoryCommands } from "./memory/commands.ts";
import { MemoryTree } from "./memory/tree.ts";
import { presenter } from "./presenting.ts";
import { CurrentProject } from "./project.ts";
import { ProposalEditing } from "./proposals/editing.ts";
import { Proposals } from "./proposals/proposals.ts";
import { ServerKeeper } from "./server/keeper.ts";
import { Server, words } from "./server/server.ts";
import { StatusBar } from "./status.ts";
import { TextPairs } from "./texts.ts";
import type { Tree } from "./tree.ts";

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Milepost", { log: true });
  const project = new CurrentProject();
  server = new Server(log, presenter());
  const wire = server;
  const keeper = new ServerKeeper(server, context, log);
  const status = new StatusBar(wire, project);
  const proposals = new Proposals(wire, project, status);
  const checkpoints = new CheckpointCommands(wire, project, status);
  const texts = new TextPairs();
  const elsewhere = {
    previewCheckpoint: (id: number) => checkpoints.previewById(id),
    restoreCheckpoint: (id: number) => checkpoints.restoreById(id),
    compareTexts: (uri: string, before: string, after: string) => texts.compare(uri, before, after),
  };
  const chat = new ChatView(context, wire, project, proposals, status, elsewhere, log);
  const memory = new MemoryCommands(wire, project, (entry) => chat.attachEntry(entry));
  const trees = {
    memory: new MemoryTree(wire, project),
    checkpoints: new CheckpointTree(wire, project),
    goals: new GoalTree(wire, project),
  };
  const goals = new GoalCommands(wire, project, status, trees.goals);
  const editing = new ProposalEditing(proposals);

  const on = (name: string, run: (...args: never[]) => unknown): void => {
    context.subscriptions.push(vscode.commands.registerCommand(name, told(run, log)));
  };
  for (const part of [chat, memory, checkpoints, goals, editing]) {
    part.register(on);
  }
  on("milepost.moreCheckpoints", () => trees.checkpoints.showMore());
  on("milepost.refresh", () => refreshAll(trees));
  on("milepost.restartServer", () => keeper.start());
  on("milepost.installServer", () => keeper.install());
  on("milepost.openFolder", () => vscode.commands.executeCommand("vscode.openFolder"));
  on("milepost.openSettings", () =>
    vscode.commands.executeCommand("workbench.action.openSettings", "milepost."),
  );
  on("milepost.showLog", () => log.show());
  on("milepost.showMenu", () => showMenu());

  context.subscriptions.push(
    ...[log, project, keeper, server, status, proposals, texts, chat, editing],
    ...shown("milepost.memory", trees.memory),
    ...shown("milepost.checkpoints", trees.checkpoints),
    ...shown("milepost.goals", trees.goals),
    ...followed(wire, project, trees),
    vscode.window.registerWebviewViewProvider("milepost.chat", chat),
    vscode.workspace.registerTextDocumentContentProvider(NOTHING.scheme, {
      provideTextDocumentContent: () => "",
    }),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (
        ["server.path", "model"].some((each) => change.affectsConfiguration(`milepost.${each}`))
      ) {
        void keeper.start();
      }
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      if (wire.state === "stopped" || wire.state === "missing") {
        void keeper.start();
      }
    }),
  );
  void keeper.start();
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

interface Trees {
  readonly memory: MemoryTree;
  readonly checkpoints: CheckpointTree;
  readonly goals: GoalTree;
}

/** What changes elsewhere is shown here, as soon as the server tells of it. */
function followed(wire: Server, project: CurrentProject, trees: Trees): vscode.Disposable[] {
  const all = (): void => refreshAll(trees);
  return [
    wire.onNotification("milepost/memory/didChange", () => trees.memory.refresh()),
    wire.onNotification("milepost/checkpoint/didChange", () => trees.checkpoints.refresh()),
    wire.onNotification("milepost/goal/didChange", () => trees.goals.refresh()),
    wire.onDidChangeState(all),
    project.onDidChange(all),
  ];
}

function refreshAll(trees: Trees): void {
  for (const tree of [trees.memory, trees.checkpoints, trees.goals]) {
    tree.refresh();
  }
}

/** A tree in its view, with a line above it when it cannot be read. */
function shown<Node extends object>(id: string, tree: Tree<Node>): vscode.Disposable[] {
  const view = vscode.window.createTreeView(id, {
    treeDataProvider: tree,
    showCollapseAll: true,
  });
  tree.onProblem = (problem) => {
    // Without the server, the view says so by itself.
    view.message = problem && problem !== "Milepost's server is not running." ? problem : "";
  };
  return [view, tree];
}

/** A command whose failure is a message, and a line of the log. */
function told(
  run: (...args: never[]) => unknown,
  log: vscode.LogOutputChannel,
): (...args: never[]) => Promise<void> {
  return async (...args) => {
    try {
      await run(...args);
    } catch (error) {
      log.warn(words(error));
      void vscode.window.showErrorMessage(words(error));
    }
  };
}

async function showMenu(): Promise<void> {
  const rows = [
    ["$(comment-discussion) Open Chat", "milepost.openChat"],
    ["$(search) Search Memory", "milepost.searchMemory"],
    ["$(milestone) Save Checkpoint", "milepost.saveCheckpoint"],
    ["$(history) Restore Checkpoint…", "milepost.restoreCheckpoint"],
    ["$(play) Verify Goal", "milepost.verifyGoal"],
    ["$(target) Set a Goal…", "milepost.setGoal"],
    ["$(refresh) Restart Server", "milepost.restartServer"],
    ["$(output) Show Log", "milepost.showLog"],
  ] as const;
  const items = rows.map(([label, command]) => ({ label, command }));
  const chosen = await vscode.window.showQuickPick(items, { title: "Milepost" });
  if (chosen) {
    await vscode.commands.executeCommand(chosen.command);
  }
}
