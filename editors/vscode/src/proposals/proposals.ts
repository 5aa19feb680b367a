/** Edits that wait for a verdict: kept as the server tells of them, judged hunk by hunk. */

import * as vscode from "vscode";
import { SCHEME } from "../checkpoints/documents.ts";
import type { CurrentProject } from "../project.ts";
import type { Hunk, Proposal } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import type { StatusBar } from "../status.ts";

export type Judgement = "accept" | "reject";

/** Judged ones are kept so that the chat can show how they ended; this many of them. */
const KEPT = 200;

export class Proposals implements vscode.Disposable {
  private readonly known = new Map<string, Proposal>();
  private readonly changed = new vscode.EventEmitter<Proposal>();
  readonly onDidChange = this.changed.event;
  private readonly listening: vscode.Disposable;

  constructor(
    private readonly wire: Wire,
    private readonly project: CurrentProject,
    private readonly status: StatusBar,
  ) {
    this.listening = vscode.Disposable.from(
      wire.onNotification("milepost/proposal/didChange", ({ proposal }) => this.keep(proposal)),
      wire.onDidChangeState((state) => {
        if (state === "running") {
          void this.look();
        }
      }),
    );
  }

  get all(): Proposal[] {
    return [...this.known.values()];
  }

  /** The proposals on a document that still have something to judge. */
  openFor(uri: vscode.Uri): Proposal[] {
    return this.all.filter(
      (each) => each.state === "open" && vscode.Uri.parse(each.uri).fsPath === uri.fsPath,
    );
  }

  async judge(id: string, judgement: Judgement, hunks?: string[]): Promise<void> {
    const params = { proposalId: id, ...(hunks ? { hunks } : {}), ...this.project.about({}) };
    this.keep(await this.wire.request(`milepost/proposal/${judgement}`, params));
  }

  /** Old and new side by side; where the new is in the file already, the file itself. */
  async show(id: string): Promise<void> {
    const proposal = this.known.get(id);
    if (!proposal) {
      throw new Error("This proposal is no longer kept.");
    }
    const authority = await this.status.projectId();
    const side = (name: string): vscode.Uri =>
      vscode.Uri.from({ scheme: SCHEME, authority, path: `/proposals/${id}/${name}` });
    const right = proposal.isApplied ? vscode.Uri.parse(proposal.uri) : side("new");
    await vscode.commands.executeCommand("vscode.diff", side("old"), right, proposal.title);
  }

  dispose(): void {
    this.listening.dispose();
    this.changed.dispose();
  }

  private async look(): Promise<void> {
    const { proposals } = await this.wire
      .request("milepost/proposal/list", this.project.about({}))
      .catch(() => ({ proposals: [] as Proposal[] }));
    for (const proposal of proposals) {
      this.keep(proposal);
    }
  }

  private keep(proposal: Proposal): void {
    // A code action asked for it: nowhere else would it be seen.
    const isNews = proposal.origin === "action" && !this.known.has(proposal.id);
    this.known.delete(proposal.id);
    this.known.set(proposal.id, proposal);
    const [oldest] = this.known.keys();
    if (this.known.size > KEPT && oldest !== undefined) {
      this.known.delete(oldest);
    }
    this.changed.fire(proposal);
    if (isNews && proposal.state === "open") {
      void this.show(proposal.id);
    }
  }
}

/** The open hunk at a zero-based line of the new text, else the nearest one. */
export function hunkAt(proposal: Proposal, line: number): Hunk | undefined {
  const distance = (hunk: Hunk): number => {
    const last = hunk.newStart + Math.max(0, hunk.newLines - 1);
    return Math.max(0, hunk.newStart - line, line - last);
  };
  return proposal.hunks
    .filter((hunk) => hunk.state === "open")
    .sort((a, b) => distance(a) - distance(b))[0];
}
