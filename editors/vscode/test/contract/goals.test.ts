import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import * as vscode from "vscode";
import { GoalCommands } from "../../src/goals/commands.ts";
import { type GoalNode, GoalTree } from "../../src/goals/tree.ts";
import { CurrentProject } from "../../src/project.ts";
import type { Goal } from "../../src/protocol.ts";
import { Server } from "../../src/server/server.ts";
import { StatusBar } from "../../src/status.ts";
import { Agent } from "../agent.ts";
import { desk } from "../vscode.ts";
import { makeProject, SERVER, type TestProject } from "./project.ts";

const TESTS = `import unittest


class ShopTest(unittest.TestCase):
    def test_shop(self):
        self.assertEqual(1 + 1, 2)
`;

describe("goals with the real server", () => {
  let project: TestProject;
  let server: Server;
  let current: CurrentProject;
  let tree: GoalTree;
  let agent: Agent;
  const commands = new Map<string, (...args: never[]) => unknown>();

  before(async () => {
    project = makeProject();
    writeFileSync(join(project.root, "test_shop.py"), TESTS);
    current = new CurrentProject();
    const log = vscode.window.createOutputChannel("Milepost", { log: true });
    server = new Server(log, () => {});
    tree = new GoalTree(server, current);
    const status = new StatusBar(server, current);
    new GoalCommands(server, current, status, tree).register((name, act) => {
      commands.set(name, act);
    });
    await server.start({ command: SERVER, origin: "setting", version: "" }, {});
    agent = await Agent.start(join(dirname(SERVER), "milepost"), project.root);
  });

  beforeEach(() => {
    desk.messages.length = 0;
    desk.answers.length = 0;
  });

  after(async () => {
    await agent.stop();
    tree.dispose();
    await server.stop();
    project.remove();
  });

  const run = async (name: string, goal?: Goal): Promise<void> => {
    await commands.get(name)?.(...((goal ? [{ goal }] : []) as never[]));
  };
  const find = async (condition: string): Promise<Goal> => {
    const { goals } = await server.command("milepost.goal.list", current.about({}));
    return goals.find((goal) => goal.condition === condition) ?? assert.fail(condition);
  };
  const rows = async (condition: string): Promise<vscode.TreeItem[]> => {
    const all = await tree.getChildren();
    const node = all.find((each) => each.goal.condition === condition) as GoalNode;
    return [node, ...(await tree.getChildren(node))].map((each) => tree.getTreeItem(each));
  };

  test("what an agent wants to run is shown, allowed, and then verified", async () => {
    await agent.call("goal_set", { condition: "It lists.", checks: ["ls shop.py"] });
    const [row, command] = await rows("It lists.");
    assert.match(row?.contextValue ?? "", /\.allow/);
    assert.equal(row?.description, "waits for you, not verified yet");
    assert.equal(command?.label, "ls shop.py");
    assert.equal(command?.description, "waits for you");
    assert.equal(command?.command?.command, "milepost.allowGoal");
    desk.answers.push(undefined);
    await run("milepost.verifyGoal", await find("It lists."));
    assert.equal((await find("It lists.")).verdict, null);
    desk.answers.push("Allow", "Verify Goal");
    await run("milepost.allowGoal");
    assert.match(desk.messages[1] ?? "", /wants to run[\s\S]*ls shop\.py/);
    assert.equal(desk.messages[2], "The command is allowed.");
    assert.match(desk.messages[3] ?? "", /^Met: /);
    assert.deepEqual((await find("It lists.")).notAllowed, []);
  });

  test("changes of the tests are shown, accepted one by one, and the goal is met", async () => {
    // The server proposes it for these words, and it is taken.
    desk.answers.push("The tests pass.", "python3 -m unittest discover");
    await run("milepost.setGoal");
    const goal = await find("The tests pass.");
    writeFileSync(join(project.root, "test_shop.py"), TESTS.replace("1 + 1, 2", "1, 1"));
    await run("milepost.verifyGoal", goal);
    assert.match(desk.messages[0] ?? "", /^Cannot be verified: .*was changed; .*test_shop\.py/);
    const [row, , sign] = await rows("The tests pass.");
    assert.match(row?.contextValue ?? "", /\.accept/);
    assert.match(String(sign?.label), /test_shop\.py/);
    assert.equal(sign?.description, "changed");
    desk.answers.push("Accept", "Verify Goal");
    await run("milepost.acceptGoalChanges");
    assert.match(desk.messages[1] ?? "", /^Accept this change\?[\s\S]*test_shop\.py/);
    assert.equal(desk.messages[2], "The change is accepted.");
    assert.match(desk.messages[3] ?? "", /^Met: /);
    assert.doesNotMatch((await rows("The tests pass."))[0]?.contextValue ?? "", /\.accept/);
    await run("milepost.acceptGoalChanges");
    assert.match(desk.messages.at(-1) ?? "", /^Nothing is known to have changed/);
  });

  test("a budget is used up, and only raising it lets the goal be verified again", async () => {
    desk.answers.push("It is there.", "file: nothing.txt");
    await run("milepost.setGoal");
    desk.answers.push("1", "60");
    await run("milepost.setGoalBudget", await find("It is there."));
    const limited = await find("It is there.");
    assert.deepEqual([limited.maxVerifications, limited.maxSeconds], [1, 60]);
    await run("milepost.verifyGoal", limited);
    await assert.rejects(run("milepost.verifyGoal", limited), /budget is used up/);
    const [row, ...below] = await rows("It is there.");
    assert.deepEqual(
      below.map((each) => each.label),
      ["file: nothing.txt"],
    );
    assert.match(String(row?.tooltip), /at most 1 verification\nat most 60 s/);
    assert.match(row?.contextValue ?? "", /\.budget/);
    assert.doesNotMatch(row?.contextValue ?? "", /verify|resume/);
    desk.answers.push("none");
    await run("milepost.setGoalBudget", await find("It is there."));
    assert.match(desk.messages.at(-1) ?? "", /whole number above 0/);
    desk.answers.push("", "");
    await run("milepost.setGoalBudget", await find("It is there."));
    const free = await find("It is there.");
    assert.deepEqual([free.state, free.maxVerifications, free.maxSeconds], ["active", null, null]);
  });

  test("a goal rests, goes on, and is given up when that is confirmed", async () => {
    await run("milepost.pauseGoal", await find("It is there."));
    assert.equal((await find("It is there.")).state, "paused");
    await run("milepost.resumeGoal");
    assert.equal((await find("It is there.")).state, "active");
    desk.answers.push(undefined);
    await run("milepost.abandonGoal", await find("It is there."));
    assert.equal((await find("It is there.")).state, "active");
    desk.answers.push("Abandon");
    await run("milepost.abandonGoal", await find("It is there."));
    assert.equal((await find("It is there.")).state, "abandoned");
    await run("milepost.pauseGoal");
    assert.equal(desk.messages.at(-1), "There is no goal to pause.");
  });
});
