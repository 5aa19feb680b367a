import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { CurrentProject } from "../../src/project.ts";
import { hunkAt, Proposals } from "../../src/proposals/proposals.ts";
import type { Hunk, Proposal, ProposalDidChange } from "../../src/protocol.ts";
import type { Wire } from "../../src/server/server.ts";
import type { StatusBar } from "../../src/status.ts";
import { desk } from "../vscode.ts";

function hunk(id: string, newStart: number, state: Hunk["state"] = "open"): Hunk {
  return { id, oldStart: newStart, oldLines: 1, newStart, newLines: 2, state };
}

function proposal(more: Partial<Proposal> = {}): Proposal {
  return {
    id: "p1",
    uri: "file:///shop/shop.py",
    title: "Edit shop.py",
    origin: "chat",
    sessionId: null,
    isApplied: true,
    state: "open",
    oldText: "",
    newText: "",
    hunks: [hunk("h1", 4), hunk("h2", 20)],
    ...more,
  };
}

test("the hunk at a line is the open one that is nearest", () => {
  assert.equal(hunkAt(proposal(), 0)?.id, "h1");
  assert.equal(hunkAt(proposal(), 5)?.id, "h1");
  assert.equal(hunkAt(proposal(), 14)?.id, "h2");
  assert.equal(
    hunkAt(proposal({ hunks: [hunk("h1", 4, "accepted"), hunk("h2", 20)] }), 4)?.id,
    "h2",
  );
  assert.equal(hunkAt(proposal({ hunks: [hunk("h1", 4, "rejected")] }), 4), undefined);
});

describe("proposals", () => {
  let tell: (told: ProposalDidChange) => void = () => {};
  let asked: { method: string; params: unknown }[] = [];
  let proposals: Proposals;

  beforeEach(() => {
    desk.clear();
    asked = [];
    const quiet = { dispose: () => {} };
    const wire = {
      onNotification: (_: string, listener: typeof tell) => {
        tell = listener;
        return quiet;
      },
      onDidChangeState: () => quiet,
      request: async (method: string, params: unknown) => {
        asked.push({ method, params });
        return proposal({ state: "accepted" });
      },
    } as unknown as Wire;
    const project = { about: (more: object) => ({ ...more, uri: "file:///shop" }) };
    const status = { projectId: async () => "shop-1" };
    proposals = new Proposals(
      wire,
      project as unknown as CurrentProject,
      status as unknown as StatusBar,
    );
  });

  const opened = (): string[] =>
    desk.ran
      .filter((each) => each.command === "vscode.diff")
      .map(({ args }) => `${args[0]} ${args[1]}`);

  test("an edit that is in the file already is compared with the file", async () => {
    tell({ proposal: proposal() });
    assert.deepEqual(opened(), []);
    await proposals.show("p1");
    assert.deepEqual(opened(), ["milepost://shop-1/proposals/p1/old file:///shop/shop.py"]);
  });

  test("what a code action proposes is shown once, by itself", async () => {
    const told = { proposal: proposal({ origin: "action", isApplied: false }) };
    tell(told);
    tell(told);
    await new Promise(setImmediate);
    assert.deepEqual(opened(), [
      "milepost://shop-1/proposals/p1/old milepost://shop-1/proposals/p1/new",
    ]);
  });

  test("a verdict goes to the server, and its answer is kept", async () => {
    tell({ proposal: proposal() });
    await proposals.judge("p1", "accept", ["h2"]);
    assert.deepEqual(asked, [
      {
        method: "milepost/proposal/accept",
        params: { proposalId: "p1", hunks: ["h2"], uri: "file:///shop" },
      },
    ]);
    assert.equal(proposals.all[0]?.state, "accepted");
  });
});
