/** Where an entry stands: its memory file, or the rules file that it was read from. */

import * as vscode from "vscode";
import type { CurrentProject } from "../project.ts";
import type { Entry } from "../protocol.ts";
import type { Wire } from "../server/server.ts";
import { showPlace } from "../showing.ts";
import { placeInRulesFile } from "./outline.ts";

export class Places {
  constructor(
    private readonly wire: Wire,
    private readonly project: CurrentProject,
  ) {}

  async show(entry: Entry): Promise<void> {
    const place = placeInRulesFile(entry);
    const file =
      place &&
      (place.path.startsWith("/") ? vscode.Uri.file(place.path) : this.project.file(place.path));
    if (place && file) {
      await showPlace(file, place.line);
    } else {
      await this.showById(entry.id);
    }
  }

  async showById(id: string): Promise<void> {
    const argument = this.project.about({ id });
    const found = await this.wire.command("milepost.memory.locate", argument);
    await showPlace(vscode.Uri.parse(found.uri), found.line);
  }
}
