import { runsQueue } from "../../manifest/process.ts";
import type { Release } from "../../release/schema.ts";

/** Whether a process type of the release works on runs, so that servers only take them in. */
export function isWorkedElsewhere({ processes }: Pick<Release, "processes">): boolean {
  return Object.values(processes).some((process) => "work" in process && process.work.includes(runsQueue));
}
