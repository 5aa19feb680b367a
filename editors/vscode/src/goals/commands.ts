/** What a person does with goals: set, verify, look at the evidence, pause, resume, abandon. */

import * as vscode from "vscode";
import { SCHEME } from "../checkpoints/documents.ts";
import type { CurrentProject } from "../project.ts";
import type { Goal, Verdict } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import type { StatusBar } from "../status.ts";
import { type GoalTree, standing } from "./tree.ts";

interface Chosen {
  readonly goal: Goal;
}

type Change = "milepost.goal.pause" | "milepost.goal.resume" | "milepost.goal.abandon";

export class GoalCommands {
  constructor(
    private readonly wire: Wire,
    private readonly project: CurrentProject,
    private readonly status: StatusBar,
    private readonly tree: GoalTree,
  ) {}

  register(on: (name: string, run: (...args: never[]) => unknown) => void): void {
    on("milepost.setGoal", () => this.set());
    on("milepost.verifyGoal", (chosen?: Chosen) => this.verify(chosen?.goal));
    on("milepost.showGoal", ({ goal }: Chosen) => this.show(goal));
    on("milepost.pauseGoal", ({ goal }: Chosen) => this.change("milepost.goal.pause", goal));
    on("milepost.resumeGoal", ({ goal }: Chosen) => this.change("milepost.goal.resume", goal));
    on("milepost.abandonGoal", ({ goal }: Chosen) => this.abandon(goal));
  }

  private async set(): Promise<void> {
    const condition = await vscode.window.showInputBox({
      title: "Set a Goal (1 of 2)",
      prompt: "When is it done?",
      placeHolder: "The tests pass and the parser reads empty files",
      ignoreFocusOut: true,
    });
    if (!condition?.trim()) {
      return;
    }
    const lines = await vscode.window.showInputBox({
      title: "Set a Goal (2 of 2)",
      prompt: "How can that be seen? A command, or one such as “file: PATH”; several with “;;”.",
      placeHolder: "python3 -m unittest",
      ignoreFocusOut: true,
    });
    const checks = (lines ?? "").split(";;").map((line) => line.trim());
    if (checks.some(Boolean)) {
      const argument = this.project.about({ condition, checks: checks.filter(Boolean) });
      await this.wire.command("milepost.goal.set", argument);
    }
  }

  private async verify(goal: Goal | undefined): Promise<void> {
    const verdict = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: "Verifying", cancellable: true },
      (progress, stop) => this.verified(goal, progress, stop),
    );
    if (!verdict) {
      return;
    }
    this.tree.saw(verdict);
    const isMet = verdict.verdict === "met";
    const say = isMet ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
    const evidence = "Show Evidence";
    const words = [verdict.reason, ...verdict.missing].join("; ");
    const text = `${standing(verdict.goal)}: ${words}`;
    const answer = await say(text.charAt(0).toUpperCase() + text.slice(1), evidence);
    if (answer === evidence) {
      await this.show(verdict.goal);
    }
  }

  private async verified(
    goal: Goal | undefined,
    progress: vscode.Progress<{ message?: string; increment?: number }>,
    stop: vscode.CancellationToken,
  ): Promise<Verdict | undefined> {
    const workDoneToken = `verify-${crypto.randomUUID()}`;
    let before = 0;
    const listening = this.wire.onProgress(workDoneToken, ({ message, percentage }) => {
      const now = percentage ?? before;
      progress.report({ ...(message ? { message } : {}), increment: now - before });
      before = now;
    });
    const argument = this.project.about(goal ? { goalId: goal.id } : {});
    try {
      return await this.wire.command("milepost.goal.verify", argument, { workDoneToken, stop });
    } catch (error) {
      if (stop.isCancellationRequested) {
        return undefined;
      }
      throw error;
    } finally {
      listening.dispose();
    }
  }

  private async show(goal: Goal): Promise<void> {
    const authority = await this.status.projectId();
    const uri = vscode.Uri.from({ scheme: SCHEME, authority, path: `/goals/${goal.id}` });
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, "markdown");
    await vscode.window.showTextDocument(document, { preview: true });
  }

  private async abandon(goal: Goal): Promise<void> {
    const abandon = "Abandon";
    const answer = await vscode.window.showWarningMessage(
      `Abandon the goal “${goal.condition.split("\n", 1)[0]}”?`,
      { modal: true },
      abandon,
    );
    if (answer === abandon) {
      await this.change("milepost.goal.abandon", goal);
    }
  }

  private async change(command: Change, goal: Goal): Promise<void> {
    await this.wire.command(command, this.project.about({ goalId: goal.id }));
  }
}
