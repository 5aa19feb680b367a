/** The two sides of a comparison with a restore point, and how they are shown. */

import * as vscode from "vscode";
import type { CurrentProject } from "../project.ts";
import type { Checkpoint, CheckpointDiff } from "../protocol.ts";
import type { Wire } from "../server/server.ts";

export const SCHEME = "milepost";
/** The side on which a file is not there. */
export const NOTHING = vscode.Uri.parse("milepost-nothing:/");

export type ChangedFile = CheckpointDiff["changes"][number];

/** What changed from the point until now. */
export function changesSince(
  wire: Wire,
  project: CurrentProject,
  id: number,
): Promise<CheckpointDiff> {
  return wire.command("milepost.checkpoint.diff", project.about({ from: id }));
}

/** A file as it was at a point. */
export function fileAt(projectId: string, id: number, path: string): vscode.Uri {
  return vscode.Uri.from({
    scheme: SCHEME,
    authority: projectId,
    path: `/checkpoints/${id}/files/${path}`,
  });
}

/** One file, then and now. */
export async function showFile(
  project: CurrentProject,
  projectId: string,
  point: Checkpoint,
  change: ChangedFile,
): Promise<void> {
  const [then, now] = sides(project, projectId, point.id, change);
  await vscode.commands.executeCommand(
    "vscode.diff",
    then,
    now,
    `${change.path} (${titled(point)} ↔ now)`,
  );
}

/** Every changed file, in one editor. */
export async function showAll(
  project: CurrentProject,
  projectId: string,
  point: Checkpoint,
  changes: readonly ChangedFile[],
): Promise<void> {
  const [only] = changes;
  if (only && changes.length === 1) {
    await showFile(project, projectId, point, only);
    return;
  }
  const resources = changes.map((change) => {
    const [then, now] = sides(project, projectId, point.id, change);
    return [project.file(change.path) ?? now, then, now];
  });
  await vscode.commands.executeCommand("vscode.changes", `${titled(point)} ↔ now`, resources);
}

/** `#3 before the refactoring`, by its name where it has one. */
export function titled(point: Checkpoint): string {
  const words = point.name ?? point.label;
  return words ? `#${point.id} ${words}` : `#${point.id}`;
}

function sides(
  project: CurrentProject,
  projectId: string,
  id: number,
  change: ChangedFile,
): [vscode.Uri, vscode.Uri] {
  const then = change.kind === "added" ? NOTHING : fileAt(projectId, id, change.path);
  const file = project.file(change.path);
  const now = change.kind === "deleted" || !file ? NOTHING : file;
  return [then, now];
}
