/** Why nobody can chat yet, and what to do about it. */

import type { ServerState } from "../server/server.ts";
import type { Obstacle } from "./messages.ts";

/** What stands in the place of the field; undefined when one can write. */
export function obstacleOf(state: ServerState, hasFolder: boolean): Obstacle | undefined {
  if (!hasFolder) {
    const actions = [{ title: "Open Folder", command: "milepost.openFolder" }];
    return { text: "Open a folder to work in.", actions };
  }
  switch (state) {
    case "missing":
      return {
        text: "Milepost's server is not on this machine yet.",
        actions: [
          { title: "Install It", command: "milepost.installServer" },
          { title: "Settings", command: "milepost.openSettings" },
        ],
      };
    case "failed":
      return {
        text: "Milepost's server has stopped.",
        actions: [
          { title: "Start It Again", command: "milepost.restartServer" },
          { title: "Show Log", command: "milepost.showLog" },
        ],
      };
    case "installing":
      return { text: "Milepost's server is being installed…", actions: [] };
    case "restarting":
      return { text: "Milepost's server stopped, and is being started again…", actions: [] };
    case "running":
      return undefined;
    default:
      return { text: "Milepost's server is starting…", actions: [] };
  }
}
