/** The Checkpoints view: restore points, newest first, each with what changed since. */

import * as vscode from "vscode";
import type { CurrentProject } from "../project.ts";
import type { Checkpoint } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import { Tree } from "../tree.ts";
import { type ChangedFile, changesSince, titled } from "./documents.ts";

/** More files than this are looked at in the preview. */
const FILES_SHOWN = 200;

export type CheckpointNode =
  | { readonly is: "point"; readonly point: Checkpoint }
  | { readonly is: "file"; readonly point: Checkpoint; readonly change: ChangedFile }
  | { readonly is: "words"; readonly text: string; readonly command?: string };

const MARKS: Record<string, string> = {
  added: "A",
  modified: "M",
  deleted: "D",
  mode: "mode",
  type: "type",
};

export class CheckpointTree extends Tree<CheckpointNode> {
  private pages = 1;

  constructor(
    private readonly wire: Wire,
    private readonly project: CurrentProject,
  ) {
    super();
  }

  showMore(): void {
    this.pages += 1;
    this.refresh();
  }

  protected override async roots(): Promise<CheckpointNode[]> {
    const shown = vscode.workspace.getConfiguration("milepost").get("checkpoints.shown", 30);
    const limit = Math.min(500, shown * this.pages);
    const { checkpoints, isCut } = await listed(this.wire, this.project, limit);
    const nodes: CheckpointNode[] = checkpoints.map((point) => ({ is: "point", point }));
    if (isCut) {
      nodes.push({ is: "words", text: "Older ones…", command: "milepost.moreCheckpoints" });
    }
    return nodes;
  }

  protected override async branches(node: CheckpointNode): Promise<CheckpointNode[]> {
    if (node.is !== "point") {
      return [];
    }
    const { point } = node;
    const { changes } = await changesSince(this.wire, this.project, point.id);
    if (changes.length === 0) {
      return [{ is: "words", text: "Nothing has changed since" }];
    }
    const files: CheckpointNode[] = changes
      .slice(0, FILES_SHOWN)
      .map((change) => ({ is: "file", point, change }));
    if (changes.length > FILES_SHOWN) {
      files.push({ is: "words", text: `${changes.length - FILES_SHOWN} more files` });
    }
    return files;
  }

  override getTreeItem(node: CheckpointNode): vscode.TreeItem {
    switch (node.is) {
      case "point":
        return pointItem(node.point);
      case "file":
        return this.fileItem(node.point, node.change);
      case "words": {
        const item = new vscode.TreeItem(node.text);
        if (node.command) {
          item.command = { command: node.command, title: node.text };
        }
        return item;
      }
    }
  }

  private fileItem(point: Checkpoint, change: ChangedFile): vscode.TreeItem {
    const item = new vscode.TreeItem(change.path);
    const file = this.project.file(change.path);
    if (file) {
      item.resourceUri = file;
    }
    item.id = `file ${point.id} ${change.path}`;
    item.description = MARKS[change.kind] ?? change.kind;
    item.tooltip = `${change.path}: ${change.kind} since #${point.id}`;
    item.contextValue = "file";
    item.command = {
      command: "milepost.showCheckpointFile",
      title: "Compare",
      arguments: [{ point, change }],
    };
    return item;
  }
}

export interface Listed {
  readonly checkpoints: readonly Checkpoint[];
  readonly isCut: boolean;
}

/** The newest points; the server hands out at most a hundred at a time. */
export async function listed(wire: Wire, project: CurrentProject, limit: number): Promise<Listed> {
  const page = Math.min(limit, 100);
  const checkpoints: Checkpoint[] = [];
  while (checkpoints.length < limit) {
    const argument = project.about({ limit: page, offset: checkpoints.length });
    const got = await wire.command("milepost.checkpoint.list", argument);
    checkpoints.push(...got.checkpoints);
    if (got.checkpoints.length < page) {
      return { checkpoints, isCut: false };
    }
  }
  return { checkpoints, isCut: true };
}

function pointItem(point: Checkpoint): vscode.TreeItem {
  const item = new vscode.TreeItem(titled(point), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `point ${point.id}`;
  item.description = `${when(point.createdAt)} · ${counted(point.filesChanged, "file")}`;
  item.iconPath = new vscode.ThemeIcon(
    point.pinned ? "pinned" : point.actor.startsWith("user") ? "milestone" : "git-commit",
  );
  item.contextValue = point.pinned ? "point.pinned" : "point";
  const facts = [
    point.label,
    `${point.createdAt}, by ${point.actor}`,
    `${counted(point.filesChanged, "file")} changed, ${point.filesTotal} in all`,
    ...(point.notCoveredTotal > 0
      ? [`not covered: ${counted(point.notCoveredTotal, "path")}`]
      : []),
  ];
  item.tooltip = facts.filter(Boolean).join("\n");
  return item;
}

/** The time of day for today's points, else the date too. */
export function when(iso: string, now: Date = new Date()): string {
  const at = new Date(iso);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return at.toDateString() === now.toDateString() ? time : `${at.toLocaleDateString()} ${time}`;
}

export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
