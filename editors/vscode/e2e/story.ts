/** What a person does in an hour with Milepost, told to a real VS Code, with a picture of each step. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "playwright-core";
import { Agent } from "../test/agent.ts";
import type { Editor } from "./editor.ts";
import { DISGUISED, HANG, MEND, NEW, TEST } from "./shop.ts";

export class Story {
  private readonly editor: Editor;
  private readonly model: string;
  private readonly milepost: string;

  constructor(editor: Editor, model: string, milepost: string) {
    this.editor = editor;
    this.model = model;
    this.milepost = milepost;
  }

  async tell(): Promise<void> {
    await this.editor.widen();
    await this.rememberAndForget();
    await this.chatAndJudge();
    await this.stop();
    await this.permit();
    await this.seeThrough();
    await this.verify();
    await this.consent();
    await this.restore();
    await this.reload();
  }

  /** An entry is made, changed elsewhere, forgotten, and brought back. */
  private async rememberAndForget(): Promise<void> {
    const { editor } = this;
    await editor.run("Milepost: Focus on Memory View");
    await editor.run("Milepost: Remember…");
    await editor.answer("Prices are in cents, never in euros");
    await editor.answer("Rule");
    await editor.row("Prices are in cents").waitFor();
    this.terminal("memory", "add", "Orders come from the web shop");
    await editor.row("Orders come from the web shop").waitFor();
    await editor.picture("memory");
    await editor.act("Prices are in cents", "Forget Entry");
    await editor.message("Forgot “Prices are in cents").waitFor();
    await editor.row("Prices are in cents").waitFor({ state: "hidden" });
    await editor.picture("forgotten");
    await editor.press("Forgot “", "Undo");
    await editor.row("Prices are in cents").waitFor();
    await editor.picture("undone");
    await editor.row("Prices are in cents").click();
    await editor.page.locator(".tab", { hasText: "MEMORY.md" }).waitFor();
    await editor.run("View: Close All Editors");
    await editor.run("Milepost: Focus on Memory View");
    await editor.fold("Memory");
  }

  /** A turn streams, and its edit is judged hunk by hunk. */
  private async chatAndJudge(): Promise<void> {
    const { editor } = this;
    await editor.openFile("shop.py");
    const chat = await editor.openChat();
    await chat.getByRole("button", { name: "+ shop.py" }).click();
    await chat.locator(".chip", { hasText: "shop.py" }).waitFor();
    await editor.picture("chat");
    await this.send(chat, MEND, "The total of an order is wrong. Mend it.");
    await chat.locator(".user", { hasText: "Mend it" }).waitFor();
    await chat.locator(".agent", { hasText: "I will look at shop.py first." }).waitFor();
    await this.ended(chat);
    await chat.locator(".agent figure.code", { hasText: NEW }).waitFor();
    await editor.picture("streamed");
    await editor.readable(chat);
    const hunks = chat.locator(".hunk");
    await hunks.nth(1).waitFor();
    assert.equal(await hunks.count(), 2);
    await hunks.nth(0).getByRole("button", { name: "Accept" }).click();
    await hunks.nth(0).locator(".badge", { hasText: "accepted" }).waitFor();
    await chat.getByRole("button", { name: "Open Diff" }).first().click();
    await editor.page
      .locator(".monaco-diff-editor .view-line", { hasText: "rebate" })
      .first()
      .waitFor();
    await editor.picture("accepted");
    await hunks.nth(1).getByRole("button", { name: "Reject" }).click();
    await hunks.nth(1).locator(".badge", { hasText: "rejected" }).waitFor();
    await editor.run("File: Save All");
    await this.editor.until("one hunk is kept and one taken back", () => {
      const text = readFileSync(join(editor.project, "shop.py"), "utf8");
      return text.split(NEW).length === 2;
    });
    await editor.picture("judged");
    await editor.run("View: Close All Editors");
  }

  /** A turn that would never end is stopped, and keeps what was said. */
  private async stop(): Promise<void> {
    const { editor } = this;
    const chat = await editor.chat();
    await this.send(chat, HANG, "Is that all?");
    await chat.locator(".agent", { hasText: "Let me read all of it again" }).waitFor();
    await editor.picture("running");
    await chat.getByRole("button", { name: "Stop" }).click();
    await chat.locator(".notice", { hasText: "Stopped" }).waitFor();
    await this.ended(chat);
    await editor.picture("stopped");
  }

  /** A command is asked for in the chat, and allowed there. */
  private async permit(): Promise<void> {
    const { editor } = this;
    const chat = await editor.chat();
    await this.send(chat, TEST, "Run the tests.");
    await chat.locator(".question", { hasText: "python3 -m unittest" }).waitFor();
    await editor.picture("asked");
    await chat.locator(".question button").first().click();
    await chat.locator(".question").waitFor({ state: "hidden" });
    await chat.locator(".agent", { hasText: "The tests were run." }).waitFor();
    await this.ended(chat);
    await editor.picture("permitted");
  }

  /** A command that would hide what it does is shown as it is, to its end, and refused. */
  private async seeThrough(): Promise<void> {
    const { editor } = this;
    const chat = await editor.chat();
    await this.send(chat, DISGUISED, "Look once more.");
    const subject = chat.locator(".question .subject");
    await subject.locator(".mark", { hasText: "\\u202e" }).waitFor();
    await editor.picture("disguised");
    // In the chat's field, the Escape before each choice of a theme would stop the turn.
    await editor.page.mouse.click(900, 500);
    await editor.readable(chat);
    // The end is reached without a mouse, and the answers are in sight all the time.
    await subject.press("End");
    await this.editor.until("the end is in sight", () =>
      subject.evaluate((it) => it.scrollTop + it.clientHeight >= it.scrollHeight - 1),
    );
    await editor.picture("seen-through");
    await chat.locator(".question").getByRole("button", { name: "No", exact: true }).click();
    await chat.locator(".agent", { hasText: "Then not." }).waitFor();
    await this.ended(chat);
  }

  /** A goal is not met, then the work is done, and it is. */
  private async verify(): Promise<void> {
    const { editor } = this;
    await editor.run("Milepost: Focus on Goals View");
    // The chat has less room now, and still shows its end.
    await (await editor.chat()).locator(".latest").waitFor({ state: "hidden" });
    await editor.run("Milepost: Set a Goal…");
    await editor.answer("Every piece is counted");
    await editor.answer("python3 -m unittest");
    await editor.row("Every piece is counted").waitFor();
    await editor.act("Every piece is counted", "Verify Goal");
    await editor.message("Not met").waitFor();
    await editor.picture("not-met");
    await editor.run("Notifications: Clear All Notifications");
    const file = join(editor.project, "shop.py");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replaceAll("sum(item.price for item in order.items)", NEW));
    await editor.act("Every piece is counted", "Verify Goal");
    await editor.row("2 passed").waitFor();
    await editor.told("Met:");
    await editor.picture("met");
    await editor.run("Notifications: Clear All Notifications");
  }

  /** An agent's command is allowed, and a change of the tests is taken for honest, both as shown. */
  private async consent(): Promise<void> {
    const { editor } = this;
    const agent = await Agent.start(this.milepost, editor.project, editor.environment);
    await agent.call("goal_set", { condition: "The shop lists", checks: ["ls shop.py"] });
    await agent.stop();
    await editor.act("The shop lists", "Allow the Goal's Commands…");
    await editor.dialog().locator("text=ls shop.py").waitFor();
    await editor.picture("allow");
    await editor.dialog().getByRole("button", { name: "Allow" }).click();
    await editor.told("The command is allowed.");
    await editor.run("Notifications: Clear All Notifications");
    const tests = join(editor.project, "test_shop.py");
    const text = readFileSync(tests, "utf8");
    await editor.run("Milepost: Set a Goal…");
    await editor.answer("The rebate is right, and the tests pass");
    // What the project has for such words is offered, and taken.
    const proposed = editor.page.locator(".quick-input-list .monaco-list-row");
    await proposed.filter({ hasText: "python3 -m unittest discover" }).waitFor();
    await editor.picture("proposed");
    await editor.answer("");
    await editor.row("The rebate is right").waitFor();
    writeFileSync(tests, text.replace("(total(ORDER), 600)", "(600, 600)"));
    await editor.act("The rebate is right", "Verify Goal");
    await editor.told("Cannot be verified");
    await editor.picture("changed");
    await editor.run("Notifications: Clear All Notifications");
    await editor.act("The rebate is right", "Accept Changes of What Judges the Goal…");
    await editor.dialog().locator("text=test_shop.py").waitFor();
    await editor.picture("accept");
    await editor.dialog().getByRole("button", { name: "Accept" }).click();
    await editor.told("The change is accepted.");
    await editor.run("Notifications: Clear All Notifications");
    await editor.fold("Goals");
  }

  /** A restore point is looked at as a diff, restored, and the restore is undone. */
  private async restore(): Promise<void> {
    const { editor } = this;
    const file = join(editor.project, "shop.py");
    await editor.run("Milepost: Focus on Checkpoints View");
    await editor.run("Milepost: Save Checkpoint");
    await editor.answer("all is well");
    await editor.row("all is well").waitFor();
    const good = readFileSync(file, "utf8");
    writeFileSync(file, "gone = True\n");
    await editor.act("all is well", "Preview Checkpoint");
    await editor.page.locator(".monaco-diff-editor").waitFor();
    await editor.page.locator(".view-line", { hasText: "gone" }).first().waitFor();
    await editor.picture("preview");
    await editor.act("all is well", "Restore Checkpoint…");
    await editor.dialog().waitFor();
    await editor.picture("restore");
    await editor.dialog().getByRole("button", { name: "Restore" }).click();
    await editor.message("Went back to").waitFor();
    assert.equal(readFileSync(file, "utf8"), good);
    await editor.picture("restored");
    await editor.press("Went back to", "Undo");
    await editor.message("Took back the restore").waitFor();
    assert.equal(readFileSync(file, "utf8"), "gone = True\n");
    await editor.run("Notifications: Clear All Notifications");
    await editor.run("View: Close All Editors");
    await editor.fold("Checkpoints");
  }

  /** The window is loaded anew, and the chat is as it was. */
  private async reload(): Promise<void> {
    const { editor } = this;
    await editor.reload();
    const chat = await editor.openChat();
    await chat.locator(".user", { hasText: "Run the tests." }).waitFor();
    await chat.locator(".agent", { hasText: "Then not." }).waitFor();
    assert.equal(await chat.locator(".user").count(), 4);
    await editor.run("Milepost: Show Chats");
    await editor.page
      .locator(".quick-input-list .monaco-list-row", { hasText: "Mend it" })
      .waitFor();
    await editor.picture("sessions");
    await editor.page.keyboard.press("Escape");
    await editor.picture("reloaded");
  }

  /** Has the model play its lines, and sends words that begin the play. */
  private async send(chat: Frame, lines: string, words: string): Promise<void> {
    writeFileSync(this.model, lines);
    await this.editor.send(chat, words);
  }

  private async ended(chat: Frame): Promise<void> {
    await chat.getByRole("button", { name: "Send", exact: true }).waitFor();
  }

  private terminal(...words: string[]): void {
    const { project, environment: env } = this.editor;
    execFileSync(this.milepost, words, { cwd: project, env, stdio: "ignore" });
  }
}
