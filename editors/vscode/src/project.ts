/** Which of the open folders is meant: the one of the active editor, else the one meant before. */

import * as vscode from "vscode";

export class CurrentProject implements vscode.Disposable {
  private current: vscode.WorkspaceFolder | undefined = vscode.workspace.workspaceFolders?.[0];
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;
  private readonly listening = vscode.Disposable.from(
    vscode.window.onDidChangeActiveTextEditor(() => this.look()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => this.look()),
  );

  /** The folder's URI as the server wants it, with every request. */
  get uri(): string | undefined {
    return this.current?.uri.toString();
  }

  get folder(): vscode.Uri | undefined {
    return this.current?.uri;
  }

  /** A file of the project by its path relative to the root. */
  file(path: string): vscode.Uri | undefined {
    return this.current && vscode.Uri.joinPath(this.current.uri, path);
  }

  /** The argument that a command of the server takes. */
  about<Argument extends object>(argument: Argument): Argument & { uri?: string } {
    return this.uri ? { ...argument, uri: this.uri } : argument;
  }

  dispose(): void {
    this.listening.dispose();
    this.changed.dispose();
  }

  private look(): void {
    const shown = vscode.window.activeTextEditor?.document.uri;
    const folders = vscode.workspace.workspaceFolders ?? [];
    const stillOpen = folders.find((each) => each.uri.toString() === this.uri);
    const next = (shown && vscode.workspace.getWorkspaceFolder(shown)) ?? stillOpen ?? folders[0];
    if (next?.uri.toString() !== this.uri) {
      this.current = next;
      this.changed.fire();
    }
  }
}
