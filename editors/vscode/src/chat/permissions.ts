/** Calls that wait for a person's word: shown in the chat, and as a message when it is not seen. */

import * as vscode from "vscode";
import { plain } from "../disguise.ts";
import type { PermissionOutcome, PermissionParams } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import type { PermissionShown } from "./messages.ts";

const CANCELLED: PermissionOutcome = { outcome: "cancelled" };

interface Waiting {
  readonly shown: PermissionShown;
  readonly answer: (result: PermissionOutcome) => void;
}

export class Permissions implements vscode.Disposable {
  private readonly waiting = new Map<string, Waiting>();
  private asked = 0;
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;
  private readonly listening: vscode.Disposable;

  constructor(
    wire: Wire,
    /** Whether the page that shows this session can be seen. */
    private readonly isSeen: (sessionId: string) => boolean,
  ) {
    this.listening = vscode.Disposable.from(
      wire.onRequest("milepost/permission/request", (params, token) => this.ask(params, token)),
      wire.onDidChangeState(() => this.cancelAll()),
    );
  }

  /** Those of a session. */
  of(sessionId: string | undefined): PermissionShown[] {
    return [...this.waiting.values()]
      .map((each) => each.shown)
      .filter((shown) => shown.sessionId === sessionId);
  }

  /** Without an option the answer is no. */
  answer(requestId: string, optionId: string | undefined): void {
    const result: PermissionOutcome =
      optionId === undefined ? CANCELLED : { outcome: "selected", optionId };
    this.waiting.get(requestId)?.answer(result);
  }

  dispose(): void {
    this.cancelAll();
    this.listening.dispose();
    this.changed.dispose();
  }

  private ask(
    params: PermissionParams,
    token: vscode.CancellationToken,
  ): Promise<PermissionOutcome> {
    this.asked += 1;
    const requestId = `permission-${this.asked}`;
    return new Promise((resolve) => {
      const answer = (result: PermissionOutcome): void => {
        if (this.waiting.delete(requestId)) {
          stopping.dispose();
          resolve(result);
          this.changed.fire();
        }
      };
      const stopping = token.onCancellationRequested(() => answer(CANCELLED));
      this.waiting.set(requestId, { shown: { ...params, requestId }, answer });
      this.changed.fire();
      if (!this.isSeen(params.sessionId)) {
        void this.askByMessage(requestId, params);
      }
    });
  }

  private async askByMessage(requestId: string, params: PermissionParams): Promise<void> {
    const { options, reason, subject } = params;
    const title = plain(params.title);
    const isWhole = title.includes(subject);
    // A yes to what is not shown would be no yes.
    const offered = options.filter((option) => isWhole || option.kind === "reject_once");
    const show = "Show All of It";
    const names = [...(isWhole ? [] : [show]), ...offered.map((option) => option.name)];
    const question = `Milepost asks: ${title}? ${reason}`.trim();
    const chosen = await vscode.window.showWarningMessage(question, ...names);
    if (chosen === show) {
      await vscode.commands.executeCommand("milepost.chat.focus");
      return;
    }
    // Closing the message leaves the question in the chat.
    const option = offered.find((each) => each.name === chosen);
    if (option) {
      this.answer(requestId, option.optionId);
    }
  }

  private cancelAll(): void {
    for (const { answer } of [...this.waiting.values()]) {
      answer(CANCELLED);
    }
  }
}
