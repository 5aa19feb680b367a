/**
 * The session that the chat shows: what the server told of it, and whether a turn runs.
 *
 * The server is the truth. What it told is kept here only so that a page that was hidden or loaded
 * anew can be shown it without asking again.
 */

import type { Block, PromptResult, UpdateParams } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import type { Mode } from "./messages.ts";

/** What a conversation needs of the server. */
export type Line = Pick<Wire, "request" | "notify">;

export interface Listener {
  /** All of it is to be shown anew. */
  reset(conversation: Conversation): void;
  updates(updates: readonly UpdateParams[]): void;
  running(isRunning: boolean): void;
}

export interface Prompt {
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly mode: Mode;
  /** Called once, when the words are in the session. */
  readonly onTaken?: () => void;
}

type Sent = Pick<Prompt, "text" | "onTaken">;

/** Where a session is kept: the folder's URI. */
type Uri = string | undefined;

export class Conversation {
  private updates: UpdateParams[] = [];
  /** Told of while the session is being loaded; what is loaded may hold them already. */
  private waiting: UpdateParams[] | undefined;
  private turns = 0;
  /** What was sent and stands in no update yet: the server tells it only to the other editors. */
  private sent: Sent | undefined;
  /** The user wants to stop a turn whose session has no name yet. */
  private wantsStop = false;
  private loading: Promise<void> = Promise.resolve();
  /** The names of sessions that are, or were, shown here; the server goes on telling of them. */
  private readonly known = new Set<string>();
  /** Prompts that were left before the server told of them, with the names of their sessions. */
  private readonly left = new Map<Sent, string | undefined>();
  /** Counts what replaced the session, so that a late answer to the one before is known as such. */
  private epoch = 0;
  private otherTurns = new Set<string>();
  /** Of the session that is shown, whichever folder is looked at by now. */
  uri: Uri;
  sessionId: string | undefined;
  title = "";
  isCut = false;

  constructor(
    private readonly line: Line,
    private readonly listener: Listener,
    /** Called when the session shown is another one, to be remembered for the next start. */
    private readonly remember: (sessionId: string | undefined, uri: Uri) => void,
  ) {}

  get told(): readonly UpdateParams[] {
    return this.updates;
  }

  get isRunning(): boolean {
    return this.turns > 0 || this.otherTurns.size > 0;
  }

  /** Whether a prompt from here is under way. */
  get isPrompting(): boolean {
    return this.turns > 0;
  }

  /** Sends a prompt, and resolves when its turn has ended. */
  async prompt({ text, blocks, mode, onTaken }: Prompt): Promise<PromptResult> {
    // Only then it is known which session this is, and what stands before these words.
    await this.loading;
    const { epoch } = this;
    const prompt: Block[] = [{ type: "text", text }, ...blocks];
    const session = this.sessionId === undefined ? {} : { sessionId: this.sessionId };
    this.wantsStop = false;
    this.count(+1);
    const sent: Sent = { text, ...(onTaken ? { onTaken } : {}) };
    this.sent = sent;
    try {
      const params = { ...session, prompt, mode, ...this.where() };
      const result = await this.line.request("milepost/chat/prompt", params);
      if (epoch === this.epoch) {
        this.adopt(result.sessionId);
        this.showSent(result.turnId);
      }
      this.arrive(result.sessionId);
      return result;
    } finally {
      this.left.delete(sent);
      if (epoch === this.epoch) {
        this.sent = undefined;
        this.count(-1);
      }
    }
  }

  /** Asks the server to end the turn; the prompt then resolves with what was said so far. */
  async cancel(): Promise<void> {
    if (!this.isRunning) {
      return;
    }
    if (this.sessionId === undefined) {
      this.wantsStop = true;
      return;
    }
    // Another editor's turn may end, and the next begin, before the server hears of this.
    const other = this.turns > 0 ? undefined : [...this.otherTurns].at(-1);
    const turn = other === undefined ? {} : { turnId: other };
    await this.line.notify("milepost/chat/cancel", { sessionId: this.sessionId, ...turn });
  }

  /** Begins a session that the server does not know before its first prompt. */
  begin(uri: Uri): void {
    this.clear(uri);
    this.remember(undefined, uri);
  }

  /** Shows nothing, without a decision about what is shown at the next start. */
  clear(uri: Uri): void {
    this.replace(undefined, uri);
    this.listener.reset(this);
  }

  /** Shows another title; the server was told by whoever calls. */
  rename(title: string): void {
    this.title = title;
    this.listener.reset(this);
  }

  /** Shows a session as the server has kept it, and follows it from then on. */
  load(sessionId: string, uri: Uri): Promise<void> {
    const loaded = this.loadNow(sessionId, uri);
    this.loading = loaded.catch(() => {});
    return loaded;
  }

  /** Continues before a turn, in a session of its own: edit and resend. */
  async forkBefore(turnId: string): Promise<void> {
    if (this.sessionId === undefined) {
      return;
    }
    const { epoch, uri } = this;
    const params = { sessionId: this.sessionId, turnId, ...this.where() };
    const fork = await this.line.request("milepost/session/fork", params);
    if (epoch !== this.epoch) {
      throw new Error("Another chat was opened meanwhile, so the message was not sent there.");
    }
    await this.load(fork.sessionId, uri);
  }

  /** Takes what the server told, whichever session it is about. */
  hear(told: UpdateParams): void {
    this.arrive(told.sessionId);
    if (this.turns > 0 && !this.known.has(told.sessionId)) {
      // The answer with the new session's name comes only when its first turn has ended.
      this.adopt(told.sessionId);
    }
    if (told.sessionId !== this.sessionId) {
      return;
    }
    if (this.waiting) {
      this.waiting.push(told);
      return;
    }
    const said = told.update.sessionUpdate === "user_message_chunk" ? this.sent : undefined;
    if (said) {
      this.sent = undefined;
    }
    this.showSent(told.turnId);
    if (this.take(told)) {
      this.listener.updates([told]);
      this.listener.running(this.isRunning);
    }
    said?.onTaken?.();
  }

  private async loadNow(sessionId: string, uri: Uri): Promise<void> {
    this.replace(sessionId, uri);
    const { epoch } = this;
    this.waiting = [];
    try {
      const params = { sessionId, ...this.where() };
      const loaded = await this.line.request("milepost/session/load", params);
      if (epoch !== this.epoch) {
        return;
      }
      this.remember(sessionId, uri);
      const later = this.waiting;
      this.waiting = undefined;
      this.title = loaded.session.title;
      this.isCut = loaded.isCut;
      for (const told of loaded.updates) {
        this.take({ ...told, sessionId });
      }
      const last = this.updates.at(-1);
      this.otherTurns.clear();
      if (loaded.session.state === "running" && last) {
        this.otherTurns.add(last.turnId);
      }
      for (const told of later) {
        this.take(told);
      }
    } catch (error) {
      if (epoch === this.epoch) {
        // What cannot be shown is not written into either.
        this.clear(uri);
      }
      throw error;
    } finally {
      if (epoch === this.epoch) {
        this.waiting = undefined;
        this.listener.reset(this);
        this.listener.running(this.isRunning);
      }
    }
  }

  /** Shows what was sent as the beginning of its turn. */
  private showSent(turnId: string): void {
    const { sent, sessionId } = this;
    if (sent === undefined || sessionId === undefined) {
      return;
    }
    this.sent = undefined;
    const told: UpdateParams = {
      sessionId,
      turnId,
      // The update that follows has the next whole number.
      seq: this.last + 0.5,
      update: { sessionUpdate: "user_message_chunk", content: { type: "text", text: sent.text } },
    };
    this.updates.push(told);
    this.listener.updates([told]);
    sent.onTaken?.();
  }

  private get last(): number {
    return this.updates.at(-1)?.seq ?? -1;
  }

  /** False for what was told before. */
  private take(told: UpdateParams): boolean {
    if (told.seq <= this.last) {
      return false;
    }
    this.updates.push(told);
    const { update } = told;
    if (update.sessionUpdate === "session_info_update") {
      this.title = update.title;
    }
    if (update.sessionUpdate === "turn_ended") {
      this.otherTurns.delete(told.turnId);
    } else if (update.sessionUpdate === "user_message_chunk" && this.turns === 0) {
      // Another editor, or this one before it was started anew, prompts in the session.
      this.otherTurns.add(told.turnId);
    }
    return true;
  }

  private adopt(sessionId: string): void {
    if (this.sessionId === undefined) {
      this.sessionId = sessionId;
      this.known.add(sessionId);
      this.remember(sessionId, this.uri);
      if (this.wantsStop) {
        // It ends by itself when it cannot be told.
        this.cancel().catch(() => {});
      }
    }
  }

  /** Sees that a prompt that was left is in its session now, where this is the one. */
  private arrive(sessionId: string): void {
    const isNew = !this.known.has(sessionId);
    // The server tells of those first that began first.
    const found = [...this.left].find(([, name]) =>
      name === undefined ? isNew : name === sessionId,
    );
    if (found) {
      const [sent] = found;
      this.left.delete(sent);
      this.known.add(sessionId);
      sent.onTaken?.();
    }
  }

  private replace(sessionId: string | undefined, uri: Uri): void {
    if (this.sent) {
      this.left.set(this.sent, this.sessionId);
    }
    if (sessionId !== undefined) {
      this.known.add(sessionId);
    }
    this.epoch += 1;
    this.turns = 0;
    this.sent = undefined;
    this.wantsStop = false;
    this.otherTurns.clear();
    this.waiting = undefined;
    this.updates = [];
    this.title = "";
    this.isCut = false;
    this.sessionId = sessionId;
    this.uri = uri;
    this.listener.running(false);
  }

  private where(): { uri?: string } {
    return this.uri ? { uri: this.uri } : {};
  }

  private count(difference: number): void {
    this.turns += difference;
    this.listener.running(this.isRunning);
  }
}
