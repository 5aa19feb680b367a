/** Where the language server is on this machine; knows nothing of VS Code. */

import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";

/** A slow disk's first start of a Python takes seconds; what takes longer will not serve either. */
const VERSION_TIMEOUT_MS = 30_000;

/** The file in our own environment that says that it was made to its end. */
export const COMPLETE = "milepost-complete";

/** The folders in which people keep a project's environment, the usual one first. */
const ENVIRONMENTS = [".venv", "venv", "env"];

export type Origin = "setting" | "workspace" | "path" | "managed";

export interface FoundServer {
  readonly command: string;
  readonly origin: Origin;
  readonly version: string;
}

export interface Places {
  /** The setting's text, empty when there is none. */
  readonly setting: string;
  readonly folders: readonly string[];
  readonly pathVariable: string;
  /** The environment that the extension made for itself, whether it exists or not. */
  readonly managed: string;
  readonly platform: NodeJS.Platform;
}

/** What was looked at and could not be used, each with a sentence. */
export interface Search {
  readonly found: FoundServer | undefined;
  readonly problems: readonly string[];
}

/** Looks at each place in turn, and starts what it finds there once, to ask for its version. */
export async function findServer(places: Places): Promise<Search> {
  const problems: string[] = [];
  for (const { command, origin } of candidates(places)) {
    if (origin === "managed" && !(await isComplete(places.managed))) {
      // Half an environment may start, and fail later.
      continue;
    }
    if (!(await isProgram(command))) {
      if (origin === "setting") {
        problems.push(`The setting milepost.server.path names ${command}, which is no program.`);
        // Whoever names a server means that one.
        break;
      }
      continue;
    }
    try {
      const version = await versionOf(command);
      return { found: { command, origin, version }, problems };
    } catch (error) {
      problems.push(`${command} does not start: ${sentence(error)}`);
      if (origin === "setting") {
        break;
      }
    }
  }
  return { found: undefined, problems };
}

/** The name of a program inside a virtual environment. */
export function inEnvironment(folder: string, name: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? join(folder, "Scripts", `${name}.exe`) : join(folder, "bin", name);
}

/** Whether the environment in the folder was made to its end. */
export async function isComplete(folder: string): Promise<boolean> {
  return (await access(join(folder, COMPLETE)).catch(() => false)) === undefined;
}

function candidates(places: Places): { command: string; origin: Origin }[] {
  const { platform } = places;
  const name = platform === "win32" ? "milepost-lsp.exe" : "milepost-lsp";
  if (places.setting.trim()) {
    const command = resolved(places.setting.trim(), places.folders);
    return [{ command, origin: "setting" }];
  }
  const workspace = places.folders.flatMap((folder) =>
    ENVIRONMENTS.map((each) => inEnvironment(join(folder, each), "milepost-lsp", platform)),
  );
  // A relative folder of the PATH would mean another program in every project.
  const path = places.pathVariable.split(delimiter).filter((each) => isAbsolute(each));
  return [
    ...workspace.map((command) => ({ command, origin: "workspace" as const })),
    ...path.map((folder) => ({ command: join(folder, name), origin: "path" as const })),
    { command: inEnvironment(places.managed, "milepost-lsp", platform), origin: "managed" },
  ];
}

function resolved(setting: string, folders: readonly string[]): string {
  const inFolder = setting.replaceAll("${workspaceFolder}", folders[0] ?? "");
  return inFolder.startsWith("~") ? join(homedir(), inFolder.slice(1)) : inFolder;
}

async function isProgram(command: string): Promise<boolean> {
  try {
    await access(command, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function versionOf(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, ["--version"], { timeout: VERSION_TIMEOUT_MS }, (error, stdout, stderr) => {
      const version = /^milepost-lsp (\S+)/.exec(stdout)?.[1];
      if (version) {
        resolve(version);
      } else {
        reject(new Error(stderr.trim() || error?.message || "it is another program"));
      }
    });
  });
}

function sentence(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  return words.split("\n").slice(-1)[0]?.slice(0, 300) ?? "";
}
