/** What the three trees share: they ask anew when told to, and say what went wrong as a line. */

import * as vscode from "vscode";
import { words } from "./server/server.ts";

/** Changes come in bursts, and one look shows all of them. */
const BURST_MS = 100;

export abstract class Tree<Node extends object>
  implements vscode.TreeDataProvider<Node>, vscode.Disposable
{
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private timer: NodeJS.Timeout | undefined;
  /** The last failure, for the line above the tree. */
  onProblem: (problem: string | undefined) => void = () => {};

  protected abstract roots(): Promise<Node[]>;
  protected abstract branches(node: Node): Node[] | Promise<Node[]>;
  abstract getTreeItem(node: Node): vscode.TreeItem;

  async getChildren(node?: Node): Promise<Node[]> {
    try {
      const nodes = await (node ? this.branches(node) : this.roots());
      if (!node) {
        this.onProblem(undefined);
      }
      return nodes;
    } catch (error) {
      this.onProblem(words(error));
      return [];
    }
  }

  refresh(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.changed.fire(undefined), BURST_MS);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.changed.dispose();
  }
}
