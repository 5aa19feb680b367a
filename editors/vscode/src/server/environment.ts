/**
 * The environment that the extension makes for its server: a Python's `venv`, and pip.
 *
 * The server comes from the wheel inside the extension, so both are of one version and nobody
 * else's package of that name is ever installed; only what it depends on is fetched.
 */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { COMPLETE, inEnvironment, isComplete } from "./finding.ts";

/** Some 30 MB are fetched; a slow line takes minutes, and a hanging one must end. */
const INSTALL_TIMEOUT_MS = 15 * 60_000;
const ASK_TIMEOUT_MS = 20_000;
/** Enough of pip's last words to tell what went wrong. */
const KEPT_CHARS = 4_000;

const OLDEST_PYTHON = [3, 11] as const;

export interface Installation {
  readonly python: string;
  /** The environment's folder; what is there is replaced when the new one is whole. */
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

/** The user stopped it. */
export class Stopped extends Error {
  constructor() {
    super("The installation was stopped.");
  }
}

/**
 * Makes the environment. Throws an Error whose message is a sentence for the user, or Stopped; then
 * nothing of it is left, and what was there before is there again.
 */
export async function install(wish: Installation): Promise<string> {
  const { folder, platform } = wish;
  const before = `${folder}.before`;
  await mkdir(dirname(folder), { recursive: true });
  // An environment works only in the folder that it was made for.
  if (await isComplete(folder)) {
    await remove(before);
    await rename(folder, before);
  }
  await remove(folder);
  try {
    wish.say("Making an environment for the server");
    await run(wish, wish.python, ["-m", "venv", folder]);
    wish.say("Installing the server and what it needs");
    const python = inEnvironment(folder, "python", platform);
    const quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
    await run(wish, python, ["-m", "pip", "install", ...quiet, `${wish.source}[all]`]);
    await writeFile(join(folder, COMPLETE), `${wish.source}\n`);
  } catch (error) {
    await remove(folder);
    // There is none when nothing was installed before.
    await rename(before, folder).catch(() => {});
    throw error;
  }
  await remove(before);
  return inEnvironment(folder, "milepost-lsp", platform);
}

async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
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

/** Runs a step to its end. When it is stopped, nothing that it started lives on. */
function run(wish: Installation, command: string, args: readonly string[]): Promise<void> {
  const limit = AbortSignal.any([wish.signal, AbortSignal.timeout(INSTALL_TIMEOUT_MS)]);
  return new Promise((resolve, reject) => {
    if (limit.aborted) {
      reject(new Stopped());
      return;
    }
    // A group of its own, so that those whom it starts can be ended with it.
    const detached = wish.platform !== "win32";
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached });
    const stop = (): void => end(child, wish.platform);
    limit.addEventListener("abort", stop, { once: true });
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
    child.on("error", reject);
    // It comes when the last one that could write has ended.
    child.on("close", (code) => {
      limit.removeEventListener("abort", stop);
      if (wish.signal.aborted) {
        reject(new Stopped());
      } else if (limit.aborted) {
        reject(new Error(`It took longer than ${INSTALL_TIMEOUT_MS / 60_000} minutes.`));
      } else if (code === 0) {
        resolve();
      } else {
        reject(new Error(`${lastWords(kept)} (exit code ${code ?? "none"})`));
      }
    });
  });
}

/** What it has made is removed anyway, so nothing is lost when it ends at once. */
function end({ pid }: ChildProcess, platform: NodeJS.Platform): void {
  if (pid === undefined) {
    return;
  }
  if (platform === "win32") {
    execFile("taskkill", ["/pid", String(pid), "/t", "/f"], () => {});
    return;
  }
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function lastWords(kept: string): string {
  const lines = kept.trim().split("\n");
  const error = lines.findLast((line) => line.startsWith("ERROR:"));
  return (error ?? lines.at(-1) ?? "The installation failed").slice(0, 400);
}
