import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { ChatView } from "../../src/chat/view.ts";
import type { ServerNotifications, UpdateParams } from "../../src/protocol.ts";
import type { Kept } from "../../src/webview/chat.ts";
import { agent, updates } from "../chat/updates.ts";
import { desk } from "../vscode.ts";
import { key, open, type Shown, type } from "./page.ts";

/** One that calls who listens, at once. */
class Signal<T> {
  private readonly listeners = new Set<(value: T) => void>();

  readonly event = (listener: (value: T) => void): { dispose(): void } => {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  };

  fire(value: T): void {
    for (const listener of [...this.listeners]) {
      listener(value);
    }
  }
}

/** The server's side of the wire, whose answers the test gives. */
class Server {
  state = "running";
  readonly changed = new Signal<string>();
  readonly asked: {
    readonly method: string;
    readonly params: { readonly sessionId?: string; readonly uri?: string };
    readonly answer: (result: unknown) => void;
    readonly refuse: (error: Error) => void;
  }[] = [];
  private readonly heard = new Signal<UpdateParams>();
  readonly onDidChangeState = this.changed.event;

  request(method: string, params: object): Promise<unknown> {
    return new Promise((answer, refuse) => this.asked.push({ method, params, answer, refuse }));
  }

  async notify(): Promise<void> {}

  onNotification(method: keyof ServerNotifications, listener: (told: UpdateParams) => void) {
    assert.equal(method, "milepost/chat/update");
    return this.heard.event(listener);
  }

  onRequest() {
    return { dispose: () => {} };
  }

  tell(list: readonly UpdateParams[]): void {
    for (const each of list) {
      this.heard.fire(each);
    }
  }

  become(state: string): void {
    this.state = state;
    this.changed.fire(state);
  }
}

/** The place where VS Code shows the page: it can be hidden, and what is told then is lost. */
class Place {
  shown: Shown | undefined;
  /** What the extension does not get, because it is not there yet. */
  isDeaf = false;
  kept: Kept | undefined;
  private readonly view: ChatView;
  private readonly said = new Signal<unknown>();
  private readonly disposed = new Signal<void>();

  constructor(view: ChatView) {
    this.view = view;
    view.resolveWebviewView(this.api() as never);
  }

  show(): Shown {
    const shown = open(
      this.kept,
      (message) => {
        if (!this.isDeaf) {
          this.said.fire(message);
        }
      },
      (kept) => {
        this.kept = kept;
      },
    );
    this.shown = shown;
    shown.page.ready();
    return shown;
  }

  hide(): void {
    this.shown = undefined;
  }

  /** VS Code shows the view somewhere else, and then says that this place has gone. */
  move(): Place {
    const other = new Place(this.view);
    other.kept = this.kept;
    this.disposed.fire();
    return other;
  }

  private api(): object {
    return {
      visible: true,
      webview: {
        asWebviewUri: String,
        onDidReceiveMessage: this.said.event,
        postMessage: async (message: never) => this.shown?.page.hear(message),
      },
      onDidDispose: this.disposed.event,
    };
  }
}

describe("a message, from the page through the extension to the server", () => {
  let server: Server;
  let view: ChatView;
  let place: Place;
  let remembered: Map<string, string | undefined>;
  const project = { uri: "file:///shop", onDidChange: new Signal<void>() };

  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout"] });
    desk.clear();
    server = new Server();
    remembered = new Map();
    project.uri = "file:///shop";
    const nothing = { onDidChange: new Signal<void>().event };
    view = new ChatView(
      {
        extensionUri: { path: "/extension", with: () => "" },
        workspaceState: {
          get: (name: string) => remembered.get(name),
          update: async (name: string, value: string) => remembered.set(name, value),
        },
      } as never,
      server as never,
      {
        get uri() {
          return project.uri;
        },
        onDidChange: project.onDidChange.event,
      } as never,
      { ...nothing, all: [] } as never,
      { ...nothing, model: "x" } as never,
      {} as never,
      { debug: () => {}, warn: () => {} } as never,
    );
    server.become("running");
    place = new Place(view);
    place.show();
  });

  afterEach(() => {
    view.dispose();
    mock.timers.reset();
  });

  const settle = (): Promise<void> => new Promise(setImmediate);
  const field = (): string =>
    place.shown?.root.querySelector<HTMLTextAreaElement>("form textarea")?.value ?? "";
  const visible = (selector: string): string[] =>
    [...(place.shown?.root.querySelectorAll<HTMLElement>(selector) ?? [])]
      .filter((each) => !each.hidden)
      .map((each) => each.textContent ?? "");
  const send = async (text: string): Promise<void> => {
    key(type(place.shown?.root.querySelector("form") as Element, text), "Enter");
    await settle();
  };
  const stream = (...list: Parameters<typeof updates>): void => {
    server.tell(updates(...list));
    mock.timers.tick(100);
  };
  const result = { sessionId: "s1", turnId: "t1", stopReason: "end_turn", message: "", usage: {} };

  test("stands in the chat from Enter on, at first as one that is being sent", async () => {
    await send("Mend it");
    assert.deepEqual(visible(".user .words"), ["Mend it"]);
    assert.deepEqual(visible(".sending .faint"), ["Sending…"]);
    assert.equal(field(), "");
    stream([agent("I will.")]);
    assert.deepEqual(visible(".user .words"), ["Mend it"]);
    assert.deepEqual(visible(".sending"), []);
  });

  test("is seen to be taken by a page that was hidden meanwhile", async () => {
    await send("Mend it");
    place.hide();
    stream([agent("I will.")]);
    place.show();
    assert.deepEqual(visible(".user .words"), ["Mend it"]);
    assert.deepEqual(visible(".sending"), []);
    assert.equal(field(), "");
  });

  test("comes back to a page that was hidden when it was refused, with the reason", async () => {
    await send("Mend it");
    place.hide();
    server.asked.at(-1)?.refuse(new Error("Another turn runs."));
    await settle();
    place.show();
    assert.equal(field(), "Mend it");
    assert.deepEqual(visible("[role=alert]"), ["Another turn runs."]);
  });

  test("comes back when the extension was not there to hear it", async () => {
    place.isDeaf = true;
    await send("Mend it");
    place.hide();
    place.isDeaf = false;
    place.show();
    assert.equal(field(), "Mend it");
    assert.match(visible("[role=alert]")[0] ?? "", /send it again/);
    assert.deepEqual(server.asked, []);
  });

  test("is answered in the place to which the view was moved", async () => {
    place = place.move();
    place.show();
    await send("Mend it");
    stream([agent("I will.")]);
    assert.deepEqual(visible(".agent"), ["I will."]);
  });

  test("stays in sight when the project or the server's state changes under it", async () => {
    await send("Mend it");
    project.uri = "file:///other";
    project.onDidChange.fire();
    server.become("running");
    await settle();
    stream([agent("I will.")]);
    server.asked.at(-1)?.answer(result);
    await settle();
    mock.timers.tick(100);
    assert.deepEqual(visible(".agent"), ["I will."]);
    assert.equal(remembered.get("chat file:///shop"), "s1");
    // The chat goes on in the folder where it began.
    await send("And then?");
    assert.deepEqual(server.asked.at(-1)?.params.uri, "file:///shop");
    assert.deepEqual(server.asked.at(-1)?.params.sessionId, "s1");
  });

  test("waits for the last chat, and is sent into another when that cannot be shown", async () => {
    remembered.set("chat file:///shop", "s0");
    server.become("running");
    await send("Mend it");
    assert.deepEqual(
      server.asked.map((each) => each.method),
      ["milepost/session/load"],
    );
    server.asked[0]?.refuse(new Error("The session is gone."));
    await settle();
    stream([agent("I will.")]);
    assert.deepEqual(visible(".user .words"), ["Mend it"]);
    assert.deepEqual(visible(".agent"), ["I will."]);
  });

  test("comes back when the server ends before it has begun", async () => {
    await send("Mend it");
    const [asked] = server.asked;
    server.become("restarting");
    asked?.refuse(new Error("Milepost's server ended before it answered."));
    await settle();
    server.become("running");
    await settle();
    assert.equal(field(), "Mend it");
    assert.deepEqual(visible("[role=alert]"), ["Milepost's server ended before it answered."]);
  });

  test("is left in its own chat when another is begun, and is not in that one", async () => {
    await send("one");
    desk.clear();
    view.register((name, run) => desk.commands.set(name, run as () => unknown));
    await desk.commands.get("milepost.newChat")?.();
    stream([agent("first")]);
    assert.deepEqual(visible(".sending"), []);
    assert.deepEqual(visible(".agent"), []);
    await send("two");
    stream([agent("more of the first")], { from: 2 });
    assert.deepEqual(visible(".agent"), []);
    stream([agent("second")], { sessionId: "s2", turnId: "t2" });
    assert.deepEqual(visible(".agent"), ["second"]);
    assert.deepEqual(visible(".user .words"), ["two"]);
  });
});
