/** What goes with the next message: files, selections, diagnostics, entries of memory. */

import * as vscode from "vscode";
import { searched } from "../memory/search.ts";
import type { CurrentProject } from "../project.ts";
import type { Block, Entry } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import type { Chip, Completion } from "./messages.ts";

/** A model reads so many with care; more are noise. */
const DIAGNOSTICS = 20;
const ROWS = 12;
/** Folders in which nobody looks for a file to talk about. */
const LEFT_OUT = "**/{node_modules,.git,.venv,venv,dist,build,__pycache__}/**";

interface Attachment {
  readonly chip: Chip;
  readonly blocks: () => readonly Block[];
}

export class Attachments implements vscode.Disposable {
  private readonly chosen = new Map<string, Attachment>();
  private offered = new Map<string, Attachment>();
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;
  private readonly listening = vscode.Disposable.from(
    vscode.window.onDidChangeActiveTextEditor(() => this.changed.fire()),
    vscode.window.onDidChangeTextEditorSelection(() => this.changed.fire()),
  );

  constructor(
    private readonly wire: Wire,
    private readonly project: CurrentProject,
  ) {}

  get chips(): Chip[] {
    return [...this.chosen.values()].map((each) => each.chip);
  }

  /** What the active editor shows, to be attached with one click. */
  get suggested(): Chip | undefined {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.uri.scheme !== "file") {
      return undefined;
    }
    const attachment = editor.selection.isEmpty ? ofFile(editor.document.uri) : ofSelection(editor);
    this.offered.set(attachment.chip.id, attachment);
    return this.chosen.has(attachment.chip.id) ? undefined : attachment.chip;
  }

  /** The blocks of all that is attached, which is then no longer attached, unless given back. */
  take(): { blocks: Block[]; giveBack: () => void } {
    const taken = [...this.chosen];
    this.chosen.clear();
    this.changed.fire();
    const giveBack = (): void => {
      for (const [id, attachment] of taken) {
        this.chosen.set(id, attachment);
      }
      this.changed.fire();
    };
    return { blocks: taken.flatMap(([, each]) => each.blocks()), giveBack };
  }

  add(attachment: Attachment): void {
    this.chosen.set(attachment.chip.id, attachment);
    this.changed.fire();
  }

  /** Attaches what was suggested or was a row of the list. */
  choose(id: string): void {
    const attachment = this.offered.get(id);
    if (attachment) {
      this.add(attachment);
    }
  }

  remove(id: string): void {
    this.chosen.delete(id);
    this.changed.fire();
  }

  addFile(uri: vscode.Uri): void {
    this.add(ofFile(uri));
  }

  addSelection(editor: vscode.TextEditor): void {
    this.add(editor.selection.isEmpty ? ofFile(editor.document.uri) : ofSelection(editor));
  }

  addEntry(entry: Entry): void {
    this.add(ofEntry(entry));
  }

  /** The rows for what stands behind `@`: what the editor shows, then files, then memory. */
  async complete(query: string): Promise<Completion[]> {
    const [, only, rest] = /^(file:|memory\s?)?(.*)$/s.exec(query) ?? [];
    const words = rest ?? "";
    const wanted = await Promise.all([
      only ? [] : this.shown(words),
      only?.startsWith("memory") ? [] : this.files(words),
      only === "file:" ? [] : this.memory(words),
    ]);
    const found = wanted.flat().slice(0, ROWS);
    this.offered = new Map(found.map((each) => [each.chip.id, each]));
    return found.map((each) => each.chip);
  }

  dispose(): void {
    this.listening.dispose();
    this.changed.dispose();
  }

  private shown(words: string): Attachment[] {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.uri.scheme !== "file") {
      return [];
    }
    const { uri } = editor.document;
    const found = [ofFile(uri)];
    if (!editor.selection.isEmpty) {
      found.unshift(ofSelection(editor));
    }
    if (vscode.languages.getDiagnostics(uri).length > 0) {
      found.push(ofDiagnostics(uri));
    }
    const sought = words.toLowerCase();
    return found.filter((each) => each.chip.label.toLowerCase().includes(sought));
  }

  private async files(words: string): Promise<Attachment[]> {
    const { folder } = this.project;
    if (!folder || !words.trim()) {
      return [];
    }
    const letters = words.trim().replace(/[^\w./-]/g, "?");
    const pattern = new vscode.RelativePattern(folder, `**/*${letters}*`);
    const uris = await vscode.workspace.findFiles(pattern, LEFT_OUT, ROWS);
    return uris.map(ofFile);
  }

  private async memory(words: string): Promise<Attachment[]> {
    const entries = await searched(this.wire, this.project, words, 6).catch(() => []);
    return entries.map(ofEntry);
  }
}

function ofFile(uri: vscode.Uri): Attachment {
  const path = vscode.workspace.asRelativePath(uri);
  return {
    chip: { id: `file ${uri}`, kind: "file", label: basename(path), detail: path },
    blocks: () => [{ type: "file", uri: uri.toString() }],
  };
}

function ofSelection({ document, selection }: vscode.TextEditor): Attachment {
  const { uri } = document;
  const path = vscode.workspace.asRelativePath(uri);
  const [first, last] = [selection.start.line + 1, selection.end.line + 1];
  const lines = first === last ? `${first}` : `${first}–${last}`;
  const range = { start: position(selection.start), end: position(selection.end) };
  const text = document.getText(selection);
  return {
    chip: {
      id: `selection ${uri} ${first} ${selection.start.character} ${last} ${selection.end.character}`,
      kind: "selection",
      label: `${basename(path)}:${lines}`,
      detail: `${path}, lines ${lines}`,
    },
    blocks: () => [{ type: "file", uri: uri.toString(), range, text }],
  };
}

function ofDiagnostics(uri: vscode.Uri): Attachment {
  const path = vscode.workspace.asRelativePath(uri);
  const count = vscode.languages.getDiagnostics(uri).length;
  return {
    chip: {
      id: `diagnostic ${uri}`,
      kind: "diagnostic",
      label: `${count} problem${count === 1 ? "" : "s"} in ${basename(path)}`,
      detail: path,
    },
    // Those that stand when the message is sent.
    blocks: () =>
      vscode.languages
        .getDiagnostics(uri)
        .slice(0, DIAGNOSTICS)
        .map((each) => ({
          type: "diagnostic",
          uri: uri.toString(),
          range: { start: position(each.range.start), end: position(each.range.end) },
          message: each.message,
          severity: each.severity + 1,
          ...(each.source ? { source: each.source } : {}),
          ...(each.code === undefined ? {} : { code: codeOf(each.code) }),
        })),
  };
}

function ofEntry(entry: Entry): Attachment {
  const line = entry.text.split("\n", 1)[0] ?? "";
  return {
    chip: {
      id: `memory ${entry.id}`,
      kind: "memory",
      label: line.length > 40 ? `${line.slice(0, 39)}…` : line,
      detail: `${entry.scope} · ${entry.kind} · ${entry.status}`,
    },
    blocks: () => [{ type: "memory", id: entry.id }],
  };
}

function codeOf(code: NonNullable<vscode.Diagnostic["code"]>): string {
  return String(typeof code === "object" ? code.value : code);
}

function position({ line, character }: vscode.Position): { line: number; character: number } {
  return { line, character };
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
