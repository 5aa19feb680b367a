/** The Memory view: scopes, sections, entries. */

import * as vscode from "vscode";
import type { CurrentProject } from "../project.ts";
import type { Entry, EntryPage } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import { Tree } from "../tree.ts";
import {
  isDoubtful,
  isOfRulesFile,
  outline,
  provenance,
  type ScopeGroup,
  type Section,
} from "./outline.ts";

const PAGE = 100;
/** Nobody scrolls through more; the rest is found by searching. */
const PAGES = 5;

export type MemoryNode =
  | { readonly is: "scope"; readonly group: ScopeGroup }
  | { readonly is: "section"; readonly section: Section }
  | { readonly is: "entry"; readonly entry: Entry }
  | { readonly is: "more"; readonly count: number };

/** A dozen lines; a click shows the whole where it stands. */
const HOVER_CHARS = 800;

export class MemoryTree extends Tree<MemoryNode> {
  constructor(
    private readonly wire: Wire,
    private readonly project: CurrentProject,
  ) {
    super();
  }

  protected override async roots(): Promise<MemoryNode[]> {
    const { entries, total } = await this.entries();
    const nodes: MemoryNode[] = outline(entries).map((group) => ({ is: "scope", group }));
    if (total > entries.length) {
      nodes.push({ is: "more", count: total - entries.length });
    }
    return nodes;
  }

  protected override branches(node: MemoryNode): MemoryNode[] {
    if (node.is === "scope") {
      return node.group.sections.map((section) => ({ is: "section", section }));
    }
    if (node.is === "section") {
      return node.section.entries.map((entry) => ({ is: "entry", entry }));
    }
    return [];
  }

  override getTreeItem(node: MemoryNode): vscode.TreeItem {
    switch (node.is) {
      case "scope":
        return folder(node.group.title, String(node.group.total), `scope ${node.group.scope}`);
      case "section": {
        const { title, entries, scope } = node.section;
        return folder(title, String(entries.length), `section ${scope} ${title}`);
      }
      case "more": {
        const item = new vscode.TreeItem(`${node.count} more: search for them`);
        item.command = { command: "milepost.searchMemory", title: "Search Memory" };
        return item;
      }
      case "entry":
        return entryItem(node.entry);
    }
  }

  private async entries(): Promise<{ entries: Entry[]; total: number }> {
    const entries: Entry[] = [];
    let offset: number | null = 0;
    let total = 0;
    for (let page = 0; page < PAGES && offset !== null; page++) {
      const argument = this.project.about({ offset, limit: PAGE });
      const got: EntryPage = await this.wire.command("milepost.memory.list", argument);
      entries.push(...got.entries);
      total = got.total;
      offset = got.nextOffset;
    }
    return { entries, total };
  }
}

function folder(title: string, count: string, id: string): vscode.TreeItem {
  const item = new vscode.TreeItem(title, vscode.TreeItemCollapsibleState.Expanded);
  item.id = id;
  item.description = count;
  item.contextValue = "folder";
  return item;
}

function entryItem(entry: Entry): vscode.TreeItem {
  const item = new vscode.TreeItem(entry.text.split("\n", 1)[0] ?? "");
  item.id = `entry ${entry.scope} ${entry.within} ${entry.id} ${entry.source}`;
  item.description = entry.doubts.length > 0 ? "suspect" : described(entry.status);
  item.iconPath = icon(entry);
  item.tooltip = tooltip(entry);
  item.accessibilityInformation = {
    label: `${entry.text}. ${provenance(entry).slice(0, -1).join(". ")}`,
  };
  item.command = { command: "milepost.revealEntry", title: "Show", arguments: [{ entry }] };
  item.contextValue = isOfRulesFile(entry)
    ? "entry"
    : `entry.${isDoubtful(entry) ? "confirm." : ""}change`;
  return item;
}

function described(status: string): string {
  return status === "stated" || status === "confirmed" ? "" : status;
}

function icon(entry: Entry): vscode.ThemeIcon {
  if (entry.doubts.length > 0) {
    return new vscode.ThemeIcon("warning", new vscode.ThemeColor("list.warningForeground"));
  }
  if (isOfRulesFile(entry)) {
    return new vscode.ThemeIcon("file");
  }
  const names: Record<string, string> = {
    stated: "account",
    confirmed: "pass",
    unverified: "question",
    superseded: "archive",
  };
  return new vscode.ThemeIcon(names[entry.status] ?? "circle-outline");
}

function tooltip(entry: Entry): vscode.MarkdownString {
  const shown = new vscode.MarkdownString();
  // Remembered text is data: in a code block nothing of it becomes a link or a picture.
  const { text } = entry;
  shown.appendCodeblock(
    text.length > HOVER_CHARS ? `${text.slice(0, HOVER_CHARS)}…` : text,
    "text",
  );
  for (const fact of provenance(entry)) {
    shown.appendText(fact);
    shown.appendMarkdown("  \n");
  }
  return shown;
}
