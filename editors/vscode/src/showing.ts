/** Shows texts and places in the editor. */

import * as vscode from "vscode";

/** A text of ours in an editor of its own, that nobody is asked to save. */
export async function showMarkdown(content: string): Promise<void> {
  const document = await vscode.workspace.openTextDocument({ language: "markdown", content });
  await vscode.window.showTextDocument(document, { preview: true });
}

/** A file at a zero-based line. */
export async function showPlace(uri: vscode.Uri, line = 0): Promise<void> {
  const at = new vscode.Range(line, 0, line, 0);
  await vscode.window.showTextDocument(uri, { preview: true, selection: at });
}

/** Puts a text where the cursors of the editor are. */
export async function insertAtCursor(text: string): Promise<void> {
  const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0];
  if (!editor) {
    throw new Error("Open a file to insert the code into.");
  }
  await editor.edit((edit) => {
    for (const selection of editor.selections) {
      edit.replace(selection, text);
    }
  });
}
