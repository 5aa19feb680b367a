/**
 * A stand-in for VS Code: as much of its API as the extension's own logic leans on. What is not
 * here answers every call with itself, which is enough for the language client to start.
 */

import { EventEmitter as Emitter } from "node:events";
import { URI, Utils } from "vscode-uri";

/** What was shown, asked and registered; the tests look at it, and answer through it. */
export const desk = {
  messages: [] as string[],
  /** Answers to the next questions: the title of a button, a text, a row's label, or some of them
   * with line breaks between. */
  answers: [] as (string | undefined)[],
  commands: new Map<string, (...args: unknown[]) => unknown>(),
  ran: [] as { command: string; args: unknown[] }[],
  settings: new Map<string, unknown>(),
  folders: [] as { uri: URI; name: string; index: number }[],
  log: [] as string[],
  documents: [] as string[],
  copied: "",
  clear(): void {
    this.messages = [];
    this.answers = [];
    this.ran = [];
    this.documents = [];
    this.settings.clear();
  },
};

class EventEmitter<T> {
  private readonly emitter = new Emitter().setMaxListeners(0);

  readonly event = (listener: (value: T) => void): Disposable => {
    this.emitter.on("fire", listener);
    return new Disposable(() => this.emitter.off("fire", listener));
  };

  fire(value: T): void {
    this.emitter.emit("fire", value);
  }

  dispose(): void {
    this.emitter.removeAllListeners();
  }
}

class Disposable {
  private readonly run: () => unknown;

  constructor(run: () => unknown) {
    this.run = run;
  }

  static from(...all: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const each of all) {
        each.dispose();
      }
    });
  }

  dispose(): void {
    this.run();
  }
}

class Position {
  readonly line: number;
  readonly character: number;

  constructor(line: number, character: number) {
    this.line = line;
    this.character = character;
  }
}

class Range {
  readonly start: Position;
  readonly end: Position;

  constructor(a: Position | number, b: Position | number, c?: number, d?: number) {
    const isPlain = typeof a === "number";
    this.start = isPlain ? new Position(a, b as number) : a;
    this.end = isPlain ? new Position(c ?? 0, d ?? 0) : (b as Position);
  }
}

class TreeItem {
  readonly label: string;
  readonly collapsibleState: number;

  constructor(label: string, collapsibleState = 0) {
    this.label = label;
    this.collapsibleState = collapsibleState;
  }
}

class Named {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }
}

class MarkdownString {
  value = "";

  appendText(text: string): this {
    this.value += text;
    return this;
  }

  appendMarkdown(text: string): this {
    this.value += text;
    return this;
  }

  appendCodeblock(text: string, language = ""): this {
    this.value += `\`\`\`${language}\n${text}\n\`\`\`\n`;
    return this;
  }
}

class CancellationTokenSource {
  private readonly emitter = new EventEmitter<void>();
  readonly token = {
    isCancellationRequested: false,
    onCancellationRequested: this.emitter.event,
  };

  cancel(): void {
    this.token.isCancellationRequested = true;
    this.emitter.fire();
  }

  dispose(): void {
    this.emitter.dispose();
  }
}

/** Answers every question about it with itself. */
function anything(known: object = {}): unknown {
  const self: unknown = new Proxy(() => {}, {
    get(_, name) {
      if (name in known) {
        return Reflect.get(known, name);
      }
      if (name === Symbol.toPrimitive) {
        return () => 0;
      }
      if (name === Symbol.iterator) {
        return () => [][Symbol.iterator]();
      }
      // Not a promise: awaiting it must come to an end.
      return name === "then" ? undefined : name === "prototype" ? {} : anything();
    },
    set: (_, name, value) => Reflect.set(known, name, value),
    apply: () => anything(),
    construct: () => anything() as object,
  });
  return self;
}

interface InputBox {
  readonly validateInput?: (text: string) => string | undefined;
}

function ask(message: string, ...more: unknown[]): Promise<unknown> {
  const options = more.find((each) => typeof each === "object") as { detail?: string } | undefined;
  desk.messages.push(options?.detail ? `${message}\n${options.detail}` : message);
  return Promise.resolve(desk.answers.shift());
}

const window = anything({
  showInformationMessage: ask,
  showWarningMessage: ask,
  showErrorMessage: ask,
  showInputBox: async (options?: InputBox) => {
    const typed = desk.answers.shift();
    const wrong = typed === undefined ? undefined : options?.validateInput?.(typed);
    // An input that is wrong cannot be entered: whoever typed it gives up.
    return wrong ? void desk.messages.push(wrong) : typed;
  },
  showQuickPick: async (rows: Iterable<{ label: string }>, options?: { canPickMany?: boolean }) => {
    const wanted = desk.answers.shift()?.split("\n") ?? [];
    const chosen = [...rows].filter((row) => wanted.includes(row.label));
    return options?.canPickMany ? chosen : chosen[0];
  },
  setStatusBarMessage: (text: string) => desk.messages.push(text),
  createOutputChannel: () => {
    const note = (line: unknown): unknown => desk.log.push(String(line));
    return anything({
      logLevel: 3,
      info: note,
      warn: note,
      error: note,
      debug: note,
      appendLine: note,
    });
  },
  createStatusBarItem: () => anything(),
  createTreeView: () => anything(),
  withProgress: (_: unknown, work: (...args: unknown[]) => unknown) =>
    work({ report: () => {} }, new CancellationTokenSource().token),
  activeTextEditor: undefined,
  visibleTextEditors: [],
  tabGroups: anything({ all: [] }),
});

const workspace = anything({
  get workspaceFolders() {
    return desk.folders.length > 0 ? desk.folders : undefined;
  },
  textDocuments: [],
  notebookDocuments: [],
  getWorkspaceFolder: (uri: URI) =>
    desk.folders.find((folder) => uri.fsPath.startsWith(folder.uri.fsPath)),
  getConfiguration: (section: string) => ({
    get: (name: string, otherwise: unknown) => desk.settings.get(`${section}.${name}`) ?? otherwise,
  }),
  asRelativePath: (uri: URI) => {
    const folder = desk.folders[0]?.uri.fsPath ?? "";
    return uri.fsPath.startsWith(folder) ? uri.fsPath.slice(folder.length + 1) : uri.fsPath;
  },
  openTextDocument: async (what: { content?: string }) => {
    desk.documents.push(what.content ?? "");
    return what;
  },
});

const commands = anything({
  registerCommand: (name: string, run: (...args: unknown[]) => unknown) => {
    desk.commands.set(name, run);
    return new Disposable(() => desk.commands.delete(name));
  },
  executeCommand: async (command: string, ...args: unknown[]) => {
    desk.ran.push({ command, args });
    return desk.commands.get(command)?.(...args);
  },
});

const known: Record<string, unknown> = {
  CancellationTokenSource,
  CodeLens: class {},
  Disposable,
  EventEmitter,
  MarkdownString,
  Position,
  ProgressLocation: { SourceControl: 1, Window: 10, Notification: 15 },
  Range,
  StatusBarAlignment: { Left: 1, Right: 2 },
  ThemeColor: Named,
  ThemeIcon: Named,
  TreeItem,
  TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
  Uri: Object.assign(URI, { joinPath: Utils.joinPath }),
  commands,
  env: anything({
    language: "en",
    appName: "Stand-in",
    clipboard: {
      writeText: async (text: string) => {
        desk.copied = text;
      },
    },
  }),
  languages: anything({ getDiagnostics: () => [] }),
  version: "1.91.0",
  window,
  workspace,
};

/** A class that can be extended, and has every static member. */
function anyClass(): unknown {
  return new Proxy(class {}, {
    get: (made, name) => Reflect.get(made, name) ?? anything(),
  });
}

const made = new Map<string | symbol, unknown>();

export const api = new Proxy(known, {
  get(_, name) {
    if (!(name in known) && !made.has(name)) {
      made.set(name, /^[A-Z]/.test(String(name)) ? anyClass() : anything());
    }
    return name in known ? Reflect.get(known, name) : made.get(name);
  },
});
