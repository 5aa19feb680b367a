/** What is asked before a goal is set or changed: which one, how much, and whether. */

import * as vscode from "vscode";
import type { Check, Goal, Sign } from "../protocol.ts";
import { limits, standing } from "./standing.ts";

/** What the server takes. */
const CONDITION_CHARS = 2_000;

export interface Budget {
  readonly maxVerifications: number | null;
  readonly maxSeconds: number | null;
}

/** One of several goals, or undefined; of one that one. */
export async function pickGoal(title: string, goals: readonly Goal[]): Promise<Goal | undefined> {
  if (goals.length <= 1) {
    return goals[0];
  }
  const rows = goals.map((goal) => ({
    label: firstLine(goal.condition),
    description: standing(goal),
    goal,
  }));
  return (await vscode.window.showQuickPick(rows, { title, matchOnDescription: true }))?.goal;
}

/** A goal's condition and its checks, or undefined; `propose` finds some for the condition. */
export async function askGoal(
  propose: (condition: string) => Promise<readonly Check[]>,
): Promise<{ condition: string; checks: string[] } | undefined> {
  const condition = await vscode.window.showInputBox({
    title: "Set a Goal (1 of 2)",
    prompt: "When is it done?",
    placeHolder: "The tests pass and the parser reads empty files",
    ignoreFocusOut: true,
    validateInput: wrongCondition,
  });
  if (condition === undefined) {
    return undefined;
  }
  const words = condition.trim();
  const checks = await askChecks(await propose(words));
  return checks && { condition: words, checks };
}

/** Those of the proposed checks that are taken, and others; undefined when it is left. */
async function askChecks(proposed: readonly Check[]): Promise<string[] | undefined> {
  if (proposed.length === 0) {
    return writeChecks();
  }
  const own = { label: "$(edit) Write another…", check: undefined, picked: false };
  const rows = proposed.map((check) => ({
    label: check.command,
    description: "proposed for this project",
    check,
    picked: true,
  }));
  const chosen = await vscode.window.showQuickPick([...rows, own], {
    title: "Set a Goal (2 of 2)",
    placeHolder: "How can that be seen? Without any, only a model can judge it.",
    canPickMany: true,
    ignoreFocusOut: true,
  });
  if (!chosen) {
    return undefined;
  }
  const taken = chosen.flatMap(({ check }) => (check ? [check.command] : []));
  const written = chosen.includes(own) ? await writeChecks() : [];
  return written && [...taken, ...written];
}

async function writeChecks(): Promise<string[] | undefined> {
  const lines = await vscode.window.showInputBox({
    title: "Set a Goal (2 of 2)",
    prompt:
      "How can that be seen? A command, or one such as “file: PATH”; several with “;;”. " +
      "Without one, only a model can judge it.",
    placeHolder: "python3 -m unittest",
    ignoreFocusOut: true,
  });
  const checks = lines?.split(";;").map((line) => line.trim());
  return checks?.filter(Boolean);
}

export function wrongCondition(text: string): string | undefined {
  if (!text.trim()) {
    return "Say in a sentence when it is done.";
  }
  return text.trim().length > CONDITION_CHARS
    ? `A condition has at most ${CONDITION_CHARS} characters.`
    : undefined;
}

/** Both limits of a goal, each a number or none, or undefined. */
export async function askBudget(goal: Goal): Promise<Budget | undefined> {
  const now = limits(goal).join(", ") || "no limit";
  const times = await vscode.window.showInputBox({
    title: "Budget of the Goal (1 of 2)",
    prompt: `How often may it be verified, in all? Empty: as often as is wanted. Now: ${now}.`,
    value: shown(goal.maxVerifications),
    ignoreFocusOut: true,
    validateInput: (text) => wrongLimit(text, "whole"),
  });
  if (times === undefined) {
    return undefined;
  }
  const seconds = await vscode.window.showInputBox({
    title: "Budget of the Goal (2 of 2)",
    prompt: `How many seconds may its checks take, in all? Empty: as many as they need. Now: ${now}.`,
    value: shown(goal.maxSeconds),
    ignoreFocusOut: true,
    validateInput: (text) => wrongLimit(text, "any"),
  });
  return seconds === undefined
    ? undefined
    : { maxVerifications: limit(times), maxSeconds: limit(seconds) };
}

/** What is wrong with a limit as it was typed, if anything is. */
export function wrongLimit(text: string, numbers: "whole" | "any"): string | undefined {
  const value = limit(text);
  const isSound = value === null || (Number.isFinite(value) && value > 0);
  if (isSound && (numbers === "any" || Number.isSafeInteger(value ?? 1))) {
    return undefined;
  }
  return numbers === "whole"
    ? "Write a whole number above 0, or nothing for no limit."
    : "Write a number above 0, or nothing for no limit.";
}

/** Whether these commands may be run whenever the goal is verified. */
export async function mayRun(goal: Goal): Promise<boolean> {
  const allow = "Allow";
  const many = goal.notAllowed.length > 1;
  const answer = await vscode.window.showWarningMessage(
    `Allow what ${goal.source.replace(/^mcp:/, "")} wants to run?`,
    {
      modal: true,
      detail: [
        `For the goal “${firstLine(goal.condition)}”, Milepost would run in this project:`,
        ...goal.notAllowed,
        many
          ? "Once allowed, these very commands may be run by any agent's goal here, without asking again."
          : "Once allowed, this very command may be run by any agent's goal here, without asking again.",
      ].join("\n\n"),
    },
    allow,
  );
  return answer === allow;
}

/** Which of the changes are honest: the ids of signs, or undefined. */
export async function askSigns(goal: Goal, signs: readonly Sign[]): Promise<string[] | undefined> {
  const rows = signs.map((sign) => ({
    label: sign.words,
    description: sign.kind,
    picked: true,
    sign,
  }));
  const chosen =
    rows.length > 1
      ? await vscode.window.showQuickPick(rows, {
          title: "Which of These Changes Are Right?",
          placeHolder: "Each was made since the goal was set, in what judges it",
          canPickMany: true,
          ignoreFocusOut: true,
        })
      : rows;
  if (!chosen?.length) {
    return undefined;
  }
  const accept = "Accept";
  const answer = await vscode.window.showWarningMessage(
    chosen.length > 1 ? `Accept these ${chosen.length} changes?` : "Accept this change?",
    {
      modal: true,
      detail: [
        `${chosen.length > 1 ? "They were" : "It was"} made since the goal “${firstLine(goal.condition)}” was set, in what judges it. Accept what you know to be right:`,
        ...chosen.map((row) => row.label),
        "The goal can then be met all the same. Another change is asked for anew.",
      ].join("\n\n"),
    },
    accept,
  );
  return answer === accept ? chosen.map((row) => row.sign.id) : undefined;
}

export async function mayAbandon(goal: Goal): Promise<boolean> {
  const abandon = "Abandon";
  const answer = await vscode.window.showWarningMessage(
    `Abandon the goal “${firstLine(goal.condition)}”?`,
    { modal: true, detail: "Its evidence stays, and it can be resumed." },
    abandon,
  );
  return answer === abandon;
}

export function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

function shown(value: number | null): string {
  return value === null ? "" : String(value);
}

/** Null for none; not a number for what is none. */
function limit(text: string): number | null {
  return text.trim() ? Number(text.trim()) : null;
}
