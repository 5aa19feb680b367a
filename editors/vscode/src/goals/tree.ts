/** The Goals view: goals, the newest first, each with its checks and what was last seen of them. */

import * as vscode from "vscode";
import type { CurrentProject } from "../project.ts";
import type { Check, Evidence, Goal, Verdict } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import { Tree } from "../tree.ts";

export type GoalNode =
  | { readonly is: "goal"; readonly goal: Goal }
  | { readonly is: "check"; readonly goal: Goal; readonly check: Check }
  | { readonly is: "words"; readonly goal: Goal; readonly text: string };

const VERDICTS: Record<string, string> = {
  met: "met",
  not_met: "not met",
  impossible: "impossible",
  unverifiable: "cannot be verified",
};

/** States in which work on it may go on. */
const WAITING = new Set(["paused", "blocked", "budget-limited"]);

export class GoalTree extends Tree<GoalNode> {
  private readonly verdicts = new Map<string, Verdict>();

  constructor(
    private readonly wire: Wire,
    private readonly project: CurrentProject,
  ) {
    super();
  }

  /** Keeps what a verification saw, for the rows of the checks. */
  saw(verdict: Verdict): void {
    this.verdicts.set(verdict.goal.id, verdict);
    this.refresh();
  }

  protected override async roots(): Promise<GoalNode[]> {
    const argument = this.project.about({});
    const { goals } = await this.wire.command("milepost.goal.list", argument);
    return goals.map((goal) => ({ is: "goal", goal }));
  }

  protected override branches(node: GoalNode): GoalNode[] {
    if (node.is !== "goal") {
      return [];
    }
    const { goal } = node;
    const verdict = this.verdicts.get(goal.id);
    const checks: GoalNode[] = goal.checks.map((check) => ({ is: "check", goal, check }));
    const missing = (verdict?.missing ?? []).map((text): GoalNode => ({ is: "words", goal, text }));
    const forbidden = goal.notAllowed.map((command): GoalNode => {
      return { is: "words", goal, text: `not allowed yet: ${command}` };
    });
    return [...checks, ...missing, ...forbidden];
  }

  override getTreeItem(node: GoalNode): vscode.TreeItem {
    switch (node.is) {
      case "goal":
        return goalItem(node.goal);
      case "check": {
        const seen = this.verdicts.get(node.goal.id)?.evidence;
        return checkItem(
          node.goal,
          node.check,
          seen?.find((e) => e.command === node.check.command),
        );
      }
      case "words": {
        const item = new vscode.TreeItem(node.text);
        item.iconPath = new vscode.ThemeIcon("info");
        item.tooltip = node.text;
        return item;
      }
    }
  }
}

/** How a goal stands, in words. */
export function standing(goal: Goal): string {
  const verdict = goal.verdict === null ? "not verified yet" : VERDICTS[goal.verdict];
  return goal.state === "active" || goal.state === "met"
    ? `${verdict}`
    : `${goal.state}, ${verdict}`;
}

function goalItem(goal: Goal): vscode.TreeItem {
  const isOpen = goal.state === "active" || WAITING.has(goal.state);
  const item = new vscode.TreeItem(
    goal.condition.split("\n", 1)[0] ?? "",
    isOpen ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed,
  );
  item.id = `goal ${goal.id}`;
  item.description = standing(goal);
  item.iconPath = goalIcon(goal);
  const kind = goal.state === "active" ? "active" : "waiting";
  item.contextValue = isOpen ? `goal.open.${kind}` : "goal.closed";
  const budget = [
    goal.maxVerifications && `at most ${goal.maxVerifications} verifications`,
    goal.maxSeconds && `at most ${goal.maxSeconds} s`,
  ];
  item.tooltip = [goal.condition, `${standing(goal)}, set by ${goal.source}`, ...budget]
    .filter(Boolean)
    .join("\n");
  item.accessibilityInformation = { label: `${goal.condition}: ${standing(goal)}` };
  return item;
}

function goalIcon(goal: Goal): vscode.ThemeIcon {
  if (goal.state === "abandoned") {
    return new vscode.ThemeIcon("circle-slash");
  }
  if (WAITING.has(goal.state)) {
    return new vscode.ThemeIcon("debug-pause");
  }
  return seenIcon(goal.verdict === null ? undefined : goal.verdict === "met");
}

function checkItem(goal: Goal, check: Check, seen: Evidence | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(check.command);
  item.id = `check ${goal.id} ${check.command}`;
  item.iconPath = seenIcon(seen?.passed);
  if (seen) {
    item.description = seen.problem ?? (seen.results || `${(seen.durationMs / 1000).toFixed(1)} s`);
    const tooltip = new vscode.MarkdownString();
    tooltip.appendText(`exit code ${seen.exitCode ?? "none"}, ${seen.startedAt}`);
    tooltip.appendCodeblock(seen.outputTail.slice(-2_000), "text");
    item.tooltip = tooltip;
  }
  item.command = { command: "milepost.showGoal", title: "Show Evidence", arguments: [{ goal }] };
  return item;
}

function seenIcon(passed: boolean | undefined): vscode.ThemeIcon {
  if (passed === undefined) {
    return new vscode.ThemeIcon("target");
  }
  return passed
    ? new vscode.ThemeIcon("pass", new vscode.ThemeColor("testing.iconPassed"))
    : new vscode.ThemeIcon("error", new vscode.ThemeColor("testing.iconFailed"));
}
