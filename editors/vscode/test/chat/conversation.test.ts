import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Conversation, type Line } from "../../src/chat/conversation.ts";
import type { ChatSession, UpdateParams } from "../../src/protocol.ts";
import { agent, ended, updates, user } from "./updates.ts";

const SESSION: ChatSession = {
  sessionId: "s1",
  title: "A chat",
  state: "active",
  createdAt: "",
  updatedAt: "",
  mode: "build",
};

interface Asked {
  readonly method: string;
  readonly params: unknown;
  readonly answer: (result: unknown) => void;
  readonly refuse: (error: Error) => void;
}

describe("a conversation", () => {
  let asked: Asked[] = [];
  let told: UpdateParams[] = [];
  let resets = 0;
  let isRunning = false;
  let taken: string[] = [];
  let remembered: (string | undefined)[] = [];
  let conversation: Conversation;

  beforeEach(() => {
    asked = [];
    told = [];
    resets = 0;
    isRunning = false;
    remembered = [];
    const line = {
      request: (method: string, params: unknown) =>
        new Promise((answer, refuse) => asked.push({ method, params, answer, refuse })),
      notify: async (method: string, params: unknown) => {
        asked.push({ method, params, answer: () => {}, refuse: () => {} });
      },
    } as unknown as Line;
    const listener = {
      reset: () => {
        resets += 1;
      },
      updates: (list: readonly UpdateParams[]) => {
        told.push(...list);
      },
      running: (now: boolean) => {
        isRunning = now;
      },
    };
    conversation = new Conversation(line, listener, (id) => remembered.push(id));
    conversation.clear("file:///shop");
    resets = 0;
    taken = [];
  });

  const hear = (list: readonly UpdateParams[]): void => {
    for (const each of list) {
      conversation.hear(each);
    }
  };
  const prompt = (text = "Hi"): Promise<unknown> => {
    const done = conversation.prompt({
      text,
      blocks: [],
      mode: "build",
      onTaken: () => taken.push(text),
    });
    // Whether it is refused is the test's to say.
    done.catch(() => {});
    return done;
  };
  const paramsOf = (number: number): { sessionId?: string } =>
    (asked[number]?.params ?? {}) as { sessionId?: string };
  /** What is waited for before a prompt is sent has come by then. */
  const next = (): Promise<void> => new Promise(setImmediate);
  const result = { sessionId: "s1", turnId: "t1", stopReason: "end_turn", message: "", usage: {} };

  test("the first prompt begins a session, whose name comes with its first update", async () => {
    const done = prompt();
    await next();
    assert.equal(isRunning, true);
    assert.deepEqual(asked[0]?.params, {
      prompt: [{ type: "text", text: "Hi" }],
      mode: "build",
      uri: "file:///shop",
    });
    hear(updates([agent("Hello")]));
    assert.equal(conversation.sessionId, "s1");
    asked[0]?.answer(result);
    await done;
    assert.equal(isRunning, false);
    assert.deepEqual(remembered, ["s1"]);
  });

  test("what was sent is shown once, whether the server tells of it or not", async () => {
    const done = prompt();
    await next();
    hear(updates([agent("Hel"), agent("lo")]));
    assert.deepEqual(
      told.map(({ turnId, update }) => [turnId, update.sessionUpdate]),
      [
        ["t1", "user_message_chunk"],
        ["t1", "agent_message_chunk"],
        ["t1", "agent_message_chunk"],
      ],
    );
    asked[0]?.answer(result);
    await done;
    const again = prompt();
    await next();
    hear(updates([user("Hi"), agent("Yes")], { turnId: "t2", from: 3 }));
    asked[1]?.answer({ ...result, turnId: "t2" });
    await again;
    assert.equal(
      told.filter((each) => each.update.sessionUpdate === "user_message_chunk").length,
      2,
    );
    assert.deepEqual(conversation.told, told);
  });

  test("what was sent is shown even if nothing is said in its turn", async () => {
    const done = prompt();
    await next();
    asked[0]?.answer(result);
    await done;
    assert.deepEqual(
      told.map((each) => each.update),
      [user("Hi")],
    );
  });

  test("updates of other sessions are passed over, and repeated ones too", async () => {
    const done = prompt();
    await next();
    const mine = updates([user("Hi"), agent("Hello")]);
    hear([...mine, ...mine, ...updates([agent("Not here")], { sessionId: "s2", from: 9 })]);
    assert.equal(told.length, 2);
    asked[0]?.answer(result);
    await done;
  });

  test("stopping tells the server, and the turn runs until it has ended", async () => {
    const done = prompt();
    await next();
    hear(updates([user("Hi")]));
    await conversation.cancel();
    assert.deepEqual(asked[1], { ...asked[1], method: "milepost/chat/cancel" });
    assert.equal(isRunning, true);
    asked[0]?.answer({ ...result, stopReason: "cancelled" });
    await done;
    assert.equal(isRunning, false);
  });

  test("a prompt that is refused is over, and says why", async () => {
    const done = prompt();
    await next();
    asked[0]?.refuse(new Error("No model is configured."));
    await assert.rejects(done, /No model/);
    assert.equal(isRunning, false);
  });

  test("a session that is loaded has what was kept, and what came meanwhile once", async () => {
    const done = conversation.load("s1", undefined);
    hear(updates([agent("two"), agent("three")], { from: 2 }));
    const kept = updates([user("one"), agent("two")]).map(({ sessionId: _, ...rest }) => rest);
    asked[0]?.answer({ session: SESSION, updates: kept, isCut: false });
    await done;
    assert.deepEqual(
      conversation.told.map((each) => each.seq),
      [1, 2, 3],
    );
    assert.equal(conversation.title, "A chat");
    assert.equal(resets, 1);
  });

  test("a session that runs elsewhere is seen to run until its turn has ended", async () => {
    const done = conversation.load("s1", undefined);
    const kept = updates([user("one")]).map(({ sessionId: _, ...rest }) => rest);
    asked[0]?.answer({ session: { ...SESSION, state: "running" }, updates: kept, isCut: false });
    await done;
    assert.equal(isRunning, true);
    hear(updates([ended()], { from: 2 }));
    assert.equal(isRunning, false);
    hear(updates([user("again")], { turnId: "t2", from: 3 }));
    assert.equal(isRunning, true);
    // Stopping is for the turn that is seen, and not for one that begins meanwhile.
    await conversation.cancel();
    assert.deepEqual(asked[1]?.params, { sessionId: "s1", turnId: "t2" });
  });

  test("the answer to a chat that was left does not touch the one that is shown", async () => {
    const done = prompt();
    await next();
    conversation.begin("file:///shop");
    asked[0]?.answer(result);
    await done;
    assert.equal(conversation.sessionId, undefined);
    assert.equal(isRunning, false);
  });

  test("words are taken when their turn begins, once, and not when it is refused", async () => {
    const done = prompt("one");
    await next();
    assert.deepEqual(taken, []);
    hear(updates([agent("Hel"), agent("lo")]));
    asked[0]?.answer(result);
    await done;
    const refused = prompt("two");
    await next();
    asked[1]?.refuse(new Error("Another turn runs."));
    await assert.rejects(refused);
    assert.deepEqual(taken, ["one"]);
  });

  test("a prompt waits for the session that is being loaded, and goes into it", async () => {
    const loaded = conversation.load("s1", undefined);
    const done = prompt("Later");
    await next();
    assert.equal(asked.length, 1);
    const kept = updates([user("one"), ended()]).map(({ sessionId: _, ...rest }) => rest);
    asked[0]?.answer({ session: SESSION, updates: kept, isCut: false });
    await loaded;
    await next();
    assert.equal(paramsOf(1).sessionId, "s1");
    hear(updates([agent("Yes")], { turnId: "t2", from: 3 }));
    assert.deepEqual(
      conversation.told.map((each) => each.update.sessionUpdate),
      ["user_message_chunk", "turn_ended", "user_message_chunk", "agent_message_chunk"],
    );
    asked[1]?.answer({ ...result, turnId: "t2" });
    await done;
  });

  test("when the session cannot be loaded, a prompt begins another, and is not lost", async () => {
    const loaded = conversation.load("s0", "file:///shop");
    const done = prompt();
    asked[0]?.refuse(new Error("There is no session s0."));
    await assert.rejects(loaded);
    assert.equal(resets, 1);
    await next();
    assert.equal(paramsOf(1).sessionId, undefined);
    hear(updates([agent("Hello")]));
    assert.deepEqual(taken, ["Hi"]);
    asked[1]?.answer(result);
    await done;
    assert.equal(told.length, 2);
    // That it could not be loaded does not make the user's last chat another one.
    assert.deepEqual(remembered, ["s1"]);
  });

  test("a turn that goes on elsewhere is not taken for the one that has just begun", async () => {
    const first = prompt("one");
    await next();
    hear(updates([agent("a")]));
    conversation.begin("file:///shop");
    const second = prompt("two");
    await next();
    hear(updates([agent("b")], { from: 2 }));
    assert.equal(conversation.sessionId, undefined);
    hear(updates([agent("c")], { sessionId: "s2", turnId: "t2" }));
    assert.equal(conversation.sessionId, "s2");
    assert.deepEqual(
      conversation.told.map(({ sessionId, update }) => [sessionId, update.sessionUpdate]),
      [
        ["s2", "user_message_chunk"],
        ["s2", "agent_message_chunk"],
      ],
    );
    asked[0]?.answer(result);
    asked[1]?.answer({ ...result, sessionId: "s2", turnId: "t2" });
    await Promise.all([first, second]);
    assert.deepEqual(taken, ["one", "two"]);
  });

  test("a prompt that was left before its session had a name is seen to be taken", async () => {
    const first = prompt("one");
    await next();
    conversation.begin("file:///shop");
    const second = prompt("two");
    await next();
    hear(updates([agent("a")]));
    assert.deepEqual(taken, ["one"]);
    assert.equal(conversation.sessionId, undefined);
    hear(updates([agent("b")], { sessionId: "s2", turnId: "t2" }));
    assert.equal(conversation.sessionId, "s2");
    asked[0]?.answer(result);
    asked[1]?.answer({ ...result, sessionId: "s2", turnId: "t2" });
    await Promise.all([first, second]);
    assert.deepEqual(taken, ["one", "two"]);
  });

  test("a wish to stop is kept until the session has a name", async () => {
    const done = prompt();
    await next();
    await conversation.cancel();
    assert.equal(asked.length, 1);
    hear(updates([agent("Hello")]));
    assert.equal(asked[1]?.method, "milepost/chat/cancel");
    assert.deepEqual(asked[1]?.params, { sessionId: "s1" });
    asked[0]?.answer({ ...result, stopReason: "cancelled" });
    await done;
  });

  test("a fork before a turn is loaded in place of the session", async () => {
    const loaded = conversation.load("s1", undefined);
    asked[0]?.answer({ session: SESSION, updates: [], isCut: false });
    await loaded;
    const done = conversation.forkBefore("t2");
    assert.deepEqual(asked[1]?.params, { sessionId: "s1", turnId: "t2" });
    asked[1]?.answer({ ...SESSION, sessionId: "s2" });
    await new Promise(setImmediate);
    assert.deepEqual(asked[2]?.params, { sessionId: "s2" });
    asked[2]?.answer({ session: SESSION, updates: [], isCut: false });
    await done;
    assert.equal(conversation.sessionId, "s2");
  });
});
