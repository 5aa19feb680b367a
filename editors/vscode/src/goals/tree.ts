/** The Goals view: goals, the newest first, each with its checks and what was last seen of them. */

import * as vscode from "vscode";
import type { CurrentProject } from "../project.ts";
import type { Check, Evidence, Goal, Sign, Verdict } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import { Tree } from "../tree.ts";
import { firstLine } from "./questions.ts";
import { deeds, isOpen, isWaiting, limits, openSigns, standing } from "./standing.ts";

export type GoalNode =
  | { readonly is: "goal"; readonly goal: Goal }
  | { readonly is: "check"; readonly goal: Goal; readonly check: Check }
  | { readonly is: "sign"; readonly goal: Goal; readonly sign: Sign }
  | { readonly is: "words"; readonly goal: Goal; readonly text: string };

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

  /** Keeps which changes were taken for honest. */
  sawSigns(goal: Goal, signs: readonly Sign[]): void {
    const verdict = this.verdicts.get(goal.id);
    if (verdict) {
      this.saw({ ...verdict, signs: [...signs] });
    }
  }

  /** The verdict that was last seen here, while it is the goal's last one. */
  verdictOf(goal: Goal): Verdict | undefined {
    const seen = this.verdicts.get(goal.id);
    return seen?.verdict === goal.verdict ? seen : undefined;
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
    const verdict = this.verdictOf(goal);
    const signs = openSigns(verdict?.signs ?? []);
    // What a check's own row or a change's says is not said again.
    const told = [
      ...goal.checks.map((check) => `\`${check.command}\``),
      ...signs.map((sign) => sign.words),
    ];
    const said = (verdict?.missing ?? []).filter(
      (text) => !told.some((beginning) => text.startsWith(beginning)),
    );
    return [
      ...goal.checks.map((check): GoalNode => ({ is: "check", goal, check })),
      ...signs.map((sign): GoalNode => ({ is: "sign", goal, sign })),
      ...said.map((text): GoalNode => ({ is: "words", goal, text })),
    ];
  }

  override getTreeItem(node: GoalNode): vscode.TreeItem {
    switch (node.is) {
      case "goal":
        return goalItem(node.goal, this.verdictOf(node.goal));
      case "check": {
        const { goal, check } = node;
        // Before its command stands what kind of check it is, if it is not a plain one.
        if (isOpen(goal) && goal.notAllowed.some((each) => check.command.endsWith(each))) {
          return asking(check.command, "waits for you", "shield", {
            command: "milepost.allowGoal",
            title: "Allow Commands",
            arguments: [{ goal }],
          });
        }
        const seen = this.verdictOf(goal)?.evidence;
        return checkItem(
          goal,
          check,
          seen?.find((e) => e.command === check.command),
        );
      }
      case "sign":
        return asking(node.sign.words, "changed", "warning", {
          command: "milepost.acceptGoalChanges",
          title: "Accept Changes",
          arguments: [{ goal: node.goal }],
        });
      case "words":
        return asking(node.text, "", "info");
    }
  }
}

function goalItem(goal: Goal, verdict: Verdict | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(
    firstLine(goal.condition),
    isOpen(goal)
      ? vscode.TreeItemCollapsibleState.Expanded
      : vscode.TreeItemCollapsibleState.Collapsed,
  );
  item.id = `goal ${goal.id}`;
  item.description = standing(goal);
  item.iconPath = goalIcon(goal);
  item.contextValue = ["goal", ...deeds(goal, verdict)].join(".");
  const budget = limits(goal).map((limit) => `at most ${limit}`);
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
  if (isOpen(goal) && goal.notAllowed.length > 0) {
    return new vscode.ThemeIcon("shield", new vscode.ThemeColor("list.warningForeground"));
  }
  if (isWaiting(goal)) {
    return new vscode.ThemeIcon("debug-pause");
  }
  return seenIcon(goal.verdict === null ? undefined : goal.verdict === "met");
}

/** A row that says something about its goal; a click does what it asks for. */
function asking(
  text: string,
  description: string,
  icon: string,
  command?: vscode.Command,
): vscode.TreeItem {
  const item = new vscode.TreeItem(text);
  item.description = description;
  const color = command && new vscode.ThemeColor("list.warningForeground");
  item.iconPath = new vscode.ThemeIcon(icon, color);
  item.tooltip = text;
  if (command) {
    item.command = command;
    item.tooltip = `${text}\n${command.title}…`;
  }
  return item;
}

function checkItem(goal: Goal, check: Check, seen: Evidence | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(check.command);
  item.id = `check ${goal.id} ${check.command}`;
  item.iconPath = seenIcon(seen?.passed);
  if (seen) {
    // How the results were read stands in the tooltip, where there is room.
    const results = seen.results.replace(/ \(.*\)$/, "");
    item.description = seen.problem ?? (results || `${(seen.durationMs / 1000).toFixed(1)} s`);
    const tooltip = new vscode.MarkdownString();
    const facts = [`exit code ${seen.exitCode ?? "none"}`, seen.startedAt, seen.results];
    tooltip.appendText(facts.filter(Boolean).join(", "));
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
