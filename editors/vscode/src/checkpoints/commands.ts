/** What a person does with restore points: save, preview, restore, undo, redo, pin, name. */

import * as vscode from "vscode";
import type { CurrentProject } from "../project.ts";
import type { Checkpoint, GoBackArguments, Restore } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import type { StatusBar } from "../status.ts";
import { type ChangedFile, changesSince, showAll, showFile, titled } from "./documents.ts";
import { counted, listed, when } from "./tree.ts";

/** What a row of the tree hands over; nothing, when the command came from the palette. */
interface Chosen {
  readonly point: Checkpoint;
}

type TakeBack = "milepost.checkpoint.undo" | "milepost.checkpoint.redo";

interface ChosenFile extends Chosen {
  readonly change: ChangedFile;
}

const POINTS_OFFERED = 50;
/** A question names a few files; the rest is a number. */
const FILES_NAMED = 8;

export class CheckpointCommands {
  constructor(
    private readonly wire: Wire,
    private readonly project: CurrentProject,
    private readonly status: StatusBar,
  ) {}

  register(on: (name: string, run: (...args: never[]) => unknown) => void): void {
    on("milepost.saveCheckpoint", () => this.save());
    on("milepost.previewCheckpoint", (chosen?: Chosen) => this.preview(chosen));
    on("milepost.restoreCheckpoint", (chosen?: Chosen) => this.restore(chosen));
    on("milepost.restoreFile", ({ point, change }: ChosenFile) =>
      this.restore({ point }, [change.path]),
    );
    on("milepost.showCheckpointFile", async ({ point, change }: ChosenFile) =>
      showFile(this.project, await this.status.projectId(), point, change),
    );
    on("milepost.undoRestore", () => this.takeBack("milepost.checkpoint.undo", "Took back"));
    on("milepost.redoRestore", () => this.takeBack("milepost.checkpoint.redo", "Did again"));
    on("milepost.pinCheckpoint", ({ point }: Chosen) => this.pin(point, { pinned: true }));
    on("milepost.unpinCheckpoint", ({ point }: Chosen) => this.pin(point, { pinned: false }));
    on("milepost.nameCheckpoint", ({ point }: Chosen) => this.name(point));
  }

  /** A point by its number, as links in the chat name it. */
  async previewById(id: number): Promise<void> {
    await this.preview({ point: await this.byId(id) });
  }

  async restoreById(id: number): Promise<void> {
    await this.restore({ point: await this.byId(id) });
  }

  private async save(): Promise<void> {
    const label = await vscode.window.showInputBox({
      title: "Save Checkpoint",
      prompt: "A few words that help to find it again; may be empty.",
    });
    if (label === undefined) {
      return;
    }
    const argument = this.project.about({ label });
    const point = await this.wire.command("milepost.checkpoint.save", argument);
    vscode.window.setStatusBarMessage(`Saved checkpoint ${titled(point)}`, 5_000);
  }

  private async preview(chosen: Chosen | undefined): Promise<void> {
    const point = chosen?.point ?? (await this.pick("Preview which checkpoint?"));
    if (!point) {
      return;
    }
    const { changes } = await changesSince(this.wire, this.project, point.id);
    if (changes.length === 0) {
      vscode.window.showInformationMessage(`Nothing differs from ${titled(point)}.`);
      return;
    }
    await showAll(this.project, await this.status.projectId(), point, changes);
  }

  private async restore(chosen: Chosen | undefined, paths: string[] = []): Promise<void> {
    const point = chosen?.point ?? (await this.pick("Restore which checkpoint?"));
    if (!point) {
      return;
    }
    const wish = { id: point.id, paths };
    const plan = await this.goBack({ ...wish, apply: false });
    if (plan.changes.length === 0) {
      vscode.window.showInformationMessage(`Nothing differs from ${titled(point)}.`);
      return;
    }
    const restore = "Restore";
    const answer = await vscode.window.showWarningMessage(
      `Go back to ${titled(point)}?`,
      { modal: true, detail: planned(plan) },
      restore,
    );
    if (answer === restore) {
      const done = await this.goBack({ ...wish, apply: true });
      await this.report(`Went back to ${titled(point)}`, done);
    }
  }

  private async goBack(argument: GoBackArguments): Promise<Restore> {
    const about = this.project.about(argument);
    const restore = await this.wire.command("milepost.checkpoint.goBack", about);
    if (!restore) {
      throw new Error("No restore point was named.");
    }
    return restore;
  }

  private async takeBack(command: TakeBack, what: string): Promise<void> {
    const done = await this.wire.command(command, this.project.about({}));
    await this.report(`${what} the restore`, done, { undoable: false });
  }

  private async report(what: string, done: Restore, { undoable = true } = {}): Promise<void> {
    const left = done.refused.length > 0 ? ` Left alone: ${reasons(done)}.` : "";
    const words = `${what}: ${counted(done.changes.length, "file")} changed.${left}`;
    const say = left ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
    const undo = "Undo";
    const answer = await say(words, ...(undoable && done.undoId !== null ? [undo] : []));
    if (answer === undo) {
      await this.takeBack("milepost.checkpoint.undo", "Took back");
    }
  }

  private async pin(point: Checkpoint, { pinned }: { pinned: boolean }): Promise<void> {
    const argument = this.project.about({ id: point.id, pinned });
    await this.wire.command("milepost.checkpoint.pin", argument);
  }

  private async name(point: Checkpoint): Promise<void> {
    const name = await vscode.window.showInputBox({
      title: `Name ${titled(point)}`,
      value: point.name ?? "",
      prompt: "A point with a name is kept for good.",
    });
    if (name?.trim()) {
      await this.wire.command(
        "milepost.checkpoint.name",
        this.project.about({ id: point.id, name }),
      );
    }
  }

  private async pick(title: string): Promise<Checkpoint | undefined> {
    const { checkpoints } = await listed(this.wire, this.project, POINTS_OFFERED);
    const rows = checkpoints.map((point) => ({
      label: titled(point),
      description: `${when(point.createdAt)} · ${counted(point.filesChanged, "file")}`,
      point,
    }));
    return (await vscode.window.showQuickPick(rows, { title }))?.point;
  }

  private async byId(id: number): Promise<Checkpoint> {
    const { checkpoints } = await listed(this.wire, this.project, 500);
    const found = checkpoints.find((point) => point.id === id);
    if (!found) {
      throw new Error(`Checkpoint #${id} is no longer kept.`);
    }
    return found;
  }
}

function planned(plan: Restore): string {
  const verbs: Record<string, string> = { added: "brings back", deleted: "removes" };
  const lines = plan.changes
    .slice(0, FILES_NAMED)
    .map((change) => `${verbs[change.kind] ?? "changes"} ${change.path}`);
  const more = plan.changes.length - FILES_NAMED;
  const rest = more > 0 ? [`and ${counted(more, "more file")}`] : [];
  const refused = plan.refused.length > 0 ? [`leaves alone ${reasons(plan)}`] : [];
  return [...lines, ...rest, ...refused, "", "It can be undone."].join("\n");
}

function reasons(restore: Restore): string {
  const first = restore.refused[0];
  const more = restore.refused.length - 1;
  return `${first?.path} (${first?.reason})${more > 0 ? ` and ${more} more` : ""}`;
}
