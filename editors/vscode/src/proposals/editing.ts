/** Proposals in the editors: buttons above the diff, and a lens above each hunk of the file. */

import * as vscode from "vscode";
import { SCHEME } from "../checkpoints/documents.ts";
import type { Hunk, Proposal } from "../protocol.ts";
import { hunkAt, type Judgement, type Proposals } from "./proposals.ts";

/** What a lens hands over. */
interface Named {
  readonly proposalId: string;
  readonly hunkId: string;
}

export class ProposalEditing implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changed.event;
  private readonly listening: vscode.Disposable;

  constructor(private readonly proposals: Proposals) {
    this.listening = vscode.Disposable.from(
      vscode.languages.registerCodeLensProvider({ scheme: "file" }, this),
      vscode.window.onDidChangeActiveTextEditor(() => this.look()),
      proposals.onDidChange(() => {
        this.changed.fire();
        this.look();
      }),
    );
  }

  register(on: (name: string, run: (...args: never[]) => unknown) => void): void {
    on("milepost.acceptHunk", (named?: Named) => this.judgeHunk("accept", named));
    on("milepost.rejectHunk", (named?: Named) => this.judgeHunk("reject", named));
    on("milepost.acceptProposal", () => this.judgeAll("accept"));
    on("milepost.rejectProposal", () => this.judgeAll("reject"));
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    return this.proposals
      .openFor(document.uri)
      .filter((proposal) => proposal.isApplied)
      .flatMap((proposal) =>
        proposal.hunks
          .filter((hunk) => hunk.state === "open")
          .flatMap((hunk) => lenses(document, proposal, hunk)),
      );
  }

  dispose(): void {
    this.listening.dispose();
    this.changed.dispose();
  }

  private async judgeHunk(judgement: Judgement, named: Named | undefined): Promise<void> {
    // From a button above the editor comes the document's URI instead.
    if (named && "hunkId" in named) {
      await this.proposals.judge(named.proposalId, judgement, [named.hunkId]);
      return;
    }
    const line = vscode.window.activeTextEditor?.selection.active.line ?? 0;
    const [proposal] = this.shown();
    const hunk = proposal && hunkAt(proposal, line);
    if (proposal && hunk) {
      await this.proposals.judge(proposal.id, judgement, [hunk.id]);
    }
  }

  private async judgeAll(judgement: Judgement): Promise<void> {
    for (const proposal of this.shown()) {
      await this.proposals.judge(proposal.id, judgement);
    }
  }

  /** The open proposals on what the active editor shows, a file or one side of a proposal. */
  private shown(): Proposal[] {
    const uri = vscode.window.activeTextEditor?.document.uri;
    if (!uri) {
      return [];
    }
    if (uri.scheme === SCHEME) {
      const id = /^\/proposals\/([^/]+)\//.exec(uri.path)?.[1];
      return this.proposals.all.filter((each) => each.id === id && each.state === "open");
    }
    return this.proposals.openFor(uri);
  }

  private look(): void {
    const isOpen = this.shown().length > 0;
    void vscode.commands.executeCommand("setContext", "milepost.proposalOpen", isOpen);
  }
}

function lenses(document: vscode.TextDocument, proposal: Proposal, hunk: Hunk): vscode.CodeLens[] {
  const line = Math.min(hunk.newStart, document.lineCount - 1);
  const place = new vscode.Range(line, 0, line, 0);
  const named: Named = { proposalId: proposal.id, hunkId: hunk.id };
  return [
    new vscode.CodeLens(place, {
      title: "$(check) Accept",
      tooltip: proposal.title,
      command: "milepost.acceptHunk",
      arguments: [named],
    }),
    new vscode.CodeLens(place, {
      title: "$(close) Reject",
      tooltip: proposal.title,
      command: "milepost.rejectHunk",
      arguments: [named],
    }),
  ];
}
