/**
 * What a chat shows, made from the server's updates; used by the page, and knows nothing of it.
 *
 * An item is replaced, never changed, so whoever draws sees by identity what is new.
 */

import type { CallOutput, Update, UpdateParams, Usage } from "../protocol.ts";

interface InTurn {
  readonly key: string;
  readonly turnId: string;
}

type Of<Kind extends Update["sessionUpdate"]> = Extract<Update, { sessionUpdate: Kind }>;

export type Speech = InTurn & { readonly is: "user" | "agent" | "thought"; readonly text: string };
export type ToolItem = InTurn & {
  readonly is: "tool";
  readonly call: Omit<Of<"tool_call">, "sessionUpdate">;
  readonly content: readonly CallOutput[];
  readonly checkpoints: { readonly before: number | null; readonly after: number | null };
  readonly proposalId: string | undefined;
};
export type PlanItem = InTurn & { readonly is: "plan"; readonly entries: Of<"plan">["entries"] };
export type RecallItem = InTurn & {
  readonly is: "recall";
  readonly entries: Of<"memory_recall">["entries"];
};
export type PointItem = InTurn & {
  readonly is: "checkpoint";
  readonly id: number;
  readonly label: string;
};
export type VerdictItem = InTurn & {
  readonly is: "verdict";
  readonly verdict: string;
  readonly reason: string;
};
export type NoticeItem = InTurn & {
  readonly is: "notice";
  readonly level: "info" | "warning" | "error";
  readonly text: string;
};
export type EndItem = InTurn & {
  readonly is: "end";
  readonly stopReason: string;
  readonly message: string;
};

export type Item =
  | Speech
  | ToolItem
  | PlanItem
  | RecallItem
  | PointItem
  | VerdictItem
  | NoticeItem
  | EndItem;

export interface Spent {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
  readonly windowShare: number;
}

const NOTHING_SPENT: Spent = { inputTokens: 0, outputTokens: 0, costUsd: null, windowShare: 0 };

export class Transcript {
  private shown: Item[] = [];
  private made = 0;
  /** Of the turns that ended, and of the one that runs. */
  private before: Spent = NOTHING_SPENT;
  private during: Spent = NOTHING_SPENT;
  title = "";

  get items(): readonly Item[] {
    return this.shown;
  }

  /** What the session has used so far. */
  get spent(): Spent {
    return sum(this.before, this.during);
  }

  clear(): void {
    this.shown = [];
    this.before = NOTHING_SPENT;
    this.during = NOTHING_SPENT;
    this.title = "";
  }

  apply({ turnId, update }: UpdateParams): void {
    switch (update.sessionUpdate) {
      case "user_message_chunk":
        this.speak("user", turnId, update.content.text);
        break;
      case "agent_message_chunk":
        this.speak("agent", turnId, update.content.text);
        break;
      case "agent_thought_chunk":
        this.speak("thought", turnId, update.content.text);
        break;
      case "agent_message_reset":
        this.takeBack(turnId);
        break;
      case "tool_call":
        this.call(turnId, update);
        break;
      case "tool_call_update":
        this.changeCall(update);
        break;
      case "plan":
        this.plan(turnId, update.entries);
        break;
      case "memory_recall":
        if (update.entries.length > 0) {
          this.add({ is: "recall", ...this.next(turnId), entries: update.entries });
        }
        break;
      case "checkpoint":
        this.add({
          is: "checkpoint",
          ...this.next(turnId),
          id: update.checkpointId,
          label: update.label,
        });
        break;
      case "goal_verdict": {
        const { verdict, reason } = update;
        this.add({ is: "verdict", ...this.next(turnId), verdict, reason });
        break;
      }
      case "usage_update":
        this.during = { ...NOTHING_SPENT, ...update };
        break;
      case "session_info_update":
        this.title = update.title;
        break;
      case "notice":
        this.add({ is: "notice", ...this.next(turnId), level: update.level, text: update.text });
        break;
      case "turn_ended":
        this.end(turnId, update.stopReason, update.message, update.usage);
        break;
    }
  }

  private speak(is: Speech["is"], turnId: string, text: string): void {
    const last = this.shown.at(-1);
    if (last && last.is === is && last.turnId === turnId) {
      this.shown[this.shown.length - 1] = { ...last, text: last.text + text } as Item;
    } else {
      this.add({ is, ...this.next(turnId), text });
    }
  }

  /** Drops what was said and thought since the turn's last step. */
  private takeBack(turnId: string): void {
    let last = this.shown.at(-1);
    while (last && last.turnId === turnId && (last.is === "agent" || last.is === "thought")) {
      this.shown.pop();
      last = this.shown.at(-1);
    }
  }

  private call(turnId: string, { sessionUpdate: _, ...call }: Of<"tool_call">): void {
    const content: ToolItem["content"] = [];
    const checkpoints = { before: null, after: null };
    this.add({
      is: "tool",
      ...this.next(turnId),
      key: `tool ${call.toolCallId}`,
      call,
      content,
      checkpoints,
      proposalId: undefined,
    });
  }

  private changeCall(update: Of<"tool_call_update">): void {
    const place = this.shown.findLastIndex(
      (item) => item.is === "tool" && item.call.toolCallId === update.toolCallId,
    );
    const item = this.shown[place];
    if (item?.is !== "tool") {
      return;
    }
    this.shown[place] = {
      ...item,
      call: { ...item.call, status: update.status },
      content: update.content ?? item.content,
      checkpoints: update.checkpoints ?? item.checkpoints,
      proposalId: update.proposalId ?? item.proposalId,
    };
  }

  /** A turn has one plan, which stands where it was first shown. */
  private plan(turnId: string, entries: PlanItem["entries"]): void {
    const place = this.shown.findLastIndex((item) => item.is === "plan" && item.turnId === turnId);
    const known = this.shown[place];
    if (known?.is === "plan") {
      this.shown[place] = { ...known, entries };
    } else {
      this.add({ is: "plan", ...this.next(turnId), entries });
    }
  }

  private end(turnId: string, stopReason: string, message: string, usage: Usage): void {
    this.before = {
      ...sum(this.before, { ...NOTHING_SPENT, ...usage }),
      windowShare: this.during.windowShare,
    };
    this.during = { ...NOTHING_SPENT, windowShare: this.during.windowShare };
    this.add({ is: "end", ...this.next(turnId), stopReason, message });
    // What was still running when the turn ended will not be told of any more.
    this.shown = this.shown.map((item) =>
      item.is === "tool" && item.turnId === turnId && isRunning(item)
        ? { ...item, call: { ...item.call, status: "failed" } }
        : item,
    );
  }

  private add(item: Item): void {
    this.shown.push(item);
  }

  private next(turnId: string): InTurn {
    this.made += 1;
    return { key: `item ${this.made}`, turnId };
  }
}

export function isRunning(item: ToolItem): boolean {
  return item.call.status === "pending" || item.call.status === "in_progress";
}

function sum(a: Spent, b: Spent): Spent {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costUsd: a.costUsd === null && b.costUsd === null ? null : (a.costUsd ?? 0) + (b.costUsd ?? 0),
    windowShare: b.windowShare,
  };
}
