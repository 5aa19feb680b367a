/**
 * The language server as the rest of the extension sees it: requests, commands and notifications.
 *
 * Listeners outlive the server's process: they are put on each client anew.
 */

import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  ErrorCodes,
  LanguageClient,
  type LanguageClientOptions,
  State,
  WorkDoneProgress,
  type WorkDoneProgressBegin,
  type WorkDoneProgressEnd,
  type WorkDoneProgressReport,
} from "vscode-languageclient/node";
import type {
  ClientNotifications,
  ClientRequests,
  Commands,
  ServerNotifications,
  ServerRequests,
} from "../protocol.ts";
import type { FoundServer } from "./finding.ts";
import { Patience } from "./patience.ts";

/** `restarting`: it crashed, and is given another try. */
export type ServerState =
  | "installing"
  | "starting"
  | "restarting"
  | "running"
  | "missing"
  | "failed"
  | "stopped";

const ENDED =
  "Milepost's server ended before it answered: try again when it has been started anew.";

/** What every part of the extension needs of the server; tests have one of their own. */
export interface Wire {
  readonly state: ServerState;
  readonly onDidChangeState: vscode.Event<ServerState>;
  command<Name extends keyof Commands>(
    name: Name,
    argument: Commands[Name]["argument"],
    more?: { workDoneToken: string; stop: vscode.CancellationToken },
  ): Promise<Commands[Name]["result"]>;
  request<Method extends keyof ClientRequests>(
    method: Method,
    params: ClientRequests[Method]["params"],
  ): Promise<ClientRequests[Method]["result"]>;
  notify<Method extends keyof ClientNotifications>(
    method: Method,
    params: ClientNotifications[Method],
  ): Promise<void>;
  onNotification<Method extends keyof ServerNotifications>(
    method: Method,
    listener: (params: ServerNotifications[Method]) => void,
  ): vscode.Disposable;
  onRequest<Method extends keyof ServerRequests>(
    method: Method,
    handler: (
      params: ServerRequests[Method]["params"],
      token: vscode.CancellationToken,
    ) => Promise<ServerRequests[Method]["result"]>,
  ): vscode.Disposable;
  /** The steps of a command that was sent with this `workDoneToken`. */
  onProgress(token: string, listener: (step: Step) => void): vscode.Disposable;
}

export interface Step {
  readonly message?: string | undefined;
  readonly percentage?: number | undefined;
}

type AnyStep = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;
type Answer = (params: unknown, token: vscode.CancellationToken) => Promise<unknown>;

export class Server implements Wire, vscode.Disposable {
  private client: LanguageClient | undefined;
  private current: ServerState = "stopped";
  private readonly patience = new Patience();
  private readonly listeners = new Map<string, Set<(params: unknown) => void>>();
  private readonly answers = new Map<string, Answer>();
  private readonly changed = new vscode.EventEmitter<ServerState>();
  readonly onDidChangeState = this.changed.event;

  constructor(
    private readonly log: vscode.LogOutputChannel,
    /** Shows what a command of a code action answered. */
    private readonly present: (command: string, answer: unknown) => void,
  ) {}

  get state(): ServerState {
    return this.current;
  }

  /** The process that serves, to be killed by a test. */
  get processId(): number | undefined {
    return this.client?.serverProcess?.pid;
  }

  /** Starts the server, in place of one that runs. Never throws: the state tells. */
  async start(found: FoundServer, environment: Record<string, string>): Promise<void> {
    await this.stop();
    this.patience.begin();
    this.become("starting");
    this.log.info(`Starting ${found.command} ${found.version} (${found.origin})`);
    const run = { command: found.command, options: { env: { ...process.env, ...environment } } };
    const client = new LanguageClient("milepost", "Milepost", run, this.options());
    this.client = client;
    client.registerFeature(announcement());
    for (const method of this.listeners.keys()) {
      this.listen(client, method);
    }
    for (const method of this.answers.keys()) {
      this.serve(client, method);
    }
    client.onDidChangeState(({ newState }) => {
      if (this.client === client && newState === State.Running) {
        this.become("running");
      }
    });
    try {
      await client.start();
    } catch (error) {
      this.log.error(`The server did not start: ${words(error)}`);
      if (this.client === client && this.current !== "failed") {
        this.become("failed");
      }
    }
  }

  /** Ends the server; the state tells why, where it is not just stopped. */
  async stop(state: ServerState = "stopped"): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client) {
      // It may be starting, or gone; either way nothing is left to wait for.
      await client.dispose().catch((error) => this.log.warn(`Stopping: ${words(error)}`));
    }
    this.become(state);
  }

  async command<Name extends keyof Commands>(
    name: Name,
    argument: Commands[Name]["argument"],
    more?: { workDoneToken: string; stop: vscode.CancellationToken },
  ): Promise<Commands[Name]["result"]> {
    // Past the middleware: who asks here shows the answer.
    const token = more ? { workDoneToken: more.workDoneToken } : {};
    const params = { command: name, arguments: [argument], ...token };
    const method = "workspace/executeCommand";
    // An undefined token would be sent as a second parameter.
    return more
      ? this.running().sendRequest(method, params, more.stop)
      : this.running().sendRequest(method, params);
  }

  async request<Method extends keyof ClientRequests>(
    method: Method,
    params: ClientRequests[Method]["params"],
  ): Promise<ClientRequests[Method]["result"]> {
    try {
      return await this.running().sendRequest(method, params);
    } catch (error) {
      throw isOrphan(error) ? new Error(ENDED) : error;
    }
  }

  async notify<Method extends keyof ClientNotifications>(
    method: Method,
    params: ClientNotifications[Method],
  ): Promise<void> {
    await this.running().sendNotification(method, params);
  }

  onNotification<Method extends keyof ServerNotifications>(
    method: Method,
    listener: (params: ServerNotifications[Method]) => void,
  ): vscode.Disposable {
    const heard = listener as (params: unknown) => void;
    const known = this.listeners.get(method);
    if (known) {
      known.add(heard);
    } else {
      this.listeners.set(method, new Set([heard]));
      if (this.client) {
        this.listen(this.client, method);
      }
    }
    return new vscode.Disposable(() => this.listeners.get(method)?.delete(heard));
  }

  onRequest<Method extends keyof ServerRequests>(
    method: Method,
    handler: (
      params: ServerRequests[Method]["params"],
      token: vscode.CancellationToken,
    ) => Promise<ServerRequests[Method]["result"]>,
  ): vscode.Disposable {
    this.answers.set(method, handler as Answer);
    if (this.client) {
      this.serve(this.client, method);
    }
    return new vscode.Disposable(() => this.answers.delete(method));
  }

  onProgress(token: string, listener: (step: Step) => void): vscode.Disposable {
    return this.running().onProgress(WorkDoneProgress.type, token, (step: AnyStep) => {
      if (step.kind !== "end") {
        listener(step);
      }
    });
  }

  dispose(): void {
    void this.stop();
    this.changed.dispose();
  }

  private listen(client: LanguageClient, method: string): void {
    client.onNotification(method, (params: unknown) => {
      for (const listener of this.listeners.get(method) ?? []) {
        listener(params);
      }
    });
  }

  private serve(client: LanguageClient, method: string): void {
    client.onRequest(method, (params: unknown, token: vscode.CancellationToken) =>
      this.answers.get(method)?.(params, token),
    );
  }

  private running(): LanguageClient {
    if (!this.client || this.current !== "running") {
      throw new Error("Milepost's server is not running.");
    }
    return this.client;
  }

  private become(state: ServerState): void {
    if (state === this.current) {
      return;
    }
    this.current = state;
    void vscode.commands.executeCommand("setContext", "milepost.server", state);
    this.changed.fire(state);
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: [{ scheme: "file" }, { scheme: "untitled" }],
      outputChannel: this.log,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.afterCrash(),
      },
      middleware: {
        executeCommand: async (command, args, next) => {
          const answer: unknown = await next(command, args);
          this.present(command, answer);
          return answer;
        },
      },
    };
  }

  private async afterCrash(): Promise<{ action: CloseAction; handled: true; message?: string }> {
    const wait = this.patience.afterCrash(Date.now());
    const client = this.client;
    if (wait !== undefined) {
      this.become("restarting");
      this.log.warn(`The server is gone; starting it again in ${wait / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    if (wait === undefined || this.client !== client) {
      this.become("failed");
      return { action: CloseAction.DoNotRestart, handled: true };
    }
    return { action: CloseAction.Restart, handled: true };
  }
}

/** What this client can do, for `initialize`. */
function announcement(): Parameters<LanguageClient["registerFeature"]>[0] {
  return {
    fillClientCapabilities(capabilities) {
      const milepost = {
        chat: true,
        permissions: true,
        proposals: true,
        memory: true,
        quiet: true,
      };
      const known = capabilities.experimental as object | undefined;
      capabilities.experimental = { ...known, milepost };
    },
    initialize() {},
    getState: () => ({ kind: "static" }),
    clear() {},
  };
}

/** Whether nobody is left who could answer the request. */
function isOrphan(error: unknown): boolean {
  const { code } = error as { code?: number };
  return code === ErrorCodes.PendingResponseRejected || code === ErrorCodes.ConnectionInactive;
}

export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
