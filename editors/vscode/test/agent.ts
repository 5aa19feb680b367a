/** An agent beside the editor: a client of the real MCP server on the same project. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";

export class Agent {
  private readonly lines: Interface;
  private asked = 0;
  private readonly running: ChildProcess;

  private constructor(running: ChildProcess) {
    this.running = running;
    this.lines = createInterface({ input: running.stdout ?? process.stdin });
  }

  /** `milepost` is the program; `env` has the home that the editor's server has. */
  static async start(milepost: string, root: string, env = process.env): Promise<Agent> {
    const agent = new Agent(
      spawn(milepost, ["mcp"], { cwd: root, env, stdio: ["pipe", "pipe", "ignore"] }),
    );
    await agent.request("initialize", {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "helper", version: "1" },
    });
    agent.send({ method: "notifications/initialized" });
    return agent;
  }

  async call(name: string, args: object): Promise<void> {
    const { isError, content } = (await this.request("tools/call", {
      name,
      arguments: args,
    })) as { isError?: boolean; content: object[] };
    if (isError) {
      throw new Error(JSON.stringify(content));
    }
  }

  async stop(): Promise<void> {
    const gone = once(this.running, "close");
    this.running.stdin?.end();
    await gone;
  }

  private async request(method: string, params: object): Promise<unknown> {
    this.asked += 1;
    const id = this.asked;
    this.send({ id, method, params });
    for await (const [line] of onLine(this.lines)) {
      const message = JSON.parse(line);
      if (message.id === id && !message.method) {
        if (message.error) {
          throw new Error(message.error.message);
        }
        return message.result;
      }
    }
    throw new Error("the MCP server ended");
  }

  private send(message: object): void {
    this.running.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }
}

async function* onLine(lines: Interface): AsyncGenerator<[string]> {
  for (;;) {
    yield (await once(lines, "line")) as [string];
  }
}
