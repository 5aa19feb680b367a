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
  readonly uri: string | undefined;
}

export class Conversation {
  private updates: UpdateParams[] = [];
  /** Told of while the session is being loaded; what is loaded may hold them already. */
  private waiting: UpdateParams[] | undefined;
  private turns = 0;
  /** What was sent and stands in no update yet: the server tells it only to the other editors. */
  private sent: string | undefined;
  /** Counts what replaced the session, so that a late answer to the one before is known as such. */
  private epoch = 0;
  private otherTurns = new Set<string>();
  sessionId: string | undefined;
  title = "";
  isCut = false;

  constructor(
    private readonly line: Line,
    private readonly listener: Listener,
    /** Called when the session shown is another one, to be remembered for the next start. */
    private readonly remember: (sessionId: string | undefined) => void,
  ) {}

  get told(): readonly UpdateParams[] {
    return this.updates;
  }

  get isRunning(): boolean {
    return this.turns > 0 || this.otherTurns.size > 0;
  }

  /** Sends a prompt, and resolves when its turn has ended. */
  async prompt({ text, blocks, mode, uri }: Prompt): Promise<PromptResult> {
    const { epoch } = this;
    const prompt: Block[] = [{ type: "text", text }, ...blocks];
    const session = this.sessionId === undefined ? {} : { sessionId: this.sessionId };
    this.count(+1);
    this.sent = text;
    try {
      const params = { ...session, prompt, mode, ...(uri ? { uri } : {}) };
      const result = await this.line.request("milepost/chat/prompt", params);
      if (epoch === this.epoch) {
        this.adopt(result.sessionId);
        this.showSent(result.turnId);
      }
      return result;
    } finally {
      if (epoch === this.epoch) {
        this.sent = undefined;
        this.count(-1);
      }
    }
  }

  /** Asks the server to end the turn; the prompt then resolves with what was said so far. */
  async cancel(): Promise<void> {
    if (this.sessionId !== undefined && this.isRunning) {
      // Another editor's turn may end, and the next begin, before the server hears of this.
      const other = this.turns > 0 ? undefined : [...this.otherTurns].at(-1);
      const turn = other === undefined ? {} : { turnId: other };
      await this.line.notify("milepost/chat/cancel", { sessionId: this.sessionId, ...turn });
    }
  }

  /** Begins a session that the server does not know before its first prompt. */
  clear(): void {
    this.replace(undefined, "", []);
    this.listener.reset(this);
  }

  /** Shows another title; the server was told by whoever calls. */
  rename(title: string): void {
    this.title = title;
    this.listener.reset(this);
  }

  /** Shows a session as the server has kept it, and follows it from then on. */
  async load(sessionId: string, uri: string | undefined): Promise<void> {
    this.replace(sessionId, "", []);
    const { epoch } = this;
    this.waiting = [];
    try {
      const params = { sessionId, ...(uri ? { uri } : {}) };
      const loaded = await this.line.request("milepost/session/load", params);
      if (epoch !== this.epoch) {
        return;
      }
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
    } finally {
      if (epoch === this.epoch) {
        this.waiting = undefined;
        this.listener.reset(this);
        this.listener.running(this.isRunning);
      }
    }
  }

  /** Continues before a turn, in a session of its own: edit and resend. */
  async forkBefore(turnId: string, uri: string | undefined): Promise<void> {
    if (this.sessionId === undefined) {
      return;
    }
    const params = { sessionId: this.sessionId, turnId, ...(uri ? { uri } : {}) };
    const fork = await this.line.request("milepost/session/fork", params);
    await this.load(fork.sessionId, uri);
  }

  /** Takes what the server told, whichever session it is about. */
  hear(told: UpdateParams): void {
    if (this.turns > 0) {
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
    if (told.update.sessionUpdate === "user_message_chunk") {
      this.sent = undefined;
    }
    this.showSent(told.turnId);
    if (this.take(told)) {
      this.listener.updates([told]);
      this.listener.running(this.isRunning);
    }
  }

  /** Shows what was sent as the beginning of its turn. */
  private showSent(turnId: string): void {
    const text = this.sent;
    if (text === undefined || this.sessionId === undefined) {
      return;
    }
    this.sent = undefined;
    const told: UpdateParams = {
      sessionId: this.sessionId,
      turnId,
      // The update that follows has the next whole number.
      seq: this.last + 0.5,
      update: { sessionUpdate: "user_message_chunk", content: { type: "text", text } },
    };
    this.updates.push(told);
    this.listener.updates([told]);
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
      this.remember(sessionId);
    }
  }

  private replace(sessionId: string | undefined, title: string, updates: UpdateParams[]): void {
    this.epoch += 1;
    this.turns = 0;
    this.sent = undefined;
    this.otherTurns.clear();
    this.waiting = undefined;
    this.updates = updates;
    this.title = title;
    this.isCut = false;
    this.sessionId = sessionId;
    this.remember(sessionId);
    this.listener.running(false);
  }

  private count(difference: number): void {
    this.turns += difference;
    this.listener.running(this.isRunning);
  }
}
