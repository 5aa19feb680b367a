import assert from "node:assert/strict";
import { beforeEach, describe, mock, test } from "node:test";
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

// A message that nobody answers would keep the test waiting.
mock.timers.enable({ apis: ["setTimeout"] });

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
    const [{ id, ...sent }] = shown.said as unknown as [{ id: string }];
    assert.deepEqual(sent, { is: "send", text: "Mend it", mode: "build" });
    shown.page.hear({ is: "taken", id });
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
    assert.equal(shown.root.querySelectorAll(".log > .item").length, 2);
    assert.equal(text(".empty"), "(none)");
  });

  test("messages are read out when they are whole, and not word by word", () => {
    const spoken = (): string[] =>
      [...shown.root.querySelectorAll(":scope > [role=status].unseen p")].map(
        (each) => each.textContent ?? "",
      );
    shown.page.hear({ is: "running", isRunning: true });
    shown.page.hear({ is: "updates", updates: updates([user("Hi"), agent("I will")]) });
    shown.page.hear({ is: "updates", updates: updates([agent(" look.")], { from: 3 }) });
    assert.deepEqual(spoken(), []);
    shown.page.hear({ is: "updates", updates: updates([call("c"), agent("It is ")], { from: 4 }) });
    assert.deepEqual(spoken(), ["I will look.", "Edit shop.py"]);
    shown.page.hear({ is: "updates", updates: updates([agent("mended.")], { from: 6 }) });
    shown.page.hear({ is: "running", isRunning: false });
    assert.deepEqual(spoken().slice(2), ["It is mended."]);
    assert.equal(shown.root.querySelector("[role=log]")?.getAttribute("aria-live"), "off");
    // What was said before, in a chat that is shown again, is not.
    const list = updates([user("Hi"), agent("Hello")], { sessionId: "s2" });
    shown.page.hear({ is: "reset", sessionId: "s2", title: "", updates: list, isCut: false });
    shown.page.hear({ is: "running", isRunning: false });
    assert.deepEqual(spoken(), []);
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

  test("a call cannot hide what it is about: all of it is there, with what is unseen named", () => {
    const lines = ["echo fine\u202e", ...Array.from({ length: 50 }, () => ""), "rm -rf ~"];
    const request = {
      requestId: "r1",
      sessionId: "s1",
      turnId: "t1",
      toolCallId: "c",
      title: "Run echo fine\u202e rm -rf ~",
      subject: lines.join("\n"),
      reason: "",
      options: [],
    };
    shown.page.hear({ is: "permissions", requests: [request] });
    assert.equal(text(".question .subject"), lines.join("\n").replace("\u202e", "\\u202e"));
    assert.match(text(".question"), /52 lines, 69 characters: scroll to see all of it/);
    assert.match(text(".question .notice"), /cannot be seen or that change how the rest looks/);
    assert.equal(text(".question .asked"), "Run echo fine\\u202e rm -rf ~?");
    assert.equal(shown.root.querySelectorAll(".question .subject .mark").length, 1);
  });

  test("a message can be edited and sent again", () => {
    shown.page.hear({ is: "updates", updates: updates([user("Mend it")], { turnId: "t7" }) });
    click(shown.root, "Edit and resend");
    const field = type(shown.root.querySelector(".user") as Element, "Mend all of it");
    key(field, "Enter");
    const [{ id: _, ...sent }] = shown.said as unknown as [{ id: string }];
    assert.deepEqual(sent, { is: "resend", turnId: "t7", text: "Mend all of it", mode: "build" });
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

  test("what could not be sent comes back, before what was written since", () => {
    const field = type(shown.root, "Mend it");
    key(field, "Enter");
    const { id } = shown.said[0] as { id: string };
    assert.equal(text(".sending .words"), "Mend it");
    type(shown.root, "and more");
    shown.page.hear({ is: "failed", text: "No model.", id });
    assert.equal(field.value, "Mend it\n\nand more");
    assert.equal(text("[role=alert]"), "No model.");
    assert.equal(text(".sending .words"), "(none)");
    assert.equal(shown.kept.at(-1)?.draft, "Mend it\n\nand more");
    // It is told of again, as a page that was hidden is.
    shown.page.hear({ is: "failed", text: "No model.", id });
    assert.equal(field.value, "Mend it\n\nand more");
  });

  test("nothing else is sent before it is known what became of a message", () => {
    const field = type(shown.root, "one");
    key(field, "Enter");
    key(type(shown.root, "two"), "Enter");
    assert.equal(shown.said.length, 1);
    assert.equal(field.value, "two");
    const { id } = shown.said[0] as { id: string };
    shown.page.hear({ is: "heard", id });
    shown.page.hear({ is: "taken", id });
    assert.equal(text(".sending .words"), "(none)");
    key(field, "Enter");
    assert.equal(shown.said.length, 2);
  });

  test("a message that nobody hears comes back, and is not sent twice by that", () => {
    const field = type(shown.root, "Mend it");
    key(field, "Enter");
    const { id } = shown.said[0] as { id: string };
    mock.timers.tick(20_000);
    assert.equal(field.value, "Mend it");
    assert.match(text("[role=alert]"), /did not arrive/);
    // It was only slow.
    shown.page.hear({ is: "heard", id });
    shown.page.hear({ is: "taken", id });
    assert.equal(field.value, "");
    assert.equal(shown.root.querySelector<HTMLElement>("[role=alert]")?.hidden, true);
  });

  test("a message that is on its way outlives the page, and so does an edited one", () => {
    key(type(shown.root, "Mend it"), "Enter");
    const { id } = shown.said[0] as { id: string };
    const again = open(shown.kept.at(-1));
    again.page.ready();
    assert.deepEqual(again.said, [{ is: "ready", sending: id }]);
    assert.equal(again.root.querySelector(".sending .words")?.textContent, "Mend it");
    again.page.hear({ is: "failed", text: "It did not arrive.", id });
    assert.equal(again.root.querySelector("textarea")?.value, "Mend it");

    shown.page.hear({ is: "taken", id });
    const before = { is: "updates", updates: updates([user("One")], { turnId: "t7" }) } as const;
    shown.page.hear(before);
    click(shown.root, "Edit and resend");
    type(shown.root.querySelector(".log > .user") as Element, "Two");
    const later = open(shown.kept.at(-1));
    later.page.hear(before);
    assert.equal(later.root.querySelector<HTMLTextAreaElement>(".user textarea")?.value, "Two");
  });

  test("an edited message that could not be sent comes back to where it was edited", () => {
    const before = { is: "updates", updates: updates([user("One")], { turnId: "t7" }) } as const;
    shown.page.hear(before);
    click(shown.root, "Edit and resend");
    key(type(shown.root.querySelector(".log > .user") as Element, "Two"), "Enter");
    const { id } = shown.said[0] as { id: string };
    shown.page.hear({ is: "failed", text: "No.", id });
    const again = shown.root.querySelector<HTMLTextAreaElement>(".user textarea");
    assert.equal(again?.value, "Two");
    key(again as Element, "Enter");
    const { id: other } = shown.said[1] as { id: string };
    // The chat before that turn is another one, and has no such message.
    shown.page.hear({ is: "reset", sessionId: "s2", title: "", updates: [], isCut: false });
    assert.equal(text(".sending .words"), "Two");
    shown.page.hear({ is: "failed", text: "No.", id: other });
    assert.equal(shown.root.querySelector("textarea")?.value, "Two");
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
