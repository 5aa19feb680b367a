/** Shows what the commands of code actions answered; the server leaves that to us. */

import * as vscode from "vscode";
import { provenance } from "./memory/outline.ts";
import type {
  Answer,
  Checkpoint,
  Edited,
  Entry,
  Goal,
  MemoryChange,
  Restore,
  Verdict,
} from "./protocol.ts";
import { showMarkdown } from "./showing.ts";

type Present = (answer: never) => void | Promise<void>;

const PRESENT: Record<string, Present> = {
  "milepost.memory.remember": (entry: Entry) => say(`Remembered: ${entry.text}`),
  "milepost.memory.confirm": (entry: Entry) => say(`Confirmed: ${entry.text}`),
  "milepost.memory.forget": (entry: Entry) => say(`Forgot: ${entry.text}`),
  "milepost.memory.undo": () => say("Took the last change of memory back."),
  "milepost.memory.about": ({ symbol, entries }: { symbol: string; entries: Entry[] }) =>
    showMarkdown(`# What memory knows about ${symbol}\n\n${listed(entries)}\n`),
  "milepost.memory.list": async () => {
    await vscode.commands.executeCommand("milepost.memory.focus");
  },
  "milepost.memory.brief": showText,
  "milepost.memory.log": (changes: MemoryChange[]) =>
    showMarkdown(
      `# Changes\n\n${changes.map((each) => `- ${each.at}: ${each.action} by ${each.actor}`).join("\n")}\n`,
    ),
  "milepost.checkpoint.save": (point: Checkpoint) => say(`Saved checkpoint #${point.id}.`),
  "milepost.checkpoint.goBack": (restore: Restore | null) => {
    if (restore?.applied) {
      say(`Went back to #${restore.checkpointId}: ${restore.changes.length} files changed.`);
    }
  },
  "milepost.checkpoint.undo": (restore: Restore) =>
    say(`Took the restore back: ${restore.changes.length} files changed.`),
  "milepost.assist.ask": showAnswer,
  "milepost.assist.explain": showAnswer,
  "milepost.assist.fix": sayUnlessProposed,
  "milepost.assist.document": sayUnlessProposed,
  "milepost.assist.test": sayUnlessProposed,
  "milepost.goal.set": (goal: Goal) => say(`Set the goal “${goal.condition}”.`),
  "milepost.goal.verify": (verdict: Verdict) =>
    say(`${verdict.verdict.replace("_", " ")}: ${[verdict.reason, ...verdict.missing].join("; ")}`),
};

/** What the server is told to call for each answer. */
export function presenter(): (command: string, answer: unknown) => void {
  return (command, answer) => {
    const present = PRESENT[command] ?? (hasText(answer) ? showText : undefined);
    if (answer !== undefined) {
      void present?.(answer as never);
    }
  };
}

function showAnswer({ words, entries }: Answer): Promise<void> {
  const known = entries.length > 0 ? `\n\n## What memory knows of it\n\n${listed(entries)}` : "";
  return showMarkdown(`${words}${known}\n`);
}

/** A proposal is shown when the server tells of it. */
function sayUnlessProposed({ proposal, words }: Edited): void {
  if (!proposal) {
    say(words);
  }
}

/** What a command of a later server has to say is shown, too. */
function hasText(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "text" in answer;
}

function showText({ text }: { text: string }): Promise<void> {
  return showMarkdown(text);
}

function say(words: string): void {
  void vscode.window.showInformationMessage(words.length > 200 ? `${words.slice(0, 199)}…` : words);
}

function listed(entries: readonly Entry[]): string {
  if (entries.length === 0) {
    return "Nothing.";
  }
  return entries
    .map((entry) => {
      const text = entry.text.replaceAll("\n", "\n    ");
      return `    ${text}\n\n${provenance(entry).join(" · ")}`;
    })
    .join("\n\n");
}
