/** What a person does with goals: set, verify, look at the evidence, allow, accept, limit, move. */

import * as vscode from "vscode";
import { SCHEME } from "../checkpoints/documents.ts";
import type { CurrentProject } from "../project.ts";
import type { Commands, Goal, Verdict } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import type { StatusBar } from "../status.ts";
import {
  askBudget,
  askGoal,
  askSigns,
  firstLine,
  mayAbandon,
  mayRun,
  pickGoal,
} from "./questions.ts";
import { type Deed, deeds, isOpen, limits, openSigns, standing } from "./standing.ts";
import type { GoalTree } from "./tree.ts";

interface Chosen {
  readonly goal: Goal;
}

type Change = "milepost.goal.pause" | "milepost.goal.resume" | "milepost.goal.abandon";
type Long = "milepost.goal.verify" | "milepost.goal.allow";

/** What is said in the palette when a deed fits no goal. */
const NONE: Record<Deed, string> = {
  verify: "There is no goal to verify.",
  allow: "No goal waits for a permission.",
  accept: "Nothing is known to have changed in what judges a goal.",
  budget: "There is no open goal.",
  pause: "There is no goal to pause.",
  resume: "There is no goal to resume.",
  abandon: "There is no goal to abandon.",
  show: "There is no goal yet.",
};

export class GoalCommands {
  constructor(
    private readonly wire: Wire,
    private readonly project: CurrentProject,
    private readonly status: StatusBar,
    private readonly tree: GoalTree,
  ) {}

  register(on: (name: string, run: (...args: never[]) => unknown) => void): void {
    const at =
      (deed: Deed, title: string, act: (goal: Goal) => Promise<void>) =>
      async (chosen?: Chosen): Promise<void> => {
        const goal = chosen?.goal ?? (await this.choose(deed, title));
        if (goal) {
          await act(goal);
        }
      };
    on("milepost.setGoal", () => this.set());
    on(
      "milepost.verifyGoal",
      at("verify", "Verify Which Goal?", (goal) => this.verify(goal)),
    );
    on(
      "milepost.showGoal",
      at("show", "Show Which Goal?", (goal) => this.show(goal)),
    );
    on(
      "milepost.allowGoal",
      at("allow", "Allow the Commands of Which Goal?", async (goal) => {
        await this.allow(goal, "offer");
      }),
    );
    on(
      "milepost.acceptGoalChanges",
      at("accept", "Accept Changes for Which Goal?", (goal) => this.accept(goal)),
    );
    on(
      "milepost.setGoalBudget",
      at("budget", "Limit Which Goal?", (goal) => this.limit(goal)),
    );
    on(
      "milepost.pauseGoal",
      at("pause", "Pause Which Goal?", (goal) => this.move("milepost.goal.pause", goal)),
    );
    on(
      "milepost.resumeGoal",
      at("resume", "Resume Which Goal?", (goal) => this.move("milepost.goal.resume", goal)),
    );
    on(
      "milepost.abandonGoal",
      at("abandon", "Abandon Which Goal?", (goal) => this.abandon(goal)),
    );
  }

  private async choose(deed: Deed, title: string): Promise<Goal | undefined> {
    const { goals } = await this.wire.command("milepost.goal.list", this.project.about({}));
    const fitting = goals.filter((goal) => deeds(goal, this.tree.verdictOf(goal)).includes(deed));
    if (fitting.length === 0) {
      vscode.window.showInformationMessage(NONE[deed]);
    }
    // Nobody verifies again what is met while something else is not.
    const open = fitting.filter(isOpen);
    return pickGoal(title, deed === "verify" && open.length > 0 ? open : fitting);
  }

  private async set(): Promise<void> {
    const wanted = await askGoal(async (condition) => {
      const about = this.project.about({ condition });
      return (await this.wire.command("milepost.goal.propose", about)).checks;
    });
    if (wanted) {
      await this.wire.command("milepost.goal.set", this.project.about(wanted));
    }
  }

  private async verify(goal: Goal): Promise<void> {
    if (goal.notAllowed.length > 0 && !(await this.allow(goal, "verify"))) {
      return;
    }
    const verdict = await this.withProgress("Verifying", "milepost.goal.verify", goal);
    if (!verdict) {
      return;
    }
    this.tree.saw(verdict);
    await this.tell(verdict);
  }

  private async tell(verdict: Verdict): Promise<void> {
    const isMet = verdict.verdict === "met";
    const say = isMet ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
    const [evidence, look] = ["Show Evidence", "Look at the Changes"];
    const changes = openSigns(verdict.signs).map((sign) => sign.words);
    const isChanged = verdict.verdict === "unverifiable" && changes.length > 0;
    const words = isChanged
      ? ["every check passed, but what judges the work was changed", ...changes]
      : [verdict.reason, ...verdict.missing];
    const text = `${standing(verdict.goal)}: ${words.join("; ")}`;
    const buttons = isChanged ? [look, evidence] : [evidence];
    const answer = await say(text.charAt(0).toUpperCase() + text.slice(1), ...buttons);
    if (answer === evidence) {
      await this.show(verdict.goal);
    } else if (answer === look) {
      await this.accept(verdict.goal);
    }
  }

  /** Whether the commands are allowed now; `then` is what follows, by itself or when wanted. */
  private async allow(goal: Goal, then: "verify" | "offer"): Promise<boolean> {
    if (!(await mayRun(goal))) {
      return false;
    }
    const title = "Allowing, and counting the tests there are";
    const allowed = await this.withProgress(title, "milepost.goal.allow", goal);
    if (allowed && then === "offer") {
      const many = goal.notAllowed.length > 1 ? "commands are" : "command is";
      await this.offerToVerify(`The ${many} allowed.`, allowed);
    }
    return allowed !== undefined;
  }

  private async accept(goal: Goal): Promise<void> {
    const signs = openSigns(await this.wire.command("milepost.goal.signs", this.named(goal)));
    if (signs.length === 0) {
      const nothing = "Nothing that judges this goal was changed, or all of it is accepted.";
      await this.offerToVerify(nothing, goal);
      return;
    }
    const ids = await askSigns(goal, signs);
    if (!ids) {
      return;
    }
    const after = await this.wire.command("milepost.goal.acceptChanges", {
      ...this.named(goal),
      signs: ids,
    });
    this.tree.sawSigns(goal, after);
    const left = openSigns(after).length;
    const more = left > 0 ? ` ${left} more not.` : "";
    await this.offerToVerify(
      `${ids.length === 1 ? "The change is" : `${ids.length} changes are`} accepted.${more}`,
      goal,
    );
  }

  private async offerToVerify(words: string, goal: Goal): Promise<void> {
    const verify = "Verify Goal";
    if ((await vscode.window.showInformationMessage(words, verify)) === verify) {
      await this.verify(goal);
    }
  }

  private async limit(goal: Goal): Promise<void> {
    const budget = await askBudget(goal);
    if (!budget) {
      return;
    }
    const argument = { ...this.named(goal), ...budget };
    const limited = await this.wire.command("milepost.goal.setBudget", argument);
    const words = limits(limited).join(", ") || "no limit";
    vscode.window.setStatusBarMessage(`Budget of “${firstLine(goal.condition)}”: ${words}`, 5_000);
  }

  private async show(goal: Goal): Promise<void> {
    const authority = await this.status.projectId();
    const uri = vscode.Uri.from({ scheme: SCHEME, authority, path: `/goals/${goal.id}` });
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, "markdown");
    await vscode.window.showTextDocument(document, { preview: true });
  }

  private async abandon(goal: Goal): Promise<void> {
    if (await mayAbandon(goal)) {
      await this.move("milepost.goal.abandon", goal);
    }
  }

  private async move(command: Change, goal: Goal): Promise<void> {
    await this.wire.command(command, this.named(goal));
  }

  /** Runs what may take long, shows its steps, and lets it be stopped: then undefined. */
  private async withProgress<Name extends Long>(
    title: string,
    command: Name,
    goal: Goal,
  ): Promise<Commands[Name]["result"] | undefined> {
    const where = { location: vscode.ProgressLocation.Notification, cancellable: true };
    return vscode.window.withProgress({ ...where, title }, async (progress, stop) => {
      const workDoneToken = `goal-${crypto.randomUUID()}`;
      let before = 0;
      const listening = this.wire.onProgress(workDoneToken, ({ message, percentage }) => {
        const now = percentage ?? before;
        progress.report({ ...(message ? { message } : {}), increment: now - before });
        before = now;
      });
      try {
        return await this.wire.command(command, this.named(goal), { workDoneToken, stop });
      } catch (error) {
        if (stop.isCancellationRequested) {
          return undefined;
        }
        throw error;
      } finally {
        listening.dispose();
      }
    });
  }

  private named(goal: Goal): { goalId: string } {
    return this.project.about({ goalId: goal.id });
  }
}
