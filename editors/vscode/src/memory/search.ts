/** A pick list that searches memory while one types. */

import * as vscode from "vscode";
import type { CurrentProject } from "../project.ts";
import type { Entry } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import { provenance } from "./outline.ts";

/** Between two keys of a quick typist; a search takes milliseconds. */
const PAUSE_MS = 120;
const LIMIT = 30;

export interface EntryButton {
  readonly icon: string;
  readonly tooltip: string;
  readonly run: (entry: Entry) => Promise<void>;
}

interface Row extends vscode.QuickPickItem {
  readonly entry: Entry;
}

/** The entry that was chosen; undefined when none was. */
export function pickEntry(
  wire: Wire,
  project: CurrentProject,
  wish: { title: string; button?: EntryButton },
): Promise<Entry | undefined> {
  const pick = vscode.window.createQuickPick<Row>();
  pick.title = wish.title;
  pick.placeholder = "Plain words, in any language";
  pick.matchOnDescription = true;
  const { button } = wish;
  const buttons = button
    ? [{ iconPath: new vscode.ThemeIcon(button.icon), tooltip: button.tooltip }]
    : [];
  let asked = 0;
  let timer: NodeJS.Timeout | undefined;

  const look = async (query: string): Promise<void> => {
    const number = ++asked;
    pick.busy = true;
    const entries = await searched(wire, project, query).catch(() => []);
    // An answer to what is no longer typed is out of date.
    if (number === asked) {
      pick.items = entries.map((entry) => ({
        label: entry.text.split("\n", 1)[0] ?? "",
        description: `${entry.scope} · ${entry.kind}`,
        detail: provenance(entry)[0] ?? "",
        // The server has judged already what matches; the list must not filter it again.
        alwaysShow: true,
        buttons,
        entry,
      }));
      pick.busy = false;
    }
  };

  return new Promise((resolve) => {
    pick.onDidChangeValue((query) => {
      clearTimeout(timer);
      timer = setTimeout(() => look(query), PAUSE_MS);
    });
    pick.onDidTriggerItemButton(({ item }) => {
      pick.hide();
      void button?.run(item.entry);
    });
    pick.onDidAccept(() => {
      resolve(pick.selectedItems[0]?.entry);
      pick.hide();
    });
    pick.onDidHide(() => {
      clearTimeout(timer);
      pick.dispose();
      resolve(undefined);
    });
    pick.show();
    void look("");
  });
}

/** What answers `query`, best first; the first entries when there is no query. */
export async function searched(
  wire: Wire,
  project: CurrentProject,
  query: string,
  limit = LIMIT,
): Promise<readonly Entry[]> {
  if (!query.trim()) {
    const page = await wire.command("milepost.memory.list", project.about({ limit }));
    return page.entries;
  }
  const argument = project.about({ query, limit });
  const result = await wire.command("milepost.memory.search", argument);
  return result.hits.map((hit) => hit.entry);
}
