/**
 * The environment that the extension makes for its server: a Python's `venv`, and pip.
 *
 * The server comes from the wheel inside the extension, so both are of one version and nobody
 * else's package of that name is ever installed; only what it depends on is fetched.
 */

import { execFile, spawn } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inEnvironment } from "./finding.ts";

/** Some 30 MB are fetched; a slow line takes minutes, and a hanging one must end. */
const INSTALL_TIMEOUT_MS = 15 * 60_000;
const ASK_TIMEOUT_MS = 20_000;
/** Enough of pip's last words to tell what went wrong. */
const KEPT_CHARS = 4_000;

const OLDEST_PYTHON = [3, 11] as const;

export interface Installation {
  readonly python: string;
  /** The environment's folder; what is there is replaced. */
  readonly folder: string;
  /** A wheel or a checkout of Milepost. */
  readonly source: string;
  readonly platform: NodeJS.Platform;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A Python that is new enough and can make environments, or undefined. */
export async function findPython(
  setting: string,
  platform: NodeJS.Platform,
): Promise<string | undefined> {
  const names = setting
    ? [setting]
    : [
        ...["python3.13", "python3.12", "python3.11", "python3.14", "python3", "python"],
        ...(platform === "win32" ? ["py"] : []),
      ];
  for (const name of names) {
    const found = await executable(name);
    if (found) {
      return found;
    }
  }
  return undefined;
}

/** The wheel that lies in the extension's folder, or undefined in a checkout. */
export async function bundledWheel(extensionFolder: string): Promise<string | undefined> {
  const folder = join(extensionFolder, "server");
  const names = await readdir(folder).catch(() => []);
  const wheel = names.find((name) => name.endsWith(".whl"));
  return wheel ? join(folder, wheel) : undefined;
}

/** Makes the environment. Throws an Error whose message is a sentence for the user. */
export async function install(wish: Installation): Promise<string> {
  await rm(wish.folder, { recursive: true, force: true });
  await mkdir(dirname(wish.folder), { recursive: true });
  try {
    wish.say("Making an environment for the server");
    await run(wish, wish.python, ["-m", "venv", wish.folder]);
    wish.say("Installing the server and what it needs");
    const python = inEnvironment(wish.folder, "python", wish.platform);
    const quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
    await run(wish, python, ["-m", "pip", "install", ...quiet, `${wish.source}[all]`]);
  } catch (error) {
    // Half an environment would be found and started the next time.
    await rm(wish.folder, { recursive: true, force: true });
    throw error;
  }
  return inEnvironment(wish.folder, "milepost-lsp", wish.platform);
}

function executable(name: string): Promise<string | undefined> {
  const [major, minor] = OLDEST_PYTHON;
  const question = `import sys, venv, ensurepip
if sys.version_info >= (${major}, ${minor}): print(sys.executable)`;
  return new Promise((resolve) => {
    execFile(name, ["-c", question], { timeout: ASK_TIMEOUT_MS }, (error, stdout) => {
      resolve(error ? undefined : stdout.trim() || undefined);
    });
  });
}

function run(wish: Installation, command: string, args: readonly string[]): Promise<void> {
  const limit = AbortSignal.any([wish.signal, AbortSignal.timeout(INSTALL_TIMEOUT_MS)]);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { signal: limit, stdio: ["ignore", "pipe", "pipe"] });
    let kept = "";
    const keep = (data: Buffer): void => {
      kept = (kept + data.toString("utf8")).slice(-KEPT_CHARS);
      const line = kept.trimEnd().split("\n").at(-1)?.trim();
      if (line) {
        wish.say(line);
      }
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => {
      reject(limit.aborted ? new Error("The installation was stopped.") : error);
    });
    child.on("close", (code) => {
      if (code === 0) {
        resolve();
      } else {
        reject(new Error(`${lastWords(kept)} (exit code ${code ?? "none"})`));
      }
    });
  });
}

function lastWords(kept: string): string {
  const lines = kept.trim().split("\n");
  const error = lines.findLast((line) => line.startsWith("ERROR:"));
  return (error ?? lines.at(-1) ?? "The installation failed").slice(0, 400);
}
