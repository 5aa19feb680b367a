/** The list of chats: load, rename, delete. */

import * as vscode from "vscode";
import { when } from "../checkpoints/tree.ts";
import type { CurrentProject } from "../project.ts";
import type { ChatSession } from "../protocol.ts";
import { type Wire, words } from "../server/server.ts";
import type { Conversation } from "./conversation.ts";

const SHOWN = 50;

const RENAME: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("edit"),
  tooltip: "Rename",
};
const DELETE: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("trash"),
  tooltip: "Delete",
};

/** A session, and the folder that it is kept for. */
export interface Named {
  readonly sessionId: string;
  readonly title: string;
  readonly uri: string | undefined;
}

interface Row extends vscode.QuickPickItem {
  readonly session: ChatSession | undefined;
}

export class Sessions {
  constructor(
    private readonly wire: Wire,
    private readonly project: CurrentProject,
    private readonly conversation: Conversation,
  ) {}

  /** The pick list; each row can be renamed or deleted. */
  async pick(): Promise<void> {
    const pick = vscode.window.createQuickPick<Row>();
    pick.title = "Chats";
    pick.matchOnDescription = true;
    pick.busy = true;
    const { uri } = this.project;
    pick.show();
    pick.onDidHide(() => pick.dispose());
    pick.onDidTriggerItemButton(async ({ item, button }) => {
      pick.hide();
      if (item.session) {
        const session = { ...item.session, uri };
        await (button === RENAME ? this.rename(session) : this.delete(session));
      }
    });
    pick.onDidAccept(() => {
      const [row] = pick.selectedItems;
      pick.hide();
      if (row?.session) {
        this.conversation.load(row.session.sessionId, uri).catch((error) => {
          vscode.window.showErrorMessage(`The chat cannot be shown: ${words(error)}`);
        });
      } else if (row) {
        this.conversation.begin(uri);
      }
    });
    try {
      const begin: Row = { label: "$(add) New chat", session: undefined, alwaysShow: true };
      pick.items = [begin, ...(await this.list()).map((each) => this.row(each))];
    } catch (error) {
      pick.hide();
      throw error;
    }
    pick.busy = false;
  }

  async rename(session: Named): Promise<void> {
    const title = await vscode.window.showInputBox({ title: "Rename Chat", value: session.title });
    if (title?.trim()) {
      const { sessionId, uri } = session;
      const params = { sessionId, title: title.trim(), ...(uri ? { uri } : {}) };
      await this.wire.request("milepost/session/rename", params);
      if (session.sessionId === this.conversation.sessionId) {
        this.conversation.rename(title.trim());
      }
    }
  }

  async delete(session: Named): Promise<void> {
    const gone = "Delete";
    const answer = await vscode.window.showWarningMessage(
      `Delete the chat “${session.title}”?`,
      { modal: true, detail: "What was said is deleted. Files and checkpoints stay." },
      gone,
    );
    if (answer !== gone) {
      return;
    }
    const { sessionId, uri } = session;
    const params = { sessionId, ...(uri ? { uri } : {}) };
    await this.wire.request("milepost/session/delete", params);
    if (session.sessionId === this.conversation.sessionId) {
      this.conversation.begin(uri);
    }
  }

  private async list(): Promise<readonly ChatSession[]> {
    const params = this.project.about({ limit: SHOWN });
    const { sessions } = await this.wire.request("milepost/session/list", params);
    return sessions;
  }

  private row(session: ChatSession): Row {
    const isCurrent = session.sessionId === this.conversation.sessionId;
    const state = session.state === "running" ? "$(loading~spin) " : isCurrent ? "$(check) " : "";
    return {
      label: `${state}${session.title || "(no title)"}`,
      description: `${when(session.updatedAt)} · ${session.mode}`,
      buttons: [RENAME, DELETE],
      session,
    };
  }
}
