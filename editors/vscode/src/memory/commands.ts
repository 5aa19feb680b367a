/** What a person does with entries: remember, confirm, edit, forget, undo, search, show. */

import * as vscode from "vscode";
import type { CurrentProject } from "../project.ts";
import type { Entry, EntryKind, MemoryChange } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import { showMarkdown } from "../showing.ts";
import { provenance } from "./outline.ts";
import { Places } from "./places.ts";
import { pickEntry } from "./search.ts";

/** What a row of the tree, or a link in the chat, hands over. */
interface Chosen {
  readonly entry: Entry;
}

export class MemoryCommands {
  readonly places: Places;

  constructor(
    private readonly wire: Wire,
    private readonly project: CurrentProject,
    private readonly attach: (entry: Entry) => Promise<void>,
  ) {
    this.places = new Places(wire, project);
  }

  register(on: (name: string, run: (...args: never[]) => unknown) => void): void {
    on("milepost.addMemory", () => this.add());
    on("milepost.searchMemory", () => this.search());
    on("milepost.undoMemory", () => this.undo());
    on("milepost.confirmEntry", ({ entry }: Chosen) => this.confirm(entry));
    on("milepost.editEntry", ({ entry }: Chosen) => this.edit(entry));
    on("milepost.forgetEntry", ({ entry }: Chosen) => this.forget(entry));
    on("milepost.revealEntry", ({ entry }: Chosen) => this.places.show(entry));
    on("milepost.showEntryLog", ({ entry }: Chosen) => this.log(entry));
    on("milepost.attachEntry", ({ entry }: Chosen) => this.attach(entry));
    on("milepost.copyEntry", ({ entry }: Chosen) => vscode.env.clipboard.writeText(entry.text));
  }

  private async add(): Promise<void> {
    const text = await vscode.window.showInputBox({
      title: "Remember",
      prompt: "One fact, rule or decision; it holds for this project.",
      ignoreFocusOut: true,
    });
    if (!text?.trim()) {
      return;
    }
    const kinds: (vscode.QuickPickItem & { as: EntryKind })[] = [
      { label: "Knowledge", as: "knowledge", description: "something that was found out" },
      { label: "Rule", as: "rule", description: "how work is done here" },
      { label: "Decision", as: "decision", description: "what was chosen, and why" },
      { label: "Context", as: "context", description: "what this project is" },
    ];
    const chosen = await vscode.window.showQuickPick(kinds, { title: "As what?" });
    if (chosen) {
      await this.wire.command(
        "milepost.memory.remember",
        this.project.about({ text, kind: chosen.as }),
      );
    }
  }

  private async search(): Promise<void> {
    const entry = await pickEntry(this.wire, this.project, {
      title: "Search Memory",
      button: { icon: "comment-discussion", tooltip: "Add to Chat", run: this.attach },
    });
    if (entry) {
      await this.places.show(entry);
    }
  }

  private async confirm(entry: Entry): Promise<void> {
    await this.wire.command("milepost.memory.confirm", this.named(entry));
  }

  private async edit(entry: Entry): Promise<void> {
    const text = await vscode.window.showInputBox({
      title: "Edit Entry",
      value: entry.text,
      prompt: provenance(entry)[0] ?? "",
      ignoreFocusOut: true,
    });
    if (text?.trim() && text !== entry.text) {
      await this.wire.command("milepost.memory.edit", { ...this.named(entry), text });
    }
  }

  private async forget(entry: Entry): Promise<void> {
    await this.wire.command("milepost.memory.forget", this.named(entry));
    const undo = "Undo";
    const answer = await vscode.window.showInformationMessage(
      `Forgot “${shortened(entry.text)}”.`,
      undo,
    );
    if (answer === undo) {
      await this.undo(scopeWords(entry));
    }
  }

  private async undo(scope = "project"): Promise<void> {
    const change = await this.wire.command("milepost.memory.undo", this.project.about({ scope }));
    const first = change.revisions[0];
    const entry = first?.after ?? first?.before;
    const what = entry ? ` “${shortened(entry.text)}”` : "";
    vscode.window.setStatusBarMessage(`Milepost took a change of${what} back`, 5_000);
  }

  private async log(entry: Entry): Promise<void> {
    const changes = await this.wire.command(
      "milepost.memory.log",
      this.project.about({ id: entry.id, scope: scopeWords(entry) }),
    );
    await showMarkdown(logWords(entry, changes));
  }

  private named(entry: Entry): { id: string; version: string } {
    return this.project.about({ id: entry.id, version: entry.version });
  }
}

/** A scope as the log and the undo take it: of several, with its name. */
function scopeWords(entry: Entry): string {
  const named = entry.scope === "session" || entry.scope === "task";
  return named ? `${entry.scope} ${entry.within}` : entry.scope;
}

function logWords(entry: Entry, changes: readonly MemoryChange[]): string {
  const rows = changes.map((change) => {
    const revision = change.revisions.find((each) => (each.after ?? each.before)?.id === entry.id);
    const after = revision?.after?.text ?? "(gone)";
    const taken = change.undoneBy === null ? "" : ", taken back";
    return `## ${change.at}: ${change.action} by ${change.actor}${taken}\n\n${fenced(after)}`;
  });
  return `# Changes of an entry\n\n${rows.join("\n\n") || "None is recorded."}\n`;
}

function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

function shortened(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
