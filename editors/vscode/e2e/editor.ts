/** A real VS Code, served by code-server, in a real browser, with a home of its own. */

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Frame, type Locator, type Page } from "playwright-core";
import { faults } from "./axe.ts";

export const ROOT = join(import.meta.dirname, "../../..");
const PICTURES = join(import.meta.dirname, "pictures");
const CODE_SERVER = join(ROOT, ".tools/code-server/bin/code-server");

/**
 * A start of VS Code in a browser takes 15 s on an idle machine and several times that on a busy
 * one; nothing here fails for being slow.
 */
export const PATIENCE_MS = 120_000;

/** How long one try may take, where another one can mend it. */
const MOMENT_MS = 10_000;

export interface Wish {
  readonly vsix: string;
  /** What the status bar says when the extension is there. */
  readonly status: string;
  readonly settings: Record<string, unknown>;
  readonly files: Record<string, string>;
}

export class Editor {
  readonly folder = mkdtempSync(join(tmpdir(), "e2e-"));
  readonly project: string;
  /** Where VS Code keeps what is this user's. */
  readonly user: string;
  readonly environment: NodeJS.ProcessEnv;
  page!: Page;
  /** The story's name, which its pictures' names begin with. */
  private readonly name: string;
  private process: ChildProcess | undefined;
  private browser: Browser | undefined;
  private status = "";
  private output = "";
  private taken = 0;

  /** `environment` is what the editor, and so the server, sees of this machine beside its folders. */
  constructor(name: string, environment: NodeJS.ProcessEnv) {
    this.name = name;
    this.project = join(this.folder, "shop");
    this.user = join(this.folder, "user");
    this.environment = {
      ...environment,
      LANG: "C.UTF-8",
      // So much is kept of a story that fails, what the chat's page and the extension said included.
      LOG_LEVEL: "debug",
      HOME: join(this.folder, "home"),
      MILEPOST_HOME: join(this.folder, "data"),
    };
    mkdirSync(PICTURES, { recursive: true });
  }

  async open({ files, settings, status, vsix }: Wish): Promise<void> {
    this.status = status;
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(this.project, name, ".."), { recursive: true });
      writeFileSync(join(this.project, name), text);
    }
    const { user } = this;
    // What names a program counts only from the machine's own settings.
    for (const [level, those] of Object.entries({ User: QUIET, Machine: settings })) {
      mkdirSync(join(user, level), { recursive: true });
      writeFileSync(join(user, level, "settings.json"), JSON.stringify(those));
    }
    const places = ["--user-data-dir", user, "--extensions-dir", join(this.folder, "extensions")];
    const env = this.environment;
    execFileSync(CODE_SERVER, ["--install-extension", vsix, ...places], { env, stdio: "ignore" });
    const quiet = ["--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"];
    const where = ["--auth", "none", "--bind-addr", "127.0.0.1:0", ...places, ...quiet];
    this.process = spawn(CODE_SERVER, [...where, this.project], { env, stdio: "pipe" });
    const address = await this.address(this.process);
    this.browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    });
    this.page = await this.browser.newPage({ viewport: { width: 1280, height: 800 } });
    this.page.setDefaultTimeout(PATIENCE_MS);
    this.page.on("console", (told) => this.note("page.log", `${told.type()}: ${told.text()}`));
    this.page.on("pageerror", (error) => this.note("page.log", `uncaught: ${error.stack}`));
    await this.page.goto(address, { waitUntil: "domcontentloaded" });
    await this.ready();
  }

  /** Loads the window anew. */
  async reload(): Promise<void> {
    await this.page.reload({ waitUntil: "domcontentloaded" });
    await this.ready();
  }

  /** Waits for the extension: before it is there, the palette does not know its commands. */
  private ready(): Promise<void> {
    return this.says(this.status);
  }

  /** Waits for what the status bar's item begins with. */
  async says(status: string): Promise<void> {
    const item = `.statusbar [aria-label^="Milepost: ${status}"]`;
    await this.page.locator(item).first().waitFor();
  }

  /** Ends it; what it leaves behind is removed, unless something in it is to be looked at. */
  async close(leave: "nothing" | "everything"): Promise<void> {
    await this.browser?.close();
    const running = this.process;
    if (running?.exitCode === null) {
      const gone = new Promise((resolve) => running.once("close", resolve));
      running.kill();
      await gone;
    }
    // The server writes its last words after the editor is gone.
    const deadline = Date.now() + PATIENCE_MS;
    while (isUsed(this.folder) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (leave === "nothing") {
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
    }
  }

  /** Where the logs are: of the page, of code-server, and those that VS Code keeps. */
  get logs(): readonly string[] {
    return [this.file("page.log"), this.file("code-server.log"), join(this.user, "logs")];
  }

  /** A picture of the whole window, kept in e2e/pictures. */
  async picture(name: string): Promise<void> {
    this.taken += 1;
    const number = String(this.taken).padStart(2, "0");
    const path = join(PICTURES, `${this.name}-${number}-${name}.png`);
    await this.page.screenshot({ path, animations: "disabled" });
  }

  /** Runs a command by its title. */
  async run(title: string): Promise<void> {
    await this.choose("F1", `>${title}`, title);
  }

  /** Answers an input box, or chooses a row of a list; each of ours has a title of its own. */
  async answer(text: string): Promise<void> {
    const titles = this.page.locator(".quick-input-widget:visible .quick-input-title");
    // The palette, which may not have closed yet, has none.
    const title = titles.filter({ hasText: /\S/ });
    await title.waitFor();
    const asked = (await title.textContent()) ?? "";
    await this.quickInput().fill(text);
    await this.page.keyboard.press("Enter");
    // An answer may be looked at for a while before the box goes or asks the next question.
    await titles.filter({ hasText: asked }).waitFor({ state: "hidden" });
  }

  quickInput(): Locator {
    return this.page.locator(".quick-input-widget:visible input.input");
  }

  /** A row of one of the trees. */
  row(text: string): Locator {
    return this.page.locator(".pane-body .monaco-list-row", { hasText: text }).first();
  }

  /** A button of a row, which is shown when the pointer is over it. */
  async act(row: string, action: string): Promise<void> {
    await insist(async () => {
      await this.row(row).hover();
      const found = this.row(row).locator(`.action-label[aria-label="${action}"]`);
      // The row may move away from under the pointer: others come in above it.
      await found.click({ timeout: MOMENT_MS });
    });
  }

  /** Gives the side bar some more room. */
  async widen(): Promise<void> {
    const { mouse } = this.page;
    await mouse.move(350, 400);
    await mouse.down();
    await mouse.move(470, 400, { steps: 5 });
    await mouse.up();
    // Away from the border, which would stay lit.
    await mouse.move(900, 500);
  }

  /** Folds one of our views in the side bar. */
  async fold(view: string): Promise<void> {
    await this.page.locator(`.pane-header[aria-label^='${view}']`).click();
  }

  /** Opens a file of the project. */
  async openFile(name: string): Promise<void> {
    await this.choose("Control+P", name, name);
    await this.page.locator(".tab", { hasText: name }).first().waitFor();
  }

  /** Presses a button of a message; where its toast has gone, the list behind the bell has it. */
  async press(text: string, button: string): Promise<void> {
    await insist(async () => {
      const items = this.page.locator(".notification-list-item", { hasText: text });
      if (!(await items.first().isVisible())) {
        await this.run("Notifications: Show Notifications");
      }
      await items.first().getByRole("button", { name: button }).click({ timeout: MOMENT_MS });
    });
  }

  message(text: string): Locator {
    return this.page.locator(".notification-toast", { hasText: text }).first();
  }

  /** Waits for a message in the list behind the bell, which has it when its toast has gone, too. */
  async told(text: string): Promise<void> {
    await this.run("Notifications: Show Notifications");
    const items = this.page.locator(".notifications-center .notification-list-item");
    await items.filter({ hasText: text }).first().waitFor();
  }

  dialog(): Locator {
    return this.page.locator(".monaco-dialog-box");
  }

  /** The chat's page, which is in a frame of a frame. */
  async chat(): Promise<Frame> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      for (const frame of this.page.frames()) {
        // A frame may go while it is looked at.
        const found = await frame
          .locator("#chat .composer")
          .count()
          .catch(() => 0);
        if (found > 0) {
          return frame;
        }
      }
      if (Date.now() > deadline) {
        throw new Error("the chat does not open");
      }
      await this.page.waitForTimeout(100);
    }
  }

  /** Opens the chat, and waits until one can write in it. */
  async openChat(): Promise<Frame> {
    await this.run("Milepost: Open Chat");
    const chat = await this.chat();
    // Until the command is done, VS Code gives the focus to this and that.
    await chat.locator(".composer textarea:focus").waitFor();
    return chat;
  }

  /** Writes into the chat's field, and sends it. */
  async send(chat: Frame, words: string): Promise<void> {
    const field = chat.locator(".composer textarea");
    await insist(async () => {
      await field.fill(words, { timeout: MOMENT_MS });
      // Words go to where the focus is, which may have been taken away meanwhile.
      const written = await field.inputValue();
      if (written !== words) {
        this.note("page.log", `the field has ${JSON.stringify(written)}: writing once more`);
        throw new Error("the words went elsewhere");
      }
    });
    await field.press("Enter");
    await chat.locator(".log > .user", { hasText: words }).last().waitFor();
  }

  /** Looks again and again until it holds. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!(await holds())) {
      assert.ok(Date.now() < deadline, `waited in vain: ${what}`);
      await this.page.waitForTimeout(50);
    }
  }

  /** Sees that the chat can be read by everybody, in each kind of theme. */
  async readable(chat: Frame): Promise<void> {
    const all: string[] = [];
    for (const [theme, kind] of Object.entries(THEMES)) {
      await this.theme(theme);
      await chat.locator(`body[data-vscode-theme-kind="${kind}"]`).waitFor();
      const found = await faults(chat);
      if (found.length > 0) {
        await this.picture(`unreadable-${kind}`);
      }
      all.push(...found.map((fault) => `${theme}: ${fault}`));
    }
    assert.equal(all.join("\n\n"), "");
  }

  private async theme(name: string): Promise<void> {
    await this.run("Preferences: Color Theme");
    await insist(async () => {
      await this.quickInput().fill(name, { timeout: MOMENT_MS });
      const row = `.quick-input-list .monaco-list-row[aria-label^="${name}"]`;
      await this.page.locator(row).first().click({ timeout: MOMENT_MS });
    });
  }

  /** Chooses a row of the list that a key opens and words narrow down. */
  private async choose(key: string, words: string, row: string): Promise<void> {
    await insist(async () => {
      await this.page.keyboard.press("Escape");
      await this.page.keyboard.press(key);
      const rows = this.page.locator(".quick-input-list .monaco-list-row", { hasText: row });
      // The list closes when something else takes the focus, such as a view that has just loaded.
      await this.quickInput().fill(words, { timeout: MOMENT_MS });
      await rows.first().click({ timeout: MOMENT_MS });
    });
  }

  /** What the extension wrote into its log. */
  async log(): Promise<string> {
    const logs = join(this.user, "logs");
    const names = readdirSync(logs, { recursive: true, encoding: "utf8" });
    const ours = names.filter((name) => /milepost.*\.log$/i.test(name));
    return ours.map((name) => readFileSync(join(logs, name), "utf8")).join("\n");
  }

  private note(log: string, line: string): void {
    appendFileSync(this.file(log), `${new Date().toISOString()} ${line.trimEnd()}\n`);
  }

  private file(name: string): string {
    return join(this.folder, name);
  }

  private address(running: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (data: Buffer): void => {
        this.note("code-server.log", data.toString("utf8"));
        this.output += data.toString("utf8");
        const found = /HTTP server listening on (\S+)/.exec(this.output)?.[1];
        if (found) {
          resolve(found.replace(/\/$/, ""));
        }
      };
      running.stdout?.on("data", look);
      running.stderr?.on("data", look);
      running.once("close", () => reject(new Error(`code-server ended: ${this.output}`)));
    });
  }
}

/** Whether a process lives whose home is in the folder. */
function isUsed(folder: string): boolean {
  return readdirSync("/proc").some((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, "utf8").includes(folder);
    } catch {
      // It ended, or is another user's.
      return false;
    }
  });
}

/** Tries again until it works, or nobody would wait any longer. */
async function insist(attempt: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) {
        throw error;
      }
    }
  }
}

/** The themes that everybody has, one of each kind. */
const THEMES = {
  "Dark Modern": "vscode-dark",
  "Dark High Contrast": "vscode-high-contrast",
  "Light High Contrast": "vscode-high-contrast-light",
  "Light Modern": "vscode-light",
};

/** No welcome page, no questions, no other AI. */
const QUIET = {
  "chat.disableAIFeatures": true,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "git.openRepositoryInParentFolders": "never",
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "window.commandCenter": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.layoutControl.enabled": false,
  "editor.minimap.enabled": false,
};
