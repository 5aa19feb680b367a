import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Proposal } from "../../src/protocol.ts";
import { agent, call, callUpdate, ended, updates, used, user } from "../chat/updates.ts";
import { click, key, open, type Shown, type } from "./page.ts";

const PROPOSAL: Proposal = {
  id: "p1",
  uri: "file:///shop/shop.py",
  title: "Edit shop.py",
  origin: "chat",
  sessionId: "s1",
  isApplied: true,
  state: "open",
  oldText: "a\nb\nc\n",
  newText: "A\nb\nC\n",
  hunks: [
    { id: "h1", oldStart: 0, oldLines: 1, newStart: 0, newLines: 1, state: "open" },
    { id: "h2", oldStart: 2, oldLines: 1, newStart: 2, newLines: 1, state: "open" },
  ],
};

describe("the chat's page", () => {
  let shown: Shown;

  beforeEach(() => {
    shown = open();
    shown.page.hear({ is: "settings", sendOnEnter: true, mode: "build", model: "openai:x" });
  });

  const text = (selector: string): string =>
    shown.root.querySelector(selector)?.textContent ?? "(none)";

  test("Enter sends, Shift+Enter does not, and nothing is sent twice while a turn runs", () => {
    const field = type(shown.root, "  Mend it  ");
    key(field, "Enter", { shiftKey: true });
    assert.deepEqual(shown.said, []);
    key(field, "Enter");
    assert.deepEqual(shown.said, [{ is: "send", text: "Mend it", mode: "build" }]);
    assert.equal(field.value, "");
    shown.page.hear({ is: "running", isRunning: true });
    key(type(shown.root, "More"), "Enter");
    assert.equal(shown.said.length, 1);
    assert.equal(field.value, "More");
  });

  test("Enter that ends a composed word does not send", () => {
    key(type(shown.root, "かな"), "Enter", { isComposing: true });
    assert.deepEqual(shown.said, []);
  });

  test("Escape and the button stop a turn", () => {
    shown.page.hear({ is: "running", isRunning: true });
    key(type(shown.root, ""), "Escape");
    click(shown.root, "Stop");
    assert.deepEqual(shown.said, [{ is: "stop" }, { is: "stop" }]);
  });

  test("words stream into one message", () => {
    shown.page.hear({ is: "updates", updates: updates([user("Hi"), agent("Hel")]) });
    shown.page.hear({ is: "updates", updates: updates([agent("lo **you**")], { from: 3 }) });
    assert.equal(text(".agent"), "Hello you");
    assert.equal(shown.root.querySelectorAll(".item").length, 2);
    assert.equal(text(".empty"), "(none)");
  });

  test("@ asks for rows, and a chosen row takes the place of the words", () => {
    const field = type(shown.root, "look at @sho");
    assert.deepEqual(shown.said.at(-1), { is: "complete", query: "sho" });
    const rows = [
      { id: "a", kind: "file" as const, label: "a.py", detail: "a.py" },
      { id: "b", kind: "memory" as const, label: "b", detail: "project" },
    ];
    shown.page.hear({ is: "completions", query: "other", rows });
    assert.equal(shown.root.querySelectorAll("[role=option]").length, 0);
    shown.page.hear({ is: "completions", query: "sho", rows });
    key(field, "ArrowDown");
    assert.equal(text("[aria-selected=true] .label"), "b");
    key(field, "Enter");
    assert.deepEqual(shown.said.at(-1), { is: "attach", id: "b" });
    assert.equal(field.value, "look at ");
    assert.equal(shown.root.querySelectorAll("[role=option]").length, 0);
  });

  test("chips can be taken away, and the suggested one added", () => {
    const chip = { id: "f", kind: "file" as const, label: "shop.py", detail: "shop.py" };
    shown.page.hear({ is: "chips", chips: [chip], suggested: { ...chip, id: "g", label: "b.py" } });
    click(shown.root, "Remove shop.py");
    click(shown.root, "+ b.py");
    assert.deepEqual(shown.said, [
      { is: "detach", id: "f" },
      { is: "attach", id: "g" },
    ]);
  });

  test("a tool call is folded, with its output and its restore points", () => {
    const content = [{ type: "content" as const, content: { type: "text" as const, text: "ok" } }];
    const list = [call("c"), callUpdate("c", { content, checkpoints: { before: 3, after: 4 } })];
    shown.page.hear({ is: "updates", updates: updates(list) });
    const card = shown.root.querySelector("details.tool");
    assert.equal(card?.hasAttribute("open"), false);
    assert.equal(text(".tool .output"), "ok");
    click(shown.root, "shop.py:3");
    click(shown.root, "Go Back");
    assert.deepEqual(shown.said, [
      { is: "open", uri: "file:///shop/shop.py", line: 2 },
      { is: "point", id: 3, wish: "restore" },
    ]);
  });

  test("hunks of a proposal are judged one by one, or all at once", () => {
    const list = [call("c"), callUpdate("c", { proposalId: "p1" })];
    shown.page.hear({ is: "updates", updates: updates(list) });
    shown.page.hear({ is: "proposals", proposals: [PROPOSAL] });
    assert.equal(shown.root.querySelector("details.tool")?.hasAttribute("open"), true);
    const hunks = [...shown.root.querySelectorAll(".hunk")];
    assert.deepEqual(
      hunks.map((hunk) => hunk.querySelector(".diff")?.textContent),
      ["-a+A", "-c+C"],
    );
    click(hunks[1] as Element, "Reject");
    click(shown.root, "Accept All");
    assert.deepEqual(shown.said, [
      { is: "judge", id: "p1", hunks: ["h2"], verdict: "reject" },
      { is: "judge", id: "p1", hunks: undefined, verdict: "accept" },
    ]);
    const [first, second] = PROPOSAL.hunks;
    assert.ok(first && second);
    const judged = [
      { ...first, state: "accepted" as const },
      { ...second, state: "rejected" as const },
    ];
    shown.page.hear({
      is: "proposals",
      proposals: [{ ...PROPOSAL, state: "accepted", hunks: judged }],
    });
    assert.equal(shown.root.querySelectorAll(".hunk button").length, 0);
    assert.deepEqual(
      [...shown.root.querySelectorAll(".hunk .badge")].map((each) => each.textContent),
      ["accepted", "rejected"],
    );
  });

  test("a permission is asked for in place, and answered by its option", () => {
    shown.page.hear({
      is: "permissions",
      requests: [
        {
          requestId: "r1",
          sessionId: "s1",
          turnId: "t1",
          toolCallId: "c",
          title: "Run a long command",
          subject: "make test",
          reason: "commands are asked for",
          options: [
            {
              optionId: "once",
              name: "Allow once",
              kind: "allow_once",
              meaning: "It is done now.",
            },
            { optionId: "no", name: "No", kind: "reject_once", meaning: "It is not done." },
          ],
        },
      ],
    });
    assert.equal(text(".question pre"), "make test");
    click(shown.root, "No");
    assert.deepEqual(shown.said, [{ is: "permit", requestId: "r1", optionId: "no" }]);
    shown.page.hear({ is: "permissions", requests: [] });
    assert.equal(shown.root.querySelector(".question"), null);
  });

  test("a message can be edited and sent again", () => {
    shown.page.hear({ is: "updates", updates: updates([user("Mend it")], { turnId: "t7" }) });
    click(shown.root, "Edit and resend");
    const field = type(shown.root.querySelector(".user") as Element, "Mend all of it");
    key(field, "Enter");
    assert.deepEqual(shown.said, [
      { is: "resend", turnId: "t7", text: "Mend all of it", mode: "build" },
    ]);
  });

  test("tokens, cost and the window's share are one line", () => {
    shown.page.hear({ is: "updates", updates: updates([used(12_345, 0.5)]) });
    assert.equal(text(".spent"), "x · 12k in · 10 out · $0.50 · window 25 %");
  });

  test("how a turn ended is said, unless it ended as it should", () => {
    shown.page.hear({ is: "updates", updates: updates([ended("cancelled"), ended()]) });
    assert.deepEqual(
      [...shown.root.querySelectorAll(".notice:not([hidden])")].map((each) => each.textContent),
      ["Stopped"],
    );
  });

  test("the draft and what was unfolded outlive the page", () => {
    shown.page.hear({ is: "updates", updates: updates([call("c")]) });
    const card = shown.root.querySelector("details");
    assert.ok(card);
    card.open = true;
    card.dispatchEvent(new Event("toggle"));
    type(shown.root, "half a sen");
    const again = open(shown.kept.at(-1));
    again.page.hear({ is: "updates", updates: updates([call("c")]) });
    assert.equal(again.root.querySelector("textarea")?.value, "half a sen");
    assert.equal(again.root.querySelector("details")?.open, true);
  });

  test("what could not be sent comes back, unless something else is written by then", () => {
    shown.page.hear({ is: "failed", text: "No model.", draft: "Mend it" });
    const field = shown.root.querySelector("textarea");
    assert.equal(field?.value, "Mend it");
    assert.equal(text("[role=alert]"), "No model.");
    shown.page.hear({ is: "failed", text: "No model.", draft: "Other" });
    assert.equal(field?.value, "Mend it");
  });

  test("without a server there is a button in place of the field", () => {
    const actions = [{ title: "Install It", command: "milepost.installServer" }];
    shown.page.hear({ is: "obstacle", obstacle: { text: "No server.", actions } });
    assert.equal(shown.root.querySelector("form")?.hidden, true);
    click(shown.root, "Install It");
    assert.deepEqual(shown.said, [{ is: "command", command: "milepost.installServer" }]);
  });
});

test("an empty chat says that no model is named, when that is known, and where to name one", () => {
  const { page, root, said } = open();
  const empty = (): string => root.querySelector(".empty")?.textContent ?? "";
  const settings = { is: "settings", sendOnEnter: true, mode: "build" } as const;
  assert.doesNotMatch(empty(), /No model/);
  page.hear({ ...settings, model: undefined });
  assert.doesNotMatch(empty(), /No model/);
  page.hear({ ...settings, model: "" });
  assert.match(empty(), /No model is named yet/);
  click(root, "Name a Model");
  assert.deepEqual(said.at(-1), { is: "command", command: "milepost.openSettings" });
  page.hear({ ...settings, model: "openai:small" });
  assert.doesNotMatch(empty(), /No model/);
  assert.equal(root.querySelectorAll(".empty").length, 1);
});
