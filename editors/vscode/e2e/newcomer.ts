/** The first minutes of somebody who has only the extension: no server, no model, no memory. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Editor } from "./editor.ts";

const MISSING = "is not on this machine";

export class Newcomer {
  private readonly editor: Editor;
  /** The environment that the extension makes, when it may. */
  private readonly managed: string;

  constructor(editor: Editor) {
    this.editor = editor;
    this.managed = join(editor.user, "User/globalStorage/milepost.milepost/server");
  }

  async tell(): Promise<void> {
    await this.decline();
    await this.stop();
    await this.install();
    await this.ask();
  }

  /** The server is offered, and a no is taken for one; the offer stays where it is looked for. */
  private async decline(): Promise<void> {
    const { editor } = this;
    await editor.message(MISSING).waitFor();
    await editor.picture("missing");
    await editor.press(MISSING, "Install It");
    await editor.dialog().waitFor();
    await editor.picture("consent");
    await editor.dialog().getByRole("button", { name: "Cancel" }).click();
    const told = editor.message("Nothing was installed");
    await told.getByRole("button", { name: "Install It" }).waitFor();
    await editor.picture("declined");
    assert.ok(!existsSync(this.managed), "a no installs nothing");
    await editor.run("Milepost: Focus on Goals View");
    await editor.run("Milepost: Focus on Checkpoints View");
    await editor.run("Milepost: Focus on Memory View");
    await editor.widen();
    const offers = editor.page.locator(".welcome-view a", { hasText: "install it" });
    await offers.nth(2).waitFor();
    const chat = await editor.chat();
    await chat.locator(".obstacle").getByRole("button", { name: "Install It" }).waitFor();
    await editor.picture("offers");
    for (const view of ["Goals", "Checkpoints", "Memory"]) {
      await editor.fold(view);
    }
  }

  /** Halfway through an installation it is stopped, and nothing of it is left. */
  private async stop(): Promise<void> {
    const { editor } = this;
    await this.agree();
    // From here on it takes many seconds more: pip itself comes first, then what is fetched.
    await editor.until("half an environment", () => existsSync(join(this.managed, "bin/python")));
    await editor.press("Installing Milepost's server", "Cancel");
    await editor.message("The installation was stopped, and nothing of it is left").waitFor();
    await editor.picture("stopped");
    assert.ok(!existsSync(this.managed), "half an environment is none");
    await editor.says("The server is not installed");
  }

  /** The environment is made from the wheel of the extension, and its server starts. */
  private async install(): Promise<void> {
    const { editor } = this;
    await this.agree();
    await editor.message("Installing Milepost's server").waitFor();
    await editor.picture("installing");
    await editor.says("shop");
    assert.ok(existsSync(join(this.managed, "bin/milepost-lsp")));
    assert.match(await editor.log(), /Starting \S+ \S+ \(managed\)/);
    await editor.picture("installed");
  }

  private async agree(): Promise<void> {
    const { editor } = this;
    const chat = await editor.chat();
    await chat.locator(".obstacle").getByRole("button", { name: "Install It" }).click();
    await editor.dialog().getByRole("button", { name: "Install", exact: true }).click();
  }

  /** Without a model, the chat answers from memory. */
  private async ask(): Promise<void> {
    const { editor } = this;
    await editor.run("Milepost: Remember…");
    await editor.answer("The till closes at six in winter");
    await editor.answer("Knowledge");
    const chat = await editor.openChat();
    await editor.send(chat, "When does the till close?");
    await chat.locator(".agent", { hasText: "The till closes at six in winter" }).waitFor();
    await editor.picture("answered");
  }
}
