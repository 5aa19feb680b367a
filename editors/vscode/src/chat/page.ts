/** The HTML of the chat's page: nothing runs in it but the script of this extension. */

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

export function pageHtml(webview: vscode.Webview, extension: vscode.Uri): string {
  const nonce = randomBytes(16).toString("base64url");
  const script = webview.asWebviewUri(vscode.Uri.joinPath(extension, "dist", "chat.js"));
  const style = webview.asWebviewUri(vscode.Uri.joinPath(extension, "dist", "chat-style.css"));
  const policy = [
    "default-src 'none'",
    `style-src ${webview.cspSource}`,
    `script-src 'nonce-${nonce}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>Milepost Chat</title>
</head>
<body>
<main id="chat"></main>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
