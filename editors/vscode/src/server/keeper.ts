/** Brings the server up: finds it or offers to install it, and starts it again when told to. */

import { join } from "node:path";
import * as vscode from "vscode";
import { bundledWheel, findPython, install, Stopped } from "./environment.ts";
import { findServer, type Places } from "./finding.ts";
import { type Server, words } from "./server.ts";

const PYTHON_HELP = "https://www.python.org/downloads/";

export class ServerKeeper implements vscode.Disposable {
  private starting: Promise<void> = Promise.resolve();
  private installing: AbortController | undefined;

  constructor(
    private readonly server: Server,
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Starts the server that is there; one start after the other. */
  start(whenMissing: "offer" | "leave" = "offer"): Promise<void> {
    this.starting = this.starting
      .then(() => this.startFound(whenMissing))
      .catch((error) => {
        this.log.error(words(error));
      });
    return this.starting;
  }

  /** Installs the server into an environment of its own, when the user agrees. */
  async install(): Promise<void> {
    const source = await bundledWheel(this.context.extensionPath);
    if (!source) {
      vscode.window.showErrorMessage(
        "This build of the extension carries no server: install milepost[all] from its checkout, or name the server in the settings.",
      );
      return;
    }
    const setting = this.setting("server.python");
    const python = await findPython(setting, process.platform);
    if (!python) {
      await this.tellOfPython(setting);
      return;
    }
    const folder = this.places().managed;
    if (!(await isAllowed(python, folder))) {
      void this.offer("Nothing was installed. Milepost works as soon as its server is there.");
      return;
    }
    try {
      await this.installWith(python, folder, source);
    } catch (error) {
      this.log.error(words(error));
      // What was there before serves on.
      await this.start("leave");
      await (error instanceof Stopped ? this.tellOfStop() : this.tellOfFailure(words(error)));
      return;
    }
    await this.start();
  }

  /** Leaves no installation running behind an editor that is closed. */
  dispose(): void {
    this.installing?.abort();
  }

  private async tellOfStop(): Promise<void> {
    if (this.server.state === "missing") {
      await this.offer(
        "The installation was stopped, and nothing of it is left. Milepost works as soon as its server is there.",
      );
    } else {
      vscode.window.showInformationMessage(
        "The installation was stopped. The server that was there before serves on.",
      );
    }
  }

  private async tellOfFailure(why: string): Promise<void> {
    const [again, show] = ["Try Again", "Show Log"];
    const what = `Milepost's server was not installed: ${why}`;
    const answer = await vscode.window.showErrorMessage(what, again, show);
    if (answer === again) {
      await this.install();
    } else if (answer === show) {
      this.log.show();
    }
  }

  private async startFound(whenMissing: "offer" | "leave"): Promise<void> {
    if (!vscode.workspace.workspaceFolders?.length) {
      await this.server.stop();
      return;
    }
    const { found, problems } = await findServer(this.places());
    for (const problem of problems) {
      this.log.warn(problem);
    }
    if (found) {
      await this.server.start(found, this.environment());
      this.watch();
      return;
    }
    await this.server.stop("missing");
    if (whenMissing === "offer") {
      void this.offer(problems[0]);
    }
  }

  /** Says once that nothing more will be tried, when the server crashed too often. */
  private watch(): void {
    const listening = this.server.onDidChangeState(async (state) => {
      if (state === "starting" || state === "restarting" || state === "running") {
        return;
      }
      listening.dispose();
      if (state !== "failed") {
        return;
      }
      const [again, show] = ["Start Again", "Show Log"];
      const answer = await vscode.window.showErrorMessage(
        "Milepost's server stopped several times, so it is not started again.",
        again,
        show,
      );
      if (answer === again) {
        await this.start();
      } else if (answer === show) {
        this.log.show();
      }
    });
    if (this.server.state === "failed") {
      listening.dispose();
      void this.failed();
    }
  }

  private async failed(): Promise<void> {
    const show = "Show Log";
    const answer = await vscode.window.showErrorMessage(
      "Milepost's server does not start; its log tells why.",
      show,
    );
    if (answer === show) {
      this.log.show();
    }
  }

  private async offer(problem: string | undefined): Promise<void> {
    const [installIt, settings] = ["Install It", "Settings"];
    const answer = await vscode.window.showWarningMessage(
      problem ?? "Milepost's server, milepost-lsp, is not on this machine.",
      installIt,
      settings,
    );
    if (answer === installIt) {
      await this.install();
    } else if (answer === settings) {
      await vscode.commands.executeCommand("milepost.openSettings");
    }
  }

  private async tellOfPython(setting: string): Promise<void> {
    const [get, settings] = ["Get Python", "Settings"];
    const what = setting
      ? `${setting} is no Python 3.11 or newer that can make environments.`
      : "Milepost's server needs Python 3.11 or newer (with venv), and none was found.";
    const answer = await vscode.window.showErrorMessage(what, get, settings);
    if (answer === get) {
      await vscode.env.openExternal(vscode.Uri.parse(PYTHON_HELP));
    } else if (answer === settings) {
      await vscode.commands.executeCommand("milepost.openSettings");
    }
  }

  private async installWith(python: string, folder: string, source: string): Promise<void> {
    // A server that runs holds its files.
    await this.server.stop("installing");
    const where = { location: vscode.ProgressLocation.Notification, cancellable: true };
    await vscode.window.withProgress(
      { ...where, title: "Installing Milepost's server" },
      async (progress, stop) => {
        const abort = new AbortController();
        this.installing = abort;
        stop.onCancellationRequested(() => {
          progress.report({ message: "stopping" });
          abort.abort();
        });
        await install({
          python,
          folder,
          source,
          platform: process.platform,
          signal: abort.signal,
          say: (line) => {
            this.log.info(line);
            progress.report({ message: line.slice(0, 80) });
          },
        });
      },
    );
  }

  private places(): Places {
    return {
      setting: this.setting("server.path"),
      folders: (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath),
      pathVariable: process.env.PATH ?? "",
      managed: join(this.context.globalStorageUri.fsPath, "server"),
      platform: process.platform,
    };
  }

  private environment(): Record<string, string> {
    const model = this.setting("model");
    return model ? { MILEPOST_MODEL: model } : {};
  }

  private setting(name: string): string {
    return vscode.workspace.getConfiguration("milepost").get<string>(name, "");
  }
}

async function isAllowed(python: string, folder: string): Promise<boolean> {
  const installIt = "Install";
  const answer = await vscode.window.showInformationMessage(
    "Install Milepost's server?",
    {
      modal: true,
      detail: [
        `${python} makes an environment in ${folder}, and pip installs there the server that comes with this extension.`,
        "What it depends on (some 30 MB) is fetched from your package index. Nothing else on this machine is changed.",
      ].join("\n\n"),
    },
    installIt,
  );
  return answer === installIt;
}
