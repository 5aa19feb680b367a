/** Two texts that are nowhere on a disk, shown beside each other. */

import * as vscode from "vscode";

const SCHEME = "milepost-text";
/** Nobody has more comparisons open; the oldest is forgotten. */
const KEPT = 40;

export class TextPairs implements vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private made = 0;
  private readonly listening = vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    provideTextDocumentContent: (uri) => this.texts.get(uri.toString()) ?? "",
  });

  /** `uri` names the file that both were of, and so their language. */
  async compare(uri: string, before: string, after: string): Promise<void> {
    const { path } = vscode.Uri.parse(uri);
    this.made += 1;
    const [left, right] = [before, after].map((text, side) => {
      const made = vscode.Uri.from({ scheme: SCHEME, authority: `${this.made}-${side}`, path });
      this.texts.set(made.toString(), text);
      return made;
    });
    for (const oldest of [...this.texts.keys()].slice(0, -KEPT)) {
      this.texts.delete(oldest);
    }
    const name = path.slice(path.lastIndexOf("/") + 1);
    await vscode.commands.executeCommand("vscode.diff", left, right, `${name} (before ↔ after)`);
  }

  dispose(): void {
    this.listening.dispose();
  }
}
